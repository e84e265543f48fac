"""Recurrent layers over sequences: (batch, time, features), from the first step to the last."""

from __future__ import annotations

from typing import Any

from tarazu.base.checks import positive_int
from tarazu.nn.init import Initializer, find_initializer, zeros
from tarazu.nn.layers.axes import require_sequences
from tarazu.nn.layers.last_axis import LastAxisLayer
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.create import full
from tarazu.ops.networks.recurrent import gru, lstm
from tarazu.ops.shape import concat


class _Recurrent(LastAxisLayer):
    """What recurrent layers share: sizes, options and the weights of the input and of the state."""

    _gates: int

    def __init__(self, units: int, return_sequences: bool = False, *, reverse: bool = False,
                 in_features: int | None = None, kernel_initializer: str | Initializer = "glorot_uniform",
                 recurrent_initializer: str | Initializer = "orthogonal") -> None:
        self._units, self._returns_sequences, self._is_reverse = positive_int("units", units), return_sequences, reverse
        self._initializer = find_initializer(kernel_initializer)
        self._recurrent_initializer = find_initializer(recurrent_initializer)
        super().__init__("in_features", in_features)

    def _make(self, features: int) -> None:
        width = self._gates * self._units
        self.weight = Parameter(self._initializer((features, width), None))
        self.recurrent_weight = Parameter(self._recurrent_initializer((self._units, width), None))

    def _require_axes(self, x: Any) -> None:
        require_sequences(x)

    def _start(self, x: Any) -> Any:
        """The state before the first step, after a check of the input."""
        require_sequences(x)
        self._require_size(x)
        return full((x.shape[0], self._units), 0, dtype=self.weight.dtype)


class LSTM(_Recurrent):
    """A long short-term memory (Hochreiter and Schmidhuber, 1997), from a state of zeros.

    (batch, time, features) to the last output (batch, units), or with `return_sequences` to all (batch, time, units);
    `reverse` goes from the last step to the first. `in_features` may be left out and is then taken from the first
    input. `weight` (features, 4 units), `recurrent_weight` (units, 4 units) and `bias` (4 units,) hold the gates input,
    forget, cell, output side by side. Biases start at 0, those of the forget gate at 1 (Jozefowicz et al., 2015).

    >>> import tarazu as tz
    >>> tz.nn.LSTM(128)(tz.ones((2, 10, 32))).shape
    (2, 128)
    """

    _gates = 4

    def _make(self, features: int) -> None:
        super()._make(features)
        units = self._units
        self.bias = Parameter(concat([zeros((units,)), full((units,), 1.0), zeros((2 * units,))]))

    def forward(self, x: Any) -> Any:
        start = self._start(x)
        outputs, (last, _) = lstm(x, start, start, self.weight, self.recurrent_weight, self.bias,
                                  reverse=self._is_reverse)
        return outputs if self._returns_sequences else last


class GRU(_Recurrent):
    """A gated recurrent unit (Cho et al., 2014) in the form of cuDNN and torch, from a state of zeros.

    Input, output and options are those of `LSTM`. `weight` (features, 3 units), `recurrent_weight` (units, 3 units),
    `bias` and `recurrent_bias` (3 units,) hold the gates reset, update, new side by side. Biases start at 0.

    >>> import tarazu as tz
    >>> tz.nn.GRU(128, return_sequences=True)(tz.ones((2, 10, 32))).shape
    (2, 10, 128)
    """

    _gates = 3

    def _make(self, features: int) -> None:
        super()._make(features)
        self.bias = Parameter(zeros((3 * self._units,)))
        self.recurrent_bias = Parameter(zeros((3 * self._units,)))

    def forward(self, x: Any) -> Any:
        outputs, last = gru(x, self._start(x), self.weight, self.recurrent_weight, self.bias, self.recurrent_bias,
                            reverse=self._is_reverse)
        return outputs if self._returns_sequences else last
