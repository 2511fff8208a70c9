"""Drawn faces with CelebA's attributes, for people who have no CelebA: StarGAN trains on them without a download.

A `Face` is everything a picture is drawn of. `random_face` makes one, `draw` draws it, `attributes` says which of
CelebA's attributes it has, and `with_attribute` is the same person with one of them changed: the truth that a
translated picture can be compared with, which no photograph has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from face_drawing import EXPRESSIONS, draw
from face_hair import HAIR_COLOURS

__all__ = ["ATTRIBUTES", "EXPRESSIONS", "VERSION", "Face", "attributes", "draw", "random_face", "with_attribute"]

VERSION = 1  # of the drawing: raised when the same seed gives other pixels

HAIR_ATTRIBUTES = {"Black_Hair": "black", "Blond_Hair": "blond", "Brown_Hair": "brown", "Gray_Hair": "gray"}
HAIR_RATES = {"black": 0.25, "blond": 0.25, "brown": 0.25, "gray": 0.13, "red": 0.12}  # red has no attribute of its own

# The other attributes: the field that holds each, and how many of the faces have it.
FLAGS = {
    "Bangs": ("bangs", 0.35),
    "Eyeglasses": ("eyeglasses", 0.40),
    "Male": ("male", 0.50),
    "Mouth_Slightly_Open": ("mouth_open", 0.40),
    "Mustache": ("mustache", 0.45),  # of the men
    "Rosy_Cheeks": ("rosy_cheeks", 0.30),
    "Smiling": ("smiling", 0.50),
    "Wearing_Earrings": ("earrings", 0.30),
    "Wearing_Hat": ("hat", 0.08),
    "Wearing_Lipstick": ("lipstick", 0.35),
    "Young": ("young", 0.55),
}
ATTRIBUTES = tuple(sorted([*HAIR_ATTRIBUTES, *FLAGS]))  # in the order of CelebA's file, which is the alphabet's

SKINS = (
    (252, 220, 197), (248, 210, 184), (248, 204, 187), (242, 196, 160), (232, 184, 142), (222, 170, 124),
    (206, 150, 106), (186, 128, 86), (160, 106, 70), (134, 86, 56), (120, 78, 54), (102, 66, 48),
)  # fmt: skip
SHORT_STYLES = ("short", "side", "quiff", "curly", "crop", "wavy")
LONG_STYLES = ("long", "waves", "bob", "ponytail", "bun", "afro", "pigtails")
EYE_COLOURS = (
    (88, 56, 34), (62, 40, 28), (120, 82, 44), (70, 112, 160), (96, 146, 186), (84, 128, 84), (110, 124, 70),
    (104, 116, 128),
)  # fmt: skip
LIPSTICKS = ((200, 30, 52), (222, 52, 92), (168, 24, 60), (226, 70, 60), (150, 32, 92), (212, 44, 124))
FRAMES = (
    (24, 24, 28), (58, 36, 26), (150, 34, 40), (34, 62, 130), (122, 76, 38), (176, 136, 60), (120, 126, 136),
    (20, 104, 104), (92, 44, 110),
)  # fmt: skip
JEWELS = ((236, 190, 70), (214, 220, 228), (220, 60, 80), (60, 130, 220), (60, 180, 140), (245, 240, 228))


@dataclass(frozen=True)
class Face:
    """Everything a picture is drawn of: lengths in face units (39 between the pupils), colours as RGB 0..255.

    The fields that belong to an attribute are always set, also where it is off: switched on, the glasses or the
    mustache are this person's own, whatever else is changed.
    """

    # the attributes
    hair_colour: str  # a name of HAIR_RATES
    bangs: bool
    eyeglasses: bool
    male: bool
    mouth_open: bool
    mustache: bool  # grows only where `male` is
    rosy_cheeks: bool
    smiling: bool
    earrings: bool
    hat: bool
    lipstick: bool
    young: bool
    # the head
    skin: tuple[int, int, int]
    width: float  # half of the head's
    chin: float  # y of the chin's lowest point
    jaw: float  # -1..1: narrow to broad, added to what the sex gives
    ears: float  # their size, 1 on average
    # the hair: where the colour lies in its class (0 dark, 1 light), and how it deviates
    hair_tone: float
    hair_tint: tuple[float, float, float]
    hair_style: tuple[str, str]  # a man's and a woman's
    hair_volume: float  # 0..1
    hairline: float  # its y in the middle of the forehead
    parting: float  # its x
    bangs_style: int
    # eyes, brows, nose, mouth
    eye_size: float
    eye_round: float  # height over width, 1 on average
    eye_tilt: float  # how much higher the outer corner is
    eye_colour: tuple[int, int, int]
    gaze: tuple[float, float]
    brow_height: float
    brow_angle: float
    brow_arch: float
    brow_weight: float
    nose_style: int
    nose_size: float
    mouth_width: float  # half of it
    mouth_height: float  # its y
    mouth_mood: float  # 0..1: how much the corners hang when nobody smiles
    smile: float  # 0..1: how wide, when somebody does
    lips: float  # their fullness, 1 on average
    teeth: bool  # whether an open mouth shows any
    # what may be put on
    wrinkles: float  # 0..1: how deep
    glasses_style: int
    glasses_colour: tuple[int, int, int]
    mustache_style: int
    mustache_tone: float
    blush: float
    lipstick_colour: tuple[int, int, int]
    earring_style: int
    earring_colour: tuple[int, int, int]
    hat_style: int
    hat_colour: tuple[int, int, int]
    clothes_style: int
    clothes_colour: tuple[int, int, int]
    clothes_second: tuple[int, int, int]
    # the picture
    background_style: int
    background_colours: tuple[tuple[int, int, int], tuple[int, int, int]]
    background_seed: int
    light: float  # -1: from the left, 1: from the right
    shift: tuple[float, float]  # of the face, in pixels of a picture 178 wide
    scale: float
    turn: float  # radians
    brightness: float
    contrast: float
    noise: float  # its deviation, in steps of 255
    expression: str = "neutral"  # a name of EXPRESSIONS; with "neutral", `smiling` and `mouth_open` decide


def hsv(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    """RGB 0..255 of a colour; hue, saturation and value are 0..1."""
    k = (np.array([5.0, 3.0, 1.0]) + 6 * hue) % 6
    rgb = value * (1 - saturation * np.clip(np.minimum(k, 4 - k), 0, 1))
    return tuple(int(round(255 * channel)) for channel in rgb)


def random_cloth(rng: np.random.Generator) -> tuple[int, int, int]:
    """A colour that clothes and hats have."""
    return hsv(rng.random(), rng.uniform(0.1, 0.75), rng.uniform(0.22, 0.95))


def random_background(rng: np.random.Generator) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Two colours that go together; one time in five they are of hair or skin, which makes the task harder."""
    if rng.random() < 0.2:
        dark, light = HAIR_COLOURS[str(rng.choice(list(HAIR_COLOURS)))]
        share = rng.random()
        first = tuple(int(round(a + (b - a) * share)) for a, b in zip(dark, light, strict=True))
        return first, tuple(int(np.clip(channel + rng.integers(-28, 29), 0, 255)) for channel in first)
    hue, saturation, value = rng.random(), rng.uniform(0.06, 0.5), rng.uniform(0.5, 0.98)
    step = rng.choice([0.0, 0.04, -0.06, 0.5], p=[0.4, 0.25, 0.2, 0.15])
    second = hsv((hue + step) % 1, saturation * rng.uniform(0.5, 1.1), np.clip(value + rng.uniform(-0.2, 0.1), 0.3, 1))
    return hsv(hue, saturation, value), second


