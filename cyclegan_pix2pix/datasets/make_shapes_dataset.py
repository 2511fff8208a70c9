"""Draw a small data set, for people who have none: outlines of shapes, and the same shapes in colour and light.

The mapping can be learnt, and is not trivial: an outline does not say its colour, its kind does (hearts are pink,
squares are blue), and the shading and the shadow follow from the geometry.

    python datasets/make_shapes_dataset.py    # writes datasets/shapes, in a few seconds
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.files import ensure_folder, resolve_path

LAYOUTS = ("both", "aligned", "unaligned")
STAMP = ".shapes.json"  # says with what settings a folder was made
VERSION = 1  # of the drawing: raised when the same seed gives other pixels

# Each kind's colour, where the light falls on it straight.
COLOURS = {
    "circle": (236, 84, 78),
    "ellipse": (164, 104, 222),
    "triangle": (86, 186, 104),
    "square": (66, 132, 236),
    "hexagon": (38, 186, 190),
    "star": (250, 188, 48),
    "heart": (244, 120, 172),
}
INK = np.array([38.0, 38.0, 48.0])
# The background, as quiet as a studio's: from the corner near the light to the far one.
NEAR, FAR = np.array([246.0, 243.0, 237.0]), np.array([203.0, 207.0, 216.0])
LIGHT = np.array([-0.6, -0.8])  # where it comes from: x to the right, y down


# ---- geometry, in units of the picture's side -----------------------------------------------------------------------


@dataclass
class Shape:
    """One shape: its kind, its centre (x, y), the radius of the circle around it, and its corners (N, 2)."""

    kind: str
    centre: np.ndarray
    radius: float
    corners: np.ndarray


def regular(number: int, inner: float = 1.0) -> np.ndarray:
    """(number, 2) corners on the unit circle; with `inner`, every second one on a circle of that radius."""
    angle = 2 * np.pi * np.arange(number) / number - np.pi / 2
    radius = np.where(np.arange(number) % 2, inner, 1.0)[:, None]
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def heart() -> np.ndarray:
    """(48, 2) corners of a heart in the unit circle."""
    t = 2 * np.pi * np.arange(48) / 48
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    corners = np.stack([x, y - 2], axis=1)  # -2: the middle of its height comes to 0
    return corners / np.hypot(*corners.T).max()


CORNERS = {
    "circle": regular(48),
    "ellipse": regular(48) * [0.5, 1.0],
    "triangle": regular(3),
    "square": regular(4),
    "hexagon": regular(6),
    "star": regular(10, inner=0.45),
    "heart": heart(),
}


def draw_shape(rng: np.random.Generator, placed: list[Shape], largest: float) -> Shape | None:
    """A shape of random kind, size, place and rotation, clear of those `placed` and of the border; None: no room."""
    kind = str(rng.choice(list(COLOURS)))
    for _ in range(40):
        radius = rng.uniform(0.12, largest)
        centre = rng.uniform(radius + 0.02, 1 - radius - 0.05, size=2)  # below and right the shadow needs room
        if all(np.hypot(*(centre - other.centre)) > radius + other.radius + 0.03 for other in placed):
            turn = rng.uniform(0, 2 * np.pi)
            rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
            return Shape(kind, centre, radius, centre + radius * CORNERS[kind] @ rotation)
    return None


def draw_scene(rng: np.random.Generator) -> list[Shape]:
    """Two to five shapes that do not touch."""
    while True:
        wanted, placed = int(rng.integers(2, 6)), []
        for _ in range(wanted):
            shape = draw_shape(rng, placed, largest=0.03 + 0.36 / wanted**0.5)  # many must be small to find room
            placed += [shape] if shape else []
        if len(placed) >= 2:
            return placed


def signed_distance(x: np.ndarray, y: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """How far points are from a polygon's outline, negative inside; `x` and `y` of any one shape."""
    nearest = np.full(x.shape, np.inf)
    inside = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        ex, ey = bx - ax, by - ay
        along = np.clip(((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey), 0, 1)
        nearest = np.minimum(nearest, (x - ax - along * ex) ** 2 + (y - ay - along * ey) ** 2)
        if ay != by:  # a ray to the right crosses this edge: odd many crossings mean inside
            inside ^= ((ay <= y) != (by <= y)) & (x < ax + (y - ay) / ey * ex)
    return np.sqrt(nearest) * np.where(inside, -1, 1)


# ---- painting -------------------------------------------------------------------------------------------------------


def smooth(values: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, and a soft slope between."""
    values = np.clip(values, 0, 1)
    return values * values * (3 - 2 * values)


def blend(pixels: np.ndarray, colour: np.ndarray, cover: np.ndarray) -> None:
    """Lay a colour over (h, w, 3) pixels in place, as much of it as `cover`, (h, w) in 0..1, says."""
    pixels += (colour - pixels) * cover[..., None]


def lit(shape: Shape, x: np.ndarray, y: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """The shape's colour at points, (h, w, 3): light falls from the upper left on something like a cushion."""
    colour = np.array(COLOURS[shape.kind], float)
    across = ((x - shape.centre[0]) * LIGHT[0] + (y - shape.centre[1]) * LIGHT[1]) / shape.radius  # 1: nearest the lamp
    spot = np.hypot(*(shape.centre + 0.42 * shape.radius * LIGHT)[:, None, None] - np.stack([x, y])) / shape.radius
    rim = np.exp(distance / (0.14 * shape.radius))  # 1 at the edge, 0 deep inside
    shade = 0.86 + 0.2 * across - 0.34 * rim * smooth(0.45 - across)
    pixels = colour * np.clip(shade, 0.3, 1.06)[..., None]
    blend(pixels, np.array([255.0, 255.0, 255.0]), 0.62 * smooth(1 - spot / 0.75) ** 2)
    return pixels


def draw_pair(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """One scene twice: its outlines, and its shapes in colour with light and shadow; both (size, size, 3) uint8."""
    return paint(draw_scene(rng), size)


def paint(scene: list[Shape], size: int) -> tuple[np.ndarray, np.ndarray]:
    """`draw_pair`'s two pictures of a scene. Computed at twice the size, so that the edges come out smooth."""
    double = 2 * size
    y, x = (np.mgrid[:double, :double] + 0.5) / double
    slope = ((x + y) / 2)[..., None]
    filled = NEAR + (FAR - NEAR) * slope
    outline = np.full((double, double, 3), 255.0)
    line = 0.0105 * (64 / size) ** 0.5  # half a line's width: 1.3 pixels of 64, 2.7 of 256
    for shape in scene:
        # The shape, its line and its shadow lie in this window; the rest need not be computed.
        low = np.maximum(((shape.centre - shape.radius - 0.03) * double).astype(int), 0)
        high = ((shape.centre + shape.radius + 0.12) * double).astype(int)
        window = np.s_[low[1] : high[1], low[0] : high[0]]
        px, py = x[window], y[window]
        distance = signed_distance(px, py, shape.corners)
        shadow = signed_distance(px - 0.022, py - 0.030, shape.corners)
        blend(filled[window], FAR * 0.42, 0.6 * smooth(0.5 - shadow / 0.05))
        blend(filled[window], lit(shape, px, py, distance), np.clip(0.5 - distance * double, 0, 1))
        blend(outline[window], INK, np.clip(0.5 + (line - np.abs(distance + line)) * double, 0, 1))
    return halve(outline), halve(filled)


def halve(pixels: np.ndarray) -> np.ndarray:
    """(2n, 2n, 3) floats 0..255 as (n, n, 3) uint8, each the mean of four."""
    mean = (pixels[::2, ::2] + pixels[1::2, ::2] + pixels[::2, 1::2] + pixels[1::2, 1::2]) / 4
    return np.clip(np.rint(mean), 0, 255).astype(np.uint8)


# ---- the data set ---------------------------------------------------------------------------------------------------


def pictures(size: int, train: int, test: int, seed: int, layout: str) -> Iterator[tuple[str, np.ndarray]]:
    """All of a set: (name below its folder, (H, W, 3) uint8).

    Each picture has a generator of its own, so that a larger set with the same seed begins with the smaller one.
    """
    for number in range(1, train + 1):
        outline, filled = draw_pair(np.random.default_rng([seed, 0, number]), size)
        if layout != "unaligned":
            yield f"train/{number:04d}.png", np.concatenate([outline, filled], axis=1)
        if layout != "aligned":
            yield f"trainA/{number:04d}.png", outline
            # Other scenes than A's: nothing in the set tells what an outline of A looks like when it is filled.
            yield f"trainB/{number:04d}.png", draw_pair(np.random.default_rng([seed, 1, number]), size)[1]
    for number in range(1, test + 1):
        outline, filled = draw_pair(np.random.default_rng([seed, 2, number]), size)
        if layout != "unaligned":
            yield f"test/{number:04d}.png", np.concatenate([outline, filled], axis=1)
        if layout != "aligned":
            yield f"testA/{number:04d}.png", outline
            yield f"testB/{number:04d}.png", filled


def write_dataset(
    folder: str | Path, size: int = 64, train: int = 200, test: int = 20, seed: int = 0, layout: str = "both"
) -> bool:
    """Write a set into a new folder; False where exactly this set is there already.

    Aligned: FOLDER/train and test, outline and filled side by side. Unaligned: trainA (outlines), trainB (filled, of
    other scenes), and testA and testB, which are pairs, so that results can be compared. The folder appears when all
    of it is drawn. Raises UserError where the numbers make no sense or the folder holds anything else.
    """
    check_settings(size, train, test, seed, layout)
    folder = Path(folder)
    settings = dict(version=VERSION, size=size, train=train, test=test, seed=seed, layout=layout)
    if is_there(folder, settings):
        return False
    ensure_folder(folder.parent)
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        for name, pixels in pictures(size, train, test, seed, layout):
            path = scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
        (scratch / STAMP).write_text(json.dumps(settings) + "\n")
        if folder.exists():
            folder.rmdir()  # an empty one, in whose place Windows renames nothing
        scratch.rename(folder)
    except OSError as problem:
        raise UserError(f"cannot write {folder}: {problem.strerror or problem}") from problem
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return True


def check_settings(size: int, train: int, test: int, seed: int, layout: str) -> None:
    """UserError where a number is out of range."""
    if not 16 <= size <= 2048:
        raise UserError(f"--size must be 16 to 2048, not {size}")
    if train < 1 or test < 0:
        raise UserError(f"--train must be at least 1 and --test at least 0, not {train} and {test}")
    if seed < 0:
        raise UserError(f"--seed must not be negative, and is {seed}")
    if layout not in LAYOUTS:
        raise UserError(f"--layout must be one of {', '.join(LAYOUTS)}, not {layout!r}")


def is_there(folder: Path, settings: dict) -> bool:
    """Whether the folder holds the whole set of these settings; UserError where it holds something else."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another folder with --out")
    if not folder.exists() or not any(folder.iterdir()):
        return False
    try:
        found = json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        raise UserError(f"{folder} holds other files already; choose another folder with --out") from None
    if found != settings:
        raise UserError(f"{folder} holds a set with other settings; delete it, or choose another folder with --out")
    per_scene = {"aligned": 1, "unaligned": 2, "both": 3}[settings["layout"]]
    expected = per_scene * (settings["train"] + settings["test"])
    count = sum(1 for _ in folder.glob("*/*.png"))
    if count < expected:
        raise UserError(f"{folder} has {count} of its {expected} pictures; delete it and run this again")
    return True


def default_folder() -> Path:
    """datasets/shapes, here if there is a folder datasets, else in the project."""
    return Path("datasets", "shapes") if Path("datasets").is_dir() else Path(__file__).resolve().parent / "shapes"


def parse_arguments(argv: list[str] | None):
    """The command line."""
    parser = ArgumentParser(description="Draw a small data set: outlines of shapes, and the same shapes filled.")
    parser.add_argument("--out", default=str(default_folder()), metavar="FOLDER", help="the new folder")
    parser.add_argument("--size", type=int, default=64, help="side of the pictures in pixels")
    parser.add_argument("--train", type=int, default=200, help="how many to train with")
    parser.add_argument("--test", type=int, default=20, help="how many to test with")
    parser.add_argument("--seed", type=int, default=0, help="another number gives other pictures")
    parser.add_argument("--layout", default="both", choices=LAYOUTS, help="pairs for pix2pix, two heaps for CycleGAN")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    options = parse_arguments(argv)
    folder = resolve_path(options.out)
    new = write_dataset(folder, options.size, options.train, options.test, options.seed, options.layout)
    print(
        f"{folder}: {options.train} to train with, {options.test} to test with" if new else f"{folder} is there already"
    )


if __name__ == "__main__":
    run(main)
