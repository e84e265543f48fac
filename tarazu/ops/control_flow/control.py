"""Functions as parts of a graph: named calls, scans and loops.

Each traces its Python function once. Tensors that the function reads from outside become inputs, and tensors that it
changes in place (a random state, running means) go round the loop as carries and are changed afterwards.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from numbers import Integral
from typing import Any, NamedTuple

from tarazu.base.errors import ArgumentError, ShapeError, TraceError
from tarazu.base.pytree import Structure, describe, flatten
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Traced, Value, bind, state
from tarazu.ir.node import Builder
from tarazu.ir.types import TensorType
from tarazu.ops.promote import as_value


def type_of(x: Value) -> TensorType:
    return TensorType(tuple(x.shape), x.dtype)


# Composites -----------------------------------------------------------------------------------------------------

@functools.lru_cache(maxsize=1024)
def _body(function: Callable[..., Any], types: tuple[TensorType, ...], options: tuple[tuple[str, Any], ...]) -> Graph:
    traced = state.interpreter.trace(functools.partial(function, **dict(options)), types)
    if traced.captured:
        raise TraceError(f"the composite {function.__name__} reads a tensor that is not an argument",
                         expected="a function of its arguments alone", fix="pass the tensor as an argument")
    return traced.graph


class OwnGradient(NamedTuple):
    """The gradient that a composite brings along, as an attribute of its calls."""

    rule: Callable[..., list[Any]]
    options: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return self.rule.__name__

    def __call__(self, cotangents: Any, outputs: Any, inputs: Any, needed: Any, **_: Any) -> list[Any]:
        return self.rule(cotangents, outputs, inputs, needed, **dict(self.options))


def composite(label: str, *, gradient: Any = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make `function(*tensors, **options)` a `call` named `label`, for which a backend may have a kernel.

    Several results come as a tuple. `gradient`, a function of (cotangents, outputs, inputs, needed, **options) like the
    rows of `vjp_rules` for several results, stands in for the gradient of the body. What it needs of the inside of the
    function, the function can give as further results.
    """
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*tensors: Any, **options: Any) -> Any:
            values = [as_value(x) for x in tensors]
            make = _body.__wrapped__ if state.interpreter.notes_lines else _body  # lines differ from call to call
            chosen = tuple(sorted(options.items()))
            body = make(function, tuple([type_of(x) for x in values]), chosen)
            own = {} if gradient is None else {"gradient": OwnGradient(gradient, chosen)}
            out = bind(ops.CALL, *values, label=label, body=body, **own)
            return out[0] if len(out) == 1 else tuple(out)
        return call
    return decorate


# Loops ----------------------------------------------------------------------------------------------------------

def scan(function: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any = None, *, length: int | None = None,
         reverse: bool = False) -> tuple[Any, Any]:
    """Go through the first axis of `xs` with `carry, y = function(carry, x)`; gives the last carry and the stacked y.

    `init` and `xs` may be nested lists, tuples and dicts of tensors; `length` is needed when `xs` is None. `reverse`
    goes from the last row to the first. The carry keeps its shapes and dtypes.

    >>> import tarazu as tz
    >>> total, sums = tz.scan(lambda total, x: (total + x, total + x), tz.tensor(0), tz.arange(4))
    >>> sums
    Tensor([0, 1, 3, 6], dtype=int64)
    """
    carry, carry_structure = values_of(init)
    sequences, sequence_structure = values_of(xs)
    length = _scan_length(sequences, length)
    result: list[Structure] = []

    def body(*values: Value) -> list[Any]:
        new_carry, y = _pair(function(carry_structure.rebuild(values[:len(carry)]),
                                      sequence_structure.rebuild(values[len(carry):])))
        leaves = _same_structure("scan", new_carry, carry_structure)
        ys, structure = values_of(y)
        result.append(structure)
        return leaves + ys

    rows = [TensorType(x.shape[1:], x.dtype) for x in sequences]
    traced = state.interpreter.trace(body, [type_of(x) for x in carry] + rows)
    constants = [x for x in traced.captured if not contains(traced.rebound, x)]
    graph = _loop_graph(traced, constants, len(carry), len(traced.graph.outputs) - len(traced.rebound))
    start = carry + traced.rebound
    out = bind(ops.SCAN, *constants, *start, *sequences, body=graph, length=length, reverse=reverse,
               constants=len(constants), carries=len(start))
    for handle, value in zip(traced.rebound, out[len(carry):len(start)], strict=True):
        state.interpreter.rebind(handle, value)
    return carry_structure.rebuild(out[:len(carry)]), result[0].rebuild(out[len(start):])


