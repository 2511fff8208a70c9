"""generate.py and import_example.py as commands: every way to name a network, and every slip in one line."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import pytest
from conftest import PROJECT, golden_file
from PIL import Image

import generate
import import_example
import legacy
from shared_scripts.cli import run
from shared_scripts.testing import exit_status
from shared_scripts.videos import read_frames

PLAIN, LABELLED = "published-style-celebahq-16.pkl", "network-snapshot-000640.pkl"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """The current folder of every test, with two networks."""
    for name in (PLAIN, LABELLED):
        (tmp_path / name).symlink_to(golden_file(name)) if os.name != "nt" else shutil.copy(golden_file(name), tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def made(folder, capsys):
    """`made(*words)`: what a run that went well printed behind `wrote`, and the sizes of the pictures it made."""

    def call(*words: str, main=generate.main) -> tuple[str, dict[str, tuple[int, int]]]:
        before = set(folder.rglob("*.png"))
        assert exit_status(main, list(words)) == 0
        out, err = capsys.readouterr()
        assert out.startswith("wrote ") and err == ""
        sizes = {}
        for path in sorted(set(folder.rglob("*.png")) - before):
            with Image.open(path) as picture:
                sizes[path.relative_to(folder).as_posix()] = picture.size
        return out.removeprefix("wrote ").strip().replace("\\", "/"), sizes

    return call


def refused(capsys, *words: str, status: int = 2) -> str:
    """Why a run wrote nothing, in one line."""
    before = sorted(Path.cwd().rglob("*"))
    assert exit_status(generate.main, list(words)) == status
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1, err
    after = [path for path in sorted(Path.cwd().rglob("*")) if not (path.is_dir() and path.name == "generated")]
    assert after == before
    return err.removeprefix("error: ").strip()


# --- what it makes ------------------------------------------------------------------------------------------------


def test_one_sheet_by_default(made):
    name = f"generated/{Path.cwd().name}-{PLAIN[:-4]}-000000.png"
    said, sizes = made("--network", str(Path(PLAIN).absolute()))
    assert (said, sizes) == (name, {name: (512, 256)})


def test_random_pictures_and_grids(made):
    said, sizes = made("--network", PLAIN, "--num_pngs", "5", "--grid_size", "3x2", "--outdir", "a\\b")
    names = [f"a/b/{PLAIN[:-4]}-{number:06d}.png" for number in range(5)]
    assert said == f"{names[0]} … {Path(names[4]).name}" and sizes == dict.fromkeys(names, (48, 32))
    about = ("--num_pngs", "2", "--image_shrink", "2", "--png_prefix", "x", "--minibatch_size", "3", "--seed", "5")
    _, sizes = made("--run_id", f".\\{LABELLED}", *about)
    assert sizes == dict.fromkeys(["generated/x000000.png", "generated/x000001.png"], (16, 16))
    _, sizes = made("--network", LABELLED, "--grid_size", "[2, 1]", "--png_prefix", "", "--label", "0.5,0.5,0")
    assert sizes == {"generated/000000.png": (64, 32)}


def test_seeds_and_the_example(made, folder):
    said, sizes = made("--network", LABELLED, "--seeds", "0-3,9", "--label", "2", "--precision", "bf16")
    assert said == "generated/seed0000.png … seed0009.png" and set(sizes.values()) == {(32, 32)} and len(sizes) == 5
    said, sizes = made("--network", PLAIN, "--example")
    assert said == "generated/img0.png … img9.png" and len(sizes) == 10
    said, sizes = made(PLAIN, main=import_example.main)
    assert said == "img0.png … img9.png" and list(sizes) == [f"img{number}.png" for number in range(10)]
    assert (folder / "img3.png").read_bytes() == (folder / "generated/img3.png").read_bytes()


@pytest.mark.parametrize("name", ["walk.mp4", "films\\walk.gif"])
def test_a_film(made, name):
    said, _ = made("--network", PLAIN, "--mp4", name, "--duration_sec", "1", "--mp4_fps", "5", "--mp4_codec", "libx265")
    assert said == name.replace("\\", "/")
    assert [frame.shape for frame in read_frames(said)] == [(16, 16, 3)] * 5


def test_every_way_to_name_a_network(made, folder):
    run_folder = folder / "results/003-pgan-x"
    run_folder.mkdir(parents=True)
    shutil.copy(LABELLED, run_folder)
    shutil.copy(PLAIN, run_folder / "network-final.pkl")
    ways = (
        (["3"], "003-pgan-x-network-final", (16, 16)),
        (["results/003-pgan-x"], "003-pgan-x-network-final", (16, 16)),
        (["results\\003-pgan-x\\", "--snapshot", "640"], "003-pgan-x-network-snapshot-000640", (32, 32)),
        (["003", "--snapshot", "final"], "003-pgan-x-network-final", (16, 16)),
    )
    for number, (words, name, size) in enumerate(ways):
        _, sizes = made("--network", *words, "--grid_size", "1x1", "--outdir", f"out{number}")
        assert {Path(path).name: value for path, value in sizes.items()} == {f"{name}-000000.png": size}
    legacy.main(["convert", PLAIN, "x.safetensors", "--only", "Gs"])
    os.rename(run_folder / "network-final.pkl", folder / "from the net")
    os.chdir(run_folder)
    for given in ("../../x.safetensors", "../../from the net", "..\\..\\x.safetensors"):
        assert exit_status(generate.main, ["--network", given, "--grid_size", "1x1", "--outdir", str(folder)]) == 0
    assert {"x-000000.png", "from the net-000000.png"} <= {path.name for path in folder.iterdir()}


def test_its_own_outputs_are_replaced_and_nothing_else(made, folder):
    made("--network", PLAIN, "--seeds", "1")
    first = (folder / "generated/seed0001.png").read_bytes()
    (folder / "generated/mine.png").write_bytes(b"mine")
    exit_status(generate.main, ["--network", LABELLED, "--seeds", "1"])
    assert (folder / "generated/seed0001.png").read_bytes() != first
    exit_status(generate.main, ["--network", PLAIN, "--seeds", "1"])
    assert (folder / "generated/seed0001.png").read_bytes() == first, "the same command, the same picture"
    assert (folder / "generated/mine.png").read_bytes() == b"mine"


# --- slips --------------------------------------------------------------------------------------------------------


def test_files_that_hold_no_generator(folder, capsys):
    (folder / "text.pkl").write_text("hello\n")
    (folder / "cut.pkl").write_bytes(Path(PLAIN).read_bytes()[:50_000])
    (folder / "empty.pkl").touch()
    (folder / "other.pkl").write_bytes(pickle.dumps({"a": 1}))
    (folder / "evil.pkl").write_bytes(pickle.dumps(os.system))
    (folder / "folder.pkl").mkdir()
    legacy.main(["convert", PLAIN, "d.pkl", "--only", "D"])
    capsys.readouterr()
    for name, said in (
        ("nothing.pkl", "there is no file nothing.pkl"),
        ("text.pkl", "text.pkl is damaged or no pickle"),
        ("cut.pkl", "cut.pkl is damaged or no pickle (it ends too early)"),
        ("empty.pkl", "empty.pkl is damaged or no pickle"),
        ("other.pkl", "other.pkl holds no networks"),
        ("evil.pkl", "evil.pkl asks for"),
        ("folder.pkl", "folder.pkl is a folder, not the file of a network"),
        ("d.pkl", "d.pkl holds no generator"),
    ):
        assert refused(capsys, "--network", name).startswith(said)


def test_runs_that_are_not_there(folder, capsys):
    (folder / "results/003-x").mkdir(parents=True)
    assert refused(capsys, "--network", "7") == "there is no run '7' in results; there are 003-x"
    assert "no network-snapshot-*.pkl" in refused(capsys, "--network", "3")
    shutil.copy(LABELLED, folder / "results/003-x")
    assert refused(capsys, "--network", "3", "--snapshot", "5").endswith("has no snapshot 5; it has 640")
    assert "no run 'x'" in refused(capsys, "--network", "x", "--result_dir", "nowhere")
    assert refused(capsys, "--snapshot", "5").startswith("--snapshot is one of a run's; say with --network")


def test_flags_that_make_no_sense(capsys):
    plain, film = ("--network", PLAIN), ("--network", PLAIN, "--video", "x.mp4")
    for words, said in (
        (["--network"], "--network/--run_id: expected one argument"),
        ([*plain, "--image_shrink", "3"], "--image_shrink must divide 16"),
        ([*plain, "--image_shrink", "32"], "--image_shrink must divide 16"),
        ([*plain, "--grid_size", "100000x100000"], "a grid of 100000x100000 pictures is too large"),
        ([*plain, "--grid_size", "5x"], "columns and rows such as 15x8"),
        ([*plain, "--seeds", "x"], "seeds such as 0-9"),
        ([*plain, "--seeds", "5-1"], "seeds below 2^32"),
        ([*plain, "--seeds", "0-99999999999"], "seeds below 2^32"),
        ([*plain, "--random_seed", str(2**32)], "the random seed"),
        ([*plain, "--num_pngs", "0"], "a whole number above 0"),
        ([*plain, "--num_pngs", "99999999"], "--num_pngs is at most"),
        ([*plain, "--label", "1"], "trained without labels"),
        (["--network", LABELLED, "--label", "3"], "--label is 0 to 2 here"),
        (["--network", LABELLED, "--label", "3", "--seeds", "1"], "--label is 0 to 2 here"),
        (["--network", LABELLED, "--label", "3", "--example"], "--label is 0 to 2 here"),
        ([*plain, "--seeds", "1", "--example"], "not allowed with argument"),
        ([*plain, "--seeds", "1", "--grid_size", "2x2"], "--grid_size does not go with --seeds"),
        ([*plain, "--duration_sec", "3"], "--duration_sec is for films; name one with --video FILE"),
        ([*film, "--num_pngs", "3"], "--num_pngs is for pictures"),
        ([*film, "--mp4_fps", "0"], "a whole number above 0"),
        ([*film, "--duration_sec", "0"], "no frame"),
        ([*film, "--duration_sec", "-1"], "at least 0"),
        ([*plain, "--video", "x.avi"], "cannot write a film as 'x.avi'"),
        ([*plain, "--video", PLAIN], "cannot write a film as"),
        ([*plain, "--device", "cpux"], "no device called 'cpux'"),
    ):
        assert said in refused(capsys, *words)


def test_where_nothing_can_be_written(folder, capsys):
    (folder / "file").write_text("mine")
    (folder / "films.mp4").mkdir()
    for words, said in (
        (["--outdir", "file"], "cannot create the folder file"),
        (["--outdir", "file/x"], "cannot create the folder file"),
        (["--video", "films.mp4"], "films.mp4 is a folder"),
        (["--video", "file/x.mp4"], "cannot create the folder file"),
    ):
        assert said in refused(capsys, "--network", PLAIN, *words)
    assert (folder / "file").read_text() == "mine"


def test_from_inside_and_outside_its_folder(tmp_path, monkeypatch, capsys):
    """The generator that ships is found from everywhere; where it is missing that is told."""
    shipped = PROJECT / "pretrained" / "landscapes.safetensors"
    for place in (PROJECT, tmp_path):
        monkeypatch.chdir(place)
        status = exit_status(generate.main, ["--seeds", "0", "--outdir", str(tmp_path / "out")])
        out, err = capsys.readouterr()
        assert (status == 0 and "seed0000.png" in out) if shipped.is_file() else (status == 2 and str(shipped) in err)


def test_ctrl_c_ends_with_130(monkeypatch, capsys):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("run_generation.make_images", interrupted)
    with pytest.raises(SystemExit) as end:
        run(lambda: generate.main(["--network", PLAIN, "--video", "x.mp4"]))
    assert end.value.code == 130 and capsys.readouterr().err == "stopped by Ctrl-C\n" and not Path("x.mp4").exists()
