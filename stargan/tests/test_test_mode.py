"""Testing as it is run: which files it writes, what is in them, and what it says when something is wrong."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import PROJECT, golden_file, load_golden, weights_of
from PIL import Image
from tiny import (
    ATTRIBUTES,
    Script,
    cut,
    damage,
    files,
    paint,
    pixels,
    save_discriminator,
    save_generator,
    write_celeba,
    write_classes,
)

import main
import notes
import sheets
import test
from attributes import split

CELEBA = "--celeba_image_dir celeba/images --attr_path celeba/list_attr_celeba.txt --result_dir out"
HAIR = ATTRIBUTES[:3]


@pytest.fixture
def script(tmp_path, capsys, monkeypatch) -> Script:
    """test.py in a fresh folder."""
    monkeypatch.chdir(tmp_path)
    return Script(test.main, capsys)


@pytest.fixture
def caught(monkeypatch) -> dict[str, np.ndarray]:
    """The sheets as they are before JPEG changes them, by their files' names."""
    found, write = {}, sheets.write_image

    def write_and_keep(path, picture, **how):
        found[Path(path).name] = picture
        write(path, picture, **how)

    monkeypatch.setattr(sheets, "write_image", write_and_keep)
    return found


def changed(has: dict[str, int], name: str) -> list[float]:
    """The labels of a picture in the order of ATTRIBUTES, with one changed as the reference does for its sheets."""
    found = {key: has[key] for key in ATTRIBUTES}
    if name in HAIR:
        found |= {key: int(key == name) for key in HAIR}
    else:
        found[name] = 1 - found[name]
    return list(found.values())


