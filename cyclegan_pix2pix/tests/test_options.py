"""The flags of train.py and test.py: names, defaults, types, every old spelling, and what is said of a wrong one."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import pytest

from models import model_names
from option_text import format_options
from options import full_parser, parse
from shared_scripts.cli import UserError

INF = math.inf
# The original's flags: flag -> (type, default); "switch" is off unless given.
COMMON = {
    "dataroot": (str, None),
    "name": (str, "experiment_name"),
    "checkpoints_dir": (str, "./checkpoints"),
    "input_nc": (int, 3),
    "output_nc": (int, 3),
    "ngf": (int, 64),
    "ndf": (int, 64),
    "netD": (str, "basic"),
    "netG": (str, "resnet_9blocks"),
    "n_layers_D": (int, 3),
    "norm": (str, "instance"),
    "init_type": (str, "normal"),
    "init_gain": (float, 0.02),
    "no_dropout": ("switch", False),
    "dataset_mode": (str, "unaligned"),
    "direction": (str, "AtoB"),
    "serial_batches": ("switch", False),
    "num_threads": (int, 4),
    "batch_size": (int, 1),
    "load_size": (int, 286),
    "crop_size": (int, 256),
    "max_dataset_size": (int, INF),
    "preprocess": (str, "resize_and_crop"),
    "no_flip": ("switch", False),
    "display_winsize": (int, 256),
    "epoch": (str, "latest"),
    "load_iter": (int, 0),
    "verbose": ("switch", False),
    "suffix": (str, ""),
    "use_wandb": ("switch", False),
    "wandb_project_name": (str, "CycleGAN-and-pix2pix"),
}
TRAIN = {
    "model": (str, "cycle_gan"),
    "phase": (str, "train"),
    "display_freq": (int, 400),
    "display_ncols": (int, 4),
    "display_id": (int, 1),
    "display_server": (str, "http://localhost"),
    "display_env": (str, "main"),
    "display_port": (int, 8097),
    "update_html_freq": (int, 1000),
    "print_freq": (int, 100),
    "no_html": ("switch", False),
    "save_latest_freq": (int, 5000),
    "save_epoch_freq": (int, 5),
    "save_by_iter": ("switch", False),
    "continue_train": ("switch", False),
    "epoch_count": (int, 1),
    "n_epochs": (int, 100),
    "n_epochs_decay": (int, 100),
    "beta1": (float, 0.5),
    "lr": (float, 0.0002),
    "gan_mode": (str, "lsgan"),
    "pool_size": (int, 50),
    "lr_policy": (str, "linear"),
    "lr_decay_iters": (int, 50),
    "lambda_A": (float, 10.0),
    "lambda_B": (float, 10.0),
    "lambda_identity": (float, 0.5),
}
TEST = {
    "model": (str, "test"),
    "phase": (str, "test"),
    "results_dir": (str, "./results/"),
    "aspect_ratio": (float, 1.0),
    "eval": ("switch", False),
    "num_test": (int, 50),
    "model_suffix": (str, ""),
}
CHOICES = {
    "netG": ["resnet_9blocks", "resnet_6blocks", "unet_256", "unet_128"],
    "netD": ["basic", "n_layers", "pixel"],
    "norm": ["instance", "batch", "none", "syncbatch"],
    "init_type": ["normal", "xavier", "kaiming", "orthogonal"],
    "direction": ["AtoB", "BtoA"],
    "preprocess": ["resize_and_crop", "crop", "scale_width", "scale_width_and_crop", "none"],
    "gan_mode": ["vanilla", "lsgan", "wgangp"],
    "lr_policy": ["linear", "step", "plateau", "cosine"],
}


def train(*words: str):
    """train.py's options of a command line."""
    return parse(["--dataroot", "x", *words], is_train=True)


def test(*words: str):
    """test.py's."""
    return parse(["--dataroot", "x", *words], is_train=False)


