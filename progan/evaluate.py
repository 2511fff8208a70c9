#!/usr/bin/env python3
"""Metrics of a training's snapshots: `python evaluate.py --run_id 3 --metrics swd,msssim`, or `--preset swd-16k`.

This script reads the flags; `run_evaluation.py` does the work, the metrics are in `metrics`.
"""

from __future__ import annotations

import argparse

from metrics import short_name
from metrics.fast_sort import prefer_avx2
from setting_keys import METRICS
from shared_scripts.cli import ArgumentParser, positive, run

PRESETS = {  # swd-16k and so on, as the reference's tables are called; and a shorter FID
    file.removeprefix("metric-").removesuffix(".txt"): ([name], images, passes)
    for name, (file, images, passes) in METRICS.items()
} | {"fid-10k": (["fid"], 10000, 1)}
DEFAULT = (["swd", "msssim"], 16384, 2)


def make_parser() -> ArgumentParser:
    """The flags."""
    parser = ArgumentParser(prog="evaluate.py", description="Measure the snapshots of a training, newest first.")
    group = parser.add_argument_group("what")
    add = group.add_argument
    add("--run_id", metavar="RUN", help="number, name or folder of the run")
    add("--snapshot", metavar="KIMG", help="only this one: its kimg, or final (default: all)")
    add("--network", metavar="FILE", help="a network file without a run; name the real images by --data")
    add("--data", metavar="PATH", help="the real images: a data set, a folder or zip (default: what it was trained on)")
    group = parser.add_argument_group("how")
    add = group.add_argument
    add("--preset", choices=PRESETS, help="one of the reference's: sets the next four, unless they are given, too")
    add("--metrics", metavar="LIST", help="of swd, fid, is, msssim, with commas (default: swd,msssim)")
    add("--num_images", type=positive, metavar="N", help="how many real and made ones (default: 16384)")
    add(
        "--real_passes",
        type=int,
        choices=(1, 2),
        help="2 also measures more real images against the first ones, which is what a perfect generator would get "
        "(default: 2)",
    )
    add("--log", metavar="NAME", help="the table's file, in the run's folder (default: as metric-swd-16k.txt)")
    add("--minibatch_size", type=positive, metavar="N", help="(default: by the images' size, 8 to 256)")
    add("--result_dir", default="results", metavar="DIR", help="where the runs are")
    add("--inception", metavar="DIR_or_FILE", help="the Inception network's weights, for FID and IS")
    add("--random_seed", type=int, default=1000, metavar="N", help="of latents, patches and directions")
    add("--device", default="auto", metavar="auto|cpu|cuda[:N]|mps", help="where to compute")
    add("--gpu_ids", metavar="N", help="GPU number; -1 is the CPU")
    return parser


def complete(flags: argparse.Namespace) -> None:
    """Fill in what follows from --preset, or from nothing."""
    chosen = PRESETS.get(flags.preset, DEFAULT)
    flags.metrics = [short_name(name) for name in flags.metrics.split(",")] if flags.metrics else chosen[0]
    flags.num_images = flags.num_images or chosen[1]
    flags.real_passes = chosen[2] if flags.real_passes is None else flags.real_passes
    if flags.log is None and flags.network is None:
        flags.log = f"metric-{'-'.join(flags.metrics)}-{thousands(flags.num_images)}.txt"


def thousands(count: int) -> str:
    """As in the reference's names: 16384 is 16k, 500 is 500."""
    return f"{count // 1000}k" if count >= 1000 else str(count)


def main(argv: list[str] | None = None) -> int:
    """Run with these flags (the command line's by default); returns the exit status."""
    parser = make_parser()
    flags = parser.parse_args(argv)
    if (flags.run_id is None) == (flags.network is None):
        parser.error("say what to measure: --run_id RUN, or --network FILE --data PATH")
    if flags.network and not flags.data:
        parser.error("--network needs the real images to compare with: --data PATH")
    complete(flags)
    prefer_avx2()
    from run_evaluation import evaluate_metrics, evaluate_network
    from shared_scripts.devices import pick_device

    flags.device = str(pick_device(flags.device, flags.gpu_ids))
    common = ("metrics", "num_images", "real_passes", "log", "minibatch_size", "data", "inception", "device")
    options = {name: getattr(flags, name) for name in (*common, "random_seed")}
    if flags.network:
        evaluate_network(flags.network, **options)
    else:
        evaluate_metrics(flags.run_id, result_dir=flags.result_dir, snapshot=flags.snapshot, **options)
    return 0


if __name__ == "__main__":
    run(main)
