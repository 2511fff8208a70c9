"""pix2pix (Isola et al., CVPR 2017): paired pictures, a U-Net, and a discriminator that sees input and output."""

from __future__ import annotations

import argparse

import torch
from torch import Tensor

from losses import gan_loss, gradient_penalty, l1, l2
from models.base_model import BaseModel
from shared_scripts.cli import not_negative


class Pix2PixModel(BaseModel):
    """G maps A to B: min over G, max over D of GAN(G, D) + lambda_L1 * |B - G(A)|.

    There is no noise input: dropout inside G, in training and in testing, is all the chance there is.
    """

    @staticmethod
    def modify_commandline_options(parser: argparse.ArgumentParser, is_train: bool) -> argparse.ArgumentParser:
        """pix2pix's defaults, and the weight of the L1 loss."""
        parser.set_defaults(norm="batch", netG="unet_256", dataset_mode="aligned")
        if is_train:
            parser.set_defaults(pool_size=0, gan_mode="vanilla")
            add = parser.add_argument
            add(
                *("--lambda_L1", "--lambda_A"),
                type=not_negative,
                metavar="X",
                default=100.0,
                help="weight of the L1 loss",
            )
            add(
                "--lambda_GAN",
                type=not_negative,
                metavar="X",
                default=1.0,
                help="weight of the GAN's loss; 0: L1 alone, no discriminator",
            )
            add("--pixel_loss", default="l1", choices=("l1", "l2"), help="l2 is for comparison: squared differences")
        return parser

    def __init__(self, opt: argparse.Namespace):
        super().__init__(opt)
        self.loss_names = ["G_GAN", "G_L1", "D_real", "D_fake"]
        self.visual_names = ["real_A", "fake_B", "real_B"]
        self.model_names = ["G", "D"] if self.isTrain else ["G"]
        self.netG = self.make_generator(opt.input_nc, opt.output_nc)
        if self.isTrain:
            self.netD = self.make_discriminator(opt.input_nc + opt.output_nc)
            self.make_adam("G", "G")
            self.make_adam("D", "D")
            self.pixel_loss = {"l1": l1, "l2": l2}[opt.pixel_loss]
            self.loss_G_GAN = self.loss_D_real = self.loss_D_fake = 0.0

    def set_input(self, input: dict) -> None:
        """`A` and `B`, (N, C, H, W) each; --direction BtoA swaps them."""
        self.real_A, self.real_B = self.take_pair(input)

    def forward(self) -> None:
        """fake_B = G(real_A)."""
        with self.autocast():
            self.fake_B = self.netG(self.real_A)

    def pair(self, b: Tensor) -> Tensor:
        """What the discriminator judges: B together with the A it is to belong to."""
        return torch.cat([self.real_A, b.to(self.real_A.dtype)], 1)

    def backward_D(self) -> None:
        """The discriminator's gradients: half for calling fake fake, half for calling real real."""
        mode, fake_pair, real_pair = self.opt.gan_mode, self.pair(self.fake_B.detach()), self.pair(self.real_B)
        with self.autocast():
            self.loss_D_fake = gan_loss(self.netD(fake_pair), False, mode)
            self.loss_D_real = gan_loss(self.netD(real_pair), True, mode)
            loss = (self.loss_D_fake + self.loss_D_real) * 0.5
            if mode == "wgangp" and self.opt.lambda_gp > 0:
                loss = loss + gradient_penalty(self.bare_net("D"), real_pair, fake_pair, weight=self.opt.lambda_gp)
        loss.backward()

    def backward_G(self) -> None:
        """The generator's gradients: to be taken for real, and to be near the truth."""
        with self.autocast():
            verdict = self.bare_net("D")(self.pair(self.fake_B))
        self.loss_G_GAN = gan_loss(verdict, True, self.opt.gan_mode) * self.opt.lambda_GAN
        self.loss_G_L1 = self.pixel_loss(self.fake_B, self.real_B) * self.opt.lambda_L1
        (self.loss_G_GAN + self.loss_G_L1).backward()

    def optimize_pixels(self) -> None:
        """One step without a discriminator (--lambda_GAN 0)."""
        self.optimizers["G"].zero_grad()
        self.loss_G_L1 = self.pixel_loss(self.fake_B, self.real_B) * self.opt.lambda_L1
        self.loss_G_L1.backward()
        self.optimizers["G"].step()

    def optimize_parameters(self) -> None:
        """One step: the discriminator first, then the generator against the new discriminator."""
        self.forward()
        if self.opt.lambda_GAN == 0:
            return self.optimize_pixels()
        self.set_requires_grad(["D"], True)
        self.optimizers["D"].zero_grad()
        self.backward_D()
        self.optimizers["D"].step()
        self.set_requires_grad(["D"], False)
        self.optimizers["G"].zero_grad()
        self.backward_G()
        self.optimizers["G"].step()
