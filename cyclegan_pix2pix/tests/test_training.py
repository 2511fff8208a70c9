"""train.py from end to end: the files it writes, what it prints, the models and kinds of data, and what goes wrong."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from runs import PROJECT, STATE, command, contents, train, write_data

import run_training
from shared_scripts.checkpoints import load_state
from shared_scripts.testing import assert_same, write_pictures

ONE = "--n_epochs 1 --n_epochs_decay 0"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(autouse=True)
def no_warnings():
    """Warnings of libraries are nothing a person could act on."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def names(folder: Path, pattern: str) -> set[str]:
    return {path.name for path in folder.glob(pattern)}


def networks(epoch: str, *which: str) -> set[str]:
    return {f"{epoch}_net_{name}.pth" for name in which}


def rows(folder: Path) -> list[dict]:
    with open(folder / "losses.csv", newline="") as file:
        return list(csv.DictReader(file))


def last_error(capsys) -> str:
    """The one line of an error, with nothing else about it."""
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("error: ") and sum("error" in line.lower() for line in lines) == 1
    assert not any("Traceback" in line for line in lines)
    return lines[-1]


# --- files and lines ----------------------------------------------------------------------------------------------

CYCLE_NETS = ("G_A", "G_B", "D_A", "D_B")


def test_a_cycle_gan_run_writes_the_references_files(data, tmp_path, capsys):
    """Counters count pictures, batch by batch: with 3 a batch, every 100 pictures comes at 300, 600, …; here at 6, 12,
    of 5 + 5 + 5 pictures in batches of 3 and 2."""
    flags = "--n_epochs 2 --n_epochs_decay 2 --batch_size 3 --print_freq 5 --save_latest_freq 4 --save_epoch_freq 3"
    argv = command(data, tmp_path, "run", flags, "--save_by_iter --display_freq 4 --update_html_freq 4 --seed 1")
    argv.remove("--no_html"), argv.remove("--no_tensorboard")
    assert train(argv) == 0
    folder, told = tmp_path / "run", capsys.readouterr()
    saved = networks("latest", *CYCLE_NETS) | networks("3", *CYCLE_NETS)  # counts 3 5 8 10 13 15 18 20
    saved |= networks("iter_8", *CYCLE_NETS) | networks("iter_20", *CYCLE_NETS)
    assert names(folder, "*.pth") == saved
    assert [(row["epoch"], row["iters"]) for row in rows(folder)] == [("1", "5"), ("2", "10"), ("3", "15"), ("4", "20")]
    losses = ["D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B"]
    assert list(rows(folder)[0]) == ["epoch", "iters", *losses]
    log = (folder / "loss_log.txt").read_text().splitlines()
    assert re.fullmatch(r"=+ Training Loss \(.*\) =+", log[0]) and len(log) == 5
    number = r"-?\d+\.\d{3}"
    line = rf"\(epoch: 4, iters: 5, time: {number}, data: {number}\)" + "".join(f" {n}: {number}" for n in losses)
    assert re.fullmatch(line, log[-1]) and log[-1] in told.out.splitlines()
    options = (folder / "train_opt.txt").read_text()
    assert re.search(r"^ +batch_size: 3 +\t\[default: 1\]$", options, re.M) and options.strip() in told.out
    assert "Experiment name = run" in (folder / "web" / "index.html").read_text()
    labels = ("real_A", "fake_B", "rec_A", "idt_B", "real_B", "fake_A", "rec_B", "idt_A")
    assert names(folder / "web" / "images", "*") == {f"epoch{e:03d}_{label}.png" for e in (2, 4) for label in labels}
    assert len(list(folder.glob("events.out.tfevents.*"))) == 1
    for expected in (
        "The number of training images = 5",
        "model [CycleGANModel] was created",
        "[Network G_A] Total number of parameters : 0.008 M",
        "learning rate 0.0002000 -> 0.0002000",
        "learning rate 0.0002000 -> 0.0001333",
        "learning rate 0.0001333 -> 0.0000667",
        "saving the latest model (epoch 2, total_iters 8)",
        "saving the model at the end of epoch 3, iters 15",
        "End of epoch 4 / 4 \t Time Taken: 0 sec",
    ):
        assert expected in told.out.splitlines()
    assert "Traceback" not in told.err and "arning" not in told.err


