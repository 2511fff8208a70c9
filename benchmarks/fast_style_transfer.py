#!/usr/bin/env python3
"""How fast fast_style_transfer is here: `make bench`, or `python benchmarks/fast_style_transfer.py`.

Painting a 1024x680 photograph and a training step at batch 4, each against a straightforward version: the formulas
written out in float32 inside one tf.function. The versions take turns, and the fastest time of each counts. Arithmetic
is compared with what convolutions reach in the same minute.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "fast_style_transfer"))
RESULTS = Path(__file__).resolve().parent / "results" / "fast_style_transfer.json"

from shared_scripts.cli import ArgumentParser, run  # noqa: E402
from shared_scripts.quiet import quiet_tensorflow  # noqa: E402

quiet_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from machine_tf import FORMATS, describe, peaks, print_peaks, share  # noqa: E402
from turns import psnr, take_turns, write_results  # noqa: E402

import losses as loss_functions  # noqa: E402
from legacy import load_checkpoint  # noqa: E402
from networks import EPSILON, LAYERS, initial_weights, variable_name  # noqa: E402
from shared_scripts.devices_tf import pick_device  # noqa: E402
from shared_scripts.images import fit  # noqa: E402
from shared_scripts.memory import keep_memory  # noqa: E402
from shared_scripts.networks.compact_tf import CompactVGG  # noqa: E402
from stylizer import painter  # noqa: E402
from training import Trainer  # noqa: E402

MULTIPLY_ADDS = 126_144  # a pixel, of the transform net
STYLE = ROOT / "fast_style_transfer" / "ckpts" / "wave"


# --- the straightforward version ----------------------------------------------------------------------------------


def plain_instance_norm(x: tf.Tensor, shift: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """The formula, written out."""
    mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
    return scale * (x - mean) / tf.sqrt(variance + EPSILON) + shift


def plain_transform_net(weights: dict, images: tf.Tensor) -> tf.Tensor:
    """The network with one TensorFlow operation a formula, float32."""
    x = before = tf.cast(images, tf.float32)
    for i, layer in enumerate(LAYERS):
        kernel, shift, scale = (weights[variable_name(3 * i + j)] for j in range(3))
        before = x if layer.name.endswith("_a") else before
        if layer.transposed:
            size = tf.shape(x)
            shape = tf.stack([size[0], 2 * size[1], 2 * size[2], layer.channels])
            x = tf.nn.conv2d_transpose(x, kernel, shape, layer.stride, "SAME")
        else:
            x = tf.nn.conv2d(x, kernel, layer.stride, "SAME")
        x = plain_instance_norm(x, shift, scale)
        if layer.name.endswith("_b"):
            x = before + x
        elif layer.channels != 3:
            x = tf.nn.relu(x)
    return 150 * tf.tanh(x) + 127.5


# --- painting -----------------------------------------------------------------------------------------------------


def photograph(height: int, width: int) -> np.ndarray:
    """(1, height, width, 3) uint8."""
    from sklearn.datasets import load_sample_image

    return fit(load_sample_image("china.jpg"), height, width)[None]


def measure_painting(height: int, width: int, rounds: int) -> dict:
    """Seconds of each version, its GFLOP/s, and how far the pictures are from the straightforward version's."""
    weights = {name: tf.constant(value) for name, value in load_checkpoint(STYLE).weights.items()}
    signature = [tf.TensorSpec([1, None, None, 3], tf.uint8)]
    plain = tf.function(lambda x: plain_transform_net(weights, x), input_signature=signature, autograph=False)
    image = tf.constant(photograph(height, width))
    calls = {"straightforward": lambda: clip(plain(image).numpy())}
    for name, dtype in FORMATS.items():
        calls[name] = lambda dtype=dtype: painter(1, dtype)(weights, image).numpy()
    pictures = {name: call() for name, call in calls.items()}
    seconds = take_turns(calls, rounds)
    gflop = 2 * MULTIPLY_ADDS * height * width / 1e9
    return {
        name: {
            "seconds": seconds[name],
            "gflops": gflop / seconds[name],
            "psnr_db": psnr(pictures[name], pictures["straightforward"]),
        }
        for name in calls
    }


def clip(pixels: np.ndarray) -> np.ndarray:
    """As pictures are saved."""
    return np.clip(pixels, 0, 255).astype(np.uint8)


def count_compilations() -> int:
    """How often the network has been compiled once it has painted ten pictures of ten sizes."""
    weights = {name: tf.constant(value) for name, value in load_checkpoint(STYLE).weights.items()}
    paint = painter(1, tf.float32)
    for i in range(10):
        paint(weights, tf.constant(photograph(16 + 3 * i, 40 + i)))
    return paint.experimental_get_tracing_count()


# --- training -----------------------------------------------------------------------------------------------------


