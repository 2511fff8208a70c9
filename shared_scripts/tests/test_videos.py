"""Films in and out: exact frame rates, any size, the sound, damaged files, and ends before the end."""

import os
import re
import subprocess
import sys
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from shared_scripts import ffmpeg as ffmpeg_module
from shared_scripts import videos
from shared_scripts.cli import UserError
from shared_scripts.videos import DamagedVideo, VideoWriter, probe, read_frames

NTSC = Fraction(24000, 1001)
TONE = ["-f", "lavfi", "-i", "sine=440"]


def ffmpeg(*arguments):
    """Run ffmpeg; what it says."""
    command = [ffmpeg_module.ffmpeg_path(), "-hide_banner", "-nostdin", "-y", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True).stderr.decode()


def make_film(path, *more, size="64x48", rate="25", frames=12, sound=None, seconds=None):
    """A test film, with a tone of `seconds` (the picture's length by default) where `sound` names a codec."""
    seconds = float(frames / Fraction(rate)) if seconds is None else seconds
    picture = ["-f", "lavfi", "-i", f"testsrc=s={size}:r={rate}:d={float((frames - 0.5) / Fraction(rate))}"]
    tone = ["-f", "lavfi", "-i", f"sine=440:d={seconds}", "-c:a", sound] if sound else []
    ffmpeg(*picture, *tone, "-c:v", "libx264", "-preset", "ultrafast", *more, path)
    return path


def describe(path):
    """ffmpeg's description of a file."""
    command = [ffmpeg_module.ffmpeg_path(), "-hide_banner", "-i", str(path)]
    return subprocess.run(command, capture_output=True).stderr.decode()


def sound_packets(path):
    """A checksum over the sound's packets as they lie in the file."""
    command = [
        ffmpeg_module.ffmpeg_path(),
        "-loglevel",
        "error",
        "-i",
        str(path),
        "-map",
        "0:a",
        "-c",
        "copy",
        "-f",
        "md5",
        "-",
    ]
    return subprocess.run(command, check=True, capture_output=True).stdout


def count(path):
    return sum(1 for _ in read_frames(path))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def moving_frames(number=6, height=48, width=64):
    """Soft colours that wander: what any encoder keeps well."""
    y, x = np.mgrid[:height, :width]
    waves = [np.stack([np.sin((x + 3 * i) / 9), np.sin((y + i) / 7), np.cos((x + y) / 11)], -1) for i in range(number)]
    return [(127 + 100 * wave).astype(np.uint8) for wave in waves]


def noise_frames(number, height=48, width=64):
    return list(np.random.default_rng(0).integers(0, 256, (number, height, width, 3), np.uint8))


def write(path, frames, fps=25, **settings):
    """Write a film; returns the writer."""
    height, width = frames[0].shape[:2]
    with VideoWriter(path, width, height, Fraction(fps), preset="ultrafast", **settings) as film:
        for frame in frames:
            film.write(frame)
    return film


@pytest.fixture(scope="module")
def talkie(tmp_path_factory):
    """97x65 pixels, 24000/1001 frames a second, 12 frames, AAC."""
    path = tmp_path_factory.mktemp("talkie") / "talkie.mp4"
    return make_film(path, size="97x65", rate="24000/1001", sound="aac")


@pytest.fixture
def started(monkeypatch):
    """The ffmpeg processes that the module starts."""
    processes, popen = [], subprocess.Popen

    def recorded(*arguments, **settings):
        processes.append(popen(*arguments, **settings))
        return processes[-1]

    monkeypatch.setattr(ffmpeg_module.subprocess, "Popen", recorded)
    return processes


# --- what a film is like ------------------------------------------------------------------------------------------


