"""evaluate.py: the table of metrics."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import golden_file
from runs import train

import evaluate
import run_evaluation
from datasets import open_dataset
from run_evaluation import Evaluation, evaluate_metrics
from shared_scripts.cli import UserError
from shared_scripts.cli import run as run_script
from shared_scripts.testing import write_pictures

SNAPSHOT = "published-style-celebahq-16.pkl"  # a generator of 16x16 pixels, without labels


def table(text: str) -> list[list[str]]:
    """The rows of numbers, without the times."""
    rows = [line.split() for line in re.split(r"\n---.*\n", text)[1].splitlines() if line]
    return [[row[0], *row[2:]] for row in rows]


@pytest.fixture
def run(tmp_path, monkeypatch) -> Path:
    """A run with three snapshots, of the recorded data set of 14 pictures, in the folder that one is in."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(golden_file("datasets/tinyrgb"), tmp_path / "datasets/tinyrgb")
    folder = tmp_path / "results/003-pgan-tinyrgb"
    folder.mkdir(parents=True)
    for name in ("snapshot-000000", "snapshot-000160", "final"):
        shutil.copy(golden_file(SNAPSHOT), folder / f"network-{name}.pkl")
    config = golden_file("sample_run").joinpath("config.txt").read_text()
    (folder / "config.txt").write_text(config.replace("'max_label_size': 'full'", "'max_label_size': 0"))
    return folder


# --- as recorded --------------------------------------------------------------------------------------------------


def test_the_real_rows_are_the_recorded_ones_to_the_last_digit(capsys):
    recorded = golden_file("sample_run").joinpath("metric-swd-msssim.txt").read_text()
    dataset = open_dataset(golden_file("datasets/tinyrgb"), max_label_size="full")
    Evaluation(dataset, True, ["swd", "msssim"], num_images=16, device="cpu").run([], real_passes=2)
    out = capsys.readouterr().out

    def without_times(text):
        lines = text.splitlines()
        begin = lines.index("Initializing metrics.sliced_wasserstein.API...")
        return [re.sub(r"\d+s ", "0s ", line) for line in lines[begin : begin + 7]]

    assert without_times(out) == without_times(recorded)


def test_the_file_has_the_recorded_form(run, capsys):
    recorded = golden_file("sample_run").joinpath("metric-swd-msssim.txt").read_text()
    (run / "m.txt").write_text("old")
    evaluate_metrics(3, "m.txt", ["swd", "msssim"], 8, 2, minibatch_size=4, snapshot=0, device="cpu")
    written = (run / "m.txt").read_text()
    out = capsys.readouterr()
    assert "only 14" not in out.err and written == out.out

    def form(text):
        text = re.sub(r"\d+\.\d{4} *", "N", re.sub(r"results.*|\d+s +", "", text))
        return text.replace("Label size    = 5", "Label size    = 0")

    assert form(written) == form(recorded)


# --- what is measured ---------------------------------------------------------------------------------------------


def test_snapshots_are_measured_newest_first_and_alike(run, capsys):
    evaluate_metrics(3, "m.txt", ["msssim"], 8, 1, 4, device="cpu")
    assert [row[0] for row in table((run / "m.txt").read_text())] == ["Reals", "160", "0"]
    for name in ("000000", "000160"):
        (run / f"network-snapshot-{name}.pkl").unlink()
    evaluate_metrics("003", "n.txt", ["msssim"], 8, 1, 4, device="cpu")
    assert [row[0] for row in table((run / "n.txt").read_text())] == ["Reals", "final"]
    assert table((run / "n.txt").read_text())[1][1:] == table((run / "m.txt").read_text())[1][1:]


