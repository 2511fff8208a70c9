"""What dataset_tool.py's commands do, with their options as they were parsed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import celebahq
import dataset_sources as sources
from dataset_display import display as show
from datasets import Dataset, TFRecordDataset, open_dataset, report
from exporter import Exporter, check_free
from image_source import from_images
from parallel import in_order
from picture_files import METADATA
from shared_scripts.cli import UserError
from shared_scripts.files import atomic_write, ensure_folder
from shared_scripts.progress import Progress

BATCH_BYTES = 16 << 20  # of pictures read at once

# --- making data sets ---------------------------------------------------------------------------------------------


def export(
    options: argparse.Namespace, source: sources.Source, threads: int | None = 1, ahead: int | None = None
) -> int:
    """Write a source's pictures into a new data set; 1 where some had to be left out."""
    kept, problems = [], []

    def load(item) -> tuple[object, np.ndarray | UserError]:
        try:
            return item, source.image(item)
        except UserError as problem:
            if not source.skip:
                raise
            return item, problem

    with Exporter(options.tfrecord_dir) as exporter, Progress(source.count) as progress:
        for item, image in in_order(load, source.items, threads, ahead):
            progress.update()
            if isinstance(image, UserError):
                problems.append(str(image))
                continue
            exporter.add(image)
            kept.append(item)
            if exporter.count == source.most:
                break
        if source.labels is not None and options.export_labels:
            exporter.add_labels(source.labels[np.array(kept, np.int64)])
    report(problems, len(kept) + len(problems))
    print(f"Added {exporter.count} images to {options.tfrecord_dir}", flush=True)
    return 1 if problems else 0


def begin(options: argparse.Namespace, what: object) -> None:
    """Refuse what would overwrite something before anything is read."""
    check_free(options.tfrecord_dir)
    print(f"Loading {what}", flush=True)


def create_mnist(options: argparse.Namespace) -> int:
    begin(options, f"MNIST from {options.mnist_dir}")
    return export(options, sources.mnist(options.mnist_dir))


def create_mnistrgb(options: argparse.Namespace) -> int:
    begin(options, f"MNIST from {options.mnist_dir}")
    return export(options, sources.mnist_rgb(options.mnist_dir, options.num_images, options.random_seed))


def create_cifar10(options: argparse.Namespace) -> int:
    begin(options, f"CIFAR-10 from {options.cifar10_dir}")
    return export(options, sources.cifar10(options.cifar10_dir))


def create_cifar100(options: argparse.Namespace) -> int:
    begin(options, f"CIFAR-100 from {options.cifar100_dir}")
    return export(options, sources.cifar100(options.cifar100_dir))


def create_svhn(options: argparse.Namespace) -> int:
    begin(options, f"SVHN from {options.svhn_dir}")
    return export(options, sources.svhn(options.svhn_dir))


def create_lsun(options: argparse.Namespace) -> int:
    begin(options, f"LSUN from {options.lmdb_dir}")
    return export(options, sources.lsun(options.lmdb_dir, options.resolution, options.max_images), threads=None)


def create_celeba(options: argparse.Namespace) -> int:
    begin(options, f"CelebA from {options.celeba_dir}")
    return export(options, sources.celeba(options.celeba_dir, options.cx, options.cy), threads=None)


def create_celebahq(options: argparse.Namespace) -> int:
    begin(options, f"CelebA from {options.celeba_dir}, and CelebA-HQ's corrections from {options.delta_dir}")
    source, faces = celebahq.celebahq(options.celeba_dir, options.delta_dir)
    status = export(options, source, options.num_threads, options.num_tasks)
    faces.report()
    return status


def create_from_images(options: argparse.Namespace) -> int:
    begin(options, f"images from {options.image_dir}")
    source = from_images(
        options.image_dir, options.shuffle, options.resolution, options.fit, options.channels, options.labels,
        options.skip_bad,
    )  # fmt: skip
    return export(options, source, options.num_threads)


def create_from_hdf5(options: argparse.Namespace) -> int:
    begin(options, options.hdf5_filename)
    return export(options, sources.hdf5(options.hdf5_filename, options.shuffle))


# --- looking at data sets -----------------------------------------------------------------------------------------


