"""The flags of train.py: every setting by its name, presets, config.py; what holds over what, and what is said of
mistakes."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from conftest import PROJECT

from options import make_parser, parse
from presets import ALL
from setting_keys import FUNCTIONS, GROUPS, OURS, SYNTHETIC, TOP
from settings import config_text, default_settings, parse_config_txt, resolve
from shared_scripts.cli import UserError, run


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """In a folder without a config.py; `faces` is a folder of pictures in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faces").mkdir()
    (tmp_path / "empty.py").write_text("desc = 'pgan'\n")


def plain(*argv: str) -> dict:
    """Settings with these flags and an empty config.py."""
    return parse(["--config", "empty.py", *argv])


def error_of(argv: list[str], capsys) -> str:
    """What is said of a wrong command line: one line, status 2."""
    with pytest.raises(SystemExit) as end:
        run(lambda: parse(argv))
    text = capsys.readouterr().err
    assert end.value.code == 2 and text.startswith("error: ") and text.count("\n") == 1
    return text


def test_nothing_given():
    settings = plain()
    assert settings == default_settings()
    assert (settings["device"], settings["gpu_ids"], settings["precision"], settings["resume"]) == (
        "auto", None, None, False,
    )  # fmt: skip


def flags_and_words() -> list[tuple[str, str, object]]:
    """(flag, word, value) of every setting, made from its default."""
    found = []
    for group, keys in [*GROUPS.items(), *(("train", keys) for keys in FUNCTIONS.values()), ("dataset", SYNTHETIC)]:
        for name, key in keys.items():
            value = key.default
            if isinstance(value, dict):
                found.append((f"{group}.{name}", "4:1,1024:2", {4: 1, 1024: 2}))
            elif isinstance(value, bool):
                found.append((f"{group}.{name}", "FALSE" if value else "true", not value))
            elif isinstance(value, list) and name != "metrics":
                found.append((f"{group}.{name}", "2,3", [2, 3]))
    return found


@pytest.mark.parametrize("flag, word, value", flags_and_words())
def test_every_kind_of_value(flag, word, value):
    group, name = flag.split(".")
    function = next((f for f, keys in FUNCTIONS.items() if name in keys), None) if group == "train" else None
    argv = ["--func", function] if function else []
    argv += ["--class_name", "SyntheticDataset"] if group == "dataset" and name in SYNTHETIC else []
    assert plain(*argv, f"--{flag}", word)[group][name] == value
    assert plain(*argv, f"--{flag}={word}")[group][name] == value


def test_every_setting_has_a_flag_by_its_full_name():
    flags = {flag for action in make_parser()._actions for flag in action.option_strings}
    for group, keys in GROUPS.items():
        for name in keys:
            assert f"--{group}.{name}" in flags or name == "func"
    for keys in FUNCTIONS.values():
        assert all(f"--train.{name}" in flags or name == "random_seed" for name in keys)
    assert all(f"--{name}" in flags for name in {**TOP, **OURS})
    assert "--train.func" in flags and "--seed" in flags


