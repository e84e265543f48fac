"""The data of the panels of a report: confusion matrix, calibration, curves, predictions, importance, plain tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from tarazu.base.errors import ShapeError
from tarazu.diagnose.scoring.calibration import require_outcomes
from tarazu.diagnose.scoring.importance import Importance


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


@dataclass(frozen=True)
class Calibration:
    """The predicted probabilities of `event` and whether it happened, both of shape (rows,), on the set `subset`.

    Raises ShapeError where the two differ in shape.

    >>> Calibration(np.array([0.9, 0.2]), np.array([True, False]), "rain").subset
    'validation'
    """

    probabilities: np.ndarray
    happened: np.ndarray
    event: str
    subset: str = "validation"

    def __post_init__(self) -> None:
        require_outcomes(self.probabilities, self.happened)


@dataclass(frozen=True)
class ThresholdCurves:
    """The `scores` of `event` and whether it happened, both of shape (rows,), on the set called `subset`.

    The panel has the ROC curve, and precision over recall. Raises ShapeError where the two differ in shape.

    >>> ThresholdCurves(np.array([0.9, 0.2]), np.array([True, False]), "rain").subset
    'validation'
    """

    scores: np.ndarray
    happened: np.ndarray
    event: str
    subset: str = "validation"

    def __post_init__(self) -> None:
        require_outcomes(self.scores, self.happened)


@dataclass(frozen=True)
class ImportanceChart:
    """The importance of columns, most important first; `title` says what the numbers are.

    >>> ImportanceChart([Importance("age", 0.3, 0.2, 0.4)], "rise of the loss").title
    'rise of the loss'
    """

    columns: Sequence[Importance]
    title: str


@dataclass(frozen=True)
class DataTable:
    """A table of texts with a `header`, as many cells as each of `rows`, and a `note` below; without rows, the note.

    >>> DataTable("Classes", ("", "F1"), (("cat", "80.0%"),)).note
    ''
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


Panel: TypeAlias = (ConfusionMatrix | PredictedAgainstTrue | Calibration | ThresholdCurves | ImportanceChart
                    | DataTable)
