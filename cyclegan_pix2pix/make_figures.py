#!/usr/bin/env python3
"""The walkthrough's pictures: `make gallery`, or `python make_figures.py --only fields`.

`curve` and `fields` need nothing. The others show results of trainings and want the folders that test.py wrote:
`--only facades --results results/facades_pix2pix/val_latest`, or for `losses` one folder a column, as NAME=FOLDER.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.files import atomic_write, natural_key, resolve_path
from shared_scripts.images import fit, grid, read_image, write_small

HERE = Path(__file__).resolve().parent
FIGURES = ("curve", "fields", "facades", "cycle", "losses", "shapes")
WITHOUT_RESULTS = ("curve", "fields")
CELL = 128  # pixels of a picture in a sheet


def main(argv: list[str] | None = None) -> int:
    """Make the figures; returns the exit status."""
    parser = ArgumentParser(description="Make the walkthrough's pictures.")
    parser.add_argument("--only", nargs="+", default=WITHOUT_RESULTS, choices=FIGURES, metavar="NAME",
                        help=f"make these of: {', '.join(FIGURES)}")  # fmt: skip
    parser.add_argument("--results", nargs="+", default=[], metavar="[NAME=]DIR", help="folders that test.py wrote")
    parser.add_argument("--stems", nargs="+", metavar="NAME", help="which pictures (default: the first six)")
    parser.add_argument("--out-dir", default=str(HERE / "figures"), metavar="DIR", help="where the figures go")
    flags = parser.parse_args(argv)
    folder, results = resolve_path(flags.out_dir), [split_title(text) for text in flags.results]
    for name in flags.only:
        if name in WITHOUT_RESULTS:
            {"curve": draw_curve, "fields": draw_fields}[name](folder)
        elif not results:
            raise UserError(f"the figure {name} needs --results: a folder that test.py wrote")
        else:
            {"facades": draw_facades, "cycle": draw_cycle, "losses": draw_losses, "shapes": draw_shapes}[name](
                folder, results, flags.stems
            )
    return 0


def split_title(text: str) -> tuple[str, Path]:
    """NAME=DIR, or DIR alone."""
    title, equals, place = text.partition("=")
    return (title, resolve_path(place)) if equals else ("", resolve_path(text))


# --- results ------------------------------------------------------------------------------------------------------


def stems_of(folder: Path, label: str, wanted: list[str] | None, count: int = 6) -> list[str]:
    """The names of inputs whose picture `label` is in a folder of results."""
    if wanted:
        return wanted
    found = sorted((path.name for path in (folder / "images").glob(f"*_{label}.png")), key=natural_key)
    if not found:
        raise UserError(f"{folder} holds no results called NAME_{label}.png")
    return [name.removesuffix(f"_{label}.png") for name in found[:count]]


def cell(folder: Path, stem: str, label: str) -> np.ndarray:
    """One picture of the results at the sheets' size."""
    return fit(read_image(folder / "images" / f"{stem}_{label}.png"), CELL, CELL)


def draw_facades(folder: Path, results: list[tuple[str, Path]], wanted: list[str] | None) -> None:
    """Label map, pix2pix's photograph, the true one."""
    place = results[0][1]
    rows = [[cell(place, stem, label) for label in ("real_A", "fake_B", "real_B")]
            for stem in stems_of(place, "fake_B", wanted)]  # fmt: skip
    pairs = [sum(rows[i : i + 2], []) for i in range(0, len(rows), 2)]
    write_small(folder / "facades.jpg", grid(pairs, titles=("labels", "pix2pix", "truth") * min(2, len(rows))))


def draw_shapes(folder: Path, results: list[tuple[str, Path]], wanted: list[str] | None) -> None:
    """Outlines, what the demo made of them, and the truth, below each other."""
    place = results[0][1]
    stems = stems_of(place, "fake_B", wanted)
    write_small(folder / "shapes.jpg", grid([[cell(place, stem, label) for stem in stems] for label in
                                             ("real_A", "fake_B", "real_B")]))  # fmt: skip


def draw_cycle(folder: Path, results: list[tuple[str, Path]], wanted: list[str] | None) -> None:
    """From each side to the other and back."""
    place, labels = results[0][1], ("real_A", "fake_B", "rec_A", "real_B", "fake_A", "rec_B")
    rows = [[cell(place, stem, label) for label in labels] for stem in stems_of(place, "fake_B", wanted, 3)]
    titles = ("photo A", "G_A(A)", "G_B(G_A(A))", "labels B", "G_B(B)", "G_A(G_B(B))")
    write_small(folder / "cycle.jpg", grid(rows, titles=titles))


def draw_losses(folder: Path, results: list[tuple[str, Path]], wanted: list[str] | None) -> None:
    """The same input under different losses and patch sizes."""
    first = results[0][1]
    rows = []
    for stem in stems_of(first, "fake_B", wanted, 4):
        made = [cell(place, stem, "fake_B") for _, place in results]
        rows.append([cell(first, stem, "real_A"), *made, cell(first, stem, "real_B")])
    write_small(folder / "losses.jpg", grid(rows, titles=("labels", *(title for title, _ in results), "truth")))


# --- what needs no results ----------------------------------------------------------------------------------------


def draw_fields(folder: Path) -> None:
    """What one verdict of each PatchGAN sees, drawn on a photograph of 286 pixels."""
    from PIL import Image, ImageDraw, ImageFont

    from networks import receptive_field
    from shared_scripts.samples import sample_photo

    side = receptive_field(5)
    sheet = Image.fromarray(fit(sample_photo("china"), side, side)).resize((2 * side, 2 * side))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=18)
    fields = {"1 (pixel)": 1, **{f"{receptive_field(n)} (n_layers {n})": receptive_field(n) for n in range(1, 6)}}
    for title, field in fields.items():
        low, high = side - field, side + field - 1  # twice as large, so that single pixels show
        pen.rectangle((low, low, high, high), outline=(255, 230, 0), width=3)
        pen.text((low + 6, max(4, high - 24)), title if field > 40 else "", fill=(255, 255, 255), font=font,
                 stroke_width=2, stroke_fill=(0, 0, 0))  # fmt: skip
    write_small(folder / "fields.jpg", np.array(sheet))


def epoch_means(name: str) -> dict[str, list[float]]:
    """The losses of a training in figures/, each the mean of an epoch's reports."""
    with open(HERE / "figures" / f"{name}_losses.csv", newline="") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    epochs = sorted({row["epoch"] for row in rows})
    return {key: [float(np.mean([row[key] for row in rows if row["epoch"] == e])) for e in epochs] for key in rows[0]}


def draw_curve(folder: Path) -> None:
    """The losses of the two trainings on facades."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels = (
        ("facades_pix2pix", ("G_L1",)),
        ("facades_pix2pix", ("G_GAN", "D_real", "D_fake")),
        ("facades_cyclegan", ("cycle_A", "cycle_B", "G_A", "G_B", "D_A", "D_B")),
    )
    figure, axes = pyplot.subplots(1, 3, figsize=(10, 2.8), constrained_layout=True)
    for axis, (name, losses) in zip(axes, panels, strict=True):
        means = epoch_means(name)
        for loss in losses:
            axis.plot(means["epoch"], means[loss], label=loss)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("epoch")
        axis.legend(frameon=False, fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    with atomic_write(folder / "curve.png") as temporary:
        figure.savefig(temporary, dpi=90)
    print(f"wrote {folder / 'curve.png'}")


if __name__ == "__main__":
    run(main)
