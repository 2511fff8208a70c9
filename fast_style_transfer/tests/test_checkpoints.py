"""What is written: the original can read it, and a save that fails or is killed costs nothing."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from legacy import adam_shapes, load_checkpoint
from networks import variable_shapes
from shared_scripts import checkpoints_tf
from shared_scripts.checkpoints_tf import finish_save, save_checkpoint
from shared_scripts.cli import UserError

DATA = ".data-00000-of-00001"
V1_NAMES = ["checkpoint", "fns.ckpt"]
V2_NAMES = ["checkpoint", "fns.ckpt" + DATA, "fns.ckpt.index"]
SHAPES = {"Variable": (3, 3, 2, 4), "Variable_1": (4,), "Variable_2": (4,)}
both_formats = pytest.mark.parametrize("single_file", [False, True], ids=["V2", "V1"])


def tensors(value: float, size: int = 4) -> dict[str, np.ndarray]:
    """A small network's weights, all the same number."""
    return {name: np.full(shape, value, np.float32) for name, shape in SHAPES.items()} | {
        "padding": np.full(size, value, np.float32)
    }


def value_of(path) -> float:
    """Load the small network; which number its weights are filled with."""
    (value,) = {float(number) for array in load_checkpoint(path, SHAPES).weights.values() for number in array.flat}
    return value


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


@pytest.fixture(scope="module")
def state(weights) -> dict[str, np.ndarray]:
    """The golden weights and an Adam state of different numbers: 146 tensors."""
    generator = np.random.default_rng(3)
    shapes = adam_shapes({name: value.shape for name, value in weights.items()})
    return weights | {name: np.float32(generator.random(shape)) for name, shape in shapes.items()}


# --- the original's formats ---------------------------------------------------------------------------------------


def original_graph(with_adam: bool):
    """TensorFlow 1's variables as the original makes them, named by nobody, and its saver."""
    v1 = tf.compat.v1
    variables = [v1.Variable(tf.zeros(shape), use_resource=False) for shape in variable_shapes().values()]
    if with_adam:
        loss = tf.add_n([tf.reduce_sum(variable) for variable in variables])
        v1.train.AdamOptimizer(1e-3).minimize(loss)
    return v1.train.Saver()


@both_formats
@pytest.mark.parametrize("with_adam", [True, False], ids=["training", "weights alone"])
def test_the_original_could_read_it(tmp_path, weights, state, single_file, with_adam):
    """Its saver asks for every variable of its graph by name, and takes no other shape."""
    written = state if with_adam else weights
    save_checkpoint(tmp_path / "fns.ckpt", written, single_file)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        saver = original_graph(with_adam)
        saver.restore(session, tf.train.latest_checkpoint(tmp_path))
        variables = tf.compat.v1.global_variables()
        found = dict(zip((variable.op.name for variable in variables), session.run(variables), strict=True))
    assert len(found) == (146 if with_adam else 48)
    for name, value in found.items():
        np.testing.assert_array_equal(value, written[name], err_msg=name)


def test_sizes_are_the_originals(tmp_path, weights, state):
    assert len(state) == 146
    for folder, values, single_file in ("v1", state, True), ("v1_weights", weights, True), ("v2", state, False):
        save_checkpoint(tmp_path / folder / "fns.ckpt", values, single_file)
    assert (tmp_path / "v1" / "fns.ckpt").stat().st_size == 20_147_011
    assert (tmp_path / "v1_weights" / "fns.ckpt").stat().st_size == 6_715_511
    assert (tmp_path / "v2" / f"fns.ckpt{DATA}").stat().st_size == 20_131_664


@both_formats
def test_it_comes_back_as_it_was(tmp_path, state, single_file):
    save_checkpoint(tmp_path / "new" / "folder" / "fns.ckpt", state, single_file)
    found = load_checkpoint(tmp_path / "new" / "folder")
    assert list(found.weights) == list(variable_shapes()) and len(found.adam) == 98
    for name, value in {**found.weights, **found.adam}.items():
        np.testing.assert_array_equal(value, state[name], err_msg=name)
        assert value.dtype == np.float32
    assert names(tmp_path / "new" / "folder") == (V1_NAMES if single_file else V2_NAMES)


