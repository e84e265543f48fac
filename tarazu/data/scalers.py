"""Standardization and min-max scaling per feature, fitted on the training rows, and one-hot encoding."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from tarazu.base.errors import ArgumentError, DataError, ShapeError

LARGE = 1e100  # numbers from which on squares may overflow


def mean_and_scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (population, ddof 0) over axis 0 without NaN, in float64. The deviation of a constant
    is given as 1, so that one may divide by it. Numbers beyond about 1e150 give infinities or NaN.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    # Asked of the values too: by rounding, the deviation of 0.1, 0.1, 0.1 is not 0 but 1e-17.
    constant = (scale == 0) | (np.nanmax(values, axis=0) == np.nanmin(values, axis=0))
    return mean, np.where(constant, 1.0, scale)


def weighted_mean_and_scale(values: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same with a weight of at least 0 for each row; a column without numbers has mean 0 and deviation 1.

    Numbers of any size give finite ones: columns of large numbers are divided by a power of two first.

    >>> weighted_mean_and_scale(np.array([[1.0], [4.0], [np.nan]]), np.array([2.0, 1.0, 5.0]))
    (array([2.]), array([1.41421356]))
    """
    shares = np.where(np.isnan(values), 0.0, weight[:, None])
    numbers = np.where(np.isnan(values), 0.0, values)
    unit = _unit(numbers)
    numbers = numbers / unit
    total = np.maximum(shares.sum(0), np.finfo(np.float64).tiny)
    mean = (shares * numbers).sum(0) / total
    scale = np.sqrt((shares * (numbers - mean) ** 2).sum(0) / total)
    constant = (scale == 0) | (np.where(shares > 0, values, -np.inf).max(0)
                               == np.where(shares > 0, values, np.inf).min(0))
    return mean * unit, np.where(constant, 1.0, scale * unit)


def _unit(numbers: np.ndarray) -> np.ndarray:
    """What to divide columns by so that no square overflows: 1, or a power of two, which changes no digit."""
    largest = np.abs(numbers).max(0, initial=0.0)
    return np.where(largest > LARGE, np.exp2(np.floor(np.log2(np.maximum(largest, 1.0)))), 1.0)


def standardize(values: np.ndarray, shift: float | np.ndarray, scale: float | np.ndarray) -> np.ndarray:
    """(values - shift) / scale in float64; what overflows becomes infinite without a warning."""
    with np.errstate(over="ignore"):
        return (values - shift) / scale


def to_float32(values: np.ndarray) -> np.ndarray:
    """The values in float32; those beyond its range become its largest or smallest number."""
    limit = np.finfo(np.float32).max
    return values.clip(-limit, limit).astype(np.float32)


def shortest_decimals(values: np.ndarray, resolution: float = np.inf) -> np.ndarray:
    """Each value rounded to the fewest decimal digits that give its float32 back; float64 of the same shape.

    Where float32 is coarser than `resolution` there are as many more digits as tell apart what differs by that.

    >>> shortest_decimals(np.array([0.1000000015, 1357034400.25]), resolution=0.01).tolist()
    [0.1, 1357034400.25]
    """
    single = to_float32(values)
    texts = single.astype(str)  # the shortest digits that give the float32 back
    rounded = texts.astype(np.float64)
    if np.isfinite(resolution):
        decimals = math.ceil(-math.log10(resolution)) + 1
        rounded = np.where(np.abs(rounded - values) > resolution / 2, np.round(values, decimals), rounded)
    return rounded


