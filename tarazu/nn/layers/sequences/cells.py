"""Cells: one step of a recurrent network, for own loops and for `RNN`."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.layers.sequences.recurrent_weights import (
    GRUWeights,
    LSTMWeights,
    RecurrentWeights,
    SimpleRNNWeights,
    StateSize,
)
from tarazu.nn.layers.sequences.time_loop import checked_state, float_dtype, in_one_dtype, zero_state
from tarazu.nn.module.module import Module
from tarazu.ops.promote import as_value
from tarazu.ops.typing import Tree
from tarazu.runtime.tensor.tensor import Tensor


class _Cell(RecurrentWeights):
    """What cells share: a call is a step."""

    def _build_once(self, inputs: tuple) -> None:
        super()._build_once(inputs[:1])  # the sizes follow from the input, not from the state

    def _require_axes(self, x: Tensor) -> None:
        if len(x.shape) != 2:
            raise ShapeError(f"an input of shape {tuple(x.shape)}", expected="one step of each sequence: (batch, "
                             "features)", fix="a whole sequence, (batch, time, features), goes through tz.nn.RNN(cell)")

    def forward(self, x: Tensor, state: Tree = None) -> tuple[Tensor, Tree]:
        x = as_value(x)
        self._require_input(x)
        batch, factor = x.shape[0], self._input_factor(tuple(x.shape))
        state = (zero_state(self.state_size, batch, self.weight.dtype) if state is None
                 else checked_state(type(self).__name__, state, self.state_size, batch))
        x, state = in_one_dtype(x, state, self.weight.dtype)
        return self._step(self._x_part(x if factor is None else x * factor), state, self._state_factor(batch))


class LSTMCell(_Cell, LSTMWeights):
    """One step of an `LSTM`: x (batch, features) and a state (h, c) to the output h and the new (h, c).

    Both parts of the state are (batch, units), and zeros where it is left out. Weights, their start values and options
    are those of `LSTM`, but `dropout` and `recurrent_dropout` are drawn anew at each step. ArgumentError for sizes
    below 1, unknown names and a state of another nesting, ShapeError for an input or a state of other sizes.

    >>> import tarazu as tz
    >>> cell = tz.nn.LSTMCell(4)
    >>> y, (h, c) = cell(tz.ones((2, 3)))
    >>> y, (h, c) = cell(tz.ones((2, 3)), (h, c))
    >>> y.shape, c.shape
    ((2, 4), (2, 4))
    """


class GRUCell(_Cell, GRUWeights):
    """One step of a `GRU`: x (batch, features) and a state (batch, units) to the output and the new state.

    These two are the same. Weights, options and errors (ArgumentError, ShapeError) as in `LSTMCell` and `GRU`.

    >>> import tarazu as tz
    >>> cell = tz.nn.GRUCell(4)
    >>> y, state = cell(tz.ones((2, 3)))
    >>> cell(tz.ones((2, 3)), state)[0].shape
    (2, 4)
    """


class SimpleRNNCell(_Cell, SimpleRNNWeights):
    """One step of a `SimpleRNN`: x (batch, features) and a state (batch, units) to the output and the state.

    These two are the same. Weights, options and errors (ArgumentError, ShapeError) as in `LSTMCell` and `SimpleRNN`.

    >>> import tarazu as tz
    >>> y, state = tz.nn.SimpleRNNCell(4, activation="relu")(tz.ones((2, 3)))
    >>> y.shape
    (2, 4)
    """


class StackedRNNCells(Module):
    """Cells one above the other as one: the output of each is the input of the next, and the state has a part for each.

    Called with x (batch, features) and a state, zeros if it is left out. ArgumentError for what is no cell: cells are
    modules with `state_size`, as `RNN` says.

    >>> import tarazu as tz
    >>> y, state = tz.nn.StackedRNNCells([tz.nn.LSTMCell(4), tz.nn.GRUCell(5)])(tz.ones((2, 3)))
    >>> y.shape, state[0][1].shape, state[1].shape
    ((2, 5), (2, 4), (2, 5))
    """

    def __init__(self, cells: Sequence[Module]) -> None:
        self.cells = [require_cell(cell) for cell in cells]
        if not self.cells:
            raise ArgumentError("no cells", expected="at least one", fix="pass a list such as [tz.nn.GRUCell(8)]")

    @property
    def state_size(self) -> StateSize:
        """The sizes of the states of the cells."""
        return tuple(map(state_size_of, self.cells))

    def forward(self, x: Tensor, state: Tree = None) -> tuple[Tensor, Tree]:
        x = as_value(x)
        if state is None:
            state = zero_state(self.state_size, x.shape[0], float_dtype(x))
        after = []
        for cell, own in zip(self.cells, state, strict=True):
            x, new = cell(x, own)
            after.append(new)
        return x, tuple(after)


def state_size_of(cell: Module) -> StateSize:
    """The `state_size` of a cell, which `require_cell` has seen."""
    size: StateSize = attrgetter("state_size")(cell)
    return size


def require_cell(cell: object) -> Module:
    """`cell`; ArgumentError for what is no module with a `state_size`."""
    if isinstance(cell, Module) and hasattr(cell, "state_size"):
        return cell
    kind = type(cell).__name__
    raise ArgumentError(f"a {kind} as cell", expected="a module with state_size, whose forward(x, state) gives the "
                        "output and the new state",
                        fix="set self.state_size = units in its __init__, or take one such as tz.nn.GRUCell(8)")
