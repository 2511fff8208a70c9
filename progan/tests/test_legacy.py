"""Files of trained networks: of the TensorFlow release, our own, and from one to the other."""

from __future__ import annotations

import pickle
import pickletools
import sys
import types
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import golden_file, load_golden

import legacy
from legacy import (
    Networks,
    build,
    from_state_dict,
    main,
    read_networks,
    save_safetensors,
    to_state_dict,
    write_pickle,
)  # fmt: skip
from networks import Discriminator, Generator
from shared_scripts.cli import UserError, run
from stored import DEFAULTS, NAMES, StoredNetwork, shapes

FILES = {  # pickle: its .npz, the biggest relative difference of a weight
    "network-final-tf": ("network-final-tf", 0),
    "network-snapshot-000640": ("network-snapshot-000640", 0),
    "published-style-celebahq-16": ("theano-celebahq-16", 0),
    "theano-celebahq-16": ("theano-celebahq-16", 1e-6),
}


def read(name: str) -> Networks:
    return read_networks(golden_file(f"{name}.pkl"))


def assert_equal(a: Networks, b: Networks) -> None:
    """The same networks, to the bit, in the same order."""
    for one, other in zip(a, b, strict=True):
        assert list(one.variables) == list(other.variables)
        for name, value in one.variables.items():
            assert value.dtype == np.float32 and np.array_equal(value, other.variables[name])
        assert replace(one, variables={}) == replace(other, variables={})


@pytest.mark.parametrize("name", FILES)
def test_variables_are_the_references(name):
    golden, limit = FILES[name]
    arrays = load_golden(golden)
    for key, network in read(name)._asdict().items():
        wanted = {n.removeprefix(f"{key}/"): value for n, value in arrays.items() if n.startswith(f"{key}/")}
        assert list(network.variables) == list(wanted)
        for variable, value in wanted.items():
            found = network.variables[variable]
            assert found.shape == value.shape and found.dtype == np.float32
            assert np.abs(found - value).max() <= limit * np.abs(value).max(), variable
        assert network.kind == key[0] and network.lod == pytest.approx(float(wanted["lod"]))


@pytest.mark.parametrize("name", FILES)
def test_pictures_and_scores_are_the_references(name):
    arrays = load_golden(FILES[name][0])
    networks = read(name)
    latents = torch.from_numpy(arrays["z"])
    labels = torch.from_numpy(arrays["labels"]) if "labels" in arrays else None
    images = torch.from_numpy(arrays["img"])
    with torch.no_grad():
        for key in ("G", "Gs"):
            made = build(getattr(networks, key))(latents, labels)
            factor = arrays[f"{key}_images"].shape[-1] // made.shape[-1]
            made = made.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
            assert np.abs(made.numpy() - arrays[f"{key}_images"]).max() < 2e-5
        scores, logits = build(networks.D)(images)
    assert np.abs(scores.numpy() - arrays["D_scores"]).max() < 2e-5
    if "D_labels" in arrays:
        assert logits.shape[1] == 0 or np.abs(logits.numpy() - arrays["D_labels"]).max() < 2e-5


def test_arguments_not_in_the_file_have_the_references_defaults():
    networks = read("network-final-tf")
    assert networks.Gs.static_kwargs == {
        "num_channels": 3, "resolution": 16, "label_size": 0, "fmap_base": 64, "fmap_max": 16,
    }  # fmt: skip
    assert networks.G.options == DEFAULTS["G"] | networks.G.static_kwargs
    assert networks.D.options == DEFAULTS["D"] | networks.D.static_kwargs
    assert (networks.G.name, networks.D.name, networks.Gs.name) == ("G", "D", "Gs")


def test_published_networks_are_not_fused_and_have_large_groups():
    networks = read("published-style-celebahq-16")
    assert not networks.Gs.options["fused_scale"] and not networks.D.options["fused_scale"]
    assert networks.D.options["mbstd_group_size"] == 16 and networks.Gs.options["latent_size"] == 16
    assert networks.Gs.name == "G_paper"


