"""Trainings as people start them: their files, their lines, and what they may begin with."""

from __future__ import annotations

import csv
import json
import re
import shutil

import numpy as np
import pytest
from runs import (
    FACES,
    files_in,
    make_picture,
    make_pictures,
    old_checkpoint,
    pixels_of,
    refused,
    tensors,
)
from trainings import LOSSES, PER_EPOCH, checkpoint_files

from architecture import Architecture, initial_weights, variable_shapes
from legacy import load_model
from pictures import grid_pixels
from sampler import Sampler
from shared_scripts.checkpoints_tf import save_checkpoint

# --- files and lines ----------------------------------------------------------------------------------------------


def test_files_of_the_fork(straight):
    run = straight("folder")
    assert run.checkpoints.name == "dots_3_16_16"
    assert files_in(run.checkpoints) == LOSSES | checkpoint_files("DCGAN.model-21", "DCGAN.model-41", "DCGAN.model-43")
    assert files_in(run.folder / "samples") == {
        "train_00_0019_iter_00000021.png",
        "train_01_0018_iter_00000041.png",
    }
    assert (run.checkpoints / "checkpoint").read_text().splitlines() == [
        'model_checkpoint_path: "DCGAN.model-43"',
        'all_model_checkpoint_paths: "DCGAN.model-21"',
        'all_model_checkpoint_paths: "DCGAN.model-41"',
        'all_model_checkpoint_paths: "DCGAN.model-43"',
    ]


def test_sheets_of_mnist_have_no_counter(straight):
    run = straight("mnist")
    assert run.checkpoints.name == "mnist_3_12_12"
    assert files_in(run.folder / "samples") == {"train_00_0019.png", "train_01_0018.png"}
    sheet = pixels_of(run.folder / "samples/train_01_0018.png")
    assert sheet.shape == (24, 24) and not sheet[12:, 12:].any() and sheet[12:, :12].any()  # three of four cells


@pytest.mark.parametrize("kind", ["folder", "mnist"])
def test_lines(straight, kind):
    lines = straight(kind).lines
    number = r"\d+\.\d{8}"
    step = 0
    for line in lines:
        if line.startswith("[Sample]"):
            assert re.fullmatch(rf"\[Sample\] d_loss: {number}, g_loss: {number}", line)
            assert step in (20, 40)
            continue
        epoch, batch = divmod(step, PER_EPOCH)
        front = f"Epoch: [{epoch:2d}/ 2] [{batch:4d}/  21] "
        assert line.startswith(front)
        assert re.fullmatch(rf"time: \d+\.\d{{4}}, d_loss: {number}, g_loss: {number}", line.removeprefix(front))
        step += 1
    assert step == 2 * PER_EPOCH and len(lines) == step + 2


def test_losses_as_csv(straight):
    run = straight("folder")
    rows = list(csv.DictReader((run.checkpoints / "losses.csv").open()))
    assert [row["step"] for row in rows] == ["10", "20", "30", "40"]
    printed = [line for line in run.lines if line.startswith("Epoch")]
    for row in rows:
        d_loss, g_loss = np.float32(row["d_loss"]), np.float32(row["g_loss"])
        assert printed[int(row["step"]) - 2].endswith(f"d_loss: {d_loss:.8f}, g_loss: {g_loss:.8f}")
        assert float(row["d_loss"]) == pytest.approx(float(row["d_loss_real"]) + float(row["d_loss_fake"]))


@pytest.mark.parametrize("kind", ["folder", "mnist"])
def test_a_sheet_shows_the_same_vectors_each_time(straight, kind):
    """The checkpoint of that moment makes it, of the vectors that the last one keeps; digits have the data's labels."""
    run = straight(kind)
    model = load_model(run.checkpoints / "DCGAN.model-41", [(16, 16), (12, 12)])
    last = tensors(run.checkpoints / "DCGAN.model-43")
    z, y = last["training/sample_z"], None
    assert z.shape == (3, 5) and (np.abs(z).max() > 1) == (kind == "mnist")  # normal or -1..1
    if kind == "mnist":
        order = np.arange(64)
        np.random.RandomState(547).shuffle(order)
        y = np.eye(10, dtype=np.float32)[np.r_[np.arange(50) % 10, np.arange(14) % 10][order[:3]]]
    expected = grid_pixels(Sampler(model.architecture, model.weights)(z, y), kind == "mnist").squeeze()
    (path,) = (run.folder / "samples").glob("train_01_0018*")
    assert np.abs(pixels_of(path).astype(int) - expected).max() <= 1


