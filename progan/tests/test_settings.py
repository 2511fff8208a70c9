"""Settings: the reference's names and defaults, presets with the numbers its schedule was measured with, config.txt."""

from __future__ import annotations

import inspect
import json
import re

import pytest
from conftest import golden_file, load_golden

from config_file import read_config
from networks import Discriminator, Generator
from presets import ALL, DATASETS, LSUN, MODES, PRESETS, SWITCHES, apply
from schedule import Schedule
from setting_keys import FUNCTIONS, GROUPS, SYNTHETIC, TOP
from settings import check, config_text, default_settings, modern_data_name, parse_config_txt, resolve
from shared_scripts.cli import UserError
from stored import DEFAULTS

TRAINING = {
    "func": "train.train_progressive_gan", "G_smoothing": 0.999, "D_repeats": 1, "minibatch_repeats": 4,
    "reset_opt_for_new_lod": True, "total_kimg": 15000, "mirror_augment": False, "drange_net": [-1, 1],
    "image_snapshot_ticks": 1, "network_snapshot_ticks": 10, "save_tf_graph": False, "save_weight_histograms": False,
    "resume_run_id": None, "resume_snapshot": None, "resume_kimg": 0.0, "resume_time": 0.0,
    "adjust_smoothing": False, "lrate_decay_kimg": None,
}  # fmt: skip
SCHED = {
    "lod_initial_resolution": 4, "lod_training_kimg": 600, "lod_transition_kimg": 600, "minibatch_base": 16,
    "minibatch_dict": {}, "max_minibatch_per_gpu": {}, "G_lrate_base": 0.001, "G_lrate_dict": {},
    "D_lrate_base": 0.001, "D_lrate_dict": {}, "tick_kimg_base": 160,
    "tick_kimg_dict": {4: 160, 8: 140, 16: 120, 32: 100, 64: 80, 128: 60, 256: 40, 512: 20, 1024: 10},
}  # fmt: skip


def given(**groups) -> dict:
    """All settings, where these are given."""
    return resolve(groups)[0]


def test_defaults_are_the_references():
    settings = default_settings()
    assert settings["train"] == TRAINING and settings["sched"] == SCHED
    assert {name: settings[name] for name in TOP} == {
        "data_dir": "datasets", "result_dir": "results", "desc": "pgan", "random_seed": 1000, "num_gpus": 1,
    }  # fmt: skip
    assert settings["grid"] == {"size": "1080p", "layout": "random"}
    assert settings["D_loss"] == {
        "func": "loss.D_wgangp_acgan", "wgan_lambda": 10.0, "wgan_epsilon": 0.001, "wgan_target": 1.0,
        "cond_weight": 1.0,
    }  # fmt: skip
    assert settings["G_loss"] == {"func": "loss.G_wgan_acgan", "cond_weight": 1.0}
    assert settings["G_opt"] == settings["D_opt"] == {
        "beta1": 0.0, "beta2": 0.99, "epsilon": 1e-8, "use_loss_scaling": False, "loss_scaling_init": 64.0,
        "loss_scaling_inc": 0.0005, "loss_scaling_dec": 1.0,
    }  # fmt: skip
    assert settings["dataset"] == {
        "class_name": "dataset.TFRecordDataset", "tfrecord_dir": None, "resolution": None, "label_file": None,
        "max_label_size": 0, "repeat": True, "shuffle_mb": 4096, "prefetch_mb": 2048, "buffer_mb": 256,
        "num_threads": 2,
    }  # fmt: skip


@pytest.mark.parametrize("group, network", [("G", Generator), ("D", Discriminator)])
def test_networks_have_the_defaults_of_their_classes(group, network):
    settings = default_settings()[group]
    arguments = {n: p.default for n, p in inspect.signature(network).parameters.items()}
    ours = {n: v for n, v in settings.items() if n not in ("func", "dtype", "structure")}
    assert ours == {n: v for n, v in arguments.items() if n not in ("num_channels", "resolution", "label_size")}
    assert DEFAULTS[group] == arguments


