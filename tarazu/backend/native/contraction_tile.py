"""Register tiles: functions that sum the products of a few rows and a few vectors of columns in registers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from tarazu.backend.native.contraction_form import Form
from tarazu.backend.native.contraction_plan import Plan
from tarazu.backend.native.expression import Point, Writer, lanes_mask, memory_type
from tarazu.backend.native.llvm_text import Index, Module, Value, constant, vector
from tarazu.backend.native.target import Target

UNROLLED = 64  # products of vectors in the body of the innermost loop


class _Step(NamedTuple):
    """A loop over a reduced axis: its length and how far the factors lie apart, in bytes."""

    length: int
    left: int
    right: int


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
        return len(self._rows(self.heights[0] + (self.heights[1] > 0)))

    def function(self, height: int, columns: int) -> str:
        """The name of the tile with so many places of the axis that is cut, and so many columns."""
        name = f"{self.name}_{height}x{columns}"
        if name not in self.module:
            _Tile(self, name, self._rows(height), columns).written()
        return name

    def parameters(self) -> list[tuple[str, str]]:
        blocked = [("ptr", "sums"), ("i64", "rows"), ("i1", "first"), ("i1", "last")] if self.plan.blocks > 1 else []
        indices = [("i64", f"i{axis}") for axis in range(len(self.form.kept)) if self.form.positions]
        return [("ptr", "left"), ("ptr", "right"), *blocked,
                *(("ptr", f"s{slot}") for slot in range(len(self.form.slots))), *indices]

    def _rows(self, height: int) -> list[tuple[int, ...]]:
        """The index of each row of the tile along each kept axis."""
        tile = self.plan.tile
        ranges = [range(self.form.kept[axis] if axis in tile.whole else height if axis == tile.cut else 1)
                  for axis in range(len(self.form.kept))]
        return list(itertools.product(*ranges))


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

    def __init__(self, code: TileCode, name: str, rows: Sequence[tuple[int, ...]], columns: int) -> None:
        self.code, self.rows = code, rows
        self.lanes, layout = code.plan.lanes, code.plan.layout
        self.f = code.module.function(name, code.parameters(), attributes="noinline")
        self.type = vector(memory_type(code.form.dtype), self.lanes)
        self.width, self._bytes = math.ceil(columns / self.lanes), self.lanes * code.item
        masks: list[Value | None] = [None] * self.width
        if columns % self.lanes:
            masks[-1] = lanes_mask(self.f, self.lanes, columns % self.lanes)
        self.masks = masks
        self.left_rows = [code.item * sum(i * s for i, s in zip(row, layout.left.strides, strict=False))
                          for row in rows]
        self.beside = layout.left.strides[layout.axis] != 0

    def written(self) -> None:
        f, blocked = self.f, self.code.plan.blocks > 1
        sums = [constant(self.type, 0)] * (len(self.rows) * self.width)
        if blocked:
            sums = [f.select(f.parameters["first"], zero, f.load(self.type, self._kept(place), self._bytes))
                    for place, zero in enumerate(sums)]
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
        """Store the expressions of all rows and columns."""
        f, form, axis = self.f, self.code.form, self.code.plan.layout.axis
        pointers = [f.parameters[f"s{slot}"] for slot in range(len(form.slots))]
        first = tuple(f.parameters[f"i{place}"] if form.positions else 0 for place in range(len(form.kept)))
        values = [store.value for store in form.stores]
        moving = [place for place in range(len(form.kept)) if place == axis or any(row[place] for row in self.rows)]
        memo = self.code.write.invariant(f, values, pointers, Point(first, axis, 0), moving, {})
        for place, mask in enumerate(self.masks):
            for row, indices in enumerate(self.rows):
                there = [f.add(start, index) for start, index in zip(first, indices, strict=True)]
                there[axis] = f.add(first[axis], place * self.lanes)
                point = Point(tuple(there), axis, self.lanes, mask)
                self.code.write.stores(f, form.stores, pointers, point, [sums[row * self.width + place]], memo)


def _unrolling(length: int, products: int) -> int:
    """How many turns of a loop to write out."""
    if length * products <= UNROLLED:
        return length
    return next(times for times in (4, 2, 1) if length % times == 0 and (times * products <= UNROLLED or times == 1))
