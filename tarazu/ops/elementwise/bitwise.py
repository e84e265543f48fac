"""Integers and booleans bit by bit. Shapes broadcast; ShapeError where they do not, DTypeError for floats."""

from __future__ import annotations

from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.promote import as_value, same_dtype
from tarazu.ops.typing import ArrayLike, Tensor


def bitwise_and(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x & y, bit by bit. ShapeError where `x` and `y` do not broadcast, DTypeError for floats.

    >>> import tarazu as tz
    >>> tz.bitwise_and(tz.tensor([0b110, 0b011]), 0b010)
    Tensor([2, 2], dtype=int64)
    """
    return bind(ops.AND, *same_dtype(x, y))


def bitwise_or(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x | y, bit by bit. ShapeError where `x` and `y` do not broadcast, DTypeError for floats.

    >>> import tarazu as tz
    >>> tz.bitwise_or(tz.tensor([0b100, 0b001]), 0b010)
    Tensor([6, 3], dtype=int64)
    """
    return bind(ops.OR, *same_dtype(x, y))


def bitwise_xor(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x ^ y, bit by bit. ShapeError where `x` and `y` do not broadcast, DTypeError for floats.

    >>> import tarazu as tz
    >>> tz.bitwise_xor(tz.tensor([0b110, 0b011]), 0b010)
    Tensor([4, 1], dtype=int64)
    """
    return bind(ops.XOR, *same_dtype(x, y))


def bitwise_invert(x: ArrayLike) -> Tensor:
    """~x, each bit inverted; of booleans `not x`. DTypeError for floats.

    >>> import tarazu as tz
    >>> tz.bitwise_invert(tz.tensor([0, 5])), tz.bitwise_invert(tz.tensor(True))
    (Tensor([-1, -6], dtype=int64), Tensor(False, dtype=bool))
    """
    return bind(ops.NOT, as_value(x))


def bitwise_left_shift(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x << y: the bits of `x` moved `y` positions up, 0 where they leave the integer.

    ShapeError where `x` and `y` do not broadcast, DTypeError for floats and booleans.

    >>> import tarazu as tz
    >>> tz.bitwise_left_shift(1, tz.arange(4))
    Tensor([1, 2, 4, 8], dtype=int64)
    """
    return bind(ops.SHIFT_LEFT, *same_dtype(x, y))


def bitwise_right_shift(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x >> y: the bits of `x` moved `y` positions down; negative numbers stay negative.

    ShapeError where `x` and `y` do not broadcast, DTypeError for floats and booleans.

    >>> import tarazu as tz
    >>> tz.bitwise_right_shift(tz.tensor([9, -9]), 1)
    Tensor([ 4, -5], dtype=int64)
    """
    return bind(ops.SHIFT_RIGHT, *same_dtype(x, y))
