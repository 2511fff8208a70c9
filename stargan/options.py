"""The flags of main.py, train.py and test.py: the reference's, in every spelling they had, and ours."""

from __future__ import annotations

import argparse
import sys

from shared_scripts.cli import (
    ArgumentParser,
    UserError,
    add_device_flags,
    add_switch,
    boolean,
    given_flags,
    natural,
    not_negative,
    positive,
)  # fmt: skip
from shared_scripts.files import resolve_path

ATTRIBUTES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
DATASETS = ("CelebA", "RaFD", "Both")
VARIANTS = ("current", "old")
SMALLEST = 8  # pixels: of 4, the generator's halvings leave one, which instance normalisation would turn to nothing
# Flags whose defaults the two versions of the reference have in different ways: (current, old)
DEFAULTS = {
    "celeba_image_dir": ("data/celeba/images", "./data/CelebA_nocrop/images"),
    "attr_path": ("data/celeba/list_attr_celeba.txt", "./data/list_attr_celeba.txt"),
    "rafd_image_dir": ("data/RaFD/train", "./data/RaFD/train"),
    "sample_step": (1000, 500),
    "model_save_step": (10000, 1000),
    "use_tensorboard": (True, False),
}
OURS = {
    "variant", "lr_decay", "reference_exact", "resume", "g_optimizer", "lambda_id", "warmup_iters", "checkpoint",
    "test_images", "save_each", "titles", "device", "gpu_ids", "precision", "seed",
}  # fmt: skip
OLD_ONLY = ("num_epochs", "num_epochs_decay", "pretrained_model", "test_model")  # a command with one of them is old


class FlagParser(ArgumentParser):
    """A parser that takes abbreviations for the reference's flags first: ours make none of them ambiguous."""

    def _get_option_tuples(self, option_string: str) -> list:
        found = super()._get_option_tuples(option_string)
        theirs = [option for option in found if option[0].dest not in OURS]
        return theirs or found


def resume_word(text: str) -> bool:
    """The value of --resume, which the original takes as short for --resume_iters."""
    if text.isdigit() and int(text) > 1:
        raise argparse.ArgumentTypeError(f"takes no number; say --resume_iters {text}")
    return boolean(text)


def split_names(words: list[str]) -> list[str]:
    """The names in a list of words, of which some may be lists themselves: "Male,Young"."""
    return [name for word in words for name in word.split(",") if name]


def dataset(text: str) -> str:
    """CelebA, RaFD or Both, in any case."""
    names = {name.lower(): name for name in DATASETS}
    if text.lower() not in names:
        raise argparse.ArgumentTypeError(
            f"expected CelebA, RaFD (which is also for folders of your own) or Both, not {text!r}"
        )
    return names[text.lower()]


def make_parser(script: str) -> FlagParser:
    """The parser of a script: main.py has --mode, train.py and test.py stand for one each."""
    what = {"train.py": "Train StarGAN.", "test.py": "Translate test pictures with a trained generator."}
    parser = FlagParser(prog=script, description=what.get(script, "Train or test StarGAN."))
    if script == "main.py":
        parser.add_argument("--mode", default="train", choices=("train", "test"), help="what to do")
    else:
        parser.add_argument("--mode", default=script[:-3], choices=(script[:-3],), help=argparse.SUPPRESS)
    for add_group in (add_data, add_networks, add_training, add_testing, add_places, add_steps, add_ours):
        add_group(parser)
    return parser


def both_defaults(name: str) -> str:
    """The defaults of a flag as --help shows them."""
    now, old = DEFAULTS[name]
    return f"(default: {now}; {old} with --variant old)"


def add_data(parser: ArgumentParser) -> None:
    """Which pictures and labels."""
    add = parser.add_argument_group("data").add_argument
    add(
        "--dataset",
        type=dataset,
        default="CelebA",
        metavar="CelebA|RaFD|Both",
        help="RaFD is any folder with one folder a class",
    )
    add(
        "--c_dim",
        type=positive,
        metavar="N",
        help="how many labels the first data set has (default: what the data say)",
    )
    add(
        "--c2_dim",
        type=positive,
        metavar="N",
        help="classes of the second data set of Both (default: likewise)",
    )
    add(
        "--selected_attrs",
        "--list",
        nargs="+",
        default=list(ATTRIBUTES),
        metavar="NAME",
        help="attributes of CelebA to learn, in the order of the labels",
    )
    add(
        "--celeba_crop_size",
        "--celebA_crop_size",
        type=positive,
        default=178,
        metavar="PX",
        help="how much is cut out of CelebA's pictures",
    )
    add("--rafd_crop_size", type=positive, default=256, metavar="PX", help="how much is cut out of pictures in folders")
    add("--image_size", type=positive, default=128, metavar="PX", help="what that is scaled to: a multiple of 4")
    add(
        "--test_images",
        type=positive,
        metavar="N",
        help="how many of CelebA's pictures are kept for testing (default: 1999, a tenth of fewer than 2000)",
    )


