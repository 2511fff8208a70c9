"""Choosing where and how to compute."""

import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from shared_scripts import devices
from shared_scripts.cli import UserError
from shared_scripts.devices import (
    describe,
    explain_out_of_memory,
    pick_device,
    pick_precision,
    seed_everything,
)

CPU = torch.device("cpu")
GPUS = torch.cuda.device_count()
needs_gpu = pytest.mark.skipif(GPUS == 0, reason="this machine has no NVIDIA GPU")


@pytest.mark.parametrize("name,gpu_ids", [("cpu", None), ("auto", "-1"), ("cuda", "-1"), ("cpu", " -1 ")])
def test_the_cpu(name, gpu_ids):
    assert pick_device(name, gpu_ids) == CPU


def test_auto_is_the_best_there_is():
    kind = "cuda" if GPUS else "mps" if torch.backends.mps.is_available() else "cpu"
    assert pick_device().type == kind


@needs_gpu
@pytest.mark.parametrize("name,gpu_ids", [("cuda:0", None), ("auto", "0"), ("auto", "0,1"), ("cpu", "0")])
def test_the_first_gpu(name, gpu_ids):
    assert pick_device(name, gpu_ids) == torch.device("cuda:0")


@pytest.mark.parametrize(
    "name,gpu_ids",
    [("toaster", None), ("", None), ("cuda:x", None), ("meta", None), ("xpu", None), ("cuda:99", None),
     ("auto", "99"), ("auto", "one"), ("auto", ""), ("auto", "--1"), ("auto", "²"), ("auto", "0;1")],
)  # fmt: skip
def test_what_is_not_there_is_refused(name, gpu_ids):
    with pytest.raises(UserError):
        pick_device(name, gpu_ids)


@pytest.mark.skipif(GPUS > 0, reason="this machine has a GPU")
@pytest.mark.parametrize("name,gpu_ids", [("cuda", None), ("auto", "0")])
def test_without_a_gpu_the_way_out_is_told(name, gpu_ids):
    with pytest.raises(UserError, match="--device cpu"):
        pick_device(name, gpu_ids)


# --- precision ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name,dtype", [("float32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_precision_that_is_asked_for_is_taken(name, dtype):
    assert pick_precision(name, CPU) == dtype


@pytest.mark.parametrize(
    "instructions,seconds,dtype",
    [(True, {torch.float32: 1.0, torch.bfloat16: 0.5}, torch.bfloat16),
     (True, {torch.float32: 1.0, torch.bfloat16: 0.9}, torch.float32),
     (True, {torch.float32: 1.0, torch.bfloat16: 20.0}, torch.float32),
     (False, {torch.float32: 1.0, torch.bfloat16: 0.1}, torch.float32)],
    ids=["faster", "hardly faster", "slower", "no instructions"],
)  # fmt: skip
def test_auto_takes_bfloat16_only_where_it_is_faster(monkeypatch, instructions, seconds, dtype):
    """The measurement itself depends on the machine, so here its result is given."""
    monkeypatch.setattr(devices, "has_bf16_instructions", lambda: instructions)
    monkeypatch.setattr(devices, "convolution_seconds", lambda dtype, channels, size: seconds[dtype])
    assert pick_precision("auto", CPU) == dtype


def test_auto_measures_on_this_machine():
    dtype = pick_precision("auto", CPU, channels=8, size=8)
    assert dtype in (torch.float32, torch.bfloat16)
    if not devices.has_bf16_instructions():
        assert dtype == torch.float32


def test_a_convolution_takes_time():
    assert 0 < devices.convolution_seconds(torch.float32, channels=4, size=8) < 60


def test_describe():
    words = describe(CPU, torch.bfloat16)
    assert "CPU" in words and "bfloat16" in words and f"{torch.get_num_threads()} thread" in words


# --- seeds --------------------------------------------------------------------------------------------------------


@pytest.fixture
def free_algorithms():
    yield
    torch.use_deterministic_algorithms(False)


def draws():
    return random.random(), np.random.rand(), torch.rand(1).item()


@pytest.mark.parametrize("seed", [0, 7, 2**32 + 5, 2**40, -1])
def test_a_seed_sets_all_generators(free_algorithms, seed):
    seed_everything(seed)
    first = draws()
    seed_everything(seed)
    assert draws() == first
    assert torch.are_deterministic_algorithms_enabled()
    seed_everything(seed + 1)
    assert draws() != first


@pytest.mark.parametrize("seed", [2**64, -(2**64), 10**30])
def test_a_seed_that_is_too_large_is_refused(free_algorithms, seed):
    with pytest.raises(UserError, match="seed"):
        seed_everything(seed)


def test_no_seed_changes_nothing():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    seed_everything(None)
    assert torch.equal(torch.rand(1), expected)
    assert not torch.are_deterministic_algorithms_enabled()


# --- memory -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "allocate", [lambda: torch.empty(1 << 60), lambda: np.empty(1 << 57), lambda: bytearray(1 << 60)],
    ids=["torch", "numpy", "python"],
)  # fmt: skip
def test_running_out_of_memory_is_explained(allocate):
    with pytest.raises(UserError, match="not enough memory; take less"), explain_out_of_memory("take less"):
        allocate()


@needs_gpu
def test_running_out_of_gpu_memory_is_explained():
    with pytest.raises(UserError, match="not enough memory; take less"), explain_out_of_memory("take less"):
        torch.empty(1 << 46, device="cuda")


@pytest.mark.parametrize("problem", [RuntimeError("shapes differ"), ValueError("no"), UserError("mine")])
def test_other_problems_stay_what_they_are(problem):
    with pytest.raises(type(problem), match=str(problem)), explain_out_of_memory("take less"):
        raise problem


def test_keeping_memory_does_no_harm():
    """In a process of its own, since it cannot be undone."""
    code = "import torch\nfrom shared_scripts.memory import keep_memory\nkeep_memory()\nkeep_memory()\n"
    code += "print(sum(torch.ones(1 << 24).sum().item() for _ in range(4)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == [str(float(4 << 24))], done.stderr
