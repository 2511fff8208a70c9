"""Checkpoints as people have them: every way to name one, both formats, and everything that is none."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import random
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import legacy
from legacy import find_checkpoint, load_checkpoint
from networks import variable_shapes
from shared_scripts import tf1
from shared_scripts.cli import UserError
from shared_scripts.unpack import unpack

SHARED = Path(__file__).resolve().parents[3] / "shared" / "golden" / "fast_style_transfer"
# The recorded network's 48 weights one after the other, as net_full.npz has them
WEIGHTS_SHA256 = "444c001cf4e36155bfd24fd1a10237815bebce33b3dd937c57d79942d5b792af"
DATA = ".data-00000-of-00001"
# A network of one layer, for what does not depend on size
SHAPES = {"Variable": (3, 3, 2, 4), "Variable_1": (4,), "Variable_2": (4,)}


def tensors(value: float = 1.0, dtype=np.float32, adam: bool = False) -> dict[str, np.ndarray]:
    """The small network's weights, all the same number; Adam's state with it where asked for."""
    shapes = {**SHAPES, **(legacy.adam_shapes(SHAPES) if adam else {})}
    return {name: np.full(shape, value, dtype) for name, shape in shapes.items()}


def random_tensors() -> dict[str, np.ndarray]:
    """The small network's weights with Adam's state, all numbers different."""
    generator = np.random.default_rng(1)
    shapes = {**SHAPES, **legacy.adam_shapes(SHAPES)}
    return {name: np.asarray(generator.standard_normal(shape), np.float32) for name, shape in shapes.items()}


def write_v1(path: Path, values: dict[str, np.ndarray]) -> Path:
    """One file, by TensorFlow itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tf.raw_ops.Save(filename=str(path), tensor_names=list(values), data=list(values.values()))
    return path