def add_networks(parser: ArgumentParser) -> None:
    """How large the networks are."""
    add = parser.add_argument_group("networks").add_argument
    add("--g_conv_dim", type=positive, default=64, metavar="N", help="width of the generator's first layer")
    add("--d_conv_dim", type=positive, default=64, metavar="N", help="width of the discriminator's first layer")
    add("--g_repeat_num", type=natural, default=6, metavar="N", help="residual blocks of the generator")
    add("--d_repeat_num", type=positive, default=6, metavar="N", help="halvings in the discriminator")


def add_training(parser: ArgumentParser) -> None:
    """How to train."""
    add = parser.add_argument_group("training").add_argument
    add("--lambda_cls", type=not_negative, default=1.0, metavar="X", help="weight of the classification loss")
    add("--lambda_rec", type=not_negative, default=10.0, metavar="X", help="weight of the reconstruction loss")
    add("--lambda_gp", type=not_negative, default=10.0, metavar="X", help="weight of the gradient penalty")
    add("--batch_size", type=positive, default=16, metavar="N", help="pictures a step (for each process)")
    add("--num_iters", type=positive, default=200000, metavar="N", help="steps of the discriminator")
    add(
        "--num_iters_decay",
        type=positive,
        default=100000,
        metavar="N",
        help="at the end of these, steps with a falling learning rate; half of fewer --num_iters",
    )
    add("--g_lr", type=not_negative, default=1e-4, metavar="X", help="learning rate of the generator")
    add("--d_lr", type=not_negative, default=1e-4, metavar="X", help="learning rate of the discriminator")
    add(
        "--n_critic",
        "--d_train_repeat",
        type=positive,
        default=5,
        metavar="N",
        help="steps of the discriminator for one of the generator",
    )
    add("--beta1", type=not_negative, default=0.5, metavar="X", help="of Adam")
    add("--beta2", type=not_negative, default=0.999, metavar="X", help="of Adam")
    add("--resume_iters", type=natural, metavar="N", help="go on from step N; 0 is no step")
    add("--num_workers", type=natural, default=1, metavar="N", help="processes that read pictures ahead")
    add("--num_epochs", type=positive, metavar="N", help="--variant old: passes over the data (default: 20)")
    add(
        "--num_epochs_decay",
        type=positive,
        metavar="N",
        help="--variant old: at their end, with a falling rate (default: 10)",
    )
    add("--pretrained_model", metavar="E_I", help="--variant old: go on from the networks E_I_G.pth, E_I_D.pth")


def add_testing(parser: ArgumentParser) -> None:
    """What to test."""
    group = parser.add_argument_group("testing")
    add = group.add_argument
    add("--test_iters", type=positive, default=200000, metavar="N", help="which of the saved generators")
    add("--test_model", metavar="E_I", help="--variant old: likewise (default: 20_1000)")
    add(
        "--checkpoint",
        metavar="FILE",
        help="a generator's file of any age, in place of --model_save_dir and --test_iters",
    )
    add_switch(group, "--save_each", help="also write every translated picture to a file of its own")
    add_switch(group, "--titles", help="also write each sheet with titles over its columns: N-sheet.jpg")


def add_places(parser: ArgumentParser) -> None:
    """Folders and files."""
    add = parser.add_argument_group("places").add_argument
    add(
        "--celeba_image_dir",
        "--celebA_image_path",
        metavar="DIR",
        help=f"CelebA's pictures {both_defaults('celeba_image_dir')}",
    )
    add(
        "--attr_path",
        "--metadata_path",
        metavar="FILE",
        help=f"CelebA's attributes, .txt or .csv {both_defaults('attr_path')}",
    )
    add(
        "--rafd_image_dir",
        "--rafd_image_path",
        metavar="DIR",
        help="a folder with one folder a class (default: data/RaFD/train)",
    )
    for name, what in (("log", "losses"), ("model_save", "checkpoints"), ("sample", "samples"), ("result", "results")):
        default = f"stargan/{'models' if name == 'model_save' else name + 's'}"
        add(f"--{name}_dir", f"--{name}_path", default=default, metavar="DIR", help=f"where {what} go")


def add_steps(parser: ArgumentParser) -> None:
    """How often what is done."""
    add = parser.add_argument_group("steps").add_argument
    add(
        "--use_tensorboard",
        type=boolean,
        metavar="TRUE|FALSE",
        help=f"write TensorBoard's files too {both_defaults('use_tensorboard')}",
    )
    add("--log_step", type=positive, default=10, metavar="N", help="print the losses every N steps")
    add(
        "--sample_step",
        type=positive,
        metavar="N",
        help=f"write a sheet of samples every N steps {both_defaults('sample_step')}",
    )
    add("--model_save_step", type=positive, metavar="N", help=f"save every N steps {both_defaults('model_save_step')}")
    add(
        "--lr_update_step",
        type=positive,
        default=1000,
        metavar="N",
        help="lower the learning rate every N steps, once it falls",
    )


