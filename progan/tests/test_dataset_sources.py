"""The data sets of the paper as they are downloaded: MNIST, CIFAR, SVHN, LSUN, CelebA, and HDF5 files."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import PROJECT
from PIL import Image

import dataset_sources as sources
from dataset_tool import main
from datasets import open_dataset
from exporter import Exporter
from shared_scripts.cli import UserError

MNIST = PROJECT.parent.parent / "shared" / "data" / "mnist"
RNG = np.random.default_rng(0)


def make(command: str, target: Path, *arguments) -> object:
    """Run a command of dataset_tool.py and open what it made, with its labels."""
    assert main([command, str(target), *map(str, arguments)]) == 0
    return open_dataset(target, max_label_size="auto")


def all_images(dataset) -> np.ndarray:
    return dataset.images(np.arange(len(dataset)), dataset.levels)


def unshuffled(values: np.ndarray) -> np.ndarray:
    """Values in the order they had before they were written."""
    order = sources.order_of(len(values))
    result = np.empty_like(values)
    result[order] = values
    return result


def test_the_recorded_orders(golden):
    arrays = golden("dataset_tool")
    found = [key for key in arrays if key.startswith("order_n")]
    assert len(found) == 8
    for key in found:
        np.testing.assert_array_equal(sources.order_of(int(key.split("_")[1][1:]))[:16], arrays[key])
    assert sources.order_of(5, shuffle=False).tolist() == [0, 1, 2, 3, 4]


# --- MNIST --------------------------------------------------------------------------------------------------------


def idx(array: np.ndarray) -> bytes:
    header = (0x800 + array.ndim).to_bytes(4, "big") + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + array.tobytes()


@pytest.fixture
def digits(tmp_path) -> tuple[Path, np.ndarray, np.ndarray]:
    """A folder like MNIST's, with 20 digits, and these."""
    images, labels = RNG.integers(0, 256, (20, 28, 28), np.uint8), RNG.integers(0, 10, 20).astype(np.uint8)
    folder = tmp_path / "mnist"
    folder.mkdir()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(labels))  # unpacked, as some have them
    return folder, images, labels


def test_mnist(digits, tmp_path):
    folder, images, labels = digits
    dataset = make("create_mnist", tmp_path / "set", folder)
    assert (dataset.resolution, dataset.num_channels, dataset.label_size) == (32, 1, 10)
    made = unshuffled(all_images(dataset))[:, 0]
    np.testing.assert_array_equal(made[:, 2:-2, 2:-2], images)
    assert made.sum(dtype=int) == images.sum(dtype=int)
    assert unshuffled(dataset.labels).argmax(1).tolist() == labels.tolist() and (dataset.labels.sum(1) == 1).all()


def test_mnist_in_three_colours(digits, golden, tmp_path):
    folder, images, _ = digits
    dataset = make("create_mnist_rgb", tmp_path / "set", folder, "--num_images", 12, "--random_seed", 5)
    rng = np.random.RandomState(5)
    drawn = np.stack([images[rng.randint(20, size=3)] for _ in range(12)])
    assert dataset.label_size == 0
    np.testing.assert_array_equal(all_images(dataset)[:, :, 2:-2, 2:-2], drawn)
    rng = np.random.RandomState(123)
    expected = golden("dataset_tool")["mnistrgb_idx_seed123_first8"]
    np.testing.assert_array_equal([rng.randint(60000, size=3) for _ in range(8)], expected)


def test_real_digits(tmp_path):
    """The test set, whose files are taken for those of the training set."""
    if not MNIST.is_dir():
        pytest.skip(f"{MNIST} is not there")
    for kind in ("images-idx3", "labels-idx1"):
        shutil.copy(MNIST / f"t10k-{kind}-ubyte.gz", tmp_path / f"train-{kind}-ubyte.gz")
    source = sources.mnist(tmp_path)
    assert source.count == 10_000 and source.labels.sum(0).astype(int).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert source.image(0).shape == (1, 32, 32) and source.labels[0].argmax() == 7


def test_damaged_mnist(digits, tmp_path):
    folder, images, labels = digits
    path = folder / "train-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    for content, words in [
        (whole[:-5], "damaged or cut short"),
        (whole[:10] + b"\xff" + whole[11:], "damaged or cut short"),
        (idx(images)[:-1], "bytes instead of"),
        (idx(images) + b"x", "bytes instead of"),
        (idx(labels), "no file of MNIST images"),
        (b"", "no file of MNIST images"),
        (idx(images[:, :27]), "28x27; MNIST's are 28x28"),
        (idx(images[:7]), "7 images and 20 labels"),
    ]:
        path.write_bytes(content)
        with pytest.raises(UserError, match=words):
            sources.mnist(folder)
    path.write_bytes(whole)
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(labels + 5))
    with pytest.raises(UserError, match="digits go from 0 to 9"):
        sources.mnist(folder)
    path.unlink()
    with pytest.raises(UserError, match="there is no file .*train-images-idx3-ubyte.gz"):
        sources.mnist(folder)


