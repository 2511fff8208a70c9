#!/usr/bin/env python3
"""The demo: drawn faces that the shipped generator has never seen, with other hair, glasses, a smile, other ages.

`python demo.py`; a sheet and a film go to demo/. Nothing is downloaded and nothing is trained.
"""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

from shared_scripts.cli import ArgumentParser, positive, run
from shared_scripts.files import resolve_path

HERE = Path(__file__).resolve().parent


def main(argv: list[str] | None = None) -> int:
    """Run with these flags; returns the exit status."""
    parser = ArgumentParser(description="Translate drawn faces to every attribute, and film how they change.")
    parser.add_argument("--faces", type=positive, default=6, metavar="N", help="how many faces")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="another number shows other faces")
    parser.add_argument("--frames", type=positive, default=20, metavar="N", help="pictures of the film an attribute")
    parser.add_argument("--out-dir", default=str(HERE / "demo"), metavar="DIR", help="where everything goes")
    flags = parser.parse_args(argv)
    if flags.first < 0:
        parser.error("--first must not be below 0")
    started, folder = time.perf_counter(), resolve_path(flags.out_dir)
    from shared_scripts.images import write_image
    from shared_scripts.memory import keep_memory
    from shared_scripts.videos import VideoWriter
    from sheets import titled_sheet
    from show import Gallery, people

    keep_memory()
    gallery = Gallery(people(range(flags.first, flags.first + flags.faces)))
    columns, titles = gallery.sheet()
    write_image(folder / "sheet.png", titled_sheet(columns, titles))
    print(f"Every face with every attribute changed: {folder / 'sheet.png'}", flush=True)
    frames = gallery.film(flags.frames, zoom=2)
    first = next(frames)
    height, width = first.shape[:2]
    with VideoWriter(folder / "sliders.mp4", width, height, Fraction(20), crf=18) as film:
        film.write(first)
        for frame in frames:
            film.write(frame)
    print(f"A film of sliders: {folder / 'sliders.mp4'}; all of it took {time.perf_counter() - started:.0f} s.")
    print("Yours: python make_faces_dataset.py, then the command it prints; or, for photographs, see README.md.")
    return 0


if __name__ == "__main__":
    run(main)
