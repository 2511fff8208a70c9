"""train.py from end to end: the files it writes, what it prints, what it learns, and what goes wrong."""

from __future__ import annotations

import csv
import json
import os
import re
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from runs import STATE, command, contents, last_error, names, steps_in, train, write_data

from shared_scripts.checkpoints import load_state
from shared_scripts.memory import available_memory
from shared_scripts.testing import assert_same
from training import LOSSES

NUMBER = r"-?\d+\.\d{4}"
D_LOSSES, G_LOSSES = LOSSES[:4], LOSSES[4:]
TIME = r"Elapsed \[\d:\d\d:\d\d\]"
OLD_TIME = r"Elapsed \[\d:\d\d:\d\d(\.\d{6})?\]"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(autouse=True)
def no_warnings():
    """Warnings of libraries are nothing a person could act on."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def log_line(where: str, g_too: bool, time: str = TIME) -> str:
    """A log line as a regular expression."""
    return f"{time}, {where}" + "".join(f", {name}: {NUMBER}" for name in (LOSSES if g_too else D_LOSSES))


def check_lines(found: list[str], expected: list[str]) -> None:
    """All lines fit their regular expressions."""
    assert len(found) == len(expected), found
    for line, pattern in zip(found, expected, strict=True):
        assert re.fullmatch(pattern, line), (line, pattern)


def after_networks(out: str) -> list[str]:
    """What is printed after the second network's size."""
    return out.split("The number of parameters: ")[2].splitlines()[1:]


def rows(folder: Path) -> list[dict]:
    with open(folder / "logs" / "losses.csv", newline="") as file:
        return list(csv.DictReader(file))


def events(folder: Path) -> list[tuple[int, str, float | str]]:
    """(step, tag, value or "image") of everything in the folder's only event file."""
    from tensorboard.compat.proto.event_pb2 import Event

    (path,) = (folder / "logs").glob("events.out.tfevents.*")
    content, found = path.read_bytes(), []
    while content:
        (size,) = struct.unpack("<Q", content[:8])
        event, content = Event.FromString(content[12 : 12 + size]), content[16 + size :]
        for value in event.summary.value:
            found.append((event.step, value.tag, value.simple_value if not value.HasField("image") else "image"))
    return found


# --- files and lines ----------------------------------------------------------------------------------------------


