"""ResNet-18 and MobileNetV2 as one writes them in Tarazu, attributes in torchvision's order under other names."""

from __future__ import annotations

import tarazu as tz


class Block(tz.nn.Module):
    """Two convolutions and what goes past them."""

    def __init__(self, inputs, filters, stride):
        def convolution(channels, size, stride, padding):
            return tz.nn.Conv2D(filters, size, stride, padding=padding, in_channels=channels, bias=False)

        self.first, self.first_norm = convolution(inputs, 3, stride, 1), tz.nn.BatchNorm(filters)
        self.second, self.second_norm = convolution(filters, 3, 1, 1), tz.nn.BatchNorm(filters)
        self.shortcut = None
        if stride != 1 or inputs != filters:
            self.shortcut = tz.nn.Sequential(convolution(inputs, 1, stride, 0), tz.nn.BatchNorm(filters))

    def forward(self, x):
        past = x if self.shortcut is None else self.shortcut(x)
        y = tz.relu(self.first_norm(self.first(x)))
        return tz.relu(self.second_norm(self.second(y)) + past)


class ResNet18(tz.nn.Module):
    """He, Zhang, Ren and Sun, 2015."""

    def __init__(self, classes=1000):
        self.start = tz.nn.Conv2D(64, 7, 2, padding=3, in_channels=3, bias=False)
        self.norm, self.pool = tz.nn.BatchNorm(64), tz.nn.MaxPool2D(3, 2, padding=1)
        sizes = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2),
                 (512, 512, 1)]
        self.blocks = [Block(*size) for size in sizes]
        self.end = tz.nn.Dense(classes, in_features=512)

    def forward(self, x):
        x = self.pool(tz.relu(self.norm(self.start(x))))
        for block in self.blocks:
            x = block(x)
        return self.end(x.mean((1, 2)))


def _convolved(inputs, filters, size, stride=1, depthwise=False, activation="relu6"):
    options = {"padding": (size - 1) // 2, "in_channels": inputs, "bias": False}
    kernel = (tz.nn.DepthwiseConv2D(size, stride, **options) if depthwise else
              tz.nn.Conv2D(filters, size, stride, **options))
    return [kernel, tz.nn.BatchNorm(filters), *([tz.nn.Activation(activation)] if activation else [])]


class Inverted(tz.nn.Module):
    """Wider, by place, narrower."""

    def __init__(self, inputs, filters, stride, factor):
        width = inputs * factor
        wider = _convolved(inputs, width, 1) if factor != 1 else []
        self.body = tz.nn.Sequential(*wider, *_convolved(width, width, 3, stride, depthwise=True),
                                     *_convolved(width, filters, 1, activation=None))
        self.is_residual = stride == 1 and inputs == filters

    def forward(self, x):
        return x + self.body(x) if self.is_residual else self.body(x)


def mobile_net_v2(classes=1000):
    """Sandler and others, 2018."""
    layers, inputs = _convolved(3, 32, 3, 2), 32
    for factor, filters, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                           (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(count):
            layers.append(Inverted(inputs, filters, stride if i == 0 else 1, factor))
            inputs = filters
    return tz.nn.Sequential(*layers, *_convolved(320, 1280, 1), tz.nn.GlobalAvgPool2D(),
                            tz.nn.Dense(classes, in_features=1280))
