"""Pictures and other forms of trained generators; no data set is anywhere near."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from runs import DIGITS, FACES, assert_same, call, files_in, old_checkpoint, pixels_of, refused, tensors

from architecture import Architecture, initial_weights
from legacy import load_model
from networks import generator
from sampler import Sampler
from shared_scripts.checkpoints_tf import save_checkpoint

SMALL = Architecture(16, 20, 3, z_dim=4, gf_dim=4, df_dim=4)
DATE = r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d"


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """`run(*flags)` in an empty folder: (status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    return lambda *flags: call(capsys, *flags)


@pytest.fixture
def make(run):
    """`make(*flags)` must do well; what it said."""

    def well(*flags) -> str:
        status, out, err = run(*flags)
        assert (status, out) == (0, ""), err
        return err

    return well


@pytest.fixture
def faces(tmp_path):
    return old_checkpoint(tmp_path / "checkpoint/faces_4_64_64", 1234, FACES)


@pytest.fixture
def digits(tmp_path):
    return old_checkpoint(tmp_path / "checkpoint/mnist_6_28_28", 777, DIGITS)


def small(folder: Path, *steps: int) -> Path:
    """A small network's checkpoints."""
    for step in steps or (7,):
        old_checkpoint(folder, step, SMALL)
    return folder


def drawn(prefix: Path, z: np.ndarray, labels: list[int] | None = None) -> np.ndarray:
    """What a checkpoint's generator makes, as pixels: worked out from the network, not with the sampler."""
    model = load_model(prefix)
    return drawn_by(model.weights, model.architecture, z, labels)


def drawn_by(weights: dict, a: Architecture, z: np.ndarray, labels: list[int] | None = None) -> np.ndarray:
    """The same of its variables."""
    y = None if labels is None else np.eye(10, dtype=np.float32)[labels]
    images = generator(weights, a, z.astype(np.float32), y)[0].numpy()
    return np.rint(images * 255 if y is not None else (images + 1) * 127.5)


def tiles(path: Path, rows: int, columns: int) -> np.ndarray:
    """A sheet's pictures, row by row: (N, H, W, C)."""
    sheet = pixels_of(path).astype(float)
    sheet = sheet.reshape(*sheet.shape[:2], -1)
    height, width = sheet.shape[0] // rows, sheet.shape[1] // columns
    sheet = sheet.reshape(rows, height, columns, width, -1).swapaxes(1, 2)
    return sheet.reshape(-1, height, width, sheet.shape[-1])


def uniform(seed: int, count: int, z_dim: int = 100) -> np.ndarray:
    return np.random.RandomState(seed).uniform(-1, 1, (count, z_dim))


def only(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


# --- pictures -----------------------------------------------------------------------------------------------------


def test_a_sheet_without_being_asked(make, faces, tmp_path):
    """Of --batch_size pictures, from the checkpoint that the state file names, whatever its batch size was."""
    err = make("--dataset", "faces", "--seed", 5)
    assert "Reading checkpoint/faces_4_64_64/DCGAN.model-1234 (made with --batch_size 4)." in err
    assert "DCGAN.model-1234: 64x64 RGB, 100 latent numbers." in err
    path = only(tmp_path / "samples")
    assert re.fullmatch(rf"test_{DATE}\.png", path.name) and f"Made samples/{path.name}." in err
    found = tiles(path, 8, 8)
    assert np.abs(found - drawn(faces / "DCGAN.model-1234", uniform(5, 64))).max() <= 1
    assert found.std() > 20


def test_any_number_of_pictures(make, faces, tmp_path):
    make("--dataset", "faces", "--seed", 5, "--num_images", 5, "--z_dist", "normal01", "--sample_dir", "new\\folder")
    found = tiles(only(tmp_path / "new" / "folder"), 2, 3)
    z = np.random.RandomState(5).normal(0, 1, (5, 100))
    assert np.abs(found[:5] - drawn(faces / "DCGAN.model-1234", z)).max() <= 1
    assert not found[5].any()


def test_a_file_a_picture(make, faces, tmp_path):
    err = make("--dataset", "faces", "--seed", 5, "--num_images", 3, "--samples", "single")
    paths = sorted((tmp_path / "samples").iterdir())
    assert [re.sub(DATE, "DATE", path.name) for path in paths] == [f"test_DATE_00{i}.png" for i in range(3)]
    assert "Made 3 pictures, samples/test_" in err
    expected = drawn(faces / "DCGAN.model-1234", uniform(5, 3))
    assert np.abs(np.stack([pixels_of(path) for path in paths]) - expected).max() <= 1
    assert "Made samples/test_" in make("--dataset", "faces", "--num_images", 1, "--samples", "single")


def test_stretched_contrast_on_demand(make, faces, tmp_path):
    make("--dataset", "faces", "--num_images", 4, "--reference_exact")
    sheet = pixels_of(only(tmp_path / "samples"))
    assert (sheet.min(), sheet.max()) == (0, 255)


@pytest.mark.parametrize(("flags", "labels"), [([], [0, 1, 2, 3, 4, 5]), (["--label", 7], [7] * 6)])
def test_digits(make, digits, tmp_path, flags, labels):
    err = make("--dataset", "mnist", "--batch_size", 6, "--seed", 3, *flags)
    assert "28x28 grey, 100 latent numbers, 10 labels" in err
    found = tiles(only(tmp_path / "samples"), 2, 3)
    assert np.abs(found - drawn(digits / "DCGAN.model-777", uniform(3, 6), labels)).max() <= 1


def test_labels_that_are_none(run, faces, tmp_path):
    for label in (0, 7):
        refused(run("--dataset", "faces", "--label", label), f"--label {label}: this network knows no labels")
    three = Architecture(12, 12, 1, z_dim=4, y_dim=3, gf_dim=4, df_dim=4, gfc_dim=8, dfc_dim=8)
    save_checkpoint(tmp_path / "checkpoint/three_4_12_12/DCGAN.model-1", initial_weights(three))
    refused(run("--dataset", "three", "--label", 3), "--label 3: this network knows the labels 0 to 2")
    assert not (tmp_path / "samples").exists()


def test_a_grid_along_each_dimension(make, tmp_path):
    folder = small(tmp_path / "checkpoint/x_6_16_20")
    err = make("--dataset", "x", "--visualize", "--batch_size", 6, "--seed", 2)
    assert files_in(tmp_path / "samples") == {f"test_arange_{d}.png" for d in range(4)}
    assert "Made 4 files, samples/test_arange_0.png and so on." in err
    random = np.random.RandomState(2)
    for d in range(2):
        z = random.uniform(-1, 1, (6, 4))
        z[:, d] = np.arange(6) / 6
        found = tiles(tmp_path / f"samples/test_arange_{d}.png", 3, 3)
        assert np.abs(found[:6] - drawn(folder / "DCGAN.model-7", z)).max() <= 1 and not found[6:].any()


@pytest.mark.parametrize(
    ("option", "names"),
    [
        (0, {"test_DATE.png"}),
        (1, {f"test_arange_{d}.png" for d in range(4)}),
        (2, None),
        (3, {f"test_gif_{d}.gif" for d in range(4)}),
        (4, {f"test_gif_{d}.gif" for d in range(4)} | {"test_gif_merged.gif"}),
    ],
)
def test_options(make, tmp_path, option, names):
    small(tmp_path / "checkpoint/x_6_16_20")
    make("--dataset", "x", "--option", option, "--batch_size", 6)
    found = {re.sub(DATE, "DATE", name) for name in files_in(tmp_path / "samples")}
    if names is None:  # dimensions by chance
        assert found and all(re.fullmatch(r"test_gif_[0-3]\.gif", name) for name in found)
    else:
        assert found == names
    for path in (tmp_path / "samples").glob("*.gif"):
        with Image.open(path) as film:
            assert film.n_frames == (11 if "merged" in path.name else 6)  # there and back: the turn is one frame


# --- which checkpoint ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "DCGAN.model-3",
        "DCGAN.model-3.index",
        "DCGAN.model-3.data-00000-of-00001",
        "checkpoint/x_6_16_20/DCGAN.model-3",
        "checkpoint\\x_6_16_20\\DCGAN.model-3",
        "x_6_16_20/DCGAN.model-3",
        "HERE/checkpoint/x_6_16_20/DCGAN.model-3.index",
    ],
)
@pytest.mark.parametrize("dataset", [["--dataset", "x"], []], ids=["x", "any"])
def test_a_checkpoint_by_its_name(make, tmp_path, dataset, name):
    folder = small(tmp_path / "checkpoint/x_6_16_20", 3, 20)
    err = make(*dataset, "--num_images", 1, "--seed", 1, "--checkpoint_name", name.replace("HERE", str(tmp_path)))
    assert "DCGAN.model-3: 16x20 RGB" in err and "DCGAN.model-20" not in err
    found = pixels_of(only(tmp_path / "samples"))
    assert np.abs(found - drawn(folder / "DCGAN.model-3", uniform(1, 1, 4))[0]).max() <= 1


