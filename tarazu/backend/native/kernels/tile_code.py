"""Register tiles: functions that sum the products of a few rows and a few vectors of columns in registers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tarazu.backend.native.kernels.contraction_choice import Plan
from tarazu.backend.native.kernels.contraction_form import Form
from tarazu.backend.native.kernels.expression import Point, Writer, lanes_mask
from tarazu.backend.native.llvm.llvm_text import Index, Module, Value, constant, vector
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.types import memory_type
from tarazu.backend.native.lowering.loop_nest import Apply, Expression

UNROLLED = 64  # products of vectors in the body of the innermost loop
FETCHED = 128 * 1024  # bytes of an epilogue's tensors from which on they are asked for ahead of time
UNROLLED_STORES = 128  # operations and accesses of stores that are written out for all sums of a tile


class _Step(NamedTuple):
    """A loop over a reduced axis: its length and how far the factors lie apart, in bytes."""

    length: int
    left: int
    right: int


_Store = Callable[[Sequence[Index], Index, Value | None, Value], None]  # indices, vector of columns, mask, sum


class TileCode:
    """The variants of the tile of one kernel, each written when it is asked for.

    A tile is `void name(ptr left, ptr right, [ptr sums, i64 rows, i1 first, i1 last,] ptr slots..., i64 indices...)`;
    the pointers are those of its first element. Where stores compute with their place, it has the indices of that
    element too, and the slots point to the start of what they name.
    """

    def __init__(self, module: Module, target: Target, name: str, form: Form, plan: Plan, reduced: Sequence[int],
                 write: Writer) -> None:
        self.module, self.target, self.name, self.form, self.plan = module, target, name, form, plan
        self.write, self.item = write, form.dtype.itemsize
        self.steps = _steps(form, plan, reduced)
        cut = plan.tile.cut
        self.heights = divmod(form.kept[cut], plan.tile.parts) if cut is not None else (1, 0)

    @property
    def most_rows(self) -> int:
        return math.prod(self._extents(self.heights[0] + (self.heights[1] > 0)))

    def function(self, height: int, columns: int) -> str:
        """The name of the tile with so many places of the axis that is cut, and so many columns."""
        name = f"{self.name}_{height}x{columns}"
        if name not in self.module:
            _Tile(self, name, self._extents(height), columns).written()
        return name

    def parameters(self) -> list[tuple[str, str]]:
        blocked = [("ptr", "sums"), ("i64", "rows"), ("i1", "first"), ("i1", "last")] if self.plan.blocks > 1 else []
        indices = [("i64", f"i{axis}") for axis in range(len(self.form.kept)) if self.form.positions]
        return [("ptr", "left"), ("ptr", "right"), *blocked,
                *(("ptr", f"s{slot}") for slot in range(len(self.form.slots))), *indices]

    def _extents(self, height: int) -> list[int]:
        """The places of a tile along each kept axis, without its columns."""
        tile = self.plan.tile
        return [size if axis in tile.whole else height if axis == tile.cut else 1
                for axis, size in enumerate(self.form.kept)]


def _steps(form: Form, plan: Plan, reduced: Sequence[int]) -> list[_Step]:
    """The loops over the reduced axes, outermost first; rows of a packed panel follow each other."""
    item, layout = form.dtype.itemsize, plan.layout
    sizes = [form.sizes[axis] for axis in reduced]
    row = plan.tile.width * plan.lanes * item
    packed = [math.prod(sizes[place + 1:]) * row for place in range(len(sizes))]
    right = packed if plan.packed else [layout.right.strides[axis] * item for axis in reduced]
    return [_Step(size, layout.left.strides[axis] * item, step)
            for size, axis, step in zip(sizes, reduced, right, strict=True)]


class _Tile:
    """One variant being written."""

    def __init__(self, code: TileCode, name: str, extents: Sequence[int], columns: int) -> None:
        self.code, self.extents = code, extents
        self.rows = list(itertools.product(*map(range, extents)))
        self.lanes, layout = code.plan.lanes, code.plan.layout
        self.f = code.module.function(name, code.parameters(), attributes="noinline")
        self.type = vector(memory_type(code.form.dtype), self.lanes)
        self.width, self._bytes = math.ceil(columns / self.lanes), self.lanes * code.item
        masks: list[Value | None] = [None] * self.width
        if columns % self.lanes:
            masks[-1] = lanes_mask(self.f, self.lanes, columns % self.lanes)
        self.masks = masks
        self.left_rows = [code.item * sum(i * s for i, s in zip(row, layout.left.strides, strict=False))
                          for row in self.rows]
        self.axis, self.beside = layout.axis, layout.left.strides[layout.axis] != 0
        count = len(self.rows) * self.width
        self.memory = self.f.emit("ptr", f"alloca {self.type}, i64 {count}, align {self._bytes}") \
            if count * _work(code.form) > UNROLLED_STORES else None

    def written(self) -> None:
        f, blocked = self.f, self.code.plan.blocks > 1
        sums = [constant(self.type, 0)] * (len(self.rows) * self.width)
        if blocked:
            sums = [f.select(f.parameters["first"], zero, f.load(self.type, self._kept(place), self._bytes))
                    for place, zero in enumerate(sums)]
        self._fetch_ahead()
        sums = self._reduced(self.code.steps, f.parameters["left"], f.parameters["right"], sums)
        if blocked:
            with f.when(f.select(f.parameters["last"], constant("i1", 0), constant("i1", 1))):
                for place, value in enumerate(sums):
                    f.store(value, self._kept(place), self._bytes)
            with f.when(f.parameters["last"]):
                self._epilogue(sums)
        else:
            self._epilogue(sums)
        f.ret()

    def _fetch_ahead(self) -> None:
        """Ask for what a long epilogue will read, so that it comes while the products are summed."""
        form, item = self.code.form, self.code.item
        if self.memory is None or form.positions or len(form.slots) * item * math.prod(form.kept) < FETCHED:
            return
        for slot, access in enumerate(form.slots):
            if access.strides[self.axis] != 1:
                continue
            for row in self.rows:
                start = item * sum(i * s for i, s in zip(row, access.strides, strict=True))
                for place in range(self.width):
                    self.f.prefetch(self.f.offset(self.f.parameters[f"s{slot}"], start + place * self._bytes))

    def _kept(self, place: int) -> Value:
        return self.f.offset(self.f.parameters["sums"], place * self._bytes)

    def _reduced(self, steps: Sequence[_Step], left: Value, right: Value, sums: list[Value]) -> list[Value]:
        """The sums with all products of the loops `steps` added."""
        if not steps:
            return self._added(left, right, sums)
        step, rest = steps[0], steps[1:]
        blocked = self.code.plan.blocks > 1 and len(steps) == len(self.code.steps)
        times = 1 if rest or blocked else _unrolling(step.length, len(sums))
        length: Index = self.f.parameters["rows"] if blocked else step.length
        with self.f.loop(0, length, times, sums) as loop:
            a = self.f.offset(left, self.f.multiply(loop.index, step.left))
            b = self.f.offset(right, self.f.multiply(loop.index, step.right))
            found = loop.values
            for turn in range(times):
                found = self._reduced(rest, self.f.offset(a, turn * step.left), self.f.offset(b, turn * step.right),
                                      found)
            loop.next = found
        return loop.results

    def _added(self, left: Value, right: Value, sums: Sequence[Value]) -> list[Value]:
        """The sums with one product each added."""
        f, item = self.f, self.code.item
        masks = [None] * self.width if self.code.plan.packed else self.masks
        vectors = [f.load(self.type, f.offset(right, place * self._bytes), item, mask)
                   for place, mask in enumerate(masks)]
        result = []
        for row, there in enumerate(self.left_rows):
            numbers = self._numbers(left, there)
            for place, (number, found) in enumerate(zip(numbers, vectors, strict=True)):
                result.append(self._product(number, found, sums[row * self.width + place]))
        return result

    def _numbers(self, left: Value, there: int) -> list[Value]:
        """What a row multiplies each vector by."""
        f, item = self.f, self.code.item
        if not self.beside:
            element = memory_type(self.code.form.dtype)
            return [f.splat(f.load(element, f.offset(left, there), item), self.lanes)] * self.width
        return [f.load(self.type, f.offset(left, there + place * self._bytes), item, mask)
                for place, mask in enumerate(self.masks)]

    def _product(self, a: Value, b: Value, total: Value) -> Value:
        if self.code.target.has_fma:
            return self.f.fma(a, b, total)
        return self.f.op("fadd", self.f.op("fmul", a, b), total)

    def _epilogue(self, sums: Sequence[Value]) -> None:
        """Store the expressions of all rows and columns: in a loop over sums in memory when that is much code."""
        f, form = self.f, self.code.form
        pointers = [f.parameters[f"s{slot}"] for slot in range(len(form.slots))]
        first = tuple(f.parameters[f"i{place}"] if form.positions else 0 for place in range(len(form.kept)))
        moving = [place for place, size in enumerate(self.extents) if size > 1 or place == self.axis]
        memo = self.code.write.invariant(f, [store.value for store in form.stores], pointers,
                                         Point(first, self.axis, 0), moving, {})

        def store(indices: Sequence[Index], column: Index, mask: Value | None, value: Value) -> None:
            there = [f.add(start, index) for start, index in zip(first, indices, strict=True)]
            there[self.axis] = f.add(first[self.axis], f.multiply(column, self.lanes))
            self.code.write.stores(f, form.stores, pointers, Point(tuple(there), self.axis, self.lanes, mask), [value],
                                   memo)

        if self.memory is None:
            for place, mask in enumerate(self.masks):
                for row, indices in enumerate(self.rows):
                    store(indices, place, mask, sums[row * self.width + place])
            return
        for place, value in enumerate(sums):
            f.store(value, f.offset(self.memory, place * self._bytes), self._bytes)
        self._over_rows(self.memory, (), 0, store)

    def _over_rows(self, memory: Value, indices: tuple[Index, ...], row: Index, store: _Store) -> None:
        """`store` for all sums in memory."""
        f, axis = self.f, len(indices)
        if axis < len(self.extents):
            with f.loop(0, self.extents[axis]) as loop:
                number = f.add(f.multiply(row, self.extents[axis]), loop.index)
                self._over_rows(memory, (*indices, loop.index), number, store)
            return

        def column(place: Index, mask: Value | None) -> None:
            there = f.multiply(f.add(f.multiply(row, self.width), place), self._bytes)
            store(indices, place, mask, f.load(self.type, f.offset(memory, there), self._bytes))

        whole = self.width - (self.masks[-1] is not None)
        if whole:
            with f.loop(0, whole) as loop:
                column(loop.index, None)
        if whole < self.width:
            column(whole, self.masks[-1])


def _work(form: Form) -> int:
    """The operations and accesses of all stores at one place."""
    found: dict[int, Expression] = {}
    waiting = [store.value for store in form.stores]
    while waiting:
        part = waiting.pop()
        if id(part) not in found and isinstance(part, Apply):
            found[id(part)] = part
            waiting += part.inputs
    return len(found) + len(form.slots)


def _unrolling(length: int, products: int) -> int:
    """How many turns of a loop to write out."""
    if length * products <= UNROLLED:
        return length
    return next(times for times in (4, 2, 1) if length % times == 0 and (times * products <= UNROLLED or times == 1))
