"""Where a training begins: at nothing, at a saved state, or at the networks of a checkpoint alone."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import training_state
from legacy import describe_discriminator, describe_generator, lay_into, read_weights
from schedules import Epochs, Iterations
from shared_scripts.cli import UserError
from sources import Source
from training import Trainer


@dataclass
class Start:
    """Where a training begins."""

    step: int = 0  # how many are done
    alone: bool = False  # whether networks alone are gone on from
    forgotten: int = 0  # how many times the learning rates had been lowered when --reference_exact began them anew


def settings(opt: argparse.Namespace, sources: list[Source]) -> dict:
    """What a training cannot change when it goes on."""
    keys = ("variant", "dataset", "g_optimizer", "image_size")
    keys += ("g_conv_dim", "d_conv_dim", "g_repeat_num", "d_repeat_num")
    names = [name for source in sources for name in source.domain.names]
    return {**{key: getattr(opt, key) for key in keys}, "selected_attrs": names}


def wanted(opt: argparse.Namespace) -> str | None:
    """The name of the checkpoint to go on from, "" for the newest, or None for a new training."""
    if opt.variant == "old" and opt.pretrained_model:
        return opt.pretrained_model
    return str(opt.resume_iters) if opt.resume_iters else "" if opt.resume else None


def find_state(opt: argparse.Namespace, sources: list[Source]) -> dict | None:
    """The saved state, if it is what is to be gone on from. UserError where there is nothing to go on from."""
    name, folder = wanted(opt), Path(opt.model_save_dir)
    if name is None or opt.reference_exact and name:
        return None
    state = training_state.find(folder, settings(opt, sources))
    if state and name in ("", state["name"]):
        return state
    if not name:
        raise UserError(f"{folder} has no {training_state.FILE} to go on from; --resume_iters N names a checkpoint")
    return None


def go_on_from_state(state: dict, trainer: Trainer, calendar: Iterations | Epochs) -> Start:
    """Put back a saved state."""
    training_state.restore(trainer, state)
    return Start(steps_done(state, calendar), forgotten=state.get("forgotten", 0))


def go_on_from_networks(opt: argparse.Namespace, trainer: Trainer, calendar: Iterations | Epochs) -> Start:
    """Load the networks of the checkpoint that is wanted; with --reference_exact the rates begin anew."""
    name = wanted(opt)
    load_networks(opt, trainer, name)
    step = step_of(name, calendar)
    return Start(step, alone=True, forgotten=calendar.moment(step + 1).decays_before if opt.reference_exact else 0)


def steps_done(state: dict, calendar: Iterations | Epochs) -> int:
    """How many steps lie behind a saved training. Epochs may have got another length, by --batch_size or other data:
    as many of them lie behind it then as before."""
    before = state.get("batches", 0)
    if not before or not isinstance(calendar, Epochs):
        return state["step"]
    epochs, batches = divmod(state["step"], before)
    return epochs * calendar.batches + batches * calendar.batches // before


def load_networks(opt: argparse.Namespace, trainer: Trainer, name: str) -> None:
    """The networks of a checkpoint. UserError where a file is missing or does not fit."""
    for which, network in trainer.networks().items():
        path = network_file(opt, name, which)
        weights = read_weights(path)
        describe_generator(weights, str(path)) if which == "G" else describe_discriminator(weights, str(path))
        lay_into(network, weights, str(path))


def step_of(name: str, calendar: Iterations | Epochs) -> int:
    """How many steps are done when a checkpoint of that name is written. The 2017 version goes on with the epoch that
    its first number names."""
    epoch = name.split("_")[0]
    if not epoch.isdigit():
        raise UserError(f"--pretrained_model {name!r} is no name of a checkpoint, such as 20_1000")
    if isinstance(calendar, Epochs):
        return min(int(epoch) * calendar.batches, calendar.total)
    return int(epoch)


def network_file(opt: argparse.Namespace, name: str, which: str) -> Path:
    """Where a network is saved."""
    file = f"{name}_{which}.pth" if opt.variant == "old" else f"{name}-{which}.ckpt"
    return Path(opt.model_save_dir) / file
