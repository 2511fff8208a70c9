"""Trained networks in files of every age, read safely; and the small command that converts and shows them.

    python legacy.py show network-final.pkl
    python legacy.py convert karras2018iclr-celebahq-1024x1024.pkl celebahq.safetensors --only Gs

What there is: pickles of the TensorFlow release (all published networks), pickles of the Theano release before it,
genforce's .pth files, and our .safetensors. Nothing in a file is executed, though pickles of the first two kinds
bring the Python text that once built them.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import nn

import legacy_theano
import legacy_torch
from pickle_writer import write_pickle
from shared_scripts.checkpoints import load_safetensors
from shared_scripts.checkpoints import save_safetensors as save_tensors
from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.files import check_writable, resolve_path
from shared_scripts.restricted_pickle import NUMPY, Damaged, load_restricted, printable
from stored import NAMES, StoredNetwork, build, from_state_dict, kind_of, store, to_state_dict

__all__ = [
    "Networks", "StoredNetwork", "build", "from_state_dict", "read_networks", "save_safetensors", "to_state_dict",
    "write_pickle",
]  # fmt: skip

TORCH = (b"PK\x03\x04", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")  # how files of PyTorch, new and old, begin
PLAIN = (int, float, str, type(None))  # what the reference's arguments are; forks add others
FORMAT = "progan"  # in the description of our .safetensors files


class Networks(NamedTuple):
    """The three networks of a file: generator, discriminator, and the generator averaged over the training, by which
    pictures are made. What a file does not have is None."""

    G: StoredNetwork | None
    D: StoredNetwork | None
    Gs: StoredNetwork | None

    @property
    def best(self) -> StoredNetwork | None:
        """The generator to make pictures with."""
        return self.Gs or self.G


# ---- reading --------------------------------------------------------------------------------------------------------


def read_networks(path: str | Path) -> Networks:
    """The networks in a file of any kind, told by its contents. A network that stands alone is taken for Gs (or D).

    Raises UserError, in one line, where it is missing, damaged, would execute something, or holds something else.
    """
    path = resolve_path(path)
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    with open(path, "rb") as file:
        start = file.read(32)
    if path.suffix == ".safetensors" or start[8:9] == b"{":
        return read_safetensors(path)
    if start.startswith(TORCH):
        found = legacy_torch.read(path)
        return Networks(found.get("G"), found.get("D"), found.get("Gs"))
    return read_pickle(path)


class PickledNetwork:
    """Stands for `tfutil.Network`: keeps the state, and does nothing."""

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict):
            raise Damaged("a network without a state")
        self.state = state


class TheanoNetwork(PickledNetwork):
    """Stands for `network.Network` of the Theano release."""


CLASSES = {**NUMPY, ("tfutil", "Network"): PickledNetwork, ("network", "Network"): TheanoNetwork}


def build_best(path: Path) -> nn.Module:
    """The generator of a file by which pictures are made, the averaged one or the only one, on the CPU.

    UserError where there is none.
    """
    stored = read_networks(path).best
    if stored is None:
        raise UserError(f"{path} holds no generator")
    return build(stored)


def read_pickle(path: Path) -> Networks:
    """The networks of a pickle of the TensorFlow or the Theano release."""
    found = load_restricted(path, CLASSES)
    if isinstance(found, PickledNetwork):
        stored = convert(found, str(path))
        return Networks(None, stored, None) if stored.kind == "D" else Networks(None, None, stored)
    if not isinstance(found, (tuple, list)) or len(found) != 3:
        raise UserError(f"{path} holds no networks, but something else")
    stored = [read_one(network, f"{name} in {path}") for name, network in zip(Networks._fields, found, strict=True)]
    if all(network is None for network in stored):
        raise UserError(f"{path} holds no networks")
    for name, network in zip(Networks._fields, stored, strict=True):
        if network and network.kind != name[0]:
            raise UserError(f"{path} is damaged: its {name} is a {NAMES[network.kind]}")
    return Networks(*stored)


def read_one(network: object, what: str) -> StoredNetwork | None:
    """One of the three."""
    return None if network is None else convert(network, what)


def convert(network: object, what: str) -> StoredNetwork:
    """A pickled network as a StoredNetwork."""
    state = getattr(network, "state", None)
    if not isinstance(network, PickledNetwork) or state is None:
        raise UserError(f"{what} is no network")
    return legacy_theano.convert(state, what) if isinstance(network, TheanoNetwork) else convert_tensorflow(state, what)


def convert_tensorflow(state: Mapping, what: str) -> StoredNetwork:
    """A network of the TensorFlow release."""
    name, source, kwargs = state.get("name", ""), state.get("build_module_src", ""), state.get("static_kwargs", {})
    kinds = isinstance(name, str) and isinstance(source, str) and isinstance(kwargs, dict)
    if not kinds or not all(isinstance(key, str) for key in kwargs):
        raise UserError(f"{what} is damaged: its description makes no sense")
    kwargs = {key: value.item() if isinstance(value, np.generic) else value for key, value in kwargs.items()}
    variables = variables_of(state.get("variables"), what)
    stored = store(kind_of(variables, what), kwargs, variables, what, name, source)
    stored.static_kwargs = {key: value for key, value in kwargs.items() if isinstance(value, PLAIN)}
    if stored.kind == "G" and is_before_release(source):
        modernise(stored)
    return stored


def variables_of(pairs: object, what: str) -> dict[str, np.ndarray]:
    """The variables of a pickled network by their names."""
    fine = isinstance(pairs, (list, tuple)) and all(isinstance(p, (list, tuple)) and len(p) == 2 for p in pairs)
    fine = fine and all(
        isinstance(name, str) and isinstance(value, (np.ndarray, np.generic, float, int)) for name, value in pairs
    )
    if not fine:
        raise UserError(f"{what} is damaged: it has no variables")
    found = {name: np.asarray(value) for name, value in pairs}
    if len(found) != len(pairs):
        raise UserError(f"{what} is damaged: it has a variable twice")
    return found


def is_before_release(source: str) -> bool:
    """Whether the network is older than the TensorFlow release (April 2018), by the text that once built it.

    Its first layer had the same gain as the others, sqrt(2), in place of a quarter of it.
    """
    lines = [re.sub(r"\s", "", line) for line in source.splitlines()]
    lines = [line for line in lines if "dense(" in line and "nf(1)*16" in line]
    return bool(lines) and not any("sqrt(2)/4" in line for line in lines)


def modernise(stored: StoredNetwork) -> None:
    """Put the larger gain of a network from before the release into its weights; the text no longer fits them."""
    if stored.options["use_wscale"]:
        stored.variables["4x4/Dense/weight"] = stored.variables["4x4/Dense/weight"] * np.float32(4)
    stored.build_module_src = ""


# ---- our own files --------------------------------------------------------------------------------------------------


def save_safetensors(
    path: str | Path, G: StoredNetwork | None, D: StoredNetwork | None, Gs: StoredNetwork | None
) -> None:
    """Write networks as one .safetensors file: tensors `Gs.8x8.Conv1.weight` in PyTorch's layout, and the arguments
    as JSON. UserError where the disk or the folder refuses."""
    tensors, about = {}, {"format": FORMAT}
    for key, network in zip(Networks._fields, (G, D, Gs), strict=True):
        if network is None:
            continue
        tensors |= {f"{key}.{name}": value for name, value in to_state_dict(network).items()}
        about[key] = json.dumps(
            {
                "name": network.name,
                "options": network.options,
                "static_kwargs": network.static_kwargs,
                "build_module_src": network.build_module_src,
            }
        )
    save_tensors(path, tensors, about)


def read_safetensors(path: Path) -> Networks:
    """The networks of a file that `save_safetensors` wrote."""
    from safetensors import safe_open

    tensors = load_safetensors(path)  # first, for it explains what may be wrong with the file
    with safe_open(path, "pt") as file:
        about = file.metadata() or {}
    keys = [key for key in Networks._fields if key in about]
    if about.get("format") != FORMAT or not keys:
        raise UserError(f"{path} holds no networks of this project: it does not say how they are built")
    found = {key: read_description(about[key], f"{key} in {path}") for key in keys}
    for key, description in found.items():
        own = {name.removeprefix(f"{key}."): value for name, value in tensors.items() if name.startswith(f"{key}.")}
        found[key] = from_state_dict(own, key[0], **description, what=f"{key} in {path}")
    return Networks(*(found.get(key) for key in Networks._fields))


def read_description(text: str, what: str) -> dict[str, object]:
    """What a file says of a network, beside its weights."""
    try:
        description = json.loads(text)
        fields = {name: description[name] for name in ("name", "options", "static_kwargs", "build_module_src")}
    except (ValueError, KeyError, TypeError, RecursionError):
        fields = {}
    kinds = {"name": str, "options": dict, "static_kwargs": dict, "build_module_src": str}
    if not fields or not all(isinstance(value, kinds[name]) for name, value in fields.items()):
        raise UserError(f"{what} is damaged: its description makes no sense")
    return fields


# ---- the command ----------------------------------------------------------------------------------------------------


def describe(key: str, network: StoredNetwork) -> str:
    """A network in a few lines, for people."""
    options = network.options
    what = {"G": "generator", "D": "discriminator", "Gs": "averaged generator"}[key]
    size = f"{options['resolution']} x {options['resolution']}, {options['num_channels']} channels"
    labels = f", {options['label_size']} labels" if options["label_size"] else ""
    return (
        f"{key}: {what} {printable(network.name)!r}, {size}{labels}, "
        f"lod {network.lod:g}, {network.parameters:,} parameters\n    "
        + ", ".join(f"{name} {value}" for name, value in options.items())
    )


def show(path: Path) -> None:
    """Print what is in a file."""
    for key, network in read_networks(path)._asdict().items():
        print(f"{key}: not in this file" if network is None else describe(key, network))


def convert_file(source: Path, target: Path, only: str | None) -> None:
    """Write the networks of a file in the format that the other name says."""
    writers = {".pkl": write_pickle, ".safetensors": save_safetensors}
    if target.suffix not in writers:
        raise UserError(f"{target} should end in .pkl (the reference's format) or .safetensors")
    check_writable(target)
    networks = read_networks(source)
    if only and getattr(networks, only) is None:
        raise UserError(f"{source} holds no {only}")
    if only:
        networks = Networks(**{key: network if key == only else None for key, network in networks._asdict().items()})
    writers[target.suffix](target, *networks)
    lost = target.suffix == ".pkl" and not any(network and network.build_module_src for network in networks)
    note = " (weights only: TensorFlow code to build the networks was not in the source)" if lost else ""
    print(f"wrote {target}: {', '.join(key for key, network in networks._asdict().items() if network)}{note}")


def make_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(prog="legacy.py", description="Show and convert files of trained networks.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="show|convert")
    shower = commands.add_parser("show", help="print what is in a file")
    shower.add_argument("file", help=".pkl, .pth or .safetensors")
    converter = commands.add_parser("convert", help="write it in another format")
    converter.add_argument("file", help=".pkl, .pth or .safetensors")
    converter.add_argument("target", help=".safetensors, or .pkl for the reference's own format")
    converter.add_argument("--only", choices=Networks._fields, help="write only this network")
    return parser


def main(argv: list[str] | None = None) -> None:
    """The command; `argv` without the script's name."""
    opt = make_parser().parse_args(sys.argv[1:] if argv is None else argv)
    if opt.command == "show":
        show(resolve_path(opt.file))
    else:
        convert_file(resolve_path(opt.file), resolve_path(opt.target), opt.only)


if __name__ == "__main__":
    run(main)
