"""Size, crop, flip and tensors: to the pixel and to the draw as the original."""

import copy
import json
import pickle
import random
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch

import preprocess
from preprocess import get_params, get_transform, resize

with np.load(Path(__file__).parent / "golden" / "preprocess.npz") as file:
    CASES = json.loads(str(file["meta"]))["cases"]
with np.load(Path(__file__).parent / "golden" / "preprocess_v2018.npz") as file:
    CASES_2018 = json.loads(str(file["meta"]))["cases"]
RULES = ["resize_and_crop", "crop", "scale_width", "scale_width_and_crop", "none"]
PICTURE = np.random.default_rng(0).integers(0, 256, (30, 44, 3), dtype=np.uint8)
MILD = PICTURE // 2 + 64  # bicubic overshoots, which 8 bits clip between the two passes: here it stays within 0..255


def options(**changes):
    settings = {
        "preprocess": "resize_and_crop", "load_size": 36, "crop_size": 28, "no_flip": False, "isTrain": True,
        "rules": "2020",
    }  # fmt: skip
    return Namespace(**{**settings, **changes})


def normalised(pixels):
    """(C, H, W) uint8 as the network's input, by the formula."""
    return (torch.from_numpy(pixels).float() / 255 - 0.5) / 0.5


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["case"]))
def test_paired_draws_equal_the_original(golden, case):
    file = golden("preprocess")
    picture = file[f"img{case['img']}"]
    opt = options(**{key: case[key] for key in ("preprocess", "load_size", "crop_size")})
    random.seed(case["python_random_seed"])
    params = get_params(opt, (picture.shape[1], picture.shape[0]))
    assert list(params["crop_pos"]) == case["crop_pos"] and params["flip"] == case["flip"]
    found = get_transform(opt, params, case["grayscale"])(picture)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, normalised(file[f"t{case['case']}"]), rtol=0, atol=0)


@pytest.mark.parametrize("case", range(8))
def test_torch_draws_equal_the_original(golden, case):
    file = golden("preprocess")
    torch.manual_seed(file["meta"]["unaligned"][case]["torch_seed"])
    found = get_transform(options())(file["img0"])
    torch.testing.assert_close(found, normalised(file[f"u{case}"]), rtol=0, atol=0)


@pytest.mark.parametrize("case", CASES_2018, ids=lambda case: str(case["case"]))
def test_the_rules_of_2018(golden, case):
    file = golden("preprocess_v2018")
    opt = options(
        rules="2018", preprocess=case["resize_or_crop"], crop_size=case["fineSize"], load_size=99, isTrain=False
    )
    found = get_transform(opt)(file[f"img{case['img']}"])
    torch.testing.assert_close(found, normalised(file[f"t{case['case']}"]), rtol=0, atol=0)


def test_grey_of_2018_is_made_of_the_resized_tensor():
    opt = options(rules="2018", no_flip=True)
    params = get_params(opt, (44, 30))
    colour = get_transform(opt, params)(PICTURE).double()
    expected = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    found = get_transform(opt, params, grayscale=True)(PICTURE)
    torch.testing.assert_close(found[0].double(), expected, rtol=0, atol=1e-6)
    assert not torch.equal(found, get_transform(options(no_flip=True), params, grayscale=True)(PICTURE))


def test_crops_of_2018_never_reach_the_last_position():
    def positions(rules):
        random.seed(1)
        opt = options(rules=rules, load_size=30, crop_size=28)
        return {get_params(opt, (9, 9))["crop_pos"] for _ in range(200)}

    assert positions("2018") == {(x, y) for x in range(2) for y in range(2)}
    assert positions("2020") == {(x, y) for x in range(3) for y in range(3)}


@pytest.mark.parametrize("rules,is_train,flips", [("2018", False, False), ("2018", True, True), ("2020", False, True)])
def test_when_pictures_are_flipped(rules, is_train, flips):
    opt = options(rules=rules, isTrain=is_train, preprocess="crop", crop_size=64)
    params = {"crop_pos": (0, 0), "flip": True}
    expected = PICTURE[:, ::-1] if flips else PICTURE
    np.testing.assert_array_equal(get_transform(opt, params, convert=False)(PICTURE), expected)
    opt.no_flip = True
    np.testing.assert_array_equal(get_transform(opt, params, convert=False)(PICTURE), PICTURE)


def test_no_flip_takes_no_draw_and_half_the_pictures_flip():
    opt = options(preprocess="crop", crop_size=64)
    torch.manual_seed(0)
    flipped = sum(bool((get_transform(opt, convert=False)(PICTURE) != PICTURE).any()) for _ in range(200))
    torch.manual_seed(0)
    for _ in range(200):  # an impossible crop still draws its two positions, as it would be with a larger picture
        torch.randint(0, 1, (1,))
        torch.randint(0, 1, (1,))
        flipped -= int(torch.rand(1).item() < 0.5)
    assert flipped == 0
    state = torch.get_rng_state()
    get_transform(options(preprocess="scale_width", no_flip=True))(PICTURE)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_crop_that_fits_exactly_takes_no_draw():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    get_transform(options(load_size=28, no_flip=True))(PICTURE)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("size,shape", [(32, (32, 32)), (64, (30, 44))])
