"""`--model gan|dcgan`: a fully connected GAN and a convolutional one on MNIST, trained alike to be set side by side.

One discriminator step, then one generator step on fresh noise (the course assignment CS231n's loop, not DCGAN's of two
generator steps). Every random number is drawn from the seed and its place (the epoch, the iteration), so a run that was
stopped and goes on equals one that was not.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf

from comparison_networks import NOISE, discriminator, generator, initial_weights, trained, variable_shapes
from losses import discriminator_losses, generator_loss
from mnist import load_mnist
from pictures import save_grid
from shared_scripts.adam_tf import Adam, make_variable
from shared_scripts.checkpoints_tf import finish_save, save_checkpoint
from shared_scripts.cli import RunError, StopBetweenSteps, StoppedBetweenSteps, UserError
from shared_scripts.devices_tf import pick_device
from shared_scripts.progress import Progress, tell
from shared_scripts.tf1 import check_finite, check_network, index_of, open_checkpoint

EPOCHS, BATCH, LEARNING_RATE = 10, 128, 1e-3  # where the flags say nothing
SHOW_EVERY = 250
SHEET = (4, 4)
WEIGHTS, ORDER, D_NOISE, G_NOISE, SHEET_NOISE = range(5)  # what random numbers are for


# --- losses ---


def bce_losses(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """The discriminator's, of logits: "real" should be called 1 and "fake" 0 (mean binary cross entropy of each)."""
    return tf.add(*discriminator_losses(real, fake))


