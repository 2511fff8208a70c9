"""The lines of the reference's config.py that one (un)comments, by their names: data sets, presets, switches, modes.

Each changes some settings, {"group.key": value}, and adds its name to the run's description.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared_scripts.cli import UserError


@dataclass(frozen=True)
class Preset:
    """What changes, what is added to `desc`, and a few words for --help."""

    changes: Mapping[str, object]
    suffix: str
    about: str = field(default="", compare=False)


def tfrecords(name: str, mirror: bool, folder: str = "", about: str = "") -> Preset:
    """A data set of dataset_tool.py in `data_dir`."""
    changes = {
        "dataset.class_name": "dataset.TFRecordDataset",
        "dataset.tfrecord_dir": folder or name,
        "train.mirror_augment": mirror,
    }
    return Preset(changes, f"-{name}", about)


LSUN = (
    "airplane bedroom bicycle bird boat bottle bridge bus car cat chair churchoutdoor classroom conferenceroom cow "
    "diningroom diningtable dog horse kitchen livingroom motorbike person pottedplant restaurant sheep sofa tower "
    "train tvmonitor"
).split()
DATASETS: dict[str, Preset] = {
    "celebahq": tfrecords("celebahq", True),
    "celeba": tfrecords("celeba", True),
    "cifar10": tfrecords("cifar10", False),
    "cifar100": tfrecords("cifar100", False),
    "svhn": tfrecords("svhn", False),
    "mnist": tfrecords("mnist", False),
    "mnistrgb": tfrecords("mnistrgb", False),
    "syn1024rgb": Preset(
        {
            "dataset.class_name": "dataset.SyntheticDataset",
            "dataset.resolution": 1024,
            "dataset.num_channels": 3,
            "train.mirror_augment": False,
        },
        "-syn1024rgb",
    ),
    **{f"lsun-{name}": tfrecords(f"lsun-{name}", True, f"lsun-{name}-100k") for name in LSUN},
}


def second(
    gpus: int, base: int, minibatch: Mapping[int, int], rates: Mapping[int, float], kimg: int = 12000
) -> Mapping[str, object]:
    """A preset of the second kind: minibatches as large as fit, learning rates that rise with the resolution."""
    return {
        "num_gpus": gpus,
        "sched.minibatch_base": base,
        "sched.minibatch_dict": minibatch,
        "sched.G_lrate_dict": rates,
        "sched.D_lrate_dict": rates,
        "train.total_kimg": kimg,
    }


SMALL = {4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8, 512: 4}
TWO = {4: 256, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8}
FOUR = {4: 512, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16}
EIGHT = {4: 512, 8: 256, 16: 128, 32: 64, 64: 32}
PRESETS: dict[str, Preset] = {
    "v1-1gpu": Preset(
        {
            "num_gpus": 1,
            "D.mbstd_group_size": 16,
            "sched.minibatch_base": 16,
            "sched.minibatch_dict": {256: 14, 512: 6, 1024: 3},
            "sched.lod_training_kimg": 800,
            "sched.lod_transition_kimg": 800,
            "train.total_kimg": 19000,
        },
        "-preset-v1-1gpu",
        "the paper's schedule",
    ),
    "v2-1gpu": Preset(second(1, 4, SMALL, {1024: 0.0015}), "-preset-v2-1gpu", "the faster schedule, on 1 GPU"),
    "v2-2gpus": Preset(second(2, 8, TWO, {512: 0.0015, 1024: 0.002}), "-preset-v2-2gpus", "on 2"),
    "v2-4gpus": Preset(second(4, 16, FOUR, {256: 0.0015, 512: 0.002, 1024: 0.003}), "-preset-v2-4gpus", "on 4"),
    "v2-8gpus": Preset(
        second(8, 32, EIGHT, {128: 0.0015, 256: 0.002, 512: 0.003, 1024: 0.003}), "-preset-v2-8gpus", "on 8"
    ),
}
PRECISIONS: dict[str, Preset] = {
    "fp32": Preset({"sched.max_minibatch_per_gpu": {256: 16, 512: 8, 1024: 4}}, "-fp32", "single precision"),
    "fp16": Preset(
        {
            "G.dtype": "float16",
            "D.dtype": "float16",
            "G.pixelnorm_epsilon": 1e-4,
            "G_opt.use_loss_scaling": True,
            "D_opt.use_loss_scaling": True,
            "sched.max_minibatch_per_gpu": {512: 16, 1024: 8},
        },
        "-fp16",
        "half precision (bfloat16 here)",
    ),
}
SWITCHES: dict[str, Preset] = {
    **PRECISIONS,
    "cond": Preset({"dataset.max_label_size": "full"}, "-cond", "learn the labels"),
    "cond1": Preset({"dataset.max_label_size": 1}, "-cond1", "learn the labels' first component"),
    "g4k": Preset({"grid.size": "4k"}, "-g4k", "larger sheets of samples"),
    "grpc": Preset({"grid.layout": "row_per_class"}, "-grpc", "sheets with a row for each label"),
    "nogrowing": Preset(
        {
            "sched.lod_initial_resolution": 1024,
            "sched.lod_training_kimg": 0,
            "sched.lod_transition_kimg": 0,
            "train.total_kimg": 10000,
        },
        "-nogrowing",
        "full resolution from the start",
    ),
    "nopixelnorm": Preset({"G.use_pixelnorm": False}, "-nopixelnorm", "no pixelwise normalisation"),
    "nowscale": Preset({"G.use_wscale": False, "D.use_wscale": False}, "-nowscale", "no equalised learning rate"),
    "noleakyrelu": Preset({"G.use_leakyrelu": False}, "-noleakyrelu", "plain ReLU in the generator"),
    "nosmoothing": Preset({"train.G_smoothing": 0.0}, "-nosmoothing", "no averaged generator"),
    "norepeat": Preset({"train.minibatch_repeats": 1}, "-norepeat", "one step between looks at the schedule"),
    "noreset": Preset({"train.reset_opt_for_new_lod": False}, "-noreset", "Adam goes on when layers come in"),
}
RARELY = {"train.image_snapshot_ticks": 1000, "train.network_snapshot_ticks": 1000}
OFTEN = {"sched.tick_kimg_base": 1, "sched.tick_kimg_dict": {}}
MODES: dict[str, Preset] = {
    "BENCHMARK": Preset(
        {
            "sched.lod_initial_resolution": 4,
            "sched.lod_training_kimg": 3,
            "sched.lod_transition_kimg": 3,
            "train.total_kimg": (8 * 2 + 1) * 3,
            **OFTEN,
            **RARELY,
        },
        "-BENCHMARK",
        "every resolution for a moment",
    ),
    "BENCHMARK0": Preset(
        {"sched.lod_initial_resolution": 1024, "train.total_kimg": 10, **OFTEN, **RARELY},
        "-BENCHMARK0",
        "the full resolution for a moment",
    ),
    "VERBOSE": Preset(
        {**OFTEN, "train.image_snapshot_ticks": 1, "train.network_snapshot_ticks": 100}, "-VERBOSE", "much to look at"
    ),
    "GRAPH": Preset({"train.save_tf_graph": True}, "-GRAPH", "TensorFlow's; no effect here"),
    "HIST": Preset({"train.save_weight_histograms": True}, "-HIST", "histograms of weights in TensorBoard"),
}
FAMILIES = (DATASETS, PRESETS, PRECISIONS)  # of each, a run has one
ALL = {**DATASETS, **PRESETS, **SWITCHES, **MODES}


def find(name: str) -> Preset:
    """A preset by its name, also as `desc` has it ("-preset-v2-1gpu"), in any case. UserError where there is none."""
    wanted = name.strip().removeprefix("-").removeprefix("preset-")
    names = {key.lower(): key for key in ALL}
    if wanted.lower() in names:
        return ALL[names[wanted.lower()]]
    near = difflib.get_close_matches(wanted.lower(), names, 1)
    there = ", ".join(key for key in ALL if not key.startswith("lsun-"))
    hint = f"; did you mean {names[near[0]]}?" if near else f"; there are {there}, and lsun-cat and the like"
    raise UserError(f"there is no preset {name!r}{hint}")


def apply(settings: dict, name: str) -> None:
    """Change settings, {group: {key: value}}, as a preset says.

    Where `desc` tells of another data set, schedule or precision, that is undone first: a run has one of each.
    UserError where there is no preset of that name.
    """
    preset = find(name)
    for family in (*FAMILIES, {name: preset}):
        if preset in family.values():
            undo(settings, family)
    for key, value in preset.changes.items():
        assign(settings, key, dict(value) if isinstance(value, Mapping) else value)
    name_it(settings, preset.suffix, preset in DATASETS.values())


def assign(settings: dict, key: str, value: object) -> None:
    """Set "group.key", or a key that is in no group."""
    group, dot, part = key.rpartition(".")
    (settings.setdefault(group, {}) if dot else settings)[part] = value


GAP = "\0"  # stands in a description where something was taken out


def undo(settings: dict, family: Mapping[str, Preset]) -> None:
    """Take back what the presets of a family changed of which `desc` tells; it gets a gap there."""
    for preset in family.values():
        desc = f"{settings.get('desc', 'pgan')}-"
        if f"{preset.suffix}-" in desc:
            settings["desc"] = desc.replace(f"{preset.suffix}-", f"{GAP}-", 1)[:-1]
            for key in preset.changes:
                group, dot, part = key.rpartition(".")
                (settings.get(group, {}) if dot else settings).pop(part, None)


def name_it(settings: dict, suffix: str, data: bool) -> None:
    """Put something's name into `desc`: into the gap, or else at the end, or (data) before the schedule."""
    desc = settings.get("desc", "pgan")
    head, gap, tail = desc.partition(GAP)
    if not gap and data:
        head, gap, tail = desc.partition("-preset-")
    settings["desc"] = head + suffix + gap.strip(GAP) + tail.replace(GAP, "")