test.__test__ = False  # pytest takes the name for a test


def action(name: str, is_train: bool, *words: str):
    """What the parser knows of a flag."""
    return full_parser(is_train, list(words))._option_string_actions[f"--{name}"]


def complaint(capsys, is_train: bool, *words: str) -> str:
    """The one line in which a command line ends, with status 2."""
    with pytest.raises((SystemExit, UserError)) as caught:
        parse(list(words), is_train)
    if caught.type is UserError:
        text = f"error: {caught.value}"
    else:
        assert caught.value.code == 2
        text = capsys.readouterr().err.rstrip("\n")
    assert text.startswith("error: ") and "\n" not in text
    return text


# --- names, types, defaults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_train", [True, False])
def test_every_flag_has_its_type_and_default(is_train):
    parser = full_parser(is_train, [])
    opt = (train if is_train else test)("--name", "y")
    expected = COMMON | (TRAIN if is_train else TEST)
    ours = {  # of those that test.py decides itself
        "dataroot": "x",
        "name": "y",
        "load_size": 256,
        "num_threads": 0,
        "serial_batches": True,
        "no_flip": True,
        "dataset_mode": "single",
    }
    for name, (kind, default) in expected.items():
        flag = parser._option_string_actions[f"--{name}"]
        assert flag.dest == name
        value = getattr(opt, name)
        if name in ours and (not is_train or name in ("dataroot", "name")):
            assert value == ours[name], name
        elif (name, is_train) != ("no_dropout", True):  # cycle_gan sets it
            assert value == default and type(value) is type(default), name
        if kind == "switch":
            assert flag.nargs == 0
        else:
            assert flag.nargs is None
            sample = {int: "7", float: "0.25", str: "x"}[kind]
            read = (flag.type or str)(sample)
            assert type(read) is kind, name
    assert parser.get_default("gpu_ids") is None  # what there is; "0" was the reference's


@pytest.mark.parametrize("name,choices", CHOICES.items())
def test_choices(name, choices, capsys):
    assert sorted(action(name, True).choices) == sorted(choices)
    for choice in choices:
        assert getattr(train(f"--{name}", choice), name) == choice
    line = complaint(capsys, True, "--dataroot", "x", f"--{name}", "vgg")
    assert f"--{name}" in line and all(choice in line for choice in choices)


@pytest.mark.parametrize(
    "model,is_train,changed",
    [
        ("cycle_gan", True, {"no_dropout": True, "dataset_mode": "unaligned"}),
        ("cycle_gan", False, {"no_dropout": True, "dataset_mode": "unaligned"}),
        (
            "pix2pix",
            True,
            {
                "norm": "batch",
                "netG": "unet_256",
                "dataset_mode": "aligned",
                "pool_size": 0,
                "gan_mode": "vanilla",
                "lambda_L1": 100.0,
                "no_dropout": False,
            },
        ),
        ("pix2pix", False, {"norm": "batch", "netG": "unet_256", "dataset_mode": "aligned", "no_dropout": False}),
        (
            "colorization",
            True,
            {
                "norm": "batch",
                "netG": "unet_256",
                "dataset_mode": "colorization",
                "pool_size": 0,
                "gan_mode": "vanilla",
                "input_nc": 1,
                "output_nc": 2,
                "direction": "AtoB",
            },
        ),
        ("colorization", False, {"dataset_mode": "colorization", "input_nc": 1, "output_nc": 2}),
        ("test", False, {"dataset_mode": "single", "no_dropout": False, "model_suffix": ""}),
        ("template", True, {"dataset_mode": "aligned", "lambda_regression": 1.0, "norm": "instance"}),
    ],
)
def test_a_model_changes_defaults(model, is_train, changed):
    opt = parse(["--dataroot", "x", "--model", model], is_train)
    assert {name: getattr(opt, name) for name in changed} == changed
    assert {name: opt.defaults[name] for name in changed} == changed


