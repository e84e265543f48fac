"""Initial weights, by name or as functions of `(shape, generator)`.

The last axis of a weight is its outputs, the one before it its inputs; axes before these are those of a window. Without
a generator the global one draws (`tz.random.seed`). `zeros` to `orthogonal` are such functions; `constant` to
`identity` take numbers and give one, which is saved with its numbers: `kernel_initializer=random_normal(std=0.02)`.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TypeAlias

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
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
    return _repeated(shape, 0.0)


def ones(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """All 1, usual for scales; the generator draws nothing.

    >>> ones((2,))
    Tensor([1., 1.], dtype=float32)
    """
    return _repeated(shape, 1.0)


_are_placeholders: ContextVar[_Budget | None] = ContextVar("_are_placeholders", default=None)
FEW = 2**14  # draws that a placeholder repeats
GROWTH, SLACK = 4, 2**20  # how many times the saved numbers, and how many more, placeholders may have


class _Budget:
    """The numbers that placeholders may still have."""

    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self, shape: tuple[int, ...]) -> None:
        self._left -= math.prod(shape)
        if self._left < 0:
            raise ArgumentError(f"weights of shape {shape}, more than are saved", expected="sizes as in the file of "
                                "tensors", fix="take the description and the tensors from one saved model")


def _repeated(shape: tuple[int, ...], value: float) -> Tensor:
    if budget := _are_placeholders.get():
        budget.spend(shape)
    return full(shape, value)


@contextlib.contextmanager
def placeholders(elements: int) -> Iterator[None]:
    """A block in which large initial weights repeat a few draws, which is quick: saved ones will replace them.

    ArgumentError, before memory is taken, where they come to much more than the `elements` numbers that are saved.
    """
    before = _are_placeholders.set(_Budget(GROWTH * elements + SLACK))
    try:
        yield
    finally:
        _are_placeholders.reset(before)


def _filled(shape: tuple[int, ...], draw: Callable[[tuple[int, ...]], Tensor]) -> Tensor:
    if budget := _are_placeholders.get():
        budget.spend(shape)
    if not budget or math.prod(shape) <= FEW:
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


def lecun_uniform(shape: tuple[int, ...], generator: random.Generator | None = None) -> Tensor:
    """Uniform from -limit to limit, with limit = sqrt(3 / inputs): of variance 1 / inputs (LeCun and others, 1998).

    >>> bool(abs(lecun_uniform((300, 200))).max() <= 0.1)
    True
    """
    return _uniform(math.sqrt(3 / fans(shape)[0]), shape, generator)


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


# Functions that take numbers and give an initializer ------------------------------------------------------------

def _with_numbers(name: str, function: Callable[..., Tensor], **numbers: float | str) -> Initializer:
    """`function` with these arguments, which a saved model keeps; it is printed as the call of `name` that gives it."""
    initializer = functools.partial(function, **numbers)
    text = ", ".join(f"{key}={value!r}" for key, value in numbers.items())
    vars(initializer)["__name__"] = f"{name}({text})"
    return initializer


def _number(name: str, argument: str, value: float, *, least: float = -math.inf) -> float:
    """`value` as a float; ArgumentError unless it is a finite number of at least `least`."""
    if isinstance(value, int | float | np.number) and least <= value and math.isfinite(value):
        return float(value)
    bound = "" if least == -math.inf else f" of at least {least:g}"
    raise ArgumentError(f"init.{name}: {argument}={value!r}", expected=f"a finite number{bound}",
                        fix=f"call it without the shape: kernel_initializer=tz.nn.init.{name}(...)")


def constant(value: float) -> Initializer:
    """An initializer that gives `value` for each weight. ArgumentError unless it is a finite number.

    >>> constant(0.5)((2,), None)
    Tensor([0.5, 0.5], dtype=float32)
    """
    return _with_numbers("constant", _constant, value=_number("constant", "value", value))


def _constant(shape: tuple[int, ...], generator: random.Generator | None = None, *, value: float) -> Tensor:
    return full(shape, value)


def random_normal(mean: float = 0.0, std: float = 0.05) -> Initializer:
    """An initializer that draws normal weights of this mean and standard deviation. ArgumentError for a `std` below 0.

    The default is Keras's; GPT-2 starts with a `std` of 0.02 (Radford and others, 2019).

    >>> import tarazu as tz
    >>> tz.nn.Dense(3, kernel_initializer=tz.nn.init.random_normal(std=0.02))
    Dense(3, kernel_initializer=random_normal(mean=0.0, std=0.02))
    """
    return _with_numbers("random_normal", _random_normal, mean=_number("random_normal", "mean", mean),
                         std=_number("random_normal", "std", std, least=0))


def _random_normal(shape: tuple[int, ...], generator: random.Generator | None = None, *, mean: float,
                   std: float) -> Tensor:
    return _filled(shape, lambda size: random.normal(size, mean, std, generator=generator))


def truncated_normal(mean: float = 0.0, std: float = 0.05) -> Initializer:
    """As `random_normal`, but what lies further than 2 `std` from the mean is drawn again.

    So the weights have a standard deviation of about 0.88 `std`. ArgumentError for a `std` below 0.

    >>> bool(abs(truncated_normal(std=0.5)((1000,), None)).max() <= 1)
    True
    """
    return _with_numbers("truncated_normal", _truncated_normal, mean=_number("truncated_normal", "mean", mean),
                         std=_number("truncated_normal", "std", std, least=0))


def _truncated_normal(shape: tuple[int, ...], generator: random.Generator | None = None, *, mean: float,
                      std: float) -> Tensor:
    return _filled(shape, lambda size: random.truncated_normal(size, mean, std, generator=generator))


def random_uniform(low: float = -0.05, high: float = 0.05) -> Initializer:
    """An initializer that draws weights between `low` and `high`, all equally likely. ArgumentError unless low <= high.

    >>> weights = random_uniform(1, 3)((1000,), None)
    >>> bool((weights >= 1).all() and (weights < 3).all())
    True
    """
    low = _number("random_uniform", "low", low)
    return _with_numbers("random_uniform", _random_uniform, low=low, high=_number("random_uniform", "high", high,
                                                                                  least=low))


def _random_uniform(shape: tuple[int, ...], generator: random.Generator | None = None, *, low: float,
                    high: float) -> Tensor:
    return _filled(shape, lambda size: random.uniform(size, low, high, generator=generator))


_COUNTS: dict[str, Callable[[int, int], float]] = {  # what `variance_scaling` divides by
    "fan_in": lambda inputs, outputs: inputs, "fan_out": lambda inputs, outputs: outputs,
    "fan_avg": lambda inputs, outputs: (inputs + outputs) / 2}
_SHAPES = "normal", "truncated_normal", "uniform"
# The standard deviation of a normal number that was cut at 2 standard deviations
_STD_OF_TRUNCATED = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


def variance_scaling(scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal") -> Initializer:
    """An initializer that draws weights of mean 0 and variance scale / n, which `glorot_*`, `he_*`, `lecun_*` are too.

    n is by `mode` the number of inputs, "fan_in", or of outputs, "fan_out", or their mean, "fan_avg"; `distribution` is
    "normal", "truncated_normal" (at 2 standard deviations, then scaled up to the variance) or "uniform". ArgumentError
    for another mode or distribution and for a scale below 0.

    >>> round(float(variance_scaling(2.0, "fan_out", "normal")((300, 800), None).std()), 2)
    0.05
    """
    by_name("variance_scaling: mode", mode, _COUNTS, "a function of (shape, generator)")
    by_name("variance_scaling: distribution", distribution, dict.fromkeys(_SHAPES), "a function of (shape, generator)")
    return _with_numbers("variance_scaling", _variance_scaling, scale=_number("variance_scaling", "scale", scale,
                                                                              least=0),
                         mode=mode, distribution=distribution)


def _variance_scaling(shape: tuple[int, ...], generator: random.Generator | None = None, *, scale: float, mode: str,
                      distribution: str) -> Tensor:
    std = math.sqrt(scale / max(1, _COUNTS[mode](*fans(shape))))
    if distribution == "uniform":
        return _uniform(math.sqrt(3) * std, shape, generator)
    if distribution == "normal":
        return _normal(std, shape, generator)
    return _truncated_normal(shape, generator, mean=0.0, std=std / _STD_OF_TRUNCATED)


def identity(gain: float = 1.0) -> Initializer:
    """An initializer by which output i is `gain` times input i; of a window the middle element counts (Dirac).

    Recurrent weights that start so keep their state (Le, Jaitly and Hinton, 2015). ArgumentError unless `gain` is a
    finite number; the initializer raises ShapeError for a weight with fewer than two axes.

    >>> identity(2.0)((2, 3), None)
    Tensor([[2., 0., 0.],
            [0., 2., 0.]], dtype=float32)
    """
    return _with_numbers("identity", _identity, gain=_number("identity", "gain", gain))


def _identity(shape: tuple[int, ...], generator: random.Generator | None = None, *, gain: float) -> Tensor:
    if len(shape) < 2:
        raise ShapeError(f"init.identity: a weight of shape {shape}", expected="a matrix, or a window of matrices",
                         fix="start biases with zeros or constant(...)")
    weight = np.zeros(shape, np.float32)
    weight[tuple((n - 1) // 2 for n in shape[:-2])] = gain * np.eye(shape[-2], shape[-1])
    return asarray(weight)


# By name --------------------------------------------------------------------------------------------------------

_FUNCTIONS = (zeros, ones, glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, lecun_normal,
              standard_normal, orthogonal)
_WITH_DEFAULTS = random_normal, random_uniform, truncated_normal, variance_scaling, identity
INITIALIZERS: dict[str, Initializer] = {**{function.__name__: function for function in _FUNCTIONS},
                                        **{function.__name__: function() for function in _WITH_DEFAULTS}}


def find_initializer(spec: str | Initializer) -> Initializer:
    """The initializer that `spec` names; a function is given back as it is. ArgumentError for an unknown name.

    A name of one that takes numbers means its defaults.

    >>> find_initializer("zeros")((2,), None)
    Tensor([0., 0.], dtype=float32)
    """
    return spec if callable(spec) else by_name("initializer", spec, INITIALIZERS, "a function of (shape, generator)")


__all__ = ["INITIALIZERS", "constant", "fans", *INITIALIZERS, "find_initializer"]


def __dir__() -> list[str]:
    return __all__
