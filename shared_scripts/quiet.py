"""TensorFlow without its chatter on stderr."""

from __future__ import annotations

import os
import sys
import tempfile

from shared_scripts.cli import UserError


def quiet_tensorflow() -> None:
    """Import TensorFlow without what it says about processors and missing GPUs before its own switch is obeyed.

    TF_CPP_MIN_LOG_LEVEL, where set, is respected: 0 shows everything, which helps where a GPU is not found. If the
    import fails, all is shown; UserError where there is no TensorFlow.
    """
    if "tensorflow" in sys.modules or os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0":
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as chatter:
        stderr = os.dup(2)
        os.dup2(chatter.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except ModuleNotFoundError as problem:
            if problem.name != "tensorflow":
                raise
            raise UserError("TensorFlow is not installed; get it with: pip install tensorflow") from problem
        except BaseException:
            chatter.seek(0)
            os.write(stderr, chatter.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