def while_loop(condition: Callable[[Any], Any], function: Callable[[Any], Any], init: Any, *,
               bound: int | None = None) -> Any:
    """Repeat `carry = function(carry)` while `condition(carry)` is true; gives the last carry.

    Derivatives in forward mode (`tz.jvp`) always work, gradients when `bound` says how many steps there are at most:
    they keep the carry of that many steps. Running it raises when there are more.

    >>> import tarazu as tz
    >>> tz.while_loop(lambda x: x < 100, lambda x: x * 2, tz.tensor(3))
    Tensor(192, dtype=int64)
    """
    carry, structure = values_of(init)
    types = [type_of(x) for x in carry]
    test = state.interpreter.trace(lambda *values: [condition(structure.rebuild(values))], types)
    step = state.interpreter.trace(
        lambda *values: _same_structure("while_loop", function(structure.rebuild(values)), structure), types)
    if test.rebound:
        raise TraceError("the condition of a while_loop changed a tensor", expected="a condition that only reads",
                         fix="change the tensor in the body")
    start = carry + step.rebound
    constants = [x for x in step.captured if not contains(step.rebound, x)]
    test_constants = [x for x in test.captured if not contains(step.rebound, x)]
    out = bind(ops.WHILE, *test_constants, *constants, *start,
               condition=_condition_graph(test, step, test_constants, len(carry)),
               body=_loop_graph(step, constants, len(carry), len(carry)),
               condition_constants=len(test_constants), body_constants=len(constants),
               **({} if bound is None else {"bound": require_bound(bound)}))
    for handle, value in zip(step.rebound, out[len(carry):], strict=True):
        state.interpreter.rebind(handle, value)
    return structure.rebuild(out[:len(carry)])


def values_of(tree: Any) -> tuple[list[Any], Structure]:
    leaves, structure = flatten(tree)
    return [as_value(leaf) for leaf in leaves], structure


def require_bound(bound: Any) -> int:
    if not isinstance(bound, Integral) or bound < 0:
        raise ArgumentError(f"while_loop: bound={bound!r}", expected="a whole number of at least 0, or None",
                            fix="pass the largest number of steps that may happen, as a Python number")
    return int(bound)


def trace_body(function: Callable[..., Any], values: list[Any]) -> Traced:
    return state.interpreter.trace(function, [type_of(x) for x in values])


def bind_body(traced: Traced, values: list[Any], label: str, gradient: Any) -> Any:
    """The result of the traced function for `values`, as a `call`; it may read and change tensors from outside."""
    out = bind(ops.CALL, *values, *traced.captured, label=label, body=traced.graph, gradient=gradient)
    count = len(out) - len(traced.rebound)
    for handle, value in zip(traced.rebound, out[count:], strict=True):
        state.interpreter.rebind(handle, value)
    return traced.result_structure.rebuild(out[:count])


def _pair(result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise ArgumentError(f"the function of a scan gave {type(result).__name__}", expected="a pair (carry, y)",
                            fix="return carry, None when there is nothing to stack")
    return result


def _same_structure(name: str, tree: Any, wanted: Structure) -> list[Any]:
    leaves, structure = values_of(tree)
    if structure != wanted:
        raise ArgumentError(f"{name}: the carry changed its structure from {describe(wanted)} to {describe(structure)}",
                            expected="the nesting and keys of the start",
                            fix="return the carry in the shape in which it came")
    return leaves


def _scan_length(sequences: list[Any], length: int | None) -> int:
    sizes = {x.shape[0] if x.shape else None for x in sequences} | ({length} if length is not None else set())
    if len(sizes) != 1 or None in sizes:
        raise ShapeError(f"scan over shapes {[x.shape for x in sequences]} with length={length}",
                         expected="tensors with first axes of one size, or a length",
                         fix="pass xs of one length, or length=n")
    return int(sizes.pop())  # type: ignore[arg-type]


def contains(handles: list[Any], x: Any) -> bool:
    return any(handle is x for handle in handles)


def _loop_graph(traced: Traced, constants: list[Any], carries: int, results: int) -> Graph:
    """The traced body with parameters (constants, carries, rebound, rows) and outputs (carries, rebound, rows)."""
    graph = traced.graph
    own = graph.parameters[:len(graph.parameters) - len(traced.captured)]
    parameter = dict(zip(map(id, traced.captured), graph.parameters[len(own):], strict=True))
    order = [*(parameter[id(x)] for x in constants), *own[:carries],
             *(parameter[id(x)] for x in traced.rebound), *own[carries:]]
    return Graph(order, [*graph.outputs[:carries], *graph.outputs[results:], *graph.outputs[carries:results]])


def _condition_graph(test: Traced, step: Traced, constants: list[Any], carries: int) -> Graph:
    """The traced condition with parameters (constants, carries, rebound)."""
    graph, unused = test.graph, Builder()
    parameter = dict(zip(map(id, test.captured), graph.parameters[carries:], strict=True))
    rebound = [parameter.get(id(x)) or unused.parameter(type_of(x)) for x in step.rebound]
    return Graph([*(parameter[id(x)] for x in constants), *graph.parameters[:carries], *rebound], graph.outputs)
