#!/usr/bin/env python3
"""The walkthrough's pictures: `make gallery`, or `python make_figures.py --only styles race`.

`race` needs the painting that ckpts/wave was trained on (`--painting wave.jpg`), `growth` the folder of a training that
wrote its test pictures there (`--training DIR`).
"""

from __future__ import annotations

import csv
import json
import re
import time
from pathlib import Path

from demo import STYLES
from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.files import atomic_write, ensure_folder, natural_key, resolve_path
from shared_scripts.quiet import quiet_tensorflow
from shared_scripts.samples import sample_photo

HERE = Path(__file__).resolve().parent
FIGURES = ("styles", "curve", "contrast")
PHOTOS = ("china", "flower", "chelsea")
CELL = (200, 300)  # height, width of a picture in a sheet
SMOOTHING = 8  # logged losses in a running mean


def main(argv: list[str] | None = None) -> int:
    """Make the figures; returns the exit status."""
    parser = ArgumentParser(description="Make the walkthrough's pictures.")
    names = (*FIGURES, "race", "growth")
    parser.add_argument("--only", nargs="+", default=FIGURES, choices=names, metavar="NAME", help="make these figures")
    parser.add_argument("--training", metavar="DIR", help="for growth: a --test-dir of style.py")
    parser.add_argument("--painting", metavar="FILE", help="for race: the style picture of ckpts/wave")
    parser.add_argument("--out-dir", default=str(HERE / "figures"), metavar="DIR", help="where the figures go")
    parser.add_argument("--steps", type=int, default=300, metavar="N", help="of the slow method in race")
    flags = parser.parse_args(argv)
    folder = resolve_path(flags.out_dir)
    ensure_folder(folder)
    quiet_tensorflow()
    for name in flags.only:
        if name == "growth":
            draw_growth(folder / "growth.jpg", resolve_path(flags.training or "."))
        elif name == "race":
            draw_race(folder / "race.png", flags.painting, flags.steps)
        else:
            {"styles": draw_styles, "curve": draw_curve, "contrast": draw_contrast}[name](folder)
    return 0


def stylizer(style: Path):
    """What paints in a style."""
    from legacy import load_checkpoint
    from stylizer import Stylizer

    return Stylizer(load_checkpoint(style).weights, mirror_border=True)


def draw_styles(folder: Path) -> None:
    """Every shipped style on three photographs."""
    from shared_scripts.images import fit, grid, write_small

    painters = [stylizer(HERE / "ckpts" / name) for name in STYLES]
    rows = []
    for name in PHOTOS:
        photo = sample_photo(name)
        rows.append([fit(picture, *CELL) for picture in (photo, *(paint(photo[None])[0] for paint in painters))])
    write_small(folder / "styles.jpg", grid(rows, titles=("photograph", *STYLES)))


