"""Kernels of the primitives whose accesses are not affine in loop indices: indexing, sorts, running sums, random bits.

gather_scatter.py and scatter_rows.py (with indexing.py), sorting.py and extremum.py (with sort_key.py), cumulative.py
and random_bits.py write them; kernel_function.py, lines.py and memory.py are shared. Buffers are contiguous and
row-major; the results share no memory with the inputs, but for that of a scatter.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.special.cumulative import cumulative
from tarazu.backend.native.kernels.special.extremum import extremum
from tarazu.backend.native.kernels.special.gather_scatter import gather, scatter
from tarazu.backend.native.kernels.special.random_bits import random_bits
from tarazu.backend.native.kernels.special.scatter_rows import order_of_entries, rows_of_scatter
from tarazu.backend.native.kernels.special.sorting import sort
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.lowering.steps import Part
from tarazu.ir import op as ops
from tarazu.ir.node import Node
from tarazu.ir.op import Op

# Each writes `void name(ptr frame, ptr inputs..., ptr results..., i64 begin, i64 end)` for a node, or gives None for
# nodes that it does not support, such as those of complex numbers.
Write = Callable[[Module, Target, str, Node], Kernel | None]
SPECIAL: dict[Op, Write] = {
    ops.GATHER: gather,
    ops.SCATTER_ADD: scatter,
    ops.SCATTER_SET: scatter,
    ops.SORT: sort,
    ops.CUMSUM: cumulative,
    ops.CUMPROD: cumulative,
    ops.ARGMAX: extremum,
    ops.ARGMIN: extremum,
    ops.RANDOM_BITS: random_bits,
}
PARTS: dict[Part, Write] = {
    Part.ORDER: order_of_entries,
    Part.ROWS: rows_of_scatter,
    Part.ROWS_FROM_ZEROS: functools.partial(rows_of_scatter, from_zeros=True),
}
