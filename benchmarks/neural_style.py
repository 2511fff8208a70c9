#!/usr/bin/env python3
"""How fast neural_style is here: `make bench`, or `python benchmarks/neural_style.py`.

One iteration is the forward pass, the gradient with respect to the picture, and Adam's step. Arithmetic is counted
by PyTorch's own counter and compared with what convolutions reach on this machine in the same minute.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "neural_style"))
RESULTS = Path(__file__).resolve().parent / "results" / "neural_style.json"

import torch  # noqa: E402
from machine import describe, fastest, peaks  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402
from turns import psnr, write_results  # noqa: E402

import data  # noqa: E402
from networks import VGG19, convolution_names  # noqa: E402
from shared_scripts.cli import ArgumentParser, run  # noqa: E402
from shared_scripts.devices import pick_device  # noqa: E402
from shared_scripts.images import fit, read_image  # noqa: E402
from shared_scripts.memory import keep_memory  # noqa: E402
from shared_scripts.networks.compact import load_compact  # noqa: E402
from stylize import LossWeights, Objective, Optimization  # noqa: E402

STYLE = ROOT / "neural_style" / "styles" / "brushstrokes.jpg"
WIDTHS = {1: 64, 2: 128, 3: 256, 4: 512, 5: 512}


def random_vgg19() -> VGG19:
    """VGG-19 at its full widths with random weights: as fast as the real one, without its 500 MB."""
    generator, weights, channels = torch.Generator().manual_seed(0), {}, 3
    for name in convolution_names():
        width = WIDTHS[int(name[4])]
        kernel = torch.randn(width, channels, 3, 3, generator=generator) * (2 / (9 * channels)) ** 0.5
        weights[name] = (kernel, torch.zeros(width))
        channels = width
    return VGG19(weights)


def sample_pictures(size: int):
    """A photograph and a style, (size, size, 3) uint8."""
    from sklearn.datasets import load_sample_image

    return fit(load_sample_image("china.jpg"), size, size), fit(read_image(STYLE), size, size)


def make_run(network, size: int, dtype: torch.dtype, device: torch.device) -> Optimization:
    """An optimisation of `size` x `size` pixels that starts at the photograph."""
    network = network.to(device, dtype)
    content, style = (data.preprocess(pixels, network.mean).to(device) for pixels in sample_pictures(size))
    objective = Objective(network, content, [style], LossWeights())
    return Optimization(objective, content, 10**9, 10.0, 0.9, 0.999, 1e-8)


def measure(make_network, size: int, dtype: torch.dtype, device: torch.device) -> dict[str, float]:
    """Seconds and GFLOP of an iteration."""
    optimization = make_run(make_network(), size, dtype, device)
    picture = optimization.picture.clone().requires_grad_()
    with FlopCounterMode(display=False) as counter:
        sum(optimization.objective.forward(picture)).backward()
    steps = optimization.run()
    next(steps)
    seconds = fastest(lambda: next(steps), device=device.type)
    return {"seconds": seconds, "gflop": counter.get_total_flops() / 1e9}


def picture_after(iterations: int, size: int, dtype: torch.dtype, device: torch.device, nudge: float = 0.0):
    """What the compact network has painted after some iterations, (H, W, 3), and its loss in float32."""
    optimization = make_run(load_compact(), size, dtype, device)
    optimization.picture += nudge
    steps = optimization.run()
    for _ in range(iterations + 1):
        next(steps)
    judge = make_run(load_compact(), size, torch.float32, device).objective
    mean = optimization.objective.network.mean
    return data.unprocess(optimization.picture, mean).clip(0, 255), judge.losses(optimization.picture).total


def precision_matters(size: int, iterations: int, device: torch.device) -> dict[str, float]:
    """How far bfloat16 leads from float32: in pixels, in the loss, and against float32 from a start a hair away.

    With the reference's step of 10 levels the optimisation is chaotic: a thousandth of a level at the start becomes
    visible in single pixels. So the second number is the yardstick for the first.
    """
    exact, exact_loss = picture_after(iterations, size, torch.float32, device)
    rough, rough_loss = picture_after(iterations, size, torch.bfloat16, device)
    nudged, _ = picture_after(iterations, size, torch.float32, device, nudge=1e-3)
    return {
        "psnr_bf16_db": psnr(exact, rough),
        "psnr_float32_nudged_db": psnr(exact, nudged),
        "loss_ratio_bf16": rough_loss / exact_loss,
    }


def seconds_to_first_preview(size: int) -> float:
    """From the start of the process to the first picture in --output, with the compact network."""
    from shared_scripts.images import write_image

    with tempfile.TemporaryDirectory() as folder:
        content, output = Path(folder) / "content.png", Path(folder) / "out.jpg"
        write_image(content, sample_pictures(size)[0])
        words = ["--content", content, "--styles", STYLE, "--output", output, "--network", "compact"]
        script = ROOT / "neural_style" / "neural_style.py"
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, script, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while not output.exists() and process.poll() is None:
            time.sleep(0.02)
        seconds = time.perf_counter() - start
        process.kill()
        process.wait()
    return seconds


def main(argv: list[str] | None = None) -> int:
    """Measure, print a table, write the JSON."""
    parser = ArgumentParser(description="Measure how fast neural_style is on this machine.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512], metavar="PIXELS", help="picture sizes")
    parser.add_argument("--output", default=str(RESULTS), metavar="FILE", help="where the JSON goes")
    flags = parser.parse_args(argv)
    keep_memory()
    device = pick_device()
    results = {"machine": describe(), "peak_gflops": peaks(device.type), "rows": []}
    for name, value in results["peak_gflops"].items():
        print(f"peak {name:20} {value:7.0f} GFLOP/s")
    print(
        f"\n{'network':8} {'pixels':>6} {'precision':9} {'s/iteration':>11} {'GFLOP':>6} {'GFLOP/s':>8} {'of peak':>8}"
    )
    for network, make_network in (("VGG-19", random_vgg19), ("compact", load_compact)):
        for size in flags.sizes:
            for precision, dtype in (("float32", torch.float32), ("bf16", torch.bfloat16)):
                row = {"network": network, "pixels": size, "precision": precision}
                row |= measure(make_network, size, dtype, device)
                row["gflops"] = row["gflop"] / row["seconds"]
                row["share"] = row["gflops"] / results["peak_gflops"][f"convolution {precision}"]
                results["rows"].append(row)
                print(f"{network:8} {size:6} {precision:9} {row['seconds']:11.3f} {row['gflop']:6.0f} "
                      f"{row['gflops']:8.0f} {row['share']:8.0%}", flush=True)  # fmt: skip
    results |= precision_matters(min(flags.sizes), 100, device)
    print(f"\nbf16 against float32 after 100 iterations: {results['psnr_bf16_db']:.1f} dB, "
          f"{results['loss_ratio_bf16']:.3f} times its loss "
          f"(float32 from a start 0.001 levels away: {results['psnr_float32_nudged_db']:.1f} dB)")  # fmt: skip
    results["first_preview_seconds"] = seconds_to_first_preview(max(flags.sizes))
    print(f"first preview at {max(flags.sizes)} px, from the start of the process: "
          f"{results['first_preview_seconds']:.1f} s")  # fmt: skip
    write_results(flags.output, results)
    return 0


if __name__ == "__main__":
    run(main)
