"""The data sets: what an item is, to the pixel and the draw as the original, and what is said of wrong folders."""

import argparse
import json
import pickle
import random
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

import data
from data import check_same_size, create_dataset, dataset_names, find_dataset_using_name, get_option_setter
from preprocess import get_transform
from shared_scripts.batches import Loader
from shared_scripts.cli import UserError
from shared_scripts.testing import write_pictures

PROJECT = Path(__file__).resolve().parent.parent
with np.load(Path(__file__).parent / "golden" / "datasets.npz") as file:
    SEEDS = json.loads(str(file["meta"]))


def options(root, mode, **changes):
    settings = {
        "dataroot": str(root), "dataset_mode": mode, "phase": "train", "isTrain": True, "input_nc": 3, "output_nc": 3,
        "direction": "AtoB", "load_size": 36, "crop_size": 28, "preprocess": "resize_and_crop", "no_flip": False,
        "serial_batches": False, "max_dataset_size": float("inf"),
    }  # fmt: skip
    return Namespace(**{**settings, **changes})


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="module")
def root(golden, tmp_path_factory):
    """The folders that the recordings were made with."""
    folder, file = tmp_path_factory.mktemp("recorded"), golden("datasets")
    for i in range(3):
        save(folder / f"train/p{i}.png", file[f"AB{i}"])
    for side, number in (("A", 2), ("B", 4)):
        for i in range(number):
            save(folder / f"train{side}/{side.lower()}{i}.png", file[f"{side}{i}"])
    return folder


def to_uint8(tensor):
    return ((tensor * 0.5 + 0.5) * 255).round().to(torch.uint8).numpy()


def seed(python, torchs):
    random.seed(python)
    torch.manual_seed(torchs)


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
@pytest.mark.parametrize("index", range(3))
def test_aligned_equals_the_original(golden, root, direction, index):
    dataset = create_dataset(options(root, "aligned", output_nc=1, direction=direction))
    random.seed(SEEDS["python_seed_aligned"] + index)
    item = dataset[index]
    for side in "AB":
        np.testing.assert_array_equal(to_uint8(item[side]), golden("datasets")[f"aligned:{direction}:{index}:{side}"])
        assert item[f"{side}_paths"] == str(root / f"train/p{index}.png")
        assert item[f"{side}_size"].tolist() == [40, 45] and item[f"{side}_size"].dtype == torch.int64
    assert len(dataset) == 3 and item["A"].dtype == torch.float32


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
@pytest.mark.parametrize("index", range(4))
def test_unaligned_equals_the_original(golden, root, direction, index):
    dataset = create_dataset(options(root, "unaligned", output_nc=1, direction=direction))
    seed(SEEDS["python_seed_unaligned"] + index, SEEDS["torch_seed_unaligned"] + index)
    item, expected = dataset[index], golden("datasets")
    for side in "AB":
        np.testing.assert_array_equal(to_uint8(item[side]), expected[f"unaligned:{direction}:{index}:{side}"])
    assert Path(item["B_paths"]).name == str(expected[f"unaligned:{direction}:{index}:Bpath"])
    assert item["A_paths"] == str(root / f"trainA/a{index % 2}.png")
    assert (item["A_size"].tolist(), item["B_size"].tolist()) == ([44, 52], [48, 40])
    assert len(dataset) == 4


@pytest.mark.parametrize("index", range(3))
def test_colorization_equals_the_original(golden, root, index):
    dataset = create_dataset(options(root, "colorization", input_nc=1, output_nc=2))
    torch.manual_seed(SEEDS["torch_seed_color"] + index)
    item = dataset[index]
    for side, name in (("A", "L"), ("B", "ab")):
        np.testing.assert_allclose(item[side], golden("datasets")[f"color:{index}:{name}"], rtol=0, atol=1e-4)
        assert item[side].dtype == torch.float32
        assert item[f"{side}_paths"] == str(root / f"train/p{index}.png")
    assert len(dataset) == 3 and item["A_size"].tolist() == [40, 90]


def test_single(root, golden):
    dataset = create_dataset(options(root / "trainB", "single", max_dataset_size=2, no_flip=True, load_size=28))
    assert len(dataset) == 2
    item = dataset[1]
    assert set(item) == {"A", "A_paths", "A_size"}
    assert item["A_paths"] == str(root / "trainB/b1.png") and item["A_size"].tolist() == [48, 40]
    assert torch.equal(item["A"], get_transform(dataset.opt)(golden("datasets")["B1"]))


def test_single_from_b_to_a_takes_the_outputs_channels(root):
    dataset = create_dataset(options(root / "trainB", "single", output_nc=1, direction="BtoA"))
    assert dataset[0]["A"].shape == (1, 28, 28)


