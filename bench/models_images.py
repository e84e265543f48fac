"""The larger convolutional networks, as users of Tarazu write them."""

from __future__ import annotations

from workloads import CLASSES, RESNET_STAGES, SEPARABLE_STAGES, UNET_CHANNELS

from tarazu import Tensor, concat, relu
from tarazu.nn import BatchNorm, Conv2D, Conv2DTranspose, Dense, GlobalAvgPool2D, MaxPool2D, Module, Sequential


def normalized(filters: int, window: int, stride: int = 1, groups: int = 1) -> Sequential:
    """A convolution that keeps sizes but for its stride, padded alike on both sides as in torch, and a batch norm."""
    return Sequential([Conv2D(filters, window, stride, window // 2, groups=groups, bias=False), BatchNorm()])


class Residual(Module):
    """Two convolutions beside a shortcut (He, Zhang, Ren and Sun, 2016)."""

    def __init__(self, filters: int, stride: int, changes: bool) -> None:
        super().__init__()
        self.first, self.second = normalized(filters, 3, stride), normalized(filters, 3)
        self.shortcut = normalized(filters, 1, stride) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        before = x if self.shortcut is None else self.shortcut(x)
        return relu(self.second(relu(self.first(x))) + before)


def resnet18() -> Sequential:
    """ResNet-18 for small pictures (batch, 32, 32, 3)."""
    channels = [64, *[filters for filters, _ in RESNET_STAGES]]
    blocks = [Residual(filters, stride, stride > 1 or before != filters)
              for before, (filters, stride) in zip(channels, RESNET_STAGES, strict=False)]
    return Sequential([normalized(64, 3), relu, *blocks, GlobalAvgPool2D(), Dense(CLASSES)])


def separable() -> Sequential:
    """Depthwise separable convolutions as in MobileNet (Howard and others, 2017), for pictures (batch, 32, 32, 3)."""
    layers, channels = [normalized(32, 3), relu], 32
    for filters, stride in SEPARABLE_STAGES:
        layers += [normalized(channels, 3, stride, groups=channels), relu, normalized(filters, 1), relu]
        channels = filters
    return Sequential([*layers, GlobalAvgPool2D(), Dense(CLASSES)])


def twice(filters: int) -> Sequential:
    """Two convolutions of 3 x 3 that keep sizes."""
    return Sequential([normalized(filters, 3), relu, normalized(filters, 3), relu])


class UNet(Module):
    """Down a level by pooling, up by a transposed convolution beside what was there (Ronneberger and others, 2015).

    Pictures (batch, 64, 64, 3) to logits of each pixel (batch, 64, 64, 10).
    """

    def __init__(self) -> None:
        super().__init__()
        *higher, lowest = UNET_CHANNELS
        self.down, self.bottom, self.pool = [twice(filters) for filters in higher], twice(lowest), MaxPool2D(2)
        self.up = [Conv2DTranspose(filters, 2, strides=2) for filters in reversed(higher)]
        self.merge = [twice(filters) for filters in reversed(higher)]
        self.head = Conv2D(CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for level in self.down:
            kept.append(level(x))
            x = self.pool(kept[-1])
        x = self.bottom(x)
        for up, merge in zip(self.up, self.merge, strict=True):
            x = merge(concat([kept.pop(), up(x)], axis=-1))
        return self.head(x)
