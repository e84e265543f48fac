"""Loops and branches: Scan, Loop and If. Their bodies see the values around them, so constants need no inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.base.dtypes import bool_, int64
from tarazu.interop.onnx.export.emitter import Emitter, Refused
from tarazu.interop.onnx.export.merged import Merged, Typed
from tarazu.interop.onnx.export.rules.shape import iota
from tarazu.interop.onnx.export.sizes import Dim, static
from tarazu.interop.onnx.export.values import Value, constant, named
from tarazu.ir import op as ops
from tarazu.ir.op import Op

# What runs a merged graph: program.py. It is passed on, as rows of ordinary primitives know nothing of graphs.
Run = Callable[[Emitter, Merged, Sequence[Value]], list[Value]]


def barrier(_run: Run, _emit: Emitter, _: Any, *values: Value) -> list[Value]:
    return list(values)


def scan(run: Run, emit: Emitter, out: Sequence[Typed], *values: Value, body: Merged, length: Dim, reverse: bool,
         constants: int, carries: int) -> list[Value]:
    fixed, start, sequences = values[:constants], values[constants:constants + carries], values[constants + carries:]
    if length == 0:  # onnxruntime steps over no empty sequence
        return [*start, *[constant(np.empty(static(x.shape), x.dtype.numpy), x.dtype) for x in out[carries:]]]
    stepped = list(sequences) or [iota(emit, Typed((length,), int64), size=length, dtype=int64)]
    inner = emit.inner()
    states = [_input(inner, x.shape, x) for x in start]
    rows = [_input(inner, x.shape[1:], x) for x in stepped]
    outputs = run(inner, body, [*fixed, *states, *(rows if sequences else [])])
    inner.block.outputs = [_own(inner, x) for x in outputs]
    direction = int(reverse)
    names = emit.node("Scan", [emit.name(x) for x in (*start, *stepped)], len(out), body=inner.block,
                      num_scan_inputs=len(stepped), scan_input_directions=[direction] * len(stepped),
                      scan_output_directions=[direction] * (len(out) - carries))
    return _results(names, out)


def _input(inner: Emitter, shape: Any, like: Value) -> Value:
    """An input of a body, of the dtype of what is passed to it."""
    x = named(inner.shared.fresh("input"), shape, like.dtype)
    inner.block.inputs.append(x)
    return x


def _own(inner: Emitter, x: Value) -> Value:
    """A result of a body, by a name of its own: a body may give what was there before it, or one value twice."""
    (name,) = inner.node("Identity", [inner.name(x)])
    return named(name, x.shape, x.dtype)


def _results(names: Sequence[str], types: Sequence[Typed]) -> list[Value]:
    return [named(name, type_.shape, type_.dtype) for name, type_ in zip(names, types, strict=True)]


def cond(run: Run, emit: Emitter, out: Sequence[Typed], predicate: Value, *values: Value, on_true: Merged,
         on_false: Merged) -> list[Value]:
    blocks = []
    for graph in (on_true, on_false):
        inner = emit.inner()
        inner.block.outputs = [_own(inner, x) for x in run(inner, graph, values)]
        blocks.append(inner.block)
    names = emit.node("If", [emit.name(predicate)], len(out), then_branch=blocks[0], else_branch=blocks[1])
    return _results(names, out)


def while_(run: Run, emit: Emitter, out: Sequence[Typed], *values: Value, condition: Merged, body: Merged,
           condition_constants: int, body_constants: int, bound: int | None = None) -> list[Value]:
    if bound is not None:
        raise Refused("a while_loop with a bound, whose excess a file could not report; leave bound= out, which serves "
                      "gradients")
    first = condition_constants + body_constants
    for_condition, for_body, start = values[:condition_constants], values[condition_constants:first], values[first:]
    (begins,) = run(emit, condition, [*for_condition, *start])
    inner = emit.inner()
    inner.block.inputs = [named(inner.shared.fresh("step"), (), int64), named(inner.shared.fresh("goes_on"), (), bool_)]
    states = [_input(inner, x.shape, x) for x in start]
    after = run(inner, body, [*for_body, *states])
    (goes_on,) = run(inner, condition, [*for_condition, *after])
    inner.block.outputs = [_own(inner, x) for x in (goes_on, *after)]
    names = emit.node("Loop", ["", emit.name(begins), *map(emit.name, start)], len(out), body=inner.block)
    return _results(names, out)


ROWS: dict[Op, Callable[..., Any]] = {
    ops.SCAN: scan,
    ops.WHILE: while_,
    ops.COND: cond,
    ops.BARRIER: barrier,
}
