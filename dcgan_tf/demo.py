#!/usr/bin/env python3
"""The demo: a sheet of digits that nobody wrote, and ten seconds of film through the space they come from.

`python demo.py`; nothing is trained: the generator comes with the project. The commands it runs are printed: they are
yours to vary.
"""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

from shared_scripts.cli import ArgumentParser, run
from shared_scripts.files import resolve_path

HERE = Path(__file__).resolve().parent
LOOP = 23  # with the cuts of films/demo.json that makes ten seconds


def main(argv: list[str] | None = None) -> int:
    """Run with these flags; returns the exit status."""
    parser = ArgumentParser(description="Make a sheet of digits, and a film, with the generator that comes along.")
    parser.add_argument("--film", default=str(HERE / "films" / "demo.json"), metavar="FILE", help="what to film")
    parser.add_argument("--out-dir", default=str(HERE / "demo"), metavar="DIR", help="where the results go")
    flags = parser.parse_args(argv)
    started, folder = time.perf_counter(), resolve_path(flags.out_dir)
    film = folder / "film.mp4"
    common = ["--dataset", "digits", "--checkpoint_dir", folder / "checkpoint", "--sample_dir", folder / "samples"]
    call(*common, "--num_images", 64, "--seed", 5)
    call(*common, "--gen_json", resolve_path(flags.film), "--video", film, "--zoom", 6, "--loop", LOOP)
    print(f"Made {film} in {time.perf_counter() - started:.0f} s")
    return 0


def call(*words) -> None:
    """Run main.py with these words, and say so."""
    import main as script

    words = [str(word) for word in words]
    print("python dcgan_tf/main.py", shlex.join(words), file=sys.stderr, flush=True)
    script.main(words)


if __name__ == "__main__":
    run(main)
