"""The bracket as it lies on the belt: its outline, its surface, light and shade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hdm.samples.camera import OVERSAMPLING, Camera
from hdm.samples.fields import (
    Field,
    box_distance,
    coverage,
    rotate,
    sample_tile,
)

_HOLES = ((-46.0, 0.0, 7.0), (46.0, 0.0, 7.0), (0.0, -14.0, 10.0))
"""Centre and radius of the through holes in part coordinates."""


@dataclass(frozen=True)
class Casting:
    """One casting on its piece of belt; lengths in pixels, colours in linear reflectance.

    ``chamfer`` is the brightness, relative to the skin, that each hole's cut edge adds.
    """

    skin: Field
    skin_relief: float
    mottle: Field
    mottle_contrast: float
    colour: Field
    gloss: float
    fillet: float
    chamfer: tuple[float, float, float]
    growth: float
    belt: Field
    belt_texture: Field
    belt_contrast: float
    belt_angle: float
    shadow: float


@dataclass
class Surface:
    """The scene on the oversampled grid; defects edit it in place.

    ``outline`` is the casting's signed distance (negative inside), ``relief`` a height added to
    the casting's own, ``albedo`` its colour, shape (2h, 2w, 3).
    """

    casting: Casting
    u: Field
    v: Field
    outline: Field
    relief: Field
    albedo: Field


def outline(casting: Casting, u: Field, v: Field) -> Field:
    plate = box_distance(u, v, 60.0, 14.0, 12.0)
    boss = np.hypot(u, v + 14.0) - 22.0
    foot = box_distance(u, v - 20.0, 26.0, 18.0, 5.0)
    body = np.minimum(np.minimum(plate, boss), foot) - casting.growth
    for hole_u, hole_v, radius in _HOLES:
        body = np.maximum(body, radius - np.hypot(u - hole_u, v - hole_v))
    return body


def lay_out(casting: Casting, u: Field, v: Field) -> Surface:
    relief = casting.skin_relief * sample_tile(casting.skin, u, v)
    # A raised boss around the middle hole and a rib down the foot.
    boss = np.abs(np.hypot(u, v + 14.0) - 14.0) - 2.5
    rib = box_distance(u, v - 20.0, 2.5, 13.0, 2.0)
    relief += 2.2 * coverage(boss, 3.5) + 1.8 * coverage(rib, 3.5)
    # Every hole is countersunk; the cut metal is brighter than the skin, more or less so.
    bare = np.ones_like(u)
    for (hole_u, hole_v, radius), gain in zip(_HOLES, casting.chamfer, strict=True):
        ring = np.abs(np.hypot(u - hole_u, v - hole_v) - radius - 1.3) - 1.1
        bare += gain * coverage(ring)
    mottle = bare + casting.mottle_contrast * sample_tile(casting.mottle, u, v)
    albedo = mottle[..., None] * casting.colour
    return Surface(casting, u, v, outline(casting, u, v), relief, albedo)


def shade(surface: Surface, camera: Camera) -> Field:
    casting = surface.casting
    edge = np.clip(-surface.outline / casting.fillet, 0.0, 1.0)
    height = casting.fillet * np.sqrt(np.clip(edge * (2.0 - edge), 0.0, 1.0)) + surface.relief
    slope_y, slope_x = np.gradient(height, 1.0 / OVERSAMPLING)
    normal_z = 1.0 / np.sqrt(1.0 + slope_x**2 + slope_y**2)
    towards = -(slope_x * camera.light[0] + slope_y * camera.light[1]) * normal_z
    diffuse = 0.28 + 0.72 * np.clip(0.80 * normal_z + 0.55 * towards, 0.0, 1.0)
    glint = casting.gloss * np.clip(0.94 * normal_z + 0.34 * towards, 0.0, 1.0) ** 30
    metal = surface.albedo * diffuse[..., None] + glint[..., None]
    inside = coverage(surface.outline, 0.7)[..., None]
    ground = _belt(surface, camera)
    return ground + (metal - ground) * inside


def _belt(surface: Surface, camera: Camera) -> Field:
    casting = surface.casting
    u, v = rotate(surface.u, surface.v, casting.belt_angle)
    texture = 1.0 + casting.belt_contrast * sample_tile(casting.belt_texture, u, v)
    shift = (-4.0 * OVERSAMPLING * camera.light[1], -4.0 * OVERSAMPLING * camera.light[0])
    # A linear shift suffices: the shadow is blurred anyway.
    blocked = ndimage.shift(coverage(surface.outline, 5.0), shift, order=1, mode="nearest")
    texture *= 1.0 - casting.shadow * ndimage.gaussian_filter(blocked, 2.0)
    return np.clip(texture, 0.0, None)[..., None] * casting.belt
