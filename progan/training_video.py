"""A film of a training: its sheets of generated pictures one after another, with lod, time and kimg."""

from __future__ import annotations

import bisect
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pictures import zoom
from results import locate_run
from run_log import format_time, parse_ticks
from shared_scripts.cli import UserError
from shared_scripts.images import read_image
from shared_scripts.progress import Progress
from shared_scripts.videos import VideoWriter, check_bitrate, check_format

WIDEST, HIGHEST = 1920, 1080  # larger sheets are halved until they are no larger
NARROWEST = 480  # smaller ones are enlarged: the labels would not fit
FONT_SIZE, MARGIN = 16, 4


class Moment(NamedTuple):
    """A sheet, and when it was made."""

    seconds: int
    kimg: float
    lod: float
    path: Path


def generate_training_video(
    run: int | str | Path,
    duration_sec: float = 20.0,
    time_warp: float = 1.5,
    mp4: str | Path | None = None,
    mp4_fps: float = 30,
    mp4_bitrate: str = "16M",
    result_dir: str | Path = "results",
) -> Path:
    """Write the film of a run (see `results.locate_run`); returns its path.

    At t seconds the film shows the training at (t / duration_sec) ** time_warp of its time: slowly at first, when
    much changes. `mp4` is the file, by default in the run's folder, of its name and `-train.mp4`. UserError where there
    are no sheets, or no log that tells when they were made.
    """
    run = locate_run(result_dir, run)
    path = Path(mp4) if mp4 else run / f"{run.resolve().name}-train.mp4"
    check_format(path)
    check_bitrate(mp4_bitrate)
    if not (0 < duration_sec < 86400 and 0 < mp4_fps <= 1000 and 0 < time_warp < 1000):
        raise UserError("duration_sec, time_warp and mp4_fps must be above 0, and a film shorter than a day")
    moments = find_moments(run)
    first = read_sheet(moments[0].path)
    count = max(1, round(duration_sec * mp4_fps))
    fps = Fraction(mp4_fps).limit_denominator(1001)
    with (
        Progress(count) as progress,
        VideoWriter(path, first.shape[1], first.shape[0], fps, bitrate=mp4_bitrate) as film,
    ):
        shown, sheet = moments[0].path, first
        for k in range(count):
            seconds = (k / count) ** time_warp * moments[-1].seconds
            moment = moment_at(moments, seconds)
            if moment.path != shown:
                shown, sheet = moment.path, same_size(read_sheet(moment.path), first)
            film.write(with_labels(sheet, f"lod {moment.lod:.2f}", format_time(seconds), f"{moment.kimg:.0f} kimg"))
            progress.update()
    return path


def find_moments(run: Path) -> list[Moment]:
    """The sheets of a run that its log tells of, in order. UserError where there are none."""
    log = run / "log.txt"
    if not log.is_file():
        raise UserError(f"there is no {log}, which would tell when the pictures were made")
    found: list[Moment] = []
    for tick in parse_ticks(log.read_text(encoding="utf-8", errors="replace")):
        while found and (found[-1].seconds > tick["seconds"] or found[-1].kimg > tick["kimg"]):
            found.pop()  # the run was stopped and went on from an earlier place
        path = sheet_of(run, tick["kimg"])
        if path is not None:
            found.append(Moment(tick["seconds"], tick["kimg"], tick["lod"], path))
    beginning = run / "fakes000000.png"  # made before the first tick
    if beginning.is_file():
        found.insert(0, Moment(0, 0.0, found[0].lod if found else 0.0, beginning))
    if not found:
        raise UserError(f"{run} has no fakes*.png of the times in its log.txt")
    return found


def sheet_of(run: Path, kimg: float) -> Path | None:
    """The sheet that was written at a tick. Its name has the whole kimg; the log's are rounded to tenths, perhaps up
    to the next whole one."""
    for whole in (int(kimg), int(kimg - 0.05)):
        path = run / f"fakes{whole:06d}.png"
        if path.is_file():
            return path
    return None


def moment_at(moments: list[Moment], seconds: float) -> Moment:
    """The last one before a time, or the first."""
    return moments[max(bisect.bisect_right(moments, seconds, key=lambda moment: moment.seconds) - 1, 0)]


def read_sheet(path: Path) -> np.ndarray:
    """A sheet at the film's size, (H, W, 3) uint8: halved or enlarged by whole factors."""
    sheet = read_image(path)
    while sheet.shape[1] > WIDEST or sheet.shape[0] > HIGHEST:
        sheet = halve(sheet)
    return zoom(sheet, max(1, min(NARROWEST // sheet.shape[1], HIGHEST // sheet.shape[0])))


def halve(pixels: np.ndarray) -> np.ndarray:
    """The means of 2x2 pixels; a last odd row or column is left out."""
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    blocks = pixels[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1)
    return np.rint(blocks.astype(np.float32).mean(axis=(1, 3))).astype(np.uint8)


def same_size(sheet: np.ndarray, first: np.ndarray) -> np.ndarray:
    """A sheet cut, or filled up with black, to the first one's size: all frames of a film have one."""
    if sheet.shape == first.shape:
        return sheet
    result = np.zeros_like(first)
    height, width = (min(a, b) for a, b in zip(sheet.shape[:2], first.shape[:2], strict=True))
    result[:height, :width] = sheet[:height, :width]
    return result


def with_labels(sheet: np.ndarray, left: str, centre: str, right: str) -> np.ndarray:
    """The sheet with three words at its lower edge, white with a black rim."""
    image = Image.fromarray(sheet)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=FONT_SIZE)
    places = ((left, MARGIN, "ls"), (centre, image.width / 2, "ms"), (right, image.width - MARGIN, "rs"))
    for text, x, anchor in places:
        pen.text(
            (x, image.height - 2 * MARGIN), text, "white", font, anchor=anchor, stroke_width=2, stroke_fill="black"
        )
    return np.asarray(image)
