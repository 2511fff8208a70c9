"""The benchmarks run and write what they promise. What they measure is not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent


def test_neural_style_prints_a_table_and_writes_json(tmp_path):
    output = tmp_path / "results" / "neural_style.json"
    command = [sys.executable, FOLDER / "neural_style.py", "--sizes", "48", "--output", output]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    written = json.loads(output.read_text())
    rows = {(row["network"], row["precision"]): row for row in written["rows"]}
    assert set(rows) == {(n, p) for n in ("VGG-19", "compact") for p in ("float32", "bf16")}
    peaks = {"matmul float32", "matmul bf16", "convolution float32", "convolution bf16"}
    assert set(written["peak_gflops"]) == peaks
    for (network, _), row in rows.items():
        assert row["share"] > 0
        assert network in result.stdout
    assert rows["VGG-19", "float32"]["gflop"] == rows["VGG-19", "bf16"]["gflop"]
    assert written["first_preview_seconds"] > 0


def test_fast_style_transfer_prints_tables_and_writes_json(tmp_path):
    output = tmp_path / "results" / "fast_style_transfer.json"
    sizes = ["--height", "97", "--width", "130", "--training-size", "64", "--rounds", "1"]
    command = [sys.executable, FOLDER / "fast_style_transfer.py", *sizes, "--output", output]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    written = json.loads(output.read_text())
    versions = {"straightforward", "float32", "bf16"}
    assert set(written["painting"]) == set(written["training"]) == versions
    assert written["compilations_for_ten_sizes"] == 1
    assert written["painting"]["float32"]["psnr_db"] > 60  # the shortcuts are exact but for rounding
    assert 35 < written["painting"]["bf16"]["psnr_db"] < 60
    gflop = {row["seconds"] * row["gflops"] for row in written["painting"].values()}
    assert max(gflop) - min(gflop) < 1e-9 and abs(max(gflop) - 2 * 126_144 * 97 * 130 / 1e9) < 1e-9
    assert set(written["peak_gflops"]) == {"float32", "bf16"} and min(written["training"].values()) > 0
    assert "130x97 picture" in result.stdout and "4 x 64x64" in result.stdout


def test_cyclegan_pix2pix_prints_tables_and_writes_json(tmp_path):
    output = tmp_path / "results" / "cyclegan_pix2pix.json"
    sizes = ["--size", "256", "--training-size", "32", "--rounds", "1"]
    command = [sys.executable, FOLDER / "cyclegan_pix2pix.py", *sizes, "--output", output]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    written = json.loads(output.read_text())
    for name in ("resnet_9blocks", "unet_256", "cycle_gan_step"):
        rows = written[name]
        assert set(rows) == {"straightforward", "float32", "bf16"}
        assert min(row["share_of_peak"] for row in rows.values()) > 0
    assert written["resnet_9blocks"]["float32"]["psnr_db"] > 60  # the shortcuts are exact but for rounding
    assert 35 < written["resnet_9blocks"]["bf16"]["psnr_db"] < 70
    # two 7x7 convolutions, two halvings, 18 convolutions at a quarter of the size, two doublings
    by_hand = 2 * 49 * 3 * 64 * 256**2 * 2
    by_hand += 2 * 9 * (64 * 128 * 128**2 + 128 * 256 * 64**2 + 18 * 256 * 256 * 64**2)
    by_hand += 2 * 9 * (256 * 128 * 64**2 + 128 * 64 * 128**2)
    assert written["resnet_9blocks"]["bf16"]["gflop"] == by_hand / 1e9


def test_dcgan_tf_prints_tables_and_writes_json(tmp_path):
    output = tmp_path / "results" / "dcgan_tf.json"
    sizes = ["--size", "32", "--width", "8", "--batch", "4", "--rounds", "1"]
    command = [sys.executable, FOLDER / "dcgan_tf.py", *sizes, "--output", output]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    written = json.loads(output.read_text())
    assert set(written["training"]) == set(written["sampler"]) == {"straightforward", "float32", "bf16"}
    assert written["sampler"]["float32"]["psnr_db"] > 60  # the shortcuts are exact but for rounding
    assert 35 < written["sampler"]["bf16"]["psnr_db"] < 100
    # four 5x5 layers with 3, 8, 16, 32 and 64 channels, on maps of 16, 8, 4 and 2 pixels, for four pictures
    one_pass = 4 * 2 * 25 * (16**2 * 3 * 8 + 8**2 * 8 * 16 + 4**2 * 16 * 32 + 2**2 * 32 * 64) / 1e9
    row = written["training"]["float32"]
    assert abs(row["gflops"] * row["seconds"] / one_pass - 16) < 1e-6
    assert "32x32x3, batch 4" in result.stdout and "images/s" in result.stdout


def test_dcgan_tf_is_compared_with_the_same_training():
    """The straightforward version moves the networks as ours does."""
    code = """
import sys; sys.path[:0] = [sys.argv[1]]
import dcgan_tf as bench, numpy as np
a = bench.Architecture(16, 16, gf_dim=4, df_dim=4, z_dim=6)
random, weights = np.random.default_rng(0), bench.initial_weights(a, 0)
plain, ours = bench.PlainTrainer(a, weights), bench.Trainer(a, weights, exact_losses=True)
images, z = random.uniform(-1, 1, (4, 16, 16, 3)).astype("f"), random.uniform(-1, 1, (4, 6)).astype("f")
losses = plain.compiled(images, z).numpy() - np.array(ours.step(images, z))
assert np.abs(losses).max() < 1e-5, losses
for name in ("generator/g_h4/w", "generator/g_bn0/moving_mean", "discriminator/d_h4_lin/Matrix"):
    difference = np.abs(plain.weights[name].numpy() - ours.weights[name].numpy()).max()
    assert difference < 2e-5, (name, difference)
