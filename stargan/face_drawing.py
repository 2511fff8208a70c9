"""How a `faces.Face` becomes a picture: the background, the head, its features, the hair, what is worn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from face_hair import draw_back_hair, draw_front_hair, front_hair, hair_colour
from face_pen import Colour, Pen, curve, ellipse, mirrored, mix, tone
from face_wear import draw_clothes, draw_earrings, draw_glasses, draw_hat

if TYPE_CHECKING:
    from faces import Face


@dataclass(frozen=True)
class Mouth:
    """A mouth as its y below the middle of the closed one: of the corners, and of the opening's two edges."""

    corner: float
    top: float = 0.0
    bottom: float = 0.0
    wide: float = 1.0
    teeth: str = ""  # "", "upper" or "clenched"
    round: float = 2.0  # the power of the curve: larger is more of a box
    lopsided: float = 0.0  # how much higher the one corner is


@dataclass(frozen=True)
class Expression:
    """What mouth, brows and eyes do, in face units; for the mouth see `Mouth`."""

    mouth: Mouth | None = None  # None: what `smiling` and `mouth_open` give
    brow_inner: float = 0.0  # how far the inner ends go down
    brow_outer: float = 0.0
    eye_open: float = 1.0
    frown: bool = False  # lines between the brows
    nose_wrinkles: bool = False
    one_sided: bool = False  # brow and mouth corner of one side only


EXPRESSIONS = {
    "angry": Expression(Mouth(3.5, -2.5, 3.5, 0.95, "clenched", 2.6), 5.5, -2.5, 0.72, frown=True),
    "contemptuous": Expression(Mouth(1.0, 0, 0, 1.0, lopsided=8.0), -0.5, -1.5, 0.62, one_sided=True),
    "disgusted": Expression(Mouth(5.5, -4.5, 2.0, 0.9, "upper"), 4.5, 1.5, 0.55, frown=True, nose_wrinkles=True),
    "fearful": Expression(Mouth(4.0, -1.5, 5.5, 1.15, "clenched", 2.6), -7.0, 1.0, 1.32),
    "happy": Expression(Mouth(-6.5, -0.5, 11.5, 1.3, "upper"), -1.5, -1.0, 0.82),
    "neutral": Expression(),
    "sad": Expression(Mouth(6.5, -0.5, -0.5, 0.95), -6.5, 4.0, 0.78),
    "surprised": Expression(Mouth(4.5, -5.0, 14.0, 0.72, round=2.4), -8.0, -6.0, 1.42),
}
INK = (38, 28, 30)


def draw(face: Face, width: int = 178, height: int = 218) -> np.ndarray:
    """The picture, (height, width, 3) uint8, laid out as an aligned CelebA picture is.

    Of 178 x 218 pixels the eyes are near (69, 111) and (108, 111). Another size shows the same face with more or less
    of what is around it; the shorter side decides the scale, so that a square one shows StarGAN's centre crop.
    """
    unit = min(width, height) / 178
    middle = (width / 2 + unit * (face.shift[0] - 0.5), height / 2 + unit * (face.shift[1] + 2))
    pen = Pen(width, height, middle, unit * face.scale, face.turn)
    head, hair = head_outline(face), front_hair(face)
    draw_background(pen, face, width, height, unit)
    draw_back_hair(pen, face)
    draw_neck(pen, face, head)
    draw_clothes(pen, face)
    draw_ears(pen, face)
    draw_head(pen, face, head, hair)
    if not face.young:
        draw_wrinkles(pen, face)
    draw_nose(pen, face)
    draw_mouth(pen, face)
    draw_mustache(pen, face)
    for side in (-1, 1):
        draw_eye(pen, face, side)
        draw_brow(pen, face, side)
    draw_front_hair(pen, face, hair)
    if face.earrings:
        draw_earrings(pen, face)
    if face.eyeglasses:
        draw_glasses(pen, face)
    if face.hat:
        draw_hat(pen, face)
    return develop(pen.finish(), face)