def test_the_current_versions_files_and_lines(data, tmp_path, capsys):
    """7 pictures, of which 2 go to the samples; every rhythm another one."""
    flags = "--num_iters 12 --log_step 2 --sample_step 5 --model_save_step 6 --n_critic 4 --use_tensorboard true"
    decay = "--lr_update_step 3 --num_iters_decay 6"
    assert train(command(data, tmp_path, flags, decay)) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0].startswith("Namespace(mode='train', dataset='CelebA'") and "num_iters=12" in lines[0]
    place = lines.index("G")
    assert lines[1] == "Generator(" and lines[place + 1] == "The number of parameters: 3582"
    assert lines[place + 2] == "Discriminator(" and "D" in lines[place + 2 :]
    models, samples = re.escape(str(tmp_path / "models")), re.escape(str(tmp_path / "samples"))
    at = {step: log_line(rf"Iteration \[{step}/12\]", step % 4 == 0) for step in range(2, 13, 2)}
    check_lines(
        after_networks(told.out),
        [
            r"Start training\.\.\.",
            *(at[2], at[4], rf"Saved real and fake images into {samples}/5-images\.jpg\.\.\."),
            *(at[6], rf"Saved model checkpoints into {models}\.\.\.", at[8]),
            r"Decayed learning rates, g_lr: 5(\.0\d*)?e-05, d_lr: 5(\.0\d*)?e-05\.",
            *(at[10], rf"Saved real and fake images into {samples}/10-images\.jpg\.\.\.", at[12]),
            rf"Saved model checkpoints into {models}\.\.\.",
            r"Decayed learning rates, g_lr: 0\.0, d_lr: 0\.0\.",
        ],
    )
    assert names(tmp_path / "models") == ["12-D.ckpt", "12-G.ckpt", "6-D.ckpt", "6-G.ckpt", "labels.json", STATE]
    assert names(tmp_path / "samples") == ["10-images.jpg", "5-images.jpg", "latest-sheet.jpg"]
    assert (tmp_path / "results").is_dir() and names(tmp_path / "results") == []
    assert len(names(tmp_path / "logs")) == 2
    with Image.open(tmp_path / "samples" / "5-images.jpg") as sheet:
        assert sheet.format == "JPEG" and sheet.size == (6 * 16, 2 * 16)
        assert sheet.quantization[0][0] == 8  # quality 75
    with Image.open(tmp_path / "samples" / "latest-sheet.jpg") as sheet:
        assert sheet.size[0] > 6 * 16 and sheet.size[1] > 2 * 16  # it has titles
    assert len(load_state(tmp_path / "models" / "12-D.ckpt")) == 6
    assert [row["step"] for row in rows(tmp_path)] == ["2", "4", "6", "8", "10", "12"]
    assert list(rows(tmp_path)[0]) == ["step", *LOSSES]
    assert [bool(row["G/loss_rec"]) for row in rows(tmp_path)] == [False, True, False, True, False, True]
    found = events(tmp_path)
    scalars = [(step, tag) for step, tag, value in found if value != "image"]
    assert scalars == [(s, tag) for s in range(2, 13, 2) for tag in (LOSSES if s % 4 == 0 else D_LOSSES)]
    assert [(step, tag) for step, tag, value in found if value == "image"] == [(5, "samples"), (10, "samples")]
    logged = {(int(row["step"]), tag): float(row[tag]) for row in rows(tmp_path) for tag in LOSSES if row[tag]}
    assert {(s, tag): value for s, tag, value in found if value != "image"} == pytest.approx(logged, rel=1e-6)
    assert told.err.splitlines()[-1] == "Training on 7 pictures, CPU, 1 threads, float32."


def test_the_last_networks_are_saved_whatever_the_rhythm(data, tmp_path, capsys):
    """In the original those after the last multiple of --model_save_step were lost; with few iterations, all."""
    assert train(command(data, tmp_path, "--num_iters 3")) == 0
    assert names(tmp_path / "models", "*.ckpt") == ["3-D.ckpt", "3-G.ckpt"]
    assert load_state(tmp_path / "models" / STATE)["name"] == "3"
    assert capsys.readouterr().out.splitlines()[-1].startswith("Saved model checkpoints into")


def test_two_data_sets(data, tmp_path, capsys):
    """Each has its lines, its rows and its points; samples are of the first one, with the targets of both."""
    flags = "--dataset Both --num_iters 2 --sample_step 2 --use_tensorboard TRUE"
    assert train(command(data, tmp_path, flags)) == 0
    lines = after_networks(capsys.readouterr().out)
    both = [
        log_line(rf"Iteration \[{i}/2\], Dataset \[{name}\]", i == 2) for i in (1, 2) for name in ("CelebA", "RaFD")
    ]
    check_lines(lines[1:5], both)
    assert [(row["step"], row["dataset"]) for row in rows(tmp_path)] == [
        ("1", "CelebA"), ("1", "RaFD"), ("2", "CelebA"), ("2", "RaFD"),
    ]  # fmt: skip
    assert list(rows(tmp_path)[0]) == ["step", "dataset", *LOSSES]
    scalars = [(step, tag) for step, tag, value in events(tmp_path) if value != "image"]
    assert scalars == [(1, tag) for tag in D_LOSSES * 2] + [(2, tag) for tag in LOSSES * 2]
    with Image.open(tmp_path / "samples" / "2-images.jpg") as sheet:
        assert sheet.size == ((1 + 5 + 3) * 16, 2 * 16)
    notes = json.loads((tmp_path / "models" / "labels.json").read_text())
    assert notes["classes"] == ["calm", "glad", "sad"]
    assert notes["selected_attrs"] == ["Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young"]
    assert len(load_state(tmp_path / "models" / "2-G.ckpt")["main.0.weight"][0]) == 3 + 5 + 3 + 2
    assert len(load_state(tmp_path / "models" / "2-D.ckpt")["conv2.weight"]) == 5 + 3


