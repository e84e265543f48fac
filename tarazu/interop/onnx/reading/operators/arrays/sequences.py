"""Operators on lists of tensors and on values that may be missing: a list, and None."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tarazu.interop.onnx.reading.bounds import require_fair
from tarazu.interop.onnx.reading.operators.arrays.shapes import concat
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, number
from tarazu.ops import shape as shapes


@operator("SequenceEmpty")
def sequence_empty(dtype: int | None = None) -> list[Any]:
    """No tensors."""
    return []


@operator("SequenceConstruct")
def sequence_construct(*inputs: Any) -> list[Any]:
    """The tensors as a list."""
    return list(inputs)


@operator("SequenceInsert")
def sequence_insert(sequence: list[Any], tensor: Any, position: Any = None) -> list[Any]:
    """The list with one more, at its end or before a position."""
    at = len(sequence) if position is None else int(number(position))
    at = at + len(sequence) if at < 0 else at
    return [*sequence[:at], tensor, *sequence[at:]]


@operator("SequenceErase")
def sequence_erase(sequence: list[Any], position: Any = None) -> list[Any]:
    """The list with one less."""
    at = (-1 if position is None else int(number(position))) % len(sequence)
    return [*sequence[:at], *sequence[at + 1:]]


@operator("SequenceAt")
def sequence_at(sequence: list[Any], position: Any) -> Any:
    """One of the list."""
    return sequence[int(number(position))]


@operator("SequenceLength")
def sequence_length(sequence: list[Any]) -> np.ndarray:
    """How many there are."""
    return np.array(len(sequence), np.int64)


@operator("ConcatFromSequence")
def concat_from_sequence(sequence: list[Array], axis: int, new_axis: int = 0) -> Any:
    """The list's tensors side by side, or along a new axis."""
    if not new_axis:
        return concat(*sequence, axis=axis)
    require_fair(sum(math.prod(x.shape) for x in sequence))
    return shapes.stack(sequence, axis)


@operator("Optional")
def optional(value: Any = None, type: Any = None) -> Any:
    """A value that may be missing."""
    return value


@operator("OptionalHasElement")
def optional_has_element(value: Any = None) -> np.ndarray:
    """Whether it is there."""
    return np.array(value is not None)


@operator("OptionalGetElement")
def optional_get_element(value: Any) -> Any:
    """The value."""
    return value
