"""Convolutions with fewer products, tile by tile: input and kernel transformed, multiplied, transformed back.

Along each axis either the outputs are cut into tiles (and a tile has all taps: a layer forward, and the gradient of its
input), or the taps are (and a tile has all outputs: the gradient of the weights). Matrices are those of `toom_cook.py`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tarazu.backend.native.lowering.buffers import Buffer, View, contiguous_strides
from tarazu.backend.native.lowering.index_map import AffineIndex, IndexMap, unit
from tarazu.backend.native.lowering.loop_nest import Accumulated, Apply, Constant, Expression, Reduction
from tarazu.backend.native.lowering.region.builder import RegionBuilder
from tarazu.backend.native.lowering.region.group import Computed, Group, Inner
from tarazu.backend.native.lowering.region.toom_cook import Matrix, short_correlation
from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops
from tarazu.ir.node import Node
from tarazu.ir.types import Shape

TILE, TAPS = 4, 3
LINE = 64  # bytes of a cache line
FEWEST_CHANNELS = 32  # with fewer, the transforms take longer than the products that they save


class Tile(NamedTuple):
    """The outputs and taps of a tile along one axis, and how many tiles there are."""

    outputs: int
    taps: int
    count: int
    over_taps: bool  # whether it is the taps that are cut into tiles

    @property
    def products(self) -> int:
        return self.outputs + self.taps - 1

    @property
    def step(self) -> int:
        """From the input of a tile to that of the next."""
        return self.taps if self.over_taps else self.outputs


class _Segment(NamedTuple):
    """Neighboring tiles along an axis of which the same elements exist: from `low` on, below `high`."""

    first: int
    count: int
    low: int
    high: int


class _Source(NamedTuple):
    """A tensor that is cut into tiles along some axes."""

    view: View
    axes: tuple[int, ...]
    before: tuple[int, ...]  # zeros in front of each of them
    steps: tuple[int, ...]
    sizes: tuple[int, ...]  # of a tile


def tiles(node: Node) -> tuple[Tile, ...] | None:
    """The tiles in which a convolution is computed; None where it is better computed directly."""
    attributes, kernel = node.attributes, node.inputs[1]
    options = (*attributes["stride"], *attributes["dilation"], *attributes["dilation_input"], attributes["groups"])
    if node.dtype is not dtypes.float32 or len(node.shape) != 4 or any(option != 1 for option in options):
        return None
    outputs, window = node.shape[1:-1], kernel.shape[:-2]
    if window == (TAPS, TAPS):
        found = tuple([Tile(TILE, TAPS, math.ceil(n / TILE), False) for n in outputs])
        channels = kernel.shape[-2:]
    elif outputs == (TAPS, TAPS):
        found = tuple([Tile(TAPS, TILE, math.ceil(n / TILE), True) for n in window])
        channels = node.shape[0], node.shape[-1]
    else:
        return None
    return found if min(channels) >= FEWEST_CHANNELS else None


def winograd(builder: RegionBuilder, node: Node, tiles: Sequence[Tile]) -> None:
    """Append the groups that transform the input and the kernel, multiply them, and transform the result back."""
    matrices = [short_correlation(tile.outputs, tile.taps) for tile in tiles]
    axes = len(tiles)
    before = tuple([low for low, _ in node.attributes["padding"]])
    data = _transformed(builder, _Source(builder.read(node.inputs[0]), tuple(range(1, axes + 1)), before,
                                         tuple([tile.step for tile in tiles]), tuple([t.products for t in tiles])),
                        [tile.count for tile in tiles], [m.data for m in matrices])
    kernel = _transformed(builder, _Source(builder.read(node.inputs[1]), tuple(range(axes)), (0,) * axes,
                                           tuple([tile.taps for tile in tiles]), tuple([tile.taps for tile in tiles])),
                          [tile.count if tile.over_taps else 1 for tile in tiles], [m.kernel for m in matrices])
    products = _products(builder, data, kernel, tiles)
    _result(builder, node, products, tiles, [m.result for m in matrices])


# The transforms

def _transformed(builder: RegionBuilder, source: _Source, counts: Sequence[int], matrices: Sequence[Matrix]) -> View:
    """The tiles of a tensor times a matrix along each axis: products, then the axes of the tensor with tiles."""
    view, products = source.view, tuple([len(matrix) for matrix in matrices])
    shape = tuple([counts[source.axes.index(axis)] if axis in source.axes else n for axis, n in enumerate(view.shape)])
    target = _laid_out_like(view, shape, products)
    segments = [list(_segments(count, step, size, before, view.shape[axis])) for count, step, size, before, axis in
                zip(counts, source.steps, source.sizes, source.before, source.axes, strict=True)]
    for part in itertools.product(*segments):
        _append_transform(builder, source, part, shape, target, matrices)
    return target


def _laid_out_like(view: View, shape: Shape, products: Shape) -> View:
    """New memory for tensors of that shape, one per product, with their axes in the order in which `view` has them."""
    order = _order(view)
    inner = contiguous_strides(tuple([shape[axis] for axis in order]))
    return _apart(view.buffer.dtype, products, shape, [inner[order.index(axis)] for axis in range(len(shape))])


def _apart(dtype: DType, products: Shape, shape: Shape, strides: Sequence[int]) -> View:
    """Memory for a tensor per product, an odd number of cache lines apart: they are accessed side by side."""
    line = LINE // dtype.itemsize
    lines = math.ceil(math.prod(shape) / line)
    apart = (lines + (lines + 1) % 2) * line
    return View(Buffer(dtype, math.prod(products) * apart), (*products, *shape), 0,
                (*[n * apart for n in contiguous_strides(products)], *strides))


def _order(view: View) -> list[int]:
    """The axes of a view from that with the longest steps in memory to that with the shortest."""
    return sorted(range(len(view.shape)), key=lambda axis: -abs(view.strides[axis]))


def _segments(count: int, step: int, size: int, before: int, length: int) -> Iterator[_Segment]:
    """The tiles along an axis in groups of which the same elements exist."""
    ranges = [(max(before - i * step, 0), max(min(size, length + before - i * step), 0)) for i in range(count)]
    first = 0
    for (low, high), same in itertools.groupby(ranges):
        yield _Segment(first, found := len(list(same)), low, max(low, high))
        first += found


def _append_transform(builder: RegionBuilder, source: _Source, part: Sequence[_Segment], shape: Shape, target: View,
                      matrices: Sequence[Matrix]) -> None:
    """Append the group that transforms the tiles of one segment along each axis."""
    view, order = source.view, _order(source.view)
    segments = dict(zip(source.axes, part, strict=True))
    nest = [segments[axis].count if axis in segments else shape[axis] for axis in order]
    own = [unit(order.index(axis), len(order)) for axis in range(len(order))]

    def element(taps: Sequence[int]) -> IndexMap:
        at = dict(zip(source.axes, zip(part, taps, source.steps, source.before, strict=True), strict=True))
        return tuple([own[axis].scaled(at[axis][2], at[axis][0].first * at[axis][2] + at[axis][1] - at[axis][3])
                      if axis in at else own[axis] for axis in range(len(order))])

    def place(product: Sequence[int]) -> IndexMap:
        fixed = [AffineIndex(i, (0,) * len(order)) for i in product]
        return (*fixed, *[own[axis].scaled(1, segments[axis].first) if axis in segments else own[axis]
                          for axis in range(len(order))])

    def computed(nest: Inner) -> Iterator[Computed]:
        values: _Tile = {taps: nest.load(view, element(taps))
                         for taps in itertools.product(*[range(s.low, s.high) for s in part])}
        values = _times(matrices, values)
        for product in itertools.product(*[range(len(matrix)) for matrix in matrices]):
            yield Computed(values.get(product, Constant(0, view.buffer.dtype)), target, place(product))

    builder.append(Group.computing("transform", tuple(nest), computed))


def _products(builder: RegionBuilder, data: View, kernel: View, tiles: Sequence[Tile]) -> View:
    """The products of transformed tiles, summed over channels, and over tiles where these are of taps."""
    axes = len(tiles)
    counts = tuple([tile.count for tile in tiles])
    over_taps = tiles[0].over_taps
    numbers, inner, outer = data.shape[:axes], data.shape[-1], kernel.shape[-1]
    kept = (*numbers, data.shape[axes], *(() if over_taps else counts), outer)
    reduced = (*(counts if over_taps else ()), inner)
    rank = len(kept) + len(reduced)
    own = [unit(axis, rank) for axis in range(rank)]
    places = own[len(kept):len(kept) + axes] if over_taps else own[axes + 1:2 * axes + 1]
    left = (*own[:axes], own[axes], *places, own[-1])
    nowhere = [AffineIndex(0, (0,) * rank)] * axes
    right = (*own[:axes], *(places if over_taps else nowhere), own[-1], own[len(kept) - 1])
    result = _apart(data.buffer.dtype, numbers, kept[axes:], contiguous_strides(kept[axes:]))
    store = tuple([unit(axis, len(kept)) for axis in range(len(kept))])

    def reduce(nest: Inner) -> Reduction:
        dtype = data.buffer.dtype
        return Reduction(ops.SUM, Apply(ops.MUL, (nest.load(data, left), nest.load(kernel, right)), (), dtype))

    builder.append(Group.computing("products", (*kept, *reduced), lambda nest: [
        Computed(Accumulated(0, data.buffer.dtype), result, store)], len(kept), reduce))
    return result


def _result(builder: RegionBuilder, node: Node, products: View, tiles: Sequence[Tile],
            matrices: Sequence[Matrix]) -> None:
    """Append the groups that transform products to outputs; the last tiles may stand out."""
    target = builder.store(node)
    segments = [[_Segment(0, 1, 0, tile.outputs)] if tile.over_taps else
                list(_segments(tile.count, tile.outputs, tile.outputs, 0, n))
                for tile, n in zip(tiles, node.shape[1:-1], strict=True)]
    for part in itertools.product(*segments):
        _append_result(builder, node, products, target, part, matrices)


def _append_result(builder: RegionBuilder, node: Node, products: View, target: View, part: Sequence[_Segment],
                   matrices: Sequence[Matrix]) -> None:
    """Append the group for the tiles of one segment along each axis."""
    axes = len(part)
    over_tiles = len(products.shape) > axes + 2
    nest = (node.shape[0], *[segment.count for segment in part], node.shape[-1])
    own = [unit(axis, len(nest)) for axis in range(len(nest))]

    def element(product: Sequence[int]) -> IndexMap:
        fixed = [AffineIndex(i, (0,) * len(nest)) for i in product]
        places = [index.scaled(1, segment.first) for index, segment in zip(own[1:-1], part, strict=True)]
        return (*fixed, own[0], *(places if over_tiles else ()), own[-1])

    def place(outputs: Sequence[int]) -> IndexMap:
        inner = [index.scaled(len(matrix), segment.first * len(matrix) + i) for index, matrix, segment, i in
                 zip(own[1:-1], matrices, part, outputs, strict=True)]
        return (own[0], *inner, own[-1])

    def computed(nest: Inner) -> Iterator[Computed]:
        values: _Tile = {product: nest.load(products, element(product))
                         for product in itertools.product(*[range(len(matrix[0])) for matrix in matrices])}
        values = _times([matrix[:segment.high] for matrix, segment in zip(matrices, part, strict=True)], values)
        for outputs in itertools.product(*[range(segment.high) for segment in part]):
            yield Computed(values[outputs], target, place(outputs))

    builder.append(Group.computing("result", nest, computed), node)


# Tiles times matrices, as expressions

_Tile = dict[tuple[int, ...], Expression]  # the elements that are not zero, by where they stand


def _times(matrices: Sequence[Matrix], tile: _Tile) -> _Tile:
    """A tile times a matrix along each of its axes."""
    for axis, matrix in enumerate(matrices):
        lines: dict[tuple[int, ...], dict[int, Expression]] = {}
        for place, value in tile.items():
            lines.setdefault((*place[:axis], *place[axis + 1:]), {})[place[axis]] = value
        tile = {(*rest[:axis], row, *rest[axis:]): value for rest, line in lines.items()
                for row, value in _times_line(matrix, line).items()}
    return tile


def _times_line(matrix: Matrix, line: dict[int, Expression]) -> dict[int, Expression]:
    """A matrix times a vector. Two rows that differ in signs only share what is equal and what is opposite."""
    found: dict[int, Expression] = {}
    rows = [{column: float(row[column]) for column in line if row[column]} for row in matrix]
    number = 0
    while number < len(rows):
        row = rows[number]
        following = rows[number + 1] if number + 1 < len(rows) else {}
        equal = {column: x for column, x in row.items() if following.get(column) == x}
        opposite = {column: x for column, x in row.items() if following.get(column) == -x}
        if equal and opposite and len(equal) + len(opposite) == len(row) == len(following):
            even, odd = _weighted(equal, line), _weighted(opposite, line)
            found[number], found[number + 1] = _apply(ops.ADD, even, odd), _apply(ops.SUB, even, odd)
            number += 2
            continue
        if row:
            found[number] = _weighted(row, line)
        number += 1
    return found


def _weighted(weights: dict[int, float], line: dict[int, Expression]) -> Expression:
    """The sum of elements times weights."""
    total: Expression | None = None
    for column, weight in sorted(weights.items(), key=lambda item: item[1] < 0):
        x = line[column]
        size = abs(weight) if total is not None else weight
        term = x if size == 1 else _apply(ops.MUL, x, Constant(size, x.dtype))
        total = term if total is None else _apply(ops.ADD if weight > 0 else ops.SUB, total, term)
    assert total is not None
    return total


def _apply(op: ops.Op, a: Expression, b: Expression) -> Expression:
    return Apply(op, (a, b), (), a.dtype)
