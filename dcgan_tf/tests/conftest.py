"""What the tests of dcgan_tf share: golden numbers and checkpoints."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).with_name("golden")
sys.path.insert(0, str(PROJECT))

import numpy as np  # noqa: E402
import pytest  # noqa: E402

from shared_scripts.quiet import quiet_tensorflow  # noqa: E402
from shared_scripts.testing import find_golden, full_disk, load_arrays  # noqa: E402, F401

quiet_tensorflow()

import tensorflow as tf  # noqa: E402
from trainings import data_dir, straight, train  # noqa: E402, F401  (fixtures)

tf.config.set_visible_devices([], "GPU")  # the recordings are a processor's


golden_file = partial(find_golden, PROJECT)


@pytest.fixture(scope="session")
def golden():
    """`golden(name)` reads a golden .npz."""
    return lambda name: load_arrays(golden_file(name))


@pytest.fixture(scope="session")
def golden_path():
    """`golden_path(name)` is where a golden file or folder lies."""
    return golden_file


@pytest.fixture(scope="session")
def variables():
    """`variables(recording)`: the weights a recording was made with, read by TensorFlow itself from the checkpoint that
    it names; where it holds them too, they are the same."""

    def read(recording: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        prefix = Path(json.loads(str(recording["meta"]))["checkpoint"])
        reader = tf.train.load_checkpoint(str(golden_file(prefix.parent.as_posix()) / prefix.name))
        found = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
        for name, value in recording.items():
            if name.startswith("var/"):
                assert np.array_equal(found[name.removeprefix("var/")], value)
        return found

    return read