def test_what_is_given_beats_the_models_defaults():
    opt = train("--model", "pix2pix", "--norm", "instance", "--netG", "resnet_6blocks", "--gan_mode", "lsgan")
    assert (opt.norm, opt.netG, opt.gan_mode, opt.pool_size) == ("instance", "resnet_6blocks", "lsgan", 0)
    assert opt.given == {"dataroot", "model", "norm", "netG", "gan_mode"}


def test_a_data_set_adds_its_flags():
    assert train("--dataset_mode", "template", "--new_dataset_option", "2.5").new_dataset_option == 2.5
    assert "new_dataset_option" not in vars(train())
    opt = train("--model", "pix2pix", "--dataset_mode", "colorization")
    assert (opt.input_nc, opt.output_nc) == (1, 2)


@pytest.mark.parametrize(
    "words,load,crop",
    [
        ([], 256, 256),
        (["--crop_size", "64"], 64, 64),
        (["--load_size", "300"], 300, 256),
        (["--loadSize", "70", "--fineSize", "64"], 70, 64),
        (["--load_size", "32", "--preprocess", "scale_width"], 32, 256),
    ],
)
def test_test_py_loads_at_the_crops_size(words, load, crop):
    opt = test(*words)
    assert (opt.load_size, opt.crop_size) == (load, crop)


def test_test_py_takes_pictures_one_by_one_in_order():
    opt = test("--batch_size", "4", "--num_threads", "3", "--flip")
    assert (opt.batch_size, opt.num_threads, opt.serial_batches, opt.no_flip) == (1, 0, True, True)


# --- old spellings ------------------------------------------------------------------------------------------------

SPELLINGS = [
    (True, "--which_model_netD pixel", "--netD pixel"),
    (True, "--which_model_netG unet_128", "--netG unet_128"),
    (True, "--use_dropout", ""),
    (True, "--model pix2pix --no_dropout --use_dropout", "--model pix2pix"),
    (True, "--align_data", "--dataset_mode aligned"),
    (True, "--model cycle_gan --align_data", "--model cycle_gan --dataset_mode aligned"),
    (True, "--which_direction BtoA", "--direction BtoA"),
    (True, "--nThreads 2", "--num_threads 2"),
    (True, "--batchSize 3", "--batch_size 3"),
    (True, "--loadSize 40 --fineSize 32", "--load_size 40 --crop_size 32"),
    (True, "--ntrain 12", "--max_dataset_size 12"),
    (True, "--max_dataset_size inf", ""),
    (True, "--resize_or_crop crop", "--preprocess crop"),
    (True, "--preprocessing scale_width", "--preprocess scale_width"),
    (True, "--no_flip --flip", ""),
    (True, "--which_epoch 5", "--epoch 5"),
    (True, "--display_single_pane_ncols 2", "--display_ncols 2"),
    (True, "--niter 7", "--n_epochs 7"),
    (True, "--niter_decay 0", "--n_epochs_decay 0"),
    (True, "--no_lsgan", "--gan_mode vanilla"),
    (True, "--lr_policy lambda", "--lr_policy linear"),
    (True, "--identity 0", "--lambda_identity 0"),
    (True, "--model pix2pix --lambda_A 50", "--model pix2pix --lambda_L1 50"),
    (True, "--model colorization --lambda_A 50", "--model colorization --lambda_L1 50"),
    (False, "--how_many 7", "--num_test 7"),
    (False, "--how_many all", "--num_test inf"),
    (False, "--ntest 12", ""),
    (False, "--which_epoch 5 --which_direction BtoA", "--epoch 5 --direction BtoA"),
    (False, "--loadSize 32 --fineSize 32", "--load_size 32 --crop_size 32"),
    (False, "--model=test --no_dropout", "--no_dropout"),
    # argparse's own ways of writing
    (True, "--netG=resnet_6blocks --niter=3", "--netG resnet_6blocks --n_epochs 3"),
    (True, "--cont --save_b --no_h", "--continue_train --save_by_iter --no_html"),
    (True, "--batch 2 --crop 64 --prep crop", "--batch_size 2 --crop_size 64 --preprocess crop"),
    (True, "--mod pix2pix --lambda_L 3", "--model pix2pix --lambda_L1 3"),
    (False, "--res other --how 3", "--results_dir other --num_test 3"),
]


