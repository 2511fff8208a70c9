"""`--slow`: the method that the transform net replaces. The pixels themselves are optimised (Gatys et al. 2015)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from losses import Losses, LossWeights, perceptual_losses, style_targets, subtract_mean
from shared_scripts.adam_tf import Adam
from shared_scripts.networks.layout import MEAN

NOISE_SCALE = 0.256


def starting_noise(height: int, width: int, seed: int | None = None) -> np.ndarray:
    """(1, H, W, 3) float32 around 0, the network's mean grey."""
    return (NOISE_SCALE * np.random.default_rng(seed).standard_normal((1, height, width, 3))).astype(np.float32)


class PixelOptimization:
    """Optimise a picture of the content's size. `start` is (1, H, W, 3), values 0..255 minus the network's mean."""

    def __init__(
        self, network, content: np.ndarray, style: np.ndarray, start: np.ndarray, weights: LossWeights, dtype=tf.float32
    ):
        self.network, self.content, self.weights, self.dtype = network, subtract_mean(content[None]), weights, dtype
        self.grams = style_targets(network, style[None])
        self.variable = tf.Variable(start, dtype=tf.float32)
        self.adam = Adam({"picture": self.variable})
        self.compiled_step = tf.function(self.step, autograph=False)
        self.compiled_losses = tf.function(lambda: tf.stack(self.losses()), autograph=False)

    def losses(self) -> Losses:
        """Of the picture as it is."""
        return perceptual_losses(self.network, self.variable, self.content, self.grams, self.weights, 1, self.dtype)

    def step(self, learning_rate: tf.Tensor) -> None:
        """One step of Adam."""
        with tf.GradientTape() as tape:
            total = self.losses().total
        self.adam.apply({"picture": tape.gradient(total, self.variable)}, learning_rate)

    def run(self, steps: int, learning_rate: float) -> Iterator[int]:
        """Yield the number of each step, from 0, after it."""
        for step in range(steps):
            self.compiled_step(tf.constant(learning_rate, tf.float32))
            yield step

    def current_losses(self) -> Losses:
        """The losses as numbers."""
        return Losses(*self.compiled_losses().numpy())

    def picture(self) -> np.ndarray:
        """(H, W, 3) values around 0..255, neither clipped nor rounded."""
        return self.variable.numpy()[0] + np.float32(MEAN)
