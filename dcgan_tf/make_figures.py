#!/usr/bin/env python3
"""The walkthrough's pictures: `make gallery`, or `python make_figures.py --only modes plane`.

`growth` needs the folder of a training's sheets (`--training DIR`), `comparison` the one that `main.py --model gan` and
`--model dcgan` wrote theirs to (`--comparison DIR`).
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
from pathlib import Path

import numpy as np

from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.files import atomic_write, ensure_folder, natural_key, resolve_path
from shared_scripts.images import grid, read_image, write_small
from shared_scripts.quiet import quiet_tensorflow

HERE = Path(__file__).resolve().parent
SEEDS = HERE / "films" / "seeds"
FRAMES, CELL = 12, 48  # pictures in a strip, and their size
A, B = "digit_3", "digit_8"
PAIR = {"interp_data": [[A, B, FRAMES]]}
# One cut for each mode of a film script, short and strong enough to show in a strip
STRIPS = {
    "1 slerp": {"mode_num": 1, **PAIR},
    "2 slerp, end left out": {"mode_num": 2, **PAIR},
    "3 sine": {"mode_num": 3, "start_image": A, "amplitude": 0.6, "speed": 0.6, "easing": 0.3},
    "4 random walk": {"mode_num": 4, "start_image": A, "max_speed": 0.35},
    "5 walk on a leash": {"mode_num": 5, "start_image": A, "max_speed": 0.35, "clamp_boundary": 0.4},
    "6 straight line": {"mode_num": 6, **PAIR},
    "7 line round the edge": {"mode_num": 7, "usual_cutoff": 1.0, **PAIR},
    "8 flicker": {"mode_num": 8, "start_image": A, "max_step": 0.35},
    "9 eased in": {"mode_num": 9, "is_ease_in": True, "power": 3, **PAIR},
    "9 eased out": {"mode_num": 9, "is_ease_in": False, "power": 3, **PAIR},
    "10 sine ease": {"mode_num": 10, "is_ease_in": True, **PAIR},
    "11 line and flicker": {"mode_num": 11, "max_step": 0.3, **PAIR},
    "12 eased in and out": {"mode_num": 12, "power": 3, **PAIR},
    "13 the same, flicker": {"mode_num": 13, "power": 3, "max_step": 0.3, **PAIR},
    "14 slerp and flicker": {"mode_num": 14, "max_step": 0.3, **PAIR},
    "15 one dimension": {"mode_num": 15, "start_image": A, "frames_per_period": FRAMES, "is_wrap": False},
}
MOMENTS = 5  # of a training
PLANE = (7, 13)  # rows and columns
GREY = 51  # between one grey of the GIF and the next


def main(argv: list[str] | None = None) -> int:
    """Make the figures; returns the exit status."""
    usual = {"modes": draw_modes, "plane": draw_plane, "curve": draw_curve, "game": draw_game, "film": draw_film}
    parser = ArgumentParser(description="Make the walkthrough's pictures.")
    names = (*usual, "growth", "comparison")
    parser.add_argument("--only", nargs="+", default=tuple(usual), choices=names, metavar="NAME", help="these alone")
    parser.add_argument("--training", metavar="DIR", help="for growth: a --sample_dir")
    parser.add_argument("--comparison", metavar="DIR", help="for comparison: a --sample_dir")
    parser.add_argument("--out-dir", default=str(HERE / "figures"), metavar="DIR", help="where the figures go")
    flags = parser.parse_args(argv)
    folder = resolve_path(flags.out_dir)
    ensure_folder(folder)
    quiet_tensorflow()
    for name in flags.only:
        if name == "growth":
            draw_growth(folder, resolve_path(flags.training or "samples"))
        elif name == "comparison":
            draw_comparison(folder, resolve_path(flags.comparison or "samples"))
        else:
            usual[name](folder)
    return 0


def shipped():
    """The generator that comes with the project, as a sampler."""
    from legacy import load_model, newest
    from options import SHIPPED
    from sampler import Sampler

    model = load_model(newest(next(SHIPPED.iterdir())), training=False)
    return Sampler(model.architecture, model.weights)


def developed(sampler, z: np.ndarray, size: int) -> list[np.ndarray]:
    """Latent vectors (N, z_dim) as pictures (size, size, 3) uint8."""
    from PIL import Image

    from pictures import to_pixels, to_rgb

    found = [to_rgb(pixels) for pixels in to_pixels(sampler(z), sampler.sigmoid)]
    return [np.array(Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS)) for pixels in found]


def draw_modes(folder: Path) -> None:
    """A strip of frames for each mode of a film script."""
    sampler = shipped()
    rows = [developed(sampler, strip(cut, sampler.z_dim), CELL) for cut in STRIPS.values()]
    write_small(folder / "modes.jpg", grid(rows, gap=3, row_titles=tuple(STRIPS)))


def strip(cut: dict, z_dim: int) -> np.ndarray:
    """The first frames of a cut, (FRAMES, z_dim)."""
    from cuts import film_vectors
    from film_script import read_film

    script = {"base_dir": str(SEEDS), "rand_seed": 3, "data": [{"total_frame_num": FRAMES, **cut}]}
    if "interp_data" in cut or cut["mode_num"] == 15:
        del script["data"][0]["total_frame_num"]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "strip.json")
        path.write_text(json.dumps(script))
        frames = film_vectors(read_film(path), z_dim)
        return np.stack([frame.z for frame, _ in zip(frames, range(FRAMES), strict=False)])


def draw_plane(folder: Path) -> None:
    """A piece of latent space: four digits at the corners, and what lies between them."""
    from latent import slerp
    from seeds import read_seed

    corners = [read_seed(name, SEEDS).values for name in ("digit_4", "digit_5", "digit_9", "digit_3")]
    rows, columns = (np.linspace(0, 1, count) for count in PLANE)
    vectors = [slerp(s, slerp(t, *corners[:2]), slerp(t, *corners[2:])) for s in rows for t in columns]
    found = developed(shipped(), np.array(vectors, np.float32), CELL)
    write_small(folder / "plane.jpg", grid([found[i : i + PLANE[1]] for i in range(0, len(found), PLANE[1])], gap=2))


def draw_film(folder: Path) -> None:
    """The first cut of the demo's film, closed to a loop, as a GIF of few greys."""
    from cuts import film_vectors
    from film_script import read_film
    from films import close_loop
    from pictures import save_gif

    sampler = shipped()
    frames = [frame for frame in film_vectors(read_film(HERE / "films" / "demo.json"), sampler.z_dim) if frame.cut == 1]
    z = np.stack([frame.z for frame in close_loop(frames, 13)])
    shades = [np.uint8(np.rint(picture[..., :1] / GREY) * GREY) for picture in developed(sampler, z, 96)]
    save_gif(folder / "film.gif", np.stack(shades), len(shades) / 12)
    print(f"wrote {folder / 'film.gif'}", flush=True)


