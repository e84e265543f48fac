"""Initial weights, by name or as functions of `(shape, generator)`; the last axis of a weight is its output."""

from __future__ import annotations

import math
from collections.abc import Callable

from tarazu.base.spelling import by_name
from tarazu.ops import linalg
from tarazu.ops.create import full
from tarazu.ops.elementwise import multiply, sign
from tarazu.ops.shape import reshape, swapaxes
from tarazu.runtime import random
from tarazu.runtime.tensor.tensor import Tensor

Initializer = Callable[[tuple[int, ...], random.Generator | None], Tensor]


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs and outputs a weight of this shape connects.

    >>> fans((784, 128)), fans((3, 3, 16, 32))
    ((784, 128), (144, 288))
    """
    if len(shape) < 2:
        return (shape[0],) * 2 if shape else (1, 1)
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


def zeros(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """All 0, usual for biases."""
    return full(shape, 0.0)


def ones(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """All 1, usual for scales."""
    return full(shape, 1.0)


def _normal(std: float, shape: tuple[int, ...], generator: random.Generator | None) -> Tensor:
    return random.normal(shape, std=std, generator=generator)


def _uniform(limit: float, shape: tuple[int, ...], generator: random.Generator | None) -> Tensor:
    return random.uniform(shape, -limit, limit, generator=generator)


def glorot_uniform(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Uniform of variance 2 / (inputs + outputs), to keep signals and gradients in scale (Glorot and Bengio, 2010)."""
    return _uniform(math.sqrt(6 / sum(fans(shape))), shape, generator)


def glorot_normal(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Normal with variance 2 / (inputs + outputs) (Glorot and Bengio, 2010)."""
    return _normal(math.sqrt(2 / sum(fans(shape))), shape, generator)


def he_uniform(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Uniform with variance 2 / inputs, for relu, which drops half of the signal (He, Zhang, Ren and Sun, 2015)."""
    return _uniform(math.sqrt(6 / fans(shape)[0]), shape, generator)


def he_normal(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Normal with variance 2 / inputs, for relu (He, Zhang, Ren and Sun, 2015)."""
    return _normal(math.sqrt(2 / fans(shape)[0]), shape, generator)


def lecun_normal(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Normal with variance 1 / inputs (LeCun, Bottou, Orr and Müller, 1998)."""
    return _normal(math.sqrt(1 / fans(shape)[0]), shape, generator)


def standard_normal(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Normal with variance 1; too large for deep networks, and there to show that."""
    return _normal(1.0, shape, generator)


def orthogonal(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Orthogonal columns or rows, whichever are fewer, which keep lengths through time (Saxe et al., 2014)."""
    rows, columns = math.prod(shape[:-1]), shape[-1] if shape else 1
    drawn = random.normal((max(rows, columns), min(rows, columns)), generator=generator)
    q, r = linalg.qr(drawn)
    q = multiply(q, sign(linalg.diagonal(r)))  # as likely as any other
    return reshape(q if rows >= columns else swapaxes(q, 0, 1), shape)


INITIALIZERS: dict[str, Initializer] = {
    function.__name__: function for function in (zeros, ones, glorot_uniform, glorot_normal, he_uniform, he_normal,
                                                 lecun_normal, standard_normal, orthogonal)}


def find_initializer(spec: str | Initializer) -> Initializer:
    """The initializer that `spec` names; a function is given back as it is."""
    return spec if callable(spec) else by_name("initializer", spec, INITIALIZERS, "a function of (shape, generator)")


__all__ = ["INITIALIZERS", "fans", *INITIALIZERS, "find_initializer"]
