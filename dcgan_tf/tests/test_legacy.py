"""Old checkpoints: every naming era, both formats, found under any batch size."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from architecture import Architecture, initial_weights
from legacy import find_folder, find_named, load_model, newest, present_name, step_of, whole
from networks import generator
from sampler import Sampler
from shared_scripts.checkpoints_tf import save_checkpoint
from shared_scripts.cli import UserError

SMALL = Architecture(20, 36, 3, z_dim=7, gf_dim=4, df_dim=3)
LABELLED = Architecture(12, 12, 1, z_dim=5, y_dim=10, gf_dim=4, df_dim=3, gfc_dim=8, dfc_dim=6)
REAL = {
    "checkpoint/faces_4_64_64": ("DCGAN.model-1234", "net_rgb64.npz"),
    "checkpoint/mnist_6_28_28": ("DCGAN.model-777", "net_mnist_cond.npz"),
    "checkpoint_v1/glyphs_4_44_36": ("DCGAN.model-501", "net_gray_44x36.npz"),
}


def trained(a: Architecture) -> dict[str, np.ndarray]:
    """Weights that look as if they had been trained: nothing is 0 or 1."""
    random = np.random.default_rng(2)
    weights = initial_weights(a, 1)
    return {n: np.float32(np.abs(v + 0.1 * random.standard_normal(v.shape)) if "variance" in n else
                          v + 0.1 * random.standard_normal(v.shape)) for n, v in weights.items()}  # fmt: skip


def vectors(a: Architecture, count: int = 3) -> tuple:
    z = np.random.default_rng(3).uniform(-1, 1, (count, a.z_dim)).astype(np.float32)
    return z, np.eye(a.y_dim, dtype=np.float32)[np.arange(count) % 10] if a.y_dim else None


# --- the original's own files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", REAL)
def test_real_checkpoints_make_the_original_s_pictures(golden, golden_path, variables, folder):
    name, recording = REAL[folder]
    recording = golden(recording)
    prefix = newest(golden_path(folder))
    assert prefix.name == name
    model = load_model(prefix)  # 44 x 36 of the glyphs is read off the folder's name
    assert model.step == int(name.split("-")[1])
    assert whole(model) and not model.others
    expected = variables(recording)
    assert model.weights.keys() == expected.keys()
    assert all(np.array_equal(value, expected[variable]) for variable, value in model.weights.items())
    images = Sampler(model.architecture, model.weights)(recording["z"], recording.get("y"))
    np.testing.assert_allclose(images, recording["sampler"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("a", [SMALL, LABELLED], ids=["generic", "labels"])
def test_folding_changes_nothing(a):
    weights, (z, y) = trained(a), vectors(a, 70)
    expected, _ = generator(weights, a, z, y)
    np.testing.assert_allclose(Sampler(a, weights)(z, y), expected, atol=2e-6, rtol=0)
    assert Sampler(a, weights)(z[:0], None if y is None else y[:0]).shape == (0, a.height, a.width, a.channels)


# --- names --------------------------------------------------------------------------------------------------------


def bare(name: str) -> str:
    return name.split("/", 1)[1]


def average(mean: str, variance: str):
    def rename(name: str) -> str:
        layer, _, part = bare(name).partition("/")
        kinds = {"moving_mean": mean, "moving_variance": variance}
        return f"{layer}/{kinds[part]}/ExponentialMovingAverage" if part in kinds else bare(name)

    return rename


ERAS = {
    "2017 to 2020": lambda name: name,
    "early 2017": lambda name: name.replace("d_h4_lin", "d_h3_lin"),
    "end of 2016": bare,
    "TensorFlow 0.12": average("moments/mean", "moments/variance"),
    "TensorFlow 0.10": average("g_bn_2/moments/moments_1/mean", "g_bn_2/moments/moments_1/variance"),
    "TensorFlow 0.11": average("moments/Squeeze", "moments/Squeeze_1"),
}


@pytest.mark.parametrize("single_file", [False, True], ids=["V2", "V1"])
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("a", [SMALL, LABELLED], ids=["generic", "labels"])
def test_every_era_of_names(tmp_path, a, era, single_file):
    if a is LABELLED and era == "early 2017":
        pytest.skip("the conditional networks' names did not change then")
    weights = trained(a)
    folder = tmp_path / f"faces_16_{a.height}_{a.width}"
    save_checkpoint(folder / "DCGAN.model-42", {ERAS[era](n): v for n, v in weights.items()}, single_file)
    model = load_model(newest(folder))
    assert model.architecture == a and model.step == 42 and whole(model)
    assert all(np.array_equal(model.weights[name], value) for name, value in weights.items())


def test_without_any_averages_the_statistics_are_found(tmp_path, capsys):
    """The first versions kept none: pictures then look as in training."""
    weights = trained(SMALL)
    kept = {bare(n): v for n, v in weights.items() if "moving" not in n}
    save_checkpoint(tmp_path / "faces_64_20_36" / "DCGAN.model-9", kept)
    model = load_model(tmp_path / "faces_64_20_36" / "DCGAN.model-9")
    sampler = Sampler(model.architecture, model.weights)
    assert "before moving statistics" in capsys.readouterr().err
    z, _ = vectors(SMALL, 512)
    in_training, _ = generator(weights, SMALL, z, training=True)
    assert np.abs(sampler(z) - in_training).mean() < 0.05
    np.testing.assert_allclose(sampler(z[:1]), sampler(z)[:1], atol=1e-6)  # a picture does not depend on its company


@pytest.mark.parametrize("name", ["global_step", "beta1_power", "generator/g_h1/w/Adam", "d_h9_foo/w", "g_h1/weights"])
def test_what_is_no_network_s(name):
    assert present_name(name) is None


def test_a_generator_alone_is_enough_to_sample(tmp_path):
    weights = {n: v for n, v in trained(SMALL).items() if n.startswith("generator/")}
    save_checkpoint(tmp_path / "G-3", weights)
    model = load_model(tmp_path / "G-3", [(64, 64), (20, 36)])
    assert not whole(model)
    assert (model.architecture.height, model.architecture.width) == (20, 36)


def test_half_precision_is_read(tmp_path):
    weights = trained(SMALL)
    save_checkpoint(tmp_path / "a_1_20_36" / "m-1", {n: v.astype(np.float16) for n, v in weights.items()})
    model = load_model(tmp_path / "a_1_20_36" / "m-1")
    assert {v.dtype for v in model.weights.values()} == {np.dtype(np.float32)}


# --- finding ------------------------------------------------------------------------------------------------------


@pytest.fixture
def somewhere(tmp_path):
    """`somewhere(folder, steps)` puts checkpoints there."""
    weights = trained(SMALL)

    def put(folder: str, *steps: int) -> Path:
        for step in steps:
            save_checkpoint(tmp_path / folder / f"DCGAN.model-{step}", weights)
        return tmp_path / folder

    return put


def test_the_batch_size_in_a_folder_s_name_hides_nothing(tmp_path, somewhere):
    other, wrong = somewhere("faces_16_64_64", 500), somewhere("faces_64_128_128", 2)
    somewhere("facesx_64_64_64", 2)
    somewhere("my_faces_64_64_64", 2)
    assert find_folder(tmp_path, "faces", 64, (64, 64), any_size=False) == other
    assert find_folder(tmp_path, "faces", 64, (32, 32), any_size=False) is None
    assert find_folder(tmp_path, "faces", 64, (32, 32), any_size=True) in (other, wrong)
    exact = somewhere("faces_64_64_64", 2)
    assert find_folder(tmp_path, "faces", 64, (64, 64), any_size=False) == exact
    (tmp_path / "empty_64_64_64").mkdir()
    assert find_folder(tmp_path, "empty", 64, (64, 64), any_size=True) is None


def test_another_data_set_s_folder_is_not_taken(tmp_path, somewhere):
    somewhere("faces_8_16_16", 2)
    assert find_folder(tmp_path, "faces_8", 8, (16, 16), any_size=True) is None
    assert find_folder(tmp_path, "faces_8_16", 8, (16, 16), any_size=True) is None
    own = somewhere("faces_8_8_16_16", 2)
    assert find_folder(tmp_path, "faces_8", 64, (16, 16), any_size=True) == own


@pytest.mark.parametrize("folder", ["faces_64", "faces_64_64"])
def test_the_first_version_s_folders(tmp_path, somewhere, folder):
    there = somewhere(folder, 7)
    assert find_folder(tmp_path, "faces", 32, (64, 64), any_size=False) == there


def test_a_folder_with_the_last_version_s_names(tmp_path, somewhere):
    folder = somewhere("checkpoint", 3)
    for part in (".index", ".data-00000-of-00001"):
        shutil.copy(folder / f"DCGAN.model-3{part}", folder / f"model.b64-500{part}")
    (folder / "checkpoint").unlink()
    assert find_folder(folder, "faces", 32, (64, 64), any_size=True) == folder
    assert newest(folder).name == "model.b64-500"
    assert step_of(newest(folder)) == 500


@pytest.mark.parametrize(
    "name",
    ["DCGAN.model-20", "DCGAN.model-20.index", "DCGAN.model-20.data-00000-of-00001", "faces_64_20_36\\DCGAN.model-20"],
)
def test_a_checkpoint_by_name(tmp_path, somewhere, name):
    folder = somewhere("faces_64_20_36", 3, 20, 100)
    assert find_named(name, [folder, tmp_path]) == folder / "DCGAN.model-20"
    assert find_named(str(folder / "DCGAN.model-3"), []) == folder / "DCGAN.model-3"
    with pytest.raises(UserError, match="no checkpoint DCGAN.model-5.*DCGAN.model-3, DCGAN.model-20, DCGAN.model-100"):
        find_named("DCGAN.model-5", [folder])


def test_a_path_s_name_is_not_looked_for_in_another_training_s_folder(tmp_path, somewhere):
    folder = somewhere("faces_64_20_36", 3)
    for written in ("checkpoint/other_64_20_36/DCGAN.model-3", "C:\\old\\other_64_20_36\\DCGAN.model-3"):
        with pytest.raises(UserError, match="there is no checkpoint .*other_64_20_36"):
            find_named(written, [folder, tmp_path])
    for written in ("checkpoint/faces_64_20_36/DCGAN.model-3", "C:\\old\\faces_64_20_36\\DCGAN.model-3"):
        for folders in ([folder], [tmp_path], [folder, tmp_path]):
            assert find_named(written, folders) == folder / "DCGAN.model-3"


def test_a_copied_folder_is_not_left(tmp_path, somewhere):
    folder = somewhere("faces_64_20_36", 3, 20)
    copy = tmp_path / "copy_64_20_36"
    shutil.copytree(folder, copy)
    (copy / "checkpoint").write_text(f'model_checkpoint_path: "{(folder / "DCGAN.model-20").as_posix()}"\n')
    for path in copy.glob("DCGAN.model-20.*"):
        path.unlink()
    assert newest(copy) == copy / "DCGAN.model-3"


def test_a_dead_path_in_the_state_file_is_ignored(somewhere):
    folder = somewhere("faces_64_20_36", 3, 20)
    (folder / "checkpoint").write_text('model_checkpoint_path: "C:\\\\old\\\\faces\\\\DCGAN.model-3"\n')
    assert newest(folder).name == "DCGAN.model-3"
    (folder / "checkpoint").write_text('model_checkpoint_path: "/gone/DCGAN.model-77"\n')
    assert newest(folder).name == "DCGAN.model-20"


def test_another_network_is_named(tmp_path):
    save_checkpoint(tmp_path / "fns-1", {"Variable": np.zeros((9, 9, 3, 32), np.float32)})
    with pytest.raises(UserError, match="another network's checkpoint: it has no generator of a DCGAN; it holds Var"):
        load_model(tmp_path / "fns-1")


def test_numbers_that_are_none(tmp_path):
    weights = trained(SMALL) | {"generator/g_h2/biases": np.full(8, np.nan, np.float32)}
    save_checkpoint(tmp_path / "a_1_20_36" / "m-1", weights)
    with pytest.raises(UserError, match="not finite .generator/g_h2/biases"):
        load_model(tmp_path / "a_1_20_36" / "m-1")


def test_tensorflow_1_reads_what_is_written(tmp_path):
    """The original's Saver, with its own variables, from a file that holds more than those."""
    weights = trained(LABELLED)
    save_checkpoint(tmp_path / "DCGAN.model-5", weights | {"generator/g_h2/w/Adam": np.zeros(3, np.float32)})
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        variables = {n: v1.get_variable(n, v.shape, use_resource=False) for n, v in weights.items()}
        v1.train.Saver().restore(session, v1.train.latest_checkpoint(str(tmp_path)))
        assert all(np.array_equal(session.run(variables[name]), value) for name, value in weights.items())