def draw_curve(folder: Path) -> None:
    """The losses of the wave's training, from nothing."""
    import numpy as np

    with open(HERE / "ckpts" / "wave" / "first_losses.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    figure, axes = new_plot()
    steps = np.array([int(row["step"]) for row in rows])
    for name, colour in (("total", "black"), ("content", "tab:blue"), ("style", "tab:orange"), ("tv", "tab:green")):
        values = np.array([float(row[name]) for row in rows])
        axes.semilogy(steps, values, color=colour, alpha=0.15)
        window = np.ones(min(SMOOTHING, len(values)))
        axes.semilogy(
            steps[len(window) - 1 :], np.convolve(values, window / len(window), "valid"), color=colour, label=name
        )
    axes.set(xlabel="step", ylabel="weighted loss")
    axes.legend()
    save_figure(figure, folder / "curve.png")


def draw_race(path: Path, painting: str | None, steps: int) -> None:
    """The slow method's loss over its seconds, and what the network reaches in one pass, on one photograph."""
    import numpy as np

    import data
    import slow
    from losses import Losses, LossWeights, perceptual_losses, subtract_mean
    from shared_scripts.images import read_image
    from shared_scripts.networks.compact_tf import CompactVGG

    if painting is None:
        raise UserError("race needs the painting that ckpts/wave was trained on: --painting FILE")
    style = HERE / "ckpts" / "wave"
    settings = json.loads((style / "training.json").read_text(encoding="utf-8"))["settings"]
    weights = LossWeights(settings["content_weight"], settings["style_weight"], settings["tv_weight"])
    content = data.training_picture(sample_photo("coffee"), "crop")
    network = CompactVGG()
    noise = slow.starting_noise(256, 256, 0)
    optimization = slow.PixelOptimization(network, content, read_image(painting), noise, weights)
    paint = stylizer(style)
    paint(content[None])  # compiles
    start = time.perf_counter()
    painted = paint(content[None])
    seconds = time.perf_counter() - start
    found = perceptual_losses(
        network, subtract_mean(painted), subtract_mean(content[None]), optimization.grams, weights, 1
    )
    reached = Losses(*(float(value) for value in found)).total
    times, totals, spent = [], [], 0.0
    for step in optimization.run(steps, 10.0):
        if step == 0:
            start = time.perf_counter()  # the first step compiles
            continue
        if step % 5 == 0:
            spent += time.perf_counter() - start
            times.append(spent)
            totals.append(optimization.current_losses().total)
            start = time.perf_counter()
    plot_race(path, np.array(times), np.array(totals), seconds, reached)


def plot_race(path: Path, times, totals, seconds: float, reached: float) -> None:
    """The plot of `draw_race`."""
    figure, axes = new_plot()
    axes.loglog(times, totals, label="moving the pixels (--slow)")
    axes.plot([seconds], [reached], "o", color="tab:orange", label="one pass of the network")
    axes.axhline(reached, color="tab:orange", alpha=0.4, linestyle="--")
    axes.set(xlabel="seconds", ylabel="loss of a 256x256 picture")
    axes.legend()
    save_figure(figure, path)
    later = times[totals <= reached]
    print(f"one pass: {seconds:.2f} s, loss {reached:.3g}; the slow method gets there after "
          f"{f'{later[0]:.0f} s' if len(later) else f'more than {times[-1]:.0f} s'}")  # fmt: skip


def draw_contrast(folder: Path) -> None:
    """What instance normalisation is for: a photograph and the same at a fifth of its contrast."""
    import numpy as np

    from shared_scripts.images import fit, grid, write_small

    photo = sample_photo("china")
    pale = (128 + (photo.astype(np.float32) - 128) / 5).astype(np.uint8)
    paint = stylizer(HERE / "ckpts" / "wave")
    pictures = [photo, paint(photo[None])[0], pale, paint(pale[None])[0]]
    titles = ("photograph", "painted", "a fifth of the contrast", "painted")
    write_small(folder / "contrast.jpg", grid([[fit(picture, *CELL) for picture in pictures]], titles=titles))


def draw_growth(path: Path, training: Path) -> None:
    """The test picture of a training at four of its checkpoints, in the order they were made."""
    from shared_scripts.images import fit, grid, read_image, write_small

    found = sorted((p for p in training.glob("*.png") if re.fullmatch(r"\d+_\d+", p.stem)), key=natural_key)
    if len(found) < 4:
        raise UserError(f"{training} has not four test pictures of a training; name its --test-dir with --training")
    chosen = [found[0], found[len(found) // 8 or 1], found[len(found) // 2], found[-1]]
    pictures = [fit(read_image(picture), *CELL) for picture in chosen]
    titles = [f"epoch {epoch}, step {step}" for epoch, step in (picture.stem.split("_") for picture in chosen)]
    write_small(path, grid([pictures], titles=titles))


def new_plot():
    """A figure and its axes."""
    import matplotlib

    matplotlib.use("Agg")  # a file is wanted, not a window
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(7, 3.6), layout="constrained")


def save_figure(figure, path: Path) -> None:
    """Write a plot."""
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=100)
    print(f"wrote {path}", flush=True)


if __name__ == "__main__":
    run(main)
