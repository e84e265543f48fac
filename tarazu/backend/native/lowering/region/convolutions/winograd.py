"""Convolutions with fewer products, tile by tile: input and kernel transformed, multiplied, transformed back.

Along each axis either the outputs are cut into tiles (and a tile has all taps: a layer forward, and the gradient of its
input), or the taps are (and a tile has all outputs: the gradient of the weights). Matrices are those of `toom_cook.py`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tarazu.backend.native.llvm.target import CACHE_LINE
from tarazu.backend.native.lowering.buffers import Buffer, View, contiguous_strides
from tarazu.backend.native.lowering.index_map import AffineIndex, IndexMap, identity, unit, zero
from tarazu.backend.native.lowering.loop_nest import Accumulated, Apply, Constant, Expression, Reduction
from tarazu.backend.native.lowering.region.builder import RegionBuilder
from tarazu.backend.native.lowering.region.convolutions.toom_cook import Matrix, short_correlation
from tarazu.backend.native.lowering.region.convolutions.zeros import memory_order, with_zeros
from tarazu.backend.native.lowering.region.group import Computed, Group, Inner
from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops
from tarazu.ir.node import Node
from tarazu.ir.types import Shape

TAPS = 3  # of the kernels for which there are tiles
ROWS = CACHE_LINE // 4  # of a block of transformed data, where a block is walked through from tile to tile
WORTH_A_COPY = 8_000_000  # bytes of a tensor below which zeros around a copy are better than kernels for its borders
BLOCK = 256 * 1024  # bytes of the transformed tiles of a block of images, before and after the products
FEWEST_TILES = 16  # of a block, which the products have as rows
FEW_BLOCKS = 8  # fewer are not worth it
LARGEST_KERNEL = 4 * 2**20  # bytes, transformed, that each block may read
MOST_OF_SUMS = 2  # how many times larger tiles must be than the sums of parts
DATA, KERNEL, RESULT = 18, 20, 18  # what transforming to or from a product costs, in products, as measured


class Tile(NamedTuple):
    """The outputs and taps of a tile along one axis, and how many tiles there are."""

    outputs: int
    taps: int
    number: int
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
    number: int
    low: int
    high: int


class _Source(NamedTuple):
    """A tensor that is cut into tiles along some axes, and into blocks along another. Its first axis is that of the
    blocks of images, which lie apart also when they are transformed."""

    view: View
    axes: tuple[int, ...]
    before: tuple[int, ...]  # zeros in front of each of them
    steps: tuple[int, ...]
    sizes: tuple[int, ...]  # of a tile
    blocked: int  # an axis
    block: int  # elements of it side by side in memory


def tiles(node: Node, most: int) -> tuple[Tile, ...] | None:
    """The tiles of up to `most` elements in which a convolution is computed; None where it is better done directly."""
    best = None if node.dtype is not dtypes.float32 else _best(node, most)
    return best if best and _cost(node, best) < _directly(node) else None


def saves(node: Node, most: int, times: float) -> bool:
    """Whether such tiles would cost so many times less than the products of a convolution, of whatever dtype."""
    best = _best(node, most)
    return best is not None and times * _cost(node, best) < _directly(node)


def _directly(node: Node) -> float:
    """The products of a convolution."""
    return node.type.size * math.prod(node.inputs[1].shape[:-1])


def _best(node: Node, most: int) -> tuple[Tile, ...] | None:
    """The tiles that cost the least; None where the convolution has none."""
    attributes, window, outputs = node.attributes, node.inputs[1].shape[:-2], node.shape[1:-1]
    options = (*attributes["stride"], *attributes["dilation"], *attributes["dilation_input"], attributes["groups"])
    if len(outputs) != 2 or any(option != 1 for option in options):
        return None
    found: list[tuple[Tile, ...]] = []
    for size in range(2, most + 1, 2):
        if window == (TAPS, TAPS):
            found.append(tuple([Tile(size, TAPS, math.ceil(n / size), False) for n in outputs]))
        elif outputs == (TAPS, TAPS):
            found.append(tuple([Tile(TAPS, size, math.ceil(n / size), True) for n in window]))
    return min(found, key=lambda tiles: _cost(node, tiles), default=None)


def _cost(node: Node, tiles: Sequence[Tile]) -> float:
    """What the tiles of a convolution cost, in products of numbers."""
    count, over_taps = math.prod(tile.number for tile in tiles), tiles[0].over_taps
    batch, inner, outer = node.shape[0], *node.inputs[1].shape[-2:]
    each = (batch * count * inner * (outer + DATA) + (count if over_taps else 1) * inner * outer * KERNEL
            + batch * (1 if over_taps else count) * outer * RESULT)
    return math.prod(tile.products for tile in tiles) * each


def winograd(builder: RegionBuilder, node: Node, tiles: Sequence[Tile]) -> None:
    """Append the groups that transform the input and the kernel, multiply them, and transform the result back."""
    matrices = [short_correlation(tile.outputs, tile.taps) for tile in tiles]
    axes, (x, weight) = len(tiles), map(builder.read, node.inputs)
    before = tuple([low for low, _ in node.attributes["padding"]])
    steps, taps = tuple([tile.step for tile in tiles]), tuple([tile.taps for tile in tiles])
    of_taps = [tile.number if tile.over_taps else 1 for tile in tiles]
    columns = _block(node.shape[-1], builder.externals.target.tile_columns)
    rows = _block(node.shape[0], ROWS) if tiles[0].over_taps else 1
    over_taps, threads = tiles[0].over_taps, builder.externals.target.threads
    images = (_parts if over_taps else _images)(node, tiles, x, weight, threads)
    kernel = _transformed(builder, _Source(_in_blocks(weight, axes, images if over_taps else weight.shape[axes]),
                                           tuple(range(1, axes + 1)), (0,) * axes, taps, taps, axes + 2, columns),
                          of_taps, [m.kernel for m in matrices])
    data = _transformed(builder, _Source(_in_blocks(x, axes + 1 if over_taps else 0, images),
                                         tuple(range(2, axes + 2)), before, steps,
                                         tuple([tile.products for tile in tiles]), 1, rows),
                        [tile.number for tile in tiles], [m.data for m in matrices])
    products = _products(builder, data, kernel, tiles)
    if over_taps and products.shape[axes] > 1:
        products = _sum_of_parts(builder, products, axes)
    _result(builder, node, products, tiles, [m.result for m in matrices])


def _images(node: Node, tiles: Sequence[Tile], x: View, weight: View, threads: int) -> int:
    """How many images make a block, whose tiles stay in the cache from one kernel to the next; all of them where blocks
    would be too few to be shared out, or the transformed kernel too large to be read for each."""
    batch, inner, outer = node.shape[0], *weight.shape[-2:]
    products, count = math.prod(tile.products for tile in tiles), math.prod(tile.number for tile in tiles)
    if memory_order(x)[0] != 0 or products * inner * outer * 4 > LARGEST_KERNEL:
        return batch
    each = products * count * (inner + outer) * 4
    most = max(BLOCK // each, math.ceil(FEWEST_TILES / count), 1)
    fitting = [n for n in range(1, most + 1) if batch % n == 0 and batch // n >= max(FEW_BLOCKS, 2 * threads)]
    return max(fitting, default=batch)


def _parts(node: Node, tiles: Sequence[Tile], x: View, weight: View, threads: int) -> int:
    """How many images make a part of the sum over them; all where the sums of parts would be as large as the tiles."""
    batch, outer, channels = *weight.shape[-2:], node.shape[0]
    least = max(FEW_BLOCKS, 2 * threads)
    parts = next((n for n in range(least, 2 * least) if batch % n == 0), 1)
    count = math.prod(tile.number for tile in tiles)
    pays = MOST_OF_SUMS * parts * channels * outer < count * batch * (channels + outer)
    outermost = memory_order(x)[0] == len(tiles) + 1 and memory_order(weight)[0] == len(tiles)
    return batch // parts if pays and outermost else batch


def _in_blocks(view: View, axis: int, size: int) -> View:
    """A view with one more axis in front, of blocks of so many indices of one of its axes. If there is but one block,
    its stride is the longest, as that of others is."""
    count = view.shape[axis] // size
    stride = view.strides[axis] * size if count > 1 else view.buffer.size
    return view._replace(shape=(count, *view.shape[:axis], size, *view.shape[axis + 1:]),
                         strides=(stride, *view.strides))


def _block(size: int, most: int) -> int:
    """The largest divisor of a size that is at most that, and is so halved some times."""
    while size % most:
        most //= 2
    return most


# The transforms

def _transformed(builder: RegionBuilder, source: _Source, counts: Sequence[int], matrices: Sequence[Matrix]) -> View:
    """The tiles of a tensor times a matrix along each axis: products, then the axes of the tensor with tiles in place
    of elements, then what is in a block of the axis that is cut into blocks."""
    view, products = source.view, tuple([len(matrix) for matrix in matrices])
    shape = [counts[source.axes.index(axis)] if axis in source.axes else n for axis, n in enumerate(view.shape)]
    shape[source.blocked] //= source.block
    target = _laid_out_like(source, (*shape, source.block), products)
    if view.buffer.bytes < WORTH_A_COPY and any(len(found) > 1 for found in _segments_of(source, counts)):
        source = _padded(builder, source, counts)
    segments = _segments_of(source, counts)
    for part in itertools.product(*segments):
        _append_transform(builder, source, part, target, matrices)
    return target


def _segments_of(source: _Source, counts: Sequence[int]) -> list[list[_Segment]]:
    """The segments along each axis that is cut into tiles."""
    return [list(_segments(count, step, size, before, source.view.shape[axis])) for count, step, size, before, axis in
            zip(counts, source.steps, source.sizes, source.before, source.axes, strict=True)]


def _padded(builder: RegionBuilder, source: _Source, counts: Sequence[int]) -> _Source:
    """The source with zeros around it, so that all tiles are whole and one kernel transforms them."""
    low = [max(before, 0) for before in source.before]
    high = [max((count - 1) * step + size - before - source.view.shape[axis], 0) for count, step, size, before, axis in
            zip(counts, source.steps, source.sizes, source.before, source.axes, strict=True)]
    view = with_zeros(builder, source.view, source.axes, low, high, [1] * len(low), memory_order(source.view))
    return source._replace(view=view, before=tuple([a - b for a, b in zip(source.before, low, strict=True)]))


def _laid_out_like(source: _Source, shape: Shape, products: Shape) -> View:
    """New memory for tensors of that shape, one per product: behind the first axis, blocks are the outermost one, the
    elements of one the innermost, and the axes between lie as in the source. Without blocks all lie as there."""
    order = [*memory_order(source.view), len(shape) - 1]
    if source.block > 1:
        order.remove(source.blocked)
        order.insert(1, source.blocked)
    inner = contiguous_strides(tuple([shape[axis] for axis in order]))
    strides = [inner[order.index(axis)] for axis in range(len(shape))]
    if source.block > 1:
        strides[source.blocked] = _apart(strides[source.blocked], source.view.buffer.dtype)
    return _for_products(source.view.buffer.dtype, products, shape, strides)


def _for_products(dtype: DType, products: Shape, shape: Shape, strides: Sequence[int]) -> View:
    """Memory for a tensor per product, for each index of the tensor's first axis together."""
    apart = _apart(max(n * stride for n, stride in zip(shape[1:], strides[1:], strict=True)), dtype)
    whole = math.prod(products) * apart + CACHE_LINE // dtype.itemsize  # so that kernels do not take both axes as one
    return View(Buffer(dtype, shape[0] * whole), (*products, *shape), 0,
                (*[n * apart for n in contiguous_strides(products)], whole, *strides[1:]))