def test_the_schedule_takes_all_of_sched():
    assert Schedule(**default_settings()["sched"]) == Schedule()


def test_utility_functions_have_the_references_defaults():
    def arguments(name: str) -> dict:
        return {n: v for n, v in default_settings(f"util_scripts.{name}")["train"].items() if n != "func"}

    assert arguments("generate_fake_images") == {
        "run_id": None, "snapshot": None, "grid_size": [1, 1], "num_pngs": 1, "image_shrink": 1, "png_prefix": None,
        "random_seed": 1000, "minibatch_size": 8,
    }  # fmt: skip
    assert arguments("generate_interpolation_video") == {
        "run_id": None, "snapshot": None, "grid_size": [1, 1], "image_shrink": 1, "image_zoom": 1, "duration_sec": 60.0,
        "smoothing_sec": 1.0, "mp4": None, "mp4_fps": 30, "mp4_codec": "libx265", "mp4_bitrate": "16M",
        "random_seed": 1000, "minibatch_size": 8,
    }  # fmt: skip
    assert arguments("generate_training_video") == {
        "run_id": None, "duration_sec": 20.0, "time_warp": 1.5, "mp4": None, "mp4_fps": 30, "mp4_codec": "libx265",
        "mp4_bitrate": "16M",
    }  # fmt: skip
    assert arguments("evaluate_metrics") == {
        "run_id": None, "log": "metric-swd-16k.txt", "metrics": ["swd"], "num_images": 16384, "real_passes": 2,
        "minibatch_size": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "metrics, expected",
    [
        (["fid"], ("metric-fid-50k.txt", 50000, 1)),
        ("is", ("metric-is-50k.txt", 50000, 1)),
        (["MSSSIM"], ("metric-msssim-20k.txt", 20000, 1)),
        (["swd", "msssim"], ("metric-swd-msssim.txt", 20000, 2)),
    ],
)
def test_metrics_bring_their_numbers(metrics, expected):
    train = given(train={"func": "util_scripts.evaluate_metrics", "metrics": metrics})["train"]
    assert (train["log"], train["num_images"], train["real_passes"]) == expected
    train = given(train={"func": "evaluate_metrics", "metrics": metrics, "log": "a.txt", "num_images": 10})["train"]
    assert (train["log"], train["num_images"]) == ("a.txt", 10)


# ---- presets --------------------------------------------------------------------------------------------------------


def meta() -> dict:
    return json.loads(str(load_golden("schedule")["meta"]))


def with_numbers(sched: dict) -> dict:
    """JSON's keys are texts."""
    return {
        name: {int(key): part for key, part in value.items()} if isinstance(value, dict) else value
        for name, value in sched.items()
    }


@pytest.mark.parametrize(
    "golden, names",
    [
        ("default", []),
        ("v1-1gpu", ["v1-1gpu"]),
        ("v2-1gpu-fp32", ["v2-1gpu", "fp32"]),
        ("v2-8gpus-fp16", ["v2-8gpus", "fp16"]),
        ("nogrowing", ["nogrowing"]),
        ("benchmark", ["BENCHMARK"]),
    ],
)
def test_presets_are_the_references(golden, names):
    expected, settings = meta()[golden], {}
    for name in names:
        apply(settings, name)
    assert settings.get("sched", {}) == with_numbers(expected["sched"])
    assert settings.get("num_gpus", 1) == expected["gpus"]
    full = resolve(settings)[0]
    rows = load_golden("schedule")[golden]
    schedule = Schedule(**full["sched"])
    for nimg, lod, resolution, minibatch, G_lrate, D_lrate, tick in rows[::7]:
        stage = schedule.at(int(nimg), expected["res"], full["num_gpus"])
        assert stage.lod == pytest.approx(lod) and (stage.resolution, stage.minibatch) == (resolution, minibatch)
        assert (stage.G_lrate, stage.D_lrate, stage.tick_kimg) == (G_lrate, D_lrate, tick)


