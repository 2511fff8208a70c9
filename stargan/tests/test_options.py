"""The flags of main.py, train.py and test.py: names, types, defaults, every old spelling, and what is said of a wrong
one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROJECT

from options import listing, make_parser, parse
from shared_scripts.cli import UserError

ATTRIBUTES = ["Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young"]
# The original's flags: flag -> (type, default)
FLAGS = {
    "dataset": (str, "CelebA"),
    "celeba_crop_size": (int, 178),
    "rafd_crop_size": (int, 256),
    "image_size": (int, 128),
    "g_conv_dim": (int, 64),
    "d_conv_dim": (int, 64),
    "g_repeat_num": (int, 6),
    "d_repeat_num": (int, 6),
    "lambda_cls": (float, 1.0),
    "lambda_rec": (float, 10.0),
    "lambda_gp": (float, 10.0),
    "batch_size": (int, 16),
    "num_iters": (int, 200000),
    "num_iters_decay": (int, 100000),
    "g_lr": (float, 0.0001),
    "d_lr": (float, 0.0001),
    "n_critic": (int, 5),
    "beta1": (float, 0.5),
    "beta2": (float, 0.999),
    "resume_iters": (int, None),
    "test_iters": (int, 200000),
    "num_workers": (int, 1),
    "use_tensorboard": (bool, True),
    "celeba_image_dir": (str, "data/celeba/images"),
    "attr_path": (str, "data/celeba/list_attr_celeba.txt"),
    "rafd_image_dir": (str, "data/RaFD/train"),
    "log_dir": (str, "stargan/logs"),
    "model_save_dir": (str, "stargan/models"),
    "sample_dir": (str, "stargan/samples"),
    "result_dir": (str, "stargan/results"),
    "log_step": (int, 10),
    "sample_step": (int, 1000),
    "model_save_step": (int, 10000),
    "lr_update_step": (int, 1000),
    "num_epochs": (int, 20),
    "num_epochs_decay": (int, 10),
    "pretrained_model": (str, None),
    "test_model": (str, "20_1000"),
}
DIMS = {
    "c_dim": 5,
    "c2_dim": 8,
}  # told by the data if not given: what the defaults' data tell is the original's default
OURS = {
    "test_images": None,
    "checkpoint": None,
    "save_each": False,
    "titles": False,
    "lr_decay": "linear",
    "g_optimizer": "adam",
    "warmup_iters": 0,
    "lambda_id": 0.0,
    "reference_exact": False,
    "resume": False,
    "device": "auto",
    "gpu_ids": None,
    "precision": "float32",
    "seed": None,
    "variant": "current",
}
SPELLINGS = {
    "--celebA_crop_size": "celeba_crop_size",
    "--d_train_repeat": "n_critic",
    "--list": "selected_attrs",
    "--celebA_image_path": "celeba_image_dir",
    "--metadata_path": "attr_path",
    "--rafd_image_path": "rafd_image_dir",
    "--log_path": "log_dir",
    "--model_save_path": "model_save_dir",
    "--sample_path": "sample_dir",
    "--result_path": "result_dir",
}
SAMPLES = {int: ("8", 8), float: ("0.25", 0.25), str: ("some/where", "some/where"), bool: ("False", False)}
CHANGED_BY_OLD = {
    "celeba_image_dir": "data/CelebA_nocrop/images",
    "attr_path": "data/list_attr_celeba.txt",
    "rafd_image_dir": "data/RaFD/train",
    "sample_step": 500,
    "model_save_step": 1000,
    "use_tensorboard": False,
}


def options(*words: object, script: str = "main.py"):
    """A script's options of a command line."""
    return parse([str(word) for word in words], script)


def complaint(capsys, *words: object, script: str = "main.py") -> str:
    """The one line in which a command line ends, with status 2."""
    with pytest.raises((SystemExit, UserError)) as caught:
        options(*words, script=script)
    if caught.type is UserError:
        text = f"error: {caught.value}"
    else:
        assert caught.value.code == 2
        text = capsys.readouterr().err.rstrip("\n")
    assert text.startswith("error: ") and "\n" not in text
    return text