def lsgan_losses(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """The same by squared distances (Mao et al. 2017)."""
    return 0.5 * tf.reduce_mean(tf.square(real - 1)) + 0.5 * tf.reduce_mean(tf.square(fake))


def lsgan_generator(fake: tf.Tensor) -> tf.Tensor:
    """The generator's by squared distance."""
    return 0.5 * tf.reduce_mean(tf.square(fake - 1))


LOSSES = {"bce": (bce_losses, generator_loss), "lsgan": (lsgan_losses, lsgan_generator)}


# --- one step ---


class TorchAdam(Adam):
    """Adam with PyTorch's epsilon, which is added after the second moment's bias correction, not before.

    In the first steps TensorFlow's is thirty times as large for that, and some gradients here are as small.
    """

    def apply(self, gradients: dict[str, tf.Tensor], learning_rate: tf.Tensor) -> None:
        """One step, within a tf.function."""
        _, power2 = self.powers.values()
        epsilon = self.epsilon
        try:
            self.epsilon = epsilon * tf.sqrt(1 - power2)
            super().apply(gradients, learning_rate)
        finally:
            self.epsilon = epsilon


class Trainer:
    """A pair of networks with an Adam each.

    `step(images, d_noise, g_noise, learning_rate)` takes (N, 28, 28, 1) in [-1, 1] and two (N, 96), and returns both
    losses as they were before the respective change. `sample(z)` makes pictures by the moving averages.
    """

    def __init__(self, model: str, weights: dict[str, np.ndarray], beta1: float = 0.5, loss: str = "bce"):
        self.model, self.losses = model, LOSSES[loss]
        self.weights = {name: make_variable(value) for name, value in weights.items()}
        self.nets = {net: trained(self.weights, net) for net in ("discriminator", "generator")}
        suffixes = {"discriminator": "", "generator": "_1"}
        self.optimizers = {net: TorchAdam(self.nets[net], beta1, suffix=suffixes[net]) for net in self.nets}
        self.compiled_step = tf.function(self.train_step, autograph=False)
        self.compiled_sample = tf.function(lambda z: generator(model, self.weights, z, False), autograph=False)

    def train_step(self, images: tf.Tensor, d_noise: tf.Tensor, g_noise: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        """Both updates -> (2,) losses."""
        d_loss, g_loss = self.losses
        made = generator(self.model, self.weights, d_noise, True)

        def judge() -> tf.Tensor:  # real and made in one batch: nothing in these discriminators mixes pictures
            logits = discriminator(self.model, self.weights, tf.concat([images, made], 0))
            return d_loss(*tf.split(logits, 2))

        def deceive() -> tf.Tensor:
            made = generator(self.model, self.weights, g_noise, True)
            return g_loss(discriminator(self.model, self.weights, made))

        return tf.stack([self.update("discriminator", judge, rate), self.update("generator", deceive, rate)])

    def update(self, net: str, loss_of, rate: tf.Tensor) -> tf.Tensor:
        """One step of Adam for one network down `loss_of()`, which is returned."""
        variables = list(self.nets[net].values())
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            loss = loss_of()
        gradients = tape.gradient(loss, variables)
        self.optimizers[net].apply(dict(zip(self.nets[net], gradients, strict=True)), rate)
        return loss

    def step(self, images, d_noise, g_noise, learning_rate: float = LEARNING_RATE) -> tuple[float, float]:
        """Train on one batch."""
        values = (tf.constant(value, tf.float32) for value in (images, d_noise, g_noise, learning_rate))
        d_loss, g_loss = self.compiled_step(*values).numpy().tolist()
        return d_loss, g_loss

    def sample(self, z: np.ndarray) -> np.ndarray:
        """Noise (N, 96) -> pictures (N, 28, 28, 1) in [-1, 1]."""
        return self.compiled_sample(tf.constant(z, tf.float32)).numpy()

    def variables(self) -> dict[str, tf.Variable]:
        """All that a resumed run needs, by name."""
        adams = (adam.variables() for adam in self.optimizers.values())
        return self.weights | {name: value for adam in adams for name, value in adam.items()}


# --- the state on disk ---


def checkpoint_prefix(checkpoint_dir: str | Path, model: str) -> Path:
    """Where the state of a model's training lies."""
    return Path(checkpoint_dir) / f"{model}_mnist" / f"{model}.model"


def read_tensors(prefix: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The tensors of these names. UserError where the file is damaged or another network's."""
    with open_checkpoint(prefix) as reader:
        check_network(prefix, reader.shapes, shapes)
        tensors = {name: reader.tensor(name) for name in shapes}
    check_finite(prefix, tensors)
    return tensors


def load_weights(checkpoint_dir: str | Path, model: str) -> dict[str, np.ndarray]:
    """The weights of a trained pair. UserError where there is none."""
    prefix = checkpoint_prefix(checkpoint_dir, model)
    finish_save(prefix)
    if not index_of(prefix).is_file():
        raise UserError(f"there is no {prefix} to sample from; train it first with: --model {model} --train")
    return read_tensors(prefix, variable_shapes(model))


def noise(count: int, seed: int, purpose: int, number: int = 0) -> np.ndarray:
    """(count, 96) of N(0, 1): always the same for the same seed, purpose and number (of the iteration)."""
    return generator_for(seed, purpose, number).standard_normal((count, NOISE), np.float32)


def generator_for(seed: int, purpose: int, number: int = 0) -> np.random.Generator:
    """The random numbers of one purpose and iteration (or epoch)."""
    return np.random.default_rng([seed % 2**32, purpose, number])


# --- the run ---


class ComparisonRun:
    """The loop with what it prints, shows and saves."""

    def __init__(self, flags: argparse.Namespace, images: np.ndarray):
        self.flags, self.images = flags, images
        self.batch = BATCH if flags.batch_size is None else flags.batch_size
        self.rate = LEARNING_RATE if flags.learning_rate is None else flags.learning_rate
        self.per_epoch = len(images) // self.batch
        if not self.per_epoch:
            raise UserError(f"{len(images)} pictures are fewer than --batch_size {self.batch}; take a smaller one")
        self.steps = self.per_epoch * (EPOCHS if flags.epoch is None else flags.epoch)
        self.prefix = checkpoint_prefix(flags.checkpoint_dir, flags.model)
        self.done, self.order = 0, np.empty(0, int)
        finish_save(self.prefix)
        earlier = self.read_earlier() if index_of(self.prefix).is_file() else {}
        self.seed = int(earlier.get("training/seed", choose_seed(flags)))
        self.trainer = Trainer(
            flags.model, initial_weights(flags.model, generator_for(self.seed, WEIGHTS)), flags.beta1, flags.loss
        )
        if earlier:
            self.resume(earlier)

    def settings(self) -> dict[str, int]:
        """What must not change when a training goes on, or it would be neither the one nor the other."""
        loss = list(LOSSES).index(self.flags.loss)
        settings = {"batch_size": self.batch, "pictures": len(self.images), "loss": loss}
        return settings if self.flags.seed is None else settings | {"seed": self.flags.seed}

    def read_earlier(self) -> dict[str, np.ndarray]:
        """The numbers of the training whose state is there already. UserError where it was another."""
        names = {f"training/{name}": () for name in ("step", "seed", "batch_size", "pictures", "loss")}
        earlier = read_tensors(self.prefix, names)
        for name, now in self.settings().items():
            if (then := int(earlier[f"training/{name}"])) != now:
                if name == "loss":
                    then, now = list(LOSSES)[then], list(LOSSES)[now]
                raise UserError(
                    f"the training in {self.prefix.parent} has {name} {then}, not {now}; go on with the same, or "
                    "choose another --checkpoint_dir"
                )
        return earlier

    def resume(self, earlier: dict[str, np.ndarray]) -> None:
        """Take over weights, both Adams and the position."""
        variables = self.trainer.variables()
        tensors = read_tensors(self.prefix, {name: tuple(value.shape) for name, value in variables.items()})
        for name, variable in variables.items():
            variable.assign(tensors[name])
        self.done = int(earlier["training/step"])
        if self.done < self.steps:
            tell(f"Going on after {self.done} of {self.steps} iterations, with what is in {self.prefix.parent}.")

    def go(self) -> None:
        """Train to the end. Ctrl-C saves and stops; the same command goes on."""
        if self.done >= self.steps:
            tell(
                f"The training in {self.prefix.parent} has all its {self.done} iterations behind it. To go on give "
                "--epoch a larger number, to begin anew another --checkpoint_dir."
            )
            return self.show(self.done - 1)
        with Progress(self.steps, self.done, self.prefix.parent) as progress, StopBetweenSteps() as stop:
            try:
                while self.done < self.steps:
                    self.one_step(progress)
                    if self.done < self.steps:
                        stop.check()
            except StoppedBetweenSteps:
                self.save()
                tell(f"Stopped after {self.done} of {self.steps} iterations; saved. The same command goes on.")
                raise

    def next_batch(self) -> np.ndarray:
        """The pictures of this iteration, (N, 28, 28, 1) in [-1, 1]; every epoch has an order of its own."""
        epoch, number = divmod(self.done, self.per_epoch)
        if number == 0 or not len(self.order):
            self.order = generator_for(self.seed, ORDER, epoch).permutation(len(self.images))
        chosen = self.order[number * self.batch :][: self.batch]
        return 2 * self.images[chosen] - 1

    def one_step(self, progress: Progress) -> None:
        """Train on a batch; print, show and save where that is due."""
        iteration = self.done
        d_noise, g_noise = (noise(self.batch, self.seed, purpose, iteration) for purpose in (D_NOISE, G_NOISE))
        d_loss, g_loss = self.trainer.step(self.next_batch(), d_noise, g_noise, self.rate)
        if not np.isfinite([d_loss, g_loss]).all():
            raise RunError(
                f"the losses of iteration {iteration} are not finite; {self.prefix.parent} has the last good state. "
                "Take a smaller --learning_rate"
            )
        self.done += 1
        progress.update(D=d_loss, G=g_loss)
        if iteration % SHOW_EVERY == 0 or self.done == self.steps:
            progress.write(f"Iter: {iteration}, D: {d_loss:.4}, G:{g_loss:.4}")
            self.show(iteration)
            self.save()
            progress.report(iteration, {"D": d_loss, "G": g_loss})

    def show(self, iteration: int) -> None:
        """16 pictures of always the same noise. A full disk must not end a training here: saving will tell."""
        path = Path(self.flags.sample_dir) / f"{self.flags.model}_{iteration:05d}.png"
        try:
            write_sheet(path, self.trainer.sample(sheet_noise(self.seed)))
        except UserError as problem:
            tell(f"Warning: no samples: {problem}")

    def save(self) -> None:
        """Weights, both Adams, and the numbers a resumed run needs."""
        state = {name: variable.numpy() for name, variable in self.trainer.variables().items()}
        numbers = {**self.settings(), "seed": self.seed, "step": self.done}
        state |= {f"training/{name}": np.int64(value) for name, value in numbers.items()}
        save_checkpoint(self.prefix, state)


def choose_seed(flags: argparse.Namespace) -> int:
    """--seed, or one that is drawn."""
    return flags.seed if flags.seed is not None else int(np.random.default_rng().integers(2**31))


def sheet_noise(seed: int) -> np.ndarray:
    """(16, 96): what the sheets of a run are made of."""
    return noise(SHEET[0] * SHEET[1], seed, SHEET_NOISE)


def write_sheet(path: Path, images: np.ndarray) -> None:
    """(16, 28, 28, 1) in [-1, 1] as one grey picture of 4 x 4."""
    save_grid(path, images, size=SHEET)


def sample_comparison(flags: argparse.Namespace) -> None:
    """A sheet of new samples from the saved weights: `{model}_samples.png`."""
    trainer = Trainer(flags.model, load_weights(flags.checkpoint_dir, flags.model))
    path = Path(flags.sample_dir) / f"{flags.model}_samples.png"
    write_sheet(path, trainer.sample(sheet_noise(choose_seed(flags))))
    tell(f"Wrote {path}.")


def train_comparison(flags: argparse.Namespace) -> None:
    """Do what `--model gan|dcgan` asks: train with --train, else sample. UserError for what the user can put right.

    Reads of the flags: model, dataset, data_dir, train, train_size, epoch, batch_size, learning_rate (None: 10, 128,
    1e-3), beta1, loss ("bce" or "lsgan"), seed, device, sample_dir and checkpoint_dir.
    """
    if flags.dataset != "mnist":
        raise UserError(f"--model {flags.model} is for --dataset mnist; for {flags.dataset} leave --model away")
    with tf.device(pick_device(flags.device)):
        if not flags.train:
            sample_comparison(flags)
            return
        images, _ = load_mnist(Path(flags.data_dir) / "mnist")
        count = int(min(len(images), flags.train_size))
        ComparisonRun(flags, np.asarray(images[:count], np.float32)).go()
