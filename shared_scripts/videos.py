"""Films in and out: frames as (H, W, 3) uint8 RGB, one at a time, through the ffmpeg that imageio-ffmpeg brings.

Frame rates are exact fractions (24000/1001, not 23.98): rounded, an hour's sound would be out of step in the end.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from shared_scripts.cli import RunError, UserError
from shared_scripts.ffmpeg import Ffmpeg, reason, source
from shared_scripts.files import atomic_write, ensure_folder, resolve_path

# What a film can be written as. AVI is not among them: it cannot say when H.264's reordered frames are due.
EXTENSIONS = (".mp4", ".m4v", ".mov", ".mkv", ".gif")
MP4_SOUND = {"aac", "mp3", "ac3", "eac3", "alac", "flac", "opus"}  # what players expect in an .mp4; ffmpeg allows more
FASTEST = 120  # frames a second; what is said to be faster is often a clock of 1 kHz with frames now and then
CUT_SHORT = re.compile(r"partial file|ended prematurely")
PICTURES = re.compile(r"image2|.*_pipe|tty")  # "formats" in which ffmpeg shows photographs and texts as films


class DamagedVideo(RunError):
    """A film that can be read up to some frame, and no further."""


@dataclass(frozen=True)
class VideoInfo:
    """What a film is like. Width and height are those of its frames as `read_frames` gives them: a telephone's mark
    that the film is to be turned is heeded. `pixel_aspect` is the width of a pixel over its height."""

    width: int
    height: int
    fps: Fraction
    duration: float | None  # seconds, of the longer of picture and sound
    sound: tuple[str, ...] = ()  # the sound tracks' codecs
    pixel_aspect: Fraction = Fraction(1)

    @property
    def has_sound(self) -> bool:
        """Whether there is a sound track."""
        return bool(self.sound)

    @property
    def frames(self) -> int | None:
        """About how many frames there are, where the file says how long it is."""
        return None if self.duration is None else max(1, round(self.duration * self.fps))


# --- reading ------------------------------------------------------------------------------------------------------


def probe(path: str | Path) -> VideoInfo:
    """What a film is like. UserError naming the file where it is missing, empty, no film, or cut short before its
    first frame."""
    path = resolve_path(path)
    check_file(path)
    # ffmpeg's summary rounds the frame rate; the filter `showinfo` has it exactly, and the size after turning
    with Ffmpeg(
        *source(path), "-map", "0:V:0", "-vf", "showinfo", "-frames:v", "1", "-f", "null", "-", level="info"
    ) as ffmpeg:
        words, problem = ffmpeg.words(), ffmpeg.problem()
    sound = find_sound(words)
    if "matches no streams" in words:
        raise UserError(f"{path} has {'sound but no picture' if sound else 'no picture that moves'}: it is no film")
    kind = re.search(r"^Input #0, (.*), from ", words, re.MULTILINE)
    if kind and PICTURES.fullmatch(kind[1]):
        raise UserError(f"{path} is {'a text' if kind[1] == 'tty' else 'a picture'}, not a film")
    shown = re.search(r"^\[Parsed_showinfo.* sar:(\d+)/(\d+) s:(\d+)x(\d+) ", words, re.MULTILINE)
    if problem or not shown:
        raise UserError(f"{path} is damaged, cut short or no film ({problem or 'there is no frame in it'})")
    wide, high, width, height = map(int, shown.groups())
    duration = find_duration(words)
    return VideoInfo(width, height, find_rate(path, words, duration), duration, sound, Fraction(wide or 1, high or 1))


def check_file(path: Path) -> None:
    """UserError where a path names no file, or one that is no film at first sight."""
    if not path.exists():
        raise UserError(f"there is no file {path}")
    if not path.is_file():
        raise UserError(f"{path} is no file" if not path.is_dir() else f"{path} is a folder, not a film")
    try:
        with open(path, "rb") as file:
            beginning = file.read(256)
    except OSError as problem:
        raise UserError(f"{path} cannot be read: {problem.strerror or problem}") from problem
    if not beginning:
        raise UserError(f"{path} is empty")
    if beginning.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise UserError(f"{path} is a web page, not a film; the download went wrong")


def find_sound(words: str) -> tuple[str, ...]:
    """The sound tracks' codecs in ffmpeg's description of a file."""
    return tuple(re.findall(r"^ *Stream #0:\d+.*?: Audio: (\w+)", words.split("Stream mapping:")[0], re.MULTILINE))


def find_duration(words: str) -> float | None:
    """Seconds, in ffmpeg's description of a file; None where it has no end that is known."""
    match = re.search(r"^ *Duration: (\d+):(\d+):([\d.]+)", words, re.MULTILINE)
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3]) if match else None


