#!/usr/bin/env python3
"""How fast progan is here: `make bench`, or `python benchmarks/progan.py`.

One picture of 1024 x 1024 from the full generator, and pictures a second at a batch of 8; and seconds per thousand
pictures of training a network of 128 x 128 at each of its resolutions. Each in turns with a plain eager loop with the
same weights: constants multiplied in at every use, upscaling and convolution one after the other, contiguous, float32;
in training pictures of the full size at every stage, and all layers computed at every stage ("plain": the reference's
structure 'linear') or those in use ("plain, active": 'recursive').
"""

from __future__ import annotations

import copy
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "progan"))
RESULTS = Path(__file__).resolve().parent / "results" / "progan.json"

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from machine import describe, peaks  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from turns import psnr, take_turns, write_results  # noqa: E402
from versions import count_gflop, print_table, rows, synchronized  # noqa: E402

from inference import FastGenerator  # noqa: E402
from networks import SLOPE, Discriminator, Generator, downscale, fade, minibatch_stddev, pixel_norm, upscale  # noqa: E402
from pictures import to_uint8  # noqa: E402
from shared_scripts.cli import ArgumentParser, run  # noqa: E402
from shared_scripts.devices import pick_device  # noqa: E402
from shared_scripts.memory import keep_memory  # noqa: E402
from training import Batch, Trainer  # noqa: E402

FORMATS = {"float32": torch.float32, "bf16": torch.bfloat16}


# --- the plain versions -------------------------------------------------------------------------------------------


class PlainGenerator(nn.Module):
    """The generator layer by layer as the paper draws it, always up to the full resolution."""

    def __init__(self, G: Generator, active: bool = True):
        super().__init__()
        self.G, self.active = G, active

    def forward(self, latents: Tensor, lod: float = 0.0) -> Tensor:
        G = self.G
        x = G.first_features(latents)
        images = G.to_rgb(x, 2)
        for level in range(3, G.levels + 1):
            own = G.levels - level  # the lod of this level
            images = upscale(images)
            if self.active and own <= lod - 1:
                continue  # not in use yet
            block = G.block(level)
            x = self.activate(F.conv2d(upscale(x), block.Conv0.scaled(), block.Conv0.bias, padding=1))
            x = self.activate(block.Conv1(x))
            images = fade(G.to_rgb(x, level), images, min(max(lod - own, 0.0), 1.0))
        return images

    def activate(self, x: Tensor) -> Tensor:
        """Leaky ReLU and pixel norm."""
        return pixel_norm(F.leaky_relu(x, SLOPE))


class PlainDiscriminator(nn.Module):
    """The discriminator of pictures of the full resolution, at every lod."""

    def __init__(self, D: Discriminator, active: bool = True):
        super().__init__()
        self.D, self.active = D, active

    def forward(self, images: Tensor, lod: float = 0.0) -> Tensor:
        D, x = self.D, None
        for level in range(D.levels, 2, -1):
            own, small = D.levels - level, downscale(images)
            if not self.active or own > lod - 1:
                x = D.from_rgb(images, level) if x is None else x
                x = self.shrink(x, level)
                x = fade(x, D.from_rgb(small, level - 1), min(max(lod - own, 0.0), 1.0))
            images = small
        x = D.from_rgb(images, 2) if x is None else x
        block, x = D.block(2), minibatch_stddev(x, D.mbstd_group_size)
        x = F.leaky_relu(block.Conv(x), SLOPE)
        return block.Dense1(F.leaky_relu(block.Dense0(x.flatten(1)), SLOPE))[:, :1]

    def shrink(self, x: Tensor, level: int) -> Tensor:
        """A level's layers."""
        block = self.D.block(level)
        x = F.leaky_relu(block.Conv0(x), SLOPE)
        return downscale(F.leaky_relu(block.Conv1(x), SLOPE))