@pytest.mark.parametrize("is_train,old,new", SPELLINGS)
def test_old_spellings_mean_the_same(is_train, old, new):
    one, two = (vars(parse(["--dataroot", "x", *words.split()], is_train)) for words in (old, new))
    if "--use_dropout" in old:
        two = two | {"no_dropout": False}  # cycle_gan has none unless asked
    differing = {name for name in one | two if one.get(name) != two.get(name)} - {"given", "ntest"}
    assert not differing


def test_the_seed_commands_are_read():
    opt = train(
        *"--name emojis_cyclegan --model cycle_gan --display_freq 50 --niter 1 --display_id 0 --batch_size 3".split(),
        *"--loadSize 16 --fineSize 16 --gpu_ids -1".split(),
    )
    found = (opt.display_freq, opt.n_epochs, opt.n_epochs_decay, opt.display_id, opt.batch_size, opt.gpu_ids)
    assert found == (50, 1, 100, 0, 3, "-1") and (opt.load_size, opt.crop_size) == (16, 16)
    opt = test(*r"--name checkpoints\summer2winter_yosemite_pretrained --model test --no_dropout".split())
    assert (opt.name, opt.no_dropout) == ("summer2winter_yosemite_pretrained", True)
    assert train("--gpu_ids", "0,1,2").gpu_ids == "0,1,2"


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["maps", r"checkpoints\maps", "checkpoints/maps", "./checkpoints/maps/", r".\checkpoints\maps", "././maps", "HERE"],
)
def test_a_name_may_begin_with_its_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert test("--name", name.replace("HERE", f"{tmp_path}/checkpoints/maps")).name == "maps"


@pytest.mark.parametrize("folder", ["other", "./other/", r"deep\other", "../other", "ABSOLUTE"])
def test_another_folder_of_checkpoints(folder, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    folder = folder.replace("ABSOLUTE", str(tmp_path / "far"))
    opt = test("--checkpoints_dir", folder, "--name", f"{folder}/maps")
    assert opt.name == "maps" and "\\" not in opt.checkpoints_dir
    assert test("--checkpoints_dir", folder, "--name", "checkpoints/maps").name == "checkpoints/maps"


def test_from_inside_the_folder_a_name_is_a_name(tmp_path, monkeypatch):
    (tmp_path / "checkpoints/maps").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "checkpoints/maps")
    assert test("--checkpoints_dir", "..", "--name", "facades").name == "facades"
    assert test("--checkpoints_dir", ".", "--name", "facades").name == "facades"


