"""What all models share: their networks, optimisers and learning rates, and how these are saved and read."""

from __future__ import annotations

import argparse
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

import legacy
import networks
from image_pool import ImagePool
from schedules import Plateau, rate_factor
from shared_scripts import distributed
from shared_scripts.checkpoints import save_state
from shared_scripts.cli import UserError
from shared_scripts.weights import broken


class BaseModel(ABC):
    """A model: `set_input`, `forward`, and for training `optimize_parameters`.

    A subclass fills these lists in its __init__: `loss_names` (the number behind "G_L1" is `self.loss_G_L1`),
    `visual_names` (names of attributes that are pictures, (N, C, H, W) in [-1, 1]), `model_names` (the network behind
    "G" is `self.netG`, its file `latest_net_G.pth`), and for training `optimizers`, by name.
    """

    def __init__(self, opt: argparse.Namespace):
        self.opt, self.isTrain = opt, opt.isTrain
        self.device: torch.device = opt.torch_device
        self.folder = Path(opt.checkpoints_dir) / opt.name
        self.loss_names: list[str] = []
        self.visual_names: list[str] = []
        self.model_names: list[str] = []
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        self.pools: dict[str, ImagePool] = {}
        self.image_paths: list[str] = []
        self.plateau: Plateau | None = None

    @staticmethod
    def modify_commandline_options(parser: argparse.ArgumentParser, is_train: bool) -> argparse.ArgumentParser:
        """Add this model's own flags, and change the defaults of others."""
        return parser

    @staticmethod
    def generators(opt: argparse.Namespace) -> tuple[str, ...]:
        """The names of the generators: their files tell the architecture (the second one maps backwards)."""
        return ("G",)

    # --- what a model does ----------------------------------------------------------------------------------------

    @abstractmethod
    def set_input(self, input: dict) -> None:
        """Take a batch from the loader."""

    @abstractmethod
    def forward(self) -> None:
        """Run the generators."""

    @abstractmethod
    def optimize_parameters(self) -> None:
        """One training step."""

    def take_pair(self, input: dict) -> tuple[Tensor, Tensor]:
        """The batch's A and B, (N, C, H, W) each, on the device; --direction BtoA swaps them."""
        a, b = ("A", "B") if self.opt.direction == "AtoB" else ("B", "A")
        if "A" not in input or "B" not in input:
            raise UserError(
                f"--model {self.opt.model} needs an A and a B, and --dataset_mode {self.opt.dataset_mode} has one of "
                "them: leave --dataset_mode out, or say --model test"
            )
        self.image_paths = input[f"{a}_paths"]
        return input[a].to(self.device), input[b].to(self.device)

    def compute_visuals(self) -> None:  # noqa: B027  (most models have none)
        """Make further pictures to show; called only when they will be shown."""

    def autocast(self) -> torch.autocast:
        """Convolutions inside run in the precision of --precision; outside, and with float32, nothing changes."""
        return torch.autocast(self.device.type, self.opt.dtype, enabled=self.opt.dtype != torch.float32)

    def test(self) -> None:
        """Run the generators without training them."""
        with torch.inference_mode():
            self.forward()
            self.compute_visuals()

    def get_image_paths(self) -> list[str]:
        """The files the current pictures came from."""
        return self.image_paths

    def get_current_visuals(self) -> OrderedDict[str, Tensor]:
        """The current pictures by name, in the order they are shown: tensors, or (H, W, 3) uint8."""
        return OrderedDict((name, getattr(self, name)) for name in self.visual_names)

    def get_current_losses(self) -> OrderedDict[str, float]:
        """The current losses by name, in the order they are printed."""
        values = ((name, getattr(self, f"loss_{name}")) for name in self.loss_names)
        return OrderedDict(
            (name, float(value.detach() if isinstance(value, Tensor) else value)) for name, value in values
        )

    # --- networks -------------------------------------------------------------------------------------------------

    def make_generator(self, input_nc: int, output_nc: int) -> nn.Module:
        """A generator by the flags, on the device."""
        o = self.opt
        network = networks.define_G(
            input_nc, output_nc, o.ngf, o.netG, o.norm, not o.no_dropout, o.init_type, o.init_gain
        )
        return self.place(network)

    def make_discriminator(self, input_nc: int) -> nn.Module:
        """A discriminator by the flags, on the device."""
        o = self.opt
        return self.place(networks.define_D(input_nc, o.ndf, o.netD, o.n_layers_D, o.norm, o.init_type, o.init_gain))

    def place(self, network: nn.Module) -> nn.Module:
        """The network on the device, in the memory layout that is fastest for it. One that is not to learn has the
        weights of its convolutions in the precision of --precision."""
        if not self.isTrain:
            networks.convert_convolutions(network, self.opt.dtype)
        return network.to(self.device, memory_format=self.opt.memory_format)

    def net(self, name: str) -> nn.Module:
        """The network `name`, as it is called."""
        return getattr(self, f"net{name}")

    def bare_net(self, name: str) -> nn.Module:
        """The network `name` without what spreads it over GPUs or processes: for its weights, and while frozen."""
        return distributed.bare(self.net(name))

    def networks_text(self, verbose: bool = False) -> str:
        """The networks and their sizes as the reference prints them, with `verbose` layer by layer."""
        lines = ["---------- Networks initialized -------------"]
        for name in self.model_names:
            network = self.bare_net(name)
            millions = networks.count_parameters(network) / 1e6
            lines += [str(network)] * verbose + [f"[Network {name}] Total number of parameters : {millions:.3f} M"]
        return "\n".join([*lines, "-----------------------------------------------"])

    def set_requires_grad(self, names: Iterable[str], value: bool) -> None:
        """Freeze networks (False), so that no gradient is computed that no optimiser uses, or thaw them."""
        for name in names:
            self.bare_net(name).requires_grad_(value)

    def eval(self) -> None:
        """Running statistics instead of the picture's own, no dropout: test.py --eval."""
        for name in self.model_names:
            self.net(name).eval()

    def parallelize(self, gpu_ids: list[int]) -> None:
        """Spread over the GPUs of one process, or over the processes that torchrun started."""
        for name in self.model_names:
            setattr(self, f"net{name}", distributed.spread(self.net(name), self.device, gpu_ids))

    # --- training -------------------------------------------------------------------------------------------------

    def make_adam(self, name: str, *network_names: str) -> None:
        """One Adam over the parameters of some networks, as `self.optimizers[name]`."""
        parameters = [p for network in network_names for p in self.bare_net(network).parameters()]
        fused = self.device.type in ("cpu", "cuda")  # one pass over the memory instead of a dozen
        self.optimizers[name] = torch.optim.Adam(parameters, self.opt.lr, (self.opt.beta1, 0.999), fused=fused)

    def set_rate(self, epoch: int) -> float:
        """Set the learning rate for an epoch, and return it."""
        o = self.opt
        if o.lr_policy == "plateau":
            self.plateau = self.plateau or Plateau(o.lr)
            rate = self.plateau.rate
        else:
            rate = o.lr * rate_factor(
                epoch, o.lr_policy, o.n_epochs, o.n_epochs_decay, o.lr_decay_iters, o.first_epoch, o.lr_era
            )
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = rate
        return rate

    def end_epoch(self, metric: float) -> None:
        """Tell the plateau policy how the epoch went."""
        if self.plateau:
            self.plateau.step(metric)

    # --- files ----------------------------------------------------------------------------------------------------

    def file(self, epoch: str, name: str) -> Path:
        """Where a network is saved."""
        return self.folder / f"{epoch}_net_{name}.pth"

    def weights(self, name: str) -> OrderedDict[str, Tensor]:
        """A network's state_dict with the reference's names, on the CPU."""
        return OrderedDict((key, value.detach().cpu()) for key, value in self.bare_net(name).state_dict().items())

    def broken_networks(self) -> list[str]:
        """The names of the networks with numbers in them that are none any more (inf, nan)."""
        return broken({name: self.bare_net(name) for name in self.model_names})

    def save_networks(self, epoch: str | int) -> None:
        """Write every network to `{epoch}_net_NAME.pth`, each whole or not at all."""
        for name in self.model_names:
            save_state(self.file(str(epoch), name), self.weights(name))

    def load_networks(self, epoch: str | int) -> None:
        """Read every network, in any layout that the reference ever wrote. UserError naming what does not fit."""
        for name in self.model_names:
            legacy.load_into(self.bare_net(name), self.file(str(epoch), name))

    def state_dict(self) -> dict:
        """What a resumed run needs of the model: networks, optimisers, schedule; and beside it `pools_state`."""
        return {
            "networks": {name: self.weights(name) for name in self.model_names},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "plateau": self.plateau.state_dict() if self.plateau else None,
        }

    def pools_state(self) -> dict:
        """The image pools: each process of a distributed run has its own."""
        return {name: pool.state_dict() for name, pool in self.pools.items()}

    def load_state_dict(self, state: dict) -> None:
        """Put back what `state_dict` gave. UserError where it belongs to another architecture."""
        for name in self.model_names:
            legacy.put_into(self.bare_net(name), state["networks"][name], f"the saved training's network {name}")
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        if state["plateau"]:
            self.plateau = Plateau(self.opt.lr)
            self.plateau.load_state_dict(state["plateau"])

    def load_pools(self, pools: dict) -> None:
        """Put back what `pools_state` gave."""
        for name, pool in self.pools.items():
            pool.load_state_dict(pools[name], self.device)
