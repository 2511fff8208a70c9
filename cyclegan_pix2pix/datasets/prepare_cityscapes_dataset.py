"""Make the papers' data set of Cityscapes, whose licence has every user fetch the originals.

Get gtFine_trainvaltest.zip and leftImg8bit_trainvaltest.zip from https://www.cityscapes-dataset.com, unpack them, and:

    python datasets/prepare_cityscapes_dataset.py --gtFine_dir ./gtFine/ --leftImg8bit_dir ./leftImg8bit/ \
        --output_dir ./datasets/cityscapes/

Photographs and colour labels become 256 x 256: train/0.jpg with the photograph left and the label right, for pix2pix;
trainA/0_A.jpg and trainB/0_B.jpg, for CycleGAN. Cityscapes' val becomes test.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from pairs import for_all, name_some, save_picture, side_by_side
from PIL import Image

from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.files import resolve_path
from shared_scripts.images import read_image

PHASES = {"train": "train", "val": "test"}  # Cityscapes' names and ours
PHOTO, LABEL = "_leftImg8bit.png", "_gtFine_color.png"
SIZE = (256, 256)


def load_small(path: Path, resample: str) -> np.ndarray:
    """A picture as (256, 256, 3) uint8."""
    return np.array(Image.fromarray(read_image(path)).resize(SIZE, Image.Resampling[resample.upper()]))


def convert(photo: Path, label: Path, folder: Path, phase: str, number: int, resample: str) -> list[str]:
    """Write a scene's three files; how each was saved."""
    pixels = load_small(photo, resample), load_small(label, resample)
    save = partial(save_picture, quality=100, subsampling=0)  # labels are flat colours with sharp edges
    return [
        save(folder / phase / f"{number}.jpg", side_by_side(*pixels)),
        save(folder / f"{phase}A" / f"{number}_A.jpg", pixels[0]),
        save(folder / f"{phase}B" / f"{number}_B.jpg", pixels[1]),
    ]


def find_scenes(photos: Path, labels: Path, split: str) -> list[tuple[Path, Path]]:
    """All (photograph, label) of a split, sorted. UserError where there are none, or labels are missing."""
    for tree, flag in ((photos, "--leftImg8bit_dir"), (labels, "--gtFine_dir")):
        if not (tree / split).is_dir():
            raise UserError(
                f"there is no folder {tree / split}; {flag} names the unpacked folder with train and val in it"
            )
    found = sorted((photos / split).glob(f"*/*{PHOTO}"), key=lambda path: path.as_posix())
    if not found:
        raise UserError(f"there are no photographs CITY/*{PHOTO} in {photos / split}")
    scenes = [(path, labels / split / path.parent.name / (path.name.removesuffix(PHOTO) + LABEL)) for path in found]
    missing = [label for _, label in scenes if not label.is_file()]
    if missing:
        raise UserError(f"{len(missing)} of {len(scenes)} photographs have no label in {labels}: {name_some(missing)}")
    return scenes


def prepare(labels: Path, photos: Path, output: Path, resample: str = "bicubic", processes: int | None = None) -> int:
    """Convert both splits; the exit status: 1 where some pictures failed. UserError before anything is written."""
    tasks = []
    for split, phase in PHASES.items():
        scenes = find_scenes(photos, labels, split)
        print(f"{split}: {len(scenes)} scenes", flush=True)
        tasks += [(photo, label, output, phase, i, resample) for i, (photo, label) in enumerate(scenes)]
    return for_all(convert, tasks, processes)


def parse_arguments(argv: list[str] | None):
    """The command line."""
    parser = ArgumentParser(description="Make the papers' data set of the Cityscapes you have downloaded.")
    parser.add_argument(
        "--gtFine_dir", required=True, metavar="FOLDER", help="unpacked gtFine_trainvaltest.zip's gtFine"
    )
    parser.add_argument("--leftImg8bit_dir", required=True, metavar="FOLDER", help="the other zip's leftImg8bit")
    parser.add_argument("--output_dir", required=True, metavar="FOLDER", help="where the data set goes")
    choices = ["bicubic", "nearest"]
    parser.add_argument("--resample", default="bicubic", choices=choices, help="nearest: as before Pillow 7 (2020)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = parse_arguments(argv)
    folders = [resolve_path(name) for name in (options.gtFine_dir, options.leftImg8bit_dir, options.output_dir)]
    return prepare(*folders, options.resample)


if __name__ == "__main__":
    run(main)
