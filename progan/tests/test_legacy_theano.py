"""Networks of the Theano release: what becomes of them is compared with the golden file in test_legacy.py; here is what
has no counterpart, and what is damaged."""

from __future__ import annotations

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from conftest import golden_file

from legacy import CLASSES, build, read_networks
from legacy_theano import convert
from shared_scripts.cli import UserError
from shared_scripts.restricted_pickle import load_restricted


@pytest.fixture(scope="module")
def states() -> list[dict]:
    """The states of G, D and Gs in the golden file."""
    return [network.state for network in load_restricted(golden_file("theano-celebahq-16.pkl"), CLASSES)]


def with_kwargs(state: dict, **kwargs) -> dict:
    changed = deepcopy(state)
    changed["build_func_spec"] |= kwargs
    return changed


def test_what_it_becomes(states):
    G, D = convert(states[0], "G"), convert(states[1], "D")
    assert (G.kind, G.name, D.kind, D.name) == ("G", "G_paper", "D", "D_paper")
    assert not G.options["fused_scale"] and not D.options["fused_scale"] and D.options["mbstd_group_size"] == 16
    assert G.options["latent_size"] == 16 and G.options["use_wscale"] and not G.build_module_src
    assert list(G.variables)[:6] == [
        "lod", "4x4/Dense/weight", "4x4/Dense/bias", "4x4/Conv/weight", "4x4/Conv/bias", "ToRGB_lod2/weight"
    ]  # fmt: skip


def test_the_arguments_may_stand_in_a_dict_of_their_own(states):
    changed = deepcopy(states[0])
    spec = changed["build_func_spec"]
    changed["build_func_spec"] = {"func": "G_progressive_8", "kwargs": {k: v for k, v in spec.items() if k != "func"}}
    assert convert(changed, "G").options == convert(states[0], "G").options


def test_widths_that_are_not_said_are_measured(states):
    changed = deepcopy(states[0])
    for name in ("fmap_base", "fmap_decay", "fmap_max", "num_channels", "resolution", "latent_size", "use_wscale"):
        changed["build_func_spec"].pop(name)
    found = convert(changed, "G")
    assert (found.options["fmap_base"], found.options["fmap_max"], found.options["resolution"]) == (64, 16, 16)
    assert found.options["num_channels"] == 3 and found.parameters == convert(states[0], "G").parameters


def test_without_scales_weights_are_taken_as_they_are(states):
    changed = deepcopy(states[0])
    arrays = changed["param_values"]
    changed["param_values"] = [a * arrays[i + 1] if i % 3 == 0 else a for i, a in enumerate(arrays) if i % 3 != 1]
    found, other = convert(changed, "G"), convert(states[0], "G")
    assert not found.options["use_wscale"]
    he = math.sqrt(2 / (16 * 9))
    for name, factor in (("8x8/Conv0/weight", he), ("ToRGB_lod1/weight", 1 / 4), ("4x4/Dense/weight", 2**0.5 / 16)):
        assert np.allclose(found.variables[name], other.variables[name] * factor, rtol=1e-5)
    latents = torch.randn(2, 16)
    with torch.no_grad():
        assert (build(found)(latents) - build(other)(latents)).abs().max() < 1e-4


@pytest.mark.parametrize(
    "number, kwargs, text",
    [
        (0, {"label_size": 10}, "label_size=10"),
        (0, {"use_batchnorm": True}, "use_batchnorm=True"),
        (0, {"tanh_at_end": 1.0}, "tanh_at_end=1.0"),
        (1, {"use_layernorm": True}, "use_layernorm=True"),
        (1, {"mbdisc_kernels": 5}, "mbdisc_kernels=5"),
        (1, {"mbstat_func": "other"}, "mbstat_func='other'"),
        (1, {"mbstat_avg": "flat"}, "mbstat_avg='flat'"),
        (1, {"mbstat_avg": None}, "mbstat_avg=None"),
        (0, {"func": "G_other"}, "of an unknown kind"),
        (0, {"func": ["G_paper"]}, "of an unknown kind"),
        (0, {"fmap_max": [1]}, "is damaged"),
        (0, {"use_batchnorm": np.zeros(2)}, "is damaged"),
        (0, {"fmap_max": 9}, "has the shape"),
    ],
)
def test_what_has_no_counterpart(states, number, kwargs, text):
    with pytest.raises(UserError) as caught:
        convert(with_kwargs(states[number], **kwargs), "G in x.pkl")
    assert text in str(caught.value) and "G in x.pkl" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.pop("param_values"),
        lambda s: s.pop("build_func_spec"),
        lambda s: s["param_values"].pop(),
        lambda s: s["param_values"].pop(0),
        lambda s: s["param_values"].clear(),
        lambda s: s["param_values"].append(np.zeros(1)),
        lambda s: s["param_values"].__setitem__(0, np.zeros((4, 4))),
        lambda s: s["param_values"].__setitem__(0, np.zeros((0, 0, 4, 4))),
        lambda s: s["param_values"].__setitem__(1, np.zeros(2)),
        lambda s: s["param_values"].__setitem__(2, np.zeros(2)),
        lambda s: s["param_values"].__setitem__(3, "text"),
        lambda s: s["param_values"].reverse(),
        lambda s: s["toplevel_params"].update(cur_lod="much"),
        lambda s: s["toplevel_params"].update(cur_lod=np.zeros(3)),
    ],
)
@pytest.mark.parametrize("number", [0, 1])
def test_damaged(states, number, change):
    changed = deepcopy(states[number])
    change(changed)
    with pytest.raises(UserError) as caught:
        convert(changed, "G in x.pkl")
    assert "\n" not in str(caught.value)


def test_a_lod_that_is_not_said_is_the_last(states):
    changed = deepcopy(states[0])
    del changed["toplevel_params"]
    assert convert(changed, "G").lod == 0
    changed["toplevel_params"] = {"cur_lod": np.array([1.5], np.float32)}
    assert convert(changed, "G").lod == 1.5


def test_the_published_files_are_these_networks_exported_again():
    old = read_networks(golden_file("theano-celebahq-16.pkl")).Gs
    new = read_networks(golden_file("published-style-celebahq-16.pkl")).Gs
    assert old.options == new.options
    assert all(np.allclose(value, new.variables[name], rtol=1e-6, atol=0) for name, value in old.variables.items())
