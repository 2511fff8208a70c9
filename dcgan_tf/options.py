"""The command line of main.py: every flag and spelling of DCGAN-tensorflow and its film-making fork, and ours."""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
from pathlib import Path

from labels import LABELS
from latent import DISTRIBUTIONS, USUAL
from shared_scripts.cli import ArgumentParser, UserError, add_device_flags, add_switch, finite
from shared_scripts.files import resolve_path

HERE = Path(__file__).resolve().parent
SHIPPED = HERE / "pretrained"  # the generator that comes with the project
SWITCHES = (
    "train is_train crop is_crop visualize export freeze G_img_sum reference_exact exact_losses biased_variance "
    "lossless keep_frames tensorboard small"
).split()
WORDS = {"true", "false", "yes", "no", "on", "off"}
TWO_SECONDS = -1  # --loop without a number
KEPT = 40  # checkpoints that stay, in the fork


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """The flags of a command line (by default the process's own), checked.

    Beside what argparse gives: paths are Paths, `names` are all flags and `command` is what was typed, sizes that were
    not given are those of the other side, and with --out_dir or --out_name all folders lie there. UserError for what
    cannot be meant.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    flags = make_parser().parse_args(absl_spelling(words))
    flags.names = sorted(vars(flags))
    flags.command = words
    check(flags)
    fill_in(flags)
    check_together(flags)
    return flags


def absl_spelling(words: list[str]) -> list[str]:
    """The words as argparse wants them: `-train`, `--notrain`, `--is_train True` were all understood by the original.

    `--crop False` was not: its value was dropped without a word, and the switch stayed on. Here it means what it says;
    with --reference_exact it means what it did.
    """
    exact = asks_for_exact(words)
    result: list[str] = []
    for word in words:
        word = re.sub(r"^-(?=[a-zA-Z]\w)", "--", word)
        if (match := re.fullmatch(r"--no(\w+)", word)) and match[1] in SWITCHES:
            word = f"--{match[1]}=false"
        dropped = result and result[-1] in {f"--{name}" for name in SWITCHES} and word.lower() in WORDS
        if exact and dropped:
            continue
        result.append(word)
    return result


def asks_for_exact(words: list[str]) -> bool:
    """Whether --reference_exact is among the words; unlike the original's switches, `False` behind it counts."""
    text = " ".join(words)
    return bool(re.search(r"(^| )--?reference_exact(?!\w)(?![= ](false|0|no|off)( |$))", text, re.IGNORECASE))


def make_parser() -> ArgumentParser:
    """All flags, in groups."""
    parser = ArgumentParser(
        prog="main.py",
        allow_abbrev=False,
        description="Train a DCGAN on a folder of pictures or on MNIST, and make pictures and films with it.",
        epilog="What runs: --model, else --train, --gen_json, --export or --freeze, --visualize or --option, "
        "--generation_mode; with none of them a sheet of random pictures. Switches also take =True and =False, and "
        "--noNAME turns one off.",
    )
    for add in (add_data, add_training, add_files, add_pictures, add_films, add_legacy, add_ours):
        add(parser)
    return parser


def add_data(parser: ArgumentParser) -> None:
    """What to train on."""
    group = parser.add_argument_group("data")
    group.add_argument("--dataset", metavar="NAME", help="folder in --data_dir; mnist has labels (default: celebA)")
    group.add_argument("--data_dir", default="./data", metavar="DIR", help="where the data sets lie")
    group.add_argument("--input_fname_pattern", default="*.jpg", metavar="GLOB", help="which of the folder's files")
    group.add_argument(
        "--train_size", type=finite_or_inf, default=math.inf, metavar="N", help="images an epoch at most"
    )
    add_switch(group, "--crop", "--is_crop", help="cut the centre out; else the whole picture is squeezed")
    group.add_argument(
        "--input_height", "--image_size", type=int, default=108, metavar="N", help="of the centre that --crop cuts out"
    )
    group.add_argument("--input_width", type=int, metavar="N", help="likewise (default: the height)")
    group.add_argument(
        "--output_height", "--output_size", type=int, metavar="N", help="of the networks' pictures (default: 64)"
    )
    group.add_argument("--output_width", type=int, metavar="N", help="likewise (default: the height)")
    group.add_argument("--c_dim", type=int, help=argparse.SUPPRESS)  # read off the data since 2017


