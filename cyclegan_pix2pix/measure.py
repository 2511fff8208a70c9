#!/usr/bin/env python3
"""How near the results of a paired model are to the truth, against the simplest answer there is: the mean picture.

`python test.py --dataroot facades --name facades_pix2pix --model pix2pix --direction BtoA --phase val --num_test all`,
then `python measure.py --results results/facades_pix2pix/val_latest --dataroot facades --direction BtoA`
"""

from __future__ import annotations

import argparse
import html
import json
import re
import urllib.parse
from pathlib import Path

import numpy as np

from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.files import atomic_write, resolve_path
from shared_scripts.images import list_images, read_image, resize


def main(argv: list[str] | None = None) -> int:
    """Run with these flags; returns the exit status."""
    parser = ArgumentParser(prog="measure.py", description="Compare results with the truth, and with the mean picture.")
    add = parser.add_argument
    add("--results", required=True, metavar="DIR", help="a folder that test.py wrote: results/NAME/PHASE_EPOCH")
    add("--dataroot", required=True, metavar="DIR", help="the pairs the model was trained on (for the mean picture)")
    add("--phase", default="train", metavar="NAME", help="their folder in --dataroot")
    add("--direction", default="AtoB", choices=("AtoB", "BtoA"), help="as it was trained")
    add("--output", metavar="FILE", help="write the numbers there as JSON too")
    flags = parser.parse_args(argv)
    numbers = measure(flags)
    print(table(numbers))
    if flags.output:
        with atomic_write(resolve_path(flags.output)) as temporary:
            temporary.write_text(json.dumps(numbers, indent=1) + "\n")
    return 0


def measure(flags: argparse.Namespace) -> dict:
    """{"pictures": how many, "model": {"L1": …, "perceptual": …}, "mean picture": {…}}."""
    from perceptual import PerceptualDistance

    truths, results = read_results(resolve_path(flags.results))
    mean = mean_picture(resolve_path(flags.dataroot) / flags.phase, flags.direction, *truths[0].shape[:2])
    means = [resize(mean, *truth.shape[:2]) for truth in truths]
    distance = PerceptualDistance()

    def scores(pictures: list[np.ndarray]) -> dict[str, float]:
        pairs = list(zip(truths, pictures, strict=True))
        return {
            "L1": float(np.mean([np.abs(a.astype(np.float64) - b).mean() / 255 for a, b in pairs])),
            "perceptual": float(np.mean([distance(a, b) for a, b in pairs])),
        }

    return {"pictures": len(truths), "model": scores(results), "mean picture": scores(means)}


def read_results(folder: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The truths and the results that a page shows, (H, W, 3) uint8 each. UserError where it shows none of a paired
    model. What earlier runs left in the folder does not count."""
    page = folder / "index.html"
    if not page.is_file():
        raise UserError(f"there is no page {page}: --results is a folder that test.py wrote, results/NAME/PHASE_EPOCH")
    listed = dict.fromkeys(re.findall(r'src="images/([^"]+)_fake_B\.png"', page.read_text(encoding="utf-8")))
    stems = [urllib.parse.unquote(html.unescape(stem)) for stem in listed]
    pairs = [[folder / "images" / f"{stem}_{label}.png" for label in ("real_B", "fake_B")] for stem in stems]
    if not pairs or not all(path.is_file() for pair in pairs for path in pair):
        raise UserError(f"{folder} holds no results of a paired model (NAME_fake_B.png with NAME_real_B.png)")
    return [read_image(truth) for truth, _ in pairs], [read_image(result) for _, result in pairs]


def mean_picture(folder: Path, direction: str, height: int, width: int) -> np.ndarray:
    """The mean of all the targets trained on, (height, width, 3) uint8: the best guess of one who saw no input.

    UserError where the pictures of the folder cannot be pairs.
    """
    total = np.zeros((height, width, 3))
    paths = list_images(folder)
    for path in paths:
        pair = read_image(path)
        half = pair.shape[1] // 2
        if pair.shape[1] % 2 or not 0.5 < (half / pair.shape[0]) / (width / height) < 2:
            raise UserError(f"{path} is no pair side by side of the shape of the results: see --dataroot and --phase")
        target = pair[:, half:] if direction == "AtoB" else pair[:, :half]
        total += resize(np.ascontiguousarray(target), height, width)
    return np.round(total / len(paths)).astype(np.uint8)


def table(numbers: dict) -> str:
    """The numbers for people."""
    lines = [f"{numbers['pictures']} pictures            L1 (0..1)   perceptual"]
    for name in ("model", "mean picture"):
        lines.append(f"{name:<22} {numbers[name]['L1']:>9.4f} {numbers[name]['perceptual']:>12.4f}")
    return "\n".join(lines)


if __name__ == "__main__":
    run(main)
