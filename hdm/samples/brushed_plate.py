"""Sample line ``brushed_plate``: brushed metal with a hole, a data matrix and a serial number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hdm.samples.camera import OVERSAMPLING, Camera, Pose
from hdm.samples.fields import (
    Field,
    blob_distance,
    coverage,
    noise_tile,
    rotate,
    sample_bitmap,
    sample_tile,
    wandering_curve,
)
from hdm.samples.product_line import Defect, ProductLine, View

_DIGITS = (
    "111101101101111", "010110010010111", "111001111100111", "111001111001111", "101101111001001",
    "111100111001111", "111100111101111", "111001010010010", "111101111101111", "111101111001111",
)
"""Digits 0 to 9, each 5 rows of 3 cells."""


@dataclass(frozen=True)
class Plate:
    """One plate; lengths in pixels, tones in reflectance."""

    tone: float
    grain: Field
    grain_angle: float
    grain_contrast: float
    clouds: Field
    cloud_contrast: float
    hole: tuple[float, float, float]
    code: Field
    code_at: tuple[float, float, float]
    serial: Field
    serial_at: tuple[float, float, float]
    ink: float
    sheen: tuple[float, float, float]


@dataclass
class Surface:
    """Reflectance and relief on the oversampled grid; defects edit both in place."""

    u: Field
    v: Field
    reflectance: Field
    height: Field
    plate: Plate


class BrushedPlate(ProductLine):
    """Machined and printed surface texture, 8-bit grey, 128 x 128."""

    name = "brushed_plate"
    width, height, channels = 128, 128, 1
    defects = ("chatter", "dent", "fibre", "pits", "scratch", "stain")

    def sample_part(self, rng: np.random.Generator) -> Plate:
        """Draw one plate."""
        grain = noise_tile(rng, rng.uniform(15.0, 45.0), rng.uniform(0.35, 0.8))
        grain = 0.8 * grain + 0.6 * noise_tile(rng, 60.0, rng.uniform(1.5, 3.5))
        code = (rng.random((12, 12)) < 0.5).astype(np.float32)
        code[:, 0] = code[-1, :] = 1.0
        code[0, :], code[:, -1] = np.arange(12) % 2 == 0, np.arange(12) % 2 == 1
        return Plate(
            tone=rng.uniform(0.42, 0.60),
            grain=grain,
            grain_angle=rng.normal(0.0, 0.06),
            grain_contrast=rng.uniform(0.035, 0.10),
            clouds=noise_tile(rng, 6.0, 6.0, slope=1.4),
            cloud_contrast=rng.uniform(0.01, 0.06),
            hole=(rng.normal(-38.0, 3.0), rng.normal(-36.0, 3.0), rng.uniform(7.5, 10.5)),
            code=code,
            code_at=(rng.normal(18.0, 4.0), rng.normal(20.0, 4.0), rng.uniform(2.0, 2.6)),
            serial=_serial_number(rng),
            serial_at=(rng.normal(-50.0, 4.0), rng.normal(36.0, 4.0), rng.uniform(1.6, 2.1)),
            ink=rng.uniform(0.30, 0.85) * float(rng.choice([-1.0, -1.0, 0.7])),
            sheen=(rng.uniform(-70.0, 70.0), rng.uniform(14.0, 45.0), rng.uniform(0.0, 0.16)),
        )

    def sample_pose(self, rng: np.random.Generator) -> Pose:
        """Draw a placement in the fixture."""
        angle, shift_u, shift_v = rng.normal(0.0, (0.025, 3.0, 3.0))
        return Pose(angle, shift_u, shift_v, rng.uniform(0.96, 1.04))

    def radiance(self, part: Plate, view: View, defect: Defect | None) -> tuple[Field, Field]:
        """Return the oversampled radiance and the defect's shape."""
        u, v = view.pose.part_grid(self.width, self.height)
        surface = _lay_out(part, u, v)
        shape = np.zeros_like(u)
        if defect is not None:
            shape = _DEFECTS[defect.kind](surface, defect.severity, defect.generator())
        return _shade(surface, view.camera)[..., None], shape


