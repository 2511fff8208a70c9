"""The web pages of a training and of a test: rows of linked pictures, written without any library's help.

A page is whole whenever it is looked at, needs nothing but the files in the folder `images` beside it, and lays itself
out for a wide screen, a telephone, and a dark room.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
from PIL import Image

from pixels import fit_back, stretch, tensor_to_image
from shared_scripts.files import atomic_write, natural_key

if TYPE_CHECKING:
    import torch

EVERY = 50  # rows after which a growing page is written again

STYLE = """
:root { color-scheme: light dark; --text: #1f2328; --soft: #656d76; --page: #fff; --line: #d8dee4; --box: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --text: #dfe3e8; --soft: #9198a1; --page: #14171b; --line: #343a42; --box: #1c2026; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 110rem; color: var(--text); background: var(--page);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { margin: 0; font-size: 1.4rem; line-height: 1.3; overflow-wrap: anywhere; }
h3 { margin: 1.8rem 0 .5rem; padding-top: .9rem; border-top: 1px solid var(--line); font-size: 1rem;
  overflow-wrap: anywhere; }
.lead { margin: .4rem 0 0; color: var(--soft); }
table, tbody { display: block; }
tr { display: flex; flex-wrap: wrap; gap: .9rem; }
td { padding: 0; width: var(--width); max-width: 100%; text-align: center; }
td img { display: block; width: 100%; height: auto; background: var(--box); }
td a { display: block; }
td span { display: block; margin-top: .25rem; color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  body { padding: 1rem; }
  tr { gap: .8rem .6rem; }
  td { width: calc(50% - .3rem); }
  td:first-child:nth-last-child(3), td:first-child:nth-last-child(3) ~ td { width: calc((100% - 1.2rem) / 3); }
}
.losses { margin: 1.2rem 0 0; max-width: 60rem; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: 0 0 .6rem; padding: 0; list-style: none;
  font-size: .85rem; }
.legend b { font-weight: 600; font-variant-numeric: tabular-nums; }
.legend i { display: inline-block; width: 1.1rem; height: .2rem; margin-right: .4rem; border-radius: 2px;
  vertical-align: middle; }
.plot { position: relative; height: 15rem; margin: 0 1rem 1.6rem 2.8rem; }
.plot svg { position: absolute; width: 100%; height: 100%; overflow: visible; fill: none; }
.plot polyline { stroke-width: 1.6px; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.plot .grid { stroke: var(--line); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.plot span { position: absolute; color: var(--soft); font-size: .75rem; line-height: 1; }
.plot .y { right: 100%; margin-right: .5rem; transform: translateY(50%); }
.plot .x { top: 100%; margin-top: .5rem; transform: translateX(-50%); }
figcaption { color: var(--soft); font-size: .75rem; text-align: center; }
"""


@dataclass(frozen=True)
class Picture:
    """A file in the folder `images`, what it shows, and its width and height where they are known."""

    file: str
    label: str
    size: tuple[int, int] | None = None


def document(title: str, width: int, lead: str, rows: list[str], refresh: int = 0) -> str:
    """A whole page; `lead` and `rows` are HTML. With `refresh` the browser loads it again after so many seconds."""
    again = f'<meta http-equiv="refresh" content="{refresh}">\n' if refresh else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{again}'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{html.escape(title)}</title>\n'
        f"<style>{STYLE}:root {{ --width: {width}px; }}\n</style>\n</head>\n<body>\n<h1>{html.escape(title)}</h1>\n"
        f"{lead}{''.join(rows)}</body>\n</html>\n"
    )


def picture_row(heading: str, pictures: list[Picture], width: int) -> str:
    """A heading, and under it one table row of linked pictures with their labels."""
    cells = "".join(picture_cell(picture, width) for picture in pictures)
    return f"<h3>{html.escape(heading)}</h3>\n<table><tr>\n{cells}</tr></table>\n"


def picture_cell(picture: Picture, width: int) -> str:
    """One picture. Its height is given where it is known, so that the page does not jump while pictures load."""
    link = html.escape("images/" + quote(os.fsencode(picture.file)))
    label = html.escape(picture.label)
    height = f' height="{max(1, round(width * picture.size[1] / picture.size[0]))}"' if picture.size else ""
    image = f'<img src="{link}" alt="{label}" width="{width}"{height} loading="lazy">'
    return f'<td><a href="{link}">{image}</a><span>{label}</span></td>\n'


def paragraph(text: str) -> str:
    """One line of words under the title; nothing where there are none."""
    return f'<p class="lead">{html.escape(text)}</p>\n' if text else ""


def write_page(path: Path, text: str) -> None:
    """Replace a page at once: whoever loads it sees the old one or the new one. UserError where that is impossible."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")  # file names may hold what is no text at all


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write (H, W, 3 or 4) uint8 as a PNG that is whole or not there."""
    with atomic_write(path) as temporary:
        Image.fromarray(pixels).save(temporary, "png")


class ResultsPage:
    """results_dir/NAME/{phase}_{epoch}/index.html: a row for every input, in the order of their coming.

    `summary` is a line of words under the title. Call `write` at the end; while it grows the page writes itself.
    """

    def __init__(
        self, folder: str | Path, name: str, phase: str, epoch: str | int, width: int = 256, summary: str = ""
    ):
        self.folder, self.width, self.summary = Path(folder), width, summary
        self.title = f"Experiment = {name}, Phase = {phase}, Epoch = {epoch}"
        self.images = self.folder / "images"
        self.rows: list[str] = []
        self.written = 0
        self.taken: dict[str, str] = {}  # the names given, as a file system that ignores case sees them

    def add(self, heading: str, pictures: list[Picture]) -> None:
        """A row at the end. The page on the disk follows every 50, and with thousands of rows every twentieth."""
        self.rows.append(picture_row(heading, pictures, self.width))
        if len(self.rows) - self.written >= max(EVERY, len(self.rows) // 20):
            self.write()

    def write(self) -> None:
        """Bring the file up to date. UserError where that is impossible."""
        write_page(self.folder / "index.html", document(self.title, self.width, paragraph(self.summary), self.rows))
        self.written = len(self.rows)

    def unique_name(self, path: str | Path, root: str | Path | None = None) -> str:
        """What the results of an input are called: its stem.

        Where another input of this page has that already (`a/1.jpg`, `b/1.jpg`) it is the path below `root` (without
        one, below the folder above), with underscores: `b_1`; as a last resort with a number.
        """
        path = Path(path)
        folders = below(path, root).parent.parts
        for name in (path.stem, "_".join((*folders, path.stem)), path.name.replace(".", "_")):
            if name.casefold() not in self.taken:
                return self.take(name)
        number = 2
        while f"{path.stem}_{number}".casefold() in self.taken:
            number += 1
        return self.take(f"{path.stem}_{number}")

    def take(self, name: str) -> str:
        """Note that a name is given away."""
        self.taken[name.casefold()] = name
        return name


def below(path: Path, root: str | Path | None) -> Path:
    """The path as it is called below `root`, or below the folder above its own where it does not lie in `root`."""
    path = Path(os.path.abspath(path))
    if root is not None and Path(os.path.abspath(root)) in path.parents:
        return path.relative_to(os.path.abspath(root))
    return Path(path.parent.name, path.name)


def save_images(
    page: ResultsPage,
    visuals: Mapping[str, torch.Tensor],
    path: str | Path,
    name: str | None = None,
    aspect_ratio: float = 1.0,
    size: tuple[int, int] | Mapping[str, tuple[int, int]] | None = None,
    root: str | Path | None = None,
) -> dict[str, Path]:
    """Write the pictures of one input to images/{stem}_{label}.png and put them on the page -> {label: file}.

    `visuals` are (N, C, H, W) in [-1, 1], of which item 0 is taken. `name` stands for the stem of `path`. With `size`
    (height, width), or one for each label, the pictures are brought back to that size, and then stretched by
    `aspect_ratio`. `root` is the dataset's folder, see `unique_name`. UserError where a file cannot be written.
    """
    stem = page.take(re.sub(r"[/\\]+", "_", name)) if name else page.unique_name(path, root)
    files, pictures = {}, []
    for label, visual in visuals.items():
        image = tensor_to_image(visual)
        if size:
            image = fit_back(image, *(size[label] if isinstance(size, Mapping) else size))
        image = stretch(image, aspect_ratio) if aspect_ratio != 1 else image
        files[label] = page.images / f"{stem}_{label}.png"
        write_png(files[label], image)
        pictures.append(Picture(files[label].name, label, (image.shape[1], image.shape[0])))
    page.add(stem, pictures)
    return files


class TrainingPage:
    """checkpoints/NAME/web/index.html: what the networks make of a picture, the newest epoch first.

    A resumed run shows the earlier epochs' pictures too, as far as they lie in `images`; a new one only its own.
    """

    def __init__(self, folder: str | Path, name: str, width: int = 256, resumed: bool = False):
        self.folder, self.width = Path(folder), width
        self.title = f"Experiment name = {name}"
        self.images = self.folder / "images"
        self.epochs = find_epochs(self.images) if resumed else {}
        self.newest = max(self.epochs, default=0)

    def save(self, epoch: int, images: Mapping[str, np.ndarray]) -> None:
        """Write an epoch's pictures, (H, W, 3 or 4) uint8 each, over those it had. UserError where that fails."""
        pictures = []
        for label, image in images.items():
            file = f"epoch{epoch:03d}_{label}.png"
            write_png(self.images / file, image)
            pictures.append(Picture(file, label, (image.shape[1], image.shape[0])))
        self.epochs[epoch] = pictures
        self.newest = epoch

    def write(self, curve: str = "", summary: str = "", refresh: int = 1) -> None:
        """Bring the file up to date, with the curve of the losses (HTML) on top. UserError where that fails."""
        shown = sorted((epoch for epoch in self.epochs if epoch <= self.newest), reverse=True)
        rows = [picture_row(f"epoch [{epoch}]", self.in_order(epoch), self.width) for epoch in shown]
        page = document(self.title, self.width, paragraph(summary) + curve, rows, refresh)
        write_page(self.folder / "index.html", page)

    def in_order(self, epoch: int) -> list[Picture]:
        """An epoch's pictures in the order the newest epoch has them; those found on the disk come in any."""
        newest = self.epochs.get(self.newest, [])
        order = {picture.label: (place, picture.size) for place, picture in enumerate(newest)}
        pictures = sorted(self.epochs[epoch], key=lambda picture: order.get(picture.label, (len(order), None))[0])
        return [Picture(p.file, p.label, p.size or order.get(p.label, (0, None))[1]) for p in pictures]


def find_epochs(folder: Path) -> dict[int, list[Picture]]:
    """The epochs whose pictures lie in a folder, each with its pictures by name."""
    epochs: dict[int, list[Picture]] = {}
    names = sorted((path.name for path in folder.iterdir()), key=natural_key) if folder.is_dir() else []
    for name in names:
        if match := re.fullmatch(r"epoch(\d{3,})_(.+)\.png", name):
            epochs.setdefault(int(match[1]), []).append(Picture(name, match[2]))
    return epochs
