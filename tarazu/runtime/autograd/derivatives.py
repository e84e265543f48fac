"""Derivatives beyond the gradient: products with Jacobians from both sides, Jacobians, Hessians."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from tarazu.base.errors import ArgumentError, GradientError, ShapeError
from tarazu.base.pytree import Structure, flatten, map_leaves
from tarazu.ops.control_flow.bodies import values_of
from tarazu.ops.control_flow.loops import map as map_rows
from tarazu.ops.create import eye, zeros_like
from tarazu.ops.elementwise import multiply
from tarazu.ops.promote import as_value, cast
from tarazu.ops.reduce import sum as sum_of
from tarazu.ops.shape import reshape
from tarazu.ops.typing import Tree
from tarazu.runtime.autograd.autograd import grad
from tarazu.runtime.autograd.tracked import Argnums, argument, positions_of, released, track_arguments
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.transform.gradient.tape import level, tape_state, walking
from tarazu.transform.gradient.vjp import pull_back, track, walk_back


def vjp(function: Callable[..., Any], *primals: Tree) -> tuple[Any, Callable[[Tree], tuple[Any, ...]]]:
    """`function(*primals)`, and the function from a cotangent of that result to those of the primals, as a tuple.

    The primals and the result may be nested lists, tuples, dicts and dataclasses of tensors; cotangents have their
    nesting and shapes. The second function may be called any number of times, and differentiated. GradientError for
    primals that are not of a float dtype; the second function raises ArgumentError for a cotangent of another nesting
    than the result, ShapeError for one of another shape.

    >>> import tarazu as tz
    >>> y, pull_back = tz.vjp(lambda x: x ** 2, tz.tensor([1.0, 2.0]))
    >>> pull_back(tz.tensor([1.0, 10.0]))
    (Tensor([ 2., 40.], dtype=float32),)
    """
    with level() as bit:
        arguments = track_arguments(primals, range(len(primals)), bit)
        outputs, structure = values_of(function(*arguments.args))
    targets = [x.tape_entry.node for x in arguments.leaves]
    entries = [y.tape_entry for y in outputs]

    def pull(cotangent: Tree) -> tuple[Any, ...]:
        cotangents = _like(cotangent, outputs, structure, "vjp: a cotangent", "the result")
        by_node = walk_back(entries, cotangents, bit, stops=targets)
        return tuple(arguments.nested([by_node.get(target) for target in targets], _next_bit()))
    return structure.rebuild([released(y, bit) for y in outputs]), pull


def _next_bit() -> int:
    """The mask bit above those of all `grad` under way: a value without one of theirs needs no tape."""
    return 1 << (tape_state.depth + 1)


def jvp(function: Callable[..., Any], primals: Sequence[Tree], tangents: Sequence[Tree]) -> tuple[Any, Any]:
    """`function(*primals)`, and its derivative in the direction of `tangents`: one tangent for each primal.

    Tangents have the nesting and shapes of their primals, the derivative those of the result. Found by differentiating
    the backward pass with respect to its cotangents, in which it is linear; that works through loops of unknown length
    too. ArgumentError for another number or nesting of tangents, ShapeError for another shape, GradientError for
    primals that are not of a float dtype.

    >>> import tarazu as tz
    >>> tz.jvp(lambda x: x ** 2, [tz.tensor(3.0)], [tz.tensor(10.0)])
    (Tensor(9., dtype=float32), Tensor(60., dtype=float32))
    """
    if len(primals) != len(tangents):
        raise ArgumentError(f"jvp of {len(primals)} primals with {len(tangents)} tangents",
                            expected="one tangent for each primal", fix="pass zeros for primals that do not move")
    with level() as outer:
        with level() as inner:
            arguments = track_arguments(primals, range(len(primals)), inner)
            outputs, structure = values_of(function(*arguments.args))
            directions = [leaf for tangent, primal, own in zip(tangents, primals, arguments.structures, strict=True)
                          for leaf in _like(tangent, values_of(primal)[0], own, "jvp: a tangent", "its primal")]
            moving = [i for i, y in enumerate(outputs) if y.dtype.is_inexact]
            cotangents = [track(zeros_like(released(outputs[i], 1)), outer) for i in moving]
            with walking(forward=True):
                gradients = pull_back([outputs[i] for i in moving], cotangents, arguments.leaves, inner)
        reached = [(g, t) for g, t in zip(gradients, directions, strict=True) if g is not None]
        with walking(forward=True):
            derivatives = pull_back([g for g, _ in reached], [t for _, t in reached], cotangents, outer)
    changes = [zeros_like(released(y, 1)) for y in outputs]
    for i, derivative in zip(moving, derivatives, strict=True):
        changes[i] = changes[i] if derivative is None else released(derivative, outer)
    return structure.rebuild([released(y, outer) for y in outputs]), structure.rebuild(changes)


def jacobian(function: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that gives the derivatives of all elements of the result by all elements of the arguments.

    Each has the shape of the result, then that of the argument. Where results or arguments are nested it has the
    nesting of the result, and in it that of the argument; a tuple of `argnums` gives a tuple. The call raises
    ArgumentError for a position that was not passed, GradientError for arguments and results that are not of a float
    dtype.

    >>> import tarazu as tz
    >>> tz.jacobian(lambda x: x * x)(tz.tensor([1.0, 2.0]))
    Tensor([[2., 0.],
            [0., 4.]], dtype=float32)
    """
    positions = positions_of(argnums)

    @functools.wraps(function)
    def derivatives(*args: Any, **kwargs: Any) -> Any:
        def of_chosen(*chosen: Any) -> Any:
            changed = list(args)
            for position, x in zip(positions, chosen, strict=True):
                changed[position] = x
            return function(*changed, **kwargs)

        result, pull = vjp(of_chosen, *[argument(args, position) for position in positions])
        outputs, structure = flatten(result)
        parts = [_rows(pull, outputs, i, structure) for i in range(len(outputs))]
        return structure.rebuild([part[0] if isinstance(argnums, int) else part for part in parts])
    return derivatives


