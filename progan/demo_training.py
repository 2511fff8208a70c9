#!/usr/bin/env python3
"""The training demo: from nothing to shapes of 32 x 32 in under ten minutes, growing from 4 x 4 on the way.

`python demo_training.py` draws coloured shapes, trains on them, measures how far the pictures of each snapshot are from
the real ones (sliced Wasserstein distance), and makes a film of the growth. The commands it runs are printed: they are
yours to vary.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from pathlib import Path

from shared_scripts.cli import ArgumentParser, natural, positive, run
from shared_scripts.files import resolve_path

HERE = Path(__file__).resolve().parent
PICTURES = 4000  # of the data set; as many are measured
# Small networks, short stages, and small minibatches where pictures are large: what learns most in a few minutes
SETTINGS = (
    "--fmap_base 512 --fmap_max 64 --lod_training_kimg 6 --lod_transition_kimg 6 --minibatch_base 8 "
    "--G_lrate_base 0.002 --D_lrate_base 0.002 --G_smoothing 0.99 --precision auto "
    "--tick_kimg_base 1 --network_snapshot_ticks 4 --grid.size 12x8"
).split()


def main(argv: list[str] | None = None) -> int:
    """Run with these flags; returns the exit status."""
    parser = ArgumentParser(description="Train a progressive GAN on drawn shapes, film its growth and measure it.")
    parser.add_argument("--kimg", type=positive, default=56, metavar="N", help="thousands of pictures to show it")
    parser.add_argument("--kind", choices=["shapes", "digits"], default="shapes", help="what to learn")
    parser.add_argument("--measure", type=positive, default=1024, metavar="N", help="pictures to compare a snapshot by")
    parser.add_argument("--seed", type=natural, default=1000, metavar="N", help="of weights, order and noise")
    parser.add_argument("--out-dir", default=str(HERE / "demo" / "training"), metavar="DIR", help="where all goes")
    flags = parser.parse_args(argv)
    started, folder = time.perf_counter(), resolve_path(flags.out_dir)
    make_data(flags.kind, folder / "datasets" / flags.kind)
    results = ["--result_dir", str(folder / "results")]
    train(flags, folder, results)
    print(f"Trained after {time.perf_counter() - started:.0f} s", flush=True)
    newest = max((folder / "results").glob("[0-9]*-pgan-*"), key=lambda path: int(path.name.split("-")[0]))
    measure(newest, flags.measure, results)
    film(newest, results)
    print(f"All of it took {time.perf_counter() - started:.0f} s. Look into {newest}")
    return 0


def call(script: str, main: Callable[[list[str]], object], arguments: list) -> None:
    """Run a script's main with arguments, and show it as a command."""
    words = [str(word) for word in arguments]
    print(f"\n$ python {script} {shlex.join(words)}", flush=True)
    main(words)


def make_data(kind: str, folder: Path) -> None:
    """Draw the pictures, if they are not there."""
    from make_dataset import main as make_dataset

    if not any(folder.glob("*.tfrecords")):
        count = [] if kind == "digits" else ["--count", PICTURES]
        call("make_dataset.py", make_dataset, [kind, folder, *count, "--size", 32])


def train(flags, folder: Path, results: list[str]) -> None:
    """Train, or go on where an earlier run stopped."""
    from train import main as train_main

    command = ["--data", folder / "datasets" / flags.kind, *results, "--seed", flags.seed]
    command += ["--total_kimg", flags.kimg, "--lrate_decay_kimg", flags.kimg * 3 // 4]
    state = next((folder / "results").glob("[0-9]*-pgan-*/training-state.pt"), None)
    call("train.py", train_main, [*command, *SETTINGS, *(["--resume"] if state else [])])


def measure(newest: Path, count: int, results: list[str]) -> None:
    """The distance from the real pictures, of every snapshot; and that of the real ones from themselves, mirrored."""
    from evaluate import main as evaluate

    about = ["--metrics", "swd", "--num_images", count, "--real_passes", 2, "--log", "metric-swd.txt"]
    call("evaluate.py", evaluate, ["--run_id", newest, *results, *about])


def film(newest: Path, results: list[str]) -> None:
    """The film of the growth."""
    from train import main as train_main

    about = ["--func", "util_scripts.generate_training_video", "--run_id", newest, *results, "--desc", "film"]
    call("train.py", train_main, [*about, "--duration_sec", 15, "--mp4_bitrate", "4M"])


if __name__ == "__main__":
    run(main)
