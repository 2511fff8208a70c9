"""The learning rates of every epoch, against what the reference used in three eras."""

from __future__ import annotations

import pytest

from schedules import Plateau, rate_factor
from shared_scripts.cli import UserError

CASES = "lr_schedules"
ERAS = {
    "end_of_epoch": "end_of_epoch",
    "start_of_epoch": "start_of_epoch",
    "v2018_lambda_end_of_epoch": "start_of_epoch",
}


def plateau_rates(case: dict, era: str, count: int) -> list[float]:
    """The rates of `count` epochs where the metric is always 0, as the reference has it."""
    schedule = Plateau(case["lr0"])
    stepped = [schedule.step(0.0) for _ in range(count)]
    return stepped if era == "start_of_epoch" else [case["lr0"], *stepped[:-1]]


@pytest.mark.parametrize("era", ERAS)
def test_every_epoch_of_every_policy(golden, era):
    compared = 0
    for case in golden(CASES)["meta"]["cases"]:
        wanted = case["lr_used_in_epoch"].get(era)
        if wanted is None:  # 2018 is recorded for the linear policy alone
            continue
        if case["policy"] == "plateau":
            rates = plateau_rates(case, era, len(wanted))
        else:
            words = [case[key] for key in ("policy", "n_epochs", "n_epochs_decay", "lr_decay_iters", "epoch_count")]
            first = case["epoch_count"]
            rates = [case["lr0"] * rate_factor(first + i, *words, ERAS[era]) for i in range(len(wanted))]
        assert rates == pytest.approx(wanted, rel=1e-9, abs=1e-18), (era, case["policy"], case["epoch_count"])
        compared += len(wanted)
    assert compared > 200


def test_a_falling_metric_keeps_the_rate():
    schedule = Plateau(1.0)
    assert [schedule.step(0.9**i) for i in range(30)] == [1.0] * 30


def test_a_resumed_plateau_goes_on_where_it_was():
    schedule, resumed = Plateau(1.0), Plateau(1.0)
    for _ in range(5):
        schedule.step(0.0)
    resumed.load_state_dict(schedule.state_dict())
    assert [resumed.step(0.0) for _ in range(9)] == [schedule.step(0.0) for _ in range(9)]
    assert resumed.rate < 1


def test_an_unknown_policy_is_refused():
    with pytest.raises(UserError, match="linear, step"):
        rate_factor(1, "exponential", 1, 1, 1)