class PlainStep:
    """A training step pass by pass: real, made and mixed pictures on their own, all of the full size."""

    def __init__(self, G: Generator, D: Discriminator, active: bool):
        self.G, self.D = PlainGenerator(G, active), PlainDiscriminator(D, active)
        self.optimizers = [torch.optim.Adam(n.parameters(), 1e-3, (0.0, 0.99)) for n in (self.G, self.D)]

    def step(self, batch: Batch, lod: float) -> None:
        """The discriminator's update, and the generator's."""
        reals = upscale(batch.reals, 2 ** int(lod))
        fakes = self.G(batch.latents, lod).detach()
        real_scores, fake_scores = self.D(reals, lod), self.D(fakes, lod)
        mixed = (reals + (fakes - reals) * batch.u).requires_grad_()
        (gradient,) = torch.autograd.grad(self.D(mixed, lod).sum(), mixed, create_graph=True)
        penalty = 10 * (gradient.flatten(1).norm(dim=1) - 1).square()
        loss = (fake_scores - real_scores + 0.001 * real_scores.square()).mean() + penalty.mean()
        self.update(1, loss)
        self.update(0, -self.D(self.G(batch.latents, lod), lod).mean())

    def update(self, number: int, loss: Tensor) -> None:
        """One optimiser's step."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        self.optimizers[number].step()


# --- pictures -----------------------------------------------------------------------------------------------------


def generator(resolution: int, fmap_max: int, device: torch.device) -> Generator:
    """A generator as the published ones are, with random weights: they are as fast as trained ones."""
    torch.manual_seed(0)
    return Generator(3, resolution, fmap_max=fmap_max, fused_scale=False).to(device)


def measure_images(resolution: int, fmap_max: int, batch: int, rounds: int, device: torch.device) -> dict:
    """Seconds of each version for a batch of pictures, GFLOP, and how far the pictures are from the plain one's."""
    G = generator(resolution, fmap_max, device)
    latents = torch.randn(batch, G.latent_size, generator=torch.Generator().manual_seed(1)).to(device)
    plain = PlainGenerator(G)
    versions: dict[str, Callable] = {"plain": plain}
    versions |= {name: FastGenerator(G, device, dtype) for name, dtype in FORMATS.items()}

    @torch.inference_mode()
    def make(name: str) -> Tensor:
        return versions[name](latents)

    pictures = {name: to_uint8(make(name)[:1].float().cpu().numpy()) for name in versions}
    gflop = {name: count_gflop(lambda n=name: make(n)) for name in versions}
    seconds = take_turns({n: synchronized(lambda n=n: make(n), device) for n in versions}, rounds)
    psnrs = {name: psnr(picture, pictures["plain"]) for name, picture in pictures.items()}
    return rows(seconds, gflop, psnrs)


def measure_memory(resolution: int, fmap_max: int) -> dict[str, float]:
    """GB that a process of its own takes in all for one picture: the plain way, and ours."""
    found = {}
    for name in ("plain", "float32", "bf16"):
        command = [sys.executable, __file__, "--memory-of", name, "--image-size", str(resolution)]
        done = subprocess.run([*command, "--width", str(fmap_max)], capture_output=True, text=True, check=True)
        found[name] = float(done.stdout)
        print(f"{name:16} {found[name]:.2f} GB")
    return found


def memory_of(name: str, resolution: int, fmap_max: int) -> float:
    """GB that this process has taken at most, after one picture."""
    G = generator(resolution, fmap_max, torch.device("cpu"))
    with torch.inference_mode():
        network = PlainGenerator(G) if name == "plain" else FastGenerator(G, dtype=FORMATS[name])
        network(torch.randn(1, G.latent_size))
    return peak_memory() / 1e9


def peak_memory() -> int:
    """Bytes that this process has held at most. What the system's getrusage says would on Linux be of the process that
    started it, where that was larger."""
    status = Path("/proc/self/status")
    if status.is_file():
        return 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


# --- training -----------------------------------------------------------------------------------------------------


