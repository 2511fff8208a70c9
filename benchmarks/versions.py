"""Several versions of one computation with PyTorch: waiting for a GPU, and the table of what was measured."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode


def synchronized(call: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """The call, and on a GPU the wait for its end."""
    if device.type != "cuda":
        return call
    return lambda: (call(), torch.cuda.synchronize())


class NoModules:
    """In place of what tells a FlopCounterMode in which module it is: it cannot follow gradients of gradients."""

    parents = ("Global",)

    def __enter__(self) -> None: ...

    def __exit__(self, *exception) -> None: ...


def count_gflop(call: Callable[[], object]) -> float:
    """How many GFLOP a call is (a multiply-add is two); it is made once."""
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = NoModules()
    with counter:
        call()
    return counter.get_total_flops() / 1e9


def rows(seconds: dict[str, float], gflop: dict[str, float], psnrs: dict[str, float]) -> dict:
    """What is written down of each version; the first one is what they are compared with."""
    first = next(iter(seconds.values()))
    return {
        name: {
            "seconds": value,
            "times_faster": first / value,
            "gflop": gflop[name],
            "gflops": gflop[name] / value,
            "psnr_db": psnrs.get(name),
        }
        for name, value in seconds.items()
    }


def print_table(title: str, found: dict, peak: dict[str, float]) -> None:
    """One measurement for people; adds each version's share of the peak."""
    print(f"\n{title}\n{'':16} {'seconds':>8} {'times':>6} {'GFLOP/s':>8} {'of peak':>8} {'PSNR':>6}")
    for name, row in found.items():
        row["share_of_peak"] = row["gflops"] / peak[f"convolution {'bf16' if name == 'bf16' else 'float32'}"]
        shown = "" if row["psnr_db"] is None else f"{row['psnr_db']:.1f}"
        print(f"{name:16} {row['seconds']:8.3f} {row['times_faster']:6.2f} {row['gflops']:8.0f} "
              f"{row['share_of_peak']:8.0%} {shown:>6}", flush=True)  # fmt: skip
