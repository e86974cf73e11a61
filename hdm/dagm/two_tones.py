"""Whether a line's images have two tones and nothing between: bare boards, print, backlit shapes.

There every grey is odd, so a network that is taught with grey defects learns nothing of shape.
"""

from torch import Tensor

from hdm.dagm.foreground import otsu

TWO_TONES = 0.95
"""Share of the variance that two tones must explain. A normal distribution has 0.64, an even one
0.75, the binarised boards of DeepPCB 0.99, the other lines we know at most 0.75."""


def two_toned(normals: Tensor, ignored: Tensor | None = None) -> bool:
    """Whether two tones explain the values of (N, C, H, W), but for what is `ignored`, (N, H, W)
    bool."""
    seen = normals if ignored is None else normals.movedim(1, -1)[~ignored]
    values = seen.numpy().ravel()
    return bool(values.std() > 0 and otsu(values)[0] >= TWO_TONES * values.var())
