"""The code of register tiles: functions that sum products for a few rows and a few vectors of columns in registers."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from tarazu.backend.native.kernels.amx.block import Block, BlockCode
from tarazu.backend.native.kernels.amx.packed_rows import packed_rows
from tarazu.backend.native.kernels.contraction_choice import Choice
from tarazu.backend.native.kernels.contraction_form import Form
from tarazu.backend.native.kernels.expression import Point, Writer, lanes_mask
from tarazu.backend.native.kernels.loops import ReducedLoop, stores_below
from tarazu.backend.native.kernels.packing import Panel
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import CACHE_LINE, Target
from tarazu.backend.native.llvm.types import memory_type
from tarazu.backend.native.llvm.values import Index, Value, constant, vector
from tarazu.backend.native.lowering.loop_nest import Apply, Constant, Store, walk

UNROLLED = 2  # products of vectors for each register in the body of the innermost loop; more are no faster where sums
# are short
UNROLLED_IN_BLOCKS = 4  # the same where sums are cut into blocks
FETCHED = 128 * 1024  # bytes of an epilogue's tensors from which on they are fetched ahead of time
UNROLLED_STORES = 128  # operations and accesses of stores that are written out for all sums of a tile


_Store = Callable[[Sequence[Index], Index, Value | None, Value], None]  # indices, vector of columns, mask, sum


class TileCode:
    """The variants of the tile of one kernel, each written when it is first asked for, and shared with other kernels.

    A tile is `void name(ptr left, ptr right, [i64 rows,] [ptr sums, i1 first, i1 last,] ptr slots..., i64 indices...)`;
    the pointers are those of its first element. Where stores compute with indices, it has those of that element too,
    and the slots point to the start of what they name. `rows`, a multiple of `step`, is how much it takes of the
    outermost reduced axis, where that is cut into blocks or not all of it counts.
    """

    def __init__(self, module: Module, target: Target, name: str, form: Form, choice: Choice, reduced: Sequence[int],
                 writer: Writer) -> None:
        self.module, self.target, self.name, self.form, self.choice = module, target, name, form, choice
        self.writer, self.item = writer, form.dtype.itemsize
        self._written: dict[str, str] = {}  # the function of each variant; that of another kernel where it is the same
        cut = choice.tile.cut
        self.heights = divmod(form.kept[cut], choice.tile.parts) if cut is not None else (1, 0)
        self.left_panel = _left_panel(form, choice, reduced, self.most_rows) if choice.left_packed else None
        self.loops = _reduced_loops(form, choice, reduced, self.left_panel)
        self.has_rows = choice.blocks > 1 or (form.triangle is not None and bool(self.loops))

    @property
    def block(self) -> Block | None:
        """The block of tiles that are multiplied as matrices; None where vectors are."""
        if not self.choice.tile.pairs:
            return None
        columns = self.choice.panel_columns if self.choice.packed else self.form.kept[self.choice.layout.axis]
        return Block(self.most_rows, min(columns, self.choice.panel_columns), self.choice.tile.pairs)

    @property
    def step(self) -> int:
        """Of how many indices of the outermost reduced axis an iteration of its loop takes in a multiple."""
        if self.choice.tile.pairs:
            return self.loop_step
        if len(self.loops) != 1:
            return 1
        length, products = self.loops[0].length, self.most_rows * self.choice.tile.width
        if self.choice.blocks == 1:
            return self.unrolling(length, products)
        of_block = math.ceil(length / self.choice.blocks)
        return self.unrolling(math.gcd(length, of_block), products, UNROLLED_IN_BLOCKS)

    def unrolling(self, length: int, products: int, each: int = UNROLLED) -> int:
        """How many iterations of a loop with so many products of vectors to write out."""
        most = each * self.target.registers
        if length * products <= most:
            return length
        return next(times for times in (4, 2, 1) if length % times == 0 and (times * products <= most or times == 1))

    @property
    def loop_step(self) -> int:
        """How many indices of the outermost reduced axis each iteration of its loop takes."""
        return self.choice.tile.pairs if self.choice.tile.pairs and len(self.loops) == 1 else 1

    @property
    def most_rows(self) -> int:
        return math.prod(self._extents(self.heights[0] + (self.heights[1] > 0)))

    def function(self, height: int, columns: int) -> str:
        """The name of the tile with so many indices of the axis that is cut, and so many columns."""
        return self._variant("", height, columns, self.form.stores, _Tile.write)

    @property
    def is_known_above(self) -> bool:
        """Whether what is stored above the diagonal follows from no sum."""
        return self.has_rows and self.form.triangle is not None and bool(self.form.triangle.above)

    def above_diagonal(self, height: int, columns: int) -> str:
        """The name of a function like `function`, which stores what lies above the diagonal."""
        assert self.form.triangle is not None
        stores = [store._replace(value=Constant(value, store.value.dtype))
                  for store, value in zip(self.form.stores, self.form.triangle.above, strict=True)]
        return self._variant("_above", height, columns, stores, _Tile.write_stores)

    @functools.cached_property
    def compares(self) -> bool:
        """Whether what is stored depends on the side of the diagonal."""
        return any(new.value is not old.value for new, old in zip(self._below, self.form.stores, strict=True))

    @functools.cached_property
    def _below(self) -> Sequence[Store]:
        """What is stored below the diagonal and on it."""
        form = self.form
        is_stored = form.triangle is not None and max(form.triangle.row, form.triangle.column) < len(form.kept)
        return stores_below(form.stores, form.triangle, form.sizes) if is_stored else form.stores

    def below_diagonal(self, height: int, columns: int) -> str:
        """The name of a function like `function`, for tiles that have nothing above the diagonal."""
        return self._variant("_below", height, columns, self._below, _Tile.write)

    def _variant(self, ending: str, height: int, columns: int, stores: Sequence[Store],
                 write: Callable[[_Tile], None]) -> str:
        """The name of a function that stores so for a tile, or of one that does the same."""
        name = f"{self.name}_{height}x{columns}{ending}"
        if name not in self._written:
            tile = _Tile(self, name, self._extents(height), columns, stores)
            write(tile)
            self._written[name] = self.module.shared(tile.f)
        return self._written[name]

    def parameters(self) -> list[tuple[str, str]]:
        """The types and names of a tile's parameters."""
        rows = [("i64", "rows")] if self.has_rows else []
        blocked = [("ptr", "sums"), ("i1", "first"), ("i1", "last")] if self.choice.blocks > 1 else []
        indices = [("i64", f"i{axis}") for axis in range(len(self.form.kept)) if self.form.positions]
        return [("ptr", "left"), ("ptr", "right"), *rows, *blocked,
                *(("ptr", f"s{slot}") for slot in range(len(self.form.slots))), *indices]

    def _extents(self, height: int) -> list[int]:
        """The size of a tile along each kept axis, without its columns."""
        tile = self.choice.tile
        return [size if axis in tile.whole else height if axis == tile.cut else 1
                for axis, size in enumerate(self.form.kept)]


