#!/usr/bin/env python3
"""How fast dcgan_tf is here: `make bench`, or `python benchmarks/dcgan_tf.py`.

An iteration of training and the sampler at 64x64x3, batch 64, each against a straightforward version in the same run:
float32, one tf.function, every pass through the networks that the original makes. The versions take turns, and the
fastest time of each counts. Arithmetic is compared with what convolutions reach in the same minute.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "dcgan_tf"))
RESULTS = Path(__file__).resolve().parent / "results" / "dcgan_tf.json"

from shared_scripts.cli import ArgumentParser, run  # noqa: E402
from shared_scripts.quiet import quiet_tensorflow  # noqa: E402

quiet_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from machine_tf import FORMATS, describe, peaks, print_peaks, share  # noqa: E402
from turns import psnr, take_turns, write_results  # noqa: E402

import networks  # noqa: E402
from architecture import DISCRIMINATOR, GENERATOR, Architecture, initial_weights, is_trained  # noqa: E402
from losses import discriminator_losses, generator_loss  # noqa: E402
from networks import DECAY, discriminator, generator  # noqa: E402
from pictures import to_pixels  # noqa: E402
from sampler import Sampler  # noqa: E402
from shared_scripts.devices_tf import pick_device  # noqa: E402
from shared_scripts.memory import keep_memory  # noqa: E402
from training import Trainer  # noqa: E402

# Passes through one network (a pass backwards to the weights, or to the inputs, counts as one more)
ORIGINAL_PASSES, OUR_PASSES = 22, 16


@contextmanager
def plain_deconvolutions():
    """What is compiled in here has TensorFlow's own transposed convolutions throughout."""
    few, networks.FEW_CHANNELS = networks.FEW_CHANNELS, 0
    try:
        yield
    finally:
        networks.FEW_CHANNELS = few


