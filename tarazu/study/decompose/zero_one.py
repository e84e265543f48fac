"""The decomposition of the 0-1 loss of Domingos (2000), in which variance counts with a coefficient, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from tarazu.base.errors import ArgumentError, ShapeError


@dataclass(frozen=True)
class ZeroOneTerms:
    """The terms of the 0-1 loss of each row: `loss` = `noise_effect` + `bias` + `variance_effect`, to rounding.

    All are arrays of shape (rows, ...). `main` is the main prediction: the class that is predicted most, the lowest of
    several. `bias` is whether it is not the best one, `variance` the share of predictions that differ from it. Variance
    hurts where the main prediction is best, and helps where it is not: `variance_effect` is the variance times its
    coefficient there, 1 or a number from -1 to 0. Bias and variance themselves are no terms of a sum.

    >>> import numpy as np
    >>> terms = decompose_zero_one(np.array([[1, 1], [0, 1]])[:, :, None], [0])
    >>> terms.bias, terms.variance, terms.variance_coefficient, terms.loss
    (array([1.]), array([0.25]), array([-1.]), array([0.75]))
    """

    loss: np.ndarray
    main: np.ndarray
    noise_effect: np.ndarray
    bias: np.ndarray
    variance: np.ndarray
    variance_effect: np.ndarray

    @property
    def variance_coefficient(self) -> np.ndarray:
        """What the variance counts with: 1 without bias, else minus the share of the best class among other
        predictions.

        It is 1 or 0 where there is no variance.

        >>> import numpy as np
        >>> decompose_zero_one(np.zeros((2, 2, 1), int), [0]).variance_coefficient
        array([1.])
        """
        varies = self.variance > 0
        return np.where(varies, self.variance_effect / np.where(varies, self.variance, 1.0), 1.0 - self.bias)


def decompose_zero_one(predicted: ArrayLike, targets: ArrayLike, best: ArrayLike | None = None) -> ZeroOneTerms:
    """The terms of the 0-1 loss of each row (Domingos, 2000, "A unified bias-variance decomposition").

    `predicted` are the class numbers that fits predict, (samples, seeds, rows, ...), `targets` those of the rows,
    (rows, ...), and `best` the most probable ones where they are known; without them targets count as best, and noise
    as bias. ShapeError for shapes that do not fit together, ArgumentError for what is no class number.

    >>> import numpy as np
    >>> terms = decompose_zero_one(np.array([[1, 0], [0, 0]])[:, :, None], [1], best=[0])
    >>> terms.loss, terms.noise_effect, terms.bias, terms.variance_effect
    (array([0.75]), array([0.5]), array([0.]), array([0.25]))
    """
    classes, target = _checked(predicted, targets, best)
    right = target if best is None else np.asarray(best)
    shares = class_shares(classes, int(max(classes.max(), target.max(), right.max())) + 1)
    main = shares.argmax(axis=0)
    share_best, share_target = (_share_of(shares, numbers) for numbers in (right, target))
    bias = (main != right).astype(np.float64)
    variance = 1.0 - _share_of(shares, main)
    effect = np.where(bias > 0, -share_best, variance)
    return ZeroOneTerms(1.0 - share_target, main, share_best - share_target, bias, variance, effect)


def disagreements(classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often two fits disagree on a row that differ in their sample and seed, and in their seed alone; (rows, ...).

    Both are unbiased. `classes` are (samples, seeds, rows, ...).

    >>> disagreements(np.array([[0, 0], [1, 0]])[:, :, None])
    (array([0.5]), array([0.5]))
    """
    samples, seeds = classes.shape[:2]
    fits = [(i, a) for i in range(samples) for a in range(seeds)]
    pairs = list(combinations(fits, 2))
    of_one, of_two = ([classes[one] != classes[other] for one, other in pairs if (one[0] == other[0]) is same]
                      for same in (True, False))
    return np.mean(of_two, axis=0), np.mean(of_one, axis=0)


def class_shares(classes: np.ndarray, count: int) -> np.ndarray:
    """The share of each class among the predictions for each row, (classes, rows, ...)."""
    return np.stack([(classes == number).mean(axis=(0, 1)) for number in range(count)])


def _share_of(shares: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    return np.take_along_axis(shares, numbers[None].astype(np.int64), axis=0)[0]


def _checked(predicted: ArrayLike, targets: ArrayLike, best: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    classes = np.asarray(predicted)
    if classes.ndim < 3 or not classes.size:
        raise ShapeError(f"predicted classes of shape {classes.shape}",
                         expected="(samples, seeds, rows, ...), at least one of each",
                         fix="give each of these an axis: predicted[:, None] where each sample has one seed")
    for name, numbers in (("targets", targets), ("best", best)):
        if numbers is not None and np.shape(numbers) != classes.shape[2:]:
            raise ShapeError(f"{name} of shape {np.shape(numbers)} for classes of shape {classes.shape}",
                             expected=f"{name} (rows, ...) for classes (samples, seeds, rows, ...)",
                             fix="bring them to the order and shape of the predictions")
    for name, numbers in (("predicted", predicted), ("targets", targets), ("best", best)):
        if numbers is not None and not _are_class_numbers(np.asarray(numbers)):
            raise ArgumentError(f"{name} that are no class numbers", expected="whole numbers from 0",
                                fix="number the classes from 0, of both with one np.unique(..., return_inverse=True)")
    return classes.astype(np.int64), np.asarray(targets).astype(np.int64)


def _are_class_numbers(numbers: np.ndarray) -> bool:
    return numbers.dtype.kind in "biuf" and bool(((numbers >= 0) & (numbers == np.floor(numbers))).all())
