"""What a training notes beside its checkpoints, so that testing need not be told again: labels.json.

A checkpoint says how many labels its generator takes, not which.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from options import DATASETS, VARIANTS
from shared_scripts.cli import UserError
from shared_scripts.files import atomic_write
from sources import Source

FILE = "labels.json"


@dataclass(frozen=True)
class Notes:
    """The labels in the generator's order, and how pictures were prepared."""

    dataset: str
    selected_attrs: list[str]
    classes: list[str]
    image_size: int
    celeba_crop_size: int
    rafd_crop_size: int
    variant: str = "current"
    test_images: int | None = None  # how many of CelebA's pictures were kept for testing

    @classmethod
    def of(cls, opt: argparse.Namespace, sources: list[Source]) -> Notes:
        """Those of a training."""
        attributes = [name for source in sources if not source.domain.exclusive for name in source.domain.names]
        classes = [name for source in sources if source.domain.exclusive for name in source.domain.names]
        kept = sources[0].dataset.kept if attributes else None
        crops = opt.image_size, opt.celeba_crop_size, opt.rafd_crop_size
        return cls(opt.dataset, attributes, classes, *crops, opt.variant, kept)


def write(folder: Path, notes: Notes) -> None:
    """Write the notes into a folder of checkpoints."""
    with atomic_write(folder / FILE) as temporary:
        temporary.write_text(json.dumps(asdict(notes), indent=1) + "\n", encoding="utf-8")


def read(folder: Path) -> Notes | None:
    """The notes in a folder, None where there are none. UserError where they are damaged."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        found = Notes(**json.loads(path.read_text(encoding="utf-8")))
        if not all(isinstance(name, str) for name in [*found.selected_attrs, *found.classes]):
            raise TypeError("a name is no text")
        if not all(type(n) is int and n > 0 for n in (found.image_size, found.celeba_crop_size, found.rafd_crop_size)):
            raise TypeError("a size is no number")
        if found.dataset not in DATASETS or found.variant not in VARIANTS:
            raise ValueError("there is no such data set or version")
        if found.test_images is not None and (type(found.test_images) is not int or found.test_images < 0):
            raise TypeError("test_images is no number")
        return found
    except (ValueError, TypeError) as problem:
        raise UserError(f"{path} is damaged; delete it, and name the labels with --selected_attrs") from problem
