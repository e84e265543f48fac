"""Recurrent layers: LSTM, GRU and simple networks over time, and `RNN` for cells of any kind."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.base.dtypes import DType
from tarazu.nn.init import Initializer
from tarazu.nn.layers.activation import ActivationFunction
from tarazu.nn.layers.checks import require_sequences
from tarazu.nn.layers.sequences.cells import StackedRNNCells, require_cell, state_size_of
from tarazu.nn.layers.sequences.recurrent_weights import (
    GRUWeights,
    LSTMWeights,
    RecurrentWeights,
    SimpleRNNWeights,
)
from tarazu.nn.layers.sequences.time_loop import (
    checked_state,
    float_dtype,
    in_one_dtype,
    last_output,
    over_time,
    zero_state,
)
from tarazu.nn.module.module import Module
from tarazu.ops.networks.recurrent import checked_time_mask
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike, Tree
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.tensor import Tensor


class OverTime(Module):
    """What layers over time share: which results they give, and the checks of a call."""

    _returns_sequences: bool
    _returns_state: bool
    _is_reverse: bool

    def _set_results(self, return_sequences: bool, return_state: bool, reverse: bool) -> None:
        self._returns_sequences, self._returns_state = return_sequences, return_state
        self._is_reverse = reverse

    def _checked_mask(self, mask: ArrayLike | None, x: Tensor) -> Tensor | None:
        return None if mask is None else checked_time_mask(type(self).__name__, mask, x)

    def _results(self, outputs: Tensor, last: Tensor, state: Tree) -> Tensor | tuple[Tensor, Tree]:
        y = outputs if self._returns_sequences else last
        return (y, state) if self._returns_state else y


class _Recurrent(OverTime, RecurrentWeights):
    """Layers with weights of their own; the state is the output of a step, or the first part of it is."""

    def __init__(self, units: int, return_sequences: bool = False, *, return_state: bool = False, reverse: bool = False,
                 dropout: float = 0.0, recurrent_dropout: float = 0.0, in_features: int | None = None,
                 kernel_initializer: str | Initializer = "glorot_uniform",
                 recurrent_initializer: str | Initializer = "orthogonal") -> None:
        self._set_results(return_sequences, return_state, reverse)
        super().__init__(units, dropout=dropout, recurrent_dropout=recurrent_dropout, in_features=in_features,
                         kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer)

    def _require_axes(self, x: Tensor) -> None:
        require_sequences(x)

    def forward(self, x: Tensor, *, initial_state: Tree = None,
                mask: ArrayLike | None = None) -> Tensor | tuple[Tensor, Tree]:
        x = as_value(x)
        self._require_input(x)
        batch, size = x.shape[0], self.state_size
        mask = self._checked_mask(mask, x)
        state = (zero_state(size, batch, self.weight.dtype) if initial_state is None
                 else checked_state(type(self).__name__, initial_state, size, batch))
        x, state = in_one_dtype(x, state, self.weight.dtype)
        factor = self._input_factor((batch, 1, x.shape[-1]))
        outputs, state = self._sequence(x if factor is None else x * factor, state, mask, self._state_factor(batch))
        return self._results(outputs, state[0] if isinstance(size, tuple) else state, state)

    def _sequence(self, x: Tensor, state: Tree, mask: Tensor | None, factor: Tensor | None) -> tuple[Tensor, Tree]:
        if factor is None:
            return self._run(x, state, mask, reverse=self._is_reverse)
        return over_time(lambda x_part, before: self._step(x_part, before, factor), self._x_part(x), state, mask,
                         reverse=self._is_reverse)


class LSTM(_Recurrent, LSTMWeights):
    """A long short-term memory (Hochreiter and Schmidhuber, 1997).

    (batch, time, features) to the last output (batch, units), or with `return_sequences` to all (batch, time, units);
    with `return_state` to a pair of that and the last state, (h, c), each (batch, units). `reverse` goes from the last
    step to the first. Options of the call: `initial_state`, such a state, by default zeros; `mask`, booleans (batch,
    time), True where there is a value. The state passes all other steps unchanged and the outputs there are 0, so that
    a padded sequence gives what it gives without its padding.

    In training `dropout` drops a share of the features, `recurrent_dropout` a share of the state where it goes into the
    gates, for each sequence the same at all steps (Gal and Ghahramani, 2016). `in_features` may be left out and is then
    taken from the first input. `weight` (features, 4 units), `recurrent_weight` (units, 4 units) and `bias` (4 units,)
    hold the gates input, forget, cell, output side by side. The first starts as `kernel_initializer` says, the second
    orthogonal (Saxe, McClelland and Ganguli, 2014), biases at 0, those of the forget gate at 1 (Jozefowicz and others,
    2015).

    ArgumentError for sizes below 1, unknown names, rates that are no shares and a state that is no pair; ShapeError for
    an input that is no batch of sequences or has other features, and for a state or mask of other sizes; DTypeError for
    a mask that is not boolean.

    >>> import tarazu as tz
    >>> tz.nn.LSTM(128)(tz.ones((2, 10, 32))).shape
    (2, 128)
    >>> y, (h, c) = tz.nn.LSTM(4, return_sequences=True, return_state=True)(tz.ones((2, 10, 3)))
    >>> tz.nn.LSTM(4)(tz.ones((2, 7, 3)), initial_state=(h, c), mask=tz.ones((2, 7), dtype=tz.bool)).shape
    (2, 4)
    """


class GRU(_Recurrent, GRUWeights):
    """A gated recurrent unit (Cho and others, 2014) in the form of cuDNN and torch.

    Input, output, options and errors (ArgumentError, ShapeError, DTypeError) are those of `LSTM`, but the state is one
    tensor (batch, units), the last output. `weight` (features, 3 units), `recurrent_weight` (units, 3 units), `bias`
    and `recurrent_bias` (3 units,) hold the gates reset, update, new side by side. Biases start at 0.

    >>> import tarazu as tz
    >>> tz.nn.GRU(128, return_sequences=True)(tz.ones((2, 10, 32))).shape
    (2, 10, 128)
    """


class SimpleRNN(_Recurrent, SimpleRNNWeights):
    """A simple recurrent network (Elman, 1990): h' = activation(x weight + bias + h recurrent_weight).

    Input, output, options and errors (ArgumentError, ShapeError, DTypeError) are those of `LSTM`, but the state is one
    tensor (batch, units), the last output. `weight` is (features, units), `recurrent_weight` (units, units), `bias`
    (units,), which starts at 0.

    >>> import tarazu as tz
    >>> tz.nn.SimpleRNN(8, activation="relu")(tz.ones((2, 10, 3))).shape
    (2, 8)
    """

    def __init__(self, units: int, return_sequences: bool = False, *, return_state: bool = False, reverse: bool = False,
                 activation: str | ActivationFunction | None = "tanh", dropout: float = 0.0,
                 recurrent_dropout: float = 0.0, in_features: int | None = None,
                 kernel_initializer: str | Initializer = "glorot_uniform",
                 recurrent_initializer: str | Initializer = "orthogonal") -> None:
        self._set_results(return_sequences, return_state, reverse)
        SimpleRNNWeights.__init__(self, units, activation=activation, dropout=dropout,
                                  recurrent_dropout=recurrent_dropout, in_features=in_features,
                                  kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer)

    def _run(self, x: Tensor, state: Tree, mask: Tensor | None, *, reverse: bool) -> tuple[Tensor, Tree]:
        return over_time(lambda x_part, h: self._step(x_part, h, None), self._x_part(x), state, mask, reverse=reverse)


class RNN(OverTime):
    """Runs a cell over time: (batch, time, ...) to its last output, or with `return_sequences` to all outputs.

    A cell is a module whose `forward(x, state)` gives the output and the new state for one step x (batch, ...). Its
    attribute `state_size` is n for a state (batch, n), or a tuple of such sizes for a tuple of states, nested as you
    like. Of a list of cells each takes the outputs of the one before (`StackedRNNCells`). Options, those of the call
    too, and errors (ArgumentError, ShapeError, DTypeError) are those of `LSTM`; ArgumentError for what is no cell.

    >>> import tarazu as tz
    >>> class Smoothing(tz.nn.Module):
    ...     def __init__(self, features):
    ...         self.state_size = features
    ...     def forward(self, x, state):
    ...         state = 0.5 * (state + x)
    ...         return state, state
    >>> tz.nn.RNN(Smoothing(1))(tz.ones((1, 3, 1)))
    Tensor([[0.875]], dtype=float32)
    """

    def __init__(self, cell: Module | Sequence[Module], return_sequences: bool = False, *, return_state: bool = False,
                 reverse: bool = False) -> None:
        self._set_results(return_sequences, return_state, reverse)
        self.cell = StackedRNNCells(cell) if isinstance(cell, list | tuple) else require_cell(cell)

    def forward(self, x: Tensor, *, initial_state: Tree = None,
                mask: ArrayLike | None = None) -> Tensor | tuple[Tensor, Tree]:
        x = as_value(x)
        if len(x.shape) < 3:
            require_sequences(x)
        mask, size = self._checked_mask(mask, x), state_size_of(self.cell)
        state = (zero_state(size, x.shape[0], self._dtype(x)) if initial_state is None
                 else checked_state("RNN", initial_state, size, x.shape[0]))
        x, state = in_one_dtype(x, state, self._dtype(x))
        if any(module.waits_for_input() for _, module in self.cell.named_modules()):
            with no_grad():
                self.cell(x[:, 0], state)  # layers in it see an input before the loop traces them
        outputs, state = over_time(self.cell, x, state, mask, reverse=self._is_reverse)
        return self._results(outputs, last_output(outputs, mask, reverse=self._is_reverse), state)

    def _dtype(self, x: Tensor) -> DType:
        """That of the parameters of the cell, where it has any."""
        return next((parameter.dtype for _, parameter in self.cell.named_parameters()), float_dtype(x))
