"""Landscapes, drawn: an endless data set of our own, for the generator that ships and for trying things out.

A landscape has an hour, a season, a sun or a moon, clouds, ridges that fade with distance, and in front a lake, firs or
bare hills. All of it follows from one seed, and small changes of the numbers make small changes of the picture: what a
generator learns of it can be walked through.
"""

from __future__ import annotations

import numpy as np

OVERSAMPLING = 2  # drawn at twice the size, for smooth edges

# The sky at eight hours of the day, from midnight on: its colour at the top, half-way down, and at the horizon.
SKIES = np.array(
    [
        [(6, 8, 30), (14, 22, 58), (36, 52, 92)],
        [(22, 22, 66), (72, 58, 112), (178, 110, 120)],
        [(64, 92, 160), (196, 150, 168), (255, 196, 140)],
        [(58, 128, 210), (132, 186, 232), (214, 232, 240)],
        [(40, 116, 208), (110, 176, 234), (196, 226, 244)],
        [(70, 128, 196), (160, 190, 214), (246, 226, 184)],
        [(66, 50, 110), (206, 98, 90), (255, 170, 84)],
        [(20, 16, 56), (84, 44, 96), (186, 84, 88)],
    ],
    np.float32,
)
# How much light falls on the land at these hours
LIGHT = np.array([0.20, 0.40, 0.72, 1.0, 1.0, 0.92, 0.62, 0.34], np.float32)
# The land's colours by season: near and far ground, and firs
GROUNDS = np.array(
    [
        [(88, 140, 62), (104, 122, 132), (34, 84, 52)],  # summer
        [(186, 124, 48), (124, 104, 116), (120, 74, 34)],  # autumn
        [(226, 234, 242), (150, 166, 190), (58, 84, 92)],  # winter
        [(206, 152, 94), (160, 108, 96), (112, 96, 52)],  # desert
    ],
    np.float32,
)


def draw_landscape(seed: int | np.random.SeedSequence, size: int = 64) -> np.ndarray:
    """One landscape, (size, size, 3) uint8; the same for the same seed."""
    rng = np.random.default_rng(seed)
    n = size * OVERSAMPLING
    hour, horizon = rng.uniform(0, 8), rng.uniform(0.48, 0.62)
    picture = draw_sky(n, hour, horizon)
    light = float(between(LIGHT, hour))
    draw_light(picture, rng, hour, horizon)
    draw_clouds(picture, rng, hour, horizon)
    ground = between(GROUNDS, rng.uniform(0, 4))
    haze = between(SKIES, hour)[2]
    draw_ridges(picture, rng, horizon, ground, haze, light)
    draw_front(picture, rng, horizon, ground, haze, light)
    small = picture.reshape(size, OVERSAMPLING, size, OVERSAMPLING, 3).mean((1, 3))
    return np.clip(np.rint(small), 0, 255).astype(np.uint8)


def between(table: np.ndarray, place: float) -> np.ndarray:
    """The entry of a circular table at a place between two."""
    first = int(place) % len(table)
    share = place - int(place)
    share = share * share * (3 - 2 * share)
    return table[first] * (1 - share) + table[(first + 1) % len(table)] * share


