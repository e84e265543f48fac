"""From what users pass to `fit` to arrays that a model can learn from, checked before any training."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tarazu.base.dtypes import bfloat16
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError, TarazuError
from tarazu.data import split_rows
from tarazu.nn.losses import Loss, loss_name, require_class_numbers, require_probabilities, traits
from tarazu.ops.elementwise import astype
from tarazu.runtime.tensor.foreign import plain_array
from tarazu.runtime.tensor.tensor import Tensor

MOST_JUDGED_ROWS = 20_000  # of each part, by the verdict: more would cost time and change no verdict

RowIndex = slice | np.ndarray  # which rows of an array


class Arrays(NamedTuple):
    """Inputs and targets with one row per sample."""

    x: np.ndarray
    y: np.ndarray

    def at(self, rows: RowIndex) -> Arrays:
        return Arrays(self.x[rows], self.y[rows])


def features(x: object) -> np.ndarray:
    """`x` as an array with one row per sample; float64 becomes float32, and every value must be finite."""
    return _numbers(x, "x", "encode text and dates as numbers first: tz.data.TableEncoder does so for tables")


def as_given(values: object, name: str) -> np.ndarray:
    """`values` as an array of their own dtype; ShapeError, DTypeError or ArgumentError for what makes none."""
    if isinstance(values, Tensor):
        return (astype(values, "float32") if values.dtype is bfloat16 else values).numpy()
    if isinstance(values, dict):
        raise ArgumentError(f"{name} is a dict of {len(values)} columns", expected="one array with a row per sample",
                            fix="np.column_stack(list(columns.values())), in the same order for fit and predict; "
                                "tz.data.TableEncoder takes tables with text")
    try:
        return np.asarray(plain_array(_exchanged(values), name))
    except ValueError as error:
        if isinstance(error, TarazuError):
            raise
        raise ShapeError(f"{name} does not make an array: {error}", expected="rows of one length",
                         fix=f"pad or cut the rows of {name}") from None


def _exchanged(values: Any) -> Any:
    """An array in place of a tensor of a library that speaks DLPack alone; else the values as they are."""
    if hasattr(values, "__array__"):
        return values
    if hasattr(values, "detach"):
        values = values.detach()
    return np.from_dlpack(values) if hasattr(values, "__dlpack__") else values


def _numbers(values: object, name: str, fix: str) -> np.ndarray:
    array = as_given(values, name)
    if array.dtype.kind not in "fiub":
        is_text = array.dtype.kind in "UST" or (array.dtype.kind == "O" and any(type(x) is str for x in array.flat))
        if array.dtype.kind in "Om" and not is_text:
            fix = f"make numbers of them: {name}.astype(float), where each is one"
        raise DTypeError(f"{name} holds {array.dtype}{' (text)' if is_text else ''}", expected="numbers", fix=fix)
    if array.ndim == 0 or len(array) == 0:
        raise ShapeError(f"{name} of shape {array.shape}", expected="an array with one row per sample",
                         fix="pass at least one row")
    return _finite_floats(array, name) if array.dtype.kind == "f" else array


def _finite_floats(array: np.ndarray, name: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        short = array.astype(np.float32, copy=False) if array.dtype.itemsize > 4 else array
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(short.sum()):  # quicker than to look at each; a sum that overflows says nothing
            return short
    bad = ~np.isfinite(short)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ArgumentError(f"{name} holds values that are not finite in {short.dtype}: {int(bad.sum())} of "
                            f"{bad.size}, the first ({array[first]}) in row {first[0]}", expected="finite numbers",
                            fix="fill, drop or scale them first; tz.data.TableEncoder replaces missing values")
    return short


def targets(y: object) -> np.ndarray:
    """`y` as float32, or as int64 when it holds whole numbers or booleans."""
    if y is None:
        raise ArgumentError("no y", expected="targets, one for each row of x", fix="call fit(x, y, ...)")
    array = _numbers(y, "y", "number the classes: names, y = np.unique(y, return_inverse=True); "
                     "or tz.fit_table(frame, target=...), which takes names of classes")
    return array.astype(np.int64) if array.dtype.kind in "iub" else array


def pair(x: object, y: object) -> Arrays:
    """Both as arrays with the same number of rows."""
    arrays = Arrays(features(x), targets(y))
    if len(arrays.x) != len(arrays.y):
        raise ShapeError(f"x has {len(arrays.x)} rows and y has {len(arrays.y)}",
                         expected="one target for each row of x",
                         fix="check how x and y were made; rows are the first axis")
    return arrays


def require_labels_fit(loss: Loss, y: np.ndarray, outputs: tuple[int, ...]) -> None:
    """Class numbers must lie below the number of outputs of the model, labels of single outputs from 0 to 1.

    `outputs` is the shape of a batch of outputs.
    """
    if traits(loss).target == "labels" or (traits(loss).target == "classes" and y.shape[1:] == outputs[1:]):
        require_probabilities(y, loss_name(loss))
    has_class_numbers = y.dtype.kind == "i" and y.shape[1:] != outputs[1:]
    refuses_one_output = outputs[-1] == 1  # the loss does so itself, with a better message
    if traits(loss).target == "classes" and has_class_numbers and not refuses_one_output:
        ignored = traits(loss).ignored_target
        require_class_numbers(y if ignored is None else y[y != ignored], outputs[-1])


def class_numbers(y: np.ndarray) -> np.ndarray | None:
    """The class of each sample where `y` holds whole numbers or one-hot rows, else None."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 1 and (y == np.round(y)).all():
        return y.astype(np.int64)
    is_one_hot = y.ndim == 2 and ((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all()
    return y.argmax(1) if is_one_hot else None


def hold_out(arrays: Arrays, share: float, seed: int, loss: Loss) -> tuple[Arrays, Arrays]:
    """Rows to train on and a random share for validation, classes in proportion."""
    if not isinstance(share, int | float) or not 0 < share < 1:
        raise ArgumentError(f"validation_split={share!r}", expected="a share between 0 and 1",
                            fix="pass for example validation_split=0.2")
    labels = None if traits(loss).target == "numbers" else class_numbers(arrays.y)
    split = split_rows(len(arrays.x), share, 0.0, seed, labels)
    return arrays.at(split.train), arrays.at(split.validation)
