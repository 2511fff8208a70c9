"""Run folders, the files in them, and the log."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import pytest
from conftest import golden_file

import results
from results import create_run, id_string, kimg_of, list_snapshots, locate_run, locate_snapshot
from run_log import Log, format_time, parameter_table, parse_ticks, parse_time, tick_line
from shared_scripts.cli import UserError

# --- run folders --------------------------------------------------------------------------------------------------


def test_runs_are_numbered_above_the_highest(tmp_path):
    assert create_run(tmp_path / "r", "pgan").name == "000-pgan"
    for name in ("007-x", "2-y", "notes", "12b", "_inception"):
        (tmp_path / "r" / name).mkdir()
    run = create_run(tmp_path / "r", "pgan-celeba")
    assert run == tmp_path / "r" / "008-pgan-celeba" and run.is_dir()
    assert create_run(tmp_path / "r", "a/../b: c").parent == tmp_path / "r"


def test_two_at_the_same_moment_get_two_numbers(tmp_path):
    made = []
    threads = [threading.Thread(target=lambda i=i: made.append(create_run(tmp_path, f"t{i}"))) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({run.name[:3] for run in made}) == 12
    assert not list(tmp_path.glob(".*"))


def test_a_number_that_is_taken_meanwhile_is_not_given_again(tmp_path, monkeypatch):
    numbers = iter([0])  # what was seen before somebody else made 000-fast
    real = results.next_number
    monkeypatch.setattr(
        results, "next_number", lambda folder, without="": next(numbers, None) or real(folder, without=without)
    )
    (tmp_path / "000-fast").mkdir()
    assert create_run(tmp_path, "slow").name == "001-slow"


def test_a_result_dir_that_is_a_file_is_told(tmp_path):
    (tmp_path / "r").write_text("")
    with pytest.raises(UserError, match="cannot create the folder"):
        create_run(tmp_path / "r", "x")


def test_a_name_that_is_too_long_takes_no_number(tmp_path):
    with pytest.raises(UserError, match="cannot create .*000-xxx"):
        create_run(tmp_path, "x" * 300)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def runs(tmp_path) -> Path:
    for name in ("003-pgan-a", "003-pgan-b", "004-pgan", "results/010-x", "networks/celebahq", "005-empty"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("snapshot-000000", "snapshot-001234", "snapshot-000160", "final", "snapshot-old"):
        (tmp_path / f"004-pgan/network-{name}.pkl").write_text("")
    return tmp_path


def test_a_run_is_found_by_path_number_and_beginning(runs):
    assert locate_run(runs, 4).name == locate_run(runs, "4").name == locate_run(runs, "004").name == "004-pgan"
    assert locate_run(runs, str(runs / "004-pgan")) == locate_run("elsewhere", runs / "004-pgan") == runs / "004-pgan"
    assert locate_run(runs, "003-pgan-b").name == "003-pgan-b"
    assert locate_run(runs, 10) == runs / "results/010-x"
    assert locate_run(runs, "celeba") == runs / "networks/celebahq"


@pytest.mark.parametrize("wanted, words", [(3, "003-pgan-a, 003-pgan-b"), (77, "004-pgan"), ("", "no run")])
def test_what_is_not_one_run_is_told_with_those_there_are(runs, wanted, words):
    with pytest.raises(UserError, match=words):
        locate_run(runs, wanted)


def test_where_there_are_no_runs_that_is_told(tmp_path):
    with pytest.raises(UserError, match="no runs at all"):
        locate_run(tmp_path / "none", 1)


# --- snapshots ----------------------------------------------------------------------------------------------------


def test_snapshots_in_order_the_final_one_last(runs):
    found = [path.stem for path in list_snapshots(runs / "004-pgan")]
    assert found == [*(f"network-snapshot-{kimg:06d}" for kimg in (0, 160, 1234)), "network-final"]
    assert len(list_snapshots(runs / "004-pgan", include_final=False)) == 3


def test_a_snapshot_is_found(runs, tmp_path):
    def name(snapshot=None, run=4):
        return locate_snapshot(run, snapshot, runs).stem.removeprefix("network-")

    assert name() == name("final") == "final"
    assert name(160) == name("160") == name("000160") == "snapshot-000160"
    own = tmp_path / "any.pkl"
    own.write_text("")
    assert locate_snapshot(own) == locate_snapshot(4, str(own), runs) == own


@pytest.mark.parametrize(
    "run, snapshot, words",
    [
        (4, 161, "it has 0, 160, 1234, final"),
        (5, None, "no network-snapshot"),
        ("x.pkl", None, "no file x.pkl"),
        (4, "y.safetensors", "no file"),
    ],
)
def test_a_snapshot_that_is_not_there_is_told(runs, run, snapshot, words):
    with pytest.raises(UserError, match=words):
        locate_snapshot(run, snapshot, runs)


def test_names_of_network_files(golden):
    for path, expected in json.loads(str(golden("misc")["meta"]))["id_string"].items():
        assert id_string(path) == expected
    assert kimg_of("a/network-snapshot-001234.pkl") == 1234
    assert kimg_of("my-network-snapshot-000010.safetensors") == 10
    assert kimg_of("network-final.pkl") is kimg_of("celebahq-16.pkl") is None


# --- lines --------------------------------------------------------------------------------------------------------


def test_times_are_written_as_recorded(golden):
    for seconds, expected in json.loads(str(golden("misc")["meta"]))["format_time"].items():
        assert format_time(float(seconds)) == expected
    assert [parse_time(text) for text in ("59s", "1m 05s", "2h 00m 01s", "14d 06h 56m")] == [59, 65, 7201, 1234560]


def test_tick_lines_are_the_recorded_ones():
    log = golden_file("sample_run").joinpath("log.txt").read_text()
    lines = [line for line in log.splitlines() if line.startswith("tick ")]
    ticks = parse_ticks(log)
    assert len(ticks) == len(lines) == 7
    for line, tick in zip(lines, ticks, strict=True):
        names = ("tick", "kimg", "lod", "minibatch", "seconds", "sec/tick", "sec/kimg", "maintenance")
        assert tick_line(*(tick[name] for name in names)) == line
    assert (ticks[2]["kimg"], ticks[2]["lod"], ticks[2]["seconds"]) == (0.1, 1.0, 13)


def test_old_and_damaged_logs_are_read_as_far_as_possible():
    old = (
        "tick 12    kimg 480.3    lod 6.00  minibatch 16   time 1d 02h 03m  sec/tick 95.1  Dgdrop 0.0000  Gnoise 0.1\n"
    )
    ticks = parse_ticks(f"hello\n{old}tick 13    kimg 500.0    lod 5.9\ntick nonsense\n")
    assert len(ticks) == 1 and ticks[0]["seconds"] == 93780 and ticks[0]["kimg"] == 480.3 and ticks[0]["Gnoise"] == 0.1


def test_the_table_of_layers_is_the_recorded_one():
    log = golden_file("sample_run").joinpath("log.txt").read_text()
    for title, after in (("G", "Constructing networks...\n"), ("D", "Total                       3933")):
        table = log[log.index("\n", log.index(after)) + 1 :] if title == "D" else log.split(after)[1]
        table = table[table.index(f"{title}    ") :]
        lines = table.split("\n")[: table[: table.index("\nTotal")].count("\n") + 2]
        assert parameter_table(title, [row(line) for line in lines[2:-2]]) == "\n".join(["", *lines, ""])


def row(line: str) -> tuple:
    """A line of the recorded table, read."""
    name, params, output, weight = (line[a:b].strip() for a, b in ((0, 28), (28, 40), (40, 64), (64, 88)))
    shape = eval(output.replace("?", "None"))  # of our own test file
    return name, 0 if params == "-" else int(params), shape, None if weight == "-" else eval(weight)


# --- the log ------------------------------------------------------------------------------------------------------


def test_the_log_has_all_lines_also_those_before_it(tmp_path, capsys):
    before = sys.stdout, sys.stderr
    with Log() as log:
        print("before")
        print("oops", file=sys.stderr)
        log.open(tmp_path / "log.txt")
        assert (tmp_path / "log.txt").read_text() == "before\noops\n"
        print("half", end="")
        print(" and half\nlast", end="")
    assert (sys.stdout, sys.stderr) == before
    assert (tmp_path / "log.txt").read_text() == "before\noops\nhalf and half\nlast\n"
    assert capsys.readouterr() == ("before\nhalf and half\nlast", "oops\n")


def test_progress_bars_are_not_kept(tmp_path, capsys):
    with Log(tmp_path / "log.txt"):
        sys.stderr.write("\r 10%|#   |\r 20%|##  |\r          \rtick 1\n")
        sys.stderr.write("\r 30%|### |\r          \r")
        for _ in range(9):
            sys.stderr.write("\r 40%|####|")
        assert len(sys.stderr.line) < 50
        sys.stderr.write("\r          \r")
        print("windows\r")
    assert (tmp_path / "log.txt").read_text() == "tick 1\nwindows\n"


@pytest.mark.parametrize("problem, words", [(UserError("no such thing"), "error: no such"), (KeyError("x"), "Traceb")])
def test_what_ended_the_run_is_noted(tmp_path, capsys, problem, words):
    before = sys.stdout
    with pytest.raises(type(problem)), Log(tmp_path / "log.txt"):
        raise problem
    assert words in (tmp_path / "log.txt").read_text()
    assert sys.stdout is before


def test_a_full_disk_is_told_once_and_nothing_is_lost(tmp_path, capsys, full_disk):
    path = tmp_path / "log.txt"
    with Log(path):
        with full_disk(20):
            for i in range(5):
                print(f"line {i} of some length")
        assert path.stat().st_size == 20
        print("room again")
    expected = "".join(f"line {i} of some length\n" for i in range(5)) + "room again\n"
    out, err = capsys.readouterr()
    assert path.read_text() == out == expected
    assert err.count("cannot be written") == 1


def test_a_log_that_cannot_be_made_is_told(tmp_path):
    with pytest.raises(UserError, match="cannot write"):
        Log(tmp_path / "none" / "log.txt")


def test_a_file_is_locked_for_one_log(tmp_path):
    pytest.importorskip("fcntl")
    with Log(tmp_path / "log.txt") as log:
        assert log.keep_others_out()
        with Log() as other:
            other.open(tmp_path / "log.txt", append=True)
            assert not other.keep_others_out()
    with Log(tmp_path / "log.txt") as log:
        assert log.keep_others_out(), "free again when the log is closed"