def test_what_a_checkpoint_holds(straight):
    """The newest has Adam and the position, older ones the networks, all by TensorFlow 1's names."""
    run = straight("folder")
    shapes = variable_shapes(Architecture(16, 16, 3, 5, 0, 4, 4))
    older, newest = (tensors(run.checkpoints / f"DCGAN.model-{step}") for step in (21, 43))
    assert older.keys() == shapes.keys() | {"training/epoch"} and len(shapes) == 48
    assert all(newest[name].shape == shape for name, shape in shapes.items())
    trained = [name for name in shapes if "moving" not in name]
    slots = {f"{name}/{slot}" for name in trained for slot in ("Adam", "Adam_1")}
    powers = {f"beta{i}_power{suffix}" for i in (1, 2) for suffix in ("", "_1")}
    others = newest.keys() - shapes.keys() - slots - powers
    assert slots | powers < newest.keys() and all(name.startswith("training/") for name in others)
    steps = 2 * PER_EPOCH
    assert newest["beta2_power"] == pytest.approx(0.999 ** (steps + 1), rel=1e-5)
    assert newest["beta2_power_1"] == pytest.approx(0.999 ** (2 * steps + 1), rel=1e-5)  # the generator steps twice


def test_rhythm_and_how_many_stay(train, tmp_path):
    status, _, err = train(
        "folder", *("--train_size", 12, "--sample_freq", 4, "--ckpt_freq", 3, "--max_to_keep", 2)
    )  # eight steps, the counter goes from 2 to 9
    assert status == 0 and "Done: checkpoint/dots_3_16_16/DCGAN.model-9." in err
    assert files_in(tmp_path / "samples") == {"train_00_0002_iter_00000004.png", "train_01_0002_iter_00000008.png"}
    folder = tmp_path / "checkpoint/dots_3_16_16"
    assert files_in(folder) == checkpoint_files("DCGAN.model-6", "DCGAN.model-9")
    assert '"DCGAN.model-3"' not in (folder / "checkpoint").read_text()


def test_a_damaged_old_checkpoint_stops_nothing(train, tmp_path):
    settings = ["--train_size", 12, "--ckpt_freq", 2, "--max_to_keep", 2]
    assert train("folder", *settings, "--epoch", 1)[0] == 0  # DCGAN.model-4 and DCGAN.model-5
    damaged = tmp_path / "checkpoint/dots_3_16_16/DCGAN.model-4.index"
    damaged.write_bytes(damaged.read_bytes()[:50])
    status, _, err = train("folder", *settings)
    assert status == 0 and "Done: checkpoint/dots_3_16_16/DCGAN.model-9." in err
    assert err.count("DCGAN.model-4.index is no TensorFlow checkpoint") == 1 and "it is left as it is" in err
    assert damaged.stat().st_size == 50


def test_a_folder_of_its_own(train, tmp_path):
    """The last version's names, numbers, lines and defaults."""
    status, out, err = train(
        "folder", "--train_size", 12, "--out_dir", "out", "--sample_freq", 3, "--G_img_sum", "--nocrop"
    )
    assert status == 0
    (folder,) = (tmp_path / "out").iterdir()
    assert re.fullmatch(r"\d{8}\.\d{6} - data\d+ - dots - x108\.z5\.uniform_signed\.y16\.b3", folder.name)
    assert f"the same command with --out_name '{folder.name}' without --train" in err
    assert files_in(folder / "checkpoint") == checkpoint_files("model.b3-8")
    assert files_in(folder / "samples") == {"train_00000003.png", "train_00000006.png"}
    lines = [line for line in out.splitlines() if "Epoch" in line]
    assert lines[0].startswith("[       1] Epoch: [ 0/ 2] [   0/   4] time: ")
    assert lines[7].startswith("[       8] Epoch: [ 1/ 2] [   3/   4] time: ")
    (events,) = (folder / "logs").iterdir()
    content = events.read_bytes()
    assert b"d_loss" not in content and content.count(b"\x89PNG") == 2  # rows come every tenth step
    text = (folder / "FLAGS.json").read_text()
    held = json.loads(text, parse_constant=pytest.fail)  # Infinity is no JSON
    assert list(held) == sorted(held) and '\n    "beta1": 0.5,\n' in text
    assert (held["crop"], held["dataset"], held["sample_dir"]) == (False, "dots", f"out/{folder.name}/samples")
    assert (held["G_img_sum"], held["train_size"], held["fps"]) == (True, 12.0, "24")
    assert {"epoch", "z_dist", "gen_json"} < set(held) and not {"own_folder", "command", "names"} & set(held)
    again = train("folder", "--train_size", 12, "--out_dir", "out", "--out_name", folder.name)
    refused(again, "has all its 2 epochs behind it")


