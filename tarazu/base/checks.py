"""Checks of arguments, and errors, that several packages share."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError

_FLAGS = (int, np.bool_)  # not `int | np.bool_`, which each call would make anew: every reduction checks a flag


def positive_int(name: str, value: Any) -> int:
    """`value` as an int; ArgumentError unless it is a whole number of at least 1.

    >>> positive_int("batch_size", 32)
    32
    """
    return whole_number(f"{name}={value!r}", value, least=1, fix=f"pass for example {name}=10")


def whole_number(what: str, value: Any, *, least: int | None = None, fix: str = "round it first") -> int:
    """`value` as an int; ArgumentError, which begins with `what`, unless it is a whole number of at least `least`.

    >>> whole_number("topk: k=3", 3)
    3
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or (least is not None and number < least):
        bound = "" if least is None else f" of at least {least}"
        raise ArgumentError(what, expected=f"a whole number{bound}", fix=fix)
    return number


def flag(name: str, value: Any) -> bool:
    """`value` as a bool; ArgumentError unless it is one (or 0 or 1), as any text would be true.

    >>> flag("sort: descending", True)
    True
    """
    if value is True or value is False:  # nearly always, and each reduction asks
        return value
    if not isinstance(value, _FLAGS) or value not in (0, 1):
        raise ArgumentError(f"{name}={value!r}", expected="True or False", fix="leave it out for the default")
    return bool(value)


def exceeded_bound(bound: int | None = None) -> ArgumentError:
    """The error for a `while_loop` that would take more steps than `bound`; None where a backend cannot name it."""
    after = "the bound" if bound is None else f"bound={bound} steps"
    return ArgumentError(f"while_loop: the condition still holds after {after}",
                         expected="a bound that no run of the loop exceeds", fix="pass a larger bound")
