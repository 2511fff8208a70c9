"""The losses of StarGAN, as plain functions of tensors. All are computed in float32."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def critic_loss(out_src: Tensor, real: bool) -> Tensor:
    """Wasserstein: the discriminator wants real pictures' patches high and translated ones' low; a scalar, to minimise.

    The generator's adversarial loss is `critic_loss(D(G(x, c)), real=True)`. Paper: equation 8.
    """
    mean = out_src.float().mean()
    return -mean if real else mean


def attribute_loss(logit: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy of (N, c_dim) logits and 0/1 labels: summed over the attributes, averaged over the pictures.

    (The usual mean would be c_dim times smaller, and with it lambda_cls.) Paper: equations 2 and 3.
    """
    return F.binary_cross_entropy_with_logits(logit.float(), target.float(), reduction="sum") / len(logit)


def class_loss(logit: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of (N, c_dim) logits and (N,) class numbers, averaged over the pictures."""
    return F.cross_entropy(logit.float(), target)


def reconstruction_loss(x: Tensor, x_rec: Tensor) -> Tensor:
    """The mean absolute difference of pictures and what comes back of them, in units of [-1, 1]. Paper: equation 4."""
    return (x.float() - x_rec.float()).abs().mean()


def between(x_real: Tensor, x_fake: Tensor, alpha: Tensor) -> Tensor:
    """x_hat, a point between each real picture and a translated one; `alpha` (N, 1, 1, 1) is the real one's weight."""
    return alpha * x_real + (1 - alpha) * x_fake


def gradient_penalty(realness: Callable[[Tensor], Tensor], x_hat: Tensor) -> Tensor:
    """mean over the pictures of (|gradient at x_hat| - 1)^2 (Gulrajani et al. 2017), a scalar.

    The gradient is that of the patches' SUM, and its length is over all pixels and colours of one picture. To be called
    outside of autocast: the gradient of a gradient has too few digits in bfloat16.
    """
    x_hat = x_hat.detach().requires_grad_()
    out = realness(x_hat)
    (gradient,) = torch.autograd.grad(out, x_hat, torch.ones_like(out), create_graph=True)
    return (gradient.flatten(1).norm(2, dim=1) - 1).square().mean()
