"""transform_video.py: the reference's frames, sizes, rates and sound kept, and what goes wrong."""

import os
import shutil
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import data
import run_video
import stylizer
import transform_video
from shared_scripts import cli
from shared_scripts.checkpoints_tf import save_checkpoint
from shared_scripts.ffmpeg import ffmpeg_path
from shared_scripts.videos import DamagedVideo, VideoWriter, probe, read_frames
from stylizer import Stylizer

PROJECT = Path(run_video.__file__).parent
SHARED = PROJECT.parent.parent / "shared"


# --- helpers ------------------------------------------------------------------------------------------------------


def ffmpeg(*arguments):
    """Run ffmpeg; what it prints."""
    command = [ffmpeg_path(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def make_film(path, size="64x48", rate="25", frames=6, seconds=None, codec="aac"):
    """A test film with a tone, which lasts as long as the picture or so many seconds."""
    fps = Fraction(rate)
    picture = ["-f", "lavfi", "-i", f"testsrc=s={size}:r={rate}:d={float((frames - 0.5) / fps)}"]
    tone = ["-f", "lavfi", "-i", f"sine=440:d={seconds or float(frames / fps)}", "-c:a", codec]
    ffmpeg(*picture, *tone, "-c:v", "libx264", "-movflags", "+faststart", path)
    return path


def sound_packets(path):
    """A checksum over the sound's packets as they lie in the file."""
    return ffmpeg("-i", path, "-map", "0:a", "-c", "copy", "-f", "md5", "-")


def count(path):
    return sum(1 for _ in read_frames(path))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def distance(found, expected):
    """Mean absolute difference, in grey levels."""
    return np.abs(np.subtract(found, expected, dtype=float)).mean()


def encoded(frames, path, fps=25):
    """The frames as they come back from a film: what the encoder does to them is not the subject here."""
    height, width = frames[0].shape[:2]
    with VideoWriter(path, width, height, Fraction(fps)) as film:
        for frame in frames:
            film.write(frame)
    return list(read_frames(path))


def negatives(path):
    return [255 - frame for frame in read_frames(path)]


@pytest.fixture(scope="module")
def film_golden(golden):
    """Frames of the film the reference painted, and of the result."""
    return golden("video.npz")


@pytest.fixture(scope="module")
def golden_film(film_golden, tmp_path_factory):
    """The film that the reference painted: 96x64, 25 frames a second, 10 frames, sound."""
    path = tmp_path_factory.mktemp("golden") / "film.mp4"
    path.write_bytes(film_golden["mp4"].tobytes())
    return path


@pytest.fixture(scope="module")
def checkpoint(weights, tmp_path_factory):
    prefix = tmp_path_factory.mktemp("style") / "fns.ckpt"
    save_checkpoint(prefix, weights)
    return prefix


@pytest.fixture
def paint(checkpoint, capfd):
    """`paint(source, target, *flags)` runs transform_video.py here; (exit status, what it said on stderr)."""

    def command(source, target, *flags):
        paths = ("--checkpoint", checkpoint, "--in-path", source, "--out-path", target)
        arguments = [str(word) for word in (*paths, "--device", "/cpu:0", "--precision", "float32", *flags)]
        with pytest.raises(SystemExit) as end:
            cli.run(lambda: transform_video.main(arguments))
        out, err = capfd.readouterr()
        assert out == "" and "Traceback" not in err
        return end.value.code, err

    return command


class Painter:
    """In place of the network: returns negatives, at the `trouble`-th call calls `cause` first."""

    device, at_once, trouble, cause = "/CPU:0", 1, 0, None

    def __init__(self, *arguments):
        Painter.calls = []

    def dtype(self, pixels):
        return tf.float32

    def pictures_at_once(self, number):
        return min(number, self.at_once)

    def __call__(self, images):
        Painter.calls.append(images.shape)
        if len(Painter.calls) == self.trouble:
            type(self).cause()
        return 255 - images


@pytest.fixture
def painter(monkeypatch):
    """Paint without the network; returns the class whose attributes a test may change."""

    class Changeable(Painter):
        pass

    monkeypatch.setattr(run_video, "Stylizer", Changeable)
    return Changeable


@pytest.fixture
def film(tmp_path):
    """Ten frames, two seconds of sound."""
    return make_film(tmp_path / "film.mp4", frames=10, seconds=2)


# --- the reference's numbers --------------------------------------------------------------------------------------


def test_the_film_is_read_as_the_reference_reads_it(golden_film, film_golden):
    info, frames = probe(golden_film), list(read_frames(golden_film))
    assert (info.width, info.height) == tuple(film_golden["size_wh"]) and info.fps == film_golden["fps"]
    assert len(frames) == film_golden["n_frames"] and info.has_sound
    np.testing.assert_array_equal(frames[:2], film_golden["frames_in_first2"])
    np.testing.assert_array_equal(frames[-1], film_golden["frames_in_last"])


def test_frames_are_painted_as_the_reference_paints_them(film_golden, weights):
    images = np.concatenate([film_golden["frames_in_first2"], film_golden["frames_in_last"][None]])
    expected = np.concatenate([film_golden["frames_out_first2"], film_golden["frames_out_last"][None]])
    difference = np.abs(Stylizer(weights, "/cpu:0", "float32")(images).astype(int) - expected)
    assert difference.max() <= 1 and (difference > 0).mean() < 0.005


def test_a_film_is_painted(paint, golden_film, weights, tmp_path):
    target = tmp_path / "new folder/out.mp4"
    status, err = paint(golden_film, target)
    assert status == 0 and "Painted 10 frames in" in err and str(target) in err, err
    info, frames = probe(target), list(read_frames(target))
    assert (info.width, info.height, info.fps, info.sound) == (96, 64, 25, ("aac",)) and len(frames) == 10
    assert sound_packets(target) == sound_packets(golden_film)
    assert info.duration == pytest.approx(probe(golden_film).duration, abs=0.05)
    expected = Stylizer(weights, "/cpu:0", "float32")(np.stack(list(read_frames(golden_film))))
    assert distance(frames, encoded(expected, tmp_path / "expected.mp4")) < 1
    assert names(target.parent) == ["out.mp4"]


@pytest.mark.parametrize("size,rate", [("97x65", "24000/1001"), ("98x66", "30000/1001")])
def test_size_rate_length_and_sound_are_kept(paint, weights, tmp_path, size, rate):
    """Sizes that are no multiple of 4: the reference's films scroll."""
    source, target = make_film(tmp_path / "film.mp4", size, rate), tmp_path / "out.mp4"
    assert paint(source, target)[0] == 0
    info, frames = probe(target), list(read_frames(target))
    assert (f"{info.width}x{info.height}", info.fps, len(frames)) == (size, Fraction(rate), 6)
    assert sound_packets(target) == sound_packets(source)
    assert info.duration == pytest.approx(probe(source).duration, abs=0.05)
    expected = Stylizer(weights, "/cpu:0", "float32")(np.stack(list(read_frames(source))))
    assert distance(frames, encoded(expected, tmp_path / "expected.mp4", rate)) < 1


def test_the_fox(paint, tmp_path):
    fox = SHARED / "data/video/fox.mp4"
    if not fox.is_file():
        pytest.skip(f"{fox} is not here")
    ffmpeg("-i", fox, "-frames:v", "4", "-c", "copy", tmp_path / "fox.mp4")
    status, err = paint(tmp_path / "fox.mp4", tmp_path / "out.mp4", "--max-size", "64")
    info = probe(tmp_path / "out.mp4")
    assert status == 0 and (info.width, info.height, info.fps) == (64, 64, probe(fox).fps), err
    assert count(tmp_path / "out.mp4") == count(tmp_path / "fox.mp4") >= 2 and not info.has_sound


# --- how it looks -------------------------------------------------------------------------------------------------


def test_frames_go_together_on_a_gpu(paint, painter, film, tmp_path):
    """The network is compiled for one number of pictures: the last group is filled up, and nothing of that is shown."""
    painter.at_once = 4
    assert paint(film, tmp_path / "out.mp4", "--batch-size", "4")[0] == 0
    assert Painter.calls == [(4, 48, 64, 3)] * 3
    found, expected = list(read_frames(tmp_path / "out.mp4")), encoded(negatives(film), tmp_path / "expected.mp4")
    assert len(found) == 10
    np.testing.assert_array_equal(found, expected)


def test_a_group_is_no_larger_than_the_film_needs():
    frames = [np.full((1, 1, 3), i) for i in range(5)]
    assert [len(group) for group in run_video.groups(iter(frames), 2)] == [2, 2, 1]
    assert [len(group) for group in run_video.groups(iter(frames[:4]), 2)] == [2, 2]
    assert list(run_video.groups(iter([]), 2)) == []


def test_frames_before_a_damage_are_not_lost():
    def damaged():
        yield from "abc"
        raise DamagedVideo("cut")

    found = []
    with pytest.raises(DamagedVideo):
        for group in run_video.groups(damaged(), 2):
            found += group
    assert found == ["a", "b", "c"]


def test_colors_can_be_preserved(paint, painter, film, tmp_path):
    assert paint(film, tmp_path / "out.mp4", "--preserve-colors")[0] == 0
    expected = [data.preserve_colors(frame, 255 - frame) for frame in read_frames(film)]
    found = list(read_frames(tmp_path / "out.mp4"))
    np.testing.assert_array_equal(found, encoded(expected, tmp_path / "expected.mp4"))
    assert distance(expected, negatives(film)) > 20


@pytest.mark.parametrize(
    "size,longest,expected", [("64x48", 32, (32, 24)), ("64x46", 33, (32, 24)), ("64x48", 65, (64, 48))]
)
def test_large_films_are_shrunk_to_even_sides(paint, painter, tmp_path, size, longest, expected):
    source, target = make_film(tmp_path / "film.mp4", size), tmp_path / "out.mp4"
    assert paint(source, target, "--max-size", longest)[0] == 0
    width, height = expected
    assert (probe(target).width, probe(target).height) == expected and Painter.calls[0] == (1, height, width, 3)
    expected = [255 - data.limit_size(frame, longest)[:height, :width] for frame in read_frames(source)]
    np.testing.assert_array_equal(list(read_frames(target)), encoded(expected, tmp_path / "expected.mp4"))


def test_the_bit_rate_is_the_users(paint, painter, film, tmp_path):
    for rate in ("50k", "5M"):
        assert paint(film, tmp_path / f"{rate}.mp4", "--video-bitrate", rate)[0] == 0
    assert (tmp_path / "50k.mp4").stat().st_size < (tmp_path / "5M.mp4").stat().st_size


def test_sound_that_mp4_cannot_hold_is_converted_and_said(paint, painter, tmp_path):
    source = make_film(tmp_path / "film.avi", codec="pcm_s16le")
    status, err = paint(source, tmp_path / "out.mp4")
    assert status == 0 and "pcm_s16le" in err and "AAC" in err
    assert probe(tmp_path / "out.mp4").sound == ("aac",)


def test_sound_that_is_lost_is_said(paint, painter, film, tmp_path, monkeypatch):
    monkeypatch.setattr(VideoWriter, "ways", lambda film: ("no-such-codec",))
    status, err = paint(film, tmp_path / "out.mp4")
    assert status == 0 and "Warning: the sound" in err and count(tmp_path / "out.mp4") == 10


def test_old_flags_are_accepted(paint, painter, film, tmp_path):
    status, err = paint(film, tmp_path / "out.mp4", "--tmp-dir", tmp_path / "frames", "--no-disk", "True")
    assert status == 0 and names(tmp_path) == ["film.mp4", "out.mp4"], err


# --- where the result goes ----------------------------------------------------------------------------------------


def test_into_a_folder_it_keeps_its_name(paint, painter, film, tmp_path):
    (tmp_path / "out").mkdir()
    assert paint(film, tmp_path / "out")[0] == 0
    shutil.move(film, tmp_path / "film.avi")
    assert paint(tmp_path / "film.avi", tmp_path / "out")[0] == 0
    assert names(tmp_path / "out") == ["film.mp4"]
    (tmp_path / "film.avi").rename(tmp_path / "other.avi")
    assert paint(tmp_path / "other.avi", tmp_path / "out")[0] == 0
    assert names(tmp_path / "out") == ["film.mp4", "other.mp4"]


def test_an_older_result_is_replaced(paint, painter, film, tmp_path):
    (tmp_path / "out.mp4").write_text("old")
    assert paint(film, tmp_path / "out.mp4")[0] == 0
    assert count(tmp_path / "out.mp4") == 10


@pytest.mark.parametrize("name", ["film.mp4", "../{folder}/film.mp4", "link.mp4", "."])
def test_a_film_is_not_painted_over(paint, painter, film, tmp_path, name):
    before = film.read_bytes()
    (tmp_path / "link.mp4").symlink_to(film)
    status, err = paint(film, tmp_path / name.format(folder=tmp_path.name))
    assert status == 2 and err.startswith("error: ") and "painted over" in err
    assert film.read_bytes() == before and names(tmp_path) == ["film.mp4", "link.mp4"]


# --- what is refused before the work ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name,flags,word",
    [
        ("out.xyz", [], "'out.xyz'"),
        ("out", [], "'out'"),
        ("film.mp4/out.mp4", [], "cannot create the folder"),
        ("out.mp4", ["--video-bitrate", "much"], "'much' is no bit rate"),
        ("out.mp4", ["--checkpoint", "gone.ckpt"], "Checkpoint not found!"),
        ("out.mp4", ["--device", "/quantum:0"], "'/quantum:0'"),
    ],
)
def test_refused_before_anything_is_written(paint, film, tmp_path, name, flags, word):
    status, err = paint(film, tmp_path / name, *flags)
    assert status == 2 and err.count("\n") == 1 and err.startswith("error: ") and word in err
    assert names(tmp_path) == ["film.mp4"]


def test_what_is_no_film_is_refused(paint, painter, tmp_path):
    (tmp_path / "film.mp4").write_text("<html>")
    status, err = paint(tmp_path / "film.mp4", tmp_path / "out.mp4")
    assert status == 2 and "film.mp4 is a web page" in err and names(tmp_path) == ["film.mp4"]


def test_films_too_large_for_the_machine_are_refused(paint, film, tmp_path, monkeypatch):
    monkeypatch.setattr(stylizer, "BYTES_PER_PIXEL", 1e15)
    status, err = paint(film, tmp_path / "out.mp4")
    assert status == 2 and "--max-size" in err and names(tmp_path) == ["film.mp4"]


# --- ends before the end ------------------------------------------------------------------------------------------


def test_a_film_cut_short_is_painted_as_far_as_it_goes(paint, painter, tmp_path):
    whole = make_film(tmp_path / "film.mp4", frames=60, seconds=4).read_bytes()
    (tmp_path / "film.mp4").write_bytes(whole[: len(whole) // 2])
    status, err = paint(tmp_path / "film.mp4", tmp_path / "out.mp4")
    assert status == 1 and "film.mp4 is damaged or cut short" in err.splitlines()[-1], err
    painted = count(tmp_path / "out.mp4")
    assert 3 < painted < 60 and f"has the first {painted} of about" in err
    assert probe(tmp_path / "out.mp4").duration < painted / 25 + 0.1
    assert names(tmp_path) == ["film.mp4", "out.mp4"]


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_lets_the_frame_be_finished(paint, painter, film, tmp_path, number):
    painter.trouble, painter.cause = 3, lambda: os.kill(os.getpid(), getattr(signal, number))
    status, err = paint(film, tmp_path / "out.mp4")
    assert status == 130 and f"{tmp_path / 'out.mp4'} has the first 3 of about 50 frames" in err
    assert count(tmp_path / "out.mp4") == 3 and probe(tmp_path / "out.mp4").duration < 0.25
    assert names(tmp_path) == ["film.mp4", "out.mp4"]


def test_a_second_ctrl_c_does_not_wait(paint, painter, film, tmp_path):
    def impatient():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("it waited")

    painter.trouble, painter.cause = 3, impatient
    status, err = paint(film, tmp_path / "out.mp4")
    assert status == 130 and "has the first 2 of" in err and count(tmp_path / "out.mp4") == 2


def test_ctrl_c_before_the_first_frame(paint, painter, film, tmp_path):
    def impatient():
        raise KeyboardInterrupt

    painter.trouble, painter.cause = 1, impatient
    status, err = paint(film, tmp_path / "out.mp4")
    assert status == 130 and "no frame was painted" in err and names(tmp_path) == ["film.mp4"]


def test_a_failure_leaves_the_older_result(paint, painter, film, tmp_path):
    (tmp_path / "out.mp4").write_text("old")

    def fail():
        raise cli.RunError("the network is gone")

    painter.trouble, painter.cause = 3, fail
    status, err = paint(film, tmp_path / "out.mp4")
    assert status == 1 and err.endswith("error: the network is gone\n")
    assert (tmp_path / "out.mp4").read_text() == "old" and names(tmp_path) == ["film.mp4", "out.mp4"]


def test_ctrl_c_at_the_terminal(checkpoint, tmp_path):
    """The whole program; it prints a line a frame here, so that the signal comes in its midst."""
    make_film(tmp_path / "film.mp4", frames=2000, rate="25")
    code = f"""
import runpy, sys
sys.path[:0] = [{str(PROJECT)!r}, {str(PROJECT.parent)!r}]
from shared_scripts.videos import VideoWriter
write = VideoWriter.write
VideoWriter.write = lambda film, frame: (write(film, frame), print("frame", flush=True))
runpy.run_path({str(PROJECT / "transform_video.py")!r}, run_name="__main__")
"""
    flags = ["--checkpoint", checkpoint, "--in-path", "film.mp4", "--out-path", "out.mp4", "--device", "/cpu:0"]
    program = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, flags)],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for _ in range(5):
            assert program.stdout.readline() == "frame\n", program.stderr.read()
        program.send_signal(signal.SIGINT)
        painted, err = 5 + len(program.stdout.readlines()), program.stderr.read()
        program.wait()
    finally:
        program.kill()
    assert program.returncode == 130 and "Traceback" not in err, err
    assert painted < 2000 and count(tmp_path / "out.mp4") == painted
    assert f"Stopped: out.mp4 has the first {painted} of about 2000 frames.\n" in err
    assert probe(tmp_path / "out.mp4").duration == pytest.approx(painted / 25, abs=0.1)
    assert names(tmp_path) == ["film.mp4", "out.mp4"]
