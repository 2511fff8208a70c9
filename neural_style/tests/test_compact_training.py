"""Training the compact network: the whole script on a teacher with random weights and a handful of photographs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import compact_training
from shared_scripts.cli import UserError
from shared_scripts.networks.compact import CompactVGG
from shared_scripts.networks.layout import HEADS, layer_names
from teacher import WIDTHS, Teacher, relative_errors

SCRIPT = Path(__file__).resolve().parent.parent / "train_compact.py"


@pytest.fixture(scope="module")
def teacher_file(tmp_path_factory):
    generator = torch.Generator().manual_seed(0)
    tensors = {"conv0.weight": torch.randn(3, 3, 1, 1, generator=generator) * 100, "conv0.bias": torch.zeros(3)}
    channels = 3
    for name in layer_names():
        width = WIDTHS[int(name[4]) - 1]
        key = name.replace("_", "")
        kernel = torch.randn(width, channels, 3, 3, generator=generator)
        tensors[f"{key}.weight"], tensors[f"{key}.bias"] = kernel * (2 / (9 * channels)) ** 0.5, torch.zeros(width)
        channels = width
        if name.endswith("_1"):
            wide = HEADS[name.replace("conv", "relu")]
            tensors[f"{key}_aux.weight"] = torch.randn(wide, width, 1, 1, generator=generator) * width**-0.5
            tensors[f"{key}_aux.bias"] = torch.zeros(wide)
    path = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    save_file(tensors, path)
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for i in range(4):
        small = random.integers(0, 256, (9, 7 + i, 3), np.uint8)
        Image.fromarray(small).resize((130 + 10 * i, 90), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    return folder


def words(teacher_file, photos, output, iterations=(3, 2, 2)):
    return [
        *("--teacher", str(teacher_file), "--photos", str(photos), "--output", str(output)),
        *("--iterations", *map(str, iterations)),
    ]


def train(*arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, env=environment)


def test_script_trains_and_measures(teacher_file, photos, tmp_path):
    output = tmp_path / "compact.safetensors"
    result = train(*words(teacher_file, photos, output))
    assert result.returncode == 0, result.stderr
    weights = load_file(output)
    assert {name: tuple(value.shape) for name, value in weights.items()} == {
        name: tuple(value.shape) for name, value in CompactVGG().state_dict().items()
    }
    assert all(value.dtype == torch.float16 for value in weights.values())
    with safe_open(output, "pt") as file:
        about = json.loads(file.metadata()["about"])
    assert about["iterations"] == [3, 2, 2]
    assert set(about["errors"]) == set(HEADS)
    assert not list(tmp_path.glob("*.state"))
    again = train(*words(teacher_file, photos, output))
    assert again.returncode == 2
    assert again.stderr.startswith("error: ")
    assert "--overwrite" in again.stderr


def test_interrupted_and_resumed_equals_uninterrupted(teacher_file, photos, tmp_path):
    whole, parts = tmp_path / "whole" / "w.safetensors", tmp_path / "parts" / "w.safetensors"
    iterations = (40, 3, 3)
    assert train(*words(teacher_file, photos, whole, iterations)).returncode == 0
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, SCRIPT, *words(teacher_file, photos, parts, iterations)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not parts.with_name("losses.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)  # the first of the steps is done
    process.wait(60)
    assert process.returncode == 130, process.stderr.read()
    assert parts.with_name("w.safetensors.state").exists()
    assert not parts.exists()
    resumed = train(*words(teacher_file, photos, parts, iterations), "--resume")
    assert resumed.returncode == 0, resumed.stderr
    expected, actual = load_file(whole), load_file(parts)
    for name, value in expected.items():
        assert torch.equal(actual[name], value), name


def test_stages_move_only_their_own_weights(teacher_file, photos):
    flags = type("Flags", (), {"teacher": teacher_file, "photos": photos, "paintings": None, "seed": 0, "output": "x"})
    training = compact_training.Training(flags)
    for stage, moving in zip(compact_training.STAGES, ("123", "345", "12345"), strict=True):
        training.trained_parameters(stage)
        blocks = {name[4] for name, p in training.student.named_parameters() if p.requires_grad}
        assert "".join(sorted(blocks)) == moving


def test_loss_falls(teacher_file, photos):
    flags = type("Flags", (), {"teacher": teacher_file, "photos": photos, "paintings": None, "seed": 0, "output": "x"})
    training = compact_training.Training(flags)
    stage = compact_training.STAGES[0]
    optimizer = torch.optim.Adam(training.trained_parameters(stage), 3e-3)
    x = training.crops(2, stage.crop)
    losses = []
    for _ in range(15):
        loss, _ = compact_training.loss_of_batch(
            stage, training.student, training.probes, training.teacher, training.sizes, x, (0, 0)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_relative_errors(teacher_file):
    teacher = Teacher(teacher_file)
    x = torch.randn(1, 3, 32, 32) * 60

    def shifted(picture, layers):
        return {layer: 1.1 * value for layer, value in teacher(picture, layers).items()}

    errors = relative_errors(shifted, teacher, [x, x / 2], list(HEADS))
    assert errors == pytest.approx(dict.fromkeys(HEADS, 0.1), rel=1e-4)


def test_wrong_teacher_is_named(tmp_path):
    save_file({"conv0.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match=r"other\.safetensors is not the teacher's encoder"):
        Teacher(tmp_path / "other.safetensors")
