"""State on disk: whole or not there, read without executing anything, refused in one line when it is no state."""

import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from shared_scripts.checkpoints import (
    keep_newest,
    latest,
    load_safetensors,
    load_state,
    load_tensors,
    save_safetensors,
    save_state,
)
from shared_scripts.cli import UserError, one_line

STATE = {
    "model": {"w": torch.arange(6.0).view(2, 3)},
    "step": 7,
    "name": "x",
    "best": None,
    "rows": [[1, 2.5], [3, 4.5]],
}
TENSORS = {"w": torch.arange(6.0).view(2, 3), "h": torch.ones(3, dtype=torch.float16)}


class Malice:
    """Unpickling this makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


# --- good ones ----------------------------------------------------------------------------------------------------


def test_a_state_comes_back_as_it_was(tmp_path):
    save_state(tmp_path / "new/x.state", STATE)
    found = load_state(tmp_path / "new/x.state", keys=("model", "step"))
    assert torch.equal(found["model"]["w"], STATE["model"]["w"])
    assert {**found, "model": None} == {**STATE, "model": None}
    assert os.listdir(tmp_path / "new") == ["x.state"]


def test_safetensors_come_back_as_they_were(tmp_path):
    turned = {**TENSORS, "t": TENSORS["w"].T}  # not contiguous
    save_safetensors(tmp_path / "x.safetensors", turned, {"about": "words"})
    for load in (load_safetensors, load_tensors):
        found = load(tmp_path / "x.safetensors")
        assert found.keys() == turned.keys()
        assert all(torch.equal(found[name], turned[name]) and found[name].dtype == turned[name].dtype for name in found)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_is_read(tmp_path, zipped):
    torch.save(TENSORS, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    found = load_tensors(tmp_path / "x.pth")
    assert all(torch.equal(found[name], TENSORS[name]) for name in TENSORS)


# --- bad ones -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("load", [load_state, load_tensors, load_safetensors])
def test_a_missing_file(tmp_path, load):
    with pytest.raises(UserError, match="nothing.pt"):
        load(tmp_path / "nothing.pt")


@pytest.mark.parametrize("kind", ["torch", "old torch", "pickle"])
@pytest.mark.parametrize("load", [load_state, load_tensors])
def test_code_is_never_run(tmp_path, load, kind, recwarn):
    path, victim = tmp_path / "x.pth", tmp_path / "victim"
    if kind == "pickle":
        path.write_bytes(pickle.dumps({"w": Malice(victim)}))
    else:
        torch.save({"w": Malice(victim)}, path, _use_new_zipfile_serialization=kind == "torch")
    with pytest.raises(UserError, match="x.pth.*code"):
        load(path)
    assert not victim.exists()
    assert not recwarn.list, "a warning would be a second line on the terminal"


def refuse(load, path):
    with pytest.raises(UserError) as problem:
        load(path)
    assert str(path) in one_line(problem.value)


@pytest.mark.parametrize("load", [load_state, load_tensors])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_cut_anywhere_is_refused(tmp_path, load, zipped):
    path = tmp_path / "x.pth"
    torch.save(TENSORS, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for cut in sorted({int(len(whole) * share) for share in np.linspace(0, 0.99, 80)}):
        path.write_bytes(whole[:cut])
        refuse(load, path)


@pytest.mark.filterwarnings("ignore::UserWarning:torch")
@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_with_wrong_bytes_is_read_or_refused(tmp_path, zipped):
    path, rng = tmp_path / "x.pth", np.random.default_rng(0)
    torch.save(TENSORS, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for _ in range(200):
        wrong = bytearray(whole)
        for at in rng.integers(0, min(len(wrong), 500), 2):
            wrong[at] = rng.integers(0, 256)
        path.write_bytes(wrong)
        try:
            load_state(path)
        except UserError as problem:
            assert str(path) in str(problem)


@pytest.mark.parametrize(
    "content", [b"rubbish" * 30, b"\0" * 100, b"PK\x03\x04" + b"\0" * 60, b"\x80\x02K\x01.", b"words"]
)
@pytest.mark.parametrize("load", [load_state, load_tensors])
def test_rubbish_is_refused(tmp_path, load, content):
    (tmp_path / "x.pth").write_bytes(content)
    if (load, content) == (load_state, b"\x80\x02K\x01."):
        load = lambda path: load_state(path, keys=("run",))  # noqa: E731  the number 1 is a state without keys
    refuse(load, tmp_path / "x.pth")


@pytest.mark.parametrize("content", [b"", b"rubbish" * 30, b"\xff" * 8 + b"{}", b"\x02\0\0\0\0\0\0\0{]"])
def test_damaged_safetensors_are_refused(tmp_path, content):
    (tmp_path / "x.safetensors").write_bytes(content)
    refuse(load_safetensors, tmp_path / "x.safetensors")
    refuse(load_tensors, tmp_path / "x.safetensors")


def test_safetensors_cut_anywhere_are_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file(TENSORS, path)
    whole = path.read_bytes()
    for cut in range(0, len(whole), 3):
        path.write_bytes(whole[:cut])
        refuse(load_safetensors, path)


@pytest.mark.parametrize("state", [{"step": 1}, [1, 2], torch.ones(2)], ids=["dictionary", "list", "tensor"])
def test_missing_keys_are_named(tmp_path, state):
    save_state(tmp_path / "x.state", state)
    with pytest.raises(UserError, match="x.state.*model, optimizer"):
        load_state(tmp_path / "x.state", keys=("model", "optimizer"))


@pytest.mark.parametrize(
    "content", [{"a": {"w": torch.ones(2)}}, {"a": 3}, [torch.ones(2)]], ids=["nested", "number", "list"]
)
def test_only_named_tensors_are_a_state_dict(tmp_path, content):
    torch.save(content, tmp_path / "x.pth")
    refuse(load_tensors, tmp_path / "x.pth")


# --- disks that refuse --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("save", [save_state, save_safetensors])
def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path, full_disk, save):
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"old")
    with full_disk(10_000), pytest.raises(UserError, match="x.safetensors"):
        save(path, {"w": torch.zeros(100_000)})
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["x.safetensors"]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs a folder that takes no files, even from root")
@pytest.mark.parametrize("save", [save_state, save_safetensors])
def test_a_folder_that_takes_no_files_is_one_line(save):
    with pytest.raises(UserError, match="/proc/self/fd/x"):
        save("/proc/self/fd/x.safetensors", TENSORS)


@pytest.mark.parametrize(
    "save,load,name", [(save_state, load_state, "x.state"), (save_safetensors, load_safetensors, "x.safetensors")]
)
def test_saving_again_replaces_the_file(tmp_path, save, load, name):
    for value in (1.0, 2.0):
        save(tmp_path / name, {"w": torch.full((2,), value)})
    assert load(tmp_path / name)["w"].tolist() == [2, 2]


def test_safetensors_have_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    save_safetensors(tmp_path / "x.safetensors", TENSORS)
    assert (tmp_path / "x.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode


# --- many checkpoints ---------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    for name in ["step_9.pt", "step_10.pt", "step_100.pt", "step_99.pt", "other.txt"]:
        (tmp_path / name).touch()
    return tmp_path


def test_the_latest_has_the_highest_number(folder):
    assert latest(folder).name == "step_100.pt"
    assert latest(folder, "step_9*.pt").name == "step_99.pt"
    assert latest(folder, "*.ckpt") is None
    assert latest(folder / "missing") is None


@pytest.mark.parametrize(
    "keep,left",
    [(2, {"step_99.pt", "step_100.pt"}), (1, {"step_100.pt"}), (0, {"step_100.pt"}), (-3, {"step_100.pt"}),
     (9, {"step_9.pt", "step_10.pt", "step_99.pt", "step_100.pt"})],
)  # fmt: skip
def test_only_the_newest_are_kept(folder, keep, left):
    keep_newest(folder, keep)
    assert set(os.listdir(folder)) == left | {"other.txt"}
