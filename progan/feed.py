"""What training is fed with: real pictures in a new order each epoch, and everything that is drawn at random.

All of it comes from one generator of random numbers and one place in the data, which are saved with the networks: a
training that goes on sees the very numbers it would have seen. Of several processes each draws all, and takes its part.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from datasets import Dataset
from reals import process_reals
from shared_scripts.distributed import Processes
from training import Batch


class Feed:
    """Batches for `Trainer`, and the latents and labels for its generator's steps.

    `in_order` leaves the pictures in their file's order, as the reference's shuffle_mb=0 does.
    """

    def __init__(
        self,
        dataset: Dataset,
        latent_size: int,
        seed: int,
        device: torch.device | str = "cpu",
        processes: Processes | None = None,
        mirror: bool = False,
        in_order: bool = False,
        drange_net: tuple[float, float] = (-1, 1),
    ):
        self.dataset, self.latent_size, self.seed, self.device = dataset, latent_size, seed, torch.device(device)
        self.processes, self.mirror, self.in_order = processes or Processes(), mirror, in_order
        self.drange_net = drange_net
        self.random = torch.Generator().manual_seed(seed)
        self.place = 0  # how many pictures have been taken
        self.epoch, self.order = -1, np.empty(0, np.int64)

    # --- what is saved --------------------------------------------------------------------------------------------

    def state_dict(self) -> dict:
        """Where it is."""
        return {"random": self.random.get_state(), "place": self.place, "seed": self.seed}

    def load_state_dict(self, state: dict) -> None:
        """Go on from there."""
        self.random.set_state(state["random"])
        self.place, self.seed, self.epoch = state["place"], state["seed"], -1

    # --- real pictures --------------------------------------------------------------------------------------------

    def take(self, count: int) -> np.ndarray:
        """The numbers of the next pictures; a batch may reach from one epoch into the next."""
        found = []
        while count:
            epoch, start = divmod(self.place, len(self.dataset))
            part = self.order_of(epoch)[start : start + count]
            found.append(part)
            self.place += len(part)
            count -= len(part)
        return np.concatenate(found)

    def order_of(self, epoch: int) -> np.ndarray:
        """All pictures' numbers, in the order of an epoch."""
        if epoch != self.epoch:
            numbers = np.arange(len(self.dataset))
            self.order = numbers if self.in_order else np.random.default_rng([self.seed, epoch]).permutation(numbers)
            self.epoch = epoch
        return self.order

    def batch(self, size: int, level: int, lod: float) -> Batch:
        """A batch for the discriminator's step: this process's part of `size` pictures of 2^level pixels."""
        numbers, mine = self.take(size), self.part(size)
        mirror = self.uniform(size)[mine] if self.mirror else None
        latents, u = self.latents(size)[mine], self.uniform(size)[mine]
        images = torch.from_numpy(self.dataset.images(numbers[mine], level)).to(self.device)
        reals = process_reals(images, lod, None if mirror is None else mirror.to(self.device), self.drange_net)
        labels = self.to_device(self.dataset.labels[numbers[mine]])
        return Batch(reals, labels, latents.to(self.device), u.to(self.device))

    # --- random numbers -------------------------------------------------------------------------------------------

    def for_generator(self, size: int) -> tuple[Tensor, Tensor | None]:
        """Latents and labels for the generator's step; labels from all of the data's, each as often as it is there."""
        mine = self.part(size)
        latents = self.latents(size)[mine].to(self.device)
        if not self.dataset.label_size:
            return latents, None
        numbers = torch.randint(len(self.dataset), (size,), generator=self.random).numpy()
        return latents, self.to_device(self.dataset.labels[numbers[mine]])

    def latents(self, size: int) -> Tensor:
        """(size, latent_size) from N(0, 1)."""
        return torch.randn(size, self.latent_size, generator=self.random)

    def uniform(self, size: int) -> Tensor:
        """(size, 1, 1, 1) from [0, 1)."""
        return torch.rand(size, 1, 1, 1, generator=self.random)

    def part(self, size: int) -> slice:
        """This process's part of a batch."""
        share = size // self.processes.world
        return slice(self.processes.rank * share, (self.processes.rank + 1) * share)

    def to_device(self, labels: np.ndarray) -> Tensor | None:
        """Labels for the networks; None where the data have none."""
        return torch.from_numpy(labels).to(self.device) if self.dataset.label_size else None