def test_a_path_is_not_taken_for_a_name(make, tmp_path):
    """Of two checkpoints of one name, that of the path."""
    for folder in ("checkpoint/x_6_16_20", "backup"):
        small(tmp_path / folder, 3)
    err = make(
        "--dataset",
        "x",
        "--num_images",
        1,
        "--output_height=16",
        "--output_width=20",
        "--checkpoint_name",
        "backup/DCGAN.model-3",
    )
    assert err.startswith("backup/DCGAN.model-3: ")


def test_the_newest_of_a_folder(make, tmp_path):
    """The one that the state file names, wherever it says that lay; else the highest number."""
    folder = small(tmp_path / "checkpoint/x_6_16_20", 3, 20, 100)
    assert "DCGAN.model-100: " in make("--dataset", "x", "--num_images", 1)
    (folder / "checkpoint").write_text('model_checkpoint_path: "/home/gone/x_6_16_20/DCGAN.model-20"\n')
    assert "DCGAN.model-20: " in make("--dataset", "x", "--num_images", 1)
    (folder / "checkpoint").unlink()
    assert "DCGAN.model-100: " in make("--dataset", "x", "--num_images", 1)
    assert "DCGAN.model-100: " in make("--checkpoint_dir", folder, "--num_images", 1)


def test_without_a_data_set_s_name_the_newest_training(make, tmp_path):
    """An exported copy is none."""
    old, new = small(tmp_path / "checkpoint/x_6_16_20"), small(tmp_path / "checkpoint/y_6_16_20")
    small(tmp_path / "checkpoint/export_b6")
    os.utime(old, (1e9, 1e9))
    err = make("--num_images", 1)
    assert "checkpoint/y_6_16_20/DCGAN.model-7: " in err and "the newest; --dataset names another" in err
    os.utime(new, (9e8, 9e8))
    assert "checkpoint/x_6_16_20/DCGAN.model-7: " in make("--num_images", 1)


