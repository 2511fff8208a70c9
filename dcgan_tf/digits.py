"""Handwritten digits as a folder of PNGs to train on: those that come with scikit-learn, with no download.

    python digits.py                      1797 digits, 32 x 32, into data/digits
    python digits.py --mnist data/mnist   MNIST's, into data/mnist_png
    python digits.py --variants 4         four of each of the first, moved a little: more to learn from

`main.py --dataset digits --input_fname_pattern "*.png" --train` then learns them like any other pictures.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from mnist import load_mnist
from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.digits import enlarge, load_digits
from shared_scripts.files import ensure_folder, resolve_path
from shared_scripts.progress import tell

SIZE = 32  # four times 8: halves evenly at every layer
MNIST_SIZE = 28
LARGEST = 1024


def load_mnist_pixels(folder: Path, size: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """MNIST from a folder, (N, size, size) uint8 (28 where no size is given), and the labels (N,)."""
    images, labels = load_mnist(folder)
    pixels = np.rint(images[..., 0] * 255).astype(np.uint8)
    return (pixels if size is None else enlarge(pixels, size)), labels


def vary(pixels: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Each of (N, s, s) uint8 `count` times, slightly turned, shifted and scaled -> (N count, s, s).

    1,797 digits are so few that a discriminator knows them by heart within minutes, and the generator then ends with
    one or two that fool it. The digits are made smaller by a quarter, so that there is room to move.
    """
    random = np.random.default_rng(seed)
    return np.stack([moved(Image.fromarray(one), random) for one in pixels for _ in range(count)])


def moved(picture: Image.Image, random: np.random.Generator) -> np.ndarray:
    """A square picture turned by up to 12 degrees, shifted by up to 6 % and scaled to 68..83 %."""
    side = picture.width
    angle, scale = np.deg2rad(random.uniform(-12, 12)), 0.75 * random.uniform(0.9, 1.1)
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    middle, (right, down) = side / 2, random.uniform(-0.06, 0.06, 2) * side
    # Pillow asks where each new pixel comes from: first back to the middle, then turned and scaled around it
    x, y = (middle - (cosine * (middle + right) + sine * (middle + down)),
            middle - (-sine * (middle + right) + cosine * (middle + down)))  # fmt: skip
    where = (cosine, sine, x, -sine, cosine, y)
    return np.asarray(picture.transform((side, side), Image.Transform.AFFINE, where, Image.Resampling.BICUBIC))


def write_digits(folder: str | Path, size: int = SIZE, variants: int = 0) -> int:
    """Write scikit-learn's digits as `digit_0000_label3.png` …; how many. With `variants` that many of each, by `vary`.
    UserError as `write_pictures` has it."""
    pixels, labels = load_digits(size)
    if variants:
        pixels, labels = vary(pixels, variants), np.repeat(labels, variants)
    return write_pictures(Path(folder), pixels, labels)


def write_pictures(folder: Path, pixels: np.ndarray, labels: np.ndarray) -> int:
    """Write (N, h, w) uint8 as grey PNGs, named by number and label; N is returned.

    The folder takes its name when all are written, so it is whole or not there. One that holds just these is left
    alone; UserError where it holds anything else.
    """
    digits = max(4, len(str(len(pixels) - 1)))
    names = [f"digit_{i:0{digits}d}_label{label}.png" for i, label in enumerate(labels)]
    if folder.exists() and not is_empty_folder(folder):
        if holds(folder, names, pixels):
            tell(f"Found {len(names)} digits in {folder}.")
            return len(names)
        raise UserError(f"{folder} holds something else already; remove it, or name another --out-dir")
    ensure_folder(folder.parent)
    pending = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        pending.mkdir()
        for name, one in zip(names, pixels, strict=True):
            Image.fromarray(one).save(pending / name)
        if folder.exists():
            folder.rmdir()
        pending.replace(folder)
    except OSError as problem:
        raise UserError(f"cannot write {folder}: {problem.strerror or problem}") from problem
    finally:
        shutil.rmtree(pending, ignore_errors=True)
    return len(names)


def is_empty_folder(path: Path) -> bool:
    """Whether it is a folder with nothing in it."""
    return path.is_dir() and not any(path.iterdir())


def holds(folder: Path, names: list[str], pixels: np.ndarray) -> bool:
    """Whether a folder has exactly these files, the first of them with this picture."""
    if not folder.is_dir() or {path.name for path in folder.iterdir()} != set(names):
        return False
    try:
        with Image.open(folder / names[0]) as first:
            return np.array_equal(np.asarray(first), pixels[0])
    except OSError:
        return False


def parse():
    """The flags."""
    parser = ArgumentParser(prog="digits.py", description="Handwritten digits as a folder of PNGs to train on.")
    parser.add_argument("--out-dir", "--out_dir", help="folder to write (default: data/digits, or data/mnist_png)")
    parser.add_argument("--size", type=int, help=f"width and height (default: {SIZE}; MNIST's own is {MNIST_SIZE})")
    parser.add_argument("--mnist", metavar="FOLDER", help="MNIST's digits from this folder, instead of scikit-learn's")
    parser.add_argument(
        "--variants", type=int, default=0, metavar="N", help="N of each of scikit-learn's, moved a little"
    )
    flags = parser.parse_args()
    if flags.variants < 0 or (flags.variants and flags.mnist):
        parser.error("--variants is a number of at least 0, and for scikit-learn's digits alone")
    if flags.size is not None and not 4 <= flags.size <= LARGEST:
        parser.error(f"--size {flags.size} is not between 4 and {LARGEST}")
    return flags


def training_flags(folder: Path, flags) -> str:
    """What main.py needs to find them."""
    size = flags.size or (MNIST_SIZE if flags.mnist else SIZE)
    return f'--data_dir {folder.parent} --dataset {folder.name} --input_fname_pattern "*.png" --output_height {size}'


def main() -> None:
    """Write the digits and tell how to train on them."""
    flags = parse()
    folder = resolve_path(flags.out_dir or ("data/mnist_png" if flags.mnist else "data/digits"))
    if flags.mnist:
        count = write_pictures(folder, *load_mnist_pixels(resolve_path(flags.mnist), flags.size))
    else:
        count = write_digits(folder, flags.size or SIZE, flags.variants)
    tell(f"{count} pictures are in {folder}. To train on them: python main.py {training_flags(folder, flags)} --train")


if __name__ == "__main__":
    run(main)
