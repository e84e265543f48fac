"""The choice of the register tile, the panels and the shares of a contraction: the cheapest of many, by a cost model.

A tile is some rows and columns of the result whose sums are in registers. Vectors lie along the columns of the right
factor; all rows of a tile share them, and each multiplies them by a number of the left factor. A panel is the columns
of the right factor that one tile needs. It may be packed (copied into memory of the thread) and cut into blocks that
stay in the cache, as in Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008). Costs are in
cycles of a processor that does one product of vectors per cycle. `schedule/work_sharing.py` lists all that divides a
product among threads.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from tarazu.backend.native.kernels.amx import costs as amx
from tarazu.backend.native.kernels.amx.operations import COLUMNS as TILE_COLUMNS
from tarazu.backend.native.kernels.amx.operations import ROWS as TILE_ROWS
from tarazu.backend.native.kernels.contraction_form import Form
from tarazu.backend.native.kernels.loops import FEW_ITEMS
from tarazu.backend.native.llvm.target import CACHE_LINE, Target
from tarazu.backend.native.lowering.loop_nest import Access

CACHE = 512 * 1024  # bytes: half of the second level of a current processor
LINE, PAGE = 1, 6  # what a step to another cache line costs, and one to another page
LINE_AGAIN = 1.4  # the same to a line that tiles share, of more than the first level keeps until the next tile
PAGE_BYTES = 4096
REACH = 10  # what a row of a tile costs that begins on another page than the one before
FAR = 0.7  # what a vector of a panel costs beyond its load, as it mostly comes from the second level
NEAR = 32 * 1024  # bytes of a block of a panel, which stays in the first level while all tiles use it
NEAR_SETS, SETS, WAYS = 64, 1024, 8  # of the first and the second level: how many sets there are, and lines in each
FEWEST = 100  # rows of a panel that may collide: fewer are in the first level again soon enough
FEW_ROWS = 4  # fewer do not pay for a packed panel
CHUNK = 320 * 1024  # bytes of the left factor that stay in the second level while all panels use them
PACKED_CHUNK = 192 * 1024  # the same of a packed left factor, as sums wait beside it
SHARED_CACHE = 16 * 2**20  # bytes of the third level that a program may count on
LATE = 100  # what a line costs that comes from there or from memory, and is not fetched ahead
SHARED, MEMORY = 4, 12  # what a line costs that comes from there, or from memory, one after the other
KEPT = 2**20  # bytes of the sums that wait for the next block
DEEP = 64  # products of each sum from which on packing the left factor may pay
FAR_CHUNK = 2 * 2**20  # bytes of a packed left factor that stay in the third level while a thread's panels use them
TRANSPOSED = 0.6  # what packing a number costs where neighbors of the copy lie apart
ARRIVING = 25  # what a line costs that is copied from the third level or from memory
LEFT = 2.5  # what packing a vector of the left factor costs
BLOCK = 320 * 1024  # bytes of a right factor that each core keeps beside its rows
STREAMED = 0.95  # what products cost whose factors come from the cache, one block at a time
GRID = 1.1  # a factor for the costs of panels that several threads read
LATENCY = 8  # products in flight that keep the units busy
LOAD = 1.3  # what a number that is loaded and repeated costs, where those are as many as products
SHORTEST = 16  # bytes of a vector
# Cycles that a further variant of the tile is taken to cost, so that small products have few: LLVM takes 10 to 25 ms
# for each.
VARIANT = 1500

# What a thread has: columns, all rows of them or a share of the rows; or rows, panel by panel together with the other
# threads; or rows, all panels of one row of tiles before the next; or whole products, of those that the outer axes
# number
Order = Literal["columns", "rows", "rows first", "outer"]
COLUMNS: Order = "columns"
ROWS: Order = "rows"
ROWS_FIRST: Order = "rows first"
OUTER: Order = "outer"


class Layout(NamedTuple):
    """Which factor is the left one, and which axis the vectors lie along."""

    left: Access
    right: Access
    axis: int  # of the vectors
    rows: tuple[int, ...]  # the other kept axes along which the right factor stays the same
    others: tuple[int, ...]  # those along which it changes, and the first if that is apart
    reduced: tuple[int, ...]  # the reduced axes from the outermost loop to the innermost
    left_bytes: int  # how large the left factor is; of products that are items of their own, that of one
    right_bytes: int
    lanes: int  # the numbers of a vector
    epilogue: int  # what a vector of each tensor of the epilogue costs, in all
    first_apart: bool = False  # whether the items are the indices of the first axis, each with products of its own


class RegisterTile(NamedTuple):
    """The rows and columns whose sums are in registers: all of the axes `whole` and one of `parts` parts of the axis
    `cut` are its rows, each `width` vectors wide."""

    whole: tuple[int, ...]
    cut: int | None
    parts: int
    width: int
    pairs: int = 0  # of each sum that one product of tiles of AMX takes; 0 where vectors are multiplied


class Choice(NamedTuple):
    """How a contraction is computed."""

    layout: Layout
    tile: RegisterTile
    lanes: int
    order: Order
    packed: bool  # whether panels are copied into memory of the thread
    blocks: int  # how many blocks the outermost reduced axis is cut into
    cost: float  # cycles
    chunk: int = 0  # rows of tiles that are done with all panels before the next ones, so that the left factor stays in
    # the cache; 0 for all
    blocks_first: bool = False  # whether a block of a chunk is done with all panels before the next block
    group: int = 0  # so many panels, if blocks come first: all blocks are done with these before the next panels
    left_packed: bool = False  # whether the left factor of each block of a chunk is copied into memory of the thread
    shares: int = 1  # into how many shares the rows of each panel are cut, if threads have columns: a grid
    items: int = 0  # of the axis that alone is divided among threads; 0 where items are panels or rows of tiles
    inside: bool = False  # whether each row of tiles is one of all products, which lie side by side

    @property
    def panel_columns(self) -> int:
        """The columns of a tile, which are those of a panel."""
        return self.tile.width * self.lanes


def choose_contraction(form: Form, target: Target, threads: int) -> Choice | None:
    """The cheapest choice for so many threads.

    None where no axis suits the vectors, or where plain sums along contiguous axes are faster.
    """
    most = target.vector_bytes // form.dtype.itemsize
    tiles = [(layout, tile) for layout in _layouts(form, most, threads)
             for tile in (*_tiles(form, layout, layout.lanes, target.registers, threads),
                          *_tiles_of_matrices(form, layout, target, threads))]
    best: tuple[float, int, Choice] | None = None
    for least, number in sorted([(_least_cost(form, *each, threads), number) for number, each in enumerate(tiles)]):
        if best is not None and least > best[0]:
            break
        layout, tile = tiles[number]
        for choice in _choices(form, layout, tile, layout.lanes, threads):
            if best is None or (choice.cost, number) < best[:2]:
                best = choice.cost, number, choice
    return None if best is None or _suits_dot_products(form, best[2].layout, most) else best[2]


def _least_cost(form: Form, layout: Layout, tile: RegisterTile, threads: int) -> float:
    """What no choice with a tile costs less than: products, loads and epilogues alone. So few tiles are looked at."""
    if tile.pairs:
        return 0.0
    count, last = panels(form, layout, tile.width, layout.lanes)
    vectors = (count - 1) * tile.width + math.ceil(last / layout.lanes)
    rows, tiles = math.prod(form.kept[axis] for axis in layout.rows), _tiles_of_panel(form, layout, tile)
    groups = math.prod(form.kept[axis] for axis in layout.others)
    step = rows * vectors + 0.25 * (tiles * vectors + rows * count) + tiles * (FAR * vectors + count)
    compute = math.prod(form.reduced) * step + rows * vectors * layout.epilogue + 40 * tiles * count
    return STREAMED * groups * compute / threads + VARIANT * _variants(form, tile, layout.lanes, count, last)


def _lanes(form: Form, axis: int, most: int) -> int:
    """The numbers of a vector: no more than hold all columns, as parts of vectors are slow to store."""
    lanes = most
    while lanes >= 2 * form.kept[axis] and lanes * form.dtype.itemsize > SHORTEST:
        lanes //= 2
    return lanes


def _suits_dot_products(form: Form, layout: Layout, lanes: int) -> bool:
    """Whether few rows would use a transposed panel, while both factors are contiguous along a reduced axis."""
    few = math.prod(form.kept[axis] for axis in layout.rows) < FEW_ROWS
    axes = zip(form.sizes, layout.left.strides, layout.right.strides, strict=True)
    return few and layout.right.strides[layout.axis] != 1 and any(
        size >= 2 * lanes and left == right == 1 for size, left, right in axes)


def _reduced_axes(form: Form) -> tuple[int, ...]:
    """The reduced axes from the outermost loop to the innermost: the shortest steps come last, or the numbers of a
    group."""
    own = form.spread.axis if form.spread is not None else None
    a, b = (factor.strides for factor in form.factors)
    return tuple(sorted(range(len(form.kept), len(form.sizes)), key=lambda axis: (
        axis == own, -abs(a[axis]) - abs(b[axis]))))


def panels(form: Form, layout: Layout, width: int, lanes: int) -> tuple[int, int]:
    """How many panels there are, and how many columns the last one has."""
    columns = form.kept[layout.axis]
    count = math.ceil(columns / (width * lanes))
    return count, columns - (count - 1) * width * lanes


def _layouts(form: Form, most: int, threads: int) -> Iterator[Layout]:
    """The layouts in which vectors of the right factor meet one number of the left, or vectors that lie like them."""
    (a, b), reduced = form.factors, _reduced_axes(form)
    for left, right in ((a, b), (b, a)):
        for axis in range(form.outer, len(form.kept)):
            stride = left.strides[axis]
            in_vectors = stride == right.strides[axis] == 1 and (
                form.spread is None or left is form.factors[form.spread.left])
            if right.strides[axis] and (in_vectors or (stride == 0 and form.spread is None)):
                rows = [x for x in range(form.outer, len(form.kept)) if x != axis and not right.strides[x]]
                others = [x for x in range(len(form.kept)) if x not in (axis, *rows)]
                lanes = _lanes(form, axis, most)
                epilogue = sum(_vectors(access, axis, lanes) for access in form.slots)
                layout = Layout(left, right, axis, tuple(rows), tuple(others), reduced, _bytes(form, left),
                                _bytes(form, right), lanes, epilogue)
                yield _apart(layout) if _lies_apart(form, layout, threads) else layout


def _lies_apart(form: Form, layout: Layout, threads: int) -> bool:
    """Whether each index of the first axis has several products of its own, in memory of its own: the tiles of a block
    of images. Then items are these indices, so that neighboring kernels over the same axis need not wait for each
    other, and what they hand on stays in the cache."""
    if not form.leading or form.kept[0] < max(FEW_ITEMS, 2 * threads) or layout.axis == 0:
        return False
    several = [axis for axis in layout.others if axis]
    return _is_outside(layout.left, several) and (_is_outside(layout.right, several) or not layout.right.strides[0])


def _is_outside(factor: Access, axes: Sequence[int]) -> bool:
    """Whether the first axis has the longest steps in a factor, and then come some of those axes."""
    several = [factor.strides[axis] for axis in axes if factor.strides[axis]]
    within = [stride for axis, stride in enumerate(factor.strides) if axis and axis not in axes]
    return bool(several) and max(within, default=0) < min(several) and max(several) < factor.strides[0]


def _apart(layout: Layout) -> Layout:
    """The layout with the first axis as that of products which have nothing in common."""
    rows, others = ([axis for axis in axes if axis] for axes in (layout.rows, layout.others))
    return layout._replace(rows=tuple(rows), others=(0, *others), first_apart=True)


def _tiles(form: Form, layout: Layout, lanes: int, registers: int, threads: int) -> Iterator[RegisterTile]:
    """Tiles whose sums, with the vectors of a step and one number, fit the registers. All numbers of a group are in one
    tile."""
    vectors, in_group = math.ceil(form.kept[layout.axis] / lanes), form.spread.axis if form.spread is not None else -1
    held = form.spread.size if form.spread is not None and in_group >= len(form.kept) else 1
    for width in range(1, min(vectors, 8) + 1):
        most = min((registers - 2 - held * width) // width, 16 if width > 1 else 24)
        if most < 1:
            return
        for cut in [axis for axis in layout.rows if axis != in_group] or (None,):
            for whole in _whole_axes(form, [axis for axis in layout.rows if axis != cut], most):
                if in_group in whole or in_group not in layout.rows:
                    yield from _cuts(form, whole, cut, most, width, threads)


def _whole_axes(form: Form, axes: list[int], most: int) -> Iterator[tuple[int, ...]]:
    """Up to two axes that a tile of up to `most` rows can have as a whole."""
    for count in range(3):
        for whole in itertools.combinations(axes, count):
            if math.prod(form.kept[axis] for axis in whole) <= most:
                yield whole


def _cuts(form: Form, whole: tuple[int, ...], cut: int | None, most: int, width: int,
          threads: int) -> Iterator[RegisterTile]:
    """Tiles with the fewest parts that fit, and with some more, which may be equal or divide evenly among threads."""
    if cut is None:
        yield RegisterTile(whole, None, 1, width)
        return
    size = form.kept[cut]
    fewest = math.ceil(size / (most // math.prod(form.kept[axis] for axis in whole)))
    even = math.ceil(fewest / threads) * threads
    for parts in sorted({*range(fewest, min(2 * fewest, fewest + 5) + 1), even}):
        if parts <= size:
            yield RegisterTile(whole, cut, parts, width)


def _tiles_of_matrices(form: Form, layout: Layout, target: Target, threads: int) -> Iterator[RegisterTile]:
    """Blocks of tiles of AMX, each with 16 rows at least, where these or those of a copy lie at equal distances."""
    suits = (target.has_matrices and form.has_pairs and form.reduced and form.spread is None
             and layout.left.strides[layout.axis] == 0)
    if not suits or target.lanes != TILE_COLUMNS:
        return
    innermost = layout.reduced[-1]
    width = min(math.ceil(form.kept[layout.axis] / TILE_COLUMNS), amx.BLOCK_VECTORS)
    for cut in layout.rows:
        size, fewest = form.kept[cut], math.ceil(form.kept[cut] / amx.BLOCK_ROWS)
        possible = range(fewest, size // TILE_ROWS + 1)
        equal = [parts for parts in possible if size % parts == 0]
        for parts in sorted({fewest, math.ceil(fewest / threads) * threads, *equal[:1]}):
            tile = RegisterTile((), cut, parts, width, amx.longest_step(form.sizes[innermost]))
            if parts in possible and (not _packs_left(form, layout, tile)
                                      or 1 in (layout.left.strides[cut], layout.left.strides[innermost])):
                yield tile


def _choices(form: Form, layout: Layout, tile: RegisterTile, lanes: int, threads: int) -> Iterator[Choice]:
    """The ways to divide the tiles among threads, with their costs for the busiest thread."""
    tiles = _tiles_of_panel(form, layout, tile)
    yield from _panel_by_panel(form, layout, tile, lanes, threads, tiles)
    if _may_have_blocks_first(form, layout, tile, lanes, tiles):
        yield _with_blocks_first(form, layout, tile, lanes, threads, tiles)
        if _may_have_groups_of_columns(form, layout, tile):
            yield _with_groups_of_columns(form, layout, tile, lanes, threads, tiles)
    if _may_stream(form, layout, tile, lanes, tiles):
        yield _streamed(form, layout, tile, lanes, threads, tiles)


def _tiles_of_panel(form: Form, layout: Layout, tile: RegisterTile) -> int:
    """How many tiles the rows of a panel are cut into."""
    return tile.parts * math.prod(form.kept[axis] for axis in layout.rows if axis not in (*tile.whole, tile.cut))


def _panel_by_panel(form: Form, layout: Layout, tile: RegisterTile, lanes: int, threads: int,
                    tiles: int) -> Iterator[Choice]:
    """The choices in which all blocks of a panel, or of a row of tiles, are done before the next one."""
    depth = math.prod(form.reduced)
    count, last = panels(form, layout, tile.width, lanes)
    groups = math.prod(form.kept[axis] for axis in layout.others)
    panel_bytes = depth * tile.width * lanes * form.dtype.itemsize
    packed = layout.right.strides[layout.axis] != 1 or (
        _collides(form, layout, tiles) and not _is_panel(form, layout, tile, lanes))
    packed = packed or (tile.pairs > 0 and count > 1 and last < tile.width * lanes)
    left_packed = tile.pairs > 0 and _packs_left(form, layout, tile)
    again = math.prod(form.kept[axis] for axis in layout.others if not layout.left.strides[axis])
    compute = tiles // tile.parts * _column_cost(form, layout, tile, lanes, depth, count, last)
    packing = packed * count * _packing(form, layout, tile, lanes, depth)
    packing += left_packed * count * tiles * depth * _height(form, tile) / lanes * LEFT
    side_by_side = _rows_lie_side_by_side(form, layout) and groups * count * panel_bytes <= CACHE
    for order, penalty in _orders(form, layout, groups, packed, panel_bytes * count, side_by_side):
        first = form.kept[0] if layout.first_apart and order == COLUMNS else 0
        first = math.prod(form.kept[:form.outer]) if order == OUTER else first
        inside = order == ROWS_FIRST and side_by_side
        items = first or (1 if inside else groups) * (count if order == COLUMNS else tiles)
        blocks = 1
        if order != ROWS_FIRST and form.reduced and panel_bytes > NEAR and tiles > 2:
            wanted = math.ceil(panel_bytes / NEAR)
            if order == OUTER:
                both = math.ceil((panel_bytes + _bytes_apart(form, layout, tile)) / NEAR)
                wanted = max(wanted, min(both, depth // DEEP))
            blocks = _blocks(form, layout, tile, wanted, lanes)
        if left_packed and _bytes_of_row(form, tile) > blocks * CACHE:
            continue
        copies = 1 if order in (COLUMNS, OUTER) else min(threads, items)
        if order == ROWS_FIRST and layout.right.buffer in form.loop_invariant and tile.cut is not None:
            penalty *= 1 + 0.1 * (form.kept[tile.cut] % items > 0)  # equal shares let threads go on without waiting
        cost = penalty * groups * (compute + copies * packing) * math.ceil(items / threads) / items
        variants = VARIANT * _variants(form, tile, lanes, count, last) + amx.SETUP * (tile.pairs > 0)
        chunk = _chunk(form, layout, tile) if order == ROWS else 0
        stays = order == ROWS_FIRST or 0 < chunk * _bytes_of_row(form, tile) <= CACHE
        streamed = 0.0 if stays else count * again * _streaming(layout) / threads
        streamed += (1 if chunk or order == ROWS_FIRST else count) * _searching(form, layout, tile, chunk) / threads
        streamed += (order == COLUMNS and not packed) * _searching_right(form, layout, tile, lanes) / threads
        yield Choice(layout, tile, lanes, order, packed, blocks, cost + variants + streamed, chunk, items=first,
                     left_packed=left_packed, inside=inside)
        for shares in _shares(items, tiles, threads) if order == COLUMNS and not first else ():
            item = math.ceil(tiles / shares) * compute / tiles + packing  # of all panels
            busiest = GRID * penalty * item / count * math.ceil(items * shares / threads)
            yield Choice(layout, tile, lanes, order, packed, blocks, busiest + variants + streamed, shares=shares,
                         left_packed=left_packed)


def _shares(panels: int, tiles: int, threads: int) -> list[int]:
    """Into how many shares the rows of so many panels may be cut, so that all threads have something, or the same.

    Two threads have columns or rows: these depend on the rows of what is read alone, which spares barriers.
    """
    if threads <= 2:
        return []
    some, same = math.ceil(threads / panels), threads // math.gcd(threads, panels)
    return [shares for shares in sorted({some, same}) if 1 < shares <= tiles]


def _chunk(form: Form, layout: Layout, tile: RegisterTile) -> int:
    """How many tiles' rows of the left factor the cache holds; 0 where packing panels for each chunk takes too long."""
    if tile.cut is None or layout.right.strides[layout.axis] != 1:
        return 0
    return max(CHUNK // _bytes_of_row(form, tile), 4)


def _bytes_of_row(form: Form, tile: RegisterTile) -> int:
    """What a row of tiles reads of the left factor."""
    rows = math.prod(form.kept[axis] for axis in tile.whole) * _height(form, tile)
    return rows * math.prod(form.reduced) * form.dtype.itemsize


def _height(form: Form, tile: RegisterTile) -> int:
    """How many indices of the axis that is cut a tile has at most."""
    return math.ceil(form.kept[tile.cut] / tile.parts) if tile.cut is not None else 1


def _streaming(layout: Layout) -> float:
    """The cost of reading the left factor from beyond the second-level cache, as each panel does."""
    return _reading(layout.left_bytes)


def _searching(form: Form, layout: Layout, tile: RegisterTile, chunk: int) -> float:
    """The cost of lines of a large left factor that do not follow each other, as a few rows of tiles need only some of
    those that lie side by side; they come too late, each after a wait."""
    size = layout.left_bytes
    if tile.cut is None or not form.reduced or size <= CACHE or chunk >= tile.parts:
        return 0.0
    return LATE * size / CACHE_LINE * _left_lies_apart(form, layout, tile)


def _searching_right(form: Form, layout: Layout, tile: RegisterTile, lanes: int) -> float:
    """The same of a large right factor of which a panel has a part of each row, where it is read as it lies."""
    size = layout.right_bytes
    if not form.reduced or size <= CACHE:
        return 0.0
    row = abs(layout.right.strides[layout.reduced[-1]])
    return LATE * size / CACHE_LINE * (row > 2 * tile.width * lanes)


def _bytes(form: Form, factor: Access) -> int:
    """How large a factor is; of products that are items of their own, that of one."""
    return form.dtype.itemsize * math.prod(size for axis, (size, stride) in enumerate(
        zip(form.sizes, factor.strides, strict=True)) if stride and axis >= form.outer)


def _reading(size: float) -> float:
    """The cost of reading so many bytes again that were read long before, unless the second-level cache has them."""
    return size / CACHE_LINE * (0 if size <= CACHE else SHARED if size <= SHARED_CACHE else MEMORY)


def _may_have_blocks_first(form: Form, layout: Layout, tile: RegisterTile, lanes: int, tiles: int) -> bool:
    """Whether both factors are read often, and the left one is large or its numbers for one sum lie lines apart."""
    if tile.cut is None or tile.whole or layout.others or not form.reduced:
        return False
    many = math.prod(form.reduced) >= DEEP and tiles > 2 and panels(form, layout, tile.width, lanes)[0] > 2
    return many and layout.left.strides[layout.axis] == 0 and (
        _packs_left(form, layout, tile) or (len(form.reduced) == 1 and _streaming(layout) > 0))


def _packs_left(form: Form, layout: Layout, tile: RegisterTile) -> bool:
    """Whether the left factor is packed: for matrices where its rows are not contiguous or their number differs from
    tile to tile, for vectors where its numbers lie apart."""
    assert tile.cut is not None
    if not tile.pairs:
        return _left_lies_apart(form, layout, tile)
    return layout.left.strides[layout.reduced[-1]] != 1 or form.kept[tile.cut] % tile.parts > 0


def _left_lies_apart(form: Form, layout: Layout, tile: RegisterTile) -> bool:
    """Whether the numbers of a sum lie lines apart, and those of neighboring sums side by side: the gradient of a
    weight."""
    assert tile.cut is not None
    innermost = layout.reduced[-1]
    return layout.left.strides[tile.cut] == 1 and layout.left.strides[innermost] * form.dtype.itemsize > CACHE_LINE


def _bytes_apart(form: Form, layout: Layout, tile: RegisterTile) -> int:
    """The bytes of the left factor, where each step of a sum takes another line that other tiles take too: these had
    better find it in the first level."""
    if tile.cut is None or len(form.reduced) != 1 or not _left_lies_apart(form, layout, tile):
        return 0
    return form.kept[tile.cut] * form.reduced[0] * form.dtype.itemsize


def _with_blocks_first(form: Form, layout: Layout, tile: RegisterTile, lanes: int, threads: int, tiles: int) -> Choice:
    """The choice in which rows of tiles are shared out and done block by block, each block with all panels."""
    depth, item = math.prod(form.reduced), form.dtype.itemsize
    assert tile.cut is not None
    left_packed = _packs_left(form, layout, tile)
    count, last = panels(form, layout, tile.width, lanes)
    wanted = max(depth * tile.width * lanes * item / (NEAR / 2), depth / (WAYS * _sets(form, layout, SETS)))
    blocks = _blocks(form, layout, tile, math.ceil(wanted), lanes)
    height = _height(form, tile)
    of_tile = math.ceil(depth / blocks) * math.ceil(height / lanes) * lanes * item
    each = math.ceil(tiles / threads)
    chunk = math.ceil(each / math.ceil(each * of_tile / (PACKED_CHUNK if left_packed else 2 * PACKED_CHUNK)))
    sums = chunk * height * tile.width * lanes * item  # bytes for each panel
    group = count if left_packed else min(max(KEPT // sums, 1), count)
    compute = tiles // tile.parts * _column_cost(form, layout, tile, lanes, depth, count, last, left_packed)
    arriving = _arriving(layout.right_bytes) * (layout.right_bytes > CACHE)
    packing = math.ceil(tiles / chunk) * (count * _packing(form, layout, tile, lanes, depth) + arriving)
    left = left_packed * tiles * depth * math.ceil(height / lanes) * LEFT
    kept = 2 * (blocks - 1) * tiles * _reading(group * sums) / chunk * count / group
    cost = (compute + packing + left + kept) * each / tiles
    cost += VARIANT * _variants(form, tile, lanes, count, last)
    return Choice(layout, tile, lanes, ROWS, True, blocks, cost, chunk, True, group, left_packed)


def _may_have_groups_of_columns(form: Form, layout: Layout, tile: RegisterTile) -> bool:
    """Whether the right factor is too large for a core's cache and larger than the left one, and no two threads should
    read all of it."""
    return not tile.pairs and layout.left_bytes <= layout.right_bytes and layout.right_bytes > 4 * CACHE


def _with_groups_of_columns(form: Form, layout: Layout, tile: RegisterTile, lanes: int, threads: int,
                            tiles: int) -> Choice:
    """The choice in which panels are shared out, and all rows are done block by block with a group of them. Each thread
    packs the left factor, so that its tiles come from the third level one line after the other, and its panels once."""
    depth, item = math.prod(form.reduced), form.dtype.itemsize
    count, last = panels(form, layout, tile.width, lanes)
    blocks = _blocks(form, layout, tile, math.ceil(depth * tile.width * lanes * item / NEAR), lanes)
    assert tile.cut is not None
    height = _height(form, tile)
    of_tile = math.ceil(depth / blocks) * math.ceil(height / lanes) * lanes * item
    chunk = math.ceil(tiles / math.ceil(tiles * of_tile / FAR_CHUNK))
    each = math.ceil(count / threads)
    sums = (blocks > 1) * chunk * height * tile.width * lanes * item  # bytes for each panel
    groups = math.ceil(max(each * sums, 1) / (2 * KEPT))
    group = math.ceil(each / groups)
    compute = tiles // tile.parts * _column_cost(form, layout, tile, lanes, depth, count, last, True) / count
    again = math.ceil(tiles / chunk)
    packing = again * (_packing(form, layout, tile, lanes, depth) + _arriving(layout.right_bytes / count))
    left = groups * tiles * depth * math.ceil(height / lanes) * (
        LEFT if layout.left.strides[tile.cut] == 1 else TRANSPOSED * lanes)
    kept = 2 * (blocks - 1) * _reading(group * sums) / group * again
    cost = (compute + packing + kept) * each + left + VARIANT * _variants(form, tile, lanes, count, last)
    return Choice(layout, tile, lanes, COLUMNS, True, blocks, cost, chunk, True, group, True)


def _arriving(size: float) -> float:
    """The cost of so many bytes that are packed as they come from beyond the second-level cache."""
    return ARRIVING * size / CACHE_LINE


def _may_stream(form: Form, layout: Layout, tile: RegisterTile, lanes: int, tiles: int) -> bool:
    """Whether both factors are large and the sums few, and a step goes over rows of which a panel, or each of several
    groups, has a part: the gradient of the kernel of a convolution with groups."""
    if not form.reduced or tile.cut is None or layout.right.strides[layout.axis] != 1 \
            or form.dtype.itemsize * math.prod(form.kept) > KEPT:
        return False
    outermost = layout.reduced[0]
    if layout.others:
        in_parts = all(_goes_over(form, layout, factor, outermost) for factor in form.factors)
    else:
        in_parts = layout.left.strides[layout.axis] == 1 and panels(form, layout, tile.width, lanes)[0] > 1
    if form.spread is not None and form.spread.axis == outermost:
        return False
    return in_parts and _bytes_of_step(form, outermost) * form.sizes[outermost] > CACHE


def _rows_lie_side_by_side(form: Form, layout: Layout) -> bool:
    """Whether a step to the next row of the left factor goes over what all products have of it."""
    return bool(layout.others) and bool(layout.rows) and all(
        _goes_over(form, layout, layout.left, axis) for axis in layout.rows)


def _goes_over(form: Form, layout: Layout, factor: Access, step: int) -> bool:
    """Whether a step along an axis goes over what all products have of a factor."""
    return all(0 < factor.strides[axis] * form.kept[axis] <= factor.strides[step] for axis in layout.others)


def _bytes_of_step(form: Form, axis: int) -> int:
    """How far both factors move together in one step along an axis."""
    return sum(abs(factor.strides[axis]) for factor in form.factors) * form.dtype.itemsize


def _streamed(form: Form, layout: Layout, tile: RegisterTile, lanes: int, threads: int, tiles: int) -> Choice:
    """The choice in which a block of both factors is in the cache for all products, panels and tiles."""
    outermost, depth, item = layout.reduced[0], math.prod(form.reduced), form.dtype.itemsize
    size, groups = form.sizes[outermost], math.prod(form.kept[axis] for axis in layout.others)
    length = max(CACHE // 2 // _bytes_of_step(form, outermost), math.ceil(DEEP * size / depth))
    blocks, items = math.ceil(size / length), groups * tiles
    count, last = panels(form, layout, tile.width, lanes)
    compute = items // tile.parts * _column_cost(form, layout, tile, lanes, depth, count, last)
    sums = item * math.prod(form.kept)
    cost = (STREAMED * compute + 2 * (blocks - 1) * _reading(sums)) * math.ceil(items / threads) / items
    cost += VARIANT * _variants(form, tile, lanes, count, last)
    return Choice(layout, tile, lanes, ROWS, False, blocks, cost, items, True, count)


def _orders(form: Form, layout: Layout, groups: int, packed: bool, right_bytes: int,
            side_by_side: bool) -> list[tuple[Order, float]]:
    """The orders that are possible, each with a factor for its costs.

    With columns each thread keeps its part of the weights in its own cache through a training step. Rows are better
    where the left factor is too large for the caches and larger than the right one, and for updates of weights: columns
    of a row-major matrix lie in a part of the cache's sets only, and `prepare` sums over the same rows. Where the right
    factor is loop-invariant each core keeps the whole of it, and rows depend on rows alone. Where the rows of several
    products lie side by side, the groups of a convolution, columns would read lines of the cache as often as these are
    parts of them.
    """
    if form.outer:
        return [(OUTER, 1.0)]
    left_bytes = layout.left_bytes
    by_columns = groups > 1 or left_bytes <= CACHE or left_bytes <= right_bytes
    cached = _stays_in_cache(form, layout, right_bytes)
    by_columns = by_columns and not _is_update(form, right_bytes) and not cached and not side_by_side
    orders = [(COLUMNS, 1.0 if by_columns else 1.1)]
    if groups == 1 and (packed or (right_bytes > BLOCK and not cached)):
        orders.append((ROWS, 1.1 if by_columns else 1.0))
    elif not packed:
        orders.append((ROWS_FIRST, 1.1 if by_columns else 1.0))
    return orders


def _is_update(form: Form, right_bytes: int) -> bool:
    """Whether the epilogue goes over three tensors or more of the result's size, as optimizers do, and moves more than
    the product itself does."""
    whole = sum(all(access.strides) for access in form.slots)
    return whole >= 3 and whole * form.dtype.itemsize * math.prod(form.kept) > right_bytes


def _stays_in_cache(form: Form, layout: Layout, right_bytes: int) -> bool:
    """Whether the right factor stays in the cache of each core from one iteration of the loop around to the next."""
    return layout.right.buffer in form.loop_invariant and right_bytes <= CACHE


def _blocks(form: Form, layout: Layout, tile: RegisterTile, wanted: int, lanes: int) -> int:
    """Into how many blocks the outermost reduced axis is cut. Where panels are packed along it, square by square, the
    last is no shorter than a vector. For products of matrices all are equal, of whole steps."""
    outermost, *others = layout.reduced
    size = form.sizes[outermost]
    if tile.pairs:
        step = 1 if others else tile.pairs
        equal = [blocks for blocks in range(wanted, 2 * wanted + 1) if size % (blocks * step) == 0]
        return equal[0] if equal and size // equal[0] >= min(size, lanes) else 1
    in_squares = layout.right.strides[layout.axis] != 1 and layout.right.strides[outermost] == 1 and size >= lanes
    for blocks in range(min(wanted, size), 1, -1):
        length = math.ceil(size / blocks)
        if not in_squares or size - (blocks - 1) * length >= lanes:
            return blocks
    return 1


def _column_cost(form: Form, layout: Layout, tile: RegisterTile, lanes: int, depth: int, count: int,
                 last: int, left_packed: bool = False) -> float:
    """The cost of all tiles of all panels, for one index of the outer axes."""
    whole = math.prod(form.kept[axis] for axis in tile.whole)
    size = form.kept[tile.cut] if tile.cut is not None else 1
    short, longer = divmod(size, tile.parts)
    widths = [(tile.width, count - 1), (math.ceil(last / lanes), 1)]
    heights = [(whole * (short + 1), longer), (whole * short, tile.parts - longer)]
    total = sum(w * h * _tile_cost(form, layout, tile, rows, width, depth, left_packed)
                for width, w in widths if w for rows, h in heights if h)
    variants = _variants(form, tile, lanes, count, last)
    return total * (1 + 0.02 * (variants - 1)) * (1 if left_packed else _crowding(form, layout, tile, whole * short))


def _variants(form: Form, tile: RegisterTile, lanes: int, count: int, last: int) -> int:
    """How many kinds of tiles there are: the last panel may have fewer columns, some parts a row more."""
    longer = tile.cut is not None and form.kept[tile.cut] % tile.parts > 0
    return (1 + (last != tile.width * lanes and count > 1)) * (1 + longer)


def _tile_cost(form: Form, layout: Layout, tile: RegisterTile, rows: int, width: int, depth: int,
               left_packed: bool) -> float:
    """The cost of one tile: products, loads, and the epilogue."""
    products = rows * width
    if tile.pairs:
        stores = len(form.slots) + layout.epilogue
        return amx.block(rows, width, depth // tile.pairs) + products * stores
    in_vectors = layout.left.strides[layout.axis] != 0
    loads = width + (products if in_vectors else rows)
    step = max(products, LATENCY, loads if in_vectors else LOAD * loads) + 0.25 * loads + FAR * width + 1
    step += 0 if left_packed else _fetching(form, layout, tile, rows)
    return depth * step + 40 + products * layout.epilogue + _reaching(form, layout, tile, rows)


def _vectors(access: Access, axis: int, lanes: int) -> int:
    """What a vector of an epilogue's tensor costs."""
    return 1 if access.strides[axis] in (0, 1) else 2 * lanes


def _reaching(form: Form, layout: Layout, tile: RegisterTile, rows: int) -> float:
    """The cost of rows on pages of their own: neither the left factor nor the result is walked through in order."""
    cut = layout.left.strides[tile.cut] * form.dtype.itemsize if tile.cut is not None else 0
    return REACH * rows * (abs(cut) >= PAGE_BYTES)


def _fetching(form: Form, layout: Layout, tile: RegisterTile, rows: int) -> float:
    """The cost of new cache lines, or pages, that each step of the innermost sum takes from the left factor."""
    if not layout.reduced or form.sizes[layout.reduced[-1]] == 1:
        return 0
    apart = abs(layout.left.strides[layout.reduced[-1]]) * form.dtype.itemsize
    if apart < CACHE_LINE:
        return 0
    pages = PAGE * (apart >= PAGE_BYTES)
    if not any(layout.left.strides[axis] == 1 for axis in (*tile.whole, tile.cut) if axis is not None):
        return LINE * rows + pages
    return (LINE_AGAIN if math.prod(form.reduced) * CACHE_LINE > NEAR / 2 else LINE) + pages


def _crowding(form: Form, layout: Layout, tile: RegisterTile, rows: int) -> float:
    """A factor for rows that lie a multiple of 4096 bytes apart: they fall into one set of the first-level cache."""
    strides = [layout.left.strides[axis] * form.dtype.itemsize for axis in (*tile.whole, tile.cut) if axis is not None]
    crowded = rows > 6 and any(stride and stride % 4096 == 0 for stride in strides)
    return 1 + crowded * (0.5 if layout.left.strides[layout.axis] else 0.1)


def _packing(form: Form, layout: Layout, tile: RegisterTile, lanes: int, depth: int) -> float:
    """The cost of copying one panel."""
    if layout.right.strides[layout.axis] == 1:
        each = 2 / lanes
    else:
        by_blocks = any(stride == 1 and size >= lanes for size, stride in
                        zip(form.reduced, layout.right.strides[len(form.kept):], strict=True))
        each = 0.6 if by_blocks else 2.5
    return depth * tile.width * lanes * each


def _is_panel(form: Form, layout: Layout, tile: RegisterTile, lanes: int) -> bool:
    """Whether the rows of a panel follow each other in memory, as those of a packed one."""
    return len(form.reduced) == 1 and layout.right.strides[-1] == tile.width * lanes


def _collides(form: Form, layout: Layout, passes: int) -> bool:
    """Whether rows of a panel lie so far apart that they crowd into a few sets of the first or second level."""
    if not form.reduced or passes < 8:
        return False
    longest = form.sizes[layout.reduced[-1]]
    return (longest > max(WAYS * _sets(form, layout, NEAR_SETS), FEWEST)
            or math.prod(form.reduced) > WAYS * _sets(form, layout, SETS))


def _sets(form: Form, layout: Layout, every: int) -> int:
    """Among how many of so many sets of a cache the rows of a panel are divided."""
    stride = abs(layout.right.strides[layout.reduced[-1]]) * form.dtype.itemsize
    return every // math.gcd(every, max(stride // CACHE_LINE, 1)) if stride % CACHE_LINE == 0 else every
