"""`style.py --slow` from its flags to its files."""

from __future__ import annotations

import argparse
import random

import tensorflow as tf

import data
import slow
from perceptual import load_network
from run_training import check_outputs, loss_weights, write_losses
from shared_scripts.cli import RunError, StopBetweenSteps, StoppedBetweenSteps
from shared_scripts.devices_tf import describe, explain_out_of_memory, pick_devices, pick_precision
from shared_scripts.images import read_image
from shared_scripts.memory import keep_memory
from shared_scripts.progress import Progress, tell


def optimize(flags: argparse.Namespace) -> None:
    """Do what `options.parse_style` returned for --slow. Raises UserError for what the user can put right."""
    style, content = read_image(flags.style), read_image(flags.test)
    if not flags.native_size:
        content = data.training_picture(content, flags.resize)
    check_outputs(flags)
    keep_memory()
    device = pick_devices(flags.device)[0]
    dtype = pick_precision(flags.precision, device)
    with tf.device(device), explain_out_of_memory("take a smaller --style picture, or leave out --native-size"):
        network = load_network(flags.vgg_path)
        tell(flags.network_note or f"Loss network: {network.title}.")
        tell(f"Computing on {describe(device, dtype)}.")
        print((1, *style.shape), flush=True)
        print(f"UID: {random.randint(1, 100)}", flush=True)
        start = slow.starting_noise(*content.shape[:2], flags.seed)
        optimization = slow.PixelOptimization(network, content, style, start, loss_weights(flags), dtype)
        run(flags, optimization)
    tell(f"The picture is {flags.test_dir / name(flags.epochs - 1)}.")


def run(flags: argparse.Namespace, optimization: slow.PixelOptimization) -> None:
    """All steps; losses and picture every --checkpoint-iterations and at the end. Ctrl-C saves the picture so far."""
    folder = flags.checkpoint_dir
    with Progress(flags.epochs, folder=folder, tensorboard=flags.tensorboard) as progress, StopBetweenSteps() as stop:
        for epoch in optimization.run(flags.epochs, flags.learning_rate):
            progress.update()
            due = epoch % flags.checkpoint_iterations == 0 or epoch == flags.epochs - 1
            if due:
                report(epoch, optimization, progress)
                save(flags, epoch, optimization)
            try:
                stop.check()
            except StoppedBetweenSteps:
                save(flags, epoch, optimization)
                tell(f"Stopped after {epoch + 1} steps; the picture so far is {flags.test_dir / name(epoch)}.")
                raise


def report(epoch: int, optimization: slow.PixelOptimization, progress: Progress) -> None:
    """The reference's lines; an error where the loss is no number any more (the picture before stays)."""
    losses = optimization.current_losses()
    if not losses.total < float("inf"):
        raise RunError(f"the loss is not finite after {epoch + 1} steps; try a smaller --learning-rate")
    write_losses(progress, epoch, 1, losses)
    progress.report(epoch + 1, losses.named())


def name(epoch: int) -> str:
    """The file of an epoch."""
    return f"{epoch}_1.png"


def save(flags: argparse.Namespace, epoch: int, optimization: slow.PixelOptimization) -> None:
    """Write the picture as it is."""
    data.save_image(flags.test_dir / name(epoch), optimization.picture())