def write_v2(prefix: Path, values: dict[str, np.ndarray], meta: bool = False) -> Path:
    """Index and data, by TensorFlow itself; the graph's .meta beside them where asked for."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=list(values.values()),
    )
    if meta:
        Path(f"{prefix}.meta").write_bytes(graph_bytes())
    return prefix


def graph_bytes() -> bytes:
    """What TensorFlow 1 wrote as .meta: a graph with a convolution, variables and their saver."""
    v1 = tf.compat.v1
    with tf.Graph().as_default():
        kernel = v1.Variable(tf.zeros([3, 3, 3, 4]), use_resource=False)
        tf.nn.conv2d(v1.placeholder(tf.float32, [1, 8, 8, 3]), kernel, 1, "SAME")
        v1.train.Saver()
        return v1.train.export_meta_graph().SerializeToString()


def state_file(folder: Path, path: str) -> None:
    """The text file that says which checkpoint of a folder counts."""
    text = f'model_checkpoint_path: "{path}"\nall_model_checkpoint_paths: "{path}"\n'
    (folder / "checkpoint").write_text(text, encoding="utf-8")


def value_of(text) -> float:
    """Load the small network; which number its weights are filled with."""
    weights = load_checkpoint(text, SHAPES).weights
    assert {name: value.shape for name, value in weights.items()} == SHAPES
    (value,) = {float(number) for array in weights.values() for number in array.flat}
    return value


def refused(path, *words: str, shapes=SHAPES) -> str:
    """Loading ends in one line that holds the words."""
    with pytest.raises(UserError) as caught:
        load_checkpoint(path, shapes)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 400
    for word in words:
        assert word in message, (word, message)
    return message


# --- the recorded network -----------------------------------------------------------------------------------------


def digest(weights: dict[str, np.ndarray]) -> str:
    return hashlib.sha256(b"".join(weights[name].tobytes() for name in variable_shapes())).hexdigest()


def check_recorded(found: legacy.Checkpoint) -> None:
    """It is the recorded network, with the Adam state the recording was given."""
    assert list(found.weights) == list(variable_shapes())
    assert all(value.dtype == np.float32 for value in found.weights.values())
    assert digest(found.weights) == WEIGHTS_SHA256
    assert len(found.adam) == 98
    for name, value in found.adam.items():
        if not name.startswith("beta"):
            assert value.dtype == np.float32 and value.shape == found.weights[name.rpartition("/")[0]].shape
            assert (value == (0.125 if name.endswith("/Adam") else 0.25)).all(), name


def test_the_published_format(v1_checkpoint):
    """The six published styles are files of this format and size."""
    assert v1_checkpoint.stat().st_size == 20_147_011
    found = load_checkpoint(v1_checkpoint)
    check_recorded(found)
    assert found.prefix == v1_checkpoint


def test_the_recorded_weights(v1_checkpoint):
    if not SHARED.is_dir():
        pytest.skip(f"needs net_full.npz, which is not in this copy ({SHARED})")
    found = load_checkpoint(v1_checkpoint).weights
    with np.load(SHARED / "net_full.npz") as file:
        for name in variable_shapes():
            expected = file[f"wq/{name}"].astype(np.float32) * np.float32(2.0) ** file[f"wexp/{name}"]
            np.testing.assert_array_equal(found[name], expected, err_msg=name)


def test_a_folder_the_original_wrote(tmp_path):
    if not SHARED.is_dir():
        pytest.skip(f"needs v2_checkpoint_dir.tar.xz, which is not in this copy ({SHARED})")
    unpack(SHARED / "v2_checkpoint_dir.tar.xz", tmp_path)
    check_recorded(load_checkpoint(tmp_path / "checkpoints"))
    (tmp_path / "checkpoints" / "checkpoint").unlink()
    check_recorded(load_checkpoint(tmp_path / "checkpoints"))


# --- naming one ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    """A folder of checkpoints, each filled with its own number."""
    shelf = tmp_path_factory.mktemp("shelf")
    write_v1(shelf / "one.ckpt", tensors(1))
    write_v2(shelf / "two" / "fns.ckpt", tensors(2), meta=True)
    state_file(shelf / "two", "fns.ckpt")
    write_v2(shelf / "moved" / "fns.ckpt", tensors(3))
    write_v2(shelf / "moved" / "zzz.ckpt", tensors(-1))
    state_file(shelf / "moved", "/home/somebody/trainings/fns.ckpt")
    write_v2(shelf / "windows" / "fns.ckpt", tensors(4))
    write_v2(shelf / "windows" / "zzz.ckpt", tensors(-1))
    state_file(shelf / "windows", "C:\\\\Users\\\\somebody\\\\fns.ckpt")
    write_v2(shelf / "stateless" / "model", tensors(5))
    write_v1(shelf / "stateless v1" / "wave.ckpt", tensors(6))
    (shelf / "stateless v1" / "README").write_text("what this is")
    for number in (9, 20, 100):
        write_v2(shelf / "numbered" / f"model.ckpt-{number}", tensors(number))
    for number, name in (8, "alpha.ckpt"), (9, "fns.ckpt"), (10, "zeta.ckpt"):
        write_v1(shelf / "several" / name, tensors(number))
    shutil.copytree(shelf / "several", shelf / "chosen")
    state_file(shelf / "chosen", "alpha.ckpt")
    shutil.copytree(shelf / "numbered", shelf / "gone")
    state_file(shelf / "gone", "model.ckpt-7")
    write_v1(shelf / "elsewhere" / "fns.ckpt", tensors(11))
    (shelf / "pointer").mkdir()
    state_file(shelf / "pointer", "../elsewhere/fns.ckpt")
    write_v1(shelf / "both.ckpt", tensors(12))
    write_v1(shelf / "both" / "fns.ckpt", tensors(13))
    write_v2(shelf / "parts" / "a_part", tensors(14))
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=[
            str(shelf / "parts" / "a_part"),
            str(write_v2(shelf / "parts" / "b", {"step": np.int64(7)})),
        ],
        destination_prefix=str(shelf / "parts" / "whole.ckpt"),
    )
    return shelf


BY_NAME = [
    ("one.ckpt", 1),
    ("./one.ckpt", 1),
    ("one", 1),
    ("two/fns.ckpt", 2),
    ("two/fns.ckpt.index", 2),
    ("two/fns.ckpt" + DATA, 2),
    ("two/fns.ckpt.meta", 2),
    ("two/fns", 2),
    ("two", 2),
    ("two/", 2),
    ("two.ckpt", 2),
    ("two\\fns.ckpt", 2),
    ("two\\fns.ckpt.index", 2),
    (".\\two", 2),
    ("two\\", 2),
    (".\\one.ckpt", 1),
    ("moved", 3),
    ("windows", 4),
    ("moved/zzz.ckpt", -1),
    ("stateless", 5),
    ("stateless/model", 5),
    ("stateless/model.meta", 5),
    ("stateless v1", 6),
    ("stateless v1\\wave", 6),
    ("numbered", 100),
    ("numbered/model.ckpt-9.index", 9),
    ("numbered/model.ckpt-20", 20),
    ("several", 9),
    ("chosen", 8),
    ("gone", 100),
    ("pointer", 11),
    ("both.ckpt", 12),
    ("both", 13),
    ("parts/whole.ckpt", 14),
    ("parts/whole.ckpt.data-00001-of-00002", 14),
]


@pytest.mark.parametrize("text, expected", BY_NAME, ids=[text for text, _ in BY_NAME])
def test_every_way_to_name_one(shelf, monkeypatch, text, expected):
    monkeypatch.chdir(shelf)
    assert value_of(text) == expected


def test_paths_of_all_kinds(shelf, monkeypatch):
    monkeypatch.setenv("HOME", str(shelf))
    monkeypatch.setenv("USERPROFILE", str(shelf))
    monkeypatch.chdir(shelf / "two")
    assert value_of(shelf / "one.ckpt") == 1
    assert value_of(str(shelf / "two" / "fns.ckpt.index")) == 2
    assert value_of("~/moved") == 3
    assert value_of("..\\windows\\fns.ckpt") == 4
    assert value_of(".") == 2


def test_the_answer_is_what_tensorflow_wants(shelf):
    """A V1 file, or the prefix that the V2 files share."""
    assert find_checkpoint(shelf / "one") == shelf / "one.ckpt"
    assert find_checkpoint(shelf / "two" / "fns.ckpt.meta") == shelf / "two" / "fns.ckpt"
    assert load_checkpoint(shelf / "two", SHAPES).prefix == shelf / "two" / "fns.ckpt"


@pytest.mark.parametrize("name", ["my [old] styles", "what?", "a*b", "[ab"])
@pytest.mark.parametrize("write", [write_v1, write_v2])
def test_names_that_tensorflow_takes_for_patterns(tmp_path, name, write):
    """One of several that the pattern would match: `a*b` is also `ab`."""
    if os.name == "nt" and set(name) & set("?*"):
        pytest.skip("Windows has no such names")
    write(tmp_path / "whatx" / "fns.ckpt", tensors(-1))
    write(tmp_path / "ab" / "fns.ckpt", tensors(-1))
    written = write(tmp_path / "plain" / "fns.ckpt", tensors(3))
    written.parent.rename(tmp_path / name)
    assert value_of(tmp_path / name) == 3
    assert value_of(tmp_path / name / "fns.ckpt") == 3


@pytest.mark.skipif(os.sep != "/", reason="a backslash separates folders here")
@pytest.mark.parametrize("write", [write_v1, write_v2])
def test_a_backslash_in_a_real_name(tmp_path, write):
    write(tmp_path / "plain.ckpt", tensors(3))
    for path in tmp_path.iterdir():
        path.rename(tmp_path / path.name.replace("plain", "back\\slash"))
    assert value_of(next(tmp_path.iterdir())) == 3


# --- folders with odd things in them ------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "\n", 'model_checkpoint_path: ""\n', "model_checkpoint_path: fns\n", "\0\xff"])
def test_a_state_file_that_says_nothing(tmp_path, monkeypatch, text):
    write_v2(tmp_path / "fns.ckpt", tensors(3))
    (tmp_path / "checkpoint").write_bytes(text.encode("latin-1"))
    assert value_of(tmp_path) == 3
    monkeypatch.chdir(tmp_path)
    assert value_of(".") == 3


def test_hidden_files_are_no_checkpoints(tmp_path):
    """What a killed save leaves, and what macOS puts beside files on foreign disks."""
    write_v2(tmp_path / ".fns.ckpt.pending", tensors(1))
    write_v1(tmp_path / ".fns.77.tmp.ckpt", tensors(1))
    (tmp_path / "._wave.ckpt.index").write_bytes(b"\0\5\x16\7")
    refused(tmp_path, "Checkpoint not found!", "no checkpoint in it")
    write_v2(tmp_path / "astyle", tensors(3))
    assert value_of(tmp_path) == 3


def test_an_empty_folder(tmp_path):
    refused(tmp_path, "Checkpoint not found!", str(tmp_path), "no checkpoint in it")


def test_a_folder_of_other_things(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "fns.ckpt.meta").write_bytes(graph_bytes())
    (tmp_path / ("fns.ckpt" + DATA)).write_bytes(bytes(100))
    (tmp_path / "folder.ckpt").mkdir()
    state_file(tmp_path, "fns.ckpt")
    refused(tmp_path, "Checkpoint not found!", "no checkpoint in it")


@pytest.mark.parametrize(
    "text", ["nothing", "nothing.ckpt", "no/such/fns.ckpt", "no\\such\\fns.ckpt", "gone.ckpt.index"]
)
def test_nothing_by_that_name(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    refused(text, "Checkpoint not found!", text.replace("\\", "/"))


# --- Adam's state -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [write_v1, write_v2])
def test_adams_state_is_read_where_it_is_whole(tmp_path, write):
    values = random_tensors()
    found = load_checkpoint(write(tmp_path / "x.ckpt", values), SHAPES)
    assert set(found.adam) == set(values) - set(SHAPES)
    for name, value in found.adam.items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, values[name])


@pytest.mark.parametrize("name", ["beta1_power", "beta2_power", "Variable/Adam", "Variable_2/Adam_1"])
def test_half_an_adam_is_none(tmp_path, name):
    values = tensors(2, adam=True)
    del values[name]
    assert load_checkpoint(write_v2(tmp_path / "missing", values), SHAPES).adam is None
    values[name] = np.zeros(5, np.float32)
    assert load_checkpoint(write_v2(tmp_path / "misshapen", values), SHAPES).adam is None


def test_weights_alone_have_no_adam(tmp_path):
    assert load_checkpoint(write_v1(tmp_path / "x.ckpt", tensors()), SHAPES).adam is None


def test_other_tensors_beside_the_weights_are_left_alone(tmp_path):
    path = write_v2(tmp_path / "x", {**tensors(2), "global_step": np.int64(5), "note": np.array(b"by me")})
    assert value_of(path) == 2


@pytest.mark.parametrize(
    "write, dtype",
    [(write_v1, np.float64), (write_v2, np.float64), (write_v2, np.float16), (write_v2, tf.bfloat16.as_numpy_dtype)],
)  # TensorFlow reads no 16-bit numbers from files of format V1
def test_other_precisions_become_float32(tmp_path, write, dtype):
    path = write(tmp_path / "x.ckpt", tensors(0.375, dtype))
    assert value_of(path) == 0.375
    assert {value.dtype for value in load_checkpoint(path, SHAPES).weights.values()} == {np.dtype(np.float32)}


# --- what is no checkpoint ----------------------------------------------------------------------------------------


def zip_bytes() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("data.pkl", b"weights")
    return stream.getvalue()


def h5_bytes() -> bytes:
    h5py = pytest.importorskip("h5py")
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["weights"] = np.zeros(4)
    return stream.getvalue()


def picture_bytes(format: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, format)
    return stream.getvalue()


OTHER_FILES = {
    "empty": (lambda: b"", "is empty"),
    "web page": (lambda: b"\n<!DOCTYPE html><html>Quota exceeded</html>", "web page", "by browser"),
    "short web page": (lambda: b"<html>", "web page"),
    "meta": (graph_bytes, ".meta file under another name", ".index"),
    "png": (lambda: picture_bytes("PNG"), "PNG picture"),
    "jpeg": (lambda: picture_bytes("JPEG"), "JPEG picture"),
    "zip": (zip_bytes, "zip archive"),
    "h5": (h5_bytes, "Keras .h5 file"),
    "pickle 2": (lambda: pickle.dumps({"w": 1}, 2), "pickle"),
    "pickle 4": (lambda: pickle.dumps({"w": 1}, 4), "pickle"),
    "git lfs": (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "Git LFS pointer"),
    "text": (lambda: b"hello\n", "no TensorFlow checkpoint"),
    "one byte": (lambda: b"\0", "no TensorFlow checkpoint"),
    "the closing mark alone": (lambda: tf1.MAGIC, "damaged"),
    "zeros and the closing mark": (lambda: bytes(100) + tf1.MAGIC, "damaged"),
}


@pytest.mark.parametrize("what", OTHER_FILES)
def test_other_files_are_named_for_what_they_are(tmp_path, what):
    make, *words = OTHER_FILES[what]
    path = tmp_path / "wave.ckpt"
    path.write_bytes(make())
    refused(path, str(path), *words)


@pytest.mark.parametrize("what", [name for name in OTHER_FILES if name != "meta"])
def test_so_are_they_under_the_name_of_an_index(tmp_path, what):
    make, *words = OTHER_FILES[what]
    prefix = write_v2(tmp_path / "fns.ckpt", tensors())
    Path(f"{prefix}.index").write_bytes(make())
    refused(prefix, "fns.ckpt", *words)


def test_a_real_graph_description_is_long(tmp_path):
    """The reference's .meta begins with the list of all operations; ours above is a small one."""
    path = tmp_path / "fns.ckpt"
    path.write_bytes(graph_bytes() + bytes(2 << 20))
    refused(path, ".meta file under another name")


