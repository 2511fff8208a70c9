"""When a training does what, and how fast it learns: formulas of the step alone, so that nothing needs to be saved."""

from __future__ import annotations

from dataclasses import dataclass

OLD_MULTI_EVERY = 1000  # iterations; the 2017 version's own, no flag


@dataclass(frozen=True)
class Moment:
    """A step of a training. `counter` is what log, sample, save and n_critic count; `name` is in its files' names."""

    step: int  # 1-based, over the whole training
    counter: int
    name: str
    where: str  # in log lines
    decays: int  # how many times the learning rate has been lowered when this step is over
    decays_before: int


@dataclass(frozen=True)
class Iterations:
    """The current version's calendar: one counter for everything."""

    total: int
    decay: int  # how many iterations at the end have a falling rate
    every: int  # iterations between two changes of the rate
    label: str = "Iteration"

    def moment(self, step: int) -> Moment:
        """The step's place in it."""
        lowered = self.lowered(step), self.lowered(step - 1)
        return Moment(step, step, str(step), f"{self.label} [{step}/{self.total}]", *lowered)

    def lowered(self, step: int) -> int:
        """How many times the rate has been lowered after a step: at multiples of `every` in the last `decay` steps."""
        first = max(0, self.total - self.decay)
        return max(0, step // self.every - first // self.every)


@dataclass(frozen=True)
class Epochs:
    """The 2017 version's: passes over the data, and counters that begin anew with each."""

    epochs: int
    decay: int  # how many epochs at the end have a falling rate
    batches: int  # of an epoch

    @property
    def total(self) -> int:
        """All steps."""
        return self.epochs * self.batches

    def moment(self, step: int) -> Moment:
        """The step's place in it."""
        epoch, i = (step - 1) // self.batches + 1, (step - 1) % self.batches + 1
        where = f"Epoch [{epoch}/{self.epochs}], Iter [{i}/{self.batches}]"
        return Moment(step, i, f"{epoch}_{i}", where, self.lowered(step), self.lowered(step - 1))

    def lowered(self, step: int) -> int:
        """How many times the rate has been lowered after a step: when each of the last `decay` epochs ends."""
        return max(0, step // self.batches - max(0, self.epochs - self.decay))


def decayed(rate: float, by: float, times: int) -> float:
    """A learning rate lowered some times. One subtraction after the other: the last digits are printed."""
    for _ in range(times):
        rate -= by
    return max(0.0, rate)
