"""Where and how to compute: device, number format, threads, repeatability."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F

from shared_scripts.cli import UserError


def pick_device(name: str = "auto", gpu_ids: str | None = None) -> torch.device:
    """The device a person asked for: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`, or a GPU number (-1: the CPU).

    `auto` is the first GPU where there is one, else Apple's GPU, else the CPU. UserError where there is none such.
    """
    if gpu_ids is not None:
        try:
            first = int(gpu_ids.split(",")[0])
        except ValueError:
            raise UserError(f"--gpu_ids takes numbers such as 0 or 0,1, or -1 for the CPU, not {gpu_ids!r}") from None
        name = "cpu" if first < 0 else f"cuda:{first}"
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as problem:
        raise UserError(f"there is no device called {name!r}; use auto, cpu, cuda, cuda:1 or mps") from problem
    if device.type == "cuda":
        check_cuda(device)
    elif device.type == "mps" and not torch.backends.mps.is_available():
        raise UserError("this machine has no Apple GPU that PyTorch can use; leave --device out or say --device cpu")
    elif device.type not in ("cpu", "mps"):
        raise UserError(f"the device {name!r} is not supported; use auto, cpu, cuda, cuda:1 or mps")
    return device


def check_cuda(device: torch.device) -> None:
    """UserError where this CUDA device is not there."""
    count = torch.cuda.device_count()
    if count == 0:
        raise UserError("PyTorch sees no NVIDIA GPU here; leave --device out or say --device cpu")
    if (device.index or 0) >= count:
        raise UserError(f"there is no GPU {device.index}; this machine has {count}, counted from 0")


def pick_precision(name: str, device: torch.device, channels: int = 128, size: int = 64) -> torch.dtype:
    """The number format for the convolutions: torch.float32 or torch.bfloat16.

    `auto` takes bfloat16 only where the processor has instructions for it and where one 3x3 convolution of
    `channels` channels on `size` x `size` pixels, timed here and now, really is faster with it: processors without
    them compute bfloat16 convolutions 10 to 25 times slower than float32.
    """
    if name != "auto":
        return torch.bfloat16 if name == "bf16" else torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.type != "cpu" or not has_bf16_instructions():
        return torch.float32
    times = {dtype: convolution_seconds(dtype, channels, size) for dtype in (torch.float32, torch.bfloat16)}
    return torch.bfloat16 if times[torch.bfloat16] < 0.8 * times[torch.float32] else torch.float32


def has_bf16_instructions() -> bool:
    """Whether this processor multiplies bfloat16 numbers itself (x86: avx512_bf16 or amx)."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def convolution_seconds(dtype: torch.dtype, channels: int, size: int, repeats: int = 3) -> float:
    """The fastest of a few timings of one 3x3 convolution, (1, channels, size, size), channels_last."""
    x = torch.ones(1, channels, size, size, dtype=dtype).to(memory_format=torch.channels_last)
    weight = torch.ones(channels, channels, 3, 3, dtype=dtype).to(memory_format=torch.channels_last)
    best = float("inf")
    with torch.inference_mode():
        F.conv2d(x, weight, padding=1)  # the first call compiles the kernel
        for _ in range(repeats):
            start = time.perf_counter()
            F.conv2d(x, weight, padding=1)
            best = min(best, time.perf_counter() - start)
    return best


def seed_everything(seed: int | None) -> None:
    """Make a run repeatable: all generators, and only kernels whose sums are always in the same order."""
    if seed is None:
        return
    if not -(2**63) <= seed < 2**63:
        raise UserError(f"--seed {seed} is too large; take one of at most 18 digits")
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def describe(device: torch.device, dtype: torch.dtype) -> str:
    """One line for people: what computes, and in which number format."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    where = {"cuda": f"GPU {name}", "mps": "Apple GPU"}.get(device.type, f"CPU, {torch.get_num_threads()} threads")
    return f"{where}, {str(dtype).removeprefix('torch.')}"


@contextmanager
def explain_out_of_memory(advice: str) -> Iterator[None]:
    """Turn running out of memory into a UserError with advice."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as problem:
        raise UserError(f"not enough memory; {advice}") from problem
    except RuntimeError as problem:  # what PyTorch raises when the CPU's memory is used up
        if "not enough memory" not in str(problem) and "can't allocate memory" not in str(problem):
            raise
        raise UserError(f"not enough memory; {advice}") from problem
