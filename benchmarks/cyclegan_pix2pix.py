#!/usr/bin/env python3
"""How fast cyclegan_pix2pix is here: `make bench`, or `python benchmarks/cyclegan_pix2pix.py`.

resnet_9blocks and unet_256 over a 256x256 picture, and a CycleGAN step at 128 px, each against a straightforward
version: the same network as PyTorch gives it, float32, NCHW, torch's own instance norm and Adam. The versions take
turns, and the fastest time of each counts. Arithmetic is compared with what convolutions reach in the same minute.
"""

from __future__ import annotations

import argparse
import copy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "cyclegan_pix2pix"))
RESULTS = Path(__file__).resolve().parent / "results" / "cyclegan_pix2pix.json"

import torch  # noqa: E402
from machine import describe, peaks  # noqa: E402
from torch import nn  # noqa: E402
from turns import psnr, take_turns, write_results  # noqa: E402
from versions import count_gflop, print_table, rows, synchronized  # noqa: E402

from models import find_model  # noqa: E402
from networks import convert_convolutions, define_G  # noqa: E402
from options import parse  # noqa: E402
from pixels import tensor_to_image  # noqa: E402
from shared_scripts.cli import ArgumentParser, run  # noqa: E402
from shared_scripts.devices import pick_device  # noqa: E402
from shared_scripts.images import fit  # noqa: E402
from shared_scripts.instance_norm import InstanceNorm  # noqa: E402
from shared_scripts.memory import keep_memory  # noqa: E402
from shared_scripts.samples import sample_photo  # noqa: E402

FORMATS = {"float32": torch.float32, "bf16": torch.bfloat16}


def with_torchs_norms(network: nn.Module) -> nn.Module:
    """The network with PyTorch's own instance norm in place of ours."""
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, InstanceNorm):
                setattr(module, name, nn.InstanceNorm2d(child.channels))
    return network.to(memory_format=torch.contiguous_format)


def photograph(size: int, device: torch.device) -> torch.Tensor:
    """(1, 3, size, size) in [-1, 1]."""
    pixels = torch.from_numpy(fit(sample_photo("china"), size, size)).to(device)
    return pixels.permute(2, 0, 1)[None] / 127.5 - 1


# --- a picture ----------------------------------------------------------------------------------------------------


def measure_generator(netG: str, norm: str, size: int, rounds: int, device: torch.device) -> dict:
    """Seconds of each version, GFLOP, and how far the pictures are from the straightforward one's."""
    torch.manual_seed(0)
    network = define_G(3, 3, 64, netG, norm, use_dropout=norm == "batch").to(device).requires_grad_(False)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    x = photograph(size, device)
    versions = {"straightforward": (with_torchs_norms(copy.deepcopy(network)), torch.float32)}
    for name, dtype in FORMATS.items():
        own = convert_convolutions(copy.deepcopy(network), dtype).to(memory_format=torch.channels_last)
        versions[name] = (own, dtype)

    def translate(name: str) -> torch.Tensor:
        own, dtype = versions[name]
        with torch.inference_mode(), torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            return own(x)

    pictures = {name: tensor_to_image(translate(name)) for name in versions}
    seconds = take_turns({n: synchronized(lambda n=n: translate(n), device) for n in versions}, rounds)
    gflop = count_gflop(lambda: translate("float32"))
    return rows(
        seconds,
        dict.fromkeys(versions, gflop),
        {name: psnr(pictures[name], pictures["straightforward"]) for name in versions},
    )


# --- a training step ----------------------------------------------------------------------------------------------


def make_model(size: int, dtype: torch.dtype, straightforward: bool, device: torch.device):
    """A CycleGAN with the default flags, all of ours or none of it."""
    opt: argparse.Namespace = parse(
        ["--dataroot", ".", "--model", "cycle_gan", "--crop_size", str(size)], is_train=True
    )
    opt.torch_device, opt.dtype, opt.first_epoch = device, dtype, 1
    opt.memory_format = torch.contiguous_format if straightforward else torch.channels_last
    model = find_model("cycle_gan")(opt)
    if straightforward:
        for name in model.model_names:
            with_torchs_norms(model.net(name))
        for name, optimizer in model.optimizers.items():
            model.optimizers[name] = torch.optim.Adam(optimizer.param_groups[0]["params"], opt.lr, (opt.beta1, 0.999))
    return model


def measure_step(size: int, rounds: int, device: torch.device) -> dict:
    """Seconds of a CycleGAN step of each version, batch 1, and its GFLOP."""
    photo = photograph(size, device)
    batch = {"A": photo, "B": photo.flip(3), "A_paths": [""], "B_paths": [""]}
    models = {"straightforward": make_model(size, torch.float32, True, device)}
    models |= {name: make_model(size, dtype, False, device) for name, dtype in FORMATS.items()}

    def step(name: str) -> None:
        models[name].set_input(batch)
        models[name].optimize_parameters()

    gflop = count_gflop(lambda: step("straightforward"))
    seconds = take_turns({name: synchronized(lambda name=name: step(name), device) for name in models}, rounds)
    return rows(seconds, dict.fromkeys(models, gflop), {})


# --- all of it ---------------------------------------------------------------------------------------------------


def main(argv: list[str] | None = None) -> int:
    """Measure, print tables, write the JSON."""
    parser = ArgumentParser(description="Measure how fast cyclegan_pix2pix is on this machine.")
    parser.add_argument("--size", type=int, default=256, metavar="PX", help="side of the pictures (a multiple of 256)")
    parser.add_argument("--training-size", type=int, default=128, metavar="PX", help="side of the crops in training")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="turns that are timed")
    parser.add_argument("--output", default=str(RESULTS), metavar="FILE", help="where the JSON goes")
    flags = parser.parse_args(argv)
    keep_memory()
    device = pick_device()
    peak = peaks(device.type)
    found = {"machine": describe(), "peak_gflops": peak}
    for netG, norm in (("resnet_9blocks", "instance"), ("unet_256", "batch")):
        found[netG] = measure_generator(netG, norm, flags.size, flags.rounds, device)
        print_table(f"{netG}, {flags.size}x{flags.size}", found[netG], peak)
    found["cycle_gan_step"] = measure_step(flags.training_size, flags.rounds, device)
    print_table(f"CycleGAN step, {flags.training_size}x{flags.training_size}", found["cycle_gan_step"], peak)
    write_results(flags.output, found)
    return 0


if __name__ == "__main__":
    run(main)
