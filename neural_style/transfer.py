"""One style transfer from its flags to its files: reads the pictures, runs the optimisation, writes what came out."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import data
from legacy import load_vgg19
from report import LinePrinter, checkpoint_name, write_progress_plot, write_progress_text
from shared_scripts.checkpoints import load_state, save_state
from shared_scripts.cli import StopBetweenSteps, StoppedBetweenSteps, UserError
from shared_scripts.devices import (
    describe,
    explain_out_of_memory,
    pick_device,
    pick_precision,
    seed_everything,
)
from shared_scripts.files import check_writable
from shared_scripts.images import check_format, preserve_colors, read_image, truncate, write_image
from shared_scripts.memory import keep_memory
from shared_scripts.networks.compact import load_compact
from shared_scripts.progress import Progress, tell
from stylize import LossWeights, NotFinite, Objective, Optimization, Step

STATE_SECONDS = 30  # how often a run's state is saved, so that even a power cut costs little
# Two runs with these flags the same optimise the same thing: what a resumed run must share with the stopped one.
SAME_RUN = (
    "content", "styles", "initial", "width", "style_scales", "network", "file_format", "precision", "pooling",
    "content_weight", "content_weight_blend", "style_weight", "style_layer_weight_exp", "style_blend_weights",
    "tv_weight", "learning_rate", "beta1", "beta2", "epsilon",
)  # fmt: skip


def transfer(flags: argparse.Namespace) -> None:
    """Do what `options.parse` returned. Raises UserError for what the user can put right."""
    with explain_out_of_memory("choose a smaller --width"):
        content, styles, initial = read_pictures(flags)
        check_outputs(flags)
        seed_everything(flags.seed)
        keep_memory()
        device = pick_device(flags.device, flags.gpu_ids)
        network = load_network(flags).to(device)
        dtype = pick_precision(flags.precision, device)
        tell(f"Computing on the {describe(device, dtype)}; {content.shape[1]} x {content.shape[0]} pixels.")
        objective = Objective(network.to(dtype), *prepare(network, content, styles, device), loss_weights(flags))
        start = start_picture(flags, network.mean, content, initial).to(device)
        optimization = Optimization(
            objective, start, flags.iterations, flags.learning_rate, flags.beta1, flags.beta2, flags.epsilon
        )
        Run(flags, optimization, content).go()


def read_pictures(flags: argparse.Namespace) -> tuple[np.ndarray, list[np.ndarray], np.ndarray | None]:
    """Content, styles and initial picture, (H, W, 3) uint8, in the sizes the run works at."""
    content = read_image(flags.content)
    styles = [read_image(path) for path in flags.styles]
    height, width = data.content_size(*content.shape[:2], flags.width)
    if flags.width is not None:
        content = data.resize(content, (height, width))
    for i, scale in enumerate(flags.style_scales or [1.0] * len(styles)):
        if int(min(styles[i].shape[:2]) * scale * width / styles[i].shape[1]) < 1:
            tell(f"Warning: {flags.styles[i]} shrinks to nothing at this size; one pixel is kept.")
        styles[i] = data.resize_style(styles[i], width, scale)
    initial = None if flags.initial is None else data.resize(read_image(flags.initial), (height, width))
    return content, styles, initial


def check_outputs(flags: argparse.Namespace) -> None:
    """Everything that will be written can be, before the long run and without touching what is there."""
    check_format(flags.output)
    resuming = flags.resume and state_path(flags.output).is_file()
    check_writable(flags.output, overwrite=flags.overwrite or resuming)
    for wanted, name in ((flags.progress_write, "progress.txt"), (flags.progress_plot, "progress.png")):
        if wanted:
            check_writable(flags.output.parent / name)
    if flags.checkpoint_output:
        first = Path(checkpoint_name(flags.checkpoint_output, 0))
        check_format(first)
        check_writable(first)


def load_network(flags: argparse.Namespace) -> torch.nn.Module:
    """VGG-19 from its file, or the compact network; one line says which."""
    if flags.network is not None:
        network, notes = load_vgg19(flags.network, flags.pooling, flags.file_format)
    else:
        network = load_compact(pooling=flags.pooling)
        notes = []
        if flags.network_chosen:
            notes = [
                "For the original VGG-19: bash neural_style/scripts/download_network.sh (500 MB), then --network FILE."
            ]
    tell(" ".join([f"Network: {network.title}.", *notes]))
    return network


def prepare(
    network, content: np.ndarray, styles: list[np.ndarray], device: torch.device
) -> tuple[Tensor, list[Tensor]]:
    """Content and styles as the network wants them, (1, 3, H, W) minus its mean."""
    return (
        data.preprocess(content, network.mean).to(device),
        [data.preprocess(style, network.mean).to(device) for style in styles],
    )


def start_picture(flags: argparse.Namespace, mean, content: np.ndarray, initial: np.ndarray | None) -> Tensor:
    """(1, 3, H, W): noise, a picture, or a mixture, by --initial and --initial-noiseblend."""
    noiseblend = flags.initial_noiseblend
    if initial is not None:
        noiseblend = 0.0 if noiseblend is None else noiseblend
    elif noiseblend is not None and noiseblend < 1:
        initial = content
    generator = None if flags.seed is None else torch.Generator().manual_seed(flags.seed)
    noise = data.gaussian_noise(*content.shape[:2], generator)
    return data.start_picture(None if initial is None else data.preprocess(initial, mean), noise, noiseblend or 0.0)


def loss_weights(flags: argparse.Namespace) -> LossWeights:
    """The weights among the flags."""
    return LossWeights(
        content=flags.content_weight,
        content_blend=flags.content_weight_blend,
        style=flags.style_weight,
        style_layer_exp=flags.style_layer_weight_exp,
        style_blend=flags.style_blend_weights,
        tv=flags.tv_weight,
    )


def state_path(output: Path) -> Path:
    """Where an unfinished run's state lies."""
    return output.with_name(output.name + ".state")