@pytest.mark.parametrize(
    ("name", "step", "recording"),
    [
        ("checkpoint/faces_4_64_64", 1234, "net_rgb64.npz"),
        ("checkpoint/mnist_6_28_28", 777, "net_mnist_cond.npz"),
        ("checkpoint_v1/glyphs_4_44_36", 501, "net_gray_44x36.npz"),
    ],
)
def test_the_original_s_checkpoints_as_users_have_them(
    make, golden_path, golden, variables, tmp_path, name, step, recording
):
    """Sizes, colours and labels are theirs; a picture is the one that the original's weights make."""
    folder = tmp_path / "checkpoint" / Path(name).name
    folder.mkdir(parents=True)
    for path in golden_path(name).iterdir():
        shutil.copyfile(path, folder / path.name)
    held = golden(recording)
    labels = None if "y" not in held else [4, 4]
    options = [] if labels is None else ["--label", 4]
    err = make("--dataset", folder.name.split("_")[0], "--num_images", 2, "--seed", 8, *options)
    height, width = held["images"].shape[1:3]
    assert f"DCGAN.model-{step}: {height}x{width} " in err
    a = load_model(folder / f"DCGAN.model-{step}").architecture
    expected = drawn_by(variables(held), a, uniform(8, 2, a.z_dim), labels)
    assert np.abs(tiles(only(tmp_path / "samples"), 1, 2) - expected).max() <= 1


def test_sizes(run, make, faces):
    assert "DCGAN.model-1234" in make("--dataset", "faces", "--output_height", 64, "--num_images", 1)
    outcome = run("--dataset", "faces", "--output_height", 32)
    refused(outcome, "makes pictures of 64x64, not 32x32; leave --output_height and --output_width away")