# --- CIFAR and SVHN -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", ["", "cifar-10-batches-py"])
def test_cifar10(inside, tmp_path):
    images, labels = RNG.integers(0, 256, (15, 3, 32, 32), np.uint8), RNG.integers(0, 10, 15).tolist()
    folder = tmp_path / "cifar" / inside
    folder.mkdir(parents=True)
    for part in range(5):
        chosen = slice(3 * part, 3 * part + 3)
        content = {"data": images[chosen].reshape(3, -1), "labels": labels[chosen], "batch_label": "x"}
        (folder / f"data_batch_{part + 1}").write_bytes(pickle.dumps(content, 2))
    dataset = make("create_cifar10", tmp_path / "set", tmp_path / "cifar")
    np.testing.assert_array_equal(unshuffled(all_images(dataset)), images)
    assert dataset.label_size == 10 and unshuffled(dataset.labels).argmax(1).tolist() == labels


def test_cifar100(tmp_path):
    images, labels = RNG.integers(0, 256, (6, 3, 32, 32), np.uint8), RNG.integers(0, 100, 6).tolist()
    content = {"data": images.reshape(6, -1), "fine_labels": labels, "coarse_labels": [0] * 6}
    (tmp_path / "train").write_bytes(pickle.dumps(content, 2))
    dataset = make("create_cifar100", tmp_path / "set", tmp_path)
    np.testing.assert_array_equal(unshuffled(all_images(dataset)), images)
    assert dataset.label_size == 100 and unshuffled(dataset.labels).argmax(1).tolist() == labels


def test_svhn(tmp_path):
    images, labels = RNG.integers(0, 256, (9, 3, 32, 32), np.uint8), RNG.integers(0, 10, 9).astype(np.uint8)
    for part in range(3):
        chosen = slice(3 * part, 3 * part + 3)
        (tmp_path / f"train_{part + 1}.pkl").write_bytes(pickle.dumps((images[chosen], labels[chosen]), 2))
    dataset = make("create_svhn", tmp_path / "set", tmp_path)
    np.testing.assert_array_equal(unshuffled(all_images(dataset)), images)
    assert unshuffled(dataset.labels).argmax(1).tolist() == labels.tolist()