def axes(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixels' places x (1, n) and y (n, 1), both from 0 to 1."""
    places = ((np.arange(n) + 0.5) / n).astype(np.float32)
    return places[None], places[:, None]


def blend(picture: np.ndarray, colour: np.ndarray, share: np.ndarray) -> None:
    """Paint over a picture: where `share` (H, W) is 1, all of it."""
    picture += (np.asarray(colour, np.float32) - picture) * share[..., None]


def draw_sky(n: int, hour: float, horizon: float) -> np.ndarray:
    """An empty sky, (n, n, 3) float32."""
    top, middle, bottom = between(SKIES, hour)
    _, y = axes(n)
    depth = np.clip(y / horizon, 0, 1)[..., None]
    upper = top + (middle - top) * np.clip(depth * 2, 0, 1)
    sky = upper + (bottom - middle) * np.clip(depth * 2 - 1, 0, 1)
    return np.repeat(sky, n, axis=1).astype(np.float32)


def draw_light(picture: np.ndarray, rng: np.random.Generator, hour: float, horizon: float) -> None:
    """The sun with its glow, high at noon, or at night the moon and stars."""
    x, y = axes(len(picture))
    across = rng.uniform(0.12, 0.88)
    day = np.sin(np.pi * np.clip((hour - 1) / 6, 0, 1))  # 0 before sunrise and after sunset, 1 at noon
    night = hour < 0.8 or hour > 7.2
    if night:
        n = len(picture)
        for _ in range(rng.integers(10, 30)):
            i, j = rng.integers(0, int(horizon * n)), rng.integers(0, n)
            picture[i : i + 2, j : j + 2] += rng.uniform(40, 170)
    height = rng.uniform(0.12, 0.30) if night else horizon - 0.02 - day * rng.uniform(0.28, 0.40)
    distance = np.hypot(x - across, y - height)
    radius = rng.uniform(0.04, 0.065) if night else rng.uniform(0.05, 0.085)
    colour = (236, 238, 226) if night else np.array([255, 214, 150]) + np.array([0, 36, 90]) * day
    blend(picture, colour, np.exp(-distance / (0.07 if night else 0.16)) * (0.35 if night else 0.6))
    blend(picture, colour, np.clip((radius - distance) * 60 + 0.5, 0, 1))


def draw_clouds(picture: np.ndarray, rng: np.random.Generator, hour: float, horizon: float) -> None:
    """A few flat clouds in the horizon's colour, lit from the sky."""
    x, y = axes(len(picture))
    colour = between(SKIES, hour)[2] * 0.6 + np.array([255, 250, 245]) * 0.4 * between(LIGHT, hour)
    for _ in range(rng.poisson(1.6)):
        left, top, width = rng.uniform(0, 1), rng.uniform(0.06, horizon - 0.1), rng.uniform(0.10, 0.24)
        share = np.zeros_like(picture[..., 0])
        for _ in range(4):
            dx, dy, part = rng.normal(0, width * 0.5), rng.normal(0, 0.012), rng.uniform(0.5, 1)
            far = ((x - left - dx) / (width * part)) ** 2 + ((y - top - dy) / (0.032 * part + 0.008)) ** 2
            share = np.maximum(share, np.clip(1.3 - far, 0, 1))
        blend(picture, colour, share * 0.75)


def skyline(rng: np.random.Generator, n: int, rough: float) -> np.ndarray:
    """A line of hills (n,) of about unit height: waves, each of twice the pace and `rough` times the height."""
    x, _ = axes(n)
    pace, height, total = rng.uniform(0.6, 1.3), 1.0, np.zeros(n, np.float32)
    for _ in range(6):
        total += height * np.sin(2 * np.pi * (pace * x[0] + rng.uniform()))
        pace, height = pace * rng.uniform(1.8, 2.2), height * rough
    return total


def draw_ridges(picture, rng: np.random.Generator, horizon: float, ground, haze, light: float) -> None:
    """Two or three ridges, one before the other, paler with distance; the farthest may have snow."""
    n = len(picture)
    _, y = axes(n)
    count = rng.integers(2, 4)
    snow = rng.uniform() < 0.5
    for i in range(count):
        near = (i + 1) / count
        rough = 0.56 - 0.12 * near
        height = rng.uniform(0.05, 0.13) * (1.25 - 0.75 * near)
        base = horizon - 0.10 + 0.11 * near
        line = base - height * skyline(rng, n, rough) * 0.8
        colour = (ground[1] * (1 - near) + ground[0] * 0.62 * near) * light
        colour = colour + (haze - colour) * 0.62 * (1 - near)
        inside = np.clip((y - line[None]) * n + 0.5, 0, 1)
        blend(picture, colour, inside)
        if snow and i == 0:
            white = np.array([240, 244, 250], np.float32) * (0.35 + 0.65 * light)
            depth = (y - line[None]) * n
            cap = np.clip((line.min() + height * 0.9 - y) * 14, 0, 1)
            blend(
                picture, white + (haze - white) * 0.25, np.clip(depth + 0.5, 0, 1) * np.broadcast_to(cap, depth.shape)
            )


def draw_front(picture, rng: np.random.Generator, horizon: float, ground, haze, light: float) -> None:
    """What lies in front: a lake that mirrors the rest, or hills; with firs or without."""
    n = len(picture)
    _, y = axes(n)
    shore = horizon + rng.uniform(0.03, 0.08)
    if rng.uniform() < 0.5:
        draw_lake(picture, rng, shore, light)
        base, height = rng.uniform(0.86, 0.97), 0.03
    else:
        base, height = shore + 0.05, 0.05
    line = base - height * skyline(rng, n, 0.4) * 0.7
    shade = 1.0 - 0.45 * np.clip((y - line[None]) / 0.4, 0, 1)
    inside = np.clip((y - line[None]) * n + 0.5, 0, 1)
    blend(picture, ground[0] * light * shade[..., None], inside)
    if rng.uniform() < 0.65:
        draw_firs(picture, rng, line, ground[2] * (0.25 + 0.75 * light) * 0.8)


def draw_lake(picture, rng: np.random.Generator, shore: float, light: float) -> None:
    """Everything above the shore, upside down, darker and with ripples, below it."""
    n = len(picture)
    row = int(shore * n)
    rows = np.arange(row, n)
    mirrored = np.clip(2 * row - rows - 1, 0, row - 1)
    waves = np.rint(1.2 * np.sin(rows * rng.uniform(0.7, 1.2)) * (rows - row) / n * 4).astype(int)
    for target, source, shift in zip(rows, mirrored, waves, strict=True):
        picture[target] = np.roll(picture[source], shift, axis=0) * 0.78 + np.array([8, 22, 34]) * light


def draw_firs(picture, rng: np.random.Generator, line: np.ndarray, colour: np.ndarray) -> None:
    """Firs on a skyline: triangles of several heights, often in a group."""
    n = len(picture)
    x, y = axes(n)
    middle, spread = rng.uniform(0.1, 0.9), rng.uniform(0.08, 0.4)
    for _ in range(rng.integers(2, 9)):
        at = middle + rng.normal(0, spread)
        if not 0 <= at < 1:
            continue
        foot = line[int(at * n)] + 0.02
        height = rng.uniform(0.10, 0.30)
        down = (y - (foot - height)) / height  # 0 at the top, 1 at the foot
        width = height * 0.28 * (0.3 * down + (down * 3 % 1) * (0.25 + 0.45 * down))  # three tiers of branches
        share = np.clip((width - np.abs(x - at)) * n + 0.5, 0, 1) * ((down > 0) & (down < 1))
        blend(picture, colour * rng.uniform(0.75, 1.1), share)