# --- names, types, defaults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", ["main.py", "train.py", "test.py"])
def test_every_flag_has_its_type_and_default(script):
    opt = options(script=script)
    for name, (kind, default) in FLAGS.items():
        value = getattr(opt, name)
        assert value == default, name
        assert type(value) is kind or default is None, name
    for name, default in (OURS | dict.fromkeys(DIMS)).items():
        assert getattr(opt, name) == default, name
    assert opt.selected_attrs == ATTRIBUTES
    assert opt.mode == {"main.py": "train", "train.py": "train", "test.py": "test"}[script]
    known = {*FLAGS, *DIMS, *OURS, "mode", "selected_attrs", "given"}
    assert {*vars(opt)} == known  # a new flag belongs into this test


@pytest.mark.parametrize("name", [name for name in FLAGS if name != "dataset"])
def test_every_flag_is_read(name):
    kind, _ = FLAGS[name]
    word, expected = SAMPLES[kind]
    if name in ("pretrained_model", "test_model"):
        word = expected = "3_50"
    for words in ((f"--{name}", word), (f"--{name}={word}",)):
        opt = options(*words)
        value = getattr(opt, name)
        assert value == expected and type(value) is kind
        assert opt.given == {name}
        changed = {key for key in FLAGS if getattr(opt, key) != FLAGS[key][1]} - {name}
        follows = {"num_iters_decay"} if name == "num_iters" else set()
        assert changed <= ({*CHANGED_BY_OLD} if opt.variant == "old" else follows)


def test_a_short_training_decays_in_its_second_half():
    """Or the rate would not fall to 0, as the paper has it: 100,000 steps are longer than the training."""
    assert options("--num_iters", "5000").num_iters_decay == 2500 and options("--num_iters", "1").num_iters_decay == 1
    assert options("--num_iters", "150000").num_iters_decay == 100_000
    for words in (["--num_iters_decay", "100000"], ["--reference_exact"], ["--lr_decay", "reference"]):
        assert options("--num_iters", "5000", *words).num_iters_decay == 100_000
    assert options("--num_iters", "5000", "--variant", "old").num_iters_decay == 100_000


def test_how_many_labels():
    opt = options("--c_dim", "5", "--c2_dim=8", "--dataset", "Both")
    assert (opt.c_dim, opt.c2_dim) == (5, 8)
    assert options("--dataset", "RaFD", "--c_dim", 8).c_dim == 8  # attributes do not matter there


@pytest.mark.parametrize("old", SPELLINGS)
def test_old_spellings(old):
    name = SPELLINGS[old]
    word, expected = ("Young", ["Young"]) if name == "selected_attrs" else SAMPLES[FLAGS[name][0]]
    for words in ((old, word), (f"{old}={word}",)):
        opt = options(*words)
        assert getattr(opt, name) == expected
        assert opt.variant == "current" and opt.given == {name}


def test_data_sets_in_any_case():
    assert [options("--dataset", name).dataset for name in ("celeba", "RAFD", "both")] == ["CelebA", "RaFD", "Both"]


def test_attributes_with_blanks_or_commas():
    assert options("--selected_attrs", "Male", "Young").selected_attrs == ["Male", "Young"]
    assert options("--list=Male,Young").selected_attrs == ["Male", "Young"]
    assert options("--selected_attrs", "Male,", "Young").selected_attrs == ["Male", "Young"]


