"""The tools that make data sets of pictures people have, through the command line, with good input and bad."""

from __future__ import annotations

import importlib
import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared_scripts import cli

DATASETS = Path(__file__).resolve().parent.parent / "datasets"
sys.path.insert(0, str(DATASETS))  # as for a script that is started there


def run(script, *words, cwd) -> subprocess.CompletedProcess:
    """A script's main in this process, with everything around it as on a command line."""
    out, err = io.StringIO(), io.StringIO()
    arguments, here = sys.argv, os.getcwd()
    main = importlib.import_module(script.removesuffix(".py")).main
    sys.argv = [script, *map(str, words)]
    os.chdir(cwd)
    try:
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            cli.run(main)
    finally:
        sys.argv = arguments
        os.chdir(here)
    return subprocess.CompletedProcess(words, ended.value.code, out.getvalue(), err.getvalue())


def start(script, *words, cwd) -> subprocess.CompletedProcess:
    """The script as a process of its own."""
    command = [sys.executable, str(DATASETS / script), *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)


def picture(path: Path, seed: int = 0, width: int = 12, height: int = 8, mode: str = "RGB") -> np.ndarray:
    """Write a picture of noise; its pixels as RGB."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels).convert(mode)
    image.save(path, **({"quality": 95} if path.suffix == ".jpg" else {}))
    return np.array(Image.open(path).convert("RGB"))


def read(path: Path) -> np.ndarray:
    return np.array(Image.open(path))


def made(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def refused(result, *words: str, status: int = 2) -> None:
    assert result.returncode == status, result
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ") and all(word in line for word in words), line


@pytest.mark.parametrize("script", ["combine_A_and_B.py", "make_dataset_aligned.py", "prepare_cityscapes_dataset.py"])
def test_started_from_anywhere(script, tmp_path):
    result = start(script, "--help", cwd=tmp_path)
    assert result.returncode == 0 and script in result.stdout and result.stderr == ""
    result = start(script, "--nonsense", cwd=tmp_path)
    refused(result, "error: ")


# --- combine_A_and_B.py -------------------------------------------------------------------------------------------


def combine(cwd: Path, *words) -> subprocess.CompletedProcess:
    return run("combine_A_and_B.py", "--fold_A", "a", "--fold_B", "b", "--fold_AB", "ab", *words, cwd=cwd)


@pytest.fixture
def folders(tmp_path) -> Path:
    for split, names in (("train", ("1.png", "2.png", "10.png")), ("val", ("x.png",))):
        for seed, name in enumerate(names):
            picture(tmp_path / "a" / split / name, seed)
            picture(tmp_path / "b" / split / name, seed + 100)
    return tmp_path


def test_a_is_left_and_b_is_right(folders):
    result = combine(folders)
    assert (result.returncode, result.stderr) == (0, ""), result
    assert "train: 3 pairs" in result.stdout and "4 written" in result.stdout
    assert made(folders / "ab") == ["train/1.png", "train/10.png", "train/2.png", "val/x.png"]
    for name in made(folders / "ab"):
        expected = np.concatenate([read(folders / "a" / name), read(folders / "b" / name)], axis=1)
        np.testing.assert_array_equal(read(folders / "ab" / name), expected)


def test_every_kind_of_picture_becomes_colour(tmp_path):
    """Grey, palette, transparent and 16-bit halves: 8-bit RGB in the end."""
    for i, mode in enumerate(("L", "P", "RGBA")):
        grey = picture(tmp_path / "a" / "train" / f"{i}.png", mode=mode)
        right = picture(tmp_path / "b" / "train" / f"{i}.png", seed=9)
        assert combine(tmp_path).returncode == 0
        np.testing.assert_array_equal(read(tmp_path / f"ab/train/{i}.png"), np.concatenate([grey, right], axis=1))
    deep = np.arange(96, dtype=np.uint16).reshape(8, 12) * 257
    Image.fromarray(deep).save(tmp_path / "a/train/0.png")
    assert combine(tmp_path).returncode == 0
    np.testing.assert_array_equal(read(tmp_path / "ab/train/0.png")[:, :12, 1], deep // 257)


def test_use_ab(tmp_path):
    for name, seed in (("1_A.png", 1), ("2_A.png", 2), ("1_B.png", 7), ("notes.png", 8)):
        picture(tmp_path / "both" / "train" / name, seed)
    picture(tmp_path / "both" / "train" / "2_B.png", 4)
    words = ["--fold_A", "both", "--fold_B", "both", "--fold_AB", "ab", "--use_AB"]
    result = run("combine_A_and_B.py", *words, cwd=tmp_path)
    assert result.returncode == 0 and made(tmp_path / "ab") == ["train/1.png", "train/2.png"], result
    expected = np.concatenate([read(tmp_path / f"both/train/1_{side}.png") for side in "AB"], axis=1)
    np.testing.assert_array_equal(read(tmp_path / "ab/train/1.png"), expected)


def test_num_imgs_takes_the_first_in_natural_order(folders):
    assert combine(folders, "--num_imgs", 2).returncode == 0
    assert made(folders / "ab") == ["train/1.png", "train/2.png", "val/x.png"]


def test_several_processes_make_the_same(tmp_path):
    for i in range(20):
        picture(tmp_path / "a" / "train" / f"{i}.jpg", i)
        picture(tmp_path / "b" / "train" / f"{i}.jpg", i + 50, width=13 if i == 7 else 12)
    words = ["--fold_A", "a", "--fold_B", "b", "--fold_AB"]
    many = start("combine_A_and_B.py", *words, "ab", cwd=tmp_path)
    one = start("combine_A_and_B.py", *words, "one", "--no_multiprocessing", cwd=tmp_path)
    assert many.returncode == one.returncode == 1
    assert many.stdout == one.stdout and many.stderr == one.stderr and "7.jpg" in one.stderr
    assert len(made(tmp_path / "ab")) == 19 and made(tmp_path / "ab") == made(tmp_path / "one")
    for name in made(tmp_path / "ab"):
        assert (tmp_path / "ab" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_bad_pictures_are_named_and_the_others_done(folders):
    picture(folders / "b/train/2.png", 3, width=13)
    whole = (folders / "a/train/10.png").read_bytes()
    (folders / "a/train/10.png").write_bytes(whole[: len(whole) // 2])
    result = combine(folders)
    assert result.returncode == 1
    first, second = sorted(result.stderr.splitlines())
    assert "a/train/10.png" in first and "damaged" in first
    assert "a/train/2.png and b/train/2.png" in second and "12x8 and 13x8" in second
    assert made(folders / "ab") == ["train/1.png", "val/x.png"] and "2 of 4 failed" in result.stdout


def test_missing_partners_are_told(folders):
    (folders / "b/train/2.png").unlink()
    picture(folders / "b/train/only_b.png")
    result = combine(folders)
    assert result.returncode == 0, result
    (line,) = result.stderr.splitlines()
    assert "train: 1 of A" in line and "2.png" in line
    assert made(folders / "ab") == ["train/1.png", "train/10.png", "val/x.png"]


def test_what_is_there_already_is_told(folders):
    assert combine(folders).returncode == 0
    before = (folders / "ab/train/2.png").stat().st_mtime_ns
    picture(folders / "b/train/1.png", 77)
    result = combine(folders)
    assert result.returncode == 0 and "0 written, 1 replaced" in result.stdout and "3 unchanged" in result.stdout, (
        result
    )
    assert (folders / "ab/train/2.png").stat().st_mtime_ns == before


def test_windows_paths(folders):
    words = ["--fold_A", ".\\a", "--fold_B", ".\\b", "--fold_AB", "ab"]
    assert run("combine_A_and_B.py", *words, cwd=folders).returncode == 0
    assert len(made(folders / "ab")) == 4


def test_folders_that_do_not_fit(folders):
    refused(combine(folders, "--fold_A", "none"), "no folder none")
    refused(combine(folders, "--fold_B", "none"), "no folder none")
    refused(combine(folders, "--fold_AB", "a"), "--fold_AB", "originals")
    refused(combine(folders, "--fold_A", "a/train"), "a/train", "train, val or test")
    refused(combine(folders, "--num_imgs", "0"), "--num_imgs")
    picture(folders / "a/test/y.png")
    refused(combine(folders), "a has a folder test", "b has none")
    assert not (folders / "ab").exists()


def test_nothing_to_combine(tmp_path):
    picture(tmp_path / "a/train/1.png")
    picture(tmp_path / "b/train/2.png")
    result = combine(tmp_path)
    assert result.returncode == 2 and "no pairs" in result.stderr.splitlines()[-1]


# --- make_dataset_aligned.py --------------------------------------------------------------------------------------


@pytest.fixture
def unaligned(tmp_path) -> Path:
    for phase, names in (("train", "cab"), ("test", "x")):
        for i, name in enumerate(names):
            picture(tmp_path / f"{phase}A" / f"{name}.png", i, 48, 32)
            picture(tmp_path / f"{phase}B" / f"other{name}.jpg", i + 9, 48, 32)
    return tmp_path


def align(folder: Path) -> subprocess.CompletedProcess:
    return run("make_dataset_aligned.py", "--dataset-path", folder, cwd=folder.parent)


def test_partners_in_sorted_order(unaligned):
    result = align(unaligned)
    assert (result.returncode, result.stderr) == (0, ""), result
    assert [name for name in made(unaligned) if "A/" not in name and "B/" not in name] == [
        "test/0000.jpg", "train/0000.jpg", "train/0001.jpg", "train/0002.jpg",
    ]  # fmt: skip
    for i, name in enumerate("abc"):
        found = read(unaligned / f"train/{i:04d}.jpg").astype(float)
        left, right = read(unaligned / f"trainA/{name}.png"), read(unaligned / f"trainB/other{name}.jpg")
        expected = np.concatenate([left, right], axis=1)
        others = np.abs(found - np.concatenate([right, left], axis=1)).mean()
        # noise is what a JPEG keeps worst, but it is nowhere near another picture
        assert found.shape == (32, 96, 3) and np.abs(found - expected).mean() < 0.6 * others


def test_without_test_folders_train_alone(unaligned):
    for side in "AB":
        (unaligned / f"test{side}").rename(unaligned / f"val{side}")
    result = align(unaligned)
    assert result.returncode == 0 and "no testA" in result.stdout and (unaligned / "train/0002.jpg").is_file(), result


def test_counts_and_folders_that_do_not_fit(unaligned, tmp_path):
    (unaligned / "trainA/a.png").unlink()
    refused(align(unaligned), "trainA has 2", "trainB has 3")
    (unaligned / "testB").rename(unaligned / "gone")
    picture(unaligned / "trainA/a.png", width=48, height=32)
    refused(align(unaligned), "no folder", "testB")
    (unaligned / "testB").mkdir()
    refused(align(unaligned), "no pictures", "testB")
    assert not (unaligned / "train").exists()
    refused(align(tmp_path / "none"), "no folder")


def test_pairs_of_two_sizes_are_named(unaligned):
    picture(unaligned / "trainB/otherb.jpg", width=40)
    result = align(unaligned)
    refused(result, "trainA", "b.png", "otherb.jpg", "40x8", status=1)
    assert (unaligned / "train/0002.jpg").is_file() and not (unaligned / "train/0001.jpg").exists()


# --- prepare_cityscapes_dataset.py --------------------------------------------------------------------------------

SCENES = {"train": ["ulm/ulm_1", "aachen/aachen_2", "aachen/aachen_10"], "val": ["bonn/bonn_1"]}
PHOTO, LABEL = "_leftImg8bit.png", "_gtFine_color.png"


@pytest.fixture
def cityscapes(tmp_path) -> Path:
    """A small one, with the originals' names and aspect; its colour labels have an alpha channel."""
    seed = 0
    for split, names in SCENES.items():
        for name in names:
            seed += 1
            picture(tmp_path / "leftImg8bit" / split / f"{name}{PHOTO}", seed, 64, 32)
            picture(tmp_path / "gtFine" / split / f"{name}{LABEL}", seed + 50, 64, 32, "RGBA")
            picture(tmp_path / "gtFine" / split / f"{name}_gtFine_labelIds.png", 0, 64, 32, "L")
    return tmp_path


