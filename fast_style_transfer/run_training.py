"""A training from its flags to its files: batches in, checkpoints, previews, losses and the reference's lines out."""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

import data
from checkpoints import finish_save, save_checkpoint
from legacy import PART, Checkpoint, find_checkpoint, load_checkpoint
from losses import Losses, LossWeights
from networks import initial_weights
from optimizer import steps_done
from perceptual import load_network
from shared_scripts.cli import RunError, StopBetweenSteps, StoppedBetweenSteps, UserError
from shared_scripts.devices_tf import describe, pick_device, pick_precision
from shared_scripts.files import atomic_write, check_writable, ensure_folder
from shared_scripts.images import read_image
from shared_scripts.memory import keep_memory
from shared_scripts.progress import Progress, tell
from stylizer import Stylizer
from training import Guard, Trainer, learning_rate_at

NAME, RECORD = "fns.ckpt", "training.json"
LOG_STEPS = 10  # how often the losses are written down
# Two trainings with these flags the same are the same training: what a resumed run must share with the stopped one.
SAME_RUN = (
    "style", "train_path", "batch_size", "content_weight", "style_weight", "tv_weight", "learning_rate", "schedule",
    "resize", "shuffle", "seed", "vgg_path", "optimizer",
)  # fmt: skip


def train(flags: argparse.Namespace) -> None:
    """Do what `options.parse_style` returned. Raises UserError for what the user can put right."""
    style = read_image(flags.style)
    seed = (flags.seed if flags.seed is not None else random.getrandbits(31)) if flags.shuffle else None
    paths = data.training_files(flags.train_path)
    pictures = data.TrainingPictures(paths, flags.batch_size, flags.resize, seed)
    preview = read_image(flags.test) if flags.test else None
    check_outputs(flags)
    keep_memory()
    devices = pick_devices(flags.device)
    dtype = pick_precision(flags.precision, devices[0])
    network = load_network(flags.vgg_path)
    tell(flags.network_note or f"Loss network: {network.title}.")
    tell(f"Computing on {', '.join(describe(device, dtype) for device in devices)}.")
    start = starting_point(flags)
    print((1, *style.shape), flush=True)
    if len(paths) % flags.batch_size:
        print("Train set has been trimmed slightly..", flush=True)
    with tf.device(devices[0] if len(devices) == 1 else None):
        trainer = Trainer(
            network,
            style,
            flags.batch_size,
            loss_weights(flags),
            dtype,
            start.weights if start else None,
            devices,
            flags.optimizer,
        )
        TrainingRun(flags, trainer, pictures, preview).go(start if flags.resume else None)


def loss_weights(flags: argparse.Namespace) -> LossWeights:
    """The weights among the flags."""
    return LossWeights(flags.content_weight, flags.style_weight, flags.tv_weight)


def pick_devices(name: str) -> list[str]:
    """One device, or with `gpus` all GPUs."""
    if name != "gpus":
        return [pick_device(name)]
    count = len(tf.config.list_logical_devices("GPU"))
    return [f"/GPU:{i}" for i in range(count)] or ["/CPU:0"]


def check_outputs(flags: argparse.Namespace) -> None:
    """The folders are there and take files, before the long run."""
    ensure_folder(flags.checkpoint_dir)
    check_writable(flags.checkpoint_dir / RECORD)
    if flags.test_dir:
        ensure_folder(flags.test_dir)
        check_writable(flags.test_dir / "0_1.png")


def starting_point(flags: argparse.Namespace) -> Checkpoint | None:
    """The checkpoint to begin with: this training's on --resume, another style's, or none.

    A checkpoint of an earlier training that this one would replace is moved aside.
    """
    finish_save(flags.checkpoint_dir / NAME)
    if not flags.resume:
        start = load_checkpoint(flags.initial_checkpoint) if flags.initial_checkpoint else None
        keep_earlier(flags.checkpoint_dir)
        return start or (Checkpoint(initial_weights(flags.seed), None, Path()) if flags.seed is not None else None)
    start = load_checkpoint(flags.checkpoint_dir)
    if start.adam is None:
        raise UserError(
            f"{start.prefix} holds weights without the optimiser's state, so no training can go on from it exactly; "
            "begin a new one with them: --initial-checkpoint instead of --resume"
        )
    return start


