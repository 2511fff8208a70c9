"""A pen for drawing faces: smooth curves, tapered strokes and soft shades on a Pillow picture.

Points are (N, 2) arrays of (x, y) in face units: the origin is between the eyes, x to the right and y down, and the
pupils of a face of average size are 39 units apart, as they are pixels in an aligned CelebA picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
FINER = 3  # everything is drawn this many times larger and then reduced: Pillow's own edges are jagged


def curve(points: Sequence, closed: bool = False, steps: int = 8) -> np.ndarray:
    """A smooth line (N, 2) through all `points` (Catmull-Rom), with `steps` pieces from one to the next."""
    points = np.asarray(points, float)
    if closed:
        wound = np.concatenate([points[-1:], points, points[:2]])
    else:
        wound = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    a, b, c, d = (wound[i : len(wound) - 3 + i, None] for i in range(4))
    t = (np.arange(steps) / steps)[None, :, None]
    line = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    line = line.reshape(-1, 2)
    return line if closed else np.concatenate([line, points[-1:]])


def mirrored(right: Sequence) -> np.ndarray:
    """A symmetrical outline from its right half, top to bottom; points with x = 0 are not doubled."""
    right = np.asarray(right, float)
    left = right[::-1] * [-1, 1]
    return np.concatenate([right, left[left[:, 0] != 0]])


def ellipse(x: float, y: float, rx: float, ry: float | None = None, steps: int = 28) -> np.ndarray:
    """The outline (steps, 2) of an ellipse; a circle without `ry`."""
    angle = 2 * np.pi * np.arange(steps) / steps
    return np.stack([x + rx * np.cos(angle), y + (rx if ry is None else ry) * np.sin(angle)], axis=1)


def ribbon(line: np.ndarray, width: float, ends: tuple[float, float] = (0.15, 0.15)) -> np.ndarray:
    """The outline of a stroke along `line` that is `width` wide in its middle and `ends` times that at its ends."""
    t = np.linspace(0, 1, len(line))
    base = ends[0] + (ends[1] - ends[0]) * t
    half = 0.5 * width * np.maximum(base, np.sin(np.pi * t) ** 0.6)[:, None]
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    across = along[:, ::-1] * [-1, 1]
    return np.concatenate([line + half * across, (line - half * across)[::-1]])


def mix(one: Colour, two: Colour, share: float) -> Colour:
    """The colour between two: `share` is how much of the second."""
    return tuple(int(round(a + (b - a) * share)) for a, b in zip(one, two, strict=True))


def tone(colour: Colour, factor: float) -> Colour:
    """A colour darkened (factor below 1) or mixed with white (above 1: 1.3 is 30 % white)."""
    return mix(colour, (255, 255, 255), factor - 1) if factor > 1 else mix((0, 0, 0), colour, factor)


def around(points: np.ndarray, margin: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box (left, top, right, bottom) around points with a margin, of at least one pixel, in a picture of `size`."""
    low = np.clip(np.floor(points.min(0) - margin), 0, np.array(size) - 1).astype(int)
    high = np.clip(np.ceil(points.max(0) + margin), low + 1, size).astype(int)
    return (*low.tolist(), *high.tolist())


