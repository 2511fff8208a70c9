"""A model to copy: `--model template` learns a plain regression from A to B.

To make your own, say "relight": copy this file to models/relight_model.py, name the class RelightModel, and change the
four places below. `python train.py --model relight …` finds it by its file's name.
"""

from __future__ import annotations

import argparse

from losses import l1
from models.base_model import BaseModel
from shared_scripts.cli import not_negative


class TemplateModel(BaseModel):
    """G maps A to B so that |G(A) - B| is small; no discriminator."""

    @staticmethod
    def modify_commandline_options(parser: argparse.ArgumentParser, is_train: bool) -> argparse.ArgumentParser:
        """1. Flags of your own, and other defaults for those there are."""
        parser.set_defaults(dataset_mode="aligned")
        if is_train:
            parser.add_argument(
                "--lambda_regression", type=not_negative, metavar="X", default=1.0, help="weight of the regression loss"
            )
        return parser

    def __init__(self, opt: argparse.Namespace):
        """2. Which networks there are, what is printed, and what is shown."""
        super().__init__(opt)
        self.loss_names = ["G"]
        self.visual_names = ["data_A", "data_B", "output"]
        self.model_names = ["G"]
        self.netG = self.make_generator(opt.input_nc, opt.output_nc)
        if self.isTrain:
            self.make_adam("G", "G")

    def set_input(self, input: dict) -> None:
        """3. What comes from the data set."""
        self.data_A, self.data_B = self.take_pair(input)

    def forward(self) -> None:
        """4. What is computed, and how it learns."""
        with self.autocast():
            self.output = self.netG(self.data_A)

    def optimize_parameters(self) -> None:
        """One step."""
        self.forward()
        self.optimizers["G"].zero_grad()
        self.loss_G = l1(self.output, self.data_B) * self.opt.lambda_regression
        self.loss_G.backward()
        self.optimizers["G"].step()
