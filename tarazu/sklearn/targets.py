"""What estimators are given as y: as what a loss compares, and back from the outputs of a network."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeAlias

import numpy as np
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.messages import listing
from tarazu.data.scalers import standardize, to_float32, weighted_mean_and_scale
from tarazu.diagnose import log_softmax
from tarazu.nn import Module
from tarazu.sklearn.heads import Heads

Loss: TypeAlias = Any  # as `compile` takes it


@dataclasses.dataclass(frozen=True)
class Classes:
    """A class for each row: `known` are the classes in the order of the outputs."""

    known: np.ndarray

    loss = "cross_entropy"
    metrics = ("accuracy",)

    @property
    def outputs(self) -> int:
        """How many outputs a network has for them: where there is one class only, one more that nothing asks for."""
        return max(len(self.known), 2)

    def head(self) -> list[Module]:
        """The layers after the outputs."""
        return []

    def encode(self, y: np.ndarray) -> np.ndarray:
        """The numbers of the classes, int64 (rows,); ArgumentError for a class that is not known."""
        numbers = np.searchsorted(self.known, y).clip(max=len(self.known) - 1)
        unknown = y[self.known[numbers] != y]
        if len(unknown):
            raise ArgumentError(f"the class {unknown.tolist()[0]!r} in y",
                                expected=f"the classes that are known: {listing(map(str, self.known), 10)}",
                                fix="pass all classes in the first call of partial_fit, or fit without warm_start")
        return numbers.astype(np.int64)

    def _logits(self, outputs: Any) -> np.ndarray:
        return outputs.numpy()[:, :len(self.known)].astype(np.float64)

    def probabilities(self, outputs: Any) -> np.ndarray:
        """The probability of each class, float64 (rows, classes)."""
        return np.exp(log_softmax(self._logits(outputs)))

    def decide(self, outputs: Any) -> np.ndarray:
        """The most probable class of each row."""
        return self.known[self._logits(outputs).argmax(1)]


@dataclasses.dataclass(frozen=True)
class Labels:
    """Any number of labels for each row: zeros and ones, (rows, labels)."""

    outputs: int

    loss = "binary_cross_entropy"
    metrics = ("binary_accuracy",)

    @property
    def known(self) -> np.ndarray:
        """The numbers of the labels."""
        return np.arange(self.outputs)

    def head(self) -> list[Module]:
        """The layers after the outputs."""
        return []

    def encode(self, y: np.ndarray) -> np.ndarray:
        """The labels, float32 (rows, labels)."""
        if y.ndim != 2 or y.shape[1] != self.outputs:
            raise ShapeError(f"y of shape {y.shape}", expected=f"(rows, {self.outputs}), as in the first fit",
                             fix="pass a column for each label")
        return y.astype(np.float32)

    def probabilities(self, outputs: Any) -> np.ndarray:
        """The probability of each label, float64 (rows, labels)."""
        return 0.5 * (1.0 + np.tanh(0.5 * outputs.numpy().astype(np.float64)))

    def decide(self, outputs: Any) -> np.ndarray:
        """The labels that are more probable than not, as zeros and ones."""
        return (outputs.numpy() > 0).astype(np.int64)


@dataclasses.dataclass(frozen=True)
class SeveralClasses:
    """Several classes for each row, one of each column of y."""

    columns: tuple[Classes, ...]

    @property
    def known(self) -> list[np.ndarray]:
        """The classes of each column."""
        return [column.known for column in self.columns]

    @property
    def outputs(self) -> int:
        """How many outputs a network has for them."""
        return sum(column.outputs for column in self.columns)

    @property
    def loss(self) -> Loss:
        """A loss for each column."""
        return tuple(column.loss for column in self.columns)

    @property
    def metrics(self) -> Any:
        """No metrics: their names would be numbers."""
        return ()

    def head(self) -> list[Module]:
        """The layer that cuts the outputs into those of the columns."""
        return [Heads([column.outputs for column in self.columns])]

    def encode(self, y: np.ndarray) -> np.ndarray:
        """The numbers of the classes, int64 (rows, columns)."""
        return np.stack([column.encode(part) for column, part in zip(self.columns, y.T, strict=True)], 1)

    def probabilities(self, outputs: Any) -> list[np.ndarray]:
        """For each column the probability of each of its classes, float64 (rows, classes)."""
        return [column.probabilities(part) for column, part in zip(self.columns, outputs, strict=True)]

    def decide(self, outputs: Any) -> np.ndarray:
        """The most probable class of each row and column, (rows, columns)."""
        return np.stack([column.decide(part) for column, part in zip(self.columns, outputs, strict=True)], 1)


@dataclasses.dataclass(frozen=True)
class Numbers:
    """A number for each row, or several in columns: a network learns them standardized."""

    mean: np.ndarray
    scale: np.ndarray
    is_column: bool  # whether y was (rows,)
    loss: Loss
    metrics = ()

    @property
    def outputs(self) -> int:
        """How many outputs a network has for them."""
        return len(self.mean)

    def head(self) -> list[Module]:
        """The layers after the outputs."""
        return []

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Standardized numbers, float32 (rows, columns)."""
        columns = y.reshape(len(y), -1)
        if columns.shape[1] != self.outputs:
            raise ShapeError(f"y of shape {y.shape}", expected=f"{self.outputs} numbers for each row, as in the first "
                             "fit", fix="pass the same columns")
        return to_float32(standardize(columns, self.mean, self.scale))

    def decide(self, outputs: Any) -> np.ndarray:
        """The numbers in their first units, float64, in the shape that y had."""
        numbers = outputs.numpy().astype(np.float64).reshape(-1, self.outputs) * self.scale + self.mean
        return numbers[:, 0] if self.is_column else numbers


