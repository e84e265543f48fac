"""Per-sample losses of the trivial predictor: the best one that knows the training targets and no input."""

from __future__ import annotations

import numpy as np

from tarazu.base.errors import ShapeError


def trivial_classification_losses(train_labels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The cross-entropy, in nats, of predicting the class frequencies of `train_labels`, for each of `labels`.

    Both are class numbers (or names) of shape (samples,). Each class counts one sample more than it has, so that a
    class which training never saw costs much but not infinitely much (Laplace's rule of succession, 1774). The result
    has the shape (samples,). ShapeError for labels with another number of axes.

    >>> trivial_classification_losses(np.array([0, 1, 0, 1]), np.array([0, 1])).round(3).tolist()
    [0.693, 0.693]
    """
    train_labels, labels = _require_vector(train_labels), _require_vector(labels)
    classes, numbers = np.unique(np.concatenate([train_labels, labels]), return_inverse=True)
    counts = np.bincount(numbers[: len(train_labels)], minlength=len(classes)) + 1.0
    return -np.log(counts / counts.sum())[numbers[len(train_labels):]]


def trivial_multilabel_losses(train_labels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The binary cross-entropy, in nats, of predicting each output's frequency, averaged over the outputs.

    Both are 0 or 1 of shape (samples, outputs); the result has shape (samples,).

    >>> trivial_multilabel_losses(np.array([[0, 1], [1, 0]]), np.array([[1, 1]])).round(3).tolist()
    [0.693]
    """
    pairs = zip(_as_columns(train_labels), _as_columns(labels), strict=True)
    return np.mean([trivial_classification_losses(train, other) for train, other in pairs], axis=0)


def trivial_regression_losses(train_targets: np.ndarray, targets: np.ndarray, loss: str = "squared") -> np.ndarray:
    """The loss of predicting the mean (or, for loss="absolute", the median) of `train_targets` for each of `targets`.

    Shapes (samples,) or (samples, outputs); losses, (samples,), are averaged over outputs, in the target's unit,
    squared unless loss="absolute". The mean minimizes the squared error, the median the absolute one.

    >>> trivial_regression_losses(np.array([1.0, 3.0]), np.array([2.0, 5.0])).tolist()
    [0.0, 9.0]
    """
    train, other = _as_columns(train_targets).astype(float), _as_columns(targets).astype(float)
    if loss == "absolute":
        return np.abs(other - np.median(train, axis=1, keepdims=True)).mean(axis=0)
    return np.square(other - train.mean(axis=1, keepdims=True)).mean(axis=0)


def _as_columns(targets: np.ndarray) -> np.ndarray:
    """`targets` as (outputs, samples)."""
    targets = np.asarray(targets)
    return targets.reshape(len(targets), -1).T


def _require_vector(labels: np.ndarray) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ShapeError(f"the labels have shape {labels.shape}", expected="one class number per sample: (samples,)",
                         fix="turn one-hot labels into numbers: labels.argmax(axis=1)")
    return labels
