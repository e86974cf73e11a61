"""DDM as it answers: a reverse diffusion over latents, and discriminators beside it.

Both say of each place how unlike a good part it is, and fail on different images: the diffusion
knows only good parts, the discriminators what defects were drawn for them.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from hdm.dataset.input_format import InputFormat
from hdm.dataset.tiles import over_tiles
from hdm.detector.ensemble import Ensemble, Look, blind, logits
from hdm.detector.overview import overview
from hdm.diffusion.compute import Backend
from hdm.diffusion.latent_prior import AT_ONCE, KINDS, LatentPrior
from hdm.errors import HDMError
from hdm.files import atomic_file
from hdm.model_settings import DdmTrain

NETWORK, PRIOR, TOLD = "discriminator.safetensors", "prior", "told.safetensors"
BATCH = 32


class DDM:
    """The discriminative module of one product line, trained. prior: None where there is no
    backbone. told: (D,), where in the space of latents those defects lie that people confirmed;
    None where nobody did."""

    def __init__(self, form: InputFormat, prior: LatentPrior | None, network: Ensemble,
                 settings: DdmTrain, backend: Backend, told: Tensor | None = None) -> None:
        self.form, self.prior, self.settings, self.backend = form, prior, settings, backend
        self.told = told
        self.network = backend.place(network).eval()

    @property
    def latent_kinds(self) -> int:
        """Kinds of evidence that latents give."""
        return 0 if self.prior is None else KINDS + (self.told is not None)

    @property
    def look(self) -> Look:
        """What the discriminators are shown beside an image."""
        if self.prior is None or not self.network.seeing:
            return blind
        return self.prior.encoder.stages

    @property
    def mirrored(self) -> bool:
        """Whether it answers with the mean over mirrorings: where places mean nothing, a mirrored
        part is most often as good, and four answers err less than one."""
        wanted = self.settings.mirrored
        return self.form.fit == "tile" if wanted is None else wanted

    @torch.no_grad()
    def judge(self, canvas: Tensor) -> Tensor:
        """Logits (N, 1, h, w) of what the discriminator sees at once, (N, C, h, w)."""
        found = []
        for part in canvas.split(BATCH):
            with self.backend.autocast():
                found.append(logits(self.network, part.to(self.backend.device), self.look,
                                    mirrored=self.mirrored).float().cpu())
        return torch.cat(found)

    def taught(self, seen: Tensor) -> Tensor:
        """Logits (N, 1, h, w) of images of one size as `InputFormat.for_discriminator` makes them,
        (N, C, h, w)."""
        if self.form.fit == "resize":
            return self.judge(seen)
        tile = (self.form.height, self.form.width)
        return over_tiles(seen, tile, self.judge)

    def latents(self, encoded: Tensor) -> Tensor | None:
        """Latents (N, D, h/8, w/8) of images as the encoder sees them, (N, C, h, w); None without
        a backbone."""
        if self.prior is None:
            return None
        return torch.cat([self.prior.latents(part) for part in encoded.split(AT_ONCE)])

    def overview(self, images: Tensor) -> Tensor:
        """`hdm.detector.overview.overview` of prepared images of one size."""
        encoded = self.form.for_encoder(images)
        return overview(self.form, encoded, self.latents(encoded))

    def of_latents(self, latents: Tensor | None) -> Tensor | None:
        """What latents of whole images say, (N, `latent_kinds`, h, w): evidence of the reverse
        diffusion as `LatentPrior.evidence` gives it, and how far each place lies towards confirmed
        defects; ignored places repeating those beside them. None without a backbone."""
        maps = self._evidence(latents)
        ignored = None if maps is None else self.form.ignored_at(*maps.shape[-2:])
        return maps if maps is None or ignored is None else ignored.repeated(maps)

    def of_canvases(self, canvases: Tensor) -> Tensor | None:
        """`of_latents` of canvases, which show less detail than prepared images."""
        latents = self.latents(self.form.canvas_for_encoder(canvases))
        return self.of_latents(latents) if self.form.fit == "resize" else self._evidence(latents)

    def _evidence(self, latents: Tensor | None) -> Tensor | None:
        if self.prior is None or latents is None:
            return None
        found = torch.cat([self.prior.evidence(part) for part in latents.split(AT_ONCE)])
        return with_nearness(found, latents, self.told)

    def save(self, folder: Path) -> None:
        """Write the weights into an existing folder."""
        with atomic_file(folder / NETWORK) as temporary:
            temporary.write_bytes(save(
                {k: v.contiguous() for k, v in self.network.state_dict().items()}))
        if self.prior is not None:
            (folder / PRIOR).mkdir(exist_ok=True)
            self.prior.save(folder / PRIOR)
        if self.told is not None:
            with atomic_file(folder / TOLD) as temporary:
                temporary.write_bytes(save({"direction": self.told.contiguous()}))

    @classmethod
    def load(cls, folder: Path, form: InputFormat, settings: DdmTrain, backend: Backend) -> "DDM":
        """Read what `save` wrote; raises HDMError if files are missing or do not fit."""
        try:
            network = Ensemble.of(load_file(folder / NETWORK), form.channels, settings)
            told = load_file(folder / TOLD)["direction"] if (folder / TOLD).is_file() else None
        except Exception as error:
            raise HDMError(f"the weights in {folder} cannot be loaded "
                           f"({str(error).splitlines()[0]}); restore them with `dvc checkout` or "
                           "train again.") from error
        prior = LatentPrior.load(folder / PRIOR, backend.device) \
            if (folder / PRIOR).is_dir() else None
        return cls(form, prior, network, settings, backend, told)


def with_nearness(maps: Tensor, latents: Tensor, told: Tensor | None) -> Tensor:
    """Maps (N, K, h, w), and behind them, if anything was `told`, (D,), how far each place of
    latents (N, D, h, w) lies towards it."""
    return maps if told is None else torch.cat([maps, towards(latents, told)], 1)


def towards(latents: Tensor, direction: Tensor) -> Tensor:
    """How far each place of latents (N, D, h, w) lies along a direction (D,): (N, 1, h, w)."""
    return (latents * direction.view(1, -1, 1, 1)).sum(1, keepdim=True)
