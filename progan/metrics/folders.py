"""A folder of images as minibatches, for the metrics that are run by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from shared_scripts.cli import UserError
from shared_scripts.images import list_images, read_image


class ImageFolder:
    """The pictures of a folder, in the order of their names; all of them have the first one's size.

    Grey ones count as RGB, so does transparency. UserError where the folder is missing or has no pictures.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.files = list_images(path)
        self.size = read_image(self.files[0]).shape[:2]  # height, width

    def __len__(self) -> int:
        return len(self.files)

    def resolution(self) -> int:
        """The side of square pictures; UserError where they are not."""
        if self.size[0] != self.size[1]:
            raise UserError(f"{self.files[0]} is {sizes(self.size)} pixels; square pictures are needed")
        return self.size[0]

    def must_match(self, other: ImageFolder) -> None:
        """UserError where the pictures are not of the size of another folder's."""
        if self.size != other.size:
            raise UserError(f"{self.files[0]} is {sizes(self.size)} pixels, {other.files[0]} {sizes(other.size)}")

    def shuffle(self, rng: np.random.RandomState) -> None:
        """Another order."""
        self.files = [self.files[i] for i in rng.permutation(len(self.files))]

    def count(self, wanted: int | None) -> int:
        """How many pictures to take: as many as wanted, or all; UserError where there are not so many."""
        if wanted and wanted > len(self):
            raise UserError(f"--num_images {wanted}: {self.path} has only {len(self)} images")
        return wanted or len(self)

    def minibatches(self, count: int | None = None, size: int | None = None) -> Iterator[np.ndarray]:
        """The first `count` pictures, (N, 3, H, W) uint8, `size` at a time. UserError where one has another size."""
        count = count or len(self)
        size = size or min(max(8192 // max(self.size), 4), 256)
        with tqdm(total=count, desc=self.path.name, unit="images", disable=None, leave=False) as bar:
            for begin in range(0, count, size):
                files = self.files[begin : min(begin + size, count)]
                yield np.stack([self.read(file) for file in files])
                bar.update(len(files))

    def read(self, file: Path) -> np.ndarray:
        """(3, H, W) uint8."""
        pixels = read_image(file)
        if pixels.shape[:2] != self.size:
            expected = sizes(self.size)
            raise UserError(f"{file} is {sizes(pixels.shape)} pixels, the folder's first {expected}; all must be equal")
        return pixels.transpose(2, 0, 1)


def sizes(shape: tuple[int, ...]) -> str:
    """Width x height."""
    return f"{shape[1]}x{shape[0]}"
