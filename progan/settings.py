"""Settings: filled with their defaults, checked, and as a run's config.txt has them.

They are a dict of the reference's names: groups, such as `sched`, which are dicts themselves, and values in no group,
such as `desc`. What a person gave has only some of them; `resolve` makes all of it.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Mapping
from pathlib import Path

from setting_keys import (
    FROM_DATA,
    FUNCTIONS,
    GROUPS,
    IGNORED,
    METRICS,
    OLD_FUNCTIONS,
    OLD_METRICS,
    OURS,
    SYNTHETIC,
    TFRECORDS,
    TOP,
    TRAIN,
    Key,
)
from shared_scripts.cli import UserError
from shared_scripts.files import atomic_write, resolve_path

SCALARS = TOP | OURS


def default_settings(function: str = TRAIN) -> dict:
    """All settings at their defaults, for a function such as "train.train_progressive_gan"."""
    return resolve({"train": {"func": function}})[0]


def resolve(given: Mapping) -> tuple[dict, list[str]]:
    """All settings, checked, and what there is to say about them, a line each.

    `given` has groups and values by the reference's names, in any spelling it ever had; it stays as it is.
    UserError, in one line, where a name is unknown, or a value is wrong.
    """
    notes: list[str] = []
    given = modernise({name: dict(v) if isinstance(v, Mapping) else v for name, v in given.items()})
    settings: dict[str, object] = {}
    for name, key in SCALARS.items():
        settings[name] = checked(name, given.get(name, key.default), key)
    for group in GROUPS:
        settings[group] = resolve_group(group, given.get(group, {}), notes)
    unknown = [name for name in given if name not in (*SCALARS, *GROUPS, *IGNORED)]
    for name in unknown:  # a config.py may have variables of its own
        near = nearest(name, [*SCALARS, *GROUPS])
        if near:
            notes.append(f"{name} is no setting and has no effect; did you mean {near}?")
    if settings["train"]["func"] == "util_scripts.evaluate_metrics":
        complete_metrics(settings["train"])
    return settings, notes + useless(settings)


def useless(settings: Mapping) -> list[str]:
    """What to say of settings that need another one, which is not given."""
    dataset, train = settings["dataset"], settings["train"]
    notes = []
    if dataset.get("label_file") is not None and dataset["max_label_size"] == 0:
        notes.append("dataset.label_file has no effect without --preset cond (dataset.max_label_size)")
    if train["func"] == TRAIN and train["resume_run_id"] is None:
        given = [name for name in ("resume_snapshot", "resume_kimg", "resume_time") if train[name]]
        notes += [f"train.{name} has no effect without --resume_run_id" for name in given]
    return notes


def check(settings: Mapping) -> None:
    """UserError where a name is unknown or a value is wrong."""
    resolve(settings)


def keys_of(group: str, values: Mapping) -> dict[str, Key]:
    """The settings of a group; those of `train` depend on the function, those of `dataset` on the class."""
    if group == "train":
        return FUNCTIONS[values.get("func", TRAIN)]
    if group == "dataset" and str(values.get("class_name", "")).endswith("SyntheticDataset"):
        return SYNTHETIC
    return GROUPS[group]


def resolve_group(group: str, values: Mapping, notes: list[str]) -> dict:
    """All settings of a group."""
    keys = keys_of(group, values)
    others = {**TFRECORDS, **SYNTHETIC} if group == "dataset" else {}
    if group == "train":
        others = {"func": None, **{name: None for keys_there in FUNCTIONS.values() for name in keys_there}}
    for name in values:
        if name in keys or name in others:  # what another function or class takes has no effect with this one
            continue
        if group in ("G", "D"):
            reason = "comes from the data" if name in FROM_DATA else "is unknown" + hint(name, keys)
            notes.append(f"{group}.{name} {reason}; it has no effect")
        elif group in ("G_opt", "D_opt") and name == "learning_rate":
            notes.append(f"{group}.learning_rate has no effect; did you mean sched.{group[0]}_lrate_base?")
        else:
            raise UserError(f"there is no setting {group}.{name}{hint(name, keys)}")
    found = {"func": values.get("func", TRAIN)} if group == "train" else {}
    for name, key in keys.items():
        found[name] = checked(f"{group}.{name}", values.get(name, key.default), key)
    return found


def checked(name: str, value: object, key: Key) -> object:
    """A value as it is kept. UserError where it is none of its kind."""
    try:
        if value is None and key.default is None:
            return None
        return key.kind.check(value)
    except ValueError as problem:
        text = repr(value)
        text = text if len(text) <= 60 else f"{text[:57]}..."
        raise UserError(f"{name} should be {problem}, not {text}") from None


def nearest(name: str, names: Mapping | list) -> str:
    """The name that may have been meant, or none."""
    lower = {one.lower(): one for one in names}
    near = difflib.get_close_matches(name.lower(), lower, 1)
    return lower[near[0]] if near else ""


def hint(name: str, names: Mapping | list) -> str:
    """The same as the end of a sentence."""
    near = nearest(name, names)
    return f"; did you mean {near}?" if near else ""


# ---- older spellings ------------------------------------------------------------------------------------------------


def modernise(given: dict, strict: bool = True) -> dict:
    """The present names for those of all earlier versions. UserError where a function is unknown, if `strict`."""
    if "run_desc" in given:
        given.setdefault("desc", given.pop("run_desc"))
        given.pop("run_desc", None)
    train, dataset = given.setdefault("train", {}), given.setdefault("dataset", {})
    for group in GROUPS:
        check_group(group, given.get(group, {}))
    if "func" in train:
        modernise_function(train, strict)
    mirror = modernise_dataset(dataset)
    if mirror is not None:
        train.setdefault("mirror_augment", mirror)
    return given


def check_group(group: str, values: object) -> None:
    """UserError where a group of settings is something else."""
    if not isinstance(values, Mapping):
        raise UserError(f"{group} is a group of settings: {group} = EasyDict(…), not {str(values)[:40]!r}")


def modernise_function(train: dict, strict: bool = True) -> None:
    """`func` by its present name; where there is no such function, UserError, or as it is if not `strict`."""
    name = train["func"]
    bare = name.rpartition(".")[2] if isinstance(name, str) else ""
    known = {full.rpartition(".")[2]: full for full in FUNCTIONS} | OLD_FUNCTIONS
    if bare not in known and not strict:
        return
    if bare not in known:
        text = name if isinstance(name, str) else repr(name)
        raise UserError(f"there is no function {text[:60]}{hint(bare, known)}")
    if bare in OLD_METRICS:
        train.setdefault("metrics", OLD_METRICS[bare])
    train["func"] = known[bare]


def modernise_dataset(dataset: dict) -> object:
    """The present keys of `dataset`; returns what it said of mirroring, which has moved to `train`, or None."""
    if "h5_path" in dataset:
        name = str(dataset.pop("h5_path")).removesuffix(".h5")
        dataset.setdefault("tfrecord_dir", modern_data_name(name))
    if "max_labels" in dataset:
        labels = dataset.pop("max_labels")
        labels = 0 if labels is None else labels
        dataset.setdefault("max_label_size", "full" if labels == "all" else labels)
    dataset.pop("max_images", None)
    return dataset.pop("mirror_augment", None)


def modern_data_name(name: str) -> str:
    """A data set's present name; earlier ones said the resolution, and wrote some names in another way."""
    name = re.sub(r"-(?:32x32|128x128|256x256|1024x1024|32|128|256|1024)(?=-|$)", "", name)
    for old, new in (("celeba-hq", "celebahq"), ("cifar-100", "cifar100"), ("cifar-10", "cifar10")):
        name = re.sub(rf"^{old}(?=-|$)", new, name)
    name = re.sub(r"^mnist-rgb(?=-|$)", "mnistrgb", name)
    return re.sub(r"^lsun-(100k|full)-(.+)$", r"lsun-\2-\1", name)


