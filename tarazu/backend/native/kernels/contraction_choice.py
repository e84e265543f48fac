"""How a sum of products is cut into register tiles, panels and shares: the cheapest of many ways, by a cost model.

The axis of the vectors runs along the columns of the right factor; the rows of a tile share those vectors, and each
row multiplies them by numbers of the left factor. Costs are in cycles of a processor that does one product of vectors
per cycle. `schedule/work_sharing.py` lists all that divides a product among threads.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

from tarazu.backend.native.kernels.contraction_form import Form
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.lowering.loop_nest import Access

CACHE = 512 * 1024  # bytes: half of the second level of a current processor
FEW_ROWS = 4
BLOCK = 256 * 1024  # bytes of a panel of the right factor that stay there while the tiles pass
LATENCY = 8  # products in flight that keep the units busy
COLUMNS, ROWS, ROWS_FIRST = "columns", "rows", "rows first"


class Layout(NamedTuple):
    """Which factor lies how: the axis of the vectors, and what follows from it."""

    left: Access
    right: Access
    axis: int
    rows: tuple[int, ...]  # kept axes along which the right factor stands still
    others: tuple[int, ...]  # kept axes along which it moves


class Tile(NamedTuple):
    """What registers hold: all of the axes `whole`, of the axis `cut` one of `parts` parts; `width` vectors of each."""

    whole: tuple[int, ...]
    cut: int | None
    parts: int
    width: int


class Plan(NamedTuple):
    layout: Layout
    tile: Tile
    lanes: int
    order: str  # COLUMNS: threads share columns; ROWS: rows, panel after panel; ROWS_FIRST: rows, all panels of each
    packed: bool
    blocks: int  # how many blocks the outermost reduced axis is cut into
    cost: float


def best_plan(form: Form, target: Target, threads: int) -> Plan | None:
    """The cheapest plan; None when no axis suits the vectors, or when plain sums along contiguous axes are faster."""
    lanes = target.vector_bytes // form.dtype.itemsize
    plans = [plan for layout in _layouts(form) for tile in _tiles(form, layout, lanes, target.registers, threads)
             for plan in _plans(form, layout, tile, lanes, threads)]
    best = min(plans, key=lambda plan: plan.cost, default=None)
    return None if best is None or _is_dot(form, best.layout, lanes) else best


def _is_dot(form: Form, layout: Layout, lanes: int) -> bool:
    """Whether a transposed panel would serve but a few rows, while both factors are contiguous along a reduced axis."""
    few = math.prod(form.kept[axis] for axis in layout.rows) < FEW_ROWS
    lines = zip(form.sizes, layout.left.strides, layout.right.strides, strict=True)
    return few and layout.right.strides[layout.axis] != 1 and any(
        size >= 2 * lanes and left == right == 1 for size, left, right in lines)


def reduced_axes(form: Form, layout: Layout) -> list[int]:
    """The reduced axes from the outermost loop to the innermost: the shortest steps come last."""
    return sorted(range(len(form.kept), len(form.sizes)),
                  key=lambda axis: -abs(layout.right.strides[axis]) - abs(layout.left.strides[axis]))


def panels(form: Form, layout: Layout, width: int, lanes: int) -> tuple[int, int]:
    """How many panels there are, and the columns of the last."""
    columns = form.kept[layout.axis]
    count = math.ceil(columns / (width * lanes))
    return count, columns - (count - 1) * width * lanes


def _layouts(form: Form) -> Iterator[Layout]:
    a, b = form.factors
    for left, right in ((a, b), (b, a)):
        for axis in range(len(form.kept)):
            beside = left.strides[axis]
            if right.strides[axis] and (beside == 0 or beside == right.strides[axis] == 1):
                others = [other for other in range(len(form.kept)) if other != axis]
                yield Layout(left, right, axis, tuple(x for x in others if not right.strides[x]),
                             tuple(x for x in others if right.strides[x]))


def _tiles(form: Form, layout: Layout, lanes: int, registers: int, threads: int) -> Iterator[Tile]:
    vectors = math.ceil(form.kept[layout.axis] / lanes)
    for width in range(1, min(vectors, 8) + 1):
        most = min((registers - 1 - width) // width, 16 if width > 1 else 24)
        if most < 1:
            return
        for cut in layout.rows or (None,):
            for whole in _small(form, [axis for axis in layout.rows if axis != cut], most):
                yield from _cuts(form, whole, cut, most, width, threads)


def _small(form: Form, axes: list[int], most: int) -> Iterator[tuple[int, ...]]:
    """Sets of axes that a tile may hold whole."""
    for count in range(3):
        for whole in itertools.combinations(axes, count):
            if math.prod(form.kept[axis] for axis in whole) <= most:
                yield whole


def _cuts(form: Form, whole: tuple[int, ...], cut: int | None, most: int, width: int, threads: int) -> Iterator[Tile]:
    """Tiles with the fewest parts that fit, and with some more that may be equal or go evenly among threads."""
    if cut is None:
        yield Tile(whole, None, 1, width)
        return
    size = form.kept[cut]
    fewest = math.ceil(size / (most // math.prod(form.kept[axis] for axis in whole)))
    even = math.ceil(fewest / threads) * threads
    for parts in sorted({*range(fewest, min(2 * fewest, fewest + 5) + 1), even}):
        if parts <= size:
            yield Tile(whole, cut, parts, width)


def _plans(form: Form, layout: Layout, tile: Tile, lanes: int, threads: int) -> Iterator[Plan]:
    """The ways to share out a tile's work, with their costs for the busiest thread."""
    depth = math.prod(form.reduced)
    count, last = panels(form, layout, tile.width, lanes)
    groups = math.prod(form.kept[axis] for axis in layout.others)
    tiles = tile.parts * math.prod(form.kept[axis] for axis in layout.rows if axis not in (*tile.whole, tile.cut))
    panel_bytes = depth * tile.width * lanes * form.dtype.itemsize
    packed = layout.right.strides[layout.axis] != 1 or _collides(form, layout, tiles)
    compute = tiles // tile.parts * _column_cost(form, layout, tile, lanes, depth, count, last)
    packing = packed * count * _packing(form, layout, tile, lanes, depth)
    for order, penalty in _orders(form, layout, groups, packed, panel_bytes * count):
        items = groups * (count if order == COLUMNS else tiles)
        blocks = 1
        if order != ROWS_FIRST and form.reduced and panel_bytes > CACHE and tiles > 2:
            blocks = _blocks(form, layout, math.ceil(panel_bytes / BLOCK), lanes)
        copies = 1 if order == COLUMNS else min(threads, items)
        if order == ROWS_FIRST and layout.right.buffer in form.steady and tile.cut is not None:
            penalty *= 1 + 0.1 * (form.kept[tile.cut] % items > 0)  # equal shares let threads go on without waiting
        cost = penalty * groups * (compute + copies * packing) * math.ceil(items / threads) / items
        yield Plan(layout, tile, lanes, order, packed, blocks, cost)


