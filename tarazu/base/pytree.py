"""Nested containers: lists, tuples, named tuples, dicts and dataclasses, taken apart into leaves and rebuilt."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, NamedTuple

from tarazu.base.errors import ArgumentError


class Structure(NamedTuple):
    """The shape of a nested container without its leaves; hashable."""

    kind: type | None  # None marks a leaf
    keys: tuple[Hashable, ...] = ()
    children: tuple[Structure, ...] = ()

    @property
    def leaves(self) -> int:
        """How many leaves a container of this structure has."""
        return 1 if self.kind is None else sum(child.leaves for child in self.children)

    def rebuild(self, leaves: Iterable[Any]) -> Any:
        """The container of this structure that holds `leaves`.

        >>> flatten({"a": 1, "b": (2, 3)})[1].rebuild([4, 5, 6])
        {'a': 4, 'b': (5, 6)}
        """
        return _build(self, iter(leaves))


LEAF = Structure(None)


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves of `tree`, left to right, and its structure. None is a container without leaves.

    >>> flatten({"a": 1, "b": (2, 3)})[0]
    [1, 2, 3]
    """
    leaves: list[Any] = []
    return leaves, _walk(tree, leaves)


def parts(tree: Any) -> Iterator[Any]:
    """`tree` and all that is in it, one by one: leaves, and each container once, even where it holds itself.

    >>> list(parts([1, (2, 3)]))
    [[1, (2, 3)], 1, (2, 3), 2, 3]
    """
    pending, seen = [iter((tree,))], set()
    while pending:
        for part in pending[-1]:
            kind: Any = type(part)
            if _is_leaf(kind):
                yield part
            elif id(part) not in seen:
                seen.add(id(part))
                yield part
                pending.append(iter(_children(part)))
                break
        else:
            pending.pop()


def _children(tree: Any) -> Iterable[Any]:
    if isinstance(tree, dict):
        return tree.values()
    if tree is None or isinstance(tree, list | tuple):
        return tree or ()
    return [getattr(tree, field.name) for field in dataclasses.fields(tree)]


def flatten_call(args: tuple, kwargs: dict[str, Any]) -> tuple[list[Any], Structure]:
    """`flatten((args, kwargs))`, faster where no argument is a container."""
    if not kwargs and all(map(_is_leaf, map(type, args))):
        return list(args), _call_of_leaves(len(args))
    return flatten((args, kwargs))


@functools.cache
def _call_of_leaves(count: int) -> Structure:
    return Structure(tuple, (), (Structure(tuple, (), (LEAF,) * count), Structure(dict)))


def _walk(tree: Any, leaves: list[Any]) -> Structure:
    kind: Any = type(tree)
    if _is_leaf(kind):
        leaves.append(tree)
        return LEAF
    if kind is dict:
        return Structure(dict, tuple(tree), tuple([_walk(child, leaves) for child in tree.values()]))
    if tree is None:
        return Structure(type(None))
    if kind is list or issubclass(kind, tuple):
        return Structure(kind, (), tuple([_walk(child, leaves) for child in tree]))
    names = tuple([field.name for field in dataclasses.fields(tree)])
    return Structure(kind, names, tuple([_walk(getattr(tree, name), leaves) for name in names]))


@functools.lru_cache(maxsize=1024)
def _is_leaf(kind: type) -> bool:
    """Whether values of that type are leaves: all but the containers that can be rebuilt from their parts."""
    is_named_tuple = issubclass(kind, tuple) and hasattr(kind, "_fields")
    is_data = dataclasses.is_dataclass(kind) and not issubclass(kind, type)
    return not (kind in (tuple, list, dict, type(None)) or is_named_tuple or is_data)


def _build(structure: Structure, leaves: Iterator[Any]) -> Any:
    kind = structure.kind
    if kind is None:
        return next(leaves)
    if kind is type(None):
        return None
    children = [_build(child, leaves) for child in structure.children]
    if kind is list:
        return children
    if kind is tuple:
        return tuple(children)
    if kind is dict:
        return dict(zip(structure.keys, children, strict=True))
    if dataclasses.is_dataclass(kind):
        return kind(**{str(name): child for name, child in zip(structure.keys, children, strict=True)})
    return kind(*children)


def describe(structure: Structure, leaves: Iterable[Any] | None = None) -> str:
    """A structure as text, with its leaves, or a dot in place of each.

    >>> describe(flatten(({"a": 1}, [2, None]))[1])
    "({'a': .}, [., None])"
    """
    return _text(structure, itertools.repeat(".") if leaves is None else iter(leaves))


def _text(structure: Structure, leaves: Iterator[Any]) -> str:
    kind = structure.kind
    if kind is None:
        return str(next(leaves))
    if kind is type(None):
        return "None"
    parts = [_text(child, leaves) for child in structure.children]
    if kind is dict:
        return "{" + ", ".join(f"{key!r}: {part}" for key, part in zip(structure.keys, parts, strict=True)) + "}"
    if structure.keys:
        parts = [f"{key}={part}" for key, part in zip(structure.keys, parts, strict=True)]
    inside = ", ".join(parts) + ("," if kind is tuple and len(parts) == 1 else "")
    return f"[{inside}]" if kind is list else f"({inside})" if kind is tuple else f"{kind.__name__}({inside})"


def leaf_paths(structure: Structure) -> list[str]:
    """Where each leaf is, as one would write it after the container's name.

    >>> leaf_paths(flatten({"a": 1, "b": (2, 3)})[1])
    ["['a']", "['b'][0]", "['b'][1]"]
    """
    kind = structure.kind
    if kind is None:
        return [""]
    if kind is dict:
        steps = [f"[{key!r}]" for key in structure.keys]
    else:
        steps = [f".{name}" for name in structure.keys or getattr(kind, "_fields", ())]
        steps = steps or [f"[{i}]" for i in range(len(structure.children))]
    return [step + path for step, child in zip(steps, structure.children, strict=True) for path in leaf_paths(child)]


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """`tree` with each leaf replaced by `function` of it and of the corresponding leaves of `others`.

    ArgumentError where the others have another structure.

    >>> map_leaves(lambda a, b: a + b, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    leaves, structure = flatten(tree)
    columns = [leaves]
    for other in others:
        more, other_structure = flatten(other)
        if other_structure != structure:
            raise ArgumentError("the containers differ in structure", expected="the same nesting and keys in each",
                                fix="pass containers that were built the same way")
        columns.append(more)
    return structure.rebuild([function(*row) for row in zip(*columns, strict=True)])