@pytest.mark.parametrize("part", [".meta", DATA])
def test_one_part_alone(tmp_path, part):
    path = tmp_path / f"fns.ckpt{part}"
    path.write_bytes(graph_bytes() if part == ".meta" else bytes(500))
    refused(path, f"fns.ckpt{part}", "one part of a checkpoint", "fns.ckpt.index")


def test_an_index_without_its_data(tmp_path):
    prefix = write_v2(tmp_path / "fns.ckpt", tensors())
    Path(f"{prefix}{DATA}").unlink()
    for name in (prefix, f"{prefix}.index", tmp_path):
        refused(name, "fns.ckpt", "damaged or cut short")


def test_another_networks_checkpoint(tmp_path):
    names = {f"generator/conv{i}/kernel": np.zeros(3, np.float32) for i in (1, 2, 10)}
    message = refused(write_v1(tmp_path / "other.ckpt", names), "another network's", "3 of this one's 3", "other.ckpt")
    assert "conv1/kernel, generator/conv2/kernel, generator/conv10/kernel" in message
    refused(write_v2(tmp_path / "other", names), "another network's")


def test_a_checkpoint_with_a_tensor_missing(tmp_path):
    values = tensors()
    del values["Variable_1"]
    refused(write_v1(tmp_path / "x.ckpt", values), "another network's", "1 of this one's 3", "(Variable_1 …)")


