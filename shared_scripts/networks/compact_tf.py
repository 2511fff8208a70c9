"""The compact perceptual network in TensorFlow, from the same weight file as `compact.py`, without importing torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from shared_scripts.cli import UserError
from shared_scripts.files import read_safetensors
from shared_scripts.networks.layout import GAINS, HEADS, INPUT_SCALE, WEIGHTS, layer_names


def reflect(x: tf.Tensor) -> tf.Tensor:
    """Pad (N, H, W, C) by one pixel of mirror image; where a side is one pixel long, the edge is repeated instead."""
    mode = "SYMMETRIC" if 1 in (x.shape[1], x.shape[2]) else "REFLECT"
    return tf.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], mode)


class CompactVGG:
    """`features(x, layers)` takes (N, H, W, 3) RGB 0..255 minus `MEAN` and returns {layer: (N, H', W', C)}.

    `layers` are names among `HEADS`; nothing behind the last of them is computed. Block k works at 1 / 2^(k-1) of the
    size, odd sizes rounded up. Convolutions compute in `dtype`.
    """

    title = "compact network"

    def __init__(self, path: Path = WEIGHTS, gains: dict[str, float] = GAINS):
        from safetensors.numpy import load_file

        weights = read_safetensors(path, load_file)
        self.kernels, self.biases = {}, {}
        try:
            for name in (*layer_names(), *(f"head{layer[4:]}" for layer in HEADS)):
                gain = np.float32(gains.get(name.replace("head", "relu"), 1.0) if name.startswith("head") else 1.0)
                kernel = weights[f"{name}.weight"].astype(np.float32).transpose(2, 3, 1, 0)  # OIHW -> HWIO
                self.kernels[name] = tf.constant(kernel * gain)
                self.biases[name] = tf.constant(weights[f"{name}.bias"].astype(np.float32) * gain)
        except KeyError as problem:
            raise UserError(f"{path} does not hold the compact network's weights: no {problem}") from problem

    def convolve(self, x: tf.Tensor, name: str) -> tf.Tensor:
        """A convolution without padding, the bias and the ReLU."""
        kernel, bias = tf.cast(self.kernels[name], x.dtype), tf.cast(self.biases[name], x.dtype)
        return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "VALID"), bias))

    def features(self, x: tf.Tensor, layers: tuple[str, ...], dtype: tf.DType = tf.float32) -> dict[str, tf.Tensor]:
        """The named layers of (N, H, W, 3) RGB 0..255 minus the mean, in `dtype`."""
        h = tf.cast(tf.cast(x, tf.float32) * INPUT_SCALE, dtype)
        found = {}
        for name in layer_names():
            if name.endswith("_1") and name != "conv1_1":
                h = tf.nn.max_pool2d(h, 2, 2, "SAME")
            h = self.convolve(reflect(h), name)
            if (layer := name.replace("conv", "relu")) in layers:
                found[layer] = self.convolve(h, f"head{layer[4:]}")
            if len(found) == len(layers):
                break
        return found
