"""What layers adapt to, batch by batch: arrays of numbers, texts, or iterables of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tarazu.base.errors import DataError, DTypeError, ShapeError
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor

Texts = Any  # a text, or nested sequences or arrays of texts, which no type can say


def number_batches(data: ArrayLike | Iterable[ArrayLike]) -> Iterator[np.ndarray]:
    """The batches of an iterable, or the one batch that an array or nested lists are; float64, none of them empty.

    DataError for what holds no numbers.
    """
    is_array = hasattr(data, "__array__") or isinstance(data, list | tuple)
    batches: Iterable[Any] = data if isinstance(data, Iterable) and not is_array else (data,)
    for batch in batches:
        try:
            array = np.asarray(batch, np.float64)
        except (TypeError, ValueError):
            raise DataError(f"a {type(batch).__name__} to adapt to that holds no numbers of one shape",
                            expected="rows of numbers, or an iterable of batches of them",
                            fix="pass the features alone: layer.adapt(x for x, y in batches)") from None
        array = np.atleast_1d(array)
        if array.size:
            yield array


def texts_in(data: Texts) -> Iterator[str]:
    """All texts in nested sequences, arrays and iterables, in order. DataError for anything else in them."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, Iterable) and not isinstance(data, bytes):
        for item in data.tolist() if isinstance(data, np.ndarray) else data:
            yield from texts_in(item)
    else:
        raise DataError(f"{data!r} where a text belongs", expected="texts: str",
                        fix="decode bytes first, and replace missing texts by an empty one")


def text_array(x: Texts) -> np.ndarray | None:
    """A text, or rows of texts, as an array of objects, as NumPy's own texts lose zeros at their ends.

    None for numbers; DTypeError for a mixture and for other things, ShapeError for rows of different lengths.
    """
    if isinstance(x, Tensor):
        return None
    array = np.array(x, object) if begins_with_text(x) else np.asarray(x)
    if array.dtype.kind in "biufc":
        return None
    wrong = [item for item in array.flat if not isinstance(item, str)]
    if wrong and isinstance(wrong[0], list | tuple):
        raise ShapeError("texts in lists of different lengths", expected="one text in each row: (rows,)",
                         fix="join the parts of each row")
    if wrong:
        raise DTypeError(f"{wrong[0]!r} among texts", expected="texts: str",
                         fix="decode bytes first, and replace missing texts by an empty one")
    return array


def begins_with_text(x: object) -> bool:
    """Whether the first item of an array or of nested lists is a text; streams are not looked into."""
    if hasattr(x, "__array__") and not isinstance(x, Tensor):
        array = np.asarray(x)
        return array.dtype.kind in "UT" or (array.dtype.kind == "O" and array.size > 0
                                            and isinstance(array.flat[0], str))
    while isinstance(x, list | tuple) and x:
        x = x[0]
    return isinstance(x, str)
