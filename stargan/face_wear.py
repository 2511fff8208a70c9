"""What faces wear: clothes, earrings, glasses, hats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from face_pen import Pen, curve, ellipse, mirrored, mix, tone

if TYPE_CHECKING:
    from faces import Face


def draw_clothes(pen: Pen, face: Face) -> None:
    """One of six: round neck, V-neck, shirt, turtleneck, hood, jacket over a shirt."""
    colour, second, style = face.clothes_colour, face.clothes_second, face.clothes_style
    ink = tone(colour, 0.55)
    broad = 1.08 if face.male else 0.94
    neck = 24 if face.male else 20
    right = [(neck, 72), (44 * broad, 81), (72 * broad, 93), (86 * broad, 118), (94 * broad, 160)]
    throat = {0: [(0, 90), (neck - 6, 85)], 1: [(0, 104), (neck - 10, 87)], 3: [(0, 68), (neck, 66)]}.get(
        style, [(0, 96), (neck - 8, 84)]
    )
    half = [*throat, *right]
    body = (
        curve(mirrored(half[::-1]), closed=True)
        if style != 3
        else curve(mirrored([*right[::-1], (neck, 64), (0, 68)]), True)
    )
    pen.fill(body, colour, ink, 0.8)
    with pen.inside(body):
        if style == 0 and face.background_seed % 3 == 0:
            for y in range(84, 150, 14):
                pen.stroke([(-110, y + 9), (-60, y + 2), (0, y + 6), (60, y + 2), (110, y + 9)], second, 6, (1, 1))
        for way in (-1, 1):
            pen.stroke([(way * 50, 100), (way * 56, 116), (way * 55, 140)], ink, 1.6)
    if style == 0:
        pen.stroke(
            [(-neck + 1, 74), (-neck * 0.7, 86), (0, 91), (neck * 0.7, 86), (neck - 1, 74)],
            tone(colour, 0.75),
            4,
            (0.8, 0.8),
        )
    elif style == 1:
        pen.stroke([(-neck + 2, 76), (-neck * 0.5, 91), (0, 104)], tone(colour, 0.75), 4, (0.8, 0.8))
        pen.stroke([(neck - 2, 76), (neck * 0.5, 91), (0, 104)], tone(colour, 0.75), 4, (0.8, 0.8))
    elif style == 3:
        roll = curve(mirrored([(0, 66), (neck + 2, 60), (neck + 4, 70), (neck + 3, 79), (0, 84)]), closed=True)
        pen.fill(roll, tone(colour, 0.9), ink, 0.8)
        for x in (-0.6, -0.2, 0.2, 0.6):
            pen.stroke([(x * neck, 66), (x * neck * 1.05, 74), (x * neck, 81)], tone(colour, 0.75), 1.4)
    elif style == 4:
        for way in (-1, 1):
            hood = [
                (way * neck, 62),
                (way * (neck + 12), 68),
                (way * (neck + 16), 80),
                (way * 14, 100),
                (way * 5, 98),
                (way * (neck - 5), 82),
            ]
            pen.fill(curve(hood, closed=True), tone(colour, 0.86), ink, 0.8)
            pen.line(curve([(way * 9, 97), (way * 10, 108), (way * 9, 118)]), tone(second, 1.3), 1.8)
    else:
        if style == 5:
            shirt = np.array([(-neck + 4, 80), (neck - 4, 80), (0, 128)])
            pen.fill(shirt, (244, 244, 240))
            pen.fill(
                np.array([(-4, 93), (4, 93), (3, 99), (6, 120), (-6, 120), (-3, 99)]), second, tone(second, 0.5), 0.6
            )
        leaf = (244, 244, 240) if style == 5 else tone(colour, 1.18)
        for way in (-1, 1):
            collar = [
                (way * (neck - 1), 70),
                (way * (neck + 5), 78),
                (way * 15, 97),
                (way * 2, 92),
                (way * (neck - 4), 84),
            ]
            pen.fill(np.array(collar), leaf, mix(leaf, (40, 40, 50), 0.45), 0.7)
            if style == 5:
                lapel = [
                    (way * (neck + 3), 77),
                    (way * (neck + 16), 82),
                    (way * 26, 104),
                    (way * 4, 128),
                    (way * 17, 98),
                ]
                pen.fill(np.array(lapel), tone(colour, 0.86), ink, 0.7)


def draw_earrings(pen: Pen, face: Face) -> None:
    """Studs, hoops or drops, where the ear lobes are: with long hair, on it."""
    colour = face.earring_colour
    ink = tone(colour, 0.45)
    for way in (-1, 1):
        x, y = way * (face.width + 3.5), 3 + 13.5 * face.ears
        if face.earring_style == 0:
            pen.fill(ellipse(x, y, 4.6), colour, ink, 0.8)
            pen.fill(ellipse(x - 1.3, y - 1.4, 1.4), (255, 255, 255))
        elif face.earring_style == 1:
            ring = ellipse(x, y + 7, 7, 8)
            ring = np.concatenate([ring, ring[:2]])
            pen.line(ring, ink, 3.8)
            pen.line(ring, colour, 2.4)
        else:
            drop = curve([(0, -2), (4.6, 9), (0, 14.5), (-4.6, 9)], closed=True) + [x, y]
            pen.fill(drop, colour, ink, 0.8)
            pen.fill(ellipse(x - 1.4, y + 8, 1.2, 2), (255, 255, 255))
            pen.fill(ellipse(x, y - 2, 2), (236, 190, 70), ink, 0.6)


def lens(style: int) -> np.ndarray:
    """A right lens around (0, 0): round, rectangular, cat's eye, pilot's, or square with round corners."""
    if style == 0:
        return ellipse(0, 0, 14.2)
    if style == 1:
        t = ellipse(0, 0, 1, steps=40)
        return np.sign(t) * np.abs(t) ** 0.45 * [15.2, 9.8]
    if style == 2:
        return curve(
            [(-13.5, -6), (-5, -9.5), (7, -10.5), (17, -13), (14.5, -2), (10, 7), (0, 10), (-10, 7.5)], closed=True
        )
    if style == 3:
        return curve([(-13, -8), (0, -10), (13, -9), (15, -3), (11, 8), (3, 13), (-6, 11), (-13, 2)], closed=True)
    t = ellipse(0, 0, 1, steps=40)
    return np.sign(t) * np.abs(t) ** 0.6 * [14.6, 12.6]


def draw_glasses(pen: Pen, face: Face) -> None:
    """Frames with a glint on each lens; the temples go to the ears."""
    colour, style = face.glasses_colour, face.glasses_style
    wide = (2.6, 3.2, 3.4, 2.3, 3.8)[style]
    for way in (-1, 1):
        rim = lens(style) * [way, 1] + [way * 19.8, 2]
        pen.soft([rim], (226, 240, 250), 0.09, 0.6)
        with pen.inside(rim):  # beside the pupil: over it, the eye would lose its colour
            x = way * 19.8
            pen.soft([np.array([(x + 4, -13), (x + 9, -13), (x + 13, -1), (x + 10.5, 0)])], (255, 255, 255), 0.4, 0.6)
        edge = np.array([(way * 33.8, -2.5), (way * (face.width + 1), -4.5)])
        pen.line(edge, colour, wide * 0.95)
        closed = np.concatenate([rim, rim[:2]])
        pen.line(closed, colour, wide)
        pen.line(closed[:-1] - [0.0, 0.35], mix(colour, (255, 255, 255), 0.22), wide * 0.28)
    bridge = curve([(-6.6, 0.5), (0, -2.6), (6.6, 0.5)]) if style != 3 else curve([(-8, -6), (0, -6.6), (8, -6)])
    pen.line(bridge, colour, wide)


def draw_hat(pen: Pen, face: Face) -> None:
    """A knitted cap, a peaked cap, a brimmed hat or a beret; the hair beside it stays in sight."""
    colour, w, style = face.hat_colour, face.width, face.hat_style
    ink, band = tone(colour, 0.5), tone(colour, 0.78)
    if style == 0:
        dome = mirrored([(0, -88), (0.5 * w, -84), (0.95 * w, -66), (w + 7, -40), (0, -36)])
        pen.fill(curve(dome, closed=True), colour, ink, 0.8)
        for x in (-0.6, -0.2, 0.2, 0.6):
            pen.stroke([(x * w * 0.7, -82), (x * w * 1.1, -66), (x * w * 1.2, -50)], band, 1.6)
        rim = mirrored([(0, -52), (0.6 * w, -50), (w + 7, -47), (w + 8, -34), (0.6 * w, -35), (0, -37)])
        pen.fill(curve(rim, closed=True), tone(colour, 1.15), ink, 0.8)
        pen.fill(ellipse(0, -89, 8, 7), tone(face.clothes_second, 1.2), ink, 0.8)
    elif style == 1:
        dome = mirrored([(0, -84), (0.55 * w, -79), (0.95 * w, -62), (w + 5, -40), (0, -40)])
        pen.fill(curve(dome, closed=True), colour, ink, 0.8)
        pen.stroke([(0, -84), (1, -66), (0, -44)], band, 1.6)
        peak = curve(mirrored([(0, -48), (0.7 * w, -45), (w + 6, -36), (0.7 * w, -30), (0, -32)]), closed=True)
        pen.fill(peak, tone(face.clothes_second, 0.8), tone(face.clothes_second, 0.4), 0.8)
    elif style == 2:
        crown = mirrored([(0, -83), (0.35 * w, -88), (0.72 * w, -80), (0.92 * w, -44), (0, -38)])
        pen.fill(curve(crown, closed=True), colour, ink, 0.8)
        ribbon = mirrored([(0, -54), (0.88 * w, -56), (0.95 * w, -42), (0, -38)])
        pen.fill(ribbon, tone(face.clothes_second, 0.75))
        brim = mirrored([(0, -45), (0.9 * w, -47), (1.5 * w, -48), (1.55 * w, -42), (0.9 * w, -33), (0, -31)])
        pen.fill(curve(brim, closed=True), tone(colour, 1.08), ink, 0.8)
    else:
        lean = np.sign(face.parting)
        beret = np.array(
            [(-w - 3, -42), (-w, -60), (-10, -80), (28, -86), (w + 14, -70), (w + 14, -52), (w + 2, -42), (0, -39)]
        )
        pen.fill(curve(beret * [lean, 1], closed=True), colour, ink, 0.8)
        pen.stroke(
            np.array([(-w - 1, -42), (-0.5 * w, -41), (0, -39), (0.5 * w, -41), (w + 1, -43)]) * [lean, 1],
            band,
            5,
            (0.8, 0.8),
        )
        pen.stroke(np.array([(12, -84), (14, -90), (18, -92)]) * [lean, 1], ink, 2.4, (0.8, 0.8))
