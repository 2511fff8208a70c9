"""The losses of pix2pix and CycleGAN, as plain functions of tensors."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shared_scripts.cli import UserError

GAN_MODES = ("lsgan", "vanilla", "wgangp")


def gan_loss(prediction: Tensor, real: bool, mode: str, real_label: float = 1.0, fake_label: float = 0.0) -> Tensor:
    """How far a discriminator's logits are from saying "real" (or "fake"), averaged over all its patches: a scalar.

    lsgan: squared distance to the label (Mao et al. 2017); vanilla: binary cross-entropy on logits (Goodfellow et al.
    2014); wgangp: the mean itself, with its sign (Arjovsky et al. 2017). UserError for an unknown mode.
    """
    prediction = prediction.float()  # bfloat16 has too few digits to average many patches
    target = real_label if real else fake_label
    if mode == "lsgan":
        return F.mse_loss(prediction, torch.full_like(prediction, target))
    if mode == "vanilla":
        return F.binary_cross_entropy_with_logits(prediction, torch.full_like(prediction, target))
    if mode == "wgangp":
        return -prediction.mean() if real else prediction.mean()
    raise UserError(f"there is no --gan_mode {mode!r}; choose from {', '.join(GAN_MODES)}")


def l1(a: Tensor, b: Tensor) -> Tensor:
    """The mean absolute difference of two batches, a scalar, in float32."""
    return F.l1_loss(a.float(), b.float())


def l2(a: Tensor, b: Tensor) -> Tensor:
    """The mean squared difference of two batches, a scalar, in float32."""
    return F.mse_loss(a.float(), b.float())


def gradient_penalty(
    discriminator: nn.Module, real: Tensor, fake: Tensor, kind: str = "mixed", constant: float = 1.0, weight: float = 10
) -> Tensor:
    """WGAN-GP's penalty (Gulrajani et al. 2017): weight * mean((|gradient of the critic at x| - constant)^2), a scalar.

    x is `real`, `fake` or, with `mixed`, a random point between the two for each picture of the batch. The tiny number
    added to the gradient is the reference's: it keeps the square root's own gradient finite at zero.
    """
    if weight == 0:
        return real.new_zeros(())
    x = {"real": real, "fake": fake}.get(kind)
    if x is None:
        share = torch.rand(len(real), 1, 1, 1, device=real.device)
        x = share * real + (1 - share) * fake
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    norms = (gradient.float().flatten(1) + 1e-16).norm(2, dim=1)
    return weight * ((norms - constant) ** 2).mean()
