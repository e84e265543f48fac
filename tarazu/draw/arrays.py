"""What users pass, as NumPy arrays: tensors, lists, columns of data frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor


def array(x: ArrayLike) -> np.ndarray:
    """`x` as an array of any kind, of texts too.

    >>> array([1, 2]).shape
    (2,)
    """
    return x.numpy() if isinstance(x, Tensor) else np.asarray(x)


def column(name: str, x: ArrayLike) -> np.ndarray:
    """`x` as one value per row, (rows,); (rows, 1) counts as that. ShapeError for another shape.

    >>> column("scores", [[0.1], [0.2]]).shape
    (2,)
    """
    values = array(x)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ShapeError(f"{name} of shape {values.shape}", expected="one value per row: (rows,)",
                         fix=f"choose a column: {name}[:, 0]")
    return values


def class_numbers(true: ArrayLike, predicted: ArrayLike,
                  classes: Sequence[str] | None) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """True and predicted classes as numbers (rows,), and the names of all classes.

    Classes are numbers from 0 on, names, or for the predicted ones numbers per class (rows, classes), of which the
    largest counts. ArgumentError for a class that is not among the names.

    >>> class_numbers(["dog", "cat"], ["dog", "dog"], None)[2]
    ['cat', 'dog']
    """
    said = array(predicted)
    said = said.argmax(axis=1) if said.ndim == 2 and said.shape[1] > 1 else column("predicted", said)
    truth = array(true)
    truth = truth.argmax(axis=1) if truth.ndim == 2 and truth.shape[1] > 1 else column("true", truth)
    if truth.dtype.kind in "OUS":
        names = [str(name) for name in (classes if classes is not None else np.unique(np.append(truth, said)))]
        numbers = {name: number for number, name in enumerate(names)}
        unknown = {str(name) for name in np.append(truth, said)} - set(names)
        if unknown and said.dtype.kind in "OUS":
            raise ArgumentError(f"the class {min(unknown)!r}", expected=f"one of {', '.join(names)}",
                                fix="pass the names of all classes")
        if said.dtype.kind in "OUS":
            said = np.array([numbers[str(name)] for name in said])
        return np.array([numbers[str(name)] for name in truth], np.int64), said.astype(np.int64), names
    truth, said = truth.astype(np.int64), np.round(said.astype(np.float64)).astype(np.int64)
    count = int(max(truth.max(initial=-1), said.max(initial=-1))) + 1
    names = [str(number) for number in range(count)] if classes is None else [str(name) for name in classes]
    return truth, said, names