ACCURACY = r"Classification Acc \({}\): \[('\d+\.\d\d'(, )?){{{}}}\]"


def test_the_2017_versions_files_and_lines(data, tmp_path, capsys):
    """Epochs of 4 batches; counters begin anew with each, and so the generator is trained in the third step of each."""
    flags = "--num_epochs 3 --num_epochs_decay 2 --log_step 2 --sample_step 3 --model_save_step 3 --d_train_repeat 3"
    argv = command(data, tmp_path, flags, "--use_tensorboard true")
    argv[argv.index("--n_critic") : argv.index("--n_critic") + 2] = []
    assert train(argv) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[1:3] == ["G", "Generator ("] and "The number of parameters: 3582" in lines
    accuracy = ACCURACY.format("Black/Blond/Brown/Gender/Aged", 5)
    at = {
        (e, i): log_line(rf"Epoch \[{e}/3\], Iter \[{i}/4\]", i == 3, OLD_TIME) for e in (1, 2, 3) for i in (1, 2, 3, 4)
    }
    saved = rf"Translated images and saved into {re.escape(str(tmp_path / 'samples'))}\.\.!"
    rate = r"Decay learning rate to g_lr: {0}, d_lr: {0}\."
    check_lines(
        after_networks(out),
        [
            *(accuracy, at[1, 2], saved, accuracy, at[1, 4]),
            *(accuracy, at[2, 2], saved, accuracy, at[2, 4], rate.format(r"5(\.0\d*)?e-05")),
            *(accuracy, at[3, 2], saved, accuracy, at[3, 4], rate.format(r"0\.0")),
        ],
    )
    files = [f"{name}_{which}.pth" for name in ("1_3", "2_3", "3_3", "3_4") for which in "DG"]
    assert names(tmp_path / "models", "*.pth") == files and names(tmp_path / "models", "*.ckpt") == []
    assert names(tmp_path / "samples") == ["1_3_fake.png", "2_3_fake.png", "3_3_fake.png", "latest-sheet.jpg"]
    with Image.open(tmp_path / "samples" / "1_3_fake.png") as sheet:
        assert sheet.format == "PNG" and sheet.size == ((1 + 9) * 16, 7 * 16)  # of four batches: all
    assert [row["step"] for row in rows(tmp_path)] == ["2", "4", "6", "8", "10", "12"]
    assert [step for step, tag, _ in events(tmp_path) if tag == "D/loss_gp"] == [2, 4, 6, 8, 10, 12]


def test_the_2017_version_on_classes_and_on_both(data, tmp_path, capsys):
    assert train(command(data, tmp_path / "a", "--variant old --dataset RaFD --num_epochs 1 --warmup_iters 1")) == 0
    lines = after_networks(capsys.readouterr().out)
    assert re.fullmatch(rf"{OLD_TIME}, Epoch \[1/1\], Iter \[1/3\], G/loss_rec: {NUMBER}", lines[0])
    check_lines(lines[1:2], [ACCURACY.format("8 emotional expressions", 1)])
    assert train(command(data, tmp_path / "b", "--variant old --dataset Both --num_iters 3 --warmup_iters 1")) == 0
    warm, *others = after_networks(capsys.readouterr().out)
    assert re.fullmatch(rf"{OLD_TIME}, Iter \[1/3\], G/loss_rec: {NUMBER}", warm)
    check_lines(others, [log_line(rf"Iter \[{i}/3\]", i == 2, OLD_TIME) for i in (2, 3)])
    assert names(tmp_path / "b" / "models", "*.pth") == ["3_D.pth", "3_G.pth"]


