#!/usr/bin/env python3
"""Train a DCGAN, make pictures and films with it: `python main.py --dataset celebA --input_height 108 --crop --train`.

This script reads the flags and finds what they name; `run_training.py` trains, `films.py` films, `networks.py` has the
networks. TensorFlow takes seconds to import: all that can be wrong with flags and files comes first.
"""

from __future__ import annotations

import argparse

import options
from shared_scripts.cli import UserError, run
from shared_scripts.quiet import quiet_tensorflow


def main(argv: list[str] | None = None) -> int:
    """Run with these flags (the command line's by default); returns the exit status."""
    flags = options.parse(argv)
    if flags.model:
        compare(flags)
    elif flags.train:
        train(flags)
    else:
        generate(flags)
    return 0


def compare(flags: argparse.Namespace) -> None:
    """--model gan|dcgan: two small networks on MNIST, to see the difference."""
    if flags.any_dataset:
        flags.dataset = "mnist"
    if flags.dataset != "mnist":
        raise UserError(f"--model {flags.model} is for MNIST: leave --dataset away, or say --dataset mnist")
    quiet_tensorflow()
    from comparison import train_comparison

    train_comparison(flags)


def train(flags: argparse.Namespace) -> None:
    """--train."""
    from sources import open_source

    source = open_source(flags)
    quiet_tensorflow()
    import run_training

    run_training.train(flags, source)


def generate(flags: argparse.Namespace) -> None:
    """Everything that needs a trained generator and no training pictures."""
    film = walk = None
    if flags.gen_json:
        from films import find_film

        film = find_film(flags)
    elif flags.generation_mode is not None:
        from films import check_walk

        walk = check_walk(flags)
    quiet_tensorflow()
    import run_generation

    run_generation.generate(flags, film, walk)


if __name__ == "__main__":
    run(main)
