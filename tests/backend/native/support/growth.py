"""The values of a graph that grows, and what a step asks of it: operands of some dtype, shape, range and exactness."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from choices import Choices
from inputs import Source, draw

from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops
from tarazu.ir.node import Builder, Node
from tarazu.ir.op import Op
from tarazu.ir.types import Shape, TensorType

SIZES = {3: 8, 1: 6, 2: 6, 4: 3, 5: 3, 7: 3, 8: 3, 15: 2, 16: 3, 17: 3, 31: 1, 33: 2, 64: 2, 65: 2, 0: 1, 130: 1}
DTYPES = {dtypes.float32: 60, dtypes.float64: 12, dtypes.int64: 6, dtypes.int32: 6, dtypes.bool_: 6,
          dtypes.bfloat16: 5, dtypes.float16: 4, dtypes.uint8: 3, dtypes.uint32: 3, dtypes.int8: 2, dtypes.int16: 2,
          dtypes.uint16: 1, dtypes.uint64: 2, dtypes.complex64: 2, dtypes.complex128: 1}
FLOATS = {dtype: weight for dtype, weight in DTYPES.items() if dtype.is_float}
INTEGERS = {dtype: weight for dtype, weight in DTYPES.items() if dtype.is_integer}
NUMBERS = {**FLOATS, **INTEGERS}
LARGEST = {dtypes.float16: 60.0, dtypes.bfloat16: 200.0}  # bounds that values of a dtype are kept below
LARGEST_OTHERWISE = 2000.0


class Item(NamedTuple):
    """A value: its node, whether every backend computes the same bits, and what its absolute value never exceeds."""

    node: Node
    exact: bool
    bound: float = 1.0

    @property
    def shape(self) -> Shape:
        return self.node.shape

    @property
    def dtype(self) -> DType:
        return self.node.dtype


VALUES = Source("values")


class Growth:
    """A graph under construction. Bodies of loops are growths of their own with the same choices, one level deeper."""

    def __init__(self, choose: Choices, largest: int, depth: int = 0) -> None:
        self.choose, self.largest, self.depth = choose, largest, depth
        self.builder = Builder()
        self.items: list[Item] = []
        self.parameters: list[Node] = []
        self.sources: list[Source] = []
        self.used: set[Node] = set()

    # What is made

    def parameter(self, type_: TensorType, source: Source = VALUES, bound: float = 4.0,
                  exact: bool = True) -> Item:
        node = self.builder.parameter(type_)
        self.parameters.append(node)
        self.sources.append(source)
        return self.keep(Item(node, exact, bound))

    def constant(self, value: Any, dtype: DType, exact: bool = True) -> Item:
        array = np.asarray(value).astype(dtype.numpy)
        bound = float(np.abs(array.astype(np.float64)).max(initial=0)) if dtype.kind != "complex" else 4.0
        return Item(self.builder.constant(array), exact, bound)

    def keep(self, item: Item) -> Item:
        self.items.append(item)
        return item

    def node(self, op: Op, inputs: list[Node], **attributes: Any) -> Any:
        self.used.update(inputs)
        return self.builder.add(op, inputs, attributes)

    def apply(self, op: Op, *inputs: Item, bound: float, exact: bool = False, **attributes: Any) -> Item:
        """The one result of `op`, not kept; `exact` when it is so for exact inputs."""
        node = self.node(op, [item.node for item in inputs], **attributes)
        return Item(node, exact and all(item.exact for item in inputs), bound)

    # What is asked for

    def size(self) -> int:
        return self.choose.weighted(SIZES)

    def shape(self, rank: int | None = None, largest: int | None = None) -> Shape:
        rank = self.choose.weighted({2: 6, 1: 5, 3: 4, 0: 1, 4: 2}) if rank is None else rank
        shape: list[int] = []
        for _ in range(rank):
            size = self.size()
            shape.append(size if math.prod(shape) * size <= (largest or self.largest) else self.choose.between(1, 3))
        return tuple(self.choose.shuffled(shape))

    def dtype(self, among: dict[DType, int] = DTYPES) -> DType:
        return self.choose.weighted(among)

    def fits(self, *sizes: int) -> bool:
        return math.prod(sizes) <= self.largest

    def operand(self, among: dict[DType, int] = DTYPES, rank: int = 0, exact: bool = False,
                nonempty: bool = False) -> Item:
        """A value of one of these dtypes, with at least so many axes: a recent one, any one or a new parameter."""
        found = [item for item in self.items if item.dtype in among and len(item.shape) >= rank
                 and (item.exact or not exact) and not (nonempty and 0 in item.shape)]
        unused = [item for item in found if item.node not in self.used]
        if unused and self.choose.chance(60):
            return unused[-1 - self.choose.below(len(unused))]
        if found and self.choose.chance(80 if self.depth == 0 else 95):
            return found[-1 - self.choose.below(len(found))]
        shape = self.shape(max(rank, self.choose.between(0, 3)))
        if nonempty:
            shape = tuple(max(size, 1) for size in shape)
        return self.fresh(TensorType(shape, self.dtype(among)))

    def fresh(self, type_: TensorType, source: Source = VALUES) -> Item:
        """A new value that comes from outside; inside a body, a constant or what is computed from one."""
        if self.depth == 0 and (source.kind == "values" or self.choose.chance(70)):
            return self.parameter(type_, source)
        rng = np.random.default_rng(self.choose.below(1000))
        return self.constant(draw(rng, type_, source), type_.dtype)

    def like(self, item: Item, *, exact: bool = False) -> Item:
        """A value of the same dtype that broadcasts with `item` without growing the result beyond the limit."""
        found = [other for other in self.items if other.dtype is item.dtype and (other.exact or not exact)
                 and self.broadcasts(item.shape, other.shape)]
        if found and self.choose.chance(70):
            return found[-1 - self.choose.below(len(found))]
        keep_from = self.choose.below(len(item.shape) + 1)
        shape = tuple(1 if self.choose.chance(25) else size for size in item.shape[keep_from:])
        if self.choose.chance(30):
            shape = ()
        return self.fresh(TensorType(shape, item.dtype))

    def broadcasts(self, *shapes: Shape) -> bool:
        try:
            return self.fits(*np.broadcast_shapes(*shapes))
        except ValueError:
            return False

    # Keeping values tame

    def limit(self, item: Item, bound: float) -> Item:
        """`item` with every absolute value at most `bound`, by clipping or by tanh."""
        bound = min(bound, LARGEST.get(item.dtype, LARGEST_OTHERWISE))
        if item.bound <= bound or not item.dtype.is_float:
            return item
        if self.choose.chance(30) and not item.exact and bound >= 1:
            return self.apply(ops.TANH, item, bound=1.0)
        low, high = (self.constant(sign * bound, item.dtype) for sign in (-1, 1))
        return self.apply(ops.MAXIMUM, self.apply(ops.MINIMUM, item, high, bound=item.bound, exact=True), low,
                          bound=bound, exact=True)

    def tame(self, item: Item) -> Item:
        return self.keep(self.limit(item, LARGEST_OTHERWISE))

    def positive(self, item: Item, bound: float, least: float) -> Item:
        """|item| + least, at most about `bound`."""
        size = self.apply(ops.ABS, self.limit(item, bound), bound=min(item.bound, bound), exact=True)
        return self.apply(ops.ADD, size, self.constant(least, item.dtype), bound=size.bound + least)

    def conform(self, wanted: TensorType) -> Item:
        """Some value of the wanted type, made from what is there."""
        same = [item for item in self.items if item.node.type == wanted]
        if same and self.choose.chance(80):
            return same[-1 - self.choose.below(len(same))]
        scalar = self.scalar(self.operand({wanted.dtype: 1}))
        if scalar.shape == wanted.shape:
            return scalar
        return self.apply(ops.BROADCAST, scalar, bound=scalar.bound, exact=True, shape=wanted.shape)

    def scalar(self, item: Item) -> Item:
        """One number made of all elements; for none of them a constant."""
        if not item.shape:
            return item
        if 0 in item.shape:
            return self.constant(1, item.dtype)
        axes = tuple(range(len(item.shape)))
        if item.dtype.kind == "complex":
            return self.apply(ops.SUM, item, bound=item.bound, axes=axes)
        op = ops.ANY_TRUE if item.dtype is dtypes.bool_ else ops.MAX
        return self.apply(op, item, bound=item.bound, exact=True, axes=axes)
