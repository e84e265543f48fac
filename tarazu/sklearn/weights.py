"""The weights of rows: checked, with those of classes, and as training wants them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array

from tarazu.base.errors import ArgumentError, ShapeError


def checked_weights(sample_weight: Any, rows: int) -> np.ndarray:
    """The weights, float64 (rows,), 1 where none are given; a ValueError for any that are negative, or all 0."""
    if sample_weight is None:
        return np.ones(rows)
    weight = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weight.shape != (rows,):
        raise ShapeError(f"sample_weight.shape == {weight.shape}", expected=f"({rows},), a weight for each row of X",
                         fix="pass one number for each row")
    if (weight < 0).any():
        raise ArgumentError(f"sample_weight with {weight.min():g}", expected="no Negative values in data passed to "
                            "`sample_weight`", fix="weights are numbers of at least 0")
    if not weight.any():
        raise ArgumentError("Sample weights must contain at least one non-zero number", expected="rows that count",
                            fix="leave sample_weight out, or give rows weights above 0")
    return weight


class Training(NamedTuple):
    """What a network is trained on: features, targets, and weights of mean 1, None where all are 1."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None

    @property
    def targets(self) -> Any:
        """The targets as `fit` takes them: of several a tuple."""
        return tuple(self.y.T) if self.y.dtype.kind == "i" and self.y.ndim == 2 else self.y


def training(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Training:
    """These rows with weights of mean 1, so that learning rates mean the same whatever the weights."""
    if (weight == weight[0]).all():
        return Training(x, y, None)
    return Training(x, y, (weight * (len(weight) / weight.sum())).astype(np.float32))


def merged(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Training:
    """Rows in an order of their own, those that are equal as one of all their weights.

    For training by all rows at once, which is then the same to the last bit whatever the order of the rows, and whether
    a row counts twice or is there twice.
    """
    columns = np.concatenate([x.astype(np.float64), y.reshape(len(y), -1)], 1)
    _, first, places = np.unique(columns, axis=0, return_index=True, return_inverse=True)
    return training(x[first], y[first], np.bincount(places.reshape(-1), weight))
