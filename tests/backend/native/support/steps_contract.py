"""Random steps that reduce and contract, and the matrix decompositions."""

from __future__ import annotations

import math

import numpy as np
from growth import NUMBERS, Growth, Item
from steps_elementwise import COMPLEX, REAL

from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.type_rules.convolution import convolved_size
from tarazu.ir.types import TensorType

BLAS = {**NUMBERS, dtypes.float32: 140, dtypes.complex64: 2}


def _axes(growth: Growth, x: Item) -> tuple[int, ...]:
    rank = len(x.shape)
    return tuple(range(rank)) if growth.choose.chance(25) else tuple(growth.choose.some_of(range(rank)))


def total(growth: Growth) -> None:
    x = growth.operand({**NUMBERS, **COMPLEX}, rank=1)
    axes = _axes(growth, x)
    bound = x.bound * math.prod(max(x.shape[axis], 1) for axis in axes)
    growth.tame(growth.apply(ops.SUM, x, bound=bound, exact=x.dtype.is_integer or not axes, axes=axes))


def product(growth: Growth) -> None:
    x = growth.limit(growth.operand(NUMBERS, rank=1), 1.5)
    axes = _axes(growth, x)
    count = math.prod(x.shape[axis] for axis in axes)
    x = growth.limit(x, 1.5 if count <= 16 else 1.0)
    growth.tame(growth.apply(ops.PROD, x, bound=max(x.bound, 1) ** min(count, 16), exact=x.dtype.is_integer or not axes,
                             axes=axes))


def extreme(growth: Growth) -> None:
    x = growth.operand(REAL, rank=1)
    axes = tuple(axis for axis in _axes(growth, x) if x.shape[axis])
    op = growth.choose.one_of((ops.MAX, ops.MIN))
    growth.keep(growth.apply(op, x, bound=x.bound, exact=True, axes=axes))


def truth(growth: Growth) -> None:
    x = growth.operand({dtypes.bool_: 1}, rank=1)
    op = growth.choose.one_of((ops.ANY_TRUE, ops.ALL_TRUE))
    growth.keep(growth.apply(op, x, bound=1, exact=True, axes=_axes(growth, x)))


def place_of_extreme(growth: Growth) -> None:
    x = growth.operand(REAL, rank=1, exact=growth.choose.chance(90), nonempty=True)
    op = growth.choose.one_of((ops.ARGMAX, ops.ARGMIN))
    axis = growth.choose.below(len(x.shape))
    growth.keep(growth.apply(op, x, bound=float(x.shape[axis]), exact=True, axis=axis))


def cumulative(growth: Growth) -> None:
    op = growth.choose.one_of((ops.CUMSUM, ops.CUMPROD))
    x = growth.limit(growth.operand(NUMBERS, rank=1), 4 if op is ops.CUMSUM else 1)
    axis = growth.choose.below(len(x.shape))
    growth.tame(growth.apply(op, x, bound=x.bound * max(x.shape[axis], 1), exact=x.dtype.is_integer, axis=axis))