def test_svhn_as_it_is_published(tmp_path):
    io_module = pytest.importorskip("scipy.io")
    images, labels = RNG.integers(0, 256, (9, 3, 32, 32), np.uint8), np.arange(2, 11).astype(np.uint8)
    path = tmp_path / "train_32x32.mat"
    io_module.savemat(path, {"X": images.transpose(2, 3, 1, 0), "y": labels[:, None]})
    dataset = make("create_svhn", tmp_path / "set", tmp_path)
    np.testing.assert_array_equal(unshuffled(all_images(dataset)), images)
    assert unshuffled(dataset.labels).argmax(1).tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 0]
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match="train_32x32.mat"):
        sources.svhn(tmp_path)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("evil",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Evil(), "train"),
        ([1, 2], "not one of CIFAR-100's files"),
        ({"data": np.zeros((2, 3072), np.uint8)}, "not one of CIFAR-100's files"),
        ({"data": np.zeros((2, 3000), np.uint8), "fine_labels": [1, 2]}, "not one of CIFAR-100's files"),
        ({"data": np.zeros((2, 3072), np.float32), "fine_labels": [1, 2]}, "of the kind float32"),
        ({"data": np.zeros((2, 3072), np.uint8), "fine_labels": [1, 100]}, "labels from 1 to 100"),
        ({"data": np.zeros((2, 3072), np.uint8), "fine_labels": [1]}, "labels of the kind"),
        ({"data": np.zeros((2, 3072), np.uint8), "fine_labels": ["a", "b"]}, "labels of the kind"),
    ],
)
def test_pickles_that_are_not_what_they_should_be(content, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train").write_bytes(pickle.dumps(content, 2))
    with pytest.raises(UserError, match=words):
        sources.cifar100(tmp_path)
    (tmp_path / "train_1.pkl").write_bytes(pickle.dumps(content, 2))
    with pytest.raises(UserError, match="train_1.pkl"):
        sources.svhn(tmp_path)
    assert not (tmp_path / "evil").exists()
    with pytest.raises(UserError, match="there is no file"):
        sources.cifar10(tmp_path)


# --- LSUN ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def database(golden, tmp_path) -> Path:
    """An LMDB with the recorded pictures, and one that is damaged."""
    lmdb = pytest.importorskip("lmdb")
    arrays = golden("dataset_tool")
    path = tmp_path / "airplane"
    with lmdb.open(str(path), map_size=1 << 24) as environment, environment.begin(write=True) as transaction:
        for number in range(4):
            stream = io.BytesIO()
            Image.fromarray(arrays[f"lsun/in{number}"]).save(stream, "png")
            transaction.put(b"key%d" % (2 * number), stream.getvalue())
        transaction.put(b"key1", b"no picture")
    return path


def test_lsun(database, golden, tmp_path, capsys):
    arguments = ["create_lsun", tmp_path / "set", database, "--resolution", 32]
    assert main([str(argument) for argument in arguments]) == 1
    told = capsys.readouterr().err
    assert "airplane, key1 is not a picture" in told and "1 of 5 pictures were left out" in told
    made = all_images(open_dataset(tmp_path / "set")).astype(int)
    assert np.abs(made - golden("dataset_tool")["lsun/out_res32"]).max() <= 1
    assert len(make("create_lsun", tmp_path / "one", database, "--resolution", 16, "--max_images", 1)) == 1


def test_no_lsun(database, tmp_path):
    with pytest.raises(UserError, match="data.mdb"):
        sources.lsun(tmp_path, 256, None)
    (database / "data.mdb").write_bytes(b"x" * 5000)
    with pytest.raises(UserError, match="airplane is damaged"):
        sources.lsun(database, 256, None)


# --- CelebA -------------------------------------------------------------------------------------------------------


def test_celeba(golden, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "CELEBA_COUNT", 3)
    rows = np.repeat(np.arange(218, dtype=np.uint8)[:, None], 178, axis=1)
    pixels = np.stack([rows, np.repeat(np.arange(178, dtype=np.uint8)[None], 218, axis=0), rows], axis=2)
    (tmp_path / "img_align_celeba_png").mkdir()
    for number in range(3):
        Image.fromarray(pixels).save(tmp_path / "img_align_celeba_png" / f"{number:06d}.png")
    made = all_images(make("create_celeba", tmp_path / "set", tmp_path))[0]
    top, bottom, left, right = golden("dataset_tool")["celeba/rows_cols_default"]
    assert made.shape == (3, 128, 128)
    assert made[0, [0, -1], 0].tolist() == [top, bottom - 1] and made[1, 0, [0, -1]].tolist() == [left, right - 1]
    moved = all_images(make("create_celeba", tmp_path / "moved", tmp_path, "--cx", 114, "--cy", 64))[0]
    assert moved[0, 0, 0] == 0 and moved[1, 0, -1] == 177
    for cx, cy in ((63, 121), (115, 121), (89, 63), (89, 155)):
        with pytest.raises(UserError, match="must be between 64 and"):
            sources.celeba(tmp_path, cx, cy)
    Image.fromarray(pixels[:100]).save(tmp_path / "img_align_celeba_png" / "000001.png")
    with pytest.raises(UserError, match="000001.png is 178x100"):
        sources.celeba(tmp_path, 89, 121).image(1)


def test_not_all_of_celeba(tmp_path):
    with pytest.raises(UserError, match="there are no pictures in"):
        sources.celeba(tmp_path, 89, 121)
    (tmp_path / "img_align_celeba").mkdir()
    (tmp_path / "img_align_celeba" / "1.jpg").write_bytes(b"")
    with pytest.raises(UserError, match="has 1 pictures, CelebA 202599; .*create_from_images"):
        sources.celeba(tmp_path, 89, 121)


# --- HDF5 ---------------------------------------------------------------------------------------------------------


def test_hdf5(tmp_path):
    h5py = pytest.importorskip("h5py")
    images, labels = RNG.integers(0, 256, (6, 3, 16, 16), np.uint8), np.eye(6, dtype=np.float32)
    path = tmp_path / "old.h5"
    with h5py.File(path, "w") as file:
        file["data4x4"], file["data16x16"], file["other"] = images[:, :, ::4, ::4], images, np.zeros((6, 1, 64, 64))
    np.save(tmp_path / "old-labels.npy", labels)
    dataset = make("create_from_hdf5", tmp_path / "set", path)
    np.testing.assert_array_equal(unshuffled(all_images(dataset)), images)
    np.testing.assert_array_equal(unshuffled(dataset.labels), labels)
    plain = make("create_from_hdf5", tmp_path / "plain", path, "--shuffle", 0, "--export_labels", 0)
    np.testing.assert_array_equal(all_images(plain), images)
    assert plain.label_size == 0
    np.save(tmp_path / "old-labels.npy", labels[:5])
    with pytest.raises(UserError, match="5 labels, but .* 6 pictures"):
        sources.hdf5(path, True)


def test_damaged_hdf5(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "old.h5"
    with pytest.raises(UserError, match="there is no file"):
        sources.hdf5(path, True)
    with h5py.File(path, "w") as file:
        file["data"] = np.zeros((5, 3, 16, 16), np.float32)
    with pytest.raises(UserError, match="has no pictures"):
        sources.hdf5(path, True)
    with h5py.File(path, "w") as file:
        file["data"] = np.zeros((500, 3, 16, 16), np.uint8)
    whole = path.read_bytes()
    for size in (0, 10, 1000, len(whole) - 100):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match="damaged or no HDF5 file"):
            sources.hdf5(path, True)


def test_an_export_ends_at_a_source_that_fails(tmp_path):
    with pytest.raises(UserError):
        with Exporter(tmp_path / "set") as exporter:
            exporter.add(np.zeros((1, 4, 4), np.uint8))
            raise UserError("the source failed")
    assert list(tmp_path.iterdir()) == []