def test_what_other_presets_change():
    def total(name: str) -> object:
        settings: dict = {}
        apply(settings, name)
        return settings["train"].get("total_kimg")

    kimg = {"v1-1gpu": 19000, **{n: 12000 for n in PRESETS if n[1] == "2"}, "nogrowing": 10000, "BENCHMARK": 51}
    assert {name: total(name) for name in kimg} == kimg and total("BENCHMARK0") == 10
    changes = {name: dict(preset.changes) for name, preset in ALL.items()}
    assert changes["v1-1gpu"]["D.mbstd_group_size"] == 16 and changes["cond"] == {"dataset.max_label_size": "full"}
    assert changes["nowscale"] == {"G.use_wscale": False, "D.use_wscale": False}
    assert changes["noleakyrelu"] == {"G.use_leakyrelu": False}
    assert changes["nosmoothing"] == {"train.G_smoothing": 0.0}
    assert changes["norepeat"] == {"train.minibatch_repeats": 1}
    assert changes["noreset"] == {"train.reset_opt_for_new_lod": False}
    assert changes["fp16"]["G.dtype"] == "float16" and changes["fp16"]["G.pixelnorm_epsilon"] == 1e-4
    assert changes["VERBOSE"]["train.network_snapshot_ticks"] == 100
    mirrored = {name for name, preset in DATASETS.items() if preset.changes["train.mirror_augment"]}
    assert mirrored == {"celebahq", "celeba", *(f"lsun-{name}" for name in LSUN)} and len(LSUN) == 30
    assert changes["lsun-cat"]["dataset.tfrecord_dir"] == "lsun-cat-100k"


@pytest.mark.parametrize("name", ALL)
def test_every_preset_makes_settings_that_hold(name):
    settings: dict = {"desc": "pgan"}
    apply(settings, name)
    full, notes = resolve(settings)
    word = f"preset-{name}" if name in PRESETS else name
    assert full["desc"] == f"pgan-{word}" and not notes
    assert {preset.suffix for preset in ALL.values()} >= {f"-{word}"}


def test_names_in_any_spelling():
    for name in ("v2-1gpu", "-preset-v2-1gpu", "preset-v2-1gpu", "V2-1GPU", " v2-1gpu "):
        settings: dict = {}
        apply(settings, name)
        assert settings["desc"] == "pgan-preset-v2-1gpu"


@pytest.mark.parametrize(
    "name, near", [("v2-3gpus", "v2-"), ("cifar", "cifar10"), ("lsun-cats", "lsun-cat"), ("q", "there are")]
)
def test_unknown_presets(name, near):
    with pytest.raises(UserError, match=f"there is no preset '{name}'; .*{near}"):
        apply({}, name)


def test_one_of_a_family_takes_the_place_of_another():
    settings: dict = {"desc": "pgan", "sched": {"lod_training_kimg": 5}}
    for name in ("celebahq", "v2-1gpu", "fp16", "cond", "v1-1gpu", "fp32", "cifar10"):
        apply(settings, name)
    assert settings["desc"] == "pgan-cifar10-preset-v1-1gpu-fp32-cond"
    assert "G_lrate_dict" not in settings["sched"] and "dtype" not in settings["G"]
    assert settings["train"]["mirror_augment"] is False and settings["dataset"]["max_label_size"] == "full"
    apply(settings, "syn1024rgb")
    assert "tfrecord_dir" not in settings["dataset"] and resolve(settings)[0]["dataset"]["resolution"] == 1024
    apply(settings, "syn1024rgb")
    assert settings["desc"].count("syn1024rgb") == 1


def test_the_same_preset_twice_is_as_once():
    for name in ALL:
        once: dict = {"desc": "pgan"}
        apply(once, name)
        twice = json.loads(json.dumps(once))
        apply(twice, name)
        assert twice["desc"] == once["desc"]


