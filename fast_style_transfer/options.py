"""The flags of style.py, evaluate.py and transform_video.py: the reference's with their defaults, and ours."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from shared_scripts.cli import ArgumentParser, add_switch, finite
from shared_scripts.files import resolve_path

VGG_FILE = "data/imagenet-vgg-verydeep-19.mat"
SLOW_EPOCHS, SLOW_RATE = 1000, 10.0  # what --slow takes where the flags are meant for training
PRECISIONS = ("float32", "bf16", "auto")


def add_precision(group, default: str, help: str) -> None:
    """--precision, as in every project."""
    group.add_argument("--precision", default=default, choices=PRECISIONS, help=help)


def at_least_one(parser: ArgumentParser, flags: argparse.Namespace, *names: str) -> None:
    """These flags are whole numbers above 0 (or not given)."""
    for name in names:
        value = getattr(flags, name)
        if value is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1, not {value}")


# --- style.py -----------------------------------------------------------------------------------------------------


def style_parser() -> ArgumentParser:
    """The parser of style.py."""
    parser = ArgumentParser(prog="style.py", description="Train a network that paints in one picture's style.")
    add_style_pictures(parser.add_argument_group("pictures and checkpoints"))
    add_style_losses(parser.add_argument_group("what counts how much"))
    add_style_run(parser.add_argument_group("the run"))
    add_style_machine(parser.add_argument_group("the machine"))
    return parser


def add_style_pictures(group) -> None:
    """What goes in and what comes out."""
    group.add_argument("--checkpoint-dir", required=True, metavar="DIR", help="where fns.ckpt goes; created if missing")
    group.add_argument("--style", required=True, metavar="FILE", help="the style picture, used at its full size")
    group.add_argument("--train-path", default="data/train2014", metavar="DIR", help="folder of training photographs")
    group.add_argument("--test", metavar="FILE", help="a photograph to paint at every checkpoint")
    group.add_argument("--test-dir", metavar="DIR", help="where those pictures go: EPOCH_ITERATION.png")
    group.add_argument(
        "--initial-checkpoint",
        metavar="PATH",
        help="begin with another style's weights: a new style in less time",
    )
    add_switch(group, "--resume", help="go on with the training in --checkpoint-dir, optimiser and position included")
    add_switch(group, "--single-file", help="write fns.ckpt as one file (V1), not as .index and .data (V2)")


def add_style_losses(group) -> None:
    """The loss network and the weights."""
    group.add_argument(
        "--vgg-path",
        metavar="FILE",
        help=f"VGG-19's .mat, or the word compact (default: {VGG_FILE} where it is, else the compact network shipped "
        "with the project)",
    )
    group.add_argument("--content-weight", type=finite, default=7.5e0, metavar="W", help="higher: closer to the photo")
    group.add_argument("--style-weight", type=finite, default=1e2, metavar="W", help="higher: more style")
    group.add_argument("--tv-weight", type=finite, default=2e2, metavar="W", help="total variation: higher is smoother")


def add_style_run(group) -> None:
    """How long, and what is written on the way."""
    add_switch(group, "--slow", help="optimise the pixels of the --test picture instead of training a network")
    add_switch(group, "--native-size", help="with --slow: paint at the photograph's size, not at 256x256")
    group.add_argument("--epochs", type=int, default=2, metavar="N", help="passes over the photographs")
    group.add_argument("--batch-size", type=int, default=4, metavar="N", help="photographs a step")
    group.add_argument(
        "--optimizer",
        default="adam",
        choices=["adam", "muon"],
        help="adam is the reference's; muon comes as far in a quarter of the steps",
    )
    group.add_argument("--checkpoint-iterations", type=int, default=2000, metavar="N", help="save every N steps")
    group.add_argument("--learning-rate", type=finite, default=1e-3, metavar="X", help="the optimiser's step")
    group.add_argument(
        "--schedule",
        default="constant",
        choices=["constant", "cosine"],
        help="cosine lets the learning rate fall to nothing: cleaner pictures from short trainings",
    )
    group.add_argument(
        "--resize",
        default="bicubic",
        choices=["bicubic", "bilinear", "crop"],
        help="how photographs become 256x256: stretched (bilinear is the filter of 2016), or their middle square",
    )
    add_switch(group, "--shuffle", help="another order in every epoch; the reference has none")
    add_switch(group, "--tensorboard", help="losses and previews for TensorBoard, in --checkpoint-dir")


def add_style_machine(group) -> None:
    """Devices and repeatability."""
    group.add_argument(
        "--device",
        default="auto",
        metavar="auto|cpu|gpu:N|gpus",
        help="where to compute; gpus: the batch is dealt out to all of them",
    )
    add_precision(group, "float32", "float32 is exact; auto takes bfloat16 where this machine is faster with it")
    group.add_argument("--seed", type=int, metavar="N", help="of the initial weights and of --shuffle")


def parse_style(argv: list[str] | None = None) -> argparse.Namespace:
    """style.py's flags, checked as far as that goes without opening a picture; exits 2 with one line."""
    parser = style_parser()
    flags = parser.parse_args(argv)
    flags.command = shlex.join(["python", "style.py", *(sys.argv[1:] if argv is None else argv)])
    at_least_one(parser, flags, "epochs", "batch_size", "checkpoint_iterations")
    if flags.seed is not None and not 0 <= flags.seed < 2**31:
        parser.error(f"--seed must be from 0 to {2**31 - 1}, not {flags.seed}")
    for name in ("content_weight", "style_weight", "tv_weight", "learning_rate"):
        if getattr(flags, name) < 0:
            parser.error(f"--{name.replace('_', '-')} must not be negative")
    flags.checkpoint_dir, flags.style = resolve_path(flags.checkpoint_dir), resolve_path(flags.style)
    flags.train_path = resolve_path(flags.train_path)
    flags.test = resolve_path(flags.test) if flags.test else None
    flags.test_dir = resolve_path(flags.test_dir) if flags.test_dir else None
    check_style_paths(parser, flags)
    choose_network(parser, flags)
    if flags.slow:
        use_slow_defaults(flags)
    return flags