def test_serial_batches_go_along(root):
    dataset = create_dataset(options(root, "unaligned", serial_batches=True, max_dataset_size=3))
    names = [(Path(dataset[i]["A_paths"]).name, Path(dataset[i]["B_paths"]).name) for i in range(len(dataset))]
    assert names == [("a0.png", "b0.png"), ("a1.png", "b1.png"), ("a0.png", "b2.png")]


def test_windows_paths(root, monkeypatch):
    monkeypatch.chdir(root.parent)
    for mode, dataroot in (
        ("unaligned", root.name),
        ("aligned", f".\\{root.name}"),
        ("single", f"{root.name}\\trainA"),
    ):
        assert create_dataset(options(dataroot, mode))[0]["A"].shape == (3, 28, 28)


def test_pictures_with_alpha_over_a_colour(tmp_path):
    save(tmp_path / "x.png", np.zeros((28, 28, 4), np.uint8))
    shared = {"load_size": 28, "no_flip": True}
    assert (create_dataset(options(tmp_path, "single", **shared))[0]["A"] == -1).all()
    assert (create_dataset(options(tmp_path, "single", alpha="white", **shared))[0]["A"] == 1).all()


def test_turned_pictures(tmp_path):
    image = Image.new("RGB", (40, 30))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "x.jpg", exif=exif)
    assert create_dataset(options(tmp_path, "single"))[0]["A_size"].tolist() == [30, 40]
    assert create_dataset(options(tmp_path, "single", auto_rotate=True))[0]["A_size"].tolist() == [40, 30]


def test_pairs_of_many_bands(tmp_path):
    bands = np.random.default_rng(0).random((28, 56, 5)).astype(np.float32)
    (tmp_path / "train").mkdir()
    np.save(tmp_path / "train/x.npy", bands)
    opt = options(tmp_path, "aligned", input_nc=5, output_nc=5, load_size=28, no_flip=True)
    item = create_dataset(opt)[0]
    for side, half in (("A", bands[:, :28]), ("B", bands[:, 28:])):
        torch.testing.assert_close(item[side], torch.from_numpy(half.transpose(2, 0, 1)) * 2 - 1)
    opt.output_nc = 3
    with pytest.raises(UserError, match="x.npy has 5 bands, but --output_nc asks for 3"):
        create_dataset(opt)[0]


def test_pairs_of_rgb_and_rgba(tmp_path):
    rgba = np.random.default_rng(0).integers(0, 256, (28, 56, 4), dtype=np.uint8)
    save(tmp_path / "train/x.png", rgba)
    item = create_dataset(options(tmp_path, "aligned", output_nc=4, load_size=28, no_flip=True))[0]
    np.testing.assert_array_equal(to_uint8(item["A"]), rgba[:, :28, :3].transpose(2, 0, 1))
    np.testing.assert_array_equal(to_uint8(item["B"]), rgba[:, 28:].transpose(2, 0, 1))


def test_a_wrong_number_of_bands_names_the_sides_flag(tmp_path):
    for side in "AB":
        (tmp_path / f"train{side}").mkdir()
        np.save(tmp_path / f"train{side}/x.npy", np.zeros((8, 9, 7), np.uint8))
    for direction, flag in (("AtoB", "--output_nc"), ("BtoA", "--input_nc")):
        opt = options(tmp_path, "unaligned", direction=direction, **{"input_nc": 7, "output_nc": 7, flag[2:]: 6})
        with pytest.raises(UserError, match=f"trainB.x.npy has 7 bands, but {flag} asks for 6"):
            create_dataset(opt)[0]


@pytest.mark.parametrize("width", [1, 57])
def test_pairs_of_odd_width(tmp_path, width):
    save(tmp_path / "train/odd.png", np.zeros((28, width, 3), np.uint8))
    with pytest.raises(UserError, match=f"odd.png is {width} pixels wide.*combine_A_and_B"):
        create_dataset(options(tmp_path, "aligned"))[0]


def test_a_damaged_file(root, tmp_path):
    save(tmp_path / "good.png", np.zeros((28, 28, 3), np.uint8))
    (tmp_path / "bad.png").write_bytes((tmp_path / "good.png").read_bytes()[:60])
    dataset = create_dataset(options(tmp_path, "single"))
    with pytest.raises(UserError, match="bad.png"):
        dataset[0]
    assert dataset[1]["A"].shape == (3, 28, 28)


# --- batches ------------------------------------------------------------------------------------------------------


