#!/usr/bin/env python3
"""Make the README's pictures again: from the generator that ships, and from a run of the training demo.

`python make_figures.py`; where demo/training has no run yet, the demo is run first (ten minutes).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from demo_training import main as train_demo
from legacy import build, read_networks
from networks import Discriminator, Generator, fade, minibatch_stddev, upscale
from pictures import image_grid, interpolation_latents, random_latents, to_uint8, zoom
from results import kimg_of, list_snapshots
from run_generation import SHIPPED, load_generator, make_images
from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.images import grid, write_small
from shared_scripts.progress import tell

HERE = Path(__file__).resolve().parent
FIGURES = HERE / "figures"


# --- of the generator that ships ----------------------------------------------------------------------------------


def landscapes() -> None:
    """A sheet of them."""
    fast = load_generator(SHIPPED)
    images = make_images(fast, random_latents(60, fast.latent_size, np.random.RandomState(1000)), None, 20)
    write_small(FIGURES / "landscapes.jpg", colours(image_grid(images, (10, 6)), 2))


def walk() -> None:
    """Every tenth frame of a walk, and a second one."""
    fast = load_generator(SHIPPED)
    latents = interpolation_latents(240, 4, fast.latent_size, 1.0, 30, 1000)[:100:10]
    rows = [make_images(fast, latents[:, cell], None, 20) for cell in range(latents.shape[1])]
    write_small(FIGURES / "walk.jpg", colours(image_grid(np.concatenate(rows), (len(latents), len(rows))), 2))


# --- of the training demo -----------------------------------------------------------------------------------------


def find_run(folder: Path) -> Path:
    """The newest run of the training demo; it is made where there is none."""
    if not list(folder.glob("results/[0-9]*-pgan-shapes*/_training-done.txt")):
        train_demo(["--out-dir", str(folder)])
    return max(folder.glob("results/[0-9]*-pgan-shapes*"), key=lambda path: int(path.name.split("-")[0]))


def fixed_latents(network: Generator, count: int, seed: int = 3) -> Tensor:
    """The same latents for every snapshot."""
    return torch.from_numpy(random_latents(count, network.latent_size, np.random.RandomState(seed)))


def growth(run: Path) -> None:
    """The same latents at every snapshot of the demo's run: rows are latents, columns snapshots."""
    columns, titles = [], []
    for path in list_snapshots(run, include_final=False):
        Gs = build(read_networks(path).Gs)
        with torch.inference_mode():
            images = Gs(fixed_latents(Gs, 6))
        factor = Gs.resolution // images.shape[-1] * 2
        columns.append([colours(image, factor) for image in to_uint8(images)])
        titles.append(f"{kimg_of(path)}")
    rows = [list(row) for row in zip(*columns, strict=True)]
    write_small(FIGURES / "growth.jpg", grid(rows, titles, gap=4))


def fading(run: Path) -> None:
    """The tensors of a fade: the older layers' picture, the newer layers' one, and their mixture, at five moments."""
    G = build(read_networks(in_a_fade(run)).Gs)
    level, whole, _ = G.split(None)
    with torch.inference_mode():
        x = G.first_features(fixed_latents(G, 4)[2:])
        for lower in range(3, level):
            x = G.grow(x, lower)
        old = upscale(G.to_rgb(x, level - 1))
        new = G.to_rgb(G.grow(x, level), level)
        rows = []
        for number in range(len(new)):
            for kind in ("old", "new", "shown"):
                rows.append([tile(mixture(kind, old, new, t)[number], whole) for t in MOMENTS])
    titles = [f"t = {t:g}" for t in MOMENTS]
    write_small(FIGURES / "fade.jpg", grid(rows, titles, row_titles=["t · old", "(1 - t) · new", "their sum"] * 2))


MOMENTS = (1.0, 0.75, 0.5, 0.25, 0.0)


def mixture(kind: str, old: Tensor, new: Tensor, t: float) -> Tensor:
    """What a path adds to the picture, or the picture."""
    return {"old": old * t, "new": new * (1 - t), "shown": fade(new, old, t)}[kind]


def tile(image: Tensor, whole_lod: int) -> np.ndarray:
    """A tensor (3, H, W) as it is seen, large enough to count its pixels."""
    return colours(to_uint8(image[None])[0], 3 * 2**whole_lod)