def test_labels_and_lod():
    networks = read("network-snapshot-000640")
    assert networks.G.options["label_size"] == 3 == networks.D.options["label_size"]
    assert networks.Gs.options["pixelnorm_epsilon"] == 1e-4 and networks.best is networks.Gs
    assert build(networks.Gs).lod.item() == pytest.approx(1.4)


# ---- PyTorch's layout -----------------------------------------------------------------------------------------------

SETTINGS = [
    {},
    {"fused_scale": False, "use_wscale": False},
    {"latent_size": 5, "label_size": 3, "mbstd_group_size": 0},
    {"resolution": 4, "num_channels": 3, "fmap_decay": 0.5},
    {"use_pixelnorm": False, "use_leakyrelu": False, "normalize_latents": False, "pixelnorm_epsilon": 1e-4},
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("kind", ["G", "D"])
def test_to_pytorch_and_back(kind, settings):
    options = DEFAULTS[kind] | {"resolution": 16, "fmap_base": 64, "fmap_max": 8}
    options |= {name: value for name, value in settings.items() if name in options}
    network = {"G": Generator, "D": Discriminator}[kind](**options)
    with torch.no_grad():
        for value in network.parameters():
            value.normal_()
    stored = from_state_dict(network.state_dict(), kind, options)
    assert stored.options == options and {n: v.shape for n, v in stored.variables.items()} == shapes(kind, options)
    assert list(stored.variables) == list(shapes(kind, options)) and stored.parameters == sum(
        value.numel() for value in network.parameters()
    )
    again = to_state_dict(stored)
    assert list(again) == list(network.state_dict())
    assert all(torch.equal(value, again[name]) for name, value in network.state_dict().items())
    state = torch.random.get_rng_state()
    assert all(torch.equal(a, b) for a, b in zip(build(stored).parameters(), network.parameters(), strict=True))
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize(
    "kind, options, parameters",
    [
        ("G", {"resolution": 1024, "num_channels": 3}, 23_079_115),
        ("D", {"resolution": 1024, "num_channels": 3}, 23_087_249),
        ("G", {"resolution": 256, "num_channels": 3}, 23_044_309),
        ("D", {"resolution": 32, "num_channels": 3, "label_size": 10}, 20_731_915),
        ("G", {"resolution": 32, "num_channels": 3, "label_size": 10}, 20_801_548),
    ],
)
def test_numbers_of_parameters_are_the_papers(kind, options, parameters):
    found = shapes(kind, DEFAULTS[kind] | options)
    assert sum(int(np.prod(shape)) for name, shape in found.items() if name != "lod") == parameters


def test_weights_say_how_wide_a_network_is():
    stored = read("network-final-tf").Gs
    tensors = to_state_dict(stored)
    for wrong in ({}, {"resolution": 512, "num_channels": 1, "fused_scale": False, "label_size": 0}):
        found = from_state_dict(tensors, "G", wrong)
        assert {n: v.shape for n, v in found.variables.items()} == {n: v.shape for n, v in stored.variables.items()}


# ---- writing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("suffix", ["pkl", "safetensors"])
def test_written_networks_are_read_again(tmp_path, name, suffix):
    networks = read(name)
    path = tmp_path / f"again.{suffix}"
    {"pkl": write_pickle, "safetensors": save_safetensors}[suffix](path, *networks)
    found = read_networks(path)
    if suffix == "pkl" and name.startswith("theano"):  # had no text to build it, and the arguments of another program
        for network, again in zip(networks, found, strict=True):
            assert "no TensorFlow code" in again.build_module_src and again.static_kwargs == network.options
            network.static_kwargs, network.build_module_src = again.static_kwargs, again.build_module_src
    assert_equal(networks, found)


def test_what_we_write_asks_for_nothing_but_the_references_names(tmp_path):
    write_pickle(tmp_path / "x.pkl", *read("network-snapshot-000640"))
    texts, asked = [], set()
    for code, argument, _ in pickletools.genops((tmp_path / "x.pkl").read_bytes()):
        if code.name == "STACK_GLOBAL":
            asked.add(".".join(texts[-2:]))
        assert code.name not in ("GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4") and code.proto <= 4
        texts += [argument] if isinstance(argument, str) else []
    assert asked == {
        "tfutil.Network", "numpy.core.multiarray._reconstruct", "numpy.core.multiarray.scalar", "numpy.ndarray",
        "numpy.dtype",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["network-final-tf", "network-snapshot-000640", "published-style-celebahq-16"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # numpy's, about its own old name
def test_pythons_own_reader_finds_the_original_state(tmp_path, monkeypatch, name):
    """To the last detail: what the original's class would be given is what the original file gives it."""

    class Network:
        def __setstate__(self, state):
            self.state = state

    module = types.ModuleType("tfutil")
    module.Network = Network
    monkeypatch.setitem(sys.modules, "tfutil", module)
    write_pickle(tmp_path / "x.pkl", *read(name))
    ours = pickle.loads((tmp_path / "x.pkl").read_bytes(), encoding="latin1")
    theirs = pickle.loads(golden_file(f"{name}.pkl").read_bytes(), encoding="latin1")
    assert isinstance(ours, tuple)
    for a, b in zip(ours, theirs, strict=True):
        assert list(a.state) == list(b.state)
        assert {k: v for k, v in a.state.items() if k != "variables"} == {
            k: v for k, v in b.state.items() if k != "variables"
        }
        for (n, v), (m, w) in zip(a.state["variables"], b.state["variables"], strict=True):
            assert n == m and type(v) is type(w) and v.dtype == w.dtype and np.array_equal(v, w)
            assert not isinstance(v, np.ndarray) or v.flags.c_contiguous


def test_a_network_of_ours_gets_a_text_that_says_so(tmp_path):
    generator = from_state_dict(Generator(3, 8, fmap_base=32).state_dict(), "G", {"fmap_base": 32})
    write_pickle(tmp_path / "x.pkl", None, None, generator)
    found = read_networks(tmp_path / "x.pkl")
    assert found.G is None and found.D is None and found.Gs.options == generator.options == found.Gs.static_kwargs
    assert "NotImplementedError" in found.Gs.build_module_src
    compile(found.Gs.build_module_src, "text", "exec")


def test_large_numbers_and_strange_texts_survive(tmp_path):
    network = read("network-final-tf").Gs
    network.static_kwargs |= {"big": 2**31, "small": -5, "huge": -(2**70), "text": "é\n\ud800", "none": None, "x": 0.1}
    write_pickle(tmp_path / "x.pkl", None, None, network)
    assert read_networks(tmp_path / "x.pkl").Gs.static_kwargs == network.static_kwargs


@pytest.mark.parametrize("write", [write_pickle, save_safetensors])
def test_a_full_disk_leaves_the_old_file(tmp_path, full_disk, write):
    networks = read("network-final-tf")
    path = tmp_path / ("x.pkl" if write is write_pickle else "x.safetensors")
    path.write_text("old")
    with full_disk(20_000), pytest.raises(UserError, match="cannot write"):
        write(path, *networks)
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == [path.name]


# ---- other shapes of file -------------------------------------------------------------------------------------------


def as_original(path, *networks: StoredNetwork | None, tuple_of: int | None = 3, change=None) -> None:
    """A pickle of the original's class, by Python's own writer."""
    module = types.ModuleType("tfutil")
    module.Network = type("Network", (), {"__getstate__": lambda self: self.state, "__module__": "tfutil"})
    found = []
    for network in networks:
        state = {
            "version": 2, "name": network.name, "static_kwargs": network.static_kwargs,
            "build_module_src": network.build_module_src, "build_func_name": f"{network.kind}_paper",
            "variables": list(network.variables.items()),
        }  # fmt: skip
        one = module.Network()
        one.state = change(state) if change else state
        found.append(one)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "tfutil", module)
        path.write_bytes(pickle.dumps(tuple(found) if tuple_of else found[0], 4))


def test_a_network_that_stands_alone(tmp_path):
    networks = read("network-final-tf")
    as_original(tmp_path / "Gs.pkl", networks.Gs, tuple_of=None)
    as_original(tmp_path / "D.pkl", networks.D, tuple_of=None)
    alone, judge = read_networks(tmp_path / "Gs.pkl"), read_networks(tmp_path / "D.pkl")
    assert alone.G is None and alone.D is None and alone.best.parameters == networks.Gs.parameters
    assert judge.D.parameters == networks.D.parameters and judge.best is None


@pytest.mark.parametrize(
    "line, factor",
    [
        ("            x = dense(x, fmaps=nf(1)*16, gain=np.sqrt(2)/4, use_wscale=use_wscale)", 1),
        ("            x = dense(x, fmaps=nf(1) * 16, gain=np.sqrt(2) / 4)", 1),
        ("            x = dense(x, fmaps=nf(1)*16, use_wscale=use_wscale)", 4),
        ("            x = dense(x, fmaps=nf(1)*16, gain=np.sqrt(2), use_wscale=use_wscale)", 4),
        ("no such line", 1),
    ],
)
def test_networks_from_before_the_release_had_another_gain(tmp_path, line, factor):
    networks = read("network-final-tf")
    for network in networks:
        network.build_module_src = f"def G_paper():\n{line}\n    raise RuntimeError\n"
    as_original(tmp_path / "x.pkl", *networks)
    found = read_networks(tmp_path / "x.pkl")
    for name, value in networks.Gs.variables.items():
        times = factor if name == "4x4/Dense/weight" else 1
        assert np.array_equal(found.Gs.variables[name], value * times)
    assert found.D.build_module_src == networks.D.build_module_src
    assert (found.Gs.build_module_src == "") == (factor == 4)
    write_pickle(tmp_path / "y.pkl", *found)  # and the gain is not put in a second time
    assert_equal(Networks(found.D, found.D, found.D), Networks(*[read_networks(tmp_path / "y.pkl").D] * 3))
    again = read_networks(tmp_path / "y.pkl").Gs.variables["4x4/Dense/weight"]
    assert np.array_equal(again, found.Gs.variables["4x4/Dense/weight"])


def test_variables_in_another_order_and_format(tmp_path):
    """The graph of structure='recursive' lists the layers to colours last; names count, not places."""
    networks = read("network-final-tf")

    def change(state: dict) -> dict:
        pairs = sorted(state["variables"], key=lambda pair: "RGB" in pair[0])
        kwargs = {name: np.int64(value) for name, value in state["static_kwargs"].items()}
        kwargs |= {"dtype": "float32", "structure": "recursive", "unknown": 3, "forks": [1, 2]}
        return state | {"variables": [(n, v.astype(">f8")) for n, v in reversed(pairs)], "static_kwargs": kwargs}

    as_original(tmp_path / "x.pkl", *networks, change=change)
    found = read_networks(tmp_path / "x.pkl")
    assert found.Gs.options == networks.Gs.options and found.Gs.static_kwargs["structure"] == "recursive"
    assert type(found.Gs.static_kwargs["fmap_max"]) is int and "forks" not in found.Gs.static_kwargs
    assert all(torch.equal(value, to_state_dict(networks.Gs)[name]) for name, value in to_state_dict(found.Gs).items())
    assert to_state_dict(found.Gs)["lod"].dtype == torch.float32


CHANGES = {
    "a variable is missing": (lambda s: s | {"variables": s["variables"][:-1]}, "is missing"),
    "no first layer": (lambda s: s | {"variables": [v for v in s["variables"] if "4x4" not in v[0]]}, "is missing"),
    "one too many": (lambda s: s | {"variables": [*s["variables"], ("4x4/New", np.zeros(1))]}, "4x4/New is unknown"),
    "one twice": (lambda s: s | {"variables": [*s["variables"], s["variables"][0]]}, "a variable twice"),
    "misshapen": (
        lambda s: s | {"variables": [(n, v[..., :-1] if "RGB_lod1/w" in n else v) for n, v in s["variables"]]},
        "has the shape",
    ),
    "no variables": (lambda s: s | {"variables": None}, "it has no variables"),
    "variables of something": (lambda s: s | {"variables": [("a", "b")]}, "it has no variables"),
    "nothing": (lambda s: {}, "it has no variables"),
    "other names": (lambda s: s | {"variables": [("a", np.zeros(1))]}, "neither ToRGB_lod0 nor FromRGB_lod0"),
    "kwargs that are none": (lambda s: s | {"static_kwargs": [1]}, "makes no sense"),
    "a list": (lambda s: s | {"static_kwargs": {"fmap_max": [1]}}, "fmap_max makes no sense"),
    "kwargs by number": (lambda s: s | {"static_kwargs": {1: 2}}, "makes no sense"),
    "absurd width": (lambda s: s | {"static_kwargs": s["static_kwargs"] | {"fmap_max": 2**40}}, "fmap_max makes no"),
    "another width": (lambda s: s | {"static_kwargs": s["static_kwargs"] | {"fmap_max": 9}}, "has the shape"),
    "absurd decay": (lambda s: s | {"static_kwargs": s["static_kwargs"] | {"fmap_decay": 1e9}}, "fmap_decay makes no"),
    "no number": (lambda s: s | {"static_kwargs": s["static_kwargs"] | {"fmap_base": float("nan")}}, "fmap_base makes"),
    "a word": (lambda s: s | {"static_kwargs": s["static_kwargs"] | {"use_wscale": "yes"}}, "use_wscale makes no"),
    "half a feature": (lambda s: s | {"static_kwargs": s["static_kwargs"] | {"fmap_max": 2.5}}, "fmap_max makes no"),
    "a resolution": (
        lambda s: s | {"variables": [*s["variables"], ("99999x99999/Conv1/bias", np.zeros(1))]},
        "its shapes make no sense",
    ),
    "text as name": (lambda s: s | {"name": 5}, "makes no sense"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_damaged_networks(tmp_path, name):
    change, text = CHANGES[name]
    as_original(tmp_path / "x.pkl", *read("network-final-tf"), change=change)
    with pytest.raises(UserError) as caught:
        read_networks(tmp_path / "x.pkl")
    assert text in str(caught.value) and "x.pkl" in str(caught.value) and "\n" not in str(caught.value)


def test_networks_in_the_wrong_place(tmp_path):
    networks = read("network-final-tf")
    as_original(tmp_path / "x.pkl", networks.D, networks.G, networks.Gs)
    with pytest.raises(UserError, match=r"x\.pkl is damaged: its G is a discriminator"):
        read_networks(tmp_path / "x.pkl")


@pytest.mark.parametrize("value", [None, {}, [], (1, 2, 3), (None, None, None), "text", [[1]] * 3, np.zeros(3)])
def test_pickles_of_something_else(tmp_path, value):
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(value, 2))
    with pytest.raises(UserError, match=r"x\.pkl (holds no networks|is no network)|in .*x\.pkl is no network"):
        read_networks(tmp_path / "x.pkl")


@pytest.mark.parametrize("name", ["network-final-tf", "theano-celebahq-16"])
def test_a_file_cut_off(tmp_path, name):
    whole = golden_file(f"{name}.pkl").read_bytes()
    for size in (0, 1, 2, 100, 1000, len(whole) // 2, len(whole) - 1):
        (tmp_path / "x.pkl").write_bytes(whole[:size])
        with pytest.raises(UserError, match=r"x\.pkl is damaged or no pickle"):
            read_networks(tmp_path / "x.pkl")


def test_missing_files_and_backslashes(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="there is no file"):
        read_networks(tmp_path / "x.pkl")
    with pytest.raises(UserError, match="there is no file"):
        read_networks(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "x.pkl").write_bytes(golden_file("network-final-tf.pkl").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert read_networks(r"runs\x.pkl").Gs is not None


# ---- our own files --------------------------------------------------------------------------------------------------


def test_our_files_hold_plain_tensors(tmp_path):
    from safetensors.torch import load_file

    networks = read("network-final-tf")
    save_safetensors(tmp_path / "x.safetensors", *networks)
    tensors = load_file(tmp_path / "x.safetensors")
    assert tensors["Gs.8x8.Conv0_up.weight"].shape == (16, 16, 3, 3) and tensors["D.lod"].shape == ()
    assert len(tensors) == sum(len(network.variables) for network in networks)


@pytest.mark.parametrize(
    "about",
    [
        None, {}, {"format": "progan"}, {"format": "other", "G": "{}"}, {"format": "progan", "G": "{"},
        {"format": "progan", "G": "[]"}, {"format": "progan", "G": "[" * 100_000},
        {"format": "progan", "G": '{"name": 1, "options": {}, "static_kwargs": {}, "build_module_src": ""}'},
        {"format": "progan", "G": '{"name": "", "options": {}, "static_kwargs": {}, "build_module_src": ""}'},
        {"format": "progan", "D": '{"name": "", "options": {}, "static_kwargs": {}, "build_module_src": ""}'},
    ],
)  # fmt: skip
def test_other_safetensors(tmp_path, about):
    from safetensors.torch import save_file

    save_file({"G.a": torch.zeros(2)}, tmp_path / "x.safetensors", metadata=about)
    with pytest.raises(UserError, match=r"x\.safetensors (holds no|is damaged|is no whole)") as caught:
        read_networks(tmp_path / "x.safetensors")
    assert "\n" not in str(caught.value)


def test_a_damaged_safetensors_file(tmp_path):
    save_safetensors(tmp_path / "x.safetensors", *read("network-final-tf"))
    whole = (tmp_path / "x.safetensors").read_bytes()
    for size in (0, 5, 100, len(whole) // 2):
        (tmp_path / "x.safetensors").write_bytes(whole[:size])
        with pytest.raises(UserError, match=r"x\.safetensors is damaged"):
            read_networks(tmp_path / "x.safetensors")


# ---- the command ----------------------------------------------------------------------------------------------------


def exit_status(argv: list[str]) -> int:
    with pytest.raises(SystemExit) as end:
        run(lambda: main(argv))
    return end.value.code


def test_show(capsys):
    main(["show", str(golden_file("network-snapshot-000640.pkl"))])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "G: generator 'G', 32 x 32, 1 channels, 3 labels, lod 1.4, 8,752 parameters"
    assert "fused_scale True" in lines[1] and lines[4].startswith("Gs: averaged generator 'Gs'")


def test_convert_there_and_back(tmp_path, capsys):
    source = golden_file("network-final-tf.pkl")
    main(["convert", str(source), str(tmp_path / "x.safetensors")])
    main(["convert", str(tmp_path / "x.safetensors"), str(tmp_path / "y.pkl")])
    assert_equal(read_networks(source), read_networks(tmp_path / "y.pkl"))
    assert capsys.readouterr().out.splitlines() == [
        f"wrote {tmp_path / n}: G, D, Gs" for n in ("x.safetensors", "y.pkl")
    ]
    main(["convert", str(golden_file("theano-celebahq-16.pkl")), str(tmp_path / "z.pkl"), "--only", "Gs"])
    assert "z.pkl: Gs (weights only: TensorFlow code" in capsys.readouterr().out
    assert read_networks(tmp_path / "z.pkl").G is None


@pytest.mark.parametrize(
    "argv, text",
    [
        (["convert", "{}/a.pkl", "{}/b.pkl"], "there is no file"),
        (["convert", "{}/a.pkl", "{}/b.txt"], "should end in .pkl"),
        (["convert", "{}/a.pkl", "{}"], "should end in .pkl"),
        (["convert", "{}/a.pkl", "{}/b.pkl", "--only", "X"], "invalid choice"),
        (["show", "{}/a.pkl"], "there is no file"),
        ([], "required"),
    ],
)
def test_wrong_commands(tmp_path, capsys, argv, text):
    assert exit_status([word.format(tmp_path) for word in argv]) == 2
    output = capsys.readouterr().err
    assert output.startswith("error: ") and text in output and output.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_only_what_is_there(tmp_path, capsys):
    save_safetensors(tmp_path / "x.safetensors", None, None, read("network-final-tf").Gs)
    assert exit_status(["convert", str(tmp_path / "x.safetensors"), str(tmp_path / "y.pkl"), "--only", "D"]) == 2
    assert "holds no D" in capsys.readouterr().err


def test_what_the_module_offers():
    assert all(hasattr(legacy, name) for name in legacy.__all__) and NAMES.keys() == DEFAULTS.keys()