def complete_metrics(train: dict) -> None:
    """What evaluate_metrics was not told, as the reference has it for the metric."""
    files, images, passes = zip(*(METRICS[name] for name in train["metrics"]), strict=True)
    several = f"metric-{'-'.join(train['metrics'])}.txt"
    own = {"log": files[0] if len(files) == 1 else several, "num_images": max(images), "real_passes": max(passes)}
    for name, value in own.items():
        if train[name] is None:
            train[name] = value


# ---- config.txt -----------------------------------------------------------------------------------------------------


def config_text(settings: Mapping) -> str:
    """What config.txt says: a line for each setting and group, sorted, as the reference writes it."""
    shown = {name: value for name, value in settings.items() if name not in OURS or value != OURS[name].default}
    return "".join(f"{name} = {value}\n" for name, value in sorted(shown.items()))


def write_config(folder: Path, settings: Mapping) -> None:
    """A run's config.txt. UserError where the disk refuses."""
    with atomic_write(folder / "config.txt") as temporary:
        temporary.write_text(config_text(settings), encoding="utf-8")


def parse_config_txt(source: Path | str) -> dict:
    """The settings of a run's config.txt, from its path or its text: what stands there, with present names.

    Values that are no Python literal are texts; lines that are no setting are passed over. Nothing is executed.
    UserError where it is no such file.
    """
    what = "config.txt"
    if isinstance(source, Path):
        what = str(source)
        try:
            source = source.read_text(encoding="utf-8", errors="replace")
        except OSError as problem:
            raise UserError(f"cannot read {what}: {problem.strerror or problem}") from problem
    if len(source) > 1_000_000:
        raise UserError(f"{what} is no config.txt: it is far too large")
    found: dict[str, object] = {}
    for line in source.splitlines():
        match = re.fullmatch(r"([A-Za-z]\w*) = (.*)", line)
        if match and match[1] != "EasyDict":
            found[match[1]] = literal(match[2], match[1], what)
    found = modernise(found, strict=False)
    name = found["dataset"].get("tfrecord_dir")
    if isinstance(name, str) and not (resolve_path(str(found.get("data_dir", "datasets"))) / name).exists():
        found["dataset"]["tfrecord_dir"] = name if re.search(r"[/\\]", name) else modern_data_name(name)
    return found


def literal(text: str, name: str, what: str) -> object:
    """A value in config.txt."""
    group = name in GROUPS
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        value = text
    if group and not isinstance(value, dict):
        raise UserError(f"{what} is damaged: {name} = {text[:40]!r} are no settings")
    return value if group or isinstance(value, (int, float, str, dict, type(None))) else text
