#!/usr/bin/env python3
"""Make a data set out of nothing, to try training with: drawn landscapes or shapes, or scikit-learn's digits.

python make_dataset.py landscapes                   datasets/landscapes, 20000 of 64 x 64
python make_dataset.py shapes --size 32             datasets/shapes, 10000 of 32 x 32, with eight classes
python make_dataset.py digits                       datasets/digits, 1797 of 32 x 32, with ten classes
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from exporter import Exporter
from landscapes import draw_landscape
from shapes import SHAPES, draw_shape
from shared_scripts.cli import ArgumentParser, StopBetweenSteps, UserError, natural, positive, run
from shared_scripts.digits import load_digits
from shared_scripts.files import resolve_path
from shared_scripts.progress import Progress

COUNTS = {"landscapes": 20_000, "shapes": 10_000, "digits": 1797}
SIZES = {"landscapes": 64, "shapes": 32, "digits": 32}


def pictures(kind: str, count: int, size: int, seed: int) -> Iterator[tuple[np.ndarray, int | None]]:
    """(H, W, 3) or (H, W) uint8 pictures and their classes. Each depends on the seed and its number alone: a larger
    set begins with the smaller one."""
    if kind == "digits":
        yield from digits(count, size)
        return
    for number in range(count):
        if kind == "landscapes":
            yield draw_landscape([seed, number], size), None
        else:
            yield draw_shape([seed, number], size, SHAPES[number % len(SHAPES)]), number % len(SHAPES)


def digits(count: int, size: int) -> Iterator[tuple[np.ndarray, int]]:
    """scikit-learn's 8 x 8 handwritten digits, made larger smoothly."""
    images, labels = load_digits(size)
    if count > len(images):
        raise UserError(f"there are {len(images)} digits, not {count}")
    return zip(images[:count], labels[:count].tolist(), strict=True)


def power_of_two(text: str) -> int:
    """A resolution."""
    size = positive(text)
    if size & (size - 1) or not 8 <= size <= 1024:
        raise argparse.ArgumentTypeError(f"expected a power of two from 8 to 1024, not {text}")
    return size


def write(kind: str, folder: Path, count: int, size: int, seed: int) -> None:
    """The whole data set, or, where that is interrupted, nothing."""
    labels = []
    with Exporter(folder) as exporter, StopBetweenSteps() as stopping, Progress(count) as progress:
        for picture, label in pictures(kind, count, size, seed):
            exporter.add(np.atleast_3d(picture).transpose(2, 0, 1))
            labels.append(label)
            progress.update()
            stopping.check()
        if labels[0] is not None:
            exporter.add_labels(np.eye(max(labels) + 1, dtype=np.float32)[labels])


def main(argv: list[str] | None = None) -> None:
    """Run with these flags (the command line's by default)."""
    parser = ArgumentParser(prog="make_dataset.py", description="Make a data set out of nothing.")
    parser.add_argument("kind", choices=list(COUNTS), help="what to draw")
    parser.add_argument("folder", nargs="?", help="where (default: datasets/KIND)")
    parser.add_argument("--count", type=positive, help="how many (default: 20000, 10000, all 1797)")
    parser.add_argument("--size", type=power_of_two, help="of the pictures in pixels (default: 64, 32, 32)")
    parser.add_argument("--seed", type=natural, default=0, help="another one draws others")
    opt = parser.parse_args(argv)
    folder = resolve_path(opt.folder or f"datasets/{opt.kind}")
    count, size = opt.count or COUNTS[opt.kind], opt.size or SIZES[opt.kind]
    write(opt.kind, folder, count, size, opt.seed)
    print(f"wrote {count} {opt.kind} of {size}x{size} into {folder}; train with: python train.py --data {folder}")


if __name__ == "__main__":
    run(main)
