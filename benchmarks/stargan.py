#!/usr/bin/env python3
"""How fast stargan is here: `make bench`, or `python benchmarks/stargan.py`; and how good its shipped generator is.

The generator over a picture of 128 and of 256 pixels, and a training iteration at 128 pixels, batch 16, the mean of
five of which one updates the generator. Each against a straightforward version: the same networks as PyTorch gives
them, float32, its own instance norm and Adam, and the step as the original makes it, in turns. Arithmetic is compared
with what convolutions reach in the same minute.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "stargan"))
RESULTS = Path(__file__).resolve().parent / "results" / "stargan.json"

import torch  # noqa: E402
from machine import describe, peaks  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from turns import psnr, take_turns, write_results  # noqa: E402
from versions import count_gflop, print_table, rows, synchronized  # noqa: E402

from labels import Domain  # noqa: E402
from losses import attribute_loss  # noqa: E402
from measure import measure  # noqa: E402
from networks import Discriminator, Generator  # noqa: E402
from options import ATTRIBUTES  # noqa: E402
from shared_scripts.cli import ArgumentParser, run  # noqa: E402
from shared_scripts.devices import pick_device  # noqa: E402
from shared_scripts.images import fit  # noqa: E402
from shared_scripts.instance_norm import AffineInstanceNorm  # noqa: E402
from shared_scripts.memory import keep_memory  # noqa: E402
from shared_scripts.samples import sample_photo  # noqa: E402
from sheets import to_pixels  # noqa: E402
from training import Batch, Trainer  # noqa: E402

FORMATS = {"float32": torch.float32, "bf16": torch.bfloat16}
N_CRITIC = 5
DOMAIN = Domain("CelebA", ATTRIBUTES)


def with_torchs_norms(network: nn.Module) -> nn.Module:
    """The network with PyTorch's own instance norm in place of ours."""
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, AffineInstanceNorm):
                norm = nn.InstanceNorm2d(child.channels, affine=True, track_running_stats=True)
                norm.load_state_dict(child.state_dict())
                setattr(module, name, norm)
    return network


def photographs(count: int, size: int) -> Tensor:
    """(count, 3, size, size) in [-1, 1]: one photograph, each time shifted by seven pixels."""
    pixels = torch.from_numpy(fit(sample_photo("china"), size, size)).permute(2, 0, 1)[None] / 127.5 - 1
    return torch.cat([pixels.roll(7 * number, 3) for number in range(count)])


# --- a picture ----------------------------------------------------------------------------------------------------


def measure_generator(size: int, width: int, rounds: int, device: torch.device) -> dict:
    """Seconds of each version for one picture, GFLOP, and how far the pictures are from the straightforward one's."""
    torch.manual_seed(0)
    ours = Generator(width).to(device)
    plain = with_torchs_norms(copy.deepcopy(ours)).train()  # torch's own norm has the right formula in training alone
    x, c = photographs(1, size).to(device), torch.tensor([[0.0, 1, 0, 1, 0]], device=device)
    versions = {
        "straightforward": (plain, torch.float32),
        **{name: (ours.eval(), dtype) for name, dtype in FORMATS.items()},
    }

    def translate(name: str) -> Tensor:
        network, dtype = versions[name]
        with torch.inference_mode(), torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            return network(x, c)

    pictures = {name: to_pixels(translate(name))[0] for name in versions}
    gflop = count_gflop(lambda: translate("float32"))
    seconds = take_turns({n: synchronized(lambda n=n: translate(n), device) for n in versions}, rounds)
    psnrs = {name: psnr(pictures[name], pictures["straightforward"]) for name in versions}
    return rows(seconds, dict.fromkeys(versions, gflop), psnrs)


# --- a training iteration -----------------------------------------------------------------------------------------