def test_pictures_of_one_batch_must_be_of_one_size(tmp_path):
    for name, size in (("a", (30, 40)), ("b", (30, 40)), ("c", (48, 64))):
        save(tmp_path / f"{name}.png", np.zeros((*size, 3), np.uint8))
    dataset = create_dataset(options(tmp_path, "single", preprocess="none"))
    items = [dataset[i] for i in range(3)]
    check_same_size(items[:2])
    check_same_size([])
    with pytest.raises(UserError) as caught:
        check_same_size(items)
    for words in ("a.png is 40x32", "c.png is 64x48", "--preprocess resize_and_crop", "--batch_size 1"):
        assert words in str(caught.value)


def test_the_b_side_is_looked_at_too():
    items = [{"A": torch.zeros(3, 4, 4), "B": torch.zeros(3, 4, b), "A_paths": "a", "B_paths": f"b{b}"} for b in (4, 5)]
    with pytest.raises(UserError, match="b4 is 4x4, b5 is 5x4"):
        check_same_size(items)


@pytest.mark.parametrize("mode", ["aligned", "unaligned", "colorization"])
def test_a_loader_stacks_them(root, mode):
    dataset = create_dataset(options(root, mode, **({"input_nc": 1, "output_nc": 2} if mode == "colorization" else {})))
    assert type(pickle.loads(pickle.dumps(dataset))) is type(dataset)
    batch = next(iter(torch.utils.data.DataLoader(dataset, batch_size=2)))
    assert batch["A"].shape == (2, dataset.opt.input_nc, 28, 28) and batch["A_size"].shape == (2, 2)
    assert len(batch["A_paths"]) == 2


def test_a_loader_with_a_worker_started_afresh(root):
    """As on Windows and macOS, where the data set has to be sent to the worker."""
    dataset = create_dataset(options(root, "unaligned", serial_batches=True))
    loader = torch.utils.data.DataLoader(dataset, batch_size=4, num_workers=1, multiprocessing_context="spawn")
    (batch,) = loader
    assert [Path(path).name for path in batch["B_paths"]] == ["b0.png", "b1.png", "b2.png", "b3.png"]


# --- folders that are not as they should be -----------------------------------------------------------------------


def make(folder, *names):
    for name in names:
        save(folder / name, np.zeros((8, 16, 3), np.uint8))


@pytest.mark.parametrize(
    "mode,phase,there,words",
    [
        ("unaligned", "train", [], ["no folder", "trainA", "trainA and trainB"]),
        ("unaligned", "train", ["trainA/x.png"], ["no folder", "trainB:"]),
        ("unaligned", "train", ["train/x.png"], ["--dataset_mode aligned", "--model pix2pix"]),
        ("aligned", "train", ["trainA/x.png", "trainB/x.png"], ["--dataset_mode unaligned", "--model cycle_gan"]),
        ("aligned", "test", ["val/x.png", "train/x.png"], ["--phase train and --phase val"]),
        ("unaligned", "test", ["testA/x.png"], ["testB:", "--model test --dataroot", "testA"]),
        ("unaligned", "test", ["trainA/x.png", "trainB/x.png"], ["--phase train"]),
        ("unaligned", "test", ["x.png"], ["a folder of single pictures", "--model test"]),
        ("colorization", "train", ["x.png"], ["--dataset_mode colorization takes pictures from train"]),
    ],
)
def test_missing_folders(tmp_path, mode, phase, there, words):
    make(tmp_path, *there)
    opt = options(tmp_path, mode, phase=phase, isTrain=phase == "train")
    if mode == "colorization":
        opt.input_nc, opt.output_nc = 1, 2
    with pytest.raises(UserError) as caught:
        create_dataset(opt)
    for part in words:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", ["aligned", "unaligned", "single"])
def test_a_missing_dataroot(tmp_path, mode):
    with pytest.raises(UserError, match="there is no folder .*nowhere"):
        create_dataset(options(tmp_path / "nowhere", mode))


def test_test_py_is_not_advised_for_training(tmp_path):
    make(tmp_path, "trainA/x.png", "y.png")
    with pytest.raises(UserError) as caught:
        create_dataset(options(tmp_path, "unaligned"))
    assert "--model test" not in str(caught.value)


def test_an_empty_folder(tmp_path):
    make(tmp_path, "trainA/x.png")
    (tmp_path / "trainB").mkdir()
    with pytest.raises(UserError, match="no pictures in .*trainB"):
        create_dataset(options(tmp_path, "unaligned"))


# --- finding them -------------------------------------------------------------------------------------------------


def test_names():
    assert dataset_names() == ["aligned", "colorization", "single", "template", "unaligned"]
    for name in dataset_names():
        found = find_dataset_using_name(name)
        assert found.__name__.lower() == f"{name}dataset" and issubclass(found, torch.utils.data.Dataset)


