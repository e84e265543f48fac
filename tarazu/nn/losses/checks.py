"""Checks of targets that have values, outside of traces: class numbers, probabilities, and the shapes of both sides."""

from __future__ import annotations

import numpy as np

from tarazu.base.dtypes import promote
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops import elementwise as e
from tarazu.ops.promote import as_value, cast
from tarazu.ops.shape import reshape
from tarazu.ops.typing import ArrayLike, Tensor

_UNSIGNED = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}  # by bytes
ROUNDING = 1e-3  # by which probabilities may leave 0 to 1: those of half precision do


def aligned(name: str, prediction: ArrayLike, target: ArrayLike) -> tuple[Tensor, Tensor]:
    """Both of one shape; a missing last axis of size 1 is added, as (n, 1) - (n,) would silently be (n, n).

    ShapeError for other shapes.
    """
    prediction, target = as_value(prediction), as_value(target)
    if prediction.shape not in (target.shape, (*target.shape, 1)) and (*prediction.shape, 1) != target.shape:
        raise ShapeError(f"{name}: a prediction of shape {prediction.shape} for a target of shape {target.shape}",
                         expected="one shape",
                         fix="give the last layer as many outputs as the target has, or reshape the target")
    if target.dtype.kind == "complex":
        prediction = cast(prediction, promote(prediction.dtype, target.dtype))
    return prediction, e.astype(reshape(target, prediction.shape), prediction.dtype, copy=False)


def require_class_numbers(labels: np.ndarray, classes: int) -> None:
    """ArgumentError unless all `labels` are from 0 to classes - 1."""
    flat = labels.reshape(-1)  # along one axis ufuncs take half the time of `min` and `max`
    unsigned = flat.view(_UNSIGNED[flat.itemsize])  # in which numbers below 0 are large ones
    if not flat.size or np.maximum.reduce(unsigned) < min(classes, 1 << 8 * flat.itemsize - 1):
        return
    low, high = int(flat.min()), int(flat.max())
    if low < 0 or high >= classes:
        fix = "number the classes from 0" + (f", or give the last layer {high + 1} outputs" if low >= 0 else "")
        raise ArgumentError(f"labels from {low} to {high} for a model with {classes} outputs",
                            expected=f"labels from 0 to {classes - 1}", fix=fix)


def require_probabilities(targets: np.ndarray, loss: str) -> None:
    """ArgumentError unless all `targets` of a loss are from 0 to 1; the loss itself refuses complex ones."""
    if not targets.size or targets.dtype.kind == "c" or (targets.min() >= -ROUNDING and targets.max() <= 1 + ROUNDING):
        return
    values = np.unique(targets).astype(float)
    has_two = len(values) <= 2
    fix = f"number the two classes: y = (y == {values[-1]:g}).astype(int)" if has_two else "scale them to 0 to 1"
    raise ArgumentError(f"targets from {values[0]:g} to {values[-1]:g} for {loss}", expected="targets from 0 to 1",
                        fix=fix)


def require_positive(loss: str, name: str, value: float) -> None:
    """ArgumentError unless an option of a loss is a number above 0."""
    if not (isinstance(value, int | float | np.number) and value > 0):
        raise ArgumentError(f"{loss}: {name}={value!r}", expected="a number above 0",
                            fix="leave it out for the usual value")


def require_share(loss: str, name: str, value: float) -> None:
    """ArgumentError unless an option of a loss is a number from 0 to 1."""
    if not (isinstance(value, int | float | np.number) and 0 <= value <= 1):
        raise ArgumentError(f"{loss}: {name}={value!r}", expected="a number from 0 to 1",
                            fix="leave it out for the usual value")
