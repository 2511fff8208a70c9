#!/usr/bin/env python3
"""Run a trained model: `python test.py --dataroot ./datasets/facades --name facades --model pix2pix --direction BtoA`.

This script reads the flags; `run_test.py` does the work. The results are a page, results/NAME/test_latest/index.html.
"""

from __future__ import annotations

from options import parse
from shared_scripts.cli import run


def main(argv: list[str] | None = None) -> int:
    """Run with these flags (the command line's by default); returns the exit status."""
    opt = parse(argv, is_train=False)
    from run_test import test

    return test(opt)


if __name__ == "__main__":
    run(main)
