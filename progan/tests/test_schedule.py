"""The schedule: the reference's numbers, exactly, and the paper's in words."""

from __future__ import annotations

import pytest
from networks_of import meta_of

from schedule import Schedule

NAMES = ("default", "v1-1gpu", "v2-1gpu-fp32", "v2-8gpus-fp16", "nogrowing", "benchmark", "cifar32-3gpus")


def with_numbers(settings: dict) -> dict:
    """Keys of dictionaries are texts in JSON, numbers here."""
    return {
        key: {int(a): b for a, b in value.items()} if isinstance(value, dict) else value
        for key, value in settings.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_the_reference_s(golden, name):
    arrays = golden("schedule")
    about = meta_of(arrays)[name]
    schedule = Schedule(**with_numbers(about["sched"]))
    assert len(arrays[name]) > 100
    for nimg, *expected in arrays[name]:
        stage = schedule.at(int(nimg), about["res"], about["gpus"])
        found = (stage.lod, stage.resolution, stage.minibatch, stage.G_lrate, stage.D_lrate, stage.tick_kimg)
        assert found == tuple(expected), nimg


def test_1024_pixels_are_whole_after_9600_kimg():
    schedule = Schedule()
    assert schedule.at(0, 1024).resolution == 4 and schedule.at(599_999, 1024).lod == 8
    assert schedule.at(600_001, 1024).resolution == 8, "the new resolution is there from the first fading step"
    assert schedule.at(9_599_999, 1024).lod > 0 and schedule.at(9_600_000, 1024).lod == 0


def test_without_a_transition_layers_come_in_at_once():
    schedule = Schedule(lod_training_kimg=10, lod_transition_kimg=0)
    assert [schedule.at(kimg * 1000, 16).lod for kimg in (0, 9, 10, 20, 99)] == [2, 2, 1, 0, 0]