def test_a_film_is_described(talkie):
    info = probe(talkie)
    assert (info.width, info.height, info.fps, info.sound, info.pixel_aspect) == (97, 65, NTSC, ("aac",), 1)
    assert info.has_sound and info.frames == 12 and info.duration == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("rate", ["30000/1001", "60000/1001", "25/2", "10"])
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_frame_rates_are_exact(tmp_path, rate, ending):
    info = probe(make_film(tmp_path / f"x.{ending}", rate=rate, frames=6))
    assert info.fps == Fraction(rate) and not info.has_sound


def test_a_clock_of_a_kilohertz_is_no_frame_rate(tmp_path):
    """Browsers record so: 1000 frames a second by the header, a few of them there."""
    picture = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=1000:d=1", "-vf", "select='gt(random(0),0.96)'"]
    ffmpeg(*picture, "-fps_mode", "vfr", tmp_path / "x.mkv")
    assert "1k tbr" in describe(tmp_path / "x.mkv")
    info = probe(tmp_path / "x.mkv")
    assert 20 < info.fps < 60
    assert abs(count(tmp_path / "x.mkv") - info.frames) <= 2


def test_a_film_of_240_frames_a_second_is_believed(tmp_path):
    assert probe(make_film(tmp_path / "x.mp4", rate="240")).fps == 240


def test_a_telephones_turned_film_is_upright(tmp_path):
    flat = make_film(tmp_path / "flat.mp4", "-pix_fmt", "yuv444p", frames=2)
    ffmpeg("-display_rotation", "90", "-i", flat, "-c", "copy", tmp_path / "turned.mp4")
    info = probe(tmp_path / "turned.mp4")
    assert (info.width, info.height) == (48, 64)
    expected = np.rot90(next(read_frames(flat)))
    np.testing.assert_allclose(next(read_frames(tmp_path / "turned.mp4")).astype(int), expected, atol=1)


def test_pixels_that_are_no_squares_are_noticed_and_kept(tmp_path):
    info = probe(make_film(tmp_path / "x.mp4", "-vf", "setsar=16/15", frames=2))
    assert (info.width, info.height, info.pixel_aspect) == (64, 48, Fraction(16, 15))
    write(tmp_path / "y.mp4", moving_frames(2), pixel_aspect=info.pixel_aspect)
    assert probe(tmp_path / "y.mp4").pixel_aspect == Fraction(16, 15)


# --- what is no film ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name,content,word",
    [
        ("empty.mp4", b"", "empty"),
        ("page.mp4", b"\n<!DOCTYPE html><html><body>Not found</body></html>", "web page"),
        ("text.mp4", b"hello, this is a text\n" * 30, "no film"),
        ("text.txt", b"hello, this is a text\n" * 30, "text.txt"),
        ("noise.mkv", bytes(np.random.default_rng(0).integers(0, 256, 3000, np.uint8)), "no film"),
    ],
)
def test_other_files_are_refused(tmp_path, name, content, word):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=word) as problem:
        probe(tmp_path / name)
    assert name in str(problem.value) and "\n" not in str(problem.value)


@pytest.mark.parametrize("name", ["photo.jpg", "photo.mp4", "photo.png"])
def test_a_picture_is_no_film(tmp_path, name):
    with open(tmp_path / name, "wb") as file:
        Image.fromarray(moving_frames(1)[0]).save(file, "png" if name.endswith("png") else "jpeg")
    with pytest.raises(UserError, match="a picture, not a film"):
        probe(tmp_path / name)


@pytest.mark.parametrize("name", ["sound.m4a", "sound.mp4", "sound.wav"])
def test_sound_alone_is_no_film(tmp_path, name):
    ffmpeg(*TONE, "-t", "0.2", tmp_path / name)
    with pytest.raises(UserError, match="sound but no picture"):
        probe(tmp_path / name)


