"""Runs the rows over a merged graph: named calls by their own rows, other calls by their bodies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tarazu.base.dtypes import as_dtype
from tarazu.interop.onnx.export.emitter import Emitter, Refused, refusal
from tarazu.interop.onnx.export.merged import Counted, Filled, Merged, Step, Typed
from tarazu.interop.onnx.export.rules.attention import ATTENTION
from tarazu.interop.onnx.export.rules.named import NAMED
from tarazu.interop.onnx.export.rules.shape import filled
from tarazu.interop.onnx.export.rules.table import CONTROL, REASONS, ROWS
from tarazu.interop.onnx.export.values import Value, constant
from tarazu.ir import op as ops
from tarazu.ir.node import CONSTANT, RESULT
from tarazu.ir.origin import NOWHERE, Origin

KEPT = frozenset({*NAMED, *ATTENTION})  # calls with rows of their own


def run(emit: Emitter, graph: Merged, inputs: Sequence[Value], outer: Origin = NOWHERE, label: str = "") -> list[Value]:
    """The outputs of a graph, whose nodes are written; in the body of a call, `outer` and `label` say of which.

    CompileError for what ONNX or onnxruntime lacks.
    """
    values: dict[Step, Any] = dict(zip(graph.parameters, inputs, strict=True))
    for step in graph.steps[len(graph.parameters):]:
        origin = step.origin.inside(outer, label) if label else step.origin
        emit.shared.origin = origin
        try:
            values[step] = _result(emit, step, [values[x] for x in step.inputs], origin)
        except Refused as reason:
            raise refusal(str(reason), _name_of(step), origin) from None
        except TypeError as error:
            if "Size" not in str(error):
                raise
            raise refusal("its sizes follow the number of rows in a way that the exporter does not know",
                          _name_of(step), origin) from error
    return [values[step] for step in graph.outputs]


def _name_of(step: Step) -> str:
    return step.op if isinstance(step.op, str) else step.op.name


def _result(emit: Emitter, step: Step, inputs: list[Any], origin: Origin) -> Any:
    """The value of a step; a list of values for a primitive with several results."""
    op, attributes = step.op, step.attributes
    if op is CONSTANT:
        return _constant(emit, attributes["value"], step.type)
    if op is RESULT:
        return inputs[0][attributes["index"]]
    if op is ops.CALL:
        return _call(emit, inputs, attributes["label"], attributes["body"], origin)
    if op in REASONS:
        raise Refused(REASONS[op])
    if op in CONTROL:
        return CONTROL[op](run, emit, step.type, *inputs, **attributes)
    return ROWS[op](emit, step.type, *inputs, **attributes)  # type: ignore[index]


def _constant(emit: Emitter, value: Any, type_: Typed) -> Value:
    if isinstance(value, Filled):
        return filled(emit, value.value, type_.dtype, value.shape)
    if isinstance(value, Counted):
        return emit.cast(emit.count(value.size), as_dtype(value.dtype))
    return constant(np.asarray(value), type_.dtype)


def _call(emit: Emitter, inputs: list[Value], label: str, body: Merged, origin: Origin) -> list[Value]:
    if label in ATTENTION:
        return ATTENTION[label](emit, body, lambda graph: run(emit, graph, inputs, origin, label))
    if label in NAMED and len(body.outputs) == 1:
        found = NAMED[label](emit, body, *inputs)
        if found is not None:
            return [found]
    return run(emit, body, inputs, origin, label)
