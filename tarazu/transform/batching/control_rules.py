"""Batching of the control primitives: their bodies are batched, and a loop runs as long as that of any lane."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import bind, state
from tarazu.ir.node import RESULT, Node
from tarazu.ir.op import Op
from tarazu.ir.structure import GraphStructure, graphs_in
from tarazu.ir.types import CallGradient, TensorType
from tarazu.ops import reduce
from tarazu.ops.control_flow import loops
from tarazu.ops.elementwise import logical_and, maximum, where
from tarazu.ops.shape import moveaxis
from tarazu.transform.batching.engine import Lanes, align, batch_graph, broadcast_lanes
from tarazu.transform.batching.gradient_rules import LanesGradient
from tarazu.transform.gradient import control_rules
from tarazu.transform.gradient.vjp import replay
from tarazu.transform.typing import Flags, Tensor


def flags_of(lanes: Sequence[Lanes]) -> Flags:
    """Which of the values are batched."""
    return tuple([x.batched for x in lanes])


def call(op: Op, size: int, lanes: list[Lanes], label: str, body: Graph,
         gradient: CallGradient | None = None) -> list[Lanes]:
    flags = flags_of(lanes)
    graph, batched = batch_graph(body, flags, size)
    own = {} if gradient is None else {"gradient": LanesGradient(
        gradient, (("label", label), ("body", body)), flags, batched, size)}
    out = bind(op, *[x.value for x in lanes], label=f"{label}_vmap", body=graph, **own)
    return [Lanes(y, flag) for y, flag in zip(out, batched, strict=True)]


def barrier(op: Op, size: int, lanes: list[Lanes]) -> list[Lanes]:
    return [Lanes(y, x.batched) for y, x in zip(bind(op, *[x.value for x in lanes]), lanes, strict=True)]


def cond(op: Op, size: int, lanes: list[Lanes], on_true: Graph, on_false: Graph) -> list[Lanes]:
    """Where lanes may choose differently, both branches run; gradients still come from the chosen one alone."""
    flags, branches = flags_of(lanes), (on_true, on_false)
    differ = [batch_graph(branch, flags[1:], size)[1] for branch in branches]
    if flags[0]:
        body, batched = _choice(flags[1:], size, on_true, on_false)
        rule = LanesGradient(control_rules.cond, (("on_true", on_true), ("on_false", on_false)), flags, batched, size)
        out = bind(ops.CALL, *[x.value for x in lanes], label="cond_vmap", body=body, gradient=rule)
    else:
        batched = tuple([one or other for one, other in zip(*differ, strict=True)])
        graphs = [batch_graph(branch, flags[1:], size, batched)[0] for branch in branches]
        out = bind(op, *[x.value for x in lanes], on_true=graphs[0], on_false=graphs[1])
    return [Lanes(y, flag) for y, flag in zip(out, batched, strict=True)]


@functools.lru_cache(maxsize=1024)
def _choice(flags: Flags, size: int, on_true: Graph, on_false: Graph) -> tuple[Graph, Flags]:
    """The graph from predicates and inputs to the results of the chosen branch of each lane; which are batched."""
    shared = {j for j in range(len(on_true.outputs)) if _is_shared_state(on_true, on_false, flags, j)}
    batched = tuple([j not in shared for j in range(len(on_true.outputs))])
    graphs = [batch_graph(branch, flags, size, batched)[0] for branch in (on_true, on_false)]

    def function(predicate: Tensor, *inputs: Tensor) -> list[Tensor]:
        pairs = zip(*[replay(graph, inputs) for graph in graphs], strict=True)
        return [_where_true(predicate, x, y) if flag else maximum(x, y)  # the state that has drawn more
                for (x, y), flag in zip(pairs, batched, strict=True)]

    types = [TensorType((size, *t.shape), t.dtype) if flag else t
             for t, flag in zip(on_true.input_types, flags, strict=True)]
    return state.interpreter.trace(function, [TensorType((size,), dtypes.bool_), *types]).graph, batched


def _is_shared_state(on_true: Graph, on_false: Graph, flags: Flags, output: int) -> bool:
    """Whether the output is, in both branches, a random state that all lanes share, before or after draws."""
    positions = [i for i in random_states(on_true) | random_states(on_false) if not flags[i]]
    return all(_comes_from(graph.outputs[output], {graph.parameters[i] for i in positions})
               for graph in (on_true, on_false))


def _comes_from(value: Node, states: set[Node]) -> bool:
    """Whether `value` is one of `states`, or made from one of them through values of the same type."""
    stack, seen = [value], {value}
    while stack:
        node = stack.pop()
        if node in states:
            return True
        source = node.inputs[0] if node.op is RESULT else node
        new = [x for x in source.inputs if x.type == value.type and x not in seen]
        stack += new
        seen.update(new)
    return False


def scan(op: Op, size: int, lanes: list[Lanes], body: Graph, length: int, reverse: bool, constants: int,
         carries: int) -> list[Lanes]:
    start = constants + carries
    fixed, rows = flags_of(lanes[:constants]), flags_of(lanes[start:])
    carry = _batched_carries(body, fixed, flags_of(lanes[constants:start]), rows, size)
    graph, batched = batch_graph(body, fixed + carry + rows, size, carry + (False,) * (len(body.outputs) - carries))
    values = [*[x.value for x in lanes[:constants]], *_values(lanes[constants:start], carry, size),
              *[moveaxis(x.value, 0, 1) if x.batched else x.value for x in lanes[start:]]]
    out = bind(op, *values, body=graph, length=length, reverse=reverse, constants=constants, carries=carries)
    stacked = [moveaxis(y, 1, 0) if flag else y for y, flag in zip(out[carries:], batched[carries:], strict=True)]
    return [Lanes(y, flag) for y, flag in zip(out[:carries] + stacked, batched, strict=True)]


def while_(op: Op, size: int, lanes: list[Lanes], condition: Graph, body: Graph, condition_constants: int,
           body_constants: int, bound: int | None = None) -> list[Lanes]:
    start = condition_constants + body_constants
    for_condition, for_body, carry = lanes[:condition_constants], lanes[condition_constants:start], lanes[start:]
    batched = _batched_carries(body, flags_of(for_body), flags_of(carry), (), size)
    test, differs = batch_graph(condition, flags_of(for_condition) + batched, size)
    if differs == (True,):
        return _masked_while(size, for_condition, for_body, carry, batched, condition, body, bound)
    graph, _ = batch_graph(body, flags_of(for_body) + batched, size, batched)
    out = bind(op, *[x.value for x in lanes[:start]], *_values(carry, batched, size), condition=test, body=graph,
               condition_constants=condition_constants, body_constants=body_constants,
               **({} if bound is None else {"bound": bound}))
    return [Lanes(y, flag) for y, flag in zip(out, batched, strict=True)]


def _masked_while(size: int, for_condition: list[Lanes], for_body: list[Lanes], carry: list[Lanes], batched: Flags,
                  condition: Graph, body: Graph, bound: int | None) -> list[Lanes]:
    """A loop that runs until the last lane is done; lanes that are done keep their carry.

    A random state that all lanes share stays shared, and so advances until the last lane is done.
    """
    first = len(for_body)
    shared = frozenset(i - first for i in random_states(body))
    batched = tuple([flag or i not in shared for i, flag in enumerate(batched)])
    test, _ = batch_graph(condition, flags_of(for_condition) + batched, size, (True,))
    graph, _ = batch_graph(_guarded(body, first, shared), (True, *flags_of(for_body), *batched), size, batched)
    fixed_test, fixed = [x.value for x in for_condition], [x.value for x in for_body]

    def step(values: list[Tensor]) -> list[Tensor]:
        live, *before = values
        after = replay(graph, [live, *fixed, *before])
        return [logical_and(live, replay(test, [*fixed_test, *after])[0]), *after]

    values = _values(carry, batched, size)
    live = replay(test, [*fixed_test, *values])[0]
    out = loops.while_loop(lambda values: reduce.any(values[0]), step, [live, *values], bound=bound)[1:]
    return [Lanes(y, flag) for y, flag in zip(out, batched, strict=True)]


@functools.lru_cache(maxsize=1024)
def _guarded(body: Graph, constants: int, shared: frozenset[int]) -> Graph:
    """`body` with a predicate as a further first input: if it is false the carry stays, but for its `shared` parts."""
    keep = Graph(body.parameters, body.parameters[constants:])

    def function(live: Tensor, *inputs: Tensor) -> list[Tensor]:
        chosen, after = bind(ops.COND, live, *inputs, on_true=body, on_false=keep), replay(body, inputs)
        return [after[i] if i in shared else x for i, x in enumerate(chosen)]

    return state.interpreter.trace(function, [TensorType((), dtypes.bool_), *body.input_types]).graph


def _where_true(predicate: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """`x` in the lanes where the predicate is true, else `y`."""
    return where(align(Lanes(predicate, True), len(x.shape) - 1), x, y)


def _batched_carries(body: Graph, fixed: Flags, carry: Flags, rows: Flags, size: int) -> Flags:
    """Which carries are batched after any number of steps, from those that are before the first one: a fixed point."""
    while True:
        _, out = batch_graph(body, fixed + carry + rows, size)
        after = tuple([now or then for now, then in zip(carry, out[:len(carry)], strict=True)])
        if after == carry:
            return carry
        carry = after


def _values(lanes: Sequence[Lanes], batched: Flags, size: int) -> list[Tensor]:
    """The values, batched where `batched` says so."""
    return [broadcast_lanes(x, size) if flag else x.value for x, flag in zip(lanes, batched, strict=True)]


@functools.lru_cache(maxsize=1024)
def random_states(graph: GraphStructure) -> frozenset[int]:
    """The positions of the parameters that are random states: bits are drawn from them, here or in a graph inside."""
    states: set[Node] = set()
    for node in reversed(graph.nodes):
        if node.op is ops.RANDOM_BITS:
            states.update(node.inputs)
        elif node in states and isinstance(node.op, Op) and node.op.is_elementwise:  # a state made from another one
            states.update(x for x in node.inputs if x.type == node.type)
        inner = graphs_in(node.attributes)
        if inner:  # a body's parameters are the last inputs of a loop, the carries and rows; of a call, all of them
            count = min(len(inner[-1].parameters), len(node.inputs))
            states.update(node.inputs[len(node.inputs) - count + i] for i in random_states(inner[-1]) if i < count)
    return frozenset(i for i, parameter in enumerate(graph.parameters) if parameter in states)
