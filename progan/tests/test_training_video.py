"""The film of a training."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import golden_file
from runs import last_error, train

import training_video
from pictures import save_picture
from run_log import tick_line
from shared_scripts.cli import UserError
from shared_scripts.videos import probe, read_frames
from training_video import find_moments, generate_training_video, moment_at
from util_scripts import inside

COLOURS = {0: (255, 0, 0), 160: (0, 255, 0), 319: (0, 0, 255)}


def make_run(folder, ticks=((160, 100), (319.98, 800)), size=(96, 64)):
    """A run of plain red, green and blue sheets."""
    folder.mkdir(parents=True)
    lines = [tick_line(k + 1, kimg, 5 - k, 16, seconds, 1, 1, 0) for k, (kimg, seconds) in enumerate(ticks)]
    (folder / "log.txt").write_text("Training...\n" + "\n".join(lines) + "\n")
    for kimg, colour in COLOURS.items():
        picture = np.broadcast_to(np.array(colour, np.float32)[:, None, None], (3, *size[::-1]))
        save_picture(folder / f"fakes{kimg:06d}.png", picture)
    return folder


def test_the_film_shows_each_sheet_for_its_time(tmp_path):
    make_run(tmp_path / "003-pgan")
    path = generate_training_video(3, 2.0, 1.5, mp4_fps=10, result_dir=tmp_path)
    assert path == tmp_path / "003-pgan/003-pgan-train.mp4"
    info = probe(path)
    assert (info.width, info.height, info.fps) == (480, 320, 10)
    middles = [tuple(np.rint(f[100:150, 200:280].mean((0, 1)) / 255).astype(int) * 255) for f in read_frames(path)]
    expected = [COLOURS[0 if (k / 20) ** 1.5 * 800 < 100 else 160] for k in range(20)]
    assert middles == expected


def test_a_sheet_whose_kimg_was_rounded_up_is_found(tmp_path):
    found = find_moments(make_run(tmp_path / "r"))
    assert [(m.seconds, m.kimg, m.lod, m.path.name) for m in found] == [
        (0, 0.0, 5.0, "fakes000000.png"),
        (100, 160.0, 5.0, "fakes000160.png"),
        (800, 320.0, 4.0, "fakes000319.png"),
    ]
    assert [moment_at(found, t).seconds for t in (0, 99.9, 100, 5000)] == [0, 0, 100, 800]


def test_what_a_stopped_run_did_twice_is_shown_once(tmp_path):
    found = find_moments(make_run(tmp_path / "r", ticks=((160, 100), (319.98, 700), (160, 90), (319.98, 800))))
    assert [m.seconds for m in found] == [0, 90, 800]


def test_the_recorded_log_can_be_filmed(tmp_path):
    run = make_run(tmp_path / "r")
    (run / "log.txt").write_text(golden_file("sample_run").joinpath("log.txt").read_text())
    found = find_moments(run)
    assert {moment.path.name for moment in found} == {"fakes000000.png"}
    assert [moment.lod for moment in found] == [2, 2, 1.5, 1, 0.5, 0, 0, 0]


def test_large_sheets_are_halved_and_words_written(tmp_path):
    save_picture(tmp_path / "a.png", np.zeros((1, 1100, 2001)))
    sheet = training_video.read_sheet(tmp_path / "a.png")
    assert sheet.shape == (550, 1000, 3)
    labelled = training_video.with_labels(sheet, "lod 1.00", "1m 05s", "160 kimg")
    assert labelled[:500].max() == 0
    for part in (labelled[520:, :80], labelled[520:, 460:540], labelled[520:, -80:]):
        assert part.max() == 255
    assert np.array_equal(training_video.halve(np.array([[[0], [1], [9]], [[1], [0], [9]]], np.uint8)), [[[0]]])
    assert training_video.same_size(sheet, np.ones((600, 900, 3), np.uint8)).shape == (600, 900, 3)


@pytest.mark.parametrize(
    "spoil, options, words",
    [
        (lambda run: (run / "log.txt").unlink(), {}, "no .*log.txt"),
        (lambda run: [p.unlink() for p in run.glob("*.png")], {}, "no fakes"),
        (lambda run: None, {"duration_sec": 0}, "above 0"),
        (lambda run: None, {"mp4": "film.xyz"}, "film.xyz"),
        (lambda run: None, {"mp4_bitrate": "lots"}, "bit rate"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, spoil, options, words):
    run = make_run(tmp_path / "000-r")
    spoil(run)
    with pytest.raises(UserError, match=words):
        generate_training_video(run, **options)
    assert not list(run.glob("*.mp4"))


@pytest.mark.parametrize("name", ["../film.mp4", "a/film.mp4", r"..\film.mp4"])
def test_config_py_s_films_and_pictures_come_into_their_own_folder(tmp_path, capsys, name):
    run = make_run(tmp_path / "000-r")
    flags = ["--func", "generate_training_video", "--run_id", str(run), "--result_dir", str(tmp_path), "--mp4", name]
    assert train(flags) == 2
    assert "a name without a folder" in last_error(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["000-r"]
    with pytest.raises(UserError, match="--png_prefix"):
        inside("png_prefix", name)
    assert inside("png_prefix", "a film's ") == "a film's "
