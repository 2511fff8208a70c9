"""What ships with the project: a generator that was trained here on drawn faces, and the classifier that judges it."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "pretrained" / "faces"
GENERATOR = FOLDER / "12600-G.ckpt"
CLASSIFIER = FOLDER / "classifier.safetensors"
