"""Labels as vectors and targets: the original's, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import load_golden

from labels import Domain, attribute_targets, both, class_targets, old_attribute_targets

CELEBA = Domain("CelebA", ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young"))
EMOTIONS = "angry contemptuous disgusted fearful happy neutral sad surprised".split()
RAFD = Domain("RaFD", tuple(EMOTIONS), exclusive=True)


def tensor(name: str) -> torch.Tensor:
    return torch.from_numpy(np.array(load_golden("labels")[name]))


def stacked(targets) -> torch.Tensor:
    return torch.stack([vectors for _, vectors in targets])


@pytest.mark.parametrize("number", range(5))
def test_attribute_targets(number):
    names = load_golden("labels")[f"celeba{number}/selected_attrs"].tolist()
    targets = attribute_targets(names, tensor(f"celeba{number}/c_org"))
    assert [title for title, _ in targets] == names
    assert torch.equal(stacked(targets), tensor(f"celeba{number}/targets"))


def test_class_targets_and_vectors():
    labels = tensor("rafd/c_org")
    assert torch.equal(stacked(RAFD.targets(labels)), tensor("rafd/targets"))
    assert torch.equal(RAFD.vectors(labels), tensor("rafd/onehot_of_c_org"))
    assert [title for title, _ in RAFD.targets(labels)] == EMOTIONS


def test_the_2017_versions_targets():
    labels = tensor("old/c_org")
    assert torch.equal(stacked(old_attribute_targets(labels, True)), tensor("old/targets_celeba_single_dataset"))
    assert torch.equal(stacked(old_attribute_targets(labels, False)), tensor("old/targets_both"))


def test_the_2017_versions_accuracies():
    golden = load_golden("labels")
    found = CELEBA.accuracies(tensor("old/acc_logit"), tensor("old/acc_target"))
    assert found == pytest.approx(golden["old/acc_celeba_percent"].tolist(), abs=1e-4)
    logits = torch.eye(8)[[0, 1, 2]] * 5
    assert RAFD.accuracies(logits, torch.tensor([0, 1, 7])) == pytest.approx([200 / 3])


def test_vectors_of_two_data_sets_have_zeros_and_a_mask():
    celeba, rafd = both(CELEBA, RAFD)
    labels = tensor("both/c_org_celeba")
    columns = [celeba.for_generator(vectors) for _, vectors in celeba.targets(labels)]
    columns += [rafd.for_generator(vectors) for _, vectors in class_targets(rafd, len(labels))]
    assert torch.equal(torch.stack(columns), tensor("both/g_input_labels_in_output_column_order"))


def test_each_data_set_is_judged_by_its_own_logits():
    celeba, rafd = both(CELEBA, RAFD)
    logits = torch.randn(4, 13)
    labels, classes = torch.randint(0, 2, (4, 5)).float(), torch.tensor([3, 0, 7, 7])
    changed = torch.cat([logits[:, :5], 100 + logits[:, 5:]], 1)
    assert torch.equal(celeba.loss(logits, labels), celeba.loss(changed, labels))
    expected = -logits[:, 5:].log_softmax(1)[range(4), classes].mean()
    assert torch.allclose(rafd.loss(logits, classes), expected)


def test_targets_leave_the_labels_alone():
    labels = torch.tensor([[1.0, 0.0, 0.0, 0.0, 1.0]])
    attribute_targets(CELEBA.names, labels), old_attribute_targets(labels, True)
    assert labels.tolist() == [[1, 0, 0, 0, 1]]
