"""What all data sets share: which side has how many channels, and how a file is read for it."""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from data.layout import phase_folder
from pictures import is_array, list_pictures, read_picture
from preprocess import get_transform


class BaseDataset(Dataset):
    """A data set of --dataset_mode; a subclass fills in `__len__` and `__getitem__`.

    An item is a dictionary: "A" (and "B") float32 (bands, H, W) in [-1, 1], "A_paths" the file, "A_size" the original
    picture's (height, width) as int64, so that a result can be given back at the size its input came in. `__getitem__`
    raises UserError where a file cannot be read or does not fit.
    """

    @staticmethod
    def modify_commandline_options(parser: argparse.ArgumentParser, is_train: bool) -> argparse.ArgumentParser:
        """Add flags, or change defaults."""
        return parser

    def __init__(self, opt: argparse.Namespace):
        self.opt = opt

    def channels(self, side: str) -> tuple[int, str]:
        """How many channels side "A" or "B" has, and the flag that says so: A is the input unless B translates to A."""
        if (side == "A") == (self.opt.direction == "AtoB"):
            return self.opt.input_nc, "--input_nc"
        return self.opt.output_nc, "--output_nc"

    def list_side(self, side: str, folder_side: str = "") -> list[str]:
        """The files of a side in the folder of the phase, dataroot/train or with a `folder_side` dataroot/trainA."""
        return list_pictures(phase_folder(self.opt, folder_side), self.opt.max_dataset_size, self.channels(side)[0])

    def read(self, path: str, side: str = "A") -> np.ndarray:
        """A file as (H, W, bands) for a side. Where one grey channel is wanted this is RGB still: `transform` knows
        when to make it grey."""
        return self.read_bands(path, self.bands(path, side), self.channels(side)[1])

    def bands(self, path: str, side: str) -> int:
        """How many bands `read` takes from a file."""
        channels = self.channels(side)[0]
        return 3 if channels == 1 and not is_array(path) else channels

    def read_bands(self, path: str, bands: int, flag: str = "--input_nc") -> np.ndarray:
        """A file as (H, W, bands), read as the options say."""
        alpha, auto_rotate = getattr(self.opt, "alpha", None), getattr(self.opt, "auto_rotate", False)
        return read_picture(path, bands, alpha, auto_rotate, flag)

    def transform(self, side: str = "A", params: dict | None = None):
        """The preparation of a side's pictures, for `params` see `preprocess.get_transform`."""
        return get_transform(self.opt, params, grayscale=self.channels(side)[0] == 1)


def size_of(picture: np.ndarray) -> Tensor:
    """(height, width) of an array (H, W, bands), as int64."""
    return torch.tensor(picture.shape[:2])
