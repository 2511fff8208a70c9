#!/usr/bin/env python3
"""Train a progressive GAN, as config.py and the flags say; or call one of the reference's utility functions.

python train.py --data FOLDER                 your own pictures
python train.py --preset cifar10,v2-1gpu      as the reference's config.py has it
python train.py --resume                      go on with what was stopped
"""

from __future__ import annotations

from options import parse
from run_log import Log
from shared_scripts.cli import run


def main(argv: list[str] | None = None) -> int:
    """Run with these flags (the command line's by default); returns the exit status."""
    settings = parse(argv)
    if settings is None:  # --dry_run has said all
        return 0
    with Log() as log:
        return function(settings["train"]["func"])(settings, log)


def function(name: str):
    """What config.py calls by a name such as train.train_progressive_gan."""
    name = name.rpartition(".")[2]
    if name == "train_progressive_gan":
        from run_training import train_progressive_gan  # torch takes a second: not for --help

        return train_progressive_gan
    from util_scripts import FUNCTIONS

    return FUNCTIONS[name]


if __name__ == "__main__":
    run(main)
