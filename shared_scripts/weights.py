"""State dicts of any age: their names put right, laid into a network, or told in one line why they do not fit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from torch import Tensor, nn

from shared_scripts.cli import UserError

PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and of torch.compile
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
Weights = dict[str, Tensor]


def plain_names(state: object, what: str) -> Weights:
    """A state_dict, perhaps wrapped in another dictionary, without the prefixes that wrappers put before its names.

    UserError where it is none.
    """
    if isinstance(state, dict) and "state_dict" in state and isinstance(state["state_dict"], dict):
        state = state["state_dict"]  # as some forks wrap it
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{what} holds no network's weights (a state_dict)")
    return OrderedDict((without_prefix(str(name)), value) for name, value in state.items())


def without_prefix(name: str) -> str:
    """The name without what DataParallel and torch.compile put before it, once or several times."""
    for prefix in PREFIXES * 2:
        name = name.removeprefix(prefix)
    return name


def put_into(network: nn.Module, weights: Weights, what: str, may_lack: Callable[[str], bool]) -> None:
    """Give a network its weights; those that `may_lack` says yes to stay as they are where the file has none of them.

    UserError where names or shapes differ.
    """
    own = network.state_dict()
    missing = [name for name in own if name not in weights and not may_lack(name)]
    extra = [name for name in weights if name not in own]
    differing = [name for name in own if name in weights and own[name].shape != weights[name].shape]
    if missing or extra or differing:
        raise UserError(f"{what} does not fit the network: {misfit(missing, extra, differing, own, weights)}")
    network.load_state_dict(weights, strict=False)


def misfit(missing: list[str], extra: list[str], differing: list[str], own: Weights, weights: Weights) -> str:
    """What does not fit, with one example."""
    if differing:
        name = differing[0]
        return f"{name} is {tuple(weights[name].shape)} in the file and {tuple(own[name].shape)} in the network"
    found = [
        f"{len(names)} {word} (such as {names[0]})"
        for word, names in (("missing", missing), ("unknown", extra))
        if names
    ]
    return "of the file's tensors " + " and ".join(found)


def broken(networks: dict[str, nn.Module]) -> list[str]:
    """The names of the networks with numbers in them that are none any more (inf, nan)."""
    return [
        name
        for name, network in networks.items()
        if not all(bool(value.isfinite().all()) for value in network.state_dict().values())
    ]