def as_jpeg(picture: np.ndarray) -> np.ndarray:
    """A picture after JPEG of the reference's quality."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "jpeg", quality=75)
    return np.array(Image.open(file))


# --- what is painted ----------------------------------------------------------------------------------------------


def test_the_originals_run_from_files_to_files(script, caught, tmp_path):
    golden_file("e2e_test_celeba.npz")
    golden = load_golden("e2e_test_celeba")
    for key in golden:
        if key.startswith("images_in_attr_order/"):
            (tmp_path / "images").mkdir(exist_ok=True)
            Image.fromarray(golden[key]).save(tmp_path / "images" / key.split("/")[1])
    (tmp_path / "list.txt").write_text(str(golden["attr_file_text"]))
    (tmp_path / "models").mkdir()
    torch.save(weights_of(golden, "G/"), tmp_path / "models/7-G.ckpt")
    script.main = main.main
    script(
        str(golden["cli"]), "--celeba_image_dir images --attr_path list.txt --model_save_dir models --result_dir out"
    )
    prefix = "result_grid_u8_hwc_before_jpeg/"
    expected = {key.removeprefix(prefix): value for key, value in golden.items() if key.startswith(prefix)}
    assert files(tmp_path / "out") == {*expected} == {*caught}
    for name, grid in expected.items():
        assert caught[name].shape == grid.shape
        assert np.abs(caught[name].astype(int) - grid).max() <= 1
        assert np.abs(pixels(tmp_path / "out" / name).astype(int) - as_jpeg(grid)).max() <= 12
        assert script.out.count(f"Saved real and fake images into out/{name}...") == 1
    lines = script.out.splitlines()
    assert lines[0].startswith("Namespace(") and "test_iters=7" in lines[0]
    assert "Loading the trained models from step 7..." in lines
    assert lines.index("G") + 1 == lines.index("The number of parameters: 12028")


def test_every_attribute_of_every_picture(script, tmp_path):
    """Labels come in the command line's order, not in the file's."""
    has = write_celeba(tmp_path / "celeba")
    generator = save_generator(tmp_path / "stargan/models/200000-G.ckpt")
    script(CELEBA, "--image_size 16 --save_each --batch_size 3")  # everything else by default
    assert files(tmp_path / "out") == {
        "1-images.jpg",
        "2-images.jpg",
        *(f"{title}/{Path(name).stem}.png" for title in ATTRIBUTES for name in has),
    }
    for name, labels in has.items():
        x = cut(tmp_path / "celeba/images" / name, 178, 16)
        for title in ATTRIBUTES:
            made = pixels(tmp_path / f"out/{title}/{Path(name).stem}.png")
            assert np.abs(made.astype(int) - paint(generator, x, changed(labels, title))).max() <= 1
    x = cut(tmp_path / "celeba/images" / next(iter(has)), 178, 16)
    assert np.abs(paint(generator, x, [1, 0, 0, 0, 0]).astype(int) - paint(generator, x, [0, 1, 0, 0, 0])).max() > 9


def test_the_test_pictures_are_the_ones_kept_from_training(script, tmp_path):
    has = write_celeba(tmp_path / "celeba", 6)
    save_generator(tmp_path / "stargan/models/200000-G.ckpt")
    _, kept = split(list(has), 2)
    script(CELEBA, "--image_size 16 --test_images 2 --save_each")
    assert files(tmp_path / "out/Male") == {f"{Path(name).stem}.png" for name in kept}


def test_folders_of_classes(script, tmp_path):
    """Also two with the same name in two folders have their own results."""
    generator = save_generator(tmp_path / "models/9-G.ckpt", labels=3)
    write_classes(tmp_path / "data", ["sad", "angry", "happy"], each=2)
    script(
        "--dataset RaFD --rafd_image_dir data --rafd_crop_size 48 --image_size 16 --c_dim 3 --test_iters 9 --save_each",
        "--model_save_dir models --result_dir out --batch_size 4",
    )
    names = [f"{kind}_{number}" for kind in ("angry", "happy", "sad") for number in (1, 2)]
    assert files(tmp_path / "out", "*.jpg") == {"1-images.jpg", "2-images.jpg"}
    assert files(tmp_path / "out", "*/*") == {f"{title}/{n}.png" for title in ("angry", "happy", "sad") for n in names}
    assert pixels(tmp_path / "out/1-images.jpg").shape == (4 * 16, 4 * 16, 3)
    for name in names:
        x = cut(tmp_path / "data" / f"{name.replace('_', '/')}.png", 48, 16)
        for place, title in enumerate(["angry", "happy", "sad"]):
            made = pixels(tmp_path / f"out/{title}/{name}.png")
            assert np.abs(made.astype(int) - paint(generator, x, np.eye(3)[place])).max() <= 1


@pytest.mark.parametrize("old", [False, True])
def test_both_at_once(script, tmp_path, old):
    """CelebA's pictures, with its attributes, and under the other mask with all expressions."""
    has = write_celeba(tmp_path / "celeba", 2, order=("Smiling", *ATTRIBUTES))
    write_classes(tmp_path / "rafd", ["angry", "happy", "sad"])
    generator = save_generator(tmp_path / "models" / ("5_G.pth" if old else "5-G.ckpt"), labels=5 + 3 + 2)
    script(
        CELEBA,
        "--dataset Both --rafd_image_dir rafd --model_save_dir models --c_dim 5 --c2_dim 3 --image_size 16 --save_each",
        "--variant old --test_model 5" if old else "--test_iters 5",
    )
    titles = ("Black", "Blond", "Brown", "Gender", "Aged") if old else ATTRIBUTES
    assert files(tmp_path / "out", "*.*") == {"1_fake.png" if old else "1-images.jpg"}
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == {*titles, "angry", "happy", "sad"}
    sheet = pixels(next((tmp_path / "out").glob("1*")))
    assert sheet.shape == (2 * 16, (1 + 5 + 3) * 16, 3)
    filter = Image.Resampling.LANCZOS if old else Image.Resampling.BILINEAR
    for name, labels in has.items():
        x = cut(tmp_path / "celeba/images" / name, 178, 16, filter)
        vectors = {title: [*changed(labels, key), 0, 0, 0, 1, 0] for title, key in zip(titles, ATTRIBUTES, strict=True)}
        vectors |= {
            key: [0] * 5 + [float(key == k) for k in ("angry", "happy", "sad")] + [0, 1] for key in ("happy", "sad")
        }
        for title, vector in vectors.items():
            made = pixels(tmp_path / f"out/{title}/{Path(name).stem}.png")
            assert np.abs(made.astype(int) - paint(generator, x, vector)).max() <= 1, title


