"""Branches: a choice between functions at run time, of which only the chosen one runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tarazu.base.errors import ArgumentError, DTypeError, ShapeError, TarazuError
from tarazu.base.pytree import Structure, describe
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Traced, Value
from tarazu.ir.node import Builder
from tarazu.ir.types import TensorType
from tarazu.ops.control_flow.bodies import Changes, bind_with_changes, trace_body, type_of, values_of, without
from tarazu.ops.elementwise import clip, less
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike, Tensor, Tree


def cond(predicate: ArrayLike, true_function: Callable[..., Tree], false_function: Callable[..., Tree],
         *operands: Tree) -> Tree:
    """`true_function(*operands)` where the boolean scalar `predicate` is true, else `false_function(*operands)`.

    Both are traced and have to give the same nesting, shapes and dtypes: ArgumentError, ShapeError or DTypeError if
    they do not, ArgumentError for another predicate. One runs, and gradients flow through that one alone. They may read
    tensors from outside and change them in place.

    >>> import tarazu as tz
    >>> tz.cond(tz.tensor(True), lambda x: x + 1, lambda x: x - 1, tz.tensor(1.0))
    Tensor(2., dtype=float32)
    """
    predicate = as_value(predicate)
    if type_of(predicate).shape or predicate.dtype.kind != "bool":
        raise ArgumentError(f"cond: a predicate of type {type_of(predicate)}", expected="a scalar of dtype bool",
                            fix="compare it (x > 0), and reduce several with .any() or .all()")
    return _choose(predicate, true_function, false_function, operands,
                   ("cond: the true function", "the false function"))


def _choose(predicate: Tensor, true_function: Callable[..., Tree], false_function: Callable[..., Tree],
            operands: tuple[Tree, ...], names: tuple[str, str]) -> Tree:
    """`cond`, with names of the two functions for errors."""
    inputs, structure = values_of(operands)

    def traced(function: Callable[..., Tree]) -> Traced:
        return trace_body(lambda *values: function(*structure.rebuild(values)), inputs)

    branches = traced(true_function), traced(false_function)
    result = _require_same_results(names, branches)
    captured, changes = _union([one.captured for one in branches]), Changes.of(*branches)
    graphs = [_branch_graph(one, captured, changes.handles, len(inputs)) for one in branches]
    out = bind_with_changes(ops.COND, [predicate, *inputs, *captured], changes, result.leaves, on_true=graphs[0],
                            on_false=graphs[1])
    return result.rebuild(out)


def switch(index: ArrayLike, branches: Sequence[Callable[..., Tree]], *operands: Tree) -> Tree:
    """`branches[index](*operands)` for an integer scalar; an index out of range takes the first or the last.

    All are traced and have to give the same nesting, shapes and dtypes: ArgumentError, ShapeError or DTypeError if they
    do not, ArgumentError for another index and for no branches. One runs, and gradients flow through that one alone.

    >>> import tarazu as tz
    >>> tz.switch(tz.tensor(1), [lambda x: x, lambda x: x * 2, lambda x: x * 3], tz.tensor(5))
    Tensor(10, dtype=int64)
    """
    index = as_value(index)
    if not branches:
        raise ArgumentError("switch without branches", expected="a list of at least one function",
                            fix="check the list before the call")
    if index.shape or index.dtype.kind not in ("int", "uint"):
        raise ArgumentError(f"switch: an index of type {type_of(index)}", expected="a scalar of an integer dtype",
                            fix="cast it: index.astype(tz.int64)")
    index = clip(index, 0, len(branches) - 1)

    def choose(start: int, stop: int, values: tuple[Tree, ...]) -> Tree:
        if stop - start == 1:
            return branches[start](*values)
        middle = (start + stop) // 2
        return _choose(less(index, middle), lambda *xs: choose(start, middle, xs),
                       lambda *xs: choose(middle, stop, xs), values,
                       (f"switch: branch {start}", f"branch {middle}"))
    return choose(0, len(branches), operands)


def _require_same_results(names: tuple[str, str], branches: tuple[Traced, Traced]) -> Structure:
    types = [one.graph.output_types[:len(one.graph.outputs) - len(one.rebound)] for one in branches]
    structures = [one.result_structure for one in branches]
    if structures[0] != structures[1] or types[0] != types[1]:
        texts = [describe(structure, leaves) for structure, leaves in zip(structures, types, strict=True)]
        error = _misfit(structures, types)
        raise error(f"{names[0]} gives {texts[0]}, {names[1]} gives {texts[1]}",
                    expected="results of the same nesting, shapes and dtypes from both",
                    fix="cast, broadcast or nest the results of one like those of the other")
    return structures[0]


def _misfit(structures: list[Structure], types: list[tuple[TensorType, ...]]) -> type[TarazuError]:
    """The error for results that differ in nesting, else in shapes, else in dtypes."""
    if structures[0] != structures[1]:
        return ArgumentError
    return ShapeError if [t.shape for t in types[0]] != [t.shape for t in types[1]] else DTypeError


def _union(lists: Sequence[list[Value]]) -> list[Value]:
    """All handles of the lists, each once, in their order."""
    union: list[Value] = []
    for handles in lists:
        union += without(handles, union)
    return union


def _branch_graph(traced: Traced, captured: list[Value], rebound: Sequence[Value], inputs: int) -> Graph:
    """The traced branch with parameters (inputs, captured) and outputs (results, rebound) of both branches together."""
    graph, unused = traced.graph, Builder()
    own = dict(zip(map(id, traced.captured), graph.parameters[inputs:], strict=True))
    parameter = {id(x): own.get(id(x)) or unused.parameter(type_of(x)) for x in captured}
    count = len(graph.outputs) - len(traced.rebound)
    new = dict(zip(map(id, traced.rebound), graph.outputs[count:], strict=True))
    return Graph([*graph.parameters[:inputs], *(parameter[id(x)] for x in captured)],
                 [*graph.outputs[:count], *(new.get(id(x)) or parameter[id(x)] for x in rebound)])
