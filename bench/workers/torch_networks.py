"""The larger convolutional networks in torch, with channels last in memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from workloads import CLASSES, RESNET_STAGES, SEPARABLE_STAGES, UNET_CHANNELS


def normalized(inputs: int, outputs: int, window: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution that keeps sizes but for its stride, and a batch norm."""
    convolution = nn.Conv2d(inputs, outputs, window, stride, window // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = normalized(inputs, outputs, 3, stride), normalized(outputs, outputs, 3)
        changes = stride > 1 or inputs != outputs
        self.shortcut = normalized(inputs, outputs, 1, stride) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.relu(self.second(nn.functional.relu(self.first(x))) + self.shortcut(x))


def resnet18() -> nn.Module:
    layers, channels = [normalized(3, 64, 3), nn.ReLU()], 64
    for filters, stride in RESNET_STAGES:
        layers.append(Residual(channels, filters, stride))
        channels = filters
    return _with_head(layers, channels)


def separable() -> nn.Module:
    layers, channels = [normalized(3, 32, 3), nn.ReLU()], 32
    for filters, stride in SEPARABLE_STAGES:
        layers += [normalized(channels, channels, 3, stride, groups=channels), nn.ReLU(),
                   normalized(channels, filters, 1), nn.ReLU()]
        channels = filters
    return _with_head(layers, channels)


def _with_head(layers: list[nn.Module], channels: int) -> nn.Module:
    head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES)
    return nn.Sequential(*layers, *head)


def twice(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(normalized(inputs, outputs, 3), nn.ReLU(), normalized(outputs, outputs, 3), nn.ReLU())


class UNet(nn.Module):
    """Logits with classes as the last axis."""

    def __init__(self) -> None:
        super().__init__()
        *higher, lowest = UNET_CHANNELS
        self.down = nn.ModuleList(map(twice, [3, *higher], higher))
        self.bottom, self.pool = twice(higher[-1], lowest), nn.MaxPool2d(2)
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * filters, filters, 2, 2) for filters in reversed(higher))
        self.merge = nn.ModuleList(twice(2 * filters, filters) for filters in reversed(higher))
        self.head = nn.Conv2d(higher[0], CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for level in self.down:
            kept.append(level(x))
            x = self.pool(kept[-1])
        x = self.bottom(x)
        for up, merge in zip(self.up, self.merge, strict=True):
            x = merge(torch.cat([kept.pop(), up(x)], 1))
        return self.head(x).permute(0, 2, 3, 1)