@pytest.mark.parametrize(
    "argv, group, expected",
    [
        (["--minibatch_base", "16"], "sched", {"minibatch_base": 16}),
        (["--sched.minibatch_base", "16"], "sched", {"minibatch_base": 16}),
        (["--minibatch-base=16"], "sched", {"minibatch_base": 16}),
        (["--minibatch_dict", "4:128,8:64"], "sched", {"minibatch_dict": {4: 128, 8: 64}}),
        (["--minibatch_dict", "{4: 128, 8: 64}"], "sched", {"minibatch_dict": {4: 128, 8: 64}}),
        (["--tick_kimg_dict", "{}"], "sched", {"tick_kimg_dict": {}}),
        (["--G_lrate_dict", "1024:.0015"], "sched", {"G_lrate_dict": {1024: 0.0015}, "D_lrate_dict": {}}),
        (["--lod_training_kimg", "0.5"], "sched", {"lod_training_kimg": 0.5}),
        (["--total_kimg", "1e3"], "train", {"total_kimg": 1000.0}),
        (["--mirror_augment"], "train", {"mirror_augment": True}),
        (["--mirror_augment", "FALSE"], "train", {"mirror_augment": False}),
        (["--drange_net=-2,2"], "train", {"drange_net": [-2, 2]}),
        (["--resume_run_id", "3"], "train", {"resume_run_id": 3}),
        (["--resume_run_id", "x/y.pkl"], "train", {"resume_run_id": "x/y.pkl"}),
        (["--resume_run_id", "none"], "train", {"resume_run_id": None}),
        (["--adjust_smoothing"], "train", {"adjust_smoothing": True}),
        (["--resolution", "64"], "dataset", {"resolution": 64}),
        (["--max_label_size", "full"], "dataset", {"max_label_size": "full"}),
        (["--max_label_size", "3"], "dataset", {"max_label_size": 3}),
        (["--fmap_base", "64"], "G", {"fmap_base": 64}),
        (["--fmap_base", "64"], "D", {"fmap_base": 64}),
        (["--G.fmap_base", "64"], "D", {"fmap_base": 8192}),
        (["--fmap_max", "64", "--D.fmap_max", "32"], "D", {"fmap_max": 32}),
        (["--latent_size", "7"], "G", {"latent_size": 7}),
        (["--dtype", "float16"], "D", {"dtype": "float16"}),
        (["--beta1", "0.5"], "D_opt", {"beta1": 0.5}),
        (["--cond_weight", "2"], "G_loss", {"cond_weight": 2}),
        (["--D_loss.cond_weight", "2"], "G_loss", {"cond_weight": 1.0}),
        (["--wgan_target", "750"], "D_loss", {"wgan_target": 750}),
        (["--grid.size", "8x6"], "grid", {"size": "8x6"}),
        (["--layout", "row_per_class"], "grid", {"layout": "row_per_class"}),
    ],
)
def test_flags(argv, group, expected):
    settings = plain(*argv)
    assert {name: settings[group][name] for name in expected} == expected


def test_flags_without_a_group():
    settings = plain(
        "--desc", "x", "--result_dir", "r", "--data_dir", "d", "--seed", "7", "--num_gpus", "2", "--device", "cpu",
        "--gpu_ids", "-1", "--precision", "bf16", "--resume",
    )  # fmt: skip
    names = ("desc", "result_dir", "data_dir", "random_seed", "num_gpus", "device", "gpu_ids", "precision", "resume")
    assert [settings[name] for name in names] == ["x", "r", "d", 7, 2, "cpu", "-1", "bf16", True]


def test_utility_functions():
    train = plain("--func", "generate_fake_images", "--run_id", "3", "--grid_size", "15x8", "--num_pngs", "10")["train"]
    assert (train["run_id"], train["grid_size"], train["num_pngs"]) == (3, [15, 8], 10)
    settings = plain("--func", "evaluate_metrics", "--train.run_id", "003", "--metrics", "swd,msssim")
    assert settings["train"]["metrics"] == ["swd", "msssim"] and settings["desc"] == "evaluation-3"
    assert plain("--func", "generate_interpolation_video", "--seed", "5")["train"]["random_seed"] == 5
    assert plain("--func", "generate_fake_images", "--run_id", "a/b.pkl")["desc"] == "fake-images-a-b.pkl"
    assert plain("--func", "generate_fake_images", "--desc", "mine", "--run_id", "1")["desc"] == "mine"


# ---- what holds over what -------------------------------------------------------------------------------------------


def test_config_then_presets_then_flags(tmp_path):
    (tmp_path / "c.py").write_text(
        "desc = 'mine'\nsched = dict(minibatch_base=3, G_lrate_base=0.5)\ntrain = dict(total_kimg=1, D_repeats=2)\n"
    )
    settings = parse(["--config", "c.py", "--total_kimg", "7", "--preset", "v2-2gpus"])
    assert settings["sched"]["minibatch_base"] == 8 and settings["sched"]["G_lrate_base"] == 0.5
    assert settings["train"]["total_kimg"] == 7 and settings["train"]["D_repeats"] == 2
    assert settings["desc"] == "mine-preset-v2-2gpus"


def test_a_base_goes_before_the_entries_of_what_it_goes_before(tmp_path):
    """The preset in config.py has a minibatch for every resolution: without this, --minibatch_base would do nothing."""
    sched = parse(["--minibatch_base", "16", "--D_lrate_base", "0.002", "--tick-kimg-base=2"])["sched"]
    assert (sched["minibatch_base"], sched["D_lrate_base"], sched["tick_kimg_base"]) == (16, 0.002, 2)
    assert sched["minibatch_dict"] == sched["D_lrate_dict"] == sched["tick_kimg_dict"] == {}
    assert sched["G_lrate_dict"] == {1024: 0.0015}, "that base was not given"
    sched = parse(["--preset", "v2-2gpus", "--sched.minibatch_base", "16", "--minibatch_dict", "8:4"])["sched"]
    assert (sched["minibatch_base"], sched["minibatch_dict"]) == (16, {8: 4})
    (tmp_path / "c.py").write_text("sched = dict(minibatch_base=3, minibatch_dict={4: 8})\n")
    assert parse(["--config", "c.py"])["sched"]["minibatch_dict"] == {4: 8}


