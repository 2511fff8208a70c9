"""Muon, which is not the reference's and needs a quarter of Adam's steps; and how many steps a state has seen."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from shared_scripts.adam_tf import BETA2, Adam

MOMENTUM = 0.95  # Muon's
MUON_RMS = 2.0  # root mean square of Muon's step, in learning rates; tuned on the first 150 steps of a style
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan et al. 2024: five rounds bring singular values near 1


class Muon(Adam):
    """Muon (Jordan et al. 2024) for the 3x3 kernels, Adam for all else.

    The momentum of a kernel, seen as a matrix of output channels by inputs, is replaced by the nearest orthogonal
    matrix: every direction moves by the same amount, those with small gradients too. The momentum is kept where Adam
    keeps its first moment, so checkpoints look the same.
    """

    def apply(self, gradients: dict[str, tf.Tensor], learning_rate: tf.Tensor) -> None:
        """One step, within a tf.function."""
        rest = {}
        for name, gradient in gradients.items():
            if tuple(gradient.shape[:2]) != (3, 3):
                rest[name] = gradient
                continue
            momentum = self.moments[f"{name}/Adam"]
            changed = MOMENTUM * momentum + gradient
            momentum.assign(changed)
            step = orthogonalize(MOMENTUM * changed + gradient)  # looks one step ahead, as Nesterov's momentum does
            self.weights[name].assign_sub(MUON_RMS * learning_rate * step)
        super().apply(rest, learning_rate)


def orthogonalize(kernel: tf.Tensor) -> tf.Tensor:
    """The orthogonal matrix nearest to a kernel (3, 3, a, b) seen as (9 a, b), scaled to a root mean square of 1.

    Newton and Schulz's iteration finds it, roughly, with matrix products alone.
    """
    a, b, c = NEWTON_SCHULZ
    rows = kernel.shape[3]
    x = tf.transpose(tf.reshape(kernel, [-1, rows]))  # (b, 9 a): b is the smaller side in every kernel here
    x /= tf.norm(x) + 1e-7
    for _ in range(5):
        square = tf.matmul(x, x, transpose_b=True)
        x = a * x + tf.matmul(b * square + c * tf.matmul(square, square), x)
    return tf.reshape(tf.transpose(x), kernel.shape) * math.sqrt(x.shape[1])


OPTIMIZERS = {"adam": Adam, "muon": Muon}


def steps_done(beta2_power: float) -> int:
    """How many steps led to a power of beta 2, which begins at its first: 0.999^(t + 1) -> t.

    Exact up to some 80,000 steps; behind that float32 has no numbers small enough.
    """
    return max(0, round(math.log(beta2_power) / math.log(np.float32(BETA2))) - 1) if beta2_power > 0 else 0
