"""Branches and loops. Where what they depend on is known they run step by step, else as parts of the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.base.errors import TraceError
from tarazu.interop.onnx.reading.bounds import RECORDED, count_kept, count_work, in_loop, require_fair
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, in_usual_layout, is_known, number
from tarazu.ir.interpreter import state
from tarazu.ops import shape as shapes
from tarazu.ops.control_flow.branch import cond
from tarazu.ops.control_flow.loops import scan as scan_over
from tarazu.ops.control_flow.loops import while_loop
from tarazu.ops.create import full
from tarazu.ops.elementwise import less, logical_and
from tarazu.ops.promote import as_value

BLOCK = 1024  # rows that are gathered before they are joined, which takes less memory
Function = Callable[..., tuple[Any, ...]]


@operator("If", bodies=True)
def if_(condition: Any, then_branch: Function, else_branch: Function) -> tuple[Any, ...]:
    """The results of one of two branches."""
    if is_known(condition):
        return in_usual_layout((then_branch if bool(number(condition)) else else_branch)())
    return tuple(cond(shapes.reshape(condition, ()), lambda: _tensors(then_branch()), lambda: _tensors(else_branch())))


def _tensors(values: Sequence[Any]) -> list[Any]:
    return [as_value(value) for value in in_usual_layout(values)]


@operator("Loop", bodies=True)
def loop(trips: Any, condition: Any, *carried: Any, body: Function, outputs: int) -> tuple[Any, ...]:
    """The body again and again: as often as is said, as long as its condition holds; gives the last values, then what
    was gathered in each round."""
    if not (is_known(trips) and is_known(condition)):
        return _traced_loop(trips, condition, carried, body, outputs)
    most = None if trips is None else int(number(trips))
    goes_on: Any = np.array(True) if condition is None else condition
    gathered = [_Rows() for _ in range(outputs - len(carried))]
    each = RECORDED if state.interpreter.is_tracing else 1  # a traced graph holds the steps of all rounds
    index = 0
    while (most is None or index < most) and bool(number(_readable(goes_on))):
        count_work(1)
        with in_loop(each):
            goes_on, *results = in_usual_layout(body(np.array(index, np.int64), goes_on, *carried))
        carried = tuple(results[:len(carried)])
        for rows, row in zip(gathered, results[len(carried):], strict=True):
            rows.append(row)
        index += 1
    return (*carried, *(rows.joined() for rows in gathered))


def _readable(condition: Any) -> Any:
    if not is_known(condition):
        raise TraceError("a Loop whose condition is computed inside, from values that are traced",
                         expected="a loop whose number of rounds is known", fix="call the model without jit")
    return condition


class _Rows:
    """What a loop gathers, one row in each round."""

    def __init__(self) -> None:
        self._blocks: list[Any] = []
        self._last: list[Any] = []  # rows that are in no block yet

    def append(self, row: Any) -> None:
        count_kept(row)
        self._last.append(row)
        if len(self._last) == BLOCK:
            self._end_block()

    def _end_block(self) -> None:
        are_known = all(isinstance(row, np.ndarray) for row in self._last)
        self._blocks.append(np.stack(self._last) if are_known else shapes.stack(self._last))
        self._last = []

    def joined(self) -> Any:
        """All rows, stacked."""
        if self._last:
            self._end_block()
        if len(self._blocks) < 2:
            return self._blocks[0] if self._blocks else np.zeros(0, np.float32)
        are_known = all(isinstance(block, np.ndarray) for block in self._blocks)
        return np.concatenate(self._blocks) if are_known else shapes.concat(self._blocks)


def _traced_loop(trips: Any, condition: Any, carried: Sequence[Any], body: Function,
                 outputs: int) -> tuple[Any, ...]:
    if outputs > len(carried):
        raise TraceError("a Loop that gathers results, as often as values say that are traced",
                         expected="a loop whose number of rounds is known", fix="call the model without jit")

    def step(state: Sequence[Any]) -> list[Any]:
        index, goes_on, *values = state
        goes_on, *values = _tensors(body(index, goes_on, *values))
        return [index + 1, shapes.reshape(goes_on, ()), *values]

    most = np.iinfo(np.int64).max if trips is None else shapes.reshape(trips, ())
    first = full((), True) if condition is None else shapes.reshape(condition, ())
    state = [as_value(np.array(0, np.int64)), first, *_tensors(carried)]
    return tuple(while_loop(lambda state: logical_and(less(state[0], most), state[1]), step, state)[2:])


@operator("Scan", since=9, bodies=True)
def scan(*inputs: Any, body: Function, num_scan_inputs: int, scan_input_axes: Sequence[int] = (),
         scan_output_axes: Sequence[int] = (), scan_input_directions: Sequence[int] = (),
         scan_output_directions: Sequence[int] = ()) -> tuple[Any, ...]:
    """The body for each slice of some inputs; gives the last states, then the results of all rounds side by side."""
    count = len(inputs) - num_scan_inputs
    states, rows = _tensors(inputs[:count]), _tensors(inputs[count:])
    rows = [_turned(shapes.moveaxis(row, axis, 0), direction) for row, axis, direction in zip(
        rows, _each(scan_input_axes, len(rows)), _each(scan_input_directions, len(rows)), strict=True)]

    rounds = rows[0].shape[0]

    def step(states: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
        with in_loop(rounds):
            results = _tensors(body(*states, *row))
        for gathered in results[count:]:
            require_fair(rounds, *gathered.shape)
        return results[:count], results[count:]

    states, gathered = scan_over(step, states, rows)
    axes, directions = _each(scan_output_axes, len(gathered)), _each(scan_output_directions, len(gathered))
    return (*states, *(shapes.moveaxis(_turned(row, direction), 0, axis)
                       for row, axis, direction in zip(gathered, axes, directions, strict=True)))


@operator("Scan", since=8, bodies=True)
def scan_of_batches(lengths: Any, *inputs: Any, body: Function, num_scan_inputs: int,
                    directions: Sequence[int] = ()) -> tuple[Any, ...]:
    """`scan` for each sample of a batch."""
    results = [scan(*(as_value(x)[i] for x in inputs), body=body, num_scan_inputs=num_scan_inputs,
                    scan_input_directions=directions) for i in range(inputs[0].shape[0])]
    return tuple(shapes.stack(parts) for parts in zip(*results, strict=True))


def _each(values: Sequence[int], count: int) -> Sequence[int]:
    return values or (0,) * count


def _turned(x: Array, direction: int) -> Any:
    return shapes.flip(x, 0) if direction else x


@operator("SequenceMap", bodies=True)
def sequence_map(first: list[Any], *others: Any, body: Function) -> tuple[list[Any], ...]:
    """The body for each of a list; other lists give one after the other too, tensors the same each time."""
    with in_loop():
        rounds = [body(item, *(other[i] if isinstance(other, list) else other for other in others))
                  for i, item in enumerate(first)]
    return tuple(list(parts) for parts in zip(*in_usual_layout(rounds), strict=True))