@pytest.mark.parametrize(
    ("prefix", "name"),
    [("--batch", "batch_size"), ("--image", "image_size"), ("--resume_", "resume_iters"), ("--n_c", "n_critic"),
     ("--lambda_r", "lambda_rec"), ("--rafd_i", "rafd_image_dir"), ("--celebA_i", "celeba_image_dir"),
     ("--sel", "selected_attrs"), ("--test_it", "test_iters"), ("--use", "use_tensorboard"),
     ("--model_save_s", "model_save_step")],
)  # fmt: skip
def test_unique_prefixes(prefix, name):
    word, expected = ("Male", ["Male"]) if name == "selected_attrs" else SAMPLES[FLAGS[name][0]]
    assert getattr(options(prefix, word), name) == expected


def test_an_ambiguous_prefix(capsys):
    line = complaint(capsys, "--lambda", "3")
    assert all(name in line for name in ("--lambda_cls", "--lambda_rec", "--lambda_gp"))


@pytest.mark.parametrize("flag", ["use_tensorboard", "save_each", "titles", "reference_exact", "resume"])
def test_booleans(flag, capsys):
    """The original takes "yes" and "1" for False, and "t" for True."""
    for word in ("True", "true", "TRUE", "yes", "1", "on"):
        assert getattr(options(f"--{flag}", word), flag) is True
        assert getattr(options(f"--{flag}={word}"), flag) is True
    for word in ("False", "false", "no", "0", "off"):
        assert getattr(options(f"--{flag}={word}"), flag) is False
    assert "expected TRUE or FALSE, not 'perhaps'" in complaint(capsys, f"--{flag}", "perhaps")
    if flag != "use_tensorboard":
        assert getattr(options(f"--{flag}"), flag) is True


def test_resume_is_not_resume_iters(capsys):
    """In the original, --resume is short for --resume_iters."""
    assert "takes no number; say --resume_iters 200000" in complaint(capsys, "--resume", "200000")
    opt = options("--resume_iters", "200000")
    assert opt.resume_iters == 200000 and not opt.resume


@pytest.mark.skipif(os.name == "nt", reason="backslashes are separators there")
def test_paths_from_windows_and_of_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    opt = options("--celeba_image_dir", r"data\celeba\images", "--model_save_dir", "~/models", r"--attr_path=a\b.txt")
    assert (opt.celeba_image_dir, opt.attr_path) == ("data/celeba/images", "a/b.txt")
    assert opt.model_save_dir == str(tmp_path / "models")


# --- the version of 2017 ------------------------------------------------------------------------------------------


def test_old_defaults():
    opt = options("--variant", "old")
    for name, (_, default) in FLAGS.items():
        assert getattr(opt, name) == CHANGED_BY_OLD.get(name, default), name
    opt = options("--variant", "old", "--sample_step", 7, "--use_tensorboard", "true", "--attr_path", "x.txt")
    assert (opt.sample_step, opt.use_tensorboard, opt.attr_path) == (7, True, "x.txt")


@pytest.mark.parametrize("flag", ["num_epochs", "num_epochs_decay", "pretrained_model", "test_model"])
def test_a_flag_that_only_the_old_version_has_implies_it(flag, capsys):
    word = "3" if "epochs" in flag else "3_50"
    opt = options(f"--{flag}", word)
    assert opt.variant == "old" and opt.sample_step == 500
    assert options(f"--{flag}", word, "--variant", "old").variant == "old"
    line = complaint(capsys, f"--{flag}", word, "--variant", "current")
    assert f"--{flag} is of the 2017 version: say --variant old, or leave it out" in line


