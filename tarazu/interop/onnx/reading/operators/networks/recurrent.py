"""Recurrent layers: RNN, GRU, LSTM, in one direction or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.interop.onnx.reading.operators.arrays.elements import UNARY, elu, hard_sigmoid, leaky_relu, thresholded_relu
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array
from tarazu.ops import elementwise as ops
from tarazu.ops import shape as shapes
from tarazu.ops.contract import matmul
from tarazu.ops.control_flow.loops import scan
from tarazu.ops.create import arange
from tarazu.ops.networks.recurrent import gru as fast_gru
from tarazu.ops.networks.recurrent import lstm as fast_lstm
from tarazu.ops.promote import as_value
from tarazu.runtime.tensor.tensor import Tensor

Activation = Callable[[Tensor], Tensor]
Cell = Callable[[Tensor, list[Tensor]], list[Tensor]]  # from x w and the states to the new states
WITH_ALPHA: dict[str, Callable[..., Tensor]] = {"LeakyRelu": leaky_relu, "Elu": elu,
                                                "ThresholdedRelu": thresholded_relu}


@operator("RNN")
def rnn(x: Array, w: Array, r: Array, b: Array | None = None, lengths: Array | None = None,
        initial_h: Array | None = None, activations: Sequence[str] = ("Tanh", "Tanh"), **options: Any) -> Any:
    """h' = f(x w + h r + b)."""
    layer = _Layer(x, w, r, b, lengths, 1, activations, options)

    def of_direction(i: int) -> list[Tensor]:
        (f,) = layer.functions(i, 1)
        bias = ops.add(*layer.biases(i))

        def cell(x_part: Tensor, states: list[Tensor]) -> list[Tensor]:
            return [f(layer.clipped(ops.add(x_part, matmul(states[0], layer.past(i)))))]

        return layer.over_time(i, cell, ops.add(layer.of_inputs(i), bias), [layer.state(initial_h, i)])

    return layer.joined([of_direction(i) for i in range(layer.directions)])


@operator("GRU")
def gru(x: Array, w: Array, r: Array, b: Array | None = None, lengths: Array | None = None,
        initial_h: Array | None = None, activations: Sequence[str] = ("Sigmoid", "Tanh") * 2,
        linear_before_reset: int = 0, **options: Any) -> Any:
    """A gated recurrent unit; gates in the order update, reset, new."""
    layer = _Layer(x, w, r, b, lengths, 3, activations, options)

    def of_direction(i: int) -> list[Tensor]:
        h = layer.state(initial_h, i)
        past, (b_w, b_r) = layer.past(i), layer.biases(i)
        if linear_before_reset and layer.is_usual(("Sigmoid", "Tanh")):
            order = (1, 0, 2)
            outputs, last = fast_gru(layer.batch_first(), h, _ordered(layer.weight(i), order), _ordered(past, order),
                                     _ordered(b_w, order), _ordered(b_r, order), reverse=layer.is_reverse(i),
                                     mask=layer.mask())
            return [shapes.swapaxes(outputs, 0, 1), last]
        f, g = layer.functions(i, 2)
        units = layer.units

        def cell(x_part: Tensor, states: list[Tensor]) -> list[Tensor]:
            (h,) = states
            h_part = ops.add(matmul(h, past[:, :2 * units]), b_r[:2 * units])
            gates = f(layer.clipped(ops.add(x_part[:, :2 * units], h_part)))
            z, reset = gates[:, :units], gates[:, units:]
            new = matmul(h, past[:, 2 * units:]) if linear_before_reset else matmul(reset * h, past[:, 2 * units:])
            new = ops.add(new, b_r[2 * units:])
            new = reset * new if linear_before_reset else new
            n = g(layer.clipped(ops.add(x_part[:, 2 * units:], new)))
            return [ops.add(n, z * (h - n))]

        return layer.over_time(i, cell, ops.add(layer.of_inputs(i), b_w), [h])

    return layer.joined([of_direction(i) for i in range(layer.directions)])


@operator("LSTM")
def lstm(x: Array, w: Array, r: Array, b: Array | None = None, lengths: Array | None = None,
         initial_h: Array | None = None, initial_c: Array | None = None, peepholes: Array | None = None,
         activations: Sequence[str] = ("Sigmoid", "Tanh", "Tanh") * 2, input_forget: int = 0, **options: Any) -> Any:
    """A long short-term memory; gates in the order input, output, forget, cell."""
    layer = _Layer(x, w, r, b, lengths, 4, activations, options)

    def of_direction(i: int) -> list[Tensor]:
        h, c = layer.state(initial_h, i), layer.state(initial_c, i)
        past, bias = layer.past(i), ops.add(*layer.biases(i))
        if peepholes is None and not input_forget and layer.is_usual(("Sigmoid", "Tanh", "Tanh")):
            order = (0, 2, 3, 1)
            outputs, states = fast_lstm(layer.batch_first(), h, c, _ordered(layer.weight(i), order),
                                        _ordered(past, order), _ordered(bias, order), reverse=layer.is_reverse(i),
                                        mask=layer.mask())
            return [shapes.swapaxes(outputs, 0, 1), *states]
        f, g, last = layer.functions(i, 3)
        units = layer.units
        peep = np.zeros((3, units), x.dtype.numpy if isinstance(x, Tensor) else x.dtype) if peepholes is None \
            else shapes.reshape(as_value(peepholes)[i], (3, units))

        def cell(x_part: Tensor, states: list[Tensor]) -> list[Tensor]:
            h, c = states
            gates = ops.add(x_part, matmul(h, past))
            part = [gates[:, k * units:(k + 1) * units] for k in range(4)]
            entering = f(layer.clipped(ops.add(part[0], ops.multiply(c, peep[0]))))
            kept = 1 - entering if input_forget else f(layer.clipped(ops.add(part[2], ops.multiply(c, peep[2]))))
            c = kept * c + entering * g(layer.clipped(part[3]))
            return [f(layer.clipped(ops.add(part[1], ops.multiply(c, peep[1])))) * last(c), c]

        return layer.over_time(i, cell, ops.add(layer.of_inputs(i), bias), [h, c])

    return layer.joined([of_direction(i) for i in range(layer.directions)])


