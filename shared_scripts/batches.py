"""Batches of a data set, in an order that any run can enter anywhere.

Every item draws its random crop, flip and partner from a seed of its own, made of the run's seed, the epoch and the
item's number. So it does not matter how many processes read, in how many parts a run was done, or over how many
machines it is spread: the same batch holds the same pictures.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from torch.utils.data import DataLoader, default_collate

from shared_scripts.cli import UserError
from shared_scripts.distributed import Processes
from shared_scripts.processors import count_processors


class SeededItems(torch.utils.data.Dataset):
    """Items of `dataset` by (epoch, index), each with its own random numbers; (item, [what could not be read]).

    In place of a file that cannot be read comes the next one that can. Where none can, the UserError comes as the item:
    raised here, in a process that reads ahead, torch would put that process's traceback into its message.
    """

    def __init__(self, dataset, seed: int):
        self.dataset, self.seed = dataset, seed

    def __getitem__(self, place: tuple[int, int]) -> tuple[dict | UserError, list[str]]:
        epoch, index = place
        with own_random_numbers(mixed(self.seed, epoch, index)):
            try:
                return self.first_readable(index)
            except UserError as problem:
                return problem, []

    def first_readable(self, index: int) -> tuple[dict, list[str]]:
        """The item at `index`, or the first readable one after it. UserError where there is none."""
        problems: list[str] = []
        for i in range(len(self.dataset)):
            try:
                return self.dataset[(index + i) % len(self.dataset)], problems
            except UserError as problem:
                problems.append(str(problem))
        raise UserError(f"none of the {len(self.dataset)} pictures can be used: {problems[0]}")


def mixed(*numbers: int) -> int:
    """One seed made of several numbers, the same on every machine."""
    return int(np.random.SeedSequence([number % 2**64 for number in numbers]).generate_state(1, np.uint64)[0] >> 1)


class own_random_numbers:
    """While this is open, Python's and torch's generators run from `seed`; afterwards they go on as before."""

    def __init__(self, seed: int):
        self.seed = seed

    def __enter__(self) -> None:
        self.before = random.getstate(), torch.random.get_rng_state()
        random.seed(self.seed)
        torch.random.default_generator.manual_seed(self.seed)

    def __exit__(self, *exception) -> None:
        random.setstate(self.before[0])
        torch.random.set_rng_state(self.before[1])


class Order(torch.utils.data.Sampler):
    """Which items make the batches of an epoch, from batch `start` on; set `epoch` and `start` before iterating.

    With several processes, each takes its share of every batch; what is missing to full shares at an epoch's end is
    filled up from the epoch's beginning.
    """

    def __init__(self, length: int, batch: int, shuffle: bool, seed: int, processes: Processes):
        self.length, self.batch, self.shuffle, self.seed, self.processes = length, batch, shuffle, seed, processes
        self.epoch, self.start = 1, 0

    def numbers(self) -> list[int]:
        """The epoch's items in their order."""
        if not self.shuffle:
            order = list(range(self.length))
        else:
            generator = torch.Generator().manual_seed(mixed(self.seed, self.epoch))
            order = torch.randperm(self.length, generator=generator).tolist()
        missing = -self.length % self.processes.world
        return order + [order[i % self.length] for i in range(missing)]

    def __len__(self) -> int:
        return -(-self.length // (self.batch * self.processes.world))

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        numbers, whole = self.numbers(), self.batch * self.processes.world
        for first in range(self.start * whole, len(numbers), whole):
            part = numbers[first : first + whole]
            share = len(part) // self.processes.world
            mine = part[self.processes.rank * share : (self.processes.rank + 1) * share]
            yield [(self.epoch, number) for number in mine]


Check = Callable[[Sequence[dict]], None]  # UserError where items cannot make a batch


class Loader:
    """The batches of a data set, epoch by epoch; `problems` are the files that could not be read, each once.

    With several processes a batch is `batch_size` items for each. `check` looks at the items before they are stacked.
    """

    def __init__(
        self,
        dataset,
        batch_size: int,
        seed: int,
        processes: Processes | None = None,
        workers: int = 0,
        shuffle: bool = True,
        check: Check | None = None,
        pin_memory: bool = False,
    ):
        self.dataset, self.processes = dataset, processes or Processes()
        self.order = Order(len(dataset), batch_size, shuffle, seed, self.processes)
        self.problems: list[str] = []
        self.told = 0
        self.loader = DataLoader(
            SeededItems(dataset, seed),
            batch_sampler=self.order,
            num_workers=workers,
            collate_fn=partial(collate_or_problem, check=check),
            persistent_workers=workers > 0,
            pin_memory=pin_memory,
            worker_init_fn=leave_process_group,
            generator=torch.Generator(),  # it draws a number an epoch; the global generator is the training's
        )

    def __len__(self) -> int:
        """Batches an epoch."""
        return len(self.order)

    def epoch(self, number: int, start: int = 0) -> Iterator[dict]:
        """The batches of an epoch, from batch `start` on."""
        self.order.epoch, self.order.start = number, start
        for batch, problems in self.loader:
            if isinstance(batch, UserError):
                raise UserError(str(batch))  # not `batch`: it would keep this frame, and the readers, from being freed
            self.problems += [problem for problem in problems if problem not in self.problems]
            yield batch

    def new_problems(self) -> list[str]:
        """What could not be read since this was last asked."""
        new, self.told = self.problems[self.told :], len(self.problems)
        return new


def count_workers(wanted: int, items: int, processes: Processes) -> int:
    """How many processes read ahead: no more than there are cores for (torch warns of those), nor for a few files."""
    cores = count_processors()
    return min(wanted, max(1, cores // processes.local_world), max(1, items // 8))


def leave_process_group(worker: int) -> None:
    """In a process that reads ahead: Ctrl-C, which the terminal sends to the whole group, is the training's to answer.

    The training still needs the batches of the step it is in, and ends its readers itself.
    """
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
    else:  # Windows has no groups to leave
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def collate_or_problem(
    items: list[tuple[dict | UserError, list[str]]], check: Check | None = None
) -> tuple[dict | UserError, list[str]]:
    """One batch, or in its place the UserError why there is none."""
    try:
        for item, _ in items:
            if isinstance(item, UserError):
                raise item
        return collate(items, check)
    except UserError as problem:
        return problem, []


def collate(items: list[tuple[dict, list[str]]], check: Check | None = None) -> tuple[dict, list[str]]:
    """One batch of some items. UserError from `check` where they do not go together."""
    pictures = [item for item, _ in items]
    if check:
        check(pictures)
    return default_collate(pictures), [problem for _, problems in items for problem in problems]