def test_switches_are_not_mixed_up_with_longer_names():
    settings: dict = {"desc": "pgan"}
    for name in ("cond1", "celebahq"):
        apply(settings, name)
    apply(settings, "cond")
    apply(settings, "celeba")
    assert settings["desc"] == "pgan-cond1-celeba-cond" and not SWITCHES.keys() & MODES.keys()


# ---- checks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "groups, text",
    [
        ({"sched": {"minibatch_bas": 4}}, "there is no setting sched.minibatch_bas; did you mean minibatch_base?"),
        ({"train": {"total_kimgs": 4}}, "there is no setting train.total_kimgs; did you mean total_kimg?"),
        ({"grid": {"qqq": 4}}, "there is no setting grid.qqq"),
        ({"dataset": {"tfrecords_dir": "x"}}, "did you mean tfrecord_dir?"),
        ({"G_loss": {"wgan_lambda": 1}}, "there is no setting G_loss.wgan_lambda"),
        ({"G_opt": {"beta": 1}}, "there is no setting G_opt.beta; did you mean beta"),
        ({"sched": {"minibatch_base": 0}}, "sched.minibatch_base should be a number of at least 1, not 0"),
        ({"sched": {"minibatch_base": 2.5}}, "should be a whole number, not 2.5"),
        ({"sched": {"minibatch_base": "16"}}, "should be a whole number, not '16'"),
        ({"sched": {"minibatch_base": True}}, "should be a whole number, not True"),
        ({"sched": {"minibatch_base": None}}, "should be a whole number, not None"),
        ({"sched": {"minibatch_dict": {5: 1}}}, "should be a power of two"),
        ({"sched": {"minibatch_dict": {"4": 1}}}, "should be a power of two"),
        ({"sched": {"minibatch_dict": {4: 0}}}, "a number of at least 1"),
        ({"sched": {"minibatch_dict": [4]}}, "values by resolution such as"),
        ({"sched": {"lod_initial_resolution": 3}}, "a power of two from 4"),
        ({"sched": {"lod_training_kimg": -1}}, "a number of at least 0"),
        ({"sched": {"lod_training_kimg": float("nan")}}, "should be a number, not nan"),
        ({"sched": {"G_lrate_base": float("inf")}}, "should be a number, not inf"),
        ({"train": {"G_smoothing": 1.5}}, "a number of at most 1"),
        ({"train": {"mirror_augment": "yes"}}, "True or False, not 'yes'"),
        ({"train": {"mirror_augment": 2}}, "True or False, not 2"),
        ({"train": {"drange_net": [1]}}, "2 values such as"),
        ({"train": {"drange_net": [1, -1]}}, "the lower one first"),
        ({"train": {"func": "train.other"}}, "there is no function train.other"),
        ({"train": {"func": "util_scripts.generate_fake_image"}}, "did you mean generate_fake_images?"),
        ({"train": {"func": 5}}, "there is no function 5"),
        ({"train": {"func": ["a"]}}, "there is no function"),
        ({"train": {"resume_run_id": 1.5}}, "a whole number, or a text in one line"),
        ({"dataset": {"max_label_size": "all"}}, "a whole number, or full, not 'all'"),
        ({"dataset": {"max_labels": [1]}}, "dataset.max_label_size should be"),
        ({"dataset": {"class_name": "dataset.Other"}}, "dataset.TFRecordDataset or dataset.SyntheticDataset"),
        ({"G": {"func": "networks.G_other"}}, "G.func should be networks.G_paper"),
        ({"G": {"fmap_max": 0}}, "G.fmap_max should be"),
        ({"G": {"dtype": "float64"}}, "float32 or float16"),
        ({"D": {"mbstd_group_size": -1}}, "D.mbstd_group_size"),
        ({"D_opt": {"beta2": 1}}, "D_opt.beta2 should be a number below 1"),
        ({"D_loss": {"func": "loss.other"}}, "D_loss.func should be loss.D_wgangp_acgan"),
        ({"D_loss": {"wgan_target": 0}}, "D_loss.wgan_target"),
        ({"grid": {"layout": "rows"}}, "random or row_per_class"),
        ({"grid": {"size": 5}}, "grid.size should be"),
        ({"random_seed": -1}, "random_seed should be"),
        ({"desc": "a\nb"}, "desc should be a text in one line"),
        ({"desc": ""}, "desc should be a text"),
        ({"num_gpus": 0}, "num_gpus should be"),
        ({"train": 5}, "train is a group of settings"),
        ({"sched": [1]}, "sched is a group of settings: sched = EasyDict(…), not '[1]'"),
        ({"sched": {"minibatch_base": 10**30}}, "at most"),
        ({"sched": {"minibatch_dict": {4: "x" * 1000}}}, "..."),
    ],
)
def test_what_is_wrong_is_said_in_one_line(groups, text):
    with pytest.raises(UserError) as caught:
        check(groups)
    assert text in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_what_is_right_is_taken():
    settings = given(
        sched={"minibatch_dict": {4.0: 8}, "lod_training_kimg": 0.032},
        train={"drange_net": (0, 1), "resume_run_id": "003", "mirror_augment": 1},
        grid={"size": [8, 6]}, dataset={"max_label_size": "FULL", "shuffle_mb": 0.0}, G={"latent_size": 5},
    )  # fmt: skip
    assert settings["sched"]["minibatch_dict"] == {4: 8} and settings["sched"]["lod_training_kimg"] == 0.032
    assert settings["train"]["drange_net"] == [0, 1] and settings["train"]["mirror_augment"] is True
    assert settings["dataset"]["max_label_size"] == "full" and settings["grid"]["size"] == [8, 6]
    check(settings)
    assert resolve(settings)[0] == settings  # and what has been resolved stays as it is


