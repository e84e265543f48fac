"""Merging layers of Keras as functions of a list of tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from tarazu.interop.keras.options import Options
from tarazu.ops.einsum import einsum
from tarazu.ops.elementwise import add, divide, maximum, minimum, multiply, sqrt, square, subtract
from tarazu.ops.reduce import sum
from tarazu.ops.shape import concat, reshape
from tarazu.runtime.tensor.tensor import Tensor

Merge = Callable[[Sequence[Tensor]], Tensor]
SMALLEST = 1e-12  # a sum of squares below it counts as it


def _one_by_one(operation: Callable[[Any, Any], Tensor]) -> Callable[[Options], Merge]:
    return lambda options: lambda inputs: functools.reduce(operation, _of_one_rank(inputs))


def _of_one_rank(inputs: Sequence[Tensor]) -> list[Tensor]:
    """Tensors with fewer axes get axes of size 1 behind the batch."""
    rank = max(len(x.shape) for x in inputs)
    return [reshape(x, (x.shape[0], *[1] * (rank - len(x.shape)), *x.shape[1:])) if len(x.shape) < rank else x
            for x in inputs]


def _average(options: Options) -> Merge:
    return lambda inputs: divide(functools.reduce(add, _of_one_rank(inputs)), len(inputs))


def _concatenate(options: Options) -> Merge:
    axis = options.take("axis")
    return lambda inputs: concat(list(inputs), axis)


def _dot(options: Options) -> Merge:
    axes, normalize = options.take("axes"), options.take("normalize")

    def dot(inputs: Sequence[Tensor]) -> Tensor:
        x, y = inputs
        first, second = axes if isinstance(axes, tuple) else (axes, axes)
        first, second = first % len(x.shape), second % len(y.shape)
        if normalize:
            x, y = _of_length_one(x, first), _of_length_one(y, second)
        letters = [chr(ord("b") + i) for i in range(len(x.shape) + len(y.shape))]
        left = ["a", *letters[:len(x.shape) - 1]]
        right = ["a", *letters[len(x.shape):len(x.shape) + len(y.shape) - 1]]
        right[second] = left[first]
        out = ["a", *(c for c in left[1:] + right[1:] if c != left[first])]
        z = einsum(f"{''.join(left)},{''.join(right)}->{''.join(out)}", x, y)
        return reshape(z, (*z.shape, 1)) if len(z.shape) == 1 else z
    return dot


def _of_length_one(x: Tensor, axis: int) -> Tensor:
    return divide(x, sqrt(maximum(sum(square(x), axis, keepdims=True), SMALLEST)))


MERGES: dict[str, Callable[[Options], Merge]] = {
    "Add": _one_by_one(add), "Subtract": _one_by_one(subtract), "Multiply": _one_by_one(multiply),
    "Maximum": _one_by_one(maximum), "Minimum": _one_by_one(minimum), "Average": _average,
    "Concatenate": _concatenate, "Dot": _dot}