def _apart(size: int, dtype: DType) -> int:
    """At least so many elements, and an odd number of cache lines: tensors so far apart, which are accessed side by
    side, do not fall into one set of the cache."""
    line = CACHE_LINE // dtype.itemsize
    lines = math.ceil(size / line)
    return (lines + (lines + 1) % 2) * line


def _segments(count: int, step: int, size: int, before: int, length: int) -> Iterator[_Segment]:
    """The tiles along an axis in groups of which the same elements exist."""
    ranges = [(max(before - i * step, 0), max(min(size, length + before - i * step), 0)) for i in range(count)]
    first = 0
    for (low, high), same in itertools.groupby(ranges):
        yield _Segment(first, found := len(list(same)), low, max(low, high))
        first += found


def _append_transform(builder: RegionBuilder, source: _Source, part: Sequence[_Segment], target: View,
                      matrices: Sequence[Matrix]) -> None:
    """Append the group that transforms the tiles of one segment along each axis."""
    view, order, axes = source.view, [*memory_order(source.view), len(source.view.shape)], len(part)
    segments = dict(zip(source.axes, part, strict=True))
    nest = tuple([segments[axis].number if axis in segments else target.shape[axes + axis] for axis in order])
    own = [unit(order.index(axis), len(order)) for axis in range(len(order))]
    *whole, within = own
    whole[source.blocked] = whole[source.blocked].scaled(source.block).plus(within)

    def element(taps: Sequence[int]) -> IndexMap:
        found = list(whole)
        for axis, segment, tap, step, before in zip(source.axes, part, taps, source.steps, source.before, strict=True):
            found[axis] = own[axis].scaled(step, segment.first * step + tap - before)
        return tuple(found)

    def place(product: Sequence[int]) -> IndexMap:
        fixed = [AffineIndex(i, (0,) * len(order)) for i in product]
        return (*fixed, *[index.scaled(1, segments[axis].first) if axis in segments else index
                          for axis, index in enumerate(own)])

    def computed(nest: Inner) -> Iterator[Computed]:
        values: _Tile = {taps: nest.load(view, element(taps))
                         for taps in itertools.product(*[range(s.low, s.high) for s in part])}
        values = _times(matrices, values)
        for product in itertools.product(*[range(len(matrix)) for matrix in matrices]):
            yield Computed(values.get(product, Constant(0, view.buffer.dtype)), target, place(product))

    builder.append(Group.computing("transform", nest, computed))