def test_config_py_of_the_folder_goes_before_ours(tmp_path):
    assert parse([])["desc"] == "pgan-preset-v2-1gpu-fp32"
    (tmp_path / "config.py").write_text("desc = 'here'\n")
    assert parse([])["desc"] == "here"
    (tmp_path / "config.py").write_text("import os\nos.system('touch ran')\n")
    with pytest.raises(
        UserError, match=r"config\.py line 2: only settings are read.*; to take another file, say --con"
    ):
        parse([])
    assert not (tmp_path / "ran").exists()


def test_presets_together():
    settings = plain("--preset", "cifar10,v2-1gpu", "--preset", "fp16", "--preset", "cond VERBOSE")
    assert settings["desc"] == "pgan-cifar10-preset-v2-1gpu-fp16-cond-VERBOSE"
    assert settings["dataset"]["tfrecord_dir"] == "cifar10" and settings["dataset"]["max_label_size"] == "full"
    assert settings["G"]["dtype"] == "float16" and settings["train"]["network_snapshot_ticks"] == 100


def test_a_schedule_takes_the_place_of_that_of_config_py():
    settings = parse(["--preset", "v1-1gpu"])
    assert settings["desc"] == "pgan-preset-v1-1gpu-fp32" and settings["sched"]["G_lrate_dict"] == {}
    assert settings["train"]["total_kimg"] == 19000


@pytest.mark.parametrize("name", ALL)
def test_a_preset_is_as_its_line(name):
    expected: dict = {"desc": "pgan"}
    from presets import apply

    apply(expected, name)
    assert plain("--preset", name) == resolve(expected)[0]


def test_data(tmp_path):
    settings = parse(["--data", "faces"])
    assert settings["desc"] == "pgan-faces-preset-v2-1gpu-fp32"
    assert settings["dataset"]["tfrecord_dir"] == str(tmp_path / "faces")
    (tmp_path / "datasets" / "tiny").mkdir(parents=True)
    settings = plain("--data", "tiny", "--desc", "mine")
    assert settings["dataset"]["tfrecord_dir"] == "tiny" and settings["desc"] == "mine"
    (tmp_path / "My Faces!.zip").touch()
    settings = plain("--data", "My Faces!.zip", "--preset", "cifar10")
    assert settings["desc"] == "pgan-My-Faces" and settings["dataset"]["tfrecord_dir"].endswith("My Faces!.zip")
    (tmp_path / "sub" / "faces").mkdir(parents=True)
    assert plain("--data", r"sub\faces")["dataset"]["tfrecord_dir"] == str(tmp_path / "sub" / "faces")
    assert plain("--data", ".")["desc"].startswith("pgan-test_data")


def test_data_in_another_data_dir(tmp_path):
    (tmp_path / "elsewhere" / "tiny").mkdir(parents=True)
    assert plain("--data", "tiny", "--data_dir", "elsewhere")["dataset"]["tfrecord_dir"] == "tiny"
    with pytest.raises(UserError, match="there is no tinny; did you mean tiny?"):
        plain("--data", "tinny", "--data_dir", "elsewhere")
    with pytest.raises(UserError, match="there is no tiny; it is neither a path nor a data set in datasets"):
        plain("--data", "tiny")


def test_another_function_leaves_the_trainings_settings_alone(tmp_path):
    (tmp_path / "c.py").write_text("train = dict(func='train.train_progressive_gan', total_kimg=5)\ndesc = 'x'\n")
    settings = parse(["--config", "c.py", "--func", "generate_training_video", "--run_id", "3"])
    assert settings["train"] == default_settings("util_scripts.generate_training_video")["train"] | {"run_id": 3}
    assert settings["desc"] == "training-video-3"


def test_the_function_of_config_py_takes_flags(tmp_path):
    (tmp_path / "c.py").write_text("train = dict(func='scripts.generate_fake_images', run_id=1)\ndesc = 'mine'\n")
    settings = parse(["--config", "c.py", "--run_id", "4", "--seed", "9"])
    assert settings["train"]["run_id"] == 4 and settings["train"]["random_seed"] == 9 and settings["desc"] == "mine"


