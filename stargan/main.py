#!/usr/bin/env python3
"""StarGAN as the original has it: `python main.py --mode train --dataset CelebA …`, `python main.py --mode test …`.

`train.py` and `test.py` are the same with the mode said. This script reads the flags; `run_training.py` has the loop,
`training.py` one step of it, `networks.py` the networks, `run_test.py` the testing.
"""

from __future__ import annotations

from options import parse
from shared_scripts.cli import run


def main(argv: list[str] | None = None, script: str = "main.py") -> int:
    """Run with these flags (the command line's by default); returns the exit status."""
    opt = parse(argv, script)
    if opt.mode == "train":
        from run_training import train

        return train(opt)
    from run_test import test

    return test(opt)


if __name__ == "__main__":
    run(main)
