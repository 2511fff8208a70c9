"""numpy's faster sort. To be called before numpy is imported."""

from __future__ import annotations

import os
import sys

# By numpy's names of before 2.4 and since; those that it does not know it passes over
AVX512 = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"


def prefer_avx2() -> None:
    """On AMD's processors, have numpy sort with AVX2.

    Its AVX-512 sort stores selected lanes to memory, which Zen 4 does in microcode: 37 nanoseconds a number were
    measured, against 7 with AVX2 (rows of 2 million float32; sorting is what SWD spends its time on).
    """
    if "numpy" in sys.modules or not is_amd():
        return
    os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", AVX512)


def is_amd() -> bool:
    """Whether this is an AMD processor; Linux says so."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            return "AuthenticAMD" in file.read(4096)
    except OSError:
        return False