@pytest.mark.parametrize("name", ["aline", "base", "../aligned", ""])
def test_an_unknown_name(name):
    with pytest.raises(UserError, match="choose from aligned, colorization, single, template, unaligned"):
        find_dataset_using_name(name)


def test_a_data_set_of_ones_own(tmp_path, monkeypatch):
    """A file in the folder is enough; case and underscores of the class's name do not matter."""
    text = "from data.base_dataset import BaseDataset\nclass MyOWNDataset(BaseDataset):\n    pass\n"
    (tmp_path / "my_own_dataset.py").write_text(text)
    (tmp_path / "empty_dataset.py").write_text("")
    monkeypatch.setattr(data, "HERE", tmp_path)
    monkeypatch.setattr(data, "__path__", [*data.__path__, str(tmp_path)])
    assert dataset_names() == ["empty", "my_own"]
    assert find_dataset_using_name("my_own").__name__ == "MyOWNDataset"
    with pytest.raises(UserError, match="empty_dataset.py has no class named EmptyDataset"):
        find_dataset_using_name("empty")


def test_flags_of_the_data_sets():
    parser = argparse.ArgumentParser()
    for flag in ("input_nc", "output_nc"):
        parser.add_argument(f"--{flag}", type=int, default=3)
    parser.add_argument("--direction", default="BtoA")
    assert get_option_setter("aligned")(parser, True) is parser
    assert vars(parser.parse_args([])) == {"input_nc": 3, "output_nc": 3, "direction": "BtoA"}
    get_option_setter("colorization")(parser, True)
    assert vars(parser.parse_args([])) == {"input_nc": 1, "output_nc": 2, "direction": "AtoB"}
    get_option_setter("template")(parser, True)
    assert parser.parse_args(["--new_dataset_option", "2.5"]).new_dataset_option == 2.5


@pytest.mark.parametrize("change", [{"input_nc": 3}, {"output_nc": 3}, {"direction": "BtoA"}])
def test_colorization_has_its_channels(root, change):
    with pytest.raises(UserError, match="leave out --input_nc"):
        create_dataset(options(root, "colorization", **{"input_nc": 1, "output_nc": 2, **change}))


def test_only_colorization_needs_skimage(root, tmp_path):
    """In a process where skimage cannot be imported."""
    code = (
        "import sys; sys.modules['skimage'] = None\n"
        "from data import dataset_names, find_dataset_using_name\n"
        "[find_dataset_using_name(name) for name in dataset_names()]\n"
        "from argparse import Namespace\n"
        "try: find_dataset_using_name('colorization')(Namespace(input_nc=1, output_nc=2, direction='AtoB'))\n"
        "except Exception as problem: print(type(problem).__name__, problem)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("UserError colorization needs scikit-image")


def test_the_template_blurs(root, golden):
    opt = options(root / "trainB", "template", new_dataset_option=2.0, preprocess="crop", crop_size=64, no_flip=True)
    dataset = create_dataset(opt)
    item, sharp = dataset[3], golden("datasets")["B3"]
    np.testing.assert_array_equal(to_uint8(item["B"]), sharp.transpose(2, 0, 1))
    blurred = Image.fromarray(sharp).filter(ImageFilter.GaussianBlur(2.0))
    np.testing.assert_array_equal(to_uint8(item["A"]), np.array(blurred).transpose(2, 0, 1))
    assert len(dataset) == 4 and item["A_size"].tolist() == [48, 40] and item["A_paths"].endswith("b3.png")
    with pytest.raises(UserError, match="RGB"):
        create_dataset(options(root, "template", input_nc=1))


def test_real_pictures_of_a_data_set(tmp_path):
    """max_dataset_size takes the first in the order of names, and crops are redrawn every epoch."""
    write_pictures(tmp_path / "train", 5, (60, 30))
    opt = options(tmp_path, "aligned", max_dataset_size=2, load_size=24, crop_size=16, serial_batches=True)
    loader = Loader(create_dataset(opt), 1, seed=1, shuffle=False)
    first, second = list(loader.epoch(1)), list(loader.epoch(2))
    assert [batch["A_paths"][0][-5:] for batch in first] == ["0.png", "1.png"]
    assert first[0]["A"].shape == (1, 3, 16, 16)
    assert not torch.equal(first[0]["A"], second[0]["A"])
    assert torch.equal(first[0]["A"], next(iter(Loader(create_dataset(opt), 1, seed=1, shuffle=False).epoch(1)))["A"])


def test_sizes_that_cannot_be_one_batch():
    items = [{"A": torch.zeros(3, 4, 4 + i), "A_paths": f"{i}.png"} for i in range(2)]
    check_same_size(items[:1])
    with pytest.raises(UserError, match="pictures of one batch differ in size: 0.png is 4x4, 1.png is 5x4; add"):
        check_same_size(items)
