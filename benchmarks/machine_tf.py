"""What this machine can do at most in TensorFlow: 3x3 convolutions, in float32 and bfloat16."""

from __future__ import annotations

import platform

import tensorflow as tf

from shared_scripts.devices_tf import convolution_seconds

SHAPES = ((128, 256), (256, 128), (512, 64))  # channels and pixels
FORMATS = {"float32": tf.float32, "bf16": tf.bfloat16}


def peaks(device: str) -> dict[str, float]:
    """GFLOP/s of 3x3 convolutions (a multiply-add is two), the best of a few sizes."""

    def one(dtype: tf.DType, channels: int, size: int) -> float:
        return 2 * 9 * channels**2 * size**2 / convolution_seconds(dtype, device, channels, size) / 1e9

    return {name: max(one(dtype, *shape) for shape in SHAPES) for name, dtype in FORMATS.items()}


def print_peaks(peak: dict[str, float]) -> None:
    """A line for each number format."""
    for name, value in peak.items():
        print(f"peak convolution {name:8} {value:7.0f} GFLOP/s")


def share(name: str, gflops: float, peak: dict[str, float]) -> float:
    """Which part of the peak a version reaches; all but `bf16` compute in float32."""
    return gflops / peak["bf16" if name == "bf16" else "float32"]


def describe() -> dict[str, str | int]:
    """What was measured on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "gpus": len(tf.config.list_physical_devices("GPU")),
        "tensorflow": tf.__version__,
        "python": platform.python_version(),
    }