def check_style_paths(parser: ArgumentParser, flags: argparse.Namespace) -> None:
    """Everything that is read is there."""
    if not flags.style.is_file():
        parser.error(f"--style: there is no file {flags.style}")
    if flags.test and not flags.test.is_file():
        parser.error(f"--test: there is no file {flags.test}")
    if flags.test and not flags.test_dir:
        parser.error("--test needs --test-dir, a folder for the pictures it makes")
    if flags.test_dir and not flags.test:
        parser.error("--test-dir is for the --test picture: name one")
    if flags.slow:
        if not flags.test:
            parser.error("--slow paints the --test picture: name one, and a --test-dir for the results")
        for name in ("resume", "initial_checkpoint", "single_file"):
            if getattr(flags, name):
                parser.error(
                    f"--{name.replace('_', '-')} is for training; --slow trains nothing and writes no checkpoint"
                )
    elif flags.native_size:
        parser.error("--native-size goes with --slow: training always uses 256x256")
    elif not flags.train_path.is_dir():
        parser.error(
            f"--train-path: there is no folder {flags.train_path}; 'bash setup.sh' fetches COCO's 82,783 photographs "
            "(13 GB), but any folder of some hundred photographs will do"
        )


def choose_network(parser: ArgumentParser, flags: argparse.Namespace) -> None:
    """flags.vgg_path becomes a Path, or None for the compact network; flags.network_note says so where we chose."""
    flags.network_note = None
    if flags.vgg_path == "compact":
        flags.vgg_path = None
    elif flags.vgg_path is not None:
        flags.vgg_path = resolve_path(flags.vgg_path)
        if not flags.vgg_path.is_file():
            parser.error(
                f"--vgg-path: there is no file {flags.vgg_path}. 'bash setup.sh --vgg-only' fetches it (500 MB); "
                "left out, the compact network shipped with the project is used"
            )
    elif Path(VGG_FILE).is_file():
        flags.vgg_path = Path(VGG_FILE)
    else:
        flags.network_note = (
            f"There is no {VGG_FILE}: training with the compact network shipped with the project "
            "(bash setup.sh --vgg-only fetches VGG-19, 500 MB)."
        )


def use_slow_defaults(flags: argparse.Namespace) -> None:
    """The reference's: one picture, at least ten epochs, else 1000; a rate in pixel values."""
    flags.batch_size = 1
    if flags.epochs < 10:
        flags.epochs = SLOW_EPOCHS
    if flags.learning_rate < 1:
        flags.learning_rate = SLOW_RATE


# --- evaluate.py --------------------------------------------------------------------------------------------------