def develop(pixels: np.ndarray, face: Face) -> np.ndarray:
    """Contrast, brightness and noise, as a camera adds them: float 0..255 to uint8."""
    noise = np.random.default_rng([face.background_seed, 1]).standard_normal(pixels.shape, np.float32)
    pixels = 128 + (pixels - 128) * face.contrast + face.brightness + face.noise * noise
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def draw_background(pen: Pen, face: Face, width: int, height: int, unit: float) -> None:
    """One of seven, upright whatever the face's turn is: flat, gradient, stripes, checks, blobs, circles, a halo."""
    rng = np.random.default_rng([face.background_seed, 0])
    first, second = face.background_colours
    style, finer = face.background_style, np.array(pen.image.size) / (width, height)
    if style == 1:
        angle = rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[-1 : 1 : pen.image.height * 1j, -1 : 1 : pen.image.width * 1j].astype(np.float32)
        share = np.clip(0.5 + 0.5 * (x * np.cos(angle) + y * np.sin(angle)), 0, 1)[..., None]
        pixels = np.float32(first) + share * (np.float32(second) - np.float32(first))
        pen.image.paste(Image.fromarray(pixels.astype(np.uint8)), (0, 0))
        return
    pen.image.paste(first, (0, 0, *pen.image.size))
    if style == 2:
        step, slope = rng.uniform(12, 34), rng.choice([0.0, 0.5, 1.0, -1.0])
        for left in np.arange(-2 * height / unit, (width + 2 * height) / unit, step) * unit:
            half = step * unit / 2
            corners = [(left, 0), (left + half, 0), (left + half + slope * height, height)]
            corners.append((left + slope * height, height))
            pen.draw.polygon([tuple(np.array(corner) * finer) for corner in corners], fill=second)
    elif style == 3:
        step = rng.uniform(14, 34) * unit
        for row in range(int(height / step) + 1):
            for column in range(row % 2, int(width / step) + 1, 2):
                low = np.array([column, row]) * step * finer
                pen.draw.rectangle((*low, *(low + step * finer - 1)), fill=second)
    elif style in (4, 5):
        for _ in range(9 if style == 4 else 22):
            x, y = rng.uniform(0, width), rng.uniform(0, height)
            radius = rng.uniform(14, 42) * unit if style == 4 else rng.uniform(4, 16) * unit
            colour = mix(first, second, rng.uniform(0.4, 1))
            box = (x - radius, y - radius, x + radius, y + radius)
            pen.draw.ellipse(tuple(np.array(box) * np.tile(finer, 2)), fill=colour)
        if style == 4:
            small = pen.image.reduce(8)
            small = small.filter(ImageFilter.GaussianBlur(float(rng.uniform(6, 10) * unit * finer[0] / 8)))
            pen.image.paste(small.resize(pen.image.size, Image.Resampling.BILINEAR), (0, 0))
    elif style == 6:
        middle = np.array([width / 2, height * 0.48]) * finer
        radius = rng.uniform(70, 84) * unit * finer[0]
        pen.draw.ellipse((*(middle - radius), *(middle + radius)), fill=second)


# ---- the head ------------------------------------------------------------------------------------------------------


def head_outline(face: Face) -> np.ndarray:
    """The outline of head and chin, (N, 2)."""
    w, chin = face.width, face.chin
    jaw = w * ((0.88 if face.male else 0.77) + 0.05 * face.jaw)
    tip = w * ((0.44 if face.male else 0.33) + 0.05 * face.jaw)
    right = [(0, -65), (0.60 * w, -57), (0.93 * w, -33), (w, -4), (0.97 * w, 17), (jaw, chin - 23), (tip, chin - 5.5)]
    return curve(mirrored([*right, (0, chin)]), closed=True)


def draw_neck(pen: Pen, face: Face, head: np.ndarray) -> None:
    """Neck and shoulders' skin, in the head's shadow."""
    half = 22.5 if face.male else 18.5
    right = [(half, 30), (half, 64), (half + 3, 76), (62, 90), (84, 130), (0, 130)]
    neck = curve(mirrored([(0, 30), *right]), closed=True)
    pen.fill(neck, tone(face.skin, 0.93), tone(face.skin, 0.55), 0.6)
    pen.soft([head + [1.5 * -face.light, 9]], tone(face.skin, 0.62), 0.75, 2.5, pen.mask([neck]))


