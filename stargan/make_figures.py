#!/usr/bin/env python3
"""The pictures of README.md: `python make_figures.py` makes them again, with the generator that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.files import natural_key, resolve_path
from shared_scripts.images import grid, read_image, write_small

HERE = Path(__file__).resolve().parent
SHOWN = (1, 3, 4, 7, 10, 12)  # faces of the sheet, chosen for their variety before they were translated
SLID = (1, 10)
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
COMBINATIONS = (
    ("Blond_Hair",),
    ("Blond_Hair", "Eyeglasses"),
    ("Blond_Hair", "Eyeglasses", "Smiling"),
    ("Black_Hair", "Smiling"),
)


def main(argv: list[str] | None = None) -> int:
    """Run with these flags; returns the exit status."""
    parser = ArgumentParser(description="Make the pictures of README.md again.")
    parser.add_argument("--samples", metavar="DIR", help="a training's --sample_dir: also draw how it went")
    parser.add_argument("--out-dir", default=str(HERE / "figures"), metavar="DIR", help="where they go")
    flags = parser.parse_args(argv)
    folder = resolve_path(flags.out_dir)
    draw_sheet(folder)
    draw_sliders(folder)
    draw_combinations(folder)
    draw_planes(folder)
    if flags.samples:
        draw_training(folder, resolve_path(flags.samples))
    return 0


def draw_sheet(folder: Path) -> None:
    """Faces, each with every attribute changed."""
    from sheets import titled_sheet
    from show import Gallery, people

    columns, titles = Gallery(people(SHOWN)).sheet()
    write_small(folder / "sheet.jpg", titled_sheet(columns, titles))


def draw_sliders(folder: Path) -> None:
    """Fractions of a change, and more than all of it."""
    from labels import attribute_targets
    from sheets import to_pixels
    from show import Gallery, people

    gallery, rows, titles = Gallery(people(SLID)), [], []
    targets = dict(attribute_targets(gallery.names, gallery.labels))
    for name in ("Black_Hair", "Eyeglasses", "Smiling"):
        frames = [to_pixels(frame) for frame in gallery.slide(targets[name], STRENGTHS)]
        for face in range(len(SLID)):
            rows.append([frame[face] for frame in frames])
            titles.append(name.replace("_", " "))
    write_small(folder / "sliders.jpg", grid(rows, titles=[f"{s:g}" for s in STRENGTHS], row_titles=titles))


def draw_combinations(folder: Path) -> None:
    """Several attributes at once."""
    from sheets import to_pixels, translate_all
    from show import Gallery, people

    gallery = Gallery(people(SHOWN[:3]))
    targets = [("", gallery.wish(wanted)) for wanted in COMBINATIONS] + [("", gallery.wish([], ["Young"]))]
    titles = ["input", *(" + ".join(n.removesuffix("_Hair") for n in wanted) for wanted in COMBINATIONS), "not Young"]
    columns = [to_pixels(column) for column in translate_all(gallery.generator, gallery.x, targets)]
    rows = [[row.repeat(2, 0).repeat(2, 1) for row in faces] for faces in zip(*columns, strict=True)]
    write_small(folder / "combinations.jpg", grid(rows, titles=titles))


def draw_planes(folder: Path) -> None:
    """What a label's plane is behind the first convolution: with zeros around it, and with mirrored borders."""
    from show import Gallery, people

    generator = Gallery(people([0])).generator
    weight = generator.main[0].weight[:, 3:4].detach()  # of the first label
    plane = torch.ones(1, 1, 24, 24)
    answers = {
        "a label's plane": plane[0],
        "convolved, zeros around": torch.nn.functional.conv2d(plane, weight, padding=3)[0],
        "convolved, mirrored": torch.nn.functional.conv2d(torch.nn.functional.pad(plane, (3,) * 4, "reflect"), weight)[
            0
        ],
    }
    channel = int(answers["convolved, zeros around"].flatten(1).std(1).argmax())
    spread = answers["convolved, zeros around"][channel].abs().max()
    cells = []
    for answer in answers.values():
        values = answer[channel if len(answer) > 1 else 0] / (spread if len(answer) > 1 else 1)
        grey = ((values + 1) * 127.5).clamp(0, 255).to(torch.uint8).numpy()
        cells.append(np.repeat(grey.repeat(8, 0).repeat(8, 1)[..., None], 3, 2))
    write_small(folder / "planes.jpg", grid([cells], titles=list(answers), background=225))


def draw_training(folder: Path, samples: Path) -> None:
    """One face's row of the samples that the shipped generator's training made. UserError where there are none."""
    import notes
    import shipped

    found = sorted(samples.glob("*-images.jpg"), key=lambda path: natural_key(path.name))
    if not found:
        raise UserError(f"{samples} has no samples of a training, N-images.jpg")
    columns = 1 + len(notes.read(shipped.FOLDER).selected_attrs)
    chosen = [found[round(place)] for place in np.linspace(0, len(found) - 1, min(6, len(found)))]
    rows, titles = [], []
    for path in dict.fromkeys(chosen):
        sheet = read_image(path)
        side = sheet.shape[1] // columns
        top = sheet[side : 2 * side]
        rows.append([top[:, x : x + side] for x in range(0, sheet.shape[1], side)])
        titles.append(path.name.removesuffix("-images.jpg"))
    write_small(folder / "training.jpg", grid(rows, row_titles=titles))


if __name__ == "__main__":
    run(main)