def test_the_version_of_2017(script, tmp_path):
    """Nine columns, labels in the file's order, Lanczos' filter, PNG sheets."""
    has = write_celeba(
        tmp_path / "data", 3, order=("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Smiling", "Young")
    )
    (tmp_path / "data/CelebA_nocrop").mkdir()
    (tmp_path / "data/images").rename(tmp_path / "data/CelebA_nocrop/images")
    generator = save_generator(tmp_path / "stargan/models/20_1000_G.pth")
    script(
        "--variant old --image_size 16 --result_path out --save_each --list Young Male Brown_Hair Blond_Hair Black_Hair"
    )
    titles = ["Black", "Blond", "Brown", "Gender", "Aged", "H+G", "H+A", "G+A", "H+G+A"]
    assert files(tmp_path / "out", "*.*") == {"1_fake.png"}
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == {*titles}
    sheet = pixels(tmp_path / "out/1_fake.png")
    assert sheet.shape == (3 * 16, 10 * 16, 3)
    assert "Loading the trained models from step 20_1000..." in script.out
    assert "G\nGenerator (\n" in script.out and "ReLU (inplace)" in script.out
    rows = {}
    for name, labels in has.items():
        black, blond, brown, male, young = (labels[key] for key in ATTRIBUTES)
        x = cut(tmp_path / "data/CelebA_nocrop/images" / name, 178, 16, Image.Resampling.LANCZOS)
        vectors = [
            *([*hair, male, young] for hair in ([1, 0, 0], [0, 1, 0], [0, 0, 1])),
            *([black, blond, brown, *rest] for rest in ([1 - male, young], [male, 1 - young])),
            *([0, 0, 1, *rest] for rest in ([1 - male, young], [male, 1 - young])),
            [black, blond, brown, 1 - male, 1 - young],
            [0, 0, 1, 1 - male, 1 - young],
        ]
        expected = [x, *(paint(generator, x, vector) for vector in vectors)]
        rows[name] = np.concatenate(expected, axis=1).astype(int)
        for title, picture in zip(titles, expected[1:], strict=True):
            made = pixels(tmp_path / f"out/{title}/{Path(name).stem}.png")
            assert np.abs(made.astype(int) - picture).max() <= 1, title
    _, order = split(list(has), 1999)
    assert np.abs(sheet - np.concatenate([rows[name] for name in order])).max() <= 1


# --- what need not be said ----------------------------------------------------------------------------------------


def test_the_generator_alone_is_enough_and_tells_its_size(script, tmp_path):
    write_celeba(tmp_path / "celeba", 1)
    save_generator(tmp_path / "models/7-G.ckpt")
    script(CELEBA, "--model_save_dir models --test_iters 7 --image_size 24")  # --g_conv_dim 4 --g_repeat_num 1
    assert pixels(tmp_path / "out/1-images.jpg").shape == (24, 6 * 24, 3)
    script(CELEBA, "--checkpoint", tmp_path / "models/7-G.ckpt", "--image_size 20 --g_conv_dim 4 --d_conv_dim 99")
    assert pixels(tmp_path / "out/1-images.jpg").shape == (20, 6 * 20, 3)
    line = script.error(CELEBA, "--checkpoint", tmp_path / "models/7-G.ckpt", "--g_conv_dim 64")
    assert "has --g_conv_dim 4, not 64; leave the flag out" in line


@pytest.mark.parametrize("names", [("7-G.ckpt", "7-D.ckpt"), ("20_1000_G.pth", "20_1000_D.pth")])
def test_a_discriminator_beside_it_tells_the_size_of_the_pictures(script, tmp_path, names):
    write_celeba(tmp_path / "celeba", 1)
    mine, other = (tmp_path / "models" / name for name in names)
    save_generator(mine), save_discriminator(other, size=40)
    script(CELEBA, "--checkpoint", mine)
    assert pixels(tmp_path / "out/1-images.jpg").shape == (40, 6 * 40, 3)
    script(CELEBA, "--checkpoint", mine, "--image_size 16")
    assert "was trained at 40 pixels; at --image_size 16 it may do less well" in script.err
    assert pixels(tmp_path / "out/1-images.jpg").shape == (16, 6 * 16, 3)
    damage(other)
    script(CELEBA, "--checkpoint", mine, "--image_size 16")
    assert f"Warning: {other} is damaged" in script.err


def note(folder: Path, dataset: str = "CelebA", **values) -> None:
    """What a training notes beside its checkpoints."""
    usual = {"selected_attrs": [], "classes": [], "image_size": 16, "celeba_crop_size": 150, "rafd_crop_size": 40}
    notes.write(folder, notes.Notes(dataset, **{**usual, **values}))