"""
    result = subprocess.run([sys.executable, "-c", code, str(FOLDER)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_arithmetic_is_counted_right():
    """VGG-19 up to relu5_1, forward and backward to the picture, and the Gram matrices both ways, by hand."""
    code = """
import sys; sys.path[:0] = [sys.argv[1]]
import neural_style as bench, torch
row = bench.measure(bench.random_vgg19, 32, torch.float32, torch.device("cpu"))
print(row["gflop"])
"""
    result = subprocess.run([sys.executable, "-c", code, str(FOLDER)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    depths, widths = (2, 2, 4, 4, 1), (64, 128, 256, 512, 512)
    total, channels = 0, 3
    for block, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        pixels = (32 >> block) ** 2
        for _ in range(depth):
            total += 2 * 2 * 9 * channels * width * pixels  # multiply and add, forward and backward
            channels = width
        total += 2 * 2 * width * width * pixels  # F F^T and its gradient
    assert abs(float(result.stdout) * 1e9 / total - 1) < 1e-6


def test_stargan_prints_tables_and_writes_json(tmp_path):
    output = tmp_path / "results" / "stargan.json"
    sizes = [
        "--sizes",
        "32",
        "--training-size",
        "16",
        "--batch",
        "2",
        "--width",
        "8",
        "--halvings",
        "3",
        "--rounds",
        "1",
    ]
    command = [sys.executable, FOLDER / "stargan.py", *sizes, "--faces", "2", "--output", output]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    written = json.loads(output.read_text())
    for name in ("generator_32", "training"):
        assert set(written[name]) == {"straightforward", "float32", "bf16"}
        assert min(row["share_of_peak"] for row in written[name].values()) > 0
    assert written["generator_32"]["float32"]["psnr_db"] > 60  # the same but for rounding
    # two 7x7 convolutions, two halvings, twelve convolutions at a quarter of the size, two doublings
    by_hand = 2 * 49 * 32**2 * (8 * 8 + 8 * 3)
    by_hand += 2 * 16 * (8 * 16 * 16**2 + 16 * 32 * 8**2) * 2
    by_hand += 2 * 9 * 12 * 32 * 32 * 8**2
    assert written["generator_32"]["float32"]["gflop"] == by_hand / 1e9
    # the passes that nobody needs: D's gradients in G's step, and a translation made twice
    assert written["training"]["float32"]["gflop"] < 0.95 * written["training"]["straightforward"]["gflop"]
    assert set(written["quality"]["attributes"]) > {"Black_Hair", "Smiling"}
    assert "G forward, 32x32" in result.stdout and "batch 2, n_critic 5" in result.stdout


def test_stargan_is_compared_with_the_same_training():
    """The straightforward version moves the networks as ours does."""
    code = """
import sys; sys.path[:0] = [sys.argv[1]]
import stargan as bench, torch
device = torch.device("cpu")
steps, batch = bench.make_steps(16, 4, 3, device), bench.make_batch(3, 16, device)
plain, ours = steps["straightforward"].__self__, steps["float32"].__defaults__[0]
first = ours.G.main[3].weight.clone()
for update_G in (False, True, False, True):
    steps["straightforward"](batch, update_G), steps["float32"](batch, update_G)
assert (ours.G.main[3].weight - first).abs().max() > 1e-4
for a, b in ((plain.G, ours.G), (plain.D, ours.D)):
    for (name, x), (other, y) in zip(a.named_parameters(), b.named_parameters(), strict=True):
        difference = (x - y).abs().detach()
        if name == "main.0.weight" and x.shape[1] > 3:
            difference[:, 3:, 3, 3] = 0  # rounding noise, see stargan/tests/test_networks.py
        assert name == other and difference.max() < 2e-5, (name, float(difference.max()))
"""
    result = subprocess.run([sys.executable, "-c", code, str(FOLDER)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_progan_prints_tables_and_writes_json(tmp_path):
    output = tmp_path / "results" / "progan.json"
    sizes = ["--image-size", "32", "--width", "16", "--training-size", "8", "--training-width", "8", "--batch", "4"]
    command = [sys.executable, FOLDER / "progan.py", *sizes, "--rounds", "1", "--output", output]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    written = json.loads(output.read_text())
    assert set(written["images_1"]) == set(written["images_4"]) == {"plain", "float32", "bf16"}
    assert written["images_1"]["float32"]["psnr_db"] > 60  # the shortcuts are exact but for rounding
    assert 35 < written["images_4"]["bf16"]["psnr_db"] < 100
    # the first layer, one 3x3 convolution at 4x4, two at each of the three larger sizes, colours at the last
    by_hand = 2 * 16 * 16 * 16 + 2 * 9 * 16 * 16 * (16 + 2 * (64 + 256 + 1024))
    plain = written["images_1"]["plain"]["gflop"] * 1e9
    assert by_hand < plain < by_hand + 2 * 16 * 3 * (16 + 64 + 256 + 1024) + 1
    saved = 2 * 5 * 16 * 16 * (64 + 256 + 1024)  # four products in place of nine
    assert written["images_1"]["float32"]["gflop"] * 1e9 < plain - saved + 1
    assert set(written["training"]) == {"4", "8"} and set(written["memory_gb"]) == {"plain", "float32", "bf16"}
    for table in written["training"].values():
        assert set(table) == {"plain", "plain, active", "float32", "bf16"}
        assert min(row["seconds"] for row in table.values()) > 0
    assert "training of 8x8 at 4x4" in result.stdout