def _products(builder: RegionBuilder, data: View, kernel: View, tiles: Sequence[Tile]) -> View:
    """The products of transformed tiles, summed over channels, and over tiles where these are of taps."""
    axes, counts, over_taps = len(tiles), tuple([tile.number for tile in tiles]), tiles[0].over_taps
    numbers, blocks, inner, dtype = data.shape[:axes], data.shape[axes], data.shape[-2], data.buffer.dtype
    rows, columns = (data.shape[axes + 1], data.shape[-1]), kernel.shape[-2:]  # blocks, and what is in one
    kept = (blocks, *numbers, *rows, *(() if over_taps else counts), *columns)
    reduced = (inner, *(counts if over_taps else ()))  # in the order in which they usually lie
    image, *own = [unit(axis, len(kept) + len(reduced)) for axis in range(len(kept) + len(reduced))]
    places, channel = own[len(kept):] if over_taps else own[axes + 2:len(kept) - 3], own[len(kept) - 1]
    nowhere = [zero(len(kept) + len(reduced))] * (axes + 1)
    left = (*own[:axes], image, own[axes], *places, channel, own[axes + 1])
    right = (*own[:axes], *((image, *places) if over_taps else nowhere), channel,
             *own[len(kept) - 3:len(kept) - 1])
    apart = kept[axes + 1:]
    result = _for_products(dtype, numbers, (blocks, *apart), (0, *contiguous_strides(apart)))
    first, *others = [unit(axis, len(kept)) for axis in range(len(kept))]
    stored = Computed(Accumulated(0, dtype), result, (*others[:axes], first, *others[axes:]))
    builder.append(Group.computing(
        "products", (*kept, *reduced), lambda nest: [stored], len(kept),
        lambda nest: Reduction(ops.SUM, Apply(ops.MUL, (nest.load(data, left), nest.load(kernel, right)), (), dtype))))
    whole = (rows[0] * rows[1], *apart[2:-2], columns[0] * columns[1])
    return View(result.buffer, (*numbers, blocks, *whole), 0,
                (*result.strides[:axes + 1], *contiguous_strides(whole)))