def _orders(form: Form, layout: Layout, groups: int, packed: bool, right_bytes: int) -> list[tuple[str, float]]:
    """The orders that are possible, with a factor for their costs.

    Threads that share columns each keep their part of the weights in their own cache through a training step; rows are
    better where the left factor is too large for the caches and larger than the right one, and for updates of weights:
    columns of a row-major matrix lie in a part of the cache's sets only, and `prepare` sums over the same rows. Where
    the right factor stays the same all through a loop, each core keeps the whole of it, and rows depend on rows alone.
    """
    left_bytes = form.dtype.itemsize * math.prod(
        size for size, stride in zip(form.sizes, layout.left.strides, strict=True) if stride)
    by_columns = groups > 1 or left_bytes <= CACHE or left_bytes <= right_bytes
    kept = _is_kept(form, layout, right_bytes)
    by_columns = by_columns and not _is_update(form, right_bytes) and not kept
    orders = [(COLUMNS, 1.0 if by_columns else 1.1)]
    if groups == 1 and (packed or (right_bytes > BLOCK and not kept)):
        orders.append((ROWS, 1.1 if by_columns else 1.0))
    elif not packed:
        orders.append((ROWS_FIRST, 1.1 if by_columns else 1.0))
    return orders


def _is_update(form: Form, right_bytes: int) -> bool:
    """Whether the epilogue goes over three tensors or more of the result's size, as optimizers do, and moves more than
    the product itself does."""
    whole = sum(all(access.strides) for access in form.slots)
    return whole >= 3 and whole * form.dtype.itemsize * math.prod(form.kept) > right_bytes


