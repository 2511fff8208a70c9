"""torchvision imports and works beside any torch."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.skipif(find_spec("torchvision") is None, reason="torchvision is not installed")

CODE = """
import numpy as np, torch
from PIL import Image
from shared_scripts.vision import models, transforms, utils

network = models.squeezenet1_1(weights=None).eval()
assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 1000)
assert set(network.state_dict()) > {"features.0.weight", "features.12.expand3x3.bias"}

picture = Image.fromarray(np.arange(12 * 16 * 3, dtype=np.uint8).reshape(12, 16, 3))
tensor = transforms.Compose([transforms.Resize(6), transforms.CenterCrop(6), transforms.ToTensor()])(picture)
assert tensor.shape == (3, 6, 6) and 0 <= tensor.min() <= tensor.max() <= 1
assert utils.make_grid([tensor, tensor], padding=1).shape == (3, 8, 15)
"""


def test_models_transforms_and_utils_work():
    """In a process of its own: the import can only be tried once."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_importing_it_twice_or_late_does_no_harm():
    code = "import shared_scripts.vision, importlib\nimportlib.reload(shared_scripts.vision)\nimport torchvision"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
