"""Where a training is, and all it needs to go on as if it had never stopped: checkpoints/NAME/latest_train_state.pt.

The .pth files hold the networks alone, as the reference's do. This file holds the networks again, beside optimisers,
image pools, schedule, random numbers and counters: one file, replaced at once, so that a run killed at any moment finds
parts that belong together.
"""

from __future__ import annotations

import argparse
import random
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from shared_scripts.checkpoints import load_state, save_state
from shared_scripts.cli import UserError
from shared_scripts.distributed import Processes
from shared_scripts.progress import tell


@dataclass
class Position:
    """How far a training has come. `epoch` is being trained, `batch` batches of it are done."""

    epoch: int = 1
    batch: int = 0
    epoch_images: int = 0
    images: int = 0
    first_epoch: int = 1  # of this run's schedule

    def count(self, images: int) -> None:
        """A batch is done."""
        self.batch += 1
        self.epoch_images += images
        self.images += images

    def next_epoch(self) -> None:
        """An epoch is done."""
        self.epoch, self.batch, self.epoch_images = self.epoch + 1, 0, 0


class TrainingState:
    """Finds what --continue_train goes on from, and writes what a later run can go on from."""

    def __init__(self, folder: Path, opt: argparse.Namespace, processes: Processes):
        self.folder, self.opt, self.processes = folder, opt, processes
        self.position = Position(epoch=opt.epoch_count, first_epoch=opt.epoch_count)
        self.seed = opt.seed if opt.seed is not None else secrets.randbits(31)
        self.found: dict | None = None
        if opt.continue_train:
            self.find()
        elif (folder / "latest_train_state.pt").is_file() and processes.first:
            tell(f"{folder} holds a training, which this one replaces; --continue_train would go on with it.")

    def file(self, rank: int = 0) -> Path:
        """Where the state of a process is saved."""
        return self.folder / f"latest_train_state{f'.{rank}' if rank else ''}.pt"

    # --- going on -------------------------------------------------------------------------------------------------

    def find(self) -> None:
        """Read the saved state. Without one, or for another epoch than the latest, only networks are continued."""
        opt = self.opt
        if opt.epoch != "latest" or opt.load_iter > 0 or not self.file().is_file():
            self.find_epoch()
            return
        self.found = load_state(self.file(), ("model", "position", "seed", "random", "architecture"))
        self.position = Position(**self.found["position"])
        self.seed = self.found["seed"] if opt.seed is None else opt.seed
        self.take_architecture()
        if "epoch_count" in opt.given and opt.epoch_count != self.position.epoch:
            self.position = Position(opt.epoch_count, first_epoch=opt.epoch_count, images=self.position.images)

    def find_epoch(self) -> None:
        """The first epoch after the one whose networks are loaded, unless --epoch_count says another."""
        if "epoch_count" not in self.opt.given and self.opt.epoch.isdecimal():
            self.position = Position(int(self.opt.epoch) + 1, first_epoch=int(self.opt.epoch) + 1)

    def take_architecture(self) -> None:
        """Build what was saved. UserError where the command line asks for something else."""
        for name, value in self.found["architecture"].items():
            if name in self.opt.given and getattr(self.opt, name) != value:
                raise UserError(
                    f"the training in {self.folder} has --{name} {value}, not {getattr(self.opt, name)}; leave the "
                    "flag out to go on with it, or take another --name"
                )
            setattr(self.opt, name, value)

    def restore(self, model) -> None:
        """Give the model what was found."""
        if not self.opt.continue_train:
            return
        if self.found is None:
            model.load_networks(self.opt.epoch if self.opt.load_iter <= 0 else f"iter_{self.opt.load_iter}")
            tell("Only networks were saved: optimisers, image pools and the order of the pictures begin anew.")
            return
        model.load_state_dict(self.found["model"])
        restore_random(self.found["random"])
        if self.processes.rank:
            self.restore_share(model)
        self.found = {}  # the memory is free again
        if self.processes.first:
            tell(f"Going on with epoch {self.position.epoch} after {self.position.images:,} images.")

    def restore_share(self, model) -> None:
        """What the other processes of a distributed run have of their own: pools and random numbers."""
        path = self.file(self.processes.rank)
        share = load_state(path, ("pools", "random", "images")) if path.is_file() else None
        if share and share["images"] == self.found["position"]["images"]:
            model.load_pools(share["pools"])
            restore_random(share["random"])

    # --- saving ---------------------------------------------------------------------------------------------------

    def save(self, model) -> None:
        """Write the state of this process."""
        if self.processes.rank:
            share = {"pools": model.state_dict()["pools"], "random": random_state(), "images": self.position.images}
            save_state(self.file(self.processes.rank), share)
            return
        architecture = {name: getattr(self.opt, name) for name in ARCHITECTURE}
        state = {
            "model": model.state_dict(),
            "position": asdict(self.position),
            "seed": self.seed,
            "random": random_state(),
            "architecture": architecture,
        }
        save_state(self.file(), state)


ARCHITECTURE = (*("model", "input_nc", "output_nc", "netG", "netD", "n_layers_D", "ngf", "ndf", "norm", "no_dropout"),)


def random_state() -> dict:
    """The state of every generator a training draws from."""
    state = {"python": random.getstate(), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def restore_random(state: dict) -> None:
    """Put back what `random_state` gave."""
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    torch.set_rng_state(state["torch"])
    if "cuda" in state and torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
