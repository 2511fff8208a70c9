"""Training in several processes: what one process with the whole minibatch would learn."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import STATE, command, contents, losses, names, run_in, train

from shared_scripts.checkpoints import load_state
from shared_scripts.testing import assert_same, needs_processes

pytestmark = needs_processes
APART = "--mbstd_group_size 1"  # each process has groups of its own: without groups nothing differs


@pytest.fixture(autouse=True)
def not_under_torchrun(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("flags", ["", "--preset cond,noreset --mirror_augment TRUE"])
def test_two_processes_learn_what_one_does(tmp_path, two, flags):
    assert train(command(tmp_path / "one", APART, flags)) == 0
    assert two(command(tmp_path / "two", APART, flags)) == [0, 0]
    one, both = run_in(tmp_path / "one"), run_in(tmp_path / "two")
    assert names(one) == names(both)
    first, second = (load_state(run / STATE)["networks"] for run in (one, both))
    for name, network in first.items():
        for key, value in network.items():
            assert (value - second[name][key]).abs().max() < 2e-4, f"{name} {key}"
    for a, b in zip(losses(one), losses(both), strict=True):
        assert {key: float(value) for key, value in a.items()} == pytest.approx(
            {key: float(value) for key, value in b.items()}, abs=2e-3
        )


def test_only_the_first_process_talks_and_makes_a_folder(tmp_path, two):
    assert two(command(tmp_path / "runs", "--total_kimg 0.032")) == [0, 0]
    assert len(list((tmp_path / "runs").iterdir())) == 1
    logs = [Path(tmp_path / f"log{rank}").read_text() for rank in range(2)]
    assert "tick 1 " in logs[0] and "tick" not in logs[1]


def test_two_processes_go_on_to_the_bit(tmp_path, two):
    assert two(command(tmp_path / "whole", "")) == [0, 0]
    assert two(command(tmp_path / "parts", "--total_kimg 0.064")) == [0, 0]
    assert two(command(tmp_path / "parts", "--resume")) == [0, 0]
    whole, parts = (contents(run_in(tmp_path / name)) for name in ("whole", "parts"))
    assert_same(parts["state"]["networks"], whole["state"]["networks"])
