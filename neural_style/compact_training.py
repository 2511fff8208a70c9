"""How the compact perceptual network learned to see what a larger network sees.

The student is the network of `shared_scripts/networks/compact.py`; the teacher (`teacher.py`) estimates VGG-19's
features. Every crop of a photograph goes through both, and the student pays

    |s - t|^2 / |t|^2  +  0.3 mean_c(|s_c - t_c|^2 / |t_c|^2)

for each layer that style and content losses look at: the relative error, and the same channel by channel, so that
quiet channels count too. In the first two stages "probes" (1x1 convolutions, thrown away afterwards) must also be able
to read the teacher's inner layers off the student's, which tells the inner layers what to become. Three stages: the
first two blocks on small crops; the other three with those frozen; all together.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

import data
from shared_scripts.checkpoints import load_state, save_state
from shared_scripts.cli import StopBetweenSteps, UserError
from shared_scripts.devices import seed_everything
from shared_scripts.files import check_writable, resolve_path
from shared_scripts.images import fit, list_images, read_image
from shared_scripts.memory import keep_memory
from shared_scripts.networks.compact import CompactVGG, compact_mean, save_compact
from shared_scripts.networks.layout import HEADS, INPUT_SCALE, WIDTHS, layer_names
from shared_scripts.progress import Progress
from teacher import WIDTHS as TEACHER_WIDTHS
from teacher import Teacher, relative_errors


@dataclass(frozen=True)
class Stage:
    """One stage: the layers from `first` to `last` have losses, and only their weights move."""

    name: str
    first: str
    last: str
    batch: int  # crops a step
    crop: int  # their side in pixels
    rate: float  # Adam's at its peak; it rises for 100 steps, then falls to 0 along a cosine
    probes: float  # weight of the probes' losses


STAGES = (
    Stage("early", "conv1_1", "conv3_1", batch=16, crop=56, rate=3e-3, probes=0.3),
    Stage("late", "conv3_1", "conv5_1", batch=16, crop=112, rate=2e-3, probes=0.3),
    Stage("joint", "conv1_1", "conv5_1", batch=8, crop=112, rate=1e-3, probes=0.0),
)
SMALLEST = max(stage.crop for stage in STAGES)
HELD_OUT = 18  # every 18th photograph is kept for measuring
SUBSAMPLE = {1: 4, 2: 2}  # in the large maps of blocks 1 and 2, losses look at every 4th or 2nd pixel: as good, faster
SAVE_EVERY, REPORT_EVERY = 250, 50


def split(paths: list[Path]) -> tuple[list[Path], list[Path]]:
    """Sorted files into those to train on and those to measure on."""
    return [path for i, path in enumerate(paths) if i % HELD_OUT], paths[::HELD_OUT]


class Crops:
    """Random square crops, mirrored half the time, of pictures kept in memory at two sizes."""

    def __init__(self, photos: list[Path], paintings: list[Path], seed: int):
        self.photos = [scaled for path in photos for scaled in at_scales(read_image(path), (1.0, 0.6))]
        self.paintings = [scaled for path in paintings for scaled in at_scales(read_image(path), (1.0, 0.5))]
        self.random = np.random.default_rng(seed)

    def __call__(self, count: int, size: int) -> Tensor:
        """(count, 3, size, size) RGB 0..255 minus the mean, channels_last in memory."""
        batch = np.empty((count, size, size, 3), np.uint8)
        for i in range(count):
            pictures = self.paintings if self.paintings and self.random.random() < 0.1 else self.photos
            picture = pictures[self.random.integers(len(pictures))]
            y, x = (self.random.integers(side - size + 1) for side in picture.shape[:2])
            crop = picture[y : y + size, x : x + size]
            batch[i] = crop[:, ::-1] if self.random.random() < 0.5 else crop
        return torch.from_numpy(batch).permute(0, 3, 1, 2).float() - compact_mean()


def at_scales(pixels: np.ndarray, scales: tuple[float, ...]) -> Iterator[np.ndarray]:
    """The picture at each scale, or as much larger as the largest crop needs."""
    for scale in scales:
        scale = max(scale, SMALLEST / min(pixels.shape[:2]))
        height, width = (math.ceil(side * scale) for side in pixels.shape[:2])
        yield np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def make_probes() -> nn.ModuleDict:
    """A 1x1 convolution from each of the student's layers to the channels of the teacher's."""
    blocks = {name: int(name[4]) - 1 for name in layer_names()}
    return nn.ModuleDict({name: nn.Conv2d(WIDTHS[b], TEACHER_WIDTHS[b], 1) for name, b in blocks.items()})


@torch.no_grad()
def initialise(student: CompactVGG, x: Tensor) -> None:
    """Start every channel with unit spread and a slightly positive mean on the real pictures `x`."""
    x = x * INPUT_SCALE
    for name in layer_names():
        convolution = getattr(student, name)
        nn.init.kaiming_normal_(convolution.weight)
        output = student.convolve(name, x)
        spread, mean = output.std((0, 2, 3)), output.mean((0, 2, 3))
        convolution.weight /= spread.view(-1, 1, 1, 1)
        convolution.bias.copy_((convolution.bias - mean) / spread + 0.2)
        x = F.relu(student.convolve(name, x))


@torch.no_grad()
def channel_sizes(teacher: Teacher, x: Tensor) -> dict[str, Tensor]:
    """Root mean square of each of the teacher's channels, (C,) a layer, kept off zero by a tenth of the layer's."""
    sizes = {}
    for layer, t in teacher(x, list(HEADS)).items():
        sizes[layer] = t.square().mean((0, 2, 3)).sqrt() + 0.1 * t.square().mean().sqrt()
    return sizes


def loss_of_batch(stage: Stage, student, probes, teacher: Teacher, sizes: dict[str, Tensor], x: Tensor, offset):
    """The stage's loss for a batch, and each layer's squared relative error."""
    with torch.no_grad():
        theirs = dict(teacher.trunk(x, stage.last))
    total, errors = 0.0, {}
    for name, h in student.trunk(x, stage.last):
        if name < stage.first:
            continue
        step = SUBSAMPLE.get(int(name[4]), 1)
        pixels = (..., slice(offset[0] % step, None, step), slice(offset[1] % step, None, step))
        h, inner = h[pixels], theirs[name][pixels]
        layer = name.replace("conv", "relu")
        if layer in HEADS:
            with torch.no_grad():
                target = teacher.widen(name, inner)
            squares = (F.relu(student.head(layer)(h)) - target).square().mean((0, 2, 3))
            relative = squares.mean() / target.square().mean()
            total = total + relative + 0.3 * (squares / sizes[layer].square()).mean()
            errors[layer] = relative.item()
        if stage.probes:
            error = (probes[name](h) - inner).square().mean()
            total = total + stage.probes * error / theirs[name].square().mean()
    return total, errors


class Training:
    """The three stages' common state: networks, crops, and where the training is."""

    def __init__(self, flags: argparse.Namespace):
        self.flags = flags
        self.teacher = Teacher(resolve_path(flags.teacher))
        photos, self.held_out = split(list_images(flags.photos))
        paintings = list_images(flags.paintings) if flags.paintings else []
        self.crops = Crops(photos, paintings, flags.seed)
        torch.manual_seed(flags.seed)
        self.student = CompactVGG().to(memory_format=torch.channels_last)
        self.probes = make_probes()
        first = self.crops(32, SMALLEST)
        self.sizes = channel_sizes(self.teacher, first)
        initialise(self.student, first)
        self.stage, self.step = 0, 0  # where to go on
        self.optimizer_state = None
        self.state_file = Path(flags.output).with_name(Path(flags.output).name + ".state")

    def save(self, optimizer: torch.optim.Optimizer) -> None:
        """Keep all that --resume needs."""
        state = {
            "student": self.student.state_dict(),
            "probes": self.probes.state_dict(),
            "optimizer": optimizer.state_dict(),
            "stage": self.stage,
            "step": self.step,
            "random": json.dumps(self.crops.random.bit_generator.state),
            "iterations": list(self.flags.iterations),
        }
        save_state(self.state_file, state)

    def load(self) -> None:
        """Continue where `save` was called."""
        keys = ("student", "probes", "optimizer", "stage", "step", "random", "iterations")
        state = load_state(self.state_file, keys)
        if state["iterations"] != list(self.flags.iterations):
            raise UserError(f"{self.state_file} is of a run with --iterations {state['iterations']}; use the same")
        self.student.load_state_dict(state["student"])
        self.probes.load_state_dict(state["probes"])
        self.stage, self.step, self.optimizer_state = state["stage"], state["step"], state["optimizer"]
        self.crops.random.bit_generator.state = json.loads(state["random"])

    def trained_parameters(self, stage: Stage) -> list[nn.Parameter]:
        """Let the stage's own weights move and freeze the others; names are conv3_1.weight, head3_1.bias, …"""
        named = [*self.student.named_parameters(), *self.probes.named_parameters()]
        for name, parameter in named:
            parameter.requires_grad_(stage.first[4:] <= name[4:7] <= stage.last[4:])
        return [parameter for _, parameter in named if parameter.requires_grad]

    def run_stage(self, stage: Stage, iterations: int, progress: Progress, stop: StopBetweenSteps) -> None:
        """Adam until the stage's last step."""
        optimizer = torch.optim.Adam(self.trained_parameters(stage), stage.rate, betas=(0.9, 0.99))
        if self.optimizer_state is not None:
            optimizer.load_state_dict(self.optimizer_state)
            self.optimizer_state = None
        running: dict[str, float] = {}
        while self.step < iterations:
            warm_up, cosine = min(1, (self.step + 1) / 100), 0.5 * (1 + math.cos(math.pi * self.step / iterations))
            optimizer.param_groups[0]["lr"] = stage.rate * warm_up * cosine
            x = self.crops(stage.batch, stage.crop)
            offset = self.crops.random.integers(0, 4, 2)
            loss, errors = loss_of_batch(stage, self.student, self.probes, self.teacher, self.sizes, x, offset)
            if not math.isfinite(loss.item()):
                raise UserError(f"the loss is not finite in stage {stage.name}, step {self.step}; use another --seed")
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            self.step += 1
            for layer, value in errors.items():
                running[layer] = 0.98 * running.get(layer, value) + 0.02 * value
            shown = {layer: math.sqrt(value) for layer, value in running.items()}
            progress.update(**shown)
            if self.step == 1 or self.step % REPORT_EVERY == 0:
                progress.report(self.step, {"stage": STAGES.index(stage), **dict.fromkeys(HEADS, math.nan), **shown})
            if self.step % SAVE_EVERY == 0 or stop.asked:
                self.save(optimizer)
                stop.check()
        self.step = 0

    def measure(self, size: int = 256) -> dict[str, float]:
        """Relative errors on the middle of each held-out photograph."""
        pictures = [middle(path, size) for path in self.held_out]
        return relative_errors(self.student, self.teacher, pictures, list(HEADS))


