"""The two pairs of networks that `--model gan|dcgan` trains on MNIST: one fully connected, one with convolutions.

`gan` knows nothing of pictures: dense layers on 784 numbers (Goodfellow et al. 2014). `dcgan` has a convolutional
discriminator and the generator of InfoGAN (Chen et al. 2016, appendix C.1). Both take noise of 96 numbers and make
(N, 28, 28, 1) in [-1, 1]. Weights are plain dictionaries; dense kernels are (in, out), convolutions
(height, width, in, out), transposed ones (height, width, out, in), and maps are flattened in the order (H, W, C).
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

MODELS = ("gan", "dcgan")
NOISE = 96
SIZE = 28
LEAK = {"gan": 0.05, "dcgan": 0.01}
EPSILON, MOMENTUM = 1e-5, 0.1  # batch norm's; the momentum is the new batch's share
GAN_UNITS = {"discriminator": (784, 400, 200, 100, 1), "generator": (NOISE, 128, 256, 512, 784)}
DCGAN_KERNELS = {
    "discriminator/conv0": (5, 5, 1, 32),
    "discriminator/conv1": (5, 5, 32, 64),
    "discriminator/dense0": (1024, 1024),
    "discriminator/dense1": (1024, 1),
    "generator/dense0": (NOISE, 1024),
    "generator/dense1": (1024, 7 * 7 * 128),
    "generator/deconv0": (4, 4, 64, 128),
    "generator/deconv1": (4, 4, 1, 64),
}
DCGAN_NORMS = {"generator/bn0": 1024, "generator/bn1": 7 * 7 * 128, "generator/bn2": 64}


# --- variables ---


def kernel_shapes(model: str) -> dict[str, tuple[int, ...]]:
    """The kernel of each layer, without "/kernel"."""
    if model == "dcgan":
        return DCGAN_KERNELS
    return {f"{net}/dense{i}": units[i : i + 2] for net, units in GAN_UNITS.items() for i in range(len(units) - 1)}


def variable_shapes(model: str) -> dict[str, tuple[int, ...]]:
    """All variables of a pair, {name: shape}; those with "moving_" in the name are not trained."""
    shapes = {}
    for name, shape in kernel_shapes(model).items():
        outputs = shape[-2] if "deconv" in name else shape[-1]
        shapes |= {f"{name}/kernel": shape, f"{name}/bias": (outputs,)}
    for name, units in DCGAN_NORMS.items() if model == "dcgan" else ():
        shapes |= {f"{name}/{part}": (units,) for part in ("gamma", "beta", "moving_mean", "moving_variance")}
    return shapes


def initial_weights(model: str, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Fresh float32 weights as PyTorch's layers draw them, which is what these networks were tuned with.

    Kernels and biases are uniform within 1/sqrt(fan-in). For a transposed convolution PyTorch counts the *outputs*
    times the kernel's area; in our layouts the fan-in is then all axes but the last, for every kind of layer.
    """
    weights = {}
    for name, shape in variable_shapes(model).items():
        layer, _, part = name.rpartition("/")
        if part in ("kernel", "bias"):
            bound = 1 / math.sqrt(math.prod(kernel_shapes(model)[layer][:-1]))
            weights[name] = random.uniform(-bound, bound, shape).astype(np.float32)
        else:
            weights[name] = np.full(shape, part in ("gamma", "moving_variance"), np.float32)
    return weights


def trained(weights: dict, network: str) -> dict:
    """The weights of "generator" or "discriminator" that gradients change."""
    return {name: value for name, value in weights.items() if name.startswith(network) and "moving_" not in name}


# --- layers ---


def dense(weights: dict, name: str, x: tf.Tensor) -> tf.Tensor:
    """(N, in) -> (N, out)."""
    return tf.matmul(x, weights[f"{name}/kernel"]) + weights[f"{name}/bias"]


def conv(weights: dict, name: str, x: tf.Tensor) -> tf.Tensor:
    """Stride 1, no padding."""
    return tf.nn.conv2d(x, weights[f"{name}/kernel"], 1, "VALID") + weights[f"{name}/bias"]


