"""What a training shows while it runs: lines on the screen, a log, the losses in a file, its web page, and boards."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from loss_curve import draw_losses
from loss_history import LossHistory
from optional_boards import open_boards
from pixels import tensor_to_image
from shared_scripts.cli import UserError, one_line
from shared_scripts.progress import tell
from webpage import TrainingPage

if TYPE_CHECKING:
    import torch

LOG = "loss_log.txt"


class Visualizer:
    """Shows and writes down how a training goes. Nothing that fails here ends a training: it is said once.

    `folder` is checkpoints/NAME. A `resumed` run adds to what the run before it left there. A `quiet` one, for all but
    the first process of a distributed training, does nothing.
    """

    def __init__(self, opt: Namespace, folder: str | Path, resumed: bool = False, quiet: bool = False):
        self.quiet, self.folder = quiet, Path(folder)
        self.warned: set[str] = set()
        self.boards: list = []
        self.page: TrainingPage | None = None
        self.epoch = 0
        if quiet:
            return
        self.history = LossHistory(self.folder, resumed)
        if not opt.no_html:
            self.page = TrainingPage(self.folder / "web", opt.name, opt.display_winsize, resumed)
        self.boards = open_boards(opt, self.folder)
        self.log(f"================ Training Loss ({time.ctime()}) ================")

    def show(self, visuals: Mapping[str, torch.Tensor], epoch: int, total_iters: int, save_page: bool) -> None:
        """Show pictures, (N, C, H, W) in [-1, 1] of which item 0 is taken, on the boards; with `save_page` also on the
        page, where they replace this epoch's earlier ones."""
        if self.quiet or not (self.boards or (save_page and self.page)):
            return
        self.epoch = epoch
        images = {label: tensor_to_image(visual) for label, visual in visuals.items()}
        self.tell_boards(lambda board: board.images(epoch, total_iters, images))
        if save_page and self.page:
            self.guard("the training page cannot be written", lambda: self.page.save(epoch, images))
            self.write_page(f"Training: epoch {epoch}, {total_iters:,} images seen.", refresh=1)

    def print_losses(self, epoch: int, iters: int, losses: Mapping[str, float], t_comp: float, t_data: float) -> None:
        """One line on stdout, past a progress bar if there is one, and in loss_log.txt. The times are seconds per
        image."""
        if self.quiet:
            return
        values = "".join(f" {name}: {value:.3f}" for name, value in losses.items())
        line = f"(epoch: {epoch}, iters: {iters}, time: {t_comp:.3f}, data: {t_data:.3f}){values}"
        tqdm.write(line, file=sys.stdout)
        sys.stdout.flush()
        self.log(line)

    def plot_losses(self, epoch: int, epoch_fraction: float, total_iters: int, losses: Mapping[str, float]) -> None:
        """Losses at `epoch_fraction` (0..1) of an epoch counted from 1: to losses.csv, the boards, and the curve."""
        if self.quiet:
            return
        losses = {name: float(value) for name, value in losses.items()}
        self.guard(
            "the losses cannot be written down", lambda: self.history.add(epoch, epoch_fraction, total_iters, losses)
        )
        self.tell_boards(lambda board: board.losses(epoch - 1 + epoch_fraction, total_iters, losses))

    def close(self, finished: bool = True) -> None:
        """The training is over, or was stopped: the page stops reloading itself, and the boards get their last."""
        if self.page and self.page.epochs:
            how = "Training finished" if finished else "Training stopped"
            self.write_page(f"{how}{f' in epoch {self.epoch}' if self.epoch else ''}.", refresh=0)
        self.tell_boards(lambda board: board.close())
        self.boards = []

    def write_page(self, summary: str, refresh: int) -> None:
        """The page with the curve as it stands."""
        curve = draw_losses(self.history.points)
        self.guard("the training page cannot be written", lambda: self.page.write(curve, summary, refresh))

    def log(self, line: str) -> None:
        """A line more in loss_log.txt."""

        def append() -> None:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(self.folder / LOG, "a", encoding="utf-8") as file:
                file.write(line + "\n")

        self.guard(f"{LOG} cannot be written", append)

    def guard(self, trouble: str, act: Callable[[], None]) -> None:
        """Do it; a full or write-protected disk is told once, and it is tried again the next time."""
        try:
            act()
        except (OSError, UserError) as problem:
            if trouble not in self.warned:
                tell(f"Warning: {trouble}: {one_line(problem)}")
            self.warned.add(trouble)

    def tell_boards(self, act: Callable[[object], None]) -> None:
        """Do it with every board. One that fails, as when its server has died, is left out from then on."""
        for board in list(self.boards):
            try:
                act(board)
            except Exception as problem:  # each package has its own kinds
                self.boards.remove(board)
                tell(f"Warning: training goes on without {board.title}: {one_line(problem)}")
