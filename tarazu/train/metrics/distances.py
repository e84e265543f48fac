"""Metrics of numbers that are means over rows: errors, absolute, squared, relative; similarities."""

from __future__ import annotations

import numpy as np

from tarazu.nn.losses import numbers
from tarazu.nn.losses.checks import aligned
from tarazu.ops.elementwise import abs, maximum
from tarazu.ops.reduce import mean
from tarazu.ops.shape import reshape
from tarazu.runtime.tensor.tensor import Tensor

LEAST_TARGET = float(np.finfo(np.float64).eps)  # as in scikit-learn


def mae(prediction: Tensor, target: Tensor) -> Tensor:
    """The absolute difference."""
    return numbers.mae(prediction, target, reduction="none")


def mae_in_units(scale: float, prediction: Tensor, target: Tensor) -> Tensor:
    """The absolute difference in the unit that a target has before it is divided by `scale`."""
    return mae(prediction, target) * scale


def mse(prediction: Tensor, target: Tensor) -> Tensor:
    """The squared difference."""
    return numbers.mse(prediction, target, reduction="none")


def mape(prediction: Tensor, target: Tensor) -> Tensor:
    """The absolute difference as a share of the target (0.1 is 10 percent)."""
    return numbers.mape(prediction, target, epsilon=LEAST_TARGET, reduction="none")


def smape(prediction: Tensor, target: Tensor) -> Tensor:
    """The absolute difference as a share of the mean of the absolute values of both, from 0 to 2."""
    prediction, target = aligned("smape", prediction, target)
    share = 2 * abs(prediction - target) / maximum(abs(prediction) + abs(target), LEAST_TARGET)
    return mean(reshape(share, (share.shape[0], -1)), -1)


def cosine_similarity(prediction: Tensor, target: Tensor) -> Tensor:
    """The cosine of the angle between the outputs of a row, as a vector, and its target."""
    return 1 - numbers.cosine_distance(prediction, target, reduction="none")
