#!/usr/bin/env python3
"""Train a style: `python style.py --style wave.jpg --checkpoint-dir checkpoints --train-path photos`.

This script reads the flags; `training.py` has the step, `losses.py` the formulas, `networks.py` the network.
"""

from __future__ import annotations

from options import parse_style
from shared_scripts.cli import run
from shared_scripts.quiet import quiet_tensorflow


def main(argv: list[str] | None = None) -> int:
    """Run with these flags (the command line's by default); returns the exit status."""
    flags = parse_style(argv)
    quiet_tensorflow()  # it takes seconds to import: flag errors and --help come first
    if flags.slow:
        from run_slow import optimize

        optimize(flags)
    else:
        from run_training import train

        train(flags)
    return 0


if __name__ == "__main__":
    run(main)
