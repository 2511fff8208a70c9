"""Training a transform net: the step, on one device or several, and the state it leaves."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from losses import Losses, LossWeights, perceptual_losses, style_targets, subtract_mean
from networks import initial_weights, transform_net, variable_shapes
from optimizer import OPTIMIZERS
from shared_scripts.adam_tf import make_variable
from shared_scripts.cli import UserError

INPUT_DIVISOR = 255.0  # the reference trains on 0..1, and paints from 0..255


class Trainer:
    """A transform net, its optimiser and its loss.

    `step(images, learning_rate)` trains on (batch, 256, 256, 3) uint8 and returns the losses before the change;
    `evaluate(images)` only returns them. With several `devices` each computes its share of the batch.
    """

    def __init__(
        self,
        network,
        style: np.ndarray,
        batch: int,
        weights: LossWeights | None = None,
        dtype: tf.DType = tf.float32,
        initial: dict[str, np.ndarray] | None = None,
        devices: list[str] | None = None,
        optimizer: str = "adam",
    ):
        self.network, self.batch, self.dtype = network, batch, dtype
        self.loss_weights = weights or LossWeights()
        self.strategy = make_strategy(devices, batch)
        self.share = batch // self.strategy.num_replicas_in_sync
        self.grams = {layer: tf.constant(gram) for layer, gram in style_targets(network, style[None]).items()}
        with self.strategy.scope():
            self.weights = {name: make_variable(value) for name, value in (initial or initial_weights()).items()}
            self.optimizer = OPTIMIZERS[optimizer](self.weights)
        self.compiled_step = tf.function(self.distributed_step, autograph=False)
        self.compiled_evaluation = tf.function(self.distributed_evaluation, autograph=False)

    # --- one step ---

    def losses(self, images: tf.Tensor) -> Losses:
        """The losses of this replica's share of a batch; those of all replicas add up to the batch's."""
        images = tf.ensure_shape(images, [self.share, None, None, 3])
        painted = transform_net(self.weights, images, self.dtype, INPUT_DIVISOR)
        return perceptual_losses(
            self.network,
            subtract_mean(painted),
            subtract_mean(images),
            self.grams,
            self.loss_weights,
            self.batch,
            self.dtype,
        )

    def replica_step(self, images: tf.Tensor, learning_rate: tf.Tensor) -> tf.Tensor:
        """Losses, gradients, their sum over the replicas, the optimiser's step."""
        variables = list(self.weights.values())
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            losses = self.losses(images)
            total = losses.total
        gradients = tape.gradient(total, variables)
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync > 1:
            gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        self.optimizer.apply(dict(zip(self.weights, gradients, strict=True)), learning_rate)
        return tf.stack(losses)

    def distributed_step(self, images, learning_rate: tf.Tensor) -> tf.Tensor:
        """A step on all devices -> (3,) style, content, tv."""
        parts = self.strategy.run(self.replica_step, args=(images, learning_rate))
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, parts, axis=None)

    def distributed_evaluation(self, images) -> tf.Tensor:
        """The losses on all devices -> (3,) style, content, tv."""
        parts = self.strategy.run(lambda images: tf.stack(self.losses(images)), args=(images,))
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, parts, axis=None)

    def step(self, images, learning_rate: float = 1e-3) -> Losses:
        """Train on one batch."""
        return Losses(*self.compiled_step(images, tf.constant(learning_rate, tf.float32)).numpy())

    def evaluate(self, images) -> Losses:
        """The losses of a batch with the weights as they are."""
        return Losses(*self.compiled_evaluation(images).numpy())

    def batches(self, dataset: tf.data.Dataset):
        """An iterator over the dataset that deals each batch out to the devices."""
        if self.strategy.num_replicas_in_sync > 1:
            options = tf.data.Options()
            options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
            dataset = self.strategy.experimental_distribute_dataset(dataset.with_options(options))
        return iter(dataset)

    # --- the state ---

    def state(self) -> dict[str, np.ndarray]:
        """All 146 tensors by their names: what a checkpoint holds."""
        return {name: variable.numpy() for name, variable in {**self.weights, **self.optimizer.variables()}.items()}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Take over what `state` returned."""
        for name, variable in {**self.weights, **self.optimizer.variables()}.items():
            variable.assign(state[name])

    def network_weights(self) -> dict[str, np.ndarray]:
        """The 48 weights alone."""
        return {name: self.weights[name].numpy() for name in variable_shapes()}


def make_strategy(devices: list[str] | None, batch: int) -> tf.distribute.Strategy:
    """Mirrored copies on several devices; nothing special on one."""
    if not devices or len(devices) == 1:
        return tf.distribute.get_strategy()
    if batch % len(devices):
        raise UserError(
            f"--batch-size {batch} cannot be dealt out evenly to {len(devices)} devices; take a multiple of them"
        )
    return tf.distribute.MirroredStrategy(devices)


def learning_rate_at(step: int, steps: int, start: float, schedule: str) -> float:
    """The rate of a step counted from 0: always `start`, or with `cosine` on its way to nothing at the last one."""
    return start if schedule == "constant" else start * (1 + math.cos(math.pi * step / steps)) / 2


class Guard:
    """Remembers weights that are known to be good, and goes back to them when the loss is no number any more.

    A step's loss judges the weights it began with. So what is remembered after a step counts as good only once the next
    step's loss is finite.
    """

    LIMIT, EVERY = 3, 50  # times in a row that it helps; steps between two memories

    def __init__(self, trainer: Trainer):
        self.trainer, self.failures = trainer, 0
        self.good, self.pending, self.since = trainer.state(), None, 0

    def check(self, losses: Losses) -> bool:
        """Call after every step; False where the weights had to be put back."""
        if not np.isfinite(losses.total):
            self.back()
            return False
        if self.pending is not None:
            self.good, self.pending, self.failures = self.pending, None, 0
        self.since += 1
        if self.since >= self.EVERY:
            self.pending, self.since = self.trainer.state(), 0
        return True

    def back(self) -> None:
        """Put the last good weights back. What was remembered since is not trusted any more."""
        self.failures += 1
        self.pending, self.since = None, 0
        self.trainer.load_state(self.good)