@both_formats
def test_the_state_file(tmp_path, single_file):
    """Relative, so that the folder can move; TensorFlow's own readers find the checkpoint by it."""
    save_checkpoint(tmp_path / "fns.ckpt", tensors(1), single_file)
    text = (tmp_path / "checkpoint").read_text()
    assert text == 'model_checkpoint_path: "fns.ckpt"\nall_model_checkpoint_paths: "fns.ckpt"\n'
    moved = tmp_path.rename(tmp_path.with_name(tmp_path.name + " moved"))
    assert tf.train.latest_checkpoint(moved) == str(moved / "fns.ckpt")
    assert value_of(moved) == 1


@pytest.mark.parametrize("formats", [(False, False), (True, True), (False, True), (True, False)])
def test_the_last_save_is_the_one_that_is_read(tmp_path, formats):
    for value, single_file in enumerate(formats):
        save_checkpoint(tmp_path / "fns.ckpt", tensors(value), single_file)
    assert value_of(tmp_path) == value_of(tmp_path / "fns.ckpt") == 1
    kept = {"fns.ckpt"} if formats == (True, False) else set()  # an index beside it goes first
    assert set(names(tmp_path)) == kept | set(V1_NAMES if formats[1] else V2_NAMES)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no such permissions here")
@both_formats
def test_others_may_read_it_as_any_new_file(tmp_path, single_file):
    save_checkpoint(tmp_path / "fns.ckpt", tensors(1), single_file)
    (tmp_path / "plain").touch()
    for name in names(tmp_path):
        assert (tmp_path / name).stat().st_mode == (tmp_path / "plain").stat().st_mode, name


# --- saves that are killed ----------------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for the end of the process: what comes after the line that raises it never happens."""


def die_at(monkeypatch, method: str, call: int) -> None:
    """The process ends just before the `call`-th use of Path.`method` (from 0), and does nothing more."""
    original, calls = getattr(Path, method), []

    def counted(self, *arguments, **options):
        calls.append(self)
        if len(calls) > call:
            raise Killed
        return original(self, *arguments, **options)

    monkeypatch.setattr(Path, method, counted)


@pytest.fixture
def older(tmp_path) -> Path:
    """The prefix of a checkpoint of format V2 that holds ones."""
    save_checkpoint(tmp_path / "fns.ckpt", tensors(1))
    return tmp_path / "fns.ckpt"


