"""Initial weights, by name or as functions of `(shape, generator)`.

The last axis of a weight is its outputs, the one before it its inputs; axes before these are those of a window. Without
a generator the global one draws (`tz.random.seed`).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TypeAlias

import numpy as np

from tarazu.base.spelling import by_name
from tarazu.ops import linalg
from tarazu.ops.create import full
from tarazu.ops.elementwise import multiply, sign
from tarazu.ops.shape import reshape, swapaxes
from tarazu.runtime import random
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor

Initializer: TypeAlias = Callable[[tuple[int, ...], random.Generator | None], Tensor]


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs and outputs a weight of this shape connects: (fan in, fan out).

    The last two axes, each times the size of the window before them; of one axis both are its size.

    >>> fans((784, 128)), fans((3, 3, 16, 32))
    ((784, 128), (144, 288))
    """
    if len(shape) < 2:
        return (shape[0],) * 2 if shape else (1, 1)
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def zeros(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """All 0, usual for biases; the generator draws nothing.

    >>> zeros((2,))
    Tensor([0., 0.], dtype=float32)
    """
    return full(shape, 0.0)


def ones(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """All 1, usual for scales; the generator draws nothing.

    >>> ones((2,))
    Tensor([1., 1.], dtype=float32)
    """
    return full(shape, 1.0)


_are_placeholders = ContextVar("_are_placeholders", default=False)
FEW = 2**14  # draws that a placeholder repeats


@contextlib.contextmanager
def placeholders() -> Iterator[None]:
    """A block in which large initial weights repeat a few draws, which is quick: saved ones will replace them."""
    before = _are_placeholders.set(True)
    try:
        yield
    finally:
        _are_placeholders.reset(before)


def _filled(shape: tuple[int, ...], draw: Callable[[tuple[int, ...]], Tensor]) -> Tensor:
    if not _are_placeholders.get() or math.prod(shape) <= FEW:
        return draw(shape)
    return asarray(np.resize(draw((FEW,)).numpy(), shape))


def _normal(std: float, shape: tuple[int, ...], generator: random.Generator | None) -> Tensor:
    return _filled(shape, lambda size: random.normal(size, std=std, generator=generator))


def _uniform(limit: float, shape: tuple[int, ...], generator: random.Generator | None) -> Tensor:
    return _filled(shape, lambda size: random.uniform(size, -limit, limit, generator=generator))


def glorot_uniform(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Uniform from -limit to limit, with limit = sqrt(6 / (inputs + outputs)): of variance 2 / (inputs + outputs).

    Keeps signals and gradients in scale (Glorot and Bengio, 2010); `fans` counts inputs and outputs.

    >>> bool(abs(glorot_uniform((400, 200))).max() <= 0.1)
    True
    """
    return _uniform(math.sqrt(6 / sum(fans(shape))), shape, generator)


def glorot_normal(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Normal with standard deviation sqrt(2 / (inputs + outputs)) (Glorot and Bengio, 2010).

    >>> round(float(glorot_normal((500, 300)).std()), 2)
    0.05
    """
    return _normal(math.sqrt(2 / sum(fans(shape))), shape, generator)


def he_uniform(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Uniform from -limit to limit, with limit = sqrt(6 / inputs): of variance 2 / inputs.

    For relu, which drops half of the signal (He, Zhang, Ren and Sun, 2015).

    >>> bool(abs(he_uniform((600, 200))).max() <= 0.1)
    True
    """
    return _uniform(math.sqrt(6 / fans(shape)[0]), shape, generator)


def he_normal(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Normal with standard deviation sqrt(2 / inputs), for relu (He, Zhang, Ren and Sun, 2015).

    >>> round(float(he_normal((800, 200)).std()), 2)
    0.05
    """
    return _normal(math.sqrt(2 / fans(shape)[0]), shape, generator)


def lecun_normal(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Normal with standard deviation sqrt(1 / inputs) (LeCun, Bottou, Orr and Müller, 1998).

    >>> round(float(lecun_normal((400, 200)).std()), 2)
    0.05
    """
    return _normal(math.sqrt(1 / fans(shape)[0]), shape, generator)


def standard_normal(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Normal with standard deviation 1: for embeddings, as in torch; too large for the weights of deep networks.

    >>> round(float(standard_normal((400, 200)).std()), 1)
    1.0
    """
    return _normal(1.0, shape, generator)


def orthogonal(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Orthonormal columns or rows, whichever are fewer, of the weight as a matrix (..., outputs).

    Such a matrix keeps lengths through time (Saxe, McClelland and Ganguli, 2014); drawn as the Q of a normal matrix,
    with signs that make all such matrices equally likely (Mezzadri, 2007).

    >>> import tarazu as tz
    >>> w = orthogonal((6, 3))
    >>> bool(abs(w.T @ w - tz.eye(3)).max() < 1e-5)
    True
    """
    rows, columns = math.prod(shape[:-1]), shape[-1] if shape else 1
    if _are_placeholders.get():
        return _normal(1 / math.sqrt(max(rows, columns, 1)), shape, generator)
    drawn = random.normal((max(rows, columns), min(rows, columns)), generator=generator)
    q, r = linalg.qr(drawn)
    q = multiply(q, sign(linalg.diagonal(r)))
    return reshape(q if rows >= columns else swapaxes(q, 0, 1), shape)


INITIALIZERS: dict[str, Initializer] = {
    function.__name__: function for function in (zeros, ones, glorot_uniform, glorot_normal, he_uniform, he_normal,
                                                 lecun_normal, standard_normal, orthogonal)}


def find_initializer(spec: str | Initializer) -> Initializer:
    """The initializer that `spec` names; a function is given back as it is. ArgumentError for an unknown name.

    >>> find_initializer("zeros")((2,), None)
    Tensor([0., 0.], dtype=float32)
    """
    return spec if callable(spec) else by_name("initializer", spec, INITIALIZERS, "a function of (shape, generator)")


__all__ = ["INITIALIZERS", "fans", *INITIALIZERS, "find_initializer"]
