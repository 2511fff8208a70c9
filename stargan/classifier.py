"""A classifier of attributes, to judge translations by: it has seen real pictures only, and no generator.

It says whether a translated picture has the attribute that was asked for, and still has the others (the paper's table
3 measures expressions in this way). `train_classifier.py` trains one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from data import LabelledPictures
from labels import likely
from losses import attribute_loss
from shared_scripts.checkpoints import save_safetensors
from shared_scripts.cli import UserError
from shared_scripts.files import read_safetensors

WIDTHS = (16, 32, 64, 96, 96)
BATCH = 64


class AttributeClassifier(nn.Module):
    """(N, 3, size, size) in [-1, 1] to the logits of `names`, (N, len(names)). `size` is at least 32."""

    def __init__(self, names: Sequence[str], size: int):
        super().__init__()
        self.names, self.size = tuple(names), size
        layers, channels = [], 3
        for width in WIDTHS:
            layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
        side = size
        for _ in WIDTHS:
            side = (side + 1) // 2
        self.features = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3))
        self.head = nn.Linear(channels * side**2, len(self.names))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))

    @torch.inference_mode()
    def predict(self, x: Tensor) -> np.ndarray:
        """(N, len(names)) bool: which attributes the pictures have. Of the hair colours at most the likeliest."""
        return likely(self(x.float()), self.names).cpu().numpy()


def save_classifier(path: str | Path, classifier: AttributeClassifier) -> None:
    """Write a classifier as safetensors, in half precision, with the names and the size."""
    tensors = {
        name: value.half() if value.is_floating_point() else value for name, value in classifier.state_dict().items()
    }
    save_safetensors(path, tensors, {"names": json.dumps(classifier.names), "size": str(classifier.size)})


def load_classifier(path: str | Path) -> AttributeClassifier:
    """A classifier that `save_classifier` wrote, in evaluation. UserError where the file is missing or another's."""
    path = Path(path)
    tensors, metadata = read_safetensors(path, read_with_metadata)
    try:
        classifier = AttributeClassifier(json.loads(metadata["names"]), int(metadata["size"]))
        classifier.load_state_dict(tensors)
    except (KeyError, ValueError, TypeError, RuntimeError) as problem:
        raise UserError(f"{path} holds no classifier of attributes; train_classifier.py makes one") from problem
    return classifier.eval()


def read_with_metadata(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A safetensors file's tensors, and what is noted in it."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


@dataclass
class Scores:
    """How often a classifier is right about each attribute of pictures it has not seen."""

    names: tuple[str, ...]
    right: np.ndarray  # (len(names),) 0..1

    def table(self) -> str:
        """For people."""
        return "\n".join(f"{name:<22}{share:7.1%}" for name, share in zip(self.names, self.right, strict=True))


# --- training ---------------------------------------------------------------------------------------------------------


def fit(classifier: AttributeClassifier, pictures: LabelledPictures, epochs: int) -> AttributeClassifier:
    """Train with Adam and a rate that rises and falls once; returns the classifier in evaluation."""
    if len(pictures) < 2:
        raise UserError("a classifier needs more than one picture to learn from; --test_images N keeps fewer back")
    alone = len(pictures) % BATCH == 1  # a batch of one has no statistics
    loader = DataLoader(pictures, batch_size=BATCH, shuffle=True, drop_last=alone)
    optimizer = torch.optim.Adam(classifier.parameters(), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=epochs * len(loader))
    classifier.train()
    with tqdm(total=epochs * len(loader), file=sys.stderr, disable=None, dynamic_ncols=True) as bar:
        for _ in range(epochs):
            for batch in loader:
                loss = attribute_loss(classifier(batch["x"]), batch["label"])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
                bar.update()
    return classifier.eval()


def judge(classifier: AttributeClassifier, pictures: LabelledPictures) -> Scores:
    """How often it is right about pictures it has not seen."""
    right = [
        classifier.predict(batch["x"]) == batch["label"].numpy().astype(bool)
        for batch in DataLoader(pictures, batch_size=BATCH)
    ]
    return Scores(classifier.names, np.concatenate(right).mean(0))
