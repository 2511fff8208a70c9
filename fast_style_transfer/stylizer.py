"""A style applied to pictures: one compiled function for every style, every size of picture."""

from __future__ import annotations

from functools import cache

import numpy as np
import tensorflow as tf

from networks import transform_net, variable_shapes
from shared_scripts.devices_tf import explain_out_of_memory, pick_device, pick_precision
from shared_scripts.memory import check_memory

# Peak memory of a picture on a processor: 300 to 380 were measured in float32, 190 in bfloat16
BYTES_PER_PIXEL = 400
BORDER = 32  # pixels; a multiple of 4, so that what is painted lies where it would without
ADVICE = "shrink them with --max-size, or take a smaller --batch-size"
LARGE = 256 * 256  # pixels; below that `auto` computes in float32: it takes no time, and is exact to the reference


@cache
def painter(batch: int, dtype: tf.DType):
    """The compiled network: (weights, (batch, H, W, 3) uint8) -> (batch, 4 ceil(H / 4), 4 ceil(W / 4), 3) uint8.

    Compiled once for all heights, widths and styles. Values are clipped and cut off to whole numbers.
    """
    weights = {name: tf.TensorSpec(shape) for name, shape in variable_shapes().items()}
    images = tf.TensorSpec([batch, None, None, 3], tf.uint8)

    @tf.function(input_signature=[weights, images], autograph=False)
    def paint(weights, images):
        painted = transform_net(weights, images, dtype)
        return tf.cast(tf.clip_by_value(painted, 0.0, 255.0), tf.uint8)

    return paint


class Stylizer:
    """A checkpoint's weights on a device. Call it with (N, H, W, 3) uint8 pictures.

    `precision` is `float32`, `bf16` or `auto`: bfloat16 for large pictures where this machine is faster with it. With
    `mirror_border` the pictures are continued by their mirror image while they are painted: the network pads with
    zeros, which shows as a coloured rim.
    """

    def __init__(
        self,
        weights: dict[str, np.ndarray],
        device: str = "auto",
        precision: str = "auto",
        mirror_border: bool = False,
    ):
        self.device, self.precision = pick_device(device), precision
        self.border = BORDER if mirror_border else 0
        with tf.device(self.device):
            self.weights = {name: tf.constant(value) for name, value in weights.items()}

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU computes."""
        return "GPU" in self.device

    def __call__(self, images: np.ndarray, reference_size: bool = False) -> np.ndarray:
        """Painted pictures, (N, H, W, 3) uint8. The network's output is up to three pixels higher and wider than the
        input: with `reference_size` it stays so. UserError where the memory is too small."""
        height, width = images.shape[1:3]
        border = self.border
        if border:
            sides = (border, border)
            images = np.pad(images, [(0, 0), sides, sides, (0, 0)], mode="symmetric")
        painted = self.paint(images)
        if reference_size:
            height, width = -(-height // 4) * 4, -(-width // 4) * 4
        return painted[:, border : border + height, border : border + width]

    def paint(self, images: np.ndarray) -> np.ndarray:
        """What the network makes of the pictures, at its own size."""
        height, width = images.shape[1:3]
        step = self.pictures_at_once(len(images))
        what = f"pictures of {width - 2 * self.border}x{height - 2 * self.border} pixels; {ADVICE}"
        if not self.on_gpu:
            check_memory(BYTES_PER_PIXEL * height * width, what)
        paint = painter(step, self.dtype(height * width))
        with tf.device(self.device), explain_out_of_memory(what):
            parts = [paint(self.weights, images[i : i + step]).numpy() for i in range(0, len(images), step)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def pictures_at_once(self, number: int) -> int:
        """A processor does them one after the other: as fast, and in a fraction of the memory."""
        return number if self.on_gpu else 1

    def dtype(self, pixels: int) -> tf.DType:
        """What to compute pictures of this many pixels in."""
        small = self.precision == "auto" and pixels < LARGE
        return pick_precision("float32" if small else self.precision, self.device)
