"""neural_style.py's flags: the reference's with their defaults and old spellings, and ours; and their checks."""

from __future__ import annotations

import argparse
from pathlib import Path

from report import checkpoint_name, is_checkpoint_format
from shared_scripts.cli import ArgumentParser, add_device_flags, add_switch, finite
from shared_scripts.files import resolve_path

VGG_FILE = "imagenet-vgg-verydeep-19.mat"


def build_parser() -> ArgumentParser:
    """The parser. Abbreviations that are unambiguous in the reference (--print-iter, --style-scale) stay so here."""
    parser = ArgumentParser(description="Paint one picture in the style of others (Gatys, Ecker & Bethge 2015).")
    add_picture_flags(parser.add_argument_group("pictures"))
    add_loss_flags(parser.add_argument_group("what counts how much"))
    add_run_flags(parser.add_argument_group("the run"))
    add_device_flags(parser.add_argument_group("the machine"))
    return parser


def add_picture_flags(group) -> None:
    """What goes in and what comes out."""
    group.add_argument("--content", required=True, metavar="FILE", help="the picture to paint")
    group.add_argument(
        "--styles",
        "--style",
        required=True,
        nargs="+",
        metavar="FILE",
        help="one or more pictures to take the style from",
    )
    group.add_argument("--output", required=True, metavar="FILE", help="the result; the ending chooses the format")
    add_switch(group, "--overwrite", help="allow replacing --output")
    group.add_argument("--width", type=int, metavar="PIXELS", help="the result's width (default: the content's)")
    group.add_argument(
        "--style-scales",
        type=finite,
        nargs="+",
        metavar="X",
        help="size of each style picture relative to the result (default: 1.0 each)",
    )
    group.add_argument("--initial", metavar="FILE", help="start from this picture instead of noise")
    group.add_argument(
        "--initial-noiseblend",
        type=finite,
        metavar="0..1",
        help="share of noise in the start: 1 (the default without --initial) is noise alone, 0 (the default with it) "
        "none; below 1 without --initial starts from the content",
    )
    # "--pre" was enough in the reference; here it would also begin --precision
    add_switch(group, "--preserve-colors", "--pre", help="keep the content's colours")


def add_loss_flags(group) -> None:
    """The network and the weights of the losses."""
    group.add_argument(
        "--network",
        metavar="FILE",
        help=f"VGG-19's weights, MatConvNet's .mat or a PyTorch .pth, or the word compact (default: {VGG_FILE} where "
        "the current folder has it, else the compact network shipped with the project)",
    )
    group.add_argument(
        "--file-format",
        default="auto",
        choices=["auto", "matconvnet", "torchvision", "caffe"],
        help="what the file of --network is, where it cannot be seen from the file",
    )
    group.add_argument(
        "--pooling", default="max", choices=["max", "avg"], help="how the network halves its maps; avg is smoother"
    )
    group.add_argument("--content-weight", type=finite, default=5e0, metavar="W", help="higher: closer to the content")
    group.add_argument(
        "--content-weight-blend",
        type=finite,
        default=1,
        metavar="0..1",
        help="relu4_2 gets this share of the content weight, relu5_2 the rest; lower is more abstract",
    )
    group.add_argument("--style-weight", type=finite, default=5e2, metavar="W", help="higher: more style")
    group.add_argument(
        "--style-layer-weight-exp",
        type=finite,
        default=1,
        metavar="X",
        help="each style layer counts X times the one before: below 1 finer texture, above 1 larger forms",
    )
    group.add_argument(
        "--style-blend-weights",
        type=finite,
        nargs="+",
        metavar="W",
        help="how much each style counts (default: equally)",
    )
    group.add_argument("--tv-weight", type=finite, default=1e2, metavar="W", help="total variation: higher is smoother")


