"""What the tests of fast_style_transfer share: golden numbers, the golden weights, a processor in two halves."""

from __future__ import annotations

import lzma
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).with_name("golden")
sys.path.insert(0, str(PROJECT))

import numpy as np  # noqa: E402
import pytest  # noqa: E402

from shared_scripts.quiet import quiet_tensorflow  # noqa: E402

quiet_tensorflow()

import tensorflow as tf  # noqa: E402

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


@pytest.fixture
def full_disk():
    """`with full_disk(size):` no file of this process can grow beyond `size` bytes."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def limited(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
