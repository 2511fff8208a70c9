"""The learning rate of every epoch, as a formula: nothing to save, nothing to go wrong when a run is resumed."""

from __future__ import annotations

import math

from shared_scripts.cli import UserError

POLICIES = ("linear", "step", "plateau", "cosine")
ERAS = ("end_of_epoch", "start_of_epoch")


def rate_factor(
    epoch: int,
    policy: str,
    n_epochs: int,
    n_epochs_decay: int,
    decay_iters: int,
    epoch_count: int = 1,
    era: str = "end_of_epoch",
) -> float:
    """What the learning rate is multiplied with in `epoch` (counted from 1) of a run that began with `epoch_count`.

    linear: 1 for `n_epochs`, then down by equal steps over `n_epochs_decay`. step: a tenth every `decay_iters` epochs
    of this run. cosine: half a wave over the run's first `n_epochs`; then it rises again, as the reference's does.

    The reference changed twice where it sets the rate: after each epoch (2018 to mid-2020, and again since 2025; the
    default), or before it (`start_of_epoch`: everything happens one epoch sooner, and the last linear epoch learns
    nothing). The very first versions' linear decay (to September 2018) equals start_of_epoch.
    """
    sooner = 0 if era == "end_of_epoch" else 1
    done = epoch - epoch_count + sooner  # epochs of this run
    if policy == "linear":
        return 1 - max(0, epoch + sooner - n_epochs) / (n_epochs_decay + 1)
    if policy == "step":
        return 0.1 ** (done // decay_iters)
    if policy == "cosine":
        return (1 + math.cos(math.pi * done / n_epochs)) / 2
    raise UserError(f"there is no --lr_policy {policy!r}; choose from {', '.join(POLICIES)}")


class Plateau:
    """A fifth of the rate whenever a metric has not fallen by 1 % for more than 5 epochs, in steps of at least 1e-8.

    The reference feeds it the metric 0 at every epoch, so it divides by 5 every 6 epochs whatever happens.
    """

    factor, threshold, patience, least_step = 0.2, 0.01, 5, 1e-8

    def __init__(self, rate: float):
        self.rate, self.best, self.waiting = rate, math.inf, 0

    def step(self, metric: float) -> float:
        """An epoch is over; returns the new learning rate."""
        if metric < self.best * (1 - self.threshold):
            self.best, self.waiting = metric, 0
        else:
            self.waiting += 1
        if self.waiting > self.patience:
            self.waiting = 0
            if self.rate * (1 - self.factor) > self.least_step:
                self.rate *= self.factor
        return self.rate

    def state_dict(self) -> dict:
        """What a resumed run needs."""
        return dict(vars(self))

    def load_state_dict(self, state: dict) -> None:
        """Put back what `state_dict` gave."""
        vars(self).update(state)