def draw_ears(pen: Pen, face: Face) -> None:
    """Both ears, half behind the head."""
    for side in (-1, 1):
        x, size = side * (face.width + 0.5), face.ears
        ear = [(0, -9), (5, -12), (8.5, -6), (7, 4), (3.5, 12), (-2, 12)]
        ear = curve(np.array(ear) * [side * size, size] + [x, 3], closed=True)
        pen.fill(ear, tone(face.skin, 0.95), tone(face.skin, 0.5), 0.7)
        inner = np.array([(1, -7), (5, -7.5), (4.5, 0), (2, 5)]) * [side * size, size] + [x, 3]
        pen.stroke(inner, tone(face.skin, 0.66), 1.8)


def draw_head(pen: Pen, face: Face, head: np.ndarray, hair: list[np.ndarray]) -> None:
    """The head with its light and shade, the hair's shadow on it, and red cheeks."""
    skin, light = face.skin, face.light
    pen.fill(head, skin, tone(skin, 0.5), 0.7)
    inside = pen.mask([head])
    pen.soft([head + [11 * light, -7]], mix(tone(skin, 0.66), (120, 50, 60), 0.15), 0.6, 6, inside, inverted=True)
    pen.soft([ellipse(22 * light, -24, 17, 12)], tone(skin, 1.45), 0.5, 7, inside)
    pen.soft([ellipse(27 * light, 16, 9, 8)], tone(skin, 1.4), 0.4, 5, inside)
    if hair:
        pen.soft([points + [-1.5 * light, 4.5] for points in hair], tone(skin, 0.6), 0.6, 1.8, inside)
    if face.rosy_cheeks:
        red = (228, 66, 84) if sum(face.skin) > 330 else (206, 42, 60)
        for side in (-1, 1):
            pen.soft([ellipse(side * 27.5, 21.5, 10.5, 8)], red, 0.32 + 0.24 * face.blush, 3.5, inside)


def draw_wrinkles(pen: Pen, face: Face) -> None:
    """Age: lines on the forehead, beside the eyes and from the nose to the mouth, and bags under the eyes.

    They are wide enough to be seen when the picture is reduced to half its size.
    """
    skin, deep = face.skin, face.wrinkles
    line = mix(tone(skin, 0.60 - 0.12 * deep), (120, 46, 36), 0.32)
    wide = 2.0 + 0.8 * deep
    for k, y in enumerate((-34.0, -27.5, -21.5)):
        half = (0.36, 0.46, 0.36)[k] * face.width
        bend = 1.5 if k % 2 else 0.6
        pen.stroke([(-half, y + 1.2), (-half / 2, y - bend), (0, y), (half / 2, y - bend), (half, y + 1.2)], line, wide)
    for side in (-1, 1):
        x = side * 32.5
        for rise, end in ((-5.0, -7.5), (0.5, 0.5), (5.0, 8.0)):
            pen.stroke([(x, rise * 0.6 + 1), (x + side * 4, rise + 0.5), (x + side * 8, end + 1)], line, wide * 0.85)
        mouth = face.mouth_height
        pen.stroke([(side * 10.5, 19), (side * 17, 26), (side * 21.5, 35), (side * 22, mouth + 3)], line, wide * 1.15)
        bag = [(side * 10.5, 9), (side * 15, 13.2), (side * 21, 14), (side * 27, 11), (side * 29, 7.5)]
        pen.stroke(bag, line, wide * 0.95)


# ---- eyes and brows ------------------------------------------------------------------------------------------------


