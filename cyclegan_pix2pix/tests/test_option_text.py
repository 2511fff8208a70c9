"""The table of options, the file it goes to, and --suffix."""

import pytest

from option_text import expand_suffix, format_options, save_options
from shared_scripts.cli import UserError
from shared_scripts.files import resolve_path

VALUES = {"model": "pix2pix", "netG": "unet_256", "netD": "basic", "load_size": 286, "crop_size": 256, "lr": 0.0002}


def test_the_table_is_the_references_letter_for_letter():
    text = format_options({"name": "maps", "batch_size": 4, "lr": 0.0002}, {"name": "x", "batch_size": 1, "lr": 0.0002})
    assert text == (
        "----------------- Options ---------------\n"
        "               batch_size: 4                             \t[default: 1]\n"
        "                       lr: 0.0002                        \n"
        "                     name: maps                          \t[default: x]\n"
        "----------------- End -------------------"
    )


def test_none_and_infinity_print_like_anything_else():
    lines = format_options({"a": None, "max": 10}, {"a": None, "max": float("inf")}).splitlines()
    assert lines[1] == " " * 24 + "a: None" + " " * 26
    assert lines[2].endswith("\t[default: inf]")


def test_what_only_looks_different_is_no_change():
    values = {"dataroot": resolve_path("x"), "lambda_A": 10.0, "of_the_program": 1}
    assert "default" not in format_options(values, {"dataroot": "x", "lambda_A": 10})


def test_the_table_is_saved_by_phase(tmp_path):
    path = save_options(tmp_path / "new", "train", "one\ntwo")
    assert path == tmp_path / "new/train_opt.txt"
    assert path.read_bytes() == b"one\ntwo\n"
    save_options(tmp_path / "new", "train", "three\n")
    assert path.read_bytes() == b"three\n" and len(list(path.parent.iterdir())) == 1


def test_a_folder_that_takes_no_file_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file"):
        save_options(tmp_path / "file", "train", "x")


@pytest.mark.parametrize(
    ("suffix", "expanded"),
    [
        ("{model}_{netG}_size{load_size}", "pix2pix_unet_256_size286"),
        ("{which_model_netG}-{which_model_netD}-{loadSize}-{fineSize}", "unet_256-basic-286-256"),
        ("{load_size:05d}_{lr:.1e}_{netG!r}", "00286_2.0e-04_'unet_256'"),
        ("{{plain}}", "{plain}"),
        ("", ""),
    ],
)
def test_suffixes(suffix, expanded):
    assert expand_suffix(suffix, VALUES) == expanded


OLD_AND_NEW = {
    "batchSize": "batch_size", "which_direction": "direction", "nThreads": "num_threads", "which_epoch": "epoch",
    "resize_or_crop": "preprocess", "niter": "n_epochs", "niter_decay": "n_epochs_decay", "how_many": "num_test",
}  # fmt: skip


@pytest.mark.parametrize("old", OLD_AND_NEW)
def test_every_old_name_finds_its_new_one(old):
    assert expand_suffix(f"<{{{old}}}>", {**VALUES, OLD_AND_NEW[old]: "found"}) == "<found>"


def test_an_option_of_that_very_name_comes_first():
    assert expand_suffix("{niter}", {"niter": 1, "n_epochs": 2}) == "1"


def test_an_unknown_field_is_named_with_some_that_exist():
    with pytest.raises(UserError) as caught:
        expand_suffix("{netg}", VALUES)
    assert "{netg}" in str(caught.value) and "{netG}" in str(caught.value) and "{model}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "suffix",
    ["{model.__class__}", "{model[0]}", "{0}", "{}", "{lr:{model.__class__}}", "{model.__class__.__mro__[1]}"],
)
def test_only_plain_names_may_stand_in_braces(suffix):
    with pytest.raises(UserError, match="plain option name"):
        expand_suffix(suffix, VALUES)


@pytest.mark.parametrize("suffix", ["{model", "model}", "{model:d}", "{model!z}"])
def test_what_cannot_be_formatted_is_one_line(suffix):
    with pytest.raises(UserError, match="cannot be filled in") as caught:
        expand_suffix(suffix, VALUES)
    assert "\n" not in str(caught.value)