def prepare(folder: Path, *words) -> subprocess.CompletedProcess:
    flags = ["--gtFine_dir", "gtFine/", "--leftImg8bit_dir", "leftImg8bit/", "--output_dir", "out"]
    return run("prepare_cityscapes_dataset.py", *flags, *words, cwd=folder)


@pytest.mark.parametrize("resample", ["bicubic", "nearest"])
def test_cityscapes(cityscapes, resample):
    result = prepare(cityscapes, *(["--resample", resample] if resample == "nearest" else []))
    assert (result.returncode, result.stderr) == (0, ""), result
    names = [name for i in range(3) for name in (f"train/{i}.jpg", f"trainA/{i}_A.jpg", f"trainB/{i}_B.jpg")]
    assert made(cityscapes / "out") == sorted([*names, "test/0.jpg", "testA/0_A.jpg", "testB/0_B.jpg"])
    for i, name in enumerate(["aachen/aachen_10", "aachen/aachen_2", "ulm/ulm_1"]):  # sorted as texts
        parts = [cityscapes / "leftImg8bit/train" / f"{name}{PHOTO}", cityscapes / "gtFine/train" / f"{name}{LABEL}"]
        method = Image.Resampling[resample.upper()]
        small = [np.array(Image.open(part).convert("RGB").resize((256, 256), method)).astype(int) for part in parts]
        pair = Image.open(cityscapes / f"out/train/{i}.jpg")
        assert pair.size == (512, 256)
        assert [set(table) == {1} for table in pair.quantization.values()] == [True] * len(pair.quantization)
        assert [layer[1:3] for layer in pair.layer] == [(1, 1)] * 3, "4:4:4"
        assert np.abs(np.array(pair) - np.concatenate(small, axis=1)).max() <= 4  # what quality 100 leaves
        for side, pixels in zip("AB", small, strict=True):
            assert np.abs(read(cityscapes / f"out/train{side}/{i}_{side}.jpg") - pixels).max() <= 4


