"""Batching of the control primitives: their bodies are batched, and a loop goes on while any lane does."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Value, bind, state
from tarazu.ir.node import RESULT, Node
from tarazu.ir.op import Op
from tarazu.ir.structure import graphs_in
from tarazu.ir.types import TensorType
from tarazu.ops import reduce
from tarazu.ops.control_flow import loops
from tarazu.ops.elementwise import logical_and, maximum, where
from tarazu.ops.shape import moveaxis
from tarazu.transform.batching.engine import Flags, Lanes, align, batch_graph, spread
from tarazu.transform.batching.gradient_rules import LanesGradient
from tarazu.transform.gradient import control_rules
from tarazu.transform.gradient.vjp import replay


def flags_of(lanes: Sequence[Lanes]) -> Flags:
    return tuple([x.batched for x in lanes])


def call(op: Op, size: int, lanes: list[Lanes], label: str, body: Graph, gradient: Any = None) -> list[Lanes]:
    flags = flags_of(lanes)
    graph, batched = batch_graph(body, flags, size)
    own = {} if gradient is None else {"gradient": LanesGradient(
        gradient, (("label", label), ("body", body)), flags, batched, size)}
    out = bind(op, *[x.value for x in lanes], label=f"{label}_vmap", body=graph, **own)
    return [Lanes(y, flag) for y, flag in zip(out, batched, strict=True)]


def barrier(op: Op, size: int, lanes: list[Lanes]) -> list[Lanes]:
    return [Lanes(y, x.batched) for y, x in zip(bind(op, *[x.value for x in lanes]), lanes, strict=True)]


def cond(op: Op, size: int, lanes: list[Lanes], on_true: Graph, on_false: Graph) -> list[Lanes]:
    """Where lanes choose differently both branches run; gradients still come from the chosen one alone."""
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
    """Both branches, and for each lane the results of one, as a graph from the predicates and the inputs."""
    shared = {j for j in range(len(on_true.outputs)) if _is_shared_state(on_true, on_false, flags, j)}
    batched = tuple([j not in shared for j in range(len(on_true.outputs))])
    graphs = [batch_graph(branch, flags, size, batched)[0] for branch in (on_true, on_false)]

    def function(predicate: Value, *inputs: Value) -> list[Any]:
        pairs = zip(*[replay(graph, inputs) for graph in graphs], strict=True)
        return [_where_live(predicate, x, y) if flag else maximum(x, y)  # the state that has drawn more
                for (x, y), flag in zip(pairs, batched, strict=True)]

    types = [TensorType((size, *t.shape), t.dtype) if flag else t
             for t, flag in zip(on_true.input_types, flags, strict=True)]
    return state.interpreter.trace(function, [TensorType((size,), dtypes.bool_), *types]).graph, batched


def _is_shared_state(on_true: Graph, on_false: Graph, flags: Flags, output: int) -> bool:
    """Whether the output is, in both branches, a random state that all lanes share, advanced by draws or not."""
    positions = [i for i in random_states(on_true) | random_states(on_false) if not flags[i]]
    return all(_comes_from(graph.outputs[output], {graph.parameters[i] for i in positions})
               for graph in (on_true, on_false))


def _comes_from(value: Node, states: set[Node]) -> bool:
    """Whether `value` is one of `states`, or made from one of them by way of values of the same type."""
    waiting, seen = [value], {value}
    while waiting:
        node = waiting.pop()
        if node in states:
            return True
        source = node.inputs[0] if node.op is RESULT else node
        new = [x for x in source.inputs if x.type == value.type and x not in seen]
        waiting += new
        seen.update(new)
    return False


def scan(op: Op, size: int, lanes: list[Lanes], body: Graph, length: int, reverse: bool, constants: int,
         carries: int) -> list[Lanes]:
    start = constants + carries
    fixed, rows = flags_of(lanes[:constants]), flags_of(lanes[start:])
    carry = _settled(body, fixed, flags_of(lanes[constants:start]), rows, size)
    graph, batched = batch_graph(body, fixed + carry + rows, size, carry + (False,) * (len(body.outputs) - carries))
    values = [*[x.value for x in lanes[:constants]], *_as_flagged(lanes[constants:start], carry, size),
              *[moveaxis(x.value, 0, 1) if x.batched else x.value for x in lanes[start:]]]
    out = bind(op, *values, body=graph, length=length, reverse=reverse, constants=constants, carries=carries)
    stacked = [moveaxis(y, 1, 0) if flag else y for y, flag in zip(out[carries:], batched[carries:], strict=True)]
    return [Lanes(y, flag) for y, flag in zip(out[:carries] + stacked, batched, strict=True)]


def while_(op: Op, size: int, lanes: list[Lanes], condition: Graph, body: Graph, condition_constants: int,
           body_constants: int, bound: int | None = None) -> list[Lanes]:
    start = condition_constants + body_constants
    for_condition, for_body, carry = lanes[:condition_constants], lanes[condition_constants:start], lanes[start:]
    batched = _settled(body, flags_of(for_body), flags_of(carry), (), size)
    test, differs = batch_graph(condition, flags_of(for_condition) + batched, size)
    if differs == (True,):
        return _masked_while(size, for_condition, for_body, carry, batched, condition, body, bound)
    graph, _ = batch_graph(body, flags_of(for_body) + batched, size, batched)
    out = bind(op, *[x.value for x in lanes[:start]], *_as_flagged(carry, batched, size), condition=test, body=graph,
               condition_constants=condition_constants, body_constants=body_constants,
               **({} if bound is None else {"bound": bound}))
    return [Lanes(y, flag) for y, flag in zip(out, batched, strict=True)]


def _masked_while(size: int, for_condition: list[Lanes], for_body: list[Lanes], carry: list[Lanes], batched: Flags,
                  condition: Graph, body: Graph, bound: int | None) -> list[Lanes]:
    """A loop that runs while any lane goes on; lanes that are done keep their value.

    A random state that all lanes share stays shared, and so moves on until the last lane is done.
    """
    first = len(for_body)
    shared = frozenset(i - first for i in random_states(body))
    batched = tuple([flag or i not in shared for i, flag in enumerate(batched)])
    test, _ = batch_graph(condition, flags_of(for_condition) + batched, size, (True,))
    graph, _ = batch_graph(_guarded(body, first, shared), (True, *flags_of(for_body), *batched), size, batched)
    fixed_test, fixed = [x.value for x in for_condition], [x.value for x in for_body]

    def step(values: list[Any]) -> list[Any]:
        live, *before = values
        after = replay(graph, [live, *fixed, *before])
        return [logical_and(live, replay(test, [*fixed_test, *after])[0]), *after]

    values = _as_flagged(carry, batched, size)
    live = replay(test, [*fixed_test, *values])[0]
    out = loops.while_loop(lambda values: reduce.any(values[0]), step, [live, *values], bound=bound)[1:]
    return [Lanes(y, flag) for y, flag in zip(out, batched, strict=True)]


@functools.lru_cache(maxsize=1024)
def _guarded(body: Graph, constants: int, shared: frozenset[int]) -> Graph:
    """A step of a loop that keeps the carry, but for the `shared` parts, where its first input is false."""
    keep = Graph(body.parameters, body.parameters[constants:])

    def function(live: Value, *inputs: Value) -> list[Any]:
        chosen, moved = bind(ops.COND, live, *inputs, on_true=body, on_false=keep), replay(body, inputs)
        return [moved[i] if i in shared else x for i, x in enumerate(chosen)]

    return state.interpreter.trace(function, [TensorType((), dtypes.bool_), *body.input_types]).graph


def _where_live(live: Any, new: Any, old: Any) -> Any:
    return where(align(Lanes(live, True), len(new.shape) - 1), new, old)


def _settled(body: Graph, fixed: Flags, carry: Flags, rows: Flags, size: int) -> Flags:
    """Which carries differ between lanes after any number of steps, from those that do so before the first one."""
    while True:
        _, out = batch_graph(body, fixed + carry + rows, size)
        after = tuple([now or then for now, then in zip(carry, out[:len(carry)], strict=True)])
        if after == carry:
            return carry
        carry = after


def _as_flagged(lanes: Sequence[Lanes], flags: Flags, size: int) -> list[Any]:
    return [spread(x, size) if flag else x.value for x, flag in zip(lanes, flags, strict=True)]


@functools.lru_cache(maxsize=1024)
def random_states(graph: Graph) -> frozenset[int]:
    """The positions of the parameters from which random bits are drawn, here or in a graph inside."""
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