def _serial_number(rng: np.random.Generator) -> Field:
    glyphs = [np.array(list(_DIGITS[digit]), np.float32).reshape(5, 3) for digit in
              rng.integers(0, 10, rng.integers(5, 9))]
    return np.concatenate([np.pad(glyph, ((0, 0), (0, 1))) for glyph in glyphs], axis=1)


def _lay_out(plate: Plate, u: Field, v: Field) -> Surface:
    along, across = rotate(u, v, plate.grain_angle)
    texture = plate.grain_contrast * sample_tile(plate.grain, along, across)
    texture += plate.cloud_contrast * sample_tile(plate.clouds, u, v)
    centre, width, gain = plate.sheen
    texture += gain * np.exp(-(((u + 0.3 * v - centre) / width) ** 2))
    reflectance = plate.tone * (1.0 + texture)
    for bitmap, (left, top, pitch) in (
        (plate.code, plate.code_at), (plate.serial, plate.serial_at)
    ):
        mark = sample_bitmap(bitmap, u - left, v - top, pitch)
        reflectance = reflectance * (1.0 + (0.7 * plate.ink) * mark)
    height = np.zeros_like(u)
    hole_u, hole_v, radius = plate.hole
    rim = np.hypot(u - hole_u, v - hole_v) - radius
    reflectance = reflectance + (0.06 - reflectance) * coverage(rim)
    height -= 1.6 * coverage(rim - 1.2, 3.0)
    return Surface(u, v, reflectance, height, plate)


def _shade(surface: Surface, camera: Camera) -> Field:
    slope_y, slope_x = np.gradient(surface.height, 1.0 / OVERSAMPLING)
    relief = -(camera.light[0] * slope_x + camera.light[1] * slope_y)
    return surface.reflectance * np.clip(1.0 + 0.7 * relief, 0.15, 2.2)


def _free_spot(surface: Surface, rng: np.random.Generator, clearance: float) -> tuple[float, float]:
    """Return a place on the bare metal, clear of the hole and the marks where possible."""
    plate, spot = surface.plate, (0.0, 0.0)
    code_u, code_v, pitch = plate.code_at
    for _ in range(40):
        spot = (rng.uniform(-52.0, 52.0), rng.uniform(-52.0, 52.0))
        off_hole = np.hypot(spot[0] - plate.hole[0], spot[1] - plate.hole[1]) > (
            plate.hole[2] + 3.0 + clearance
        )
        half = 6.0 * pitch
        off_code = max(abs(spot[0] - code_u - half), abs(spot[1] - code_v - half)) > (
            half + clearance
        )
        if off_hole and off_code:
            break
    return spot


def _scratch(surface: Surface, severity: float, rng: np.random.Generator) -> Field:
    """Score the surface: a groove across the grain with a bright and a dark flank."""
    angle = rng.choice([-1.0, 1.0]) * rng.uniform(0.45, 1.5)
    length = rng.uniform(18.0, 34.0) + 22.0 * severity
    curve = wandering_curve(rng, _free_spot(surface, rng, 4.0), angle, length, 0.05)
    distance, where = curve.distance(surface.u, surface.v)
    taper = np.clip(4.0 * np.minimum(where, 1.0 - where), 0.25, 1.0)
    groove = coverage(distance - (0.55 + 0.5 * severity) * taper, 0.8)
    depth = 0.28 + 0.30 * severity
    surface.reflectance *= 1.0 + rng.choice([-1.0, 1.3]) * depth * groove
    surface.height -= 0.35 * severity * groove
    return groove