def dot(growth: Growth) -> None:
    """A product over any axes; the second factor is made so that it fits."""
    choose = growth.choose
    x = growth.limit(growth.operand(BLAS, rank=1), 8)
    axes = choose.shuffled(range(len(x.shape)))
    contracted = choose.weighted({1: 8, 2: 2, 0: 1})
    batched = choose.weighted({0: 6, 1: 3, 2: 1})
    contract, batch = tuple(axes[:contracted]), tuple(axes[contracted:contracted + batched])
    kept = [size for axis, size in enumerate(x.shape) if axis not in contract + batch]
    room = max(growth.largest // max(math.prod(x.shape), 1), 1)
    free = [min(growth.size(), room) for _ in range(choose.weighted({1: 6, 0: 2, 2: 1}))]
    roles = [(axis, "contract") for axis in contract] + [(axis, "batch") for axis in batch]
    roles += [(size, "free") for size in free]
    roles = choose.shuffled(roles)
    shape = tuple(n if role == "free" else x.shape[n] for n, role in roles)
    if not growth.fits(*shape) or not growth.fits(*kept, *free, *(x.shape[axis] for axis in batch)):
        return
    y = growth.limit(_second(growth, TensorType(shape, x.dtype)), 8)
    places = {(n, role): i for i, (n, role) in enumerate(roles)}
    theirs = [tuple(places[axis, role] for axis in mine) for mine, role in ((contract, "contract"), (batch, "batch"))]
    inner = math.prod(max(x.shape[axis], 1) for axis in contract)
    growth.tame(growth.apply(ops.DOT, x, y, bound=x.bound * y.bound * inner, exact=x.dtype.is_integer,
                             contract=(contract, theirs[0]), batch=(batch, theirs[1])))


def _second(growth: Growth, type_: TensorType) -> Item:
    same = [item for item in growth.items if item.node.type == type_]
    if same and growth.choose.chance(40):
        return growth.choose.one_of(same)
    return growth.conform(type_) if growth.choose.chance(15) else growth.fresh(type_)


def convolution(growth: Growth) -> None:
    choose = growth.choose
    x = growth.limit(growth.operand(BLAS, rank=3), 4)
    if len(x.shape) > 4:
        return
    spatial = x.shape[1:-1]
    window = tuple(choose.weighted({1: 2, 2: 3, 3: 4, 5: 1}) for _ in spatial)
    stride, dilation, dilation_input = (tuple(choose.weighted({1: 7, 2: 2, 3: 1}) for _ in spatial) for _ in range(3))
    padding = tuple((choose.one_of((0, 1, 2, -1)), choose.one_of((0, 1, 2, -1))) for _ in spatial)
    groups = choose.one_of([n for n in (1, 2, 3, x.shape[-1]) if n and x.shape[-1] % n == 0] or [1])
    filters = groups * choose.one_of((1, 2, 5, 8, 16))
    sizes = map(convolved_size, spatial, window, stride, padding, dilation, dilation_input)
    kernel_shape = (*window, x.shape[-1] // groups, filters)
    if not growth.fits(x.shape[0], *sizes, filters) or not growth.fits(*kernel_shape):
        return
    kernel = growth.limit(_second(growth, TensorType(kernel_shape, x.dtype)), 4)
    growth.tame(growth.apply(
        ops.CONV, x, kernel, bound=x.bound * kernel.bound * max(math.prod(kernel_shape[:-1]), 1),
        exact=x.dtype.is_integer, stride=stride, padding=padding, dilation=dilation, dilation_input=dilation_input,
        groups=groups))


def fourier(growth: Growth) -> None:
    x = growth.operand(COMPLEX, rank=1, nonempty=True)
    growth.keep(growth.apply(ops.FFT, x, bound=100, axes=(len(x.shape) - 1,), kind=growth.choose.one_of(
        ("forward", "backward"))))


def decomposition(growth: Growth) -> None:
    """A decomposition of x x^T + size, which is symmetric and far from singular."""
    x = growth.limit(growth.operand({dtypes.float32: 2, dtypes.float64: 1}, rank=2, nonempty=True), 2)
    rows = x.shape[-2]
    if not growth.fits(*x.shape[:-1], rows) or max(x.shape[-2:]) > 9:
        return
    lead, last = tuple(range(len(x.shape) - 2)), (len(x.shape) - 1,)
    square = growth.apply(ops.DOT, x, x, bound=40, contract=(last, last), batch=(lead, lead))
    diagonal = growth.constant(40 * np.eye(rows), x.dtype)
    a = growth.apply(ops.ADD, square, diagonal, bound=80)
    op = growth.choose.one_of((ops.CHOLESKY, ops.SOLVE, ops.SLOGDET, ops.QR))
    if op is ops.SOLVE:
        growth.keep(growth.apply(op, a, x, bound=4))
    elif op is ops.CHOLESKY:
        growth.keep(growth.apply(op, a, bound=40))
    else:
        results = growth.node(op, [a.node], **({"complete": False} if op is ops.QR else {}))
        growth.keep(Item(growth.choose.one_of(results), False, 200))


STEPS = {total: 8, product: 2, extreme: 4, truth: 1, place_of_extreme: 3, cumulative: 3, dot: 12, convolution: 5,
         fourier: 1, decomposition: 1}
