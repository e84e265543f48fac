"""Random picks: indices, rows and their order."""

from __future__ import annotations

import math

import numpy as np

from tarazu.backend.numpy.philox import random_bits
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir.node import Node
from tarazu.ops.elementwise import stop_gradient
from tarazu.ops.indexing.index import take
from tarazu.ops.promote import as_float, as_value
from tarazu.ops.random import bits as draw
from tarazu.ops.random import distributions
from tarazu.ops.shape import normalize_axis
from tarazu.ops.typing import ArrayLike, ShapeLike
from tarazu.runtime.random.generator import Generator
from tarazu.runtime.random.parameters import next_state, require_not_negative, shape_of
from tarazu.runtime.tensor.tensor import Tensor


def categorical(logits: ArrayLike, shape: ShapeLike = (), *, axis: int = -1,
                generator: Generator | None = None) -> Tensor:
    """Indices along an axis of `logits`, drawn with the probabilities softmax(logits); `shape` many for each row.

    The result, of int64, has `shape`, then the shape of the logits without the axis. A logit of -inf is never drawn.
    AxisError for an axis that the logits lack, ShapeError for logits without elements along it.

    >>> import tarazu as tz
    >>> tz.random.categorical(tz.tensor([[0.0, 100.0], [100.0, 0.0]]))
    Tensor([1, 0], dtype=int64)
    """
    logits = as_float(logits)
    position = normalize_axis(axis, len(logits.shape), "categorical")
    lead = shape_of("categorical", shape)
    return distributions.categorical(next_state(generator), stop_gradient(logits), lead, position)


def permutation(x: int | ArrayLike, *, generator: Generator | None = None) -> Tensor:
    """The numbers below `x` in random order, or the rows of the tensor `x` in random order.

    ShapeError for a tensor without axes, and for a number below 0.

    >>> import tarazu as tz
    >>> tz.random.permutation(5).sort()
    Tensor([0, 1, 2, 3, 4], dtype=int64)
    """
    if isinstance(x, int):
        return _permutation(next_state(generator), shape_of("permutation", x)[0])
    return take(x, _permutation(next_state(generator), _rows("permutation", x)))


def _permutation(state: Tensor, size: int) -> Tensor:
    """`draw.permutation`; of a state in memory without the cost of its operations, as `fit` asks before each epoch."""
    if not isinstance(state.raw, np.ndarray):
        return draw.permutation(state, size)
    words = random_bits(state.raw, (2, size)).astype(np.uint64)
    return Tensor(np.argsort(words[0] << np.uint64(32) | words[1], kind="stable"))


def _rows(name: str, x: ArrayLike) -> int:
    """The number of rows of `x`; ShapeError for a tensor without axes."""
    shape = as_value(x).shape
    if not shape:
        raise ShapeError(f"{name} of a tensor without axes", expected="a tensor with rows, or a Python integer",
                         fix="int(x) makes a number of it")
    return shape[0]


def shuffle(x: Tensor, *, generator: Generator | None = None) -> None:
    """Put the rows of the tensor `x` in random order, in place; `permutation` gives another tensor instead.

    ArgumentError for what is no tensor, ShapeError for a tensor without axes.

    >>> import tarazu as tz
    >>> x = tz.arange(5)
    >>> tz.random.shuffle(x)
    >>> x.sort()
    Tensor([0, 1, 2, 3, 4], dtype=int64)
    """
    if not isinstance(x, Tensor):
        raise ArgumentError(f"shuffle of {type(x).__name__}", expected="a tensor, which is changed in place",
                            fix="use tz.random.permutation(x), which gives a new tensor")
    x.copy_(permutation(x, generator=generator))


def choice(x: int | ArrayLike, shape: ShapeLike = (), *, replace: bool = True, weights: ArrayLike | None = None,
           generator: Generator | None = None) -> Tensor:
    """Numbers below `x`, or rows of the tensor `x`, drawn with or without putting them back.

    The result has `shape`, then the shape of a row. `weights` (one per row, at least 0) are the probabilities up to a
    factor; all alike unless given. ArgumentError for more distinct rows than there are, or weights below 0 or all 0;
    ShapeError for weights of another shape, and for a tensor without axes.

    >>> import tarazu as tz
    >>> tz.random.choice(tz.tensor([10, 20, 30]), 2, weights=[0.0, 1.0, 0.0])
    Tensor([20, 20], dtype=int64)
    """
    count = x if isinstance(x, int) else _rows("choice", x)
    sizes = shape_of("choice", shape)
    size = math.prod(sizes)
    weights = None if weights is None else stop_gradient(as_float(weights))
    _require_choices(count, size, replace, weights)
    state = next_state(generator)
    if not replace:
        chosen = distributions.distinct_choice(state, count, weights, size).reshape(sizes)
    elif weights is None:
        chosen = draw.randint(state, 0, max(count, 1), sizes)
    else:
        chosen = distributions.weighted_choice(state, weights, sizes)
    return chosen if isinstance(x, int) else take(x, chosen)


def _require_choices(count: int, size: int, replace: bool, weights: Tensor | None) -> None:
    if weights is not None:
        if weights.shape != (count,):
            raise ShapeError(f"choice: weights of shape {weights.shape} for {count} rows", expected=f"shape ({count},)",
                             fix="give one weight per row")
        require_not_negative("choice", "weights", weights)
        if not isinstance(weights.raw, Node):
            count = int(np.count_nonzero(weights.numpy()))
    if size > count if not replace else size and not count:
        raise ArgumentError(f"choice: {size} of {count} rows{'' if replace else ' without putting them back'}",
                            expected=f"at most {count}" if not replace else "at least one row to choose from",
                            fix="draw fewer, or pass replace=True" if not replace else "check x and the weights")
