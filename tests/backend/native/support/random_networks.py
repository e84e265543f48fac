"""Random convolutional networks with their gradients, of layers as users write them; a seed gives always the same."""

from __future__ import annotations

import functools
import math

import numpy as np
from choices import Choices, from_seed
from inputs import Source
from random_gradients import with_gradients
from random_graphs import Case

import tarazu as tz
from tarazu import Tensor

CHANNELS = {1: 1, 2: 1, 3: 2, 4: 2, 6: 2, 8: 3, 12: 1, 16: 3, 17: 1, 24: 1, 32: 2, 48: 1}
LARGEST = 8_000  # elements of a tensor: NumPy runs each network 16 times
ACTIVATIONS = [tz.relu, tz.gelu, tz.tanh, tz.silu, tz.sigmoid, functools.partial(tz.gelu, approximate=True)]


class Network:
    """A network that grows by what is chosen; weights come from `arrays`, or as zeros whose shapes are noted."""

    def __init__(self, choose: Choices, arrays: list[Tensor] | None = None) -> None:
        self.choose, self.arrays = choose, arrays
        self.shapes: list[tuple[int, ...]] = []
        self.sources: list[Source] = []
        self.kept: list[Tensor] = []  # for residuals

    def fresh(self, *shape: int, inner: int = 0) -> Tensor:
        """An input, or a weight that sums over `inner` values."""
        self.shapes.append(shape)
        self.sources.append(Source("small", max(1, round(2 * math.sqrt(inner)))) if inner else Source("values"))
        return self.arrays[len(self.shapes) - 1] if self.arrays else tz.zeros(shape)

    def run(self) -> list[Tensor]:
        """The result after some layers."""
        axes = self.choose.weighted({2: 7, 1: 2, 3: 1})
        largest = {1: 40, 2: 14, 3: 6}[axes]
        sizes = [self.choose.between(3, largest) for _ in range(axes)]
        x = self.fresh(self.choose.between(1, 5), *sizes, self.choose.weighted(CHANNELS))
        for _ in range(self.choose.between(1, 7)):
            layer = self.choose.weighted({convolution: 8, normalization: 4, activation: 4, pooling: 2, residual: 3,
                                          transposed: 1})
            self.kept.append(x)
            x = layer(self, x)
        return [head(self, x)]


def convolution(network: Network, x: Tensor) -> Tensor:
    """Plain, of single elements, grouped or depthwise; with strides, dilations and paddings."""
    choose, channels, axes = network.choose, x.shape[-1], x.ndim - 2
    groups = choose.one_of([1, 1, 1, channels, *[n for n in (2, 3, 4) if channels % n == 0]])
    filters = groups * choose.between(1, 2) if groups == channels else groups * choose.one_of([1, 2, 4, 8, 16])
    filters = choose.weighted(CHANNELS) if groups == 1 else filters
    dilation, stride = (choose.weighted({1: 5, 2: 2, 3: 1}) for _ in range(2))
    pair = choose.below(3), choose.below(3)
    padding = choose.one_of(["same", "same", "valid", [(1, 1)] * axes, [(2, 2)] * axes, [pair] * axes])
    room = min(x.shape[1:-1]) + (99 if padding == "same" else 0 if padding == "valid" else sum(padding[0]))
    windows = [choose.weighted({3: 8, 1: 4, 2: 2, 4: 1, 5: 2}) for _ in range(axes if choose.chance(30) else 1)]
    window = [n if dilation * (n - 1) < room else 1 for n in windows * (axes // len(windows))]
    if math.prod(x.shape[:-1]) * filters > LARGEST or filters > 64:
        return x
    inner = math.prod(window) * channels // groups
    weight = network.fresh(*window, channels // groups, filters, inner=inner)
    bias = network.fresh(filters) if choose.chance(50) else None
    convolve = [tz.conv1d, tz.conv2d, tz.conv3d][axes - 1]
    return convolve(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)


def transposed(network: Network, x: Tensor) -> Tensor:
    choose, axes, filters = network.choose, x.ndim - 2, network.choose.one_of([1, 3, 8, 16])
    stride, window = choose.between(1, 2), choose.between(2, 3)
    if x.size // x.shape[-1] * filters * (1 + stride) ** axes > LARGEST:
        return x
    weight = network.fresh(*[window] * axes, filters, x.shape[-1], inner=window ** axes * x.shape[-1])
    return [tz.conv_transpose1d, tz.conv_transpose2d, tz.conv_transpose3d][axes - 1](x, weight, stride=stride)


def normalization(network: Network, x: Tensor) -> Tensor:
    """By the statistics of the batch, as training has it, or by fixed ones."""
    channels, axes = x.shape[-1], tuple(range(x.ndim - 1))
    mean, variance = x.mean(axes), x.var(axes)
    if network.choose.chance(25):
        mean, variance = network.fresh(channels), network.fresh(channels) ** 2 + 0.5
    return tz.batch_norm(x, mean, variance, network.fresh(channels), network.fresh(channels), epsilon=1e-2)


def activation(network: Network, x: Tensor) -> Tensor:
    return network.choose.one_of(ACTIVATIONS)(x)


def pooling(network: Network, x: Tensor) -> Tensor:
    choose, pool = network.choose, network.choose.one_of([tz.max_pool, tz.average_pool])
    window, stride = choose.between(2, 3), choose.between(1, 3)
    padding = choose.one_of(["valid", "same", 1])
    return x if min(x.shape[1:-1]) < window else pool(x, window, stride=stride, padding=padding)


def residual(network: Network, x: Tensor) -> Tensor:
    """The sum with, or the channels beside an earlier result of the same sizes."""
    before = [y for y in network.kept if y.shape[:-1] == x.shape[:-1]]
    if not before:
        return x
    y = network.choose.one_of(before)
    if y.shape == x.shape and network.choose.chance(80):
        return x + y
    return tz.concat([x, y], axis=-1) if x.size + y.size < LARGEST else x


def head(network: Network, x: Tensor) -> Tensor:
    """The result itself, or what classifiers make of it: logits from means or from all."""
    kind = network.choose.below(3)
    if kind == 0:
        return x
    rows = x.mean(tuple(range(1, x.ndim - 1))) if kind == 1 else x.reshape((x.shape[0], -1))
    weight = network.fresh(rows.shape[-1], 10, inner=rows.shape[-1])
    logits = rows @ weight + network.fresh(10)
    return tz.nn.cross_entropy(logits, np.arange(x.shape[0]) % 10) if network.choose.chance(50) else logits


def network_of_seed(seed: int) -> Case:
    """A network with the gradients of all that goes into it."""
    sketch = Network(from_seed(seed))
    sketch.run()

    def evaluate(*arrays: Tensor) -> list[Tensor]:
        return Network(from_seed(seed), list(arrays)).run()

    graph = tz.trace(evaluate)(*[tz.zeros(shape) for shape in sketch.shapes])
    return with_gradients(Case(graph, tuple(sketch.sources), seed))
