"""CycleGAN (Zhu et al., ICCV 2017): two unpaired sets of pictures, two generators that must undo each other."""

from __future__ import annotations

import argparse

from torch import Tensor

from image_pool import ImagePool
from losses import gan_loss, gradient_penalty, l1
from models.base_model import BaseModel
from shared_scripts.cli import UserError, not_negative


class CycleGANModel(BaseModel):
    """G_A maps A to B and G_B maps B to A; D_A judges pictures of B, D_B pictures of A.

    Loss: GAN(G_A, D_A) + GAN(G_B, D_B) + lambda_A |G_B(G_A(A)) - A| + lambda_B |G_A(G_B(B)) - B|, and, for colours that
    stay, lambda_identity times (lambda_B |G_A(B) - B| + lambda_A |G_B(A) - A|).
    """

    @staticmethod
    def modify_commandline_options(parser: argparse.ArgumentParser, is_train: bool) -> argparse.ArgumentParser:
        """No dropout, and the weights of the losses."""
        parser.set_defaults(no_dropout=True, dataset_mode="unaligned")
        if is_train:
            add = parser.add_argument
            add("--lambda_A", type=not_negative, metavar="X", default=10.0, help="weight of the cycle A -> B -> A")
            add("--lambda_B", type=not_negative, metavar="X", default=10.0, help="weight of the cycle B -> A -> B")
            add(
                *("--lambda_identity", "--identity"),
                type=not_negative,
                metavar="X",
                default=0.5,
                help="how much a picture that is of the target set already must stay as it is, as a share of the "
                "cycle's weight; 0 leaves this loss out",
            )
        return parser

    @staticmethod
    def generators(opt: argparse.Namespace) -> tuple[str, ...]:
        """One there, one back."""
        return ("G_A", "G_B")

    def __init__(self, opt: argparse.Namespace):
        super().__init__(opt)
        self.loss_names = ["D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B"]
        self.keeps_identity = self.isTrain and opt.lambda_identity > 0
        shown_A, shown_B = ["real_A", "fake_B", "rec_A"], ["real_B", "fake_A", "rec_B"]
        if self.keeps_identity:
            shown_A, shown_B = [*shown_A, "idt_B"], [*shown_B, "idt_A"]
        self.visual_names = shown_A + shown_B
        self.model_names = ["G_A", "G_B", "D_A", "D_B"] if self.isTrain else ["G_A", "G_B"]
        self.netG_A = self.make_generator(opt.input_nc, opt.output_nc)
        self.netG_B = self.make_generator(opt.output_nc, opt.input_nc)
        if self.isTrain:
            self.prepare_training()

    def prepare_training(self) -> None:
        """Discriminators, optimisers and pools."""
        opt = self.opt
        if self.keeps_identity and opt.input_nc != opt.output_nc:
            raise UserError(
                f"the identity loss needs as many channels in A as in B ({opt.input_nc} and {opt.output_nc}); "
                "say --lambda_identity 0"
            )
        self.netD_A = self.make_discriminator(opt.output_nc)
        self.netD_B = self.make_discriminator(opt.input_nc)
        self.make_adam("G", "G_A", "G_B")
        self.make_adam("D", "D_A", "D_B")
        self.pools = {"fake_B": ImagePool(opt.pool_size), "fake_A": ImagePool(opt.pool_size)}
        self.loss_idt_A = self.loss_idt_B = 0.0

    def set_input(self, input: dict) -> None:
        """`A` and `B`, (N, C, H, W) each; --direction BtoA swaps them."""
        self.real_A, self.real_B = self.take_pair(input)

    def forward(self) -> None:
        """There and back again, from both sides."""
        with self.autocast():
            self.fake_B = self.netG_A(self.real_A)
            self.rec_A = self.netG_B(self.fake_B)
            self.fake_A = self.netG_B(self.real_B)
            self.rec_B = self.netG_A(self.fake_A)

    def identity_loss(self) -> Tensor | float:
        """A picture that is in the target set already is to stay; the weights are crossed as in the reference."""
        if not self.keeps_identity:
            return 0.0
        with self.autocast():
            self.idt_A, self.idt_B = self.netG_A(self.real_B), self.netG_B(self.real_A)
        self.loss_idt_A = l1(self.idt_A, self.real_B) * self.opt.lambda_B * self.opt.lambda_identity
        self.loss_idt_B = l1(self.idt_B, self.real_A) * self.opt.lambda_A * self.opt.lambda_identity
        return self.loss_idt_A + self.loss_idt_B

    def backward_G(self) -> None:
        """The gradients of both generators."""
        identity = self.identity_loss()
        with self.autocast():
            verdict_B, verdict_A = self.bare_net("D_A")(self.fake_B), self.bare_net("D_B")(self.fake_A)
        self.loss_G_A = gan_loss(verdict_B, True, self.opt.gan_mode)
        self.loss_G_B = gan_loss(verdict_A, True, self.opt.gan_mode)
        self.loss_cycle_A = l1(self.rec_A, self.real_A) * self.opt.lambda_A
        self.loss_cycle_B = l1(self.rec_B, self.real_B) * self.opt.lambda_B
        (self.loss_G_A + self.loss_G_B + self.loss_cycle_A + self.loss_cycle_B + identity).backward()

    def backward_D(self, name: str, real: Tensor, fake: Tensor) -> Tensor:
        """The gradients of one discriminator; returns its loss."""
        fake = fake.to(real.dtype)
        with self.autocast():
            judged_real, judged_fake = self.net(name)(real), self.net(name)(fake)
            loss = (
                gan_loss(judged_real, True, self.opt.gan_mode) + gan_loss(judged_fake, False, self.opt.gan_mode)
            ) * 0.5
            if self.opt.gan_mode == "wgangp" and self.opt.lambda_gp > 0:
                loss = loss + gradient_penalty(self.bare_net(name), real, fake, weight=self.opt.lambda_gp)
        loss.backward()
        return loss.detach()

    def optimize_parameters(self) -> None:
        """One step: both generators, then both discriminators on the pictures made before that."""
        self.forward()
        self.set_requires_grad(("D_A", "D_B"), False)
        self.optimizers["G"].zero_grad()
        self.backward_G()
        self.optimizers["G"].step()
        self.set_requires_grad(("D_A", "D_B"), True)
        self.optimizers["D"].zero_grad()
        self.loss_D_A = self.backward_D("D_A", self.real_B, self.pools["fake_B"].query(self.fake_B))
        self.loss_D_B = self.backward_D("D_B", self.real_A, self.pools["fake_A"].query(self.fake_A))
        self.optimizers["D"].step()
