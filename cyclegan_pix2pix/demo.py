#!/usr/bin/env python3
"""The demo: draws a small data set, trains pix2pix on it for about two minutes, and shows what was learned.

`python demo.py`; everything goes to demo/, and the commands it runs are printed: they are yours to vary.
"""

from __future__ import annotations

import runpy
import shlex
import subprocess
import sys
import time
from pathlib import Path

from shared_scripts.cli import ArgumentParser, run
from shared_scripts.files import resolve_path

HERE = Path(__file__).resolve().parent
SHOWN = 6  # test pictures on the sheet


def main(argv: list[str] | None = None) -> int:
    """Run with these flags; returns the exit status."""
    parser = ArgumentParser(description="Draw shapes, train pix2pix on them, and show what it learned.")
    parser.add_argument("--epochs", type=int, default=9, metavar="N", help="passes over the 200 pictures")
    parser.add_argument("--size", type=int, default=128, metavar="PX", help="side of the pictures, a multiple of 128")
    parser.add_argument("--ngf", type=int, default=32, metavar="N", help="width of the networks")
    parser.add_argument("--train", type=int, default=200, metavar="N", help="how many pictures to train with")
    parser.add_argument("--out-dir", default=str(HERE / "demo"), metavar="DIR", help="where everything goes")
    flags = parser.parse_args(argv)
    if flags.epochs < 1 or flags.train < 1 or flags.size < 128 or flags.size % 128:
        parser.error("--epochs and --train are at least 1, --size is a multiple of 128")
    started, folder = time.perf_counter(), resolve_path(flags.out_dir)
    pictures, results = folder / f"shapes_{flags.size}_{flags.train}", folder / "results" / "shapes" / "test_latest"
    call("datasets/make_shapes_dataset.py", "--out", pictures, "--size", flags.size, "--train", flags.train)
    common = [
        "--dataroot",
        pictures,
        "--name",
        "shapes",
        "--model",
        "pix2pix",
        "--checkpoints_dir",
        folder / "checkpoints",
    ]
    call("train.py", *common, *training_flags(flags))
    call(
        "test.py",
        *common,
        "--no_dropout",
        "--crop_size",
        flags.size,
        "--num_test",
        "all",
        "--results_dir",
        folder / "results",
    )
    show(pictures, results, folder / "sheet.jpg")
    print(f"\nThe results are a page, {results / 'index.html'}")
    print(f"and a sheet, {folder / 'sheet.jpg'}; all of it took {time.perf_counter() - started:.0f} s.")
    return 0


def training_flags(flags) -> list:
    """A U-Net for pictures of 128 pixels, half as wide as the paper's, and a short schedule with large steps.

    No dropout: each outline has one right answer, and in two minutes noise only costs.
    """
    constant = flags.epochs // 2
    return [
        *("--netG", "unet_128", "--ngf", flags.ngf, "--ndf", flags.ngf),
        *("--load_size", flags.size * 9 // 8, "--crop_size", flags.size),
        *("--no_dropout", "--lr", "0.0004"),
        *("--n_epochs", constant, "--n_epochs_decay", flags.epochs - constant),
        *("--print_freq", flags.train, "--display_freq", flags.train, "--update_html_freq", flags.train),
        *("--save_epoch_freq", flags.epochs, "--num_threads", "0", "--seed", "1", "--precision", "auto"),
    ]


def call(script: str, *words: object) -> None:
    """Run one of the project's scripts as its own command line would, having shown that command line."""
    words = [str(word) for word in words]
    quoted = subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
    print(f"\npython cyclegan_pix2pix/{script} {quoted}", flush=True)
    status = runpy.run_path(str(HERE / script))["main"](words)
    if status:
        sys.exit(status)


def show(pictures: Path, results: Path, sheet: Path) -> None:
    """A sheet of some test pictures, and how near the results are to the truth."""
    from measure import main as measure
    from shared_scripts.images import grid, read_image, write_image

    found = sorted((results / "images").glob("*_fake_B.png"))[:SHOWN]
    labels = ("real_A", "fake_B", "real_B")
    rows = [[read_image(str(path).replace("fake_B", label)) for label in labels] for path in found]
    write_image(sheet, grid(rows, titles=("outline", "pix2pix", "truth")))
    print("\nHow near the results are to the truth, and how near the mean picture would be:")
    measure(["--results", str(results), "--dataroot", str(pictures)])


if __name__ == "__main__":
    run(main)
