"""Calls with a gradient of their own: `custom_vjp` takes the user's, `checkpoint` computes the forward part again."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tarazu.base.errors import ArgumentError, GradientError, ShapeError
from tarazu.base.pytree import Structure, flatten
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Value, bind, state
from tarazu.ops.control_flow.bodies import trace_body
from tarazu.ops.control_flow.composite import bind_body
from tarazu.ops.create import zeros_like
from tarazu.ops.promote import as_value, cast
from tarazu.transform.gradient.control_rules import Flags, call
from tarazu.transform.gradient.tape import walking

TENSOR = "<tensor>"  # stands in a list of leaves for one


class Arguments(NamedTuple):
    """The arguments of a call without the tensors among them; hashable when what is fixed is."""

    structure: Structure
    fixed: tuple[Any, ...]  # the leaves that are no tensors, TENSOR for those that are

    @classmethod
    def taken_apart(cls, args: tuple, kwargs: dict[str, Any]) -> tuple[Arguments, list[Value]]:
        leaves, structure = flatten((args, kwargs))
        is_tensor = [isinstance(x, Value | np.ndarray) for x in leaves]
        fixed = tuple([TENSOR if flag else x for x, flag in zip(leaves, is_tensor, strict=True)])
        return cls(structure, fixed), [as_value(x) for x, flag in zip(leaves, is_tensor, strict=True) if flag]

    def filled(self, tensors: Any) -> tuple[tuple, dict[str, Any]]:
        """The arguments with these tensors."""
        rest = iter(tensors)
        return self.structure.rebuild([next(rest) if leaf is TENSOR else leaf for leaf in self.fixed])


# Gradients of users ---------------------------------------------------------------------------------------------

class Handles:
    """Tensors from outside, compared by identity."""

    def __init__(self, handles: Sequence[Value]) -> None:
        self.handles = tuple(handles)
        self._ids = tuple(map(id, handles))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Handles) and self._ids == other._ids

    def __hash__(self) -> int:
        return hash(self._ids)


class CustomGradient(NamedTuple):
    """The rule of one call of a `custom_vjp`."""

    function: CustomVjp
    arguments: Arguments
    results: Structure
    outside: Handles  # what the function reads from outside; the inputs after the arguments stand for it

    def __str__(self) -> str:
        return "custom"

    def __call__(self, cotangents: Any, outputs: Any, inputs: Any, needed: Flags, label: str, body: Graph) -> list[Any]:
        count = self.arguments.fixed.count(TENSOR)
        if any(needed[count:]):
            raise GradientError(f"{label} reads a tensor from outside that a gradient is wanted for",
                                expected="a custom_vjp whose backward is given all that gradients flow to",
                                fix="pass the tensor as an argument")
        result, size = self.results, self.results.leaves
        given = [(zeros_like(y) if g is None else g) if y.dtype.is_inexact else None
                 for g, y in zip(cotangents[:size], outputs, strict=False)]
        args, kwargs = self.arguments.filled(inputs[:count])
        substitute = state.interpreter.substitute(self.outside.handles, inputs[count:])
        with substitute, walking(forward=False):  # a `grad` in the user's function is a real one
            found = self.function.run_backward(result.rebuild(given), result.rebuild(outputs[:size]), args, kwargs)
        return [*self._leaves(found, args, inputs, label), *[None] * (len(inputs) - count)]

    def _leaves(self, found: Any, args: tuple, inputs: Any, label: str) -> list[Any]:
        """The cotangent of each tensor among the arguments."""
        if len(args) == 1 and not (isinstance(found, tuple) and len(found) == 1):
            found = (found,)
        if not isinstance(found, tuple) or len(found) != len(args):
            what = f"{len(found)} cotangents" if isinstance(found, tuple) else type(found).__name__
            raise ArgumentError(f"the backward of {label} gave {what} for {len(args)} arguments",
                                expected="a tuple with one cotangent for each positional argument",
                                fix="return None in the places of arguments without a gradient")
        cotangents: list[Any] = []
        for place, (g, argument) in enumerate(zip(found, args, strict=True)):
            cotangents += _cotangents_of(g, argument, f"{label}: the cotangent of argument {place}")
        cotangents += [None] * (self.arguments.fixed.count(TENSOR) - len(cotangents))  # keyword arguments
        return [_fitting(g, x, label) for g, x in zip(cotangents, inputs, strict=False)]


def _cotangents_of(g: Any, argument: Any, name: str) -> list[Any]:
    leaves, structure = flatten(argument)
    is_tensor = [isinstance(x, Value) for x in leaves]
    if g is None:
        return [None] * sum(is_tensor)
    found, own = flatten(g)
    if own != structure:
        raise ArgumentError(f"{name} has another structure than the argument", expected="the same nesting and keys",
                            fix="build it as the argument is built")
    return [one for one, flag in zip(found, is_tensor, strict=True) if flag]


def _fitting(g: Any, x: Value, label: str) -> Any:
    if g is None or not x.dtype.is_inexact:
        return None
    g = as_value(g, x.dtype)
    if g.shape != x.shape:
        raise ShapeError(f"the backward of {label} gave a cotangent of shape {tuple(g.shape)} for an argument of shape "
                         f"{tuple(x.shape)}", expected=f"shape {tuple(x.shape)}",
                         fix="sum over the axes along which the argument was broadcast")
    return cast(g, x.dtype)



class CustomVjp:
    """A function with a gradient that the user wrote; see `custom_vjp`."""

    is_users_code = True  # for graph_cache

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self._label = getattr(function, "__name__", "custom_vjp")
        self._backward: Callable[..., Any] | None = None

    def backward(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Make `function(cotangent, output, *arguments)` the gradient; a decorator."""
        self._backward = function
        return function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        arguments, values = Arguments.taken_apart(args, kwargs)
        try:
            hash(arguments)
        except TypeError as error:
            raise ArgumentError(f"{self._label}: {error}", expected="tensors, arrays, and hashable Python values",
                                fix="pass it as a tensor or a tuple") from None

        def body(*tensors: Value) -> Any:
            args, kwargs = arguments.filled(tensors)
            return self.function(*args, **kwargs)

        traced = trace_body(body, values)
        rule = CustomGradient(self, arguments, traced.result_structure, Handles(traced.captured))
        return bind_body(traced, values, self._label, rule)

    def run_backward(self, cotangent: Any, output: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        """What the user's function gives."""
        if self._backward is None:
            raise GradientError(f"{self._label} is a custom_vjp without a backward", expected="a backward function",
                                fix=f"decorate one with @{self._label}.backward")
        return self._backward(cotangent, output, *args, **kwargs)


def custom_vjp(function: Callable[..., Any]) -> CustomVjp:
    """A function whose gradient is the user's: a decorator, whose result has a decorator `.backward` for the gradient.

    The backward is called as `backward(cotangent, output, *arguments)` and gives a tuple with one cotangent (or None)
    for each positional argument, in the argument's nesting. It may be made of anything that has gradients itself, which
    then are those of second order. Both functions may use their arguments alone.

    >>> import tarazu as tz
    >>> @tz.custom_vjp
    ... def round_straight_through(x):
    ...     return tz.round(x)
    >>> @round_straight_through.backward
    ... def _(cotangent, output, x):
    ...     return cotangent
    >>> tz.grad(lambda x: round_straight_through(x) * 3)(tz.tensor(1.4))
    Tensor(3., dtype=float32)
    """
    return CustomVjp(function)


# Recomputation --------------------------------------------------------------------------------------------------

def recomputed(cotangents: Any, outputs: Any, inputs: Any, needed: Flags, label: str, body: Graph) -> list[Any]:
    """The gradient of a call, behind a barrier: its forward part is neither shared with the first one nor started
    before the cotangents are there."""
    held = bind(ops.BARRIER, *inputs, *[g for g in cotangents if g is not None])
    fresh = iter(held[len(inputs):])
    return call([None if g is None else next(fresh) for g in cotangents], outputs, held[:len(inputs)], needed, label,
                body)


def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, whose gradient computes its inner values again instead of keeping them: less memory, more time.

    Between the forward part and the gradient only arguments and results are kept, eagerly and under `jit` alike: the
    gradient reads its inputs through a `barrier`, behind which nothing equals a node before it, so that sharing of
    equal nodes cannot bring the two together (Chen et al., "Training deep nets with sublinear memory cost", 2016).

    >>> import tarazu as tz
    >>> tz.grad(tz.checkpoint(lambda x: tz.sin(x) ** 2))(tz.tensor(0.0))
    Tensor(0., dtype=float32)
    """
    label = f"checkpoint_{getattr(function, '__name__', 'function')}".replace("<lambda>", "function")

    @functools.wraps(function)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        arguments, values = Arguments.taken_apart(args, kwargs)

        def body(*tensors: Value) -> Any:
            args, kwargs = arguments.filled(tensors)
            return function(*args, **kwargs)
        return bind_body(trace_body(body, values), values, label, recomputed)
    return checkpointed
