"""Type rules of primitives that work along axes: reductions, cumulative sums, sorting, Fourier transforms."""

from __future__ import annotations

from tarazu.base import dtypes
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir.type_rules.checks import REAL, Rule, require_axes, require_kind
from tarazu.ir.types import TensorType


def reduction(kinds: tuple[str, ...], *, needs_elements: bool = False) -> Rule:
    """The rule of a reduction of dtypes of these kinds; without `needs_elements` it takes axes of size 0."""
    def rule(name: str, x: TensorType, *, axes: tuple[int, ...]) -> TensorType:
        require_kind(name, kinds, x)
        require_axes(name, axes, len(x.shape))
        if needs_elements:
            _require_elements(name, x, axes)
        return TensorType(tuple(n for axis, n in enumerate(x.shape) if axis not in axes), x.dtype)
    return rule


def arg_reduction(name: str, x: TensorType, *, axis: int) -> TensorType:
    reduced = reduction((*REAL, "bool"), needs_elements=True)(name, x, axes=(axis,))
    return TensorType(reduced.shape, dtypes.DEFAULT_INT)


def cumulative(kinds: tuple[str, ...]) -> Rule:
    """The rule of a running reduction of dtypes of these kinds."""
    def rule(name: str, x: TensorType, *, axis: int) -> TensorType:
        require_kind(name, kinds, x)
        require_axes(name, (axis,), len(x.shape))
        return x
    return rule


def fft(name: str, x: TensorType, *, axes: tuple[int, ...], kind: str) -> TensorType:
    require_kind(name, ("complex",), x)
    require_axes(name, axes, len(x.shape))
    if kind not in ("forward", "backward"):
        raise ArgumentError(f"{name}: kind {kind!r}", expected='"forward" or "backward"', fix="use tz.fft")
    _require_elements(name, x, axes)
    return x


def _require_elements(name: str, x: TensorType, axes: tuple[int, ...]) -> None:
    if any(x.shape[axis] == 0 for axis in axes):
        raise ShapeError(f"{name} over axes {axes} of shape {x.shape}, which hold no element",
                         expected="at least one element", fix="check the size before, or pad the tensor")


def sort(name: str, x: TensorType, *, axis: int) -> tuple[TensorType, TensorType]:
    require_kind(name, (*REAL, "bool"), x)
    require_axes(name, (axis,), len(x.shape))
    return x, TensorType(x.shape, dtypes.DEFAULT_INT)
