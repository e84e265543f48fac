"""Functions as named calls in a graph: composites, for which a backend may have a kernel of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, ParamSpec, TypeVar

from tarazu.base.errors import TraceError
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Traced, Value, state
from tarazu.ir.types import CallGradient, TensorType
from tarazu.ops.control_flow.bodies import Changes, bind_with_changes
from tarazu.ops.promote import as_value
from tarazu.ops.typing import Tensor, Tree

P = ParamSpec("P")
R = TypeVar("R")
MOST = 256  # calls of each composite, by types and options, whose bodies are kept
Options = tuple[tuple[str, Any], ...]  # keyword arguments, sorted by name


def _body(function: Callable[..., Any], types: Sequence[TensorType], options: dict[str, Any]) -> Graph:
    traced = state.interpreter.trace(functools.partial(function, **options), types)
    if traced.captured:
        raise TraceError(f"the composite {function.__name__} reads a tensor that is not an argument",
                         expected="a function of its arguments alone", fix="pass the tensor as an argument")
    return traced.graph


class OwnGradient(NamedTuple):
    """The gradient that a composite brings along, as an attribute of its calls."""

    rule: CallGradient
    options: Options

    def __str__(self) -> str:
        return self.rule.__name__

    def __call__(self, cotangents: Sequence[Tensor | None], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                 needed: Sequence[bool], **_: Any) -> Sequence[Tensor | None]:
        return self.rule(cotangents, outputs, inputs, needed, **dict(self.options))


def composite(label: str, *, gradient: CallGradient | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make `function(*tensors, **options)` a `call` named `label`, for which a backend may have a kernel.

    Several results come as a tuple. `gradient`, a function of (cotangents, outputs, inputs, needed, **options) like the
    rows of the gradient table for several results, replaces the gradient of the body. Intermediate values that it needs
    are further results of the function. TraceError for a function that reads tensors other than its arguments.
    """
    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        known: dict[tuple[Any, ...], dict[str, Any]] = {}  # the attributes of calls, by types and options

        @functools.wraps(function)
        def call(*tensors: Any, **options: Any) -> Any:
            interpreter = state.interpreter
            key: list[Any] = [*options.items()]
            for x in tensors:
                if not isinstance(x, Value):
                    return call(*map(as_value, tensors), **options)
                raw = x.raw
                key += raw.shape, raw.dtype
            found = None if interpreter.notes_lines else known.get(tuple(key))  # lines differ from call to call
            if found is None:
                found = attributes([TensorType(x.shape, x.dtype) for x in tensors], options)
                if len(known) >= MOST:
                    known.clear()
                if not interpreter.notes_lines:
                    known[tuple(key)] = found
            out = interpreter.bind(ops.CALL, tensors, found)
            return out[0] if len(out) == 1 else tuple(out)

        def attributes(types: list[TensorType], options: dict[str, Any]) -> dict[str, Any]:
            own = {} if gradient is None else {"gradient": OwnGradient(gradient, tuple(sorted(options.items())))}
            return {"label": label, "body": _body(function, types, options), **own}
        return call
    return decorate


def bind_body(traced: Traced, values: Sequence[Value], label: str, gradient: object) -> Tree:
    """The result of the traced function for `values`, as a `call` with a gradient; it may change outside tensors."""
    out = bind_with_changes(ops.CALL, [*values, *traced.captured], Changes.of(traced),
                            len(traced.graph.outputs) - len(traced.rebound), label=label, body=traced.graph,
                            gradient=gradient)
    return traced.result_structure.rebuild(out)
