"""Where and how TensorFlow computes: devices by any of their names, and the number format."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import tensorflow as tf

from shared_scripts.cli import UserError
from shared_scripts.progress import tell

NAME = re.compile(r"^/?(?:job:\w+/|replica:\d+/|task:\d+/)*(?:device:)?(cpu|gpu|cuda)(?::(\d+|\*))?$", re.IGNORECASE)


def pick_device(name: str = "auto") -> str:
    """TensorFlow's name of the device a person asked for: `auto`, `cpu`, `gpu`, `gpu:1`, `/gpu:0`, `/device:GPU:0`.

    As in TensorFlow 1's soft placement, a GPU that is not there means the CPU; the caller may want to say so. UserError
    for a name that no device has.
    """
    gpus = tf.config.list_logical_devices("GPU")
    if name == "auto":
        return "/GPU:0" if gpus else "/CPU:0"
    match = NAME.match(name.strip())
    if not match:
        raise UserError(f"there is no device called {name!r}; use auto, cpu, gpu, gpu:1 or /device:GPU:0")
    number = int(match[2]) if (match[2] or "*") != "*" else 0
    if match[1].lower() == "cpu" or number >= len(gpus):
        return "/CPU:0"
    return f"/GPU:{number}"


def tell_device(name: str, device: str) -> None:
    """Say so where a GPU was asked for by `name` and there is none of that number."""
    if device == "/CPU:0" and name.lower() not in ("auto", "gpus") and "cpu" not in name.lower():
        tell(f"TensorFlow sees no {name} here: computing on the CPU.")


def pick_devices(name: str) -> list[str]:
    """One device, or with `gpus` all GPUs there are (the CPU where there is none)."""
    if name != "gpus":
        return [pick_device(name)]
    count = len(tf.config.list_logical_devices("GPU"))
    return [f"/GPU:{i}" for i in range(count)] or ["/CPU:0"]


def pick_precision(name: str, device: str = "/CPU:0") -> tf.DType:
    """The number format for the convolutions, tf.float32 or tf.bfloat16, of `float32`, `bf16` or `auto`.

    With `float32`, GPUs compute in float32 as well: TensorFlow's own default are products of ten-bit fractions (TF32).

    `auto` takes bfloat16 only where one 3x3 convolution of 128 channels on 96 x 96 pixels, timed here and now, is
    faster with it: processors without instructions for it are 10 to 25 times slower than in float32.
    """
    tf.config.experimental.enable_tensor_float_32_execution(name != "float32")
    if name != "auto":
        return tf.bfloat16 if name == "bf16" else tf.float32
    return tf.bfloat16 if bf16_is_faster(device) else tf.float32


@cache
def bf16_is_faster(device: str) -> bool:
    """Whether a convolution takes less than 0.85 times as long in bfloat16 as in float32 on this device."""
    try:
        return convolution_seconds(tf.bfloat16, device) < 0.85 * convolution_seconds(tf.float32, device)
    except tf.errors.OpError:  # a GPU that has no kernel for it
        return False


def convolution_seconds(dtype: tf.DType, device: str, channels: int = 128, size: int = 96, repeats: int = 8) -> float:
    """The fastest of a few timings of one 3x3 convolution, (1, size, size, channels)."""
    best = float("inf")
    with tf.device(device):
        x = tf.ones([1, size, size, channels], dtype)
        kernel = tf.ones([3, 3, channels, channels], dtype)
        convolve = tf.function(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME")[0, 0, 0, 0], autograph=False)
        convolve(x)  # the first call compiles the kernel
        for _ in range(repeats):
            start = time.perf_counter()
            convolve(x).numpy()
            best = min(best, time.perf_counter() - start)
    return best


def describe(device: str, dtype: tf.DType) -> str:
    """One line for people: what computes, and in which number format."""
    where = "CPU" if "CPU" in device else device.strip("/")
    return f"{where}, {dtype.name}"


@contextmanager
def explain_out_of_memory(advice: str) -> Iterator[None]:
    """Turn running out of memory into a UserError with advice."""
    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as problem:
        raise UserError(f"not enough memory; {advice}") from problem
