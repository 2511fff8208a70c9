"""Reading the command lines of train.py and test.py.

Parsing takes three rounds, as in the reference: the common flags tell the model; the model changes defaults and adds
flags; so does the data set that is then named. So `--help` depends on --model and --dataset_mode. Every spelling a flag
ever had is accepted; --help shows today's, and the old ones at its end.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
from pathlib import Path

import option_flags
from pictures import background_colour
from shared_scripts.cli import ArgumentParser, HelpFormatter, UserError, given_flags
from shared_scripts.files import resolve_path

TESTING = {"batch_size": 1, "serial_batches": True, "no_flip": True, "num_threads": 0}  # whatever the flags say
HIDDEN = {
    "--align_data": "--dataset_mode aligned",
    "--flip": "the opposite of --no_flip",
    "--lr_policy lambda": "--lr_policy linear",
    "--no_lsgan": "--gan_mode vanilla",
    "--ntest": "nothing any more",
}


class ShortHelp(HelpFormatter):
    """--help with each flag's present spelling alone, and defaults where they tell something."""

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or "-h" in action.option_strings:
            return super()._format_action_invocation(action)
        metavar = self._format_args(action, self._get_default_metavar_for_optional(action)) if action.nargs != 0 else ""
        return f"{action.option_strings[0]} {metavar}".rstrip()

    def _get_default_metavar_for_optional(self, action: argparse.Action) -> str:
        return {int: "N", float: "X"}.get(action.type, "TEXT")

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if isinstance(action, argparse._StoreFalseAction) or action.default in ("", math.inf):
            return action.help
        if action.default is True:
            return f"{action.help} (default: on)"
        return super()._get_help_string(action)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """The table of old spellings keeps its lines."""
        return text if "\n" in text else super()._fill_text(text, width, indent)


class FlagParser(ArgumentParser):
    """A parser that takes abbreviations for present spellings first: an old one makes none of them ambiguous."""

    def _get_option_tuples(self, option_string: str) -> list:
        found = super()._get_option_tuples(option_string)
        present = [option for option in found if option[1] == option[0].option_strings[0]]
        return present or found


def make_parser(is_train: bool) -> FlagParser:
    """A parser with the common flags."""
    script, what = ("train.py", "Train a model.") if is_train else ("test.py", "Run a trained model over pictures.")
    parser = FlagParser(
        prog=script,
        usage=f"{script} --dataroot DIR [--name NAME] [--model NAME] [more flags]",
        description=f"{what} What stands here depends on --model: see {script} --model pix2pix --help, too.",
        formatter_class=ShortHelp,
    )
    option_flags.add_common(parser, is_train)
    if is_train:
        option_flags.add_train(parser)
    else:
        option_flags.add_test(parser)
        parser.set_defaults(load_size=None)  # as large as the crop: a test loses no borders
        parser.set_defaults(**TESTING)
    return parser


def full_parser(is_train: bool, argv: list[str]) -> FlagParser:
    """The parser with the flags and defaults of the model and the data set that `argv` names."""
    from data import get_option_setter
    from models import find_model

    def look(parser: argparse.ArgumentParser) -> argparse.Namespace:
        """What can be told so far; complaints are left to the last round."""
        for action in parser._actions:  # --dataroot may be missing yet
            action.required = False
        return parser.parse_known_args([word for word in argv if word not in ("-h", "--help")])[0]

    def build(*setters) -> FlagParser:
        parser = make_parser(is_train)
        own = parser.add_argument_group("of this model and data set")
        for setter in setters:
            setter(Grouped(parser, own), is_train)
        return parser

    model = find_model(look(build()).model).modify_commandline_options
    dataset = get_option_setter(look(build(model)).dataset_mode)
    parser = build(model, dataset)
    lines = [f"  {old:<29} {new}" for old, new in old_spellings(parser)]
    parser.epilog = "\n".join(["older spellings, and what they mean:", *lines])
    return parser


class Grouped:
    """What models and data sets see of the parser: the flags they add stand under a title of their own."""

    def __init__(self, parser: argparse.ArgumentParser, group):
        self.add_argument, self.set_defaults, self.get_default = (
            group.add_argument,
            parser.set_defaults,
            parser.get_default,
        )


