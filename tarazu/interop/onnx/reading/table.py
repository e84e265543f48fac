"""The table of operators: what each file of `operators/` puts in, by name and the version since which it is so.

A function takes the inputs of an operator, None for those left out, and its attributes by their names. Where an
attribute of older versions is an input of newer ones, one parameter takes both.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


class Entry(NamedTuple):
    """An operator since a version: its function, and how that wants to be called."""

    function: Callable[..., Any]
    takes_images: bool  # inputs may be kept with their channels last
    takes_bodies: bool  # it runs steps itself
    is_random: bool  # each call gives something else
    counts_outputs: bool  # it is told how many results are read


TABLE: dict[str, Entry] = {}
_SINCE: dict[str, list[int]] = {}


def operator(*names: str, since: int = 1, images: bool = False, bodies: bool = False,
             random: bool = False) -> Callable[[Function], Function]:
    """Put a function into the table for operators of these names; those of other domains are "domain:name"."""
    def put(function: Function) -> Function:
        counts = "outputs" in inspect.signature(function).parameters
        for name in names:
            TABLE[f"{name}/{since}"] = Entry(function, images, bodies, random, counts)
            _SINCE.setdefault(name, []).append(since)
        return function
    return put


def key_of(domain: str, name: str, version: int) -> str | None:
    """The key in the table for an operator of that version of its domain; None where there is none."""
    full = name if domain in ("", "ai.onnx") else f"{domain}:{name}"
    since = max((one for one in _SINCE.get(full, ()) if one <= version), default=None)
    return None if since is None else f"{full}/{since}"
