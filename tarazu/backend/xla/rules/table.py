"""One row per primitive, `row(*arrays, **attributes)` on JAX's arrays, and graphs run by them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from tarazu.backend.xla.rules import contract, control, elementwise, index, linalg, random_bits, reduce, shape
from tarazu.ir.graph import Graph
from tarazu.ir.op import Op


def interpret(graph: Graph, arrays: Sequence[jax.Array]) -> list[jax.Array]:
    """The outputs of a graph, primitive by primitive."""
    return graph.evaluate(arrays, lambda op, inputs, attributes: ROWS[op](*inputs, **attributes), jnp.asarray)


ROWS: dict[Op, Callable[..., Any]] = {
    **elementwise.ROWS, **shape.ROWS, **index.ROWS, **reduce.ROWS, **contract.ROWS, **linalg.ROWS, **random_bits.ROWS,
    **{op: functools.partial(row, interpret) for op, row in control.ROWS.items()},
}
