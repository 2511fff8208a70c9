"""Hair: how it falls in thirteen styles, its bangs, its light."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from face_pen import Colour, Pen, curve, ellipse, ribbon, tone

if TYPE_CHECKING:
    from faces import Face

# Each class from its darkest to its lightest. The classes keep their distance: a label must be readable off the hair.
HAIR_COLOURS: dict[str, tuple[Colour, Colour]] = {
    "black": ((16, 14, 20), (44, 38, 42)),
    "blond": ((212, 168, 84), (246, 220, 148)),
    "brown": ((82, 48, 28), (130, 84, 50)),
    "gray": ((136, 138, 146), (208, 210, 216)),
    "red": ((158, 54, 22), (206, 92, 40)),
}


def hair_colour(face: Face) -> Colour:
    """The colour of the hair in full light."""
    dark, light = HAIR_COLOURS[face.hair_colour]
    pairs = zip(dark, light, face.hair_tint, strict=True)
    # Gray is what has no hue, so its tint is weaker; black's would be a colour if it were not.
    tint = {"gray": 0.4, "black": 0.5}.get(face.hair_colour, 1.0)
    return tuple(int(np.clip(round(a + (b - a) * face.hair_tone + tint * c), 0, 255)) for a, b, c in pairs)


def style_of(face: Face) -> str:
    """The style that is worn."""
    return face.hair_style[0 if face.male else 1]


def cap_lines(face: Face) -> tuple[np.ndarray, np.ndarray]:
    """The hair on the skull as two lines (49, 2) from left to right: its outside, and the hairline."""
    style, w, v = style_of(face), face.width, face.hair_volume
    side, top, low = {
        "short": (1.5 + 2 * v, 5 + 4 * v, 2),
        "side": (2.5 + 2 * v, 8 + 4 * v, 4),
        "quiff": (1.0 + 1.5 * v, 12 + 5 * v, 0),
        "curly": (3 + 2 * v, 7 + 4 * v, -2),
        "crop": (0.8, 2.5 + 2 * v, 2),
        "wavy": (3 + 2 * v, 8 + 4 * v, 2),
        "afro": (9 + 3 * v, 11 + 4 * v, 12),
        "ponytail": (2.0, 4 + 3 * v, 0),
        "bun": (2.0, 4 + 3 * v, 0),
        "pigtails": (2.5, 5 + 3 * v, 0),
    }.get(style, (5.5 + 3 * v, 7 + 4 * v, 10))
    if face.hat:
        side, low, top = side + 2.5, max(low, 14), 3  # enough beside the hat to tell its colour, and nothing above it
    lean = np.sign(face.parting) * (0.5 if style in ("side", "quiff", "wavy") else 0.15)
    outside = [
        (-w - side * 0.4, low), (-w - side, -12), (-0.95 * w - side, -36), (-0.62 * w - side * 0.6, -58 - top * 0.75),
        (-lean * 14, -65 - top),
        (0.62 * w + side * 0.6, -58 - top * 0.75), (0.95 * w + side, -36), (w + side, -12), (w + side * 0.4, low),
    ]  # fmt: skip
    line, part = face.hairline, face.parting
    if style in ("short", "crop", "curly", "afro", "quiff"):
        part = part * 0.3
    square = 2 if style in ("short", "crop", "quiff", "side") else 5
    hairline = [
        (-w + 1.5, low), (-0.90 * w, -13), (-0.83 * w, -24), (-0.62 * w, line + square - 0.12 * part), (part, line - 3),
        (0.62 * w, line + square + 0.12 * part), (0.83 * w, -24), (0.90 * w, -13), (w - 1.5, low),
    ]  # fmt: skip
    return curve(outside, steps=6), curve(hairline, steps=6)


def curls(line: np.ndarray, radius: float, seed: int) -> list[np.ndarray]:
    """Round locks along a line, of about one radius."""
    rng = np.random.default_rng([seed, 2])
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    count = max(2, int(length[-1] / (radius * 1.25)))
    at = np.linspace(0, length[-1], count)
    middles = np.stack([np.interp(at, length, line[:, k]) for k in (0, 1)], axis=1)
    return [ellipse(x, y, radius * size) for (x, y), size in zip(middles, rng.uniform(0.85, 1.2, count), strict=True)]


def front_hair(face: Face) -> list[np.ndarray]:
    """The shapes in front of the head: what covers the skull, locks beside the face, bangs."""
    style, w, v, seed = style_of(face), face.width, face.hair_volume, face.background_seed
    outside, hairline = cap_lines(face)
    shapes = [np.concatenate([outside, hairline[::-1]])]
    if style in ("curly", "afro"):
        radius = 8 + 2.5 * v if style == "afro" else 6 + 2 * v
        shapes += curls(outside * [0.99, 1] + [0, 1], radius, seed)
        shapes += curls(hairline[10:-10] + [0, -radius * 0.55], radius * 0.8, seed + 1)
    elif style == "quiff" and not face.hat:
        sign = np.sign(face.parting)
        tuft = [
            (-26, -47),
            (-24, -66 - 3 * v),
            (-6, -76 - 4 * v),
            (16, -78 - 5 * v),
            (32, -70 - 4 * v),
            (34, -56),
            (26, -47),
        ]
        tuft += [(8, -42), (-10, -43)]
        shapes.append(curve(np.array(tuft) * [sign, 1], closed=True))
    elif style == "short":
        tips = np.linspace(-0.55 * w, 0.55 * w, 8)
        edge = np.stack([tips, face.hairline - 1 + 4.5 * (np.arange(8) % 2)], axis=1)
        shapes.append(np.concatenate([edge, [(0.5 * w, -58), (-0.5 * w, -58)]]))
    elif style == "side":
        sign, h = np.sign(face.parting), face.hairline
        sweep = [(-14, h - 20), (-15, h - 2), (4, h + 5), (24, h + 9), (0.86 * w, -19), (0.99 * w, -30), (0.7 * w, -58)]
        shapes.append(curve(np.array(sweep) * [sign, 1], closed=True))
    elif style == "wavy":
        rise = 0 if face.hat else 4 + 3 * v
        for x, y in ((-0.92, -34), (-0.66, -54), (-0.25, -64), (0.2, -65), (0.62, -56), (0.93, -36)):
            shapes.append(ellipse(x * (w + 1), y - rise * 0.7, 14, 11 + 0.5 * rise))
    if style in ("long", "waves", "bob"):
        shapes += [lock * [way, 1] for way in (-1, 1) for lock in side_locks(face)]
    if face.bangs:
        shapes += bangs(face)
    return shapes


def side_locks(face: Face) -> list[np.ndarray]:
    """What falls over the right ear, as far as the style is long."""
    style, w, v = style_of(face), face.width, face.hair_volume
    out = w + 6 + 4 * v
    if style == "bob":
        lock = [(0.66 * w, -44), (0.86 * w, -26), (0.93 * w, -6), (0.97 * w, 14), (0.90 * w, 34), (0.80 * w, 46)]
        lock += [(0.95 * w, 50), (out + 1, 42), (out + 3, 20), (out, -12), (0.98 * w, -40)]
        return [curve(lock, closed=True)]
    if style == "waves":
        lock = [
            (0.66 * w, -44),
            (0.88 * w, -24),
            (0.97 * w, -4),
            (0.93 * w, 14),
            (1.0 * w, 30),
            (0.92 * w, 48),
            (1.02 * w, 66),
        ]
        lock += [(0.95 * w, 82), (out - 2, 92), (out + 7, 78), (out + 1, 62), (out + 6, 44), (out, 26), (out + 4, 6)]
        return [curve([*lock, (out - 1, -14), (0.98 * w, -40)], closed=True)]
    lock = [
        (0.66 * w, -44),
        (0.88 * w, -26),
        (0.95 * w, -4),
        (0.97 * w, 18),
        (0.94 * w, 44),
        (0.92 * w, 70),
        (0.95 * w, 92),
    ]
    lock += [(out + 2, 94), (out + 4, 60), (out + 3, 20), (out, -14), (0.98 * w, -40)]
    return [curve(lock, closed=True)]


def bangs(face: Face) -> list[np.ndarray]:
    """What falls into the forehead: straight, swept to a side, in pointed locks, or in curls."""
    w, sign, style = face.width, np.sign(face.parting), face.bangs_style
    if style_of(face) in ("curly", "afro"):
        line = curve([(-0.72 * w, -24), (-0.4 * w, -27), (0, -26), (0.4 * w, -27), (0.72 * w, -24)])
        return [*curls(line, 8, face.background_seed + 2), *curls(line + [0, -11], 9, face.background_seed + 3)]
    top = curve(
        [
            (0.86 * w, -24),
            (0.80 * w, -44),
            (0.45 * w, -58),
            (0, -62),
            (-0.45 * w, -58),
            (-0.80 * w, -44),
            (-0.86 * w, -24),
        ]
    )
    if style == 0:
        x = np.linspace(-0.84 * w, 0.84 * w, 15)
        lower = np.stack([x, -19.5 - 2.2 * (np.arange(15) % 2) + 4 * (x / w) ** 2], axis=1)
        lower = curve(lower, steps=4)
    elif style == 1:
        lower = [(-0.86 * w, -14), (-0.62 * w, -19), (-0.2 * w, -23), (0.3 * w, -29), (0.68 * w, -38), (0.8 * w, -44)]
        lower = curve(np.array(lower) * [sign, 1], steps=6)
        lower = lower if sign > 0 else lower[::-1]
    elif style == 2:
        x = np.linspace(-0.84 * w, 0.84 * w, 11)
        lower = np.stack([x, np.where(np.arange(11) % 2, -16.5, -29.0) + 3 * (x / w) ** 2], axis=1)
    else:
        lower = [(-0.86 * w, -15), (-0.6 * w, -18), (-0.25 * w, -22), (0.02 * w, -33), (0.28 * w, -22), (0.6 * w, -18)]
        lower = curve([*lower, (0.86 * w, -15)], steps=6)
    return [np.concatenate([lower, top])]


def draw_back_hair(pen: Pen, face: Face) -> None:
    """What is behind the head and the neck."""
    style, w, v = style_of(face), face.width, face.hair_volume
    base = hair_colour(face)
    colour, ink = tone(base, 0.80), tone(base, 0.5)
    out, sign = w + 6 + 4 * v, np.sign(face.parting)
    if style in ("long", "waves"):
        right = np.array([(0, -62), (0.8 * w, -50), (out, -10), (out + 1, 40), (out, 92), (0.5 * w, 100)])
        pen.fill(curve(np.concatenate([right, right[::-1] * [-1, 1]]), closed=True), colour, ink)
    elif style == "bob":
        right = np.array([(0, -62), (0.8 * w, -50), (out, -10), (out + 1, 25), (0.98 * w, 49), (0.4 * w, 54)])
        pen.fill(curve(np.concatenate([right, right[::-1] * [-1, 1]]), closed=True), colour, ink)
    elif style == "afro":
        ring = curve(
            [
                (-w - 6, 20),
                (-w - 15, -8),
                (-w - 9, -40),
                (0, -50 if face.hat else -76),
                (w + 9, -40),
                (w + 15, -8),
                (w + 6, 20),
            ]
        )
        pen.group([*curls(ring, 12 + 2 * v, face.background_seed + 4), ring], colour, ink)
    elif style == "ponytail":
        tail = [(0.5 * w, -58), (0.95 * w, -62), (w + 17, -46), (w + 24, -14), (w + 19, 22), (w + 25, 52), (w + 10, 40)]
        tail += [(w + 5, 10), (w + 6, -20)]
        pen.fill(curve(np.array(tail) * [sign, 1], closed=True), tone(base, 0.9), ink)
        for k in (0, 1):
            strand = np.array([(w + 8 + 5 * k, -44), (w + 14 + 3 * k, -12), (w + 11 + 3 * k, 20), (w + 16, 42)])
            pen.stroke(strand * [sign, 1], tone(base, 0.66), 1.6)
    elif style == "bun" and not face.hat:
        bun = ellipse(sign * 6, -75, 17 + 3 * v, 13 + 2 * v)
        pen.fill(bun, base, ink)
        pen.stroke([(sign * 6 - 13, -76), (sign * 6, -82), (sign * 6 + 12, -76)], tone(base, 0.7), 1.6)
        pen.stroke([(sign * 6 - 9, -82), (sign * 6 + 3, -78), (sign * 6 + 9, -70)], tone(base, 0.7), 1.6)
    elif style == "pigtails":
        for way in (-1, 1):
            tail = [(0.9 * w, 4), (w + 8, 2), (w + 19, 16), (w + 22, 42), (w + 13, 70), (w + 5, 58), (w + 3, 34)]
            pen.fill(curve(np.array(tail) * [way, 1], closed=True), tone(base, 0.92), ink)
            pen.stroke(np.array([(w + 8, 12), (w + 13, 34), (w + 12, 56)]) * [way, 1], tone(base, 0.66), 1.6)
            pen.fill(ellipse(way * (w + 5), 7, 4.5, 5), face.hat_colour, tone(face.hat_colour, 0.5), 0.6)


def strands(face: Face, outside: np.ndarray, hairline: np.ndarray) -> list[np.ndarray]:
    """Lines in the hair on the skull, as it is combed: to both sides of the parting, to the back, or up."""
    style = style_of(face)

    def at(index: int, share: float) -> np.ndarray:
        """A point between the hairline (share 0) and the outside (1)."""
        return hairline[index] * (1 - share) + outside[index] * share

    if style in ("curly", "afro"):
        return []
    if style in ("long", "waves", "bob", "pigtails"):
        low, high = hairline[24], outside[24] * [1, 0.98]
        found = [np.array([low, (low + high) / 2, high])]
        for share in (0.22, 0.5, 0.78):
            start = low + (high - low) * share
            for ends in ((17, 10, 4), (31, 38, 44)):
                found.append(np.array([start, *(at(index, 0.12 + 0.8 * share) for index in ends)]))
        return found
    if style in ("bun", "ponytail"):
        crown = outside[24] + [0, 4]
        return [np.array([at(i, 0.06), at(i, 0.5) * 0.85 + crown * 0.15, at(i, 0.8) * 0.6 + crown * 0.4])
                for i in (9, 13, 17, 21, 27, 31, 35, 39)]  # fmt: skip
    lean = np.sign(face.parting) * np.array([5.0, 0.0])
    return [np.array([at(i, 0.12), at(i, 0.4) + 0.4 * lean, at(i, 0.72) + lean]) for i in range(10, 40, 4)]


def draw_front_hair(pen: Pen, face: Face, shapes: list[np.ndarray]) -> None:
    """Hair in one colour with a thin line around, a sheen towards the light, and a few strands."""
    base, style = hair_colour(face), style_of(face)
    pen.group(shapes, base, tone(base, 0.45), 0.7)
    outside, hairline = cap_lines(face)
    with pen.inside(*shapes):
        middle = outside * 0.58 + hairline * 0.42
        dark, sheen = tone(base, 0.66), tone(base, 1.12 if max(base) < 70 else 1.22)
        lit = middle[27:40] if face.light > 0 else middle[9:22]
        pen.draw.polygon(pen.place(ribbon(lit, 6, (0.02, 0.02))), fill=sheen)
        pen.draw.polygon(pen.place(ribbon(lit[2:-3] * [1.0, 1] + [0, -5.5], 2.2, (0.02, 0.02))), fill=sheen)
        if style in ("curly", "afro"):
            rng = np.random.default_rng([face.background_seed, 3])
            for x, y in middle[8:-8:3] + rng.uniform(-5, 5, (11, 2)):
                angle = rng.uniform(0, 2 * np.pi) + np.linspace(0, 3.6, 8)
                pen.stroke(np.stack([x + 4.5 * np.cos(angle), y + 4.5 * np.sin(angle)], axis=1), dark, 1.5)
        for strand in strands(face, outside, hairline):
            pen.stroke(strand, dark, 1.4, (0.3, 0.1))
        if style in ("long", "waves", "bob"):
            w, low = face.width, 40 if style == "bob" else 88
            for way in (-1, 1):
                pen.stroke([(way * (w + 1), -20), (way * (w + 3), 10), (way * (w + 2), low)], dark, 1.5)
            x = np.sign(face.light) * (w + 5 + 2 * face.hair_volume)
            pen.stroke([(x, -12), (x, 8), (x, 0.6 * low)], sheen, 3)
        if face.bangs and style not in ("curly", "afro"):
            for x in (-0.5, -0.22, 0.06, 0.34, 0.6):
                x *= face.width
                pen.stroke([(x * 0.75, -52), (x * 0.95, -38), (x * 1.05, -22)], dark, 1.3)
    if style == "side" and not face.hat:
        sign, h = np.sign(face.parting), face.hairline
        pen.stroke([(-15 * sign, h - 2), (-14 * sign, h - 12), (-10 * sign, h - 24)], tone(base, 0.5), 1.4)