def draw_curve(folder: Path) -> None:
    """The losses of the shipped generator's training."""
    with open(HERE / "figures" / "digits_losses.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    steps = np.array([int(row["step"]) for row in rows])
    figure, axes = new_plot()
    window = np.ones(15) / 15
    for name, label in (("d_loss", "discriminator"), ("g_loss", "generator")):
        values = np.convolve([float(row[name]) for row in rows], window, "valid")
        axes.plot(steps[7 : 7 + len(values)], values, label=label)
    for value, colour in ((2 * np.log(2), "tab:blue"), (np.log(2), "tab:orange")):
        axes.axhline(value, color=colour, linestyle=":", linewidth=1)
    axes.set(xlabel="iteration", ylabel="loss (running mean)")
    save_plot(figure, axes, folder / "curve.png")


def draw_game(folder: Path) -> None:
    """Why the generator maximises log D instead of minimising log(1 - D)."""
    figure, axes = new_plot()
    p = np.linspace(0.003, 0.997, 400)
    axes.plot(p, np.log(1 - p), label="log(1 - D): what the game says")
    axes.plot(p, -np.log(p), label="-log D: what is used")
    axes.set(xlabel="D(G(z)): how real the discriminator thinks a picture is", ylabel="the generator's loss")
    save_plot(figure, axes, folder / "game.png")


def draw_growth(folder: Path, training: Path) -> None:
    """A corner of a training's sheets at some moments."""
    sheets = sorted(training.glob("train_*.png"), key=lambda path: natural_key(path.name))
    if len(sheets) < MOMENTS:
        raise UserError(f"{training} has no {MOMENTS} sheets of a training; name its --sample_dir with --training")
    places = np.unique(np.geomspace(1, len(sheets), MOMENTS).round().astype(int)) - 1
    chosen = [sheets[i] for i in places]
    side = read_image(chosen[0]).shape[0] // 2
    steps = [int(re.findall(r"\d+", path.stem)[-1]) - 1 for path in chosen]
    parts = [read_image(path)[:side, :side] for path in chosen]
    write_small(folder / "growth.jpg", grid([parts], titles=[f"{step} iterations" for step in steps]))


def draw_comparison(folder: Path, samples: Path) -> None:
    """The fully connected GAN's sheets above the DCGAN's, at equal iterations."""
    steps = (250, 1000, 2500, 4500)
    rows = [[read_image(samples / f"{model}_{step:05d}.png") for step in steps] for model in ("gan", "dcgan")]
    rows = [[np.kron(sheet, np.ones((2, 2, 1), np.uint8)) for sheet in row] for row in rows]
    titles = [f"{step} iterations" for step in steps]
    write_small(folder / "comparison.jpg", grid(rows, titles=titles, row_titles=("fully connected", "convolutions")))


def new_plot():
    """A small figure with one pair of axes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(6, 3.2), dpi=110)


def save_plot(figure, axes, path: Path) -> None:
    """Write a plot."""
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    with atomic_write(path) as temporary:
        figure.savefig(temporary)
    print(f"wrote {path}", flush=True)


if __name__ == "__main__":
    run(main)
