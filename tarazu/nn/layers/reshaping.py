"""Layers that only change the shape, or nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.module.module import Module
from tarazu.ops.shape import broadcast_to, expand_dims, flatten, normalize_shape, permute_dims, reshape
from tarazu.ops.typing import ShapeLike
from tarazu.runtime.tensor.tensor import Tensor


class Identity(Module):
    """Gives its input back: stands in for a layer that a model leaves out.

    >>> import tarazu as tz
    >>> tz.nn.Identity()(tz.ones(2))
    Tensor([1., 1.], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        return x


class Flatten(Module):
    """Makes all axes but the first (the batch) into one: (batch, ...) to (batch, features).

    >>> import tarazu as tz
    >>> tz.nn.Flatten()(tz.ones((2, 28, 28))).shape
    (2, 784)
    """

    def forward(self, x: Tensor) -> Tensor:
        return flatten(x, 1)


class Reshape(Module):
    """Gives each sample another shape: (batch, ...) to (batch, *shape); one size may be -1, which takes what is left.

    ArgumentError for a shape of anything but whole numbers, ShapeError for samples of another number of elements.

    >>> import tarazu as tz
    >>> tz.nn.Reshape((7, 7, -1))(tz.ones((2, 784))).shape
    (2, 7, 7, 16)
    """

    def __init__(self, shape: ShapeLike) -> None:
        self._shape = normalize_shape(shape, "Reshape")

    def forward(self, x: Tensor) -> Tensor:
        size, known = math.prod(x.shape[1:]), -math.prod(self._shape)
        if self._shape.count(-1) == 1 and known > 0 and size % known == 0:  # also where there are no rows
            return reshape(x, (x.shape[0], *(size // known if n == -1 else n for n in self._shape)))
        return reshape(x, (x.shape[0], *self._shape))


class Permute(Module):
    """Puts the axes of each sample into another order; axes count from 1, as axis 0 is the batch.

    Axis i of the output is axis `axes[i - 1]` of the input. ArgumentError for `axes` that are not 1 to n in some order,
    ShapeError for an input with another number of axes.

    >>> import tarazu as tz
    >>> tz.nn.Permute((2, 3, 1))(tz.ones((5, 3, 32, 16))).shape
    (5, 32, 16, 3)
    """

    def __init__(self, axes: Sequence[int]) -> None:
        if sorted(axes) != list(range(1, len(axes) + 1)):
            raise ArgumentError(f"Permute: axes={axes!r}",
                                expected="the numbers from 1 to the number of a sample's axes, each once",
                                fix="axis 0, the batch, stays first: (2, 1) swaps the two axes of matrices")
        self._axes = tuple(axes)

    def forward(self, x: Tensor) -> Tensor:
        if len(x.shape) != len(self._axes) + 1:
            raise ShapeError(f"an input of shape {tuple(x.shape)}",
                             expected=f"{len(self._axes)} axes after the batch, to go in the order {self._axes}",
                             fix="name each axis but the batch")
        return permute_dims(x, (0, *self._axes))


class RepeatVector(Module):
    """The input `times` times in a row along a new axis: (batch, features) to (batch, times, features).

    For decoders that see the encoder's result in each step. ArgumentError for a number below 1, ShapeError for an input
    that is no batch of vectors.

    >>> import tarazu as tz
    >>> tz.nn.RepeatVector(3)(tz.ones((2, 4))).shape
    (2, 3, 4)
    """

    def __init__(self, times: int) -> None:
        self._times = positive_int("times", times)

    def forward(self, x: Tensor) -> Tensor:
        if len(x.shape) != 2:
            raise ShapeError(f"an input of shape {tuple(x.shape)}", expected="vectors: (batch, features)",
                             fix="flatten the input first (tz.nn.Flatten)")
        return broadcast_to(expand_dims(x, 1), (x.shape[0], self._times, x.shape[1]))