def evaluate_parser() -> ArgumentParser:
    """The parser of evaluate.py."""
    parser = ArgumentParser(prog="evaluate.py", description="Paint photographs in the style of a checkpoint.")
    group = parser.add_argument_group("pictures")
    group.add_argument(
        "--checkpoint",
        "--checkpoint-dir",
        required=True,
        nargs="+",
        metavar="PATH",
        help="a style: its folder, or any of its files; several styles paint every picture",
    )
    group.add_argument(
        "--in-path", required=True, nargs="+", metavar="PATH", help="a picture, several, or a folder of them"
    )
    group.add_argument("--out-path", required=True, metavar="PATH", help="the result, or a folder for the results")
    group.add_argument("--batch-size", type=int, default=4, metavar="N", help="pictures at once, of a folder")
    add_switch(group, "--allow-different-dimensions", help="take folders with pictures of different sizes")
    group = parser.add_argument_group("how it looks")
    add_switch(group, "--preserve-colors", help="keep the photograph's colours, take the style's brightness")
    add_mirror_border(group)
    group.add_argument(
        "--max-size", type=int, metavar="PIXELS", help="shrink larger pictures to this longer side first"
    )
    add_switch(group, "--reference-size", help="leave sizes rounded up to a multiple of 4, as the original did")
    add_switch(group, "--no-auto-rotate", help="ignore the camera's orientation mark, as the original did")
    group.add_argument("--jpeg-quality", type=int, default=75, metavar="1..95", help="of .jpg results")
    add_machine(parser.add_argument_group("the machine"))
    return parser


def add_mirror_border(group) -> None:
    """--mirror-border, of evaluate.py and transform_video.py."""
    add_switch(group, "--mirror-border", help="paint beyond the edges and cut off: no coloured rim")


def add_machine(group) -> None:
    """--device and --precision, of evaluate.py and transform_video.py."""
    group.add_argument(
        "--device", default="auto", metavar="auto|/gpu:0|/cpu:0", help="where to compute; without a GPU on the CPU"
    )
    add_precision(
        group,
        "auto",
        "float32 is exact; auto takes bfloat16 for large pictures where this machine is faster with it",
    )


def parse_evaluate(argv: list[str] | None = None) -> argparse.Namespace:
    """evaluate.py's flags, checked; exits 2 with one line."""
    parser = evaluate_parser()
    flags = parser.parse_args(argv)
    at_least_one(parser, flags, "batch_size", "max_size")
    if not 1 <= flags.jpeg_quality <= 95:
        parser.error(f"--jpeg-quality must be from 1 to 95, not {flags.jpeg_quality}")
    flags.checkpoint = [resolve_path(path) for path in flags.checkpoint]
    flags.in_path, flags.out_path = [resolve_path(path) for path in flags.in_path], resolve_path(flags.out_path)
    for path in flags.in_path:
        if not path.exists():
            parser.error(f"In path not found! There is no {path}, neither a file nor a folder")
    return flags


# --- transform_video.py -------------------------------------------------------------------------------------------


def video_parser() -> ArgumentParser:
    """The parser of transform_video.py."""
    parser = ArgumentParser(prog="transform_video.py", description="Paint a film, frame by frame, sound and all.")
    group = parser.add_argument_group("films")
    group.add_argument(
        "--checkpoint",
        "--checkpoint-dir",
        required=True,
        metavar="PATH",
        help="a style: its folder or any of its files",
    )
    group.add_argument("--in-path", required=True, metavar="FILE", help="the film to paint")
    group.add_argument("--out-path", required=True, metavar="FILE", help="the painted film, .mp4")
    group.add_argument("--batch-size", type=int, default=4, metavar="N", help="frames at once on a GPU")
    group.add_argument("--tmp-dir", metavar="DIR", help="accepted for old command lines; nothing is stored")
    group.add_argument("--no-disk", metavar="BOOL", help="accepted for old command lines; nothing is stored")
    group = parser.add_argument_group("how it looks")
    add_switch(group, "--preserve-colors", help="keep the film's colours, take the style's brightness")
    add_mirror_border(group)
    group.add_argument("--max-size", type=int, metavar="PIXELS", help="shrink a larger film to this longer side")
    group.add_argument("--video-bitrate", default="2000k", metavar="RATE", help="of the picture, as ffmpeg writes it")
    add_machine(parser.add_argument_group("the machine"))
    return parser


def parse_video(argv: list[str] | None = None) -> argparse.Namespace:
    """transform_video.py's flags, checked; exits 2 with one line."""
    parser = video_parser()
    flags = parser.parse_args(argv)
    at_least_one(parser, flags, "batch_size", "max_size")
    flags.in_path, flags.out_path = resolve_path(flags.in_path), resolve_path(flags.out_path)
    if not flags.in_path.is_file():
        parser.error(f"In path not found! There is no file {flags.in_path}")
    return flags
