"""Metrics of a run's snapshots, as the reference's table; `evaluate.py` reads the flags.

Random numbers are drawn in the reference's order, those of its warm-up included, so that its seed gives its numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

import metrics as measures
from datasets import Dataset
from inference import FastGenerator, at_once, batches
from legacy import build_best
from metrics import Metric
from metrics.inception import Inception
from pictures import mirror_randomly, random_latents, to_uint8
from results import kimg_of, list_snapshots, locate_run, locate_snapshot
from run_data import open_training_data
from run_log import Log, format_time
from settings import parse_config_txt
from shared_scripts.cli import UserError
from shared_scripts.devices import explain_out_of_memory, pick_device
from shared_scripts.files import resolve_path
from shared_scripts.memory import check_memory
from shared_scripts.progress import tell

WARM_UP = 10  # minibatches


def evaluate_metrics(
    run_id: int | str | Path,
    log: str,
    metrics: Sequence[str],
    num_images: int,
    real_passes: int,
    minibatch_size: int | None = None,
    result_dir: str | Path = "results",
    snapshot: int | str | None = None,
    data: str | Path | None = None,
    inception: str | Path | None = None,
    device: str = "auto",
    random_seed: int = 1000,
) -> Path:
    """Measure the real images and all of a run's snapshots, newest first; returns the table's file.

    run_id        see `results.locate_run`
    log           the file's name in the run's folder; what it held is replaced
    metrics       of 'swd', 'fid', 'is', 'msssim', in the order of the columns
    num_images    how many real ones, and how many to generate
    real_passes   1 measures the real images once, 2 the next `num_images` of them against these as well
    snapshot      only this one: kimg or 'final'
    data          the real images, where not those that config.txt names
    inception     the Inception network's weights, for FID and IS

    UserError where something is missing or does not fit; the old file is untouched then.
    """
    run = locate_run(result_dir, run_id)
    snapshots = [locate_snapshot(run, snapshot)] if snapshot not in (None, "") else newest_first(run)
    check_log_name(log)
    settings = run_settings(run)
    if data is not None:
        about = {"tfrecord_dir": str(resolve_path(data).absolute()), "resolution": build_best(snapshots[0]).resolution}
        settings["dataset"] |= about
    mirror = bool(settings["train"].get("mirror_augment") or settings["dataset"].get("mirror_augment"))
    path = run / log
    with Log() as kept:
        print(f"Logging output to {path}")
        dataset = open_training_data(settings)
        evaluation = Evaluation(dataset, mirror, metrics, num_images, minibatch_size, device, inception, random_seed)
        evaluation.check(snapshots[0])
        kept.open(path)
        evaluation.run(snapshots, real_passes)
    return path


def evaluate_network(
    network: str | Path,
    data: str | Path,
    metrics: Sequence[str],
    num_images: int,
    real_passes: int,
    log: str | Path | None = None,
    minibatch_size: int | None = None,
    inception: str | Path | None = None,
    device: str = "auto",
    random_seed: int = 1000,
) -> None:
    """The same table of one network file, against the images of `data`; in the file `log`, too, where one is named."""
    path = resolve_path(network)
    G = build_best(path)
    options = {"tfrecord_dir": str(resolve_path(data).absolute()), "resolution": G.resolution}
    options["max_label_size"] = G.label_size
    with Log() as kept:
        dataset = open_training_data({"dataset": options, "data_dir": "."})
        evaluation = Evaluation(dataset, False, metrics, num_images, minibatch_size, device, inception, random_seed)
        evaluation.check(path)
        if log:
            kept.open(resolve_path(log))
        evaluation.run([path], real_passes)


def check_log_name(log: str) -> None:
    """UserError where the table would go to another folder, or over another of the run's files."""
    if log != Path(log).name or not log.endswith(".txt") or log in ("config.txt", "log.txt") or log.startswith("_"):
        raise UserError(f"--log {log}: name a .txt file of the run's folder, such as metric-swd-16k.txt")


def newest_first(run: Path) -> list[Path]:
    """A run's snapshots; network-final, which is equal to the last one, only where there is no other."""
    found = list_snapshots(run, include_final=False)[::-1] or list_snapshots(run)
    if not found:
        raise UserError(f"there are no network-snapshot-*.pkl in {run}")
    return found


def run_settings(run: Path) -> dict:
    """What config.txt says of a run's data. UserError where it is missing."""
    path = run / "config.txt"
    if not path.is_file():
        raise UserError(f"there is no {path}, which would name the data; name the network and them: --network --data")
    found = parse_config_txt(path)
    return {
        "dataset": dict(found.get("dataset") or {}),
        "train": dict(found.get("train") or {}),
        "data_dir": found.get("data_dir") or "datasets",
    }


def title_of(path: Path) -> str:
    """What the table calls a network file: its kimg, or its name."""
    kimg = kimg_of(path)
    if kimg is not None:
        return str(kimg)
    return "final" if path.stem == "network-final" else path.stem