@pytest.mark.parametrize("name", ["../x", r"..\x", "a/../../x", "/tmp/x", "", ".", "checkpoints/../x"])
def test_names_that_leave_the_folder(name, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = complaint(capsys, False, "--dataroot", "x", "--name", name)
    assert repr(name) in line and "--checkpoints_dir ./checkpoints" in line


@pytest.mark.parametrize(
    "words,name",
    [
        ("--model pix2pix --suffix {model}_{netG}_size{load_size}", "maps_pix2pix_unet_256_size286"),
        ("--suffix {which_model_netG}_{loadSize}_{fineSize}", "maps_resnet_9blocks_286_256"),
        ("--loadSize 300 --suffix {batchSize}x{load_size}-{niter}", "maps_1x300-100"),
        ("--suffix plain", "maps_plain"),
    ],
)
def test_suffixes_are_filled_in(words, name):
    assert train("--name", "maps", *words.split()).name == name


def test_a_suffix_does_not_leave_the_folder_either(capsys):
    complaint(capsys, True, "--dataroot", "x", "--name", "maps", "--suffix", "/../../../x")
    assert "{foo}" in complaint(capsys, True, "--dataroot", "x", "--suffix", "{foo}")


def test_paths_with_backslashes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets/maps").mkdir(parents=True)
    opt = parse(["--dataroot", r"datasets\maps", "--checkpoints_dir", r".\check points"], is_train=True)
    assert (opt.dataroot, opt.checkpoints_dir) == ("datasets/maps", "check points")
    assert test("--results_dir", r"new\results").results_dir == "new/results"
    assert (test().checkpoints_dir, test().results_dir) == ("./checkpoints", "./results/")


# --- the table ----------------------------------------------------------------------------------------------------


def test_the_table_has_every_option_and_marks_the_changed_ones():
    opt = train("--model", "pix2pix", "--lr", "0.001", "--gan_mode", "vanilla")
    shown = {name: value for name, value in vars(opt).items() if name in opt.defaults}
    table = format_options(shown, opt.defaults)
    lines = table.splitlines()
    assert lines[0] == "----------------- Options ---------------"
    assert lines[-1] == "----------------- End -------------------"
    names = [line.partition(":")[0].strip() for line in lines[1:-1]]
    assert names == sorted(names) and {*COMMON, *TRAIN, "lambda_L1"} - {"lambda_A", "lambda_B", "lambda_identity"} <= {
        *names
    }
    changed = {line.partition(":")[0].strip() for line in lines if "[default:" in line}
    assert changed == {"dataroot", "lr", "model"}
    assert f"{'dataroot':>25}: {'x':<30}\t[default: None]" in lines
    assert f"{'lr':>25}: {'0.001':<30}\t[default: 0.0002]" in lines
    assert f"{'model':>25}: {'pix2pix':<30}\t[default: cycle_gan]" in lines


def test_what_test_py_decides_itself_is_not_marked_as_changed():
    opt = test("--crop_size", "64")
    table = format_options({name: value for name, value in vars(opt).items() if name in opt.defaults}, opt.defaults)
    changed = {line.partition(":")[0].strip() for line in table.splitlines() if "[default:" in line}
    assert changed == {"dataroot", "crop_size"}


# --- help ---------------------------------------------------------------------------------------------------------


def help_of(capsys, monkeypatch, is_train: bool, *words: str, columns: int = 100) -> str:
    """What --help prints."""
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit) as caught:
        parse([*words, "--help"], is_train)
    assert caught.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("is_train", [True, False])
@pytest.mark.parametrize("model", sorted({*model_names()} - {"test"}) + ["test"])
def test_help_has_a_line_for_every_flag(model, is_train, capsys, monkeypatch):
    text = help_of(capsys, monkeypatch, is_train, "--model", model)
    flags, _, old = text.partition("older spellings")
    parser = full_parser(is_train, ["--model", model])
    shown = re.findall(r"^  (--[A-Za-z0-9_]+)", flags, re.MULTILINE)
    assert len(shown) == len({*shown})
    for flag in parser._actions:
        for word in flag.option_strings:
            if word in ("-h", "--help"):
                continue
            listed_old = re.search(rf"^  {word}  +\S", old, re.MULTILINE)
            assert (word in shown) != bool(listed_old), word
    expected = {*COMMON, *(TRAIN if is_train else TEST)} - {"lambda_A", "lambda_B", "lambda_identity", "model_suffix"}
    assert {f"--{name}" for name in expected} <= {*shown}
    for title in ("the experiment:", "the networks:", "the pictures:", "the machine:"):
        assert f"\n{title}\n" in flags
    assert "SUPPRESS" not in text and "(default: )" not in text and "==" not in text
    assert max(map(len, text.splitlines())) <= 100


