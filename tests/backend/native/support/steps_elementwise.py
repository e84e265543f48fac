"""Random steps that work element by element. Functions stay where they are defined and not too steep."""

from __future__ import annotations

import math
from collections.abc import Callable

from growth import FLOATS, INTEGERS, LARGEST, LARGEST_OTHERWISE, NUMBERS, Growth, Item
from inputs import Source

from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType

COMPLEX = {dtypes.complex64: 2, dtypes.complex128: 1}
BITS = {**INTEGERS, dtypes.bool_: 6}
REAL = {**NUMBERS, dtypes.bool_: 6}
ANY = {**REAL, **COMPLEX}

# Functions of one float: the largest input, whether it must be positive, and a bound of the result.
Bound = Callable[[float], float]
SMOOTH: dict[Op, tuple[float, bool, Bound]] = {
    ops.EXP: (6, False, math.exp), ops.EXPM1: (6, False, math.exp), ops.SINH: (6, False, math.exp),
    ops.COSH: (6, False, math.exp), ops.SIN: (30, False, lambda _: 1), ops.COS: (30, False, lambda _: 1),
    ops.TAN: (1.2, False, lambda _: 3), ops.ASIN: (0.9, False, lambda _: 1.6), ops.ACOS: (0.9, False, lambda _: 3.2),
    ops.ATAN: (1000, False, lambda _: 1.6), ops.TANH: (1000, False, lambda _: 1), ops.ATANH: (0.9, False, lambda _: 2),
    ops.ASINH: (1000, False, lambda x: x), ops.SIGMOID: (30, False, lambda _: 1), ops.ERF: (30, False, lambda _: 1),
    ops.SQRT: (1000, True, lambda x: x + 1), ops.LOG: (1000, True, lambda x: x + 2),
    ops.LOG1P: (1000, True, lambda x: x), ops.ACOSH: (1000, True, lambda x: x),
    ops.LGAMMA: (30, True, lambda _: 100), ops.POLYGAMMA: (30, True, lambda _: 60),
}
COMPLEX_SMOOTH = (ops.EXP, ops.SIN, ops.COS, ops.TANH, ops.SQRT, ops.CONJ, ops.NEG)


def smooth(growth: Growth) -> None:
    op = growth.choose.one_of(list(SMOOTH))
    largest, is_positive, bound = SMOOTH[op]
    x = growth.operand(FLOATS)
    x = growth.positive(x, largest, 1.25 if op is ops.ACOSH else 0.5) if is_positive else growth.limit(x, largest)
    order = {"order": growth.choose.below(3)} if op is ops.POLYGAMMA else {}
    growth.keep(growth.apply(op, x, bound=bound(x.bound), **order))


def exact_unary(growth: Growth) -> None:
    op = growth.choose.one_of((ops.NEG, ops.ABS, ops.STOP_GRADIENT, ops.SIGN))
    x = growth.operand(NUMBERS, exact=op is ops.SIGN)
    growth.keep(growth.apply(op, x, bound=max(x.bound, 1), exact=True))


def rounded(growth: Growth) -> None:
    op = growth.choose.one_of((ops.FLOOR, ops.CEIL, ops.ROUND, ops.TRUNC))
    x = growth.operand(FLOATS, exact=growth.choose.chance(90))
    growth.keep(growth.apply(op, x, bound=x.bound + 1, exact=True))


def arithmetic(growth: Growth) -> None:
    op = growth.choose.one_of((ops.ADD, ops.MUL, ops.SUB, ops.MAXIMUM, ops.MINIMUM))
    x = growth.operand(NUMBERS)
    y = growth.like(x)
    if op is ops.MUL:
        x, y = growth.limit(x, 40), growth.limit(y, 40)
    bound = {ops.MUL: x.bound * y.bound}.get(op, x.bound + y.bound)
    order = (y, x) if growth.choose.chance(30) else (x, y)
    growth.tame(growth.apply(op, *order, bound=bound, exact=op is not ops.MUL or x.dtype.is_integer))


def division(growth: Growth) -> None:
    x = growth.operand(FLOATS)
    y = growth.positive(growth.like(x), 1000, 0.5)
    growth.tame(growth.apply(ops.DIV, x, y, bound=2 * x.bound))


def whole_division(growth: Growth) -> None:
    op = growth.choose.one_of((ops.FLOOR_DIVIDE, ops.REMAINDER))
    x = growth.operand(NUMBERS, exact=True)
    y = growth.like(x, exact=True)
    if x.dtype.is_float:
        y = growth.positive(y, 50, 0.25)
    growth.tame(growth.apply(op, x, y, bound=4 * x.bound + y.bound + 1, exact=x.dtype.is_integer))


def power(growth: Growth) -> None:
    x = growth.operand(NUMBERS)
    if x.dtype.is_integer:
        y = growth.fresh(TensorType(x.shape if growth.choose.chance(50) else (), x.dtype), Source("below", 5))
        growth.keep(growth.apply(ops.POW, x, y, bound=4, exact=True))
        return
    if growth.choose.chance(50):
        x, y = growth.limit(x, 6), growth.constant(growth.choose.one_of((2, 3, 1, 0)), x.dtype)
    else:
        x, y = growth.positive(x, 6, 0.25), growth.limit(growth.like(x), 2)
    growth.tame(growth.apply(ops.POW, x, y, bound=300))


def angle(growth: Growth) -> None:
    x = growth.operand(FLOATS)
    growth.keep(growth.apply(ops.ATAN2, growth.limit(growth.like(x), 1000), growth.positive(x, 1000, 0.5), bound=1.6))


