"""A training from its flags to its files: batches in, checkpoints, sheets of samples and the original's lines out."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

import latent
from architecture import Architecture, initial_weights, variable_shapes
from legacy import (
    NAME,
    OTHERS,
    Model,
    checkpoints_in,
    find_folder,
    find_named,
    load_model,
    model_folder,
    newest,
    step_of,
    tell_where,
    whole,
)
from networks import generator
from pictures import grid_pixels, save_picture, to_rgb
from shared_scripts.checkpoints_tf import PARTS, finish_save, save_checkpoint, save_v2
from shared_scripts.cli import RunError, StopBetweenSteps, StoppedBetweenSteps, UserError
from shared_scripts.devices_tf import describe, explain_out_of_memory, pick_device, pick_precision, tell_device
from shared_scripts.files import atomic_write, check_writable
from shared_scripts.memory import keep_memory
from shared_scripts.progress import Board, Progress, forget_rows_after, tell
from shared_scripts.tf1 import open_checkpoint
from sources import FolderSource, MnistSource
from training import Losses, Trainer
from training_state import MARK, Position, epoch_of, position_of

RHYTHM = 20  # iterations between sheets, and between checkpoints, in the fork
LOG_STEPS = 10  # iterations between rows of losses.csv


def train(flags: argparse.Namespace, source: FolderSource | MnistSource) -> None:
    """Train as the flags say. Raises UserError for what the user can put right."""
    folder = flags.checkpoint_dir if flags.own_folder else model_folder(
        flags.checkpoint_dir, flags.dataset, flags.batch_size, source.height, source.width
    )  # fmt: skip
    earlier = find_earlier(flags, source, folder)
    check_writable(folder / "checkpoint")
    check_writable(flags.sample_dir / "train.png")
    keep_memory()
    device = pick_device(flags.device)
    tell_device(flags.device, device)
    dtype = pick_precision(flags.precision, device)
    architecture = earlier.architecture if earlier else architecture_for(flags, source)
    tell(f"Computing on {describe(device, dtype)}.")
    with tf.device(device), explain_out_of_memory("take a smaller --batch_size, --gf_dim or --df_dim"):
        trainer = Trainer(
            architecture,
            first_weights(architecture, flags.seed, earlier),
            flags.learning_rate,
            flags.beta1,
            dtype,
            flags.exact_losses or flags.reference_exact,
            flags.biased_variance,
        )
        TrainingRun(flags, source, trainer, folder, earlier).go()


def architecture_for(flags: argparse.Namespace, source: FolderSource | MnistSource) -> Architecture:
    """The networks that the flags and the data ask for."""
    return Architecture(
        source.height, source.width, source.channels, flags.z_dim, source.y_dim, flags.gf_dim, flags.df_dim
    )


def first_weights(a: Architecture, seed: int | None, earlier: Model | None) -> dict[str, np.ndarray]:
    """An earlier training's variables, or new ones; the first versions of the original kept no moving statistics."""
    held = earlier.weights if earlier else {}
    return held if len(held) == len(variable_shapes(a)) else {**initial_weights(a, seed), **held}


# --- where it begins ----------------------------------------------------------------------------------------------


def find_earlier(flags: argparse.Namespace, source: FolderSource | MnistSource, folder: Path) -> Model | None:
    """The checkpoint to go on from: --checkpoint_name, or the newest of this data set and these sizes; None for a new
    training. UserError where it is of other networks than the data wants."""
    finish_saves(folder)
    sizes = (source.height, source.width)
    if flags.own_folder:
        found = folder if checkpoints_in(folder) else None
    else:
        found = find_folder(flags.checkpoint_dir, flags.dataset, flags.batch_size, sizes, any_size=False)
    if flags.checkpoint_name:
        prefix = find_named(flags.checkpoint_name, [found] if found else [])
    elif found:
        prefix = newest(found)
    else:
        return None
    model = load_model(prefix, [sizes])
    tell_where(prefix, flags.batch_size)
    check_model(model, source)
    return model


def finish_saves(folder: Path) -> None:
    """Put a folder in order in which a training was killed while it saved."""
    unfinished = {path.name.split(".pending")[0][1:] for path in folder.glob(".*.pending*")}
    for prefix in {*checkpoints_in(folder), *(folder / name for name in unfinished)}:
        finish_save(prefix)