def batches(dataset: Dataset, numbers: np.ndarray, level: int | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Some pictures' numbers, and the pictures, a few at a time."""
    level = level or dataset.levels
    size = max(1, BATCH_BYTES // (dataset.num_channels << 2 * level))
    for start in range(0, len(numbers), size):
        part = numbers[start : start + size]
        yield part, dataset.images(part, level)


def chosen(dataset: Dataset, options: argparse.Namespace) -> np.ndarray:
    """The numbers that --start, --stop and --step choose. UserError where that is none."""
    numbers = np.arange(len(dataset))[options.start : options.stop : options.step]
    if not len(numbers):
        raise UserError(f"{dataset.name} has {len(dataset)} pictures; --start and --stop leave none")
    return numbers


def display(options: argparse.Namespace) -> None:
    """Show pictures in a window."""
    dataset = open_dataset(options.tfrecord_dir, max_label_size="auto")
    show(dataset, iter(chosen(dataset, options).tolist()))


def inspect(options: argparse.Namespace) -> None:
    """Print what a data set holds."""
    dataset = open_dataset(options.tfrecord_dir, max_label_size="auto")
    kind = "grey" if dataset.num_channels == 1 else "RGB"
    print(f"{dataset.name}: {len(dataset)} {kind} pictures, label size {dataset.label_size}")
    for level in range(dataset.levels, 1, -1):
        line = f"{1 << level:>6d}x{1 << level:<6d}"
        if isinstance(dataset, TFRecordDataset):
            path = dataset.files[level].path
            line += f"{path.name:<32s} {path.stat().st_size:>14d} bytes"
        print(line.rstrip(), flush=True)
        if options.check:
            for _ in batches(dataset, np.arange(len(dataset)), level):
                pass
    if options.check:
        print("All pictures can be read.")


def extract(options: argparse.Namespace) -> None:
    """Write pictures as img00000000.png and so on; nothing that is there is replaced."""
    dataset = open_dataset(options.tfrecord_dir, max_label_size="auto")
    numbers = chosen(dataset, options)
    labelled = options.export_labels and dataset.label_size
    wanted = [file_of(options.output_dir, number) for number in numbers]
    taken = next((path for path in [*wanted, *[options.output_dir / METADATA] * bool(labelled)] if path.exists()), None)
    if taken:
        raise UserError(f"{taken} exists already; choose another folder, or go on with --start")
    ensure_folder(options.output_dir)
    print(f"Extracting images from {options.tfrecord_dir} to {options.output_dir}", flush=True)

    def write(job: tuple[int, np.ndarray]) -> None:
        pixels = job[1].transpose(1, 2, 0)
        with atomic_write(file_of(options.output_dir, job[0])) as temporary:
            Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(temporary)

    jobs = (job for part, images in batches(dataset, numbers) for job in zip(part.tolist(), images, strict=True))
    with Progress(len(numbers)) as progress:
        for _ in in_order(write, jobs):
            progress.update()
    if labelled:
        write_metadata(options.output_dir / METADATA, dataset, numbers)
    print(f"Extracted {len(numbers)} images.", flush=True)


def file_of(folder: Path, number: int) -> Path:
    """Where a picture is extracted to."""
    return folder / f"img{number:08d}.png"


def write_metadata(path: Path, dataset: Dataset, numbers: np.ndarray) -> None:
    """The labels in StyleGAN's format: the class's number where a label is one, otherwise the vector."""
    labels = dataset.labels[numbers]
    one_hot = bool((np.sort(labels, axis=1) == np.eye(labels.shape[1])[-1]).all())
    values = labels.argmax(1).tolist() if one_hot else labels.tolist()
    entries = [[file_of(path.parent, number).name, value] for number, value in zip(numbers, values, strict=True)]
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps({"labels": entries}), encoding="utf-8")


def compare(options: argparse.Namespace) -> int:
    """Print how many pictures and labels of two data sets are the same; 1 unless all are."""
    a, b = (open_dataset(path, max_label_size="auto") for path in (options.tfrecord_dir_a, options.tfrecord_dir_b))
    print(f"Comparing {options.tfrecord_dir_a} and {options.tfrecord_dir_b}", flush=True)
    for what in ("num_channels", "resolution"):
        if getattr(a, what) != getattr(b, what):
            print(f"The {what.replace('num_', 'number of ')} differs: {getattr(a, what)} and {getattr(b, what)}")
            return 1
    count = min(len(a), len(b))
    if len(a) != len(b):
        print(f"The number of images differs: {len(a)} and {len(b)}")
    numbers, same = np.arange(count), 0
    with Progress(count) as progress:
        for (part, first), (_, second) in zip(batches(a, numbers), batches(b, numbers), strict=True):
            same += int((first == second).all(axis=(1, 2, 3)).sum())
            for _ in part:
                progress.update()
    print(f"Identical images: {same} / {max(len(a), len(b))}")
    equal = same == len(a) == len(b)
    if not options.ignore_labels:
        matching = a.label_size == b.label_size
        labels = int((a.labels[:count] == b.labels[:count]).all(axis=1).sum()) if matching else 0
        print(f"Identical labels: {labels} / {max(len(a), len(b))}")
        equal = equal and labels == count
    return 0 if equal else 1