def find_rate(path: Path, words: str, duration: float | None) -> Fraction:
    """Frames a second. Where the file's own number cannot be meant, the frames are counted."""
    match = re.search(r"^\[Parsed_showinfo.* config in .*frame_rate: (\d+)/(\d+)", words, re.MULTILINE)
    rate = standard_rate(Fraction(int(match[1]), int(match[2]))) if match and int(match[2]) else Fraction(0)
    if 0 < rate <= FASTEST:
        return rate
    counted = Fraction(count_packets(path) / duration).limit_denominator(100) if duration else Fraction(25)
    return rate if 0 < rate <= 2 * counted else min(max(counted, Fraction(1)), Fraction(FASTEST))


def standard_rate(rate: Fraction) -> Fraction:
    """The rate that was meant where a file has it in whole nanoseconds a frame, as .mkv does."""
    usual = (Fraction(round(rate)), Fraction(1000 * round(rate * 1001 / 1000), 1001))
    return next((meant for meant in usual if abs(meant - rate) < rate / 10**6), rate)


def count_packets(path: Path) -> int:
    """How many frames a file holds, found by going through it without decoding."""
    with Ffmpeg(*source(path), "-map", "0:V:0", "-c", "copy", "-f", "null", "-", level="info") as ffmpeg:
        return int((re.findall(r"frame= *(\d+)", ffmpeg.words()) or ["0"])[-1])


def sound_codecs(path: str | Path) -> tuple[str, ...]:
    """The codecs of a file's sound tracks, be it a film or sound alone. UserError where there is no such file."""
    path = resolve_path(path)
    check_file(path)
    with Ffmpeg(*source(path), level="info") as ffmpeg:
        return find_sound(ffmpeg.words())


def read_frames(path: str | Path, info: VideoInfo | None = None) -> Iterator[np.ndarray]:
    """The frames of a film, (H, W, 3) uint8 RGB, decoded as they are asked for.

    They are `1 / info.fps` seconds apart from the beginning of picture or sound, whichever is first: in a film of
    varying rate, or whose picture begins late, frames are repeated or left out, and its sound stays in step. Raises
    UserError at once for what `probe` refuses, and DamagedVideo after the last frame that can be had where the file
    is damaged or cut short.
    """
    path = resolve_path(path)
    return decode(path, info or probe(path))


