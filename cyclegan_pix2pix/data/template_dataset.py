"""A data set to copy: `--dataset_mode template` makes pairs out of single pictures, blurred (A) and sharp (B).

To make your own, say "rain": copy this file to data/rain_dataset.py, name the class RainDataset, and change the four
places below. `python train.py --dataset_mode rain …` finds it by its file's name. Try this one:

    python train.py --model pix2pix --dataset_mode template --dataroot folder/with/pictures --name deblur
"""

from __future__ import annotations

import argparse

import numpy as np
from PIL import Image, ImageFilter

from data.base_dataset import BaseDataset, size_of
from pictures import list_pictures
from preprocess import get_params
from shared_scripts.cli import UserError


class TemplateDataset(BaseDataset):
    """A is a picture out of focus, B the picture itself."""

    @staticmethod
    def modify_commandline_options(parser: argparse.ArgumentParser, is_train: bool) -> argparse.ArgumentParser:
        """1. Flags of your own, and other defaults for those there are (parser.set_defaults)."""
        parser.add_argument("--new_dataset_option", type=float, default=1.0, help="how far A is blurred, in pixels")
        return parser

    def __init__(self, opt: argparse.Namespace):
        """2. Which files there are. Do not read them yet."""
        super().__init__(opt)
        if (opt.input_nc, opt.output_nc) != (3, 3):
            raise UserError("the template data set is of RGB pictures: leave out --input_nc and --output_nc")
        self.paths = list_pictures(opt.dataroot, opt.max_dataset_size)

    def __len__(self) -> int:
        """3. How many items an epoch has."""
        return len(self.paths)

    def __getitem__(self, index: int) -> dict:
        """4. One item: read it, prepare both sides with the same crop and flip, and say where it came from."""
        path = self.paths[index]
        sharp = self.read(path)
        blurred = np.array(Image.fromarray(sharp).filter(ImageFilter.GaussianBlur(self.opt.new_dataset_option)))
        params = get_params(self.opt, (sharp.shape[1], sharp.shape[0]))
        prepare = self.transform(params=params)
        size = size_of(sharp)
        return {
            "A": prepare(blurred),
            "B": prepare(sharp),
            "A_paths": path,
            "B_paths": path,
            "A_size": size,
            "B_size": size,
        }
