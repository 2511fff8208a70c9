"""The flags of train.py: every setting of config.py is one, by the same name.

    python train.py --data faces --preset v2-1gpu,fp16 --total_kimg 4000 --sched.minibatch_dict 4:64,8:64

What holds is, in this order: config.py, --preset, the other flags. A flag for all resolutions, such as
--minibatch_base, goes before what those say of single ones.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import presets
from config_file import read_config
from setting_keys import FUNCTIONS, GROUPS, OURS, SUGGESTED, SYNTHETIC, TOP, TRAIN, Key
from settings import checked, config_text, modernise, nearest, resolve
from shared_scripts.cli import ArgumentParser, UserError, boolean
from shared_scripts.files import resolve_path

BESIDE = Path(__file__).resolve().parent / "config.py"
TWINS = {"GD": ("G", "D"), "opt": ("G_opt", "D_opt"), "loss": ("G_loss", "D_loss")}  # what a short flag may set at once
TITLES = {
    "dataset": "data (dataset.…)",
    "train": "training (train.…)",
    "sched": "schedule (sched.…)",
    "GD": "both networks (G.… or D.… before the name: one of them)",
    "G": "generator (G.…)",
    "D": "discriminator (D.…)",
    "opt": "both optimisers (G_opt.…, D_opt.…)",
    "loss": "both losses (G_loss.…, D_loss.…)",
    "D_loss": "the discriminator's loss (D_loss.…)",
    "grid": "sheets of samples (grid.…)",
}
BASES = {f"sched.{name}_base": f"sched.{name}_dict" for name in ("minibatch", "G_lrate", "D_lrate", "tick_kimg")}
HELD_BACK = {"func", "random_seed"}  # have flags of their own


class FlagParser(ArgumentParser):
    """A parser that knows what may have been meant by a flag it does not have."""

    def error(self, message: str) -> NoReturn:
        unknown = re.search(r"unrecognized arguments: (--[\w.]+)", message)
        names = {name.lower(): name for action in self._actions for name in action.option_strings}
        near = difflib.get_close_matches(unknown[1].lower(), names, 1) if unknown else ()
        super().error(f"{message}; did you mean {names[near[0]]}?" if near else message)


def make_parser() -> FlagParser:
    """All flags. Those not given leave no trace in what is parsed: config.py may have them."""
    parser = FlagParser(
        prog="train.py",
        description="Train a progressive GAN on your pictures, or call one of the reference's utility functions.",
        epilog="config.py, in this folder or beside train.py, has the same settings; then come --preset, then flags. "
        "--minibatch_base 16 (or another …_base) is for every resolution that --minibatch_dict does not name.",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    add_general(parser)
    titled = {name: parser.add_argument_group(title) for name, title in TITLES.items()}
    helper = parser.add_argument_group("utility functions (--func util_scripts.…; train.… before the name)")
    for key_group, name, key in all_keys():
        where = helper if key_group == "util" else titled[key_group]
        add_key(where, key_group, name, key)
    for group in sum(TWINS.values(), ()):
        for name, key in GROUPS[group].items():
            if twin_of(group, name):
                add_flag(titled[group] if group in titled else parser, (f"{group}.{name}",), f"{group}.{name}", key, "")
    return parser


def add_general(parser: ArgumentParser) -> None:
    """What is in no group."""
    general = parser.add_argument_group("what to do")
    general.add_argument(
        "--data", metavar="NAME|FOLDER|ZIP", help="the pictures: a data set in data_dir, or any folder"
    )
    general.add_argument(
        "--preset",
        action="append",
        metavar="NAME,…",
        help="data set (cifar10, celebahq, lsun-cat, …), schedule (v1-1gpu, v2-1gpu, …8gpus), switches "
        f"({', '.join([*presets.SWITCHES, *presets.MODES])}), as in the reference's config.py",
    )
    general.add_argument("--config", metavar="FILE", help="settings (default: config.py here, or beside train.py)")
    general.add_argument("--dry_run", nargs="?", const=True, type=boolean, metavar="TRUE|FALSE", help="only print them")
    names = ", ".join(name for name in FUNCTIONS)
    general.add_argument("--func", "--train.func", metavar="NAME", help=f"{names} (default: {TRAIN})")
    for name, key in {**TOP, **OURS}.items():
        flags = ("random_seed", "seed") if name == "random_seed" else (name,)
        add_flag(general, flags, name, key, key.help)


def all_keys() -> list[tuple[str, str, Key]]:
    """(group, name, key) of all settings that get a short flag."""
    found = []
    for group, keys in GROUPS.items():
        for name, key in keys.items():
            twin = twin_of(group, name)
            if name not in HELD_BACK and not (twin and group != TWINS[twin][0]):
                found.append((twin or group, name, key))
    found += [("dataset", name, key) for name, key in SYNTHETIC.items() if name not in GROUPS["dataset"]]
    seen = set(GROUPS["train"])
    for keys in FUNCTIONS.values():
        for name, key in keys.items():
            if name not in seen and name not in HELD_BACK:
                found.append(("util", name, key))
                seen.add(name)
    return found


def twin_of(group: str, name: str) -> str:
    """The pair of groups that both have a setting; "" where only this one has it."""
    for twin, pair in TWINS.items():
        if group in pair and name != "func" and all(name in GROUPS[one] for one in pair):
            return twin
    return ""


def add_key(where, group: str, name: str, key: Key) -> None:
    """The flag of a setting: --name, and --group.name."""
    real = "train" if group == "util" else group
    short = () if name == "dtype" and group == "dataset" else (name,)
    long = () if group in TWINS else (f"{real}.{name}",)
    add_flag(where, (*short, *long), f"{real}.{name}", key, key.help)


def add_flag(where, names: tuple[str, ...], target: str, key: Key, text: str) -> None:
    """One flag; those without an effect, and the spellings for one of two networks, are not in --help."""
    if text and key.default is not None and "default:" not in text:
        text = f"{text} (default: {shown(key.default)})"
    options = {"nargs": "?", "const": True} if key.kind.shown == "TRUE|FALSE" else {}
    where.add_argument(
        *(f"--{name}" for name in names),
        dest=target,
        type=reader(key),
        metavar=key.kind.shown,
        help=text.replace("%", "%%") or argparse.SUPPRESS,
        **options,
    )


def shown(value: object) -> str:
    """A default, in the spelling of the command line."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{part}" for name, part in value.items()) or "none"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def reader(key: Key) -> Callable[[str], object]:
    """Makes a setting of a word."""

    def read(text: str) -> object:
        try:
            return key.kind.check(key.kind.read(text))
        except ValueError as problem:
            raise argparse.ArgumentTypeError(f"expected {problem}, not {text!r}") from None

    return read


