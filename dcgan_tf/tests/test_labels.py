"""Labels as weights."""

import numpy as np
import pytest

from labels import LABELS, check_label, mix, one_hot
from shared_scripts.cli import UserError


def test_one_hot():
    weights = one_hot(np.array([3, 0, 9], np.uint8))
    assert weights.shape == (3, LABELS) == (3, 10) and weights.dtype == np.float32
    assert weights.sum(axis=1).tolist() == [1, 1, 1] and weights[[0, 1, 2], [3, 0, 9]].tolist() == [1, 1, 1]
    assert one_hot([1, 0], 2).tolist() == [[0, 1], [1, 0]] and one_hot(np.array([], int), 4).shape == (0, 4)


def test_mixtures():
    assert mix(2, 0.3, 4).tolist() == [0, 0, 1, 0] and mix(9).argmax() == 9
    found = mix((1, 3), 0.25, 4)
    assert found.tolist() == [0, 0.75, 0, 0.25] and found.dtype == np.float32
    assert mix((1, 3), 0, 4).tolist() == [0, 1, 0, 0] and mix((1, 3), 1, 4).tolist() == [0, 0, 0, 1]
    assert mix((2, 2), 0.5, 3).tolist() == [0, 0, 1]


@pytest.mark.parametrize("labels", [[10], [-1], [3, 12]])
def test_labels_that_are_not_there(labels):
    with pytest.raises(ValueError, match="labels go from 0 to 9"):
        one_hot(labels)


def test_labels_a_network_does_not_know():
    for label, count in ((None, 0), (None, 10), (0, 10), (9, 10)):
        check_label(label, count)
    for label, count, words in ((10, 10, "the labels 0 to 9"), (-1, 10, "the labels 0 to 9"), (0, 0, "no labels")):
        with pytest.raises(UserError, match=f"--label {label}: this network knows {words}"):
            check_label(label, count)
