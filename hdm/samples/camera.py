"""Camera model: pose, illumination, lens, colour balance and sensor noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hdm.samples.fields import Field, rotate

OVERSAMPLING = 2
"""Radiance samples per image pixel along each axis."""


@dataclass(frozen=True)
class Pose:
    """In-plane pose of the part: turn in radians, shift in pixels, magnification."""

    angle: float
    shift_u: float
    shift_v: float
    magnification: float = 1.0

    def part_grid(self, width: int, height: int) -> tuple[Field, Field]:
        """Return the part coordinates (u, v) of the oversampled grid of a width x height image."""
        x, y = image_grid(width * OVERSAMPLING, height * OVERSAMPLING)
        x = x / OVERSAMPLING - np.float32(self.shift_u)
        y = y / OVERSAMPLING - np.float32(self.shift_v)
        u, v = rotate(x, y, self.angle)
        return u / np.float32(self.magnification), v / np.float32(self.magnification)


@dataclass(frozen=True)
class Camera:
    """One exposure.

    ``exposure`` is a gain around 1; ``light`` the lamp's direction (x, y) in the image;
    ``gradient`` the relative illumination change from centre to border; ``vignetting`` the
    relative loss at the corners; ``gains`` one channel gain each; ``blur`` the lens blur's
    standard deviation in pixels; ``gamma`` the tone curve's exponent; ``full_well`` the electrons
    at signal 1; ``read_noise`` the read noise in signal units; ``speck_seed`` and ``specks``
    place single-pixel dust grains on the protective window.
    """

    exposure: float
    light: tuple[float, float]
    gradient: tuple[float, float]
    vignetting: float
    gains: tuple[float, ...]
    blur: float
    gamma: float
    full_well: float
    read_noise: float
    specks: int
    speck_seed: int

    def expose(self, radiance: Field) -> Field:
        """Return the noise-free signal, (h, w, channels) in 0..1, of an oversampled radiance."""
        rows, columns = radiance.shape[0] // OVERSAMPLING, radiance.shape[1] // OVERSAMPLING
        signal = radiance.reshape(rows, OVERSAMPLING, columns, OVERSAMPLING, -1).mean((1, 3))
        x, y = image_grid(columns, rows)
        x, y = x / (columns / 2), y / (rows / 2)
        field = 1.0 + self.gradient[0] * x + self.gradient[1] * y
        field *= self.exposure * (1.0 - self.vignetting * (x * x + y * y) / 2.0)
        field *= self._window_dust(rows, columns)
        signal = signal * field[..., None] * np.asarray(self.gains, np.float32)
        signal = ndimage.gaussian_filter(signal, (self.blur, self.blur, 0.0))
        return np.clip(signal, 0.0, 1.0) ** np.float32(self.gamma)

    def digitise(self, signal: Field, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return the 8-bit image of a signal with shot noise and read noise."""
        deviation = np.sqrt(signal / self.full_well + self.read_noise**2)
        noisy = signal + deviation * rng.standard_normal(signal.shape, np.float32)
        return np.clip(np.rint(noisy * 255.0), 0.0, 255.0).astype(np.uint8)

    def _window_dust(self, rows: int, columns: int) -> Field:
        rng = np.random.default_rng(self.speck_seed)
        transmission = np.ones((rows, columns), np.float32)
        where = rng.integers(0, (rows, columns), (self.specks, 2))
        transmission[where[:, 0], where[:, 1]] *= rng.uniform(0.72, 1.28, self.specks)
        return transmission


def sample_camera(
    rng: np.random.Generator, channels: int, *, fixed_lamp: bool = False
) -> Camera:
    """Draw the exposure-to-exposure variation shared by the sample lines."""
    azimuth = rng.normal(-2.2, 0.5) if fixed_lamp else rng.uniform(-np.pi, np.pi)
    warmth = rng.normal(0.0, 0.05)
    gains = (1.0 + warmth, 1.0 + rng.normal(0.0, 0.015), 1.0 - warmth)
    return Camera(
        exposure=float(rng.uniform(0.85, 1.15)),
        light=(float(np.cos(azimuth)), float(np.sin(azimuth))),
        gradient=(float(rng.normal(0.0, 0.09)), float(rng.normal(0.0, 0.09))),
        vignetting=float(rng.uniform(0.05, 0.32)),
        gains=gains if channels == 3 else (1.0,),
        blur=float(rng.uniform(0.35, 0.75)),
        gamma=float(rng.uniform(0.85, 1.1)),
        full_well=float(rng.uniform(1500.0, 5000.0)),
        read_noise=float(rng.uniform(0.004, 0.009)),
        specks=int(rng.integers(15, 90)),
        speck_seed=int(rng.integers(2**32)),
    )


def image_grid(columns: int, rows: int) -> tuple[Field, Field]:
    """Return centred sample coordinates (x, y), each of shape (rows, columns)."""
    x = np.arange(columns, dtype=np.float32) - np.float32((columns - 1) / 2)
    y = np.arange(rows, dtype=np.float32) - np.float32((rows - 1) / 2)
    grid_x, grid_y = np.meshgrid(x, y)
    return grid_x, grid_y
