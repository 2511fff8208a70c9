"""The generators and discriminators of pix2pix and CycleGAN, with the reference's parameter names.

Every module's place in its `Sequential` matters: the places are the names in the .pth files. Pictures are
(N, channels, height, width) in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from shared_scripts.cli import UserError
from shared_scripts.instance_norm import InstanceNorm

GENERATORS = ("resnet_9blocks", "resnet_6blocks", "unet_256", "unet_128")
DISCRIMINATORS = ("basic", "n_layers", "pixel")
NORMS = ("instance", "batch", "syncbatch", "none")
INITS = ("normal", "xavier", "kaiming", "orthogonal")
UNET_DEPTH = {"unet_128": 7, "unet_256": 8}

# --- normalisation ------------------------------------------------------------------------------------------------


NormLayer = Callable[[int], nn.Module]


def norm_layer(norm: str) -> NormLayer:
    """The constructor (channels -> module) behind a --norm. UserError for an unknown one."""
    layers: dict[str, NormLayer] = {
        "instance": InstanceNorm,
        "batch": nn.BatchNorm2d,
        "syncbatch": nn.SyncBatchNorm,
        "none": lambda channels: nn.Identity(),
    }
    if norm not in layers:
        raise UserError(f"there is no normalisation {norm!r}; choose from {', '.join(NORMS)}")
    return layers[norm]


def normalized_conv_bias(norm: str) -> bool:
    """Whether convolutions before a normalisation carry a bias: with instance norm only (with "none" not either)."""
    return norm == "instance"


# --- generators ---------------------------------------------------------------------------------------------------


class ResnetBlock(nn.Module):
    """x + block(x), two 3x3 convolutions with mirrored borders; (N, C, H, W) to the same."""

    def __init__(self, channels: int, norm: str, use_dropout: bool):
        super().__init__()
        make, bias = norm_layer(norm), normalized_conv_bias(norm)
        layers = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias), make(channels), nn.ReLU(True)]
        if use_dropout:  # shifts the names of what follows by one
            layers.append(nn.Dropout(0.5))
        layers += [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias), make(channels)]
        self.conv_block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class ResnetGenerator(nn.Module):
    """CycleGAN's generator (after Johnson et al. 2016): two halvings, residual blocks, two doublings.

    Sizes that 4 does not divide come out rounded up to the next multiple of 4.
    """

    def __init__(self, input_nc: int, output_nc: int, ngf: int, norm: str, use_dropout: bool, n_blocks: int):
        super().__init__()
        make, bias = norm_layer(norm), normalized_conv_bias(norm)
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(input_nc, ngf, 7, bias=bias), make(ngf), nn.ReLU(True)]
        for c in (ngf, 2 * ngf):
            layers += [nn.Conv2d(c, 2 * c, 3, stride=2, padding=1, bias=bias), make(2 * c), nn.ReLU(True)]
        layers += [ResnetBlock(4 * ngf, norm, use_dropout) for _ in range(n_blocks)]
        for c in (4 * ngf, 2 * ngf):
            up = nn.ConvTranspose2d(c, c // 2, 3, stride=2, padding=1, output_padding=1, bias=bias)
            layers += [up, make(c // 2), nn.ReLU(True)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, output_nc, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class UnetBlock(nn.Module):
    """One level of the U-Net around the next deeper one: halve, go deeper, double, and pass the input on beside it.

    `outer` channels come in and go out of it, `inner` are on the level below. `place` is "outermost", "middle" or
    "innermost"; all but the outermost give (N, outer + outer, H, W): their input, then what the depths made of it.
    """

    def __init__(
        self,
        outer: int,
        inner: int,
        norm: str,
        input_nc: int | None = None,
        deeper: nn.Module | None = None,
        place: str = "middle",
        use_dropout: bool = False,
    ):
        super().__init__()
        make, bias = norm_layer(norm), normalized_conv_bias(norm)
        self.outermost = place == "outermost"
        down = nn.Conv2d(input_nc or outer, inner, 4, stride=2, padding=1, bias=bias)
        up_from = inner if place == "innermost" else 2 * inner  # what is deeper has passed its input on
        up = nn.ConvTranspose2d(up_from, outer, 4, stride=2, padding=1, bias=bias or self.outermost)
        if place == "outermost":
            layers = [down, deeper, nn.ReLU(True), up, nn.Tanh()]
        elif place == "innermost":  # a single pixel at 256 px: nothing to normalise
            layers = [nn.LeakyReLU(0.2, True), down, nn.ReLU(True), up, make(outer)]
        else:
            layers = [nn.LeakyReLU(0.2, True), down, make(inner), deeper, nn.ReLU(True), up, make(outer)]
            if use_dropout:
                layers.append(nn.Dropout(0.5))
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        if self.outermost:
            return self.model(x)
        # The block's first layer is a LeakyReLU in place, so it is that of x which is passed on, as in the reference.
        return torch.cat([x, self.model(x)], 1)


class UnetGenerator(nn.Module):
    """pix2pix's generator: `num_downs` halvings and as many doublings, each level with a skip connection.

    The sides must be multiples of 2^num_downs.
    """

    def __init__(self, input_nc: int, output_nc: int, num_downs: int, ngf: int, norm: str, use_dropout: bool):
        super().__init__()
        self.multiple = 2**num_downs
        block = UnetBlock(8 * ngf, 8 * ngf, norm, place="innermost")
        for _ in range(num_downs - 5):
            block = UnetBlock(8 * ngf, 8 * ngf, norm, deeper=block, use_dropout=use_dropout)
        for outer in (4, 2, 1):
            block = UnetBlock(outer * ngf, 2 * outer * ngf, norm, deeper=block)
        self.model = UnetBlock(output_nc, ngf, norm, input_nc=input_nc, deeper=block, place="outermost")

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        if height % self.multiple or width % self.multiple:
            raise UserError(
                f"this U-Net takes sides that are multiples of {self.multiple}, not {width}x{height}; "
                f"use --preprocess resize_and_crop with such a --crop_size, or a resnet"
            )
        return self.model(x)


# --- discriminators -----------------------------------------------------------------------------------------------


class NLayerDiscriminator(nn.Module):
    """PatchGAN: (N, C, H, W) to a map of logits, each the verdict on one patch (70x70 with the 3 layers of "basic")."""

    def __init__(self, input_nc: int, ndf: int, n_layers: int, norm: str):
        super().__init__()
        make, bias = norm_layer(norm), normalized_conv_bias(norm)
        layers = [nn.Conv2d(input_nc, ndf, 4, stride=2, padding=1), nn.LeakyReLU(0.2, True)]
        channels = ndf
        for k in range(1, n_layers + 1):
            wider = ndf * min(2**k, 8)
            stride = 2 if k < n_layers else 1
            layers += [nn.Conv2d(channels, wider, 4, stride, 1, bias=bias), make(wider), nn.LeakyReLU(0.2, True)]
            channels = wider
        layers.append(nn.Conv2d(channels, 1, 4, stride=1, padding=1))
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class PixelDiscriminator(nn.Module):
    """The 1x1 PatchGAN: every pixel is judged on its own colour. (N, C, H, W) to (N, 1, H, W) logits."""

    def __init__(self, input_nc: int, ndf: int, norm: str):
        super().__init__()
        bias = normalized_conv_bias(norm)
        self.net = nn.Sequential(
            nn.Conv2d(input_nc, ndf, 1),
            nn.LeakyReLU(0.2, True),
            nn.Conv2d(ndf, 2 * ndf, 1, bias=bias),
            norm_layer(norm)(2 * ndf),
            nn.LeakyReLU(0.2, True),
            nn.Conv2d(2 * ndf, 1, 1, bias=bias),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def receptive_field(n_layers: int) -> int:
    """The side in pixels of the patch that one output of `NLayerDiscriminator` sees: 16, 34, 70, 142, 286."""
    side = 1
    for stride in [1, 1] + [2] * n_layers:  # from the output back to the picture, kernel 4
        side = (side - 1) * stride + 4
    return side


def smallest_side(n_layers: int, norm: str) -> int:
    """The smallest square `NLayerDiscriminator` can be trained on, 24 for the 70x70 PatchGAN: a normalisation needs
    more than one pixel, and the last convolution two, to leave one."""
    for side in range(4, 2048):
        sizes = [side // 2]
        for stride in [2] * (n_layers - 1) + [1]:
            sizes.append((sizes[-1] - 2) // stride + 1)
        if sizes[-1] >= 2 and (norm == "none" or min(sizes[1:]) >= 2):
            return side
    raise UserError(f"a discriminator of {n_layers} layers is too deep; take a smaller --n_layers_D")


# --- making them --------------------------------------------------------------------------------------------------


def define_G(
    input_nc: int,
    output_nc: int,
    ngf: int,
    netG: str,
    norm: str = "batch",
    use_dropout: bool = False,
    init_type: str = "normal",
    init_gain: float = 0.02,
) -> nn.Module:
    """A generator with fresh weights. UserError for an unknown `netG` or `norm`."""
    if netG in UNET_DEPTH:
        network = UnetGenerator(input_nc, output_nc, UNET_DEPTH[netG], ngf, norm, use_dropout)
    elif netG in GENERATORS:
        network = ResnetGenerator(input_nc, output_nc, ngf, norm, use_dropout, int(netG[7]))
    else:
        raise UserError(f"there is no generator {netG!r}; choose from {', '.join(GENERATORS)}")
    return init_weights(network, init_type, init_gain)


def define_D(
    input_nc: int,
    ndf: int,
    netD: str,
    n_layers_D: int = 3,
    norm: str = "batch",
    init_type: str = "normal",
    init_gain: float = 0.02,
) -> nn.Module:
    """A discriminator with fresh weights. UserError for an unknown `netD` or `norm`."""
    if netD in ("basic", "n_layers"):
        network = NLayerDiscriminator(input_nc, ndf, 3 if netD == "basic" else n_layers_D, norm)
    elif netD == "pixel":
        network = PixelDiscriminator(input_nc, ndf, norm)
    else:
        raise UserError(f"there is no discriminator {netD!r}; choose from {', '.join(DISCRIMINATORS)}")
    return init_weights(network, init_type, init_gain)


def init_weights(network: nn.Module, init_type: str = "normal", init_gain: float = 0.02) -> nn.Module:
    """Fresh weights: convolutions by `init_type`, biases 0, batch norms N(1, gain). Returns the network."""
    starts = {
        "normal": partial(nn.init.normal_, mean=0.0, std=init_gain),
        "xavier": partial(nn.init.xavier_normal_, gain=init_gain),
        "kaiming": partial(nn.init.kaiming_normal_, a=0, mode="fan_in"),
        "orthogonal": partial(nn.init.orthogonal_, gain=init_gain),
    }
    if init_type not in starts:
        raise UserError(f"there is no initialisation {init_type!r}; choose from {', '.join(INITS)}")
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            starts[init_type](module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, (nn.BatchNorm2d, nn.SyncBatchNorm)):
            nn.init.normal_(module.weight, 1.0, init_gain)
            nn.init.zeros_(module.bias)
    return network


def convert_convolutions(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    """The network with its convolutions' weights in `dtype`, once and for all: under autocast they would be converted
    anew for every picture, which takes a U-Net of 54 million weights as long as the picture itself."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            module.to(dtype)
    return network


def count_parameters(network: nn.Module) -> int:
    """How many numbers are learned."""
    return sum(parameter.numel() for parameter in network.parameters())
