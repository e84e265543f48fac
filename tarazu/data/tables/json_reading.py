"""Reading the entries of a saved encoder from its JSON, with an error that names what is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from tarazu.base.errors import FileFormatError
from tarazu.data.columns.notes import ColumnNote
from tarazu.data.columns.numbers import STRICT, NumberFormat

Kind = TypeVar("Kind")


def damaged(problem: str) -> FileFormatError:
    """The error for JSON that is not that of an encoder."""
    return FileFormatError(f"the saved table encoder is damaged: {problem}",
                           expected="what TableEncoder.to_json() returned", fix="save the model again")


def entry(content: object, key: str, kind: type[Kind]) -> Kind:
    """content[key], which must be of type `kind`. Raises FileFormatError."""
    if not isinstance(content, Mapping):
        raise damaged(f"{content!r} stands where a JSON object should")
    if key not in content:
        raise damaged(f"{key!r} is missing")
    value: Any = content[key]
    if kind is float and type(value) is int and abs(value) < 2**53:
        value = float(value)
    if type(value) is not kind:
        raise damaged(f"{key!r} is {value!r}, not a {kind.__name__}")
    return value


def number_entry(content: object, key: str) -> float:
    """A finite number. Raises FileFormatError."""
    value = entry(content, key, float)
    if not math.isfinite(value):
        raise damaged(f"{key!r} is {value!r}, not a finite number")
    return value


def scale_entry(content: object) -> float:
    """The number under "scale", by which one divides: greater than 0. Raises FileFormatError."""
    scale = number_entry(content, "scale")
    if scale <= 0:
        raise damaged(f"'scale' is {scale!r}, not greater than 0")
    return scale


def texts_entry(content: object, key: str) -> tuple[str, ...]:
    """A list of texts, none of them twice. Raises FileFormatError."""
    values = entry(content, key, list)
    if not all(type(value) is str for value in values) or len(set(values)) < len(values):
        raise damaged(f"{key!r} is not a list of distinct texts")
    return tuple(values)


def format_entry(content: object) -> NumberFormat:
    """How numbers are written, under "format". Raises FileFormatError."""
    inner = entry(content, "format", dict)
    decimal = entry(inner, "decimal", str)
    if decimal not in STRICT:
        raise damaged(f"there is no decimal mark {decimal!r}")
    return NumberFormat(decimal, entry(inner, "unit", str), texts_entry(inner, "stray_words"))


def notes_entry(content: object) -> tuple[ColumnNote, ...]:
    """Notes about columns, under "notes". Raises FileFormatError."""
    return tuple(ColumnNote(entry(note, "column", str), entry(note, "text", str), entry(note, "warning", bool))
                 for note in entry(content, "notes", list))