def test_the_function_of_config_py_takes_the_general_settings(run, capsys):
    flags = ["--func", "evaluate_metrics", "--run_id", "3", "--metrics", "swd", "--num_images", "8"]
    first = []
    for more in ([], ["--seed", "1000"], ["--seed", "5"]):
        assert train([*flags, "--device", "cpu", *more]) == 0
        first.append(table(capsys.readouterr().out)[1])
    assert first[0] == first[1] != first[2]
    assert train([*flags, "--device", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_the_second_pass_takes_the_next_pictures_and_the_labels_go_with_them():
    dataset = open_dataset(golden_file("datasets/tinyrgb"), max_label_size="full")
    found = Evaluation(dataset, False, ["msssim"], 10, 4, "cpu")
    for first in (0, 10):
        numbers = (first + np.arange(10)) % 14
        assert np.array_equal(np.concatenate(list(found.real_images())), dataset.images(numbers, 4))
        assert np.array_equal(found.labels, dataset.labels[numbers])


def test_grey_pictures_and_labels(tmp_path, capsys, monkeypatch):
    network = golden_file("network-snapshot-000640.pkl")  # of 32x32 grey pixels, with 3 labels
    dataset = open_dataset(golden_file("datasets/tinygray"))
    dataset.labels, dataset.label_size = np.eye(3, dtype=np.float32)[np.arange(9) % 3], 3
    found = Evaluation(dataset, False, ["msssim", "swd"], 6, 4, "cpu")
    found.check(network)
    found.run([network], 1)
    assert [row[0] for row in table(capsys.readouterr().out)] == ["Reals", "640"]
    by_label = found.labels.copy()
    images = np.concatenate(list(found.made_images(network)))
    assert images.shape == (6, 1, 32, 32) and images.dtype == np.uint8 and by_label.sum() == 6


def test_a_file_without_a_run_is_compared_with_a_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = write_pictures(tmp_path / "real", 6, (16, 16))
    words = ["--network", str(golden_file(SNAPSHOT)), "--data", str(folder), "--num_images", "6", "--device", "cpu"]
    assert evaluate.main([*words, "--metrics", "swd"]) == 0
    rows = table(capsys.readouterr().out)
    assert [row[0] for row in rows] == ["Reals", "Reals2", "published-style-celebahq-16"]
    assert float(rows[0][1]) == 0 < float(rows[1][1]) < float(rows[2][1])
    assert [path.name for path in tmp_path.iterdir()] == ["real"]
    evaluate.main([*words, "--metrics", "msssim", "--log", "t.txt", "--real_passes", "1"])
    assert (tmp_path / "t.txt").read_text() == capsys.readouterr().out


# --- the flags ----------------------------------------------------------------------------------------------------


def flags(text: str):
    found = evaluate.make_parser().parse_args(text.split())
    evaluate.complete(found)
    return found.metrics, found.num_images, found.real_passes, found.log


def test_the_predefined_ones_and_what_is_not_said():
    assert flags("--run_id 3 --preset swd-16k") == (["swd"], 16384, 2, "metric-swd-16k.txt")
    assert flags("--run_id 3 --preset fid-50k --num_images 500") == (["fid"], 500, 1, "metric-fid-500.txt")
    assert flags("--run_id 3 --preset is-50k")[3] == "metric-is-50k.txt"
    assert flags("--run_id 3 --preset msssim-20k")[1:] == (20000, 1, "metric-msssim-20k.txt")
    assert flags("--run_id 3 --metrics IS,swd --log x.txt") == (["is", "swd"], 16384, 2, "x.txt")


def test_a_command_line_writes_the_table(run, capsys):
    assert evaluate.main("--run_id 3 --metrics msssim --num_images 4 --snapshot 160 --device cpu".split()) == 0
    assert [row[0] for row in table((run / "metric-msssim-4.txt").read_text())] == ["Reals", "Reals2", "160"]


@pytest.mark.parametrize(
    "line, words",
    [
        ("--metrics swd", "say what to measure"),
        ("--network x.pkl", "--data"),
        ("--run_id 3 --metrics kid", "no metric 'kid'"),
        ("--run_id 4", "there are 003-pgan-tinyrgb"),
        ("--run_id 3 --snapshot 5", "it has 0, 160, final"),
        ("--run_id 3 --data nowhere", "nowhere"),
        ("--run_id 3 --metrics fid --inception nowhere.pth", "nowhere.pth"),
        ("--run_id 3 --num_images 1", "at least 2"),
        ("--run_id 3 --num_images 4 --log ../x.txt", "--log ../x.txt"),
        ("--run_id 3 --num_images 4 --log config.txt", "--log config.txt"),
        ("--network nowhere.pkl --data datasets/tinyrgb", "no file nowhere.pkl"),
        ("--network results/003-pgan-tinyrgb/network-final.pkl --data nowhere", "nowhere"),
    ],
)
def test_what_is_wrong_is_told_in_a_line_and_nothing_overwritten(run, capsys, line, words):
    before = sorted(run.iterdir())
    with pytest.raises(SystemExit) as end:
        run_script(lambda: evaluate.main([*line.split(), "--device", "cpu"]))
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert words in err and err.count("\n") == 1 and err.startswith("error: ")
    assert sorted(run.iterdir()) == before


def test_networks_that_do_not_fit_the_data_are_told(run):
    (run / "m.txt").write_text("old")
    shutil.copytree(golden_file("datasets/tinygray"), "datasets/tinygray")
    with pytest.raises(UserError, match="3 channels, the data set tinygray 1 channels"):
        evaluate_metrics(3, "m.txt", ["swd"], 8, 1, data="datasets/tinygray", device="cpu")
    assert (run / "m.txt").read_text() == "old"
    (run / "config.txt").unlink()
    with pytest.raises(UserError, match="config.txt"):
        evaluate_metrics(3, "m.txt", ["swd"], 8, 1, device="cpu")


def test_a_run_without_snapshots_is_told(run):
    for path in run.glob("*.pkl"):
        path.unlink()
    with pytest.raises(UserError, match="no network-snapshot"):
        run_evaluation.newest_first(run)
