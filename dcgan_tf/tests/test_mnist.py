"""idx files of every kind, whole and damaged, and the reference's order."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mnist import load_mnist, shuffled
from shared_scripts.cli import UserError

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist"
RNG = np.random.RandomState(3)
IMAGES = RNG.randint(0, 256, (7, 28, 28)).astype(np.uint8)
LABELS = np.array([3, 0, 9, 1, 4, 4, 8], np.uint8)
NAMES = {"images": "-images-idx3-ubyte", "labels": "-labels-idx1-ubyte"}


def idx(array: np.ndarray, magic: int) -> bytes:
    return b"".join(n.to_bytes(4, "big") for n in (magic, *array.shape)) + array.tobytes()


def write(folder: Path, part: str, images=IMAGES, labels=LABELS, zipped=False) -> None:
    for kind, data in (("images", idx(images, 2051)), ("labels", idx(labels, 2049))):
        name = part + NAMES[kind] + (".gz" if zipped else "")
        (folder / name).write_bytes(gzip.compress(data) if zipped else data)


@pytest.mark.parametrize("zipped", [False, True])
def test_training_images_come_first(tmp_path, capsys, zipped):
    write(tmp_path, "train", zipped=zipped)
    write(tmp_path, "t10k", IMAGES[:2] // 2, LABELS[5:], zipped=not zipped)
    images, labels = load_mnist(tmp_path)
    assert images.shape == (9, 28, 28, 1) and images.dtype == np.float32 and labels.dtype == np.int64
    expected = np.concatenate([IMAGES, IMAGES[:2] // 2])[..., None]
    np.testing.assert_allclose(images, expected / 255, atol=1e-7)
    assert labels.tolist() == [*LABELS.tolist(), 4, 8]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("part", "missing"), [("t10k", "train"), ("train", "test")])
def test_half_of_it_is_used_and_said(tmp_path, capsys, part, missing):
    write(tmp_path, part)
    assert len(load_mnist(str(tmp_path))[0]) == 7
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"no {missing} images" in said and "7" in said


def test_names_with_a_dot(tmp_path):
    write(tmp_path, "train")
    for path in list(tmp_path.iterdir()):
        path.rename(tmp_path / path.name.replace("-idx", ".idx"))
    assert load_mnist(tmp_path)[1].tolist() == LABELS.tolist()


def spoil(name: str, change):
    """A function that changes one file of a whole folder."""
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (
            spoil("train-images-idx3-ubyte", lambda data: data[:-5]),
            ["train-images", "cut short: 5499 bytes instead of 5504"],
        ),
        (spoil("train-images-idx3-ubyte", lambda data: data + b"x"), ["train-images", "too long"]),
        (spoil("train-images-idx3-ubyte", lambda data: b""), ["train-images", "no file of MNIST images"]),
        (spoil("train-images-idx3-ubyte", lambda data: b"<html>" + data), ["train-images", "no file of MNIST images"]),
        (spoil("train-images-idx3-ubyte", lambda data: gzip.compress(data)[:-99]), ["train-images", "damaged"]),
        (spoil("train-labels-idx1-ubyte", lambda data: data[:-1] + b"\x0a"), ["train-labels", "label 10"]),
        (spoil("train-labels-idx1-ubyte", lambda data: idx(LABELS[:5], 2049)), ["7 images", "5 labels"]),
        (spoil("train-images-idx3-ubyte", lambda data: idx(IMAGES[:0], 2051)), ["holds no images"]),
        (spoil("t10k-images-idx3-ubyte", lambda data: idx(IMAGES[:, :8, :8], 2051)), ["different sizes"]),
        (lambda folder: (folder / "train-labels-idx1-ubyte").unlink(), ["train-labels", "download.py mnist"]),
        (lambda folder: [path.unlink() for path in folder.iterdir()], ["no MNIST images", "download.py mnist"]),
        (shutil.rmtree, ["no folder", "download.py mnist"]),
    ],
)
def test_damage_is_named(tmp_path, harm, words):
    folder = tmp_path / "mnist"
    folder.mkdir()
    write(folder, "train")
    write(folder, "t10k")
    harm(folder)
    with pytest.raises(UserError) as caught:
        load_mnist(folder)
    for word in (str(folder), *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_reference_s_order(golden):
    """Of all 70000 and the noise that is drawn after; indices stand for the images."""
    recorded = golden("mnist_order.npz")
    indices, labels, rng = shuffled(np.arange(70000), np.arange(70000) % 7)
    assert (indices[:256] == recorded["first_indices"]).all() and (indices[-64:] == recorded["last_indices"]).all()
    assert (labels == indices % 7).all()
    sample_z = rng.uniform(-1, 1, (64, 100))
    np.testing.assert_array_equal(sample_z[0], recorded["sample_z_row0"])
    batch_z = rng.uniform(-1, 1, (64, 100)).astype(np.float32)
    np.testing.assert_array_equal(batch_z[0], recorded["first_batch_z_row0"])
    assert "547" in json.loads(str(recorded["meta"]))["rule"]


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the real MNIST is not in {REAL}")
def test_the_real_digits(golden, capsys):
    recorded = golden("mnist_order.npz")
    images, labels = load_mnist(REAL)
    assert images.shape == (10000, 28, 28, 1) and 0 == images.min() < images.max() == 1
    assert (np.rint(images[0, ..., 0] * 255) == recorded["t10k_image0"]).all() and labels[0] == recorded["t10k_label0"]
    assert "no train images" in capsys.readouterr().err
