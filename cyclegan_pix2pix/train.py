#!/usr/bin/env python3
"""Train a model: `python train.py --dataroot ./datasets/facades --name facades --model pix2pix --direction BtoA`.

This script reads the flags; `run_training.py` has the loop, `models/` the models, `networks.py` the networks.
"""

from __future__ import annotations

from options import parse
from shared_scripts.cli import run


def main(argv: list[str] | None = None) -> int:
    """Run with these flags (the command line's by default); returns the exit status."""
    opt = parse(argv, is_train=True)
    from run_training import train

    return train(opt)


if __name__ == "__main__":
    run(main)
