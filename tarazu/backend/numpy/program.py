"""Graphs run node by node, and the kernels of the control primitives, which run the graphs in their attributes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.backend.base import Backend
from tarazu.backend.numpy.kernels import KERNELS
from tarazu.backend.numpy.quiet import quietly
from tarazu.base.checks import exceeded_bound
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import CONSTANT, PARAMETER, Node
from tarazu.ir.op import Op
from tarazu.ir.types import CallGradient

Array = np.ndarray


def evaluate(op: Op, inputs: Sequence[Array], attributes: dict[str, Any]) -> Any:
    """The result of one primitive: an array, or a list of arrays for a primitive with several results.

    >>> evaluate(ops.ADD, [np.array(1.0), np.array(2.0)], {})
    array(3.)
    """
    out = KERNELS[op](*inputs, **attributes)
    if op.multiple:
        return [np.asarray(one) for one in out]
    return out if out.__class__ is Array else np.asarray(out)


@functools.lru_cache(maxsize=512)
def compile_graph(graph: Graph) -> Program:
    return Program(graph)


class Program:
    """A graph as a list of steps over numbered slots; a slot is emptied after its last use."""

    def __init__(self, graph: Graph) -> None:
        number = {node: i for i, node in enumerate(graph.nodes)}
        last_use = {x: node for node in graph.nodes for x in node.inputs}
        kept = set(graph.outputs)
        self.constants = [(number[n], n.attributes["value"].array) for n in graph.nodes if n.op is CONSTANT]
        self.outputs = [number[node] for node in graph.outputs]
        self.size = len(number)
        self.steps: list[tuple[Any, ...]] = [
            (*_kernel_of(node), tuple(number[x] for x in node.inputs), node.attributes, number[node],
             tuple({number[x] for x in node.inputs if last_use[x] is node and x not in kept}))
            for node in graph.nodes if node.op not in (PARAMETER, CONSTANT)]

    def __call__(self, *inputs: Array) -> list[Array]:
        return quietly(self._run, *inputs)

    def _run(self, *inputs: Array) -> list[Array]:
        slots: list[Any] = [*inputs, *[None] * (self.size - len(inputs))]
        for slot, array in self.constants:
            slots[slot] = array
        for kernel, multiple, sources, attributes, target, finished in self.steps:
            if kernel is None:
                slots[target] = slots[sources[0]][attributes["index"]]
            else:
                out = kernel(*[slots[i] for i in sources], **attributes)
                slots[target] = ([np.asarray(one) for one in out] if multiple
                                 else out if out.__class__ is Array else np.asarray(out))
            for slot in finished:
                slots[slot] = None
        return [slots[i] for i in self.outputs]


def _kernel_of(node: Node) -> tuple[Callable[..., Any] | None, bool]:
    """The kernel, None for one result of several, and whether it has several results."""
    return (KERNELS[node.op], node.op.multiple) if isinstance(node.op, Op) else (None, False)


def call(*inputs: Array, label: str, body: Graph, gradient: CallGradient | None = None) -> list[Array]:
    return compile_graph(body)(*inputs)


def scan(*inputs: Array, body: Graph, length: int, reverse: bool, constants: int, carries: int) -> list[Array]:
    program = compile_graph(body)
    fixed, carry = inputs[:constants], list(inputs[constants:constants + carries])
    sequences = inputs[constants + carries:]
    stacks = [np.empty((length, *t.shape), t.dtype.numpy) for t in body.output_types[carries:]]
    for step in reversed(range(length)) if reverse else range(length):
        out = program(*fixed, *carry, *(sequence[step, ...] for sequence in sequences))
        carry = out[:carries]
        for stack, row in zip(stacks, out[carries:], strict=True):
            stack[step] = row
    return [*carry, *stacks]


def while_(*inputs: Array, condition: Graph, body: Graph, condition_constants: int, body_constants: int,
           bound: int | None = None) -> list[Array]:
    test, program = compile_graph(condition), compile_graph(body)
    start = condition_constants + body_constants
    for_condition, for_body = inputs[:condition_constants], inputs[condition_constants:start]
    carry = list(inputs[start:])
    steps = 0
    while test(*for_condition, *carry)[0]:
        if steps == bound:
            raise exceeded_bound(bound)
        carry = program(*for_body, *carry)
        steps += 1
    return carry


def cond(predicate: Array, *inputs: Array, on_true: Graph, on_false: Graph) -> list[Array]:
    return compile_graph(on_true if predicate else on_false)(*inputs)


def barrier(*inputs: Array) -> list[Array]:
    return list(inputs)


KERNELS.update({ops.CALL: call, ops.SCAN: scan, ops.WHILE: while_, ops.COND: cond, ops.BARRIER: barrier})


class NumpyBackend:
    """The reference backend; its arrays are NumPy's own."""

    def compile(self, graph: Graph) -> Program:
        return compile_graph(graph)


BACKEND: Backend = NumpyBackend()