def _sum_of_parts(builder: RegionBuilder, products: View, axes: int) -> View:
    """The sum over the axis of parts of the images, which stays as one of size 1."""
    numbers, parts, *rest = products.shape[:axes], *products.shape[axes:]
    result = _for_products(products.buffer.dtype, numbers, (1, *rest), (0, *contiguous_strides(tuple(rest))))
    kept = (*numbers, 1, *rest)
    own = [unit(axis, len(kept) + 1) for axis in range(len(kept) + 1)]
    stored = Computed(Accumulated(0, result.buffer.dtype), result, identity(kept))
    read = (*own[:axes], own[-1], *own[axes + 1:-1])
    builder.append(Group.computing("parts", (*kept, parts), lambda nest: [stored], len(kept),
                                   lambda nest: Reduction(ops.SUM, nest.load(products, read))))
    return result


def _result(builder: RegionBuilder, node: Node, products: View, tiles: Sequence[Tile],
            matrices: Sequence[Matrix]) -> None:
    """Append the groups that transform products to outputs; the last tiles may stand out."""
    target = builder.store(node)
    segments = [[_Segment(0, 1, 0, tile.outputs)] if tile.over_taps else
                list(_segments(tile.number, tile.outputs, tile.outputs, 0, n))
                for tile, n in zip(tiles, node.shape[1:-1], strict=True)]
    for part in itertools.product(*segments):
        builder.append(_result_group(products, target, part, matrices), node)


