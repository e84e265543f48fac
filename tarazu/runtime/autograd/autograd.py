"""Gradients for users: `backward`, `grad`, `value_and_grad`, and the blocks that switch recording off and on."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.base.errors import GradientError, ShapeError
from tarazu.base.pytree import flatten, map_leaves
from tarazu.ir.interpreter import state
from tarazu.ops.create import ones_like
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.autograd.tracked import Argnums, positions_of, released, track_arguments
from tarazu.runtime.autograd.walk_program import walk_to_leaves
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.transform.gradient.complex_rules import require_real
from tarazu.transform.gradient.tape import EVERYTHING, USER, Leaf, ignoring, level, tape_state
from tarazu.transform.gradient.vjp import pull_back, track, walk_back


class _IgnoringBlock(contextlib.ContextDecorator):
    """A block, or a decorated function, in which nothing is recorded for the mask bits `ignored`."""

    ignored = 0

    def __init__(self) -> None:
        self._before: list[int] = []

    def _recreate_cm(self) -> _IgnoringBlock:
        return type(self)()  # a block of its own for each call of a decorated function, which threads may share

    def __enter__(self) -> None:
        self._before.append(tape_state.ignored)
        tape_state.ignored = self.ignored

    def __exit__(self, *_: object) -> None:
        tape_state.ignored = self._before.pop()


class no_grad(_IgnoringBlock):  # noqa: N801
    """A block, or a decorated function, in which nothing is recorded for gradients, in this thread.

    >>> import tarazu as tz
    >>> w = tz.ones(2, requires_grad=True)
    >>> with tz.no_grad():
    ...     w -= 0.5
    >>> w
    Tensor([0.5, 0.5], dtype=float32, requires_grad=True)
    """

    ignored = EVERYTHING


class enable_grad(_IgnoringBlock):  # noqa: N801
    """A block inside `no_grad`, or a decorated function, in which operations are recorded again.

    >>> import tarazu as tz
    >>> w = tz.ones(2, requires_grad=True)
    >>> with tz.no_grad(), tz.enable_grad():
    ...     y = w * 2
    >>> y.requires_grad
    True
    """


def is_grad_enabled() -> bool:
    """Whether operations are recorded for gradients now, in this thread.

    >>> import tarazu as tz
    >>> with tz.no_grad():
    ...     tz.is_grad_enabled()
    False
    """
    return not tape_state.ignored & USER


def backward(y: Tensor, gradient: ArrayLike | None = None, *, retain_graph: bool = False,
             create_graph: bool = False) -> None:
    """Add the gradient of `y` to `.grad` of every leaf; see `Tensor.backward`."""
    if y.tape_entry is None:
        raise GradientError("backward() of a tensor that nothing was recorded for",
                            expected="a result computed from tensors with requires_grad=True, outside tz.no_grad()",
                            fix="set requires_grad=True on the inputs and compute the result outside no_grad")
    require_real(y, "backward()")
    if gradient is None and y.size != 1:
        raise ShapeError(f"backward() of a tensor of shape {y.shape} without a vector",
                         expected="a scalar, or a vector v",
                         fix="reduce it first (y.sum().backward()), or pass v of the same shape: y.backward(v)")
    v = _one_like(y) if gradient is None else as_value(gradient, y.dtype)
    if v.shape != y.shape:
        raise ShapeError(f"backward(v) with v of shape {v.shape} for a tensor of shape {y.shape}",
                         expected=f"a v of shape {y.shape}", fix="give v the shape of the tensor")
    with ignoring(0 if create_graph else EVERYTHING):
        by_leaf = (walk_back([y.tape_entry], [v], USER) if create_graph
                   else walk_to_leaves(y.tape_entry, v, free=not retain_graph))
        for leaf, cotangent in by_leaf.items():
            _accumulate(leaf, cotangent)


def _one_like(y: Tensor) -> Tensor:
    is_plain = y.raw.__class__ is np.ndarray and not y.raw.shape
    return state.interpreter.constant(1.0, y.dtype) if is_plain else ones_like(y.detach())


def _accumulate(leaf: Leaf, cotangent: Tensor) -> None:
    """Add the cotangent to `.grad` of the tensor that the leaf belongs to, if that is still there."""
    if leaf._handle is None:
        raise GradientError("backward() inside a traced function came to a tensor that was computed outside of it",
                            expected="leaves, or tensors computed inside",
                            fix="compute it inside, or call backward outside")
    handle = leaf.handle
    if handle is None:
        return
    before = handle.grad
    if before is None:
        # a handle of its own, as `.grad` may be changed in place
        handle.grad = state.interpreter.wrap(cotangent.raw, cotangent.tape_entry)
    else:
        state.interpreter.rebind(before, before + cotangent)


def value_and_grad(function: Callable[..., Any], argnums: Argnums = 0, *,
                   has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives `(function(...), gradient)` with respect to the arguments at `argnums`.

    The arguments may be nested lists, tuples and dicts of float tensors; the gradient has their nesting and shapes, and
    is a tuple where `argnums` is one. With `has_aux` the function gives `(scalar, extra)`, and so the result is
    `((scalar, extra), gradient)`. The call raises ArgumentError for a position that was not passed, GradientError for
    arguments of another dtype, and ShapeError unless the function gives a scalar.

    >>> import tarazu as tz
    >>> tz.value_and_grad(lambda x: x ** 2)(tz.tensor(3.0))
    (Tensor(9., dtype=float32), Tensor(6., dtype=float32))
    """

    @functools.wraps(function)
    def differentiated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        with level() as bit:
            arguments = track_arguments(args, positions_of(argnums), bit)
            result = function(*arguments.args, **kwargs)
            value, aux = result if has_aux else (result, None)
            _require_scalar(value)
            gradients = pull_back([value], [ones_like(value.detach())], arguments.leaves, bit)
        nested = arguments.nested(gradients, bit)
        value = released(value, bit)
        aux = map_leaves(lambda x: released(x, bit) if isinstance(x, Tensor) else x, aux)
        return ((value, aux) if has_aux else value), (nested[0] if isinstance(argnums, int) else tuple(nested))
    return differentiated


