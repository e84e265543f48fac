"""Sequences of different lengths as one array, with a mask that says where there are values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, DataError

SIDES = ("post", "pre")


def pad_sequences(sequences: Sequence[Any], length: int | None = None, *, value: float = 0, padding: str = "post",
                  truncating: str = "post", dtype: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of different lengths as one array, padded with `value`, and a mask of it: True where there is a value.

    Each sequence is (time, ...), the same behind the first axis in all; the array is (sequences, length, ...), the mask
    (sequences, length), as recurrent layers and `tz.nn.Sequential` take it. Without `length` it is that of the longest;
    longer sequences are cut. `padding` and `truncating` say where: "post", at the end, or "pre", at the start. Whole
    numbers become int64, others float32, unless `dtype` says otherwise. ArgumentError for unknown options, DataError
    for what is no sequence of numbers and for sequences that differ in more than their length.

    >>> x, mask = pad_sequences([[1, 2, 3], [4]])
    >>> x.tolist(), mask.tolist()
    ([[1, 2, 3], [4, 0, 0]], [[True, True, True], [True, False, False]])
    """
    for option, side in (("padding", padding), ("truncating", truncating)):
        if side not in SIDES:
            raise ArgumentError(f"{option}={side!r}", expected='"post" or "pre"', fix="leave it out for the end")
    arrays = [_numbers(sequence, i) for i, sequence in enumerate(sequences)]
    shape, kind = _common_row(arrays, value)
    size = max(map(len, arrays), default=0) if length is None else positive_int("length", length)
    padded = np.full((len(arrays), size, *shape), value, kind if dtype is None else dtype)
    mask = np.zeros((len(arrays), size), bool)
    for row, flags, array in zip(padded, mask, arrays, strict=True):
        kept = array[:size] if truncating == "post" else array[max(len(array) - size, 0):]
        steps = slice(len(kept)) if padding == "post" else slice(size - len(kept), size)
        if len(kept):
            row[steps], flags[steps] = kept, True
    return padded, mask


def _common_row(arrays: Sequence[np.ndarray], value: float) -> tuple[tuple[int, ...], type[np.generic]]:
    """The shape of a step, which is the same in all arrays, and the dtype that holds them and the value."""
    full = [array for array in arrays if array.size or array.ndim > 1]  # an empty list says nothing of its features
    for i, array in enumerate(arrays):
        if array.size and array.shape[1:] != full[0].shape[1:]:
            raise DataError(f"sequence {i} has shape {array.shape}, the first {full[0].shape}",
                            expected="sequences that differ in their length alone",
                            fix="bring them to the same features")
    is_whole = full and np.result_type(*full).kind in "iub" and float(value).is_integer()
    return full[0].shape[1:] if full else (), np.int64 if is_whole else np.float32


def _numbers(sequence: Any, i: int) -> np.ndarray:
    try:
        array = np.asarray(sequence)
    except ValueError:
        array = np.array(None)
    if array.ndim == 0 or array.dtype.kind not in "biuf":
        raise DataError(f"sequence {i} is no sequence of numbers: a {type(sequence).__name__}",
                        expected="lists or arrays, (time, ...)",
                        fix="number texts first: tz.nn.TextVectorization; rows of a single array need no padding")
    return array