def test_what_the_training_noted_is_taken(script, tmp_path):
    names = ["Smiling", "Blond_Hair", "Male"]
    has = write_celeba(tmp_path / "celeba", 6)
    generator = save_generator(tmp_path / "models/7-G.ckpt", labels=3)
    note(tmp_path / "models", selected_attrs=names, test_images=2)
    script(CELEBA, "--model_save_dir models --test_iters 7 --save_each")
    _, kept = split(list(has), 2)
    assert files(tmp_path / "out", "*/*") == {f"{title}/{Path(name).stem}.png" for title in names for name in kept}
    for name in kept:
        x = cut(tmp_path / "celeba/images" / name, 150, 16)
        smiling, _, male = (has[name][key] for key in names)
        made = pixels(tmp_path / f"out/Blond_Hair/{Path(name).stem}.png")
        assert np.abs(made.astype(int) - paint(generator, x, [smiling, 1, male])).max() <= 1
    script(CELEBA, "--model_save_dir models --test_iters 7 --image_size 20 --test_images 1")  # flags go before notes
    assert pixels(tmp_path / "out/1-images.jpg").shape == (20, 4 * 20, 3)
    assert "trained at 16 pixels" in script.err


def test_classes_are_called_as_in_training(script, tmp_path):
    """Where only some of them are tested on, or pictures of a folder of any other name."""
    generator = save_generator(tmp_path / "models/7-G.ckpt", labels=3)
    note(tmp_path / "models", "RaFD", classes=["angry", "happy", "sad"])
    write_classes(tmp_path / "some", ["sad"])
    write_classes(tmp_path / "others", ["friends"])
    for folder in ("some", "others"):
        script(
            f"--rafd_image_dir {folder} --result_dir {folder}_ --save_each --titles",
            "--model_save_dir models --test_iters 7",
        )
        assert files(tmp_path / f"{folder}_", "*/*") == {"angry/1.png", "happy/1.png", "sad/1.png"}
        x = cut(next((tmp_path / folder).glob("*/*.png")), 40, 16)
        made = pixels(tmp_path / f"{folder}_/sad/1.png")
        assert np.abs(made.astype(int) - paint(generator, x, [0, 0, 1])).max() <= 1
        assert "unused" not in script.err


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:40],
        lambda text: "[]",
        lambda text: text.replace("image_size", "picture_size"),
        lambda text: text.replace(": 150", ': "150"'),
        lambda text: text.replace('"Male"', "5"),
        lambda text: text.replace("[]", "null"),
        lambda text: text.replace('"CelebA"', '"Celeb"'),
        lambda text: text.replace('"current"', '"older"'),
        lambda text: text.replace('"test_images": null', '"test_images": "5"'),
    ],
)
def test_damaged_notes(script, tmp_path, change):
    write_celeba(tmp_path / "celeba", 1)
    save_generator(tmp_path / "models/7-G.ckpt", 1)
    note(tmp_path / "models", selected_attrs=["Male"])
    path = tmp_path / "models/labels.json"
    path.write_text(change(path.read_text()))
    assert "labels.json is damaged; delete it" in script.error(CELEBA, "--model_save_dir models --test_iters 7")


def test_more_files_and_titles(script, tmp_path):
    write_celeba(tmp_path / "celeba", 3)
    save_generator(tmp_path / "m/7-G.ckpt", 2)
    script(CELEBA, "--checkpoint m/7-G.ckpt --selected_attrs Male Young --image_size 16 --titles --batch_size 2")
    assert files(tmp_path / "out") == {"1-images.jpg", "1-sheet.jpg", "2-images.jpg", "2-sheet.jpg"}
    plain, titled = (pixels(tmp_path / f"out/1-{kind}.jpg") for kind in ("images", "sheet"))
    assert plain.shape == (32, 48, 3) and titled.shape[0] > 32 + 20 and titled.shape[1] > 48 + 20
    assert "Loading the trained models from step 7..." in script.out


def test_names_that_no_file_can_have(script, tmp_path):
    """labels.json comes with checkpoints of other people: it does not say where results go."""
    odd = ["../../x", "a/b", "CON"]
    write_celeba(tmp_path / "celeba", 1, order=[*odd, "Male", "Young", "Smiling"])
    save_generator(tmp_path / "models/7-G.ckpt", 3)
    note(tmp_path / "models", selected_attrs=odd, image_size=16)
    script(CELEBA, "--model_save_dir models --test_iters 7 --save_each")
    assert files(tmp_path / "out") == {
        "1-images.jpg",
        *(f"{name}/000001.png" for name in (".._.._x", "a_b", "_CON")),
    }


