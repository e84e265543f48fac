"""Calls with a gradient of their own: `custom_vjp`, where a user writes it, and `checkpoint`, which recomputes."""

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
from tarazu.transform.gradient.control_rules import call, live_flags, without_nones
from tarazu.transform.gradient.tape import walking
from tarazu.transform.typing import Cotangents, Flags, Tensor, Tensors, with_nones

TENSOR = "<tensor>"  # in place of a tensor, in a list of leaves


class Arguments(NamedTuple):
    """The arguments of a call without the tensors among them; hashable where the other leaves are."""

    structure: Structure
    fixed: tuple[Any, ...]  # the leaves, TENSOR in place of tensors

    @classmethod
    def split(cls, args: tuple, kwargs: dict[str, Any]) -> tuple[Arguments, list[Tensor]]:
        """The arguments of a call as what is fixed, and the tensors (and NumPy arrays) among their leaves."""
        leaves, structure = flatten((args, kwargs))
        is_tensor = [isinstance(x, Value | np.ndarray) for x in leaves]
        fixed = tuple([TENSOR if flag else x for x, flag in zip(leaves, is_tensor, strict=True)])
        return cls(structure, fixed), [as_value(x) for x, flag in zip(leaves, is_tensor, strict=True) if flag]

    def with_tensors(self, tensors: Tensors) -> tuple[tuple, dict[str, Any]]:
        """The positional and keyword arguments with these tensors."""
        rest = iter(tensors)
        return self.structure.rebuild([next(rest) if leaf is TENSOR else leaf for leaf in self.fixed])


# Gradients of users ---------------------------------------------------------------------------------------------

class Handles:
    """Tensors that a function reads from outside, compared by identity."""

    def __init__(self, handles: Sequence[Value]) -> None:
        self.handles = tuple(handles)
        self._ids = tuple(map(id, handles))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Handles) and self._ids == other._ids

    def __hash__(self) -> int:
        return hash(self._ids)


class CustomGradient(NamedTuple):
    """The gradient of one call of a `custom_vjp`, a rule like those of gradient/rules.py."""

    function: CustomVjp
    arguments: Arguments
    results: Structure
    outside: Handles  # what the function reads from outside: the inputs of the call after the arguments

    def __str__(self) -> str:
        return "custom"

    @property
    def differentiable_results(self) -> int:
        """How many results gradients flow through: those of the function, and not what it changes outside."""
        return self.results.leaves

    def __call__(self, cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags, label: str,
                 body: Graph) -> Cotangents:
        count = self.arguments.fixed.count(TENSOR)
        if any(needed[count:]):
            raise GradientError(f"{label} reads a tensor from outside that a gradient is wanted for",
                                expected="a custom_vjp whose backward is given all that gradients flow to",
                                fix="pass the tensor as an argument")
        result, size = self.results, self.results.leaves
        arrived = [(zeros_like(y) if g is None else g) if y.dtype.is_inexact else None
                   for g, y in zip(cotangents[:size], outputs, strict=False)]
        args, kwargs = self.arguments.with_tensors(inputs[:count])
        substitute = state.interpreter.substitute(self.outside.handles, inputs[count:])
        with substitute, walking(forward=False):  # a `grad` in the user's function gives real gradients
            given = self.function.run_backward(result.rebuild(arrived), result.rebuild(outputs[:size]), args, kwargs)
        return [*self._leaves(given, args, inputs, label), *[None] * (len(inputs) - count)]

    def _leaves(self, given: Any, args: tuple, inputs: Tensors, label: str) -> list[Tensor | None]:
        """The cotangent of each tensor among the arguments, from what the user's function gave."""
        if len(args) == 1 and not (isinstance(given, tuple) and len(given) == 1):
            given = (given,)
        if not isinstance(given, tuple) or len(given) != len(args):
            what = f"{len(given)} cotangents" if isinstance(given, tuple) else type(given).__name__
            raise ArgumentError(f"the backward of {label} gave {what} for {len(args)} arguments",
                                expected="a tuple with one cotangent for each positional argument",
                                fix="return None in the places of arguments without a gradient")
        cotangents: list[Any] = []
        for position, (g, argument) in enumerate(zip(given, args, strict=True)):
            cotangents += _cotangents_of(g, argument, f"{label}: the cotangent of argument {position}")
        cotangents += [None] * (self.arguments.fixed.count(TENSOR) - len(cotangents))  # keyword arguments
        return [_fitting(g, x, label) for g, x in zip(cotangents, inputs, strict=False)]


def _cotangents_of(g: Any, argument: Any, name: str) -> list[Any]:
    """The cotangents of the tensors in one argument, from the user's, which has the nesting of the argument."""
    leaves, structure = flatten(argument)
    is_tensor = [isinstance(x, Value) for x in leaves]
    if g is None:
        return [None] * sum(is_tensor)
    cotangents, own_structure = flatten(g)
    if own_structure != structure:
        raise ArgumentError(f"{name} has another structure than the argument", expected="the same nesting and keys",
                            fix="build it as the argument is built")
    return [one for one, flag in zip(cotangents, is_tensor, strict=True) if flag]