class PlainStep:
    """The step as the original makes it: all passes one after the other, with gradients that nobody uses."""

    def __init__(self, G: nn.Module, D: nn.Module):
        self.G, self.D = with_torchs_norms(G), D
        self.optimizers = [torch.optim.Adam(network.parameters(), 1e-4, (0.5, 0.999)) for network in (G, D)]

    def zero_grad(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def step(self, batch: Batch, update_G: bool) -> None:
        """One iteration."""
        x, c_trg = batch.x, batch.target_labels
        out_src, out_cls = self.D(x)
        loss = -out_src.mean() + attribute_loss(out_cls, batch.labels)
        fake = self.G(x, c_trg)
        loss = loss + self.D(fake.detach())[0].mean()
        x_hat = (batch.alpha * x + (1 - batch.alpha) * fake.detach()).requires_grad_()
        out_src, _ = self.D(x_hat)
        (gradient,) = torch.autograd.grad(out_src, x_hat, torch.ones_like(out_src), create_graph=True)
        loss = loss + 10 * ((gradient.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
        self.zero_grad()
        loss.backward()
        self.optimizers[1].step()
        if update_G:
            fake = self.G(x, c_trg)
            out_src, out_cls = self.D(fake)
            loss = -out_src.mean() + attribute_loss(out_cls, c_trg)
            loss = loss + 10 * (x - self.G(fake, batch.labels)).abs().mean()
            self.zero_grad()
            loss.backward()
            self.optimizers[0].step()


def make_batch(count: int, size: int, device: torch.device) -> Batch:
    """Pictures with random labels."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 2, (count, len(ATTRIBUTES)), generator=generator).float().to(device)
    alpha = torch.rand(count, 1, 1, 1, generator=generator).to(device)
    return Batch(DOMAIN, photographs(count, size).to(device), labels, labels.flip(0), alpha)


def make_steps(
    size: int, width: int, halvings: int, device: torch.device
) -> dict[str, Callable[[Batch, bool], object]]:
    """A step of each version, with the same first weights."""
    torch.manual_seed(0)
    G, D = Generator(width).to(device), Discriminator(size, width, repeat_num=halvings).to(device)
    steps = {"straightforward": PlainStep(copy.deepcopy(G), copy.deepcopy(D)).step}
    for name, dtype in FORMATS.items():
        trainer = Trainer(copy.deepcopy(G), copy.deepcopy(D), device, dtype)
        steps[name] = lambda batch, update_G, trainer=trainer: trainer.step([batch], update_G)
    return steps


def measure_training(size: int, width: int, halvings: int, batch: int, rounds: int, device: torch.device) -> dict:
    """Seconds of a mean iteration of each version: of `N_CRITIC`, one updates the generator."""
    pictures, steps = make_batch(batch, size, device), make_steps(size, width, halvings, device)
    gflop, seconds = {}, {}
    for name, step in steps.items():
        gflop[name] = mean_iteration(*(count_gflop(lambda s=step, u=u: s(pictures, u)) for u in (False, True)))
    for update_G in (False, True):
        calls = {n: synchronized(lambda s=s, u=update_G: s(pictures, u), device) for n, s in steps.items()}
        seconds[update_G] = take_turns(calls, rounds)
    return rows({name: mean_iteration(seconds[False][name], seconds[True][name]) for name in steps}, gflop, {})


def mean_iteration(without: float, with_G: float) -> float:
    """Of the iterations without and with the generator's update."""
    return ((N_CRITIC - 1) * without + with_G) / N_CRITIC


# --- all of it ---------------------------------------------------------------------------------------------------


def main(argv: list[str] | None = None) -> int:
    """Measure, print tables, write the JSON."""
    parser = ArgumentParser(description="Measure how fast, and how good, stargan is on this machine.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256], metavar="PX", help="sides of pictures")
    parser.add_argument("--training-size", type=int, default=128, metavar="PX", help="side of pictures in training")
    parser.add_argument("--batch", type=int, default=16, metavar="N", help="pictures of a training iteration")
    parser.add_argument("--width", type=int, default=64, metavar="N", help="width of both networks")
    parser.add_argument("--halvings", type=int, default=6, metavar="N", help="of the discriminator")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="turns that are timed")
    parser.add_argument(
        "--faces", type=int, default=100, metavar="N", help="drawn faces that the quality is measured on"
    )
    parser.add_argument("--output", default=str(RESULTS), metavar="FILE", help="where the JSON goes")
    flags = parser.parse_args(argv)
    keep_memory()
    device = pick_device()
    peak = peaks(device.type)
    found = {"machine": describe(), "peak_gflops": peak}
    for size in flags.sizes:
        found[f"generator_{size}"] = measure_generator(size, flags.width, flags.rounds, device)
        print_table(f"G forward, {size}x{size}", found[f"generator_{size}"], peak)
    measured = (flags.training_size, flags.width, flags.halvings, flags.batch, flags.rounds)
    found["training"] = measure_training(*measured, device)
    title = f"training iteration, {flags.training_size}x{flags.training_size}, batch {flags.batch}, n_critic {N_CRITIC}"
    print_table(title, found["training"], peak)
    print()
    found["quality"] = measure(None, None, flags.faces)
    write_results(flags.output, found)
    return 0


if __name__ == "__main__":
    run(main)
