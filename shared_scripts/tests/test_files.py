"""Paths as people type them; files that are whole or not there."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from shared_scripts.cli import UserError
from shared_scripts.files import atomic_write, check_writable, ensure_folder, file_name, natural_key, resolve_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- paths --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text,expected",
    [
        ("cat.jpg", "cat.jpg"),
        (r"contents\cat.jpg", "contents/cat.jpg"),
        (r"a\b/c\d.jpg", "a/b/c/d.jpg"),
        ("already/fine.jpg", "already/fine.jpg"),
    ],
)
def test_backslashes_mean_slashes(tmp_path, monkeypatch, text, expected):
    monkeypatch.chdir(tmp_path)
    assert resolve_path(text).as_posix() == expected


@pytest.mark.skipif(os.sep == "\\", reason="no file can have such a name here")
def test_a_file_with_a_backslash_in_its_name_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a\\b.txt").touch()
    assert resolve_path("a\\b.txt") == Path("a\\b.txt")


def test_the_tilde_is_the_home_folder():
    assert resolve_path("~/cat.jpg") == Path.home() / "cat.jpg"


@pytest.mark.parametrize("text", ["~no-such-person.jpg", "~no-such-person/cat.jpg"])
def test_a_tilde_before_something_else_is_part_of_the_name(text):
    assert resolve_path(text) == Path(text)


@pytest.mark.parametrize(
    "wanted",
    [
        ["frame1.png", "Frame9.png", "frame10.png", "frame100.png"],
        ["2.png", "10.png", "011.png"],
        ["a2b9.png", "a2b10.png", "a10b1.png"],
        ["epoch_5_step_20.pt", "epoch_5_step_100.pt", "epoch_12_step_3.pt"],
        ["a.png", "B.png", "c.png"],
    ],
)
def test_natural_order(wanted):
    assert sorted(wanted[::-1], key=natural_key) == wanted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Blond_Hair+no_Young", "Blond_Hair+no_Young"),
        ("größer als 5", "größer als 5"),
        ("../../evil", ".._.._evil"),
        ("C:\\a/b", "C__a_b"),
        ('<a>"b"|c?*', "_a__b__c__"),
        ("a\nb\0", "a_b_"),
        ("dots. .", "dots"),
        ("..", "_"),
        ("", "_"),
        ("CON", "_CON"),
        ("com1.png", "_com1.png"),
        ("contempt", "contempt"),
    ],
)
def test_words_become_names_that_every_system_can_have(tmp_path, text, expected):
    assert file_name(text) == expected and file_name(expected) == expected
    (tmp_path / file_name(text)).touch()
    assert names(tmp_path) == [expected]


@pytest.mark.parametrize("name", ["1²2.png", "٣.png", "", "007"])
def test_natural_order_takes_any_name(name):
    assert sorted([name, "a1"], key=natural_key)


# --- folders ------------------------------------------------------------------------------------------------------


def test_folders_are_made_with_their_parents(tmp_path):
    ensure_folder(tmp_path / "a/b/c")
    ensure_folder(tmp_path / "a/b/c")
    assert (tmp_path / "a/b/c").is_dir()


def test_a_file_in_the_way_of_a_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot create the folder .*file"):
        ensure_folder(tmp_path / "file/folder")


# --- check_writable -----------------------------------------------------------------------------------------------


def test_a_writable_path_is_checked_without_a_trace(tmp_path):
    check_writable(tmp_path / "new/folder/out.png")
    assert names(tmp_path / "new/folder") == []


def test_an_existing_file_is_left_as_it_is(tmp_path):
    (tmp_path / "out.png").write_text("precious")
    before = (tmp_path / "out.png").stat()
    check_writable(tmp_path / "out.png")
    with pytest.raises(UserError, match="--overwrite"):
        check_writable(tmp_path / "out.png", overwrite=False)
    after = (tmp_path / "out.png").stat()
    assert (before.st_mtime_ns, before.st_size, before.st_ino) == (after.st_mtime_ns, after.st_size, after.st_ino)


def test_a_folder_cannot_be_written(tmp_path):
    with pytest.raises(UserError, match="is a folder"):
        check_writable(tmp_path)


def test_a_file_where_a_folder_is_needed(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file"):
        check_writable(tmp_path / "file/out.png")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs a folder that takes no files, even from root")
def test_a_folder_that_takes_no_files():
    with pytest.raises(UserError, match="cannot write into the folder /proc/self/fd"):
        check_writable(Path("/proc/self/fd/out.png"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_write_protected_file(tmp_path):
    (tmp_path / "out.png").touch(0o444)
    with pytest.raises(UserError, match="write-protected"):
        check_writable(tmp_path / "out.png")


# --- atomic_write -------------------------------------------------------------------------------------------------


def test_the_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "new/out.txt"
    with atomic_write(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.suffix == ".txt" and temporary.parent == path.parent
        temporary.write_text("whole")
    assert path.read_text() == "whole" and names(path.parent) == ["out.txt"]


@pytest.mark.parametrize("problem", [ValueError("oh"), KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_failure_leaves_the_old_file_and_no_rubbish(tmp_path, problem):
    path = tmp_path / "out.txt"
    path.write_text("old")
    expected = UserError if isinstance(problem, OSError) else type(problem)
    with pytest.raises(expected), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise problem
    assert path.read_text() == "old" and names(tmp_path) == ["out.txt"]


def test_a_full_disk_is_one_line_that_names_the_file(tmp_path, full_disk):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with full_disk(1000), pytest.raises(UserError, match="cannot write .*out.txt"), atomic_write(path) as temporary:
        temporary.write_bytes(bytes(5000))
    assert path.read_text() == "old" and names(tmp_path) == ["out.txt"]


def test_a_folder_in_the_way_is_one_line(tmp_path):
    (tmp_path / "out.txt").mkdir()
    with pytest.raises(UserError, match="out.txt"), atomic_write(tmp_path / "out.txt") as temporary:
        temporary.write_text("text")
    assert names(tmp_path) == ["out.txt"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no such permissions here")
def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with atomic_write(tmp_path / "out.txt") as temporary:
        temporary.touch(0o600)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "out.txt")]
    assert modes[0] == modes[1]


def test_a_killed_process_leaves_the_old_file(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    code = (
        "import os\nfrom shared_scripts.files import atomic_write\nfrom pathlib import Path\n"
        "with atomic_write(Path('out.txt')) as temporary:\n"
        "    temporary.write_text('half')\n    os.abort()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.DEVNULL)
    assert done.returncode != 0 and path.read_text() == "old"
