#!/usr/bin/env python3
"""How close the compact network comes to its teacher: `python measure_compact.py --teacher … --photos … --paintings …`.

Two tables. First, relative feature errors on photographs kept out of training. Then pictures: photographs are painted
with the student's features and with the teacher's, and the teacher judges the style of both.
"""

from __future__ import annotations

import json

from shared_scripts.cli import ArgumentParser, run


def main(argv: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = ArgumentParser(description="Compare the compact network with its teacher.")
    parser.add_argument("--teacher", required=True, metavar="FILE", help="the teacher's weights (.safetensors)")
    parser.add_argument("--photos", required=True, metavar="DIR", help="the photographs of the training")
    parser.add_argument("--paintings", required=True, metavar="DIR", help="style pictures")
    parser.add_argument("--student", metavar="FILE", help="trained weights (default: the shipped ones)")
    parser.add_argument("--pairs", type=int, default=5, metavar="N", help="photograph and style pairs to paint")
    parser.add_argument("--steps", type=int, default=150, metavar="N", help="L-BFGS steps a picture")
    parser.add_argument("--size", type=int, default=256, metavar="PIXELS", help="size of all pictures")
    parser.add_argument("--out-dir", metavar="DIR", help="write the painted pictures here")
    flags = parser.parse_args(argv)
    from compact_comparison import compare

    print(json.dumps(compare(flags), indent=1))
    return 0


if __name__ == "__main__":
    run(main)
