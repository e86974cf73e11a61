"""Random fields, signed distances and curves evaluated on a pixel grid.

Every function works in *part coordinates*: ``u`` to the right and ``v`` down, in image pixels at
nominal magnification, with the origin at the image centre.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.floating]

TILE = 256
"""Side of a periodic noise tile in samples; one sample is one image pixel."""


def noise_tile(
    rng: np.random.Generator, length_u: float, length_v: float, slope: float = 0.0
) -> Field:
    """Return a periodic Gaussian random field of shape (TILE, TILE), zero mean, unit variance.

    ``length_u`` and ``length_v`` are correlation lengths in pixels (0 leaves the axis white);
    ``slope`` > 0 multiplies the amplitude spectrum by 1/f**slope, which gives cloudy fields.
    """
    freq_u = np.fft.rfftfreq(TILE)[None, :]
    freq_v = np.fft.fftfreq(TILE)[:, None]
    spectrum = np.fft.rfft2(rng.standard_normal((TILE, TILE)))
    spectrum *= np.exp(-2.0 * np.pi**2 * ((freq_u * length_u) ** 2 + (freq_v * length_v) ** 2))
    if slope > 0.0:
        radius = np.hypot(freq_u, freq_v)
        radius[0, 0] = 1.0
        spectrum *= radius**-slope
    spectrum[0, 0] = 0.0
    field = np.fft.irfft2(spectrum, s=(TILE, TILE))
    return (field / field.std()).astype(np.float32)


def sample_tile(tile: Field, u: Field, v: Field) -> Field:
    """Sample a periodic tile at part coordinates by bilinear interpolation."""
    half = TILE // 2
    coordinates = np.stack([v + half, u + half])
    return ndimage.map_coordinates(tile, coordinates, order=1, mode="grid-wrap")


def sample_bitmap(bitmap: Field, u: Field, v: Field, pitch: float) -> Field:
    """Sample a bitmap of square cells, ``pitch`` pixels wide, whose top-left corner is (0, 0).

    The value is 0 outside the bitmap; cell edges are softened over about half a pixel.
    """
    fine = np.kron(np.pad(bitmap, 1), np.ones((4, 4), np.float32))
    step = pitch / 4.0
    coordinates = np.stack([(v + pitch) / step - 0.5, (u + pitch) / step - 0.5])
    return ndimage.map_coordinates(fine.astype(np.float32), coordinates, order=1, cval=0.0)


def coverage(distance: Field, softness: float = 1.0) -> Field:
    """Return the pixel coverage, 0 to 1, of the region where the signed distance is negative."""
    return np.clip(0.5 - distance / softness, 0.0, 1.0)


def box_distance(u: Field, v: Field, half_u: float, half_v: float, radius: float = 0.0) -> Field:
    """Return the signed distance to a centred box with rounded corners."""
    du = np.abs(u) - (half_u - radius)
    dv = np.abs(v) - (half_v - radius)
    outside = np.hypot(np.maximum(du, 0.0), np.maximum(dv, 0.0))
    return outside + np.minimum(np.maximum(du, dv), 0.0) - radius


def rotate(u: Field, v: Field, angle: float) -> tuple[Field, Field]:
    """Return the coordinates in a frame turned by ``angle`` radians."""
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return cos * u + sin * v, cos * v - sin * u


@dataclass(frozen=True)
class Curve:
    """A polyline in part coordinates, shape (n, 2)."""

    points: NDArray[np.float64]

    def distance(self, u: Field, v: Field) -> tuple[Field, Field]:
        """Return the distance to the curve and the arc position, 0 to 1, of the nearest point."""
        best = np.full(u.shape, np.inf, np.float32)
        where = np.zeros(u.shape, np.float32)
        count = len(self.points) - 1
        for index, (start, end) in enumerate(zip(self.points[:-1], self.points[1:], strict=True)):
            du, dv = (float(value) for value in end - start)
            along = (u - start[0].item()) * du + (v - start[1].item()) * dv
            along = np.clip(along / max(du * du + dv * dv, 1e-9), 0.0, 1.0)
            gap = np.hypot(u - start[0].item() - along * du, v - start[1].item() - along * dv)
            nearer = gap < best
            best = np.where(nearer, gap, best)
            where = np.where(nearer, (index + along) / count, where)
        return best, where


def wandering_curve(
    rng: np.random.Generator,
    centre: tuple[float, float],
    angle: float,
    length: float,
    wander: float,
    segments: int = 10,
) -> Curve:
    """Return a curve of ``length`` pixels through ``centre`` whose heading does a random walk.

    ``wander`` is the standard deviation of the heading change per segment in radians.
    """
    turns = rng.normal(0.0, wander, segments)
    headings = angle + np.cumsum(turns) - np.cumsum(turns).mean()
    steps = np.stack([np.cos(headings), np.sin(headings)], 1) * (length / segments)
    points = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, 0)])
    return Curve(points - points.mean(0) + np.asarray(centre))


def blob_distance(
    rng: np.random.Generator,
    u: Field,
    v: Field,
    centre: tuple[float, float],
    radius: float,
    irregularity: float = 0.15,
) -> Field:
    """Return the approximate signed distance to a closed blob with an irregular outline."""
    du, dv = u - centre[0], v - centre[1]
    polar = np.arctan2(dv, du)
    outline = np.ones(u.shape, np.float32)
    for order in range(2, 7):
        amplitude = irregularity * rng.normal() * 1.6 / order
        outline += amplitude * np.cos(order * polar + rng.uniform(0.0, 2.0 * np.pi))
    return np.hypot(du, dv) - radius * np.clip(outline, 0.45, 1.8)
