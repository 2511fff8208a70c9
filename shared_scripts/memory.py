"""The C library's memory, told to keep what it has: large pictures are allocated and freed at every step."""

from __future__ import annotations

import ctypes
import sys

from shared_scripts.cli import UserError


def keep_memory() -> None:
    """Have the C library keep freed memory for the next step instead of giving it back to the system.

    glibc asks the system anew for every block above 32 MB, and the system clears it page by page: with pictures of
    512 pixels that costs more time than the ReLUs and pools that fill the blocks. Elsewhere this does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # no glibc (musl)
        return
    mmap_max, trim_threshold, top_pad = -4, -1, -2  # names and numbers from malloc.h
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(top_pad, 2**26)


granted = 0.0  # the most that `check_memory` has allowed: this process may still hold it, so it is not asked for again


def check_memory(needed: float, what: str) -> None:
    """UserError where this machine has not the `needed` bytes for `what`; silent where that cannot be found out."""
    global granted
    if needed <= granted:
        return
    free = available_memory()
    if free is not None and needed > free:
        raise UserError(f"not enough memory for {what} (about {needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} free)")
    granted = needed


def available_memory() -> int | None:
    """Bytes that can be had without swapping; None where the system does not say (it does on Linux)."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            found = {line.split(":")[0]: int(line.split()[1]) for line in file}
        return found["MemAvailable"] * 1024
    except (OSError, KeyError, ValueError, IndexError):
        return None