def old_spellings(parser: argparse.ArgumentParser) -> list[tuple[str, str]]:
    """("--loadSize", "--load_size") and so on."""
    found = [(old, a.option_strings[0]) for a in parser._actions for old in a.option_strings[1:] if old != "--help"]
    there = {word for action in parser._actions for word in action.option_strings}
    return found + [(old, new) for old, new in HIDDEN.items() if old.split()[0] in there]


def parse(argv: list[str] | None, is_train: bool) -> argparse.Namespace:
    """The options of a run. Beside the flags: `isTrain`, `given` (the flags that were named), `defaults`."""
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = full_parser(is_train, argv)
    opt = parser.parse_args(argv)
    opt.given = given_flags(parser, argv)
    opt.defaults = {action.dest: parser.get_default(action.dest) for action in parser._actions}
    opt.defaults.pop("ntest", None)
    opt.isTrain = is_train
    finish(parser, opt)
    return opt


def finish(parser: FlagParser, opt: argparse.Namespace) -> None:
    """Check what argparse cannot, and work out what follows from the flags."""
    if not opt.isTrain:
        vars(opt).update(TESTING)
        opt.defaults["load_size"] = opt.crop_size
        if opt.load_size is None:
            opt.load_size = opt.crop_size
    check_numbers(parser, opt)
    for name in {"dataroot", "checkpoints_dir", "results_dir"} & {*vars(opt)}:
        setattr(opt, name, without_backslashes(getattr(opt, name)))
    opt.name = experiment_name(opt)


def without_backslashes(text: str) -> str:
    """A path as it is read on this machine; nothing is changed of one that needs no change."""
    path = resolve_path(text)
    return text if path == Path(text) else str(path)


def check_numbers(parser: FlagParser, opt: argparse.Namespace) -> None:
    """End the program, with one line, where numbers do not go together."""
    if opt.isTrain and opt.model == "test":
        parser.error("--model test only runs a trained generator; train --model cycle_gan or --model pix2pix")
    for name in ("n_epochs", "n_epochs_decay", "pool_size", "num_threads"):
        if getattr(opt, name, 0) < 0:
            parser.error(f"--{name} must not be below 0")
    if opt.alpha is not None:
        background_colour(opt.alpha)  # complains of what is no colour
    if opt.isTrain and opt.beta1 >= 1:
        parser.error(f"--beta1 must be below 1, not {opt.beta1:g}")
    if opt.isTrain and opt.n_epochs == 0 and opt.lr_policy == "cosine":
        parser.error("--lr_policy cosine needs --n_epochs of at least 1")
    if opt.preprocess in ("resize_and_crop", "scale_width_and_crop") and opt.load_size < opt.crop_size:
        parser.error(
            f"--load_size {opt.load_size} is smaller than --crop_size {opt.crop_size}, so there is nothing to cut; "
            f"add --crop_size {opt.load_size}, or a smaller one"
        )


def experiment_name(opt: argparse.Namespace) -> str:
    r"""The experiment's name, --suffix filled in.

    `--name checkpoints\horse2zebra`, as file completion writes it, means the experiment in that folder. UserError for a
    name that leaves --checkpoints_dir.
    """
    from option_text import expand_suffix

    name = inside(opt.name.replace("\\", "/"), opt.checkpoints_dir)
    if opt.suffix:
        name = f"{name}_{expand_suffix(opt.suffix, vars(opt))}"
    path = Path(name)
    if re.search(r'[<>:"|?*\x00-\x1f]', name):
        raise UserError(f"--name {name!r} has characters in it that no folder can have on Windows; leave them out")
    if not path.parts or path.is_absolute() or ".." in path.parts:
        raise UserError(
            f"--name {opt.name!r} is not the name of a folder inside --checkpoints_dir {opt.checkpoints_dir}"
        )
    return path.as_posix()


def inside(name: str, folder: str) -> str:
    """`name` as it is called in `folder` where it is a path that leads into it; else as it is."""
    place, here = Path(os.path.abspath(folder)), Path.cwd()
    path = Path(os.path.abspath(name))
    if place in path.parents and place not in here.parents:  # from within, every name would lead into it
        return path.relative_to(place).as_posix()
    return name
