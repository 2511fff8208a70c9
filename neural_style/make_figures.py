#!/usr/bin/env python3
"""Make the walkthrough's pictures again: `python make_figures.py`, or some: `python make_figures.py --only pooling`.

Each figure is a strip of pictures made by neural_style.py with its own flags, alike but for one.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

import demo
from demo import STYLES, style_file
from shared_scripts.cli import ArgumentParser, run
from shared_scripts.samples import photo_file

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Figure:
    """A strip of pictures, one a variant (title, flags), of a photograph in a style."""

    name: str
    variants: tuple[tuple[str, str], ...]
    photo: str = "china"
    style: str = "brushstrokes"
    start: str = "--initial-noiseblend 0.1"


BOLD = "--initial-noiseblend 0.1 --content-weight 0.2"  # as in the demo: from the photograph, much style
FIGURES = (
    Figure("styles", tuple((name.replace("_", " "), f"--styles {name}") for name in STYLES), start=BOLD),
    Figure(
        "styles_chelsea",
        tuple((name.replace("_", " "), f"--styles {name}") for name in STYLES),
        photo="chelsea",
        start=BOLD,
    ),
    Figure("iterations", tuple((f"{n} steps", f"--iterations {n}") for n in (5, 25, 100, 400)), start=""),
    Figure(
        "losses",
        (("content loss alone", "--style-weight 0"), ("style loss alone", "--content-weight 0"), ("both", "")),
        style="stained_glass",
        start="",
    ),
    Figure("content_weight", tuple((f"--content-weight {w}", f"--content-weight {w}") for w in ("0.5", "5", "50"))),
    Figure("style_weight", tuple((f"--style-weight {w}", f"--style-weight {w}") for w in (50, 500, 5000))),
    Figure(
        "layer_exp",
        tuple((f"--style-layer-weight-exp {x}", f"--style-layer-weight-exp {x}") for x in ("0.2", "1", "2")),
    ),
    Figure(
        "content_blend",
        tuple((f"--content-weight-blend {x}", f"--content-weight-blend {x}") for x in ("1", "0.5", "0.1")),
    ),
    Figure("tv_weight", tuple((f"--tv-weight {w}", f"--tv-weight {w}") for w in (100, 3000, 30000))),
    Figure("pooling", (("--pooling max", "--pooling max"), ("--pooling avg", "--pooling avg")), style="stained_glass"),
    Figure(
        "style_scales",
        tuple((f"--style-scales {x}", f"--style-scales {x}") for x in ("0.5", "1", "2")),
        style="stained_glass",
    ),
    Figure(
        "blend",
        tuple(
            (f"--style-blend-weights {a} {b}", f"--styles brushstrokes stained_glass --style-blend-weights {a} {b}")
            for a, b in ((1, 0), (1, 1), (0, 1))
        ),
    ),
    Figure("preserve_colors", (("without", ""), ("--preserve-colors", "--preserve-colors")), style="pointillist"),
    Figure(
        "start",
        tuple((f"--initial-noiseblend {x}", f"--initial-noiseblend {x}") for x in ("0", "0.5", "1")),
        style="woodblock_wave",
        start="",
    ),
)


def main(argv: list[str] | None = None) -> int:
    """Make the figures; returns the exit status."""
    parser = ArgumentParser(description="Make the walkthrough's pictures.")
    names = ["demo", *(figure.name for figure in FIGURES)]
    parser.add_argument("--only", nargs="+", default=names, choices=names, metavar="NAME", help="make these figures")
    parser.add_argument("--width", type=int, default=256, metavar="PIXELS", help="of each picture")
    parser.add_argument("--iterations", type=int, default=200, metavar="N", help="steps a picture")
    parser.add_argument("--out-dir", default=str(HERE / "figures"), metavar="DIR", help="where the figures go")
    flags = parser.parse_args(argv)
    folder = Path(flags.out_dir)
    if "demo" in flags.only:
        make_demo(folder)
    for figure in FIGURES:
        if figure.name in flags.only:
            make_strip(figure, flags.width, flags.iterations, folder)
    return 0


def make_demo(folder: Path) -> None:
    """The sheet that `make demo` makes."""
    from shared_scripts.images import read_image, write_small

    with tempfile.TemporaryDirectory() as temporary, contextlib.redirect_stdout(io.StringIO()):
        demo.main(["--out-dir", temporary])
        sheet = read_image(next(Path(temporary).glob("*_sheet.jpg")))
    write_small(folder / "demo.jpg", sheet)


def make_strip(figure: Figure, width: int, iterations: int, folder: Path) -> None:
    """Make one figure and write it."""
    from shared_scripts.images import grid, read_image, write_small

    with tempfile.TemporaryDirectory() as temporary:
        pictures = []
        for i, (_, words) in enumerate(figure.variants):
            output = Path(temporary) / f"{i}.png"
            style_transfer(figure, words.split(), width, iterations, output)
            pictures.append(read_image(output))
    write_small(folder / f"{figure.name}.jpg", grid([pictures], titles=[title for title, _ in figure.variants]))


def style_transfer(figure: Figure, words: list[str], width: int, iterations: int, output: Path) -> None:
    """Run neural_style.py in this process, quietly."""
    import neural_style

    words = [str(style_file(word)) if word in STYLES else word for word in words]
    photo = photo_file(figure.photo, output.parent)
    common = ["--content", photo, "--output", output, "--width", width, "--network", "compact", "--seed", "1"]
    common += ["--precision", "auto", "--iterations", iterations, "--styles", style_file(figure.style)]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        neural_style.main([*map(str, common), *figure.start.split(), *words])  # of a flag given twice the last counts


if __name__ == "__main__":
    run(main)
