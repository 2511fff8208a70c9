"""One direction only: `--model test` runs a single generator over a folder of pictures."""

from __future__ import annotations

import argparse

from models.base_model import BaseModel


class TestModel(BaseModel):
    """Loads `[epoch]_net_G[suffix].pth`; --model_suffix _A (or _B) takes it from a trained CycleGAN."""

    __test__ = False  # pytest takes classes of this name for tests

    @staticmethod
    def modify_commandline_options(parser: argparse.ArgumentParser, is_train: bool) -> argparse.ArgumentParser:
        """Single pictures, and which generator."""
        parser.set_defaults(dataset_mode="single")
        parser.add_argument(
            "--model_suffix", default="", help="the file is [epoch]_net_G[model_suffix].pth: _A or _B for a CycleGAN's"
        )
        return parser

    @staticmethod
    def generators(opt: argparse.Namespace) -> tuple[str, ...]:
        """The generator's name in the files."""
        return (f"G{opt.model_suffix}",)

    def __init__(self, opt: argparse.Namespace):
        super().__init__(opt)
        self.visual_names = ["real_A", "fake_B"] if opt.labels == "2018" else ["real", "fake"]
        name = f"G{opt.model_suffix}"
        self.model_names = [name]
        setattr(self, f"net{name}", self.make_generator(opt.input_nc, opt.output_nc))

    def set_input(self, input: dict) -> None:
        """`A`, (N, C, H, W)."""
        self.real = input["A"].to(self.device)
        self.image_paths = input["A_paths"]

    def forward(self) -> None:
        """fake = G(real)."""
        with self.autocast():
            self.fake = self.net(self.model_names[0])(self.real)
        self.real_A, self.fake_B = self.real, self.fake

    def optimize_parameters(self) -> None:
        """There is nothing to train."""
        raise NotImplementedError("--model test cannot be trained")