def test_music_with_a_cover_is_no_film(tmp_path):
    Image.fromarray(moving_frames(1)[0]).save(tmp_path / "cover.jpg")
    cover = ["-i", tmp_path / "cover.jpg", "-map", "0:a", "-map", "1:v", "-c:v", "copy"]
    ffmpeg(*TONE, *cover, "-disposition:v", "attached_pic", "-t", "0.2", tmp_path / "x.m4a")
    assert "attached pic" in describe(tmp_path / "x.m4a")
    with pytest.raises(UserError, match="sound but no picture"):
        probe(tmp_path / "x.m4a")


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(UserError, match=r"no file .*gone\.mp4"):
        probe(tmp_path / "gone.mp4")
    with pytest.raises(UserError, match="is a folder"):
        probe(tmp_path)


@pytest.mark.parametrize("front", [True, False])
def test_a_film_cut_before_its_first_frame(tmp_path, front):
    """With the table of contents at the end it is lost; at the front, there is nothing that it points to."""
    whole = make_film(tmp_path / "whole.mp4", *(["-movflags", "+faststart"] if front else []))
    data = whole.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: data.index(b"mdat") + 8] if front else data[:-100])
    with pytest.raises(UserError, match=r"cut\.mp4 is damaged"):
        probe(tmp_path / "cut.mp4")


def test_a_missing_ffmpeg_is_one_line(talkie, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UserError, match="pip install imageio-ffmpeg"):
        probe(talkie)


def test_a_broken_ffmpeg_is_one_line(talkie, tmp_path, monkeypatch):
    monkeypatch.setattr(ffmpeg_module, "ffmpeg_path", lambda: str(tmp_path / "no-such-program"))
    with pytest.raises(UserError, match="cannot run .*no-such-program"):
        probe(talkie)


@pytest.mark.parametrize(
    "words,expected",
    [
        ("", ""),
        ("[in#0 @ 0x5] moov atom not found\nError opening input files: Invalid data\n", "moov atom not found"),
        ("[a @ 0x5] [b @ 0x6] first\r[a @ 0x7] second\nConversion failed!\n", "second"),
        ("Unknown encoder 'x'\n[v @ 0x1] Error selecting an encoder\n", "Unknown encoder 'x'"),
    ],
)
def test_ffmpegs_reason_is_found(words, expected):
    assert ffmpeg_module.reason(words) == expected


# --- reading ------------------------------------------------------------------------------------------------------


def test_frames_are_read_as_they_are(tmp_path):
    frames = noise_frames(5)
    write(tmp_path / "x.mp4", frames, lossless=True)
    found = list(read_frames(tmp_path / "x.mp4"))
    assert found[0].dtype == np.uint8 and found[0].flags.writeable
    np.testing.assert_array_equal(found, frames)


def test_reading_a_film_takes_no_more_memory_than_a_few_frames(tmp_path):
    make_film(tmp_path / "x.mp4", size="320x240", frames=60)
    info, size = probe(tmp_path / "x.mp4"), 320 * 240 * 3
    tracemalloc.start()
    try:
        assert sum(frame.nbytes for frame in read_frames(tmp_path / "x.mp4", info)) == 60 * size
        assert size < tracemalloc.get_traced_memory()[1] < 4 * size
    finally:
        tracemalloc.stop()


