"""Scatters into many rows, such as the gradient of an embedding, in two parts: an order, and the rows.

The order says which entries select the rows of each of many small buckets. With it any rows of the result are computed
for their part of the work. So they form a run with what follows, as the update of the weights: a block of the gradient
is added up and used in the cache, and threads share the rows out.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tarazu.backend.native.lowering.buffers import View
from tarazu.backend.native.lowering.primitives import is_scatter_into_zeros
from tarazu.backend.native.lowering.region.builder import RegionBuilder
from tarazu.backend.native.lowering.steps import Operand, Part, PrimitiveLaunch
from tarazu.base import dtypes
from tarazu.ir.node import Node

BUCKET = 2048  # bytes of the rows of a bucket, at most, unless it is a single one


class Buckets(NamedTuple):
    """The rows of the result of a scatter in buckets of 2 ** `shift` rows, and its entries in the order of these.

    In memory: where the entries of each bucket start, and where the last ones end; a word that only counting needs; and
    the numbers of the entries, those of a bucket as they come.
    """

    shift: int
    number: int
    entries: int

    @classmethod
    def of(cls, node: Node) -> Buckets:
        """Those of a scatter that is done by rows."""
        x, _, *indices = node.inputs
        first = next(n for n in x.shape if n > 1)
        shift = max(BUCKET * first // (x.type.size * x.dtype.itemsize), 1).bit_length() - 1
        entries = math.prod(np.broadcast_shapes(*[index.shape for index in indices]))
        return cls(shift, ((first - 1) >> shift) + 1, entries)

    @property
    def starts(self) -> int:
        """The words in front of the entries."""
        return self.number + 2

    @property
    def size(self) -> int:
        """The words in all."""
        return self.starts + self.entries


def scatter_by_rows(builder: RegionBuilder, node: Node) -> None:
    """Append the launches of a scatter's two parts."""
    from_zeros = is_scatter_into_zeros(node)
    x, *others = node.inputs
    updates, *indices = map(builder.read_contiguous, others)
    order = View.new(dtypes.int32, (Buckets.of(node).size,))
    builder.append(_launch(node, [*indices, order], Part.ORDER))
    base = [] if from_zeros else [builder.read_contiguous(x)]
    rows = Part.ROWS_FROM_ZEROS if from_zeros else Part.ROWS
    builder.append(_launch(node, [*base, updates, *indices, order, builder.store(node)], rows), node)


def _launch(node: Node, views: list[View], part: Part) -> PrimitiveLaunch:
    """The launch that writes the last view."""
    operands = tuple([Operand(view.buffer, view.offset) for view in views])
    return PrimitiveLaunch(operands, frozenset([len(views) - 1]), node,
                           float(sum(view.buffer.size for view in views)), part)
