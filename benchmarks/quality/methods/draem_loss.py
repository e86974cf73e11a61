"""DRAEM's losses: squared error and structural similarity of the image, focal loss of the mask."""

import torch
from torch import Tensor
from torch.nn import functional as F

GAMMA = 2.0
WINDOW, SPREAD = 11, 1.5


def objective(restored: Tensor, normal: Tensor, logits: Tensor, mask: Tensor) -> Tensor:
    """L2 + (1 - SSIM) + focal, unweighted as in the paper; images in [0, 1], mask (N, 1, H, W)."""
    return F.mse_loss(restored, normal) + 1 - ssim(restored, normal) + focal(logits, mask)


def focal(logits: Tensor, mask: Tensor) -> Tensor:
    """Mean of -(1 - p)^2 log p, p the probability of the right class (Lin et al. 2017)."""
    log_p = F.log_softmax(logits, dim=1).gather(1, mask.long())
    return -((1 - log_p.exp()) ** GAMMA * log_p).mean()


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """Mean structural similarity of images in [0, 1] (Wang et al. 2004): window of 11 px, standard
    deviation 1.5 px, constants 0.01 and 0.03."""
    place = torch.arange(WINDOW, device=first.device) - WINDOW // 2
    line = torch.exp(-0.5 * (place / SPREAD) ** 2)
    line = (line / line.sum()).view(1, 1, -1, 1)

    def mean(images: Tensor) -> Tensor:
        flat = images.flatten(0, 1)[:, None]
        return F.conv2d(F.conv2d(flat, line), line.transpose(2, 3))

    a, b = mean(first), mean(second)
    variance_a, variance_b = mean(first**2) - a**2, mean(second**2) - b**2
    covariance = mean(first * second) - a * b
    c1, c2 = 0.01**2, 0.03**2
    value = (2 * a * b + c1) * (2 * covariance + c2) / \
        ((a**2 + b**2 + c1) * (variance_a + variance_b + c2))
    return value.mean()
