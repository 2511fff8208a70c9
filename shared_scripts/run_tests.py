"""Run each project's tests in a process of its own (their modules' names repeat), and sum up in one line.

As many projects at a time as there are processors, up to four: TEST_JOBS=1 runs one after the other.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NO_TESTS = 5  # pytest's exit status when it found none
OUTCOMES = ("passed", "failed", "skipped", "error", "errors", "xfailed", "xpassed")


def run_project(folder: Path, jobs: int) -> tuple[int, Counter]:
    """Run `pytest` in a project's folder; returns its exit status and its counts.

    What it says is shown as it goes or, where several run at a time, in one piece at the end.
    """
    lines = [f"\n=== {folder.name} ===\n"]
    show(lines if jobs == 1 else [f"testing {folder.name} …\n"], True)
    command = [sys.executable, "-m", "pytest", "-q", "--durations=5", "tests"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(jobs)
    ) as process:
        last = ""
        for line in process.stdout:
            lines.append(line)
            show([line], jobs == 1)
            last = line if re.search(r"\d+ (passed|failed|error|skipped)", line) else last
    show(lines, jobs > 1)
    counts = Counter({word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last) if word in OUTCOMES})
    return process.returncode, counts


def show(lines: list[str], wanted: bool) -> None:
    """Print lines in one piece."""
    if wanted:
        print("".join(lines), end="", flush=True)


def environment(jobs: int) -> dict[str, str]:
    """Tests never open windows, and use the CPU: one processor each, where several projects share them."""
    alone = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"} if jobs > 1 else {}
    return {**os.environ, **alone, "MPLBACKEND": "Agg", "CUDA_VISIBLE_DEVICES": "-1"}


def count_jobs(projects: int) -> int:
    """How many projects are tested at a time."""
    return max(1, min(projects, int(os.environ.get("TEST_JOBS") or min(4, os.cpu_count() or 1))))


def main() -> int:
    """Test the projects named on the command line; 1 if any of them failed or has no tests."""
    started, total, broken = time.monotonic(), Counter(), []
    names = sys.argv[1:]
    jobs = count_jobs(len(names))
    with ThreadPoolExecutor(jobs) as pool:
        for name, (status, counts) in zip(names, pool.map(lambda n: run_project(ROOT / n, jobs), names), strict=True):
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
