#!/usr/bin/env python3
"""Paint photographs: `python evaluate.py --checkpoint ckpts/wave --in-path me.jpg --out-path me_wave.jpg`.

This script reads the flags; `stylizer.py` paints, `run_evaluate.py` has the files.
"""

from __future__ import annotations

from options import parse_evaluate
from shared_scripts.cli import run
from shared_scripts.quiet import quiet_tensorflow


def main(argv: list[str] | None = None) -> int:
    """Run with these flags (the command line's by default); returns the exit status."""
    flags = parse_evaluate(argv)
    quiet_tensorflow()  # it takes seconds to import: flag errors and --help come first
    from run_evaluate import evaluate

    return evaluate(flags)


if __name__ == "__main__":
    run(main)