def add_training(parser: ArgumentParser) -> None:
    """The game and its players."""
    group = parser.add_argument_group("training")
    add_switch(group, "--train", "--is_train", help="train; goes on where an earlier training stopped")
    group.add_argument("--epoch", type=int, metavar="N", help="epochs in all (default: 25)")
    group.add_argument("--learning_rate", type=finite, metavar="X", help="Adam's, of both networks (default: 0.0002)")
    group.add_argument("--beta1", type=finite, default=0.5, metavar="X", help="Adam's momentum")
    group.add_argument("--batch_size", type=int, metavar="N", help="also how many pictures a sheet has (default: 64)")
    group.add_argument(
        "--z_dim", "--generate_test_images", type=int, default=100, metavar="N",
        help="length of a latent vector (its other name is the original's slip)",
    )  # fmt: skip
    group.add_argument(
        "--z_dist", default=USUAL, choices=tuple(DISTRIBUTIONS),
        help="what latent vectors are drawn from: -1..1, 0..1, or the normal distribution",
    )  # fmt: skip
    group.add_argument("--start_epoch", type=int, default=0, metavar="N", help="where an old checkpoint goes on")
    group.add_argument(
        "--gf_dim", type=int, default=64, metavar="N", help="the generator's channels beside the picture"
    )
    group.add_argument("--df_dim", type=int, default=64, metavar="N", help="the discriminator's")
    add_switch(group, "--exact_losses", help="losses anew after each step, as the original prints: a quarter slower")
    add_switch(group, "--biased_variance", help="moving variances as TensorFlow up to 1.2 kept them")


def add_files(parser: ArgumentParser) -> None:
    """Where things go."""
    group = parser.add_argument_group("files")
    group.add_argument("--checkpoint_dir", default="checkpoint", metavar="DIR", help="of checkpoints")
    group.add_argument(
        "--checkpoint_name", metavar="NAME", help="which one, such as DCGAN.model-183502 (default: newest)"
    )
    group.add_argument("--sample_dir", default="samples", metavar="DIR", help="of pictures")
    group.add_argument("--out_dir", metavar="DIR", help="everything into a folder in here (original: ./out)")
    group.add_argument("--out_name", metavar="NAME", help="that folder (default: time, data set and sizes)")
    group.add_argument(
        "--max_to_keep", type=int, metavar="N", help="checkpoints that stay (default: 40; with --out_dir 1)"
    )
    group.add_argument(
        "--sample_freq", type=int, metavar="N", help="iterations between sheets (default: 20; with --out_dir 200)"
    )
    group.add_argument(
        "--ckpt_freq", type=int, metavar="N", help="iterations between checkpoints (default: 20; with --out_dir 200)"
    )
    add_switch(group, "--G_img_sum", help="write the sheets to TensorBoard's log as well")
    add_switch(group, "--export", help="write the checkpoint anew, without what only training needs")
    add_switch(group, "--small", help="--export the generator alone, 16 bits a number: a twelfth of the size")
    add_switch(group, "--freeze", help="write the generator as a frozen graph (.pb)")


def add_pictures(parser: ArgumentParser) -> None:
    """Pictures of a trained generator."""
    group = parser.add_argument_group("pictures")
    add_switch(group, "--visualize", help="pictures along single dimensions; see --option")
    group.add_argument("--option", type=int, metavar="0..4", help="0 random sheet, 1 sheets, 2 to 4 GIFs (default: 1)")
    group.add_argument("--samples", default="grid", choices=["grid", "single"], help="one sheet, or a file a picture")
    group.add_argument("--num_images", type=int, metavar="N", help="how many (default: --batch_size; mode 1: 300)")
    group.add_argument("--label", type=int, metavar="0..9", help="which digit, with networks that know labels")


def add_films(parser: ArgumentParser) -> None:
    """Films through latent space."""
    group = parser.add_argument_group("films")
    group.add_argument("--gen_json", metavar="FILE", help="film as this JSON describes it")
    group.add_argument("--video", metavar="FILE", help="an .mp4, .mov, .mkv or .gif instead of PNG frames")
    group.add_argument("--fps", default="24", metavar="N", help="frames a second, also 24000/1001")
    group.add_argument("--crf", type=int, default=18, metavar="0..51", help="quality: 18 is fine, 51 the worst")
    add_switch(group, "--lossless", help="every pixel as it is, for cutting programs rather than for players")
    add_switch(group, "--keep_frames", help="PNG frames beside the --video")
    group.add_argument("--zoom", type=int, default=1, metavar="N", help="enlarge frames so many times")
    group.add_argument(
        "--loop", type=int, nargs="?", const=TWO_SECONDS, default=0, metavar="FRAMES",
        help="so many frames lead back to the first one (two seconds if no number is given)",
    )  # fmt: skip


