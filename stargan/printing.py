"""What the reference prints of networks and accuracies, in the manner of its two versions."""

from __future__ import annotations

from torch import Tensor, nn

from labels import Domain
from networks import count_parameters
from shared_scripts.instance_norm import AffineInstanceNorm

INDENT = "  "


def network_text(name: str, network: nn.Module, old: bool) -> str:
    """The layers, the network's name and its size; the 2017 version prints the name first, in its PyTorch's words."""
    total = f"The number of parameters: {count_parameters(network)}"
    if old:
        return "\n".join([name, old_repr(network), total])
    return "\n".join([repr(network), name, total])


def old_repr(module: nn.Module) -> str:
    """A network as PyTorch 0.2 printed it: a blank before the brackets, switches by their names."""
    kind = type(module).__name__
    if isinstance(module, AffineInstanceNorm):
        return f"InstanceNorm2d({module.channels}, eps=1e-05, momentum=0.1, affine=True)"
    if isinstance(module, nn.LeakyReLU):
        return f"LeakyReLU ({module.negative_slope:g}, inplace)"
    if isinstance(module, nn.ReLU):
        return "ReLU (inplace)"
    children = list(module.named_children())
    if not children:
        return f"{kind} ()" if isinstance(module, nn.Tanh) else repr(module)
    lines = [f"({name}): {old_repr(child)}" for name, child in children]
    inner = "\n".join(lines).replace("\n", "\n" + INDENT)
    return f"{kind} (\n{INDENT}{inner}\n)"


def accuracy_line(domain: Domain, out_cls: Tensor, labels: Tensor) -> str:
    """How well the discriminator classifies real pictures, as the 2017 version prints it."""
    what = "8 emotional expressions" if domain.exclusive else "Black/Blond/Brown/Gender/Aged"
    return f"Classification Acc ({what}): {[f'{value:.2f}' for value in domain.accuracies(out_cls, labels)]}"
