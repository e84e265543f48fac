"""Metrics: sums over rows that are added up over batches, and a function of the sums."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from tarazu.base.pytree import flatten, map_leaves
from tarazu.ops.elementwise import astype
from tarazu.ops.reduce import mean
from tarazu.ops.shape import reshape
from tarazu.ops.typing import ArrayLike, Tree
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor

RowFunction: TypeAlias = Callable[[Any, Any], Any]  # of (prediction, target): a number for each row
Value: TypeAlias = float | dict[str, float]  # a number, or several by what is added to the metric's name
Sums: TypeAlias = dict[str, Any]  # a tree of sums over rows


@dataclass(frozen=True, eq=False)
class Metric:
    """A metric that need not be a mean: `sums` over the rows of a batch, and `result`, a function of all of them.

    `sums(prediction, target)` gives a dict of tensors, each a sum over the rows that it is given; `fit` computes it in
    its program and adds the batches up in float64. `result(sums)` makes a number of them, as arrays of NumPy, or a dict
    of numbers: {"low": 0.5} of a metric "recall" stands in the history as "recall_low". `whole(prediction, target)`, of
    arrays, is the exact value where all rows are in memory, in validation and `evaluate`, and takes the place of sums
    there. `name` is what the history calls the metric, else the name of `sums`.

    A metric is called with predictions and targets, too, and gives its value for these rows.

    >>> import tarazu as tz
    >>> bias = tz.train.Metric(lambda p, t: {"error": (p - t).sum(), "size": abs(t).sum()},
    ...                        lambda s: float(s["error"] / s["size"]), name="bias")
    >>> bias(tz.tensor([2.0, 5.0]), tz.tensor([1.0, 4.0]))
    0.4
    """

    sums: Callable[[Any, Any], Sums]
    result: Callable[[Any], Value]
    _: KW_ONLY
    name: str | None = None
    whole: Callable[[Any, Any], Value] | None = None
    function: RowFunction | None = None  # the function that `as_metric` made it of
    counts_steps: bool = False  # whether steps of sequences are rows to it, so that masked ones can be left out
    splits_numbers: bool = False  # whether it takes outputs that are numbers for class 1 above 0.5

    def __call__(self, prediction: Tree, target: Tree) -> Value:
        """The value for these rows, computed by `whole` where there is one."""
        if self.whole is not None:
            return self.whole(*(_each(_array, x) for x in (prediction, target)))
        with no_grad():
            sums = self.sums(*(_each(asarray, x) for x in (prediction, target)))
        return self.result(map_leaves(exact, sums))


def as_metric(function: RowFunction, name: str | None = None) -> Metric:
    """The metric whose value is the mean of what `function` gives for each row.

    >>> import tarazu as tz
    >>> as_metric(tz.train.accuracy)(tz.tensor([[1.0, 0.0], [3.0, 0.0]]), tz.tensor([1, 0]))
    0.5
    """
    def sums(prediction: Tree, target: Tree) -> Sums:
        return mean_sums(mean(function(prediction, target)), flatten(target)[0][0].shape[0])

    return Metric(sums, mean_of, name=name or name_of(function), function=function)


def mean_sums(value: Tensor, rows: int) -> Sums:
    """The sums of a metric that is a mean, for a batch with that mean."""
    if isinstance(value, Tensor) and isinstance(value.raw, np.ndarray):
        total = asarray(np.array(value.raw.reshape(()), np.float64) * rows)  # quicker than three operations
        return {"total": total, "rows": rows}
    return {"total": reshape(astype(value, "float64"), ()) * rows, "rows": rows}


def mean_of(sums: Sums) -> float:
    """The mean by its sums; NaN of no rows."""
    return ratio(sums["total"], sums["rows"])


MEAN = Metric(mean_sums, mean_of)  # what losses and numbers of own steps are


def ratio(part: np.ndarray | float, whole: np.ndarray | float) -> float:
    """part / whole of two scalars, NaN where the whole is 0."""
    return float(part) / float(whole) if whole else math.nan


def exact(x: ArrayLike) -> np.ndarray:
    """A sum as an array of float64, in which the sums of batches are added."""
    return np.asarray(_array(x), np.float64)


def _each(convert: Callable[[Any], Any], x: Any) -> Tree:
    """Each array of a tree converted; a list of numbers, or of lists of them, is an array."""
    is_tree = isinstance(x, dict | tuple) or (isinstance(x, list) and any(hasattr(part, "shape") for part in x))
    return map_leaves(convert, x) if is_tree else convert(x)


def _array(x: Any) -> np.ndarray:
    return x.numpy() if isinstance(x, Tensor) else np.asarray(x)


def name_of(function: Callable[..., Any]) -> str:
    """The name of a function, of the function that a partial one is made of, or of an object's class."""
    while isinstance(function, partial) and not hasattr(function, "__name__"):
        function = function.func
    return getattr(function, "__name__", type(function).__name__)
