#!/usr/bin/env python3
"""`main.py --mode test`, with the same flags."""

from __future__ import annotations

import main as script
from shared_scripts.cli import run


def main(argv: list[str] | None = None) -> int:
    """Run with these flags (the command line's by default); returns the exit status."""
    return script.main(argv, "test.py")


if __name__ == "__main__":
    run(main)
