"""States, tensors or arrays by name: a part of one, names by patterns, what a saved one lacks of what it goes into."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from tarazu.base.errors import ArgumentError, ShapeError

Value = TypeVar("Value")


class HasShape(Protocol):
    """A tensor or an array."""

    @property
    def shape(self) -> tuple[int, ...]: ...


def part_of(state: Mapping[str, Value], prefix: str) -> dict[str, Value]:
    """What has a name that begins with `prefix`, by the rest of its name.

    >>> part_of({"model.weight": 1, "model.bias": 2, "step": 3}, "model.")
    {'weight': 1, 'bias': 2}
    """
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def by_patterns(rules: Mapping[str, Value], paths: Sequence[str], what: str = "") -> list[list[Value]]:
    """For each path the values of `rules` whose pattern, as of file names, it matches, in the order of the rules.

    ArgumentError, which begins with `what`, for a pattern that nothing matches.

    >>> by_patterns({"*.weight": 1, "0.*": 2}, ["0.weight", "0.bias", "1.bias"])
    [[1, 2], [2], []]
    """
    for pattern in rules:
        if not fnmatch.filter(paths, pattern):
            raise ArgumentError(f"{what}{': ' if what else ''}the pattern {pattern!r} matches nothing",
                                expected=f"paths: {paths}", fix='write a path, or a pattern such as "*.weight"')
    return [[value for pattern, value in rules.items() if fnmatch.fnmatchcase(path, pattern)] for path in paths]


def other_names(own: Mapping[str, object], saved: Mapping[str, object]) -> str:
    """Which names a saved state lacks or has in addition, in words; "" where they are the same.

    >>> other_names({"weight": 1, "bias": 2}, {"weight": 1})
    'missing bias; not known nothing'
    """
    if own.keys() == saved.keys():
        return ""
    missing, extra = sorted(own.keys() - saved.keys()), sorted(saved.keys() - own.keys())
    return f"missing {', '.join(missing) or 'nothing'}; not known {', '.join(extra) or 'nothing'}"


def require_same_state(owner: str, own: Mapping[str, HasShape], saved: Mapping[str, HasShape]) -> None:
    """ArgumentError unless the names are the same, ShapeError unless the shapes are; `owner` is what has the state.

    The errors name what is near: names that are alike, and shapes that are transposed.

    >>> import numpy as np
    >>> require_same_state("model", {"weight": np.ones(2)}, {"weight": np.zeros(2)})
    """
    if differences := other_names(own, saved):
        raise ArgumentError(f"a state that does not fit the {owner}: {differences}",
                            expected=f"the names of {owner}.state_dict()",
                            fix=f"{_alike(own, saved)}make the {owner} as it was when the state was saved")
    others = [name for name, x in own.items() if tuple(saved[name].shape) != tuple(x.shape)]
    if others:
        name, more = others[0], f" ({len(others)} differ)" if len(others) > 1 else ""
        given, wanted = tuple(saved[name].shape), tuple(own[name].shape)
        raise ShapeError(f"{name} in the state has shape {given}{more}", expected=f"shape {wanted}",
                         fix=f"{_transposed(given, wanted)}make the {owner} with the sizes that it had when the "
                             "state was saved")


def _alike(own: Mapping[str, object], saved: Mapping[str, object]) -> str:
    """Which names that are not known may stand for which that are missing, as the start of a fix."""
    import difflib

    missing, pairs = sorted(own.keys() - saved.keys()), []
    for name in sorted(saved.keys() - own.keys()):
        if near := difflib.get_close_matches(name, missing, n=1, cutoff=0.5):
            missing.remove(near[0])
            pairs.append(f"{name!r} may be {near[0]!r} here")
    return "".join(f"{pair}; " for pair in pairs[:5])


def _transposed(given: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if given != wanted[::-1]:
        return ""
    return ("it is transposed, as torch has weights (outputs, inputs): a state of torch is loaded by "
            "tz.interop.load_torch_weights(model, state); or ")