class Evaluation:
    """Metrics of real images and of networks that are to make such images."""

    def __init__(
        self,
        dataset: Dataset,
        mirror: bool,
        names: Sequence[str],
        num_images: int,
        minibatch_size: int | None = None,
        device: str = "auto",
        inception: str | Path | None = None,
        random_seed: int = 1000,
    ):
        self.dataset, self.mirror, self.num_images = dataset, mirror, num_images
        self.names = [measures.short_name(name) for name in names]
        if num_images < 2:
            raise UserError("--num_images must be at least 2")
        self.minibatch_size = minibatch_size or min(max(8192 // dataset.resolution, 4), 256)
        self.device = pick_device(device)
        self.rng = np.random.RandomState(random_seed % 2**32)
        self.rng.randint(1 << 31)  # the reference's seed of TensorFlow
        check_memory(4 * num_images * dataset.label_size, f"the labels of {num_images} images")
        self.labels = np.zeros((num_images, dataset.label_size), np.float32)
        self.position = 0  # in the data set: the second pass goes on where the first one ends
        network = lambda: Inception(inception, self.device)  # noqa: E731
        self.metrics = measures.create(self.names, dataset.resolution, self.rng, self.device, network)

    def check(self, path: Path) -> None:
        """UserError where a file's generator does not make such images as the data set's."""
        G = build_best(path)
        for what, own, real in (
            ("pictures of {0}x{0} pixels", G.resolution, self.dataset.resolution),
            ("{} channels", G.num_channels, self.dataset.num_channels),
            ("labels of {} numbers", G.label_size, self.dataset.label_size),
        ):
            if own != real:
                raise UserError(f"{path} has {what.format(own)}, the data set {self.dataset.name} {what.format(real)}")

    def run(self, snapshots: Sequence[Path], real_passes: int) -> None:
        """Print the table. UserError where the memory is too small."""
        with explain_out_of_memory("take a smaller --minibatch_size, or fewer images"):
            self.print_table(snapshots, real_passes)

    def print_table(self, snapshots: Sequence[Path], real_passes: int) -> None:
        """Warm up, the head, and a row for each set of images."""
        for name, metric in zip(self.names, self.metrics, strict=True):
            print(f"Initializing {measures.CLASSES[name]}...")
            self.warm_up(metric, name)
        if self.num_images > len(self.dataset):
            tell(f"Warning: there are only {len(self.dataset)} real images; some are used more than once.")
        titles = [title_of(path) for path in snapshots]
        self.first = max(10, *(len(title) + 2 for title in titles)) if titles else 10
        self.print_head()
        for title, mode in (("Reals", "reals"), ("Reals2", "fakes"))[:real_passes]:
            self.print_row(title, mode, self.real_images)
        for title, path in zip(titles, snapshots, strict=True):
            self.print_row(title, "fakes", lambda path=path: self.made_images(path))
        print()

    def warm_up(self, metric: Metric, name: str) -> None:
        """The reference feeds every metric with noise first. SWD alone draws random numbers on it; the others are
        spared the work."""
        shape = (self.minibatch_size, 3, self.dataset.resolution, self.dataset.resolution)
        metric.begin("warmup")
        for _ in range(WARM_UP):
            noise = self.rng.randint(0, 256, size=shape, dtype=np.uint8)
            if name == "swd":
                metric.feed("warmup", noise)
        if name == "swd":
            metric.end("warmup")

    # --- images ---------------------------------------------------------------------------------------------------

    def slices(self) -> Iterator[slice]:
        """The images' numbers, a minibatch at a time."""
        size = self.minibatch_size
        return (slice(k, min(k + size, self.num_images)) for k in range(0, self.num_images, size))

    def real_images(self) -> Iterator[np.ndarray]:
        """Minibatches (N, C, R, R) uint8 in the data set's order, mirrored if training did that; labels are noted."""
        for part in self.slices():
            numbers = (self.position + np.arange(part.stop - part.start)) % len(self.dataset)
            self.position += len(numbers)
            self.labels[part] = self.dataset.labels[numbers]
            images = self.dataset.images(numbers, self.dataset.levels)
            yield mirror_randomly(images, self.rng) if self.mirror else images

    def made_images(self, path: Path) -> Iterator[np.ndarray]:
        """The same of a network's images, with the real images' labels."""
        generator = FastGenerator(build_best(path), self.device)
        for part in self.slices():
            latents = random_latents(part.stop - part.start, generator.latent_size, self.rng)
            labels = self.labels[part] if self.labels.shape[1] else None
            some = batches(len(latents), at_once(self.dataset.resolution))
            yield np.concatenate([to_uint8(generator(latents[k], None if labels is None else labels[k])) for k in some])

    # --- the table ------------------------------------------------------------------------------------------------

    def print_head(self) -> None:
        """The columns' names, as wide as their numbers."""
        formats = [text for metric in self.metrics for text in metric.formats()]
        widths = [self.first, 12, *(len(text % 0) for text in formats)]
        names = ["Snapshot", "Time_eval", *(name for metric in self.metrics for name in metric.names())]
        print()
        for row in (names, ["---"] * len(names)):
            print("".join(f"{word:<{width}}" for word, width in zip(row, widths, strict=True)))

    def print_row(self, title: str, mode: str, images: Callable[[], Iterator[np.ndarray]]) -> None:
        """Measure a set of images; the line comes when all is known."""
        begin = time.monotonic()
        for metric in self.metrics:
            metric.begin(mode)
        with tqdm(total=self.num_images, desc=title, unit="images", disable=None, leave=False) as bar:
            for batch in images():
                batch = np.repeat(batch, 3, axis=1) if batch.shape[1] == 1 else batch
                for metric in self.metrics:
                    metric.feed(mode, batch)
                bar.update(len(batch))
            bar.set_description(f"{title}, comparing")
            values = [value for metric in self.metrics for value in metric.end(mode)]
        formats = [text for metric in self.metrics for text in metric.formats()]
        numbers = "".join(text % value for text, value in zip(formats, values, strict=True))
        print(f"{title:<{self.first}}{format_time(time.monotonic() - begin):<12}{numbers}", flush=True)
