"""From what users pass to values of one dtype: arrays and lists become values, Python numbers give way to tensors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind, state
from tarazu.ops.typing import ArrayLike, Tensor

SCALARS = (bool, int, float, complex)
HALF = (dtypes.float16, dtypes.bfloat16)
INEXACT = "fc"  # as kinds of NumPy, which are quicker to ask for; of arrays that are not traced, and not of bfloat16


def as_value(x: ArrayLike, dtype: DType | None = None) -> Tensor:
    """`x` as a tensor; `dtype` applies when it is not one yet. Tensors in lists are stacked, so gradients flow."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, list | tuple) and _holds_tensors(x):
        return _stacked(x, dtype)
    return state.interpreter.constant(x, dtype)


def _holds_tensors(values: Sequence[Any]) -> bool:
    kinds = set(map(type, values))
    return (any(issubclass(kind, Tensor) for kind in kinds)
            or (not kinds.isdisjoint((list, tuple))
            and any(_holds_tensors(part) for part in values if isinstance(part, list | tuple))))


def _stacked(values: Sequence[ArrayLike], dtype: DType | None) -> Tensor:
    parts = promote_all([as_value(part) for part in values], "a list")
    shapes = list(dict.fromkeys(tuple(part.shape) for part in parts))
    if len(shapes) > 1:
        raise ShapeError(f"a list of tensors of shapes {shapes[0]} and {shapes[1]}", expected="one shape",
                         fix="pad or cut them, or join them along an axis: tz.concat")
    joined = bind(ops.CONCAT, *[bind(ops.RESHAPE, part, shape=(1, *shapes[0])) for part in parts], axis=0)
    return joined if dtype is None else cast(joined, dtype)


def cast(x: Tensor, dtype: DType) -> Tensor:
    """`x` with elements of `dtype`; the tensor itself when it has them. DTypeError from complex to real numbers."""
    if x.dtype is dtype:
        return x
    require_imaginary_part_kept(x.dtype, dtype)
    return bind(ops.CAST, x, dtype=dtype)


def require_imaginary_part_kept(given: DType, wanted: DType) -> None:
    """DTypeError for a conversion of complex numbers that would drop their imaginary part."""
    if given.kind == "complex" and wanted.kind not in ("complex", "bool"):
        raise DTypeError(f"{given} to {wanted}, which would drop the imaginary part", expected="a complex dtype",
                         fix="say which real number is meant: tz.real(x), tz.imag(x) or tz.abs(x)")


def single(x: Tensor) -> Tensor:
    """`x` in float32 where it is of half precision, whose range squares and sums leave."""
    return cast(x, dtypes.float32) if x.dtype in HALF else x


def rounded_like(y: Tensor, x: Tensor) -> Tensor:
    """`y` rounded to the dtype of `x` if that is of half precision."""
    return cast(y, x.dtype) if x.dtype in HALF else y


def same_dtype(x: ArrayLike, y: ArrayLike) -> tuple[Tensor, Tensor]:
    """Both operands as tensors of the dtype to which the two promote."""
    if isinstance(x, Tensor):
        if isinstance(y, Tensor):
            if x.raw.dtype is y.raw.dtype:
                return x, y  # nearly always
            first, second = x.dtype, y.dtype
            if first is second:
                return x, y
            common = dtypes.promote(first, second)
            return cast(x, common), cast(y, common)
        return _with_scalar(x, y)
    if isinstance(y, Tensor):
        return _with_scalar(y, x)[::-1]
    return same_dtype(as_value(x), as_value(y))


def promote_all(values: Sequence[Tensor], name: str) -> list[Tensor]:
    """The tensors, cast to the one dtype to which all of them promote; ArgumentError if there are none."""
    if not values:
        raise ArgumentError(f"{name} of no tensors", expected="at least one", fix="check the list before the call")
    first = values[0].raw.dtype
    if all(x.raw.dtype is first for x in values):
        return list(values)  # nearly always
    common = reduce(dtypes.promote, [x.dtype for x in values])
    return [cast(x, common) for x in values]


def _with_scalar(x: Tensor, y: ArrayLike) -> tuple[Tensor, Tensor]:
    kind = type(y)
    if kind in (int, float) and (own := x.dtype).is_float:
        return x, state.interpreter.constant(y, own)  # nearly always
    if kind not in SCALARS:
        if not isinstance(y, float | complex):
            return same_dtype(x, as_value(y))
        kind = float if isinstance(y, float) else complex  # NumPy's float64 scalars give way like Python's floats
    common = dtypes.promote_scalar(x.dtype, kind)
    return cast(x, common), state.interpreter.constant(y, common)


def named(x: Tensor, label: str) -> Tensor:
    """`x`, whose entry on the gradient tape bears the name of the function `label`, not of its last primitive."""
    if x.tape_entry is not None:
        x.tape_entry.name = label
    return x


def as_number(x: Tensor) -> Tensor:
    """`x`, with booleans counted as integers."""
    return cast(x, dtypes.DEFAULT_INT) if x.dtype is dtypes.bool_ else x


def as_float(x: ArrayLike) -> Tensor:
    """`x` as a tensor of a float (or complex) dtype; integers and booleans become float32."""
    if not isinstance(x, Tensor):
        x = as_value(x)
    is_inexact = x.raw.dtype.kind in INEXACT or x.dtype.is_inexact
    return x if is_inexact else cast(x, dtypes.DEFAULT_FLOAT)


def same_float_dtype(x: ArrayLike, y: ArrayLike) -> tuple[Tensor, Tensor]:
    """Both operands as tensors of the float (or complex) dtype to which the two promote."""
    x, y = same_dtype(x, y)
    return as_float(x), as_float(y)
