"""One iteration of the game: the discriminator's step, then two of the generator on the same noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from architecture import DISCRIMINATOR, GENERATOR, Architecture, initial_weights, is_trained
from losses import discriminator_losses, generator_loss
from networks import DECAY, Moments, discriminator, generator
from shared_scripts.adam_tf import Adam, make_variable

GENERATOR_STEPS = 2  # the original's: the discriminator's loss then does not run to zero


class Losses(NamedTuple):
    """What one iteration tells."""

    fake: float
    real: float
    generator: float

    @property
    def discriminator(self) -> float:
        """What the discriminator minimises."""
        return self.fake + self.real


class Trainer:
    """Both networks with their optimisers. `step(images, z, y)` plays one iteration.

    `exact_losses` computes the losses anew after the steps, as the original does for what it prints: three more passes
    through the networks, a quarter of the time. Else they are those that the steps were made with. `biased_variance`
    moves the generator's variances as TensorFlow up to 1.2 did.
    """

    def __init__(
        self,
        architecture: Architecture,
        weights: dict[str, np.ndarray] | None = None,
        learning_rate: float = 2e-4,
        beta1: float = 0.5,
        dtype: tf.DType = tf.float32,
        exact_losses: bool = False,
        biased_variance: bool = False,
    ):
        self.architecture, self.learning_rate, self.dtype = architecture, learning_rate, dtype
        self.exact_losses, self.biased_variance = exact_losses, biased_variance
        self.weights = {n: make_variable(v) for n, v in (weights or initial_weights(architecture)).items()}
        self.players = {scope: self.trained(scope) for scope in (DISCRIMINATOR, GENERATOR)}
        self.optimizers = {
            DISCRIMINATOR: Adam(self.players[DISCRIMINATOR], beta1),
            GENERATOR: Adam(self.players[GENERATOR], beta1, suffix="_1"),
        }
        self.compiled_step = tf.function(self.iteration, autograph=False)
        self.compiled_scores = tf.function(self.moving_scores, autograph=False)

    def trained(self, scope: str) -> dict[str, tf.Variable]:
        """One player's variables, without the moving statistics."""
        return {n: v for n, v in self.weights.items() if n.startswith(scope) and is_trained(n)}

    def step(self, images: np.ndarray, z: np.ndarray, y: np.ndarray | None = None) -> Losses:
        """Train on images (N, height, width, channels) and as many latent vectors (N, z_dim), labels (N, y_dim)."""
        return Losses(*self.compiled_step(images, z, y).numpy())

    def score(self, images: np.ndarray, z: np.ndarray, y: np.ndarray | None = None) -> Losses:
        """The losses of a batch. Nothing is changed but, with `exact_losses`, the generator's moving statistics: every
        pass of the original moves them, those for its sheets as well."""
        return Losses(*self.compiled_scores(images, z, y).numpy())

    # --- inside the compiled functions ---

    def iteration(self, images: tf.Tensor, z: tf.Tensor, y: tf.Tensor | None) -> tf.Tensor:
        """The step of `step` -> (3,) losses. The first of the generator's steps works on the pictures that the
        discriminator's has seen: the generator has not changed in between."""
        g, d = self.players[GENERATOR], self.players[DISCRIMINATOR]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(list(g.values()))
            fakes, moments = self.generate(z, y)
        fake_loss, real_loss = self.discriminator_step(images, tf.stop_gradient(fakes), y, d)
        times = 2  # that batch is seen by the discriminator's step and by the generator's first
        for number in range(GENERATOR_STEPS):
            if number:
                self.move(moments, times)
                times = 1
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch(list(g.values()))
                    fakes, moments = self.generate(z, y)
            loss, upstream = self.judge(fakes, y)
            gradients = tape.gradient(fakes, list(g.values()), output_gradients=upstream)
            self.update(GENERATOR, gradients)
        losses = tf.stack([fake_loss, real_loss, loss])
        if not self.exact_losses:
            # The original's three further passes move the averages twice more; this batch's moments are nearly theirs
            self.move(moments, times + 2)
            return losses
        self.move(moments, times)
        losses, moments = self.scores(images, z, y)
        self.move(moments, 2)
        return losses

    def generate(self, z: tf.Tensor, y: tf.Tensor | None) -> tuple[tf.Tensor, Moments]:
        """Pictures with the batch's statistics."""
        return generator(self.weights, self.architecture, z, y, True, self.dtype, self.biased_variance)

    def discriminate(self, images: tf.Tensor, y: tf.Tensor | None) -> tuple[tf.Tensor, Moments]:
        """The discriminator's logits."""
        return discriminator(self.weights, self.architecture, images, y, self.dtype)

    def discriminator_step(self, images: tf.Tensor, fakes: tf.Tensor, y, variables: dict) -> tuple:
        """Learn to tell them apart -> both losses before the step."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(list(variables.values()))
            real, real_moments = self.discriminate(images, y)
            fake, fake_moments = self.discriminate(fakes, y)
            real_loss, fake_loss = discriminator_losses(real, fake)
            total = real_loss + fake_loss
        self.update(DISCRIMINATOR, tape.gradient(total, list(variables.values())))
        self.move(real_moments)
        self.move(fake_moments)
        return fake_loss, real_loss

    def judge(self, fakes: tf.Tensor, y: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        """The generator's loss, and how each pixel would have to change: the same shape as `fakes`."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(fakes)
            loss = generator_loss(self.discriminate(fakes, y)[0])
        return loss, tape.gradient(loss, fakes)

    def update(self, scope: str, gradients: list[tf.Tensor]) -> None:
        """One step of a player's optimiser."""
        rate = tf.constant(self.learning_rate, tf.float32)
        self.optimizers[scope].apply(dict(zip(self.players[scope], gradients, strict=True)), rate)

    def move(self, moments: Moments, times: int = 1) -> None:
        """Move the moving statistics towards a batch's, as often as `times` passes with that batch would."""
        keep = DECAY**times
        for name, value in moments.items():
            self.weights[name].assign(keep * self.weights[name] + (1 - keep) * value)

    def scores(self, images: tf.Tensor, z: tf.Tensor, y: tf.Tensor | None) -> tuple[tf.Tensor, Moments]:
        """The losses with the networks as they are -> (3,) fake, real, generator, and the generator's moments."""
        fakes, moments = self.generate(z, y)
        fake = self.discriminate(fakes, y)[0]
        real_loss, fake_loss = discriminator_losses(self.discriminate(images, y)[0], fake)
        return tf.stack([fake_loss, real_loss, generator_loss(fake)]), moments

    def moving_scores(self, images: tf.Tensor, z: tf.Tensor, y: tf.Tensor | None) -> tf.Tensor:
        """`scores`, with the movement of `score`."""
        losses, moments = self.scores(images, z, y)
        if self.exact_losses:
            self.move(moments)
        return losses

    # --- the state ---

    def variables(self) -> dict[str, tf.Variable]:
        """All variables by the names they have in a checkpoint: the networks' and the optimisers'."""
        slots = {n: v for optimizer in self.optimizers.values() for n, v in optimizer.variables().items()}
        return {**self.weights, **slots}

    def state(self) -> dict[str, np.ndarray]:
        """What `variables` hold."""
        return {name: variable.numpy() for name, variable in self.variables().items()}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Take over what `state` returned; the networks alone will do."""
        for name, variable in self.variables().items():
            if name in state:
                variable.assign(state[name])
