"""The data of the plot that ends a report: a confusion matrix, or predicted against true values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tarazu.base.errors import ShapeError


@dataclass(frozen=True)
class ConfusionMatrix:
    """How many samples of each true class (row) were predicted as each class (column), on the set called `subset`.

    `counts` has shape (classes, classes); ShapeError where that does not fit the names in `classes`.

    >>> ConfusionMatrix(["cat", "dog"], np.array([[8, 2], [1, 9]])).subset
    'validation'
    """

    classes: Sequence[str]
    counts: np.ndarray
    subset: str = "validation"

    def __post_init__(self) -> None:
        size = len(self.classes)
        if np.shape(self.counts) != (size, size):
            raise ShapeError(f"the counts have shape {np.shape(self.counts)} for {size} class names",
                             expected=f"({size}, {size})", fix="give one name per class, and a row and a column each")

    @property
    def right(self) -> int:
        """How many samples were predicted rightly: the sum of the diagonal.

        >>> ConfusionMatrix(["cat", "dog"], np.array([[8, 2], [1, 9]])).right
        17
        """
        return int(np.trace(self.counts))

    @property
    def total(self) -> int:
        """How many samples there are.

        >>> ConfusionMatrix(["cat", "dog"], np.array([[8, 2], [1, 9]])).total
        20
        """
        return int(np.sum(self.counts))

    @property
    def shares(self) -> np.ndarray:
        """`counts` as shares of their row, shape (classes, classes); 0 in the row of a class without samples.

        >>> ConfusionMatrix(["cat", "dog"], np.array([[8, 2], [0, 0]])).shares.tolist()
        [[0.8, 0.2], [0.0, 0.0]]
        """
        return np.asarray(self.counts) / np.maximum(np.sum(self.counts, axis=1, keepdims=True), 1)


@dataclass(frozen=True)
class PredictedAgainstTrue:
    """The true and predicted values of the target called `target`, shape (samples,), on the set called `subset`.

    `target` may carry its unit: "price in 1000 $". Raises ShapeError where the two differ in size.

    >>> PredictedAgainstTrue(np.array([1.0]), np.array([1.2]), "price").subset
    'validation'
    """

    true: np.ndarray
    predicted: np.ndarray
    target: str
    subset: str = "validation"

    def __post_init__(self) -> None:
        if np.size(self.true) != np.size(self.predicted):
            raise ShapeError(f"{np.size(self.true)} true and {np.size(self.predicted)} predicted values",
                             expected="one prediction per sample", fix="predict the same samples")
