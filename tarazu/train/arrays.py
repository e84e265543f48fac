"""From what users pass to `fit` to arrays that a model can learn from, checked before any training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.data import split_rows
from tarazu.nn.losses import cross_entropy
from tarazu.runtime.tensor import Tensor

if TYPE_CHECKING:
    from tarazu.train.setup import Setup


class Arrays(NamedTuple):
    """Inputs and targets with one row per sample."""

    x: np.ndarray
    y: np.ndarray


def features(x: Any, name: str = "x") -> np.ndarray:
    """`x` as an array with one row per sample; float64 becomes float32, and every value must be finite."""
    array = x.numpy() if isinstance(x, Tensor) else np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise DTypeError(f"{name} holds {array.dtype}", expected="numbers",
                         fix="encode text and dates as numbers first: tz.data.TableEncoder does so for tables")
    if array.ndim == 0 or len(array) == 0:
        raise ShapeError(f"{name} of shape {array.shape}", expected="an array with one row per sample", fix="pass at least one row")
    if array.dtype.kind == "f":
        _require_finite(array, name)
        array = array.astype(np.float32, copy=False) if array.dtype.itemsize > 4 else array
    return array


def _require_finite(array: np.ndarray, name: str) -> None:
    bad = ~np.isfinite(array)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ArgumentError(f"{name} holds {int(bad.sum())} values that are not finite, the first ({array[place]}) in row {place[0]}",
                            expected="finite numbers", fix="fill or drop missing values first; "
                            "tz.data.TableEncoder replaces them by the training mean")


def targets(y: Any) -> np.ndarray:
    """`y` as float32, or as int64 when it holds whole numbers or booleans."""
    if y is None:
        raise ArgumentError("no y", expected="targets, one for each row of x", fix="call fit(x, y, ...)")
    array = features(y, "y")
    return array.astype(np.int64) if array.dtype.kind in "iub" else array


def pair(x: Any, y: Any, setup: Setup) -> Arrays:
    """Both, with the same number of rows, and with targets that the loss can use."""
    arrays = Arrays(features(x), targets(y))
    if len(arrays.x) != len(arrays.y):
        raise ShapeError(f"x has {len(arrays.x)} rows and y has {len(arrays.y)}", expected="one target for each row of x",
                         fix="check how x and y were made; rows are the first axis")
    return arrays


def require_labels_fit(setup: Setup, arrays: Arrays, outputs: tuple[int, ...]) -> None:
    """Class numbers must lie below the number of outputs of the model."""
    if setup.loss is cross_entropy and arrays.y.dtype.kind == "i":
        low, high = int(arrays.y.min()), int(arrays.y.max())
        if low < 0 or high >= outputs[-1]:
            raise ArgumentError(f"labels from {low} to {high} for a model with {outputs[-1]} outputs",
                                expected=f"labels from 0 to {outputs[-1] - 1}",
                                fix=f"give the last layer {high + 1} outputs, or number the classes from 0")


def hold_out(arrays: Arrays, share: float, seed: int, setup: Setup) -> tuple[Arrays, Arrays]:
    """Rows to train on and a random share for validation, classes in proportion."""
    if not 0 < share < 1:
        raise ArgumentError(f"validation_split={share}", expected="a share between 0 and 1", fix="pass for example validation_split=0.2")
    labels = arrays.y if arrays.y.dtype.kind == "i" and arrays.y.ndim == 1 else None
    split = split_rows(len(arrays.x), share, 0.0, seed, labels)
    return tuple(Arrays(arrays.x[rows], arrays.y[rows]) for rows in (split.train, split.validation))  # type: ignore[return-value]
