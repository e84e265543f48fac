"""A step function over the time axis, as a scan: from a start state, in both directions, past padded steps."""

from __future__ import annotations

import functools
from collections.abc import Callable

from tarazu.base.dtypes import DType, float32, promote
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.pytree import flatten, map_leaves
from tarazu.nn.layers.sequences.recurrent_weights import StateSize
from tarazu.ops.control_flow.loops import scan
from tarazu.ops.create import arange, full
from tarazu.ops.elementwise import astype, where
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import argmax
from tarazu.ops.shape import flip, reshape, swapaxes
from tarazu.ops.typing import DTypeLike, Tree
from tarazu.runtime.tensor.tensor import Tensor

Step = Callable[[Tensor, Tree], tuple[Tensor, Tree]]  # (input, state) to (output, state)


def over_time(step: Step, x: Tensor, state: Tree, mask: Tensor | None, *, reverse: bool) -> tuple[Tensor, Tree]:
    """The outputs of all steps, (batch, time, ...), and the last state, for `x` (batch, time, ...).

    Where `mask` (batch, time) is False the state passes unchanged, and the output is 0.
    """
    rows = swapaxes(x, 0, 1)
    if mask is None:
        state, outputs = scan(lambda before, row: step(row, before)[::-1], state, rows, reverse=reverse)
        return swapaxes(outputs, 0, 1), state

    def masked(before: Tree, row: tuple[Tensor, Tensor]) -> tuple[Tree, Tensor]:
        y, after = step(row[0], before)
        return _where_valid(row[1], after, before), _where_valid(row[1], y, full(y.shape, 0, dtype=y.dtype))

    state, outputs = scan(masked, state, (rows, swapaxes(mask, 0, 1)), reverse=reverse)
    return swapaxes(outputs, 0, 1), state


def _where_valid(mask: Tensor, new: Tree, old: Tree) -> Tree:
    """Each tensor of `new` in the rows where the mask is true, that of `old` in the others."""
    return map_leaves(lambda x, y: where(reshape(mask, (-1, *[1] * (len(x.shape) - 1))), x, y), new, old)


def last_output(outputs: Tensor, mask: Tensor | None, *, reverse: bool) -> Tensor:
    """The output of the step that came last, of those where the mask is true; 0 for a row where it is nowhere."""
    if mask is None:
        return outputs[:, 0 if reverse else -1]
    first = argmax(mask if reverse else flip(mask, 1), 1)
    return outputs[arange(outputs.shape[0]), first if reverse else outputs.shape[1] - 1 - first]


def zero_state(size: StateSize, batch: int, dtype: DTypeLike) -> Tree:
    """Zeros (batch, n) for each n of a size."""
    if isinstance(size, tuple | list):
        return tuple([zero_state(part, batch, dtype) for part in size])
    return full((batch, size), 0, dtype=dtype)


def float_dtype(x: Tensor) -> DType:
    """The dtype of floats, float32 for other inputs."""
    return x.dtype if x.dtype.is_float else float32


def in_one_dtype(x: Tensor, state: Tree, dtype: DType) -> tuple[Tensor, Tree]:
    """The input and the state, as far as they are floats, in the dtype that holds both and `dtype`, that of weights.

    So a state keeps its dtype from step to step.
    """
    floats = [leaf.dtype for leaf in (x, *flatten(state)[0]) if leaf.dtype.is_float]
    common = functools.reduce(promote, floats, dtype)

    def cast(leaf: Tensor) -> Tensor:
        return astype(leaf, common, copy=False) if leaf.dtype.is_float else leaf

    return cast(x), map_leaves(cast, state)


def checked_state(owner: str, state: Tree, size: StateSize, batch: int) -> Tree:
    """A state that a caller gave to an `owner`, as tensors: ArgumentError for another nesting than that of `size`,
    ShapeError for other shapes.
    """
    parts = len(state) if isinstance(state, tuple | list) else None
    if parts != (len(size) if isinstance(size, tuple | list) else None):
        what = "one tensor" if parts is None else f"{parts} parts"
        raise ArgumentError(f"a state of {what} for {owner}", expected=_shapes(size),
                            fix="pass the state as a cell, or a layer with return_state=True, gives it")
    if isinstance(size, tuple | list):
        return tuple([checked_state(owner, part, n, batch) for part, n in zip(state, size, strict=True)])
    x = as_value(state)
    if tuple(x.shape) != (batch, size):
        raise ShapeError(f"a state of shape {tuple(x.shape)} for {owner}", expected=f"shape {(batch, size)}",
                         fix="a state has one row for each sequence of the batch")
    return x


def _shapes(size: StateSize) -> str:
    if isinstance(size, tuple | list):
        return f"({', '.join(map(_shapes, size))})"
    return f"(batch, {size})"
