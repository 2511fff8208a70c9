"""Batches: the same pictures whoever reads them, from wherever a run enters, and over however many processes."""

from __future__ import annotations

import os
import random
import warnings

import numpy as np
import pytest
import torch

from shared_scripts.batches import Loader, Order, collate, count_workers, mixed
from shared_scripts.cli import UserError
from shared_scripts.distributed import Processes


class Numbers(torch.utils.data.Dataset):
    """Items that tell their index, and what they draw. Those in `bad` cannot be read."""

    def __init__(self, length: int, bad: tuple[int, ...] = ()):
        self.length, self.bad = length, bad

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict:
        if index in self.bad:
            raise UserError(f"{index}.png is damaged")
        drawn = torch.tensor([index, random.random(), torch.rand(1).item()])
        return {"A": drawn, "A_paths": f"{index}.png"}


class Sizes(Numbers):
    """Pictures as wide as their index says."""

    def __getitem__(self, index: int) -> dict:
        return {"A": torch.zeros(3, 4, 4 + index), "A_paths": f"{index}.png"}


def make(dataset, batch: int = 2, seed: int = 5, rank: int = 0, world: int = 1, workers: int = 0, serial: bool = False):
    return Loader(dataset, batch, seed, Processes(rank, world), workers, shuffle=not serial, check=one_size)


def one_size(pictures: list[dict]) -> None:
    if len({item["A"].shape for item in pictures}) > 1:
        raise UserError(f"{pictures[1]['A_paths']} has another size")


def drawn(loader: Loader, epoch: int = 1, start: int = 0) -> list[list]:
    """The batches of an epoch as lists."""
    return [batch["A"].tolist() for batch in loader.epoch(epoch, start)]


def items(batches: list[list]) -> list[int]:
    return [int(row[0]) for batch in batches for row in batch]


def test_an_epoch_is_every_item_once_in_an_order_of_its_own():
    loader = make(Numbers(7))
    first, second = drawn(loader, 1), drawn(loader, 2)
    assert [len(batch) for batch in first] == [2, 2, 2, 1] and len(loader) == 4
    assert sorted(items(first)) == sorted(items(second)) == list(range(7))
    assert items(first) != items(second) and items(first) != list(range(7))
    assert drawn(make(Numbers(7)), 2) == second
    assert items(drawn(make(Numbers(7), seed=6), 1)) != items(first)


def test_an_item_draws_other_numbers_in_every_epoch_and_every_item_its_own():
    loader = make(Numbers(7))
    numbers = [number for epoch in (1, 2) for batch in drawn(loader, epoch) for row in batch for number in row[1:]]
    assert len(set(numbers)) == 28


def test_an_epoch_can_be_entered_at_any_batch():
    loader, whole = make(Numbers(9)), drawn(make(Numbers(9)), 3)
    for start in range(6):
        assert drawn(loader, 3, start) == whole[start:]
    assert drawn(loader, 4) == drawn(make(Numbers(9)), 4)


def test_reading_ahead_gives_the_same_batches():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ahead = make(Numbers(9, bad=(4,)), workers=min(2, len(os.sched_getaffinity(0))))
        for epoch, start in ((1, 0), (2, 3), (3, 0)):
            plain = make(Numbers(9, bad=(4,)))
            assert drawn(ahead, epoch, start) == drawn(plain, epoch, start)
            assert "4.png is damaged" in plain.new_problems() or start
    assert ahead.new_problems() == ["4.png is damaged"]


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("length", [12, 13, 1])
def test_shares_are_the_batches_of_one_process(world, batch, length):
    """Where they do not come out even, the first items of the epoch fill up the last batch."""
    one = drawn(make(Numbers(length), batch * world))
    shares = [drawn(make(Numbers(length), batch, rank=rank, world=world)) for rank in range(world)]
    assert {len(share) for share in shares} == {len(one)}
    joined = [sum(parts, []) for parts in zip(*shares, strict=True)]
    missing = -length % world
    assert joined[:-1] == one[:-1]
    assert joined[-1] == one[-1] + (one[0] * world)[:missing]
    assert len({len(share[-1]) for share in shares}) == 1  # or the mean of their gradients would not be the batch's


def test_a_share_can_be_entered_at_any_batch():
    whole = drawn(make(Numbers(13), 2, rank=1, world=2))
    assert drawn(make(Numbers(13), 2, rank=1, world=2), 1, 2) == whole[2:]


def test_serial_batches_keep_the_order():
    assert items(drawn(make(Numbers(5), serial=True))) == [0, 1, 2, 3, 4]
    order = Order(5, 2, False, 0, Processes(1, 2))
    assert [[index for _, index in batch] for batch in order] == [[2, 3], [0]]


def test_global_random_numbers_are_untouched():
    random.seed(1), torch.manual_seed(1), np.random.seed(1)
    expected = random.random(), torch.rand(1).item(), np.random.rand()
    random.seed(1), torch.manual_seed(1), np.random.seed(1)
    for workers in (0, 1):
        loader = make(Numbers(5, bad=(1,)), workers=workers)
        drawn(loader, 1), drawn(loader, 2)
    assert (random.random(), torch.rand(1).item(), np.random.rand()) == expected


def test_what_an_item_draws_does_not_depend_on_what_was_drawn_before():
    plain = drawn(make(Numbers(3)))
    random.seed(9), torch.manual_seed(9)
    assert drawn(make(Numbers(3))) == plain


@pytest.mark.parametrize("workers", [0, 1])
def test_what_cannot_be_read_is_told_once_and_replaced_by_the_next(workers):
    loader = make(Numbers(4, bad=(1, 2)), batch=1, serial=True, workers=workers)
    assert items(drawn(loader)) == [0, 3, 3, 3]
    assert loader.new_problems() == ["1.png is damaged", "2.png is damaged"]
    drawn(loader, 2)
    assert loader.new_problems() == []


@pytest.mark.parametrize("workers", [0, 1])
def test_errors_are_one_line_also_from_a_process_that_reads_ahead(workers):
    none = error_of(make(Numbers(3, bad=(0, 1, 2)), serial=True, workers=workers))
    assert none == "none of the 3 pictures can be used: 0.png is damaged"
    sizes = error_of(make(Sizes(4), serial=True, workers=workers))
    assert sizes == "1.png has another size"


def error_of(loader: Loader) -> str:
    """Its words alone: pytest.raises would keep the readers alive, and torch wait seconds for them."""
    try:
        drawn(loader)
    except UserError as problem:
        return str(problem)
    raise AssertionError("no error")


def test_collating_keeps_paths_and_problems():
    batch, problems = collate([(Numbers(3)[0], []), (Numbers(3)[2], ["1.png is damaged"])])
    assert batch["A_paths"] == ["0.png", "2.png"] and batch["A"].shape == (2, 3)
    assert problems == ["1.png is damaged"]


def test_as_many_readers_as_help():
    """Torch warns of more than there are cores for, and a handful of pictures needs none of them."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert count_workers(0, 1000, Processes()) == 0
    assert count_workers(64, 10_000, Processes()) == min(64, cores)
    assert count_workers(4, 5, Processes()) == 1
    assert count_workers(64, 10_000, Processes(0, 8, 0, local_world=cores)) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(Numbers(4), workers=count_workers(64, 10_000, Processes()))


def test_seeds_are_mixed_the_same_everywhere():
    """As recorded: saved trainings count on it."""
    assert mixed(1, 2, 3) == 6498626229777268288
    assert len({mixed(a, b) for a in range(30) for b in range(30)}) == 900
    assert mixed(-1) != mixed(1)
