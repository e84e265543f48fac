"""Normalization of features by statistics of the training data, kept in the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

import numpy as np

from tarazu.base.errors import ArgumentError, DataError, ShapeError
from tarazu.nn.layers.preprocessing.batches import number_batches
from tarazu.nn.module.module import Module
from tarazu.ops.elementwise import astype, divide, multiply, sqrt, subtract, where
from tarazu.ops.promote import as_float
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import tensor
from tarazu.runtime.tensor.tensor import Tensor


class _Statistics(NamedTuple):
    """Of all rows seen so far, for each feature; in float64."""

    rows: int
    mean: np.ndarray
    squares: np.ndarray  # the sum of squared distances from the mean
    low: np.ndarray
    high: np.ndarray

    def with_batch(self, other: _Statistics) -> _Statistics:
        """Those of both (Chan, Golub and LeVeque, 1983)."""
        rows, distance = self.rows + other.rows, other.mean - self.mean
        return _Statistics(rows, self.mean + distance * (other.rows / rows),
                           self.squares + other.squares + distance**2 * (self.rows * other.rows / rows),
                           np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    def variance(self) -> np.ndarray:
        """The population's; exactly 0 where all values are one, which rounding would hide."""
        return np.where(self.low == self.high, 0, self.squares / self.rows)


class Normalization(Module):
    """Shifts and scales features to mean 0 and variance 1 over the data that `adapt` has seen; saved with the model.

    Any shape (batch, ..., features) to the same. `adapt(x)` takes `mean` and `variance` (population) from the training
    data, or they are given. Unlike a scaler beside the model it goes where the model goes: `predict` takes raw
    features, after `tz.load` too. `axis` names the axes that have statistics of their own, by default the last; None is
    none, and all numbers share one mean. A feature that was constant is only shifted. `invert` goes the other way, from
    normalized values to raw ones, such as for targets. Nothing here is a parameter: training does not change it.

    ArgumentError for a call before `adapt`, and for one of mean and variance without the other; ShapeError for an input
    of other features; DataError for data to adapt to that are empty or not finite.

    >>> import tarazu as tz
    >>> layer = tz.nn.Normalization().adapt([[1.0, 10.0], [3.0, 30.0]])
    >>> layer(tz.tensor([[3.0, 20.0]]))
    Tensor([[1., 0.]], dtype=float32)
    >>> tz.nn.Normalization(mean=layer.mean, variance=layer.variance, invert=True)(tz.tensor([[1.0, 0.0]]))
    Tensor([[ 3., 20.]], dtype=float32)
    """

    reads_codes = True  # raw features may be larger than half types hold

    def __init__(self, axis: int | Sequence[int] | None = -1, *, mean: ArrayLike | None = None,
                 variance: ArrayLike | None = None, invert: bool = False) -> None:
        self._axes = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self._is_inverse = invert
        self.mean: Tensor | None = None
        self.variance: Tensor | None = None
        if (mean is None) is not (variance is None):
            raise ArgumentError("one of mean and variance", expected="both, or neither and a call of adapt",
                                fix="pass variance=standard_deviation ** 2 too")
        if mean is not None:
            self._set(np.asarray(mean, np.float64), np.asarray(variance, np.float64))

    def adapt(self, data: ArrayLike | Iterable[ArrayLike]) -> Self:
        """Take mean and variance from the training data; gives the layer itself.

        `data` are rows, (rows, ..., features), or an iterable of batches of rows, such as a generator. What was there
        before is replaced. DataError for no rows and for values that are not finite, ShapeError for an axis that they
        lack and for batches of different features.

        >>> import tarazu as tz
        >>> tz.nn.Normalization(axis=None).adapt(iter([[1.0, 2.0], [3.0]])).mean
        Tensor(2., dtype=float32)
        """
        seen: _Statistics | None = None
        for batch in number_batches(data):
            measured = self._measured(batch)
            if seen is not None and seen.mean.shape != measured.mean.shape:
                raise ShapeError(f"a batch of shape {batch.shape} after others with features of shape "
                                 f"{seen.mean.shape}", expected="the same features in all batches",
                                 fix="pass an array as an array, not as an iterator over its rows")
            seen = measured if seen is None else seen.with_batch(measured)
        if seen is None:
            raise DataError("there are no rows to adapt to", expected="(rows, ...)", fix="pass the training rows")
        self._set(seen.mean, seen.variance())
        return self

    def _measured(self, batch: np.ndarray) -> _Statistics:
        if not np.isfinite(batch).all():
            raise DataError(f"{(~np.isfinite(batch)).sum():,} of the values are NaN or infinite",
                            expected="finite numbers", fix="replace or drop them first: x[np.isfinite(x).all(axis=1)]")
        kept = self._kept(batch.shape)
        others = tuple(i for i in range(batch.ndim) if i not in kept)
        mean = batch.mean(others, keepdims=True)
        measured = mean, ((batch - mean) ** 2).sum(others, keepdims=True), batch.min(others), batch.max(others)
        shape = _statistics_shape(batch.shape, kept)
        return _Statistics(batch.size // mean.size, *[values.reshape(shape) for values in measured])

    def _kept(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The axes that have statistics of their own, from the front; ShapeError where there are too few axes."""
        count = len(shape)
        if not all(-count <= axis < count for axis in self._axes):
            raise ShapeError(f"an input of shape {shape} for axis={self._axes}", expected="an input with these axes",
                             fix="one feature per row is x[:, None]")
        return tuple(sorted(axis % count for axis in self._axes))

    def _set(self, mean: np.ndarray, variance: np.ndarray) -> None:
        new = [tensor(values.astype(np.float32)) for values in (mean, variance)]
        if self.mean is None or self.variance is None or self.mean.shape != new[0].shape:
            self.mean, self.variance = new
            return
        with no_grad():  # in place, so that compiled functions go on
            self.mean.copy_(new[0])
            self.variance.copy_(new[1])

    def forward(self, x: Tensor) -> Tensor:
        if self.mean is None or self.variance is None:
            raise ArgumentError("Normalization has seen no data", expected="mean and variance of the features",
                                fix="call layer.adapt(x_train) first")
        x = as_float(x)
        self._require_features(tuple(x.shape), tuple(self.mean.shape))
        scale = where(self.variance > 0, sqrt(self.variance), 1)
        changed = multiply(x, scale) + self.mean if self._is_inverse else divide(subtract(x, self.mean), scale)
        return astype(changed, x.dtype, copy=False)

    def _require_features(self, shape: tuple[int, ...], known: tuple[int, ...]) -> None:
        """ShapeError unless the input has the features that there are statistics of."""
        if _statistics_shape(shape, self._kept(shape)) != known:
            raise ShapeError(f"an input of shape {shape}", expected=f"the features that the layer was adapted to, of "
                             f"shape {known}", fix="pass the same features, or adapt the layer to these")


def _statistics_shape(shape: tuple[int, ...], kept: tuple[int, ...]) -> tuple[int, ...]:
    """From the first axis that is kept on, with a size of 1 for axes that are not: this broadcasts with the input."""
    return tuple(n if i in kept else 1 for i, n in enumerate(shape))[kept[0]:] if kept else ()