def test_help_depends_on_model_and_data_set(capsys, monkeypatch):
    text = help_of(capsys, monkeypatch, True, "--model", "pix2pix", "--dataset_mode", "template")
    assert "--lambda_L1 X" in text and "--new_dataset_option X" in text and "--lambda_identity" not in text
    assert re.search(r"--netG \{.*\}\n +generator \(default: unet_256\)", text)
    assert re.search(r"^  --lambda_A +--lambda_L1$", text, re.MULTILINE)
    assert "--model_suffix TEXT" in help_of(capsys, monkeypatch, False)


def test_help_fits_a_narrow_window(capsys, monkeypatch):
    lines = help_of(capsys, monkeypatch, True, columns=80).splitlines()
    assert max(len(line) for line in lines if "{" not in line) <= 80  # lists of choices are not broken


# --- complaints ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words,parts",
    [
        ("--dataroot x --foo 3", ["--foo 3", "--help"]),
        ("", ["--dataroot"]),
        ("--dataroot x --model stargan", ["'stargan'", "colorization, cycle_gan, pix2pix, template, test"]),
        ("--dataroot x --dataset_mode foo", ["'foo'", "aligned, colorization, single, template, unaligned"]),
        ("--dataroot x --crop_size big", ["--crop_size", "whole number above 0", "'big'"]),
        ("--dataroot x --crop_size -3", ["--crop_size", "whole number above 0", "'-3'"]),
        ("--dataroot x --batch_size 0", ["--batch_size", "whole number above 0"]),
        ("--dataroot x --batch_size 1.5", ["--batch_size", "whole number above 0"]),
        ("--dataroot x --lr fast", ["--lr", "'fast'"]),
        ("--dataroot x --lr nan", ["--lr", "finite"]),
        ("--dataroot x --lr -1", ["--lr", "at least 0"]),
        ("--dataroot x --beta1 1", ["--beta1", "below 1"]),
        ("--dataroot x --init_gain -1", ["--init_gain", "at least 0"]),
        ("--dataroot x --lambda_gp=-1", ["--lambda_gp", "at least 0"]),
        ("--dataroot x --niter -1", ["--n_epochs", "below 0"]),
        ("--dataroot x --num_threads -1", ["--num_threads", "below 0"]),
        ("--dataroot x --lr_policy cosine --n_epochs 0", ["--lr_policy cosine", "--n_epochs"]),
        ("--dataroot x --load_size 100", ["--load_size 100", "--crop_size 256", "add --crop_size 100"]),
        ("--dataroot x --model test", ["--model test", "cycle_gan"]),
        ("--dataroot x --load 3", ["ambiguous", "--load_size", "--load_iter"]),
        ("--dataroot x --norm", ["--norm", "expected one argument"]),
        ("--dataroot x --how_many 3", ["--how_many"]),
        ("--dataroot x --model pix2pix --lambda_identity 1", ["--lambda_identity"]),
    ],
)
def test_train_py_complains_in_one_line(words, parts, capsys):
    line = complaint(capsys, True, *words.split())
    for part in parts:
        assert part in line


@pytest.mark.parametrize(
    "words,parts",
    [
        ("--dataroot x --num_test 0", ["--num_test", "above 0"]),
        ("--dataroot x --num_test some", ["--num_test", "'some'"]),
        ("--dataroot x --aspect_ratio 0", ["--aspect_ratio", "above 0"]),
        ("--dataroot x --aspect_ratio nan", ["--aspect_ratio", "finite"]),
        ("--dataroot x --continue_train", ["--continue_train"]),
    ],
)
def test_test_py_complains_in_one_line(words, parts, capsys):
    line = complaint(capsys, False, *words.split())
    for part in parts:
        assert part in line


def test_reading_the_flags_touches_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train("--name", "new")
    assert os.listdir(tmp_path) == [] and Path(train().checkpoints_dir) == Path("checkpoints")
