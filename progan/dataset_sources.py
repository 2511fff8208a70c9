"""The data sets that ProGAN was trained on, as they are downloaded: their pictures one by one, and their labels.

Every function gives a `Source`. UserError, with the file and what to do, where something is missing or damaged.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from picture_files import load_file, one_hot, squared
from shared_scripts.cli import UserError, one_line
from shared_scripts.idx import IMAGES_MAGIC, LABELS_MAGIC, find_idx, read_idx
from shared_scripts.lsun import open_database

ORDER_SEED = 123  # of the order that pictures are written in: the reference's
CELEBA_COUNT, CELEBA_SHAPE, CELEBA_CROP = 202599, (218, 178), 64
SVHN_PARTS = ("train_1.pkl", "train_2.pkl", "train_3.pkl")


@dataclass
class Source:
    """Pictures to be written, in their order.

    items       what `image` turns into a (channels, R, R) uint8 picture, one by one; `count` of them
    labels      [n, label_size] float32, to be looked up by the items, or None
    skip        whether pictures that raise a UserError are left out; otherwise they end the export
    most        stop after so many pictures
    """

    items: Iterable
    count: int
    image: Callable[[Any], np.ndarray]
    labels: np.ndarray | None = None
    skip: bool = False
    most: int | None = None


def order_of(count: int, shuffle: bool = True) -> np.ndarray:
    """The numbers 0 to count - 1, shuffled the same way every time."""
    order = np.arange(count)
    if shuffle:
        np.random.RandomState(ORDER_SEED).shuffle(order)
    return order


def source_of(images: np.ndarray, labels: np.ndarray | None = None) -> Source:
    """Pictures in memory, [n, channels, R, R], shuffled."""
    return Source(order_of(len(images)), len(images), images.__getitem__, labels)


# --- MNIST --------------------------------------------------------------------------------------------------------


def mnist(folder: Path) -> Source:
    """The training digits, 28x28 in the middle of 32x32, with ten labels."""
    images, labels = read_digits(folder), read_part(folder, "train-labels-idx1-ubyte", LABELS_MAGIC)
    if len(images) != len(labels):
        raise UserError(f"{folder} has {len(images)} images and {len(labels)} labels; get the files again")
    return source_of(images[:, None], digit_labels(labels, folder))


def mnist_rgb(folder: Path, count: int, seed: int) -> Source:
    """Three digits, drawn at random, as red, green and blue: no labels, 1000 kinds of pictures."""
    images, rng = read_digits(folder), np.random.RandomState(seed)
    return Source((rng.randint(len(images), size=3) for _ in range(count)), count, images.__getitem__)


def digit_labels(labels: np.ndarray, folder: Path) -> np.ndarray:
    """Digits as [n, 10] float32."""
    if len(labels) and not 0 <= labels.min() <= labels.max() <= 9:
        raise UserError(f"{folder} has labels from {labels.min()} to {labels.max()}; digits go from 0 to 9")
    return one_hot(labels, 10)


def read_digits(folder: Path) -> np.ndarray:
    """[n, 32, 32] uint8."""
    images = read_part(folder, "train-images-idx3-ubyte", IMAGES_MAGIC)
    if images.shape[1:] != (28, 28):
        raise UserError(f"{folder} has pictures of {images.shape[2]}x{images.shape[1]}; MNIST's are 28x28")
    return np.pad(images, ((0, 0), (2, 2), (2, 2)))


def read_part(folder: Path, name: str, kind: int) -> np.ndarray:
    """The array in one of MNIST's files, gzipped or not."""
    path = find_idx(folder, name)
    if path is None:
        raise UserError(
            f"there is no file {folder / name}.gz; create_mnist needs MNIST's training set: train-images, train-labels"
        )
    return read_idx(path, kind)


# --- CIFAR and SVHN -----------------------------------------------------------------------------------------------


