"""Colours for grey photographs: pix2pix from lightness L to the colour channels a and b of CIE Lab."""

from __future__ import annotations

import argparse

from models.pix2pix_model import Pix2PixModel
from pixels import lab_to_image


class ColorizationModel(Pix2PixModel):
    """pix2pix with one channel in and two out; what is shown is put together with the lightness and made RGB."""

    @staticmethod
    def modify_commandline_options(parser: argparse.ArgumentParser, is_train: bool) -> argparse.ArgumentParser:
        """pix2pix's flags, and the colour data set (which sets the channels)."""
        Pix2PixModel.modify_commandline_options(parser, is_train)
        parser.set_defaults(dataset_mode="colorization")
        return parser

    def __init__(self, opt: argparse.Namespace):
        super().__init__(opt)
        self.visual_names = ["real_A", "real_B_rgb", "fake_B_rgb"]

    def compute_visuals(self) -> None:
        """The true and the invented colours as RGB pictures, (H, W, 3) uint8."""
        self.real_B_rgb = lab_to_image(self.real_A, self.real_B)
        self.fake_B_rgb = lab_to_image(self.real_A, self.fake_B)
