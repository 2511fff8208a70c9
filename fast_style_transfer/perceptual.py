"""The loss network: VGG-19 from the original's .mat file, or the compact network that ships with the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from shared_scripts.networks.compact_tf import CompactVGG
from shared_scripts.networks.matconvnet import layer_order, read_matconvnet


class VGG19:
    """`features(x, layers)` takes (N, H, W, 3) RGB 0..255 minus `MEAN` and returns {layer: (N, H', W', C)}.

    Every one of the 36 layers can be asked for: conv1_1, relu1_1, conv1_2 … pool4 … relu5_4. `convolutions` are
    {name: (kernel (3, 3, in, out), bias (out,))}, of any widths.
    """

    def __init__(self, convolutions: dict[str, tuple[np.ndarray, np.ndarray]], title: str = "VGG-19"):
        self.title = title
        self.convolutions = {name: (tf.constant(k), tf.constant(b)) for name, (k, b) in convolutions.items()}

    def features(self, x: tf.Tensor, layers: tuple[str, ...], dtype: tf.DType = tf.float32) -> dict[str, tf.Tensor]:
        """The named layers of (N, H, W, 3) RGB 0..255 minus the mean, in `dtype`; none behind the last is computed."""
        h, found = tf.cast(x, dtype), {}
        for name in layer_order():
            if name.startswith("conv"):
                kernel, bias = (tf.cast(value, dtype) for value in self.convolutions[name])
                h = tf.nn.bias_add(tf.nn.conv2d(h, kernel, 1, "SAME"), bias)
            elif name.startswith("relu"):
                h = tf.nn.relu(h)
            else:
                h = tf.nn.max_pool2d(h, 2, 2, "SAME")
            if name in layers:
                found[name] = h
            if len(found) == len(layers):
                break
        return found


def load_network(path: Path | None) -> VGG19 | CompactVGG:
    """VGG-19 from a .mat file of either layout, or the compact network where `path` is None."""
    if path is None:
        return CompactVGG()
    return VGG19(read_matconvnet(path).convolutions, f"VGG-19 ({path})")