def in_a_fade(run: Path) -> Path:
    """The snapshot nearest to the middle of the last fade that there is one of. UserError where there is none."""
    found = [(read_networks(path).Gs.lod, path) for path in list_snapshots(run, include_final=False)]
    fades = [(int(lod), abs(lod % 1 - 0.5), path) for lod, path in found if lod % 1]
    if not fades:
        raise UserError(f"{run} has no snapshot within a fade; train with a smaller --network_snapshot_ticks")
    return min(fades)[2]


def distances(run: Path) -> None:
    """The sliced Wasserstein distances of the snapshots, as a plot, with the real pictures' own as the floor."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    table = (run / "metric-swd.txt").read_text(encoding="utf-8")
    names = re.search(r"^Snapshot +Time_eval +(.*?) *$", table, re.MULTILINE)[1].split()
    rows = {line.split()[0]: line.split()[2:] for line in table.splitlines() if re.match(r"(\d+|Reals2) ", line)}
    floor = [float(word) for word in rows.pop("Reals2")]
    kimgs = sorted(rows, key=int)
    figure, axes = pyplot.subplots(figsize=(7, 3.2), layout="constrained")
    for column, name in enumerate(names):
        label = name.removeprefix("SWDx1e3_")
        (line,) = axes.plot([int(k) for k in kimgs], [float(rows[k][column]) for k in kimgs], "o-", label=label, ms=3)
        axes.axhline(floor[column], color=line.get_color(), lw=0.8, ls=":")
    axes.set(xlabel="thousands of pictures shown", ylabel="SWD x 1000", yscale="log")
    axes.legend(title="patches at", frameon=False)
    from shared_scripts.files import atomic_write

    with atomic_write(FIGURES / "swd.png") as temporary:
        figure.savefig(temporary, dpi=110)


def company(run: Path) -> str:
    """What the discriminator makes of pictures in company of their own kind, and of copies of themselves: a table."""
    networks = read_networks(run / "network-final.pkl")
    Gs, D = build(networks.Gs), build(networks.D)
    with torch.inference_mode():
        images = Gs(fixed_latents(Gs, 64))
        various, copies = [], []
        for number in range(0, 64, 4):
            various.append(judged(D, images[number : number + 4]))
            copies.append(judged(D, images[number : number + 1].expand(4, -1, -1, -1)))
    lines = ["| a minibatch of four | the one number | D's score |", "| --- | --- | --- |"]
    for name, found in (("four different made pictures", various), ("four copies of one of them", copies)):
        number, score = np.mean(found, axis=0)
        lines.append(f"| {name} | {number:.3f} | {score:+.1f} |")
    return "\n".join(lines)


def judged(D: Discriminator, images: Tensor) -> tuple[float, float]:
    """The minibatch's standard deviation as D computes it, and the mean score."""
    x = D.from_rgb(images, D.levels)
    for level in range(D.levels, 2, -1):
        x = D.shrink(x, level)
    return float(minibatch_stddev(x, D.mbstd_group_size)[:, -1].mean()), float(D.judge(x)[0].mean())


# --- all of it ----------------------------------------------------------------------------------------------------


def colours(image: np.ndarray, factor: int = 1) -> np.ndarray:
    """(C, H, W) uint8 as (H, W, 3), its pixels enlarged."""
    return zoom(np.ascontiguousarray(np.broadcast_to(image, (3, *image.shape[1:])).transpose(1, 2, 0)), factor)


def main(argv: list[str] | None = None) -> None:
    """Run with these flags (the command line's by default)."""
    parser = ArgumentParser(prog="make_figures.py", description="Make the README's pictures again.")
    parser.add_argument("--demo-dir", default=str(HERE / "demo" / "training"), help="where the training demo's run is")
    parser.add_argument("--only", choices=["shipped", "training"], help="half of them")
    opt = parser.parse_args(argv)
    torch.manual_seed(0)
    if opt.only != "training":
        landscapes()
        walk()
    if opt.only != "shipped":
        run_folder = find_run(Path(opt.demo_dir))
        growth(run_folder)
        fading(run_folder)
        distances(run_folder)
        print(company(run_folder))
    tell(f"The pictures are in {FIGURES}")


if __name__ == "__main__":
    run(main)