# --- what does not go ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--mode eval", "invalid choice: 'eval'"),
        ("--dataset ImageNet", "expected CelebA, RaFD (which is also for folders of your own) or Both, not 'ImageNet'"),
        ("--c_dim 8", "--c_dim 8 does not go with the 5 selected attributes (Black_Hair Blond_Hair"),
        ("--dataset Both --c_dim 4", "leave --c_dim out, or select as many with --selected_attrs"),
        ("--selected_attrs Male --c_dim 5", "--c_dim 5 does not go with the 1 selected attributes (Male)"),
        ("--selected_attrs ,", "--selected_attrs names no attribute"),
        ("--selected_attrs", "--selected_attrs"),
        ("--image_size 130", "--image_size 130 is no multiple of 4, and the generator would shrink it; take 128"),
        ("--image_size 2", "take 8"),
        ("--image_size 4", "--image_size must be at least 8"),
        ("--image_size 0", "--image_size: expected a whole number above 0, not '0'"),
        ("--batch_size -1", "--batch_size: expected a whole number above 0, not '-1'"),
        ("--batch_size many", "--batch_size: expected a whole number above 0, not 'many'"),
        ("--num_workers -1", "expected a whole number from 0 on"),
        ("--resume_iters -5", "expected a whole number from 0 on"),
        ("--g_lr nan", "expected a finite number, not 'nan'"),
        ("--d_lr 1e300", "expected a finite number"),
        ("--lambda_gp -1", "expected a number of at least 0, not '-1'"),
        ("--beta2 1", "--beta1 and --beta2 must be below 1"),
        ("--variant older", "invalid choice: 'older'"),
        ("--variant old --selected_attrs Male Young", "--variant old has five attributes, not 2"),
        ("--lr_decay cosine", "invalid choice: 'cosine'"),
        ("--precision fp16", "invalid choice: 'fp16'"),
        ("--learning_rate 3", "unrecognized arguments: --learning_rate 3"),
        ("celeba", "unrecognized arguments: celeba"),
    ],
)
def test_wrong_command_lines_are_answered_in_one_line(words, said, capsys):
    assert said in complaint(capsys, *words.split())


def test_train_and_test_have_their_mode(capsys):
    for script in ("train", "test"):
        assert options("--mode", script, script=f"{script}.py").mode == script
    assert "invalid choice: 'test'" in complaint(capsys, "--mode", "test", script="train.py")
    assert "invalid choice: 'train'" in complaint(capsys, "--mode", "train", script="test.py")


def test_old_runs_of_folders_have_no_attributes_to_count():
    assert options("--variant", "old", "--dataset", "RaFD", "--selected_attrs", "Male").variant == "old"


# --- what is shown ------------------------------------------------------------------------------------------------


def test_the_listing_is_the_originals():
    text = listing(options("--batch_size", 8))
    assert text.startswith("Namespace(") and "\n" not in text
    assert "batch_size=8" in text and "celeba_image_dir='data/celeba/images'" in text and "given" not in text


@pytest.mark.parametrize("script", ["main.py", "train.py", "test.py"])
def test_help_shows_every_flag_and_default(script, tmp_path):
    """From another folder, as people call it; and in time for people: without loading PyTorch."""
    found = subprocess.run(
        [sys.executable, "-X", "importtime", PROJECT / script, "--help"],
        cwd=tmp_path,
        env=os.environ | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0 and "argparse" in found.stderr
    assert not re.search(r"\| +torch$", found.stderr, re.MULTILINE)
    blocks = re.split(r"^  (?=-)", found.stdout, flags=re.MULTILINE)[1:]  # a flag each, with all its spellings
    entries = {re.search(r"--\w+", block)[0]: " ".join(block.split()) for block in blocks}
    text = " ".join(entries.values())
    parser = make_parser(script)
    for action in parser._actions:
        for flag in action.option_strings:
            if flag == "--mode" and script != "main.py":
                assert "--mode " not in text  # it is said by the script's name
            else:
                assert flag in text, flag
    for name, (_, default) in FLAGS.items():
        if default is not None:
            assert re.search(rf"\(default: {re.escape(str(default))}[;)]", entries[f"--{name}"]), name
        if name in CHANGED_BY_OLD and name != "rafd_image_dir":
            assert f"{CHANGED_BY_OLD[name]} with --variant old)" in entries[f"--{name}"]
    for name in DIMS:
        assert "default: what the data say" in entries[f"--{name}"] or "likewise" in entries[f"--{name}"]
    assert not list(Path(tmp_path).iterdir())