def add_ours(parser: ArgumentParser) -> None:
    """What the reference does not have."""
    group = parser.add_argument_group("of this version")
    group.add_argument(
        "--variant",
        choices=VARIANTS,
        help="old: the code of 2017 (default: current; old where a flag is given that only it had)",
    )
    group.add_argument(
        "--lr_decay",
        choices=("linear", "reference"),
        help="linear falls to 0, as in the paper; reference is a thousand times slower by mistake (default: linear)",
    )
    group.add_argument(
        "--g_optimizer",
        choices=("adam", "muon"),
        default="adam",
        help="muon learns in fewer steps, with a --g_lr around 0.01",
    )
    group.add_argument(
        "--lambda_id",
        type=not_negative,
        default=0.0,
        metavar="X",
        help="weight of a loss for pictures that are given their own labels: they should stay as they are",
    )
    group.add_argument(
        "--warmup_iters",
        type=natural,
        default=0,
        metavar="N",
        help="let the generator learn to copy for N steps first",
    )
    add_switch(group, "--reference_exact", help="keep the reference's slips: see README.md")
    group.add_argument(
        "--resume",
        nargs="?",
        const=True,
        default=False,
        type=resume_word,
        metavar="TRUE|FALSE",
        help="go on from where the last training in --model_save_dir stopped",
    )
    add_device_flags(group)


def parse(argv: list[str] | None, script: str) -> argparse.Namespace:
    """The options of a run, with every default filled in. Ends the program, in one line, where they do not agree."""
    parser = make_parser(script)
    argv = sys.argv[1:] if argv is None else list(argv)
    opt = parser.parse_args(argv)
    opt.given = given_flags(parser, argv)
    old_flags = [name for name in OLD_ONLY if getattr(opt, name) is not None]
    opt.variant = opt.variant or ("old" if old_flags else "current")
    if opt.variant == "current" and old_flags:
        parser.error(f"--{old_flags[0]} is of the 2017 version: say --variant old, or leave it out")
    fill_defaults(opt)
    check(parser, opt)
    return opt


def listing(opt: argparse.Namespace) -> str:
    """All options in one line, as the reference prints them first."""
    return str(argparse.Namespace(**{name: value for name, value in vars(opt).items() if name != "given"}))


def fill_defaults(opt: argparse.Namespace) -> None:
    """What depends on the version."""
    old = opt.variant == "old"
    for name, values in DEFAULTS.items():
        if getattr(opt, name) is None:
            setattr(opt, name, values[old])
    opt.num_epochs, opt.num_epochs_decay = opt.num_epochs or 20, opt.num_epochs_decay or 10
    opt.test_model = opt.test_model or "20_1000"
    opt.lr_decay = opt.lr_decay or ("reference" if opt.reference_exact else "linear")
    short = not old and opt.lr_decay == "linear" and "num_iters_decay" not in opt.given
    if short and opt.num_iters < opt.num_iters_decay:  # the default is half of the default's 200,000 steps
        opt.num_iters_decay = max(1, opt.num_iters // 2)
    opt.selected_attrs = split_names(opt.selected_attrs)
    for name in (
        "celeba_image_dir",
        "attr_path",
        "rafd_image_dir",
        "log_dir",
        "model_save_dir",
        "sample_dir",
        "result_dir",
    ):
        setattr(opt, name, str(resolve_path(getattr(opt, name))))


def check(parser: ArgumentParser, opt: argparse.Namespace) -> None:
    """End the program, in one line, where flags do not go together."""
    if opt.image_size % 4:
        near = max(SMALLEST, round(opt.image_size / 4) * 4)
        parser.error(
            f"--image_size {opt.image_size} is no multiple of 4, and the generator would shrink it; take {near}"
        )
    if opt.image_size < SMALLEST:
        parser.error(f"--image_size must be at least {SMALLEST}")
    if opt.beta1 >= 1 or opt.beta2 >= 1:
        parser.error("--beta1 and --beta2 must be below 1")
    names = opt.selected_attrs
    if not names:
        parser.error("--selected_attrs names no attribute")
    if opt.dataset != "RaFD" and opt.c_dim not in (None, len(names)):
        raise UserError(
            f"--c_dim {opt.c_dim} does not go with the {len(names)} selected attributes ({' '.join(names)}): "
            "leave --c_dim out, or select as many with --selected_attrs"
        )
    if opt.variant == "old" and opt.dataset != "RaFD" and len(names) != len(ATTRIBUTES):
        raise UserError(
            f"--variant old has five attributes, not {len(names)}: three hair colours, gender, age; see README.md"
        )
