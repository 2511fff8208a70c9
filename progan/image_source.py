"""Anybody's pictures as a data set: as they are, or made square, of one size and of one kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dataset_sources import Source, order_of
from exporter import describe
from picture_files import (
    FITS,
    Pictures,
    common_channels,
    first_size,
    has_labels,
    load,
    mode_of,
    open_pictures,
    read_labels,
    squared,
)
from pyramid import largest_power, log2_of
from shared_scripts.cli import UserError

PLAIN = "L", "RGB"


def from_images(
    path: Path,
    shuffle: bool = True,
    resolution: int | None = None,
    fit: str | None = None,
    channels: int | None = None,
    labels: bool | None = None,
    skip: bool = False,
) -> Source:
    """The pictures of a folder or zip.

    With neither `resolution`, `fit` nor `channels` nothing is changed, as in the reference: all pictures must have one
    size, square, a power of two, and be grey or RGB. `labels`: from a dataset.json or from folders; None takes those
    of a dataset.json if there is one. `skip` leaves out what does not fit or is damaged. UserError as usual.
    """
    pictures = open_pictures(path)
    if resolution is not None:
        log2_of(resolution, "--resolution")
    elif fit is not None:
        resolution = largest_power(min(first_size(pictures)))
    if resolution is not None and channels is None:
        channels = common_channels(pictures)
    reader = Reader(pictures, resolution, fit or FITS[0], channels)
    reader.begin(skip)
    wanted = has_labels(pictures) if labels is None else labels
    table = read_labels(pictures) if wanted else None
    count = len(pictures.names)
    return Source(order_of(count, shuffle), count, reader.image, table, skip)


class Reader:
    """Loads pictures: made to `resolution` and `channels` where given, otherwise compared with the first one."""

    def __init__(self, pictures: Pictures, resolution: int | None, fit: str, channels: int | None):
        self.pictures, self.resolution, self.fit, self.channels = pictures, resolution, fit, channels
        self.first: tuple[int, ...] = ()  # the shape of the first picture

    def begin(self, skip: bool) -> None:
        """Find the first picture that can be taken. UserError where there is none, or where it is not the very first.

        With `skip`, other pictures before it do not matter.
        """
        for number in range(len(self.pictures.names)):
            try:
                self.first = self.image(number).shape
                return
            except UserError:
                if not skip:
                    raise
        raise UserError(f"none of the {len(self.pictures.names)} pictures in {self.pictures.path} can be taken")

    def image(self, number: int) -> np.ndarray:
        """(channels, R, R) uint8. UserError, which says what would help, where it cannot be taken."""
        name = self.pictures.names[number]
        shown = self.pictures.shown(name)
        if self.channels is None:
            mode = self._read(mode_of, name)
            if mode not in PLAIN:
                raise UserError(f"{shown} is neither grey nor RGB ({mode}); --channels 3 converts it")
        pixels = self._read(load, name, self.channels)
        if self.resolution:
            return squared(pixels, self.resolution, self.fit)
        image = pixels.transpose(2, 0, 1)
        self._compare(image, shown)
        return image

    def _read(self, function: Callable, name: str, *more: object):
        """What a function reads of a picture. UserError, with what would help, where that is damaged."""
        try:
            return function(self.pictures, name, *more)
        except UserError as problem:
            raise UserError(f"{problem}; --skip_bad leaves it out") from problem

    def _compare(self, image: np.ndarray, shown: str) -> None:
        """UserError unless a picture is square, a power of two, and like the first one."""
        channels, height, width = image.shape
        if height != width or height < 4 or height & (height - 1):
            raise UserError(
                f"{shown} is {width}x{height}; pictures must be square, and a power of two: "
                f"--resolution {largest_power(min(width, height))} cuts and scales them, --skip_bad leaves it out"
            )
        if self.first and image.shape != self.first:
            option = f"--resolution {self.first[1]}" if height != self.first[1] else "--channels 3 (or 1)"
            raise UserError(
                f"{shown} is {describe(image.shape)}, the first picture {describe(self.first)}; {option} converts all, "
                "--skip_bad leaves such ones out"
            )
