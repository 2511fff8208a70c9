"""Timing versions of one thing fairly, telling how far apart their pictures are, and writing down what was found."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np


def take_turns(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of each call's fastest run, after one that is not counted. The calls take turns, so that a busy machine
    is unfair to all alike."""
    best = {name: math.inf for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if number:
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two pictures of 0..255."""
    error = np.mean((a.astype(np.float64) - b) ** 2)
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def write_results(path: str | Path, results: dict) -> None:
    """Write what a benchmark found as JSON; its folder is made where it is missing."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")
    print(f"wrote {path}")
