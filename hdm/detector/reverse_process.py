"""The discriminative process: from the image as seen to the image as it should be, in K steps.

With N the normal image, x = N + M (A - N) what is seen, and transparency b from 1 to 0,

    z_b = N + b M (A - N) + sigma_b eps,

TransFusion's process (Fučka et al. 2024) with noise added; sigma = 0 gives theirs, M = 1 ordinary
diffusion, K = 1 a one-step discriminator. Each step estimates N and M from z and the mask of the
step before; the estimates give the next state, and the mean of all steps' logits is the answer.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from hdm.detector.discriminator import Judgement

MIRRORINGS = ((3,), (2,), (2, 3))
"""Axes of (N, C, H, W) that are turned round."""


def transparencies(steps: int) -> list[float]:
    """b of each reverse step, from 1 (as seen) downwards, evenly spaced above 0."""
    return [1 - k / steps for k in range(steps)]


def state(normal: Tensor, seen: Tensor, b: Tensor, sigma: Tensor, noise: Tensor) -> Tensor:
    """z_b; normal and seen (N, C, H, W), b and sigma (N,), noise like seen.

    Since seen - normal = M (A - N), no mask is needed.
    """
    return normal + b.view(-1, 1, 1, 1) * (seen - normal) + sigma.view(-1, 1, 1, 1) * noise


def reverse(network: nn.Module, x: Tensor, appearance: Callable[[Tensor], Tensor | None],
            steps: int) -> Judgement:
    """Run K reverse steps without noise from the image x (N, C, H, W).

    Args:
        appearance: what the prior says normal looks like where its argument is; None if not
            asked.

    Returns: the normal image as last estimated, the mean of all steps' logits, and the context of
    the first step, which alone saw the image itself.
    """
    z, previous = x, torch.zeros_like(x[:, :1])
    judged: list[Judgement] = []
    for b, following in pairwise([*transparencies(steps), 0.0]):
        # Of its shape, not its length: an exported graph would be fixed to one batch size.
        level = torch.full((x.shape[0],), b, device=x.device)
        judgement = network(z, appearance(z), previous, level)
        judged.append(judgement)
        previous = torch.sigmoid(judgement.logits)
        # Where the mask says anomaly, fade it by the schedule; elsewhere nothing is to be removed.
        z = z + previous * (1 - following / b) * (judgement.normal - z)
    logits = torch.stack([judgement.logits for judgement in judged]).mean(0)
    return Judgement(judged[-1].normal, logits, judged[0].context)


def answer(network: nn.Module, x: Tensor, appearance: Callable[[Tensor], Tensor | None], steps: int,
           *, mirrored: bool) -> Judgement:
    """`reverse` of the images x (N, C, H, W) or, `mirrored`, the mean of what it gives of them and
    of their three mirrorings.

    What a network finds odd of a good layout that is rare is mostly found in one view of it;
    defects are found in all. The context is that of x as it is.
    """
    views = [reverse(network, x, appearance, steps)]
    for axes in MIRRORINGS if mirrored else ():
        seen = reverse(network, x.flip(axes), appearance, steps)
        views.append(Judgement(seen.normal.flip(axes), seen.logits.flip(axes), seen.context))
    normal, logits = (torch.stack([getattr(view, kind) for view in views]).mean(0)
                      for kind in ("normal", "logits"))
    return Judgement(normal, logits, views[0].context)