def draw_eye(pen: Pen, face: Face, side: int) -> None:
    """One eye; `side` is -1 for the one at the left of the picture."""
    expression = EXPRESSIONS[face.expression]
    opened = expression.eye_open
    half, rise = 9.8 * face.eye_size, 5.6 * face.eye_size * face.eye_round * opened
    fall, tilt = 4.4 * face.eye_size * face.eye_round * min(opened, 1.15), face.eye_tilt
    shape = [(-half, tilt * -0.4 + 1.2), (-half * 0.55, -rise * 0.75), (0, -rise), (half * 0.6, -rise * 0.8 - tilt / 2)]
    shape += [(half, -tilt), (half * 0.55, fall * 0.8 - tilt / 3), (0, fall), (-half * 0.6, fall * 0.75)]
    shape = np.array(shape) * [side, 1] + [side * 19.5, 0]
    outline = curve(shape, closed=True)
    pen.soft([outline + [0, -2.5]], tone(face.skin, 0.62), 0.35, 2.2)
    pen.fill(outline, (250, 249, 246), tone(face.skin, 0.42), 0.5)
    centre = np.array([side * 19.5, 0]) + face.gaze
    radius = 5.2 * face.eye_size
    with pen.inside(outline):
        pen.fill(ellipse(*centre, radius), tone(face.eye_colour, 0.6))
        pen.fill(ellipse(*centre, radius * 0.82), face.eye_colour)
        pen.fill(ellipse(*(centre + [0, radius * 0.3]), radius * 0.5, radius * 0.42), tone(face.eye_colour, 1.3))
        pen.fill(ellipse(*centre, radius * 0.48), (16, 12, 14))
        pen.stroke(shape[:5] + [0, 0.9], (150, 142, 150), 2.4)  # the lid's shadow on the white
        pen.fill(ellipse(centre[0] + 1.7 * face.light, centre[1] - 1.9, 1.5), (255, 255, 255))
    ink = mix(INK, face.skin, 0.08)
    pen.stroke(shape[:5], ink, 2.1 if face.male else 2.7, (0.3, 0.6))
    fold = shape[:5] * [1, 1.0] + [0, -3.4]
    pen.stroke(fold[1:], tone(face.skin, 0.58), 1.1)
    if not face.male:
        for k, (x, y) in enumerate(((1.35, -5.0), (1.16, -7.6), (0.82, -9.2))):
            start = shape[4] if k == 0 else (shape[3] + shape[4]) / 2 + [0, -0.6] if k == 1 else shape[3]
            end = np.array([side * (19.5 + x * half), (y - tilt / 2) * 0.5 + start[1] * 0.7])
            pen.stroke([start, (start + end) / 2 + [0, 0.5], end], ink, 1.9, (0.8, 0.1))


def draw_brow(pen: Pen, face: Face, side: int) -> None:
    """One eyebrow, thick for a man; in about the hair's colour."""
    expression = EXPRESSIONS[face.expression]
    colour = mix(tone(facial_hair(face), 0.76), INK, 0.12)
    share = 1.0 if not expression.one_sided else (1.0 if side < 0 else -2.6)
    inner, outer = expression.brow_inner * share, expression.brow_outer * share
    y, arch = face.brow_height, face.brow_arch
    points = [
        (9.5, y + 1.5 + face.brow_angle + inner),
        (16, y - arch * 0.55 + face.brow_angle * 0.4 + (2 * inner + outer) / 3),
        (23.5, y - arch + (inner + 2 * outer) / 3),
        (31.5, y + 2.6 - face.brow_angle + outer),
    ]
    wide = (4.9 if face.male else 2.9) * face.brow_weight
    pen.stroke(np.array(points) * [side, 1], colour, wide, (0.75, 0.15))
    if expression.frown:
        pen.stroke([(side * 4, y + 1), (side * 3.2, y + 5), (side * 4.2, y + 9)], tone(face.skin, 0.5), 2)


def facial_hair(face: Face) -> Colour:
    """The colour of brows and mustache, before it is darkened: blond, which turns olive then, gets some brown."""
    colour = hair_colour(face)
    return mix(colour, (176, 96, 36), 0.3) if face.hair_colour == "blond" else colour


# ---- nose, mouth, mustache -----------------------------------------------------------------------------------------


