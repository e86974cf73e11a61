"""Sample line ``cast_bracket``: a cast metal bracket lying on a conveyor belt."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hdm.samples.bracket_surface import Casting, Surface, lay_out, outline, shade
from hdm.samples.camera import Pose
from hdm.samples.fields import (
    Curve,
    Field,
    blob_distance,
    coverage,
    noise_tile,
    wandering_curve,
)
from hdm.samples.product_line import Defect, ProductLine, View


class CastBracket(ProductLine):
    """Posed cast part on a belt, RGB, 160 x 128."""

    name = "cast_bracket"
    width, height, channels = 160, 128, 3
    # Any belt and pose: an object needs more good images than a texture.
    train_good, fixed_lamp = 240, True
    defects = ("chipped_edge", "crack", "flash", "porosity", "rust", "scratch")

    def sample_part(self, rng: np.random.Generator) -> Casting:
        """Draw one casting and the belt under it."""
        batch = rng.normal(0.0, 1.0)
        colour = np.array([0.62 + 0.035 * batch, 0.62, 0.63 - 0.04 * batch])
        belt = rng.uniform(0.06, 0.36) * np.array([0.85, 1.0, 1.05]) * rng.normal(1.0, 0.08, 3)
        belt_texture = 0.7 * noise_tile(rng, 0.6, 0.6) + 0.7 * noise_tile(rng, 8.0, 0.8)
        return Casting(
            skin=noise_tile(rng, 0.8, 0.8, slope=0.5),
            skin_relief=rng.uniform(0.03, 0.09),
            mottle=noise_tile(rng, 2.0, 2.0, slope=1.2),
            mottle_contrast=rng.uniform(0.02, 0.08),
            colour=(rng.uniform(0.68, 1.22) * colour).astype(np.float32),
            gloss=rng.uniform(0.05, 0.25),
            fillet=rng.uniform(2.2, 4.0),
            chamfer=(rng.uniform(-0.2, 1.3), rng.uniform(-0.2, 1.3), rng.uniform(-0.2, 1.3)),
            growth=rng.normal(0.0, 0.5),
            belt=belt.astype(np.float32),
            belt_texture=belt_texture,
            belt_contrast=rng.uniform(0.03, 0.14),
            belt_angle=rng.normal(0.0, 0.2),
            shadow=rng.uniform(0.15, 0.55),
        )

    def sample_pose(self, rng: np.random.Generator) -> Pose:
        """Draw a placement on the belt."""
        angle, shift_u, shift_v = rng.normal(0.0, (0.09, 3.5, 3.5))
        return Pose(angle, shift_u, shift_v, rng.uniform(1.03, 1.12))

    def radiance(self, part: Casting, view: View, defect: Defect | None) -> tuple[Field, Field]:
        """Return the oversampled radiance and the defect's shape."""
        u, v = view.pose.part_grid(self.width, self.height)
        surface = lay_out(part, u, v)
        shape = np.zeros_like(u)
        if defect is not None:
            shape = _DEFECTS[defect.kind](surface, defect.severity, defect.generator())
        return shade(surface, view.camera), shape


def _spot_inside(
    surface: Surface, rng: np.random.Generator, clearance: float
) -> tuple[float, float]:
    """Return a place on the casting at least ``clearance`` pixels from its outline."""
    spot = (0.0, 20.0)
    for _ in range(80):
        u, v = rng.uniform(-56.0, 56.0), rng.uniform(-34.0, 34.0)
        point = np.full((1, 1), u, np.float32), np.full((1, 1), v, np.float32)
        if outline(surface.casting, *point).item() < -clearance:
            return u, v
    return spot


