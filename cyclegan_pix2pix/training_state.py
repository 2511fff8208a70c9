"""Where a training is, and all it needs to go on as if it had never stopped: checkpoints/NAME/latest_train_state.pt.

The .pth files hold the networks alone, as the reference's do. This file holds the networks again, beside optimisers,
image pools, schedule, random numbers and counters: one file, replaced at once, so that a run killed at any moment finds
parts that belong together. The processes of a distributed run have some of it of their own (image pools and
random numbers), and all of it is in the one file too.
"""

from __future__ import annotations

import argparse
import random
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from architecture import epoch_name
from shared_scripts.batches import mixed
from shared_scripts.checkpoints import load_state, save_state
from shared_scripts.cli import UserError
from shared_scripts.distributed import Processes
from shared_scripts.progress import tell

FILE = "latest_train_state.pt"
KEYS = ("model", "model_name", "position", "seed", "shares", "architecture")
ARCHITECTURE = ("input_nc", "output_nc", "netG", "netD", "n_layers_D", "ngf", "ndf", "norm", "no_dropout", "direction")


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
        self.seed = processes.from_first(opt.seed if opt.seed is not None else secrets.randbits(31))
        self.found: dict | None = None
        self.file = folder / FILE
        if opt.continue_train:
            self.find()
        elif self.file.is_file() and processes.first:
            tell(f"{folder} holds a training, which this one replaces; --continue_train would go on with it.")

    # --- going on -------------------------------------------------------------------------------------------------

    def find(self) -> None:
        """Read the saved state. Without one, or for another epoch than the latest, only networks are continued."""
        opt = self.opt
        if opt.epoch != "latest" or opt.load_iter > 0 or not self.file.is_file():
            self.find_epoch()
            return
        self.found = load_state(self.file, KEYS)
        self.position = Position(**self.found["position"])
        self.seed = self.found["seed"] if opt.seed is None else opt.seed
        if self.found["model_name"] != opt.model:
            raise UserError(
                f"the training in {self.folder} is of --model {self.found['model_name']}, not {opt.model}; say so to "
                "go on with it, or take another --name"
            )
        # The command that began a run at --epoch_count 5 goes on with it too: only another number is a wish to jump.
        if "epoch_count" in opt.given and opt.epoch_count not in (self.position.epoch, self.position.first_epoch):
            self.position = Position(opt.epoch_count, first_epoch=opt.epoch_count, images=self.position.images)

    def find_epoch(self) -> None:
        """The first epoch after the one whose networks are loaded, unless --epoch_count says another."""
        if "epoch_count" not in self.opt.given and self.opt.epoch.isdecimal():
            self.position = Position(int(self.opt.epoch) + 1, first_epoch=int(self.opt.epoch) + 1)

    def take_architecture(self) -> None:
        """Build what was saved. UserError where the command line asks for something else."""
        for name, value in self.found["architecture"].items():
            asked = getattr(self.opt, name)
            if asked == value or {asked, value} == {"batch", "syncbatch"}:
                continue
            if name in self.opt.given:
                raise UserError(
                    f"the training in {self.folder} has {as_flag(name, value)}, not {as_flag(name, asked)}; leave the "
                    "flag out to go on with it, or take another --name"
                )
            setattr(self.opt, name, value)

    def restore(self, model) -> None:
        """Give the model what was found."""
        if self.processes.world > 1:
            self.begin_own_random_numbers()
        if not self.opt.continue_train:
            return
        if self.found is None:
            model.load_networks(epoch_name(self.opt))
            line = "Going on from networks alone: optimisers, image pools and the order of the pictures begin anew"
            line += (
                f", with epoch {self.position.epoch}."
                if "epoch_count" in self.opt.given
                else (f", with epoch {self.position.epoch} (--epoch_count says another).")
            )
        else:
            model.load_state_dict(self.found["model"])
            self.restore_share(model, self.found["shares"])
            self.found = {}  # the memory is free again
            line = f"Going on with epoch {self.position.epoch} after {self.position.images:,} images."
        if self.processes.first:
            tell(line)

    def begin_own_random_numbers(self) -> None:
        """Other numbers in each process: dropout is not to put out the same units for the pictures of all."""
        own = mixed(self.seed, self.position.images, self.processes.rank)
        random.seed(own)
        torch.manual_seed(own)

    def restore_share(self, model, shares: list[dict]) -> None:
        """What this process has of its own: pools and random numbers. With more processes than the run was saved from,
        the new ones begin with empty pools."""
        if self.processes.rank < len(shares):
            share = shares[self.processes.rank]
            model.load_pools(share["pools"])
            restore_random(share["random"])

    # --- saving ---------------------------------------------------------------------------------------------------

    def save(self, model) -> None:
        """Write the state of all processes; they must all come here together. UserError where the disk refuses."""
        shares = self.processes.gather({"pools": model.pools_state(), "random": random_state()})
        with self.processes.first_writes("the training's state"):
            if self.processes.first:
                save_state(self.file, self.whole(model, shares))

    def whole(self, model, shares: list[dict]) -> dict:
        """What is in the file."""
        return {
            "model": model.state_dict(),
            "model_name": self.opt.model,
            "position": asdict(self.position),
            "seed": self.seed,
            "shares": shares,
            "architecture": {name: getattr(self.opt, name) for name in ARCHITECTURE},
        }

    def remove_leftovers(self) -> None:
        """Delete the halves of files that a killed run was writing: each may be as large as the networks."""
        for path in [*self.folder.glob(".*.tmp.pt"), *self.folder.glob(".*.tmp.pth")]:
            path.unlink(missing_ok=True)


def as_flag(name: str, value: object) -> str:
    """An option as it stands on a command line."""
    if name == "no_dropout":
        return "--no_dropout" if value else "--use_dropout"
    return f"--{name} {value}"


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