# --- learning rates -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "shares"),
    [
        ("", [1 / 2, 0]),  # of the 4 last iterations, in steps of 2: to 0, as in the paper
        ("--lr_decay linear", [1 / 2, 0]),
        ("--lr_decay reference", [3 / 4, 2 / 4]),
        ("--reference_exact", [3 / 4, 2 / 4]),
        ("--reference_exact --lr_decay linear", [1 / 2, 0]),
    ],
)
def test_how_rates_fall(data, tmp_path, capsys, flags, shares):
    rhythm = "--num_iters 8 --num_iters_decay 4 --lr_update_step 2 --g_lr 0.004 --d_lr 0.002"
    assert train(command(data, tmp_path, rhythm, flags)) == 0
    found = re.findall(r"^Decayed learning rates, g_lr: (.*), d_lr: (.*)\.$", capsys.readouterr().out, re.M)
    assert [float(g) for g, _ in found] == pytest.approx([0.004 * share for share in shares], abs=1e-12)
    assert [float(d) for _, d in found] == pytest.approx([0.002 * share for share in shares], abs=1e-12)
    optimizers = load_state(tmp_path / "models" / STATE)["optimizers"]
    assert [optimizers[name]["param_groups"][0]["lr"] for name in "GD"] == [float(rate) for rate in found[-1]]


# --- what is learned ----------------------------------------------------------------------------------------------


def write_colours(root: Path, count: int = 24) -> Path:
    """Dark pictures, red ones and blue ones, noisy, in folders of their own."""
    rng = np.random.default_rng(0)
    for name, colour in (("dark", (40, 40, 40)), ("red", (200, 40, 40)), ("blue", (40, 40, 200))):
        (root / "classes" / name).mkdir(parents=True)
        for i in range(count // 3):
            pixels = np.clip(rng.normal(colour, 20, (20, 20, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / "classes" / name / f"{i}.png")
    return root


@pytest.mark.parametrize("more", ["", "--precision bf16", "--variant old --num_epochs 13"])
def test_colours_are_learned(tmp_path, more):
    """The discriminator tells them apart in the end, and the generator's pictures are of the colours asked for."""
    data = write_colours(tmp_path / "data")
    flags = "--dataset RaFD --num_iters 80 --batch_size 4 --g_lr 0.005 --d_lr 0.005 --g_conv_dim 4 --d_conv_dim 4"
    assert train(command(data, tmp_path / "run", flags, "--seed 1", more)) == 0
    losses = {name: [float(row[name]) for row in rows(tmp_path / "run") if row[name]] for name in LOSSES}
    real, fake, back = (losses[name] for name in ("D/loss_cls", "G/loss_cls", "G/loss_rec"))
    assert np.mean(real[:3]) > 1 and np.mean(real[-5:]) < 0.3  # by chance: ln 3
    assert np.mean(fake[-5:]) < 0.8 * np.mean(fake[:3])
    assert np.mean(back[-5:]) < 0.9 * np.mean(back[:3])


def test_warming_up_teaches_the_generator_to_copy_alone(data, tmp_path):
    flags = "--g_lr 0.01 --seed 1 --num_iters"
    assert train(command(data, tmp_path / "one", flags, "1 --warmup_iters 1")) == 0
    assert train(command(data, tmp_path / "run", flags, "40 --warmup_iters 38")) == 0
    found = rows(tmp_path / "run")
    assert all(row["G/loss_rec"] and not row["D/loss_cls"] for row in found[:38])
    assert found[38]["D/loss_cls"] and not found[38]["G/loss_rec"] and found[39]["G/loss_rec"]
    assert float(found[37]["G/loss_rec"]) < 0.8 * float(found[0]["G/loss_rec"])
    state = load_state(tmp_path / "one" / "models" / STATE)
    assert state["optimizers"]["D"]["state"] == {} and len(state["optimizers"]["G"]["state"]) > 10


def test_a_seed_makes_a_run_repeatable(data, tmp_path):
    for name, seed in (("a", "--seed 1"), ("b", "--seed 1"), ("c", "--seed 2"), ("d", ""), ("e", "")):
        assert (
            train(command(data, tmp_path / name, "--num_iters 5 --num_workers", "1" if name == "b" else "0", seed)) == 0
        )
    found = {name: contents(tmp_path / name) for name in "abcde"}
    assert_same(found["a"], found["b"])
    assert len({run["losses.csv"] for run in found.values()}) == 4  # all others differ


# --- what goes wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_picture_is_named_once_and_replaced(tmp_path, capsys, workers):
    """Also where the samples had met it first; epochs keep their length."""
    data = write_data(tmp_path / "data")
    whole = command(data, tmp_path / "whole", "--variant old --num_epochs 2 --seed 1")
    assert train(whole) == 0
    (data / "faces" / "3.png").write_bytes(b"\x89PNG, or so it seems")
    (data / "faces" / "5.png").unlink()
    capsys.readouterr()
    assert train(command(data, tmp_path / "run", f"--variant old --num_epochs 2 --seed 1 --num_workers {workers}")) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "png" in line]
    assert sorted(re.findall(r"faces/(\d)\.png", "".join(told))) == ["3", "5"]
    assert all(line.startswith("Skipped: ") for line in told)
    assert len(rows(tmp_path / "run")) == len(rows(tmp_path / "whole")) == 8


def test_nothing_but_damaged_pictures_is_one_line(tmp_path, capsys):
    data = write_data(tmp_path / "data")
    for path in data.glob("faces/*.png"):
        path.write_bytes(b"")
    assert train(command(data, tmp_path / "run", "--num_workers 1")) == 2
    assert last_error(capsys).startswith("error: none of the 7 pictures can be used: ")


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--image_size 8 --d_repeat_num 4", "at least 16 pixels, not 8"),
        ("--selected_attrs Beard", "has no attribute 'Beard'"),
        ("--dataset RaFD --c_dim 2", "--c_dim is 2, but"),
        ("--celeba_image_dir nowhere", "there is no folder nowhere (--celeba_image_dir)"),
        ("--test_images 8", "none is left to train on"),
        ("--device cuda:7", "GPU"),
    ],
)
def test_wrong_input_is_one_line_and_writes_nothing(data, tmp_path, capsys, flags, says):
    assert train(command(data, tmp_path / "run", flags)) == 2
    assert says in last_error(capsys)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(available_memory() is None, reason="this system does not say how much memory is free")
