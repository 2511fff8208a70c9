"""The transform net: sixteen convolutions, each with instance normalisation, that paint a photograph in one pass.

Johnson et al. 2016 with the three changes of the system this follows: instance instead of batch normalisation, padding
with zeros, and an output of 150 tanh + 127.5. Weights are a plain dictionary with the names of the published
checkpoints (`Variable`, `Variable_1`, … `Variable_47`), so one compiled function serves every style.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

EPSILON = 1e-3  # inside the square root of instance normalisation
RESIDUAL_BLOCKS = 5
INIT_SEED, INIT_DEVIATION = 87654321, 0.1  # TensorFlow 1's default graph seed; the reference's initial deviation


@dataclass(frozen=True)
class Layer:
    """One convolution. `kernel` is (height, width, in, out), of a transposed one (height, width, out, in)."""

    name: str
    kernel: tuple[int, int, int, int]
    stride: int = 1
    transposed: bool = False

    @property
    def channels(self) -> int:
        """How many channels come out."""
        return self.kernel[2] if self.transposed else self.kernel[3]


def build_layers() -> tuple[Layer, ...]:
    """The sixteen convolutions in order: three down, ten in the residual blocks, two up, one to RGB."""
    down = [Layer("conv1", (9, 9, 3, 32)), Layer("conv2", (3, 3, 32, 64), 2), Layer("conv3", (3, 3, 64, 128), 2)]
    blocks = [Layer(f"resid{i + 1}_{half}", (3, 3, 128, 128)) for i in range(RESIDUAL_BLOCKS) for half in "ab"]
    up = [Layer("conv_t1", (3, 3, 64, 128), 2, True), Layer("conv_t2", (3, 3, 32, 64), 2, True)]
    return (*down, *blocks, *up, Layer("conv_t3", (9, 9, 32, 3)))


LAYERS = build_layers()


def variable_name(number: int) -> str:
    """What TensorFlow 1 called its n-th unnamed variable."""
    return f"Variable_{number}" if number else "Variable"


def variable_shapes() -> dict[str, tuple[int, ...]]:
    """Name and shape of the 48 weights in order: of each layer the kernel, the shift and, after it, the scale."""
    shapes = {}
    for i, layer in enumerate(LAYERS):
        shapes[variable_name(3 * i)] = layer.kernel
        shapes[variable_name(3 * i + 1)] = shapes[variable_name(3 * i + 2)] = (layer.channels,)
    return shapes


def initial_weights(seed: int | None = None) -> dict[str, np.ndarray]:
    """Fresh weights, {name: float32 array}: kernels from a normal distribution cut at two deviations, 0 and 1 else.

    Without a `seed` they are the reference's own, to the bit: it seeded every layer alike, so each kernel is the
    beginning of one stream of numbers, and all residual blocks begin identical. With a seed, each layer is drawn on
    its own.
    """
    shapes = variable_shapes()
    longest = max(int(np.prod(shape)) for shape in shapes.values())
    weights = {}
    for i, (name, shape) in enumerate(shapes.items()):
        if i % 3:
            weights[name] = np.full(shape, i % 3 - 1, np.float32)  # shift 0, scale 1
            continue
        tf.random.set_seed(INIT_SEED if seed is None else seed)
        with tf.device("/CPU:0"):  # a GPU would draw other numbers
            drawn = tf.random.truncated_normal([longest], seed=1 if seed is None else i + 1).numpy()
        weights[name] = (drawn * np.float32(INIT_DEVIATION))[: int(np.prod(shape))].reshape(shape)
    return weights


def instance_norm(x: tf.Tensor, shift: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Normalise each channel of each picture of (N, H, W, C) by its own mean and variance; N must be known.

    This is batch normalisation in training mode of one picture at a time, for which TensorFlow has a fused kernel with
    float32 statistics whatever the type of `x`: three to five times faster than writing the formula out.
    """
    pictures = [x] if x.shape[0] == 1 else tf.split(x, x.shape[0])
    normalize = tf.compat.v1.nn.fused_batch_norm
    parts = [normalize(one, scale, shift, epsilon=EPSILON, is_training=True)[0] for one in pictures]
    return parts[0] if len(parts) == 1 else tf.concat(parts, 0)


def convolve(x: tf.Tensor, kernel: tf.Tensor, layer: Layer) -> tf.Tensor:
    """The layer's convolution with zero padding. A transposed one doubles height and width exactly."""
    if layer.transposed:
        size = tf.shape(x)
        shape = tf.stack([size[0], 2 * size[1], 2 * size[2], layer.channels])
        return tf.nn.conv2d_transpose(x, kernel, shape, layer.stride, "SAME")
    if layer.channels == 3:
        return convolve_to_rgb(x, kernel)
    return tf.nn.conv2d(x, kernel, layer.stride, "SAME")


def convolve_to_rgb(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """A convolution with three output channels, in half the time; height and width of `x` must be even.

    Processors work on many channels at once, and three leave most of them idle. So one step computes the 2x2 pixels of
    a block: twelve channels, from a kernel one pixel larger that holds the original at its four positions.
    """
    shifted = [tf.pad(kernel, [(dy, 1 - dy), (dx, 1 - dx), (0, 0), (0, 0)]) for dy in (0, 1) for dx in (0, 1)]
    return tf.nn.depth_to_space(tf.nn.conv2d(x, tf.concat(shifted, 3), 2, "SAME"), 2)


def run_layers(
    weights: Mapping[str, tf.Tensor], images: tf.Tensor, dtype: tf.DType = tf.float32
) -> Iterator[tuple[str, tf.Tensor]]:
    """Yield (name, features) behind each convolution, and behind each residual block's sum (`resid1` …)."""
    x, block_input = tf.cast(images, dtype), None
    for i, layer in enumerate(LAYERS):
        kernel, shift, scale = (weights[variable_name(3 * i + j)] for j in range(3))
        if layer.name.endswith("_a"):
            block_input = x
        x = instance_norm(convolve(x, tf.cast(kernel, dtype), layer), shift, scale)
        if layer.name.endswith("_b"):
            yield layer.name, x
            x = block_input + x
            yield layer.name[:-2], x
            continue  # no ReLU behind the sum
        if layer.channels != 3:
            x = tf.nn.relu(x)
        yield layer.name, x


def transform_net(
    weights: Mapping[str, tf.Tensor], images: tf.Tensor, dtype: tf.DType = tf.float32, divisor: float = 1.0
) -> tf.Tensor:
    """Paint (N, H, W, 3) RGB 0..255 -> (N, 4 ceil(H / 4), 4 ceil(W / 4), 3) float32 in (-22.5, 277.5), not yet clipped.

    `dtype` is what the convolutions compute in; statistics and the output are float32. `divisor` is 1 in use; the
    reference trains with 255, which normalisation makes all but the same.
    """
    *_, (_, features) = run_layers(weights, tf.cast(images, tf.float32) / divisor, dtype)
    return 150 * tf.tanh(tf.cast(features, tf.float32)) + 127.5