def middle(path: Path, size: int) -> Tensor:
    """The largest centred square of a picture, resized: (1, 3, size, size) minus the mean."""
    return data.preprocess(fit(read_image(path), size, size), CompactVGG.mean)


def train(flags: argparse.Namespace) -> None:
    """Run the stages that are left; write the weights, with what made them, to --output."""
    output = resolve_path(flags.output)
    check_writable(output, overwrite=flags.overwrite or flags.resume)
    seed_everything(flags.seed)
    keep_memory()
    training = Training(flags)
    if flags.resume and training.state_file.is_file():
        training.load()
    done = sum(flags.iterations[: training.stage]) + training.step
    with Progress(sum(flags.iterations), done, folder=output.parent) as progress, StopBetweenSteps() as stop:
        while training.stage < len(STAGES):
            training.run_stage(STAGES[training.stage], flags.iterations[training.stage], progress, stop)
            training.stage += 1
    errors = {layer: round(error, 4) for layer, error in training.measure().items()}
    save_compact(training.student, output, {"iterations": flags.iterations, "seed": flags.seed, "errors": errors})
    training.state_file.unlink(missing_ok=True)
    for layer, error in errors.items():
        print(f"{layer}: relative error {error:.3f} on {len(training.held_out)} photographs kept out of training")
    print(f"wrote {output}")
