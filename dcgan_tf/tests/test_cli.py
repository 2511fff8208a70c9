"""The command line: every flag and spelling of the original's versions, and everything people get wrong."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from runs import (
    FACES,
    PROJECT,
    call,
    files_in,
    make_mnist,
    make_picture,
    make_pictures,
    old_checkpoint,
    pixels_of,
    refused,
    write_idx,
)

import options
from sources import open_source

TABLE = {
    "epoch": 25, "learning_rate": 0.0002, "beta1": 0.5, "train_size": math.inf, "batch_size": 64,
    "input_height": 108, "input_width": 108, "output_height": 64, "output_width": 64, "dataset": "celebA",
    "data_dir": Path("data"), "input_fname_pattern": "*.jpg", "checkpoint_dir": Path("checkpoint"),
    "sample_dir": Path("samples"), "train": False, "crop": False, "visualize": False, "out_dir": None,
    "out_name": None, "z_dim": 100, "z_dist": "uniform_signed", "export": False, "freeze": False,
    "G_img_sum": False, "start_epoch": 0, "gen_json": None, "checkpoint_name": None, "input_seed_path": None,
    "walk_rand_seed": None, "walk_num": 2700, "max_jump_step": 0.03, "min_jump_step": None, "interp_json": None,
    "sin_cycle_json": None, "generation_mode": None, "model": None, "option": None, "max_to_keep": 40,
    "sample_freq": None, "ckpt_freq": None, "fps": Fraction(24), "reference_exact": False, "seed": None,
}  # fmt: skip


def parse(line: str):
    return options.parse(line.split())


# --- what flags mean ----------------------------------------------------------------------------------------------


def test_defaults_are_the_originals():
    flags = vars(options.parse([]))
    assert {name: flags[name] for name in TABLE} == TABLE
    assert flags["own_folder"] is None and flags["any_dataset"] and flags["any_size"]


VALUES = {
    "epoch": 3, "learning_rate": 0.01, "beta1": 0.9, "train_size": 7.0, "batch_size": 5, "input_height": 90,
    "input_width": 80, "output_height": 32, "output_width": 48, "dataset": "Contempt", "data_dir": Path("pictures"),
    "input_fname_pattern": "Persona-*.jpg", "checkpoint_dir": Path("c"), "sample_dir": Path("s"), "train": True,
    "crop": True, "visualize": True, "z_dim": 6, "z_dist": "normal01", "export": True, "freeze": True,
    "G_img_sum": True, "start_epoch": 2, "gen_json": Path("a.json"), "checkpoint_name": "DCGAN.model-183502",
    "input_seed_path": Path("v.json"), "walk_rand_seed": 9, "walk_num": 30, "max_jump_step": 0.5,
    "min_jump_step": 0.25, "interp_json": Path("i.json"), "sin_cycle_json": Path("t.json"), "generation_mode": 16,
    "max_to_keep": 3, "sample_freq": 10, "ckpt_freq": 11, "model": "gan", "option": 4,
}  # fmt: skip


@pytest.mark.parametrize("spelling", ["--{}={}", "--{} {}", "-{}={}", "-{} {}"])
def test_every_flag_takes_its_value_as_the_original_s_do(spelling):
    words = " ".join(spelling.format(name, value) for name, value in VALUES.items())
    flags = vars(parse(words))
    assert {name: flags[name] for name in VALUES} == VALUES
    assert VALUES.keys() | {"out_dir", "out_name", "fps", "reference_exact", "seed"} == TABLE.keys()


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("--is_train", "train", True),
        ("--is_train True", "train", True),
        ("--train=True", "train", True),
        ("-train", "train", True),
        ("--train true --notrain", "train", False),
        ("--nois_train", "train", False),
        ("--train=False", "train", False),
        ("--crop", "crop", True),
        ("--is_crop", "crop", True),
        ("--is_crop=true", "crop", True),
        ("--crop False", "crop", False),
        ("--crop=False", "crop", False),
        ("--crop False --reference_exact", "crop", True),
        ("--reference_exact=True --is_crop false", "crop", True),
        ("--reference_exact --crop=False", "crop", False),
        ("--reference_exact --nocrop", "crop", False),
        ("--crop False --reference_exact False", "crop", False),
        ("--reference_exact False", "reference_exact", False),
        ("--reference_exact False", "stretch", False),
        ("--reference_exact", "stretch", True),
        ("--image_size 96", "input_height", 96),
        ("--image_size=96", "input_width", 96),
        ("--output_size 48", "output_height", 48),
        ("--output_size 48", "output_width", 48),
        ("--output_width 48", "output_height", 48),
        ("--input_height 90 --input_width 70", "input_width", 70),
        ("--c_dim 1", "c_dim", 1),
        ("--generate_test_images 20", "z_dim", 20),
        ("--dataset mnist", "output_height", 28),
        ("--dataset mnist --output_height=32", "output_width", 32),
        ("--train_size inf", "train_size", math.inf),
        ("--gpu_ids -1", "device", "cpu"),
        ("--gpu_ids 1,2", "device", "gpu:1"),
        ("--gpu_ids 1 --device cpu", "device", "cpu"),
        ("--fps 24000/1001", "fps", Fraction(24000, 1001)),
        ("--generation_mode 2 --loop", "loop", 48),
        ("--generation_mode 2 --loop --fps 60", "loop", 120),
        ("--generation_mode 2 --loop 12", "loop", 12),
    ],
)
def test_spellings(line, name, value):
    assert getattr(parse(line), name) == value


def test_the_published_commands():
    """As the README of the original and of the fork have them."""
    flags = parse("--dataset celebA --input_height=108 --train --crop")
    assert flags.train and flags.crop and (flags.input_height, flags.output_height, flags.batch_size) == (108, 64, 64)
    flags = parse("--dataset mnist --input_height=28 --output_height=28 --train")
    assert flags.train and (flags.dataset, flags.output_height, flags.output_width) == ("mnist", 28, 28)
    flags = options.parse(
        "--dataset celebA --is_train True --is_crop True --image_size 108 --output_size 64 --c_dim 3".split()
    )
    assert flags.train and flags.crop
    flags = options.parse(
        [*"--dataset Contempt --data_dir ./data --input_height 128 --output_height 128 --batch_size 16".split(),
         "--input_fname_pattern", "Persona-*.jpg", "--checkpoint_name", "DCGAN.model-183502", "--generation_mode", "1"]
    )  # fmt: skip
    assert not flags.train and flags.generation_mode == 1 and flags.input_fname_pattern == "Persona-*.jpg"


def test_paths_with_backslashes_and_variables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PICTURES", "my")
    (tmp_path / "my" / "data").mkdir(parents=True)
    flags = options.parse(["--data_dir", "$PICTURES\\data", "--gen_json", "my\\film.json", "--sample_dir", "a\\b"])
    assert flags.data_dir == Path("my/data") and flags.gen_json == Path("my/film.json")
    assert flags.sample_dir == Path("a/b")


# --- the last version's folder ------------------------------------------------------------------------------------


def test_a_folder_for_everything(tmp_path):
    flags = options.parse(["--out_dir", str(tmp_path), "--out_name", "run 1", "--train"])
    assert flags.own_folder == tmp_path / "run 1"
    assert (flags.checkpoint_dir, flags.sample_dir) == (flags.own_folder / "checkpoint", flags.own_folder / "samples")
    assert (flags.max_to_keep, flags.sample_freq, flags.ckpt_freq) == (1, 200, 200)
    assert parse("--out_name x").own_folder == Path("out/x")
    assert parse("--out_name x --ckpt_freq 5").ckpt_freq == 5
    away = options.parse(["--out_name", "x", "--checkpoint_dir", str(tmp_path / "c")])
    assert away.checkpoint_dir == tmp_path / "c" and away.sample_dir == Path("out/x/samples")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("", r"\d{8}\.\d{6} - pictures - celebA"),
        (
            "--train --input_height 90 --output_height 48 --z_dim 7 --z_dist normal01 --batch_size 3",
            r"\d{8}\.\d{6} - pictures - celebA - x90\.z7\.normal01\.y48\.b3",
        ),
    ],
)
def test_the_folder_s_own_name(tmp_path, line, name):
    flags = options.parse([*line.split(), "--out_dir", str(tmp_path), "--data_dir", str(tmp_path / "pictures")])
    assert re.fullmatch(name, flags.own_folder.name) and flags.own_folder.parent == tmp_path


# --- what cannot be meant -----------------------------------------------------------------------------------------

WRONG = {
    "--bogus 3": "unrecognized arguments: --bogus",
    "--epochs 3": "--epochs",
    "--trai": "--trai",
    "celebA": "unrecognized arguments: celebA",
    "--train maybe": "expected TRUE or FALSE, not 'maybe'",
    "--epoch 0": "--epoch must be at least 1, not 0",
    "--epoch two": "--epoch: invalid int value: 'two'",
    "--batch_size -4": "--batch_size must be at least 1",
    "--z_dim 0": "--z_dim must be",
    "--output_height 0": "--output_height must be",
    "--input_width=-1": "--input_width must be",
    "--max_to_keep 0": "--max_to_keep must be",
    "--ckpt_freq 0": "--ckpt_freq must be",
    "--train_size 0": "expected a number of images, not '0'",
    "--train_size nan": "expected a number of images",
    "--train_size many": "expected a number of images, not 'many'",
    "--learning_rate 0": "--learning_rate must be above 0",
    "--learning_rate nan": "expected a finite number",
    "--beta1 1": "--beta1 must be at least 0 and below 1",
    "--option 5": "--option goes from 0 to 4, not 5",
    "--generation_mode 17": "--generation_mode goes from 1 to 16",
    "--label 10": "--label goes from 0 to 9",
    "--crf 52": "--crf goes from 0 to 51",
    "--seed -1": "--seed goes from 0",
    "--start_epoch -1": "--start_epoch must not be below 0",
    "--loop -3": "--loop must not be below 0",
    "--gpu_ids first": "--gpu_ids takes a number",
    "--z_dist uniform": "invalid choice: 'uniform'",
    "--model vae": "invalid choice: 'vae'",
    "--fps 0": "--fps must be above 0",
    "--fps fast": "--fps 'fast' is no number",
    "--video film.webm": "cannot write a film as 'film.webm'",
    "--video film.mp4": "--video is for films; --gen_json FILE or --generation_mode N make one",
    "--visualize --loop": "--loop is for films",
    "--train --gen_json a.json --keep_frames": "--keep_frames is for films",
    "--small": "--small goes with --export",
    "--dataset a/b": "must be a folder's name",
    "--dataset a\\b": "must be a folder's name",
    "--dataset ..": "must be a folder's name",
    "--gen_json nowhere.json": "there is no film script nowhere.json",
    "--generation_mode 6": "--input_seed_path",
    "--model gan --dataset celebA": "--model gan is for MNIST",
    "--train": "there is no folder data",
    "--train --dataset mnist": "there is no folder data/mnist",
}


@pytest.mark.parametrize("line", WRONG)
def test_wrong_flags_are_one_line(line, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = call(capsys, *line.split())
    refused(outcome, WRONG[line])
    assert outcome[1] == "" and len(outcome[2].splitlines()) == 1
    assert not files_in(tmp_path) and not list(tmp_path.iterdir())


def test_no_tensorflow_for_help_and_mistakes(tmp_path):
    """It takes seconds to import; all of this is answered at once."""
    script = f"""if True:
        import sys
        sys.path.insert(0, {str(PROJECT)!r})
        import main
        for line in {["--help", *WRONG]!r}:
            try:
                main.main(line.split())
            except (Exception, SystemExit):
                pass
            else:
                sys.exit(line + " was taken")
            if "tensorflow" in sys.modules:
                sys.exit(line + " imports TensorFlow")
    """
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(f"--{name}" in done.stdout for name in TABLE)


def test_unknown_flags_end_the_process_with_status_2(tmp_path):
    done = subprocess.run(
        [sys.executable, PROJECT / "main.py", "--bogus"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: unrecognized arguments: --bogus (all flags: python main.py --help)\n"


# --- data ---------------------------------------------------------------------------------------------------------


def no_folder(data: Path) -> None:
    make_pictures(data / "faces", 1)
    make_pictures(data / "dogs", 1)


def too_few(data: Path) -> None:
    make_pictures(data / "face", 3)


def all_broken(data: Path) -> None:
    for i in range(4):
        make_picture(data / "face" / f"p{i}.png").write_bytes(b"\x89PNG no more")


def all_small(data: Path) -> None:
    make_pictures(data / "face", 4)


def nothing_inside(data: Path) -> None:
    (data / "face").mkdir(parents=True)


@pytest.mark.parametrize(
    ("build", "line", "words"),
    [
        (no_folder, "", ["there is no data set 'face'", "did you mean --dataset faces?"]),
        (nothing_inside, "", ["there are no files in"]),
        (too_few, "--input_fname_pattern *.jpg", ["matches '*.jpg'", ".png (3)", "--input_fname_pattern '*.png'"]),
        (too_few, "", ["less than the configured batch_size: 3 pictures, --batch_size 4"]),
        (all_small, "--train_size 2", ["less than the configured batch_size: 2 pictures, --batch_size 4"]),
        (all_broken, "", ["p3.png is not a picture in a format"]),
        (all_small, "--crop --input_height 30", ["none of 4 pictures", "18x20, smaller than the crop of 30x30"]),
    ],
)
def test_data_that_will_not_do(build, line, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    build(tmp_path / "data")
    before = files_in(tmp_path)
    flags = "--train --dataset face --batch_size 4 --input_fname_pattern *.png --output_height 16"
    refused(call(capsys, *flags.split(), *line.split()), *words)
    assert files_in(tmp_path) == before and {p.name for p in tmp_path.iterdir()} == {"data"}


def cut(folder: Path) -> None:
    file = folder / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-5])


def fewer_labels(folder: Path) -> None:
    write_idx(folder / "t10k-labels-idx1-ubyte", np.zeros(3, np.uint8))


@pytest.mark.parametrize(
    ("damage", "line", "words"),
    [
        (cut, "", ["train-images-idx3-ubyte is cut short"]),
        (fewer_labels, "", ["4 images", "3 labels"]),
        (lambda folder: None, "--output_height 28", ["MNIST's pictures are 12x12: say --output_height 12"]),
        (lambda folder: None, "--batch_size 64", ["12 pictures, --batch_size 64"]),
    ],
)
def test_mnist_that_will_not_do(damage, line, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    damage(make_mnist(tmp_path / "data" / "mnist", 8, 4, 12))
    refused(call(capsys, *"--train --dataset mnist --batch_size 4 --output_height 12".split(), *line.split()), *words)
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_sources_give_what_the_flags_ask_for(tmp_path):
    make_pictures(tmp_path / "faces", 5, width=30, height=26)
    words = ["--data_dir", str(tmp_path), "--dataset", "faces", "--batch_size", "2", "--input_fname_pattern", "*.png"]
    same = "--crop --input_height 16 --input_width 20 --output_height 16 --output_width 20 --train_size 4"
    source = open_source(options.parse([*words, *same.split()]))
    assert (source.height, source.width, source.channels, source.y_dim, source.size) == (16, 20, 3, 0, 4)
    images, labels = source.first(2)
    assert labels is None
    np.testing.assert_allclose(images[1], pixels_of(tmp_path / "faces/p1.png")[5:21, 5:25] / 127.5 - 1, atol=1e-6)
    order = source.epoch_order(np.random.RandomState(3))
    assert len(order) == 4 and set(order) < set(range(5))
    batches = list(source.batches(order, 3, 0))
    assert len(batches) == 1 and np.array_equal(batches[0][0], source.pictures.read(order[:3]))


def test_mnist_s_noise_is_the_original_s(tmp_path):
    """It goes on from the numbers the digits were shuffled with; another --seed gives other noise."""
    make_mnist(tmp_path / "mnist", 8, 4, 12)
    flags = options.parse(["--data_dir", str(tmp_path), *"--dataset mnist --output_height 12 --batch_size 5".split()])
    source = open_source(flags)
    expected = np.random.RandomState(547)
    order = np.arange(12)
    expected.shuffle(order)
    labels = np.r_[np.arange(8), np.arange(4)] % 10
    assert np.array_equal(source.first(12)[1].argmax(1), labels[order])
    assert np.array_equal(source.random(None).uniform(size=3), expected.uniform(size=3))
    assert not np.array_equal(source.random(1).uniform(size=3), open_source(flags).random(None).uniform(size=3))
    assert [len(y) for _, y in source.batches(source.epoch_order(expected), 5, 0)] == [5, 5]
    assert np.array_equal(next(source.batches(np.arange(12), 5, 1))[1], source.first(10)[1][5:])


# --- in a process of its own --------------------------------------------------------------------------------------


def test_from_the_project_s_folder_with_a_windows_path(tmp_path):
    """`cd dcgan_tf; python main.py`: the pictures lie where --sample_dir says, and no data set is there."""
    old_checkpoint(tmp_path / "old" / "faces_4_64_64", 1234, FACES)
    home = os.path.relpath(tmp_path, PROJECT).replace("/", "\\")
    command = [sys.executable, "main.py", "--dataset", "faces", "--checkpoint_dir", f"{home}\\old", "--num_images", "2"]
    done = subprocess.run(
        [*command, "--sample_dir", f"{home}\\new\\samples", "--samples=single"],
        cwd=PROJECT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "" and "DCGAN.model-1234: 64x64 RGB, 100 latent numbers. Computing on " in done.stderr
    assert len(list((tmp_path / "new" / "samples").glob("test_*_00[01].png"))) == 2