def _reduced_loops(form: Form, choice: Choice, reduced: Sequence[int], packed: Panel | None) -> list[ReducedLoop]:
    """The loops over the reduced axes, outermost first; rows of a packed panel follow each other. `packed` is what is
    packed of the left factor."""
    item, layout, pairs = form.dtype.itemsize, choice.layout, choice.tile.pairs
    sizes = [form.sizes[axis] for axis in reduced]
    left, right = ([factor.strides[axis] * item for axis in reduced] for factor in (layout.left, layout.right))
    if choice.packed:
        right = [math.prod(sizes[depth + 1:]) * choice.panel_columns * item for depth in range(len(sizes))]
    if packed is not None:
        left = list(packed.steps[1:] if pairs else packed.steps)
    if pairs:  # an iteration of the innermost loop takes several
        sizes[-1] //= pairs
        right[-1] *= pairs
        left[-1] *= pairs if packed is None else 1
    return [ReducedLoop(*each) for each in zip(sizes, left, right, strict=True)]


def _left_panel(form: Form, choice: Choice, reduced: Sequence[int], rows: int) -> Panel:
    """What is packed of the left factor for one tile of up to so many rows and one block of the sum."""
    cut, strides, item = choice.tile.cut, choice.layout.left.strides, form.dtype.itemsize
    assert cut is not None
    sizes, steps = [form.sizes[axis] for axis in reduced], [strides[axis] for axis in reduced]
    if choice.tile.pairs:
        sizes[0] = math.ceil(sizes[0] / choice.blocks)
        return packed_rows(rows, strides[cut], sizes, steps, choice.tile.pairs)
    vectors = math.ceil(rows / choice.lanes)
    return Panel(memory_type(form.dtype), item, choice.lanes, vectors, True, strides[cut] * item,
                 tuple([(size, step * item) for size, step in zip(sizes, steps, strict=True)]))