def test_a_crop_larger_than_the_picture(size, shape):
    """Filled with black where one side is larger, whole where both are smaller."""
    opt = options(preprocess="crop", crop_size=size, no_flip=True)
    found = get_transform(opt, {"crop_pos": (5, 0), "flip": False}, convert=False)(PICTURE)
    expected = PICTURE
    if size == 32:
        expected = np.zeros((32, 32, 3), np.uint8)
        expected[:30] = PICTURE[:, 5:37]
    assert found.shape[:2] == shape
    np.testing.assert_array_equal(found, expected)
    assert get_transform(opt)(PICTURE).shape[1:] == shape


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("rules", ["2018", "2020"])
def test_bands_move_together(rule, rules):
    """Five copies of one band stay five copies, and are where the same band of an RGB picture goes."""
    opt = options(preprocess=rule, rules=rules)
    random.seed(3)
    params = get_params(opt, (44, 30))
    bands = np.repeat(MILD[..., :1].astype(np.float32) / 255, 5, axis=2)
    found = get_transform(opt, params)(bands)
    assert found.shape[0] == 5 and found.abs().max() <= 1
    assert all(torch.equal(found[0], band) for band in found)
    # 8 bits are rounded after each pass of a resize: by 1/2, and 1/2 times the filter's 3/2; of 127.5 to the unit
    torch.testing.assert_close(found[0], get_transform(opt, params)(MILD)[0], rtol=0, atol=2.5 / 255)


def test_bands_draw_as_pictures_do():
    bands = np.repeat(MILD[..., :1].astype(np.float32) / 255, 5, axis=2)
    torch.manual_seed(5)
    found = get_transform(options())(bands)
    torch.manual_seed(5)
    torch.testing.assert_close(found[0], get_transform(options())(MILD)[0], rtol=0, atol=2.5 / 255)


def test_bands_stay_in_their_range():
    """Bicubic overshoots beside hard edges."""
    edges = np.zeros((8, 8, 2), np.float32)
    edges[:4] = 1
    found = get_transform(options(load_size=28))(edges)
    assert found.min() == -1 and found.max() == 1


def test_many_uint8_bands_are_resized_one_by_one():
    six = np.dstack([PICTURE, 255 - PICTURE])
    np.testing.assert_array_equal(resize(six, 40, 20)[..., :3], resize(PICTURE, 40, 20))


def test_transparent_pixels_lend_no_colour():
    """Red beside transparent green: every visible pixel of the resized picture is red."""
    rgba = np.zeros((16, 16, 4), np.uint8)
    rgba[:, :8], rgba[:, 8:] = (255, 0, 0, 255), (0, 255, 0, 0)
    found = resize(rgba, 10, 10)
    visible = found[found[..., 3] > 8]
    assert len(visible) and (visible[:, 0] > 240).all() and (visible[:, 1] < 16).all()


def test_nothing_is_done_to_a_picture_of_that_size():
    assert resize(PICTURE, 30, 44) is PICTURE


def test_a_sliver_keeps_its_sides():
    sliver = np.zeros((1, 90, 3), np.uint8)
    for rules in ("2018", "2020"):
        assert get_transform(options(preprocess="none", rules=rules))(sliver).shape == (
            3,
            4,
            92 if rules == "2018" else 88,
        )
    assert get_transform(options(preprocess="scale_width"))(sliver).shape == (3, 28, 36)
    assert get_transform(options(preprocess="scale_width", rules="2018"))(sliver).shape == (3, 4, 28)


def test_none_says_once_that_it_resizes(capsys):
    preprocess.said.clear()
    opt = options(preprocess="none")
    get_transform(opt)(np.zeros((32, 44, 3), np.uint8))
    assert capsys.readouterr().out == ""
    get_transform(opt)(PICTURE)
    get_transform(opt)(PICTURE[:27])
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "44x30" in said and "44x32" in said


def test_a_transform_can_be_sent_to_another_process():
    params = {"crop_pos": (1, 2), "flip": True}
    transform = get_transform(options(), params)
    for same in (pickle.loads(pickle.dumps(transform)), copy.deepcopy(transform)):
        assert torch.equal(same(PICTURE), transform(PICTURE))


def test_a_picture_is_not_changed():
    before = PICTURE.copy()
    get_transform(options(preprocess="crop"))(PICTURE)
    bands = np.full((30, 40, 2), 0.25, np.float32)
    get_transform(options(preprocess="crop", crop_size=64))(bands)
    np.testing.assert_array_equal(PICTURE, before)
    assert (bands == 0.25).all()
