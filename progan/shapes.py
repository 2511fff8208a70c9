"""Coloured shapes, drawn: the smallest data set that shows all there is to see, and that a laptop learns in minutes."""

from __future__ import annotations

import colorsys

import numpy as np

OVERSAMPLING = 4
SHAPES = ("disc", "square", "triangle", "star", "ring", "cross", "heart", "moon")


def draw_shape(seed: int | list[int], size: int = 32, kind: str | None = None) -> np.ndarray:
    """One shape, (size, size, 3) uint8: of a `kind`, or any, in its own size, place, turn and colours."""
    rng = np.random.default_rng(seed)
    kind = kind or SHAPES[rng.integers(len(SHAPES))]
    n = size * OVERSAMPLING
    places = (np.arange(n) + 0.5) / n * 2 - 1  # -1 to 1
    x, y = np.meshgrid(places, places)
    radius, turn = rng.uniform(0.5, 0.78), rng.uniform(-0.35, 0.35)
    u, v = turned(x - rng.uniform(-0.14, 0.14), y - rng.uniform(-0.14, 0.14), turn)
    inside = INSIDE[kind](u / radius, v / radius)
    hue = rng.uniform()
    ground = colour(hue + rng.uniform(0.33, 0.67), 0.35, 0.92) * (1.0 - 0.22 * (y[..., None] * 0.5 + 0.5))
    light = 1.05 - 0.35 * np.clip(0.5 + 0.6 * (u + v) / radius, 0, 1)
    paint = colour(hue, 0.75, 0.95) * light[..., None]
    picture = np.where(inside[..., None], paint, ground)
    small = picture.reshape(size, OVERSAMPLING, size, OVERSAMPLING, 3).mean((1, 3))
    return np.clip(np.rint(small * 255), 0, 255).astype(np.uint8)


def turned(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates turned by an angle."""
    c, s = np.cos(angle), np.sin(angle)
    return c * x + s * y, c * y - s * x


def colour(hue: float, saturation: float, value: float) -> np.ndarray:
    """RGB from 0 to 1."""
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value))


# Each takes coordinates in which the shape fits into the circle of radius 1, y pointing down.


def star(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Five points."""
    angle = np.arctan2(u, -v) * 5 / (2 * np.pi)
    ripple = np.abs(angle - np.round(angle)) * 2  # 0 at a point, 1 between two
    return np.hypot(u, v) < 1 - 0.56 * ripple


def triangle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """With a point at the top."""
    return (v < 0.6) & (np.abs(u) * 1.75 < v + 0.95)


def heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The curve (x² + y² - 1)³ = x² y³."""
    a, b = u * 1.25, -v * 1.25 + 0.12
    return (a * a + b * b - 1) ** 3 < a * a * b**3


INSIDE = {
    "disc": lambda u, v: np.hypot(u, v) < 0.92,
    "square": lambda u, v: np.maximum(np.abs(u), np.abs(v)) < 0.8,
    "triangle": triangle,
    "star": star,
    "ring": lambda u, v: np.abs(np.hypot(u, v) - 0.72) < 0.22,
    "cross": lambda u, v: (np.minimum(np.abs(u), np.abs(v)) < 0.28) & (np.maximum(np.abs(u), np.abs(v)) < 0.92),
    "heart": heart,
    "moon": lambda u, v: (np.hypot(u, v) < 0.95) & (np.hypot(u - 0.45, v) > 0.75),
}
