"""The code of register tiles: functions that sum products for a few rows and a few vectors of columns in registers."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tarazu.backend.native.kernels.contraction_choice import Choice
from tarazu.backend.native.kernels.contraction_form import Form
from tarazu.backend.native.kernels.expression import Point, Writer, lanes_mask
from tarazu.backend.native.kernels.loops import stores_below
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import CACHE_LINE, Target
from tarazu.backend.native.llvm.types import memory_type
from tarazu.backend.native.llvm.values import Index, Value, constant, vector
from tarazu.backend.native.lowering.loop_nest import Access, Apply, Constant, Store, walk

UNROLLED = 2  # products of vectors for each register in the body of the innermost loop; more are no faster
FETCHED = 128 * 1024  # bytes of an epilogue's tensors from which on they are fetched ahead of time
UNROLLED_STORES = 128  # operations and accesses of stores that are written out for all sums of a tile


class _ReducedLoop(NamedTuple):
    """A loop over a reduced axis: its length, and how far each factor moves in an iteration, in bytes."""

    length: int
    left: int
    right: int


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
        self.loops = _reduced_loops(form, choice, reduced)
        cut = choice.tile.cut
        self.heights = divmod(form.kept[cut], choice.tile.parts) if cut is not None else (1, 0)
        self.has_rows = choice.blocks > 1 or (form.triangle is not None and bool(self.loops))

    @property
    def step(self) -> int:
        """How many iterations of the outermost reduced loop are written out."""
        if self.choice.blocks > 1 or len(self.loops) != 1:
            return 1
        return self.unrolling(self.loops[0].length, self.most_rows * self.choice.tile.width)

    def unrolling(self, length: int, products: int) -> int:
        """How many iterations of a loop with so many products of vectors to write out."""
        most = UNROLLED * self.target.registers
        if length * products <= most:
            return length
        return next(times for times in (4, 2, 1) if length % times == 0 and (times * products <= most or times == 1))

    @property
    def most_rows(self) -> int:
        return math.prod(self._extents(self.heights[0] + (self.heights[1] > 0)))

    def function(self, height: int, columns: int) -> str:
        """The name of the tile with so many indices of the axis that is cut, and so many columns."""
        name = f"{self.name}_{height}x{columns}"
        if name not in self._written:
            tile = _Tile(self, name, self._extents(height), columns, self.form.stores)
            tile.write()
            self._written[name] = self.module.shared(tile.f)
        return self._written[name]

    @property
    def is_known_above(self) -> bool:
        """Whether what is stored above the diagonal follows from no sum."""
        return self.has_rows and self.form.triangle is not None and bool(self.form.triangle.above)

    def above_diagonal(self, height: int, columns: int) -> str:
        """The name of a function like `function`, which stores what lies above the diagonal."""
        name = f"{self.name}_{height}x{columns}_above"
        if name not in self._written:
            assert self.form.triangle is not None
            stores = [store._replace(value=Constant(value, store.value.dtype))
                      for store, value in zip(self.form.stores, self.form.triangle.above, strict=True)]
            tile = _Tile(self, name, self._extents(height), columns, stores)
            tile.write_stores()
            self._written[name] = self.module.shared(tile.f)
        return self._written[name]

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
        name = f"{self.name}_{height}x{columns}_below"
        if name not in self.module:
            _Tile(self, name, self._extents(height), columns, self._below).write()
        return name

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


def _reduced_loops(form: Form, choice: Choice, reduced: Sequence[int]) -> list[_ReducedLoop]:
    """The loops over the reduced axes, outermost first; rows of a packed panel follow each other."""
    item, layout = form.dtype.itemsize, choice.layout
    sizes = [form.sizes[axis] for axis in reduced]

    def steps(factor: Access, row: int) -> list[int]:
        """The steps of a factor, packed in rows of so many bytes if there are any."""
        if row:
            return [math.prod(sizes[depth + 1:]) * row for depth in range(len(sizes))]
        return [factor.strides[axis] * item for axis in reduced]

    right = steps(layout.right, choice.packed * choice.panel_columns * item)
    left = steps(layout.left, left_row(form, choice) if choice.left_packed else 0)
    return [_ReducedLoop(*each) for each in zip(sizes, left, right, strict=True)]


def left_row(form: Form, choice: Choice) -> int:
    """The bytes of the left factor that are packed for one step of a tile's sum: whole vectors."""
    cut = choice.tile.cut
    assert cut is not None
    height = math.ceil(form.kept[cut] / choice.tile.parts)
    return math.ceil(height / choice.lanes) * choice.lanes * form.dtype.itemsize


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
        self.left_offsets = [code.item * sum(i * s for i, s in zip(row, layout.left.strides, strict=False))
                             for row in self.rows]
        self.spread, self.order = code.form.spread, list(range(len(self.rows)))
        self.in_group = [0] * len(self.rows)
        if self.spread is not None:  # what reads the same follows each other, as registers are few
            self.order.sort(key=self.left_offsets.__getitem__)
            if self.spread.axis < len(extents):
                self.in_group = [row[self.spread.axis] for row in self.rows]
        self.axis, self.left_is_vector = layout.axis, layout.left.strides[layout.axis] != 0
        count = len(self.rows) * self.width
        self.memory = self.f.emit("ptr", f"alloca {self.type}, i64 {count}, align {self._bytes}") \
            if count * _store_work(stores, code.form) > UNROLLED_STORES else None

    def write(self) -> None:
        """The whole function; with several blocks, sums go to memory from each block to the next."""
        f, blocked = self.f, self.code.choice.blocks > 1
        sums = [constant(self.type, 0)] * (len(self.rows) * self.width)
        if blocked:
            sums = [f.select(f.parameters["first"], zero, f.load(self.type, self._kept_sum(number), self._bytes))
                    for number, zero in enumerate(sums)]
        self._fetch_ahead()
        sums = self._reduced(self.code.loops, f.parameters["left"], f.parameters["right"], sums)
        if blocked:
            with f.when(f.select(f.parameters["last"], constant("i1", False), constant("i1", True))):
                for number, value in enumerate(sums):
                    f.store(value, self._kept_sum(number), self._bytes)
            with f.when(f.parameters["last"]):
                self._epilogue(sums)
        else:
            self._epilogue(sums)
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
        form, item = self.code.form, self.code.item
        written = {store.access.buffer for store in self.stores}
        for slot, access in enumerate(form.slots):
            if access.strides[self.axis] != 1 or not all(access.strides):
                continue
            starts = [item * sum(i * s for i, s in zip(row, access.strides, strict=True)) for row in self.rows]
            for start in starts:
                for offset in range(start, start + self.width * self._bytes, CACHE_LINE):
                    self.f.prefetch(self.f.offset(self.f.parameters[f"s{slot}"], offset), write=slot in written)

    def _kept_sum(self, number: int) -> Value:
        """Where a sum is between two blocks."""
        return self.f.offset(self.f.parameters["sums"], number * self._bytes)

    # Products

    def _reduced(self, loops: Sequence[_ReducedLoop], left: Value, right: Value, sums: list[Value]) -> list[Value]:
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

        if self.memory is None:
            for column, mask in enumerate(self.masks):
                for row, indices in enumerate(self.rows):
                    store(indices, column, mask, sums[row * self.width + column])
            return
        for number, value in enumerate(sums):
            f.store(value, f.offset(self.memory, number * self._bytes), self._bytes)
        self._over_rows(self.memory, (), 0, store)

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


def _store_work(stores: Sequence[Store], form: Form) -> int:
    """The operations and accesses of all stores at one point."""
    return sum(isinstance(x, Apply) for x in walk(*[store.value for store in stores])) + len(form.slots)
