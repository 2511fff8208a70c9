#!/usr/bin/env python3
"""The training demo: a DCGAN learns to write digits, from nothing, in a few minutes; then a classifier reads them.

`python demo_training.py` trains on the 1,797 digits that scikit-learn brings, each in eight variants, makes 500 new
ones, and lets a classifier that knows real digits say which they are. The commands it runs are printed: they are yours
to vary.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from demo import call
from digits import vary, write_digits
from measure import measure, read_pictures, report
from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.digits import check_scikit_learn, load_digits
from shared_scripts.files import atomic_write, resolve_path
from shared_scripts.images import grid, resize, write_image

HERE = Path(__file__).resolve().parent
SIZE, VARIANTS = 16, 8  # of the training pictures
SAMPLES, ENOUGH = 500, 8  # new digits; classes that must be among them


def main(argv: list[str] | None = None) -> int:
    """Run with these flags; returns the exit status: 1 where fewer than eight digits were learned."""
    parser = ArgumentParser(description="Train a DCGAN on scikit-learn's digits, and let a classifier read its own.")
    parser.add_argument("--epochs", type=int, default=7, metavar="N", help="passes over the 14,376 pictures")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of weights, order and noise")
    parser.add_argument("--out-dir", default=str(HERE / "demo" / "training"), metavar="DIR", help="where all goes")
    flags = parser.parse_args(argv)
    check_scikit_learn()
    started, folder = time.perf_counter(), resolve_path(flags.out_dir)
    write_digits(folder / "data" / "digits", SIZE, VARIANTS)
    common = ["--dataset", "digits", "--checkpoint_dir", folder / "checkpoint"]
    train(folder, common, flags.epochs, flags.seed)
    print(f"Trained in {time.perf_counter() - started:.0f} s", flush=True)
    made = folder / f"new_{time.strftime('%Y%m%d-%H%M%S')}"
    call(*common, "--samples", "single", "--num_images", SAMPLES, "--seed", flags.seed, "--sample_dir", made)
    show(read_pictures(made), folder / "sheet.png")
    real, labels = load_digits(SIZE)
    result = measure(read_pictures(made), vary(real, 1, seed=1), labels)
    print("\n".join(report(result)))
    with atomic_write(folder / "measured.json") as temporary:
        temporary.write_text(json.dumps({"shares": result.shares.tolist()}) + "\n", encoding="utf-8")
    return 0 if result.present >= ENOUGH else 1


def show(pictures: np.ndarray, path: Path) -> None:
    """The first of the new digits on a sheet, (N, h, w, 3), three times as large."""
    rows = [[resize(picture, 3 * SIZE, 3 * SIZE) for picture in pictures[i : i + 12]] for i in range(0, 60, 12)]
    write_image(path, grid(rows, gap=4))
    print(f"Made {path}", flush=True)


def train(folder: Path, common: list, epochs: int, seed: int) -> None:
    """Train, or go on where an earlier run stopped."""
    networks = ["--output_height", SIZE, "--gf_dim", 32, "--df_dim", 32]
    files = ["--data_dir", folder / "data", "--input_fname_pattern", "*.png", "--sample_dir", folder / "samples"]
    rhythm = ["--sample_freq", 140, "--ckpt_freq", 280, "--max_to_keep", 3]
    try:
        call(*common, *networks, *files, *rhythm, "--train", "--epoch", epochs, "--precision", "auto", "--seed", seed)
    except UserError as problem:
        if "epochs behind it" not in str(problem):
            raise
        print(f"{problem}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