def test_notes_on_what_has_no_effect():
    settings, notes = resolve(
        {"G": {"fmap_bas": 3, "num_channels": 3, "what": 1}, "D_opt": {"learning_rate": 1}, "result_dri": "x", "lr": 3}
    )
    assert notes == [
        "G.fmap_bas is unknown; did you mean fmap_base?; it has no effect",
        "G.num_channels comes from the data; it has no effect",
        "G.what is unknown; it has no effect",
        "D_opt.learning_rate has no effect; did you mean sched.D_lrate_base?",
        "result_dri is no setting and has no effect; did you mean result_dir?",
    ]
    assert settings == default_settings()


def test_notes_on_what_needs_another_setting():
    train = {"resume_snapshot": 3, "resume_kimg": 5.0}
    assert resolve({"train": train, "dataset": {"label_file": "x.npy"}})[1] == [
        "dataset.label_file has no effect without --preset cond (dataset.max_label_size)",
        "train.resume_snapshot has no effect without --resume_run_id",
        "train.resume_kimg has no effect without --resume_run_id",
    ]
    needed = {"train": train | {"resume_run_id": 1}, "dataset": {"label_file": "x.npy", "max_label_size": "full"}}
    assert not resolve(needed)[1]


def test_what_was_given_stays_as_it_was():
    before = {"train": {"func": "train_gan"}, "dataset": {"h5_path": "a.h5", "mirror_augment": True}, "run_desc": "x"}
    copy = json.loads(json.dumps(before))
    resolve(before)
    assert before == copy
    default_settings()["sched"]["tick_kimg_dict"].clear()
    assert default_settings()["sched"] == SCHED


