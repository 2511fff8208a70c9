"""Paint, by procedure and from a seed, the four style pictures that ship with neural style transfer.

A style needs what a painting has and a filter lacks: marks of many sizes, few colours that agree, direction,
irregularity everywhere. Each picture below is one function, read from top to bottom: compose in large shapes,
then lay the marks. Positions are in picture widths (x from 0 to 1, y from 0 at the top to 0.8), the sizes of
marks in pixels of a picture 640 wide. No randomness depends on the size: a larger picture is the same one.
"""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from brushes import (
    LATTICE,
    SUPERSAMPLE,
    canvas_of,
    claws,
    colours,
    dabs,
    lookup,
    noise,
    outline,
    ramp,
    relief,
    scatter,
    smoothstep,
    spline,
    stroke,
    trace,
)
from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.files import atomic_write, check_writable

MAX_BYTES = 150_000  # of a JPEG 640 wide: the pictures live in the repository


def brushstrokes(rng, width):
    """Oil: a night sky of whirls over layered hills, five coats of strokes from wide to narrow."""
    y, x = np.mgrid[0:0.8:256j, 0:1:320j]
    drift = noise(rng, LATTICE, 3, 4)
    # The stream function: strokes run along its contours, and bands of colour follow them.
    stream = 0.6 * y + 0.07 * np.sin(5 * x + 1) + 0.12 * drift
    glow = np.zeros(LATTICE)
    whirls = [(0.23, 0.22, 0.17, 1), (0.62, 0.15, 0.12, -1), (0.85, 0.37, 0.14, 1), (0.50, 0.41, 0.10, -1)]
    whirls += [(0.05, 0.47, 0.09, -1), (0.93, 0.09, 0.08, 1), (0.42, 0.05, 0.07, 1)]
    for cx, cy, radius, turn in whirls:
        r = np.hypot(x - cx, y - cy)
        stream += turn * (1.6 * radius + 0.05) * np.exp(-((r / radius) ** 1.5))
        glow = np.maximum(glow, np.exp(-((r / (0.34 * radius)) ** 2)))
    night = colours("061029 0b2450 104a86 1b7390 4fa3a4 b9d3b5 f4e6b8")
    fire = colours("a8481c dd8a1f f2bd4c f9e6a8 fff6d8")
    tone = 0.33 + 0.33 * np.sin(stream * 62 + 2 * drift) + 0.5 * (drift - 0.5) + 0.35 * glow
    warm = smoothstep(0.05, 0.5, glow)[..., None]
    picture = ramp(night, np.clip(tone, 0, 1) ** 1.3) * (1 - warm) + ramp(fire, glow) * warm
    busy = 0.28 + glow + 0.5 * (tone > 0.75)
    for level, swell, pace, phase, earth in (
        (0.545, 0.035, 5.0, 0.3, colours("0a2036 12404e 2b6a68 8fae86")),
        (0.610, 0.045, 4.1, 2.6, colours("081a28 173f38 4d6a2e c39a3a")),
        (0.690, 0.040, 3.3, 4.6, colours("0c141f 5a2d16 b8631c eaa53e f6dc94")),
    ):
        depth = y - (level + swell * np.sin(pace * x + phase) + 0.03 * (drift - 0.5))
        furrow = depth + 0.05 * np.sin(pace * 2.2 * x + phase + 9 * depth)
        ridge = np.exp(-((depth / 0.012) ** 2))
        light = 0.5 + 0.5 * np.sin(furrow * 95) + 0.5 * (drift - 0.6) - 0.6 * ridge
        stream = np.where(depth > 0, furrow, stream)
        picture = np.where((depth > 0)[..., None], ramp(earth, light), picture)
        busy = np.where(depth > 0, 0.3, busy) + 0.5 * ridge
    gy, gx = np.gradient(stream)
    angle = np.arctan2(-gx, gy)

    canvas = canvas_of(width, night[0])
    scale = canvas.shape[1] / 640
    for size, length, spacing in ((58, 240, 32), (34, 150, 17), (20, 100, 12), (11, 62, 8.5), (6, 34, 7.5)):
        starts = scatter(rng, spacing / 640)
        # Narrow brushes only where there is something to draw, so that the wide strokes stay to be seen.
        starts = starts[rng.random(len(starts)) < np.maximum(lookup(busy, starts), size > 15)]
        paths = trace(angle, starts, length / 640, rng.normal(0, 0.07, len(starts))) * canvas.shape[1]
        mine = lookup(picture, starts) * rng.uniform(0.8, 1.2, (len(starts), 1))
        mine += rng.normal(0, 0.04, mine.shape)
        beside = lookup(picture, starts + rng.uniform(-0.05, 0.05, starts.shape) * [0, 1])
        for path, colour, second in zip(paths, mine, beside, strict=True):
            stroke(canvas, path, size * scale * rng.uniform(0.7, 1.25), colour, second, rng)
    return relief(canvas, 1.3, 0.3)


