"""The batches of a training: which pictures come when, and what is drawn at random for them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from shared_scripts import distributed
from shared_scripts.batches import Loader, count_workers, mixed
from shared_scripts.distributed import Processes
from sources import Source
from training import Batch

OLD_SAMPLE_BATCHES = {"CelebA": 4, "RaFD": 4, "Both": 3}


@dataclass
class Feed:
    """The batches of a source, one after the other without an end."""

    source: Source
    loader: Loader
    ahead: int  # how many batches the samples have taken before training begins
    batches: Iterator[dict] | None = None

    def next(self, step: int) -> dict:
        """The batch of a step (counted from 1). Steps must be asked for in order, from any first one on."""
        batch = next(self.batches, None) if self.batches is not None else None
        if batch is None:
            epoch, start = divmod(step - 1 + self.ahead, len(self.loader))
            self.batches = self.loader.epoch(epoch + 1, start)
            batch = next(self.batches)
        return batch


class Feeds:
    """The batches of all sources of a training."""

    def __init__(
        self, sources: list[Source], opt: argparse.Namespace, seed: int, device: torch.device, processes: Processes
    ):
        self.opt, self.seed, self.device, self.processes = opt, seed, device, processes
        self.feeds = [self.open(number, source) for number, source in enumerate(sources)]

    def open(self, number: int, source: Source) -> Feed:
        """A source. The reference's samples are the first batch of the first data set, which is then not trained on in
        the first epoch."""
        workers = count_workers(self.opt.num_workers, len(source.dataset), self.processes)
        seed = mixed(self.seed, number)
        on_cuda = self.device.type == "cuda"
        loader = Loader(source.dataset, self.opt.batch_size, seed, self.processes, workers, pin_memory=on_cuda)
        return Feed(source, loader, ahead=0 if self.opt.variant == "old" or number else 1)

    def __len__(self) -> int:
        """Batches in an epoch of the first source."""
        return len(self.feeds[0].loader)

    def batches(self, step: int) -> list[Batch]:
        """A batch of each source for a step."""
        return [self.batch(feed, step, number) for number, feed in enumerate(self.feeds)]

    def batch(self, feed: Feed, step: int, number: int) -> Batch:
        """A batch on the device, with what is drawn at random for it.

        The draws depend on seed and step alone, and are made for the batches of all processes together: each takes its
        part. So a run in two processes is one with the whole batch in one process, but for rounding.
        """
        batch = feed.next(step)
        labels = distributed.all_gather(batch["label"].to(self.device), self.processes)
        generator = torch.Generator().manual_seed(mixed(self.seed, step, number))
        permuted = labels[torch.randperm(len(labels), generator=generator)]  # drawn before alpha, as in the reference
        alpha = torch.rand(len(labels), 1, 1, 1, generator=generator)
        share = len(batch["x"])
        mine = slice(self.processes.rank * share, (self.processes.rank + 1) * share)
        x = batch["x"].to(self.device, non_blocking=True)
        return Batch(feed.source.domain, x, labels[mine], permuted[mine], alpha[mine].to(self.device))

    def samples(self) -> dict[str, torch.Tensor]:
        """The pictures of every sample sheet, "x" and "label": the first batch, in the 2017 version the first three or
        four. Only the first process makes sheets, and of its own share."""
        loader = self.feeds[0].loader
        if self.opt.variant != "old":
            return next(iter(loader.epoch(1)))
        batches = []
        for batch in loader.epoch(0):
            batches.append(batch)
            if len(batches) == OLD_SAMPLE_BATCHES[self.opt.dataset]:
                break
        return {name: torch.cat([batch[name] for batch in batches]) for name in ("x", "label")}

    def new_problems(self) -> list[str]:
        """What could not be read since this was last asked."""
        return [problem for feed in self.feeds for problem in feed.loader.new_problems()]
