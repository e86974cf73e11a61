"""Sample line ``woven_mesh``: plain-weave wire cloth in front of a lit backdrop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hdm.samples.camera import Camera, Pose
from hdm.samples.fields import (
    Field,
    blob_distance,
    coverage,
    noise_tile,
    sample_tile,
    wandering_curve,
)
from hdm.samples.product_line import Defect, ProductLine, View

_WIRES = 64
"""Wires per direction, more than any image shows."""


@dataclass(frozen=True)
class Cloth:
    """One piece of wire cloth; lengths in pixels, colours in linear reflectance."""

    pitch_u: float
    pitch_v: float
    radius: float
    sway: tuple[Field, Field]
    sway_amplitude: float
    warp_tone: Field
    weft_tone: Field
    colour: Field
    backdrop: Field
    clouds: Field
    cloud_contrast: float
    gloss: float


@dataclass
class Weave:
    """The weave on the oversampled grid; defects edit it in place.

    ``u`` and ``v`` are cloth coordinates, ``weft_gap`` is 1 where the weft wires are cut away,
    ``tint`` multiplies the wires' colour, ``cover`` is the opacity of matter of colour ``matter``
    lying on the cloth.
    """

    cloth: Cloth
    u: Field
    v: Field
    warp_gap: Field
    weft_gap: Field
    tint: Field
    cover: Field
    matter: Field = field(default_factory=lambda: np.zeros(3, np.float32))


class WovenMesh(ProductLine):
    """Woven wire structure, RGB, 128 x 128."""

    name = "woven_mesh"
    width, height, channels = 128, 128, 3
    defects = ("bent_wire", "broken_wire", "clogged", "fibre", "missing_wire", "rust")

    def sample_part(self, rng: np.random.Generator) -> Cloth:
        """Draw one piece of cloth."""
        pitch = rng.uniform(9.5, 12.5)
        batch = rng.normal(0.0, 1.0)
        colour = np.array([0.74 + 0.045 * batch, 0.71 + 0.015 * batch, 0.66 - 0.045 * batch])
        backdrop = rng.uniform(0.04, 0.17) * (1.0 + rng.normal(0.0, 0.10, 3))
        return Cloth(
            pitch_u=pitch,
            pitch_v=pitch * rng.uniform(0.94, 1.06),
            radius=pitch * rng.uniform(0.20, 0.25),
            sway=(noise_tile(rng, 14.0, 14.0), noise_tile(rng, 14.0, 14.0)),
            sway_amplitude=rng.uniform(0.2, 0.6),
            warp_tone=rng.normal(1.0, rng.uniform(0.02, 0.09), _WIRES).astype(np.float32),
            weft_tone=rng.normal(1.0, rng.uniform(0.02, 0.09), _WIRES).astype(np.float32),
            colour=(rng.uniform(0.75, 1.15) * colour).astype(np.float32),
            backdrop=backdrop.astype(np.float32),
            clouds=noise_tile(rng, 3.0, 3.0, slope=1.2),
            cloud_contrast=rng.uniform(0.03, 0.15),
            gloss=rng.uniform(0.1, 0.7),
        )

    def sample_pose(self, rng: np.random.Generator) -> Pose:
        """Draw a placement: any phase, a small turn."""
        shift = rng.uniform(-6.0, 6.0, 2)
        return Pose(rng.normal(0.0, 0.07), shift[0], shift[1], rng.uniform(0.95, 1.05))

    def radiance(self, part: Cloth, view: View, defect: Defect | None) -> tuple[Field, Field]:
        """Return the oversampled radiance and the defect's shape."""
        u, v = view.pose.part_grid(self.width, self.height)
        weave = _lay_out(part, u, v)
        shape = np.zeros_like(u)
        if defect is not None:
            shape = _DEFECTS[defect.kind](weave, defect.severity, defect.generator())
        return _shade(weave, view.camera), shape


def _lay_out(cloth: Cloth, u: Field, v: Field) -> Weave:
    sway_u = cloth.sway_amplitude * sample_tile(cloth.sway[0], u, v)
    sway_v = cloth.sway_amplitude * sample_tile(cloth.sway[1], u, v)
    zero = np.zeros_like(u)
    tint = np.ones((*u.shape, 3), np.float32)
    return Weave(cloth, u + sway_u, v + sway_v, zero, zero.copy(), tint, zero.copy())


