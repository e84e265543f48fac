"""Regularizers: functions from a parameter to a scalar that is added to the loss; `compile` takes them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.contract import matmul
from tarazu.ops.create import eye
from tarazu.ops.elementwise import abs, add, maximum, sqrt, square
from tarazu.ops.reduce import sum
from tarazu.ops.shape import swapaxes
from tarazu.optim.groups import of_parameters, require_mapping
from tarazu.runtime.tensor.tensor import Tensor

Regularizer: TypeAlias = Callable[[Tensor], Tensor]
Regularizers: TypeAlias = Regularizer | Mapping[str, Regularizer]  # for all parameters, or by patterns of paths
SMALLEST = 1e-12  # a sum of squares below it counts as it, as in Keras


@dataclass(frozen=True)
class L1:
    """`factor` times the sum of absolute values: many weights become 0 (Tibshirani, 1996, "lasso").

    ArgumentError for a factor below 0.

    >>> import tarazu as tz
    >>> tz.optim.L1(0.5)(tz.tensor([1.0, -2.0])).item()
    1.5
    """

    factor: float = 0.01

    def __post_init__(self) -> None:
        _require_factor("factor", self.factor)

    def __call__(self, w: Tensor) -> Tensor:
        """The penalty of a parameter."""
        return self.factor * sum(abs(w))


@dataclass(frozen=True)
class L2:
    """`factor` times the sum of squares: weights stay small (Hoerl and Kennard, 1970, "ridge").

    The gradient is 2 * factor * weight; a `weight_decay` of `SGD` is twice this factor. ArgumentError for a factor
    below 0.

    >>> import tarazu as tz
    >>> tz.optim.L2(0.5)(tz.tensor([1.0, -2.0])).item()
    2.5
    """

    factor: float = 0.01

    def __post_init__(self) -> None:
        _require_factor("factor", self.factor)

    def __call__(self, w: Tensor) -> Tensor:
        """The penalty of a parameter."""
        return self.factor * sum(square(w))


@dataclass(frozen=True)
class L1L2:
    """`l1` times the sum of absolute values and `l2` times that of squares (Zou and Hastie, 2005, "elastic net").

    ArgumentError for a factor below 0.

    >>> import tarazu as tz
    >>> tz.optim.L1L2(0.5, 0.25)(tz.tensor([1.0, -2.0])).item()
    2.75
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        _require_factor("l1", self.l1)
        _require_factor("l2", self.l2)

    def __call__(self, w: Tensor) -> Tensor:
        """The penalty of a parameter."""
        return self.l1 * sum(abs(w)) + self.l2 * sum(square(w))


@dataclass(frozen=True)
class Orthogonal:
    """`factor` times the mean absolute cosine between two rows of a matrix, or, by `of`, two columns.

    As Keras's OrthogonalRegularizer. ArgumentError for a factor below 0 and another `of`; ShapeError for a parameter
    that is no matrix.

    >>> import tarazu as tz
    >>> round(tz.optim.Orthogonal(1.0)(tz.tensor([[1.0, 0.0], [3.0, 4.0]])).item(), 4)
    0.6
    """

    factor: float = 0.01
    of: Literal["rows", "columns"] = "rows"

    def __post_init__(self) -> None:
        _require_factor("factor", self.factor)
        if self.of not in ("rows", "columns"):
            raise ArgumentError(f"of={self.of!r}", expected='"rows" or "columns"', fix='pass of="rows"')

    def __call__(self, w: Tensor) -> Tensor:
        """The penalty of a parameter."""
        if w.ndim != 2:
            raise ShapeError(f"Orthogonal for a parameter of shape {tuple(w.shape)}", expected="a matrix",
                             fix='choose matrices by their paths: {"*.weight": tz.optim.Orthogonal()}')
        rows = w if self.of == "rows" else swapaxes(w, 0, 1)
        rows = rows / sqrt(maximum(sum(square(rows), 1, keepdims=True), SMALLEST))
        count = rows.shape[0]
        products = matmul(rows, swapaxes(rows, 0, 1)) * (1.0 - eye(count, dtype=w.dtype))
        return self.factor * sum(abs(products)) / max(count * (count - 1), 1)


def require_regularizers(given: Regularizers | None) -> None:
    """ArgumentError unless it is a function, or a dict of functions."""
    if given is not None and not callable(given):
        require_mapping("regularizer", given, 'regularizer={"*.weight": tz.optim.L2(1e-4)}')
        if not all(map(callable, given.values())):
            raise ArgumentError(f"regularizer={given!r}", expected="functions of a parameter",
                                fix="pass for example tz.optim.L2(1e-4)")


def penalty(given: Regularizers | None, named_parameters: Iterable[tuple[str, Tensor]]) -> Tensor | None:
    """The sum of the penalties of the parameters that are trained, by their paths; None where none has one.

    ArgumentError for a pattern that matches nothing.
    """
    if given is None:
        return None
    parameters = list(named_parameters)
    chosen = [[given] for _ in parameters] if callable(given) else of_parameters(
        "regularizer", given, [path for path, _ in parameters])
    terms = [one(x) for (_, x), all_of_it in zip(parameters, chosen, strict=True) if x.requires_grad
             for one in all_of_it]
    return functools.reduce(add, terms) if terms else None


def _require_factor(name: str, value: float) -> None:
    if not value >= 0:
        raise ArgumentError(f"{name}={value!r}", expected="a factor of at least 0", fix=f"pass for example {name}=1e-4")
