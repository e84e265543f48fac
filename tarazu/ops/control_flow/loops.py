"""Loops: `scan` over rows, `while_loop`, counted loops, and a function mapped over rows.

Each traces its Python functions once. Tensors that these read from outside become inputs, and tensors that they change
in place (a random state, running means) are carried from step to step and changed at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral

from tarazu.base.checks import flag
from tarazu.base.errors import ArgumentError, ShapeError, TraceError
from tarazu.base.pytree import Structure, describe
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Traced, Value, state
from tarazu.ir.node import Builder
from tarazu.ir.types import TensorType
from tarazu.ops.control_flow.bodies import Changes, bind_with_changes, trace_body, type_of, values_of, without
from tarazu.ops.create import arange
from tarazu.ops.elementwise import add, less
from tarazu.ops.promote import as_value, same_dtype
from tarazu.ops.typing import ArrayLike, Tensor, Tree


def scan(function: Callable[[Tree, Tree], tuple[Tree, Tree]], init: Tree, xs: Tree = None, *, length: int | None = None,
         reverse: bool = False) -> tuple[Tree, Tree]:
    """Go through the rows of `xs` with `carry, y = function(carry, x)`; gives the last carry and all y, stacked.

    `init` and `xs` may be nested lists, tuples and dicts of tensors; a row is what an index of the first axis names.
    `length` is needed when `xs` is None. `reverse` goes from the last row to the first; the y stay beside their rows.
    The carry keeps its nesting, shapes and dtypes: ArgumentError or TraceError if it does not. ShapeError for first
    axes of different sizes, ArgumentError for a function that gives no pair.

    >>> import tarazu as tz
    >>> total, sums = tz.scan(lambda total, x: (total + x, total + x), tz.tensor(0), tz.arange(4))
    >>> total, sums
    (Tensor(6, dtype=int64), Tensor([0, 1, 3, 6], dtype=int64))
    """
    carry, carry_structure = values_of(init)
    sequences, sequence_structure = values_of(xs)
    length = _scan_length(sequences, length)
    y_structures: list[Structure] = []

    def body(*values: Tensor) -> list[Tensor]:
        new_carry, y = _pair(function(carry_structure.rebuild(values[:len(carry)]),
                                      sequence_structure.rebuild(values[len(carry):])))
        leaves = _same_structure("scan", new_carry, carry_structure)
        ys, structure = values_of(y)
        y_structures.append(structure)
        return leaves + ys

    rows = [TensorType(x.shape[1:], x.dtype) for x in sequences]
    traced = state.interpreter.trace(body, [type_of(x) for x in carry] + rows)
    constants = without(traced.captured, traced.rebound)
    graph = _loop_graph(traced, constants, len(carry), len(traced.graph.outputs) - len(traced.rebound))
    start = carry + traced.rebound
    out = bind_with_changes(ops.SCAN, [*constants, *start, *sequences], Changes.of(traced), len(carry), body=graph,
                            length=length, reverse=flag("reverse", reverse), constants=len(constants),
                            carries=len(start))
    return carry_structure.rebuild(out[:len(carry)]), y_structures[0].rebuild(out[len(carry):])


def while_loop(condition: Callable[[Tree], ArrayLike], function: Callable[[Tree], Tree], init: Tree, *,
               bound: int | None = None) -> Tree:
    """Repeat `carry = function(carry)` while `condition(carry)`, a boolean scalar, is true; gives the last carry.

    `init` may be nested lists, tuples and dicts of tensors; the carry keeps its nesting, shapes and dtypes:
    ArgumentError or TraceError if it does not. Derivatives in forward mode (`tz.jvp`) always work, gradients when
    `bound` says how many steps there are at most: they keep the carry of that many steps. ArgumentError where there are
    more, GradientError for a gradient without a bound, TraceError for a condition that changes a tensor.

    >>> import tarazu as tz
    >>> tz.while_loop(lambda x: x < 100, lambda x: x * 2, tz.tensor(3))
    Tensor(192, dtype=int64)
    >>> tz.grad(lambda x: tz.while_loop(lambda y: y < 100, lambda y: y * 2, x, bound=9))(3.0)
    Tensor(64., dtype=float32)
    """
    carry, structure = values_of(init)
    test = trace_body(lambda *values: [condition(structure.rebuild(values))], carry)
    step = trace_body(lambda *values: _same_structure("while_loop", function(structure.rebuild(values)), structure),
                      carry)
    if test.rebound:
        raise TraceError("the condition of a while_loop changed a tensor", expected="a condition that only reads",
                         fix="change the tensor in the body")
    start = carry + step.rebound
    constants = without(step.captured, step.rebound)
    test_constants = without(test.captured, step.rebound)
    out = bind_with_changes(ops.WHILE, [*test_constants, *constants, *start], Changes.of(step), len(carry),
                            condition=_condition_graph(test, step, test_constants, len(carry)),
                            body=_loop_graph(step, constants, len(carry), len(carry)),
                            condition_constants=len(test_constants), body_constants=len(constants),
                            **({} if bound is None else {"bound": _require_bound(bound)}))
    return structure.rebuild(out)


def fori_loop(start: ArrayLike, stop: ArrayLike, body: Callable[[Tensor, Tree], Tree], init: Tree, *,
              bound: int | None = None) -> Tree:
    """The carry after `carry = body(i, carry)` for i from `start` up to but not with `stop`.

    With Python numbers it is a `scan`, which has gradients; with integer tensors a `while_loop`, which has them when
    `bound` says how many steps there are at most. ArgumentError for limits that are not integer scalars, and where
    there are more steps than `bound`.

    >>> import tarazu as tz
    >>> tz.fori_loop(0, tz.tensor(5), lambda i, total: total + i, tz.tensor(0))
    Tensor(10, dtype=int64)
    """
    if isinstance(start, Integral) and isinstance(stop, Integral):
        return scan(lambda carry, i: (body(i, carry), None), init, arange(int(start), max(int(start), int(stop))))[0]
    first, end = same_dtype(as_value(start), as_value(stop))
    for x in (first, end):
        if x.shape or x.dtype.kind not in ("int", "uint"):
            raise ArgumentError(f"fori_loop: a bound of type {type_of(x)}", expected="integer scalars",
                                fix="cast it: n.astype(tz.int64)")
    return while_loop(lambda carry: less(carry[0], end), lambda carry: (add(carry[0], 1), body(*carry)), (first, init),
                      bound=bound)[1]


def map(function: Callable[[Tree], Tree], xs: Tree) -> Tree:
    """`function` of each row (along the first axis) of the tensors in `xs`, one after the other; results stacked.

    It needs the memory of one row at a time; `tz.vmap` does all rows at once. ShapeError for first axes of different
    sizes, and for scalars.

    >>> import tarazu as tz
    >>> tz.map(lambda row: row.sum(), tz.tensor([[1, 2], [3, 4]]))
    Tensor([3, 7], dtype=int64)
    """
    return scan(lambda carry, x: (carry, function(x)), (), xs)[1]


# Checks ---------------------------------------------------------------------------------------------------------

def _require_bound(bound: object) -> int:
    if not isinstance(bound, Integral) or bound < 0:
        raise ArgumentError(f"while_loop: bound={bound!r}", expected="a whole number of at least 0, or None",
                            fix="pass the largest number of steps that may happen, as a Python number")
    return int(bound)


def _pair(result: Tree) -> tuple[Tree, Tree]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise ArgumentError(f"the function of a scan gave {type(result).__name__}", expected="a pair (carry, y)",
                            fix="return carry, None when there is nothing to stack")
    return result


def _same_structure(name: str, tree: Tree, expected: Structure) -> list[Tensor]:
    """The leaves of the carry after a step, which has to have the structure of the carry before it."""
    leaves, structure = values_of(tree)
    if structure != expected:
        raise ArgumentError(
            f"{name}: the carry changed its structure from {describe(expected)} to {describe(structure)}",
            expected="the nesting and keys of the start", fix="return the carry in the shape in which it came")
    return leaves


def _scan_length(sequences: Sequence[Tensor], length: int | None) -> int:
    sizes = {x.shape[0] if x.shape else None for x in sequences} | ({length} if length is not None else set())
    size = sizes.pop() if len(sizes) == 1 else None
    if size is None:
        raise ShapeError(f"scan over shapes {[x.shape for x in sequences]} with length={length}",
                         expected="tensors with first axes of one size, or a length",
                         fix="pass xs of one length, or length=n")
    return int(size)


# Graphs ---------------------------------------------------------------------------------------------------------

def _loop_graph(traced: Traced, constants: Sequence[Value], carries: int, results: int) -> Graph:
    """The traced body with parameters (constants, carries, rebound, rows) and outputs (carries, rebound, rows)."""
    graph = traced.graph
    own = graph.parameters[:len(graph.parameters) - len(traced.captured)]
    parameter = dict(zip([id(x) for x in traced.captured], graph.parameters[len(own):], strict=True))
    order = [*(parameter[id(x)] for x in constants), *own[:carries],
             *(parameter[id(x)] for x in traced.rebound), *own[carries:]]
    return Graph(order, [*graph.outputs[:carries], *graph.outputs[results:], *graph.outputs[carries:results]])


def _condition_graph(test: Traced, step: Traced, constants: Sequence[Value], carries: int) -> Graph:
    """The traced condition with parameters (constants, carries, rebound)."""
    graph, unused = test.graph, Builder()
    parameter = dict(zip([id(x) for x in test.captured], graph.parameters[carries:], strict=True))
    rebound = [parameter.get(id(x)) or unused.parameter(type_of(x)) for x in step.rebound]
    return Graph([*(parameter[id(x)] for x in constants), *graph.parameters[:carries], *rebound], graph.outputs)
