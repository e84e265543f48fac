"""Checks of arguments that several packages share."""

from __future__ import annotations

import operator
from typing import Any

from tarazu.base.errors import ArgumentError


def positive_int(name: str, value: Any) -> int:
    """`value` as an int; ArgumentError unless it is a whole number of at least 1."""
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise ArgumentError(f"{name}={value!r}", expected="a whole number of at least 1",
                            fix=f"pass for example {name}=10")
    return number
