"""Run each project's tests in a process of its own (their modules' names repeat), and sum up in one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NO_TESTS = 5  # pytest's exit status when it found none
OUTCOMES = ("passed", "failed", "skipped", "error", "errors", "xfailed", "xpassed")


def run_project(folder: Path) -> tuple[int, Counter]:
    """Run `pytest` in a project's folder, shown as it goes; returns its exit status and its counts."""
    print(f"\n=== {folder.name} ===", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "--durations=5", "tests"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment())
    last = ""
    for line in process.stdout:
        print(line, end="", flush=True)
        last = line if re.search(r"\d+ (passed|failed|error|skipped)", line) else last
    counts = Counter({word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last) if word in OUTCOMES})
    return process.wait(), counts


def environment() -> dict[str, str]:
    """Tests never open windows, and use the CPU."""
    return {**os.environ, "MPLBACKEND": "Agg", "CUDA_VISIBLE_DEVICES": "-1"}


def main() -> int:
    """Test the projects named on the command line; 1 if any of them failed or has no tests."""
    started, total, broken = time.monotonic(), Counter(), []
    for name in sys.argv[1:]:
        status, counts = run_project(ROOT / name)
        total += counts
        if status != 0:
            broken.append(f"{name} (no tests)" if status == NO_TESTS else name)
    counted = ", ".join(f"{count} {word}" for word, count in total.items())
    print(f"\n=== all projects: {counted or 'nothing ran'} in {time.monotonic() - started:.0f} s ===")
    if broken:
        print(f"failed: {', '.join(broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