def _is_kept(form: Form, layout: Layout, right_bytes: int) -> bool:
    return layout.right.buffer in form.steady and right_bytes <= CACHE


def _blocks(form: Form, layout: Layout, wanted: int, lanes: int) -> int:
    """Into how many blocks to cut the outermost reduced axis, so that the last is no shorter than a vector."""
    size = form.sizes[reduced_axes(form, layout)[0]]
    for blocks in range(min(wanted, size), 1, -1):
        length = math.ceil(size / blocks)
        if size - (blocks - 1) * length >= min(lanes, size):
            return blocks
    return 1


def _column_cost(form: Form, layout: Layout, tile: Tile, lanes: int, depth: int, count: int, last: int) -> float:
    """All tiles of all panels, for one place of the outer axes."""
    whole = math.prod(form.kept[axis] for axis in tile.whole)
    size = form.kept[tile.cut] if tile.cut is not None else 1
    short, longer = divmod(size, tile.parts)
    widths = [(tile.width, count - 1), (math.ceil(last / lanes), 1)]
    heights = [(whole * (short + 1), longer), (whole * short, tile.parts - longer)]
    total = sum(w * h * _tile_cost(form, layout, rows, width, lanes, depth)
                for width, w in widths if w for rows, h in heights if h)
    variants = (1 + (last != tile.width * lanes and count > 1)) * (1 + (longer > 0))
    return total * (1 + 0.02 * (variants - 1)) * _crowding(form, layout, tile, whole * short)


def _tile_cost(form: Form, layout: Layout, rows: int, width: int, lanes: int, depth: int) -> float:
    products = rows * width
    loads = width + (products if layout.left.strides[layout.axis] else rows)
    epilogue = sum(1 if access.strides[layout.axis] in (0, 1) else 2 * lanes for access in form.slots)
    return depth * (max(products, LATENCY, loads / 2) + 0.25 * loads + 1) + 40 + products * epilogue


def _crowding(form: Form, layout: Layout, tile: Tile, rows: int) -> float:
    """A factor for rows that lie a multiple of 4096 bytes apart: they fall into one set of the first level."""
    strides = [layout.left.strides[axis] * form.dtype.itemsize for axis in (*tile.whole, tile.cut) if axis is not None]
    crowded = rows > 6 and any(stride and stride % 4096 == 0 for stride in strides)
    return 1 + crowded * (0.5 if layout.left.strides[layout.axis] else 0.1)


def _packing(form: Form, layout: Layout, tile: Tile, lanes: int, depth: int) -> float:
    """Cycles to copy one panel."""
    if layout.right.strides[layout.axis] == 1:
        each = 2 / lanes
    else:
        by_blocks = any(stride == 1 and size >= lanes for size, stride in
                        zip(form.reduced, layout.right.strides[len(form.kept):], strict=True))
        each = 0.6 if by_blocks else 2.5
    return depth * tile.width * lanes * each


def _collides(form: Form, layout: Layout, passes: int) -> bool:
    """Whether rows of a panel lie so far apart that they crowd into a few sets of the second level of the cache."""
    if not form.reduced or passes < 8:
        return False
    innermost = reduced_axes(form, layout)[-1]
    stride = abs(layout.right.strides[innermost]) * form.dtype.itemsize
    sets = 1024 // math.gcd(1024, max(stride // 64, 1)) if stride % 64 == 0 else 1024
    return form.sizes[innermost] > 8 * sets
