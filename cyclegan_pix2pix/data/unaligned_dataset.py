"""Two unpaired folders: any A goes with any B."""

from __future__ import annotations

import argparse
import random

from data.base_dataset import BaseDataset, size_of


class UnalignedDataset(BaseDataset):
    """The pictures of dataroot/phaseA and dataroot/phaseB. As long as the longer folder; B is drawn at random, by
    Python's `random`, or goes along with --serial_batches."""

    def __init__(self, opt: argparse.Namespace):
        super().__init__(opt)
        self.A_paths = self.list_side("A", "A")
        self.B_paths = self.list_side("B", "B")
        self.transform_A, self.transform_B = self.transform("A"), self.transform("B")

    def __len__(self) -> int:
        return max(len(self.A_paths), len(self.B_paths))

    def __getitem__(self, index: int) -> dict:
        a_path = self.A_paths[index % len(self.A_paths)]
        last = len(self.B_paths) - 1
        b_path = self.B_paths[index % (last + 1) if self.opt.serial_batches else random.randint(0, last)]
        a, b = self.read(a_path, "A"), self.read(b_path, "B")
        return {
            "A": self.transform_A(a),
            "B": self.transform_B(b),
            "A_paths": a_path,
            "B_paths": b_path,
            "A_size": size_of(a),
            "B_size": size_of(b),
        }