# --- what does not go together ------------------------------------------------------------------------------------


def test_what_does_not_fit_is_told_in_one_line(script, tmp_path):
    write_celeba(tmp_path / "celeba", 1)
    write_classes(tmp_path / "rafd", ["a", "b", "c"])
    save_generator(tmp_path / "m/5-G.ckpt", 5), save_discriminator(tmp_path / "m/5-D.ckpt")
    five, three = "--checkpoint m/5-G.ckpt", "--selected_attrs Male Young Smiling"
    rafd = "--dataset RaFD --rafd_image_dir rafd"
    expected = {
        f"{CELEBA} {five} {three}": "m/5-G.ckpt takes 5 labels, but --selected_attrs names 3 "
        "(Male Young Smiling): name as many, in the order it was trained with",
        f"{rafd} {five}": "m/5-G.ckpt takes 5 labels, but rafd has 3 classes",
        f"{rafd} {five} --c_dim 8": "m/5-G.ckpt takes 5 labels, but --c_dim is 8",
        f"{rafd} {five} --c_dim 2": "--c_dim is 2, but rafd has 3 classes: a b c",
        f"{CELEBA} {rafd} --dataset Both {five}": "5 labels, but 8 attributes and classes and a mask of 2 make 10",
        f"{CELEBA} --checkpoint m/5-D.ckpt": "holds no generator of StarGAN; it is a discriminator",
        f"{CELEBA} --checkpoint celeba/list_attr_celeba.txt": "is no saved state, or holds code",
        f"{CELEBA} --checkpoint m": "m is a folder, and --checkpoint takes a file; there is 5-G.ckpt in it",
        f"{CELEBA} --checkpoint celeba": "celeba is a folder, and --checkpoint takes a file; there is no generator",
        f"{CELEBA} --checkpoint nowhere.ckpt": "there is no file nowhere.ckpt",
        f"{CELEBA} {five} --selected_attrs Male Young Smilling Blond_Hair Black_Hair": "did you mean Smiling?",
        f"{five} --attr_path nowhere.txt": "there is no attribute file nowhere.txt; name it with --attr_path",
        f"{CELEBA} {five} --celeba_image_dir nowhere": "there is no folder nowhere (--celeba_image_dir)",
        f"{rafd} {five} --rafd_image_dir nowhere": "there is no folder nowhere (--rafd_image_dir)",
        f"{CELEBA} {five} --image_size 18": "--image_size 18 is no multiple of 4",
        f"{CELEBA} {five} --result_dir celeba/list_attr_celeba.txt": "cannot create the folder",
    }
    for words, said in expected.items():
        assert said in script.error(words), words
    assert not (tmp_path / "out").exists() and not (tmp_path / "stargan").exists()


def test_a_checkpoint_for_256_pixels_shows_128_only_with_a_warning(script, tmp_path):
    """In the original, test mode reads D, and crashes."""
    write_celeba(tmp_path / "celeba", 1)
    save_generator(tmp_path / "m/7-G.ckpt"), save_discriminator(tmp_path / "m/7-D.ckpt", 64)
    script(CELEBA, "--image_size 32 --model_save_dir m --test_iters 7")
    assert "The generator was trained at 64 pixels; at --image_size 32 it may do less well." in script.err


def test_a_missing_checkpoint_names_those_that_are_there(script, tmp_path):
    write_celeba(tmp_path / "celeba", 1)
    line = script.error(CELEBA)
    assert "there is no stargan/models/200000-G.ckpt" in line and "bash download.sh pretrained-celeba-128x128" in line
    for name in ("10000-G.ckpt", "2000-G.ckpt", "20_1000_G.pth"):
        save_generator(tmp_path / "m" / name)
    line = script.error(CELEBA, "--model_save_dir m --test_iters 5")
    assert line.endswith(
        "there is no m/5-G.ckpt; m has 20_1000_G.pth, 2000-G.ckpt, 10000-G.ckpt: "
        "choose with --test_iters, --test_model or --checkpoint"
    )
    save_generator(tmp_path / "new/200000-G.ckpt")
    line = script.error(CELEBA, "--model_save_dir new --test_model 1_2")  # not another one than was asked for
    assert line.endswith("there is no new/1_2_G.pth; new has 200000-G.ckpt: choose with --test_iters or --checkpoint")
    script(CELEBA, "--model_save_dir m --image_size 16")  # an old one where no step was asked for
    assert "Loading the trained models from step 20_1000..." in script.out