def decode(path: Path, info: VideoInfo) -> Iterator[np.ndarray]:
    """`read_frames`, the part that takes its time."""
    frames = ["-map", "0:V:0", "-r", ratio(info.fps), "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    # The sound goes nowhere, but makes ffmpeg count the time from its beginning where that is before the picture's
    sound = ["-map", "0:a?", "-c", "copy", "-f", "null", "-"]
    given = 0
    with Ffmpeg(*source(path), *frames, *(sound if info.has_sound else ()), stdout=subprocess.PIPE) as ffmpeg:
        while (frame := read_frame(ffmpeg.process.stdout, info.height, info.width)) is not None:
            given += 1
            yield frame
        problem = ffmpeg.problem() or missing(ffmpeg.words(), given, info.frames)
    if problem or not given:
        raise DamagedVideo(f"{path} is damaged or cut short: {given} frames can be read ({problem or 'no more'})")


def read_frame(pipe, height: int, width: int) -> np.ndarray | None:
    """One frame (H, W, 3) from raw bytes; None at their end, a piece of a frame included."""
    frame = np.empty((height, width, 3), np.uint8)
    rest = memoryview(frame).cast("B")
    while rest:
        number = pipe.readinto(rest)
        if not number:
            return None
        rest = rest[number:]
    return frame


def missing(words: str, given: int, expected: int | None) -> str | None:
    """Why frames are missing at the end, as far as ffmpeg, which calls that a success, has said something about it.

    Frames damaged in the middle are another matter: ffmpeg paints them over from those around, as players do.
    """
    if CUT_SHORT.search(words) or (words.strip() and expected and given < 0.98 * expected - 2):
        return reason(words)
    return None


# --- writing ------------------------------------------------------------------------------------------------------


def check_format(path: Path) -> None:
    """UserError where the file name's ending is none a film can be written in."""
    if path.suffix.lower() not in EXTENSIONS:
        raise UserError(f"cannot write a film as {path.name!r}; end it in .mp4 (or {', '.join(EXTENSIONS[1:])})")


def check_bitrate(text: str) -> None:
    """UserError where `text` is no bit rate: digits, and k or M behind them."""
    if not re.fullmatch(r"0*[1-9]\d*(\.\d+)?[kKmM]?", text):
        raise UserError(f"{text!r} is no bit rate; 2000k and 2M are")


def ratio(fps: Fraction) -> str:
    """A fraction as ffmpeg reads it."""
    return f"{fps.numerator}/{fps.denominator}"


class VideoWriter:
    """A film to be written frame by frame; use as a context manager, and `write` (H, W, 3) uint8 frames.

    The format is that of the name's ending: H.264 in .mp4, .m4v, .mov or .mkv, or a .gif. `fps` is kept exactly. The
    sound is taken from the file `sound_from`, as it is where the format can hold it and players expect it, else as
    AAC; `sound` says afterwards what became of it: `copied`, `aac`, `lost` or `none`. The picture gets `bitrate`, or
    with `crf` (0..51, 18 is fine) a constant quality; `lossless` gives every pixel back to the bit, to programs more
    than to players.

    `path` is written when the context closes, whole or not at all. After Ctrl-C it gets the frames there are, and
    their sound; after any other exception what was there stays. UserError where ffmpeg or the disk refuses.
    """

    def __init__(
        self,
        path: str | Path,
        width: int,
        height: int,
        fps: Fraction,
        sound_from: str | Path | None = None,
        bitrate: str = "2000k",
        crf: int | None = None,
        preset: str = "medium",
        lossless: bool = False,
        pixel_aspect: Fraction = Fraction(1),
    ):
        self.path = Path(path)
        check_format(self.path)
        check_bitrate(bitrate)
        self.width, self.height, self.fps, self.pixel_aspect = width, height, Fraction(fps), pixel_aspect
        self.bitrate, self.crf, self.preset, self.lossless = bitrate, crf, preset, lossless
        self.sound_from = resolve_path(sound_from) if sound_from else None
        self.codecs = sound_codecs(sound_from) if sound_from and not self.is_gif else ()
        self.part = self.path.with_name(f".{self.path.stem}.{os.getpid()}.part{self.path.suffix}")
        self.frames, self.sound, self.early = 0, "none", False

    @property
    def is_gif(self) -> bool:
        """Whether this will be a .gif, which has no sound."""
        return self.path.suffix.lower() == ".gif"

    def __enter__(self) -> VideoWriter:
        ensure_folder(self.path.parent)
        self.encoder = Ffmpeg(*self.arguments(), stdin=subprocess.PIPE)
        return self

    def arguments(self) -> list[str]:
        """ffmpeg's, for raw frames on its standard input and a film without sound."""
        size = f"{self.width}x{self.height}"
        frames = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-framerate", ratio(self.fps), "-i", "pipe:0"]
        if self.is_gif:
            # 256 colours of each frame's own: the best pictures, and no frame has to wait for all others
            how = ["-vf", "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"]
        elif self.lossless:
            how = ["-vf", f"setsar={ratio(self.pixel_aspect)}", "-c:v", "libx264rgb", "-qp", "0"]
        else:
            how = ["-vf", self.filters(), "-c:v", "libx264"]
            how += ["-b:v", self.bitrate] if self.crf is None else ["-crf", str(self.crf)]
        if not self.is_gif:
            how += ["-preset", self.preset]
        return [*frames, *how, *self.at_front(), f"file:{self.part}"]

    def filters(self) -> str:
        """From RGB to what players expect.

        Colours are halved in width and height, which only even sizes allow: odd ones keep them whole. The colour
        matrix is written into the film: players guess it from the size otherwise, and paint skin green.
        """
        even = self.width % 2 == self.height % 2 == 0
        return (
            "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,"
            f"format={'yuv420p' if even else 'yuv444p'},"
            "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709,"
            f"setsar={ratio(self.pixel_aspect)}"
        )

    def at_front(self) -> list[str]:
        """In the formats that can, the table of contents goes first: browsers begin to play at once."""
        return ["-movflags", "+faststart"] if self.path.suffix.lower() in (".mp4", ".m4v", ".mov") else []

    def write(self, frame: np.ndarray) -> None:
        """Append one frame, (height, width, 3) uint8 RGB."""
        if frame.shape != (self.height, self.width, 3) or frame.dtype != np.uint8:
            raise ValueError(f"expected ({self.height}, {self.width}, 3) uint8, got {frame.shape} {frame.dtype}")
        try:
            self.encoder.process.stdin.write(np.ascontiguousarray(frame))
        except OSError as problem:  # it has ended, and its messages say why
            self.encoder.close_input()
            raise self.refused(self.encoder.problem()) from problem
        self.frames += 1

    def refused(self, problem: str | None) -> UserError:
        """The exception for a film that ffmpeg did not write."""
        return UserError(f"cannot write {self.path}: {problem or 'ffmpeg ended early'}")

    def end_early(self) -> None:
        """The film ends with the frames so far, and its sound with them."""
        self.early = True

    def __exit__(self, kind, problem, trace) -> None:
        stopped = kind is not None and issubclass(kind, KeyboardInterrupt)
        try:
            if kind is None or (stopped and self.frames):
                self.finish(cut=stopped or self.early)
        finally:
            self.encoder.close()
            self.part.unlink(missing_ok=True)

    def finish(self, cut: bool) -> None:
        """Bring the film to its end, add the sound, and let it take its name. `cut`: the sound may not be longer."""
        if not self.frames:
            raise UserError(f"there are no frames to write to {self.path}")
        self.encoder.close_input()
        if (problem := self.encoder.problem()) is not None:
            raise self.refused(problem)
        with atomic_write(self.path) as temporary:
            if not self.add_sound(temporary, cut):
                self.part.replace(temporary)

    def add_sound(self, target: Path, cut: bool) -> bool:
        """Write the film with its sound to `target`; False where there is none, or none that can be used.

        The picture is copied as it is: what was computed for hours is not put at risk for the sound.
        """
        for way in self.ways():
            with Ffmpeg(*self.joining(target, way, cut)) as ffmpeg:
                if ffmpeg.problem() is None:
                    self.sound = "copied" if way == "copy" else way
                    return True
            self.sound = "lost"
        return False

    def ways(self) -> tuple[str, ...]:
        """The codecs to try for the sound, in order."""
        if not self.codecs:
            return ()
        odd = self.path.suffix.lower() in (".mp4", ".m4v") and not set(self.codecs) <= MP4_SOUND
        return ("aac",) if odd else ("copy", "aac")

    def joining(self, target: Path, codec: str, cut: bool) -> list[str]:
        """ffmpeg's arguments to join picture and sound."""
        length = ["-t", f"{float(self.frames / self.fps):.6f}"] if cut else []
        inputs = ["-i", f"file:{self.part}", *length, *source(self.sound_from)]
        streams = ["-map", "0:v:0", "-map", "1:a", "-map_chapters", "-1", "-c:v", "copy", "-c:a", codec]
        quality = ["-b:a", "192k"] if codec == "aac" else []
        # The old picture goes nowhere, but makes ffmpeg count the sound's time from its beginning: see `decode`
        old_picture = ["-map", "1:V:0?", "-c", "copy", "-f", "null", "-"]
        return [*inputs, *streams, *quality, *self.at_front(), f"file:{target}", *old_picture]