def _rows(pull: Callable[[Tree], tuple[Any, ...]], outputs: list[Tensor], number: int,
          structure: Structure) -> tuple[Any, ...]:
    """The derivatives of the output of that number: a backward pass for each of its elements."""
    y = outputs[number]
    if not y.dtype.is_float:
        raise GradientError(f"the jacobian of a result of {y.dtype}", expected="results of a float dtype",
                            fix="cast it first, or leave it out of the result")
    size = math.prod(y.shape)
    zeros = [zeros_like(other) for other in outputs]
    directions = reshape(eye(size, dtype=y.dtype), (size, *y.shape))
    rows = map_rows(lambda row: pull(structure.rebuild([*zeros[:number], row, *zeros[number + 1:]])), directions)
    return map_leaves(lambda row: released(reshape(row, (*y.shape, *row.shape[1:])), _next_bit()), rows)


def hessian(function: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that gives the second derivatives of a scalar function: the `jacobian` of its gradient.

    They have the shape of the argument twice. Errors as for `grad`: ArgumentError, GradientError, ShapeError.

    >>> import tarazu as tz
    >>> tz.hessian(lambda x: (x ** 3).sum())(tz.tensor([1.0, 2.0]))
    Tensor([[ 6.,  0.],
            [ 0., 12.]], dtype=float32)
    """
    return jacobian(grad(function, argnums), argnums)


def hvp(function: Callable[[Any], Any], x: Tree, v: Tree) -> Any:
    """The Hessian of a scalar function at `x` times `v`, without the Hessian: the gradient of its slope along `v`.

    `x` may be nested; `v` and the result have its nesting and shapes (Pearlmutter, 1994). ArgumentError for a `v` of
    another nesting, ShapeError for one of another shape and for a function that gives no scalar, GradientError for an
    `x` that is not of a float dtype.

    >>> import tarazu as tz
    >>> tz.hvp(lambda x: (x ** 3).sum(), tz.tensor([1.0, 2.0]), tz.tensor([1.0, 1.0]))
    Tensor([ 6., 12.], dtype=float32)
    """
    leaves, structure = values_of(x)
    direction = _like(v, leaves, structure, "hvp: v", "x")

    def slope(x: Tree) -> Tensor:
        parts = [sum_of(multiply(g, d)) for g, d in zip(flatten(grad(function)(x))[0], direction, strict=True)]
        return functools.reduce(lambda total, part: total + part, parts)
    return grad(slope)(x)


def _like(tree: Tree, wanted: Sequence[Tensor], structure: Structure, name: str, like: str) -> list[Tensor]:
    """The leaves of `tree`, which has to have the structure and shapes of the wanted ones, in their dtypes."""
    leaves, own = flatten(tree)
    if own != structure and not (len(leaves) == len(wanted) == 1):
        raise ArgumentError(f"{name} has another structure than {like}", expected="the same nesting and keys",
                            fix=f"build it as {like} is built")
    values = [as_value(x, y.dtype) for x, y in zip(leaves, wanted, strict=True)]
    for x, y in zip(values, wanted, strict=True):
        if tuple(x.shape) != tuple(y.shape):
            raise ShapeError(f"{name} of shape {tuple(x.shape)} for {like} of shape {tuple(y.shape)}",
                             expected=f"shape {tuple(y.shape)}", fix=f"give it the shape of {like}")
    return [cast(x, y.dtype) for x, y in zip(values, wanted, strict=True)]
