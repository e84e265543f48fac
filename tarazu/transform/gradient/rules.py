"""The gradient of every primitive: a row per primitive, written in ops, so that derivatives of any order follow.

A row is a tuple with one function per input, `(g, y, *inputs, **attributes) -> cotangent of that input`, where `g` is
the cotangent of the result `y`; or, for primitives with many inputs or results, one function of `(cotangents,
outputs, inputs, needed, **attributes)` that gives the cotangents of all inputs, None for those without one.
`NOT_DIFFERENTIABLE` holds the primitives whose results have no gradient at all.

Two things are not here. Elementwise rows do not sum over axes along which an input was broadcast: `sum_to` does, in
one place. And a composite (softmax, layer_norm, lstm, ...) may bring a gradient of its own, a function like a row for
many inputs that is beside it in `ops`: `@composite(label, gradient=...)`. Those of `custom_vjp` and `checkpoint` are in
transform/custom.py. Such a gradient is an attribute of the `call`, whose row is `control_rules.call`.
"""

from __future__ import annotations

import math

from tarazu.base.device import Location
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind, state
from tarazu.ir.types import Shape
from tarazu.ops import elementwise as e
from tarazu.ops.contract import dot_general
from tarazu.ops.create import arange, full, ones_like, zeros_like
from tarazu.ops.elementwise import conj
from tarazu.ops.indexing.index import scatter_add, scatter_set, take_along_axis
from tarazu.ops.indexing.sorting import argsort
from tarazu.ops.networks.activations import sigmoid_cotangent, tanh_cotangent
from tarazu.ops.networks.convolution import input_cotangent, kernel_cotangent
from tarazu.ops.reduce import cumulative_sum, sum, sum_to
from tarazu.ops.shape import broadcast_to, concat, flip, permute_dims, reshape, slice_axis, stack
from tarazu.transform.gradient.control_rules import barrier, call, cond, scan, without_nones
from tarazu.transform.gradient.cumulative_rules import cumulative_product
from tarazu.transform.gradient.linalg_rules import LINALG_RULES
from tarazu.transform.gradient.vjp import RULES
from tarazu.transform.gradient.while_rules import while_
from tarazu.transform.typing import AxisPair, AxisTuple, Cotangents, Flags, Tensor, Tensors


def _zero(g: Tensor, y: Tensor, *inputs: Tensor, **_: object) -> Tensor:
    return zeros_like(g)


