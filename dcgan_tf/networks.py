"""Generator and discriminator (Radford, Metz, Chintala 2015), as functions of a dictionary of variables.

`architecture.py` says which variables there are. Layouts are NHWC. Batch normalisation uses the batch's own statistics
while training, and the moving ones when sampling; the discriminator always the batch's.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from architecture import DISCRIMINATOR, GENERATOR, STATISTICS, Architecture

EPSILON = 1e-5  # inside the square root of batch normalisation
LEAK = 0.2  # slope of the discriminator's rectifiers below zero
DECAY = 0.9  # of the moving statistics
FEW_CHANNELS = 4  # a picture's

Weights = Mapping[str, tf.Tensor]
Moments = dict[str, tf.Tensor]  # {name of a moving statistic: this batch's value}


class Layers:
    """The building blocks, on a network's variables and in one number format; collects the batches' moments."""

    def __init__(self, weights: Weights, scope: str, training: bool, dtype: tf.DType, biased_variance: bool):
        self.weights, self.scope, self.training, self.dtype = weights, scope, training, dtype
        self.biased_variance = biased_variance
        self.moments: Moments = {}

    def get(self, name: str) -> tf.Tensor:
        """A variable in the number format of the computation."""
        return tf.cast(self.weights[self.scope + name], self.dtype)

    def dense(self, x: tf.Tensor, name: str) -> tf.Tensor:
        """(N, in) -> (N, out)."""
        return tf.matmul(x, self.get(f"{name}/Matrix")) + self.get(f"{name}/bias")

    def convolution(self, x: tf.Tensor, name: str) -> tf.Tensor:
        """5x5, halves height and width. Padding is TensorFlow's SAME: on even sides one before and two behind."""
        return tf.nn.bias_add(tf.nn.conv2d(x, self.get(f"{name}/w"), 2, "SAME"), self.get(f"{name}/biases"))

    def deconvolution(self, x: tf.Tensor, name: str, height: int, width: int) -> tf.Tensor:
        """5x5 transposed convolution that doubles, to exactly (N, height, width, out): odd sides are not a doubled map
        with its end cut off."""
        kernel = self.get(f"{name}/w")
        if kernel.shape[2] <= FEW_CHANNELS:
            doubled = subpixel_deconvolution(x, kernel, height, width)
        else:
            shape = [tf.shape(x)[0], height, width, kernel.shape[2]]
            doubled = tf.nn.conv2d_transpose(x, kernel, shape, 2, "SAME")
        return tf.nn.bias_add(doubled, self.get(f"{name}/biases"))

    def batch_norm(self, x: tf.Tensor, name: str) -> tf.Tensor:
        """Per channel, over the batch and all places; the statistics are float32 in every number format."""
        key = f"{self.scope}{name}"
        beta, gamma, mean, variance = (self.weights[f"{key}/{part}"] for part in ("beta", "gamma", *STATISTICS))
        maps = x if x.shape.rank == 4 else x[:, None, None, :]
        none = tf.zeros([0])
        out = tf.raw_ops.FusedBatchNormV3(
            x=maps,
            scale=gamma,
            offset=beta,
            mean=none if self.training else mean,
            variance=none if self.training else variance,
            epsilon=EPSILON,
            is_training=self.training,
        )
        if self.training:
            self.moments[f"{key}/{STATISTICS[0]}"] = out.batch_mean
            self.moments[f"{key}/{STATISTICS[1]}"] = self.variance(out.batch_variance, maps)
        return out.y if x.shape.rank == 4 else out.y[:, 0, 0, :]

    def variance(self, unbiased: tf.Tensor, maps: tf.Tensor) -> tf.Tensor:
        """What enters the moving variance. TensorFlow's fused operation gives n / (n - 1) of the batch's variance."""
        if not self.biased_variance:
            return unbiased
        count = tf.cast(tf.size(maps) // maps.shape[-1], tf.float32)
        return unbiased * (count - 1) / count


def subpixel_deconvolution(x: tf.Tensor, kernel: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """The same transposed convolution as a plain one, with a 3x3 kernel: twice as fast for few channels.

    Of the doubled picture's pixels those at even places see the kernel's taps 1 and 3, those at odd places 0, 2 and 4.
    So each pixel of x gives a block of four, each from its own 3x3 kernel, and blocks are laid side by side (Shi et al.
    2016). With an odd height or width TensorFlow's padding starts one pixel later.
    """
    _, _, outputs, inputs = kernel.shape
    taps = tf.pad(kernel, [[1, 0], [1, 0], [0, 0], [0, 0]])  # six: two for each of three neighbours, the last one first
    taps = tf.reshape(taps, [3, 2, 3, 2, outputs, inputs])[::-1, :, ::-1]
    taps = tf.reshape(tf.transpose(taps, [0, 2, 5, 1, 3, 4]), [3, 3, inputs, 4 * outputs])
    doubled = tf.nn.depth_to_space(tf.nn.conv2d(x, taps, 1, "SAME"), 2)
    return doubled[:, -height:, -width:]


def beside(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """The labels (N, y) appended to the channels of (N, C), or to those of every place of (N, H, W, C)."""
    y = tf.cast(y, x.dtype)
    if x.shape.rank == 4:
        y = tf.broadcast_to(y[:, None, None, :], tf.concat([tf.shape(x)[:3], tf.shape(y)[1:]], 0))
    return tf.concat([x, y], -1)


def leaky_relu(x: tf.Tensor) -> tf.Tensor:
    """max(x, 0.2 x)."""
    return tf.nn.leaky_relu(x, LEAK)


def generator(
    weights: Weights,
    a: Architecture,
    z: tf.Tensor,
    y: tf.Tensor | None = None,
    training: bool = False,
    dtype: tf.DType = tf.float32,
    biased_variance: bool = False,
) -> tuple[tf.Tensor, Moments]:
    """Pictures of latent vectors: z (N, z_dim), labels y (N, y_dim) of the conditional network
    -> (N, height, width, channels) float32, -1..1 (0..1 of the conditional one), and the batch's moments: with the
    variance that TensorFlow up to 1.2 kept (`biased_variance`), or the later one's."""
    layers = Layers(weights, GENERATOR, training, dtype, biased_variance)
    z = tf.cast(z, dtype)
    images = conditional_generator(layers, a, z, y) if a.conditional else generic_generator(layers, a, z)
    return images, layers.moments


def generic_generator(layers: Layers, a: Architecture, z: tf.Tensor) -> tf.Tensor:
    """Dense, then four times doubled; batch normalisation and ReLU everywhere but at the end."""
    *larger, (height, width) = a.sizes()
    h = tf.reshape(layers.dense(z, "g_h0_lin"), [-1, height, width, 8 * a.gf_dim])
    for i, size in enumerate(reversed(larger), start=1):
        h = tf.nn.relu(layers.batch_norm(h, f"g_bn{i - 1}"))
        h = layers.deconvolution(h, f"g_h{i}", *size)
    return tf.tanh(tf.cast(h, tf.float32))


def conditional_generator(layers: Layers, a: Architecture, z: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Two dense layers, then twice doubled, the label beside every input; ends in a sigmoid."""
    full, half, (height, width) = a.sizes()
    h = tf.nn.relu(layers.batch_norm(layers.dense(beside(z, y), "g_h0_lin"), "g_bn0"))
    h = tf.nn.relu(layers.batch_norm(layers.dense(beside(h, y), "g_h1_lin"), "g_bn1"))
    h = beside(tf.reshape(h, [-1, height, width, 2 * a.gf_dim]), y)
    h = tf.nn.relu(layers.batch_norm(layers.deconvolution(h, "g_h2", *half), "g_bn2"))
    h = layers.deconvolution(beside(h, y), "g_h3", *full)
    return tf.sigmoid(tf.cast(h, tf.float32))


def discriminator(
    weights: Weights, a: Architecture, images: tf.Tensor, y: tf.Tensor | None = None, dtype: tf.DType = tf.float32
) -> tuple[tf.Tensor, Moments]:
    """How real pictures look: (N, height, width, channels), labels (N, y_dim) -> logits (N, 1) float32, and the batch's
    moments. Real and generated pictures go through in batches of their own: each batch has its own statistics."""
    layers = Layers(weights, DISCRIMINATOR, True, dtype, False)
    x = tf.cast(images, dtype)
    logits = conditional_discriminator(layers, a, x, y) if a.conditional else generic_discriminator(layers, a, x)
    return tf.cast(logits, tf.float32), layers.moments


def generic_discriminator(layers: Layers, a: Architecture, x: tf.Tensor) -> tf.Tensor:
    """Four times halved; batch normalisation everywhere but at the picture."""
    h = leaky_relu(layers.convolution(x, "d_h0_conv"))
    for i in range(1, 4):
        h = leaky_relu(layers.batch_norm(layers.convolution(h, f"d_h{i}_conv"), f"d_bn{i}"))
    return layers.dense(flatten(h), "d_h4_lin")


def conditional_discriminator(layers: Layers, a: Architecture, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Twice halved, then two dense layers, the label beside every input."""
    h = leaky_relu(layers.convolution(beside(x, y), "d_h0_conv"))
    h = leaky_relu(layers.batch_norm(layers.convolution(beside(h, y), "d_h1_conv"), "d_bn1"))
    h = leaky_relu(layers.batch_norm(layers.dense(beside(flatten(h), y), "d_h2_lin"), "d_bn2"))
    return layers.dense(beside(h, y), "d_h3_lin")


def flatten(x: tf.Tensor) -> tf.Tensor:
    """(N, H, W, C) -> (N, H W C)."""
    _, height, width, channels = x.shape
    return tf.reshape(x, [-1, height * width * channels])