def _wire(
    across: Field, along: Field, pitch: float, pitch_along: float, radius: float, phase: int
) -> tuple[Field, Field, Field, Field, Field]:
    """Return presence, height, cross slope, long slope and index of one set of wires."""
    index = np.rint(across / pitch)
    offset = (across - index * pitch) / radius
    presence = coverage((np.abs(offset) - 1.0) * radius, 0.6)
    side = np.where((index.astype(np.int32) + phase) % 2 == 0, 1.0, -1.0).astype(np.float32)
    angle = np.float32(np.pi / pitch_along) * along
    crown = np.sqrt(np.clip(1.0 - offset * offset, 0.0, 1.0))
    height = 1.1 * side * np.cos(angle) + crown
    long_slope = -1.1 * side * np.sin(angle) * 0.55
    return presence, height, np.clip(offset, -1.0, 1.0), long_slope, index


def _shade(weave: Weave, camera: Camera) -> Field:
    cloth = weave.cloth
    warp = _wire(weave.u, weave.v, cloth.pitch_u, cloth.pitch_v, cloth.radius, 0)
    weft = _wire(weave.v, weave.u, cloth.pitch_v, cloth.pitch_u, cloth.radius, 1)
    warp_cover = warp[0] * (1.0 - weave.warp_gap)
    weft_cover = weft[0] * (1.0 - weave.weft_gap)
    clouds = 1.0 + cloth.cloud_contrast * sample_tile(cloth.clouds, weave.u, weave.v)
    image = cloth.backdrop * clouds[..., None]
    # Painted from the back: each wire set is on top where its undulation is the higher one.
    warp_light = _wire_light(warp[2], warp[3], cloth, camera.light)
    weft_light = _wire_light(weft[3], weft[2], cloth, camera.light)
    warp_tone = cloth.warp_tone[warp[4].astype(np.int32) % _WIRES] * warp_light
    weft_tone = cloth.weft_tone[weft[4].astype(np.int32) % _WIRES] * weft_light
    wire_colour = cloth.colour * weave.tint
    over = np.clip(0.5 + 2.0 * (warp[1] - weft[1]), 0.0, 1.0)
    warp_top = warp_cover * (1.0 - weft_cover * (1.0 - over))
    image = image + (wire_colour * weft_tone[..., None] - image) * weft_cover[..., None]
    image = image + (wire_colour * warp_tone[..., None] - image) * warp_top[..., None]
    return image + (weave.matter - image) * weave.cover[..., None]


def _wire_light(slope_u: Field, slope_v: Field, cloth: Cloth, light: tuple[float, float]) -> Field:
    normal_z = 1.0 / np.sqrt(1.0 + 1.2 * (slope_u**2 + slope_v**2))
    towards = (slope_u * light[0] + slope_v * light[1]) * normal_z
    diffuse = 0.30 + 0.55 * np.clip(0.75 * normal_z + 0.5 * towards, 0.0, 1.0)
    half = np.clip(0.93 * normal_z + 0.36 * towards, 0.0, 1.0)
    return diffuse + cloth.gloss * half**24


def _spot(rng: np.random.Generator) -> tuple[float, float]:
    return rng.uniform(-46.0, 46.0), rng.uniform(-46.0, 46.0)


def _weft_wire(
    weave: Weave, rng: np.random.Generator, half_length: float
) -> tuple[float, Field, Field]:
    """Pick a weft wire: return its line v, the shape of its run and the offset along it."""
    u, v = _spot(rng)
    line = round(v / weave.cloth.pitch_v) * weave.cloth.pitch_v
    along = weave.u - u
    beside = np.abs(weave.v - line) - (weave.cloth.radius + 0.5)
    run = coverage(np.maximum(np.abs(along) - half_length, beside))
    return line, run, along


def _missing_wire(weave: Weave, severity: float, rng: np.random.Generator) -> Field:
    """Leave out one weft wire over a run of several cells."""
    half = weave.cloth.pitch_u * (1.4 + 2.2 * severity)
    _, run, _ = _weft_wire(weave, rng, half)
    weave.weft_gap = np.maximum(weave.weft_gap, run)
    return run


