"""Constraints: functions from a parameter, after its update, to what it becomes; an optimizer's `constraint`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tarazu.base.errors import ArgumentError
from tarazu.ops.elementwise import clip, maximum, minimum, sqrt, square
from tarazu.ops.reduce import sum
from tarazu.ops.typing import Axes
from tarazu.runtime.tensor.tensor import Tensor

Constraint: TypeAlias = Callable[[Tensor], Tensor]
SMALLEST = 1e-7  # a norm below it counts as it, as in Keras


def _norm(w: Tensor, axis: Axes) -> Tensor:
    """The Euclidean norm along the axes, which stay with size 1; of a scalar its absolute value."""
    return sqrt(sum(square(w), axis if w.ndim else None, keepdims=True))


@dataclass(frozen=True)
class MaxNorm:
    """Scales weights down where their norm along `axis` is above `norm` (Srivastava and others, 2014).

    axis=0 is that of the inputs of `Dense` weights; kernels of images have inputs along (0, 1, 2). ArgumentError unless
    `norm` is above 0, AxisError for an axis that a parameter lacks.

    >>> import tarazu as tz
    >>> tz.optim.MaxNorm(1.0)(tz.tensor([[3.0, 0.0], [4.0, 0.5]]))
    Tensor([[0.6, 0. ],
            [0.8, 0.5]], dtype=float32)
    """

    norm: float = 2.0
    axis: Axes = 0

    def __post_init__(self) -> None:
        _require_norm("norm", self.norm)

    def __call__(self, w: Tensor) -> Tensor:
        """The weights with no larger norm."""
        return w * minimum(self.norm / maximum(_norm(w, self.axis), SMALLEST), 1.0)


@dataclass(frozen=True)
class UnitNorm:
    """Scales weights so that their norm along `axis` is 1; `axis` is as for `MaxNorm`.

    AxisError for an axis that a parameter lacks.

    >>> import tarazu as tz
    >>> tz.optim.UnitNorm()(tz.tensor([3.0, 4.0]))
    Tensor([0.6, 0.8], dtype=float32)
    """

    axis: Axes = 0

    def __call__(self, w: Tensor) -> Tensor:
        """The weights with norm 1."""
        return w / maximum(_norm(w, self.axis), SMALLEST)


@dataclass(frozen=True)
class MinMaxNorm:
    """Moves the norm of weights along `axis` into the range from `least` to `most`, or the share `rate` of the way.

    `axis` is as for `MaxNorm`. ArgumentError unless 0 <= least <= most, AxisError for an axis that a parameter lacks.

    >>> import tarazu as tz
    >>> tz.optim.MinMaxNorm(0.0, 1.0, rate=0.5)(tz.tensor([3.0]))
    Tensor([2.], dtype=float32)
    """

    least: float = 0.0
    most: float = 1.0
    rate: float = 1.0
    axis: Axes = 0

    def __post_init__(self) -> None:
        _require_norm("most", self.most)
        if not 0 <= self.least <= self.most:
            raise ArgumentError(f"least={self.least!r} and most={self.most!r}", expected="0 <= least <= most",
                                fix="pass for example MinMaxNorm(0.5, 2.0)")

    def __call__(self, w: Tensor) -> Tensor:
        """The weights with a norm in the range, or nearer to it."""
        norm = maximum(_norm(w, self.axis), SMALLEST)
        return w * (self.rate * clip(norm, self.least, self.most) + (1.0 - self.rate) * norm) / norm


@dataclass(frozen=True)
class NonNeg:
    """Weights below 0 become 0.

    >>> import tarazu as tz
    >>> tz.optim.NonNeg()(tz.tensor([-1.0, 2.0]))
    Tensor([0., 2.], dtype=float32)
    """

    def __call__(self, w: Tensor) -> Tensor:
        """The weights that are not below 0."""
        return maximum(w, 0.0)


def _require_norm(name: str, value: float) -> None:
    if not value > 0:
        raise ArgumentError(f"{name}={value!r}", expected="a norm above 0", fix=f"pass for example {name}=2.0")
