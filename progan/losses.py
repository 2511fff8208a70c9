"""The losses (appendix A.1): Wasserstein, with a penalty on the critic's slope, a little drift, and labels.

Each function gives one value a picture, (N,), for the log; training takes their means.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def label_penalty(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of the logits (N, L) with the labels (N, L), which are weights and need not be one-hot: (N,)."""
    return F.cross_entropy(logits.float(), labels.float(), reduction="none")


def generator_loss(scores: Tensor, logits: Tensor, labels: Tensor | None, cond_weight: float = 1.0) -> Tensor:
    """What the generator is to make small: -D(G(z)), and how far its pictures are from their labels. (N,)."""
    loss = -scores.float().flatten()
    return loss if labels is None or not labels.shape[1] else loss + cond_weight * label_penalty(logits, labels)


def mix(reals: Tensor, fakes: Tensor, u: Tensor) -> Tensor:
    """Points between real and made pictures: u (N, 1, 1, 1) in [0, 1] is how far towards the made ones."""
    return reals + (fakes - reals) * u


def slope_norms(critic: Callable[[Tensor], Tensor], images: Tensor, lod: int = 0) -> tuple[Tensor, Tensor]:
    """The critic's scores (N, 1) of images, and the norm (N,) of the gradient of each with respect to its picture.

    The norm is that of pictures at full resolution, as the paper defines the penalty. Pictures at the resolution of a
    whole `lod` stand for ones whose pixels are squares of 4^lod equal ones: each of these gets a 4^lod-th of the
    gradient, so the norm is smaller by sqrt(4^lod) = 2^lod.
    """
    images = images.detach().requires_grad_()
    scores = critic(images)
    # The sum: a score depends on the other pictures of its group as well, by minibatch_stddev, and that counts too.
    (gradient,) = torch.autograd.grad(scores.float().sum(), images, create_graph=True)
    return scores, gradient.float().flatten(1).norm(dim=1) / 2**lod


def slope_penalty(norms: Tensor, wgan_lambda: float = 10.0, wgan_target: float = 1.0) -> Tensor:
    """WGAN-GP's penalty on slopes (N,) that are not `wgan_target`: (N,)."""
    return (norms - wgan_target).square() * (wgan_lambda / wgan_target**2)


def drift_penalty(real_scores: Tensor, wgan_epsilon: float = 0.001) -> Tensor:
    """Holds the real pictures' scores near zero, from where a Wasserstein loss alone lets them drift away. (N,)."""
    return real_scores.float().flatten().square() * wgan_epsilon