def _broken_wire(weave: Weave, severity: float, rng: np.random.Generator) -> Field:
    """Break one weft wire: a short gap between ends that bend away from the line."""
    pitch = weave.cloth.pitch_u
    u, v = _spot(rng)
    u = (round(u / pitch - 0.5) + 0.5) * pitch
    line = round(v / weave.cloth.pitch_v) * weave.cloth.pitch_v
    along = weave.u - u
    reach = np.exp(-((weave.v - line) ** 2) / (2.0 * (0.45 * weave.cloth.pitch_v) ** 2))
    lift = (2.2 + 2.0 * severity) * np.exp(-np.abs(along) / (0.8 * pitch)) * np.sign(along)
    half_gap = (0.55 + 0.5 * severity) * pitch
    weave.v = weave.v - rng.choice([-1.0, 1.0]) * lift * reach
    gap = coverage(np.abs(along) - half_gap, 0.7)
    gap *= np.abs(weave.v - line) < 0.5 * weave.cloth.pitch_v
    weave.weft_gap = np.maximum(weave.weft_gap, gap)
    return ((np.abs(along) < half_gap + 0.6 * pitch) & (reach > 0.4)).astype(np.float32)


def _bent_wire(weave: Weave, severity: float, rng: np.random.Generator) -> Field:
    """Push one weft wire sideways, which widens the cells on one side."""
    pitch = weave.cloth.pitch_v
    u, v = _spot(rng)
    line = round(v / pitch) * pitch
    bow = np.exp(-((weave.u - u) ** 2) / (2.0 * (1.1 * weave.cloth.pitch_u) ** 2))
    reach = np.exp(-((weave.v - line) ** 2) / (2.0 * (0.65 * pitch) ** 2))
    shift = rng.choice([-1.0, 1.0]) * (0.40 + 0.20 * severity) * pitch
    weave.v = weave.v - (shift * bow * reach).astype(np.float32)
    return (bow * reach > 0.35).astype(np.float32)


def _clogged(weave: Weave, severity: float, rng: np.random.Generator) -> Field:
    """Fill cells with debris."""
    radius = rng.uniform(3.5, 4.5) + 3.5 * severity
    distance = blob_distance(rng, weave.u, weave.v, _spot(rng), radius, 0.3)
    clump = coverage(distance, 1.2)
    tone = rng.uniform(0.25, 0.50) * np.array([1.1, 1.0, 0.85])
    weave.matter = tone.astype(np.float32)
    weave.cover = np.maximum(weave.cover, (0.65 + 0.35 * severity) * clump)
    return clump


def _fibre(weave: Weave, severity: float, rng: np.random.Generator) -> Field:
    """Catch a textile fibre on the cloth."""
    length = rng.uniform(24.0, 34.0) + 18.0 * severity
    curve = wandering_curve(rng, _spot(rng), rng.uniform(0.35, 1.2), length, 0.4, 14)
    distance, _ = curve.distance(weave.u, weave.v)
    thread = coverage(distance - (0.55 + 0.45 * severity), 0.8)
    palette = ((0.85, 0.85, 0.88), (0.25, 0.35, 0.75), (0.75, 0.25, 0.22), (0.9, 0.8, 0.5))
    weave.matter = np.asarray(palette[rng.integers(4)], np.float32)
    weave.cover = np.maximum(weave.cover, (0.65 + 0.3 * severity) * thread)
    return thread


def _rust(weave: Weave, severity: float, rng: np.random.Generator) -> Field:
    """Corrode the wires around a spot: orange-brown, darker in the middle."""
    radius = rng.uniform(5.0, 7.5) + 6.0 * severity
    distance = blob_distance(rng, weave.u, weave.v, _spot(rng), radius, 0.35)
    patch = coverage(distance, 3.0)[..., None]
    strength = 0.5 + 0.5 * severity
    weave.tint *= 1.0 - strength * patch * np.array([0.22, 0.55, 0.78], np.float32)
    return patch[..., 0]


_DEFECTS: dict[str, Callable[[Weave, float, np.random.Generator], Field]] = {
    "bent_wire": _bent_wire,
    "broken_wire": _broken_wire,
    "clogged": _clogged,
    "fibre": _fibre,
    "missing_wire": _missing_wire,
    "rust": _rust,
}
