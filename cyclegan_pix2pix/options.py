"""Reading the command lines of train.py and test.py.

Parsing takes three rounds, as in the reference: the common flags tell the model; the model changes defaults and adds
flags; so does the data set that is then named. So `--help` depends on --model and --dataset_mode. Every spelling a flag
ever had is accepted; --help shows today's, and the old ones at its end.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

import option_flags
from shared_scripts.cli import ArgumentParser, HelpFormatter, UserError
from shared_scripts.files import resolve_path


class ShortHelp(HelpFormatter):
    """--help with each flag's present spelling alone."""

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or "-h" in action.option_strings:
            return super()._format_action_invocation(action)
        metavar = self._format_args(action, action.dest.upper()) if action.nargs != 0 else ""
        return f"{action.option_strings[0]} {metavar}".rstrip()


def make_parser(is_train: bool, **more) -> ArgumentParser:
    """A parser with the common flags."""
    script, what = ("train.py", "Train a model.") if is_train else ("test.py", "Run a trained model over pictures.")
    # Abbreviations would make an early round take a later round's flag for one of its own.
    parser = ArgumentParser(prog=script, description=what, formatter_class=ShortHelp, **more)
    option_flags.add_common(parser, is_train)
    if is_train:
        option_flags.add_train(parser)
    else:
        option_flags.add_test(parser)
        parser.set_defaults(load_size=None)  # as large as the crop: a test loses no borders
    return parser


def full_parser(is_train: bool, argv: list[str]) -> ArgumentParser:
    """The parser with the flags and defaults of the model and the data set that `argv` names."""
    from data import get_option_setter
    from models import find_model

    def look(parser: argparse.ArgumentParser) -> argparse.Namespace:
        """What can be told so far; complaints are left to the last round."""
        for action in parser._actions:  # --dataroot may be missing yet
            action.required = False
        return parser.parse_known_args([word for word in argv if word not in ("-h", "--help")])[0]

    def build(*setters) -> ArgumentParser:
        parser = make_parser(is_train)
        own = parser.add_argument_group("of this model and data set")
        for setter in setters:
            setter(Grouped(parser, own), is_train)
        return parser

    model = find_model(look(build()).model).modify_commandline_options
    dataset = get_option_setter(look(build(model)).dataset_mode)
    parser = build(model, dataset)
    parser.epilog = "Older spellings mean the same: " + ", ".join(old_spellings(parser)) + "."
    return parser


class Grouped:
    """What models and data sets see of the parser: the flags they add stand under a title of their own."""

    def __init__(self, parser: argparse.ArgumentParser, group):
        self.add_argument, self.set_defaults, self.get_default = (
            group.add_argument,
            parser.set_defaults,
            parser.get_default,
        )


def old_spellings(parser: argparse.ArgumentParser) -> list[str]:
    """`--loadSize (--load_size)` and so on."""
    found = [
        f"{old} ({a.option_strings[0]})" for a in parser._actions for old in a.option_strings[1:] if old != "--help"
    ]
    hidden = {"--no_lsgan": "--gan_mode vanilla", "--align_data": "--dataset_mode aligned"}
    there = {word for action in parser._actions for word in action.option_strings}
    return found + [f"{old} ({new})" for old, new in hidden.items() if old in there]


def parse(argv: list[str] | None, is_train: bool) -> argparse.Namespace:
    """The options of a run. Beside the flags: `isTrain`, `given` (the flags that were named), `defaults`."""
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = full_parser(is_train, argv)
    opt = parser.parse_args(argv)
    opt.given = given_flags(parser, argv)
    opt.defaults = {action.dest: parser.get_default(action.dest) for action in parser._actions}
    opt.isTrain = is_train
    finish(parser, opt)
    return opt


def given_flags(parser: argparse.ArgumentParser, argv: list[str]) -> set[str]:
    """The flags that stand on the command line, by their names in the options."""
    probe = argparse.Namespace(**{action.dest: None for action in parser._actions})
    nothing = object()
    for name in vars(probe):
        setattr(probe, name, nothing)
    parsed = parser.parse_args(argv, probe)
    return {name for name, value in vars(parsed).items() if value is not nothing}


def finish(parser: ArgumentParser, opt: argparse.Namespace) -> None:
    """Check what argparse cannot, and work out what follows from the flags."""
    if not opt.isTrain:
        opt.batch_size, opt.serial_batches, opt.no_flip, opt.num_threads = 1, True, True, 0
        if opt.load_size is None:
            opt.load_size = opt.crop_size
    for name in ("n_epochs", "n_epochs_decay", "pool_size", "num_threads"):
        if getattr(opt, name, 0) < 0:
            parser.error(f"--{name} must not be below 0")
    if opt.isTrain and opt.n_epochs == 0 and opt.lr_policy == "cosine":
        parser.error("--lr_policy cosine needs --n_epochs of at least 1")
    if opt.preprocess in ("resize_and_crop", "scale_width_and_crop") and opt.load_size < opt.crop_size:
        parser.error(
            f"--load_size {opt.load_size} is smaller than --crop_size {opt.crop_size}: there is nothing to cut"
        )
    opt.dataroot = str(resolve_path(opt.dataroot))
    opt.checkpoints_dir = str(resolve_path(opt.checkpoints_dir))
    opt.name = experiment_name(opt)


def experiment_name(opt: argparse.Namespace) -> str:
    r"""The experiment's name, --suffix filled in.

    `--name checkpoints\horse2zebra`, as file completion writes it, means the experiment in that folder. UserError for a
    name that leaves --checkpoints_dir.
    """
    from option_text import expand_suffix

    name = opt.name.replace("\\", "/").strip("/") if not Path(opt.name).is_absolute() else opt.name
    folder = os.path.relpath(opt.checkpoints_dir).replace("\\", "/")
    name = re.sub(rf"^(\./)*{re.escape(folder)}/", "", re.sub(r"^(\./)+", "", name))
    if opt.suffix:
        name = f"{name}_{expand_suffix(opt.suffix, vars(opt))}"
    if not name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise UserError(
            f"--name {opt.name!r} must be a name of a folder inside --checkpoints_dir {opt.checkpoints_dir}"
        )
    return name
