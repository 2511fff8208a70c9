#!/usr/bin/env python3
"""Paint a film: `python transform_video.py --checkpoint ckpts/udnie --in-path fox.mp4 --out-path fox_udnie.mp4`.

This script reads the flags; `stylizer.py` paints, `run_video.py` has the film.
"""

from __future__ import annotations

from options import parse_video
from shared_scripts.cli import run
from shared_scripts.quiet import quiet_tensorflow


def main(argv: list[str] | None = None) -> int:
    """Run with these flags (the command line's by default); returns the exit status."""
    flags = parse_video(argv)
    quiet_tensorflow()  # it takes seconds to import: flag errors and --help come first
    from run_video import transform

    transform(flags)
    return 0


if __name__ == "__main__":
    run(main)
