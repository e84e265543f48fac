"""Decompositions that are sums, row by row: of the squared loss, and of the cross-entropy.

Predictions have the axes (samples, seeds, rows, ..., outputs): each sample of training rows is fitted with several
seeds of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tarazu.base.errors import ArgumentError, ShapeError


@dataclass(frozen=True)
class LossTerms:
    """The terms of the mean loss of each row: `loss` = `noise` + `bias` + `sample_variance` + `seed_variance`.

    All are arrays of shape (rows, ...), float64, and the sum holds to rounding. `noise` is what was given; what it
    leaves out is in the bias.

    >>> import numpy as np
    >>> one = np.ones(1)
    >>> LossTerms(3 * one, 0 * one, one, one, one).variance
    array([2.])
    """

    loss: np.ndarray
    noise: np.ndarray
    bias: np.ndarray
    sample_variance: np.ndarray
    seed_variance: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """The variance of both, (rows, ...)."""
        return self.sample_variance + self.seed_variance


def decompose_squared(predictions: ArrayLike, targets: ArrayLike, noise: ArrayLike = 0.0) -> LossTerms:
    """The terms of the squared loss of each row, the mean over its outputs.

    `predictions` are (samples, seeds, rows, ..., outputs), at least two samples and two seeds for each, all seeds
    different; `targets` are (rows, ..., outputs); `noise` is the variance of the targets around their means. By the law
    of total variance the variance is that of the means over seeds plus the mean of those within a sample. Each estimate
    is unbiased where the samples are independent, and so may be below 0 by chance. ShapeError or ArgumentError for
    arrays that do not fit together, hold NaN, or are of one sample or seed.

    >>> import numpy as np
    >>> predictions = np.array([[1.0, 3.0], [4.0, 4.0]])[:, :, None, None]  # two samples, two seeds, a row, an output
    >>> terms = decompose_squared(predictions, [[3.0]])
    >>> terms.loss, terms.bias, terms.sample_variance, terms.seed_variance
    (array([1.5]), array([-1.]), array([1.5]), array([1.]))
    """
    predicted, target = checked_predictions(predictions), np.asarray(targets, np.float64)
    if target.shape != predicted.shape[2:]:
        raise _unlike(predicted, target)
    losses = ((predicted - target)**2).mean(axis=(0, 1, -1))
    return _terms(losses, *_variances_of_squares(predicted), noise)


def decompose_cross_entropy(logits: ArrayLike, targets: ArrayLike, noise: ArrayLike = 0.0) -> LossTerms:
    """The terms of the cross-entropy of each row, in nats (Yang and others, 2020; Gruber and Buettner, 2023).

    `logits`, or log probabilities, are (samples, seeds, rows, ..., classes), at least two samples and two seeds for
    each; `targets` are class numbers (rows, ...) or probabilities (rows, ..., classes); `noise` is the entropy of the
    classes that a row may have. The mean prediction is the geometric one, brought to a sum of 1: the bias is the
    divergence of the true probabilities from it, the variance its mean divergence from the predictions, which is again
    that of the samples' means plus that within a sample. Estimates are corrected by the jackknife, which leaves a bias
    of second order. ShapeError or ArgumentError as for `decompose_squared`, and for class numbers out of range.

    >>> import numpy as np
    >>> predictions = np.log([[[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.9, 0.1]]])[:, :, None]  # a row of two classes
    >>> terms = decompose_cross_entropy(predictions, [0])
    >>> terms.loss.round(3), terms.variance.round(3), (terms.bias + terms.variance).round(3)
    (array([0.399]), array([0.223]), array([0.399]))
    """
    z = log_softmax(checked_predictions(logits))
    losses = -(as_probabilities(targets, z) * z.mean(axis=(0, 1))).sum(axis=-1)
    return _terms(losses, *_variances_of_logs(z), noise)


def geometric_mean(log_probabilities: np.ndarray) -> np.ndarray:
    """The logarithm of the normalized geometric mean over samples and seeds, (rows, ..., classes).

    >>> geometric_mean(np.log([[[[0.5, 0.5]], [[0.9, 0.1]]]])).round(3)
    array([[-0.288, -1.386]])
    """
    return log_softmax(log_probabilities.mean(axis=(0, 1)))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """The logarithm of the probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - _log_sum(shifted)[..., None]


