"""What the tests of main.py share: running it here, small data, reading what it wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import main as script
from architecture import Architecture, initial_weights
from shared_scripts import cli
from shared_scripts.checkpoints_tf import save_checkpoint

PROJECT = Path(__file__).resolve().parent.parent
FACES = Architecture(64, 64, 3, z_dim=100, gf_dim=8, df_dim=8)
DIGITS = Architecture(28, 28, 1, z_dim=100, y_dim=10, gf_dim=8, df_dim=8, gfc_dim=48, dfc_dim=40)


def call(capsys, *flags) -> tuple[int, str, str]:
    """(status, stdout, stderr) of main.py, run in this process with the wrapper that ends it."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        cli.run(lambda: script.main([str(flag) for flag in flags]))
    return end.value.code or 0, *capsys.readouterr()


def refused(outcome: tuple[int, str, str], *words: str, status: int = 2) -> str:
    """Check that it ended with one line `error: …` that has these words; that line."""
    code, out, err = outcome
    assert code == status and "Traceback" not in err, outcome
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and err.splitlines()[-1] == lines[0], err
    for word in words:
        assert word in lines[0], (word, lines[0])
    return lines[0]


def files_in(folder: Path) -> set[str]:
    """The files below a folder, by their paths in it; none where it is missing."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def tensors(prefix: Path) -> dict[str, np.ndarray]:
    """All that a checkpoint holds."""
    reader = tf.train.load_checkpoint(str(prefix))
    return {name: np.asarray(reader.get_tensor(name)) for name in reader.get_variable_to_shape_map()}


def assert_same(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    """Equal names and values, to the bit."""
    assert found.keys() == wanted.keys()
    different = [name for name in wanted if found[name].tobytes() != wanted[name].tobytes()]
    assert not different, different


def make_picture(path: Path, mode: str = "RGB", width: int = 18, height: int = 20, seed: int = 0) -> Path:
    """A picture of noise, written in the format of its ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    image = Image.fromarray(pixels)
    (image if mode == "RGBA" else image.convert("RGB").convert(mode)).save(path)
    return path


def make_pictures(folder: Path, count: int, **settings) -> Path:
    """p0.png, p1.png, … in a folder."""
    for i in range(count):
        make_picture(folder / f"p{i}.png", seed=i, **settings)
    return folder


def old_checkpoint(folder: Path, step: int, architecture: Architecture) -> Path:
    """A checkpoint as the original writes one: the networks and nothing else. No variable is 0 or 1 as at first, and
    all its pictures are different."""
    random = np.random.default_rng(step)
    weights = {
        name: np.float32(value * 8 if value.ndim > 1 else value + random.uniform(0.1, 0.3, value.shape))
        for name, value in initial_weights(architecture, step).items()
    }
    save_checkpoint(folder / f"DCGAN.model-{step}", weights)
    return folder


def make_mnist(folder: Path, train: int, test: int, side: int) -> Path:
    """MNIST's four files, with noise for digits."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    for part, count in (("train", train), ("t10k", test)):
        images = random.integers(0, 256, (count, side, side), dtype=np.uint8)
        write_idx(folder / f"{part}-images-idx3-ubyte", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte", (np.arange(count) % 10).astype(np.uint8))
    return folder


def write_idx(path: Path, values: np.ndarray) -> None:
    """An idx file of unsigned bytes."""
    header = np.array([2048 + values.ndim, *values.shape], ">u4")
    path.write_bytes(header.tobytes() + values.tobytes())


def pixels_of(path: Path) -> np.ndarray:
    """(H, W, C) of a picture file, or (H, W) of a grey one."""
    with Image.open(path) as image:
        return np.array(image)