ClassTargets: TypeAlias = Classes | Labels | SeveralClasses
Targets: TypeAlias = ClassTargets | Numbers


def read_classes(y: Any) -> np.ndarray:
    """Targets that have classes, as an array (rows,) or (rows, columns); raises as scikit-learn's classifiers do."""
    array = check_array(y, accept_sparse=True, ensure_2d=False, dtype=None, ensure_min_samples=0, input_name="y")
    array = array if isinstance(array, np.ndarray) else array.toarray()
    parts = [np.asarray(part.tolist()) for part in array.T] if _has_columns_of_any_kind(array) else [array]
    for part in parts:
        check_classification_targets(part)
    return column_or_1d(array, warn=True) if array.ndim == 1 or array.shape[1] == 1 else array


def _has_columns_of_any_kind(y: np.ndarray) -> bool:
    """Whether columns may differ in kind, as those of a data frame of texts and numbers do."""
    return y.ndim == 2 and y.shape[1] > 1 and y.dtype == object


def require_same_classes(targets: Any, classes: Any) -> None:
    """ArgumentError where a later `partial_fit` names other classes than the first."""
    known = targets.known if isinstance(targets.known, list) else [targets.known]
    given = classes if isinstance(targets.known, list) else [classes]
    if [np.unique(part).tolist() for part in given] != [part.tolist() for part in known]:
        raise ArgumentError(f"classes={classes!r} in a later call of partial_fit",
                            expected=f"those of the first: {listing(map(str, known[0]), 10)}",
                            fix="leave classes out, or begin with a new estimator")


def class_targets(y: np.ndarray, classes: Any = None) -> ClassTargets:
    """What such targets are; `classes` are those that may still come."""
    if not _has_columns_of_any_kind(y) and type_of_target(y) == "multilabel-indicator":
        return Labels(y.shape[1])
    if y.ndim == 1:
        return Classes(np.unique(y if classes is None else np.asarray(classes)))
    known = [None] * y.shape[1] if classes is None else classes
    return SeveralClasses(tuple(Classes(np.unique(part if each is None else each))
                                for part, each in zip(y.T, known, strict=True)))


def read_numbers(y: Any) -> np.ndarray:
    """Targets that are numbers, float64 (rows,) or (rows, columns); raises as scikit-learn's regressors do."""
    array = check_array(y, ensure_2d=False, dtype=np.float64, ensure_min_samples=0, input_name="y")
    return column_or_1d(array, warn=True) if array.ndim == 1 or array.shape[1] == 1 else array


def number_targets(y: np.ndarray, weight: np.ndarray, loss: Loss) -> Numbers:
    """What such targets are, by the rows of training and their weights."""
    return Numbers(*weighted_mean_and_scale(y.reshape(len(y), -1), weight), y.ndim == 1, loss)
