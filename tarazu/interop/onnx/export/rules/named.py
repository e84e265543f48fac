"""Named calls that ONNX has one operator for. A row gives None where the operator does not fit; its body is run then.

The options of a call are read from its body, which is all that a graph has of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tarazu.interop.onnx.export.emitter import Emitter
from tarazu.interop.onnx.export.kernels import computed_in, has
from tarazu.interop.onnx.export.merged import Merged
from tarazu.interop.onnx.export.rules import pooling
from tarazu.interop.onnx.export.rules.attention import softmax_or_zeros
from tarazu.interop.onnx.export.rules.convolution import channels_first
from tarazu.interop.onnx.export.values import Value, constant, reordered
from tarazu.ir import op as ops
from tarazu.ir.node import CONSTANT

NamedRow = Callable[..., "Value | None"]


def _along_an_axis(op_type: str) -> NamedRow:
    def row(emit: Emitter, body: Merged, x: Value) -> Value | None:
        (axis,) = next(step.attributes["axes"] for step in body.steps if step.op is ops.MAX)
        order = x.order
        return reordered(emit.op(op_type, emit.physical(x, order), shape=tuple(x.shape[i] for i in order),
                                 axis=order.index(axis)), order)
    return row


def _gelu(approximate: str) -> NamedRow:
    def row(emit: Emitter, _: Merged, x: Value) -> Value | None:
        return emit.map("Gelu", x, approximate=approximate) if computed_in("Gelu", x.dtype) is not None else None
    return row


def _epsilon(body: Merged) -> float | None:
    """What is added before the square root is taken."""
    for step in body.steps:
        if step.op is ops.SQRT and step.inputs[0].op is ops.ADD:
            known = [x.attributes["value"] for x in step.inputs[0].inputs if x.op is CONSTANT]
            if known and known[0].size == 1:
                return float(known[0].item())
    return None


def _layer_norm(emit: Emitter, body: Merged, x: Value, weight: Value, bias: Value) -> Value | None:
    epsilon = _epsilon(body)
    if epsilon is None or not x.dtype is weight.dtype is bias.dtype:
        return None
    return emit.op("LayerNormalization", x, weight, bias, shape=x.shape, axis=-1, epsilon=epsilon)


def _batch_norm(emit: Emitter, body: Merged, x: Value, *statistics: Value) -> Value | None:
    """Where the channels lie behind the batch already, as after a convolution."""
    epsilon, channels = _epsilon(body), x.shape[-1]
    vectors = [_vector(s, channels) for s in statistics]
    if epsilon is None or x.rank < 3 or x.order != channels_first(x.rank) or not has("BatchNormalization", x.dtype):
        return None
    if any(v is None or v.dtype is not x.dtype for v in vectors):
        return None
    mean, variance, weight, bias = (v for v in vectors if v is not None)
    raw = emit.physical(x, x.order)
    out = emit.op("BatchNormalization", raw, weight, bias, mean, variance, shape=raw.shape, epsilon=epsilon)
    return reordered(out, x.order)


def _vector(x: Value, size: object) -> Value | None:
    """A number per channel; a constant that is one for all is repeated."""
    if x.shape == (size,):
        return x
    is_known = x.array is not None and x.rank == 0 and not x.label and isinstance(size, int)
    return constant(np.full(size, x.array), x.dtype) if is_known else None  # type: ignore[call-overload]


NAMED: dict[str, NamedRow] = {
    "softmax": _along_an_axis("Softmax"),
    "log_softmax": _along_an_axis("LogSoftmax"),
    "softmax_or_zeros": lambda emit, _, scores: softmax_or_zeros(emit, scores),
    "gelu": _gelu("none"),
    "gelu_tanh": _gelu("tanh"),
    "layer_norm": _layer_norm,
    "batch_norm": _batch_norm,
    "max_pool": pooling.max_pool,
    "average_pool": pooling.average_pool,
}
