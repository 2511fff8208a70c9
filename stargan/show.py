"""What the demo and the README show of a generator of drawn faces: sheets, combinations, sliders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

import notes
import quality
import shipped
from data import Preprocess
from faces import Face
from labels import attribute_targets
from legacy import load_generator
from networks import Generator
from shared_scripts.cli import UserError
from sheets import to_pixels, translate_all
from sliders import slide, swing
from vocabulary import Vocabulary

CAPTION = 30  # pixels below a film's faces


class Gallery:
    """Drawn faces that the shipped generator has never seen, and what it makes of them. UserError where it is not
    there."""

    def __init__(self, people: Sequence[Face]):
        self.generator: Generator = load_generator(shipped.GENERATOR)[0].eval()
        found = notes.read(shipped.FOLDER)
        if found is None:
            raise UserError(f"{shipped.FOLDER} has no {notes.FILE}, which ships with the generator: fetch it again")
        self.names = list(found.selected_attrs)
        self.vocabulary = Vocabulary(tuple(self.names))
        preprocess = Preprocess(found.celeba_crop_size, found.image_size)
        self.x = torch.cat([quality.picture(face, preprocess) for face in people])
        self.labels = torch.cat([quality.labels(face, self.names) for face in people])

    def sheet(self) -> tuple[list[Tensor], list[str]]:
        """The columns of a sheet, input first, each (N, 3, H, W) in [-1, 1], and their titles."""
        targets = attribute_targets(self.names, self.labels)
        columns = translate_all(self.generator, self.x, targets)
        return columns, ["input", *(title.replace("_", " ") for title, _ in targets)]

    def wish(self, wanted: Sequence[str], cleared: Sequence[str] = ()) -> Tensor:
        """The labels (N, c_dim) of all faces, changed as wished."""
        rows = []
        for row in self.labels.tolist():
            has = {name for name, value in zip(self.names, row, strict=True) if value}
            rows.append(self.vocabulary.vector(self.vocabulary.changed(has, wanted, cleared)))
        return torch.cat(rows)

    def slide(self, target: Tensor, strengths: Sequence[float]) -> Iterator[Tensor]:
        """All faces, (N, 3, H, W), on their way to other labels."""
        return slide(self.generator, self.x, self.labels, target, list(strengths))

    def film(self, frames: int, zoom: int) -> Iterator[np.ndarray]:
        """A row of all faces, (H, W, 3) uint8: each attribute in turn comes and goes in `frames` pictures."""
        for title, target in attribute_targets(self.names, self.labels):
            for faces in self.slide(target, swing(frames)):
                row = np.concatenate(list(to_pixels(faces)), axis=1)
                yield with_caption(row.repeat(zoom, 0).repeat(zoom, 1), title.replace("_", " "))


def with_caption(pixels: np.ndarray, text: str) -> np.ndarray:
    """(H, W, 3) uint8 with a strip of text below."""
    height, width = pixels.shape[:2]
    picture = Image.new("RGB", (width, height + CAPTION), "white")
    picture.paste(Image.fromarray(pixels))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=18)
    pen.text((width / 2, height + CAPTION / 2), text, fill=(40, 40, 40), font=font, anchor="mm")
    return np.array(picture)


def people(numbers: Sequence[int]) -> list[Face]:
    """Faces by their numbers among those that quality is judged by."""
    return [quality.numbered_face(number) for number in numbers]