def test_the_last_epoch_is_always_saved(data, tmp_path):
    assert train(command(data, tmp_path, "run", "--model pix2pix --n_epochs 2 --n_epochs_decay 0 --seed 1")) == 0
    folder = tmp_path / "run"
    assert names(folder, "*.pth") == networks("latest", "G", "D")
    assert load_state(folder / STATE)["position"] == {
        "epoch": 3, "batch": 0, "epoch_images": 0, "images": 10, "first_epoch": 1,
    }  # fmt: skip
    assert train(command(data, tmp_path, "once", "--model pix2pix --seed 1", ONE)) == 0
    once, twice = (load_state(tmp_path / name / "latest_net_G.pth") for name in ("once", "run"))
    assert not torch.equal(once["model.1.weight"], twice["model.1.weight"])


def test_a_seed_makes_a_run_repeatable(data, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert train(command(data, tmp_path, name, f"--model pix2pix --print_freq 1 --seed {seed}", ONE)) == 0
    a, b, c = (contents(tmp_path / name) for name in "abc")
    assert_same(a, b)
    assert a["losses.csv"] != c["losses.csv"]


@pytest.mark.parametrize(
    ("flags", "rates"),
    [
        ("--lr_policy step --lr_decay_iters 2 --n_epochs 3 --n_epochs_decay 1", [1, 1, 0.1, 0.1]),
        ("--lr_policy cosine --n_epochs 2 --n_epochs_decay 0", [1, 0.5]),
        ("--lr_policy lambda --n_epochs 1 --n_epochs_decay 3 --lr_era start_of_epoch", [0.75, 0.5, 0.25, 0]),
        ("--lr_policy plateau --n_epochs 8 --n_epochs_decay 0", [1] * 7 + [0.2]),
    ],
)
def test_every_epoch_has_its_learning_rate(tmp_path, monkeypatch, flags, rates):
    data, used = write_pictures(tmp_path / "data" / "train", 1, (40, 20)).parent, []
    optimize = torch.optim.Adam.step
    monkeypatch.setattr(
        torch.optim.Adam, "step", lambda self, *a: (used.append(self.param_groups[0]["lr"]), optimize(self, *a))[1]
    )
    assert train(command(data, tmp_path, "run", "--model pix2pix --lr 0.1 --netD pixel", flags)) == 0
    assert used[::2] == pytest.approx([0.1 * rate for rate in rates], abs=1e-12)
    assert used[1::2] == used[::2]  # of both optimisers


# --- commands of long ago -----------------------------------------------------------------------------------------


def test_the_emojis_command_trains(tmp_path):
    """On palettes with transparency, and pictures too small for a PatchGAN of three layers; as it was typed, but for
    the epochs of decay. In a process of its own: nothing may be said on stderr but a few lines of ours."""
    root = tmp_path / "datasets" / "emojis"
    rng = np.random.default_rng(0)
    for side in ("trainA", "trainB"):
        (root / side).mkdir(parents=True)
        for i in range(6):
            image = Image.fromarray(rng.integers(0, 8, (16, 16), np.uint8), "P")
            image.putpalette(rng.integers(0, 256, 24, np.uint8).tobytes())
            image.save(root / side / f"{i}.png", transparency=bytes([0, 128, 255, 255, 255, 255, 255, 255]))
    words = "--dataroot ./datasets/emojis --name emojis_cyclegan --model cycle_gan --display_freq 50 --niter 1"
    words += " --display_id 0 --batch_size 3 --loadSize 16 --fineSize 16 --gpu_ids -1 --niter_decay 0"
    script = [sys.executable, str(PROJECT / "train.py"), *words.split(), "--ngf", "4", "--ndf", "4"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"}
    done = subprocess.run(script, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = done.stderr.splitlines()
    assert told[1] == (
        "A crop of 16 pixels is too small for a discriminator of 3 layers, which needs 24: taking 2 "
        "(--netD n_layers --n_layers_D 2)."
    )
    assert len(told) == 2 and told[0].startswith("Computing on CPU")
    assert names(tmp_path / "checkpoints" / "emojis_cyclegan", "*.pth") == networks("latest", *CYCLE_NETS)
    assert "model.5.weight" in load_state(tmp_path / "checkpoints" / "emojis_cyclegan" / "latest_net_D_A.pth")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_gpu_0_without_a_gpu_is_the_cpu(data, tmp_path, capsys):
    assert train(command(data, tmp_path, "run", "--model pix2pix --gpu_ids 0,1", ONE)) == 0
    assert "No NVIDIA GPU is here for --gpu_ids 0,1: computing on the cpu instead." in capsys.readouterr().err


def test_syncbatch_on_the_cpu_is_batch(data, tmp_path, capsys):
    flags = f"--model pix2pix --seed 1 {ONE} --norm"
    assert train(command(data, tmp_path, "sync", flags, "syncbatch")) == 0
    assert "--norm syncbatch works on GPUs only" in capsys.readouterr().err
    assert train(command(data, tmp_path, "batch", flags, "batch")) == 0
    assert_same(contents(tmp_path / "sync"), contents(tmp_path / "batch"))
    assert train(command(data, tmp_path, "sync", flags, "syncbatch --continue_train --n_epochs 2")) == 0


# --- models, losses, data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "losses"),
    [
        ("--model pix2pix --direction BtoA --gan_mode lsgan --netD pixel", "G_GAN G_L1 D_real D_fake"),
        ("--model pix2pix --gan_mode wgangp --lambda_gp 10", "G_GAN G_L1 D_real D_fake"),
        ("--model pix2pix --precision bf16 --norm instance", "G_GAN G_L1 D_real D_fake"),
        ("--model pix2pix --input_nc 1 --norm none --netD basic --load_size 40 --crop_size 32",
         "G_GAN G_L1 D_real D_fake"),
        ("--model pix2pix --dataset_mode template --dataroot {data}/trainA", "G_GAN G_L1 D_real D_fake"),
        ("--model template", "G"),
        ("--model cycle_gan --gan_mode wgangp --lambda_gp 10 --lambda_identity 0 --batch_size 2",
         "D_A G_A cycle_A idt_A D_B G_B cycle_B idt_B"),
        ("--model cycle_gan --precision bf16 --pool_size 1 --use_dropout --no_lsgan",
         "D_A G_A cycle_A idt_A D_B G_B cycle_B idt_B"),
        ("--model cycle_gan --input_nc 1 --output_nc 1 --preprocess none --n_layers_D 2",
         "D_A G_A cycle_A idt_A D_B G_B cycle_B idt_B"),
    ],
)  # fmt: skip
def test_models_train(data, tmp_path, flags, losses):
    argv = command(data, tmp_path, "run", "--print_freq 1 --init_gain 0.1", ONE, flags.format(data=data))
    assert train(argv) == 0
    found = rows(tmp_path / "run")
    assert list(found[0]) == ["epoch", "iters", *losses.split()]
    assert all(np.isfinite(float(value)) for row in found for value in row.values())
    moved = [float(row[losses.split()[-1]]) for row in found]
    assert len(set(moved)) > 1 or "identity 0" in flags


def test_colorization_trains(data, tmp_path):
    pytest.importorskip("skimage")
    flags = f"--model colorization {ONE} --print_freq 1 --display_freq 1 --update_html_freq 1 --norm instance"
    argv = command(data, tmp_path, "run", flags)
    argv.remove("--no_html")
    assert train(argv) == 0
    folder = tmp_path / "run"
    assert {re.sub(r"epoch001_|\.png", "", name) for name in names(folder / "web" / "images", "*")} == {
        "real_A", "real_B_rgb", "fake_B_rgb",
    }  # fmt: skip
    assert load_state(folder / "latest_net_G.pth")["model.1.weight"].shape[1] == 1
    assert load_state(folder / "latest_net_D.pth")["model.0.weight"].shape[1] == 3


@pytest.mark.parametrize("model", ["pix2pix", "cycle_gan"])
def test_pictures_of_five_channels_train(tmp_path, model):
    rng = np.random.default_rng(0)
    for side, width in (("train", 40), ("trainA", 20), ("trainB", 20)):
        (tmp_path / "data" / side).mkdir(parents=True)
        for i in range(3):
            np.save(tmp_path / "data" / side / f"{i}.npy", rng.random((20, width, 5), np.float32))
    flags = f"--model {model} --input_nc 5 --output_nc 5 --display_freq 1 --update_html_freq 1 {ONE}"
    argv = command(tmp_path / "data", tmp_path, "run", flags)
    argv.remove("--no_html")
    assert train(argv) == 0
    name = {"pix2pix": "G", "cycle_gan": "G_A"}[model]
    assert load_state(tmp_path / "run" / f"latest_net_{name}.pth")["model.1.weight"].shape[1] == 5
    assert names(tmp_path / "run" / "web" / "images", "*real_A.png")


def test_verbose_prints_the_layers(data, tmp_path, capsys):
    assert train(command(data, tmp_path, "run", "--model pix2pix", ONE)) == 0
    assert "ReflectionPad2d" not in capsys.readouterr().out
    assert train(command(data, tmp_path, "verbose", "--model pix2pix --verbose", ONE)) == 0
    assert "ReflectionPad2d" in capsys.readouterr().out


def test_without_tensorboard_a_line_says_so(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    for module in [name for name in sys.modules if name.startswith("tensorboard.")]:
        monkeypatch.setitem(sys.modules, module, None)
    argv = command(data, tmp_path, "run", "--model pix2pix", ONE)
    argv.remove("--no_tensorboard")
    assert train(argv) == 0
    assert "pip install tensorboard" in capsys.readouterr().err
    assert not list((tmp_path / "run").glob("events*")) and (tmp_path / "run" / "latest_net_G.pth").exists()


# --- what goes wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_picture_is_named_once_and_skipped(tmp_path, capsys, workers):
    data = write_data(tmp_path / "data", 8)
    (data / "train" / "3.png").write_bytes(b"\x89PNG, or so it seems")
    flags = f"--model pix2pix --n_epochs 2 --n_epochs_decay 0 --print_freq 1 --num_threads {workers}"
    assert train(command(data, tmp_path, "run", flags)) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "3.png" in line]
    assert len(told) == 1 and told[0].startswith("Skipped: ")
    assert len(rows(tmp_path / "run")) == 16


@pytest.mark.parametrize("workers", [0, 1])
def test_nothing_but_damaged_pictures_is_one_line(tmp_path, capsys, workers):
    data = write_data(tmp_path / "data", 3)
    for path in data.glob("train/*.png"):
        path.write_bytes(b"")
    assert train(command(data, tmp_path, "run", f"--model pix2pix --num_threads {workers}")) == 2
    error = last_error(capsys)
    assert error.startswith("error: none of the 3 pictures can be used: ") and len(error) < 300


@pytest.mark.parametrize("model", ["pix2pix", "cycle_gan"])
@pytest.mark.parametrize(
    "frequencies",
    [
        "--print_freq 1 --save_latest_freq 4",
        "--print_freq 1000 --save_latest_freq 4",  # the first step's weights, of 1e30, are numbers still
        "--print_freq 1000 --save_epoch_freq 1",
        "--print_freq 1000",
    ],
)
def test_losses_that_are_no_numbers_end_the_run_before_they_are_saved(data, tmp_path, capsys, model, frequencies):
    argv = command(data, tmp_path, "run", f"--model {model} --seed 1")
    assert train([*argv, *ONE.split()]) == 0
    before = contents(tmp_path / "run")
    capsys.readouterr()
    ruin = f"--continue_train --n_epochs 4 --lr 1e30 {frequencies}"
    assert train([*argv, *ruin.split()]) == 1
    assert "smaller --lr" in last_error(capsys)
    after = contents(tmp_path / "run")
    assert_same({**after, "losses.csv": ""}, {**before, "losses.csv": ""})


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--model cycle_gan --dataroot {data}/nothing", "there is no folder"),
        ("--model cycle_gan --phase val", "valA"),
        ("--model cut", "there is no --model 'cut'; choose from"),
        ("--dataset_mode films", "there is no --dataset_mode 'films'"),
        ("--model pix2pix --netG unet_128", "multiples of 128"),
        ("--model pix2pix --preprocess none --batch_size 5 --dataroot {mixed}", "differ in size"),
        ("--model cycle_gan --output_nc 1", "--lambda_identity 0"),
        ("--model pix2pix --netG unet_256 --load_size 140 --crop_size 128", "--crop_size 256, or --netG unet_128"),
        ("--model cycle_gan --crop_size 14", "multiples of 4, not --crop_size 14: say --crop_size 16"),
        ("--model pix2pix --preprocess scale_width --load_size 18 --crop_size 5", "gives back other sizes"),
        ("--model pix2pix --dataset_mode single", "needs an A and a B"),
        ("--epoch_count 0", "--epoch_count: expected a whole number above 0"),
        ("--lambda_A nan", "--lambda_A"),
        ("--alpha nocolour", "--alpha takes a colour"),
        ("--name what?", "no folder can have on Windows"),
        ("--model cycle_gan --dataroot {data}/trainA", "there is no folder"),
        ("--model pix2pix --dataroot {data}/train", "--dataroot is the folder above"),
        ("--dataroot horse2zebra", "bash datasets/download_cyclegan_dataset.sh horse2zebra"),
        ("--model pix2pix --dataroot facades", "bash datasets/download_pix2pix_dataset.sh facades"),
        ("--gpu_ids zero", "--gpu_ids takes numbers"),
        ("--name ../elsewhere", "--name"),
        ("--seed 99999999999999999999", "--seed"),
    ],
)
def test_wrong_input_is_one_line_and_writes_nothing(data, tmp_path, capsys, flags, says):
    mixed = tmp_path / "mixed"
    write_pictures(mixed / "train", 4, (40, 20))
    Image.new("RGB", (80, 40)).save(mixed / "train" / "wide.png")
    assert train(command(data, tmp_path / "place", "run", flags.format(data=data, mixed=mixed))) == 2
    assert says in last_error(capsys)
    assert not list(tmp_path.glob("place/**/*.pth"))


