#!/usr/bin/env python3
"""A checkpoint's weights alone: `python convert_checkpoint.py --checkpoint checkpoints --out-path wave.ckpt`.

That makes one file of 6.7 MB, which the original reads as well. With --half-precision it is 3.4 MB, in two files (the
single-file format has no such numbers), which only this project reads.
"""

from __future__ import annotations

from pathlib import Path

from shared_scripts.cli import ArgumentParser, UserError, add_switch, run
from shared_scripts.files import check_writable, resolve_path
from shared_scripts.quiet import quiet_tensorflow
from shared_scripts.tf1 import PART, index_of, strip


def main(argv: list[str] | None = None) -> int:
    """Run with these flags (the command line's by default); returns the exit status."""
    parser = ArgumentParser(prog="convert_checkpoint.py", description="Write a checkpoint's weights alone.")
    parser.add_argument("--checkpoint", required=True, metavar="PATH", help="a style: its folder or any of its files")
    parser.add_argument("--out-path", required=True, metavar="FILE", help="the new file")
    add_switch(
        parser,
        "--half-precision",
        help="16 bits a number: half the size, no visible difference; FILE.index and FILE.data-…",
    )
    flags = parser.parse_args(argv)
    out = resolve_path(flags.out_path)
    if PART.search(out.name):
        raise UserError(f"{out} has the ending of a part; name the whole: {strip(out)}")
    if index_of(out).exists():
        raise UserError(f"{out} is a training's checkpoint already; choose another --out-path")
    check_writable(out)
    quiet_tensorflow()
    written = convert(flags.checkpoint, out, flags.half_precision)
    size = sum(path.stat().st_size for path in written)
    print(f"Wrote {', '.join(map(str, written))} ({size / 1e6:.1f} MB).")
    return 0


def convert(checkpoint: str, out: Path, half_precision: bool) -> list[Path]:
    """Read, check, write; returns the files that were written."""
    import numpy as np

    from legacy import load_checkpoint
    from shared_scripts.checkpoints_tf import PARTS, save_v1, save_v2

    source = load_checkpoint(checkpoint)
    if source.prefix.resolve() == out.resolve():
        raise UserError(f"{out} is the checkpoint itself, optimiser state and all; choose another --out-path")
    if not half_precision:
        save_v1(out, source.weights)
        return [out]
    weights = {name: value.astype(np.float16) for name, value in source.weights.items()}
    if not all(np.isfinite(value).all() for value in weights.values()):
        raise UserError("some weights are too large for half precision; leave --half-precision out")
    save_v2(out, weights)
    return [out.with_name(out.name + part) for part in PARTS]


if __name__ == "__main__":
    run(main)