def test_killed_before_the_first_rename(older, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        die_at(patch, "replace", 0)
        save_checkpoint(older, tensors(2))
    assert value_of(older.parent) == 1
    finish_save(older)
    assert names(older.parent) == V2_NAMES and value_of(older) == 1


def test_killed_between_the_renames(older, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        die_at(patch, "replace", 1)
        save_checkpoint(older, tensors(2))
    with pytest.raises(UserError, match="damaged"):  # new data under the old index: its checksums tell
        load_checkpoint(older, SHAPES)
    finish_save(older)
    assert names(older.parent) == V2_NAMES and value_of(older) == 2


def test_the_first_save_killed_before_its_renames(tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        die_at(patch, "replace", 0)
        save_checkpoint(tmp_path / "fns.ckpt", tensors(2))
    with pytest.raises(UserError, match="no checkpoint in it"):
        load_checkpoint(tmp_path, SHAPES)
    finish_save(tmp_path / "fns.ckpt")
    assert names(tmp_path) == []


def test_the_first_save_killed_between_its_renames(tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        die_at(patch, "replace", 1)
        save_checkpoint(tmp_path / "fns.ckpt", tensors(2))
    finish_save(tmp_path / "fns.ckpt")
    assert value_of(tmp_path) == 2


@pytest.mark.parametrize(
    "left",
    [
        [".fns.ckpt.pending" + DATA + ".tempstate123"],  # TensorFlow's own temporary names
        [".fns.ckpt.pending" + DATA, ".fns.ckpt.pending.index.tempstate123"],
        [".fns.ckpt.pending" + DATA],
        [".fns.77.tmp.ckpt"],
        [".fns.77.tmp.ckpt.tempstate123"],
        [],
    ],
    ids=lambda left: " ".join(left) or "nothing",
)
def test_what_killed_saves_leave_is_cleared_away(older, left):
    for name in [*left, "fns-1.ckpt.index", ".hidden", "mine.tmp"]:
        (older.parent / name).write_bytes(b"half")
    finish_save(older)
    assert set(names(older.parent)) == {*V2_NAMES, "fns-1.ckpt.index", ".hidden", "mine.tmp"}
    assert value_of(older) == 1


def test_a_save_goes_over_what_a_killed_one_left(older, monkeypatch):
    """Also without finish_save, as when another program had cleared half of it away."""
    with monkeypatch.context() as patch, pytest.raises(Killed):
        die_at(patch, "replace", 1)
        save_checkpoint(older, tensors(2))
    save_checkpoint(older, tensors(3))
    assert names(older.parent) == V2_NAMES and value_of(older) == 3


@pytest.mark.parametrize("call", range(4))
def test_one_file_in_place_of_two_killed_at_any_point(older, monkeypatch, call):
    """The old checkpoint is read until its index is gone, then the new one: never neither, or a mixture."""
    with monkeypatch.context() as patch, pytest.raises(Killed):
        die_at(patch, "unlink", call)
        save_checkpoint(older, tensors(2), single_file=True)
        raise Killed  # it uses `unlink` less often than that
    assert value_of(older) == value_of(older.parent) == (2 if call >= 2 else 1)


def test_finishing_where_there_is_nothing(tmp_path):
    finish_save(tmp_path / "fns.ckpt")
    finish_save(tmp_path / "nowhere" / "fns.ckpt")
    assert names(tmp_path) == []


def test_the_files_are_on_the_disk_before_they_take_their_names(older, monkeypatch):
    """Or a power cut could leave an empty file under a good name."""
    events, fsync, move = [], os.fsync, checkpoints_tf.move

    def note_fsync(descriptor):
        events.append(os.fstat(descriptor).st_size)
        fsync(descriptor)

    def note_move(prefix):
        events.append("move")
        move(prefix)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(checkpoints_tf, "move", note_move)
    save_checkpoint(older, tensors(2))
    sizes = {Path(f"{older}{part}").stat().st_size for part in (DATA, ".index")}
    assert set(events[: events.index("move")]) == sizes


# --- disks and folders that refuse --------------------------------------------------------------------------------


@both_formats
@pytest.mark.parametrize("size", [0, 20_000, 399_000])
def test_a_full_disk_is_one_line_and_leaves_the_old_checkpoint(tmp_path, full_disk, single_file, size):
    prefix = tmp_path / "fns.ckpt"
    save_checkpoint(prefix, tensors(1, 100_000), single_file)
    before = names(tmp_path)
    with full_disk(size), pytest.raises(UserError) as caught:
        save_checkpoint(prefix, tensors(2, 100_000), single_file)
    message = str(caught.value)
    assert message.startswith(f"cannot write {prefix}: ") and message.endswith("File too large")
    assert names(tmp_path) == before and value_of(prefix) == 1


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs a folder that takes no files, even from root")
@both_formats
def test_a_folder_that_takes_no_files_is_one_line(single_file):
    with pytest.raises(UserError, match="cannot write /proc/self/fd/fns.ckpt: No such file or directory"):
        save_checkpoint(Path("/proc/self/fd/fns.ckpt"), tensors(1), single_file)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
@both_formats
def test_a_read_only_folder_is_one_line(tmp_path, single_file):
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(UserError, match="cannot write .*Permission denied"):
            save_checkpoint(tmp_path / "fns.ckpt", tensors(1), single_file)
    finally:
        tmp_path.chmod(0o755)


@both_formats
def test_a_file_where_the_folder_should_be_is_one_line(tmp_path, single_file):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="cannot create the folder .*file"):
        save_checkpoint(tmp_path / "file" / "fns.ckpt", tensors(1), single_file)
    assert (tmp_path / "file").read_text() == "mine"
