"""State dicts: names put right, and what does not fit told."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from shared_scripts.cli import UserError
from shared_scripts.weights import broken, plain_names, put_into


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def nothing_may_lack(name: str) -> bool:
    return False


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_wrappers_add_is_taken_off(prefix, wrapped):
    state = {f"{prefix}{name}": value for name, value in network().state_dict().items()}
    assert list(plain_names({"state_dict": state} if wrapped else state, "x")) == list(network().state_dict())


@pytest.mark.parametrize("state", [{}, [], {"a": 1}, {"a": torch.zeros(1), "epoch": 3}, torch.zeros(2)])
def test_what_is_no_state_dict_is_told(state):
    with pytest.raises(UserError, match="x.pth holds no network's weights"):
        plain_names(state, "x.pth")


def test_weights_are_laid_in():
    a, b = network(), network()
    put_into(a, b.state_dict(), "b", nothing_may_lack)
    assert torch.equal(a[0].weight, b[0].weight)
    lacking = {name: value for name, value in b.state_dict().items() if "num_batches" not in name}
    with pytest.raises(
        UserError, match=r"b does not fit the network: of the file's tensors 1 missing \(such as 1.num_b"
    ):
        put_into(a, lacking, "b", nothing_may_lack)
    put_into(a, lacking, "b", lambda name: name.endswith("num_batches_tracked"))


def test_what_does_not_fit_is_told_with_an_example():
    weights = network().state_dict()
    with pytest.raises(UserError, match=r"1 missing \(such as 0.bias\) and 1 unknown \(such as 0.bios\)"):
        renamed = {name.replace("0.bias", "0.bios"): value for name, value in weights.items()}
        put_into(network(), renamed, "x", nothing_may_lack)
    with pytest.raises(UserError, match=r"0.weight is \(3, 4\) in the file and \(3, 2\) in the network"):
        put_into(network(), weights | {"0.weight": torch.zeros(3, 4)}, "x", nothing_may_lack)


def test_weights_that_are_no_numbers_are_found():
    good, bad = network(), network()
    bad[0].bias.data[1] = float("nan")
    assert broken({"G": good, "D": bad}) == ["D"]
    bad[0].bias.data[1] = 0
    bad[1].running_var[0] = float("inf")
    assert broken({"G": good, "D": bad}) == ["D"] and broken({"G": good}) == []