class Run:
    """The optimisation with everything it shows and saves on its way."""

    def __init__(self, flags: argparse.Namespace, optimization: Optimization, content: np.ndarray):
        self.flags, self.optimization, self.content = flags, optimization, content
        self.state_file = state_path(flags.output)
        self.shown = self.saved = time.perf_counter()
        self.printer = None

    def go(self) -> None:
        """Run to the end. Ctrl-C saves the best picture so far and how to go on, a NaN the best one, then both end."""
        rows = self.resume() if self.flags.resume else []
        optimization = self.optimization
        with Progress(optimization.iterations, optimization.done) as progress, StopBetweenSteps() as stop:
            self.printer = LinePrinter(optimization.iterations, self.flags.print_iterations, progress.write)
            self.printer.rows = rows
            try:
                for step in optimization.run(self.flags.checkpoint_iterations):
                    self.after(step, progress)
                    if optimization.done < optimization.iterations:  # else there is nothing left to stop
                        stop.check()
            except StoppedBetweenSteps:
                self.write(optimization.lowest, self.flags.output)
                self.save_state()
                tell(f"Stopped after {optimization.done} iterations; the best picture so far is in "
                     f"{self.flags.output}, and --resume goes on from here.")  # fmt: skip
                raise
            except KeyboardInterrupt:  # a second Ctrl-C, in mid-step: the state is not whole, the best picture is
                self.write(optimization.lowest, self.flags.output)
                raise
            except NotFinite as problem:
                self.write(optimization.lowest, self.flags.output)
                raise NotFinite(f"{problem}; the best picture before that is in {self.flags.output}") from problem
        self.write_losses()
        self.state_file.unlink(missing_ok=True)

    def after(self, step: Step, progress: Progress) -> None:
        """Print, show and save what a step gives."""
        if step.iteration < 0:
            self.printer.start(step.losses)
            return
        self.printer.step(self.optimization.done, step.iteration, step.losses)
        progress.update(total=step.losses.total)
        if step.best is not None:
            if self.flags.checkpoint_output:
                self.write(step.best, Path(checkpoint_name(self.flags.checkpoint_output, step.iteration)))
            if step.iteration == self.optimization.iterations:
                self.write(step.best, self.flags.output)
                return
        self.show()

    def show(self) -> None:
        """Refresh the picture in --output now and then (and after the first step), the state file less often."""
        now = time.perf_counter()
        if self.flags.refresh and (now - self.shown > self.flags.refresh or self.optimization.done == 1):
            self.write(self.optimization.picture, self.flags.output)
            self.shown = time.perf_counter()
        if now - self.saved > STATE_SECONDS:
            self.save_state()
            self.saved = time.perf_counter()

    def write(self, picture: Tensor, path: Path) -> None:
        """Write a picture of the optimisation to a file."""
        pixels = data.unprocess(picture, self.optimization.objective.network.mean)
        if self.flags.preserve_colors:
            write_image(path, preserve_colors(self.content, pixels))
        else:
            write_image(path, truncate(pixels))

    def write_losses(self) -> None:
        """progress.txt and progress.png, where they are asked for."""
        folder = self.flags.output.parent
        if self.flags.progress_write:
            write_progress_text(folder, self.printer.rows)
        if self.flags.progress_plot:
            write_progress_plot(folder, self.printer.rows)

    def settings(self) -> dict[str, str]:
        """What the run optimises, to be compared on --resume."""
        return {name: str(getattr(self.flags, name)) for name in SAME_RUN}

    def save_state(self) -> None:
        """Keep all that --resume needs."""
        rows = [list(row) for row in self.printer.rows]
        save_state(self.state_file, {"run": self.optimization.state(), "settings": self.settings(), "rows": rows})

    def resume(self) -> list[tuple[float, ...]]:
        """Load the state file where there is one; returns the losses recorded before."""
        if not self.state_file.is_file():
            tell(f"There is no {self.state_file}: starting from the beginning.")
            return []
        state = load_state(self.state_file, keys=("run", "settings", "rows"))
        changed = [name for name, value in self.settings().items() if state["settings"].get(name) != value]
        if changed:
            names = ", ".join("--" + name.replace("_", "-") for name in changed)
            raise UserError(f"{self.state_file} is of a run with another {names}; use the same, or leave out --resume")
        if tuple(state["run"]["picture"].shape) != tuple(self.optimization.picture.shape):
            raise UserError(f"{self.state_file} is of a picture of another size; leave out --resume")
        if int(state["run"]["done"]) >= self.optimization.iterations:
            done = state["run"]["done"]
            raise UserError(
                f"{self.state_file} has {done} iterations behind it already; give --iterations a larger number"
            )
        self.optimization.load_state(state["run"])
        tell(f"Going on after {self.optimization.done} iterations.")
        return [tuple(row) for row in state["rows"]]