class Pen:
    """Draws face units into a picture of `width` x `height` pixels."""

    def __init__(self, width: int, height: int, origin: tuple[float, float], scale: float, turn: float):
        """`origin` is the pixel the face's origin comes to, `scale` the pixels in a unit, `turn` in radians."""
        self.image = Image.new("RGB", (width * FINER, height * FINER))
        self.draw = ImageDraw.Draw(self.image)
        self.scale = scale
        self.origin = np.array(origin, float)
        cos, sin = scale * np.cos(turn), scale * np.sin(turn)
        self.matrix = np.array([[cos, sin], [-sin, cos]])

    def place(self, points: np.ndarray, finer: int = FINER) -> list[tuple[float, float]]:
        """Face units as places in the picture, `finer` times enlarged, in Pillow's form."""
        return list(map(tuple, (finer * (np.asarray(points, float) @ self.matrix + self.origin)).tolist()))

    def thick(self, units: float) -> int:
        """A line's width in pixels of the enlarged picture."""
        return max(1, round(units * self.scale * FINER))

    def fill(self, points: np.ndarray, colour: Colour, outline: Colour | None = None, width: float = 1.0) -> None:
        """A filled outline; with a line around it where `outline` is given."""
        self.group([points], colour, outline, width)

    def group(self, shapes: Sequence[np.ndarray], colour: Colour, outline: Colour | None = None, width: float = 1.0):
        """Overlapping shapes as one: the line runs around all of them together."""
        placed = [self.place(points) for points in shapes]
        if outline:
            for points in placed:  # twice as wide: the inner half is painted over
                self.draw.line(points + points[:2], fill=outline, width=self.thick(2 * width), joint="curve")
        for points in placed:
            self.draw.polygon(points, fill=colour)

    def line(self, points: np.ndarray, colour: Colour, width: float) -> None:
        """A line of the same width everywhere, with round ends."""
        placed, thick = self.place(points), self.thick(width)
        self.draw.line(placed, fill=colour, width=thick, joint="curve")
        for x, y in (placed[0], placed[-1]):
            self.draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=colour)

    def stroke(self, points: Sequence, colour: Colour, width: float, ends: tuple[float, float] = (0.15, 0.15)) -> None:
        """A smooth tapered stroke through points."""
        self.draw.polygon(self.place(ribbon(curve(points, steps=6), width, ends)), fill=colour)

    def mask(self, shapes: Sequence[np.ndarray]) -> Image.Image:
        """255 where any of the shapes is, else 0; in the enlarged picture's size."""
        mask = Image.new("L", self.image.size)
        draw = ImageDraw.Draw(mask)
        for points in shapes:
            draw.polygon(self.place(points), fill=255)
        return mask

    def soft(
        self,
        shapes: Sequence[np.ndarray],
        colour: Colour,
        strength: float,
        blur: float,
        clip: Image.Image | None = None,
        inverted: bool = False,
    ) -> None:
        """Shapes with soft edges (`blur` units), `strength` 0..1 opaque, only where `clip` is; `inverted`: around."""
        placed = [np.array(self.place(points, 1)) for points in shapes]
        size = self.image.width // FINER, self.image.height // FINER  # soft things need no fine grid
        box = (0, 0, *size) if inverted else around(np.concatenate(placed), 3 * blur * self.scale, size)
        low = Image.new("L", (box[2] - box[0], box[3] - box[1]), round(255 * strength) if inverted else 0)
        draw = ImageDraw.Draw(low)
        for points in placed:
            draw.polygon(list(map(tuple, (points - box[:2]).tolist())), fill=0 if inverted else round(255 * strength))
        low = low.filter(ImageFilter.GaussianBlur(blur * self.scale))
        mask = low.resize((low.width * FINER, low.height * FINER), Image.Resampling.BILINEAR)
        box = tuple(FINER * edge for edge in box)
        if clip is not None:
            mask = ImageChops.multiply(mask, clip.crop(box))
        self.image.paste(colour, box, mask)

    @contextmanager
    def inside(self, *shapes: np.ndarray) -> Iterator[None]:
        """What is drawn in this block appears only inside the shapes."""
        whole, origin = self.image, self.origin
        placed = [np.array(self.place(points, 1)) for points in shapes]
        size = whole.width // FINER, whole.height // FINER
        box = around(np.concatenate(placed), 1, size)
        large = tuple(FINER * edge for edge in box)
        self.image, self.origin = whole.crop(large), origin - box[:2]
        self.draw = ImageDraw.Draw(self.image)
        yield
        whole.paste(self.image, large, self.mask(shapes))
        self.image, self.origin, self.draw = whole, origin, ImageDraw.Draw(whole)

    def finish(self) -> np.ndarray:
        """(height, width, 3) float32, 0..255: the picture, reduced."""
        return np.asarray(self.image.reduce(FINER), np.float32)
