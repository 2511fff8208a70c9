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
from legacy import USUAL_NAME
from losses import Losses, LossWeights
from optimizer import steps_done
from perceptual import load_network
from shared_scripts.checkpoints_tf import save_checkpoint
from shared_scripts.cli import RunError, StopBetweenSteps, StoppedBetweenSteps, UserError
from shared_scripts.devices_tf import describe, explain_out_of_memory, pick_devices
from shared_scripts.files import atomic_write, check_writable
from shared_scripts.images import read_image
from shared_scripts.memory import keep_memory
from shared_scripts.progress import Progress, forget_rows_after, tell
from starting import (
    LOSSES,
    RECORD,
    Start,
    keep_earlier,
    settings,
    starting_point,
    training_pictures,
    training_precision,
)
from stylizer import Stylizer
from training import Guard, Trainer, learning_rate_at

LOG_STEPS = 10  # how often the losses are written down
ADVICE = "take a smaller --style picture or a smaller --batch-size"


def train(flags: argparse.Namespace) -> None:
    """Do what `options.parse_style` returned. Raises UserError for what the user can put right."""
    style = read_image(flags.style)
    preview = read_image(flags.test) if flags.test else None
    check_outputs(flags)
    start = starting_point(flags)
    pictures = training_pictures(flags, start.record)
    keep_memory()
    devices = pick_devices(flags.device)
    dtype = training_precision(flags, start.record, devices[0])
    with tf.device(devices[0] if len(devices) == 1 else None), explain_out_of_memory(ADVICE):
        network = load_network(flags.vgg_path)
        tell(flags.network_note or f"Loss network: {network.title}.")
        tell(f"Computing on {', '.join(describe(device, dtype) for device in devices)}.")
        print((1, *style.shape), flush=True)
        if len(pictures.paths) % flags.batch_size:
            print("Train set has been trimmed slightly..", flush=True)
        trainer = Trainer(
            network,
            style,
            flags.batch_size,
            loss_weights(flags),
            dtype,
            start.weights,
            devices,
            flags.optimizer,
        )
        TrainingRun(flags, trainer, pictures, preview, start).go()


def loss_weights(flags: argparse.Namespace) -> LossWeights:
    """The weights among the flags."""
    return LossWeights(flags.content_weight, flags.style_weight, flags.tv_weight)


def check_outputs(flags: argparse.Namespace) -> None:
    """The folders are there and take files, before the long run."""
    check_writable(flags.checkpoint_dir / RECORD)
    if flags.test_dir:
        check_writable(flags.test_dir / "0_1.png")


def write_losses(progress: Progress, epoch: int, iteration: int, losses: Losses) -> None:
    """The reference's two lines."""
    progress.write(f"Epoch {epoch}, Iteration: {iteration}, Loss: {losses.total}")
    progress.write(f"style: {losses.style}, content:{losses.content}, tv: {losses.tv}")


class TrainingRun:
    """The loop, with everything it shows and saves on its way."""

    def __init__(
        self,
        flags: argparse.Namespace,
        trainer: Trainer,
        pictures: data.TrainingPictures,
        preview: np.ndarray | None,
        start: Start,
    ):
        self.flags, self.trainer, self.pictures, self.preview, self.start = flags, trainer, pictures, preview, start
        self.steps = flags.epochs * pictures.batches
        self.done, self.seconds, self.rollbacks = 0, 0.0, 0
        self.started = time.perf_counter()
        self.last = Losses(0.0, 0.0, 0.0)

    @property
    def prefix(self) -> Path:
        """Where the checkpoint goes."""
        return self.flags.checkpoint_dir / USUAL_NAME

    def go(self) -> None:
        """Train to the end. Ctrl-C saves and stops; --resume goes on."""
        if self.flags.resume:
            self.resume()
        print(f"UID: {random.randint(1, 100)}", flush=True)
        batches = self.trainer.batches(self.pictures.dataset(self.done))
        folder = self.flags.checkpoint_dir
        guard = Guard(self.trainer)
        with (
            Progress(self.steps, self.done, folder, self.flags.tensorboard) as progress,
            StopBetweenSteps() as stop,
        ):
            if not self.flags.resume:
                keep_earlier(folder)  # not before all that can fail has been built
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
            progress.report(self.done, losses.named())
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
            guard.back()
            self.roll_back(guard, progress)
            losses = self.trainer.evaluate(batch)
        self.last = losses
        epoch = (self.done - 1) // self.pictures.batches
        write_losses(progress, epoch, iteration, losses)
        self.save()
        if self.preview is not None:
            self.show(self.flags.test_dir / f"{epoch}_{iteration}.png", progress)

    def show(self, path: Path, progress: Progress) -> None:
        """Paint the --test picture. That it is too large, or the disk full, must not end a training."""
        try:
            painted = Stylizer(self.trainer.network_weights(), "cpu", "float32")(self.preview[None])[0]
            data.save_image(path, painted)
            progress.image(self.done, "test", painted)
        except UserError as problem:
            tell(f"Warning: no test picture: {problem}")

    def save(self) -> None:
        """The checkpoint, and beside it a record of how it was made."""
        state = self.trainer.state()
        save_checkpoint(self.prefix, state, self.flags.single_file)
        record = {
            "command": self.flags.command,
            "steps": self.done,
            "beta2_power": float(state["beta2_power"]),
            "seconds": round(self.seconds + time.perf_counter() - self.started, 1),
            "losses": {name: float(value) for name, value in self.last.named().items()},
            "settings": {**settings(self.flags), "shuffle_seed": self.pictures.shuffle_seed},
            "loss_network": self.trainer.network.title,
            "precision": self.trainer.dtype.name,
            "pictures": len(self.pictures.paths),
            "skipped": sorted(path.name for path in self.pictures.skipped),
            "rollbacks": self.rollbacks,
        }
        began_with = self.start.record.get("began_with") if self.flags.resume else self.start.record
        if began_with:
            record["began_with"] = began_with
        with atomic_write(self.flags.checkpoint_dir / RECORD) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

    def resume(self) -> None:
        """Take over weights, optimiser and position.

        The record tells the step. Where it is missing, or of another moment (killed between the two files), the power
        of beta 2 does.
        """
        power = float(self.start.adam["beta2_power"])
        record = self.start.record
        self.done = record["steps"] if record.get("beta2_power") == power else steps_done(power)
        self.seconds = record.get("seconds", 0.0)
        if self.done >= self.steps:
            raise UserError(
                f"the training in {self.flags.checkpoint_dir} has all its {self.done} steps behind it; "
                "give --epochs a larger number to go on"
            )
        self.trainer.load_state({**self.start.weights, **self.start.adam})
        forget_rows_after(self.flags.checkpoint_dir / LOSSES, self.done)
        tell(f"Going on after {self.done} of {self.steps} steps.")

    def finish(self) -> None:
        """The reference's last words."""
        skipped = self.pictures.skipped
        if skipped:
            names = ", ".join(path.name for path in list(skipped)[:5])
            tell(f"Warning: {len(skipped)} training pictures could not be read and were left out: {names}")
        print("Training complete. For evaluation:")
        print(f"    `python evaluate.py --checkpoint {self.flags.checkpoint_dir} ...`", flush=True)