@pytest.mark.parametrize(
    ("first", "shape"), [("L", (32, 32)), ("RGB", (32, 32, 3)), ("RGBA", (32, 32, 4))], ids=["grey", "rgb", "rgba"]
)
def test_a_folder_of_all_kinds(train, tmp_path, first, shape):
    """The first picture decides about colours; what is broken or too small is named, and others take its place."""
    folder = tmp_path / "data" / "mixed"
    for i, mode in enumerate([first, "RGB", "L", "RGBA", "1"]):
        make_picture(folder / f"{i}.png", mode, 30, 40, i)
    make_picture(folder / "5.jpg", "CMYK", 30, 40)
    make_picture(folder / "6.png", "RGB", 8, 8)
    whole = make_picture(folder / "2b.png", width=30, height=40).read_bytes()
    (folder / "2b.png").write_bytes(whole[: len(whole) // 2])
    flags = ["--dataset", "mixed", "--data_dir", "data", "--input_fname_pattern", "*.*g", "--epoch", 1]
    status, out, err = train("folder", *flags, "--crop", "--input_height", 20, "--sample_freq", 2, "--batch_size", 4)
    assert status == 0 and out.count("Epoch") == 2
    warnings = sorted(line for line in err.splitlines() if line.startswith("Warning"))
    assert len(warnings) == 2 and "2b.png" in warnings[0] and "6.png is 8x8, smaller than the crop" in warnings[1]
    assert pixels_of(tmp_path / "samples/train_00_0000_iter_00000002.png").shape == shape


@pytest.mark.parametrize("kind", ["folder", "mnist"])
def test_single_pictures(train, tmp_path, kind):
    """A batch of one: its variance over the pictures is nothing, and no number may come of it."""
    status, out, _ = train(kind, "--batch_size", 1, "--train_size", 3, "--epoch", 1, "--sample_freq", 1)
    assert status == 0 and out.count("Epoch") == 3 and "nan" not in out
    model = load_model(next((tmp_path / "checkpoint").iterdir()) / "DCGAN.model-4", [(16, 16), (12, 12)])
    assert Sampler(model.architecture, model.weights)(np.ones((1, 5)), np.eye(10)[:1]).std() > 0


def test_a_training_gone_wrong(train):
    refused(train("folder", "--learning_rate", 1e30), "the losses are no numbers", "smaller --learning_rate", status=1)


# --- other people's checkpoints, and other settings ---------------------------------------------------------------


@pytest.fixture
def faces(tmp_path):
    """A checkpoint such as the original's, where a user has it, and eight pictures."""
    make_pictures(tmp_path / "data" / "faces", 8, width=64, height=64)
    return old_checkpoint(tmp_path / "checkpoint" / "faces_4_64_64", 1234, FACES)


AS_FACES = ["--data_dir", "data", "--dataset", "faces", "--output_height", 64, "--epoch", 3]


@pytest.mark.parametrize("real", [False, True], ids=["made here", "the original's"])
def test_an_original_s_checkpoint_goes_on(train, faces, golden_path, real):
    for path in golden_path("checkpoint/faces_4_64_64").iterdir() if real else []:
        shutil.copyfile(path, faces / path.name)
    before = {path.name: path.read_bytes() for path in faces.glob("DCGAN*")}
    settings = ["--batch_size", 4, "--start_epoch", 2, "--ckpt_freq", 1, "--max_to_keep", 1]
    status, out, err = train("folder", *AS_FACES, *settings)
    assert status == 0 and out.count("Epoch: [ 2/ 3]") == out.count("Epoch") == 2
    assert "DCGAN.model-1234 has no optimiser's state: Adam begins anew." in err
    assert "DCGAN.model-1234, which does not say where it was: at the beginning of epoch 2." in err
    assert "stay those of the checkpoint: --z_dim 100 (not 5), --gf_dim 8 (not 4), --df_dim 8 (not 4)." in err
    assert {name: (faces / name).read_bytes() for name in before} == before  # --max_to_keep is for our own
    assert files_in(faces) == before.keys() | checkpoint_files("DCGAN.model-1236")
    after = tensors(faces / "DCGAN.model-1236")
    assert after["beta1_power"] == 0.5**3 and after["beta1_power_1"] == 0.5**5
    moved = np.abs(after["generator/g_h4/w"] - tensors(faces / "DCGAN.model-1234")["generator/g_h4/w"])
    assert 0 < moved.max() < 0.002  # four steps of 0.0002 at most, and not from scratch
    refused(train("folder", *AS_FACES, "--batch_size", 4), "has all its 3 epochs behind it")


def test_a_checkpoint_of_another_batch_size(train, faces, tmp_path):
    status, _, err = train("folder", *AS_FACES, "--batch_size", 2, "--epoch", 1, "--train_size", 2)
    assert status == 0
    assert "Reading checkpoint/faces_4_64_64/DCGAN.model-1234 (made with --batch_size 4)." in err
    assert files_in(tmp_path / "checkpoint/faces_2_64_64") >= {"DCGAN.model-1235.index", "checkpoint"}
    refused(train("folder", *AS_FACES, "--start_epoch", 3, "--batch_size", 4), "has all its 3 epochs behind it")


def test_our_checkpoint_with_another_batch_size(straight, train, tmp_path):
    """Adam goes on; the epoch begins anew."""
    shutil.copytree(straight("folder").checkpoints, tmp_path / "checkpoint/dots_3_16_16")
    status, _, err = train("folder", "--batch_size", 4, "--train_size", 8, "--epoch", 3)
    assert status == 0 and "Adam begins anew" not in err
    assert "which ran with other data or another --batch_size: at the beginning of epoch 2." in err
    after = tensors(tmp_path / "checkpoint/dots_4_16_16/DCGAN.model-45")
    assert after["beta2_power"] == pytest.approx(0.999**45, rel=1e-5)


def test_a_very_old_checkpoint_is_trained_on(train, tmp_path):
    """Early ones have neither prefixes nor moving statistics."""
    weights = initial_weights(Architecture(16, 16, 3, 5, 0, 4, 4), 2)
    old = {name.split("/", 1)[1]: value for name, value in weights.items() if "moving" not in name}
    save_checkpoint(tmp_path / "checkpoint/dots_3/DCGAN.model-500", old)
    status, _, err = train("folder", "--train_size", 6, "--epoch", 1)
    assert status == 0 and "DCGAN.model-500" in err
    after = tensors(tmp_path / "checkpoint/dots_3_16_16/DCGAN.model-502")
    assert after.keys() > weights.keys() and after["generator/g_bn0/moving_mean"].any()


def test_checkpoints_that_do_not_fit(train, faces, tmp_path):
    """Each is told in a line, and nothing is changed."""
    mnist = tmp_path / "checkpoint/mnist_4_12_12"
    shutil.copytree(faces, mnist)
    generator = {n: v for n, v in tensors(faces / "DCGAN.model-1234").items() if n.startswith("generator/")}
    save_checkpoint(tmp_path / "half" / "faces_4_64_64" / "DCGAN.model-7", generator)
    shutil.copytree(faces, tmp_path / "cut" / "faces_4_64_64")
    with open(tmp_path / "cut/faces_4_64_64/DCGAN.model-1234.data-00000-of-00001", "r+b") as file:
        file.truncate(500_000)
    make_pictures(tmp_path / "data" / "grey", 8, mode="L")
    shutil.copytree(faces, tmp_path / "checkpoint/grey_4_64_64")
    before = files_in(tmp_path)
    named = ["--checkpoint_name", "DCGAN.model-9"]
    for words, kind, flags in (
        (["makes pictures of 64x64 with 3 channels", "64x64 with 1;"], "folder", ["--dataset", "grey"]),
        (["pictures of 64x64 with 3 channels", "12x12 with 1;"], "mnist", ["--checkpoint_name", "DCGAN.model-1234"]),
        (["holds a generator alone"], "folder", ["--checkpoint_dir", "half"]),
        (["damaged or cut short"], "folder", ["--checkpoint_dir", "cut"]),
        (["there is no checkpoint DCGAN.model-9", "DCGAN.model-1234"], "folder", named),
        (["there is no checkpoint DCGAN.model-9"], "folder", [*named, "--checkpoint_dir", "none"]),
    ):
        usual = AS_FACES if kind == "folder" else []
        refused(train(kind, *usual, "--batch_size", 4, *flags), *words)
        assert files_in(tmp_path) == before and not (tmp_path / "samples").exists()