@pytest.mark.parametrize(
    "name, expected",
    [
        ("train.train_progressive_gan", "train.train_progressive_gan"),
        ("train_progressive_gan", "train.train_progressive_gan"),
        ("train_gan", "train.train_progressive_gan"),
        ("train.train_gan", "train.train_progressive_gan"),
        ("scripts.generate_fake_images", "util_scripts.generate_fake_images"),
        ("generate_training_video", "util_scripts.generate_training_video"),
        ("interpolate_latents", "util_scripts.generate_interpolation_video"),
        ("calc_inception_scores", "util_scripts.evaluate_metrics"),
        ("scripts.calc_sliced_wasserstein_scores", "util_scripts.evaluate_metrics"),
    ],
)
def test_functions_by_every_name(name, expected):
    train = given(train={"func": name})["train"]
    assert train["func"] == expected
    if name == "calc_inception_scores":
        assert train["metrics"] == ["is"] and train["log"] == "metric-is-50k.txt"


def test_settings_of_other_functions_have_no_effect():
    train = given(train={"func": "generate_fake_images", "total_kimg": 5, "run_id": 3, "mp4": "x"})["train"]
    assert train["run_id"] == 3 and "total_kimg" not in train and "mp4" not in train
    assert given(train={"num_pngs": 5, "total_kimg": 7})["train"]["total_kimg"] == 7


def test_synthetic_data():
    dataset = given(dataset={"class_name": "SyntheticDataset", "label_size": 3, "shuffle_mb": 1})["dataset"]
    assert dataset == {
        "class_name": "dataset.SyntheticDataset", "resolution": 1024, "num_channels": 3, "dtype": "uint8",
        "dynamic_range": [0, 255], "label_size": 3, "label_dtype": "float32",
    }  # fmt: skip
    assert dataset.keys() == SYNTHETIC.keys()


# ---- older spellings, config.txt ------------------------------------------------------------------------------------


def test_old_keys():
    settings = given(
        run_desc="old", dataset={"h5_path": "celeba-hq-1024x1024.h5", "max_labels": "all", "mirror_augment": True,
                                 "max_images": 5}
    )  # fmt: skip
    assert settings["desc"] == "old" and settings["train"]["mirror_augment"] is True
    assert settings["dataset"]["tfrecord_dir"] == "celebahq" and settings["dataset"]["max_label_size"] == "full"
    assert given(dataset={"max_labels": None})["dataset"]["max_label_size"] == 0
    assert given(dataset={"max_labels": 3})["dataset"]["max_label_size"] == 3
    assert given(dataset={"mirror_augment": True}, train={"mirror_augment": False})["train"]["mirror_augment"] is False


@pytest.mark.parametrize(
    "old, new",
    [
        ("celeba-hq-1024x1024", "celebahq"), ("celeba-hq", "celebahq"), ("celeba-128x128", "celeba"),
        ("celeba-128", "celeba"), ("cifar-10-32x32", "cifar10"), ("cifar-100-32", "cifar100"), ("cifar-10", "cifar10"),
        ("mnist-rgb-32x32", "mnistrgb"), ("mnist-32x32", "mnist"), ("lsun-100k-cat-256x256", "lsun-cat-100k"),
        ("lsun-full-bedroom-256", "lsun-bedroom-full"), ("lsun-cat-100k", "lsun-cat-100k"), ("celebahq", "celebahq"),
        ("faces", "faces"), ("my-1280-set", "my-1280-set"), ("svhn-32x32", "svhn"), ("a-256x256-b", "a-b"),
    ],
)  # fmt: skip
def test_old_names_of_data_sets(old, new):
    assert modern_data_name(old) == new


def test_config_txt_has_the_references_form():
    text = golden_file("sample_run").joinpath("config.txt").read_text()
    theirs = [line for line in text.splitlines() if not line.startswith(("EasyDict", "env", "tf_config"))]
    ours = config_text(resolve(parse_config_txt(text))[0]).splitlines()
    assert [line.split(" = ")[0] for line in ours] == [line.split(" = ")[0] for line in theirs]
    for line in ("desc = pgan-tinyrgb-cond-preset-test-fp32", "num_gpus = 1", "random_seed = 1000"):
        assert line in theirs and line in ours
    assert "grid = {'size': '1080p', 'layout': 'random'}" in theirs and theirs[-2].startswith("sched = {'minibatch")
    assert config_text({"b": {"x": 1}, "B": "text", "a": 5}) == "B = text\na = 5\nb = {'x': 1}\n"


