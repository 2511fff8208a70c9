"""The painter's tools: colours, noise, brush strokes, dabs, curves, the relief of thick paint.

Positions are (x, y) in picture widths, sizes of marks in pixels of a picture 640 wide; a canvas is (height, width, 4):
RGB in [0, 1] and the thickness of the paint, `SUPERSAMPLE` times as large as the picture.
"""

from __future__ import annotations

import math

import numpy as np

SUPERSAMPLE = 2  # pictures are painted twice as large and averaged down: that is all the anti-aliasing
LATTICE = (256, 320)  # rows and columns of the compositions that strokes and dabs look up their colours in


def colours(codes):
    """Hex codes, "0b1e3f d98a1f", as an array (n, 3) in [0, 1]."""
    return np.array([list(bytes.fromhex(code)) for code in codes.split()], np.float32) / 255


def ramp(palette, value):
    """Colours (..., 3) at `value` (...), clipped to [0, 1], along a palette (n, 3) of equal steps."""
    stops = np.linspace(0, 1, len(palette))
    return np.stack([np.interp(value, stops, channel) for channel in palette.T], -1).astype(np.float32)


def smoothstep(low, high, value):
    """0 below `low`, 1 above `high`, a smooth S between."""
    t = np.minimum(np.maximum((value - low) / (high - low), 0), 1)
    return t * t * (3 - 2 * t)


def noise(rng, shape, rows, columns, octaves=2):
    """Smooth noise (height, width) in [0, 1] whose coarsest lumps are a `rows` by `columns` grid."""
    from scipy.ndimage import zoom

    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        cells = (rows * 2**octave, columns * 2**octave)
        lattice = rng.random([n + 4 for n in cells], np.float32)
        scale = [n / cell for n, cell in zip(shape, cells, strict=True)]
        big = zoom(lattice, scale, order=3, grid_mode=True, mode="nearest")
        top, left = (round(2 * s) for s in scale)  # the spline flattens at the lattice's edge: cut that off
        total += big[top : top + shape[0], left : left + shape[1]] / 2**octave
    total -= total.min()
    return total / total.max()


def canvas_of(width, colour=0):
    """A canvas (height, width, 4), 5:4 and supersampled: RGB in [0, 1] and the thickness of the paint."""
    canvas = np.zeros((round(width * 0.8) * SUPERSAMPLE, width * SUPERSAMPLE, 4), np.float32)
    canvas[..., :3] = colour
    return canvas


def scatter(rng, spacing):
    """Points (n, 2) in picture widths: one in each square of a jittered grid, shuffled, overhanging."""
    y, x = np.mgrid[-0.03:0.83:spacing, -0.03:1.03:spacing]
    points = np.stack([x.ravel(), y.ravel()], -1)
    return rng.permutation(points + rng.uniform(-0.6, 0.6, points.shape) * spacing)


def lookup(lattice, points):
    """The lattice's values (n, ...) at points (n, 2) in picture widths; outside, those of its edge."""
    i = np.clip((points[:, 1] / 0.8 * LATTICE[0]).astype(int), 0, LATTICE[0] - 1)
    j = np.clip((points[:, 0] * LATTICE[1]).astype(int), 0, LATTICE[1] - 1)
    return lattice[i, j]


def trace(angle, starts, length, bend):
    """Paths (n, 13, 2) through starts (n, 2) along a lattice of directions (radians) turned by bend (n,)."""
    halves = []
    for step in (-length / 12, length / 12):
        half = [starts]
        for _ in range(6):
            a = lookup(angle, half[-1]) + bend
            half.append(half[-1] + step * np.stack([np.cos(a), np.sin(a)], -1))
        halves.append(half)
    return np.stack([*halves[0][:0:-1], *halves[1]], 1)


def sample(table, at):
    """Rows of a table (n, k) at the fractional row numbers `at` (m,): mixtures (m, k) of two rows each."""
    low = np.minimum(at.astype(int), len(table) - 2)
    return table[low] + (table[low + 1] - table[low]) * (at - low)[:, None]


def stroke(canvas, path, width, colour, second, rng):
    """Pull one loaded brush along a path, in place.

    path (n, 2), evenly spaced, and width are in canvas pixels; `second` is paint that the brush picked up
    besides `colour` (both (3,) in [0, 1]) and leaves as streaks. The stroke is a ribbon of (along, across)
    samples, denser than the pixels, each written to the nearest one; the bristles are a profile that changes
    along it.
    """
    pieces = len(path) - 1
    total = math.dist(path[0], path[1]) * pieces
    lengthwise, crosswise = max(4, int(total * 1.25)), max(3, int(width * 1.4))
    s = np.arange(lengthwise, dtype=np.float32)[:, None] / (lengthwise - 1)
    across = np.arange(crosswise, dtype=np.float32) * 2 / (crosswise - 1) - 1
    ahead = np.concatenate([path[1:2] - path[:1], (path[2:] - path[:-2]) / 2, path[-1:] - path[-2:-1]])
    nodes = np.concatenate([path, ahead * pieces / total], 1).astype(np.float32)
    x, y, along_x, along_y = sample(nodes, s[:, 0] * pieces).T[..., None]

    hairs = max(4, int(width * 580 / canvas.shape[1]))  # as many whatever the size of the picture
    profiles = sample(rng.random((hairs, 4), np.float32), (across + 1) / 2 * (hairs - 1))
    first, last, lift, load = profiles.T
    bristle = first * (1 - s) + last * s
    ends = np.clip(s * total / width * 3, 0.03, 1) * np.clip((1 - s) * total / width * 2.5, 0.2, 1)
    half = width / 2 * np.sqrt(ends) * (1 - 0.35 * s**3)
    ragged = lift * 0.3 * min(1, 110 / total)  # hairs touch down and lift off one by one
    cover = smoothstep(0, 0.02, s - ragged * 0.4) * smoothstep(0, 0.06, 1 - ragged - s)
    cover *= smoothstep(0.5 * s, 0.5 * s + 0.25, bristle + 0.35 - 0.3 * np.abs(across) ** 6)
    mix = 0.7 * smoothstep(0.45, 0.8, load * (1.15 - 0.3 * s))[..., None]
    paint = np.empty((*cover.shape, 4), np.float32)
    paint[..., :3] = (colour * (1 - mix) + second * mix) * (0.86 + 0.28 * bristle[..., None])
    ridges = 0.35 + bristle * 0.5 + 0.4 * np.abs(across) ** 4  # paint is pushed to the sides of the stroke
    paint[..., 3] = ridges * (1 - 0.4 * s) * min(1.6, width**0.5 / 4)

    x = np.rint(x - along_y * across * half).astype(np.int32)
    y = np.rint(y + along_x * across * half).astype(np.int32)
    seen = (x >= 0) & (y >= 0) & (x < canvas.shape[1]) & (y < canvas.shape[0]) & (cover > 0.02)
    under = canvas[y[seen], x[seen]]
    canvas[y[seen], x[seen]] = under + cover[seen][:, None] * (paint[seen] - under)


