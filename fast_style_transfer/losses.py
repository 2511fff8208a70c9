"""The perceptual loss: what a frozen network sees in the painted picture against the photograph and the style.

Sums of squares are divided as the reference divides them; `batch` is the number of pictures in the whole batch, of
which one GPU may hold a part, so that the parts' losses add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from shared_scripts.networks.layout import MEAN

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


class Losses(NamedTuple):
    """The three terms, weighted: scalars, or numbers once they have been fetched."""

    style: tf.Tensor | float
    content: tf.Tensor | float
    tv: tf.Tensor | float

    @property
    def total(self) -> tf.Tensor | float:
        """Their sum, which is what is minimised."""
        return self.style + self.content + self.tv

    def named(self) -> dict[str, tf.Tensor | float]:
        """All four by name, the total first."""
        return {"total": self.total, **self._asdict()}


@dataclass(frozen=True)
class LossWeights:
    """How much each term counts: the reference's defaults."""

    content: float = 7.5
    style: float = 100.0
    tv: float = 200.0


def sum_of_squares(x: tf.Tensor) -> tf.Tensor:
    """Scalar float32, whatever the type of `x`."""
    return tf.reduce_sum(tf.square(tf.cast(x, tf.float32)))


@tf.custom_gradient
def products(flat: tf.Tensor):
    """F^T F of (N, pixels, C). Its gradient is one matrix product; differentiating both factors would take two."""

    def gradient(upstream):
        return tf.matmul(flat, upstream + tf.linalg.matrix_transpose(upstream))

    return tf.matmul(flat, flat, transpose_a=True), gradient


def gram_matrix(features: tf.Tensor) -> tf.Tensor:
    """(N, H, W, C) -> (N, C, C) float32: how much each two channels fire together, divided by H W C."""
    shape = tf.shape(features)
    flat = tf.cast(tf.reshape(features, [shape[0], -1, features.shape[3]]), tf.float32)
    return products(flat) / tf.cast(shape[1] * shape[2] * shape[3], tf.float32)


def content_loss(features: tf.Tensor, target: tf.Tensor, batch: int) -> tf.Tensor:
    """Mean squared difference of two (N, H, W, C), summed over the N pictures and divided by `batch`."""
    size = tf.cast(tf.size(target) // tf.shape(target)[0], tf.float32)
    return sum_of_squares(features - target) / (size * batch)


def style_loss(features: Mapping[str, tf.Tensor], grams: Mapping[str, tf.Tensor], batch: int) -> tf.Tensor:
    """Mean squared difference of Gram matrices, summed over the layers, all of equal weight."""
    terms = [sum_of_squares(gram_matrix(features[layer]) - gram) / gram.shape[-1] ** 2 for layer, gram in grams.items()]
    return tf.add_n(terms) / batch


def total_variation(images: tf.Tensor, batch: int) -> tf.Tensor:
    """Squared differences of neighbouring pixels of (N, H, W, 3) 0..255, by rows and columns, each as a mean."""
    size = tf.cast(tf.shape(images)[1:], tf.float32)
    height, width, channels = size[0], size[1], size[2]
    dy = sum_of_squares(images[:, 1:] - images[:, :-1]) / ((height - 1) * width * channels)
    dx = sum_of_squares(images[:, :, 1:] - images[:, :, :-1]) / (height * (width - 1) * channels)
    return (dx + dy) / batch


def subtract_mean(images: tf.Tensor) -> tf.Tensor:
    """RGB 0..255 as the loss networks take it, float32."""
    return tf.cast(images, tf.float32) - MEAN


def style_targets(network, style: tf.Tensor) -> dict[str, tf.Tensor]:
    """{layer: (1, C, C)}: the Gram matrices of a (1, H, W, 3) style picture 0..255 of any size."""
    features = network.features(subtract_mean(style), STYLE_LAYERS)
    return {layer: gram_matrix(features[layer]) for layer in STYLE_LAYERS}


def perceptual_losses(network, painted, content, grams, weights: LossWeights, batch: int, dtype=tf.float32) -> Losses:
    """The weighted losses of painted against content, both (N, H, W, 3) 0..255 minus the mean, neither clipped nor
    rounded."""
    target = network.features(content, (CONTENT_LAYER,), dtype)[CONTENT_LAYER]
    features = network.features(painted, (*STYLE_LAYERS, CONTENT_LAYER), dtype)
    return Losses(
        weights.style * style_loss(features, grams, batch),
        weights.content * content_loss(features[CONTENT_LAYER], target, batch),
        weights.tv * total_variation(painted, batch),
    )