def check_model(model: Model, source: FolderSource | MnistSource) -> None:
    """UserError where a checkpoint's networks do not fit the data, or are not both there."""
    a = model.architecture
    held, wanted = (a.height, a.width, a.channels), (source.height, source.width, source.channels)
    if held != wanted:
        raise UserError(
            f"{model.prefix} makes pictures of {held[0]}x{held[1]} with {held[2]} channels, the data set's are "
            f"{wanted[0]}x{wanted[1]} with {wanted[2]}; train in another --checkpoint_dir"
        )
    if a.y_dim != source.y_dim:
        kinds = ["without", "with"]
        raise UserError(
            f"{model.prefix} is a network {kinds[a.y_dim > 0]} labels, the data set comes {kinds[source.y_dim > 0]} "
            "labels; train in another --checkpoint_dir"
        )
    if not whole(model):
        raise UserError(f"{model.prefix} holds a generator alone: it makes pictures, but cannot be trained on")


# --- the loop -----------------------------------------------------------------------------------------------------


class TrainingRun:
    """The loop, with everything it shows and saves on its way.

    `counter` is the original's: it begins at 1 and has gone up by one before a sheet or a checkpoint is named after it
    (in its last version, with --out_dir, afterwards).
    """

    def __init__(
        self, flags, source: FolderSource | MnistSource, trainer: Trainer, folder: Path, earlier: Model | None
    ):
        self.flags, self.source, self.trainer, self.folder = flags, source, trainer, folder
        self.batches = source.size // flags.batch_size
        self.counter = 0 if flags.own_folder else 1
        self.epoch, self.position = 0, 0
        self.random = source.random(flags.seed)
        self.sample_z = self.draw()
        self.epoch_start = self.random.get_state()
        self.saved_at: int | None = None
        self.untidy: set[Path] = set()
        if earlier:
            self.resume(earlier)
        self.started = time.perf_counter()
        self.sample_images, self.sample_y = source.first(flags.batch_size)
        self.compiled_sample = tf.function(self.sample, autograph=False)

    def draw(self) -> np.ndarray:
        """Latent vectors for one batch, (batch, z_dim)."""
        return latent.draw(self.flags.z_dist, self.random, self.flags.batch_size, self.trainer.architecture.z_dim)

    def resume(self, model: Model) -> None:
        """Take over an earlier training: exactly, where its checkpoint has the optimisers and its position."""
        self.counter = self.saved_at = model.step
        self.trainer.load_state(model.others)
        position = position_of(model.others)
        if not any(name in self.trainer.variables() for name in model.others):
            tell(f"{model.prefix} has no optimiser's state: Adam begins anew.")
        self.tell_sizes()
        if position is None or (position.size, position.batch) != (self.source.size, self.flags.batch_size):
            self.epoch = epoch_of(model.others, self.flags.start_epoch)
            why = "ran with other data or another --batch_size" if position else "does not say where it was"
            tell(f"Going on from {model.prefix}, which {why}: at the beginning of epoch {self.epoch}.")
        else:
            self.epoch, self.position, self.sample_z = position.epoch, position.position, position.sample_z
            self.epoch_start = position.epoch_start
            self.random.set_state(position.random)
            tell(f"Going on from {model.prefix}: epoch {self.epoch}, batch {self.position} of {self.batches}.")
        if self.epoch >= self.flags.epoch:
            raise UserError(
                f"the training in {self.folder} has all its {self.epoch} epochs behind it; give --epoch a larger "
                "number to go on"
            )

    def tell_sizes(self) -> None:
        """Say where a checkpoint's networks are not those that the flags ask for: they stay as they are."""
        a = self.trainer.architecture
        asked = {name: getattr(self.flags, name) for name in ("z_dim", "gf_dim", "df_dim")}
        other = [
            f"--{name} {getattr(a, name)} (not {value})" for name, value in asked.items() if getattr(a, name) != value
        ]
        if other:
            tell(f"The networks stay those of the checkpoint: {', '.join(other)}.")

    def go(self) -> None:
        """Train to the end. Ctrl-C saves and stops; the same command goes on."""
        self.write_flags()
        if self.flags.checkpoint_name:
            keep_later(self.folder, self.counter)
        forget_rows_after(self.folder / "losses.csv", self.counter)
        total, done = self.flags.epoch * self.batches, self.epoch * self.batches + self.position
        board = Board(self.flags.log_dir) if self.flags.tensorboard or self.flags.G_img_sum else None
        with Progress(total, done, self.folder) as progress, StopBetweenSteps() as stop:
            progress.board = board
            try:
                while self.epoch < self.flags.epoch:
                    for images, labels in self.epoch_batches():
                        self.one_step(images, labels, progress)
                        stop.check()
                    self.epoch, self.position = self.epoch + 1, 0
                    self.epoch_start = self.random.get_state()
                self.save()
            except StoppedBetweenSteps:
                self.save()
                tell(f"Stopped; {self.folder / self.name()} has everything, and {self.command()} goes on.")
                raise
        tell(f"Done: {self.folder / self.name()}. Pictures: {self.command()} without --train.")

    def command(self) -> str:
        """How this training is found again: a folder's name that has the time in it would be another one."""
        own = self.flags.own_folder
        if own and not self.flags.out_name:
            return f"the same command with --out_name '{own.name}'"
        return "the same command" + (", without --checkpoint_name," if self.flags.checkpoint_name else "")

    def write_flags(self) -> None:
        """FLAGS.json, as the original's last version writes into its folder."""
        if not self.flags.own_folder:
            return
        values = {name: plain(getattr(self.flags, name)) for name in self.flags.names}
        with atomic_write(self.flags.own_folder / "FLAGS.json") as temporary:
            temporary.write_text(json.dumps(values, indent=4, sort_keys=True) + "\n", encoding="utf-8")

    def epoch_batches(self) -> Iterator[tuple]:
        """What is left of this epoch. Its order is drawn as it was when the epoch began."""
        now = self.random.get_state()
        self.random.set_state(self.epoch_start)
        order = self.source.epoch_order(self.random)
        if self.position:
            self.random.set_state(now)
        return self.source.batches(order, self.flags.batch_size, self.position)

    def one_step(self, images: np.ndarray, labels: np.ndarray | None, progress: Progress) -> None:
        """Train on a batch; show and save where that is due."""
        losses = self.trainer.step(images, self.draw(), labels)
        if not np.isfinite(losses).all():
            raise RunError(
                f"the losses are no numbers any more; what was saved is in {self.folder}. Go on with a smaller "
                "--learning_rate, or from an earlier --checkpoint_name"
            )
        self.counter += 1
        self.print_losses(losses, progress)
        number = self.position
        self.position += 1
        if self.due(self.flags.sample_freq):
            self.show(number, progress)
        if self.due(self.flags.ckpt_freq):
            self.save()

    def due(self, every: int | None) -> bool:
        """Whether this iteration is one of those: by default the fork's, whose numbers end in 1."""
        return self.counter % every == 0 if every else self.counter % RHYTHM == 1

    def print_losses(self, losses: Losses, progress: Progress) -> None:
        """The original's line, and a row of losses.csv now and then."""
        seconds = time.perf_counter() - self.started
        front = f"[{self.counter:8d}] " if self.flags.own_folder else ""
        progress.write(
            f"{front}Epoch: [{self.epoch:2d}/{self.flags.epoch:2d}] [{self.position:4d}/{self.batches:4d}] "
            f"time: {seconds:4.4f}, d_loss: {losses.discriminator:.8f}, g_loss: {losses.generator:.8f}"
        )
        progress.update(d_loss=losses.discriminator, g_loss=losses.generator)
        if self.counter % LOG_STEPS == 0:
            named = {"d_loss_real": losses.real, "d_loss_fake": losses.fake}
            progress.report(self.counter, {**named, "d_loss": losses.discriminator, "g_loss": losses.generator})

    # --- sheets and checkpoints ---

    def sample(self, z: tf.Tensor, y: tf.Tensor | None) -> tf.Tensor:
        """Pictures with the moving statistics."""
        return generator(self.trainer.weights, self.trainer.architecture, z, y, False, self.trainer.dtype)[0]

    def show(self, number: int, progress: Progress) -> None:
        """A sheet of samples, and how they score. That it cannot be written must not end a training."""
        pictures = self.compiled_sample(self.sample_z, self.sample_y).numpy()
        losses = self.trainer.score(self.sample_images, self.sample_z, self.sample_y)
        pixels = grid_pixels(pictures, self.trainer.architecture.conditional, self.flags.stretch)
        try:
            save_picture(self.flags.sample_dir / self.sheet_name(number), pixels)
        except UserError as problem:
            tell(f"Warning: no sheet of samples: {problem}")
        progress.image(self.counter, "G", to_rgb(pixels))
        progress.write(f"[Sample] d_loss: {losses.discriminator:.8f}, g_loss: {losses.generator:.8f}")

    def sheet_name(self, number: int) -> str:
        """What the versions of the original call a sheet; the fork puts the counter behind, but for MNIST."""
        if self.flags.own_folder:
            return f"train_{self.counter:08d}.png"
        iteration = "" if self.source.y_dim else f"_iter_{self.counter:08d}"
        return f"train_{self.epoch:02d}_{number:04d}{iteration}.png"

    def name(self) -> str:
        """What the checkpoint of this moment is called."""
        return f"model.b{self.flags.batch_size}-{self.counter}" if self.flags.own_folder else f"{NAME}-{self.counter}"

    def save(self) -> None:
        """The checkpoint with all that a resumed run needs. The one before keeps its weights alone, a third of it."""
        if self.saved_at == self.counter and (self.folder / f"{self.name()}.index").is_file():
            return
        before = [prefix for prefix in checkpoints_in(self.folder) if step_of(prefix) < self.counter]
        kept = before[-(self.flags.max_to_keep - 1) :] if self.flags.max_to_keep > 1 else []
        tensors = {**self.trainer.state(), **self.here().tensors()}
        save_checkpoint(self.folder / self.name(), tensors, older=[prefix.name for prefix in kept])
        self.saved_at = self.counter
        self.tidy(before, kept)

    def tidy(self, before: list[Path], kept: list[Path]) -> None:
        """Take from the last checkpoint what only the newest needs, and delete those that are not kept. One that is
        damaged stays as it is."""
        work = [*((slim, prefix) for prefix in kept[-1:]), *((remove, p) for p in before if p not in kept)]
        for change, prefix in work:
            try:
                change(prefix)
            except UserError as problem:
                if prefix not in self.untidy:
                    tell(f"Warning: {problem}; it is left as it is")
                self.untidy.add(prefix)

    def here(self) -> Position:
        """Where the training stands. Behind an epoch's last batch that is the next one's beginning."""
        now, size, batch = self.random.get_state(), self.source.size, self.flags.batch_size
        if self.position == self.batches:
            return Position(self.epoch + 1, 0, size, batch, now, now, self.sample_z)
        return Position(self.epoch, self.position, size, batch, self.epoch_start, now, self.sample_z)


