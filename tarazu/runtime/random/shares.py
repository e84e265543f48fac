"""Random shares: numbers from 0 to 1, alone or in rows that sum to 1."""

from __future__ import annotations

from tarazu.base.checks import flag
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.create import one_hot
from tarazu.ops.elementwise import add, astype, divide, stop_gradient, subtract
from tarazu.ops.networks.softmax import softmax
from tarazu.ops.placement import to_device
from tarazu.ops.promote import as_float
from tarazu.ops.random import distributions
from tarazu.ops.reduce import argmax
from tarazu.ops.shape import moveaxis, normalize_axis
from tarazu.ops.typing import ArrayLike, DeviceLike, DTypeLike, ShapeLike
from tarazu.runtime.random.generator import Generator
from tarazu.runtime.random.parameters import float_dtype, next_state, require, shape_of
from tarazu.runtime.tensor.tensor import Tensor


def beta(alpha: ArrayLike, beta: ArrayLike, shape: ShapeLike | None = None, *, dtype: DTypeLike | None = None,
         generator: Generator | None = None, device: DeviceLike | None = None) -> Tensor:
    """Beta numbers, from 0 to 1 with the mean alpha / (alpha + beta), of `shape`, made of two gamma numbers.

    No gradient flows to the parameters. ArgumentError unless both are above 0, ShapeError for parameters that do not
    broadcast to the shape, DTypeError unless `dtype` is a float dtype.

    >>> import tarazu as tz
    >>> tz.random.beta(tz.tensor([0.5, 2.0]), 3.0, (100, 2)).shape
    (100, 2)
    """
    sizes, kind = shape_of("beta", shape, alpha, beta), float_dtype("beta", dtype)
    for name, value in (("alpha", alpha), ("beta", beta)):
        require("beta", name, value, lambda array: array > 0, "numbers above 0")
    numbers = distributions.beta(next_state(generator), as_float(alpha), as_float(beta), sizes, kind)
    return to_device(numbers, device)


def dirichlet(concentration: ArrayLike, shape: ShapeLike = (), *, dtype: DTypeLike | None = None,
              generator: Generator | None = None, device: DeviceLike | None = None) -> Tensor:
    """Rows of numbers above 0 that sum to 1, with means in proportion to the last axis of `concentration`.

    The result has `shape`, then the shape of the concentration, to which no gradient flows. ArgumentError unless that
    is above 0, ShapeError for one without axes, DTypeError unless `dtype` is a float dtype.

    >>> import tarazu as tz
    >>> rows = tz.random.dirichlet([1.0, 2.0, 3.0], 5)
    >>> rows.shape, tz.allclose(rows.sum(-1), 1.0)
    ((5, 3), Tensor(True, dtype=bool))
    """
    concentration = as_float(concentration)
    if not concentration.shape:
        raise ShapeError("dirichlet: a concentration without axes", expected="a vector, or rows of them",
                         fix="tz.random.beta draws single shares")
    lead, kind = shape_of("dirichlet", shape), float_dtype("dirichlet", dtype)
    require("dirichlet", "concentration", concentration, lambda array: array > 0, "numbers above 0")
    sizes = (*lead, *concentration.shape)
    return to_device(distributions.dirichlet(next_state(generator), concentration, sizes, kind), device)


def gumbel_softmax(logits: ArrayLike, temperature: float = 1.0, *, hard: bool = False, axis: int = -1,
                   generator: Generator | None = None) -> Tensor:
    """Random shares along an axis that come close to a 1 at an index drawn with the probabilities softmax(logits).

    They do so the more, the lower the temperature, and gradients flow to the logits. With `hard` they are exactly 1 and
    0, with the gradients of the shares. Jang, Gu and Poole, 2017; Maddison, Mnih and Teh, 2017. ArgumentError for a
    temperature that is not above 0, AxisError for an axis that the logits lack.

    >>> import tarazu as tz
    >>> tz.gumbel_softmax(tz.tensor([0.0, 100.0, 0.0]), hard=True)
    Tensor([0., 1., 0.], dtype=float32)
    """
    if not temperature > 0:
        raise ArgumentError(f"gumbel_softmax: temperature={temperature!r}", expected="a number above 0",
                            fix="pass hard=True for ones and zeros")
    logits = as_float(logits)
    axis = normalize_axis(axis, len(logits.shape), "gumbel_softmax")
    noise = astype(distributions.gumbel(next_state(generator), logits.shape), logits.dtype, copy=False)
    shares = softmax(divide(add(logits, noise), temperature), axis)
    if not flag("hard", hard):
        return shares
    chosen = one_hot(argmax(shares, axis), logits.shape[axis], dtype=logits.dtype)
    return add(moveaxis(chosen, -1, axis), subtract(shares, stop_gradient(shares)))