def deconv(weights: dict, name: str, x: tf.Tensor) -> tf.Tensor:
    """Twice the size. With a 4x4 kernel SAME takes one row off each side, as `padding=1` does in PyTorch."""
    kernel = weights[f"{name}/kernel"]
    shape = [tf.shape(x)[0], 2 * x.shape[1], 2 * x.shape[2], kernel.shape[2]]
    return tf.nn.conv2d_transpose(x, kernel, shape, 2, "SAME") + weights[f"{name}/bias"]


def batch_norm(weights: dict, name: str, x: tf.Tensor, training: bool) -> tf.Tensor:
    """Each channel (the last axis) to mean 0 and variance 1, then times gamma plus beta.

    In training by the batch's own statistics, which also move the averages (the variance by its unbiased estimate, as
    PyTorch has it); otherwise by the averages.
    """
    gamma, beta, mean, variance = (
        weights[f"{name}/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    if training:
        averages = mean, variance
        mean, variance = tf.nn.moments(x, list(range(len(x.shape) - 1)))
        count = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
        for average, now in zip(averages, (mean, variance * count / (count - 1)), strict=True):
            average.assign_add(MOMENTUM * (now - average))
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, EPSILON)


# --- networks ---


def generator(model: str, weights: dict, z: tf.Tensor, training: bool) -> tf.Tensor:
    """Noise (N, 96) -> pictures (N, 28, 28, 1) in [-1, 1]."""
    return (dcgan_generator if model == "dcgan" else gan_generator)(weights, z, training)


def discriminator(model: str, weights: dict, images: tf.Tensor) -> tf.Tensor:
    """Pictures (N, 28, 28, 1) in [-1, 1] -> logits (N, 1), positive for "real"."""
    return (dcgan_discriminator if model == "dcgan" else gan_discriminator)(weights, images)


def gan_generator(weights: dict, z: tf.Tensor, training: bool) -> tf.Tensor:
    """96-128-256-512-784."""
    for i in range(3):
        z = tf.nn.relu(dense(weights, f"generator/dense{i}", z))
    return tf.reshape(tf.tanh(dense(weights, "generator/dense3", z)), [-1, SIZE, SIZE, 1])


def gan_discriminator(weights: dict, images: tf.Tensor) -> tf.Tensor:
    """784-400-200-100-1."""
    x = tf.reshape(images, [-1, SIZE * SIZE])
    for i in range(3):
        x = tf.nn.leaky_relu(dense(weights, f"discriminator/dense{i}", x), LEAK["gan"])
    return dense(weights, "discriminator/dense3", x)


def dcgan_generator(weights: dict, z: tf.Tensor, training: bool) -> tf.Tensor:
    """Dense 1024, dense 7x7x128, then twice the size two times. Batch norm comes after the ReLU here."""
    for i in range(2):
        z = tf.nn.relu(dense(weights, f"generator/dense{i}", z))
        z = batch_norm(weights, f"generator/bn{i}", z, training)
    maps = tf.reshape(z, [-1, 7, 7, 128])
    maps = batch_norm(weights, "generator/bn2", tf.nn.relu(deconv(weights, "generator/deconv0", maps)), training)
    return tf.tanh(deconv(weights, "generator/deconv1", maps))


def dcgan_discriminator(weights: dict, images: tf.Tensor) -> tf.Tensor:
    """Two convolutions with max pooling, 4x4x64 numbers, two dense layers."""
    for i in range(2):
        images = tf.nn.leaky_relu(conv(weights, f"discriminator/conv{i}", images), LEAK["dcgan"])
        images = tf.nn.max_pool2d(images, 2, 2, "VALID")
    x = tf.nn.leaky_relu(dense(weights, "discriminator/dense0", tf.reshape(images, [-1, 1024])), LEAK["dcgan"])
    return dense(weights, "discriminator/dense1", x)
