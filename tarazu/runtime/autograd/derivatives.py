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
from tarazu.runtime.autograd.autograd import argument, grad, released, tracked
from tarazu.transform.gradient.tape import level, tape_state, walking
from tarazu.transform.gradient.vjp import pull_back, track, walk_back


def vjp(function: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """`function(*primals)`, and the function from a cotangent of that result to those of the primals, as a tuple.

    The primals and the result may be nested lists, tuples, dicts and dataclasses of tensors. The second function may be
    called any number of times, and differentiated.

    >>> import tarazu as tz
    >>> y, pull_back = tz.vjp(lambda x: x ** 2, tz.tensor([1.0, 2.0]))
    >>> pull_back(tz.tensor([1.0, 10.0]))
    (Tensor([ 2., 40.], dtype=float32),)
    """
    with level() as bit:
        args, leaves, structures = tracked(primals, tuple(range(len(primals))), bit)
        outputs, structure = values_of(function(*args))
    targets = [x.tape_entry.node for x in leaves]
    entries = [y.tape_entry for y in outputs]

    def pull(cotangent: Any) -> tuple[Any, ...]:
        given = _like(cotangent, outputs, structure, "vjp: a cotangent", "the result")
        found = walk_back(entries, given, bit, stops=targets)
        cotangents = [found.get(target) for target in targets]
        active = 1 << (tape_state.depth + 1)  # what no `grad` under way tracks needs no tape
        return tuple(_rebuilt([released(zeros_like(x) if g is None else g, active)
                               for x, g in zip(leaves, cotangents, strict=True)], structures))
    return structure.rebuild([released(y, bit) for y in outputs]), pull


def jvp(function: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """`function(*primals)`, and its derivative in the direction of `tangents`: one tangent for each primal.

    Found by differentiating the way back with respect to its cotangents, in which it is linear. It goes through loops
    of unknown length, too.

    >>> import tarazu as tz
    >>> tz.jvp(lambda x: x ** 2, [tz.tensor(3.0)], [tz.tensor(10.0)])
    (Tensor(9., dtype=float32), Tensor(60., dtype=float32))
    """
    if len(primals) != len(tangents):
        raise ArgumentError(f"jvp of {len(primals)} primals with {len(tangents)} tangents",
                            expected="one tangent for each primal", fix="pass zeros for primals that do not move")
    with level() as outer:
        with level() as inner:
            args, leaves, structures = tracked(tuple(primals), tuple(range(len(primals))), inner)
            outputs, structure = values_of(function(*args))
            moves = [leaf for tangent, primal, own in zip(tangents, primals, structures, strict=True)
                     for leaf in _like(tangent, values_of(primal)[0], own, "jvp: a tangent", "its primal")]
            places = [i for i, y in enumerate(outputs) if y.dtype.is_inexact]
            cotangents = [track(zeros_like(released(outputs[i], 1)), outer) for i in places]
            with walking(forward=True):
                found = pull_back([outputs[i] for i in places], cotangents, leaves, inner)
        reached = [(g, t) for g, t in zip(found, moves, strict=True) if g is not None]
        with walking(forward=True):
            results = pull_back([g for g, _ in reached], [t for _, t in reached], cotangents, outer)
    changes = [zeros_like(released(y, 1)) for y in outputs]
    for i, change in zip(places, results, strict=True):
        changes[i] = changes[i] if change is None else released(change, outer)
    return structure.rebuild([released(y, outer) for y in outputs]), structure.rebuild(changes)


def jacobian(function: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """A function that gives the derivatives of all elements of the result by all elements of the arguments.

    Each has the shape of the result, then that of the argument. Where results or arguments are nested it has the
    nesting of the result, and in it that of the argument; a tuple of `argnums` gives a tuple.

    >>> import tarazu as tz
    >>> tz.jacobian(lambda x: x * x)(tz.tensor([1.0, 2.0]))
    Tensor([[2., 0.],
            [0., 4.]], dtype=float32)
    """
    places = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @functools.wraps(function)
    def derivatives(*args: Any, **kwargs: Any) -> Any:
        def of_chosen(*chosen: Any) -> Any:
            changed = list(args)
            for place, x in zip(places, chosen, strict=True):
                changed[place] = x
            return function(*changed, **kwargs)

        result, pull = vjp(of_chosen, *[argument(args, place) for place in places])
        outputs, structure = flatten(result)
        parts = [_rows(pull, outputs, i, structure) for i in range(len(outputs))]
        return structure.rebuild([part[0] if isinstance(argnums, int) else part for part in parts])
    return derivatives


def _rows(pull: Callable[[Any], Any], outputs: list[Any], place: int, structure: Structure) -> Any:
    """The derivatives of one of the results: a step back for each of its elements."""
    y = outputs[place]
    if not y.dtype.is_float:
        raise GradientError(f"the jacobian of a result of {y.dtype}", expected="results of a float dtype",
                            fix="cast it first, or leave it out of the result")
    size = math.prod(y.shape)
    zeros = [zeros_like(other) for other in outputs]
    directions = reshape(eye(size, dtype=y.dtype), (size, *y.shape))
    rows = map_rows(lambda row: pull(structure.rebuild([*zeros[:place], row, *zeros[place + 1:]])), directions)
    active = 1 << (tape_state.depth + 1)
    return map_leaves(lambda row: released(reshape(row, (*y.shape, *row.shape[1:])), active), rows)


def hessian(function: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """A function that gives the second derivatives of a scalar function: the `jacobian` of its gradient.

    >>> import tarazu as tz
    >>> tz.hessian(lambda x: (x ** 3).sum())(tz.tensor([1.0, 2.0]))
    Tensor([[ 6.,  0.],
            [ 0., 12.]], dtype=float32)
    """
    return jacobian(grad(function, argnums), argnums)


def hvp(function: Callable[[Any], Any], x: Any, v: Any) -> Any:
    """The Hessian of a scalar function at `x` times `v`, without the Hessian: the gradient of its slope along `v`.

    `x` may be nested; `v` and the result have its nesting and shapes (Pearlmutter, 1994).

    >>> import tarazu as tz
    >>> tz.hvp(lambda x: (x ** 3).sum(), tz.tensor([1.0, 2.0]), tz.tensor([1.0, 1.0]))
    Tensor([ 6., 12.], dtype=float32)
    """
    leaves, structure = values_of(x)
    direction = _like(v, leaves, structure, "hvp: v", "x")

    def slope(x: Any) -> Any:
        parts = [sum_of(multiply(g, d)) for g, d in zip(flatten(grad(function)(x))[0], direction, strict=True)]
        return functools.reduce(lambda total, part: total + part, parts)
    return grad(slope)(x)


def _like(tree: Any, wanted: Sequence[Any], structure: Structure, name: str, like: str) -> list[Any]:
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


def _rebuilt(leaves: list[Any], structures: Sequence[Structure]) -> list[Any]:
    rest = iter(leaves)
    return [structure.rebuild([next(rest) for _ in range(structure.leaves)]) for structure in structures]
