"""Several processes: their number, what they tell each other, and networks spread over them."""

from __future__ import annotations

import os
import socket

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
from torch import nn

from shared_scripts import distributed
from shared_scripts.cli import UserError
from shared_scripts.distributed import Processes

NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@pytest.fixture(autouse=True)
def not_under_torchrun(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_one_process_is_the_first_and_asks_nobody():
    one = distributed.start()
    assert one == Processes(0, 1, 0, 1) and one.first
    assert one.anyone(True) and not one.anyone(False)
    assert one.mean([1.0, 2.0]) == [1.0, 2.0] and one.mean({"a": 3.0}.values()) == [3.0]
    assert one.from_first("x") == "x" and one.gather([1]) == [[1]]
    distributed.stop()
    network = nn.Linear(2, 2)
    assert distributed.spread(network, torch.device("cpu"), []) is network
    assert distributed.spread(network, torch.device("cpu"), [0, 1]) is network
    assert distributed.bare(network) is network
    assert distributed.bare(nn.DataParallel(network)) is network


def test_torchruns_numbers_are_read(monkeypatch):
    for name, value in zip(NAMES, ("0", "1", "0", "1"), strict=False):
        monkeypatch.setenv(name, value)
    assert distributed.start() == Processes()
    assert not dist.is_initialized()
    monkeypatch.setenv("RANK", "first")
    with pytest.raises(UserError, match="torchrun"):
        distributed.start()


def work(rank: int, port: int, place: str) -> None:
    """One of two processes; what it saw goes to a file."""
    values = (str(rank), "2", str(rank), "2", "127.0.0.1", str(port))
    os.environ.update(dict(zip(NAMES, values, strict=True)))
    us = distributed.start(on_cuda=False)
    seen = {
        "first": us.first,
        "local_world": us.local_world,
        "anyone": [us.anyone(rank == 1), us.anyone(False), us.anyone(True)],
        "mean": us.mean([float(rank), 5.0]),
        "nothing": us.mean([]),
        "seed": us.from_first(100 + rank),
        "gathered": us.gather({"rank": rank, "tensor": torch.full((2,), float(rank))}),
    }
    torch.manual_seed(rank)
    network = nn.Linear(2, 1)
    frozen = nn.Linear(2, 1).requires_grad_(False)
    spread = distributed.spread(network, torch.device("cpu"), [])
    spread(torch.full((1, 2), float(rank))).sum().backward()
    seen["gradient"] = network.weight.grad
    seen["weight"] = network.weight.detach()
    seen["bare"] = distributed.bare(spread) is network and spread is not network
    seen["frozen"] = distributed.spread(frozen, torch.device("cpu"), []) is frozen
    distributed.stop()
    seen["stopped"] = not dist.is_initialized()
    torch.save(seen, f"{place}/{rank}.pt")


def test_two_processes_agree(tmp_path):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    multiprocessing.spawn(work, (port, str(tmp_path)), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first["first"] and not second["first"]
    assert [len(seen["gathered"]) for seen in (first, second)] == [2, 0]
    assert [share["rank"] for share in first["gathered"]] == [0, 1]
    assert first["gathered"][1]["tensor"].tolist() == [1.0, 1.0]
    assert torch.equal(first["weight"], second["weight"])  # the first one's, for all
    for seen in (first, second):
        assert seen["anyone"] == [True, False, True]
        assert seen["mean"] == [0.5, 5.0] and seen["nothing"] == []
        assert seen["seed"] == 100 and seen["local_world"] == 2
        assert seen["gradient"].tolist() == [[0.5, 0.5]]  # the mean of 0 and 1
        assert seen["bare"] and seen["frozen"] and seen["stopped"]