def draw_nose(pen: Pen, face: Face) -> None:
    """One of five noses, with a shade beside and a highlight on it."""
    size, side = face.nose_size, -1 if face.light > 0 else 1
    dark = mix(tone(face.skin, 0.55), (140, 60, 50), 0.15)
    wide, tip = 6.3 * size, 21 + 2.5 * (size - 1) * 8
    pen.soft([curve([(side * 2, -4), (side * (wide - 1), tip), (side * 1, tip)], closed=True)], dark, 0.3, 2.2)
    pen.soft([ellipse(-side * 1.0, tip - 5.5, 2.2, 3.4)], tone(face.skin, 1.6), 0.55, 1.6)
    style = face.nose_style
    if style == 0:
        pen.stroke([(side * 2.5, 2), (side * 4, 11), (side * wide, tip - 2), (side * 3, tip + 1), (-2 * side, tip + 1)],
                   dark, 2.1)  # fmt: skip
    elif style == 1:
        pen.stroke([(-wide, tip - 3), (-wide * 0.7, tip + 0.8), (0, tip + 1.8), (wide * 0.7, tip + 0.8),
                    (wide, tip - 3)], dark, 2.2)  # fmt: skip
    elif style == 2:
        for way in (-1, 1):
            pen.fill(ellipse(way * 2.9 * size, tip, 1.6, 1.1), tone(dark, 0.8))
            pen.stroke([(way * (wide - 1), tip - 5), (way * wide, tip - 2), (way * (wide - 1.6), tip + 0.8)], dark, 1.8)
    elif style == 3:
        pen.stroke([(-wide * 0.6, tip), (0, tip + 2), (wide * 0.6, tip)], dark, 2.0)
        pen.stroke([(side * 5, -6), (side * 3.2, 2), (side * 3.4, 9)], dark, 1.5)
    else:
        pen.stroke([(-wide, tip - 1), (-wide * 0.45, tip - 0.4), (0, tip + 1.8), (wide * 0.45, tip - 0.4),
                    (wide, tip - 1)], dark, 1.9)  # fmt: skip
        for way in (-1, 1):
            pen.stroke([(way * wide, tip - 4.5), (way * (wide + 0.8), tip - 1.5), (way * wide, tip)], dark, 1.7)
    if EXPRESSIONS[face.expression].nose_wrinkles:
        for y in (1, 5, 9):
            pen.stroke([(-5, y + 1.5), (0, y - 1), (5, y + 1.5)], tone(face.skin, 0.56), 1.7)
        for way in (-1, 1):
            pen.stroke([(way * 9, 15), (way * 15, 22), (way * 19, 31)], tone(face.skin, 0.56), 2)


def mouth_of(face: Face) -> Mouth:
    """The mouth that the expression or the attributes give."""
    expressed = EXPRESSIONS[face.expression].mouth
    if expressed is not None:
        return expressed
    smile, teeth = face.smile, "upper" if face.teeth else ""
    if face.smiling and face.mouth_open:
        return Mouth(-4.5 - 2 * smile, -0.5, 7.5 + 3 * smile, 1.15 + 0.12 * smile, "upper")
    if face.smiling:
        return Mouth(-5.0 - 2.5 * smile, 2.4, 2.4, 1.15 + 0.15 * smile)
    hang = 3.2 * face.mouth_mood**1.5 - 0.8
    if face.mouth_open:
        return Mouth(hang + 0.6, -2.2, 5.2 + 1.5 * smile, 0.86, teeth, 2.3)
    return Mouth(hang, 0.0, 0.0, 0.94)


