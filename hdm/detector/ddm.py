"""DDM as it answers: a prior, trained discriminators, and the reverse process that joins them."""

import torch
from torch import Tensor

from hdm.dataset.input_format import InputFormat
from hdm.detector.discriminator import Judgement
from hdm.detector.ensemble import Ensemble
from hdm.detector.reverse_process import answer
from hdm.diffusion.compute import Backend
from hdm.diffusion.normal_prior import NormalPrior
from hdm.model_settings import DdmTrain

NOISE_SEED = 20_252_200


class DDM:
    """The discriminative module of one product line, trained."""

    def __init__(self, prior: NormalPrior, network: Ensemble, settings: DdmTrain) -> None:
        self.prior, self.settings = prior, settings
        self.network = prior.backend.place(network).eval()

    @property
    def form(self) -> InputFormat:
        """How images become canvases."""
        return self.prior.form

    @property
    def backend(self) -> Backend:
        """Where it computes."""
        return self.prior.backend

    @property
    def mirrored(self) -> bool:
        """Whether it answers with the mean over mirrorings: where places mean nothing, a mirrored
        part is most often as good, and four answers err less than one."""
        wanted = self.settings.mirrored
        return self.form.fit == "tile" if wanted is None else wanted

    @torch.no_grad()
    def judge(self, canvas: Tensor) -> Judgement:
        """What the discriminators say of normalised canvas-size images (N, C, h, w).

        The prior's noise is the same for every image, so an image's answer does not depend on
        its neighbours in the batch.
        """
        x = canvas.to(self.backend.device)
        level = self.settings.prior_level
        noise = torch.randn(1, *x.shape[1:], generator=torch.Generator().manual_seed(NOISE_SEED))

        def appearance(state: Tensor) -> Tensor | None:
            return None if level is None else self.prior.normal_appearance(state, level, noise)

        with self.backend.autocast():
            judged = answer(self.network, x, appearance, self.settings.reverse_steps,
                            mirrored=self.mirrored)
        return Judgement(judged.normal.cpu(), judged.logits.cpu(), judged.context.float().cpu())