def test_the_right_names_with_other_shapes(tmp_path):
    values = {**tensors(), "Variable": np.zeros((3, 3, 2, 5), np.float32)}
    refused(write_v1(tmp_path / "x.ckpt", values), "another network's", "Variable is (3, 3, 2, 5), not (3, 3, 2, 4)")
    refused(write_v2(tmp_path / "x", tensors()), "another network's", shapes=None)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers(tmp_path, number):
    values = tensors()
    values["Variable_1"][2] = number
    refused(write_v1(tmp_path / "x.ckpt", values), "not finite", "(Variable_1)")


def test_words_instead_of_numbers(tmp_path):
    values = {**tensors(), "Variable_1": np.array([b"a", b"b", b"c", b"d"])}
    refused(write_v2(tmp_path / "x", values), "x is damaged")


# --- damage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 8, 100, 4096, 1_000_000, 10_000_000, 20_147_010])
def test_a_published_file_cut_short(v1_checkpoint, tmp_path, size):
    path = tmp_path / "wave.ckpt"
    with open(v1_checkpoint, "rb") as file:
        path.write_bytes(file.read(size))
    refused(path, "wave.ckpt", "cut short", "get it again", shapes=None)


@pytest.mark.parametrize("position", [3, 5_000_000, 14_000_003, 20_146_500])
def test_a_published_file_with_one_wrong_byte(v1_checkpoint, tmp_path, position):
    content = bytearray(v1_checkpoint.read_bytes())
    content[position] ^= 16
    path = tmp_path / "wave.ckpt"
    path.write_bytes(content)
    refused(path, "wave.ckpt is damaged", "get it again", shapes=None)


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
def test_a_data_file_cut_short(tmp_path, share):
    prefix = write_v2(tmp_path / "fns.ckpt", random_tensors())
    data = Path(f"{prefix}{DATA}")
    data.write_bytes(data.read_bytes()[: int(share * data.stat().st_size)])
    refused(prefix, "fns.ckpt is damaged or cut short")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_an_index_cut_short(tmp_path, share):
    prefix = write_v2(tmp_path / "fns.ckpt", random_tensors())
    index = Path(f"{prefix}.index")
    index.write_bytes(index.read_bytes()[: int(share * index.stat().st_size)])
    refused(prefix, "fns.ckpt.index", "cut short")


