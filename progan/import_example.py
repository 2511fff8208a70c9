#!/usr/bin/env python3
"""The published example script: the ten pictures of the original generator of celebrities' faces, img0.png … img9.png.

python import_example.py [karras2018iclr-celebahq-1024x1024.pkl]
"""

from __future__ import annotations

import sys

from generate import main as generate
from published import FACES
from shared_scripts.cli import run


def main(argv: list[str] | None = None) -> None:
    """`generate.py --example`, into the working directory as the original does."""
    argv = sys.argv[1:] if argv is None else argv
    network = [] if argv and not argv[0].startswith("-") else [FACES]
    generate(["--example", "--outdir", ".", "--network", *network, *argv])


if __name__ == "__main__":
    run(main)
