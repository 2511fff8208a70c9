#!/usr/bin/env python3
"""Neural style transfer: `python neural_style.py --content me.jpg --styles wave.jpg --output out.jpg`.

This script reads the flags and ties the parts together; `stylize.py` has the method, `losses.py` the formulas.
"""

from __future__ import annotations

from options import parse
from shared_scripts.cli import run


def main(argv: list[str] | None = None) -> int:
    """Run with these flags (the command line's by default); returns the exit status."""
    flags = parse(argv)
    from transfer import transfer  # torch takes seconds to import: flag errors and --help come first

    transfer(flags)
    return 0


if __name__ == "__main__":
    run(main)
