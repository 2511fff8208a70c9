"""Small trainings for the tests: data, command lines, and ways to run them here or in processes that may be killed."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from shared_scripts.checkpoints import load_state
from shared_scripts.testing import exit_status, write_pictures
from train import main

NETS = "--image_size 16 --g_conv_dim 2 --d_conv_dim 2 --g_repeat_num 1 --d_repeat_num 2"
DATA = "--celeba_crop_size 20 --rafd_crop_size 20 --test_images 1 --batch_size 2 --num_workers 0"
OFTEN = "--n_critic 2 --log_step 1 --use_tensorboard false --device cpu"
STATE = "train_state.pt"
NAMES = ("Young", "Black_Hair", "Smiling", "Blond_Hair", "Male", "Brown_Hair")  # the attribute file's order


def write_data(root: Path, count: int = 8, classes: int = 3, each: int = 2) -> Path:
    """`count` pictures with an attribute file, one of them for testing, and folders of classes. All of it noise."""
    write_pictures(root / "faces", count)
    rows = [f"{i}.png " + " ".join(str((i >> n) % 2 * 2 - 1) for n in range(len(NAMES))) for i in range(count)]
    (root / "list.txt").write_text("\n".join([str(count), " ".join(NAMES), *rows]) + "\n")
    for number, name in enumerate(["glad", "calm", "sad", "sly"][:classes]):
        write_pictures(root / "classes" / name, each, seed=number + 1)
    return root


def command(data: Path, folder: Path, *flags: str) -> list[str]:
    """The arguments of a tiny training into a folder; in `flags` later ones win."""
    places = ["--celeba_image_dir", data / "faces", "--attr_path", data / "list.txt", "--rafd_image_dir"]
    places += [data / "classes"]
    for name, below in (("log", "logs"), ("model_save", "models"), ("sample", "samples"), ("result", "results")):
        places += [f"--{name}_dir", folder / below]
    return [*map(str, places), *f"{NETS} {DATA} {OFTEN} {' '.join(flags)}".split()]


train = partial(exit_status, main)  # `train(argv)`: the exit status


def contents(folder: Path) -> dict:
    """All that two runs must have in common: networks under every name, the whole state, the reported losses."""
    files = [path for pattern in ("*.ckpt", "*.pth", "*.pt") for path in sorted((folder / "models").glob(pattern))]
    found = {path.name: load_state(path) for path in files}
    losses = folder / "logs" / "losses.csv"
    return {**found, "losses.csv": losses.read_text() if losses.exists() else ""}


def files(folder: Path) -> dict:
    """Every file below a folder, to see that none has changed."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def names(folder: Path, pattern: str = "*") -> list[str]:
    """The names of the files in a folder."""
    return sorted(path.name for path in folder.glob(pattern) if path.is_file())


def last_error(capsys) -> str:
    """The one line of an error, with no other about it."""
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("error: ") and sum("error" in line.lower() for line in lines) == 1, lines
    assert not any("Traceback" in line for line in lines) and len(lines[-1]) < 400
    return lines[-1]


def steps_in(out: str) -> list[int]:
    """The iterations that the log lines of a run of the current version are about."""
    return [int(number) for number in re.findall(r"Iteration \[(\d+)/", out)]
