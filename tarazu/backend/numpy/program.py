"""Graphs run node by node, and the kernels of the control primitives, which run the graphs in their attributes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from tarazu.backend.base import Backend
from tarazu.backend.numpy.kernels import KERNELS
from tarazu.backend.numpy.quiet import give_back, quiet_context
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
        self.outputs = _items([number[node] for node in graph.outputs])
        self.rest = [node.attributes["value"].array if node.op is CONSTANT else None  # the slots behind the inputs
                     for node in graph.nodes[len(graph.parameters):]]
        self.steps = [(_function_of(node), _items([number[x] for x in node.inputs]), number[node],
                       tuple({number[x] for x in node.inputs if last_use[x] is node and x not in kept}))
                      for node in graph.nodes if node.op not in (PARAMETER, CONSTANT)]

    def __call__(self, *inputs: Array) -> list[Array]:
        context = quiet_context()
        outputs = context.run(self._run, inputs)
        give_back(context)
        return outputs

    def _run(self, inputs: Sequence[Array]) -> list[Array]:
        slots: list[Any] = [*inputs, *self.rest]
        for function, sources, target, finished in self.steps:  # what is done here for each node counts
            slots[target] = function(*sources(slots))
            for slot in finished:
                slots[slot] = None
        return [*self.outputs(slots)]


def _items(places: list[int]) -> Callable[[list[Any]], Sequence[Any]]:
    """A function of a list that gives the items at these places."""
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))


def _function_of(node: Node) -> Callable[..., Any]:
    """The function of the inputs that gives the value of the node, or the values."""
    if not isinstance(node.op, Op):
        return itemgetter(node.attributes["index"])  # one result of several
    kernel = functools.partial(KERNELS[node.op], **node.attributes) if node.attributes else KERNELS[node.op]
    if node.op.multiple:
        return lambda *inputs: [np.asarray(one) for one in kernel(*inputs)]
    if node.type.shape:
        return kernel
    return lambda *inputs: np.asarray(kernel(*inputs))  # NumPy makes scalars of single numbers


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