def test_crops_of_a_single_pixel_can_be_mirrored():
    """Torch takes no negative strides, and numpy takes the mirror image of one pixel for contiguous."""
    import argparse

    import preprocess

    opt = argparse.Namespace(preprocess="resize_and_crop", load_size=1, crop_size=1, no_flip=False, isTrain=True)
    tensor = preprocess.get_transform(opt, {"crop_pos": (0, 0), "flip": True})(np.zeros((3, 3, 3), np.uint8))
    assert tensor.shape == (3, 1, 1)


def test_going_on_from_an_iteration_says_from_where(data, tmp_path, capsys):
    argv = command(data, tmp_path, "run", "--model cycle_gan --seed 1 --save_latest_freq 3 --save_by_iter")
    assert train([*argv, *ONE.split()]) == 0
    capsys.readouterr()
    assert train([*argv, "--n_epochs", "2", "--n_epochs_decay", "0", "--continue_train", "--load_iter", "3"]) == 0
    assert "from networks alone" in capsys.readouterr().err


def test_missing_sides_and_odd_pairs_are_one_line(tmp_path, capsys):
    write_pictures(tmp_path / "half" / "trainA", 2)
    assert train(command(tmp_path / "half", tmp_path / "place", "run", "--model cycle_gan")) == 2
    assert "trainB" in last_error(capsys)
    (tmp_path / "half" / "trainB").mkdir()
    assert train(command(tmp_path / "half", tmp_path / "place", "run", "--model cycle_gan")) == 2
    assert "there are no pictures in" in last_error(capsys)
    write_pictures(tmp_path / "odd" / "train", 2, (41, 20))
    assert train(command(tmp_path / "odd", tmp_path / "place", "run", "--model pix2pix")) == 2
    assert "41 pixels wide" in last_error(capsys)
    assert train(["--name", "x"]) == 2
    assert "--dataroot" in last_error(capsys)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_pictures_too_small_for_the_networks_are_one_line(tmp_path, capsys, norm):
    write_pictures(tmp_path / "data" / "train", 2, (8, 4))
    flags = f"--model pix2pix --preprocess none --netD basic --norm {norm}"
    assert train(command(tmp_path / "data", tmp_path, "run", flags)) == 2
    assert "too small" in last_error(capsys)


def test_other_errors_stay_what_they_are():
    with pytest.raises(ValueError, match="a bug"), run_training.explain_small_pictures():
        raise ValueError("a bug")