class Scaler:
    """What the scalers share: they map x to (x - shift) / scale, per feature, with arrays of shape (rows, ...).

    Results are float32, or float64 if the input is.
    """

    shift: np.ndarray | None = None
    scale: np.ndarray | None = None

    def fit(self, values: ArrayLike) -> Self:
        """Takes shift and scale from the training rows, (rows, ...); gives the scaler itself.

        Raises DataError for no rows or values that are not finite.

        >>> MinMaxScaler().fit([[1.0, 10.0], [3.0, 30.0]]).shift.tolist()
        [1.0, 10.0]
        """
        array = np.asarray(values, np.float64)
        if array.ndim == 0 or len(array) == 0:
            raise DataError(f"there are no rows to fit on: the shape is {array.shape}", expected="(rows, ...)",
                            fix="pass the training rows as an array with at least one row")
        if not np.isfinite(array).all():
            raise DataError(f"{(~np.isfinite(array)).sum():,} of the values are NaN or infinite",
                            expected="finite numbers", fix="replace or drop them first: x[np.isfinite(x).all(axis=1)]")
        with np.errstate(over="ignore", invalid="ignore"):
            shift, scale = self._measure(array)
        if not (np.isfinite(shift).all() and np.isfinite(scale).all()):
            raise DataError("the values are so large that their scale overflows", expected="numbers below about 1e150",
                            fix="use a larger unit")
        self.shift, self.scale = shift, scale
        return self

    def transform(self, values: ArrayLike) -> np.ndarray:
        """The scaled values, (rows, ...). Raises ArgumentError before `fit`, ShapeError for another number of features.

        >>> MinMaxScaler().fit([[1.0], [3.0]]).transform([[2.0], [5.0]]).tolist()
        [[0.5], [2.0]]
        """
        array, shift, scale = self._check(values)
        return _like(values, standardize(array, shift, scale))

    def inverse(self, values: ArrayLike) -> np.ndarray:
        """Scaled values, (rows, ...), in their first units again; raises as `transform` does.

        >>> MinMaxScaler().fit([[1.0], [3.0]]).inverse([[0.5]]).tolist()
        [[2.0]]
        """
        array, shift, scale = self._check(values)
        return _like(values, array * scale + shift)

    def _measure(self, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shift and scale of the training rows."""
        raise NotImplementedError

    def _check(self, values: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if self.shift is None or self.scale is None:
            raise ArgumentError(f"this {type(self).__name__} has not been fitted", expected="fit before transform",
                                fix="call fit(training_rows) first")
        array = np.asarray(values, np.float64)
        if array.shape[1:] != self.shift.shape:
            raise ShapeError(f"the rows have shape {array.shape[1:]}, those of fit had {self.shift.shape}",
                             expected="rows of the same shape as in fit", fix="pass the same features in both")
        return array, self.shift, self.scale


class Standardizer(Scaler):
    """Scales each feature to mean 0 and standard deviation 1 (population, ddof 0) over the training rows, (rows, ...).

    >>> Standardizer().fit([[1.0], [3.0]]).transform([[1.0], [2.0]]).tolist()
    [[-1.0], [0.0]]
    """

    def _measure(self, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return mean_and_scale(array)


class MinMaxScaler(Scaler):
    """Scales each feature so that the training rows, (rows, ...), span 0 to 1; other rows may lie outside.

    >>> MinMaxScaler().fit([[10.0], [20.0]]).transform([[10.0], [15.0], [30.0]]).tolist()
    [[0.0], [0.5], [2.0]]
    """

    def _measure(self, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = array.min(axis=0), array.max(axis=0)
        return low, np.where(high > low, high - low, 1.0)


def _like(values: ArrayLike, result: np.ndarray) -> np.ndarray:
    return result if getattr(values, "dtype", None) == np.float64 else to_float32(result)


def one_hot(labels: ArrayLike, num_classes: int | None = None) -> np.ndarray:
    """Class numbers of shape (...) as float32 of shape (..., num_classes): 1 at the class, else 0.

    Without `num_classes` there are as many classes as the largest label asks for. Raises DataError for labels that are
    not integers from 0 to num_classes - 1.

    >>> one_hot([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    array = np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise DataError(f"the labels have dtype {array.dtype}", expected="integers: the number of each row's class",
                        fix="use labels.astype(int), or np.unique(labels, return_inverse=True)[1] for names")
    classes = num_classes if num_classes is not None else int(array.max(initial=-1)) + 1
    wrong = array[(array < 0) | (array >= classes)]
    if wrong.size:
        raise DataError(f"label {wrong[0]} does not fit {classes} classes", expected=f"labels from 0 to {classes - 1}",
                        fix="number the classes from 0, or pass a larger num_classes")
    return (array[..., None] == np.arange(classes)).astype(np.float32)
