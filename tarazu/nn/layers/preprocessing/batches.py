"""What layers adapt to, batch by batch: arrays of numbers, texts, or iterables of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tarazu.base.errors import DataError
from tarazu.ops.typing import ArrayLike

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
