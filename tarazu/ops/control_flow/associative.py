"""Scans by an associative function, whose order of evaluation may be a tree."""

from __future__ import annotations

from collections.abc import Callable

from tarazu.base.checks import flag
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.pytree import describe
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.control_flow.bodies import values_of
from tarazu.ops.shape import concat, flip, normalize_axis, slice_axis, stack
from tarazu.ops.typing import Tensor, Tree


def associative_scan(function: Callable[[Tree, Tree], Tree], xs: Tree, *, axis: int = 0, reverse: bool = False) -> Tree:
    """The running results of `function(before, x)` along an axis: element i is that of the elements 0 to i of `xs`.

    `function` is associative and takes two parts of `xs`, which may be nested lists, tuples and dicts of tensors, at
    once, so it works on many elements in one call: 2 log2(n) calls for n elements (Blelloch, 1990), where `tz.scan`
    takes n. `reverse` goes from the last element to the first. ShapeError for sizes along the axis that differ,
    ArgumentError for a function that gives another nesting, AxisError for an axis that a tensor lacks.

    >>> import tarazu as tz
    >>> tz.associative_scan(tz.maximum, tz.tensor([3, 1, 4, 1, 5]))
    Tensor([3, 3, 4, 4, 5], dtype=int64)
    """
    leaves, structure = values_of(xs)
    axes = [normalize_axis(axis, len(x.shape), "associative_scan") for x in leaves]
    if len({x.shape[i] for x, i in zip(leaves, axes, strict=True)}) > 1:
        raise ShapeError(f"associative_scan over shapes {[tuple(x.shape) for x in leaves]} along axis {axis}",
                         expected="one size along it", fix="check that xs belong together")

    def combine(before: list[Tensor], after: list[Tensor]) -> list[Tensor]:
        result, own = values_of(function(structure.rebuild(before), structure.rebuild(after)))
        if own != structure:
            raise ArgumentError(
                f"associative_scan: the function made {describe(own)} of {describe(structure)}",
                expected="the nesting and keys of xs", fix="return the result in the shape in which xs came")
        return result

    if flag("reverse", reverse):
        flipped = _scan(combine, [flip(x, i) for x, i in zip(leaves, axes, strict=True)], axes)
        return structure.rebuild([flip(x, i) for x, i in zip(flipped, axes, strict=True)])
    return structure.rebuild(_scan(combine, leaves, axes))


def _scan(combine: Callable[[list[Tensor], list[Tensor]], list[Tensor]], xs: list[Tensor],
          axes: list[int]) -> list[Tensor]:
    """The running results: those of pairs, in between which every other element is combined with the one before."""
    size = xs[0].shape[axes[0]] if xs else 0
    if size < 2:
        return xs

    def every_other(values: list[Tensor], start: int, stop: int) -> list[Tensor]:
        return [_every_other(x, axis, start, stop) for x, axis in zip(values, axes, strict=True)]

    odd = _scan(combine, combine(every_other(xs, 0, size - 1), every_other(xs, 1, size)), axes)
    first = [slice_axis(x, axis, 0, 1) for x, axis in zip(xs, axes, strict=True)]
    if size == 2:
        return [concat([x, y], axis) for x, y, axis in zip(first, odd, axes, strict=True)]
    before = [slice_axis(x, axis, 0, (size - 1) // 2) for x, axis in zip(odd, axes, strict=True)]
    later = combine(before, every_other(xs, 2, size))
    even = [concat([x, y], axis) for x, y, axis in zip(first, later, axes, strict=True)]
    return [_interleaved(x, y, axis) for x, y, axis in zip(even, odd, axes, strict=True)]


def _every_other(x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    rank = len(x.shape)
    starts, stops = [0] * rank, list(x.shape)
    starts[axis], stops[axis] = start, stop
    return bind(ops.SLICE, x, start=tuple(starts), stop=tuple(stops),
                step=tuple(2 if i == axis else 1 for i in range(rank)))


def _interleaved(even: Tensor, odd: Tensor, axis: int) -> Tensor:
    """Elements of two tensors in turn along an axis; the first may have one more."""
    size = odd.shape[axis]
    pairs = stack([slice_axis(even, axis, 0, size), odd], axis + 1)
    joined = bind(ops.RESHAPE, pairs, shape=tuple(2 * size if i == axis else n for i, n in enumerate(odd.shape)))
    return joined if even.shape[axis] == size else concat([joined, slice_axis(even, axis, size, size + 1)], axis)