def test_the_last_version_s_folders(run, make, tmp_path):
    folder = small(tmp_path / "out/first run/checkpoint")
    for part in (".index", ".data-00000-of-00001"):
        shutil.move(folder / f"DCGAN.model-7{part}", folder / f"model.b6-7{part}")
    (folder / "checkpoint").unlink()
    refused(run("--out_dir", "out", "--dataset", "x"), "--out_name says which training in out", "'first run'")
    sizes = ["--output_height", 16, "--output_width", 20]  # that folder's name does not have them
    refused(run("--out_name", "first run", "--dataset", "x"), "are not square; give its --output_height")
    assert "model.b6-7: 16x20" in make("--out_name", "first run", "--dataset", "x", "--num_images", 2, *sizes)
    assert re.fullmatch(r"test_\d{14}\.png", only(tmp_path / "out/first run/samples").name)


def test_no_checkpoint(run, faces, tmp_path):
    refused(run("--dataset", "cats"), "Checkpoint not found!", "--dataset cats", "(there are faces_4_64_64)", "--train")
    refused(run("--dataset", "cats", "--checkpoint_dir", "none"), "Checkpoint not found!", "in none;")
    listed = refused(run("--dataset", "faces", "--checkpoint_name", "DCGAN.model-5"), "there is no checkpoint")
    assert "DCGAN.model-1234" in listed
    refused(
        run("--dataset", "cats", "--checkpoint_dir", "none", "--checkpoint_name", "DCGAN.model-5"), "there are: none"
    )
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint"}


@pytest.mark.parametrize(
    ("part", "content", "words"),
    [
        (".index", b"", ["DCGAN.model-1234.index is empty"]),
        (".index", b"<!DOCTYPE html>", ["is a web page, not a checkpoint"]),
        (".index", b"\x89HDF\r\n", ["is a Keras .h5 file"]),
        (".data-00000-of-00001", b"half", ["is damaged or cut short"]),
        (".data-00000-of-00001", None, ["is damaged or cut short"]),
    ],
)
def test_damaged_checkpoints(run, faces, tmp_path, part, content, words):
    file = faces / f"DCGAN.model-1234{part}"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    refused(run("--dataset", "faces"), *words)
    assert not (tmp_path / "samples").exists()


def test_another_network(run, tmp_path):
    save_checkpoint(tmp_path / "checkpoint/x_1_8_8/model-1", {"Variable": np.zeros(3, np.float32)})
    refused(run("--dataset", "x"), "another network's checkpoint: it has no generator of a DCGAN; it holds Variable")


# --- other forms --------------------------------------------------------------------------------------------------


def frozen_pictures(path: Path, output: str, **inputs: np.ndarray) -> np.ndarray:
    """What a frozen graph makes, in a session of TensorFlow 1."""
    definition = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.import_graph_def(definition, name="")
        return session.run(f"{output}:0", {f"{name}:0": value for name, value in inputs.items()})


@pytest.mark.parametrize("kind", ["faces", "digits"])
def test_freeze(make, request, kind, tmp_path):
    folder = request.getfixturevalue(kind)
    step, dataset, output = (1234, "faces", "Tanh") if kind == "faces" else (777, "mnist", "Sigmoid")
    err = make("--dataset", dataset, "--freeze", "--batch_size", 16)
    path = tmp_path / f"checkpoint/frozen_b16/model.b16-{step:06d}_frz.pb"
    assert f"generator_1/{output} comes out" in err and not (tmp_path / "samples").exists()
    model, z = load_model(folder / f"DCGAN.model-{step}"), uniform(1, 3).astype(np.float32)
    y = np.eye(10, dtype=np.float32)[[3, 1, 4]] if kind == "digits" else None
    inputs = {"z": z} if y is None else {"z": z, "y": y}
    found = frozen_pictures(path, f"generator_1/{output}", **inputs)
    np.testing.assert_allclose(found, Sampler(model.architecture, model.weights)(z, y), atol=1e-5, rtol=0)
    nodes = [node.name for node in tf.compat.v1.GraphDef.FromString(path.read_bytes()).node]
    assert not any(name.startswith("discriminator") for name in nodes)


def test_export(run, make, tmp_path):
    """The networks alone, under the last version's name; pictures can be made of it."""
    folder = tmp_path / "checkpoint/x_6_16_20"
    weights = initial_weights(SMALL, 1)
    state = {"beta1_power": np.float32(0.5), "generator/g_h4/w/Adam": np.zeros(3, np.float32), "training/epoch": 1}
    save_checkpoint(folder / "DCGAN.model-7", {**weights, **state})
    err = make("--dataset", "x", "--export", "--freeze", "--batch_size", 6)
    exported = tmp_path / "checkpoint/export_b6/model.b6-7"
    assert "Made checkpoint/export_b6/model.b6-7.index" in err and "model.b6-000007_frz.pb" in err
    assert_same(tensors(exported), weights)
    assert "model.b6-7: 16x20" in make(
        "--checkpoint_name", "export_b6\\model.b6-7", "--output_size=16", "--output_width=20"
    )
    refused(run("--dataset", "cats", "--export"), "Checkpoint not found!")