class PlainTrainer:
    """A training step without our shortcuts: written-out normalisation, both factors of the Grams differentiated."""

    def __init__(self, network, style: np.ndarray, batch: int):
        self.network, self.batch = network, batch
        self.weights = {name: tf.Variable(value) for name, value in initial_weights(0).items()}
        features = network.features(loss_functions.subtract_mean(style[None]), loss_functions.STYLE_LAYERS)
        self.grams = {layer: self.gram(value) for layer, value in features.items()}
        self.optimizer = tf.keras.optimizers.Adam(1e-3, epsilon=1e-8)
        self.compiled = tf.function(self.one_step, autograph=False)

    @staticmethod
    def gram(features: tf.Tensor) -> tf.Tensor:
        """(N, H, W, C) -> (N, C, C)."""
        shape = tf.shape(features)
        flat = tf.reshape(features, [shape[0], -1, features.shape[3]])
        return tf.matmul(flat, flat, transpose_a=True) / tf.cast(shape[1] * shape[2] * shape[3], tf.float32)

    def one_step(self, images: tf.Tensor) -> tf.Tensor:
        """Losses, gradients, Adam."""
        names = loss_functions.STYLE_LAYERS
        content = self.network.features(loss_functions.subtract_mean(images), (loss_functions.CONTENT_LAYER,))
        with tf.GradientTape() as tape:
            painted = plain_transform_net(self.weights, tf.cast(images, tf.float32) / 255)
            seen = self.network.features(loss_functions.subtract_mean(painted), (*names, loss_functions.CONTENT_LAYER))
            style = tf.add_n(
                [tf.reduce_sum((self.gram(seen[n]) - self.grams[n]) ** 2) / seen[n].shape[3] ** 2 for n in names]
            )
            layer = loss_functions.CONTENT_LAYER
            total = 7.5 * loss_functions.content_loss(seen[layer], content[layer], self.batch)
            total += 100 * style / self.batch + 200 * loss_functions.total_variation(painted, self.batch)
        variables = list(self.weights.values())
        self.optimizer.apply_gradients(zip(tape.gradient(total, variables), variables, strict=True))
        return total


def measure_training(size: int, rounds: int, batch: int = 4) -> dict[str, float]:
    """Seconds of a training step with the compact network."""
    network, style = CompactVGG(), photograph(384, 512)[0]
    images = tf.constant(np.concatenate([np.roll(photograph(size, size), 20 * i, 2) for i in range(batch)]))
    plain = PlainTrainer(network, style, batch)
    calls: dict[str, Callable[[], object]] = {"straightforward": lambda: plain.compiled(images).numpy()}
    for name, dtype in FORMATS.items():
        trainer = Trainer(network, style, batch, dtype=dtype, initial=initial_weights(0))
        calls[name] = lambda trainer=trainer: trainer.step(images)
    return take_turns(calls, rounds)


# --- the table ----------------------------------------------------------------------------------------------------


def main(argv: list[str] | None = None) -> int:
    """Measure, print tables, write the JSON."""
    parser = ArgumentParser(description="Measure how fast fast_style_transfer is on this machine.")
    parser.add_argument("--rounds", type=int, default=6, metavar="N", help="how often each version runs")
    parser.add_argument("--height", type=int, default=680, metavar="PIXELS", help="of the picture that is painted")
    parser.add_argument("--width", type=int, default=1024, metavar="PIXELS", help="of the picture that is painted")
    parser.add_argument("--training-size", type=int, default=256, metavar="PIXELS", help="of the training pictures")
    parser.add_argument("--output", default=str(RESULTS), metavar="FILE", help="where the JSON goes")
    flags = parser.parse_args(argv)
    keep_memory()
    device = pick_device()
    with tf.device(device):
        results = {"machine": describe(), "peak_gflops": peaks(device)}
        results["sizes"] = {"painting": [flags.width, flags.height], "training": flags.training_size}
        results["painting"] = measure_painting(flags.height, flags.width, flags.rounds)
        results["compilations_for_ten_sizes"] = count_compilations()
        results["training"] = measure_training(flags.training_size, flags.rounds)
    show(results)
    write_results(flags.output, results)
    return 0


def show(results: dict) -> None:
    """Two tables for people."""
    peak = results["peak_gflops"]
    print_peaks(peak)
    width, height = results["sizes"]["painting"]
    print(f"\n{f'{width}x{height} picture':16} {'s':>8} {'GFLOP/s':>8} {'of peak':>8} {'speed-up':>9} {'PSNR':>8}")
    base = results["painting"]["straightforward"]["seconds"]
    for name, row in results["painting"].items():
        part = share(name, row["gflops"], peak)
        print(f"{name:16} {row['seconds']:8.3f} {row['gflops']:8.0f} {part:8.0%} {base / row['seconds']:8.2f}x "
              f"{row['psnr_db']:5.1f} dB")  # fmt: skip
    print(f"compiled {results['compilations_for_ten_sizes']} time(s) for ten sizes")
    size = results["sizes"]["training"]
    print(f"\n{f'training step, 4 x {size}x{size}':26} {'s':>8} {'speed-up':>9}")
    base = results["training"]["straightforward"]
    for name, seconds in results["training"].items():
        print(f"{name:26} {seconds:8.3f} {base / seconds:8.2f}x")


if __name__ == "__main__":
    run(main)