def grad(function: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that gives the gradient with respect to the arguments at `argnums`; `grad(grad(f))` works.

    The gradient has the nesting and the shapes of the argument, and is a tuple where `argnums` is one. The call raises
    ArgumentError for a position that was not passed, GradientError for arguments that are not of a float dtype, and
    ShapeError unless the function gives a scalar.

    >>> import tarazu as tz
    >>> tz.grad(tz.grad(lambda x: x ** 3))(tz.tensor(2.0))
    Tensor(12., dtype=float32)
    """
    both = value_and_grad(function, argnums)

    @functools.wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]
    return gradient


def with_gradients(function: Callable[..., Any]) -> Callable[..., tuple[Any, list[Tensor]]]:
    """A function that gives (result, gradients): of the sum of its float results with respect to every float tensor
    among its arguments and every tensor from outside that requires grad."""

    @functools.wraps(function)
    def both(*args: Any, **kwargs: Any) -> tuple[Any, list[Tensor]]:
        with level() as bit:
            leaves, structure = flatten((args, kwargs))
            leaves = [track(x, bit) if isinstance(x, Tensor) and x.dtype.is_float else x for x in leaves]
            args, kwargs = structure.rebuild(leaves)
            result = function(*args, **kwargs)
            tracked_results = [x for x in flatten(result)[0] if isinstance(x, Tensor) and x.tape_entry is not None]
            ends = [x for x in tracked_results if x.dtype.is_float]
            stops = [x.tape_entry.node for x in leaves if isinstance(x, Tensor) and x.tape_entry is not None]
            starts = [ones_like(x.detach()) for x in ends]
            with ignoring(EVERYTHING):
                by_node = walk_back([x.tape_entry for x in ends], starts, bit | USER, stops=stops)
        return result, list(by_node.values())
    return both


def _require_scalar(value: object) -> None:
    if not isinstance(value, Tensor) or value.size != 1:
        what = f"a tensor of shape {value.shape}" if isinstance(value, Tensor) else type(value).__name__
        raise ShapeError(f"the gradient of a function that gives {what}", expected="a scalar tensor",
                         fix="reduce the result with .sum() or .mean(); with extra results pass has_aux=True")
    require_real(value, "the gradient")
