#!/usr/bin/env python3
"""The demo: a photograph in a style that ships with the project, and a sheet of content, style and result.

`python demo.py`, or with your own: `python demo.py --photo me.jpg --style stained_glass`
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
STYLES = ("brushstrokes", "pointillist", "stained_glass", "woodblock_wave")


def main(argv: list[str] | None = None) -> int:
    """Run with these flags; returns the exit status."""
    parser = ArgumentParser(description="Paint a photograph in a style and show the three side by side.")
    parser.add_argument("--photo", default="china", metavar="NAME|FILE", help=f"{', '.join(PHOTOS)}, or your own file")
    parser.add_argument("--style", default="brushstrokes", metavar="NAME|FILE", help=f"{', '.join(STYLES)}, or a file")
    parser.add_argument("--width", type=int, default=512, metavar="PIXELS", help="the result's width")
    parser.add_argument("--iterations", type=int, default=250, metavar="N", help="steps to take")
    parser.add_argument("--out-dir", default=str(HERE / "demo"), metavar="DIR", help="where the pictures go")
    flags = parser.parse_args(argv)
    show(flags.photo, flags.style, flags.width, flags.iterations, resolve_path(flags.out_dir))
    return 0


def style_file(name: str) -> Path:
    """One of the styles that ship with the project, or a person's own file."""
    return HERE / "styles" / f"{name}.jpg" if name in STYLES else resolve_path(name)


def show(photo: str, style: str, width: int, iterations: int, folder: Path) -> None:
    """Make the picture with neural_style.py's own flags, then the sheet."""
    import neural_style
    from shared_scripts.images import fit, grid, read_image, write_image

    started = time.perf_counter()
    content, painting = photo_file(photo, folder), style_file(style)
    result = folder / f"{content.stem}_{painting.stem}.jpg"
    words = ["--content", content, "--styles", painting, "--output", result, "--width", width]
    words += ["--iterations", iterations, "--initial-noiseblend", "0.1", "--content-weight", "0.2"]
    words += ["--seed", "1", "--precision", "auto"]
    words = [str(word) for word in words]
    print("python neural_style/neural_style.py", shlex.join(words), file=sys.stderr, flush=True)
    neural_style.main([*words, "--network", "compact", "--overwrite"])
    pictures = [read_image(path) for path in (content, painting, result)]
    height = pictures[2].shape[0]
    sheet = folder / f"{result.stem}_sheet.jpg"
    row = [fit(picture, height, pictures[2].shape[1]) for picture in pictures]
    write_image(sheet, grid([row], titles=("content", "style", "result")))
    print(f"Made {result} and {sheet} in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    run(main)