def _abs(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    return g * e.sign(x) if x.dtype.is_float else g * x / e.where(e.equal(y, 0), 1, y)  # z / |z|, and 0 at 0


def _larger_share(x: Tensor, other: Tensor) -> Tensor:
    """1 where x is larger, 1/2 where both are equal: equal ones share the gradient."""
    return e.where(e.equal(x, other), 0.5, e.astype(e.greater(x, other), x.dtype))


def _power_base(g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> Tensor:
    both = e.logical_and(e.equal(y, 0), e.equal(x, 0))
    slope = e.multiply(y, e.pow(e.where(both, 1.0, x), y - 1.0))
    return e.multiply(g, slope)


def _power_exponent(g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """z log(x); at x = 0 that is 0, but -inf for y below 0, where z grows without bound as y falls."""
    is_flat = e.equal(x, 0)
    if y.dtype.is_float:
        is_flat = e.logical_and(is_flat, e.logical_not(e.less(y, 0)))
    return g * e.where(is_flat, 0.0, z * e.log(e.where(is_flat, 1.0, x)))


# Shape and index ------------------------------------------------------------------------------------------------

def _place(g: Tensor, y: Tensor, x: Tensor, where: Location) -> Tensor:
    """Back to where the input is; in a graph, where that is not known, XLA moves it where necessary."""
    device = state.interpreter.device_of(x)
    return g if device is None else state.interpreter.to_device(g, device)


def _inverse_transpose(g: Tensor, permutation: AxisTuple) -> Tensor:
    return permute_dims(g, sorted(range(len(permutation)), key=permutation.__getitem__))


def _slice(g: Tensor, y: Tensor, x: Tensor, start: Shape, stop: Shape, step: Shape) -> Tensor:
    if 0 in y.shape:
        return zeros_like(x)
    spans = [(n - 1) * s + 1 for n, s in zip(y.shape, step, strict=True)]
    high = tuple(size - a - span for size, a, span in zip(x.shape, start, spans, strict=True))
    return bind(ops.PAD, g, full((), 0, dtype=g.dtype), low=start, high=high, interior=tuple(s - 1 for s in step))


def _pad(g: Tensor, y: Tensor, x: Tensor, value: Tensor, low: Shape, high: Shape, interior: Shape) -> Tensor:
    step = tuple(gap + 1 for gap in interior)
    stop = tuple(a + (n - 1) * s + 1 if n else a for a, n, s in zip(low, x.shape, step, strict=True))
    return bind(ops.SLICE, g, start=low, stop=stop, step=step)


def _pad_value(g: Tensor, y: Tensor, x: Tensor, value: Tensor, **widths: Shape) -> Tensor:
    return sum(g) - sum(_pad(g, y, x, value, **widths))


def _concat(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags, axis: int) -> Cotangents:
    (g,), parts, start = without_nones(cotangents), [], 0
    for x, need in zip(inputs, needed, strict=True):
        stop = start + x.shape[axis]
        parts.append(slice_axis(g, axis, start, stop) if need else None)
        start = stop
    return parts


def _picked(g: Tensor, indices: Tensors, axes: AxisTuple) -> Tensor:
    return bind(ops.GATHER, g, *indices, axes=axes)


def _gather(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags, axes: AxisTuple) -> Cotangents:
    (g,), (x, *indices) = without_nones(cotangents), inputs
    return [scatter_add(zeros_like(x), g, tuple(indices), axes), *[None] * len(indices)]


def _scatter_add(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags,
                 axes: AxisTuple) -> Cotangents:
    (g,), (_, _, *indices) = without_nones(cotangents), inputs
    return [g, _picked(g, indices, axes) if needed[1] else None, *[None] * len(indices)]


def _scatter_set(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags,
                 axes: AxisTuple) -> Cotangents:
    (g,), (_, updates, *indices) = without_nones(cotangents), inputs
    kept = scatter_set(g, zeros_like(updates), tuple(indices), axes) if needed[0] else None
    return [kept, _of_last(g, indices, axes) if needed[1] else None, *[None] * len(indices)]


def _of_last(g: Tensor, indices: Tensors, axes: AxisTuple) -> Tensor:
    """The cotangent of the updates: 0 where a later one went to the same position."""
    picked = _picked(g, indices, axes)
    lead = picked.shape[:len(picked.shape) - len(g.shape) + len(axes)]  # the shape of the indices
    order = reshape(arange(math.prod(lead)), lead)
    writers = scatter_set(full([g.shape[axis] for axis in axes], 0), order, tuple(indices), tuple(range(len(axes))))
    is_last = e.equal(_picked(writers, indices, tuple(range(len(axes)))), order)
    return e.where(reshape(is_last, lead + (1,) * (len(picked.shape) - len(lead))), picked, 0)


# Reduce and contract --------------------------------------------------------------------------------------------

def _restored(g: Tensor, x: Tensor, axes: AxisTuple) -> Tensor:
    """A reduced tensor with the axes of `x` again, the reduced ones of size 1."""
    return reshape(g, tuple(1 if i in axes else n for i, n in enumerate(x.shape)))


def _sum(g: Tensor, y: Tensor, x: Tensor, axes: AxisTuple) -> Tensor:
    return broadcast_to(_restored(g, x, axes), x.shape)


def _extreme(g: Tensor, y: Tensor, x: Tensor, axes: AxisTuple) -> Tensor:
    """The gradient of `max` and `min`, the reductions; equal extremes share it."""
    chosen = e.astype(e.equal(x, _restored(y, x, axes)), x.dtype)
    return chosen * _restored(g / sum(chosen, axes), x, axes)


def _prod(g: Tensor, y: Tensor, x: Tensor, axes: AxisTuple) -> Tensor:
    """The gradient of `prod`, by a tree of pairwise products, because y / x is undefined where an element is 0."""
    rest = tuple(i for i in range(len(x.shape)) if i not in axes)
    order = axes + rest
    moved = permute_dims(x, order)
    if 0 in x.shape:
        return zeros_like(x)
    rows = reshape(moved, (math.prod(x.shape[i] for i in axes), -1))
    count, width = rows.shape
    full = 1 << (count - 1).bit_length()
    level = concat([rows, ones_like(broadcast_to(rows[:1], (full - count, width)))])
    pairs = []
    while level.shape[0] > 1:
        pairs.append((level[0::2], level[1::2]))
        level = pairs[-1][0] * pairs[-1][1]
    back = reshape(g, (1, width))
    for left, right in reversed(pairs):
        back = reshape(stack([back * right, back * left], 1), (-1, width))
    return _inverse_transpose(reshape(back[:count], moved.shape), order)


def _dot_x(g: Tensor, y: Tensor, left: Tensor, right: Tensor, contract: AxisPair, batch: AxisPair) -> Tensor:
    return _dot_side(g, left, right, contract, batch, other_comes_last_in_g=True)


def _dot_y(g: Tensor, y: Tensor, left: Tensor, right: Tensor, contract: AxisPair, batch: AxisPair) -> Tensor:
    return _dot_side(g, right, left, contract[::-1], batch[::-1], other_comes_last_in_g=False)


def _dot_side(g: Tensor, own: Tensor, other: Tensor, contract: AxisPair, batch: AxisPair, *,
              other_comes_last_in_g: bool) -> Tensor:
    """The cotangent of one side: `g` contracted with the other side over that side's free axes, axes put in order."""
    own_free, other_free = (tuple(i for i in range(len(x.shape)) if i not in c + b)
                            for x, c, b in zip((own, other), contract, batch, strict=True))
    partner = dict(zip(contract[1], contract[0], strict=True))
    met = tuple(partner[axis] for axis in sorted(contract[1]))  # in the order that these axes have in `other`
    lead = len(batch[0])
    first = lead + (len(own_free) if other_comes_last_in_g else 0)
    sides = [(g, tuple(range(first, first + len(other_free))), tuple(range(lead)), own_free),
             (other, other_free, batch[1], met)]
    if met < own_free:  # in this order the product of plain matrices needs no transpose
        sides.reverse()
    (first_side, second_side), summed, shared, left = zip(*sides, strict=True)
    product = dot_general(first_side, second_side, summed, shared)
    return _inverse_transpose(product, (*batch[0], *left[0], *left[1]))


def _sort(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags, axis: int) -> Cotangents:
    if cotangents[0] is None:
        return [None]
    return [take_along_axis(cotangents[0], argsort(outputs[1], axis=axis), axis)]


NOT_DIFFERENTIABLE = frozenset({
    ops.NOT, ops.EQUAL, ops.NOT_EQUAL, ops.LESS, ops.LESS_EQUAL, ops.GREATER, ops.GREATER_EQUAL, ops.AND, ops.OR,
    ops.XOR, ops.SHIFT_LEFT, ops.SHIFT_RIGHT, ops.BITCAST, ops.STOP_GRADIENT, ops.IOTA, ops.ANY_TRUE, ops.ALL_TRUE,
    ops.ARGMAX, ops.ARGMIN, ops.RANDOM_BITS})

RULES.update({
    ops.NEG: (lambda g, y, x: -g,),
    ops.ABS: (_abs,),
    ops.SIGN: (_zero,),
    ops.FLOOR: (_zero,),
    ops.CEIL: (_zero,),
    ops.ROUND: (_zero,),
    ops.TRUNC: (_zero,),
    ops.SQRT: (lambda g, y, x: g * 0.5 / y,),
    ops.EXP: (lambda g, y, x: g * y,),
    ops.EXPM1: (lambda g, y, x: g * (y + 1.0),),
    ops.LOG: (lambda g, y, x: g / x,),
    ops.LOG1P: (lambda g, y, x: g / (x + 1.0),),
    ops.SIN: (lambda g, y, x: g * e.cos(x),),
    ops.COS: (lambda g, y, x: -g * e.sin(x),),
    ops.TAN: (lambda g, y, x: g * (y * y + 1.0),),
    ops.ASIN: (lambda g, y, x: g / e.sqrt((1.0 - x) * (1.0 + x)),),
    ops.ACOS: (lambda g, y, x: -g / e.sqrt((1.0 - x) * (1.0 + x)),),
    ops.ATAN: (lambda g, y, x: g / (x * x + 1.0),),
    ops.SINH: (lambda g, y, x: g * e.cosh(x),),
    ops.COSH: (lambda g, y, x: g * e.sinh(x),),
    ops.TANH: (lambda g, y, x: tanh_cotangent(g, y),),
    ops.ASINH: (lambda g, y, x: g / e.sqrt(x * x + 1.0),),
    ops.ACOSH: (lambda g, y, x: g / e.sqrt((x - 1.0) * (x + 1.0)),),
    ops.ATANH: (lambda g, y, x: g / ((1.0 - x) * (1.0 + x)),),
    ops.SIGMOID: (lambda g, y, x: sigmoid_cotangent(g, y),),
    ops.ERF: (lambda g, y, x: g * e.exp(-x * x) * (2 / math.sqrt(math.pi)),),
    ops.LGAMMA: (lambda g, y, x: g * e.digamma(x),),
    ops.POLYGAMMA: (lambda g, y, x, order: g * e.polygamma(order + 1, x),),
    ops.CONJ: (lambda g, y, x: conj(g),),
    ops.IMAG: (lambda g, y, x: g * 1j,),
    ops.ADD: (lambda g, z, x, y: g, lambda g, z, x, y: g),
    ops.SUB: (lambda g, z, x, y: g, lambda g, z, x, y: -g),
    ops.MUL: (lambda g, z, x, y: g * y, lambda g, z, x, y: g * x),
    ops.DIV: (lambda g, z, x, y: g / y, lambda g, z, x, y: -g * z / y),
    ops.FLOOR_DIVIDE: (_zero, _zero),
    ops.REMAINDER: (lambda g, z, x, y: g, lambda g, z, x, y: -g * e.floor_divide(x, y)),
    ops.POW: (_power_base, _power_exponent),
    ops.ATAN2: (lambda g, z, x, y: g * y / (x * x + y * y), lambda g, z, x, y: -g * x / (x * x + y * y)),
    ops.MAXIMUM: (lambda g, z, x, y: g * _larger_share(x, y), lambda g, z, x, y: g * _larger_share(y, x)),
    ops.MINIMUM: (lambda g, z, x, y: g * _larger_share(y, x), lambda g, z, x, y: g * _larger_share(x, y)),
    ops.WHERE: (None, lambda g, z, c, x, y: e.where(c, g, 0), lambda g, z, c, x, y: e.where(c, 0, g)),
    ops.CAST: (lambda g, y, x, dtype: e.astype(g if x.dtype.kind == "complex" else e.real(g), x.dtype, copy=False),),
    ops.RESHAPE: (lambda g, y, x, shape: reshape(g, x.shape),),
    ops.TRANSPOSE: (lambda g, y, x, permutation: _inverse_transpose(g, permutation),),
    ops.BROADCAST: (lambda g, y, x, shape: sum_to(g, x.shape),),
    ops.SLICE: (_slice,),
    ops.PLACE: (_place,),
    ops.PAD: (_pad, _pad_value),
    ops.CONCAT: _concat,
    ops.FLIP: (lambda g, y, x, axes: flip(g, axes),),
    ops.GATHER: _gather,
    ops.SCATTER_ADD: _scatter_add,
    ops.SCATTER_SET: _scatter_set,
    ops.SUM: (_sum,),
    ops.PROD: (_prod,),
    ops.MAX: (_extreme,),
    ops.MIN: (_extreme,),
    ops.CUMSUM: (lambda g, y, x, axis: flip(cumulative_sum(flip(g, axis), axis), axis),),
    ops.CUMPROD: (cumulative_product,),
    ops.DOT: (_dot_x, _dot_y),
    ops.FFT: (lambda g, y, x, axes, kind: bind(ops.FFT, g, axes=axes, kind=kind),),  # its matrix is symmetric
    ops.CONV: (lambda g, y, x, kernel, **options: input_cotangent(g, kernel, x.shape[1:-1], **options),
               lambda g, y, x, kernel, **options: kernel_cotangent(g, x, kernel.shape[:-2], **options)),
    **LINALG_RULES,
    ops.SORT: _sort,
    ops.CALL: call,
    ops.SCAN: scan,
    ops.WHILE: while_,
    ops.COND: cond,
    ops.BARRIER: barrier,
})