def test_config_txt_of_a_run_is_read_again(tmp_path):
    path = golden_file("sample_run") / "config.txt"
    found = parse_config_txt(path)
    assert found == parse_config_txt(path.read_text())
    assert found["dataset"] == {
        "tfrecord_dir": "tinyrgb", "prefetch_mb": 0, "shuffle_mb": 0, "max_label_size": "full",
    }  # fmt: skip
    assert found["train"]["mirror_augment"] is True and found["random_seed"] == 1000
    assert found["sched"]["tick_kimg_dict"] == {} and "EasyDict" not in found
    settings = resolve(found)[0]
    assert resolve(parse_config_txt(config_text(settings)))[0] == settings


def test_ours_come_back_from_config_txt():
    settings = given(
        desc="3", precision="bf16", dataset={"tfrecord_dir": r"C:\pictures\x-256"}, sched={"minibatch_dict": {4: 8}}
    )
    text = config_text(settings)
    assert "precision = bf16" in text and "device" not in text
    found = parse_config_txt(text)
    assert found["dataset"]["tfrecord_dir"] == r"C:\pictures\x-256"
    assert found["desc"] == 3 and found["precision"] == "bf16"


def test_old_runs_are_read_with_present_names(tmp_path):
    text = "run_desc = old\ndata_dir = {0}\ndataset = {{'h5_path': 'cifar-10-32x32.h5', 'mirror_augment': True}}\n"
    found = parse_config_txt(text.format(tmp_path))
    assert found["dataset"] == {"tfrecord_dir": "cifar10"} and found["train"] == {"mirror_augment": True}
    (tmp_path / "celeba-128").mkdir()
    text = f"data_dir = {tmp_path}\ndataset = {{'tfrecord_dir': 'celeba-128'}}\ntrain = {{'func': 'other.thing'}}\n"
    assert parse_config_txt(text)["dataset"]["tfrecord_dir"] == "celeba-128"  # there is one of that very name


@pytest.mark.parametrize(
    "text",
    [
        "dataset = __import__('os').system('touch ran')",
        "dataset = {'tfrecord_dir': open('ran', 'w')}",
        "dataset = {",
        "train = [1, 2]",
        "train = " + "[" * 10000,
        "train = " + "{'a':" * 500 + "1" + "}" * 500,
        "dataset = 9**9**9",
    ],
)
def test_config_txt_is_not_executed(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="config.txt is damaged") as caught:
        parse_config_txt(text)
    assert "\n" not in str(caught.value) and not list(tmp_path.iterdir())


def test_odd_config_txt(tmp_path):
    assert parse_config_txt("no setting\n\n# a = 1\na = b = c\n__x = 1\nEasyDict = <class 'config.EasyDict'>\n") == {
        "a": "b = c", "train": {}, "dataset": {},
    }  # fmt: skip
    with pytest.raises(UserError, match="cannot read"):
        parse_config_txt(tmp_path / "config.txt")
    with pytest.raises(UserError, match="far too large"):
        parse_config_txt("a" * 1_100_000)


def test_every_function_and_group_is_checked_with_its_defaults():
    for function in FUNCTIONS:
        settings = default_settings(function)
        assert resolve(settings)[0] == settings
        assert re.fullmatch(r"(\w+ = .+\n)+", config_text(settings))
    assert set(GROUPS) <= set(settings)


def test_the_golden_run_as_a_config_file(tmp_path):
    """The sample's config.txt written as config.py gives the same."""
    found = parse_config_txt(golden_file("sample_run") / "config.txt")
    text = "".join(f"{name} = {value!r}\n" for name, value in found.items())
    (tmp_path / "config.py").write_text(text)
    assert resolve(read_config(tmp_path / "config.py"))[0] == resolve(found)[0]
