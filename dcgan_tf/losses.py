"""The two sides of the game: what the discriminator and the generator want of the discriminator's logits."""

from __future__ import annotations

import tensorflow as tf


def cross_entropy(logits: tf.Tensor, real: bool) -> tf.Tensor:
    """Mean of -log p(real) or -log(1 - p(real)), p = sigmoid(logits): logits (N, 1) -> a number."""
    return tf.reduce_mean(tf.nn.softplus(-logits if real else logits))


def discriminator_losses(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """How wrong the discriminator is about real and about generated pictures; their sum is what it minimises."""
    return cross_entropy(real_logits, True), cross_entropy(fake_logits, False)


def generator_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """How far generated pictures are from passing for real (Goodfellow et al. 2014, the form whose gradient does not
    vanish while the discriminator still wins)."""
    return cross_entropy(fake_logits, True)