def pick(rng: np.random.Generator, choices):
    """One of several."""
    return choices[int(rng.integers(len(choices)))]


def random_skin(rng: np.random.Generator) -> tuple[int, int, int]:
    """A natural tone: one of SKINS, a little lighter or darker, redder or yellower."""
    light, warm = rng.uniform(-9, 4), rng.uniform(-5, 5)
    channels = zip(pick(rng, SKINS), (0.5, -0.4, -1), strict=True)
    return tuple(int(np.clip(channel + light + warm * way, 20, 255)) for channel, way in channels)


def random_face(rng: np.random.Generator) -> Face:
    """Somebody. The same generator state gives the same face."""
    flags = {field: bool(rng.random() < rate) for field, rate in FLAGS.values()}
    flags["mustache"] &= flags["male"]  # not only hidden: a woman turned into a man has none
    style = (pick(rng, SHORT_STYLES), pick(rng, LONG_STYLES))
    if rng.random() < 0.12:  # hair's length says much about the sex here, but not all
        style = (pick(rng, LONG_STYLES[:3]), pick(rng, SHORT_STYLES))
    uniform, normal = rng.uniform, rng.normal
    return Face(
        hair_colour=str(rng.choice(list(HAIR_RATES), p=list(HAIR_RATES.values()))),
        **flags,
        skin=random_skin(rng),
        width=uniform(42.5, 47.5),
        chin=uniform(58, 66),
        jaw=uniform(-1, 1),
        ears=uniform(0.85, 1.2),
        hair_tone=uniform(0, 1),
        hair_tint=tuple(float(x) for x in normal(0, 2.5, 3)),
        hair_style=style,
        hair_volume=uniform(0, 1),
        hairline=uniform(-44, -38),
        parting=pick(rng, (-1, 1)) * uniform(4, 20),
        bangs_style=int(rng.integers(4)),
        eye_size=uniform(0.88, 1.16),
        eye_round=uniform(0.82, 1.2),
        eye_tilt=uniform(-0.6, 1.8),
        eye_colour=pick(rng, EYE_COLOURS),
        gaze=(float(np.clip(normal(0, 0.9), -2.2, 2.2)), float(np.clip(normal(0, 0.4), -0.8, 0.8))),
        brow_height=uniform(-17, -13.5),
        brow_angle=uniform(-1.5, 2.0),
        brow_arch=uniform(0.6, 3.2),
        brow_weight=uniform(0.8, 1.25),
        nose_style=int(rng.integers(5)),
        nose_size=uniform(0.85, 1.2),
        mouth_width=uniform(12.5, 16.5),
        mouth_height=uniform(37.5, 41.5),
        mouth_mood=uniform(0, 1),
        smile=uniform(0.3, 1),
        lips=uniform(0.8, 1.25),
        teeth=bool(rng.random() < 0.75),
        wrinkles=uniform(0.4, 1),
        glasses_style=int(rng.integers(5)),
        glasses_colour=pick(rng, FRAMES),
        mustache_style=int(rng.integers(5)),
        mustache_tone=uniform(0.62, 0.92),
        blush=uniform(0.6, 1),
        lipstick_colour=pick(rng, LIPSTICKS),
        earring_style=int(rng.integers(3)),
        earring_colour=pick(rng, JEWELS),
        hat_style=int(rng.integers(4)),
        hat_colour=random_cloth(rng),
        clothes_style=int(rng.integers(6)),
        clothes_colour=random_cloth(rng),
        clothes_second=random_cloth(rng),
        background_style=int(rng.integers(7)),
        background_colours=random_background(rng),
        background_seed=int(rng.integers(2**31)),
        light=pick(rng, (-1, 1)) * uniform(0.4, 1),
        shift=(uniform(-5, 5), uniform(-5, 5)),
        scale=uniform(0.92, 1.08),
        turn=uniform(-0.105, 0.105),
        brightness=uniform(-9, 9),
        contrast=uniform(0.92, 1.06),
        noise=uniform(0, 2),
    )


