"""The two parts of a scatter into many rows: the order of its entries, and any rows of the result, given that.

`lowering/region/scatters.py` says what the order is in memory.
"""

from __future__ import annotations

from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.special.gather_scatter import Entries, copy_unless_there
from tarazu.backend.native.kernels.special.indexing import Indexing
from tarazu.backend.native.kernels.special.kernel_function import KernelFunction, bits_type
from tarazu.backend.native.kernels.special.memory import in_vectors, zero_range
from tarazu.backend.native.llvm.function import Function, Module
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.values import Index, Value, constant, vector
from tarazu.backend.native.lowering.region.scatters import Buckets
from tarazu.ir.node import Node

WORD = "i32"


def order_of_entries(module: Module, target: Target, name: str, node: Node) -> Kernel:
    """The kernel that counts the entries of each bucket and puts their numbers in the order of the buckets."""
    x, _, *indices = node.inputs
    indexing, buckets = Indexing(x.shape, indices, node.attributes["axes"]), Buckets.of(node)
    kernel = KernelFunction(module, name, node, len(indices))
    f, order, rows = kernel.f, kernel.outputs[0], indexing.axes.index(_first_long(node))

    def bucket(entry: Index) -> Index:
        return f.divide(indexing.load_indices(f, kernel.inputs, entry)[rows], 1 << buckets.shift)

    in_vectors(f, buckets.starts, target.lanes, lambda start, width: f.store(
        constant(vector(WORD, width), 0), f.offset(order, start, WORD), 4))
    with f.loop(0, buckets.entries) as loop:  # two words further on, so that in the end starts are where they belong
        _add(f, f.offset(order, f.add(bucket(loop.index), 2), WORD), constant(WORD, 1))
    with f.loop(1, buckets.starts) as loop:
        _add(f, f.offset(order, loop.index, WORD), f.load(WORD, f.offset(order, f.subtract(loop.index, 1), WORD), 4))
    with f.loop(0, buckets.entries) as loop:
        place = _add(f, f.offset(order, f.add(bucket(loop.index), 1), WORD), constant(WORD, 1))
        number = f.convert("trunc", f.index(loop.index), WORD)
        f.store(number, f.offset(order, f.add(place, buckets.starts), WORD), 4)
    return kernel.finish(1)


def rows_of_scatter(module: Module, target: Target, name: str, node: Node, from_zeros: bool = False) -> Kernel:
    """The kernel of the rows, which are its items: what was there, or zeros, and then the entries of their buckets."""
    x, _, *indices = node.inputs
    indexing, buckets, first = Indexing(x.shape, indices, node.attributes["axes"]), Buckets.of(node), _first_long(node)
    kernel = KernelFunction(module, name, node, len(node.inputs) + 1 - from_zeros)
    f, order, row = kernel.f, kernel.inputs[-1], indexing.strides[first]
    begin, end = f.multiply(kernel.begin, row), f.multiply(kernel.end, row)
    if from_zeros:
        zero_range(f, kernel.outputs[0], begin, end, bits_type(x.dtype), target.lanes)
    else:
        copy_unless_there(kernel, begin, end, x.dtype, target)
    entries = Entries(kernel, target, node, indexing, first)
    size = 1 << buckets.shift
    behind = f.divide(f.add(kernel.end, size - 1), size)
    start, stop = (_word(f, order, bucket) for bucket in (f.divide(kernel.begin, size), behind))
    with f.loop(start, stop) as loop:
        entries.update(_word(f, order, f.add(loop.index, buckets.starts)), kernel.inputs[-2 - len(indices):-1])
    return kernel.finish(x.shape[first], rows=x.shape[first])


def _first_long(node: Node) -> int:
    """The first axis of more than one element."""
    return next(axis for axis, n in enumerate(node.shape) if n > 1)


def _word(f: Function, order: Value, number: Index) -> Value:
    """One word of the order, as an index."""
    return f.convert("zext", f.load(WORD, f.offset(order, number, WORD), 4), "i64")


def _add(f: Function, pointer: Value, more: Value) -> Value:
    """Add to the word at `pointer`; what it was before, as an index."""
    old = f.load(WORD, pointer, 4)
    f.store(f.op("add", old, more), pointer, 4)
    return f.convert("zext", old, "i64")
