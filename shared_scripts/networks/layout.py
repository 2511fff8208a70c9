"""What the compact perceptual network is, for PyTorch and TensorFlow alike: widths, names, scales, the weight file."""

from __future__ import annotations

from pathlib import Path

WEIGHTS = Path(__file__).with_name("compact.safetensors")
WIDTHS = (24, 48, 80, 136, 128)  # channels of the five blocks
DEPTHS = (2, 2, 4, 4, 1)  # 3x3 convolutions in each, as in VGG-19 up to relu5_1
HEADS = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512, "relu4_2": 128, "relu5_1": 512}
# The training's target has a mean activation near 1. These factors bring the features to sizes at which the weights
# that people use with VGG-19 (content 5, style 500, total variation 100) balance; tuned by looking at pictures.
GAINS = {"relu1_1": 140, "relu2_1": 200, "relu3_1": 280, "relu4_1": 400, "relu5_1": 400, "relu4_2": 1800}
MEAN = (123.68, 116.779, 103.939)  # what is subtracted from RGB 0..255
INPUT_SCALE = 1 / 64  # the input is RGB minus the mean, about -120..150; the first layer likes values near 1


def layer_names() -> list[str]:
    """The convolutions' names in order: conv1_1, conv1_2, conv2_1, … conv5_1."""
    return [f"conv{block}_{i}" for block, depth in enumerate(DEPTHS, 1) for i in range(1, depth + 1)]