def test_nothing_runs_on_when_reading_stops(talkie, started):
    frames = read_frames(talkie)
    next(frames)
    frames.close()
    assert len(started) == 2 and all(process.returncode is not None for process in started)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_film_cut_short_gives_the_frames_there_are(tmp_path, ending):
    whole = make_film(tmp_path / f"whole.{ending}", "-movflags", "+faststart", frames=60)
    data = whole.read_bytes()
    cut = tmp_path / f"cut.{ending}"
    cut.write_bytes(data[: len(data) * 2 // 3])
    found = []
    with pytest.raises(DamagedVideo, match=rf"cut\.{ending} is damaged or cut short: \d+ frames") as problem:
        for frame in read_frames(cut):
            found.append(frame)
    assert 10 < len(found) < 55 and f" {len(found)} frames" in str(problem.value)
    np.testing.assert_array_equal(found[:10], [frame for frame, _ in zip(read_frames(whole), range(10), strict=False)])


def test_a_reader_that_dies_is_noticed(tmp_path, started):
    make_film(tmp_path / "x.mp4", size="320x240", frames=60)
    frames = read_frames(tmp_path / "x.mp4")
    next(frames)
    started[-1].kill()
    with pytest.raises(DamagedVideo, match="status -9"):
        list(frames)


@pytest.mark.parametrize("ending", ["mp4", "ts"])
def test_a_picture_that_begins_late_stays_in_step(tmp_path, ending):
    """The sound begins 0.4 s before it: ten frames at 25 a second."""
    picture = make_film(tmp_path / "picture.mp4", frames=8)
    late = tmp_path / f"late.{ending}"
    streams = ["-map", "0:a", "-map", "1:v", "-c:v", "copy", "-c:a", "aac", "-t", "0.8"]
    ffmpeg(*TONE, "-itsoffset", "0.4", "-i", picture, *streams, late)
    frames = list(read_frames(late))
    assert len(frames) in (18, 19)  # the clock of .ts files is not exact
    assert all((frame == frames[0]).all() for frame in frames[:10]) and (frames[12] != frames[0]).any()


def test_a_film_of_varying_rate_keeps_its_length(tmp_path):
    """Thirty frames a second at first, then every third only."""
    picture = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=30:d=1", "-vf", "select='not(mod(n,3))+lt(n,9)'"]
    ffmpeg(*picture, "-fps_mode", "vfr", tmp_path / "x.mkv")
    assert videos.count_packets(tmp_path / "x.mkv") == 16
    info = probe(tmp_path / "x.mkv")
    assert info.fps == 30 and count(tmp_path / "x.mkv") in (28, 29, 30)


# --- writing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["mp4", "m4v", "mov", "mkv"])
def test_the_frame_rate_is_kept_exactly(tmp_path, ending):
    film = write(tmp_path / f"new/x.{ending}", moving_frames(12), NTSC)
    info = probe(tmp_path / f"new/x.{ending}")
    assert (info.fps, info.width, info.height, info.sound) == (NTSC, 64, 48, ()) and film.sound == "none"
    assert count(tmp_path / f"new/x.{ending}") == film.frames == 12
    assert names(tmp_path / "new") == [f"x.{ending}"]


@pytest.mark.parametrize("width,height", [(97, 65), (98, 66), (64, 49), (33, 2)])
def test_any_size_is_kept(tmp_path, width, height):
    frames = moving_frames(4, height, width)
    write(tmp_path / "x.mp4", frames, crf=10)
    found = list(read_frames(tmp_path / "x.mp4"))
    assert np.shape(found) == (4, height, width, 3)
    assert np.abs(np.subtract(found, frames, dtype=float)).mean() < 5
    assert ("yuv420p" if width % 2 == height % 2 == 0 else "yuv444p") in describe(tmp_path / "x.mp4")


@pytest.mark.parametrize("color", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 120, 90)])
def test_colors_are_kept_and_labelled(tmp_path, color):
    write(tmp_path / "x.mp4", [np.full((48, 64, 3), color, np.uint8)] * 3)
    np.testing.assert_allclose(next(read_frames(tmp_path / "x.mp4")).mean((0, 1)), color, atol=3)
    assert "tv, bt709, progressive" in describe(tmp_path / "x.mp4")


def test_quality_costs_bytes(tmp_path):
    def size(**settings):
        write(tmp_path / "x.mp4", noise_frames(10), **settings)
        return (tmp_path / "x.mp4").stat().st_size

    assert size(bitrate="100k") < size(bitrate="4M")
    assert size(crf=40) < size(crf=5)


