"""losses.csv, what a resumed run makes of it, and the curve on the training page."""

import csv
import re
import xml.etree.ElementTree as ElementTree

import pytest

from loss_curve import BINS, draw_losses, log_ticks, nice_ticks
from loss_history import LossHistory


def table(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


def fill(history, *reports):
    for epoch, fraction, iters, losses in reports:
        history.add(epoch, fraction, iters, losses)


def test_reports_become_rows_and_points(tmp_path):
    history = LossHistory(tmp_path / "new")
    fill(history, (1, 0.5, 100, {"G": 1.5, "D": 0.25}), (2, 0.25, 250, {"G": 1.0, "D": 0.5}))
    assert table(history.path) == [
        ["epoch", "iters", "G", "D"],
        ["1", "100", "1.5", "0.25"],
        ["2", "250", "1.0", "0.5"],
    ]
    assert history.points == [(0.5, {"G": 1.5, "D": 0.25}), (1.25, {"G": 1.0, "D": 0.5})]


def test_a_resumed_run_goes_on_where_it_stands(tmp_path):
    reports = [(1, 0.5, 100, {"G": 1.0}), (1, 1.0, 200, {"G": 2.0}), (2, 0.5, 300, {"G": 3.0})]
    fill(LossHistory(tmp_path), *reports)
    with open(tmp_path / "losses.csv", "a") as file:
        file.write("2,4")  # killed in the middle of a line
    history = LossHistory(tmp_path, resumed=True)
    assert history.points == [(0.5, {"G": 1.0}), (1.0, {"G": 2.0}), (1.5, {"G": 3.0})]
    fill(history, (2, 0.5, 300, {"G": 9.0}))
    assert table(tmp_path / "losses.csv")[1:] == [["1", "100", "1.0"], ["1", "200", "2.0"], ["2", "300", "9.0"]]
    assert history.points == [(0.5, {"G": 1.0}), (1.0, {"G": 2.0}), (1.5, {"G": 9.0})]
    assert [path.name for path in tmp_path.iterdir()] == ["losses.csv"]


@pytest.mark.parametrize("resumed, columns", [(False, "G"), (True, "G_A")])
def test_another_runs_losses_are_kept_aside(tmp_path, resumed, columns):
    fill(LossHistory(tmp_path), (1, 1.0, 100, {"G": 1.0}))
    fill(LossHistory(tmp_path, resumed), (2, 1.0, 200, {columns: 2.0}))
    assert table(tmp_path / "losses-1.csv") == [["epoch", "iters", "G"], ["1", "100", "1.0"]]
    assert table(tmp_path / "losses.csv") == [["epoch", "iters", columns], ["2", "200", "2.0"]]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"epoch,iters,G\nnan,1,2\n"])
def test_a_damaged_file_is_no_reason_to_stop(tmp_path, content):
    (tmp_path / "losses.csv").write_bytes(content)
    history = LossHistory(tmp_path, resumed=True)
    fill(history, (3, 0.5, 100, {"G": 1.0}))
    assert table(tmp_path / "losses.csv") == [["epoch", "iters", "G"], ["3", "100", "1.0"]]
    assert history.points == [(2.5, {"G": 1.0})]


def figure(points):
    return ElementTree.fromstring(draw_losses(points))


def lines(points):
    found = [line.get("points").split() for line in figure(points).iter("polyline")]
    return [[tuple(map(float, point.split(","))) for point in line] for line in found]


def test_a_line_goes_through_its_points():
    points = [(0.0, {"G": 0.0, "D": 1.0}), (1.0, {"G": 2.0, "D": 1.0}), (4.0, {"G": 1.0, "D": 1.0})]
    assert lines(points) == [[(0, 1000), (250, 0), (1000, 500)], [(0, 500), (250, 500), (1000, 500)]]


def test_far_apart_losses_get_a_logarithmic_axis():
    points = [(0.0, {"L1": 100.0, "D": 1.0}), (1.0, {"L1": 10.0, "D": 1.0})]
    assert lines(points) == [[(0, 0), (1000, 500)], [(0, 1000), (1000, 1000)]]
    assert "logarithmic" in draw_losses(points)
    negative = [(0.0, {"L1": 100.0, "D": -1.0}), (1.0, {"L1": 10.0, "D": -1.0})]
    assert "logarithmic" not in draw_losses(negative)


def test_what_is_not_finite_leaves_a_gap():
    nan, inf = float("nan"), float("inf")
    points = [(0.0, {"G": 1.0, "D": nan}), (1.0, {"G": inf, "D": nan}), (2.0, {"G": 0.5, "D": nan})]
    assert lines(points) == [[(0, 0), (1000, 500)]]


@pytest.mark.parametrize("points", [[], [(1.0, {"G": 1.0})], [(1.0, {}), (2.0, {})], [(1.0, {"G": 1.0})] * 2])
def test_too_little_draws_nothing(points):
    assert draw_losses(points) == ""


def test_long_runs_are_thinned_to_means():
    points = [(float(i), {"G": float(i % 2)}) for i in range(10 * BINS)]
    (line,) = lines(points)
    assert len(line) == BINS
    assert {y for _, y in line} == {0.0}  # every bin's mean is 0.5, which is the top
    assert len(draw_losses(points)) < 10_000


def test_names_and_last_values_stand_above():
    text = draw_losses([(0.0, {"<G>": 1.0}), (1.0, {"<G>": 0.1234})])
    assert "&lt;G&gt;" in text and "<b>0.123</b>" in text
    assert not re.search(r"https?:|<script|<link|@import", text)


def test_ticks_are_round():
    assert nice_ticks(0, 1.9, 5) == [0, 0.5, 1, 1.5]
    assert nice_ticks(0.25, 12, 8) == [2, 4, 6, 8, 10, 12]
    assert nice_ticks(-1, 1, 5) == [-1, -0.5, 0, 0.5, 1]
    assert log_ticks(0.04, 12) == [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
    assert log_ticks(0.001, 100) == [0.001, 0.01, 0.1, 1, 10, 100]