def dabs(canvas, points, angle, length, width, colour, rng):
    """Touch the canvas with many short dabs at once, in place, the later over the earlier.

    points (n, 2), length (n,), width (n,) in canvas pixels, angle (n,) in radians, colour (n, 3) in [0, 1].
    Every dab is an ellipse bent in two directions at random, so that no two outlines are the same.
    """
    points, angle, length, width = (a.astype(np.float32) for a in (points, angle, length, width))
    phase = rng.uniform(0, 2 * np.pi, (2, len(points))).astype(np.float32)
    reach = int(length.max() * 0.6) + 1
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, 1, -1).astype(np.float32)
    for part in np.array_split(np.arange(len(points)), 1 + len(points) * dx.size // 1_000_000):
        base = np.floor(points[part])
        ox, oy = dx - (points[part] - base)[:, :1], dy - (points[part] - base)[:, 1:]
        c, s, long, wide = (a[part, None] for a in (np.cos(angle), np.sin(angle), length, width))
        u, v = (ox * c + oy * s) / (long / 2), (oy * c - ox * s) / (wide / 2)
        p, q = phase[:, part, None]
        u, v = u + 0.13 * np.sin(2.3 * v + p), v + 0.15 * np.sin(2.1 * u + q)
        r2 = u * u + v * v
        x, y = (base[:, :1] + dx).astype(np.int32), (base[:, 1:] + dy).astype(np.int32)
        seen = (r2 < 1) & (x >= 0) & (y >= 0) & (x < canvas.shape[1]) & (y < canvas.shape[0])
        which = np.nonzero(seen)[0]
        u, v, r2 = u[seen], v[seen], r2[seen]
        streak = 0.5 + 0.5 * np.sin(v * 7 + p[which, 0] + u) * np.sin(v * 3 + q[which, 0])
        dab = np.empty((len(u), 4), np.float32)
        dab[:, :3] = colour[part][which] * (0.92 + 0.14 * streak + 0.07 * v)[:, None]
        dab[:, 3] = 0.45 + 0.35 * np.sqrt(1 - r2 * r2) + 0.2 * streak
        dab[:, 3] *= np.minimum(1.3, np.sqrt(wide[which, 0] / 12))
        canvas[y[seen], x[seen]] = dab


def relief(canvas, strength, shine):
    """Light the paint's thickness from the upper left: RGB (height, width, 3)."""
    from scipy.ndimage import gaussian_filter

    gy, gx = np.gradient(gaussian_filter(canvas[..., 3], 0.7))
    slope = np.clip(0.63 * gx + 0.9 * gy, -0.5, 0.5)[..., None]
    return canvas[..., :3] * (1 + strength * slope) + shine * smoothstep(0.12, 0.5, slope)


def spline(points, count):
    """A smooth curve (count, 2) through the points (n, 2), by chord length."""
    from scipy.interpolate import CubicSpline

    arc = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    return CubicSpline(arc, points)(np.linspace(0, arc[-1], count))


def outline(path, widths):
    """The polygon (2 n, 2) of a line along `path` (n, 2) whose width changes: `widths` (n,) or a number."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.hypot(*tangent.T)[:, None] + 1e-9
    side = np.stack([-tangent[:, 1], tangent[:, 0]], -1) * np.broadcast_to(widths, len(path))[:, None] / 2
    return np.concatenate([path + side, (path - side)[::-1]])


def claws(rng, root, heading, length, curl, depth=2):
    """Foam as a branching claw: an array (n, 3) of the x, y and radius of the discs that it is made of."""
    t = np.linspace(0, 1, 16)
    angle = heading + curl * t**1.5
    steps = np.stack([np.cos(angle), np.sin(angle)], -1) * length / 15
    path = root + np.cumsum(steps, 0) - steps[0]
    discs = [np.column_stack([path, length * (0.15 - 0.11 * t)])]
    if depth:
        for at, lean in ((3, -1.0), (6, 1.0), (9, -0.8), (12, 0.7)):
            way = angle[at] + lean * rng.uniform(0.7, 1.2)
            smaller = length * rng.uniform(0.4, 0.62)
            discs.append(claws(rng, path[at], way, smaller, -np.sign(lean) * abs(curl), depth - 1))
    return np.vstack(discs)
