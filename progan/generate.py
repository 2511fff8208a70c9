#!/usr/bin/env python3
"""Pictures and films from a trained generator: one of ours, of your own training, or one of the original's .pkl files.

python generate.py                                       a sheet of the landscapes that ship with this folder
python generate.py --network karras2018iclr-celebahq-1024x1024.pkl --example
python generate.py --network 3 --seeds 0-9               run 3 of results/, a picture a seed
python generate.py --network X.pkl --video walk.mp4 --duration_sec 10
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from published import find_published
from results import id_string, is_network_file, locate_snapshot
from shared_scripts.cli import (
    ArgumentParser,
    UserError,
    add_device_flags,
    given_flags,
    natural,
    not_negative,
    positive,
    run,
)
from shared_scripts.files import check_writable, resolve_path

if TYPE_CHECKING:
    from inference import FastGenerator

MOST_SEEDS = 100_000
# What only some of the ways to make something have: the flag that chooses them, and theirs
FILMS = ("image_zoom", "duration_sec", "smoothing_sec", "mp4_fps", "mp4_bitrate")
GRIDS = ("num_pngs", "grid_size", "random_seed", "minibatch_size")


def numbers(text: str) -> list[int]:
    """`0-3,8` as 0, 1, 2, 3, 8."""
    found: list[int] = []
    for word in text.replace(" ", "").split(","):
        first, dash, last = word.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"expected seeds such as 0-9 or 1,5,8, not {text!r}")
        start, end = int(first), int(last or first)
        if end < start or end >= 2**32 or len(found) + end - start >= MOST_SEEDS:
            raise argparse.ArgumentTypeError(f"expected 1 to {MOST_SEEDS} seeds below 2^32, such as 0-9, not {text!r}")
        found += range(start, end + 1)
    return found


def size(text: str) -> tuple[int, int]:
    """`15x8` or `15,8` or `[15, 8]` as columns and rows."""
    words = text.strip("[]() ").lower().replace("x", ",").split(",")
    if len(words) != 2 or not all(word.strip().isdecimal() and int(word) > 0 for word in words):
        raise argparse.ArgumentTypeError(f"expected columns and rows such as 15x8, not {text!r}")
    return int(words[0]), int(words[1])


def make_parser() -> ArgumentParser:
    """The flags; where the reference's util_scripts have an argument, by its name."""
    parser = ArgumentParser(prog="generate.py", description="Pictures and films from a trained generator.")
    parser.add_argument(
        "--network",
        "--run_id",
        metavar="FILE|RUN",
        help="a .pkl or .safetensors file, a published network's name (celebahq, lsun-airplane, …), or a run's number "
        "or folder (default: what ships)",
    )
    parser.add_argument("--snapshot", metavar="KIMG", help="of a run: which snapshot (default: the last)")
    parser.add_argument("--result_dir", default="results", help="where runs are looked for")
    parser.add_argument("--outdir", default="generated", help="where pictures go")
    what = parser.add_argument_group("what to make (default: one grid)")
    one = what.add_mutually_exclusive_group()
    one.add_argument("--example", action="store_true", help="img0.png … img9.png of the published example's latents")
    one.add_argument("--seeds", type=numbers, metavar="0-9,20", help="one picture for each of these seeds")
    one.add_argument("--video", "--mp4", metavar="FILE", help="a film of a walk between pictures: .mp4, .gif, …")
    what.add_argument("--num_pngs", type=positive, default=1, help="how many random pictures, or grids")
    what.add_argument(
        "--grid_size",
        type=size,
        metavar="COLUMNSxROWS",
        help="pictures a grid (default: a sheetful; 1x1 in a film)",
    )
    how = parser.add_argument_group("how")
    how.add_argument("--random_seed", "--seed", type=natural, default=1000, help="of grids and films")
    how.add_argument("--label", metavar="N|A,B,…", help="the class, where the generator has classes (default: random)")
    how.add_argument("--image_shrink", type=positive, default=1, help="make pictures smaller by this factor")
    how.add_argument("--image_zoom", type=positive, default=1, help="make a film's pixels larger by this factor")
    how.add_argument("--png_prefix", metavar="TEXT", help="how the pictures' names begin")
    how.add_argument("--duration_sec", type=not_negative, default=60.0, help="how long the film is")
    how.add_argument("--smoothing_sec", type=not_negative, default=1.0, help="how slowly it moves")
    how.add_argument("--mp4_fps", type=positive, default=30, help="frames a second")
    how.add_argument("--mp4_bitrate", default="16M", help="of the film")
    how.add_argument("--mp4_codec", help="ignored, as the reference does: H.264 it is")
    how.add_argument("--minibatch_size", type=positive, default=8, help="how many pictures to compute at a time")
    device = ArgumentParser(add_help=False)
    add_device_flags(device)
    for action in device._actions:
        if action.dest != "seed":
            parser._add_action(action)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run with these flags (the command line's by default)."""
    parser, argv = make_parser(), sys.argv[1:] if argv is None else argv
    opt = parser.parse_args(argv)
    check_flags(opt, given_flags(parser, argv))
    path = find_network(opt.network, opt.snapshot, opt.result_dir)
    if opt.video:
        check_writable(resolve_path(opt.video))
    import run_generation as make  # torch takes a second: not for --help, nor for slips

    fast = make.load_generator(path, opt.device, opt.gpu_ids, opt.precision)
    paths = make_film(fast, opt) if opt.video else make_pictures(fast, path, opt)
    print(f"wrote {paths[0]}" + (f" … {paths[-1].name}" if len(paths) > 1 else ""))


def check_flags(opt: argparse.Namespace, given: set[str]) -> None:
    """UserError where a flag is given that would do nothing: what was meant is something else."""
    for name in FILMS:
        if name in given and not opt.video:
            raise UserError(f"--{name} is for films; name one with --video FILE, or leave it out")
    for name in GRIDS:
        if name in given and (opt.example or opt.seeds):
            raise UserError(f"--{name} does not go with {'--example' if opt.example else '--seeds'}; leave one out")
    for name in ("num_pngs", "png_prefix"):
        if name in given and opt.video:
            raise UserError(f"--{name} is for pictures, not for films; leave it out")
    if opt.snapshot is not None and opt.network is None:
        raise UserError("--snapshot is one of a run's; say with --network which run")


def find_network(given: str | None, snapshot: str | None, result_dir: str) -> Path:
    """The network file that is meant. UserError where there is none such."""
    if given is None:
        from run_generation import SHIPPED

        return SHIPPED
    path = resolve_path(given)
    if path.is_file():  # whatever its name ends in
        return path
    if path.is_dir() and is_network_file(path):
        raise UserError(f"{path} is a folder, not the file of a network")
    return find_published(given) or locate_snapshot(given, snapshot, result_dir)


def make_film(fast: FastGenerator, opt: argparse.Namespace) -> list[Path]:
    """What --video asks for."""
    import run_generation as make

    how = {"shrink": opt.image_shrink, "zoom_by": opt.image_zoom, "seed": opt.random_seed, "label": opt.label}
    how |= {"duration": opt.duration_sec, "smoothing": opt.smoothing_sec, "fps": opt.mp4_fps}
    how |= {"bitrate": opt.mp4_bitrate, "minibatch": opt.minibatch_size}
    return [make.write_film(fast, resolve_path(opt.video), opt.grid_size or (1, 1), **how)]


def make_pictures(fast: FastGenerator, network: Path, opt: argparse.Namespace) -> list[Path]:
    """What the other flags ask for."""
    import run_generation as make

    folder, how = resolve_path(opt.outdir), {"shrink": opt.image_shrink, "label": opt.label}
    if opt.example:
        return make.write_example(fast, folder, prefix=opt.png_prefix or "", **how)
    if opt.seeds:
        return make.write_seeds(fast, folder, opt.seeds, prefix=opt.png_prefix or "", **how)
    prefix = id_string(network) + "-" if opt.png_prefix is None else opt.png_prefix
    grid = opt.grid_size or ((1, 1) if opt.num_pngs > 1 else sheet(fast.resolution // opt.image_shrink))
    how |= {"seed": opt.random_seed, "minibatch": opt.minibatch_size}
    return make.write_grids(fast, folder, prefix, opt.num_pngs, grid, **how)


def sheet(resolution: int) -> tuple[int, int]:
    """How many pictures fill a sheet of about 1024 x 512; at most 32 x 16, for they are to be seen."""
    size = max(1, resolution)  # 0 where --image_shrink is too large, which is told later
    return min(32, max(1, 1024 // size)), min(16, max(1, 512 // size))


if __name__ == "__main__":
    run(main)
