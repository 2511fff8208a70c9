"""What a training tells: a line a tick, and the means of the losses since the last one for TensorBoard and a table."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from means import Means
from run_log import tick_line
from schedule import Stage
from shared_scripts.distributed import Processes
from shared_scripts.progress import Progress, check_finite
from training import Trainer
from training_state import Place

TERMS = ("real_scores", "fake_scores", "mixed_scores", "mixed_norms", "epsilon_penalty")
LABEL_TERMS = ("label_penalty_reals", "label_penalty_fakes")
LOSSES = ("D", "G")  # ours: the reference does not write the sums
ADVICE = "take smaller learning rates (--G_lrate_base, --D_lrate_base), or go on from an earlier snapshot"


class Ticks:
    """The clock of a training: ticks, maintenance between them, and the time so far."""

    def __init__(self, place: Place, processes: Processes, means: Means):
        self.place, self.processes, self.means = place, processes, means
        self.begin = time.monotonic() - place.seconds
        self.tick_begin = self.maintained_since = time.monotonic()
        self.maintenance = 0.0
        self.before = {"G": (0, 0), "D": (0, 0)}

    def start(self) -> None:
        """Training goes on: what has passed since the last tick was maintenance."""
        self.tick_begin = time.monotonic()
        self.maintenance = self.tick_begin - self.maintained_since

    def seconds(self) -> float:
        """The training's time so far, that of earlier processes with it."""
        return time.monotonic() - self.begin

    def end(self, stage: Stage, trainer: Trainer) -> tuple[str, dict[str, float]]:
        """The tick is over: its line, and its numbers by their names in TensorBoard."""
        place, now = self.place, time.monotonic()
        place.tick += 1
        place.seconds = now - self.begin
        kimg, spent = (place.nimg - place.tick_nimg) / 1000, now - self.tick_begin
        place.tick_nimg = place.nimg
        self.maintained_since = now
        per_kimg = spent / kimg if kimg else 0.0
        times = (place.seconds, spent, per_kimg, self.maintenance)
        line = tick_line(place.tick, place.nimg / 1000, stage.lod, stage.minibatch, *times)
        losses = self.means.take(self.processes)
        check_finite(losses, ADVICE)
        numbers = {f"Loss/{name}": value for name, value in losses.items()}
        numbers |= {"Progress/tick": place.tick, "Progress/kimg": place.nimg / 1000}
        numbers |= {"Progress/lod": stage.lod, "Progress/minibatch": stage.minibatch}
        numbers |= dict(zip(("Timing/total_sec", "Timing/sec_per_tick", "Timing/sec_per_kimg"), times, strict=False))
        numbers |= {"Timing/maintenance_sec": self.maintenance, "Timing/total_hours": place.seconds / 3600}
        numbers |= {"Timing/total_days": place.seconds / 86400}
        for name, optimizer in trainer.optimizers.items():
            numbers[f"Train{name}/learning_rate"] = optimizer.param_groups[0]["lr"]
            numbers[f"Train{name}/overflow_frequency"] = self.overflow(name, trainer)
        return line, numbers

    def overflow(self, name: str, trainer: Trainer) -> float:
        """The share of steps since the last tick that were left out because a gradient was no number."""
        made, skipped = trainer.made[name], trainer.skipped[name]
        before = self.before[name]
        self.before[name] = (made, skipped)
        return (skipped - before[1]) / max(1, made - before[0])


def columns(label_size: int) -> list[str]:
    """The losses' columns in losses.csv."""
    return [f"Loss/{name}" for name in (*TERMS, *(LABEL_TERMS if label_size else ()), *LOSSES)]


def open_progress(folder: Path | None, total_kimg: float, nimg: int) -> Progress:
    """The bar, and the files in the run's folder; without a folder the bar alone, which another process shows."""
    return Progress(max(1, int(total_kimg * 1000)), nimg, folder, tensorboard=folder is not None)


def add_histograms(progress: Progress, step: int, trainer: Trainer) -> None:
    """How the weights of all layers are spread, for TensorBoard."""
    for name, network in trainer.networks().items():
        for key, parameter in network.named_parameters():
            if progress.board and key.endswith("weight"):
                progress.board.histogram(
                    step, f"{name}/{key.replace('.', '/')}", parameter.detach().float().cpu().numpy()
                )


def memory_text(device: torch.device) -> str:
    """The most memory a GPU has used, for the end of a tick's line; nothing on a CPU."""
    if device.type != "cuda":
        return ""
    return f"   gpumem {torch.cuda.max_memory_allocated(device) / 2**30:.2f}"