def _ordered(x: Tensor, order: Sequence[int]) -> Tensor:
    """The gates, parts of the last axis, in another order."""
    units = x.shape[-1] // len(order)
    axis = len(x.shape) - 1
    return shapes.concat([shapes.slice_axis(x, axis, k * units, (k + 1) * units) for k in order], axis)


class _Layer:
    """What the three have in common: inputs and weights by direction, options, and how steps make a sequence."""

    def __init__(self, x: Array, w: Array, r: Array, b: Array | None, lengths: Array | None, gates: int,
                 activations: Sequence[str], options: dict[str, Any]) -> None:
        self.options, self.layout = options, options.get("layout", 0)
        x = as_value(x)
        self.x = shapes.swapaxes(x, 0, 1) if self.layout else x  # (time, batch, features)
        self.w, self.r = as_value(w), as_value(r)
        self.directions, self.units, self.gates = self.w.shape[0], self.r.shape[-1], gates
        self.b = None if b is None else as_value(b)
        self.lengths = lengths
        self.activations = list(activations)

    def weight(self, i: int) -> Tensor:
        """That of the input in a direction, (features, gates)."""
        return shapes.matrix_transpose(self.w[i])

    def past(self, i: int) -> Tensor:
        """That of the state in a direction, (units, gates)."""
        return shapes.matrix_transpose(self.r[i])

    def of_inputs(self, i: int) -> Tensor:
        """x w, (time, batch, gates)."""
        return matmul(self.x, self.weight(i))

    def biases(self, i: int) -> tuple[Tensor, Tensor]:
        """Those of input and state."""
        width = self.gates * self.units
        both = as_value(np.zeros(2 * width), self.x.dtype) if self.b is None else self.b[i]
        return both[:width], both[width:]

    def state(self, given: Array | None, i: int) -> Tensor:
        """The first state in a direction, (batch, units)."""
        if given is None:
            return as_value(np.zeros((self.x.shape[1], self.units)), self.x.dtype)
        given = as_value(given)
        return given[:, i] if self.layout else given[i]

    def is_reverse(self, i: int) -> bool:
        """Whether a direction goes from the last step to the first."""
        return i == 1 or self.options.get("direction") == "reverse"

    def batch_first(self) -> Tensor:
        """The input (batch, time, features)."""
        return shapes.swapaxes(self.x, 0, 1)

    def mask(self) -> Tensor | None:
        """True where a sequence has a step, (batch, time); None where all have all."""
        if self.lengths is None:
            return None
        return ops.less(arange(self.x.shape[0]), shapes.expand_dims(as_value(self.lengths), 1))

    def is_usual(self, names: Sequence[str]) -> bool:
        """Whether the activations are these, and nothing is clipped."""
        return self.activations == list(names) * self.directions and "clip" not in self.options

    def clipped(self, x: Tensor) -> Tensor:
        """`x` between the bounds of the option."""
        bound = self.options.get("clip")
        return x if bound is None else ops.clip(x, -bound, bound)

    def functions(self, i: int, count: int) -> list[Activation]:
        """The activations of a direction."""
        names = self.activations[i * count:(i + 1) * count]
        alphas, betas = self.options.get("activation_alpha", []), self.options.get("activation_beta", [])
        return [_activation(name, alphas[i * count + k:][:1], betas[i * count + k:][:1])
                for k, name in enumerate(names)]

    def over_time(self, i: int, cell: Cell, x_parts: Tensor, states: list[Tensor]) -> list[Tensor]:
        """The outputs (time, batch, units) and the last states; steps behind a sequence's end pass states on."""
        mask = self.mask()
        masks = [] if mask is None else [shapes.expand_dims(shapes.swapaxes(mask, 0, 1), 2)]

        def step(states: list[Tensor], row: list[Tensor]) -> tuple[list[Tensor], Tensor]:
            after = cell(row[0], states)
            output = after[0]
            if masks:
                after = [ops.where(row[1], new, old) for new, old in zip(after, states, strict=True)]
                output = ops.where(row[1], output, 0)
            return after, output

        last, outputs = scan(step, states, [x_parts, *masks], reverse=self.is_reverse(i))
        return [outputs, *last]

    def joined(self, results: list[list[Tensor]]) -> tuple[Tensor, ...]:
        """Outputs and last states of all directions, as ONNX lays them out."""
        outputs, *states = ([direction[k] for direction in results] for k in range(len(results[0])))
        y = shapes.stack(outputs, 1)  # (time, directions, batch, units)
        y = shapes.moveaxis(y, 2, 0) if self.layout else y
        return (y, *(shapes.stack(state, 1 if self.layout else 0) for state in states))


def _activation(name: str, alpha: Sequence[float], beta: Sequence[float]) -> Activation:
    if name == "HardSigmoid":
        return lambda x: hard_sigmoid(x, *alpha, *beta)
    if name == "Affine":
        return lambda x: ops.add(ops.multiply(x, *alpha), *beta)
    if name == "ScaledTanh":
        return lambda x: ops.multiply(ops.tanh(ops.multiply(x, *beta)), *alpha)
    if name in WITH_ALPHA:
        return lambda x: WITH_ALPHA[name](x, *alpha)
    return UNARY[name]