def attributes(face: Face) -> dict[str, bool]:
    """Which of CelebA's attributes the face has, in the order of ATTRIBUTES."""
    found = {name: getattr(face, field) for name, (field, _) in FLAGS.items()}
    found["Mustache"] = face.mustache and face.male
    found.update({name: face.hair_colour == colour for name, colour in HAIR_ATTRIBUTES.items()})
    return {name: found[name] for name in ATTRIBUTES}


def with_attribute(face: Face, name: str, value: bool) -> Face:
    """The same person with one attribute set or cleared, and all others kept.

    A hair colour that is set takes the place of the one there was; cleared, the hair becomes red, which none of the
    attributes names. A mustache goes when `Male` does, and comes back with it. ValueError for an attribute that is
    not in ATTRIBUTES, and for a mustache where there is no man to wear it.
    """
    if name in HAIR_ATTRIBUTES:
        if value:
            return replace(face, hair_colour=HAIR_ATTRIBUTES[name])
        return replace(face, hair_colour="red") if face.hair_colour == HAIR_ATTRIBUTES[name] else face
    if name not in FLAGS:
        raise ValueError(f"{name!r} is none of {', '.join(ATTRIBUTES)}")
    if name == "Mustache" and value and not face.male:
        raise ValueError("only a face with Male can have a Mustache")
    return replace(face, **{FLAGS[name][0]: bool(value)})
