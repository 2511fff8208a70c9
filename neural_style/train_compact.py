#!/usr/bin/env python3
"""Train the compact perceptual network: `python train_compact.py --teacher vgg19_16x.safetensors --photos photos`.

The script reads the flags; `compact_training.py` has the method.
"""

from __future__ import annotations

from shared_scripts.cli import ArgumentParser, add_switch, run


def main(argv: list[str] | None = None) -> int:
    """Read the flags and train; returns the exit status."""
    parser = ArgumentParser(description="Train the compact perceptual network on photographs and paintings.")
    parser.add_argument("--teacher", required=True, metavar="FILE", help="the teacher's weights (.safetensors)")
    parser.add_argument("--photos", required=True, metavar="DIR", help="photographs to train on")
    parser.add_argument("--paintings", metavar="DIR", help="paintings: a tenth of the crops come from them")
    parser.add_argument("--output", default="compact.safetensors", metavar="FILE", help="the trained weights")
    parser.add_argument(
        "--iterations", type=int, nargs=3, default=[3000, 5500, 6000], metavar="N", help="steps of the three stages"
    )
    parser.add_argument("--seed", type=int, default=0, help="makes a run on the CPU repeatable")
    add_switch(parser, "--overwrite", help="allow replacing --output")
    add_switch(parser, "--resume", help="go on from the .state file beside --output")
    flags = parser.parse_args(argv)
    if min(flags.iterations) < 1:
        parser.error("--iterations must be at least 1")
    from compact_training import train

    train(flags)
    return 0


if __name__ == "__main__":
    run(main)
