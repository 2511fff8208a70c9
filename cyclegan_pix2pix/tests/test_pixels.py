"""From tensors to pictures: cut off, not rounded, as the original."""

import sys
import warnings

import numpy as np
import pytest
import torch

from pixels import fit_back, lab_to_image, stretch, tensor_to_image
from shared_scripts import images
from shared_scripts.cli import UserError


@pytest.mark.parametrize("kind", ["rgb", "gray"])
def test_tensors_equal_the_original(golden, kind):
    file = golden("tensor2im")
    found = tensor_to_image(torch.from_numpy(file[f"t_{kind}"]))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, file[f"im_{kind}"])


def test_arrays_are_only_cast():
    pixels = np.array([[[0.0, 1.9, 255.0]]])
    assert tensor_to_image(pixels).tolist() == [[[0, 1, 255]]]


def test_two_channels_are_red_and_green():
    tensor = torch.tensor([-1.0, 1.0]).reshape(1, 2, 1, 1).expand(1, 2, 4, 5)
    np.testing.assert_array_equal(tensor_to_image(tensor), np.full((4, 5, 3), [0, 255, 0]))


def test_four_channels_are_rgba_and_of_more_three_are_shown():
    tensor = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0]).reshape(1, 5, 1, 1).expand(1, 5, 4, 6)
    np.testing.assert_array_equal(tensor_to_image(tensor[:, :4]), np.full((4, 6, 4), [0, 63, 127, 191]))
    np.testing.assert_array_equal(tensor_to_image(tensor), np.full((4, 6, 3), [0, 63, 127]))


def test_other_precisions_and_what_learns():
    tensor = torch.tensor([-1.0, 0.5, 1.0]).reshape(1, 3, 1, 1)
    for other in (tensor.bfloat16(), tensor.half(), tensor.clone().requires_grad_()):
        assert tensor_to_image(other).tolist() == [[[0, 191, 255]]]


def test_what_is_outside_is_clipped():
    assert tensor_to_image(torch.tensor([-1.5, 0.0, 1.5]).reshape(1, 3, 1, 1)).tolist() == [[[0, 127, 255]]]


# --- Lab ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", range(3))
def test_lab_equals_the_original(golden, index):
    file = golden("datasets")
    lightness, colour = (torch.from_numpy(file[f"color:{index}:{name}"])[None] for name in ("L", "ab"))
    np.testing.assert_array_equal(lab_to_image(lightness, colour), file[f"color:{index}:rgb_u8"])


def test_colours_no_screen_shows_are_clipped_silently(golden):
    file = golden("datasets")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = lab_to_image(torch.from_numpy(file["lab2rgb:L"]), torch.from_numpy(file["lab2rgb:ab"]))
    np.testing.assert_array_equal(found, file["lab2rgb:rgb"].astype(np.uint8))


def test_lab_in_bfloat16():
    grey = lab_to_image(torch.zeros(1, 1, 2, 2).bfloat16(), torch.zeros(1, 2, 2, 2).bfloat16())
    assert (grey == 118).all()  # L = 50 is 119 / 255 in sRGB, cut off below


def test_without_skimage(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(UserError, match="pip install scikit-image"):
        lab_to_image(torch.zeros(1, 1, 2, 2), torch.zeros(1, 2, 2, 2))


# --- sizes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [1.5, 0.5])
def test_squares_are_stretched_as_by_the_original(golden, ratio):
    file = golden("tensor2im")
    np.testing.assert_array_equal(stretch(file["sq"], ratio), file[f"sq_saved_ar{ratio}"])


@pytest.mark.parametrize("ratio,intended", [(1.0, (20, 30)), (1.5, (30, 30)), (0.5, (20, 60))])
def test_stretching_what_is_not_square(golden, ratio, intended):
    """The recorded shapes have the original's mixed-up sides: the width's factor on the height."""
    file = golden("tensor2im")
    assert stretch(file["im"], ratio).shape == (*intended, 3)
    assert (list(file[f"saved_ar{ratio}_shape_hw"]) == list(intended)) == (ratio == 1)


def test_back_to_the_size_it_came_in():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert fit_back(pixels, 8, 8) is pixels
    np.testing.assert_array_equal(fit_back(pixels, 5, 13), images.resize(pixels, 5, 13))
    assert fit_back(np.zeros((4, 4, 4), np.uint8), 6, 7).shape == (6, 7, 4)