def _pits(surface: Surface, severity: float, rng: np.random.Generator) -> Field:
    """Corrode small holes into the surface."""
    shape = np.zeros_like(surface.u)
    centre = _free_spot(surface, rng, 6.0)
    for _ in range(rng.integers(1, 4) + int(2 * severity)):
        place = tuple(np.asarray(centre) + rng.normal(0.0, 5.0, 2))
        radius = rng.uniform(1.5, 2.1) + 1.5 * severity * rng.random()
        distance = blob_distance(rng, surface.u, surface.v, place, radius, 0.2)
        shape = np.maximum(shape, coverage(distance, 1.0))
    surface.reflectance *= 1.0 - (0.40 + 0.35 * severity) * shape
    surface.height -= (0.5 + severity) * shape
    return shape


def _stain(surface: Surface, severity: float, rng: np.random.Generator) -> Field:
    """Leave a dried fluid mark: a tinted area with a darker, sharper rim."""
    radius = rng.uniform(5.0, 8.0) + 6.0 * severity
    spot = _free_spot(surface, rng, radius)
    distance = blob_distance(rng, surface.u, surface.v, spot, radius, 0.25)
    inside = coverage(distance, 1.5)
    rim = np.exp(-((distance / 1.1) ** 2)) * inside
    depth = 0.16 + 0.16 * severity
    surface.reflectance *= 1.0 - depth * inside - 0.9 * depth * rim
    return inside


def _dent(surface: Surface, severity: float, rng: np.random.Generator) -> Field:
    """Press a shallow impact mark: bright and dark flanks, no change of tone."""
    radius = rng.uniform(4.0, 6.5) + 3.0 * severity
    spot = _free_spot(surface, rng, radius)
    distance = blob_distance(rng, surface.u, surface.v, spot, radius, 0.12)
    bowl = np.clip(-distance / radius, 0.0, 1.0)
    surface.height -= (0.45 + 0.45 * severity) * radius * bowl * bowl * (3.0 - 2.0 * bowl) * 0.6
    return coverage(distance, 1.0)


def _fibre(surface: Surface, severity: float, rng: np.random.Generator) -> Field:
    """Lay a textile fibre on the plate, with its contact shadow."""
    length = rng.uniform(20.0, 30.0) + 16.0 * severity
    curve = wandering_curve(
        rng, _free_spot(surface, rng, 5.0), rng.uniform(0.0, 2.0 * np.pi), length, 0.55, 14
    )
    distance, _ = curve.distance(surface.u, surface.v)
    thread = coverage(distance - (0.5 + 0.3 * severity), 0.8)
    shadow = coverage(distance - 1.5, 1.5)
    contrast = 0.30 + 0.30 * severity
    tone = surface.plate.tone * (1.0 + rng.choice([-1.0, 1.0]) * contrast)
    surface.reflectance *= 1.0 - 0.35 * contrast * shadow
    surface.reflectance += (tone - surface.reflectance) * thread
    return np.maximum(thread, shadow)


def _chatter(surface: Surface, severity: float, rng: np.random.Generator) -> Field:
    """Cut regular tool-vibration marks across the grain."""
    half_u, half_v = rng.uniform(7.5, 10.0) + 5.0 * severity, rng.uniform(6.0, 8.5)
    spot = _free_spot(surface, rng, half_u)
    u, v = rotate(surface.u - spot[0], surface.v - spot[1], rng.normal(0.0, 0.25))
    patch = coverage(np.hypot(u / half_u, v / half_v) * half_v - half_v, 2.0)
    wave = np.sin(2.0 * np.pi * u / rng.uniform(4.4, 6.2))
    surface.reflectance *= 1.0 + (0.36 + 0.24 * severity) * wave * patch
    return patch


_DEFECTS: dict[str, Callable[[Surface, float, np.random.Generator], Field]] = {
    "chatter": _chatter,
    "dent": _dent,
    "fibre": _fibre,
    "pits": _pits,
    "scratch": _scratch,
    "stain": _stain,
}
