"""Reading plain JSON content back, with an error that names what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tarazu.base.errors import FileFormatError


def damaged(problem: str) -> FileFormatError:
    return FileFormatError(f"the saved table encoder is damaged: {problem}",
                           expected="what TableEncoder.to_json() returned", fix="save the model again")


def entry(content: Any, key: str, kind: type) -> Any:
    """content[key], which must be of type `kind`. Raises FileFormatError."""
    if not isinstance(content, Mapping):
        raise damaged(f"{content!r} stands where a JSON object should")
    if key not in content:
        raise damaged(f"{key!r} is missing")
    value = content[key]
    if kind is float and type(value) is int and abs(value) < 2**53:
        value = float(value)
    if type(value) is not kind:
        raise damaged(f"{key!r} is {value!r}, not a {kind.__name__}")
    return value


def number_entry(content: Any, key: str) -> float:
    """A finite number. Raises FileFormatError."""
    value = entry(content, key, float)
    if not math.isfinite(value):
        raise damaged(f"{key!r} is {value!r}, not a finite number")
    return value


def scale_entry(content: Any) -> float:
    """The number under "scale", by which one divides: greater than 0. Raises FileFormatError."""
    scale = number_entry(content, "scale")
    if scale <= 0:
        raise damaged(f"'scale' is {scale!r}, not greater than 0")
    return scale


def texts_entry(content: Any, key: str) -> tuple[str, ...]:
    """A list of texts, none of them twice. Raises FileFormatError."""
    values = entry(content, key, list)
    if not all(type(value) is str for value in values) or len(set(values)) < len(values):
        raise damaged(f"{key!r} is not a list of distinct texts")
    return tuple(values)