def as_probabilities(targets: ArrayLike, predicted: np.ndarray) -> np.ndarray:
    """Targets as the probability of each class; errors for those that do not fit predictions (..., rows, ...,
    classes)."""
    target, shape, classes = np.asarray(targets), predicted.shape[2:], predicted.shape[-1]
    if target.shape == shape:
        return np.asarray(target, np.float64)
    if target.shape != shape[:-1]:
        raise _unlike(predicted, target)
    if not ((target >= 0) & (target < classes) & (target == np.floor(target))).all():
        raise ArgumentError(f"targets from {target.min()} to {target.max()}",
                            expected=f"class numbers from 0 to {classes - 1}", fix="number the classes from 0")
    return np.eye(classes)[target.astype(np.int64)]


def checked_predictions(predictions: ArrayLike) -> np.ndarray:
    """Predictions as float64; errors for too few axes, samples or seeds, and for NaN."""
    predicted = np.asarray(predictions, np.float64)
    if predicted.ndim < 4:
        raise ShapeError(f"predictions of shape {predicted.shape}", expected="(samples, seeds, rows, ..., outputs)",
                         fix="give each of these an axis, of size 1 for a single output")
    if min(predicted.shape[:2]) < 2:
        raise ArgumentError(f"predictions of {predicted.shape[0]} samples with {predicted.shape[1]} seeds each",
                            expected="at least 2 of both: a variance is a difference of two",
                            fix="fit more samples of the rows, each with several seeds")
    if not np.isfinite(predicted).all():
        raise ArgumentError("predictions that are NaN or infinite", expected="finite numbers",
                            fix="leave out the fits that diverged")
    return predicted


def _unlike(predicted: np.ndarray, target: np.ndarray) -> ShapeError:
    return ShapeError(f"targets of shape {target.shape} for predictions of shape {predicted.shape}",
                      expected=f"the shape {predicted.shape[2:]} of the predictions without samples and seeds",
                      fix="bring targets to the order and shape of the predictions")


def _terms(losses: np.ndarray, sample: np.ndarray, seed: np.ndarray, noise: ArrayLike) -> LossTerms:
    noises = np.broadcast_to(np.asarray(noise, np.float64), losses.shape)
    return LossTerms(losses, noises, losses - noises - sample - seed, sample, seed)


def _variances_of_squares(predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The variance of the sample and of the seed, (rows, ...), by the analysis of variance."""
    seed = predicted.var(axis=1, ddof=1).mean(axis=0)
    sample = predicted.mean(axis=1).var(axis=0, ddof=1) - seed / predicted.shape[1]
    return sample.mean(axis=-1), seed.mean(axis=-1)


def _variances_of_logs(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of log probabilities; of near ones it is that of squares.

    Finitely many fall short of the divergence of all by a share of one over their number. The jackknife (Quenouille,
    1956) undoes that: over the seeds of each sample, and over whole samples for the variance of both.
    """
    seed = np.mean([_jackknife(one) for one in z], axis=0)
    return _jackknife(z.mean(axis=1)) - seed, seed


def _jackknife(z: np.ndarray) -> np.ndarray:
    """The mean divergence from the geometric mean over the first axis, corrected.

    It is by how much the logarithm of that mean misses a sum of 1.
    """
    count, mean = len(z), z.mean(axis=0)
    without = (count * mean - z) / (count - 1)
    return (count - 1) * _log_sum(without).mean(axis=0) - count * _log_sum(mean)


def _log_sum(logs: np.ndarray) -> np.ndarray:
    highest = logs.max(axis=-1)
    return highest + np.log(np.exp(logs - highest[..., None]).sum(axis=-1))
