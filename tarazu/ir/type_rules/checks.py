"""What a type rule is, and what the rules share: kinds of dtypes, broadcasting of shapes, and checks.

A rule gives the type of a primitive's result, or raises ShapeError, DTypeError or ArgumentError where the inputs do
not fit. It is called as `rule(name, *types, **attributes)`; a primitive with several results gives a tuple of types.
Nothing else decides which shapes and dtypes fit together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tarazu.base.dtypes import DType
from tarazu.base.errors import DTypeError, ShapeError
from tarazu.ir.types import Shape, TensorType

Rule = Callable[..., Any]  # gives a TensorType, or a tuple of them

FLOAT = ("float", "complex")
REAL = ("int", "uint", "float")
NUMBER = ("int", "uint", "float", "complex")
BITS = ("bool", "int", "uint")
ANY = ("bool", "int", "uint", "float", "complex")


def broadcast_shapes(name: str, *shapes: Shape) -> Shape:
    """The shape to which `shapes` broadcast, aligned at the right as in NumPy; ShapeError where they do not.

    >>> broadcast_shapes("add", (2, 1), (3,))
    (2, 3)
    """
    distinct = {tuple(shape) for shape in shapes} - {()}
    if len(distinct) < 2:  # as mostly, and quicker
        return distinct.pop() if distinct else ()
    rank = max((len(shape) for shape in shapes), default=0)
    result = []
    for sizes in zip(*((1,) * (rank - len(shape)) + tuple(shape) for shape in shapes), strict=True):
        wide = {size for size in sizes if size != 1}
        if len(wide) > 1:
            raise ShapeError(
                f"{name}: shapes {' and '.join(map(str, shapes))} do not broadcast together",
                expected="sizes, aligned at the right, that are equal or 1",
                fix="reshape or transpose one of them; a size-1 axis is added by x[:, None] or tz.expand_dims(x, axis)")
        result.append(wide.pop() if wide else 1)
    return tuple(result)


def require_kind(name: str, kinds: tuple[str, ...], *types: TensorType) -> None:
    for type_ in types:
        if type_.dtype.kind not in kinds:
            raise DTypeError(f"{name} does not take {type_.dtype}", expected=f"a dtype of kind {' or '.join(kinds)}",
                             fix="cast it first: x.astype(tz.float32) or the like")


def require_same_dtype(name: str, *types: TensorType) -> DType:
    if len({type_.dtype for type_ in types}) > 1:
        raise DTypeError(f"{name} got {' and '.join(str(type_.dtype) for type_ in types)}", expected="one dtype",
                         fix="cast one side first: x.astype(y.dtype)")
    return types[0].dtype


def require_axes(name: str, axes: tuple[int, ...], rank: int) -> None:
    if len(set(axes)) != len(axes) or any(not 0 <= axis < rank for axis in axes):
        raise ShapeError(f"{name}: axes {axes} of a tensor with {rank} axes",
                         expected=f"distinct axes from {-rank} to {rank - 1}", fix="check the axis against x.shape")
