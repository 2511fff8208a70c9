#!/usr/bin/env python3
"""The demo: a photograph in all four styles that ship with the project, and one sheet of them.

`python demo.py`, or with your own: `python demo.py --photo me.jpg`
"""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

from shared_scripts.cli import ArgumentParser, run
from shared_scripts.files import resolve_path
from shared_scripts.samples import PHOTOS, photo_file

HERE = Path(__file__).resolve().parent
STYLES = tuple(sorted(path.parent.name for path in (HERE / "ckpts").glob("*/training.json")))


def main(argv: list[str] | None = None) -> int:
    """Run with these flags; returns the exit status."""
    parser = ArgumentParser(description="Paint a photograph in every style and show them on one sheet.")
    parser.add_argument("--photo", default="china", metavar="NAME|FILE", help=f"{', '.join(PHOTOS)}, or your own file")
    parser.add_argument("--out-dir", default=str(HERE / "demo"), metavar="DIR", help="where the pictures go")
    flags = parser.parse_args(argv)
    return show(flags.photo, resolve_path(flags.out_dir))


def show(photo: str, folder: Path) -> int:
    """Make the pictures with evaluate.py's own flags, then the sheet; returns the exit status."""
    import evaluate
    from shared_scripts.images import fit, grid, read_image, write_image

    started = time.perf_counter()
    content = photo_file(photo, folder)
    styles = [HERE / "ckpts" / name for name in STYLES]
    words = ["--checkpoint", *styles, "--in-path", content, "--out-path", folder]
    words = [*map(str, words), "--max-size", "1280", "--mirror-border"]
    print("python fast_style_transfer/evaluate.py", shlex.join(words), file=sys.stderr, flush=True)
    if status := evaluate.main(words):
        return status
    results = [read_image(folder / f"{content.stem}_{name}{content.suffix}") for name in STYLES]
    height, width = results[0].shape[:2]
    photograph = fit(read_image(content), height, width)
    sheet = folder / f"{content.stem}_sheet.jpg"
    write_image(sheet, grid([[photograph, *results]], titles=("photograph", *STYLES)))
    print(f"Made {sheet} and {len(results)} pictures beside it in {time.perf_counter() - started:.0f} s")
    return 0


if __name__ == "__main__":
    run(main)