def add_legacy(parser: ArgumentParser) -> None:
    """The fork's first command style."""
    group = parser.add_argument_group("films without a JSON")
    group.add_argument("--generation_mode", type=int, metavar="1..16", help="what to film; README lists them")
    group.add_argument("--input_seed_path", metavar="FILE", help="side file with the vector to begin with")
    group.add_argument("--walk_rand_seed", type=int, metavar="N", help="repeats a walk (default: drawn, and told)")
    group.add_argument("--walk_num", type=int, default=2700, metavar="N", help="frames of a walk")
    group.add_argument(
        "--max_jump_step", type=finite, default=0.03, metavar="X", help="mode 16: largest change of speed"
    )
    group.add_argument("--min_jump_step", type=finite, metavar="X", help="mode 16: smallest")
    group.add_argument("--interp_json", metavar="FILE", help="mode 10: pairs of side files")
    group.add_argument("--sin_cycle_json", metavar="FILE", help="mode 14: dimensions that swing")


def add_ours(parser: ArgumentParser) -> None:
    """What the original has not."""
    group = parser.add_argument_group("also")
    group.add_argument("--model", choices=["gan", "dcgan"], help="train these two on MNIST to compare them; see README")
    group.add_argument("--loss", default="bce", choices=["bce", "lsgan"], help="of --model")
    add_switch(group, "--reference_exact", help="the original's slips too: stretched contrast, mode 3's start, …")
    add_switch(group, "--tensorboard", help="losses as TensorBoard's files")
    add_device_flags(group, devices="auto|cpu|gpu[:N]")