def _fitting(g: Any, x: Tensor, label: str) -> Tensor | None:
    """A cotangent in the dtype of `x`; ShapeError for one of another shape, None where `x` takes none."""
    if g is None or not x.dtype.is_inexact:
        return None
    g = as_value(g, x.dtype)
    if g.shape != x.shape:
        raise ShapeError(f"the backward of {label} gave a cotangent of shape {tuple(g.shape)} for an argument of shape "
                         f"{tuple(x.shape)}", expected=f"shape {tuple(x.shape)}",
                         fix="sum over the axes along which the argument was broadcast")
    return cast(g, x.dtype)


class CustomVjp:
    """What `custom_vjp` returns: a function with a gradient that the user wrote."""

    is_users_code = True  # graph_cache asks for it

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self._label = getattr(function, "__name__", "custom_vjp")
        self._backward: Callable[..., Any] | None = None

    def backward(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A decorator that makes `function(cotangent, output, *arguments)` the gradient.

        >>> import tarazu as tz
        >>> double = tz.custom_vjp(lambda x: x * 2)
        >>> @double.backward
        ... def of_double(cotangent, output, x):
        ...     return cotangent * 2
        >>> tz.grad(double)(tz.tensor(5.0))
        Tensor(2., dtype=float32)
        """
        self._backward = function
        return function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        arguments, values = Arguments.split(args, kwargs)
        try:
            hash(arguments)
        except TypeError as error:
            raise ArgumentError(f"{self._label}: {error}", expected="tensors, arrays, and hashable Python values",
                                fix="pass it as a tensor or a tuple") from None

        def body(*tensors: Tensor) -> Any:
            args, kwargs = arguments.with_tensors(tensors)
            return self.function(*args, **kwargs)

        traced = trace_body(body, values)
        rule = CustomGradient(self, arguments, traced.result_structure, Handles(traced.captured))
        return bind_body(traced, values, self._label, rule)

    def run_backward(self, cotangent: Any, output: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        """What the user's function gives; GradientError where there is none."""
        if self._backward is None:
            raise GradientError(f"{self._label} is a custom_vjp without a backward", expected="a backward function",
                                fix=f"decorate one with @{self._label}.backward")
        return self._backward(cotangent, output, *args, **kwargs)


def custom_vjp(function: Callable[..., Any]) -> CustomVjp:
    """A decorator for a function whose gradient you write: the result has a decorator `.backward` for that.

    The backward function is called with the cotangent of the output, the output, and the arguments. It gives one
    cotangent, of the argument's shape and nesting, or None for each positional argument: in a tuple, if there are
    several. If it is made of differentiable operations, second derivatives work too. Arguments that are not tensors
    have to be hashable. Both functions may read tensors from outside, to which no gradient flows.

    The call raises ArgumentError for arguments that are not hashable. Taking its gradient raises GradientError where
    there is no backward function or a tensor from outside needs a gradient, ArgumentError for another number or nesting
    of cotangents, ShapeError for another shape, and in the body of a loop TraceError for a tensor from outside that the
    backward function alone reads.

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

def recomputed(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags, label: str,
               body: Graph) -> Cotangents:
    """The gradient of a call, behind a barrier: its forward part is not shared with the first one, and does not start
    before the cotangents are there."""
    behind = bind(ops.BARRIER, *inputs, *without_nones(cotangents))
    return call(with_nones(behind[len(inputs):], live_flags(cotangents)), outputs, behind[:len(inputs)], needed, label,
                body)


def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator: the gradient of `function` computes intermediate values again instead of keeping them.

    That takes less memory and more time: from the forward to the backward pass only arguments and results are kept,
    eagerly and under `jit` (Chen et al., "Training deep nets with sublinear memory cost", 2016). Arguments and results
    may be nested; values and gradients are those of `function`. In a graph the gradient reads its inputs through a
    `barrier`, behind which no node equals one before it: sharing of equal nodes does not undo the recomputation.

    >>> import tarazu as tz
    >>> block = tz.checkpoint(lambda x, w: tz.tanh(x @ w).sum())
    >>> tz.grad(block)(tz.zeros(2), tz.eye(2))
    Tensor([1., 1.], dtype=float32)
    """
    label = f"checkpoint_{getattr(function, '__name__', 'function')}".replace("<lambda>", "function")

    @functools.wraps(function)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        arguments, values = Arguments.split(args, kwargs)

        def body(*tensors: Tensor) -> Any:
            args, kwargs = arguments.with_tensors(tensors)
            return function(*args, **kwargs)
        return bind_body(trace_body(body, values), values, label, recomputed)
    return checkpointed
