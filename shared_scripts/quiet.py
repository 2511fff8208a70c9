"""TensorFlow's chatter on stderr, turned down to errors; to be called before it is imported."""

from __future__ import annotations

import os


def quiet_tensorflow() -> None:
    """Hide what TensorFlow says about processors and missing GPUs. TF_CPP_MIN_LOG_LEVEL, where set, is respected."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
