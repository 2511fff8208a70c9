"""Pictures and their labels: CelebA with its attribute file, and folders with a class each (RaFD, your own)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from attributes import AttributeTable, count_test_pictures, read_attributes, split
from shared_scripts.cli import UserError
from shared_scripts.files import natural_key, resolve_path
from shared_scripts.images import has_picture_name, read_image
from shared_scripts.memory import check_memory
from shared_scripts.progress import tell

SPLITS = ("train", "test", "val")


# --- from a picture to a tensor -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preprocess:
    """Cut `crop` x `crop` pixels out of the middle, scale to `size`; with `flip`, mirror every second picture before.

    `old` is the 2017 version's way: it scaled with Lanczos' filter, and mirrored last.
    """

    crop: int
    size: int
    flip: bool = False
    old: bool = False

    def __post_init__(self) -> None:
        """UserError where a single picture of that size would fill the memory."""
        needed = 6 * self.crop**2 + 16 * self.size**2  # bytes, and floats
        check_memory(needed, f"pictures cut to {self.crop} and scaled to {self.size} pixels")

    def __call__(self, pixels: np.ndarray) -> Tensor:
        """(H, W, 3) uint8 to (3, size, size) in [-1, 1]. Draws one number from torch's generator if `flip`."""
        mirrored = self.flip and bool(torch.rand(1) < 0.5)
        return to_tensor(self.picture(Image.fromarray(pixels), mirrored))

    def picture(self, image: Image.Image, mirrored: bool = False) -> Image.Image:
        """The same as a picture."""
        if self.old:
            image = centre_crop(image, self.crop).resize((self.size, self.size), Image.Resampling.LANCZOS)
            return ImageOps.mirror(image) if mirrored else image
        image = centre_crop(ImageOps.mirror(image) if mirrored else image, self.crop)
        return image.resize((self.size, self.size), Image.Resampling.BILINEAR)


def centre_crop(image: Image.Image, side: int) -> Image.Image:
    """The middle `side` x `side` pixels, by torchvision's rounding; smaller pictures get black borders first."""
    width, height = image.size
    if width < side or height < side:
        left, top = max(0, side - width) // 2, max(0, side - height) // 2
        padded = Image.new("RGB", (max(width, side), max(height, side)))
        padded.paste(image, (left, top))
        image, (width, height) = padded, padded.size
    left, top = round((width - side) / 2), round((height - side) / 2)
    return image.crop((left, top, left + side, top + side))


def to_tensor(image: Image.Image | np.ndarray) -> Tensor:
    """(H, W, 3) uint8 as (3, H, W) float32 in [-1, 1]."""
    pixels = torch.from_numpy(np.array(image, dtype=np.uint8)).permute(2, 0, 1)
    return (pixels.float().div(255) - 0.5) / 0.5


# --- data sets ----------------------------------------------------------------------------------------------------


class LabelledPictures(torch.utils.data.Dataset):
    """Picture files with labels; items {"x": (3, size, size) in [-1, 1], "label": the label as a tensor}.

    UserError, from an item, where its file cannot be read.
    """

    def __init__(self, paths: Sequence[Path], labels: Tensor, preprocess: Preprocess, kept: int | None = None):
        self.paths, self.labels, self.preprocess = list(paths), labels, preprocess
        self.kept = kept  # how many of the attribute file's pictures are for testing

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"x": self.preprocess(read_image(self.paths[index])), "label": self.labels[index]}


def open_celeba(
    image_dir: str | Path,
    table: AttributeTable,
    selected: Sequence[str],
    preprocess: Preprocess,
    train: bool,
    test_pictures: int | None = None,
    reference_exact: bool = False,
) -> LabelledPictures:
    """CelebA's training or test pictures, with the selected attributes as (n, c_dim) labels of 0 and 1.

    UserError where there are none.
    """
    rows = table.select(selected)
    kept = count_test_pictures(len(rows), test_pictures, train, reference_exact)
    training, test = split(rows, kept)
    chosen = training if train else test
    if not chosen:
        raise UserError(
            f"{table.path} has {len(rows)} rows, and {kept} of them are for testing, so none is left to train on; "
            "--test_images N keeps fewer"
            if train
            else f"no rows of {table.path} are kept for testing; --test_images N keeps some"
        )
    if train and len(training) <= len(test):
        tell(
            f"Of the {len(rows)} pictures {kept} are kept for testing (--test_images), {len(training)} are trained on."
        )
    folder = find_pictures(resolve_path(image_dir), chosen[0][0])
    return LabelledPictures(
        [folder / name for name, _ in chosen], torch.tensor([v for _, v in chosen]), preprocess, len(test)
    )


def find_pictures(folder: Path, example: str) -> Path:
    """The folder that has the picture `example`: the one named, or one or two levels below it. UserError if none."""
    if not folder.is_dir():
        raise UserError(
            f"there is no folder {folder} (--celeba_image_dir); 'bash download.sh celeba' fetches CelebA, "
            "'python make_faces_dataset.py' draws faces of the same format"
        )
    if resolve_path(folder / example).is_file() or any(has_picture_name(path) for path in folder.iterdir()):
        return folder  # single pictures may be missing: they are named when they are met
    for below in [*sorted(folder.glob("*/")), *sorted(folder.glob("*/*/"))]:
        if resolve_path(below / example).is_file():
            tell(f"The pictures are in {below}: reading them there.")
            return below
    raise UserError(f"{folder} has no picture {example}, which the attribute file names, nor has a folder below it")


def find_attribute_file(path: str | Path) -> AttributeTable:
    """The attribute table of a file, or of the one of that name with the other ending: Kaggle has it as CSV."""
    path = resolve_path(path)
    if not path.exists():
        other = path.with_suffix(".csv" if path.suffix == ".txt" else ".txt")
        if other.is_file():
            path = other
    return read_attributes(path)


def find_classes(root: str | Path, train: bool) -> tuple[Path, list[str]]:
    """The folder whose sub-folders are the classes, and their names, sorted: class 0 is the first one.

    Of a folder one level too high, with train and test in it, the one that fits is taken. UserError without classes.
    """
    root = resolve_path(root)
    if not root.is_dir():
        raise UserError(f"there is no folder {root} (--rafd_image_dir): it should have a folder with pictures a class")
    names = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    if names and {*names} <= {*SPLITS} and has_folders(root / names[0]):
        part = next(name for name in (("train",) if train else ("test", "val", "train")) if name in names)
        tell(f"{root} holds {' and '.join(names)}, which are no classes: reading {root / part}.")
        return find_classes(root / part, train)
    if not names:
        raise UserError(f"{root} has no folders in it: it should have one with pictures for each class")
    return root, names


def has_folders(path: Path) -> bool:
    """Whether there is a folder in a folder."""
    return any(inner.is_dir() for inner in path.iterdir())


def open_classes(root: Path, names: Sequence[str], preprocess: Preprocess) -> LabelledPictures:
    """The pictures in root/CLASS/ (and below), with the classes' numbers as (n,) labels. UserError where a class has
    no pictures."""
    paths, labels = [], []
    for number, name in enumerate(names):
        found = sorted(path for path in (root / name).rglob("*") if has_picture_name(path))
        if not found:
            raise UserError(f"there are no pictures in {root / name}, which counts as a class because it is a folder")
        paths += sorted(found, key=lambda path: natural_key(path.as_posix()))
        labels += [number] * len(found)
    return LabelledPictures(paths, torch.tensor(labels), preprocess)
