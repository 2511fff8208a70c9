"""The reference's utility functions, as its config.py calls them: `train = EasyDict(func='util_scripts.…', run_id=…)`.

Each makes a numbered folder of its own in the result folder, as a training does, and leaves `_done.txt` in it.
generate.py and evaluate.py do the same without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from results import create_run, id_string, locate_run, locate_snapshot
from run_log import Log
from settings import write_config
from shared_scripts.cli import UserError

DONE = "_done.txt"


def generate_fake_images(settings: dict, log: Log) -> int:
    """Random pictures, or grids of them, as PNGs."""
    import run_generation as make

    args, path = settings["train"], find_network(settings)
    fast = load(settings, path)
    prefix = inside("png_prefix", args.get("png_prefix") or id_string(path) + "-")
    about = {"seed": args["random_seed"], "minibatch": args["minibatch_size"], "shrink": args["image_shrink"]}
    with numbered_folder(settings, log) as folder:
        make.write_grids(fast, folder, prefix, args["num_pngs"], tuple(args["grid_size"]), **about)
    return 0


def generate_interpolation_video(settings: dict, log: Log) -> int:
    """A film of a walk through the space of latents."""
    import run_generation as make

    args, path = settings["train"], find_network(settings)
    fast = load(settings, path)
    name = inside("mp4", args.get("mp4") or id_string(path) + "-lerp.mp4")
    about = {"shrink": args["image_shrink"], "zoom_by": args["image_zoom"], "minibatch": args["minibatch_size"]}
    about |= {"duration": args["duration_sec"], "smoothing": args["smoothing_sec"], "seed": args["random_seed"]}
    about |= {"fps": args["mp4_fps"], "bitrate": args["mp4_bitrate"]}
    with numbered_folder(settings, log) as folder:
        make.write_film(fast, folder / name, tuple(args["grid_size"]), **about)
    return 0


def generate_training_video(settings: dict, log: Log) -> int:
    """A film of a training's snapshots."""
    from training_video import generate_training_video as make_film

    args = settings["train"]
    run = locate_run(settings["result_dir"], run_of(args))
    name = inside("mp4", args.get("mp4") or f"{run.name}-train.mp4")
    about = {key: args[key] for key in ("duration_sec", "time_warp", "mp4_fps", "mp4_bitrate")}
    with numbered_folder(settings, log) as folder:
        make_film(run, mp4=folder / name, **about)
    return 0


def evaluate_metrics(settings: dict, log: Log) -> int:
    """The table of metrics of a run's snapshots, in that run's folder."""
    from run_evaluation import evaluate_metrics as evaluate
    from shared_scripts.devices import pick_device

    args = settings["train"]
    about = {key: args[key] for key in ("metrics", "num_images", "real_passes", "minibatch_size")}
    about |= {"device": str(pick_device(settings["device"], settings["gpu_ids"]))}
    about |= {"random_seed": settings["random_seed"]}
    evaluate(run_of(args), args["log"], result_dir=settings["result_dir"], **about)
    return 0


FUNCTIONS = {
    function.__name__: function
    for function in (generate_fake_images, generate_interpolation_video, generate_training_video, evaluate_metrics)
}


def run_of(args: dict) -> int | str:
    """The run that an argument names. UserError where there is none."""
    if args.get("run_id") is None:
        raise UserError("which run? --run_id NUMBER, the one its folder's name begins with")
    return args["run_id"]


def inside(key: str, name: str) -> str:
    """A name of files in the new folder. UserError where it would lead out of it, perhaps over another file."""
    if re.search(r"[/\\]", name):
        raise UserError(f"--{key} {name}: a name without a folder; files come into a new folder of --result_dir")
    return name


def find_network(settings: dict) -> Path:
    """The network file that run_id and snapshot name."""
    return locate_snapshot(run_of(settings["train"]), settings["train"].get("snapshot"), settings["result_dir"])


def load(settings: dict, path: Path):
    """Its generator."""
    from run_generation import load_generator

    return load_generator(path, settings["device"], settings["gpu_ids"], settings["precision"] or "float32")


@contextmanager
def numbered_folder(settings: dict, log: Log) -> Iterator[Path]:
    """A new folder of the result folder, with its config.txt and log.txt; `_done.txt` comes when all went well."""
    folder = create_run(settings["result_dir"], settings["desc"])
    log.open(folder / "log.txt")
    print(f"Saving results to {folder}", flush=True)
    write_config(folder, settings)
    yield folder
    (folder / DONE).touch()