def keep_later(folder: Path, step: int) -> None:
    """Put the checkpoints after a step, and the losses, into a folder of their own: who goes back to train another way
    would overwrite them."""
    later = [prefix for prefix in checkpoints_in(folder) if step_of(prefix) > step]
    if not later:
        return
    number = 1
    while (aside := folder / f"later{number}").exists():
        number += 1
    aside.mkdir()
    for prefix in later:
        for part in ("", ".meta", *PARTS):
            if (file := prefix.with_name(prefix.name + part)).is_file():
                file.rename(aside / file.name)
    if (losses := folder / "losses.csv").is_file():
        shutil.copy(losses, aside)
    tell(f"What was trained after {step} is kept in {aside}: {', '.join(prefix.name for prefix in later[-3:])}.")


def plain(value):
    """A flag's value as JSON has it; paths, fractions and infinity as text."""
    is_number = isinstance(value, float) and np.isfinite(value)
    return value if is_number or isinstance(value, int | list | None) else str(value)


def slim(prefix: Path) -> None:
    """Write a checkpoint anew with the networks alone and the mark that it is ours, if it is one of ours."""
    with open_checkpoint(prefix) as reader:
        if MARK not in reader.shapes:
            return
        kept = {name: reader.tensor(name) for name in reader.shapes if name == MARK or not OTHERS.search(name)}
    save_v2(prefix, kept)


def remove(prefix: Path) -> None:
    """Delete a checkpoint that newer ones have superseded, if it is one of ours: an original's stays."""
    with open_checkpoint(prefix) as reader:
        if MARK not in reader.shapes:
            return
    for part in reversed(PARTS):
        prefix.with_name(prefix.name + part).unlink(missing_ok=True)