class PlainTrainer:
    """The original's iteration as it is written down: three steps, each from the noise on, then three evaluations."""

    def __init__(self, a: Architecture, weights: dict[str, np.ndarray]):
        self.a = a
        self.weights = {name: tf.Variable(value) for name, value in weights.items()}
        self.optimizers = {s: tf.keras.optimizers.Adam(2e-4, 0.5, epsilon=1e-8) for s in (DISCRIMINATOR, GENERATOR)}
        self.compiled = tf.function(self.iteration, autograph=False)

    def generate(self, z: tf.Tensor) -> tf.Tensor:
        """Pictures; moves the averages."""
        images, moments = generator(self.weights, self.a, z, training=True)
        self.move(moments)
        return images

    def judge(self, images: tf.Tensor) -> tf.Tensor:
        """Logits; moves the averages."""
        logits, moments = discriminator(self.weights, self.a, images)
        self.move(moments)
        return logits

    def move(self, moments: dict[str, tf.Tensor]) -> None:
        """Moving statistics."""
        for name, value in moments.items():
            self.weights[name].assign(DECAY * self.weights[name] + (1 - DECAY) * value)

    def step(self, scope: str, loss_of) -> None:
        """One player's step."""
        variables = [v for n, v in self.weights.items() if n.startswith(scope) and is_trained(n)]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            loss = loss_of()
        self.optimizers[scope].apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    def iteration(self, images: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
        """D, G, G, and the losses that are printed."""
        self.step(DISCRIMINATOR, lambda: sum(discriminator_losses(self.judge(images), self.judge(self.generate(z)))))
        for _ in range(2):
            self.step(GENERATOR, lambda: generator_loss(self.judge(self.generate(z))))
        fake = discriminator_losses(tf.zeros([1, 1]), self.judge(self.generate(z)))[1]
        real = discriminator_losses(self.judge(images), tf.zeros([1, 1]))[0]
        return tf.stack([fake, real, generator_loss(self.judge(self.generate(z)))])


def gflop(a: Architecture, passes: float, batch: int) -> float:
    """Arithmetic of so many passes through either network with a batch (a multiply-add is two)."""
    kernels = 25 * sum(h * w * c for (h, w), c in zip(a.sizes()[1:], layer_products(a), strict=True))
    return 2 * passes * batch * kernels / 1e9


def layer_products(a: Architecture) -> list[int]:
    """Channels in times channels out of the four convolutions, from the picture inwards."""
    widths = [a.channels, a.gf_dim, 2 * a.gf_dim, 4 * a.gf_dim, 8 * a.gf_dim]
    return [before * after for before, after in zip(widths, widths[1:], strict=False)]


def measure_training(a: Architecture, batch: int, rounds: int) -> dict:
    """Seconds of an iteration of each version, and its GFLOP/s."""
    random = np.random.default_rng(0)
    images = tf.constant(random.uniform(-1, 1, (batch, a.height, a.width, a.channels)), tf.float32)
    z = tf.constant(random.uniform(-1, 1, (batch, a.z_dim)), tf.float32)
    weights = initial_weights(a, 0)
    plain = PlainTrainer(a, weights)
    calls = {"straightforward": lambda: plain.compiled(images, z).numpy()}
    with plain_deconvolutions():
        calls["straightforward"]()
    for name, dtype in FORMATS.items():
        trainer = Trainer(a, weights, dtype=dtype)
        calls[name] = lambda trainer=trainer: trainer.step(images, z)
    passes = {name: ORIGINAL_PASSES if name == "straightforward" else OUR_PASSES for name in calls}
    return {
        name: {"seconds": seconds, "gflops": gflop(a, passes[name], batch) / seconds}
        for name, seconds in take_turns(calls, rounds).items()
    }


def measure_sampler(a: Architecture, batch: int, rounds: int) -> dict:
    """Images a second of each version, GFLOP/s, and how far its pictures are from the straightforward ones."""
    weights = initial_weights(a, 0)
    z = np.random.default_rng(1).uniform(-1, 1, (batch, a.z_dim)).astype(np.float32)
    variables = {name: tf.Variable(value) for name, value in weights.items()}
    plain = tf.function(lambda z: generator(variables, a, z)[0], autograph=False)
    calls = {"straightforward": lambda: plain(tf.constant(z)).numpy()}
    with plain_deconvolutions():
        calls["straightforward"]()
    for name, dtype in FORMATS.items():
        calls[name] = partial(Sampler(a, weights, dtype=dtype), z)
    pictures = {name: to_pixels(10 * call()) for name, call in calls.items()}  # fresh networks' pictures are grey
    return {
        name: {
            "images_per_second": batch / seconds,
            "gflops": gflop(a, 1, batch) / seconds,
            "psnr_db": psnr(pictures[name], pictures["straightforward"]),
        }
        for name, seconds in take_turns(calls, rounds).items()
    }


def main(argv: list[str] | None = None) -> int:
    """Measure, print tables, write the JSON."""
    parser = ArgumentParser(description="Measure how fast dcgan_tf is on this machine.")
    parser.add_argument("--rounds", type=int, default=6, metavar="N", help="how often each version runs")
    parser.add_argument("--size", type=int, default=64, metavar="PIXELS", help="of the pictures")
    parser.add_argument("--width", type=int, default=64, metavar="N", help="channels beside the picture")
    parser.add_argument("--batch", type=int, default=64, metavar="N", help="pictures in one iteration")
    parser.add_argument("--output", default=str(RESULTS), metavar="FILE", help="where the JSON goes")
    flags = parser.parse_args(argv)
    keep_memory()
    a = Architecture(flags.size, flags.size, gf_dim=flags.width, df_dim=flags.width)
    device = pick_device()
    with tf.device(device):
        results = {"machine": describe(), "peak_gflops": peaks(device), "size": flags.size, "batch": flags.batch}
        results["training"] = measure_training(a, flags.batch, flags.rounds)
        results["sampler"] = measure_sampler(a, flags.batch, flags.rounds)
    show(results)
    write_results(flags.output, results)
    return 0


def show(results: dict) -> None:
    """Two tables for people."""
    peak = results["peak_gflops"]
    print_peaks(peak)
    what = f"{results['size']}x{results['size']}x3, batch {results['batch']}"
    print(f"\n{f'iteration, {what}':32} {'s':>8} {'GFLOP/s':>8} {'of peak':>8} {'speed-up':>9}")
    base = results["training"]["straightforward"]["seconds"]
    for name, row in results["training"].items():
        part = share(name, row["gflops"], peak)
        print(f"{name:32} {row['seconds']:8.3f} {row['gflops']:8.0f} {part:8.0%} {base / row['seconds']:8.2f}x")
    print(f"\n{'sampler':32} {'images/s':>8} {'GFLOP/s':>8} {'of peak':>8} {'speed-up':>9} {'PSNR':>8}")
    base = results["sampler"]["straightforward"]["images_per_second"]
    for name, row in results["sampler"].items():
        part = share(name, row["gflops"], peak)
        print(f"{name:32} {row['images_per_second']:8.0f} {row['gflops']:8.0f} {part:8.0%} "
              f"{row['images_per_second'] / base:8.2f}x {row['psnr_db']:5.1f} dB")  # fmt: skip


if __name__ == "__main__":
    run(main)
