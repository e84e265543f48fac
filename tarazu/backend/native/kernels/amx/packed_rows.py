"""The copy of a left factor whose rows of pairs are not contiguous in memory, or are fewer than those of a tile."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.backend.native.kernels.amx.operations import COLUMNS, ITEM
from tarazu.backend.native.kernels.packing import Panel
from tarazu.backend.native.llvm.types import memory_type
from tarazu.base.dtypes import uint32


def packed_rows(rows: int, row: int, sizes: Sequence[int], strides: Sequence[int], pairs: int) -> Panel:
    """The panel of so many rows, `row` pairs apart, of what is summed along axes of these sizes and strides: in a row
    one step after the other, each as wide as a tile.

    Its columns are the `pairs` of a step, its first axis, which may be cut at run time, are the rows.
    """
    outer = [(size, stride * ITEM) for size, stride in zip(sizes[:-1], strides[:-1], strict=True)]
    steps = sizes[-1] // pairs, pairs * strides[-1] * ITEM
    return Panel(memory_type(uint32), ITEM, COLUMNS, 1, pairs < COLUMNS, strides[-1] * ITEM,
                 ((rows, row * ITEM), *outer, steps))