class _Tile:
    """One variant being written."""

    def __init__(self, code: TileCode, name: str, extents: Sequence[int], columns: int,
                 stores: Sequence[Store]) -> None:
        self.code, self.extents, self.stores = code, extents, stores
        self.rows = list(itertools.product(*map(range, extents)))
        self.lanes, layout = code.choice.lanes, code.choice.layout
        self.f = code.module.function(name, code.parameters(), attributes="noinline")
        self.type_of_sums = memory_type(code.form.sum_dtype)
        self.type = vector(self.type_of_sums, self.lanes)
        self.factor_type = vector(memory_type(code.form.dtype), self.lanes)
        self.width, self._bytes = math.ceil(columns / self.lanes), self.lanes * code.item
        masks: list[Value | None] = [None] * self.width
        if columns % self.lanes:
            masks[-1] = lanes_mask(self.f, self.lanes, columns % self.lanes)
        self.masks = masks
        self.left_offsets = [code.item * number if code.left_panel and not code.block else
                             code.item * sum(i * s for i, s in zip(row, layout.left.strides, strict=False))
                             for number, row in enumerate(self.rows)]
        self.spread, self.order = code.form.spread, list(range(len(self.rows)))
        self.in_group = [0] * len(self.rows)
        if self.spread is not None:  # what reads the same follows each other, as registers are few
            self.order.sort(key=self.left_offsets.__getitem__)
            if self.spread.axis < len(extents):
                self.in_group = [row[self.spread.axis] for row in self.rows]
        self.axis, self.left_is_vector = layout.axis, layout.left.strides[layout.axis] != 0
        count = (code.most_rows if code.block else len(self.rows)) * self.width
        self.memory = self.f.emit("ptr", f"alloca {self.type}, i64 {count}, align {self._bytes}") \
            if code.block or count * self._store_work() > UNROLLED_STORES else None

    def write(self) -> None:
        """The whole function; with several blocks, sums go to memory from each block to the next."""
        f, blocked = self.f, self.code.choice.blocks > 1
        if self.code.block is not None:
            self._write_products_of_tiles(self.code.block)
            return
        if blocked:
            self._fetch_kept_sums()
        self._fetch_ahead()
        zeros = [constant(self.type, 0)] * (len(self.rows) * self.width)
        sums = self._reduced(self.code.loops, f.parameters["left"], f.parameters["right"], zeros)
        if blocked:
            first, last = f.parameters["first"], f.parameters["last"]
            with f.when(first):
                self._keep(sums)
            with f.when(f.invert(f.op("or", first, last))):
                self._keep(self._with_kept(sums))
            with f.when(last):
                self._epilogue([*self._with_kept(sums)])
        else:
            self._epilogue(sums)
        f.ret()

    def _write_products_of_tiles(self, block: Block) -> None:
        """The same by tiles that are multiplied as matrices, whose sums end in memory."""
        f, code, row = self.f, self.code, self.width * self._bytes
        left, right, outermost = f.parameters["left"], f.parameters["right"], code.loops[0]
        rows_of_left = code.left_panel.steps[0] if code.left_panel else \
            code.item * code.choice.layout.left.strides[code.choice.tile.cut or 0]
        tiles = BlockCode(f, len(self.rows), self.width * self.lanes, rows_of_left,
                          code.loops[-1].right // block.pairs)
        sums = f.parameters["sums"] if code.choice.blocks > 1 else self.memory
        assert sums is not None
        if code.choice.blocks > 1:
            with f.when(f.parameters["first"]):
                tiles.zero()
            with f.when(f.invert(f.parameters["first"])):
                tiles.load(sums, row)
        else:
            tiles.zero()
        self._fetch_ahead()
        tiles.add_products(code.loops, f.parameters["rows"] if code.has_rows else outermost.length, left, right)
        tiles.store(sums, row)
        with f.when(f.parameters["last"]) if code.choice.blocks > 1 else contextlib.nullcontext():
            self._over_rows(sums, (), 0, self._store_at())
        f.ret()

    def write_stores(self) -> None:
        """The whole function, of sums that are 0."""
        self._epilogue([constant(self.type, 0)] * (len(self.rows) * self.width))
        self.f.ret()

    def _fetch_ahead(self) -> None:
        """Fetch what the epilogue reads and writes into the cache while the products, of the last block, are summed."""
        form = self.code.form
        if form.positions or len(form.slots) * self.code.item * math.prod(form.kept) < FETCHED:
            return
        if self.code.choice.blocks == 1:
            self._fetch_slots()
            return
        with self.f.when(self.f.parameters["last"]):
            self._fetch_slots()

    def _fetch_slots(self) -> None:
        f, item = self.f, self.code.item
        written = {store.access.buffer for store in self.stores}
        with contextlib.ExitStack() as loops:
            row = [loops.enter_context(f.loop(0, extent)).index for extent in self.extents]
            for slot, access in enumerate(self.code.form.slots):
                if access.strides[self.axis] != 1 or not all(access.strides):
                    continue
                start = f.parameters[f"s{slot}"]
                for index, stride in zip(row, access.strides, strict=True):
                    start = f.offset(start, f.multiply(index, item * stride))
                for offset in range(0, self.width * self._bytes, CACHE_LINE):
                    f.prefetch(f.offset(start, offset), write=slot in written)

    def _kept_sum(self, number: int) -> Value:
        """Where a sum is between two blocks."""
        return self.f.offset(self.f.parameters["sums"], number * self._bytes)

    def _fetch_kept_sums(self) -> None:
        """Fetch what the blocks before have given into the cache, while the products of this one are summed."""
        for offset in range(0, len(self.rows) * self.width * self._bytes, CACHE_LINE):
            self.f.prefetch(self.f.offset(self.f.parameters["sums"], offset), write=True)

    def _with_kept(self, sums: Sequence[Value]) -> Iterator[Value]:
        """The sums with what the blocks before have given."""
        for number, value in enumerate(sums):
            yield self.f.op("fadd", self.f.load(self.type, self._kept_sum(number), self._bytes), value)

    def _keep(self, sums: Iterable[Value]) -> None:
        for number, value in enumerate(sums):
            self.f.store(value, self._kept_sum(number), self._bytes)

    # Products

    def _reduced(self, loops: Sequence[ReducedLoop], left: Value, right: Value, sums: list[Value]) -> list[Value]:
        """The sums with all products of `loops` added."""
        over_group = self.spread is not None and self.spread.axis >= len(self.code.form.kept)
        if len(loops) == over_group:
            steps = [i * loops[0].right for i in range(loops[0].length)] if loops else [0]
            return self._with_products(left, [self.f.offset(right, step) for step in steps], sums)
        outer, inner = loops[0], loops[1:]
        length: Index = outer.length
        times = 1 if inner else self.code.unrolling(outer.length, len(sums))
        if self.code.has_rows and len(loops) == len(self.code.loops):
            length, times = self.f.parameters["rows"], self.code.step
        with self.f.loop(0, length, times, sums) as loop:
            a = self.f.offset(left, self.f.multiply(loop.index, outer.left))
            b = self.f.offset(right, self.f.multiply(loop.index, outer.right))
            values = loop.values
            for iteration in range(times):
                values = self._reduced(inner, self.f.offset(a, iteration * outer.left),
                                       self.f.offset(b, iteration * outer.right), values)
            loop.next = values
        return loop.results

    def _with_products(self, left: Value, rights: Sequence[Value], sums: Sequence[Value]) -> list[Value]:
        """The sums with a product added for each row of the right factor: one, or those that the numbers of a group
        meet."""
        f, item, result = self.f, self.code.item, list(sums)
        masks = [None] * self.width if self.code.choice.packed else self.masks
        vectors = [[f.load(self.factor_type, f.offset(right, column * self._bytes), item, mask)
                    for column, mask in enumerate(masks)] for right in rights]
        for row in self.order:
            for number, each in enumerate(vectors):
                for column, factor in enumerate(self._left_factors(left, row, number)):
                    place = row * self.width + column
                    result[place] = self._multiply_add(factor, each[column], result[place])
        return result

    def _left_factors(self, left: Value, row: int, number: int) -> list[Value]:
        """What a row multiplies each vector by; of groups, the number that counts, of the first or so many further."""
        f, item, offset = self.f, self.code.item, self.left_offsets[row]
        if not self.left_is_vector:
            element = memory_type(self.code.form.dtype)
            return [f.splat(f.load(element, f.offset(left, offset), item), self.lanes)] * self.width
        found = [f.load(self.factor_type, f.offset(left, offset + column * self._bytes), item, mask)
                 for column, mask in enumerate(self.masks)]
        if self.spread is None:
            return found
        size, number = self.spread.size, self.in_group[row] + number
        return [f.shuffle(x, x, [lane // size * size + number for lane in range(self.lanes)]) for x in found]

    def _multiply_add(self, a: Value, b: Value, total: Value) -> Value:
        """a b + total, with one rounding where the processor has an instruction for it; of pairs both products."""
        if self.code.form.has_pairs:
            a, b = (self.f.emit(vector("bfloat", 2 * self.lanes), f"bitcast {x.type} {x.text} to <{2 * self.lanes} x "
                                "bfloat>") for x in (a, b))
            return self.f.call(self.type, f"llvm.x86.avx512bf16.dpbf16ps.{8 * self._bytes}", total, a, b)
        if self.code.target.has_fma:
            return self.f.fma(a, b, total)
        return self.f.op("fadd", self.f.op("fmul", a, b), total)

    # Stores

    def _epilogue(self, sums: Sequence[Value]) -> None:
        """Store the expressions of all rows and columns: in a loop over sums in memory when that is much code."""
        store = self._store_at()
        if self.memory is None:
            for column, mask in enumerate(self.masks):
                for row, indices in enumerate(self.rows):
                    store(indices, column, mask, sums[row * self.width + column])
            return
        for number, value in enumerate(sums):
            self.f.store(value, self.f.offset(self.memory, number * self._bytes), self._bytes)
        self._over_rows(self.memory, (), 0, store)

    def _store_at(self) -> _Store:
        """What stores the expressions of some indices; what they have in common is computed here."""
        f, form = self.f, self.code.form
        pointers = [f.parameters[f"s{slot}"] for slot in range(len(form.slots))]
        first = tuple(f.parameters[f"i{axis}"] if form.positions else 0 for axis in range(len(form.kept)))
        moving = [axis for axis, size in enumerate(self.extents) if size > 1 or axis == self.axis]
        memo = self.code.writer.invariant(f, [store.value for store in self.stores], pointers,
                                         Point(first, self.axis, 0), moving, {})

        def store(indices: Sequence[Index], column: Index, mask: Value | None, value: Value) -> None:
            point = [f.add(start, index) for start, index in zip(first, indices, strict=True)]
            point[self.axis] = f.add(first[self.axis], f.multiply(column, self.lanes))
            self.code.writer.stores(f, self.stores, pointers, Point(tuple(point), self.axis, value.lanes, mask),
                                   [value], memo)

        return store

    def _over_rows(self, memory: Value, indices: tuple[Index, ...], row: Index, store: _Store) -> None:
        """`store` for all sums in memory."""
        f, axis = self.f, len(indices)
        if axis < len(self.extents):
            with f.loop(0, self.extents[axis]) as loop:
                number = f.add(f.multiply(row, self.extents[axis]), loop.index)
                self._over_rows(memory, (*indices, loop.index), number, store)
            return

        def store_columns(column: Index, count: int, mask: Value | None) -> None:
            offset = f.multiply(f.add(f.multiply(row, self.width), column), self._bytes)
            type_ = vector(self.type_of_sums, count * self.lanes)
            store(indices, column, mask, f.load(type_, f.offset(memory, offset), self._bytes))

        whole = self.width - (self.masks[-1] is not None)
        each = 2 if whole % 2 == 0 and self._takes_two else 1
        if whole:
            with f.loop(0, whole, each) as loop:
                store_columns(loop.index, each, None)
        if whole < self.width:
            store_columns(whole, 1, self.masks[-1])

    @property
    def _takes_two(self) -> bool:
        """Whether two vectors are computed as one of twice as many lanes: so they share the constants of functions, of
        which each is loaded anew for each vector otherwise."""
        return {self.type_of_sums, *[memory_type(slot.dtype) for slot in self.code.form.slots]} == {"float"}

    def _store_work(self) -> int:
        """The operations and accesses of all stores for one vector."""
        slots = self.code.form.slots
        scattered = sum(slot.strides[self.axis] not in (0, 1) for slot in slots)  # lane by lane, and each taken out
        return sum(isinstance(x, Apply) for x in walk(*[store.value for store in self.stores])) \
            + len(slots) + 2 * self.lanes * scattered