def _spot_on_edge(surface: Surface, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return a place on the outline and the direction of the outward normal there."""
    rows, columns = np.nonzero(np.abs(surface.outline) < 0.4)
    pick = rng.integers(len(rows))
    row, column = rows[pick], columns[pick]
    u, v = surface.u[row, column].item(), surface.v[row, column].item()
    step = np.array([[-0.5, 0.5]], np.float32)
    side_u = outline(surface.casting, u + step, np.full_like(step, v))
    side_v = outline(surface.casting, np.full_like(step, u), v + step)
    return u, v, float(np.arctan2(side_v[0, 1] - side_v[0, 0], side_u[0, 1] - side_u[0, 0]))


def _crack(surface: Surface, severity: float, rng: np.random.Generator) -> Field:
    """Open a jagged crack that starts at an edge or a hole."""
    u, v, outward = _spot_on_edge(surface, rng)
    heading = outward + np.pi + rng.normal(0.0, 0.35)
    length = rng.uniform(14.0, 18.0) + 9.0 * severity
    segments = 8
    turns = heading + rng.normal(0.0, 0.5, segments)
    steps = np.stack([np.cos(turns), np.sin(turns)], 1) * (length / segments)
    points = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, 0)]) + np.array([u, v])
    distance, where = Curve(points).distance(surface.u, surface.v)
    width = (1.25 + 0.6 * severity) * (1.2 - where)
    crack = coverage(distance - width, 0.8) * coverage(surface.outline, 0.7)
    surface.albedo *= 1.0 - (0.65 + 0.27 * severity) * crack[..., None]
    surface.relief -= 0.8 * crack
    return crack


def _porosity(surface: Surface, severity: float, rng: np.random.Generator) -> Field:
    """Open a cluster of gas pores."""
    shape = np.zeros_like(surface.u)
    centre = np.asarray(_spot_inside(surface, rng, 5.0))
    for _ in range(3 + int(4 * severity)):
        place = tuple(centre + rng.normal(0.0, 3.6, 2))
        radius = rng.uniform(1.5, 2.0) + 1.0 * severity * rng.random()
        distance = blob_distance(rng, surface.u, surface.v, place, radius, 0.15)
        shape = np.maximum(shape, coverage(distance, 0.9))
    shape *= coverage(surface.outline)
    surface.albedo *= 1.0 - (0.55 + 0.33 * severity) * shape[..., None]
    surface.relief -= (0.5 + 0.8 * severity) * shape
    return shape


def _chipped_edge(surface: Surface, severity: float, rng: np.random.Generator) -> Field:
    """Break a piece off the outline."""
    u, v, _ = _spot_on_edge(surface, rng)
    radius = rng.uniform(5.2, 6.4) + 3.0 * severity
    bite = blob_distance(rng, surface.u, surface.v, (u, v), radius, 0.3)
    shape = coverage(bite - 1.0, 1.0) * coverage(surface.outline - 0.5, 1.0)
    surface.outline = np.maximum(surface.outline, -bite)
    return shape


def _flash(surface: Surface, severity: float, rng: np.random.Generator) -> Field:
    """Leave a thin ragged fin of metal beyond the outline."""
    u, v, _ = _spot_on_edge(surface, rng)
    radius = rng.uniform(6.2, 7.4) + 3.0 * severity
    fin = blob_distance(rng, surface.u, surface.v, (u, v), radius, 0.28)
    shape = coverage(fin - 0.5, 1.0) * coverage(-surface.outline - 2.0, 1.0)
    surface.outline = np.minimum(surface.outline, fin)
    return shape


def _rust(surface: Surface, severity: float, rng: np.random.Generator) -> Field:
    """Corrode a patch of the skin: orange-brown with a ragged outline."""
    radius = rng.uniform(4.5, 6.0) + 4.0 * severity
    spot = _spot_inside(surface, rng, 4.0)
    distance = blob_distance(rng, surface.u, surface.v, spot, radius, 0.4)
    patch = coverage(distance, 2.0) * coverage(surface.outline)
    strength = 0.55 + 0.35 * severity
    loss = np.array([0.15, 0.50, 0.75], np.float32)
    surface.albedo *= 1.0 - strength * patch[..., None] * loss
    return patch


def _scratch(surface: Surface, severity: float, rng: np.random.Generator) -> Field:
    """Score the skin down to bright metal."""
    length = rng.uniform(18.0, 26.0) + 14.0 * severity
    spot = _spot_inside(surface, rng, 6.0)
    curve = wandering_curve(rng, spot, rng.uniform(0.0, np.pi), length, 0.06)
    distance, where = curve.distance(surface.u, surface.v)
    taper = np.clip(5.0 * np.minimum(where, 1.0 - where), 0.3, 1.0)
    score = coverage(distance - (0.7 + 0.45 * severity) * taper, 0.8) * coverage(surface.outline)
    surface.albedo *= 1.0 + (0.65 + 0.45 * severity) * score[..., None]
    surface.relief -= 0.3 * score
    return score


_DEFECTS: dict[str, Callable[[Surface, float, np.random.Generator], Field]] = {
    "chipped_edge": _chipped_edge,
    "crack": _crack,
    "flash": _flash,
    "porosity": _porosity,
    "rust": _rust,
    "scratch": _scratch,
}