def test_a_gif(tmp_path):
    frames = moving_frames(6, 33, 35)
    write(tmp_path / "x.gif", frames, 20, sound_from=None)
    assert (tmp_path / "x.gif").read_bytes().startswith(b"GIF89a")
    found = list(read_frames(tmp_path / "x.gif"))
    assert probe(tmp_path / "x.gif").fps == 20 and np.shape(found) == (6, 33, 35, 3)
    assert np.abs(np.subtract(found, frames, dtype=float)).mean() < 10


def test_writing_a_film_takes_no_more_memory_than_a_few_frames(tmp_path):
    frame = moving_frames(1, 240, 320)[0]
    tracemalloc.start()
    try:
        with VideoWriter(tmp_path / "x.mp4", 320, 240, Fraction(25), preset="ultrafast") as film:
            for _ in range(60):
                film.write(frame.copy())
        assert tracemalloc.get_traced_memory()[1] < 4 * frame.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["-x.mp4", "a b 50%d é.mp4", "http:x.mp4", "it's [1].mp4"])
def test_any_name_is_a_name(tmp_path, monkeypatch, talkie, name):
    if os.name == "nt" and ":" in name:
        pytest.skip("no file can have such a name here")
    monkeypatch.chdir(tmp_path)
    write(name, moving_frames(2), sound_from=talkie)
    write("copy.mp4", list(read_frames(name)), sound_from=name)
    assert names(tmp_path) == sorted([name, "copy.mp4"]) and count("copy.mp4") == 2


def test_an_existing_film_is_replaced(tmp_path):
    (tmp_path / "x.mp4").write_text("old")
    write(tmp_path / "x.mp4", moving_frames(3))
    assert count(tmp_path / "x.mp4") == 3


# --- sound --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov"])
def test_sound_is_copied_to_the_bit(tmp_path, talkie, ending):
    target = tmp_path / f"x.{ending}"
    film = write(target, list(read_frames(talkie)), NTSC, sound_from=talkie)
    info = probe(target)
    assert film.sound == "copied" and info.sound == ("aac",)
    assert sound_packets(target) == sound_packets(talkie)
    assert (info.width, info.height, info.fps, count(target)) == (97, 65, NTSC, 12)
    assert info.duration == pytest.approx(probe(talkie).duration, abs=0.03)
    assert names(tmp_path) == [f"x.{ending}"]


@pytest.mark.parametrize("codec", ["pcm_s16le", "wmav2"])
def test_sound_that_mp4_cannot_hold_becomes_aac(tmp_path, codec):
    source = make_film(tmp_path / "x.mkv", sound=codec)
    film = write(tmp_path / "y.mp4", moving_frames(12), sound_from=source)
    assert (film.sound, probe(tmp_path / "y.mp4").sound) == ("aac", ("aac",))
    film = write(tmp_path / "y.mkv", moving_frames(12), sound_from=source)
    assert (film.sound, probe(tmp_path / "y.mkv").sound) == ("copied", (codec,))


def test_sound_that_the_format_refuses_becomes_aac(tmp_path):
    """.m4v holds fewer codecs than .mp4; which, ffmpeg finds out."""
    source = make_film(tmp_path / "x.mp4", sound="libmp3lame")
    film = write(tmp_path / "y.m4v", moving_frames(12), sound_from=source)
    assert (film.sound, probe(tmp_path / "y.m4v").sound) == ("aac", ("aac",))


def test_a_film_is_not_lost_with_its_sound(tmp_path, talkie, monkeypatch):
    monkeypatch.setattr(VideoWriter, "ways", lambda film: ("no-such-codec",))
    film = write(tmp_path / "x.mp4", moving_frames(5), sound_from=talkie)
    assert film.sound == "lost" and count(tmp_path / "x.mp4") == 5 and not probe(tmp_path / "x.mp4").has_sound
    assert names(tmp_path) == ["x.mp4"]


def test_sound_from_a_file_without_any(tmp_path):
    film = write(tmp_path / "y.mp4", moving_frames(2), sound_from=make_film(tmp_path / "silent.mp4"))
    assert film.sound == "none" and not probe(tmp_path / "y.mp4").has_sound


