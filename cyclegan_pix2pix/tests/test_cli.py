"""test.py as it is run: which files it writes, what is in them, and what it says when something is wrong."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from conftest import PROJECT, golden_file
from PIL import Image
from torch import nn

import legacy
import networks
import test as script
from shared_scripts.cli import run

SMALL = ["--crop_size", "32"]


# --- pictures, networks, and running ------------------------------------------------------------------------------


def photo(path: Path, height: int = 32, width: int = 32, seed: int = 0) -> Path:
    """A picture of soft random colours."""
    rng = np.random.default_rng([seed, height, width])
    coarse = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse.resize((width, height), Image.Resampling.BICUBIC).save(path)
    return path


def pixels(path: Path) -> np.ndarray:
    """A picture file's numbers."""
    with Image.open(path) as image:
        return np.array(image)


def truncated(y: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 of a network's output (1, 3, H, W) by the original's formula."""
    return ((y[0].transpose(1, 2, 0) + 1) / 2 * 255).clip(0, 255).astype(np.uint8)


def as_input(picture: np.ndarray) -> torch.Tensor:
    """(1, C, H, W) in [-1, 1] of (H, W, C) uint8, as the networks take it."""
    return ((torch.from_numpy(picture).float() / 255 - 0.5) / 0.5).permute(2, 0, 1)[None]


def there_and_back(picture: np.ndarray) -> np.ndarray:
    """What becomes of uint8 numbers that are only shown: some are one less, as in the original, which cuts off."""
    return truncated(as_input(picture).numpy())


def save_generators(folder: Path, names: dict[str, tuple]) -> None:
    """Small generators with lively outputs: the usual fresh weights would paint everything grey."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(len(names))
    for file, (input_nc, output_nc, netG, norm, dropout) in names.items():
        network = networks.define_G(input_nc, output_nc, 2, netG, norm, dropout, init_gain=0.1)
        torch.save(network.state_dict(), folder / f"{file}.pth")


RESNET = (3, 3, "resnet_6blocks", "instance", False)
CHECKPOINTS = {
    "single": {"latest_net_G": RESNET, "5_net_G": RESNET, "iter_400_net_G": RESNET},
    "cyclegan": {"latest_net_G_A": RESNET, "latest_net_G_B": RESNET},
    "pix2pix": {"latest_net_G": (3, 3, "unet_128", "batch", True)},
    "colors": {"latest_net_G": (1, 2, "unet_128", "batch", False)},
    "grey": {"latest_net_G": (1, 1, "resnet_6blocks", "instance", False)},
    "grey_to_rgb": {"latest_net_G": (1, 3, "resnet_6blocks", "instance", False)},
    "rgba": {"latest_net_G": (4, 4, "resnet_6blocks", "instance", False)},
    "five": {"latest_net_G": (5, 2, "resnet_6blocks", "instance", False)},
}


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """A folder of checkpoints, made once."""
    root = tmp_path_factory.mktemp("trained")
    for name, files in CHECKPOINTS.items():
        save_generators(root / name, files)
    return root


class Runner:
    """A folder to work in; `runner(...)` runs test.py there."""

    def __init__(self, folder: Path, checkpoints: Path, capsys):
        self.folder, self.checkpoints, self.capsys = folder, checkpoints, capsys
        self.out = self.err = ""

    def __call__(self, name: str, *words: object, status: int = 0) -> Path:
        """Run it as the script does; returns the folder of results, test_latest."""
        command = ["--checkpoints_dir", str(self.checkpoints), "--name", name, *map(str, words)]
        with pytest.raises(SystemExit) as caught, warnings.catch_warnings():
            warnings.simplefilter("error")
            run(lambda: script.main(command))
        self.out, self.err = self.capsys.readouterr()
        assert caught.value.code == status, self.err
        return self.folder / "results" / name / "test_latest"

    def error(self, name: str, *words: object) -> str:
        """The one line in which a run ends with status 2."""
        self(name, *words, status=2)
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1 and "Traceback" not in self.err
        return lines[0]


@pytest.fixture
def runner(tmp_path, trained, capsys, monkeypatch) -> Runner:
    """test.py in a fresh folder."""
    monkeypatch.chdir(tmp_path)
    return Runner(tmp_path, trained, capsys)


def files(folder: Path) -> set[str]:
    """The pictures of a results folder."""
    return {path.name for path in (folder / "images").iterdir()}


def check_page(folder: Path) -> list[str]:
    """Every picture of the folder is on its page and there are no others; returns the headings."""
    page = (folder / "index.html").read_text(encoding="utf-8")
    sources = [unquote(html.unescape(word)) for word in re.findall(r'<img src="([^"]*)"', page)]
    links = [unquote(html.unescape(word)) for word in re.findall(r'<a href="([^"]*)"', page)]
    assert sources == links and sorted(sources) == sorted(f"images/{name}" for name in files(folder))
    return [html.unescape(word) for word in re.findall(r"<h3>(.*?)</h3>", page)]


# --- the original's networks, from file to picture ----------------------------------------------------------------


@pytest.mark.parametrize(
    "name,words",
    [
        ("ckpt_cyclegan_2017_latest_net_G", []),
        ("ckpt_cyclegan_2017_latest_net_G", ["--model", "test", "--no_dropout"]),
        ("ckpt_cyclegan_dropout_nbt", ["--eval"]),
        ("ckpt_pix2pix_old_bn", ["--no_dropout"]),  # the picture's own statistics, without dropout
    ],
)
def test_an_old_network_paints_the_originals_picture(name, words, runner, golden, tmp_path):
    numbers = golden(name)
    place = tmp_path / "checkpoints" / "old"
    place.mkdir(parents=True)
    shutil.copy(golden_file(f"{name}.pth"), place / "latest_net_G.pth")
    picture = numbers["x_u8"][0].transpose(1, 2, 0)
    (tmp_path / "in").mkdir()
    Image.fromarray(picture).save(tmp_path / "in" / "x.png")
    runner.checkpoints = tmp_path / "checkpoints"
    runner(r"checkpoints\old", "--dataroot", "in", "--preprocess", "none", *words)
    folder = tmp_path / "results/old/test_latest"
    assert np.array_equal(pixels(folder / "images/x_real.png"), there_and_back(picture))
    made, expected = pixels(folder / "images/x_fake.png"), truncated(numbers["y"])
    near_a_step = np.abs((truncated(numbers["y"] + 2e-5)).astype(int) - truncated(numbers["y"] - 2e-5)) > 0
    assert np.array_equal(made[~near_a_step], expected[~near_a_step]) and near_a_step.mean() < 0.02
    assert np.abs(made.astype(int) - expected).max() <= 1
    assert f"netG {numbers['meta']['netG']}" in runner.err or "resnet_9" in numbers["meta"]["netG"]
    assert f"ngf {numbers['meta']['ngf']}" in runner.err


@pytest.mark.parametrize("statistics", ["eval", "trainstats_nodrop"])
def test_batch_norm_with_and_without_eval(statistics, runner, golden, tmp_path):
    """The picture's own statistics by default, the running ones with --eval. The dropout is taken out of the file: its
    numbering shifts, the weights stay."""
    numbers = golden("gen_resnet6_batch_dropout")
    weights = {key[2:]: torch.from_numpy(numbers[key]) for key in numbers if key.startswith("w:")}
    weights = {
        re.sub(r"conv_block\.(6|7)\.", lambda m: f"conv_block.{int(m[1]) - 1}.", k): v for k, v in weights.items()
    }
    (tmp_path / "checkpoints/bn").mkdir(parents=True)
    torch.save(weights, tmp_path / "checkpoints/bn/latest_net_G.pth")
    runner.checkpoints = tmp_path / "checkpoints"
    (tmp_path / "in").mkdir()
    picture = numbers["x_u8"][0].transpose(1, 2, 0)
    Image.fromarray(picture).save(tmp_path / "in/x.png")
    words = ["--eval"] if statistics == "eval" else []
    made = pixels(runner("bn", "--dataroot", "in", *SMALL, *words) / "images/x_fake.png")
    if statistics == "eval":
        expected = truncated(numbers["y_eval"][:1])
    else:  # the golden batch has two pictures, which share their statistics: so the network itself, fed with one
        network = networks.define_G(3, 3, 4, "resnet_6blocks", "batch", True)
        legacy.put_into(network, {key[2:]: torch.from_numpy(numbers[key]) for key in numbers if key[:2] == "w:"}, "x")
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.eval()
        both = torch.cat([as_input(x.transpose(1, 2, 0)) for x in numbers["x_u8"]])
        with torch.no_grad():
            np.testing.assert_allclose(network(both).numpy(), numbers["y_trainstats_nodrop"], atol=2e-5)
            expected = truncated(network(both[:1]).numpy())
    assert np.abs(made.astype(int) - expected).max() <= 1
    other = truncated(numbers["y_eval"][:1] if statistics != "eval" else numbers["y_trainstats_nodrop"][:1])
    assert np.abs(made.astype(int) - other).mean() > 2


# --- folders, files, labels ---------------------------------------------------------------------------------------


def unpaired(root: Path, phase: str = "test") -> Path:
    """Two pictures of A, three of B, of other sizes."""
    for number in range(3):
        photo(root / f"{phase}B" / f"b{number}.jpg", 40, 56, number)
        if number < 2:
            photo(root / f"{phase}A" / f"a{number}.jpg", 48, 36, 10 + number)
    return root


def paired(root: Path, phase: str = "test", side: int = 128, count: int = 2) -> Path:
    """Pictures side by side."""
    for number in range(count):
        photo(root / phase / f"{number}.png", side, 2 * side, number)
    return root


def test_one_generator(runner, tmp_path):
    photo(tmp_path / "in/1.jpg")
    photo(tmp_path / "in/2.png", 50, 40)
    folder = runner("single", "--dataroot", "in", *SMALL)
    assert files(folder) == {"1_real.png", "1_fake.png", "2_real.png", "2_fake.png"}
    assert check_page(folder) == ["1", "2"]
    page = (folder / "index.html").read_text()
    assert "<title>Experiment = single, Phase = test, Epoch = latest</title>" in page
    assert all(pixels(path).shape == (32, 32, 3) for path in (folder / "images").iterdir())
    for line in (
        "----------------- Options ---------------",
        "[Network G] Total number of parameters : 0.008 M",
        "processing (0000)-th image... ['in/1.jpg']",
    ):
        assert line in runner.out
    assert "Made 2 results" in runner.out and "netG resnet_6blocks" in runner.err
    table = (runner.checkpoints / "single/test_opt.txt").read_text()
    assert table in runner.out and f"{'crop_size':>25}: {'32':<30}\t[default: 256]" in table
    runner("single", "--dataroot", "in", *SMALL, "--results_dir", r"other\place", "--labels", "2018")
    assert files(tmp_path / "other/place/single/test_latest") == {
        *("1_real_A.png", "1_fake_B.png", "2_real_A.png", "2_fake_B.png")
    }


def test_one_of_a_cyclegans_generators_equals_the_whole(runner, tmp_path):
    unpaired(tmp_path / "data")
    whole = runner("cyclegan", "--dataroot", "data", "--model", "cycle_gan", *SMALL, "--num_test", "2", "--seed", "1")
    labels = ("real_A", "fake_B", "rec_A", "real_B", "fake_A", "rec_B")
    assert files(whole) == {f"a{number}_{label}.png" for number in (0, 1) for label in labels}
    assert check_page(whole) == ["a0", "a1"]
    page = (whole / "index.html").read_text()
    assert re.findall(r"<span>(\w+)</span>", page) == [*labels, *labels]
    made = pixels(whole / "images/a1_fake_B.png")
    there = runner("cyclegan", "--dataroot", "data/testA", "--model_suffix", "_A", *SMALL)
    assert np.array_equal(pixels(there / "images/a1_fake.png"), made)
    back = runner("cyclegan", "--dataroot", "data/testA", "--model_suffix", "_B", *SMALL)
    assert not np.array_equal(pixels(back / "images/a1_fake.png"), made)


def test_a_cyclegan_backwards(runner, tmp_path):
    unpaired(tmp_path / "data")
    words = ["--dataroot", "data", "--model", "cycle_gan", "--direction", "BtoA", "--preprocess", "none"]
    folder = runner("cyclegan", *words)
    assert check_page(folder) == ["b0", "b1", "b2"]
    for label in ("real_A", "fake_B", "rec_A"):  # of the B folder's pictures, 40x56
        assert pixels(folder / f"images/b0_{label}.png").shape == (40, 56, 3)
    for label in ("real_B", "fake_A", "rec_B"):
        assert pixels(folder / f"images/b0_{label}.png").shape == (48, 36, 3)


def test_pix2pix(runner, tmp_path):
    paired(tmp_path / "data")
    words = ["--dataroot", "data", "--model", "pix2pix", "--crop_size", "128", "--eval"]
    folder = runner("pix2pix", *words)
    assert files(folder) == {f"{n}_{label}.png" for n in (0, 1) for label in ("real_A", "fake_B", "real_B")}
    check_page(folder)
    both = there_and_back(pixels(tmp_path / "data/test/0.png"))
    assert np.array_equal(pixels(folder / "images/0_real_A.png"), both[:, :128])
    assert np.array_equal(pixels(folder / "images/0_real_B.png"), both[:, 128:])
    made = pixels(folder / "images/0_fake_B.png")
    folder = runner("pix2pix", *words, "--direction", "BtoA")
    assert "Warning" not in runner.err
    assert np.array_equal(pixels(folder / "images/0_real_A.png"), both[:, 128:])
    assert not np.array_equal(pixels(folder / "images/0_fake_B.png"), made)


def test_a_model_translates_the_way_it_was_trained_to(runner, tmp_path, trained):
    """--direction is read from what train.py wrote down; a flag that says otherwise is followed, with a warning."""
    paired(tmp_path / "data")
    words = ["--dataroot", "data", "--model", "pix2pix", "--crop_size", "128", "--eval"]
    folder = runner("pix2pix", *words, "--direction", "BtoA")
    backwards = pixels(folder / "images/0_fake_B.png")
    written = trained / "pix2pix" / "train_opt.txt"
    written.write_text("               direction: BtoA                          \t[default: AtoB]\n")
    try:
        assert np.array_equal(pixels(runner("pix2pix", *words) / "images/0_fake_B.png"), backwards)
        assert "direction BtoA" in runner.err
        folder = runner("pix2pix", *words, "--direction", "AtoB")
        assert not np.array_equal(pixels(folder / "images/0_fake_B.png"), backwards)
        assert "Warning: the model was trained with --direction BtoA" in runner.err
    finally:
        written.unlink()


def test_dropout_is_live_unless_eval(runner, tmp_path):
    paired(tmp_path / "data", count=1)

    def made(*words):
        folder = runner("pix2pix", "--dataroot", "data", "--model", "pix2pix", "--crop_size", "128", *words)
        return pixels(folder / "images/0_fake_B.png")

    assert not np.array_equal(made(), made())
    assert np.array_equal(made("--seed", "3"), made("--seed", "3"))
    assert not np.array_equal(made("--seed", "3"), made("--seed", "4"))
    assert np.array_equal(made("--eval"), made("--eval"))
    assert np.array_equal(made("--no_dropout"), made("--no_dropout"))  # a U-Net's file does not tell
    assert not np.array_equal(made("--no_dropout"), made("--eval"))  # batch statistics against running ones


def test_colorization(runner, tmp_path):
    photo(tmp_path / "data/test/x.png", 128, 128)
    folder = runner("colors", "--dataroot", "data", "--model", "colorization", "--crop_size", "128")
    assert files(folder) == {"x_real_A.png", "x_real_B_rgb.png", "x_fake_B_rgb.png"}
    check_page(folder)
    grey = pixels(folder / "images/x_real_A.png")
    assert np.array_equal(grey[..., 0], grey[..., 2])
    back = pixels(folder / "images/x_real_B_rgb.png").astype(int)
    assert np.abs(back - pixels(tmp_path / "data/test/x.png")).max() <= 2


def test_template(runner, tmp_path):
    paired(tmp_path / "data", side=32)
    folder = runner("single", "--dataroot", "data", "--model", "template", *SMALL)
    assert files(folder) == {f"{n}_{label}.png" for n in (0, 1) for label in ("data_A", "data_B", "output")}


def test_phases_epochs_and_iterations_have_their_folders(runner, tmp_path):
    photo(tmp_path / "in/1.png")
    unpaired(tmp_path / "data", "val")
    for words, folder in (
        (["--epoch", "5"], "test_5"),
        (["--which_epoch", "5", "--phase", "val"], "val_5"),
        (["--load_iter", "400"], "test_latest_iter400"),
    ):
        runner("single", "--dataroot", "in", *SMALL, *words)
        assert files(tmp_path / "results/single" / folder) == {"1_real.png", "1_fake.png"}
    runner("cyclegan", "--dataroot", "data", "--model", "cycle_gan", "--phase", "val", *SMALL)
    assert (tmp_path / "results/cyclegan/val_latest/index.html").is_file()
    assert (runner.checkpoints / "cyclegan/val_opt.txt").is_file()
    assert "--phase val" in runner.error("cyclegan", "--dataroot", "data", "--model", "cycle_gan")


@pytest.mark.parametrize(
    "words,count", [([], 50), (["--num_test", "2"], 2), (["--how_many", "3"], 3), (["--num_test", "all"], 53)]
)
def test_how_many(words, count, runner, tmp_path, monkeypatch):
    for number in range(53):
        photo(tmp_path / f"in/{number:02d}.png", 8, 8, number)
    folder = runner("single", "--dataroot", "in", "--crop_size", "8", *words)
    assert check_page(folder) == [f"{number:02d}" for number in range(count)]
    assert ("--num_test all" in runner.out) == (count < 53)


# --- sizes --------------------------------------------------------------------------------------------------------


def test_results_come_back_at_their_pictures_size(runner, tmp_path):
    sizes = {"a": (33, 50), "b": (40, 44), "c": (31, 29)}
    for name, size in sizes.items():
        photo(tmp_path / f"in/{name}.png", *size)
    for words in (["--preprocess", "none"], [*SMALL, "--keep_size"]):
        folder = runner("single", "--dataroot", "in", *words)
        for name, size in sizes.items():
            for label in ("real", "fake"):
                assert pixels(folder / f"images/{name}_{label}.png").shape == (*size, 3)
    assert np.array_equal(pixels(runner("single", "--dataroot", "in", *SMALL) / "images/a_fake.png").shape, (32, 32, 3))


def test_a_cyclegans_sides_keep_their_own_sizes(runner, tmp_path):
    unpaired(tmp_path / "data")
    folder = runner("cyclegan", "--dataroot", "data", "--model", "cycle_gan", *SMALL, "--keep_size", "--num_test", "1")
    for label in ("real_A", "fake_B", "rec_A"):
        assert pixels(folder / f"images/a0_{label}.png").shape == (48, 36, 3)
    for label in ("real_B", "fake_A", "rec_B"):
        assert pixels(folder / f"images/a0_{label}.png").shape == (40, 56, 3)


@pytest.mark.parametrize("ratio,shape", [("1.5", (48, 32, 3)), ("0.5", (32, 64, 3))])
def test_stretched(ratio, shape, runner, tmp_path):
    photo(tmp_path / "in/1.png")
    folder = runner("single", "--dataroot", "in", *SMALL, "--aspect_ratio", ratio)
    assert pixels(folder / "images/1_fake.png").shape == shape


def test_sizes_a_unet_cannot_take(runner, tmp_path):
    photo(tmp_path / "in/1.png", 128, 200)
    line = runner.error("pix2pix", "--dataroot", "in", "--preprocess", "none")
    for part in ("in/1.png", "200x128", "unet_128", "multiples of 128", "--crop_size"):
        assert part in line
    assert "--preprocess resize_and_crop" in runner.error(
        *("pix2pix", "--dataroot", "in", "--preprocess", "scale_width", "--load_size", "200", "--crop_size", "100")
    )
    assert "multiples of 128" in runner.error("pix2pix", "--dataroot", "in", "--crop_size", "100")
    photo(tmp_path / "in/2.png", 128, 256)
    folder = runner("pix2pix", "--dataroot", "in", "--preprocess", "none", status=1)
    assert files(folder) == {"2_real.png", "2_fake.png"} and "1.png" in runner.err


def test_pictures_too_small_for_any_network(runner, tmp_path):
    photo(tmp_path / "in/dot.png", 1, 1)
    assert "4x4" in runner.error("single", "--dataroot", "in", "--preprocess", "none")
    assert "too small" in runner.error("single", "--dataroot", "in", "--crop_size", "4")
    runner("single", "--dataroot", "in", "--crop_size", "5")


# --- any picture --------------------------------------------------------------------------------------------------


def test_pictures_of_every_kind(runner, golden, tmp_path):
    source = golden_file("images")
    shutil.copytree(source, tmp_path / "in")
    numbers = golden("image_modes")
    folder = runner("single", "--dataroot", "in", "--preprocess", "none")  # warnings are errors here
    names = sorted(path.stem for path in source.iterdir())
    assert check_page(folder) == names and len(names) == 8
    for path in source.iterdir():
        shown = pixels(folder / f"images/{path.stem}_real.png").astype(int)
        expected = numbers[f"{path.name}:rgb"]
        if path.stem == "gray16":
            expected = np.repeat(numbers["suggested_gray16_scaled_NOT_REFERENCE"][..., None], 3, axis=2)
        expected = there_and_back(expected).astype(int)
        assert np.abs(shown - expected).max() <= (2 if path.suffix == ".jpg" else 0), path.name
    assert runner.err.count("\n") == 2  # where it computes, and what was read from the network


def test_other_numbers_of_channels(runner, tmp_path):
    photo(tmp_path / "in/x.png")
    grey = runner("grey", "--dataroot", "in", *SMALL)
    shown = pixels(grey / "images/x_real.png")
    luma = np.array(Image.open(tmp_path / "in/x.png").convert("L"))
    assert np.array_equal(shown, np.repeat(there_and_back(luma[..., None]), 3, axis=2))
    made = pixels(runner("grey_to_rgb", "--dataroot", "in", *SMALL) / "images/x_fake.png")
    backwards = runner("grey_to_rgb", "--dataroot", "in", *SMALL, "--direction", "BtoA")  # means nothing to one network
    assert np.array_equal(pixels(backwards / "images/x_fake.png"), made)
    rgba = runner("rgba", "--dataroot", "in", *SMALL)
    assert pixels(rgba / "images/x_fake.png").shape == (32, 32, 4)
    (tmp_path / "bands").mkdir()
    np.save(tmp_path / "bands/y.npy", np.random.default_rng(0).random((32, 32, 5), dtype=np.float32))
    five = runner("five", "--dataroot", "bands", "--preprocess", "none")
    assert files(five) == {"y_real.png", "y_fake.png"}
    assert "5" in runner.error("five", "--dataroot", "in", *SMALL)


def test_one_file_as_dataroot(runner, tmp_path):
    photo(tmp_path / "my pictures/me & you.jpg", 40, 40)
    photo(tmp_path / "my pictures/other.jpg")
    folder = runner("single", "--dataroot", r"my pictures\me & you.jpg", *SMALL)
    assert files(folder) == {"me & you_real.png", "me & you_fake.png"} and check_page(folder) == ["me & you"]
    (tmp_path / "notes.txt").write_text("no picture")
    assert "notes.txt" in runner.error("single", "--dataroot", "notes.txt")
    for model, name in (("cycle_gan", "cyclegan"), ("pix2pix", "pix2pix")):
        line = runner.error(name, "--model", model, "--dataroot", "my pictures/other.jpg")
        assert "is a file" in line and "--model test" in line


def test_names_and_sub_folders(runner, tmp_path):
    for name in ("a/1.png", "b/1.png", "b/1.jpg", "two words.png", "50% & <more>#?.png", "Überquerung 猫.png"):
        photo(tmp_path / "in" / name, 8, 8, len(name))
    folder = runner("single", "--dataroot", "in", "--crop_size", "8")
    headings = check_page(folder)
    assert len(files(folder)) == 12 and len({*headings}) == 6
    assert {"1", "two words", "50% & <more>#?", "Überquerung 猫"} <= {*headings}
    shown = pixels(folder / "images/Überquerung 猫_real.png")
    assert np.array_equal(shown, there_and_back(pixels(tmp_path / "in/Überquerung 猫.png")))


# --- what goes wrong ----------------------------------------------------------------------------------------------


def test_one_bad_file_among_good_ones(runner, tmp_path):
    for name in ("a", "b", "c", "d"):
        photo(tmp_path / f"in/{name}.png")
    (tmp_path / "in/a.png").write_bytes((tmp_path / "in/a.png").read_bytes()[:200])
    (tmp_path / "in/d.png").write_text("no picture")
    folder = runner("single", "--dataroot", "in", *SMALL, status=1)
    assert check_page(folder) == ["b", "c"]
    skipped = [line for line in runner.err.splitlines() if line.startswith("Skipped: ")]
    assert len(skipped) == 2 and "in/a.png" in skipped[0] and "in/d.png" in skipped[1]
    assert "Made 2 results" in runner.out


def test_only_bad_files(runner, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").touch()
    assert runner.error("single", "--dataroot", "in", *SMALL) == "error: in/a.png is empty"
    (tmp_path / "in/b.png").touch()
    line = runner.error("single", "--dataroot", "in", *SMALL)
    assert "none of the 2 pictures" in line and "in/a.png is empty" in line
    assert not list((tmp_path / "results").rglob("*.html"))


@pytest.mark.parametrize(
    "words,parts",
    [
        (["single", "--dataroot", "nowhere"], ["there is no folder nowhere"]),
        (["single", "--dataroot", "empty"], ["no pictures in empty"]),
        (["nothing", "--dataroot", "empty"], ["no experiment 'nothing'", "single"]),
        (["single", "--dataroot", "empty", "--epoch", "7"], ["7_net_G.pth", "latest, 5", "400 (--load_iter)"]),
        (["cyclegan", "--dataroot", "empty"], ["--model_suffix _A"]),
        (["single", "--dataroot", "empty", "--netG", "unet_256"], ["--netG unet_256", "resnet_6blocks"]),
        (["single", "--dataroot", "empty", "--gpu_ids", "x"], ["no pictures"]),
    ],
)
def test_mistakes_end_in_one_line_before_anything_is_written(words, parts, runner, tmp_path):
    (tmp_path / "empty").mkdir()
    line = runner.error(*words)
    for part in parts:
        assert part in line
    assert runner.out == "" and [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_results_folder_that_cannot_be(runner, tmp_path):
    photo(tmp_path / "in/1.png")
    (tmp_path / "file").touch()
    assert "file" in runner.error("single", "--dataroot", "in", *SMALL, "--results_dir", "file")


# --- where it computes --------------------------------------------------------------------------------------------


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_old_command_lines_run(runner, tmp_path):
    photo(tmp_path / "in/1.png")
    runner("single", "--dataroot", "in", *SMALL, "--gpu_ids", "0,1")
    assert "No NVIDIA GPU is here for --gpu_ids 0,1" in runner.err
    runner("single", "--dataroot", "in", *SMALL, "--gpu_ids", "-1")
    assert "NVIDIA" not in runner.err


def test_bfloat16_is_close(runner, tmp_path):
    photo(tmp_path / "in/1.png", 64, 64)
    exact = pixels(runner("single", "--dataroot", "in", "--preprocess", "none") / "images/1_fake.png").astype(float)
    words = ["--preprocess", "none", "--precision", "bf16"]
    close = pixels(runner("single", "--dataroot", "in", *words) / "images/1_fake.png").astype(float)
    assert exact.std() > 10  # a picture, not a plain grey
    difference = np.mean((exact - close) ** 2)
    assert difference > 0 and 10 * np.log10(255**2 / difference) >= 35


def test_as_a_program_from_anywhere(trained, tmp_path):
    """The script itself, from a folder that is not the project's."""
    photo(tmp_path / "in/1.png")
    command = [sys.executable, PROJECT / "test.py", "--dataroot", "in", "--checkpoints_dir", trained, "--name"]
    done = subprocess.run([*command, "single", *SMALL], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "results/single/test_latest") == {"1_real.png", "1_fake.png"}
    done = subprocess.run([*command, "none"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
