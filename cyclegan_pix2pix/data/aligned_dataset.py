"""Pairs side by side in one file: A is the left half, B the right."""

from __future__ import annotations

import argparse

import numpy as np

from data.base_dataset import BaseDataset, size_of
from preprocess import get_params
from shared_scripts.cli import UserError


class AlignedDataset(BaseDataset):
    """The pairs of dataroot/phase, both halves cropped and flipped alike."""

    def __init__(self, opt: argparse.Namespace):
        super().__init__(opt)
        self.AB_paths = self.list_side("A")

    def __len__(self) -> int:
        return len(self.AB_paths)

    def __getitem__(self, index: int) -> dict:
        path = self.AB_paths[index]
        a, b = self.read_pair(path)
        params = get_params(self.opt, (a.shape[1], a.shape[0]))
        return {
            "A": self.transform("A", params)(a),
            "B": self.transform("B", params)(b),
            "A_paths": path,
            "B_paths": path,
            "A_size": size_of(a),
            "B_size": size_of(b),
        }

    def read_pair(self, path: str) -> tuple[np.ndarray, np.ndarray]:
        """A and B, (H, W, bands) each. UserError where the file has no two halves."""
        both = self.read(path, "A")
        width = both.shape[1]
        if width % 2:
            raise UserError(
                f"{path} is {width} pixels wide and has no two equal halves: a pair is A and B side by side "
                "(datasets/combine_A_and_B.py makes such files); for unpaired pictures use --dataset_mode unaligned"
            )
        half = width // 2
        same = self.bands(path, "A") == self.bands(path, "B")  # else B takes other bands from the file
        return both[:, :half], (both if same else self.read(path, "B"))[:, half:]
