"""What `in_axes` and `out_axes` of `vmap` say: an axis, or None, for every tensor of nested containers."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir.interpreter import Value


class Placed(NamedTuple):
    """A leaf of nested containers, the axis along which it has the lanes (None: the same for all), and its name."""

    leaf: Any
    axis: int | None
    name: str


def place(axes: Any, tree: Any, name: str, option: str) -> list[Placed]:
    """The leaves of `tree`, left to right, with their axes; one axis for a container holds for all of its leaves.

    `name` is what errors call the tree, `option` the argument that holds the axes.
    """
    children = _children(tree)
    if axes is None or (isinstance(axes, int) and not isinstance(axes, bool)):
        if children is None:
            return [Placed(tree, axes, name)]
        inner: dict[Any, Any] = dict.fromkeys(children, axes)
    else:
        found = _children(axes)
        if found is None:
            raise ArgumentError(f"vmap: {option} holds {axes!r} for {name}", expected="an axis, or None",
                                fix=f"write for example {option}=0")
        if children is None or found.keys() != children.keys():
            raise ArgumentError(f"vmap: {option} holds {axes!r} for {name}, which is {_described(tree, children)}",
                                expected="one entry for each element, or a single axis for all of it",
                                fix=f"nest {option} like the values, or give one axis")
        inner = found
    return [one for key, child in (children or {}).items()
            for one in place(inner[key], child, _child_name(name, key, tree), option)]


def _children(tree: Any) -> dict[Any, Any] | None:
    """The elements of a container by key; None for a leaf. The containers are those of `pytree`."""
    if tree is None:
        return {}
    if type(tree) in (list, tuple) or (isinstance(tree, tuple) and hasattr(tree, "_fields")):
        return dict(enumerate(tree))
    if type(tree) is dict:
        return tree
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return {field.name: getattr(tree, field.name) for field in dataclasses.fields(tree)}
    return None


def _child_name(name: str, key: Any, tree: Any) -> str:
    return f"{name}.{key}" if dataclasses.is_dataclass(tree) else f"{name}[{key!r}]"


def _described(tree: Any, children: dict[Any, Any] | None) -> str:
    if children is None:
        return f"a tensor of shape {tree.shape}" if isinstance(tree, Value) else f"a {type(tree).__name__}"
    return f"a {type(tree).__name__} with {'keys ' + ', '.join(map(repr, children)) if children else 'nothing in it'}"


def place_arguments(function: Callable[..., Any], in_axes: Any, args: tuple) -> list[Placed]:
    """The leaves of the positional arguments with their axes."""
    if isinstance(in_axes, list | tuple) and len(in_axes) != len(args):
        raise ArgumentError(f"vmap: in_axes={in_axes!r} has {len(in_axes)} entries for {len(args)} arguments",
                            expected="an entry for each positional argument, or one axis for all",
                            fix="add None for arguments that are the same in all lanes; keyword arguments always are")
    per_argument = in_axes if isinstance(in_axes, list | tuple) else [in_axes] * len(args)
    return [one for axes, argument, name in zip(per_argument, args, _names(function, len(args)), strict=True)
            for one in place(axes, argument, name, "in_axes")]


def _names(function: Callable[..., Any], count: int) -> list[str]:
    """What the function calls its positional arguments, as far as it says."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [names[i] if i < len(names) else f"argument {i}" for i in range(count)]


def number_of_lanes(placed: list[Placed], known: int | None) -> int:
    """The size that all leaves have along their axes; `known` if there is none to see it from."""
    sizes = {} if known is None else {"the number of replicas": known}
    sizes |= {f"{one.name} along axis {one.axis}": _size(one) for one in placed if one.axis is not None}
    if len(set(sizes.values())) > 1:
        raise ShapeError("vmap: sizes differ: " + ", ".join(f"{name} {size}" for name, size in sizes.items()),
                         expected="one size along all mapped axes",
                         fix="check in_axes: None marks what is the same in all lanes")
    if not sizes:
        raise ArgumentError("vmap: no argument is mapped, so the number of lanes is not known",
                            expected="at least one positional tensor whose entry of in_axes is an axis",
                            fix="give one an axis; keyword arguments are the same in all lanes")
    return next(iter(sizes.values()))


def _size(one: Placed) -> int:
    leaf, axis = one.leaf, one.axis
    if not isinstance(leaf, Value | np.ndarray):
        raise ArgumentError(f"vmap: {one.name} is a {type(leaf).__name__}, mapped along axis {axis}",
                            expected="a tensor or an array", fix="give it None in in_axes, or make it a tensor")
    rank = len(leaf.shape)
    if axis is None or not -rank <= axis < rank:
        raise ShapeError(f"vmap: axis {axis} of {one.name}, which has shape {tuple(leaf.shape)}",
                         expected=f"an axis from {-rank} to {rank - 1}" if rank else "None, as it has no axis",
                         fix="check in_axes: None marks what is the same in all lanes")
    return leaf.shape[axis]
