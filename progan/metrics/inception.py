"""The Inception network that FID and IS look through: Google's of 2015-12-05, by the package torch-fidelity.

Its weights are never fetched here. `find_weights` says what is missing, where to get it and where to put it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from shared_scripts.cli import UserError
from shared_scripts.files import resolve_path

NAME = "weights-inception-2015-12-05-6726825d.pth"  # the end of the name is the beginning of its SHA-256
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{NAME}"
PRETRAINED = Path(__file__).resolve().parents[1] / "pretrained"
FEATURES, CLASSES = 2048, 1008
AT_ONCE = 32  # images, which the network enlarges to 299x299 pixels


def find_weights(given: str | Path | None = None) -> Path:
    """The weights' file: the one that is given, or found in the folder that is given; else in `pretrained`, else where
    torch-fidelity itself keeps it. UserError where it is nowhere."""
    if given:
        path = resolve_path(given)
        path = path / NAME if path.is_dir() else path
        if not path.is_file():
            raise UserError(f"there is no file {path}; get it from {URL}")
        if path.suffix not in (".pth", ".pt"):
            raise UserError(f"{path} cannot be read; the Inception network is needed as {NAME}, from {URL}")
        return path
    for folder in (PRETRAINED, Path(torch.hub.get_dir()) / "checkpoints"):
        if (folder / NAME).is_file():
            return folder / NAME
    raise UserError(
        f"FID and IS need the weights of the Inception network (95 MB): download {URL} and put it into {PRETRAINED}, "
        "or name the file with --inception; SWD and MS-SSIM work without it"
    )


class Inception:
    """Images as features (N, 2048) and class probabilities (N, 1008): float32.

    As in the TensorFlow graph the images are resized with its old bilinear filter, and the last layer has no bias.
    UserError where the package or the weights are missing or damaged.
    """

    def __init__(self, weights: str | Path | None = None, device: torch.device | str = "cpu"):
        self.device = torch.device(device)
        self.network = load(find_weights(weights)).to(self.device).to(memory_format=torch.channels_last)
        self.seen: np.ndarray | None = None  # FID and IS are fed the same batches: each is looked at once
        self.found: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features and probabilities of images (N, 3, H, W) uint8."""
        if images is not self.seen:
            parts = [self.look(images[begin : begin + AT_ONCE]) for begin in range(0, len(images), AT_ONCE)]
            self.found = tuple(np.concatenate(part) for part in zip(*parts, strict=True))
            self.seen = images
        return self.found

    @torch.inference_mode()
    def look(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of a few images."""
        features, logits = self.network(torch.from_numpy(np.ascontiguousarray(images)).to(self.device))
        return features.float().cpu().numpy(), logits.float().softmax(dim=1).cpu().numpy()


def load(weights: Path) -> torch.nn.Module:
    """torch-fidelity's network, which gives features and logits without bias."""
    try:
        import shared_scripts.vision  # noqa: F401, I001  (first: torch-fidelity imports torchvision)
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ModuleNotFoundError as problem:
        raise UserError(
            f"FID and IS need the package {problem.name}; get it with: pip install torch-fidelity torchvision"
        ) from problem
    try:
        # The package reads the file as a pickle that may run code; this reading refuses such files before that.
        torch.load(weights, map_location="cpu", weights_only=True, mmap=True)
        return FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(weights)
        )
    except Exception as problem:  # torch.load and load_state_dict raise whatever they stumble over
        raise UserError(
            f"{weights} is damaged or not the Inception network's weights; get them from {URL}"
        ) from problem
