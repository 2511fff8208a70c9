#!/usr/bin/env python3
"""The demo: a sheet of landscapes that nobody drew, and a film of a walk through them, from the generator that ships.

`python demo.py`; all goes to demo/. Nothing is downloaded and nothing is trained.
"""

from __future__ import annotations

import time
from pathlib import Path

from shared_scripts.cli import ArgumentParser, natural, positive, run
from shared_scripts.files import resolve_path

HERE = Path(__file__).resolve().parent
SHEET, FILM = (12, 8), (5, 3)  # columns and rows


def main(argv: list[str] | None = None) -> int:
    """Run with these flags; returns the exit status."""
    parser = ArgumentParser(description="Make landscapes, and a film of a walk through them.")
    parser.add_argument("--seed", type=natural, default=1000, metavar="N", help="another number, other landscapes")
    parser.add_argument("--seconds", type=positive, default=10, metavar="N", help="how long the film is")
    parser.add_argument("--out-dir", default=str(HERE / "demo"), metavar="DIR", help="where everything goes")
    flags = parser.parse_args(argv)
    started, folder = time.perf_counter(), resolve_path(flags.out_dir)
    from run_generation import SHIPPED, load_generator, write_film, write_grids

    fast = load_generator(SHIPPED, precision="auto")
    write_grids(fast, folder, "landscapes-", 1, SHEET, seed=flags.seed, minibatch=32)
    print(f"Landscapes: {folder / 'landscapes-000000.png'}", flush=True)
    about = {"zoom_by": 3, "duration": flags.seconds, "smoothing": 1.0, "bitrate": "8M", "minibatch": 30}
    write_film(fast, folder / "walk.mp4", FILM, seed=flags.seed, **about)
    print(f"A walk from one to the next: {folder / 'walk.mp4'}; all of it took {time.perf_counter() - started:.0f} s.")
    print("Yours: python train.py --data FOLDER-OF-PICTURES, or an original .pkl: python generate.py --network X.pkl")
    return 0


if __name__ == "__main__":
    run(main)
