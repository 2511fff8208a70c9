"""Colour photographs taken apart in CIE Lab: A is the lightness, B the two colour channels."""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import Tensor

from data.base_dataset import BaseDataset, size_of
from data.layout import phase_folder
from pictures import list_pictures
from pixels import lab_module
from preprocess import get_transform
from shared_scripts.cli import UserError


class ColorizationDataset(BaseDataset):
    """The pictures of dataroot/phase: A is L (1, H, W), B is ab (2, H, W), both scaled to about [-1, 1]."""

    @staticmethod
    def modify_commandline_options(parser: argparse.ArgumentParser, is_train: bool) -> argparse.ArgumentParser:
        """One channel in, two out, from A to B."""
        parser.set_defaults(input_nc=1, output_nc=2, direction="AtoB")
        return parser

    def __init__(self, opt: argparse.Namespace):
        super().__init__(opt)
        if (opt.input_nc, opt.output_nc, opt.direction) != (1, 2, "AtoB"):
            raise UserError("colorization goes from L to ab: leave out --input_nc, --output_nc and --direction")
        lab_module()  # says at once, not at the first picture, that scikit-image is missing
        self.AB_paths = list_pictures(phase_folder(opt), opt.max_dataset_size)
        self.prepare = get_transform(opt, convert=False)

    def __len__(self) -> int:
        return len(self.AB_paths)

    def __getitem__(self, index: int) -> dict:
        path = self.AB_paths[index]
        picture = self.read_bands(path, 3)
        lightness, colour = split_lab(self.prepare(picture))
        size = size_of(picture)
        return {"A": lightness, "B": colour, "A_paths": path, "B_paths": path, "A_size": size, "B_size": size}


def split_lab(rgb: np.ndarray) -> tuple[Tensor, Tensor]:
    """L (1, H, W) and ab (2, H, W), float32, of (H, W, 3) uint8: L / 50 - 1 and ab / 110."""
    lab = torch.from_numpy(lab_module().rgb2lab(rgb).astype(np.float32)).permute(2, 0, 1)
    return lab[:1] / 50.0 - 1.0, lab[1:] / 110.0
