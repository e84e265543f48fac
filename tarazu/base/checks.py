"""Checks of arguments, and errors, that several packages share."""

from __future__ import annotations

import operator
from typing import Any

from tarazu.base.errors import ArgumentError


def positive_int(name: str, value: Any) -> int:
    """`value` as an int; ArgumentError unless it is a whole number of at least 1.

    >>> positive_int("batch_size", 32)
    32
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise ArgumentError(f"{name}={value!r}", expected="a whole number of at least 1",
                            fix=f"pass for example {name}=10")
    return number


def exceeded_bound(bound: int | None = None) -> ArgumentError:
    """The error for a `while_loop` that would take more steps than `bound`; None where a backend cannot name it."""
    after = "the bound" if bound is None else f"bound={bound} steps"
    return ArgumentError(f"while_loop: the condition still holds after {after}",
                         expected="a bound that no run of the loop exceeds", fix="pass a larger bound")