# ---- putting it together --------------------------------------------------------------------------------------------


def parse(argv: list[str] | None = None) -> dict | None:
    """All settings that hold with these flags (the command line's by default), checked; see `settings.resolve`.

    None where --dry_run only asked to see them. Ends the program, or raises UserError, in one line, where something is
    wrong.
    """
    argv = sys.argv[1:] if argv is None else argv
    flags = vars(make_parser().parse_args([underscored(word) for word in argv]))
    given = read_settings(flags.pop("config", None))
    dry_run = flags.pop("dry_run", False)
    take_flags(given, flags)
    settings, notes = resolve(given)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if dry_run:
        print(config_text(settings), end="")
        return None
    return settings


def underscored(word: str) -> str:
    """--total-kimg as --total_kimg: both are meant."""
    name, equals, value = word.partition("=")
    return name.replace("-", "_").replace("__", "--", 1) + equals + value if word.startswith("--") else word


def read_settings(named: str | None) -> dict:
    """What config.py says. UserError where that cannot be read."""
    here = Path("config.py")
    path = resolve_path(named) if named is not None else here if here.is_file() else BESIDE
    try:
        return read_config(path)
    except UserError as problem:
        if named is None and path is here:
            raise UserError(f"{problem}; to take another file, say --config FILE") from None
        raise


def take_flags(given: dict, flags: dict) -> None:
    """Presets, then the other flags, into what config.py gave."""
    modernise(given)
    for name in ("desc", "data_dir"):  # the presets and --data make something of them
        given[name] = checked(name, given.get(name, TOP[name].default), TOP[name])
    function = flags.pop("func", None)
    if function is not None:
        switch_function(given, function)
    for name in split(flags.pop("preset", [])):
        presets.apply(given, name)
    if "data" in flags:
        take_data(given, flags.pop("data"), flags.get("data_dir", given["data_dir"]))
    for name in BASES.keys() & flags.keys():
        presets.assign(given, BASES[name], {})  # its entries would hide the base; a flag of its own follows below
    for name, value in flags.items():
        group, dot, key = name.rpartition(".")
        for one in TWINS.get(group, (group,)):
            presets.assign(given, f"{one}{dot}{key}", value)
    if "random_seed" in flags and "random_seed" in FUNCTIONS[given["train"].get("func", TRAIN)]:
        given["train"]["random_seed"] = flags["random_seed"]
    if function is not None and "desc" not in flags:
        suggest_desc(given)


def split(words: list[str]) -> list[str]:
    """The names in "v2-1gpu,fp16" and the like."""
    return [name for word in words for name in re.split(r"[,\s]+", word) if name]


def switch_function(given: dict, name: str) -> None:
    """Call another function than config.py does: what is set there for its own has no effect."""
    asked = {"func": name}
    modernise({"train": asked})
    if given["train"].get("func", TRAIN) != asked["func"]:
        given["train"] = asked


def suggest_desc(given: dict) -> None:
    """A utility function's folder is not called after a training that is not done."""
    train = given["train"]
    if train.get("func", TRAIN) in SUGGESTED:
        run = re.sub(r"[^\w.-]+", "-", str(train.get("run_id") or "")).strip("-.")
        given["desc"] = f"{SUGGESTED[train['func']]}-{run}".rstrip("-")


def take_data(given: dict, name: str, data_dir: str) -> None:
    """Train on a data set in `data_dir`, or on any folder or zip; its name joins the description."""
    name = checked("--data", name, GROUPS["dataset"]["tfrecord_dir"])
    path, inside = resolve_path(name), resolve_path(data_dir) / name
    if not path.exists() and not inside.exists():
        there = sorted(entry.name for entry in inside.parent.iterdir()) if inside.parent.is_dir() else []
        near = nearest(name, there)
        hint = f"did you mean {near}?" if near else f"it is neither a path nor a data set in {data_dir}"
        raise UserError(f"there is no {name}; {hint}")
    presets.undo(given, presets.DATASETS)
    given.setdefault("dataset", {})
    given["dataset"] |= {
        "class_name": "dataset.TFRecordDataset",
        "tfrecord_dir": name if inside.exists() else str(path.absolute()),
    }
    word = re.sub(r"[^\w.-]+", "-", path.absolute().name if path.is_dir() else path.stem).strip("-.") or "data"
    presets.name_it(given, f"-{word}", True)
