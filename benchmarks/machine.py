"""What this machine can do at most: large matrix products and 3x3 convolutions, in float32 and bfloat16."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F


def fastest(call: Callable[[], object], repeats: int = 5, device: str = "cpu") -> float:
    """Seconds of the fastest of some calls, after one that is not counted."""
    best = float("inf")
    for repeat in range(repeats + 1):
        start = time.perf_counter()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        if repeat:
            best = min(best, time.perf_counter() - start)
    return best


def peaks(device: str = "cpu") -> dict[str, float]:
    """GFLOP/s (a multiply-add is two) of matrix products and of convolutions, the best of a few sizes each."""
    found = {}
    for name, dtype in (("float32", torch.float32), ("bf16", torch.bfloat16)):
        found[f"matmul {name}"] = matmul_peak(dtype, device)
        found[f"convolution {name}"] = max(convolution_peak(dtype, c, s, device) for c, s in SHAPES)
    return found


SHAPES = ((128, 256), (256, 128), (512, 64))  # channels and pixels of VGG-19's larger layers at 512 px


def matmul_peak(dtype: torch.dtype, device: str, size: int = 2048) -> float:
    """GFLOP/s of a square matrix product."""
    a = torch.randn(size, size, device=device).to(dtype)
    return 2 * size**3 / fastest(lambda: a @ a, device=device) / 1e9


@torch.inference_mode()
def convolution_peak(dtype: torch.dtype, channels: int, size: int, device: str) -> float:
    """GFLOP/s of a 3x3 convolution, channels_last."""
    x = torch.randn(1, channels, size, size, device=device).to(dtype).to(memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3, device=device).to(dtype).to(memory_format=torch.channels_last)
    return 2 * 9 * channels**2 * size**2 / fastest(lambda: F.conv2d(x, weight, padding=1), device=device) / 1e9


def describe() -> dict[str, str | int]:
    """What was measured on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
