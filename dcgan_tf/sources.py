"""What a training learns from: MNIST with its labels, or a folder of pictures; both as batches in a given order."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

import data
from labels import LABELS, one_hot
from mnist import SEED, load_mnist, shuffled
from shared_scripts.cli import UserError


class FolderSource:
    """Pictures of data_dir/dataset, in a new order every epoch. `size` is how many an epoch has."""

    y_dim = 0

    def __init__(self, flags: argparse.Namespace):
        paths = data.find_pictures(flags.data_dir, flags.dataset, flags.input_fname_pattern)
        self.channels, self.height, self.width = data.folder_mode(paths), flags.output_height, flags.output_width
        self.pictures = data.Pictures(
            paths, self.channels, flags.input_height, flags.input_width, self.height, self.width,
            flags.crop, flags.reference_exact,
        )  # fmt: skip
        self.size = int(min(len(paths), flags.train_size))
        data.check_size(self.size, flags.batch_size)
        self.first(1)  # where no picture can be used, now is the time to say so

    @staticmethod
    def random(seed: int | None) -> np.random.RandomState:
        """Where a new training's orders and noise come from."""
        return np.random.RandomState(seed)

    def epoch_order(self, random: np.random.RandomState) -> np.ndarray:
        """The order of an epoch, newly drawn."""
        order = np.arange(len(self.pictures))
        random.shuffle(order)
        return order[: self.size]

    def batches(self, order: np.ndarray, batch: int, start: int) -> Iterator[tuple[np.ndarray, None]]:
        """(images, no labels) from the batch number `start` on."""
        return ((images, None) for images in self.pictures.batches(order, batch, start))

    def first(self, count: int) -> tuple[np.ndarray, None]:
        """The pictures that sheets are scored with: the first files."""
        return self.pictures.read(np.arange(count)), None


class MnistSource:
    """MNIST with its labels, shuffled once and for all with the original's seed."""

    y_dim, channels = LABELS, 1

    def __init__(self, flags: argparse.Namespace):
        images, labels = load_mnist(flags.data_dir / flags.dataset)
        self.height, self.width = images.shape[1:3]
        if (flags.output_height, flags.output_width) != (self.height, self.width):
            raise UserError(
                f"MNIST's pictures are {self.height}x{self.width}: say --output_height {self.height} (to train on "
                "other sizes, make PNGs of it: python digits.py --help)"
            )
        self.images, labels, self.after = shuffled(images, labels)
        self.labels = one_hot(labels)
        self.size = int(min(len(images), flags.train_size))
        data.check_size(self.size, flags.batch_size)

    def random(self, seed: int | None) -> np.random.RandomState:
        """The original's numbers as they stand after shuffling, so that all its noise is the same; others of a seed."""
        return self.after if seed in (None, SEED) else np.random.RandomState(seed)

    def epoch_order(self, random: np.random.RandomState) -> np.ndarray:
        """Always the same."""
        return np.arange(self.size)

    def batches(self, order: np.ndarray, batch: int, start: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(images, labels) from the batch number `start` on."""
        for i in range(start * batch, len(order) - batch + 1, batch):
            chosen = order[i : i + batch]
            yield self.images[chosen], self.labels[chosen]

    def first(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The digits that sheets are scored with, and whose labels they show."""
        return self.images[:count], self.labels[:count]


def open_source(flags: argparse.Namespace) -> FolderSource | MnistSource:
    """What --dataset names. UserError where that is not there, too small, or of another size."""
    return MnistSource(flags) if flags.dataset == "mnist" else FolderSource(flags)
