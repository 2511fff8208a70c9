"""What the tests of fast_style_transfer share: golden numbers, the golden weights, a processor in two halves."""

from __future__ import annotations

import io
import lzma
import sys
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).with_name("golden")
sys.path.insert(0, str(PROJECT))

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from PIL import Image  # noqa: E402

from shared_scripts.quiet import quiet_tensorflow  # noqa: E402
from shared_scripts.testing import full_disk  # noqa: E402, F401

quiet_tensorflow()

import tensorflow as tf  # noqa: E402

tf.config.set_visible_devices([], "GPU")  # the recordings are a processor's
# Two logical processors, to test training on several devices; before anything is computed.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


@cache
def load_golden(name: str) -> dict[str, np.ndarray]:
    """An .npz of tests/golden as a dictionary of arrays."""
    with np.load(GOLDEN / name) as file:
        return {key: file[key] for key in file.files}


@pytest.fixture(scope="session")
def golden():
    """`golden(name)` reads an .npz of tests/golden."""
    return load_golden


@pytest.fixture(scope="session")
def golden_path():
    """`golden_path(name)` is where a file of tests/golden lies."""
    return lambda name: GOLDEN / name


@pytest.fixture(scope="session")
def v1_checkpoint(tmp_path_factory) -> Path:
    """A checkpoint of the original's training graph: one file of format V1, the golden weights with Adam's state."""
    path = tmp_path_factory.mktemp("v1") / "golden.ckpt"
    path.write_bytes(lzma.decompress((GOLDEN / "v1_with_adam.ckpt.xz").read_bytes()))
    return path


@pytest.fixture(scope="session")
def weights(v1_checkpoint) -> dict[str, np.ndarray]:
    """The 48 golden weights {name: float32 array}, read by TensorFlow itself."""
    reader = tf.train.load_checkpoint(str(v1_checkpoint))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.startswith("Variable") and "/" not in name
    }


@pytest.fixture(scope="session")
def recorded():
    """The recorded losses, training and slow mode."""
    return load_golden("losses_training.npz")


@pytest.fixture(scope="session")
def narrow():
    """The narrow VGG-19 that the recordings were made with."""
    from perceptual import load_network

    return load_network(GOLDEN / "vgg19_narrow_beta16.mat")


@pytest.fixture(scope="session")
def contents(recorded) -> np.ndarray:
    """The recordings' five photographs as the training sees them, (5, 256, 256, 3) uint8."""
    import data

    files = (io.BytesIO(recorded[f"content_png/{i}"].tobytes()) for i in range(5))
    return np.stack([data.training_picture(np.array(Image.open(file).convert("RGB"))) for file in files])
