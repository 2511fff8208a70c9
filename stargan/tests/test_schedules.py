"""Learning rates and the calendar."""

from __future__ import annotations

import pytest
from conftest import load_golden

from schedules import Epochs, Iterations, decayed


def recorded(name: str) -> dict[int, float]:
    """{step or epoch: the rate after it}, at each of which the rate fell."""
    return {int(step): rate for step, rate in load_golden("lr_schedule")[name]}


def changes(calendar, rate: float, by: float) -> dict[int, float]:
    """The same of a calendar."""
    moments = map(calendar.moment, range(1, calendar.total + 1))
    return {m.step: decayed(rate, by, m.decays) for m in moments if m.decays != m.decays_before}


@pytest.mark.parametrize("number", [0, 1])
def test_the_current_versions_slip(number):
    """lr0 / num_iters_decay every lr_update_step steps: a thousand times too slow with the defaults."""
    total, decay, every, rate = load_golden("lr_schedule")[
        f"current{number}/num_iters,num_iters_decay,lr_update_step,lr"
    ]
    expected = recorded(f"current{number}/iteration_and_lr_after")
    found = changes(Iterations(int(total), int(decay), int(every)), rate, rate / decay)
    assert list(found) == list(expected)
    assert list(found.values()) == pytest.approx(list(expected.values()), abs=1e-12)


def test_the_2017_versions_rates():
    expected = recorded("old_multi/iteration_and_lr_after")
    found = changes(Iterations(200_000, 100_000, 1000), 1e-4, 1e-4 / 100_000 * 1000)
    assert list(found) == list(expected) and list(found.values()) == pytest.approx(list(expected.values()), abs=1e-12)
    expected = recorded("old_single/epoch_and_lr_after")
    found = changes(Epochs(20, 10, 7), 1e-4, 1e-4 / 10)
    assert [step / 7 for step in found] == list(expected)
    assert list(found.values()) == pytest.approx(list(expected.values()), abs=1e-12)


def test_the_papers_rates_fall_to_nothing():
    """Constant for the first half, then by equal steps to 0: what --lr_decay linear does."""
    found = changes(Iterations(200_000, 100_000, 1000), 1e-4, 1e-4 / 100_000 * 1000)
    assert (
        min(found) == 101_000
        and found[150_000] == pytest.approx(0.5e-4)
        and found[200_000] == pytest.approx(0, abs=1e-16)
    )


def test_a_rate_never_falls_below_nothing():
    assert decayed(1.0, 0.4, 5) == 0


def test_a_whole_training_may_decay():
    found = changes(Iterations(10, 50, 2), 1.0, 0.1)
    assert list(found) == [2, 4, 6, 8, 10]


def test_epochs_count_anew():
    calendar = Epochs(3, 1, 4)
    assert [calendar.moment(step).name for step in (1, 4, 5, 12)] == ["1_1", "1_4", "2_1", "3_4"]
    assert [calendar.moment(step).counter for step in (1, 4, 5, 12)] == [1, 4, 1, 4]
    assert calendar.moment(5).where == "Epoch [2/3], Iter [1/4]"
    assert Iterations(9, 1, 1).moment(3).where == "Iteration [3/9]"