def draw_mouth(pen: Pen, face: Face) -> None:
    """Lips, and between them teeth and tongue where the mouth is open; a smile lifts the cheeks."""
    mouth, y0 = mouth_of(face), face.mouth_height
    half = face.mouth_width * mouth.wide
    x = np.linspace(-1, 1, 25)
    bow = 1 - np.abs(x) ** mouth.round
    corner = y0 + mouth.corner - mouth.lopsided * np.clip(x, 0, 1) ** 1.5

    def edge(middle: float, extra: np.ndarray | float = 0.0) -> np.ndarray:
        return np.stack([x * half, corner + (middle - mouth.corner) * bow + extra], axis=1)

    full = face.lips * (1.25 if face.lipstick else 1.0) * (0.85 if face.male else 1.0)
    taper = 1 - x**4
    upper = -(3.1 * taper - 1.3 * np.exp(-((x / 0.16) ** 2)) - 0.5 * x**2) * full
    lower = 3.9 * taper * full
    natural = mix(tone(face.skin, 0.82), (188, 72, 78), 0.42)
    lips = face.lipstick_colour if face.lipstick else natural
    top, bottom = edge(mouth.top), edge(mouth.bottom)
    outer_top, outer_bottom = edge(mouth.top, upper), edge(mouth.bottom, lower)
    around = np.concatenate([outer_top, outer_bottom[::-1]])
    pen.soft([outer_bottom + [0, 2.6]], tone(face.skin, 0.6), 0.55, 1.6)
    pen.fill(around, lips, tone(lips, 0.72) if face.lipstick else None, 0.35)
    pen.fill(np.concatenate([outer_top, top[::-1]]), tone(lips, 0.88))
    shine = [(-half * 0.3, 0), (0, 0.7), (half * 0.3, 0)]
    shine = np.array(shine) + [0, y0 + mouth.bottom + 1.7 * full]
    pen.stroke(shine, tone(lips, 1.35 if face.lipstick else 1.18), 1.5)
    line = mix(tone(lips, 0.42), INK, 0.3)
    if mouth.bottom - mouth.top > 1:
        opening = np.concatenate([top, bottom[::-1]])
        with pen.inside(opening):
            pen.fill(opening, (84, 22, 30))
            pen.fill(ellipse(0, y0 + mouth.bottom + 0.5, half * 0.55, 0.36 * (mouth.bottom - mouth.top)), (206, 92, 96))
            deep = 0.36 * (mouth.bottom - mouth.top) + 0.8
            if mouth.teeth:
                pen.fill(np.concatenate([top, top[::-1] + [0, deep]]), (252, 250, 244))
            if mouth.teeth == "clenched":
                pen.fill(np.concatenate([bottom - [0, deep], bottom[::-1]]), (246, 243, 236))
        pen.line(np.concatenate([opening, opening[:1]]), line, 0.7)
    else:
        pen.draw.polygon(pen.place(np.concatenate([top - [0, 0.8], top[::-1] + [0, 0.8]])), fill=line)
    for side in (-1, 1):
        end = np.array([side * half, corner[0 if side < 0 else -1]])
        if mouth.corner <= -3 or (mouth.lopsided and side > 0):
            dimple = np.array([(-0.5, -3.6), (2.6, -0.6), (2.2, 2.8)]) * [side, 1] + end
            pen.stroke(dimple, tone(face.skin, 0.55), 2.0)
        else:
            pen.stroke([end + [-side * 1.5, 0], end + [side * 0.8, 0.4], end + [side * 1.6, 1.4]], line, 1.3)


def draw_mustache(pen: Pen, face: Face) -> None:
    """One of five mustaches, in the hair's colour or darker."""
    if not (face.mustache and face.male):
        return
    colour = mix(tone(facial_hair(face), face.mustache_tone), INK, 0.1)
    mouth = mouth_of(face)
    lip, w = face.mouth_height + mouth.top - 1.2, face.mouth_width
    lift = 0.25 * mouth.corner
    right = {
        0: [(0, lip - 8), (5, lip - 9.5), (w * 0.8, lip - 5.5), (w * 1.12, lip + 1 + lift), (w * 0.6, lip - 0.5),
            (0, lip - 2)],
        1: [(0, lip - 7), (4.5, lip - 8.5), (w * 0.8, lip - 4), (w * 1.25, lip - 5 + lift), (w * 1.5, lip - 11 + lift),
            (w * 1.45, lip - 3 + lift), (w * 1.05, lip + 0.8), (w * 0.5, lip - 0.5), (0, lip - 2.4)],
        2: [(0, lip - 9), (6, lip - 10.5), (w * 0.95, lip - 6), (w * 1.25, lip + 5 + lift), (w * 0.95, lip + 4.5),
            (w * 0.5, lip + 1.2), (0, lip + 0.5)],
        3: [(0, lip - 4.8), (5, lip - 6.8), (w * 0.7, lip - 4.4), (w * 1.1, lip + 0.5 + lift), (w * 0.6, lip - 1.4),
            (0, lip - 1.6)],
        4: [(0, lip - 8), (5, lip - 9), (w * 0.95, lip - 5.5), (w * 1.4, lip + 5), (w * 1.42, lip + 17),
            (w * 1.12, lip + 17), (w * 1.08, lip + 5), (w * 0.6, lip - 0.6), (0, lip - 2)],
    }[face.mustache_style]  # fmt: skip
    outline = curve(mirrored(right), closed=True, steps=6)
    pen.fill(outline, colour, tone(colour, 0.7), 0.5)
    with pen.inside(outline):
        for x in (3.5, 7, 10.5, 14):
            for side in (-1, 1):
                hair = [(side * x * 0.7, lip - 10), (side * x, lip - 5), (side * (x + 3.5), lip + 2)]
                pen.stroke(hair, tone(colour, 1.16), 0.9)
