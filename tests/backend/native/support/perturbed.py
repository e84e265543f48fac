"""How far rounding may move the results of a graph: the graph runs in NumPy several times, each time with every inexact
result moved by a few of its last bits (Monte Carlo arithmetic: Parker, 1997). What moves a lot is badly conditioned,
and what jumps lies near a discontinuity: no backend can be held to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.backend.numpy.program import KERNELS
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.op import Op

Array = np.ndarray
Direction = Callable[[tuple[int, ...]], Any]  # by how much of the allowed noise each element moves, from -1 to 1
REFERENCE = dict(KERNELS)  # as it is now: a test plants faults in the original
ROUNDED_ONCE = {ops.ADD, ops.SUB, ops.MUL, ops.DIV, ops.SQRT}
SUMS = {ops.SUM, ops.DOT, ops.CONV, ops.CUMSUM, ops.SCATTER_ADD, ops.FFT}
PRODUCTS = {ops.PROD, ops.CUMPROD}
NOT_ROUNDED = {ops.NEG, ops.ABS, ops.SIGN, ops.FLOOR, ops.CEIL, ops.ROUND, ops.TRUNC, ops.CONJ, ops.IMAG, ops.MAXIMUM,
               ops.MINIMUM, ops.WHERE, ops.BITCAST, ops.STOP_GRADIENT, ops.MAX, ops.MIN, ops.GATHER, ops.SCATTER_SET}
ULPS = 3.0


def run(graph: Graph, inputs: list[Array], direction: Direction | None = None) -> list[Array]:
    """The outputs of a graph, with noise in every inexact result when a direction is given."""
    def apply(op: Op, arrays: list[Array], attributes: dict[str, Any]) -> Any:
        if op in CONTROL:
            return CONTROL[op](arrays, direction, **attributes)
        out = REFERENCE[op](*arrays, **attributes)
        if op.multiple:
            return [moved(op, np.asarray(one), arrays, attributes, direction) for one in out]
        return moved(op, np.asarray(out), arrays, attributes, direction)

    with np.errstate(all="ignore"):
        return graph.evaluate(inputs, apply, lambda array: array)


def moved(op: Op, out: Array, inputs: list[Array], attributes: dict[str, Any], direction: Direction | None) -> Array:
    """`out` moved by what another order, another rounding or a fused product and sum might make of it."""
    if direction is None or out.dtype.kind in "biu" or op in NOT_ROUNDED or op.category in ("shape", "sort"):
        return out
    size = error(op, out, inputs, attributes)
    wide = out.astype(np.complex128 if out.dtype.kind == "c" else np.float64)
    return np.asarray((wide + direction(out.shape) * size).astype(out.dtype))


def error(op: Op, out: Array, inputs: list[Array], attributes: dict[str, Any]) -> Any:
    """The size of the noise for each element of a result."""
    epsilon = resolution(out.dtype)
    if op is ops.CAST:
        exact = out.astype(np.float64) == inputs[0] if out.dtype.kind != "c" else True
        return np.where(exact, 0, epsilon * np.abs(wide_of(out)))
    if op in SUMS:
        return error_of_sum(op, out, inputs, attributes)
    if op in PRODUCTS:
        return ULPS * epsilon * (1 + math.sqrt(inputs[0].size) / 4) * np.abs(wide_of(out))
    if op in ROUNDED_ONCE:
        if out.dtype.itemsize == 2:
            return 0.0  # half precision is rounded after every operation, by all backends alike
        coarse = np.logical_and.reduce(np.broadcast_arrays(*map(is_coarse, inputs), is_coarse(out)))
        scale = np.abs(wide_of(out))
        if op in (ops.ADD, ops.SUB):
            scale = sum(np.abs(wide_of(x)) for x in inputs)
        return np.where(coarse, 0, epsilon * scale)
    if op.category == "linalg":
        return 8 * ULPS * epsilon * np.max(np.abs(wide_of(out)), initial=0)
    return ULPS * epsilon * np.abs(wide_of(out))


def error_of_sum(op: Op, out: Array, inputs: list[Array], attributes: dict[str, Any]) -> Any:
    """A share of the sum of absolute values; half precision is summed in single precision and rounded once."""
    if all(is_coarse(x).all() for x in inputs if x.dtype.kind not in "biu"):
        return 0.0
    is_half = out.dtype.itemsize == 2
    sizes = [np.abs(x) if x.dtype.kind not in "biu" else x for x in inputs]
    terms = np.sum(sizes[0]) if op is ops.FFT else wide_of(REFERENCE[op](*sizes, **attributes))
    share = ULPS * resolution(np.float32 if is_half else out.dtype) * (1 + math.sqrt(inputs[0].size) / 4)
    return share * terms + (resolution(out.dtype) * np.abs(wide_of(out)) if is_half else 0)


def wide_of(x: Any) -> Array:
    x = np.asarray(x)
    return np.abs(x).astype(np.float64) if x.dtype.kind == "c" else x.astype(np.float64)


def resolution(dtype: Any) -> float:
    """The distance from 1 to the next number."""
    import ml_dtypes

    return float(ml_dtypes.finfo(dtype).eps)


def is_coarse(x: Array) -> Array:
    """Where the lower half of the digits is zero: such numbers come from exact arithmetic, not from rounding."""
    if x.dtype.kind in "bi" or x.dtype.kind == "u":
        return np.ones(x.shape, bool)
    if x.dtype.kind == "c" or x.dtype.itemsize == 2:
        return np.zeros(x.shape, bool)
    mantissa, _ = np.frexp(x)
    scaled = np.ldexp(mantissa, 12 if x.dtype.itemsize == 4 else 26)
    return scaled == np.rint(scaled)


# Graphs inside graphs

def _call(inputs: list[Array], direction: Any, label: str, body: Graph, gradient: Any = None) -> list[Array]:
    return run(body, inputs, direction)


def _barrier(inputs: list[Array], direction: Any) -> list[Array]:
    return inputs


def _cond(inputs: list[Array], direction: Any, on_true: Graph, on_false: Graph) -> list[Array]:
    return run(on_true if inputs[0] else on_false, inputs[1:], direction)


def _scan(inputs: list[Array], direction: Any, body: Graph, length: int, reverse: bool, constants: int,
          carries: int) -> list[Array]:
    fixed, carry = inputs[:constants], inputs[constants:constants + carries]
    stacks = [np.empty((length, *t.shape), t.dtype.numpy) for t in body.output_types[carries:]]
    for step in sorted(range(length), reverse=reverse):
        rows = [sequence[step, ...] for sequence in inputs[constants + carries:]]
        out = run(body, [*fixed, *carry, *rows], direction)
        carry = out[:carries]
        for stack, row in zip(stacks, out[carries:], strict=True):
            stack[step] = row
    return [*carry, *stacks]


def _while(inputs: list[Array], direction: Any, condition: Graph, body: Graph, condition_constants: int,
           body_constants: int, bound: int | None = None) -> list[Array]:
    start = condition_constants + body_constants
    carry = inputs[start:]
    while run(condition, [*inputs[:condition_constants], *carry])[0]:
        carry = run(body, [*inputs[condition_constants:start], *carry], direction)
    return carry


CONTROL: dict[Op, Callable[..., list[Array]]] = {
    ops.CALL: _call, ops.BARRIER: _barrier, ops.COND: _cond, ops.SCAN: _scan, ops.WHILE: _while}
