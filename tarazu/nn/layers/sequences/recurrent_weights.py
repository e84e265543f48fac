"""The weights and the step of LSTM, GRU and simple recurrent networks, which a cell and the layer over time share."""

from __future__ import annotations

from typing import TypeAlias

from tarazu.base.checks import positive_int
from tarazu.nn.init import Initializer, find_initializer, zeros
from tarazu.nn.layers.activation import ActivationFunction, find_activation
from tarazu.nn.module.last_axis import LastAxisLayer
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.create import full
from tarazu.ops.networks.linear import affine
from tarazu.ops.networks.recurrent import gru, gru_step, lstm, lstm_step
from tarazu.ops.shape import concat
from tarazu.ops.typing import Tree
from tarazu.runtime import random
from tarazu.runtime.random.distributions import require_rate
from tarazu.runtime.tensor.tensor import Tensor

StateSize: TypeAlias = "int | tuple[StateSize, ...]"  # n stands for a state (batch, n)


class RecurrentWeights(LastAxisLayer):
    """Sizes, options, and the weights of the input and of the state."""

    _gates: int
    bias: Parameter

    def __init__(self, units: int, *, dropout: float = 0.0, recurrent_dropout: float = 0.0,
                 in_features: int | None = None, kernel_initializer: str | Initializer = "glorot_uniform",
                 recurrent_initializer: str | Initializer = "orthogonal") -> None:
        self._units = positive_int("units", units)
        require_rate(dropout)
        require_rate(recurrent_dropout)
        self._dropout, self._recurrent_dropout = dropout, recurrent_dropout
        self._initializer = find_initializer(kernel_initializer)
        self._recurrent_initializer = find_initializer(recurrent_initializer)
        super().__init__("in_features", in_features)

    @property
    def state_size(self) -> StateSize:
        """The number of units: the state is (batch, units)."""
        return self._units

    def _make_parameters(self, size: int) -> None:
        width = self._gates * self._units
        self.weight = Parameter(self._initializer((size, width), None))
        self.recurrent_weight = Parameter(self._recurrent_initializer((self._units, width), None))

    def _x_part(self, x: Tensor) -> Tensor:
        """What the input adds to the sums of the gates, (..., gates units)."""
        return affine(x, self.weight, self.bias)

    def _step(self, x_part: Tensor, state: Tree, factor: Tensor | None) -> tuple[Tensor, Tree]:
        """The output and the state after a step; the product with `recurrent_weight` takes the state times `factor`."""
        raise NotImplementedError

    def _run(self, x: Tensor, state: Tree, mask: Tensor | None, *, reverse: bool) -> tuple[Tensor, Tree]:
        """The outputs of all steps and the last state, without dropout of the state."""
        raise NotImplementedError

    def _state_factor(self, batch: int) -> Tensor | None:
        """In training 0 for a share of the units, 1 / (1 - share) for the others; None where nothing is dropped."""
        return self._factor((batch, self._units), self._recurrent_dropout)

    def _input_factor(self, shape: tuple[int, ...]) -> Tensor | None:
        """The same for the input."""
        return self._factor(shape, self._dropout)

    def _factor(self, shape: tuple[int, ...], rate: float) -> Tensor | None:
        return random.dropout(full(shape, 1, dtype=self.weight.dtype), rate) if rate and self.training else None


class LSTMWeights(RecurrentWeights):
    """Those of an LSTM, whose state is the pair (h, c)."""

    _gates = 4

    @property
    def state_size(self) -> StateSize:
        """The sizes of h and c."""
        return self._units, self._units

    def _make_parameters(self, size: int) -> None:
        super()._make_parameters(size)
        units = self._units
        self.bias = Parameter(concat([zeros((units,)), full((units,), 1.0), zeros((2 * units,))]))

    def _step(self, x_part: Tensor, state: Tree, factor: Tensor | None) -> tuple[Tensor, Tree]:
        h, c = state
        h, c, *_ = lstm_step(x_part, h if factor is None else h * factor, c, self.recurrent_weight)
        return h, (h, c)

    def _run(self, x: Tensor, state: Tree, mask: Tensor | None, *, reverse: bool) -> tuple[Tensor, Tree]:
        h, c = state
        return lstm(x, h, c, self.weight, self.recurrent_weight, self.bias, reverse=reverse, mask=mask)


class GRUWeights(RecurrentWeights):
    """Those of a GRU."""

    _gates = 3

    def _make_parameters(self, size: int) -> None:
        super()._make_parameters(size)
        self.bias = Parameter(zeros((3 * self._units,)))
        self.recurrent_bias = Parameter(zeros((3 * self._units,)))

    def _step(self, x_part: Tensor, state: Tree, factor: Tensor | None) -> tuple[Tensor, Tree]:
        h, *_ = gru_step(x_part, state, self.recurrent_weight, self.recurrent_bias, factor)
        return h, h

    def _run(self, x: Tensor, state: Tree, mask: Tensor | None, *, reverse: bool) -> tuple[Tensor, Tree]:
        return gru(x, state, self.weight, self.recurrent_weight, self.bias, self.recurrent_bias, reverse=reverse,
                   mask=mask)


class SimpleRNNWeights(RecurrentWeights):
    """Those of a simple recurrent network, and its activation."""

    _gates = 1

    def __init__(self, units: int, *, activation: str | ActivationFunction | None = "tanh", dropout: float = 0.0,
                 recurrent_dropout: float = 0.0, in_features: int | None = None,
                 kernel_initializer: str | Initializer = "glorot_uniform",
                 recurrent_initializer: str | Initializer = "orthogonal") -> None:
        self._activation = find_activation(activation)
        super().__init__(units, dropout=dropout, recurrent_dropout=recurrent_dropout, in_features=in_features,
                         kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer)

    def _make_parameters(self, size: int) -> None:
        super()._make_parameters(size)
        self.bias = Parameter(zeros((self._units,)))

    def _step(self, x_part: Tensor, state: Tree, factor: Tensor | None) -> tuple[Tensor, Tree]:
        h = self._activation(x_part + affine(state if factor is None else state * factor, self.recurrent_weight))
        return h, h