def test_a_label_that_is_missing_stops_it_before_it_begins(cityscapes):
    (cityscapes / f"gtFine/val/bonn/bonn_1{LABEL}").unlink()
    refused(prepare(cityscapes), "1 of 1", f"bonn_1{LABEL}")
    assert not (cityscapes / "out").exists()


def test_trees_that_are_not_there(cityscapes):
    refused(prepare(cityscapes, "--gtFine_dir", "x"), "x/train", "--gtFine_dir")
    refused(prepare(cityscapes, "--leftImg8bit_dir", "gtFine"), "no photographs", "gtFine/train")
    refused(prepare(cityscapes, "--leftImg8bit_dir", "leftImg8bit/train"), "--leftImg8bit_dir")
    refused(prepare(cityscapes, "--resample", "sharp"), "--resample")
    refused(run("prepare_cityscapes_dataset.py", cwd=cityscapes), "--gtFine_dir")
    assert not (cityscapes / "out").exists()


def test_a_damaged_scene_is_named_and_the_others_done(cityscapes):
    (cityscapes / f"gtFine/train/ulm/ulm_1{LABEL}").write_bytes(b"no picture")
    result = prepare(cityscapes)
    refused(result, f"ulm_1{LABEL}", status=1)
    assert len(made(cityscapes / "out")) == 9 and "1 of 4 failed" in result.stdout