# --- pictures that are not as they should be ----------------------------------------------------------------------


def test_a_damaged_picture_among_good_ones(script, tmp_path):
    has = list(write_celeba(tmp_path / "celeba", 5))
    save_generator(tmp_path / "m/7-G.ckpt")
    damage(tmp_path / "celeba/images" / has[1]), (tmp_path / "celeba/images" / has[3]).unlink()
    words = f"{CELEBA} --checkpoint m/7-G.ckpt --image_size 16 --save_each"
    script(words, status=1)
    assert f"Skipped: celeba/images/{has[1]} is damaged" in script.err
    assert f"Skipped: there is no file celeba/images/{has[3]}" in script.err
    good = {f"{Path(has[number]).stem}.png" for number in (0, 2, 4)}
    assert files(tmp_path / "out/Male") == good
    assert pixels(tmp_path / "out/1-images.jpg").shape == (3 * 16, 6 * 16, 3)
    script(words, "--batch_size 1 --result_dir single", status=1)  # sheets keep the numbers of their batches
    _, order = split(has, 1999)
    assert files(tmp_path / "single", "*.jpg") == {
        f"{order.index(name) + 1}-images.jpg" for name in has if f"{Path(name).stem}.png" in good
    }


def test_nothing_but_damaged_pictures(script, tmp_path):
    for name in write_celeba(tmp_path / "celeba", 3):
        damage(tmp_path / "celeba/images" / name)
    save_generator(tmp_path / "m/7-G.ckpt")
    line = script.error(CELEBA, "--checkpoint m/7-G.ckpt --image_size 16")
    assert "none of the 3 pictures can be read: celeba/images/" in line and not files(tmp_path / "out")


def test_a_folder_one_level_too_high(script, tmp_path):
    """The original takes train and test for classes, and every column is the same."""
    write_celeba(tmp_path / "celeba", 2)
    for part in ("train", "test"):
        write_classes(tmp_path / "RaFD" / part, ["happy", "sad"])
    save_generator(tmp_path / "m/2-G.ckpt", 2), save_generator(tmp_path / "m/5-G.ckpt", 5)
    script(
        "--dataset RaFD --rafd_image_dir RaFD --rafd_crop_size 50 --checkpoint m/2-G.ckpt",
        "--image_size 16 --result_dir r",
    )
    assert "RaFD holds test and train, which are no classes: reading RaFD/test" in script.err
    assert pixels(tmp_path / "r/1-images.jpg").shape == (2 * 16, 3 * 16, 3)
    script(CELEBA, "--celeba_image_dir celeba --checkpoint m/5-G.ckpt --image_size 16")
    assert "The pictures are in celeba/images: reading them there." in script.err
    assert pixels(tmp_path / "out/1-images.jpg").shape == (2 * 16, 6 * 16, 3)


def test_training_on_a_folder_two_levels_too_high(script, tmp_path):
    """In which the classes seem to be one."""
    write_classes(tmp_path / "data/RaFD", ["happy", "sad"])
    script.main = main.main
    line = script.error("--dataset RaFD --rafd_image_dir data --image_size 16")
    assert "data has one folder only, RaFD, so there is nothing to translate to" in line


def test_what_a_newcomer_is_told(script):
    script.main = main.main
    line = script.error("--mode train")
    assert "no attribute file data/celeba/list_attr_celeba.txt" in line and "make_faces_dataset.py" in line


def test_a_file_that_is_no_picture_and_one_in_grey(script, tmp_path):
    write_classes(tmp_path / "data", ["a", "b"])
    Image.new("L", (60, 60), 90).save(tmp_path / "data/a/grey.png")
    (tmp_path / "data/b/notes.txt").write_text("not a picture")
    (tmp_path / "data/b/fake.jpg").write_text("not a picture, though it is called one")
    save_generator(tmp_path / "m/2-G.ckpt", 2)
    script("--dataset RaFD --rafd_image_dir data --checkpoint m/2-G.ckpt --image_size 16 --result_dir out", status=1)
    assert "Skipped: data/b/fake.jpg is not a picture" in script.err and "notes.txt" not in script.err
    assert pixels(tmp_path / "out/1-images.jpg").shape == (3 * 16, 3 * 16, 3)