# ---- dry run, help, mistakes ----------------------------------------------------------------------------------------


def test_dry_run_prints_what_config_txt_would_say(capsys):
    assert plain("--dry_run", "--fmap_base", "64") is None
    text = capsys.readouterr().out
    assert text == config_text(plain("--fmap_base", "64"))
    assert resolve(parse_config_txt(text))[0] == plain("--fmap_base", "64")


def test_notes_go_to_stderr(tmp_path, capsys):
    (tmp_path / "c.py").write_text("G = dict(fmap_bse=5)\n")
    parse(["--config", "c.py"])
    output = capsys.readouterr()
    assert output.err == "note: G.fmap_bse is unknown; did you mean fmap_base?; it has no effect\n" and not output.out


@pytest.mark.parametrize(
    "argv, text",
    [
        (["--minibatch_bas", "3"], "unrecognized arguments: --minibatch_bas 3; did you mean --minibatch_base?"),
        (["--sched.minibatch_dct", "3"], "did you mean --sched.minibatch_dict?"),
        (["--total-kimgs", "3"], "did you mean --total_kimg?"),
        (["picture.png"], "unrecognized arguments: picture.png"),
        (["--minibatch_base", "many"], "expected a whole number, not 'many'"),
        (["--minibatch_base", "0"], "a number of at least 1"),
        (["--minibatch_base"], "expected one argument"),
        (["--minibatch_dict", "4"], "values by resolution"),
        (["--minibatch_dict", "4:x"], "expected a whole number"),
        (["--minibatch_dict", "5:4"], "a power of two"),
        (["--G_smoothing", "2"], "at most 1"),
        (["--total_kimg", "nan"], "expected a number"),
        (["--total_kimg", "1_0"], "expected a number"),
        (["--mirror_augment", "maybe"], "True or False"),
        (["--grid_size", "15"], "2 values such as 15,8"),
        (["--precision", "half"], "float32 or bf16 or auto"),
        (["--seed", "-1"], "at least 0"),
        (["--seed", "4294967296"], "at most 4294967295"),
        (["--metrics", "swd,lpips"], "swd or fid or is or msssim"),
        (["--preset", "v3"], "there is no preset 'v3'"),
        (["--data", "nowhere"], "there is no nowhere"),
        (["--data", ""], "--data should be a text"),
        (["--func", "generate"], "there is no function generate"),
        (["--config", "nowhere.py"], "there is no file nowhere.py"),
        (["--desc", "a\nb"], "a text in one line"),
        (["--dry_run", "perhaps"], "expected TRUE or FALSE"),
    ],
)
def test_mistakes(argv, text, capsys):
    assert text in error_of(argv, capsys)


@pytest.mark.parametrize(
    "line",
    [
        "train = 5",
        "sched = 'x'",
        "desc = 5",
        "data_dir = None",
        "G = None",
        "train = dict(func=5)",
        "grid = dict(size=5)",
    ],
)
@pytest.mark.parametrize("argv", [[], ["--data", "faces"], ["--preset", "v2-1gpu"], ["--func", "generate_fake_images"]])
def test_a_wrong_config_py_is_told_in_one_line(tmp_path, capsys, line, argv):
    (tmp_path / "config.py").write_text(line + "\n")
    if line.startswith("train = dict") and "--func" in argv:
        assert "there is no function 5" in error_of(argv, capsys)
    else:
        error_of(argv, capsys)


def test_help_groups_flags_and_shows_defaults(capsys):
    with pytest.raises(SystemExit) as end:
        parse(["--help"])
    text = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert end.value.code == 0
    for title in ("what to do:", "schedule (sched.…):", "generator (G.…):", "utility functions (--func"):
        assert title in text
    for part in (
        "(default: 4:160,8:140",
        "(default: 0.999)",
        "(default: off)",
        "(default: datasets)",
        "--seed N",
        "given alone, at every resolution",
    ):
        assert part in text
    assert "num_threads" not in text and "--D.fmap_base" not in text  # no effect; said once for both
    shown = {name for keys in GROUPS.values() for name, key in keys.items() if key.used and name != "func"}
    assert all(f"--{name}" in text for name in shown)


def test_the_command_line_is_quick():
    """--help without torch, which takes seconds to import."""
    code = "import sys, options\ntry: options.parse(['--help'])\nexcept SystemExit: sys.exit('torch' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.returncode == 0 and b"usage: train.py" in done.stdout