def test_sound_from_music(tmp_path):
    ffmpeg(*TONE, "-t", "0.2", tmp_path / "music.mp3")
    film = write(tmp_path / "x.mp4", moving_frames(5), sound_from=tmp_path / "music.mp3")
    assert film.sound == "copied" and probe(tmp_path / "x.mp4").sound == ("mp3",)


def test_a_missing_sound_file_is_refused_at_once(tmp_path):
    with pytest.raises(UserError, match=r"no file .*gone\.mp3"):
        VideoWriter(tmp_path / "x.mp4", 64, 48, Fraction(25), sound_from=tmp_path / "gone.mp3")


def test_sound_that_begins_late_stays_in_step(tmp_path):
    film = make_film(tmp_path / "film.mp4", frames=25, sound="aac")
    ffmpeg("-i", film, "-itsoffset", "0.5", "-i", film, "-map", "0:v", "-map", "1:a", "-c", "copy", tmp_path / "x.ts")
    write(tmp_path / "y.mp4", moving_frames(25), sound_from=tmp_path / "x.ts")
    start = re.search(r"Audio: .*, start (\d\.\d+)", describe(tmp_path / "y.mp4"))
    assert float(start[1]) == pytest.approx(0.5, abs=0.05)


# --- ends before the end ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_talkie(tmp_path_factory):
    """12 frames, and two seconds of sound."""
    return make_film(tmp_path_factory.mktemp("long") / "x.mp4", sound="aac", seconds=2)


def test_longer_sound_is_kept_whole(tmp_path, long_talkie):
    assert probe(long_talkie).duration > 1.9
    write(tmp_path / "x.mp4", moving_frames(5), sound_from=long_talkie)
    assert sound_packets(tmp_path / "x.mp4") == sound_packets(long_talkie)


def test_sound_ends_with_a_film_that_ends_early(tmp_path, long_talkie):
    with VideoWriter(tmp_path / "x.mp4", 64, 48, Fraction(25), sound_from=long_talkie) as film:
        film.write(moving_frames(1)[0])
        film.end_early()
    assert film.sound == "copied" and probe(tmp_path / "x.mp4").duration < 0.2


@pytest.mark.parametrize("inside", [False, True])
def test_ctrl_c_leaves_the_frames_so_far(tmp_path, long_talkie, inside):
    """Be it between two frames or inside one."""
    (tmp_path / "x.mp4").write_text("old")
    frames = moving_frames(5)
    with pytest.raises(KeyboardInterrupt):
        with VideoWriter(tmp_path / "x.mp4", 64, 48, Fraction(25), sound_from=long_talkie) as film:
            for frame in frames:
                film.write(frame)
            if inside:
                film.encoder.process.stdin.write(bytes(5000))
            raise KeyboardInterrupt
    found = list(read_frames(tmp_path / "x.mp4"))
    assert len(found) == 5 and np.abs(np.subtract(found, frames, dtype=float)).mean() < 10
    info = probe(tmp_path / "x.mp4")
    assert info.has_sound and info.duration < 0.35
    assert names(tmp_path) == ["x.mp4"]


def test_ctrl_c_before_the_first_frame_leaves_all_as_it_was(tmp_path):
    (tmp_path / "x.mp4").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        with VideoWriter(tmp_path / "x.mp4", 64, 48, Fraction(25)):
            raise KeyboardInterrupt
    assert names(tmp_path) == ["x.mp4"] and (tmp_path / "x.mp4").read_text() == "old"


@pytest.mark.skipif(os.name == "nt", reason="there are no sessions")
def test_ctrl_c_does_not_reach_ffmpeg(tmp_path):
    """The terminal sends it to all programs of a session."""
    with VideoWriter(tmp_path / "x.mp4", 64, 48, Fraction(25)) as film:
        assert os.getsid(film.encoder.process.pid) != os.getsid(0)
        film.write(moving_frames(1)[0])


