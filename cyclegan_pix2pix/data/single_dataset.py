"""One folder of pictures, or one picture, for --model test."""

from __future__ import annotations

import argparse

from data.base_dataset import BaseDataset, size_of
from pictures import list_pictures
from shared_scripts.files import resolve_path


class SingleDataset(BaseDataset):
    """The pictures of dataroot itself; where it is a file, that picture alone."""

    def __init__(self, opt: argparse.Namespace):
        super().__init__(opt)
        root = resolve_path(opt.dataroot)
        single = [str(root)] if root.is_file() else None
        self.A_paths = single or list_pictures(root, opt.max_dataset_size, self.channels("A")[0])
        self.transform_A = self.transform("A")

    def __len__(self) -> int:
        return len(self.A_paths)

    def __getitem__(self, index: int) -> dict:
        path = self.A_paths[index]
        picture = self.read(path, "A")
        return {"A": self.transform_A(picture), "A_paths": path, "A_size": size_of(picture)}