@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--g_conv_dim 100000", "for networks of "),
        ("--d_conv_dim 100000", "for networks of "),
        ("--image_size 4000000", "for pictures cut to 20 and scaled to 4000000 pixels"),
        ("--celeba_crop_size 4000000", "for pictures cut to 4000000 "),
    ],
)
def test_what_the_memory_cannot_hold_is_not_begun(data, tmp_path, capsys, flags, says):
    assert train(command(data, tmp_path / "run", flags)) == 2
    assert f"not enough memory {says}" in last_error(capsys)
    assert not (tmp_path / "run").exists()


def test_without_tensorboard_training_goes_on(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    for module in [name for name in sys.modules if name.startswith("tensorboard.")]:
        monkeypatch.setitem(sys.modules, module, None)
    assert train(command(data, tmp_path, "--num_iters 1 --sample_step 1 --use_tensorboard true")) == 0
    assert capsys.readouterr().err.count("pip install tensorboard") == 1
    assert names(tmp_path / "logs") == ["losses.csv"] and names(tmp_path / "models", "1-*") == ["1-D.ckpt", "1-G.ckpt"]


def test_the_readmes_commands_from_anywhere(data, tmp_path):
    """main.py in a process of its own, as it is typed, with the original's default places; on stderr is ours alone."""
    main = Path(__file__).resolve().parent.parent / "main.py"
    small = "--image_size 16 --g_conv_dim 2 --d_conv_dim 2 --g_repeat_num 1 --d_repeat_num 2 --rafd_crop_size 20"
    words = f"--mode train --dataset RaFD --c_dim 3 --rafd_image_dir={data}/classes {small} --num_iters 10 --device cpu"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"}
    script = [sys.executable, str(main), *words.split()]
    done = subprocess.run(script, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["Training on 6 pictures, CPU, 1 threads, float32."]
    assert steps_in(done.stdout) == [10]
    assert names(tmp_path / "stargan" / "models", "*G.ckpt") == ["10-G.ckpt"]
    assert names(tmp_path / "stargan" / "logs", "events*") and (tmp_path / "stargan" / "results").is_dir()