def finite_or_inf(text: str) -> float:
    """A number; `inf` is one here."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not value >= 1:
        raise argparse.ArgumentTypeError(f"expected a number of images, not {text!r}")
    return value


# --- checks -------------------------------------------------------------------------------------------------------

AT_LEAST_ONE = (
    "epoch batch_size z_dim gf_dim df_dim input_height input_width output_height output_width max_to_keep sample_freq "
    "ckpt_freq num_images walk_num zoom"
).split()


def check(flags: argparse.Namespace) -> None:
    """UserError for numbers that cannot be meant."""
    for name in AT_LEAST_ONE:
        if (value := getattr(flags, name)) is not None and value < 1:
            raise UserError(f"--{name} must be at least 1, not {value}")
    ranges = {"option": (0, 4), "generation_mode": (1, 16), "label": (0, LABELS - 1), "crf": (0, 51)}
    for name, (low, high) in ranges.items():
        if (value := getattr(flags, name)) is not None and not low <= value <= high:
            raise UserError(f"--{name} goes from {low} to {high}, not {value}")
    if flags.learning_rate is not None and flags.learning_rate <= 0:
        raise UserError(f"--learning_rate must be above 0, not {flags.learning_rate}")
    if not 0 <= flags.beta1 < 1:
        raise UserError(f"--beta1 must be at least 0 and below 1, not {flags.beta1}")
    if flags.seed is not None and not 0 <= flags.seed < 2**32:
        raise UserError(f"--seed goes from 0 to {2**32 - 1}, not {flags.seed}")
    for name, lowest in (("loop", TWO_SECONDS), ("start_epoch", 0)):
        if (value := getattr(flags, name)) < lowest:
            raise UserError(f"--{name} must not be below 0, but is {value}")
    if flags.gpu_ids is not None and not re.fullmatch(r"-1|\d+(,\d+)*", flags.gpu_ids):
        raise UserError(f"--gpu_ids takes a number such as 0, or -1 for the CPU, not {flags.gpu_ids!r}")


def check_together(flags: argparse.Namespace) -> None:
    """UserError for a flag that what runs has no use for: better than a film that is not made."""
    films = not flags.train and not flags.model and (flags.gen_json is not None or flags.generation_mode is not None)
    for name in ("video", "loop", "keep_frames", "lossless"):
        if getattr(flags, name) and not films:
            raise UserError(f"--{name} is for films; --gen_json FILE or --generation_mode N make one")
    if flags.small and not flags.export:
        raise UserError("--small goes with --export")


# --- what follows from other flags --------------------------------------------------------------------------------


def fill_in(flags: argparse.Namespace) -> None:
    """Sizes, folders and files that depend on others."""
    flags.any_dataset = flags.dataset is None  # nobody asked for a certain one
    flags.any_size = flags.output_height is None and flags.output_width is None
    flags.dataset = "celebA" if flags.dataset is None else flags.dataset
    if Path(flags.dataset.replace("\\", "/")).name != flags.dataset or flags.dataset in ("", ".."):
        raise UserError(f"--dataset {flags.dataset!r} must be a folder's name; --data_dir says where it lies")
    if flags.model is None:  # --model has defaults of its own
        for name, value in (("epoch", 25), ("batch_size", 64), ("learning_rate", 2e-4)):
            setattr(flags, name, value if getattr(flags, name) is None else getattr(flags, name))
    flags.input_width = flags.input_width or flags.input_height
    usual = 28 if flags.dataset == "mnist" else 64
    flags.output_height = flags.output_height or flags.output_width or usual
    flags.output_width = flags.output_width or flags.output_height
    folders(flags)
    rhythm(flags)
    flags.stretch = flags.reference_exact
    if flags.gpu_ids is not None and flags.device == "auto":
        flags.device = "cpu" if flags.gpu_ids == "-1" else f"gpu:{flags.gpu_ids.split(',')[0]}"
    for name in ("gen_json", "input_seed_path", "interp_json", "sin_cycle_json"):
        if getattr(flags, name) is not None:
            setattr(flags, name, resolve_path(getattr(flags, name)))
    film_settings(flags)


def folders(flags: argparse.Namespace) -> None:
    """--data_dir, --checkpoint_dir and --sample_dir as Paths; with --out_dir or --out_name those two and `log_dir` lie
    there. `own_folder` is that folder, or None."""
    for name in ("data_dir", "checkpoint_dir", "sample_dir"):
        setattr(flags, name, expand(getattr(flags, name)))
    flags.own_folder, flags.log_dir = None, Path("logs")
    if flags.out_dir is None and flags.out_name is None:
        return
    flags.own_folder = expand(flags.out_dir or "./out") / expand(flags.out_name or auto_name(flags))
    flags.checkpoint_dir, flags.sample_dir, flags.log_dir = (
        flags.own_folder / part for part in (flags.checkpoint_dir, flags.sample_dir, flags.log_dir)
    )


def expand(text: str) -> Path:
    """A folder that need not be there yet, with $VARIABLES, ~ and a copied command's backslashes."""
    path = resolve_path(os.path.expandvars(text))
    return path if os.sep == "\\" or path.exists() else Path(str(path).replace("\\", "/"))


def rhythm(flags: argparse.Namespace) -> None:
    """How often a training shows and saves: --out_dir is from the original's last version, and has its defaults."""
    last_version = flags.own_folder is not None
    flags.max_to_keep = flags.max_to_keep or (1 if last_version else KEPT)
    flags.sample_freq = flags.sample_freq or (200 if last_version else None)  # None: the fork's, see run_training
    flags.ckpt_freq = flags.ckpt_freq or (200 if last_version else None)


def auto_name(flags: argparse.Namespace) -> str:
    """The original's name for a run: when, on what and, of a training, with which sizes."""
    from datetime import datetime

    name = f"{datetime.now():%Y%m%d.%H%M%S} - {flags.data_dir.resolve().name} - {flags.dataset}"
    if flags.train:
        name += f" - x{flags.input_width}.z{flags.z_dim}.{flags.z_dist}.y{flags.output_width}.b{flags.batch_size}"
    return name


def film_settings(flags: argparse.Namespace) -> None:
    """--video as a Path, --fps as a fraction, --loop in frames. UserError for a format or rate no film can have."""
    from fractions import Fraction

    from shared_scripts.videos import check_format

    try:
        flags.fps = Fraction(flags.fps)
    except (ValueError, ZeroDivisionError):
        raise UserError(f"--fps {flags.fps!r} is no number; 24, 29.97 and 24000/1001 are") from None
    if not 0 < flags.fps <= 1000:
        raise UserError(f"--fps must be above 0 and at most 1000, not {flags.fps}")
    if flags.loop == TWO_SECONDS:
        flags.loop = max(1, round(2 * flags.fps))
    if flags.video is not None:
        flags.video = resolve_path(flags.video)
        check_format(flags.video)