def test_the_data_of_another_training(tmp_path):
    """Its size is right; only the checksums tell."""
    prefix, other = write_v2(tmp_path / "fns.ckpt", tensors(1)), write_v2(tmp_path / "other.ckpt", tensors(2))
    shutil.copy(f"{other}{DATA}", f"{prefix}{DATA}")
    refused(prefix, "fns.ckpt is damaged")


def damage(content: bytes, generator: random.Random) -> bytes:
    """One of the things that happen to files."""
    changed, position = bytearray(content), generator.randrange(len(content))
    kind = generator.choice(["flip", "flip", "cut", "zeros", "more"])
    if kind == "flip":
        changed[position] ^= 1 << generator.randrange(8)
    elif kind == "cut":
        del changed[position:]
    elif kind == "zeros":
        changed[position : position + 16] = bytes(len(changed[position : position + 16]))
    else:
        changed[position:position] = generator.randbytes(generator.randrange(1, 9))
    return bytes(changed)


@pytest.mark.parametrize("name", ["one.ckpt", "two.ckpt.index", "two.ckpt" + DATA])
def test_damage_is_noticed_or_does_no_harm(tmp_path, name):
    """Both formats have checksums over every byte that counts: nothing wrong is ever read, and nothing else raised."""
    expected, generator, noticed = random_tensors(), random.Random(name), 0
    write_v1(tmp_path / "one.ckpt", expected)
    write_v2(tmp_path / "two.ckpt", expected)
    whole = (tmp_path / name).read_bytes()
    for _ in range(60):
        content = damage(whole, generator)
        (tmp_path / name).write_bytes(content)
        try:
            found = load_checkpoint(tmp_path / name.partition(".")[0], SHAPES)
        except UserError:
            noticed += 1
            continue
        for key, value in {**found.weights, **found.adam}.items():
            np.testing.assert_array_equal(value, expected[key])
    assert noticed >= 40