def read_pickle(path: Path) -> Any:
    """A Python 2 pickle of numpy arrays; nothing else in it is let in."""
    from shared_scripts.restricted_pickle import load_restricted

    if not path.is_file():
        raise UserError(f"there is no file {path}; the folder to name is the one with the files as they are unpacked")
    return load_restricted(path)


def cifar10(folder: Path) -> Source:
    """The training pictures, 32x32, with ten labels."""
    folder = below(folder, "cifar-10-batches-py")
    parts = [cifar_part(folder / f"data_batch_{number}", "labels", 10) for number in range(1, 6)]
    return source_of(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))


def cifar100(folder: Path) -> Source:
    """The training pictures, 32x32, with a hundred labels."""
    return source_of(*cifar_part(below(folder, "cifar-100-python") / "train", "fine_labels", 100))


def below(folder: Path, name: str) -> Path:
    """The folder, or the one in it that unpacking the download makes."""
    return folder / name if (folder / name).is_dir() else folder


def cifar_part(path: Path, key: str, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """A file's pictures [n, 3, 32, 32] and labels [n, classes]."""
    content = read_pickle(path)
    try:
        images, labels = np.asarray(content["data"]), np.asarray(content[key])
        checked = check_part(images.reshape(-1, 3, 32, 32), labels, classes)
    except (KeyError, TypeError, ValueError, IndexError) as problem:
        raise UserError(f"{path} is not one of CIFAR-{classes}'s files ({one_line(problem)})") from problem
    return checked


def check_part(images: np.ndarray, labels: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """The pictures and their labels as [n, classes]. ValueError unless they are uint8, and numbers of classes."""
    if images.dtype != np.uint8 or images.ndim != 4:
        raise ValueError(f"pictures of the kind {images.dtype}, {list(images.shape)}")
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu":
        raise ValueError(f"{list(labels.shape)} labels of the kind {labels.dtype} for {len(images)} pictures")
    if not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(f"labels from {labels.min()} to {labels.max()}")
    return images, one_hot(labels, classes)


def svhn(folder: Path) -> Source:
    """The training pictures, 32x32, with ten labels: train_1.pkl to train_3.pkl, or the original train_32x32.mat."""
    original = folder / "train_32x32.mat"
    if original.is_file() and not (folder / SVHN_PARTS[0]).is_file():
        return source_of(*svhn_matlab(original))
    parts = []
    for path in (folder / name for name in SVHN_PARTS):
        try:
            images, labels = read_pickle(path)[:2]
            parts.append(check_part(np.asarray(images), np.asarray(labels), 10))
        except (KeyError, TypeError, ValueError, IndexError) as problem:
            raise UserError(f"{path} does not hold SVHN's pictures and labels ({one_line(problem)})") from problem
    return source_of(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))


def svhn_matlab(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The file from the data set's own page; the digit 0 has the label 10 there."""
    from scipy.io import loadmat

    try:
        content = loadmat(path)
        images, labels = content["X"].transpose(3, 2, 0, 1), content["y"].ravel() % 10
        return check_part(images, labels, 10)
    except (KeyError, TypeError, ValueError, IndexError, OSError, NotImplementedError, zlib.error) as problem:
        raise UserError(f"{path} is damaged or not SVHN's train_32x32.mat ({one_line(problem)})") from problem


# --- LSUN and CelebA ----------------------------------------------------------------------------------------------


def lsun(database: Path, resolution: int, most: int | None) -> Source:
    """A category's pictures in the database's order: the middle square, scaled. Those that are damaged are left out."""
    with open_database(database) as (count, _):
        pass

    def entries() -> Iterable[tuple[bytes, bytes]]:
        with open_database(database) as (_, found):
            yield from ((bytes(key), bytes(value)) for key, value in found)

    def image(entry: tuple[bytes, bytes]) -> np.ndarray:
        shown = f"{database}, {entry[0].decode('ascii', 'replace')}"
        return squared(load_file(BytesIO(entry[1]), shown, 3), resolution)

    return Source(entries(), min(count, most or count), image, skip=True, most=most)


def celeba(folder: Path, cx: int, cy: int) -> Source:
    """The aligned faces, 128x128 pixels around (cx, cy), no labels."""
    height, width = CELEBA_SHAPE
    for name, value, side in (("cx", cx, width), ("cy", cy, height)):
        if not CELEBA_CROP <= value <= side - CELEBA_CROP:
            raise UserError(f"--{name} must be between {CELEBA_CROP} and {side - CELEBA_CROP}, not {value}")
    paths = celeba_files(folder)

    def image(number: int) -> np.ndarray:
        with open(paths[number], "rb") as file:
            pixels = load_file(file, str(paths[number]), 3)
        if pixels.shape[:2] != CELEBA_SHAPE:
            raise UserError(f"{paths[number]} is {pixels.shape[1]}x{pixels.shape[0]}; CelebA's are {width}x{height}")
        return crop_celeba(pixels, cx, cy).transpose(2, 0, 1)

    return Source(order_of(len(paths)), len(paths), image)


def crop_celeba(pixels: np.ndarray, cx: int, cy: int) -> np.ndarray:
    """128x128 pixels of (218, 178, ...)."""
    return pixels[cy - CELEBA_CROP : cy + CELEBA_CROP, cx - CELEBA_CROP : cx + CELEBA_CROP]


def celeba_files(folder: Path) -> list[Path]:
    """CelebA's aligned pictures, PNG as the reference takes them, or else JPEG."""
    places = ((folder / "img_align_celeba_png", "*.png"), (folder / "img_align_celeba", "*.jpg"))
    for place, pattern in places:
        paths = sorted(place.glob(pattern))
        if len(paths) == CELEBA_COUNT:
            return paths
        if paths:
            raise UserError(
                f"{place} has {len(paths)} pictures, CelebA {CELEBA_COUNT}; get it again, or take what is there with: "
                f"create_from_images FOLDER {place} --resolution 128"
            )
    raise UserError(f"there are no pictures in {places[0][0]}, nor in {places[1][0]}")


# --- HDF5 ---------------------------------------------------------------------------------------------------------


def hdf5(path: Path, shuffle: bool) -> Source:
    """A data set of the Theano version: its largest pictures, and the labels in the file beside it."""
    try:
        import h5py
    except ImportError:
        raise UserError("reading HDF5 needs a package: pip install h5py") from None
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    try:
        file = h5py.File(path, "r")
        found = [value for key, value in file.items() if key.startswith("data") and isinstance(value, h5py.Dataset)]
    except (OSError, RuntimeError, KeyError) as problem:
        raise UserError(f"{path} is damaged or no HDF5 file ({one_line(problem)})") from problem
    found = [data for data in found if data.ndim == 4 and data.dtype == np.uint8]
    if not found:
        raise UserError(f"{path} has no pictures: datasets data..., [n, channels, height, width] of bytes")
    data = max(found, key=lambda data: data.shape[3])

    def image(number: int) -> np.ndarray:
        try:
            return data[number]
        except (OSError, RuntimeError) as problem:
            raise UserError(f"{path}, picture {number}: it cannot be read ({one_line(problem)})") from problem

    return Source(order_of(len(data), shuffle), len(data), image, hdf5_labels(path, len(data)))


def hdf5_labels(path: Path, count: int) -> np.ndarray | None:
    """The labels in NAME-labels.npy, where there are any."""
    from datasets import read_label_file

    names = (path.with_name(f"{path.stem}-labels.npy"), path.with_name(f"{path.name}-labels.npy"))
    found = next((name for name in names if name.is_file()), None)
    if found is None:
        return None
    labels = read_label_file(found)
    if len(labels) != count:
        raise UserError(f"{found} has {len(labels)} labels, but {path} {count} pictures")
    return labels
