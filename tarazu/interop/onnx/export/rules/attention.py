"""Attention with the softmax of its scores as one operator, which runtimes know and join with the products around it.

A composite has the largest score of each row and the sum of what is raised as results, for its gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tarazu.interop.onnx.export.emitter import Emitter
from tarazu.interop.onnx.export.merged import Merged
from tarazu.interop.onnx.export.rules.contract import dot
from tarazu.interop.onnx.export.values import Value
from tarazu.ir import op as ops

Inside = Callable[[Merged], Sequence[Value]]  # the outputs of a graph with the parameters of the call


def _attention(emit: Emitter, body: Merged, inside: Inside) -> list[Value]:
    """Each query attends to some key."""
    return _attended(emit, body, inside, softmax)


def _masked_attention(emit: Emitter, body: Merged, inside: Inside) -> list[Value]:
    """A query may attend to none."""
    return _attended(emit, body, inside, softmax_or_zeros)


def _attended(emit: Emitter, body: Merged, inside: Inside, softmax: Callable[[Emitter, Value], Value]) -> list[Value]:
    """The results of the body, the first one by the softmax; of what is written of others `tidy` keeps what is read."""
    scores = next(step.inputs[0] for step in body.steps if step.op is ops.MAX)
    product = [step for step in body.steps if step.op is ops.DOT][-1]
    wanted = (*body.outputs[1:], scores, product.inputs[1])
    *others, known_scores, values = inside(Merged(body.parameters, wanted, body.steps))
    weights = emit.cast(softmax(emit, known_scores), values.dtype)
    return [dot(emit, product.type, weights, values, **product.attributes), *others]


def softmax(emit: Emitter, scores: Value) -> Value:
    """The softmax along the last axis."""
    return emit.op("Softmax", scores, shape=scores.shape, axis=-1)


def softmax_or_zeros(emit: Emitter, scores: Value) -> Value:
    """The same, with zeros for a row of -inf."""
    hidden = emit.compare("Equal", scores, emit.scalar(-math.inf, scores))
    return emit.where(hidden, emit.scalar(0, scores), softmax(emit, scores))


ATTENTION: dict[str, Callable[[Emitter, Merged, Inside], list[Value]]] = {
    "scaled_dot_product_attention": _attention,
    "scaled_dot_product_attention_masked": _masked_attention,
}
