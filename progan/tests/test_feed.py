"""What training is fed with: every picture once an epoch, the same after going on, shares that make up the whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import golden_file

from datasets import open_dataset
from feed import Feed
from shared_scripts.distributed import Processes


@pytest.fixture
def data():
    return open_dataset(golden_file("datasets/tinyrgb"), max_label_size="full")


def test_an_epoch_has_every_picture_once_and_the_next_another_order(data):
    feed = Feed(data, 8, seed=1)
    first, second = feed.take(14), feed.take(14)
    assert sorted(first) == sorted(second) == list(range(14))
    assert list(first) != list(second)
    assert list(Feed(data, 8, seed=1).take(14)) == list(first)
    assert list(Feed(data, 8, seed=2).take(14)) != list(first)


def test_a_batch_may_reach_into_the_next_epoch(data):
    whole, parts = Feed(data, 8, seed=1), Feed(data, 8, seed=1)
    expected = whole.take(28)
    assert list(np.concatenate([parts.take(n) for n in (5, 10, 13)])) == list(expected)


def test_in_order_is_the_file_s_order(data):
    assert list(Feed(data, 8, 1, in_order=True).take(16)) == [*range(14), 0, 1]


def test_pictures_come_with_their_labels_at_the_level_s_size(data):
    batch = Feed(data, 8, 1, in_order=True).batch(6, 3, 1.0)
    expected = torch.from_numpy(data.images(np.arange(6), 3)).float() / 127.5 - 1
    torch.testing.assert_close(batch.reals, expected, atol=1e-6, rtol=0)
    np.testing.assert_array_equal(batch.labels.numpy(), data.labels[:6])
    assert batch.latents.shape == (6, 8) and batch.u.shape == (6, 1, 1, 1)


def test_mirroring_turns_about_half_of_them(data):
    feed = Feed(data, 8, 1, mirror=True, in_order=True)
    turned = 0
    for _ in range(10):
        batch, plain = feed.batch(14, 4, 0.0), torch.from_numpy(data.images(np.arange(14), 4)).float() / 127.5 - 1
        same = [torch.allclose(a, b, atol=1e-6) for a, b in zip(batch.reals, plain, strict=True)]
        flipped = [torch.allclose(a, b.flip(2), atol=1e-6) for a, b in zip(batch.reals, plain, strict=True)]
        assert all(a or b for a, b in zip(same, flipped, strict=True))
        turned += sum(flipped)
    assert 45 < turned < 95


def test_after_going_on_the_same_comes(data):
    feed = Feed(data, 8, 1, mirror=True)
    feed.batch(5, 2, 2.0), feed.for_generator(5)
    state = feed.state_dict()
    expected = feed.batch(12, 4, 0.5), feed.for_generator(3)
    other = Feed(data, 8, 99, mirror=True)
    other.load_state_dict(state)
    got = other.batch(12, 4, 0.5), other.for_generator(3)
    for name in ("reals", "labels", "latents", "u"):
        assert torch.equal(getattr(got[0], name), getattr(expected[0], name))
    assert all(torch.equal(a, b) for a, b in zip(got[1], expected[1], strict=True))


def test_the_processes_shares_make_up_the_whole(data):
    whole = Feed(data, 8, 1, mirror=True).batch(8, 4, 0.0)
    shares = [Feed(data, 8, 1, mirror=True, processes=Processes(rank, 2)).batch(8, 4, 0.0) for rank in range(2)]
    for name in ("reals", "labels", "latents", "u"):
        assert torch.equal(torch.cat([getattr(share, name) for share in shares]), getattr(whole, name))


def test_the_generator_s_labels_are_those_of_the_data(data):
    latents, labels = Feed(data, 8, 1).for_generator(200)
    assert latents.shape == (200, 8)
    known = {tuple(row) for row in data.labels}
    assert {tuple(row) for row in labels.numpy()} <= known and len({tuple(row) for row in labels.numpy()}) > 1


def test_without_labels_there_are_none():
    feed = Feed(open_dataset(golden_file("datasets/tinyrgb")), 8, 1)
    assert feed.batch(4, 2, 2.0).labels is None and feed.for_generator(4)[1] is None
