"""What `in_axes` and `out_axes` of `vmap` say: an axis, or None, for every tensor of nested containers."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir.interpreter import Value
from tarazu.ops.typing import Tree

LaneAxes: TypeAlias = Any  # an axis, None for what is the same in all lanes, or nested containers of these


class MappedLeaf(NamedTuple):
    """A leaf of nested containers, the axis along which it has the lanes (None: the same for all), and its name."""

    leaf: Any  # a tensor or array where there is an axis, else anything
    axis: int | None
    name: str  # in messages


def leaves_with_axes(axes: LaneAxes, tree: Tree, name: str, option: str) -> list[MappedLeaf]:
    """The leaves of `tree`, left to right, with their axes; one axis for a container holds for all of its leaves.

    `name` is what errors call the tree, `option` the argument that holds the axes. ArgumentError for axes that are
    nested in another way than the tree.
    """
    children = _children(tree)
    if axes is None or (isinstance(axes, int) and not isinstance(axes, bool)):
        if children is None:
            return [MappedLeaf(tree, axes, name)]
        axes_of_children: dict[Any, LaneAxes] = dict.fromkeys(children, axes)
    else:
        axes_of_children = _matching_children(axes, tree, name, option)
    return [leaf for key, child in (children or {}).items()
            for leaf in leaves_with_axes(axes_of_children[key], child, _child_name(name, key, tree), option)]


def _matching_children(axes: LaneAxes, tree: Tree, name: str, option: str) -> dict[Any, LaneAxes]:
    """The elements of nested axes, which have to be those of the tree."""
    inner, children = _children(axes), _children(tree)
    if inner is None:
        raise ArgumentError(f"vmap: {option} holds {axes!r} for {name}", expected="an axis, or None",
                            fix=f"write for example {option}=0")
    if children is None or inner.keys() != children.keys():
        raise ArgumentError(f"vmap: {option} holds {axes!r} for {name}, which is {_described(tree, children)}",
                            expected="one entry for each element, or a single axis for all of it",
                            fix=f"nest {option} like the values, or give one axis")
    return inner


def _children(tree: Tree) -> dict[Any, Any] | None:
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


def _child_name(name: str, key: object, tree: Tree) -> str:
    return f"{name}.{key}" if dataclasses.is_dataclass(tree) else f"{name}[{key!r}]"


def _described(tree: Tree, children: dict[Any, Any] | None) -> str:
    if children is None:
        return f"a tensor of shape {tree.shape}" if isinstance(tree, Value) else f"a {type(tree).__name__}"
    return f"a {type(tree).__name__} with {'keys ' + ', '.join(map(repr, children)) if children else 'nothing in it'}"


def arguments_with_axes(function: Callable[..., Any], in_axes: LaneAxes, args: tuple) -> list[MappedLeaf]:
    """The leaves of the positional arguments with their axes; ArgumentError for axes that do not fit them."""
    if isinstance(in_axes, list | tuple) and len(in_axes) != len(args):
        raise ArgumentError(f"vmap: in_axes={in_axes!r} has {len(in_axes)} entries for {len(args)} arguments",
                            expected="an entry for each positional argument, or one axis for all",
                            fix="add None for arguments that are the same in all lanes; keyword arguments always are")
    per_argument = in_axes if isinstance(in_axes, list | tuple) else [in_axes] * len(args)
    return [leaf for axes, argument, name in zip(per_argument, args, _names(function, len(args)), strict=True)
            for leaf in leaves_with_axes(axes, argument, name, "in_axes")]


def _names(function: Callable[..., Any], count: int) -> list[str]:
    """The names of the function's positional parameters, as far as it has a signature."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [names[i] if i < len(names) else f"argument {i}" for i in range(count)]


def number_of_lanes(arguments: list[MappedLeaf], known: int | None) -> int:
    """The size that all leaves have along their axes; `known` if none of them has lanes.

    ShapeError for sizes that differ, ArgumentError where the number is not known.
    """
    sizes = {} if known is None else {"the number of replicas": known}
    sizes |= {f"{one.name} along axis {one.axis}": _size(one) for one in arguments if one.axis is not None}
    if len(set(sizes.values())) > 1:
        raise ShapeError("vmap: sizes differ: " + ", ".join(f"{name} {size}" for name, size in sizes.items()),
                         expected="one size along all mapped axes",
                         fix="check in_axes: None marks what is the same in all lanes")
    if not sizes:
        raise ArgumentError("vmap: no argument is mapped, so the number of lanes is not known",
                            expected="at least one positional tensor whose entry of in_axes is an axis",
                            fix="give one an axis; keyword arguments are the same in all lanes")
    return next(iter(sizes.values()))


def _size(one: MappedLeaf) -> int:
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