def keep_earlier(folder: Path) -> None:
    """Rename an earlier training's files, fns.ckpt… -> fns-1.ckpt…: nothing anyone trained is overwritten."""
    parts = [path for path in folder.iterdir() if PART.sub("", path.name) == NAME] if folder.is_dir() else []
    if not parts:
        return
    number = 1
    while any(folder.glob(f"fns-{number}.*")):
        number += 1
    for path in [*parts, folder / RECORD, folder / "losses.csv"]:
        if path.exists():
            path.replace(path.with_name(f"fns-{number}.{path.name.removeprefix('fns.')}"))
    tell(f"The earlier training in {folder} is kept as fns-{number}.ckpt.")


class TrainingRun:
    """The loop, with everything it shows and saves on its way."""

    def __init__(self, flags, trainer: Trainer, pictures: data.TrainingPictures, preview: np.ndarray | None):
        self.flags, self.trainer, self.pictures, self.preview = flags, trainer, pictures, preview
        self.steps = flags.epochs * pictures.batches
        self.done, self.seconds, self.rollbacks = 0, 0.0, 0
        self.started = time.perf_counter()
        self.last = Losses(0.0, 0.0, 0.0)
        initial = flags.initial_checkpoint
        self.began_with = read_record(find_checkpoint(initial).parent / RECORD) if initial else {}

    @property
    def prefix(self) -> Path:
        """Where the checkpoint goes."""
        return self.flags.checkpoint_dir / NAME

    def go(self, start: Checkpoint | None) -> None:
        """Train to the end. Ctrl-C saves and stops; --resume goes on."""
        if start:
            self.resume(start)
        print(f"UID: {random.randint(1, 100)}", flush=True)
        batches = self.trainer.batches(self.pictures.dataset(self.done))
        folder = self.flags.checkpoint_dir
        guard = Guard(self.trainer)
        with (
            Progress(self.steps, self.done, folder, self.flags.tensorboard) as progress,
            StopBetweenSteps() as stop,
        ):
            try:
                while self.done < self.steps:
                    self.one_step(self.next_batch(batches), guard, progress)
                    if self.done < self.steps:
                        stop.check()
            except StoppedBetweenSteps:
                self.save()
                tell(f"Stopped after {self.done} of {self.steps} steps; saved in {folder}, and --resume goes on.")
                raise
        self.finish()

    def next_batch(self, batches):
        """The next batch; where no picture could be read at all, the first one's problem instead of TensorFlow's."""
        try:
            return next(batches)
        except tf.errors.OpError:
            if len(self.pictures.skipped) == len(self.pictures.paths):
                self.pictures.read(0)
            raise

    def one_step(self, batch, guard: Guard, progress: Progress) -> None:
        """Train on a batch; save and show where that is due."""
        rate = learning_rate_at(self.done, self.steps, self.flags.learning_rate, self.flags.schedule)
        losses = self.trainer.step(batch, rate)
        self.done += 1
        if not guard.check(losses):
            self.roll_back(guard, progress)
        progress.update(loss=losses.total)
        if self.done % LOG_STEPS == 0:
            progress.report(self.done, {"total": losses.total, **losses._asdict()})
        iteration = (self.done - 1) % self.pictures.batches + 1
        if iteration % self.flags.checkpoint_iterations == 0 or self.done == self.steps:
            self.checkpoint(batch, iteration, guard, progress)

    def roll_back(self, guard: Guard, progress: Progress) -> None:
        """The weights are the last good ones again; say so, and give up if that keeps happening."""
        self.rollbacks += 1
        progress.write(f"Step {self.done}: the loss is not finite; going back to the last good weights.")
        if guard.failures > Guard.LIMIT:
            self.save()
            raise RunError(
                f"the loss was not finite {guard.failures} times in a row; the last good weights are in "
                f"{self.flags.checkpoint_dir}. Go on with a smaller --learning-rate or --style-weight"
            )

    def checkpoint(self, batch, iteration: int, guard: Guard, progress: Progress) -> None:
        """What the reference does every --checkpoint-iterations: losses of the same batch, save, paint the test."""
        losses = self.trainer.evaluate(batch)
        if not np.isfinite(losses.total):
            self.trainer.load_state(guard.good)
            self.roll_back(guard, progress)
            losses = self.trainer.evaluate(batch)
        self.last = losses
        epoch = (self.done - 1) // self.pictures.batches
        progress.write(f"Epoch {epoch}, Iteration: {iteration}, Loss: {losses.total}")
        progress.write(f"style: {losses.style}, content:{losses.content}, tv: {losses.tv}")
        self.save()
        if self.preview is not None:
            painted = Stylizer(self.trainer.painted_weights(), "cpu", "float32")(self.preview[None])[0]
            data.save_image(self.flags.test_dir / f"{epoch}_{iteration}.png", painted)
            progress.image(self.done, "test", painted)

    def settings(self) -> dict:
        """What a resumed run must share with this one."""
        return {name: jsonable(getattr(self.flags, name)) for name in SAME_RUN}

    def save(self) -> None:
        """The checkpoint, and beside it a record of how it was made."""
        state = self.trainer.state()
        save_checkpoint(self.prefix, state, self.flags.single_file)
        record = {
            "command": self.flags.command,
            "steps": self.done,
            "beta2_power": float(state["beta2_power"]),
            "seconds": round(self.seconds + time.perf_counter() - self.started, 1),
            "losses": {"total": float(self.last.total), **{k: float(v) for k, v in self.last._asdict().items()}},
            "settings": {**self.settings(), "shuffle_seed": self.pictures.shuffle_seed},
            "loss_network": self.trainer.network.title,
            "precision": self.trainer.dtype.name,
            "pictures": len(self.pictures.paths),
            "skipped": sorted(path.name for path in self.pictures.skipped),
            "rollbacks": self.rollbacks,
        }
        if self.began_with:
            record["began_with"] = self.began_with
        with atomic_write(self.flags.checkpoint_dir / RECORD) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

    def resume(self, start: Checkpoint) -> None:
        """Take over weights, optimiser and position. The record may be missing: then Adam's state tells the step."""
        power = float(start.adam["beta2_power"])
        record = read_record(self.flags.checkpoint_dir / RECORD)
        if record.get("beta2_power") == power:
            saved = record["settings"]
            changed = [name for name, value in self.settings().items() if saved.get(name) != value]
            if changed:
                names = ", ".join("--" + name.replace("_", "-") for name in changed)
                raise UserError(
                    f"the training in {self.flags.checkpoint_dir} ran with another {names}; use the same to resume it, "
                    "or begin a new one from its weights with --initial-checkpoint"
                )
            self.done, self.seconds = record["steps"], record["seconds"]
            self.began_with = record.get("began_with", {})
            self.pictures.shuffle_seed = saved.get("shuffle_seed")
        else:
            self.done = steps_done(power)
        if self.done >= self.steps:
            raise UserError(
                f"the training in {self.flags.checkpoint_dir} has all its {self.done} steps behind it; "
                "give --epochs a larger number to go on"
            )
        self.trainer.load_state({**start.weights, **start.adam})
        tell(f"Going on after {self.done} of {self.steps} steps.")

    def finish(self) -> None:
        """The reference's last words."""
        skipped = self.pictures.skipped
        if skipped:
            names = ", ".join(path.name for path in list(skipped)[:5])
            tell(f"Warning: {len(skipped)} training pictures could not be read and were left out: {names}")
        print("Training complete. For evaluation:")
        print(f"    `python evaluate.py --checkpoint {self.flags.checkpoint_dir} ...`", flush=True)


def jsonable(value):
    """A flag's value as JSON keeps it."""
    return str(value) if isinstance(value, Path) else value


def read_record(path: Path) -> dict:
    """The record beside a checkpoint, empty where there is none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return record if {"steps", "beta2_power", "seconds", "settings"} <= set(record) else {}
    except (OSError, ValueError, TypeError):
        return {}