def test_freezing_a_checkpoint_without_statistics(make, tmp_path):
    weights = {name: value for name, value in initial_weights(SMALL, 1).items() if "moving" not in name}
    save_checkpoint(tmp_path / "checkpoint/x_6_16_20/DCGAN.model-7", weights)
    assert "before moving statistics" in make("--dataset", "x", "--freeze", "--batch_size", 6)
    z = uniform(1, 3, 4).astype(np.float32)
    found = frozen_pictures(tmp_path / "checkpoint/frozen_b6/model.b6-000007_frz.pb", "generator_1/Tanh", z=z)
    np.testing.assert_allclose(found, Sampler(SMALL, weights)(z), atol=1e-5, rtol=0)


def test_the_trainings_of_the_comparison_are_no_dcgans(make, tmp_path):
    """Without --dataset the newest training counts, but not those of --model."""
    folder = small(tmp_path / "checkpoint/dots_6_16_20")
    save_checkpoint(tmp_path / "checkpoint/gan_mnist/gan.model", {"generator/0/w": np.zeros((2, 2), np.float32)})
    assert f"{Path('checkpoint') / folder.name / 'DCGAN.model-7'}: 16x20" in make("--num_images", 2)


def test_films_without_a_data_set_are_named_after_the_training(make, tmp_path):
    small(tmp_path / "checkpoint/dots_6_16_20")
    (tmp_path / "film.json").write_text(json.dumps({"data": [{"mode_num": "randGen", "total_frame_num": 1}]}))
    make("--gen_json", "film.json")
    assert only(tmp_path / "samples").name.startswith("film-dots-")


@pytest.mark.parametrize("how", ["--export", "--freeze"])
def test_one_training_s_export_does_not_replace_another_s(run, make, tmp_path, how):
    small(tmp_path / "checkpoint/x_6_16_20")
    make("--dataset", "x", how)
    make("--dataset", "x", how)  # once more is no harm
    folder = small(tmp_path / "checkpoint/y_6_16_20", 8)  # of the same step, but other numbers
    for path in folder.glob("DCGAN.model-8*"):
        path.rename(folder / path.name.replace("-8", "-7"))
    (folder / "checkpoint").unlink()
    before = {path: path.read_bytes() for path in (tmp_path / "checkpoint").rglob("*b64*/*")}
    refused(run("--dataset", folder.name[0], how), "is there already, of another training")
    assert before and all(path.read_bytes() == content for path, content in before.items())


def test_what_comes_first(make, tmp_path):
    """A film before an export before --visualize before a walk, as --help says."""
    small(tmp_path / "checkpoint/x_6_16_20")
    flags = ["--dataset", "x", "--batch_size", 6, "--option", 0, "--generation_mode", 2, "--export"]
    (tmp_path / "film.json").write_text(json.dumps({"data": [{"mode_num": "randGen", "total_frame_num": 2}]}))
    make(*flags, "--gen_json", "film.json")
    (folder,) = (tmp_path / "samples").iterdir()
    assert folder.name.startswith("film-x-") and len(list(folder.glob("*.png"))) == 2
    assert not (tmp_path / "checkpoint/export_b6").exists()
    shutil.rmtree(tmp_path / "samples")
    make(*flags)
    assert (tmp_path / "checkpoint/export_b6").exists() and not (tmp_path / "samples").exists()
    make(*flags, "--noexport")
    assert re.fullmatch(rf"test_{DATE}\.png", only(tmp_path / "samples").name)


def test_a_full_disk(run, faces, tmp_path, full_disk):
    with full_disk(1000):
        refused(run("--dataset", "faces", "--num_images", 4), "cannot write samples/test_")
        refused(run("--dataset", "faces", "--export"), "cannot write checkpoint/export_b64/model.b64-1234")
        refused(run("--dataset", "faces", "--freeze"), "cannot write checkpoint/frozen_b64/model.b64-001234_frz.pb")
    assert files_in(tmp_path) == {path.relative_to(tmp_path).as_posix() for path in faces.iterdir()}