def stained_glass(rng, width):
    """Leaded glass: a sun with rays over hills, a river and flowers; every pane is a glass of its own."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates
    from scipy.spatial import cKDTree

    shape = canvas_of(width).shape[:2]
    scale = shape[1] / 640
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32) / shape[1]
    wobble = [noise(rng, shape, 10, 12) - 0.5 for _ in range(2)]
    x, y = x + 0.022 * wobble[0], y + 0.022 * wobble[1]  # glass is cut by hand

    def cells(u, v, count):
        """Which of `count` Voronoi cells of the plane (u, v) each pixel lies in."""
        seeds = rng.uniform((u.min(), v.min()), (u.max(), v.max()), (count, 2))
        return cKDTree(seeds).query(np.stack([u, v], -1))[1]

    # Regions, with thick lead between them, are cut into panes, with thin lead.
    r, turn = np.hypot(x - 0.60, y - 0.27), np.arctan2(y - 0.27, x - 0.60)
    spokes = np.linspace(-np.pi, np.pi, 25)[:-1] + rng.uniform(-0.1, 0.1, 24)
    ray = np.digitize(turn + 0.25 * np.sin(9 * r), spokes) % 24
    lengths = 10 * r + rng.uniform(0, 1, 24)[ray]
    region, pane = 100 + ray, (lengths + 0.5 * np.sin(turn * 5)).astype(np.int64)

    def cut(where, number, panes):
        """Make the pixels `where` (a mask) region `number`, divided into the given panes (integers)."""
        region[where] = number
        pane[where] = panes[where]

    cut(r < 0.165, 1, np.digitize(turn, spokes[::2]))
    cut(r < 0.095, 2, cells(x, y, 250))
    hills = ((3, 0.44, 0.05, 6, 0.5), (4, 0.53, 0.05, 5, 3), (5, 0.63, 0.04, 4.2, 5.2))
    for number, level, swell, pace, phase in hills:
        depth = y - level - swell * np.sin(pace * x + phase)
        cut(depth > 0, number, cells(x, depth * 1.8, 110))
    aside = np.abs(x - 0.36 - 0.16 * np.sin(11 * y + 0.6) * (y - 0.3))
    river = aside < 0.02 + 0.6 * np.maximum(y - 0.48, 0) ** 1.3
    cut(river & np.isin(region, (4, 5)), 6, cells(x * 0.7, y * 2, 130))
    blooms = [(0.08, 0.69, 0.10), (0.24, 0.76, 0.075), (0.66, 0.72, 0.095), (0.81, 0.60, 0.07)]
    blooms += [(0.94, 0.71, 0.105), (0.13, 0.55, 0.06), (0.52, 0.60, 0.05)]
    for k, (cx, cy, radius) in enumerate(blooms):
        br, bt = np.hypot(x - cx, y - cy) / radius, np.arctan2(y - cy, x - cx) / (2 * np.pi) + 0.07 * k
        for ring, size, petals in ((0, 1, 9), (1, 0.64, 7), (2, 0.25, 1)):
            tip = np.abs(np.sin(np.pi * bt * petals)) ** 0.7 if petals > 1 else 1
            inside = br < size * (0.55 + 0.45 * tip)
            cut(inside, 200 + k, 20 * ring + np.floor(bt * petals).astype(int) % petals)
    keys, first, label = np.unique(region * 1000 + pane, return_index=True, return_inverse=True)
    label = label.reshape(shape)  # the number of each pixel's pane; `first` is one pixel of each pane

    def lead(ids, widths):
        """Lead's half-round profile, 0 to 1, `widths` to each side of the borders of `ids`; the distances."""
        edge = np.zeros(shape, bool)
        edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
        edge[1:] |= ids[1:] != ids[:-1]
        away = distance_transform_edt(~edge).astype(np.float32) / scale
        return np.sqrt(np.clip(1 - (away / widths) ** 2, 0, 1)), away

    # Two colours a pane, near to each other in its region's palette.
    looks = {
        1: colours("f26a1b f7a21b ffc93a"),
        2: colours("fff3b0 ffe066 ffd23c"),
        3: colours("2b3f9e 4a3fa8 2f6fb0 6a3f9f 1f8fb0"),
        4: colours("0a4f5c 0b6b52 138a5e 59a83a b8b52a"),
        5: colours("0a3d34 0d5f4f 1c7a3c 86a82a c9a01f"),
        6: colours("0f4fa0 1684b8 2fb8c9 8fe0dc bfeade"),
    }
    petals = [
        colours("7d0a26 c3122f ff4a4f"),
        colours("8f1048 d81e5b ff86a8"),
        colours("a8200f ef5a1f ffb03a"),
    ]
    heart = colours("ffb52a ffe58a")
    sky = colours("ffd84a f7962a e0402f b01f5a 6a2fa0 2a4fc0 1b7fc0 123a8f")
    # A row of chances for every pane there could be, since a small picture may lack the smallest.
    chance = rng.random((300_000, 6), np.float32)[keys]
    pairs = np.empty((2, len(first), 3), np.float32)
    for i, (kind, ring, away) in enumerate(zip(*(a.ravel()[first] for a in (region, pane, r)), strict=True)):
        if kind >= 200:
            palette, at = heart if ring > 39 else petals[kind % 3], (0.45, 0.85, 0.5)[ring // 20]
        else:
            palette, at = (sky, away * 1.65 - 0.25) if kind >= 100 else (looks[kind], chance[i, 0])
        pairs[:, i] = ramp(palette, at + 0.38 * (chance[i, 1] - 0.5) + np.array([-0.09, 0.09]))
    pairs *= 0.7 + 0.45 * chance[:, 2:3]

    # Streaks: one endless texture, laid into every pane at its own angle and place.
    streaks = gaussian_filter(rng.normal(size=(512, 512)), (3, 26), mode="wrap") * 11
    streaks += gaussian_filter(rng.normal(size=(512, 512)), (1.2, 9), mode="wrap") * 4.5
    angle = np.pi * chance[label, 3] + 0.5 * wobble[0]
    px, py, place = x * 640, y * 640, 512 * chance[:, 4:]
    across = py * np.cos(angle) - px * np.sin(angle) + 30 * wobble[1] + place[label, 0]
    along = px * np.cos(angle) + py * np.sin(angle) + place[label, 1]
    streak = map_coordinates(streaks, [across, along], order=1, mode="grid-wrap").astype(np.float32)
    swell, ripple, broad = noise(rng, shape, 14, 18), noise(rng, shape, 70, 88), noise(rng, shape, 9, 11)
    thin, near = lead(label, 1.0 + 1.7 * swell)
    thick, _ = lead(region, 1.8 + 3.0 * swell)
    mix = np.clip(0.5 + 1.6 * (broad - 0.5) + 0.35 * streak, 0, 1)[..., None]
    glass = pairs[0][label] * (1 - mix) + pairs[1][label] * mix
    glow = 0.62 + 0.6 * smoothstep(0, 16, near) * broad + 0.3 * np.exp(-3 * r)
    gy, gx = np.gradient(ripple)
    glass *= ((1 + 0.28 * streak) * glow * (1 + 0.8 * scale * (gx + gy)))[..., None]
    glass += 0.22 * smoothstep(0.5, 1.6, streak)[..., None]
    bulge = np.maximum(thin, thick)
    gy, gx = np.gradient(gaussian_filter(bulge + 0.3 * ripple, 0.5 * scale))
    metal = np.clip(0.075 - 0.45 * scale * (gx + gy), 0.01, 0.6)[..., None] * colours("d8dcf0")[0]
    solid = smoothstep(0.05, 0.35, bulge)[..., None]
    image = np.clip(glass, 0, 1.15) * (1 - solid) + metal * solid
    return image + 0.16 * gaussian_filter(image, (3 * scale, 3 * scale, 0))  # light spills over the lead


def pointillist(rng, width):
    """Dots of pure pigment: a low sun over a river between trees and a flowering bank."""
    y, x = np.mgrid[0:0.8:256j, 0:1:320j]
    drift, puff, fine = noise(rng, LATTICE, 3, 4), noise(rng, LATTICE, 8, 4, 3), noise(rng, LATTICE, 12, 16)
    horizon, sx, sy = 0.41, 0.60, 0.30
    # The sky turns about the sun, in bands from lemon to blue, with rosy clouds.
    r = np.hypot(x - sx, y - sy)
    angle = np.arctan2(y - sy, x - sx) + np.pi / 2 + 0.8 * (drift - 0.5)
    bands = 1.55 * r + 0.3 * (drift - 0.5) + 0.05 * np.sin(60 * r + 6 * drift)
    sky = ramp(colours("fff9c8 ffe070 ffb04a f2806a d88ab0 7fa0dc 2f78c8 1f4aa0"), bands)
    cloud = smoothstep(0.5, 0.66, puff + 0.06 * np.sin(60 * y + 5 * drift))[..., None]
    picture = sky * (1 - cloud) + ramp(colours("fff0c0 ffb98a f08aa8 b59ae0 8fb4f0"), 1.5 * r) * cloud
    picture = np.where((r < 0.055)[..., None], colours("fffbe0")[0], picture)

    def plant(where, colour, direction):
        """Put colour (..., 3) and the direction of the dabs (radians) where the mask is true."""
        nonlocal picture, angle
        picture = np.where(where[..., None], colour, picture)
        angle = np.where(where, direction, angle)

    # Hills; water that mirrors the sky, broken into bars, with the sun's path in it; the near bank.
    for level, pace, phase, tones in (
        (0.36, 9, 0, "8f7fd8 b58fd0 6f74cc"),
        (0.39, 14, 2, "2f4fae 5a3fa8 2f7fae"),
    ):
        ridge = level + 0.03 * np.sin(pace * x + phase) * np.sin(3 * x + phase)
        plant(y > ridge, ramp(colours(tones), fine), 0.5 * np.cos(pace * x + phase))
    below = np.maximum(y - horizon, 0)
    wave = 0.5 + 0.5 * np.sin(150 * below**0.62 + 7 * fine + 5 * drift)
    mirror = sky[np.clip((2 * horizon - y) * 320, 0, 255).astype(int), np.arange(320)]
    depth = ramp(colours("1a3f9a 2f78c8 1f5aae 2fa0b8"), drift)
    gold = np.exp(-(((x - sx) / (0.03 + 0.25 * below)) ** 2)) * smoothstep(0.2, 0.5, wave)
    share = np.maximum(0.8 * wave**1.5 - 0.7 * below, 0)[..., None]
    lake = mirror * share + depth * (1 - share)
    lake = lake * (1 - gold[..., None]) + ramp(colours("ff8a2a ffc23a fff0b0"), fine) * gold[..., None]
    plant(y > horizon, lake, 0.3 * (drift - 0.5))
    bank = y - (0.61 + 0.11 * np.sin(2.6 * x + 0.2) + 0.015 * np.sin(17 * x))
    light = 0.9 * fine + 0.6 * drift - 1.5 * bank - 0.15
    grass = ramp(colours("0f2f5f 12605a 2f9a4a 9fc42f f0d83f"), light)
    plant(bank > 0, grass, -np.pi / 2 + 1.4 * (drift - 0.5))
    poppies = (bank > 0.015) & (noise(rng, LATTICE, 34, 40, 1) + 0.5 * drift > 0.92)
    plant(poppies, ramp(colours("d81a2a ff5a2a f53f7a"), fine), angle)
    # Trees: trunks, then crowns of overlapping lumps, warm towards the sun and blue away from it.
    trees = ((0.10, 0.75, 0.17, 0.04, 0.19), (0.30, 0.71, 0.36, -0.02, 0.08), (0.91, 0.68, 0.24, -0.03, 0.14))
    for root, foot, top, lean, spread in trees:
        aside = np.abs(x - root - lean * (foot - y) / (foot - top))
        trunk = aside < 0.011 + 0.05 * np.maximum(y - foot + 0.12, 0)
        plant(trunk & (y < foot) & (y > top), ramp(colours("2a1560 5a2a6f b0502f"), fine), np.pi / 2)
        lumps = rng.normal(0, 0.42, (60, 2)) * spread * [1, 0.9] + [root + lean, top]
        towards = np.array([sx - root, sy - top]) / np.hypot(sx - root, sy - top)
        for bx, by in lumps[np.argsort((lumps - [root, top]) @ towards + rng.normal(0, 0.5 * spread, 60))]:
            size = spread * rng.uniform(0.14, 0.34)
            d = np.hypot(x - bx, (y - by) * 1.2) / size + 0.7 * (fine - 0.5)
            facing = ((x - bx) * towards[0] + (y - by) * towards[1] - 0.3 * (y - by)) / size
            whole = ((bx - root - lean) * towards[0] + (by - top) * towards[1]) / spread
            light = 0.36 + 0.30 * facing + 0.38 * whole + 0.35 * (fine - 0.5)
            leaf = ramp(colours("14165f 123f7a 0f6a5f 2f9a4a a8c43a ffd23f ff9a2f"), light)
            plant(d < 1, leaf, np.arctan2(y - by, x - bx) + np.pi / 2)

    pigments = colours(
        "fff7d6 ffe65a ffb52e ff7f24 e8402a c81f3a f27aa0 f7b9b4 9a4fb0 c6a3e0 4a2f9a 1f1f66 "
        "2447b8 4f86e0 9cc4f0 1f9ab0 6fd0c8 0f5a6f 128a50 5fb83a b8d84a 0e2a4f 5a1f5f f7d9a0"
    )
    canvas = canvas_of(width, colours("e9d9b4")[0])
    for size, spacing, density in ((24, 14, 1), (15, 9, 1), (10, 6.6, 0.8), (6.5, 5, 0.5), (4.2, 5, 0.3)):
        points = scatter(rng, spacing / 640)
        points = points[rng.random(len(points)) < density]
        n = len(points)
        # Divisionism: the pigment nearest to a jittered wish, hardly mixed; one dab in twenty the complement.
        local = lookup(picture, points)
        wish = local + rng.normal(0, 0.06, (n, 3)) + rng.normal(0, 0.09, (n, 1))
        other = rng.random(n) < 0.05
        wish[other] = wish[other].max(1, keepdims=True) + wish[other].min(1, keepdims=True) - wish[other]
        chosen = pigments[((wish[:, None] - pigments) ** 2).sum(-1).argmin(1)]
        colour = 0.8 * chosen + 0.2 * local + rng.normal(0, 0.02, (n, 3))
        w = size / 640 * canvas.shape[1] * rng.uniform(0.7, 1.15, n)
        turn = lookup(angle, points) + rng.normal(0, 0.2, n)
        dabs(canvas, points * canvas.shape[1], turn, w * rng.uniform(1.2, 1.9, n), w, colour, rng)
    return relief(canvas, 1.0, 0.15)


def woodblock_wave(rng, width):
    """A colour print from wood blocks: breaking waves with clawed foam under a red sun."""
    inks = colours("f3e6c8 b4cdc4 6c9fb4 2a6490 12305c cc4a2c e0b070 e8c9a0 88aea2")
    CREAM, MIST, PALE, BLUE, PRUSSIAN, RED, OCHRE, PEACH, SAGE = range(9)
    shape = canvas_of(width).shape[:2]
    k = 2 * shape[1] / 640  # the blocks are cut at twice the canvas's size: hard edges need it
    block = Image.new("L", (shape[1] * 2, shape[0] * 2), CREAM)  # which ink
    key = Image.new("L", block.size, 0)  # the block of lines, printed last
    block_pen, key_pen = ImageDraw.Draw(block), ImageDraw.Draw(key)

    def fill(points, ink):
        """A flat shape; it hides the lines of whatever is behind it."""
        corners = [tuple(p) for p in np.asarray(points) * k]
        block_pen.polygon(corners, fill=int(ink))
        key_pen.polygon(corners, fill=0)

    def line(path, widths):
        """A line of changing width, on the key block."""
        key_pen.polygon([tuple(p) for p in outline(path, widths) * k], fill=255)

    def discs(spots, ink, border=0.0):
        """Discs (n, 3) of x, y, radius. All borders first, then all inside: what touches grows together."""
        for grow, pen, colour in ((border, key_pen, 255), (0, block_pen, int(ink)), (0, key_pen, 0)):
            for x, y, r in spots * k:
                r += grow * k
                pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    # A wave 1 high that breaks to the right: x and y (upwards) along its back and its hollow face to the tip.
    back = [(-1.7, -1.15, -0.7, -0.3, 0.08, 0.45, 0.73, 0.8), (-0.4, 0, 0.34, 0.74, 0.99, 1, 0.8, 0.56)]
    front = [(1.6, 0.95, 0.45, 0.2, 0.16, 0.33, 0.57, 0.8), (-0.4, -0.1, 0.08, 0.32, 0.58, 0.75, 0.73, 0.56)]

    def wave(x, y, size, flip, scheme, height=1.0):
        """A wave with its foot at (x, y): ribbons of the scheme's inks between back and face, then foam."""
        place = np.array([size * flip, -size * height])
        ends = np.swapaxes([back, front], 1, 2) + rng.normal(0, 0.025, (2, 8, 2))
        ends[1, -1] = ends[0, -1]  # they meet in the tip
        rim, face = (spline(points * place, 80) + [x, y] for points in ends)

        def between(u):
            return rim * (1 - u) + face * u

        t = np.linspace(0, 1, 80)
        cuts = np.cumsum(rng.uniform(0.3, 1.4, 12 + int(size / 22)))
        cuts = np.concatenate([[0], cuts / cuts[-1]])
        for i, (u, v) in enumerate(zip(cuts[:-1], cuts[1:], strict=True)):
            fill(np.concatenate([between(u), between(v)[::-1]]), scheme[i % len(scheme)])
        heavy = min(1, size / 200)
        for u in cuts:
            line(between(u), (0.3 + 1.7 * np.sin(np.pi * t)) * heavy * rng.uniform(0.5, 1.2))
        for u in rng.uniform(0.05, 0.97, int(size / 6)):
            start, count = rng.integers(4, 50), rng.integers(10, 28)
            line(between(u)[start : start + count], np.linspace(1.3, 0.2, count) * heavy)
        # Foam: claws first, then over their roots its cap, which widens towards the tip.
        cap = 0.03 + 0.19 * smoothstep(0.25, 0.85, t)[:, None] + 0.012 * np.sin(t * 70)[:, None]
        edge = rim * (1 - cap) + face * cap
        for i in np.linspace(18, 79, int(18 + size / 9)).astype(int):
            ahead = rim[i] - rim[i - 3]
            inward = face[i] - rim[i] if i < 70 else ahead
            way = 1.1 * inward / (np.hypot(*inward) + 1e-6) + 0.8 * ahead / np.hypot(*ahead)
            way = np.arctan2(way[1], way[0]) + rng.normal(0, 0.45)
            reach = size * rng.uniform(0.05, 0.15) * (0.55 + i / 130)
            curl = 1.5 * flip * rng.choice([1, 1, -0.6])
            discs(claws(rng, edge[i], way, reach, curl, 2 if size > 90 else 1), CREAM, 0.5 + 0.6 * heavy)
        fill(np.concatenate([rim[16:], edge[:15:-1]]), CREAM)
        line(rim[:74], 2.0 * heavy + 0.4)
        for u in np.arange(0.15, 1.0, 0.17):
            for _ in range(3):
                start, count = rng.integers(20, 60), rng.integers(8, 20)
                inner = (rim * (1 - cap * u) + face * cap * u)[start : start + count]
                line(inner, (0.2 + 0.9 * np.sin(np.linspace(0, np.pi, len(inner)))) * heavy)
        n = int(size / 3)
        flight = rng.gamma(2, 0.05, (n, 1)) * size * rng.uniform((-0.3, -1), (1, 0.5), (n, 2)) * [flip, 1]
        spray = rim[rng.integers(45, 80, n)] + flight
        discs(np.column_stack([spray, rng.uniform(0.6, 2.4, n)]), CREAM, 0.5)

    # Sky: banks of mist one below another, then the sun with mist across it, then the open sea.
    t = np.linspace(-20, 660, 90)

    def bank(y, swing, ink, lines):
        """Ink from a wavy edge at y downwards, with thin lines along the edge."""
        top = y + swing * np.sin(t / rng.uniform(50, 110) + rng.uniform(0, 6)) + swing * np.sin(t / 33 + y)
        fill(np.vstack([np.column_stack([t, top]), [(660, 520), (-20, 520)]]), ink)
        for n in range(lines):
            under = top + 2.6 * n * (1 + 0.3 * np.sin(t / 60 + n))
            line(np.column_stack([t, under]), np.maximum(1.3 * np.sin(t / 70 + n + y), 0.5))

    sky = (BLUE, PALE, SAGE, MIST, CREAM, MIST, PEACH, CREAM, OCHRE, PEACH, CREAM, OCHRE, PEACH)
    for i, ink in enumerate(sky):
        bank(-10 + 17.5 * i, 4, ink, 3)
        if i == 8:
            discs(np.array([(455, 118, 58)]), RED, 0.8)
    for i in range(33):
        bank(218 + 9.5 * i, 3.5, (BLUE, PALE, PRUSSIAN, BLUE, MIST, PRUSSIAN, SAGE)[i % 7], 2)
        if i == 6:  # far waves rise from behind the next rows of the sea
            for where in ((90, 300, 100, 1), (610, 290, 105, -1), (335, 305, 85, 1), (485, 312, 70, 1)):
                wave(*where, (PALE, MIST, BLUE, SAGE, CREAM), 0.9)
    near = (PRUSSIAN, BLUE, PRUSSIAN, MIST, BLUE, PRUSSIAN, CREAM, PRUSSIAN, PALE)
    wave(590, 430, 200, -1, (BLUE, PRUSSIAN, PALE, BLUE, MIST, PRUSSIAN), 1.1)
    wave(170, 480, 325, 1, near, 1.2)
    wave(430, 500, 120, 1, (BLUE, PRUSSIAN, MIST, PRUSSIAN), 0.8)
    wave(610, 540, 170, -1, near, 0.75)
    wave(50, 560, 190, 1, (PRUSSIAN, BLUE, PALE, PRUSSIAN), 0.75)
    wave(330, 570, 170, 1, near, 0.6)

    # Printing. The grain of the plank shows where the ink is thin; each ink has a plank of its own.
    y = np.mgrid[0 : shape[0], 0 : shape[1]][0].astype(np.float32) * 640 / shape[1]
    which = np.asarray(block)
    lines = np.asarray(key.reduce(2)) / np.float32(255)
    flat = inks[which].reshape(shape[0], 2, shape[1], 2, 3).mean((1, 3))
    which = which[::2, ::2]
    rings = y / 6 + 16 * noise(rng, shape, 4, 2, 3)
    grain = 0.5 + 0.5 * np.sin(2 * np.pi * (rings + which * 0.37))
    grain = 0.6 * grain**2 + 0.4 * noise(rng, shape, 210, 12, 2)
    mottle, cloud = noise(rng, shape, 160, 200, 2), noise(rng, shape, 9, 11, 2)
    paper = colours("efe0bd")[0] * (0.9 + 0.1 * mottle[..., None])
    load = 1.0 - 0.40 * grain - 0.25 * smoothstep(0.55, 0.8, mottle)
    image = paper + load[..., None] * (flat * (1.12 - 0.26 * cloud - 0.1 * grain)[..., None] - paper)
    bokashi = np.interp(y, [0, 60, 150], [0.9, 0.35, 0]) * (which != RED) * (0.9 - 0.4 * grain)
    image += bokashi[..., None] * (colours("17365f")[0] - image)
    shift = round(shape[1] / 1280)
    lines = np.roll(lines, (shift, -shift), (0, 1))  # the key block never registers perfectly
    lines = (lines * (1.05 - 0.4 * grain * smoothstep(0.4, 0.7, mottle)))[..., None]
    return image + lines * (colours("0a1730")[0] - image)


STYLES = {
    "brushstrokes": brushstrokes,
    "stained_glass": stained_glass,
    "woodblock_wave": woodblock_wave,
    "pointillist": pointillist,
}


def paint(style, width=640, seed=0):
    """The picture `style`, an RGB image `width` pixels wide and 0.8 as high; the same for the same seed."""
    rng = np.random.default_rng([seed, zlib.crc32(style.encode())])
    image = STYLES[style](rng, width)
    h, w = image.shape[0] // SUPERSAMPLE, image.shape[1] // SUPERSAMPLE
    image = np.clip(image, 0, 1).reshape(h, SUPERSAMPLE, w, SUPERSAMPLE, 3).mean((1, 3))
    return Image.fromarray(np.rint(image * 255).astype(np.uint8))


def write_jpeg(image, path):
    """Write the image at the best quality, 92 or below, that fits; return the file's size in bytes."""
    max_bytes = MAX_BYTES * max(1, image.width / 640) ** 2
    for quality in range(92, 10, -2):
        data = io.BytesIO()
        image.save(data, "JPEG", quality=quality, optimize=True)
        if data.tell() <= max_bytes:
            break
    with atomic_write(path) as temporary:
        temporary.write_bytes(data.getvalue())
    return data.tell()


def main(argv=None):
    parser = ArgumentParser(description="Paint the style pictures that ship with neural style transfer.")
    here, names = Path(__file__).resolve().parent, list(STYLES)
    parser.add_argument("--styles", nargs="+", default=names, choices=names, help="pictures to paint")
    parser.add_argument("--out-dir", type=Path, default=here / "styles", help="folder to write")
    parser.add_argument("--size", type=int, default=640, help="width in pixels; the height is 0.8 of it")
    parser.add_argument("--seed", type=int, default=0, help="another seed, another hand")
    parser.add_argument("--overwrite", action="store_true", help="replace pictures that exist already")
    args = parser.parse_args(argv)
    if not 64 <= args.size <= 2048:
        raise UserError(f"--size {args.size}: choose a width from 64 to 2048 pixels")
    if args.seed < 0:
        raise UserError(f"--seed {args.seed}: choose 0 or more")
    paths = {style: args.out_dir / f"{style}.jpg" for style in args.styles}
    for path in paths.values():
        check_writable(path, args.overwrite)  # all of them before the first is painted
    for style, path in paths.items():
        size = write_jpeg(paint(style, args.size, args.seed), path)
        print(f"{path}: {size // 1000} kB")


if __name__ == "__main__":
    run(main)