def add_run_flags(group) -> None:
    """How long, how fast, and what is written on the way."""
    group.add_argument("--iterations", type=int, default=1000, metavar="N", help="steps to take")
    group.add_argument("--learning-rate", type=finite, default=1e1, metavar="X", help="Adam's step, in pixel values")
    group.add_argument("--beta1", type=finite, default=0.9, metavar="X", help="Adam's first decay")
    group.add_argument("--beta2", type=finite, default=0.999, metavar="X", help="Adam's second decay")
    group.add_argument("--eps", dest="epsilon", type=finite, default=1e-8, metavar="X", help="Adam's epsilon")
    group.add_argument("--print-iterations", type=int, metavar="N", help="print and record the losses every N steps")
    group.add_argument(
        "--checkpoint-output", metavar="NAME", help="where checkpoints go: out_%%s.jpg, out_%%05d.jpg or out_{:05}.jpg"
    )
    group.add_argument("--checkpoint-iterations", type=int, metavar="N", help="write a checkpoint every N steps")
    add_switch(group, "--progress-write", help="write the recorded losses to progress.txt beside --output")
    add_switch(group, "--progress-plot", help="plot the recorded losses to progress.png beside --output")
    group.add_argument(
        "--refresh",
        type=finite,
        default=5,
        metavar="SECONDS",
        help="show the picture so far in --output this often; 0: only at the end",
    )
    add_switch(group, "--resume", help="go on with the run that was stopped, from the .state file beside --output")


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the flags and check all that can be checked without opening a picture; exits 2 with one line."""
    parser = build_parser()
    flags = parser.parse_args(argv)
    tidy_paths(flags)
    check_network(parser, flags)
    check_checkpoints(parser, flags)
    check_numbers(parser, flags)
    return flags


def tidy_paths(flags: argparse.Namespace) -> None:
    """Turn the paths into Path objects that exist where the person meant them to."""
    flags.content, flags.output = resolve_path(flags.content), resolve_path(flags.output)
    flags.styles = [resolve_path(path) for path in flags.styles]
    flags.initial = resolve_path(flags.initial) if flags.initial else None
    if flags.checkpoint_output:
        flags.checkpoint_output = str(resolve_path(flags.checkpoint_output))
    if flags.network is None:
        flags.network = Path(VGG_FILE) if Path(VGG_FILE).is_file() else None
        flags.network_chosen = True
    else:
        flags.network_chosen = False
        compact = flags.network == "compact" and not Path("compact").exists()
        flags.network = None if compact else resolve_path(flags.network)


def check_network(parser: ArgumentParser, flags: argparse.Namespace) -> None:
    """The weight file is there (None is the compact network)."""
    if flags.network is not None and not flags.network.is_file():
        parser.error(
            f"Network {flags.network} does not exist. Get it with 'bash neural_style/scripts/download_network.sh', "
            "or leave --network out: the compact network shipped with the project needs no download"
        )


def check_checkpoints(parser: ArgumentParser, flags: argparse.Namespace) -> None:
    """Both checkpoint flags or none, and a name with a place for the iteration."""
    if (flags.checkpoint_iterations is None) != (flags.checkpoint_output is None):
        parser.error("use either both of checkpoint_output and checkpoint_iterations or neither")
    if flags.checkpoint_output is None:
        return
    try:
        if not is_checkpoint_format(flags.checkpoint_output):
            raise ValueError
        checkpoint_name(flags.checkpoint_output, 0)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        parser.error(
            f"--checkpoint-output {flags.checkpoint_output!r} needs one place for the iteration, "
            "such as foo_%s.jpg, foo_%05d.jpg or foo_{:05}.jpg"
        )


def check_numbers(parser: ArgumentParser, flags: argparse.Namespace) -> None:
    """Numbers in their ranges, one scale and one blend weight a style."""
    for name in ("iterations", "print_iterations", "checkpoint_iterations", "width"):
        value = getattr(flags, name)
        if value is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1, not {value}")
    for name in ("style_scales", "style_blend_weights"):
        values = getattr(flags, name)
        if values is not None and len(values) != len(flags.styles):
            parser.error(
                f"--{name.replace('_', '-')} takes one number a style: {len(values)} given for {len(flags.styles)}"
            )
    if flags.style_scales and min(flags.style_scales) <= 0:
        parser.error("--style-scales must be above 0")
    if flags.style_blend_weights and (min(flags.style_blend_weights) < 0 or sum(flags.style_blend_weights) == 0):
        parser.error("--style-blend-weights must not be negative, and not all 0")
    for name in ("beta1", "beta2"):
        if not 0 <= getattr(flags, name) < 1:
            parser.error(f"--{name} must be at least 0 and below 1")
    if flags.initial_noiseblend is not None and flags.initial_noiseblend < 0:
        parser.error("--initial-noiseblend must not be negative")
