"""What users pass, as NumPy arrays: tensors, lists, columns of data frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor

MOST_CLASSES = 2000  # in a matrix of 32 MB


def array(x: ArrayLike) -> np.ndarray:
    """`x` as an array of any kind, of texts too.

    >>> array([1, 2]).shape
    (2,)
    """
    return x.numpy() if isinstance(x, Tensor) else np.asarray(x)


def column(name: str, x: ArrayLike) -> np.ndarray:
    """`x` as one value per row, (rows,); (rows, 1) counts as that. ShapeError for another shape, and without rows.

    >>> column("scores", [[0.1], [0.2]]).shape
    (2,)
    """
    values = array(x)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ShapeError(f"{name} of shape {values.shape}", expected="one value per row: (rows,)",
                         fix=f"choose a column: {name}[:, 0]")
    if not len(values):
        raise ShapeError(f"{name} without rows", expected="one value per row: (rows,)", fix="pass at least one row")
    return values


def finite(name: str, values: np.ndarray) -> np.ndarray:
    """`values`, (rows, ...), as float64. ArgumentError for what is no number, NaN or infinite.

    >>> finite("scores", np.array([1, 2])).tolist()
    [1.0, 2.0]
    """
    if values.dtype.kind not in "biuf" and not _are_numbers(values):
        raise ArgumentError(f"{name} of {values.dtype}, such as {values.flat[0]!r}", expected="numbers",
                            fix="encode the values as numbers first")
    values = values.astype(np.float64)
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        first = f"the first ({values[tuple(wrong[0])]}) in row {wrong[0][0]}"
        raise ArgumentError(f"{name} with {len(wrong):,} of {values.size:,} values NaN or infinite, {first}",
                            expected="finite numbers",
                            fix="leave these rows out, of all that is passed; a model that gives NaN has diverged")
    return values


def _are_numbers(values: np.ndarray) -> bool:
    """Whether these are objects or the like that are numbers all the same: bfloat16, and columns of data frames."""
    try:
        values.astype(np.float64)
    except (TypeError, ValueError):
        return False
    return values.dtype.kind not in "US"


def outcomes(happened: ArrayLike) -> np.ndarray:
    """What `happened` as bool (rows,), from true and false or 1 and 0. ArgumentError for other values.

    >>> outcomes([1.0, 0.0]).tolist()
    [True, False]
    """
    values = column("happened", happened)
    if values.dtype.kind != "b":
        different = np.unique(values)
        if not set(different.tolist()) <= {0, 1}:
            raise ArgumentError(f"happened with the values {', '.join(map(repr, different[:3].tolist()))}",
                                expected="true or false, or 1 or 0",
                                fix=f"compare: happened == {different[-1].item()!r}")
    return values.astype(bool)


def whole_numbers(name: str, x: ArrayLike, fix: str) -> np.ndarray:
    """Class numbers as int64 (rows,). ArgumentError, to be mended as `fix` says, for what is not a whole number.

    >>> whole_numbers("true", [1.0, 2.0], "round them").tolist()
    [1, 2]
    """
    values = finite(name, column(name, x))
    broken = values[values != np.round(values)]
    if len(broken):
        raise ArgumentError(f"{name} with {broken[0]:g}, which is no class number", expected="whole numbers from 0 on",
                            fix=fix)
    return values.astype(np.int64)


def class_numbers(true: ArrayLike, predicted: ArrayLike,
                  classes: Sequence[str] | None) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """True and predicted classes as numbers (rows,), and the names of all classes.

    Classes are numbers from 0 on, names, or for the predicted ones numbers per class (rows, classes), of which the
    largest counts. ArgumentError for a class that is not among the names.

    >>> class_numbers(["dog", "cat"], ["dog", "dog"], None)[2]
    ['cat', 'dog']
    """
    truth, said = _classes_of("true", true), _classes_of("predicted", predicted)
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
    truth = whole_numbers("true", truth, "pass the number of the class of each row")
    said = _said_numbers(said)
    count = int(max(truth.max(), said.max())) + 1 if classes is None else len(classes)
    if count > MOST_CLASSES:
        raise ArgumentError(f"class numbers up to {count - 1:,}", expected=f"at most {MOST_CLASSES:,} classes",
                            fix="number those that are there: np.unique(labels, return_inverse=True)")
    return truth, said, [str(number) for number in range(count)] if classes is None else list(map(str, classes))


def _classes_of(name: str, x: ArrayLike) -> np.ndarray:
    """One class for each row, of scores (rows, classes) the largest."""
    values = array(x)
    if values.ndim == 2 and values.shape[1] > 1:
        return finite(name, values).argmax(axis=1)
    return column(name, values)


def _said_numbers(said: np.ndarray) -> np.ndarray:
    """Predicted class numbers; probabilities of class 1 of two count as the class that is likelier."""
    values = finite("predicted", said)
    if values.min() >= 0 and values.max() <= 1:
        return np.round(values).astype(np.int64)
    return whole_numbers("predicted", values, "of a single logit, pass predicted > 0; of several, all: (rows, classes)")