# --- the commands of the original's README, as they stand ---------------------------------------------------------

TINY = "--image_size 16 --g_conv_dim 2 --d_conv_dim 2 --g_repeat_num 1 --d_repeat_num 2 --batch_size 2 --num_workers 0"
EMOTIONS = ["angry", "contemptuous", "disgusted", "fearful", "happy", "neutral", "sad", "surprised"]
SELECTED = "--selected_attrs Black_Hair Blond_Hair Brown_Hair Male Young"


def places(name: str) -> str:
    """The folders of an experiment."""
    return " ".join(f"--{kind}_dir {name}/{kind.split('_')[0]}s" for kind in ("sample", "log", "model_save", "result"))


READMES = {
    "celeba": f"--dataset CelebA --image_size 128 --c_dim 5 {places('stargan_celeba')} {SELECTED}",
    "rafd": f"--dataset RaFD --image_size 128 --c_dim 8 {places('stargan_rafd')}",
    "both": f"--dataset=Both --image_size=256 --c_dim=5 --c2_dim=8 {places('stargan_both')}",
    "custom": "--dataset RaFD --rafd_crop_size 50 --image_size 64 --c_dim 2 --rafd_image_dir mine/train "
    + places("stargan_custom"),
}
COLUMNS = {"celeba": 5, "rafd": 8, "both": 13, "custom": 2}


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory) -> Path:
    """A folder with data as the original's README has them."""
    root = tmp_path_factory.mktemp("laid_out")
    write_celeba(root / "data/celeba", 12, "jpg")
    for part in ("train", "test"):
        write_classes(root / "data/RaFD" / part, EMOTIONS)
        write_classes(root / "mine" / part, ["cats", "dogs"])
    return root


@pytest.mark.parametrize("name", READMES)
def test_the_readmes_commands(script, laid_out, monkeypatch, name):
    """Train two steps, then test what was saved; only the size of the networks is said besides."""
    monkeypatch.chdir(laid_out)
    script.main = main.main
    script(f"--mode train {READMES[name]} {TINY} --num_iters 2 --model_save_step 2 --sample_step 2 --n_critic 2")
    folder = laid_out / f"stargan_{name}"
    assert {"2-G.ckpt", "2-D.ckpt", "labels.json"} <= files(folder / "models")
    assert "2-images.jpg" in files(folder / "samples") and "Saved model checkpoints into" in script.out
    words = f"--mode test {READMES[name]} {TINY} --test_iters 2"
    if name == "rafd":
        words += " --rafd_image_dir data/RaFD/test"
    script(words)
    sheets = files(folder / "results")
    assert "1-images.jpg" in sheets
    assert pixels(folder / "results/1-images.jpg").shape[1] == (1 + COLUMNS[name]) * 16
    if name == "rafd":
        assert len(sheets) == 4


def test_the_readmes_command_for_the_published_network(script, laid_out, monkeypatch):
    monkeypatch.chdir(laid_out)
    save_generator(laid_out / "stargan_celeba_128/models/200000-G.ckpt")
    script.main = main.main
    script(
        f"--mode test --dataset CelebA --image_size 128 --c_dim 5 {SELECTED}",
        "--model_save_dir stargan_celeba_128/models --result_dir stargan_celeba_128/results",
    )
    assert "Loading the trained models from step 200000..." in script.out
    assert pixels(laid_out / "stargan_celeba_128/results/1-images.jpg").shape == (12 * 128, 6 * 128, 3)


def test_from_another_folder(laid_out):
    """`python stargan/test.py …` beside the project, in a process of its own; backslashes as on Windows."""
    save_generator(laid_out / "far/7-G.ckpt")
    place = os.path.relpath(laid_out, PROJECT.parent)
    windows = place.replace("/", "\\")
    command = f"--celeba_image_dir {windows}\\data\\celeba\\images --attr_path {place}/data/celeba/list_attr_celeba.txt"
    command += f" --model_save_dir {windows}\\far --test_iters 7 --image_size 16 --result_dir {place}/far/out --titles"
    found = subprocess.run(
        [sys.executable, f"{PROJECT.name}/test.py", *command.split()],
        cwd=PROJECT.parent,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    assert files(laid_out / "far/out") == {"1-images.jpg", "1-sheet.jpg"}
    assert not list(PROJECT.glob("*results")) and "Warning" not in found.stderr
