"""Training in several processes: `torchrun --nproc_per_node 4 train.py …` starts them, this ties them together.

Without torchrun there is one process, and everything here does nothing.
"""

from __future__ import annotations

import io
import os
import weakref
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stderr
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from shared_scripts.cli import RunError, UserError

wrappers: weakref.WeakSet[nn.Module] = weakref.WeakSet()  # those of `spread`, as long as they are in use


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this one is; `first` is the one that talks and writes files."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    local_world: int = 1  # how many of them share this machine

    @property
    def first(self) -> bool:
        """Whether this process is the one that talks and writes files."""
        return self.rank == 0

    def only_first_talks(self) -> AbstractContextManager:
        """While this is open, what the other processes say on stderr goes nowhere."""
        return nullcontext() if self.first else redirect_stderr(io.StringIO())

    def device(self, name: str, gpu_ids: str | None) -> torch.device:
        """Where one of several processes computes, as --device and --gpu_ids say: on a GPU of its own, or the CPU."""
        return torch.device("cuda", self.local_rank) if wants_cuda(name, gpu_ids) else torch.device("cpu")

    def anyone(self, yes: bool) -> bool:
        """Whether any process says yes: all must ask together, and all get the same answer."""
        if self.world == 1:
            return yes
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        votes = torch.tensor([float(yes)], device=device)
        dist.all_reduce(votes)
        return bool(votes.item() > 0)

    @contextmanager
    def first_writes(self, what: str) -> Iterator[None]:
        """Around what the first process writes: if it fails there, all end with an error, and none waits in vain. All
        must come here together."""
        problem = None
        try:
            yield
        except UserError as found:  # raised when the others know of it
            problem = found
        if self.anyone(problem is not None):
            raise problem or RunError(f"{what} could not be saved")

    def mean(self, values: Iterable[float]) -> list[float]:
        """The means over the processes, number by number; all must ask together."""
        values = list(values)
        if self.world == 1 or not values:
            return values
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        sums = torch.tensor(values, dtype=torch.float64, device=device)
        dist.all_reduce(sums)
        return (sums / self.world).tolist()

    def from_first(self, value: Any) -> Any:
        """The first process's value, the same for all; all must ask together."""
        if self.world == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]

    def gather(self, value: Any) -> list:
        """The values of all processes by rank, for the first; nothing for the others. All must ask together."""
        if self.world == 1:
            return [value]
        values: list | None = [None] * self.world if self.first else None
        dist.gather_object(value, values, dst=0)
        return values or []


def start(on_cuda: bool | None = None) -> Processes:
    """Join the other processes, if torchrun started this one: over NCCL with a GPU each, over gloo on CPUs."""
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return Processes()
    try:
        rank, world, local = (int(os.environ.get(name, "0")) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
        local_world = int(os.environ.get("LOCAL_WORLD_SIZE", world))
    except ValueError as problem:
        raise UserError("RANK, WORLD_SIZE and LOCAL_RANK are set by torchrun, to numbers") from problem
    processes = Processes(rank, world, local, local_world)
    if world > 1 and not dist.is_initialized():
        on_cuda = torch.cuda.is_available() if on_cuda is None else on_cuda
        if on_cuda:
            torch.cuda.set_device(local)
        dist.init_process_group("nccl" if on_cuda else "gloo")
    return processes


def wants_cuda(device: str, gpu_ids: str | None) -> bool:
    """Whether the processes of a distributed run compute on GPUs, as --device and --gpu_ids say."""
    return torch.cuda.is_available() and device in ("auto", "cuda") and gpu_ids != "-1"


def all_gather(share: torch.Tensor, processes: Processes) -> torch.Tensor:
    """The shares of all processes, one behind the other by rank; they must have one shape, and all ask together."""
    if processes.world == 1:
        return share
    shares = [torch.empty_like(share) for _ in range(processes.world)]
    dist.all_gather(shares, share.contiguous())
    return torch.cat(shares)


def stop() -> None:
    """Leave the other processes; torch warns of those that just end.

    The wrappers of `spread` hold on to the group of processes. Freed later, say with the traceback of a Ctrl-C, they
    would end it with Python's lock in their hands, and now and then wait for ever for a thread that wants the lock.
    """
    if dist.is_available() and dist.is_initialized():
        for wrapper in list(wrappers):
            wrapper.logger = wrapper.reducer = wrapper.process_group = None
        dist.destroy_process_group()


@contextmanager
def explain_lost_process() -> Iterator[None]:
    """A RunError in place of what gloo says when another process has ended: that one's own message tells why."""
    try:
        yield
    except RuntimeError as problem:
        if not any(sign in str(problem) for sign in ("Connection closed by peer", "Connection reset by peer")):
            raise
        raise RunError("another process of this run has ended; its own message says why") from problem


def spread(network: nn.Module, device: torch.device, gpu_ids: list[int], find_unused: bool = False) -> nn.Module:
    """The network for training: with DistributedDataParallel in several processes, with DataParallel on several GPUs
    of one process, and as it is otherwise. Networks without parameters stay as they are. `find_unused`: not every pass
    reaches all parameters."""
    if dist.is_available() and dist.is_initialized():
        if not any(parameter.requires_grad for parameter in network.parameters()):
            return network
        # Buffers are running statistics: copied between a network's two calls in one step they would break autograd.
        wrapper = nn.parallel.DistributedDataParallel(
            network,
            device_ids=[device] if device.type == "cuda" else None,
            forward_sync_buffers=False,
            find_unused_parameters=find_unused,
        )
        wrappers.add(wrapper)
        return wrapper
    if len(gpu_ids) > 1 and device.type == "cuda":
        return nn.DataParallel(network, gpu_ids)
    return network


def bare(network: nn.Module) -> nn.Module:
    """The network itself, without what `spread` put around it."""
    kinds = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    return network.module if isinstance(network, kinds) else network
