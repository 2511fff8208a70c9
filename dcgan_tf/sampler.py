"""A trained generator, ready to make pictures: batch normalisation is folded into the layers before it."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from architecture import GENERATOR, STATISTICS, Architecture
from labels import one_hot
from networks import EPSILON, Layers, conditional_generator, generator, generic_generator
from shared_scripts.progress import tell

BATCH, PIXELS = 64, 64 * 128 * 128  # pictures in one pass at most, and their pixels
PROBES = 256  # latent vectors that stand for all, where the statistics have to be found


class Sampler:
    """Pictures of latent vectors: `sampler(z, y)`.

    `z_dim` and `y_dim` are the lengths of a latent vector and of a label's (0 of networks without); `height`, `width`
    and `channels` a picture's; `sigmoid` tells how to read its values: 0..1 of the conditional network, else -1..1.
    """

    def __init__(
        self,
        architecture: Architecture,
        weights: dict[str, np.ndarray],
        device: str = "/CPU:0",
        dtype: tf.DType = tf.float32,
    ):
        a = self.architecture = architecture
        self.z_dim, self.y_dim, self.sigmoid = a.z_dim, a.y_dim, a.conditional
        self.height, self.width, self.channels = a.height, a.width, a.channels
        self.device = device
        with tf.device(device):
            weights = complete(architecture, weights)
            self.weights = {n: tf.cast(v, dtype) for n, v in fold(architecture, weights).items()}
        self.batch_size = max(1, min(BATCH, PIXELS // (architecture.height * architecture.width)))
        signature = [tf.TensorSpec([None, count]) for count in (architecture.z_dim, architecture.y_dim)]
        self.draw = tf.function(self.pass_through, input_signature=signature, autograph=False)
        self.dtype = dtype

    def __call__(self, z: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """z (N, z_dim), labels y (N, y_dim) where the network wants them -> (N, H, W, C) float32."""
        z = np.asarray(z, np.float32)
        y = np.asarray(y, np.float32) if self.y_dim else np.zeros((len(z), 0), np.float32)
        size = self.batch_size
        with tf.device(self.device):
            parts = [self.draw(z[i : i + size], y[i : i + size]).numpy() for i in range(0, len(z), size)]
        return np.concatenate(parts) if parts else np.zeros((0, self.height, self.width, self.channels), np.float32)

    def pass_through(self, z: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """The generator on folded weights."""
        layers = Folded(self.weights, GENERATOR, False, self.dtype, False)
        z, a = tf.cast(z, self.dtype), self.architecture
        return conditional_generator(layers, a, z, y) if a.conditional else generic_generator(layers, a, z)


class Folded(Layers):
    """Layers whose batch normalisation is done already."""

    def batch_norm(self, x: tf.Tensor, name: str) -> tf.Tensor:
        """What came in."""
        return x


def fold(a: Architecture, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The generator's matrices, kernels and biases with the normalisation behind them multiplied in."""
    folded = {n: v for n, v in weights.items() if n.startswith(GENERATOR) and "_bn" not in n}
    for norm in a.batch_norms():
        beta, gamma, mean, variance = (
            weights[f"{norm}/{part}"].astype(np.float64) for part in ("beta", "gamma", *STATISTICS)
        )
        scale = gamma / np.sqrt(variance + EPSILON)
        shift = beta - mean * scale
        layer = norm.replace("g_bn", "g_h")
        for name in [n for n in folded if n.startswith((f"{layer}/", f"{layer}_lin/"))]:
            folded[name] = fold_variable(name, weights[name], scale, shift)
    return folded


def fold_variable(name: str, value: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """One variable. A dense layer that is reshaped into maps has its channels innermost: the scales repeat."""
    if name.endswith("/w"):  # (height, width, out, in)
        return (value * scale[:, None]).astype(np.float32)
    repeat = value.shape[-1] // len(scale)
    scale, shift = np.tile(scale, repeat), np.tile(shift, repeat)
    return (value * scale if name.endswith("/Matrix") else value * scale + shift).astype(np.float32)


def complete(a: Architecture, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The generator's weights; where a very old checkpoint has no moving statistics, with some that are found now."""
    weights = {name: value for name, value in weights.items() if name.startswith(GENERATOR)}
    if all(f"{name}/{part}" in weights for name in a.batch_norms() for part in STATISTICS):
        return weights
    tell("This checkpoint is from before moving statistics were kept; they are found with random vectors.")
    return with_statistics(a, weights)


def with_statistics(a: Architecture, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights with moving statistics added: those of one large batch of random vectors."""
    random = np.random.RandomState(0)
    z = random.uniform(-1, 1, (PROBES, a.z_dim)).astype(np.float32)
    y = one_hot(np.arange(PROBES) % a.y_dim, a.y_dim) if a.conditional else None
    unused = {f"{norm}/{part}": np.zeros(1, np.float32) for norm in a.batch_norms() for part in STATISTICS}
    _, moments = generator({**unused, **weights}, a, z, y, training=True)
    return {**weights, **{name: value.numpy() for name, value in moments.items()}}
