"""The options of a run as text: the table on the screen and beside the checkpoints, and --suffix."""

from __future__ import annotations

import argparse
import difflib
import string
from collections.abc import Mapping
from pathlib import Path

from shared_scripts.cli import UserError
from shared_scripts.files import atomic_write

# What --suffix may still call the options that were renamed.
OLD_FIELDS = {
    "loadSize": "load_size",
    "fineSize": "crop_size",
    "which_model_netG": "netG",
    "which_model_netD": "netD",
    "batchSize": "batch_size",
    "which_direction": "direction",
    "nThreads": "num_threads",
    "resize_or_crop": "preprocess",
    "which_epoch": "epoch",
    "niter": "n_epochs",
    "niter_decay": "n_epochs_decay",
    "how_many": "num_test",
}
EXAMPLES = ("model", "netG", "netD", "norm", "load_size", "crop_size", "batch_size", "direction")


def format_options(values: Mapping[str, object], defaults: Mapping[str, object]) -> str:
    """The table of all options, sorted by name; those that differ from their default say so. No newline at its end."""
    lines = ["----------------- Options ---------------"]
    for name in sorted(values):
        changed = name in defaults and differs(values[name], defaults[name])
        note = f"\t[default: {defaults[name]}]" if changed else ""
        lines.append(f"{name:>25}: {values[name]!s:<30}{note}")
    return "\n".join([*lines, "----------------- End -------------------"])


def options_table(opt: argparse.Namespace) -> str:
    """The table of a run's options: of all that are flags."""
    return format_options(
        {name: value for name, value in vars(opt).items() if name in opt.defaults and name != "help"}, opt.defaults
    )


def differs(value: object, default: object) -> bool:
    """Whether an option was changed. A path is no change from the same words, nor 1.0 from 1."""
    return value != default and str(value) != str(default)


def save_options(folder: str | Path, phase: str, text: str) -> Path:
    """Write the table to `folder`/{phase}_opt.txt, with a newline at its end. UserError where that is impossible."""
    path = Path(folder) / f"{phase}_opt.txt"
    with atomic_write(path) as temporary:
        temporary.write_text(text.rstrip("\n") + "\n", encoding="utf-8", errors="replace")
    return path


def expand_suffix(suffix: str, values: Mapping[str, object]) -> str:
    """`{model}_{netG}_size{load_size}` with the options' values in it; old names of options work too.

    Raises UserError for a field that is no option, for anything but a plain name in the braces, and for loose braces.
    """
    try:
        return OptionFormatter().vformat(suffix, (), values)
    except (ValueError, TypeError) as problem:
        raise UserError(
            f"--suffix {suffix!r} cannot be filled in ({problem}); write options in braces, as in {{netG}}_{{norm}}"
        ) from problem


class OptionFormatter(string.Formatter):
    """str.format restricted to names: attributes and indices would reach into objects the options hold."""

    def get_field(self, field_name: str, args, kwargs) -> tuple[object, str]:
        """The value of one field, also of one nested in another's format."""
        if not field_name.isidentifier():
            raise UserError(
                f"--suffix: {{{field_name}}} is no plain option name; only names such as {{netG}} can stand in braces"
            )
        name = field_name if field_name in kwargs else OLD_FIELDS.get(field_name, field_name)
        if name not in kwargs:
            raise UserError(f"--suffix: there is no option {{{field_name}}}; try {suggestions(field_name, kwargs)}")
        value = kwargs[name]
        return value.replace("/", "_").replace("\\", "_") if isinstance(value, str) else value, field_name


def suggestions(wrong: str, values: Mapping[str, object]) -> str:
    """A few fields that exist, the most similar first."""
    similar = difflib.get_close_matches(wrong, [*values, *OLD_FIELDS], n=2)
    found = [*similar, *(name for name in EXAMPLES if name in values), *sorted(values)]
    return ", ".join(f"{{{name}}}" for name in list(dict.fromkeys(found))[:6]) or "an option's name"
