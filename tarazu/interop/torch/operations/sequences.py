"""ATen's attention and recurrent layers, which are kept whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tarazu.interop.imported import Operation
from tarazu.interop.torch.operations.creation import TABLE as CREATION
from tarazu.ops.contract import matmul
from tarazu.ops.control_flow.loops import scan
from tarazu.ops.create import tril
from tarazu.ops.elementwise import add, tanh, where
from tarazu.ops.indexing.windows import repeat
from tarazu.ops.networks.activations import relu
from tarazu.ops.networks.attention import scaled_dot_product_attention
from tarazu.ops.networks.recurrent import gru, lstm
from tarazu.ops.networks.softmax import softmax
from tarazu.ops.shape import concat, flip, matrix_transpose, stack, swapaxes
from tarazu.ops.typing import Tensor

_dropout = CREATION["dropout"]


def _attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, rate: float = 0.0, causal: bool = False,
               scale: float | None = None, enable_gqa: bool = False) -> Tensor:
    if enable_gqa:
        k, v = (repeat(x, q.shape[-3] // x.shape[-3], axis=-3) for x in (k, v))
    if rate == 0:
        return scaled_dot_product_attention(q, k, v, mask=mask, causal=causal, scale=scale)
    return matmul(_dropout(_weights(q, k, mask, causal, scale), rate, True), v)


def _weights(q: Tensor, k: Tensor, mask: Tensor | None, causal: bool, scale: float | None) -> Tensor:
    """How much each query takes of each key; what may not be seen has a score that softmax makes 0."""
    scores = matmul(q, matrix_transpose(k)) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if causal:
        scores = where(tril(scores == scores), scores, -1e30)
    if mask is not None:
        scores = add(scores, mask) if mask.dtype.is_inexact else where(mask, scores, -1e30)
    return softmax(scores, -1)


Cell = Callable[[Tensor, Sequence[Tensor], Sequence[Tensor], bool], tuple[Tensor, tuple[Tensor, ...]]]


def _lstm_layer(x: Tensor, states: Sequence[Tensor], weights: Sequence[Tensor], reverse: bool
                ) -> tuple[Tensor, tuple[Tensor, ...]]:
    w_ih, w_hh, *biases = weights
    bias = add(*biases) if biases else None
    h, c = states
    return lstm(x, h, c, matrix_transpose(w_ih), matrix_transpose(w_hh), bias, reverse=reverse)


def _gru_layer(x: Tensor, states: Sequence[Tensor], weights: Sequence[Tensor], reverse: bool
               ) -> tuple[Tensor, tuple[Tensor, ...]]:
    w_ih, w_hh, *biases = weights
    outputs, last = gru(x, states[0], matrix_transpose(w_ih), matrix_transpose(w_hh), *biases, reverse=reverse)
    return outputs, (last,)


def _simple_layer(activation: Callable[[Tensor], Tensor]) -> Cell:
    def layer(x: Tensor, states: Sequence[Tensor], weights: Sequence[Tensor], reverse: bool
              ) -> tuple[Tensor, tuple[Tensor, ...]]:
        w_ih, w_hh, *biases = weights
        inputs = matmul(x, matrix_transpose(w_ih))
        for bias in biases:
            inputs = add(inputs, bias)

        def step(h: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
            new = activation(add(row, matmul(h, matrix_transpose(w_hh))))
            return new, new

        steps = swapaxes(inputs, 0, 1)
        last, outputs = scan(step, states[0], flip(steps, 0) if reverse else steps)
        return swapaxes(flip(outputs, 0) if reverse else outputs, 0, 1), (last,)

    return layer


def _stacked(layer: Cell) -> Callable[..., tuple[Tensor, ...]]:
    """torch's layers of both directions on top of each other: all outputs, then the last states of each layer."""
    def run(x: Tensor, states: Sequence[Tensor], weights: Sequence[Tensor], has_biases: bool, layers: int, rate: float,
            training: bool, both_ways: bool, batch_first: bool) -> tuple[Tensor, ...]:
        each, ways = (4 if has_biases else 2), (2 if both_ways else 1)
        if len(x.shape) == 2:
            single = run(x[None] if batch_first else x[:, None], [s[:, None] for s in states], weights, has_biases,
                         layers, rate, training, both_ways, batch_first)
            return single[0][0] if batch_first else single[0][:, 0], *(s[:, 0] for s in single[1:])
        x, last = x if batch_first else swapaxes(x, 0, 1), []
        for number in range(layers):
            outputs = []
            for way in range(ways):
                i = number * ways + way
                y, state = layer(x, [s[i] for s in states], weights[i * each:(i + 1) * each], way == 1)
                outputs.append(y)
                last.append(state)
            x = concat(outputs, -1) if both_ways else outputs[0]
            x = _dropout(x, rate, True) if training and rate and number < layers - 1 else x
        return x if batch_first else swapaxes(x, 0, 1), *(stack(kind) for kind in zip(*last, strict=True))

    return run


def _of_one_state(layer: Cell) -> Operation:
    run = _stacked(layer)
    return lambda x, state, *rest: run(x, [state], *rest)


TABLE: dict[str, Operation] = {
    "scaled_dot_product_attention": _attention, "lstm.input": _stacked(_lstm_layer),
    "gru.input": _of_one_state(_gru_layer), "rnn_tanh.input": _of_one_state(_simple_layer(tanh)),
    "rnn_relu.input": _of_one_state(_simple_layer(relu)),
}
