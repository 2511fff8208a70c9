"""torchvision, made importable beside a CPU-only torch. Import it from here and nowhere else.

torchvision's usual wheels hold operators compiled for CUDA. Where torch has no CUDA they cannot be loaded, and then
`import torchvision` itself fails, because it registers shapes for operators nobody declared ("operator
torchvision::nms does not exist"). Declaring the two it needs first is enough for models, transforms and utils to
work; only the compiled operators (nms, roi_align, …) stay missing.
"""

from __future__ import annotations

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def _declare_missing_operators() -> torch.library.Library | None:
    """Declare `nms` and `qnms`; None where they are there already. The return value keeps the declarations alive."""
    if hasattr(torch.ops.torchvision, "nms"):
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(name + _SCHEMA)
    return library


try:
    import torchvision
except RuntimeError:  # raised half-way through the import, which Python then undoes: it can be tried again
    _declared = _declare_missing_operators()
    import torchvision

from torchvision import models, transforms, utils  # noqa: E402

__all__ = ["models", "torchvision", "transforms", "utils"]