def make_steps(resolution: int, fmap_max: int, device: torch.device) -> dict[str, Callable[[Batch, float], object]]:
    """A step of each version, with the same first weights."""
    torch.manual_seed(0)
    sizes = {"num_channels": 3, "resolution": resolution, "fmap_max": fmap_max, "fused_scale": False}
    sizes["fmap_base"] = 16 * fmap_max  # halved from 32 pixels on, as the paper's are
    G, D = Generator(**sizes).to(device), Discriminator(**sizes).to(device)
    steps: dict[str, Callable] = {
        "plain": PlainStep(copy.deepcopy(G), copy.deepcopy(D), False).step,
        "plain, active": PlainStep(copy.deepcopy(G), copy.deepcopy(D), True).step,
    }
    sizes["fused_scale"] = True  # what training uses by default
    G, D = Generator(**sizes).to(memory_format=torch.channels_last), Discriminator(**sizes)
    for name, dtype in FORMATS.items():
        trainer = Trainer(copy.deepcopy(G), copy.deepcopy(D).to(memory_format=torch.channels_last), None, device, dtype)
        steps[name] = lambda batch, lod, trainer=trainer: our_step(trainer, batch, lod)
    return steps


def our_step(trainer: Trainer, batch: Batch, lod: float) -> None:
    """The discriminator's update, the average, and the generator's update."""
    trainer.step_D(batch, lod)
    trainer.average()
    trainer.step_G(batch.latents, None, lod)


def measure_training(
    resolution: int, fmap_max: int, batch: int, rounds: int, device: torch.device, peak: dict[str, float]
) -> dict:
    """Seconds per thousand pictures of each version, at each resolution; printed as they come."""
    steps, found = make_steps(resolution, fmap_max, device), {}
    for level in range(2, resolution.bit_length()):
        lod, size = float(resolution.bit_length() - 1 - level), 2**level
        pictures = Batch(
            torch.rand(batch, 3, size, size, device=device) * 2 - 1,
            None,
            torch.randn(batch, fmap_max, device=device),
            torch.rand(batch, 1, 1, 1, device=device),
        )
        calls = {n: synchronized(lambda s=s, lod=lod, p=pictures: s(p, lod), device) for n, s in steps.items()}
        gflop = {name: count_gflop(call) * 1000 / batch for name, call in calls.items()}
        seconds = {name: value * 1000 / batch for name, value in take_turns(calls, rounds).items()}
        found[size] = rows(seconds, gflop, {})
        print_table(f"training of {resolution}x{resolution} at {size}x{size}, a thousand pictures", found[size], peak)
    return found


# --- all of it ----------------------------------------------------------------------------------------------------


def main(argv: list[str] | None = None) -> int:
    """Measure, print tables, write the JSON."""
    parser = ArgumentParser(description="Measure how fast progan is on this machine.")
    parser.add_argument("--image-size", type=int, default=1024, metavar="PX", help="side of the pictures that are made")
    parser.add_argument("--training-size", type=int, default=128, metavar="PX", help="side of the network in training")
    parser.add_argument("--width", type=int, default=512, metavar="N", help="fmap_max of the networks")
    parser.add_argument("--training-width", type=int, default=128, metavar="N", help="fmap_max in training")
    parser.add_argument("--batch", type=int, default=8, metavar="N", help="pictures at a time")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="turns that are timed")
    parser.add_argument("--output", default=str(RESULTS), metavar="FILE", help="where the JSON goes")
    parser.add_argument("--memory-of", choices=["plain", "float32", "bf16"], help="print one version's memory, and end")
    flags = parser.parse_args(argv)
    if flags.memory_of:
        print(memory_of(flags.memory_of, flags.image_size, flags.width))
        return 0
    keep_memory()
    device = pick_device()
    peak = peaks(device.type)
    found = {"machine": describe(), "peak_gflops": peak}
    for batch in (1, flags.batch):
        found[f"images_{batch}"] = measure_images(flags.image_size, flags.width, batch, flags.rounds, device)
        print_table(f"G, {flags.image_size}x{flags.image_size}, batch {batch}", found[f"images_{batch}"], peak)
    if device.type == "cpu":
        print("\nmemory of the whole process for one picture")
        found["memory_gb"] = measure_memory(flags.image_size, flags.width)
    size = flags.training_size
    found["training"] = measure_training(size, flags.training_width, flags.batch, flags.rounds, device, peak)
    write_results(flags.output, found)
    return 0


if __name__ == "__main__":
    run(main)
