"""Recurrent layers over sequences, (batch, time, features): LSTM and GRU."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.nn.init import Initializer, find_initializer, zeros
from tarazu.nn.layers.checks import require_sequences
from tarazu.nn.module.last_axis import LastAxisLayer
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.create import full
from tarazu.ops.networks.recurrent import gru, lstm
from tarazu.ops.shape import concat
from tarazu.runtime.tensor.tensor import Tensor


class _Recurrent(LastAxisLayer):
    """What recurrent layers share: sizes, options, the weights of the input and of the state, and the calls."""

    _gates: int

    def __init__(self, units: int, return_sequences: bool = False, *, reverse: bool = False,
                 in_features: int | None = None, kernel_initializer: str | Initializer = "glorot_uniform",
                 recurrent_initializer: str | Initializer = "orthogonal") -> None:
        self._units, self._returns_sequences, self._is_reverse = positive_int("units", units), return_sequences, reverse
        self._initializer = find_initializer(kernel_initializer)
        self._recurrent_initializer = find_initializer(recurrent_initializer)
        super().__init__("in_features", in_features)

    def _make_parameters(self, size: int) -> None:
        width = self._gates * self._units
        self.weight = Parameter(self._initializer((size, width), None))
        self.recurrent_weight = Parameter(self._recurrent_initializer((self._units, width), None))

    def _require_axes(self, x: Tensor) -> None:
        require_sequences(x)

    def forward(self, x: Tensor) -> Tensor:
        self._require_input(x)
        outputs, last = self._run(x, full((x.shape[0], self._units), 0, dtype=self.weight.dtype))
        return outputs if self._returns_sequences else last

    def _run(self, x: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """The outputs of all steps, and that of the last one, from a state of zeros."""
        raise NotImplementedError


class LSTM(_Recurrent):
    """A long short-term memory (Hochreiter and Schmidhuber, 1997), from a state of zeros.

    (batch, time, features) to the last output (batch, units), or with `return_sequences` to all (batch, time, units);
    `reverse` goes from the last step to the first. `in_features` may be left out and is then taken from the first
    input. `weight` (features, 4 units), `recurrent_weight` (units, 4 units) and `bias` (4 units,) hold the gates input,
    forget, cell, output side by side. The first starts as `kernel_initializer` says, the second orthogonal (Saxe,
    McClelland and Ganguli, 2014), biases at 0, those of the forget gate at 1 (Jozefowicz and others, 2015).

    ArgumentError for sizes below 1 and unknown names, ShapeError for an input that is no batch of sequences or has
    other features.

    >>> import tarazu as tz
    >>> tz.nn.LSTM(128)(tz.ones((2, 10, 32))).shape
    (2, 128)
    """

    _gates = 4

    def _make_parameters(self, size: int) -> None:
        super()._make_parameters(size)
        units = self._units
        self.bias = Parameter(concat([zeros((units,)), full((units,), 1.0), zeros((2 * units,))]))

    def _run(self, x: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        outputs, (last, _) = lstm(x, start, start, self.weight, self.recurrent_weight, self.bias,
                                  reverse=self._is_reverse)
        return outputs, last


class GRU(_Recurrent):
    """A gated recurrent unit (Cho and others, 2014) in the form of cuDNN and torch, from a state of zeros.

    Input, output, options and errors are those of `LSTM`. `weight` (features, 3 units), `recurrent_weight` (units,
    3 units), `bias` and `recurrent_bias` (3 units,) hold the gates reset, update, new side by side. Biases start at 0.

    >>> import tarazu as tz
    >>> tz.nn.GRU(128, return_sequences=True)(tz.ones((2, 10, 32))).shape
    (2, 10, 128)
    """

    _gates = 3

    def _make_parameters(self, size: int) -> None:
        super()._make_parameters(size)
        self.bias = Parameter(zeros((3 * self._units,)))
        self.recurrent_bias = Parameter(zeros((3 * self._units,)))

    def _run(self, x: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        return gru(x, start, self.weight, self.recurrent_weight, self.bias, self.recurrent_bias,
                   reverse=self._is_reverse)