def comparison(growth: Growth) -> None:
    op = growth.choose.one_of((ops.LESS, ops.EQUAL, ops.GREATER_EQUAL, ops.NOT_EQUAL, ops.LESS_EQUAL, ops.GREATER))
    exact = growth.choose.chance(90)
    x = growth.operand(ANY if op in (ops.EQUAL, ops.NOT_EQUAL) else REAL, exact=exact)
    growth.keep(growth.apply(op, x, growth.like(x, exact=exact), bound=1, exact=True))


def bitwise(growth: Growth) -> None:
    x = growth.operand(BITS)
    if growth.choose.chance(20):
        growth.keep(growth.apply(ops.NOT, x, bound=1, exact=True))
        return
    op = growth.choose.one_of((ops.AND, ops.OR, ops.XOR))
    growth.keep(growth.apply(op, x, growth.like(x), bound=1, exact=True))


def shift(growth: Growth) -> None:
    x = growth.operand(INTEGERS)
    width = 8 * x.dtype.itemsize
    shape = x.shape if growth.choose.chance(50) else ()
    amount = growth.fresh(TensorType(shape, x.dtype), Source("below", width + 2 if growth.choose.chance(20) else 7))
    op = growth.choose.one_of((ops.SHIFT_LEFT, ops.SHIFT_RIGHT))
    growth.keep(growth.apply(op, x, amount, bound=1, exact=True))


def choice(growth: Growth) -> None:
    x = growth.operand(ANY)
    y = growth.like(x)
    shape = growth.operand({dtypes.bool_: 1})
    if not growth.broadcasts(x.shape, y.shape, shape.shape):
        shape = growth.fresh(TensorType((), dtypes.bool_))
    growth.keep(growth.apply(ops.WHERE, shape, x, y, bound=max(x.bound, y.bound), exact=True))


def rectified(growth: Growth) -> None:
    """Choices by comparisons of values that are not exact, whose two sides meet where the comparison turns."""
    x = growth.operand(FLOATS)
    zero = growth.constant(0, x.dtype)
    is_positive = growth.apply(ops.GREATER, x, zero, bound=1)
    slope = growth.apply(ops.MUL, x, growth.constant(0.25, x.dtype), bound=x.bound)
    growth.keep(growth.apply(ops.WHERE, is_positive, x, slope, bound=x.bound))


def cast(growth: Growth) -> None:
    x = growth.operand(ANY)
    dtype: DType = growth.dtype(ANY if x.dtype.kind != "complex" else {**COMPLEX, **FLOATS})
    bound = 256.0
    if x.dtype.is_float and dtype.is_integer:
        x = growth.limit(growth.operand({x.dtype: 1}, exact=True), 100)
        x = growth.apply(ops.ABS, x, bound=100, exact=True) if dtype.kind == "uint" else x
    elif x.dtype.is_integer and dtype.is_float:
        x = growth.apply(ops.REMAINDER, x, growth.constant(50, x.dtype), bound=50, exact=True)
        bound = 50.0
    elif x.dtype.is_float:
        x = growth.limit(x, LARGEST.get(dtype, LARGEST_OTHERWISE))
        bound = x.bound
    growth.keep(growth.apply(ops.CAST, x, bound=bound, exact=True, dtype=dtype))


def bitcast(growth: Growth) -> None:
    x = growth.operand(NUMBERS, exact=True)
    same_size = [dtype for dtype in INTEGERS if dtype.itemsize == x.dtype.itemsize]
    growth.keep(growth.apply(ops.BITCAST, x, bound=1, exact=True, dtype=growth.choose.one_of(same_size)))


def complex_number(growth: Growth) -> None:
    x = growth.operand(COMPLEX)
    part = growth.choose.below(4)
    if part == 0:
        growth.keep(growth.apply(growth.choose.one_of((ops.IMAG, ops.ABS)), x, bound=20))
    elif part == 1:
        growth.keep(growth.apply(ops.CAST, x, bound=20, dtype=dtypes.COMPLEX_PARTS[x.dtype]))
    elif part == 2:
        size = growth.apply(ops.ABS, x, bound=20)
        whole = growth.apply(ops.CAST, growth.apply(ops.ADD, size, growth.constant(1, size.dtype), bound=20), bound=20,
                             dtype=x.dtype)
        growth.keep(_small_function(growth, growth.apply(ops.DIV, x, whole, bound=1)))
    else:
        growth.keep(growth.apply(growth.choose.one_of((ops.ADD, ops.SUB)), x, growth.like(x), bound=20))


def _small_function(growth: Growth, x: Item) -> Item:
    return growth.apply(growth.choose.one_of(COMPLEX_SMOOTH), x, bound=4)


def uniform(growth: Growth) -> None:
    """Random numbers as the library makes them: bits as a fraction, times a power of two."""
    state = growth.fresh(TensorType((4,), dtypes.uint32), Source("words"))
    bits = growth.apply(ops.RANDOM_BITS, state, bound=1, exact=True, shape=growth.shape())
    if growth.choose.chance(30):
        growth.keep(bits)
        return
    high = growth.apply(ops.SHIFT_RIGHT, bits, growth.constant(8, bits.dtype), bound=1, exact=True)
    number = growth.apply(ops.CAST, high, bound=2.0**24, exact=True, dtype=dtypes.float32)
    growth.keep(growth.apply(ops.MUL, number, growth.constant(2.0**-24, dtypes.float32), bound=1, exact=True))


STEPS = {arithmetic: 24, smooth: 16, exact_unary: 4, rounded: 3, division: 4, whole_division: 3, power: 3, angle: 1,
         comparison: 5, bitwise: 3, shift: 2, choice: 5, rectified: 5, cast: 7, bitcast: 2, complex_number: 3,
         uniform: 2}