def _result_group(products: View, target: View, part: Sequence[_Segment], matrices: Sequence[Matrix]) -> Group:
    """The group for the tiles of one segment along each axis."""
    over_tiles, (blocks, size) = len(products.shape) > len(part) + 3, products.shape[len(part):len(part) + 2]
    nest = (blocks, size, *[segment.number for segment in part], target.shape[-1])
    own = [unit(axis, len(nest)) for axis in range(len(nest))]

    def element(product: Sequence[int]) -> IndexMap:
        fixed = [AffineIndex(i, (0,) * len(nest)) for i in product]
        places = [index.scaled(1, segment.first) for index, segment in zip(own[2:-1], part, strict=True)]
        return (*fixed, *own[:2], *(places if over_tiles else ()), own[-1])

    def place(outputs: Sequence[int]) -> IndexMap:
        inner = [index.scaled(len(matrix), segment.first * len(matrix) + i) for index, matrix, segment, i in
                 zip(own[2:-1], matrices, part, outputs, strict=True)]
        return (own[0].scaled(size).plus(own[1]), *inner, own[-1])

    def computed(nest: Inner) -> Iterator[Computed]:
        values: _Tile = {product: nest.load(products, element(product))
                         for product in itertools.product(*[range(len(matrix[0])) for matrix in matrices])}
        values = _times([matrix[:segment.high] for matrix, segment in zip(matrices, part, strict=True)], values)
        for outputs in itertools.product(*[range(segment.high) for segment in part]):
            yield Computed(values[outputs], target, place(outputs))

    return Group.computing("result", nest, computed)


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
