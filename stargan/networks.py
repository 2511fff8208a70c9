"""The two networks of StarGAN, with the reference's parameter names.

Every layer's place in its `Sequential` matters: the places are the names in checkpoint files. Pictures are
(N, 3, height, width) in [-1, 1], labels (N, c_dim).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from shared_scripts.cli import UserError
from shared_scripts.instance_norm import AffineInstanceNorm


class ResidualBlock(nn.Module):
    """x + main(x), two 3x3 convolutions with their instance norms; (N, C, H, W) to the same. No ReLU after the sum."""

    def __init__(self, channels: int):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(channels, channels, 3, stride=1, padding=1, bias=False),
            AffineInstanceNorm(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, stride=1, padding=1, bias=False),
            AffineInstanceNorm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.main(x)


class Generator(nn.Module):
    """G(x, c): the picture x (N, 3, H, W), redrawn as the labels c (N, c_dim) say; the same shape, in [-1, 1].

    Two halvings, `repeat_num` residual blocks at a quarter of the size (the bottleneck: a wide view at a sixteenth of
    the cost), two doublings. Paper: section 4, table 4. UserError for sides that 4 does not divide, which would come
    back smaller, and for 4x4 pixels, of which the bottleneck would have one. `last_bias` is for files of PyTorch-GAN,
    whose last convolution has one.
    """

    def __init__(self, conv_dim: int = 64, c_dim: int = 5, repeat_num: int = 6, last_bias: bool = False):
        super().__init__()
        self.conv_dim, self.c_dim, self.repeat_num = conv_dim, c_dim, repeat_num
        w = conv_dim
        layers = [nn.Conv2d(3 + c_dim, w, 7, stride=1, padding=3, bias=False)]
        layers += [AffineInstanceNorm(w), nn.ReLU(inplace=True)]
        for width in (w, 2 * w):
            layers += [nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False)]
            layers += [AffineInstanceNorm(2 * width), nn.ReLU(inplace=True)]
        layers += [ResidualBlock(4 * w) for _ in range(repeat_num)]
        for width in (4 * w, 2 * w):
            layers += [nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1, bias=False)]
            layers += [AffineInstanceNorm(width // 2), nn.ReLU(inplace=True)]
        layers += [nn.Conv2d(w, 3, 7, stride=1, padding=3, bias=last_bias), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        height, width = x.shape[2:]
        if height % 4 or width % 4 or height * width <= 16:
            raise UserError(
                f"the generator takes pictures of at least 8x8 whose sides are multiples of 4, not {width}x{height}"
            )
        return self.main(with_label_planes(x, c))


def with_label_planes(x: Tensor, c: Tensor) -> Tensor:
    """(N, 3, H, W) and (N, c_dim) to (N, 3 + c_dim, H, W): behind the colours, a plane filled with each label.

    A constant plane through a convolution is a constant, and instance normalisation takes constants away. What lets a
    label through is the zero padding: it makes a border in the plane. (Mirrored borders would make StarGAN blind to
    its labels.)
    """
    n, _, height, width = x.shape
    planes = c.to(x.dtype)[:, :, None, None].expand(n, c.shape[1], height, width)
    return torch.cat([x, planes], dim=1)


class Discriminator(nn.Module):
    """D(x): how real each patch of a picture looks, (N, 1, H / 2^r, W / 2^r), and the logits of its labels, (N, c_dim).

    `repeat_num` (r) halvings; a PatchGAN head, and a classifying head that sees the whole picture. No normalisation:
    the gradient penalty is of each picture alone. Paper: table 5. UserError where `image_size` is below 2^r.
    """

    def __init__(self, image_size: int = 128, conv_dim: int = 64, c_dim: int = 5, repeat_num: int = 6):
        super().__init__()
        self.image_size, self.conv_dim, self.c_dim, self.repeat_num = image_size, conv_dim, c_dim, repeat_num
        kernel = image_size // 2**repeat_num
        if kernel < 1:
            raise UserError(
                f"a discriminator with {repeat_num} halvings needs pictures of at least {2**repeat_num} pixels, "
                f"not {image_size}: take a larger --image_size, or --d_repeat_num {max(1, image_size.bit_length() - 1)}"
            )
        layers, channels = [], 3
        for number in range(repeat_num):
            wider = conv_dim * 2**number
            layers += [nn.Conv2d(channels, wider, 4, stride=2, padding=1), nn.LeakyReLU(0.01, inplace=True)]
            channels = wider
        self.main = nn.Sequential(*layers)
        self.conv1 = nn.Conv2d(channels, 1, 3, stride=1, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, c_dim, kernel, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.main(x)
        return self.conv1(features), self.conv2(features).flatten(1)

    def realness(self, x: Tensor) -> Tensor:
        """The patch map alone: all that the gradient penalty needs."""
        return self.conv1(self.main(x))


def count_parameters(network: nn.Module) -> int:
    """How many numbers are learned."""
    return sum(parameter.numel() for parameter in network.parameters())