def test_after_an_exception_all_is_as_it_was(tmp_path, started):
    (tmp_path / "x.mp4").write_text("old")
    with pytest.raises(ZeroDivisionError):
        with VideoWriter(tmp_path / "x.mp4", 64, 48, Fraction(25)) as film:
            film.write(moving_frames(1)[0])
            raise ZeroDivisionError
    assert names(tmp_path) == ["x.mp4"] and (tmp_path / "x.mp4").read_text() == "old"
    assert [process.returncode is not None for process in started] == [True]


def test_no_frames_are_no_film(tmp_path):
    (tmp_path / "x.mp4").write_text("old")
    with pytest.raises(UserError, match="no frames"), VideoWriter(tmp_path / "x.mp4", 64, 48, Fraction(25)):
        pass
    assert names(tmp_path) == ["x.mp4"] and (tmp_path / "x.mp4").read_text() == "old"


def test_a_full_disk_is_one_line(tmp_path, full_disk):
    (tmp_path / "x.mp4").write_text("old")
    with full_disk(20_000), pytest.raises(UserError, match=r"cannot write .*x\.mp4"):
        write(tmp_path / "x.mp4", noise_frames(150), crf=5)
    assert names(tmp_path) == ["x.mp4"] and (tmp_path / "x.mp4").read_text() == "old"


def test_an_encoder_that_dies_is_noticed(tmp_path, started):
    with pytest.raises(UserError, match=r"cannot write .*x\.mp4: ffmpeg ended with status -9"):
        with VideoWriter(tmp_path / "x.mp4", 64, 48, Fraction(25)) as film:
            film.write(moving_frames(1)[0])
            started[0].kill()
            for frame in noise_frames(30):
                film.write(frame)
    assert names(tmp_path) == []


def test_what_ffmpeg_refuses_is_said_in_its_words(tmp_path):
    with pytest.raises(UserError, match="no-such-preset"):
        with VideoWriter(tmp_path / "x.mp4", 64, 48, Fraction(25), preset="no-such-preset") as film:
            for frame in moving_frames(30):
                film.write(frame)


@pytest.mark.parametrize("name", ["x.xyz", "x", "x.avi", "x.jpg"])
def test_names_of_no_format_are_refused_at_once(tmp_path, name):
    with pytest.raises(UserError, match=rf"{name}.*\.mp4"):
        VideoWriter(tmp_path / name, 64, 48, Fraction(25))


@pytest.mark.parametrize("text", ["", "many", "-5k", "0", "0k", "2000kk", "2000k -f null"])
def test_bit_rates_are_checked_at_once(tmp_path, text):
    with pytest.raises(UserError, match="bit rate"):
        VideoWriter(tmp_path / "x.mp4", 64, 48, Fraction(25), bitrate=text)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot create the folder"):
        write(tmp_path / "file/x.mp4", moving_frames(1))


@pytest.mark.parametrize(
    "frame", [np.zeros((64, 48, 3), np.uint8), np.zeros((48, 64, 3)), np.zeros((48, 64), np.uint8)]
)
def test_other_frames_are_refused(tmp_path, frame):
    with pytest.raises(ValueError, match=r"expected \(48, 64, 3\) uint8"):
        with VideoWriter(tmp_path / "x.mp4", 64, 48, Fraction(25)) as film:
            film.write(frame)
    assert names(tmp_path) == []


def test_a_talkative_ffmpeg_does_not_stop():
    """More than a pipe holds."""
    picture = ["-f", "lavfi", "-i", "testsrc=s=16x16:r=25:d=20", "-vf", "showinfo"]
    with ffmpeg_module.Ffmpeg(*picture, "-f", "null", "-", level="info") as running:
        assert len(running.words()) > 2**16 and running.problem() is None
