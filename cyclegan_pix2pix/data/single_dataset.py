"""One folder of pictures, for --model test."""

from __future__ import annotations

import argparse

from data.base_dataset import BaseDataset, size_of
from pictures import list_pictures


class SingleDataset(BaseDataset):
    """The pictures of dataroot itself."""

    def __init__(self, opt: argparse.Namespace):
        super().__init__(opt)
        self.A_paths = list_pictures(opt.dataroot, opt.max_dataset_size, self.channels("A")[0])
        self.transform_A = self.transform("A")

    def __len__(self) -> int:
        return len(self.A_paths)

    def __getitem__(self, index: int) -> dict:
        path = self.A_paths[index]
        picture = self.read(path, "A")
        return {"A": self.transform_A(picture), "A_paths": path, "A_size": size_of(picture)}
