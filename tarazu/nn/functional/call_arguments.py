"""The arguments of a call of a functional model: put in the order of its inputs, and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.pytree import flatten
from tarazu.nn.functional.plain import Plain
from tarazu.nn.functional.recipe import Recipe
from tarazu.nn.functional.unknown_size import is_unknown
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor


def arranged(tree: Plain, args: tuple, kwargs: Mapping[str, Any], names: Sequence[str | None] = ()) -> list[ArrayLike]:
    """The arguments as a flat list, in the order of the inputs, whose numbers are nested in `tree`.

    A list or tuple of inputs is passed as several arguments or as one, or by `names`, those of the inputs where each
    has its own; a dict by name, in order or as one. ArgumentError where the arguments are not those of the model.
    """
    if type(tree) is dict:
        return _by_name(tree, args, kwargs)
    named = args[0] if len(args) == 1 and isinstance(args[0], Mapping) else kwargs
    if named and named.keys() == set(names) and len(named) == len(names):
        return [named[name] for name in names if name]
    if named:
        raise _wrong(tree, args, kwargs, names)
    if isinstance(tree, list | tuple):
        given = args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args
        if len(given) != len(tree):
            raise _wrong(tree, args, kwargs)
        return [x for part, one in zip(tree, given, strict=True) for x in _leaves(part, one)]
    if len(args) != 1:
        raise _wrong(tree, args, kwargs)
    return [args[0]]


def _by_name(tree: Mapping[str, Plain], args: tuple, kwargs: Mapping[str, Any]) -> list[ArrayLike]:
    if not args:
        given: Mapping[str, Any] = kwargs
    elif len(args) == 1 and isinstance(args[0], Mapping):
        given = args[0]
    else:
        given = dict(zip(tree, args, strict=False))
    if given.keys() != tree.keys() or (args and kwargs) or (len(args) > 1 and len(args) != len(tree)):
        raise _wrong(tree, args, kwargs)
    return [x for key, part in tree.items() for x in _leaves(part, given[key])]


def _leaves(tree: Plain, given: Any) -> list[ArrayLike]:
    """What stands for one input, or for several that are nested."""
    return arranged(tree, (given,), {}) if isinstance(tree, list | tuple | dict) else [given]


def _wrong(tree: Plain, args: tuple, kwargs: Mapping[str, Any], own: Sequence[str | None] = ()) -> ArgumentError:
    names = list(args[0]) if len(args) == 1 and isinstance(args[0], Mapping) else [*kwargs]
    given = f"inputs {', '.join(map(repr, names))}" if names else f"{len(args)} input{'s' * (len(args) != 1)}"
    count = len(tree) if isinstance(tree, list | tuple | dict) else 1
    wanted = ", ".join(map(repr, tree)) if type(tree) is dict else f"{count} input{'s' * (count != 1)}"
    if own and None not in own:
        wanted += f", by name {', '.join(map(repr, own))}"
    example = ", ".join(f"{key}=..." for key in tree) if type(tree) is dict else ", ".join("abcdefgh"[:count])
    return ArgumentError(f"a call of a functional model with {given}", expected=wanted,
                         fix=f"call it as model({example})")


def require_shapes(recipe: Recipe, tensors: Sequence[Tensor]) -> None:
    """ShapeError unless each input has the shape of its `Input`, with equally many rows."""
    numbers, structure = flatten(recipe.inputs)
    for i, (number, name, x) in enumerate(zip(numbers, recipe.names, tensors, strict=True)):
        wanted, shape = recipe.type_of(number).shape[1:], tuple(x.shape)
        what = f"input {name or (i if structure.leaves > 1 else '')}".rstrip()
        if len(shape) != len(wanted) + 1 or any(n != m and not is_unknown(m)
                                                for n, m in zip(shape[1:], wanted, strict=True)):
            raise ShapeError(f"{what} of shape {shape}", expected=f"shape ({', '.join(map(str, ('batch', *wanted)))})",
                             fix="pass a batch of samples of that shape, or make the model with another Input")
        if shape[0] != tensors[0].shape[0]:
            raise ShapeError(f"{what} has {shape[0]} rows, the first input has {tensors[0].shape[0]}",
                             expected="equally many rows in all inputs", fix="check which rows belong together")
