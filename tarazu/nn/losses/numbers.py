"""Losses of numbers: functions of the difference of prediction and target."""

from __future__ import annotations

import math

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.losses.checks import aligned, require_positive
from tarazu.nn.losses.reduction import reduced
from tarazu.ops import elementwise as e
from tarazu.ops.networks.activations import softplus
from tarazu.ops.promote import as_value, rounded_like, single
from tarazu.ops.reduce import sum
from tarazu.ops.shape import broadcast_to, expand_dims, reshape
from tarazu.ops.typing import ArrayLike, Tensor


def mse(prediction: ArrayLike, target: ArrayLike, *, reduction: str = "mean",
        sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """The mean squared difference; of complex numbers the mean of |difference|^2.

    Both have one shape, (batch, ...), but for a last axis of size 1 that either may lack. The result is the "mean" over
    all outputs, their "sum", or, with "none", the mean of each sample, (batch,). `sample_weight` and `mask` (True where
    an output counts) have the shape of the outputs, or lack axes at its end: (batch,), (batch, time). Losses are
    multiplied by the weights, and the mean still divides by their number, as in Keras; the mean over a mask is that of
    the outputs that count. ShapeError for other shapes, ArgumentError for another reduction and for weights below 0.

    >>> import tarazu as tz
    >>> tz.nn.mse(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 4.0]))
    Tensor(2., dtype=float32)
    """
    prediction, target = aligned("mse", prediction, target)
    losses = reduced(e.abs_square(single(prediction - target)), reduction, sample_weight, mask)
    return rounded_like(losses, prediction)


def mae(prediction: ArrayLike, target: ArrayLike, *, reduction: str = "mean",
        sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """The mean absolute difference.

    Shapes, reductions, weights and errors (ShapeError, ArgumentError) are those of `mse`.

    >>> import tarazu as tz
    >>> tz.nn.mae(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 4.0]))
    Tensor(1., dtype=float32)
    """
    prediction, target = aligned("mae", prediction, target)
    return reduced(e.abs(prediction - target), reduction, sample_weight, mask)


def huber(prediction: ArrayLike, target: ArrayLike, *, delta: float = 1.0, reduction: str = "mean",
          sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """Half the squared difference up to `delta`, beyond it linear, so that outliers count less (Huber, 1964).

    d ** 2 / 2 for a distance d up to `delta`, which is in the unit of the target, else delta * (d - delta / 2). Shapes,
    reductions, weights and errors are those of `mse`; ArgumentError also for a delta that is not above 0.

    >>> import tarazu as tz
    >>> tz.nn.huber(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 4.0]))
    Tensor(0.75, dtype=float32)
    """
    if not delta > 0:
        raise ArgumentError(f"huber: delta={delta!r}", expected="a number above 0, in the unit of the target",
                            fix="leave it out for 1.0")
    prediction, target = aligned("huber", prediction, target)
    return reduced(_huber(e.abs(prediction - target), delta), reduction, sample_weight, mask)


def _huber(distance: Tensor, delta: float) -> Tensor:
    return e.where(distance <= delta, 0.5 * e.square(distance), delta * (distance - 0.5 * delta))


def smooth_l1(prediction: ArrayLike, target: ArrayLike, *, beta: float = 1.0, reduction: str = "mean",
              sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """`huber` divided by its delta, `beta` here: d ** 2 / (2 * beta) up to it, d - beta / 2 beyond (Girshick, 2015).

    Shapes, reductions, weights and errors are those of `mse`; ArgumentError also for a beta that is not above 0.

    >>> import tarazu as tz
    >>> tz.nn.smooth_l1(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 4.0]))
    Tensor(0.75, dtype=float32)
    """
    require_positive("smooth_l1", "beta", beta)
    prediction, target = aligned("smooth_l1", prediction, target)
    return reduced(_huber(e.abs(prediction - target), beta) / beta, reduction, sample_weight, mask)


def log_cosh(prediction: ArrayLike, target: ArrayLike, *, reduction: str = "mean",
             sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """log(cosh(d)) of the difference d: about d ** 2 / 2 near 0, linear far out, and smooth in between.

    Shapes, reductions, weights and errors (ShapeError, ArgumentError) are those of `mse`.

    >>> import tarazu as tz
    >>> round(tz.nn.log_cosh(tz.tensor([0.0]), tz.tensor([1.0])).item(), 4)
    0.4338
    """
    prediction, target = aligned("log_cosh", prediction, target)
    d = prediction - target
    return reduced(d + softplus(-2 * d) - math.log(2), reduction, sample_weight, mask)


def mape(prediction: ArrayLike, target: ArrayLike, *, epsilon: float = 1e-7, reduction: str = "mean",
         sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """The mean absolute difference as a share of the target: 0.1 is 10 percent, where Keras gives 10.

    Targets nearer to 0 than `epsilon` are taken as that. Shapes, reductions, weights and errors (ShapeError,
    ArgumentError) are those of `mse`.

    >>> import tarazu as tz
    >>> tz.nn.mape(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 4.0]))
    Tensor(0.25, dtype=float32)
    """
    require_positive("mape", "epsilon", epsilon)
    prediction, target = aligned("mape", prediction, target)
    return reduced(e.abs(prediction - target) / e.maximum(e.abs(target), epsilon), reduction, sample_weight, mask)


def msle(prediction: ArrayLike, target: ArrayLike, *, reduction: str = "mean",
         sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """The mean squared difference of log(1 + prediction) and log(1 + target); numbers below 0 count as 0.

    Shapes, reductions, weights and errors (ShapeError, ArgumentError) are those of `mse`.

    >>> import tarazu as tz
    >>> round(tz.nn.msle(tz.tensor([0.0]), tz.tensor([1.0])).item(), 4)
    0.4805
    """
    prediction, target = aligned("msle", prediction, target)
    difference = e.log1p(e.maximum(prediction, 0)) - e.log1p(e.maximum(target, 0))
    return reduced(e.square(difference), reduction, sample_weight, mask)


def quantile_loss(prediction: ArrayLike, target: ArrayLike, *, q: ArrayLike = 0.5, reduction: str = "mean",
                  sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """The pinball loss, least where the prediction is the quantile `q` of the target (Koenker and Bassett, 1978).

    A target above the prediction costs q times the distance, one below it 1 - q times; 0.5 is half of `mae`. Several
    `q`, one for each output, are for predictions (batch, ..., quantiles), of which each is compared with a target
    (batch, ...), too. Shapes, reductions, weights and errors (ShapeError) are otherwise those of `mse`; ArgumentError
    for a q that is not between 0 and 1.

    >>> import tarazu as tz
    >>> tz.nn.quantile_loss(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 4.0]), q=0.75)
    Tensor(0.75, dtype=float32)
    """
    quantiles = np.asarray(q, np.float64)
    if not ((quantiles > 0) & (quantiles < 1)).all() or quantiles.ndim > 1:
        raise ArgumentError(f"quantile_loss: q={q!r}", expected="a number between 0 and 1, or several",
                            fix="0.5 is the median, 0.9 the 90 % quantile")
    prediction, target = as_value(prediction), as_value(target)
    if quantiles.ndim and prediction.shape[-1:] != quantiles.shape:
        raise ShapeError(f"quantile_loss: {len(quantiles)} q for a prediction of shape {prediction.shape}",
                         expected=f"shape (batch, ..., {len(quantiles)})", fix="give the model an output for each q")
    if quantiles.ndim and target.shape in (prediction.shape[:-1], (*prediction.shape[:-1], 1)):
        target = broadcast_to(reshape(target, (*prediction.shape[:-1], 1)), prediction.shape)
    prediction, target = aligned("quantile_loss", prediction, target)
    distance = target - prediction
    shares = e.astype(as_value(quantiles), prediction.dtype)
    return reduced(e.maximum(shares * distance, (shares - 1) * distance), reduction, sample_weight, mask)


def poisson_nll(prediction: ArrayLike, target: ArrayLike, *, log_input: bool = True, full: bool = False,
                epsilon: float = 1e-8, reduction: str = "mean", sample_weight: ArrayLike | None = None,
                mask: ArrayLike | None = None) -> Tensor:
    """-log of the probability of counts by Poisson's distribution, whose rate is exp(prediction).

    With `log_input=False` the prediction is the rate itself, above 0, as in Keras. `full` adds what does not depend on
    it, log(target!), by Stirling's formula. Shapes, reductions, weights and errors (ShapeError, ArgumentError) are
    those of `mse`.

    >>> import tarazu as tz
    >>> round(tz.nn.poisson_nll(tz.tensor([0.0]), tz.tensor([3.0])).item(), 4)
    1.0
    """
    prediction, target = aligned("poisson_nll", prediction, target)
    rate, log_rate = (e.exp(prediction), prediction) if log_input else (prediction, e.log(prediction + epsilon))
    losses = rate - target * log_rate
    if full:
        many = e.where(target > 1, target, 1)
        stirling = many * e.log(many) - many + 0.5 * e.log(2 * math.pi * many)
        losses = losses + e.where(target > 1, stirling, 0)
    return reduced(losses, reduction, sample_weight, mask)


def gaussian_nll(prediction: ArrayLike, target: ArrayLike, variance: ArrayLike, *, full: bool = False,
                 epsilon: float = 1e-6, reduction: str = "mean", sample_weight: ArrayLike | None = None,
                 mask: ArrayLike | None = None) -> Tensor:
    """-log of the density of targets by a normal distribution with that mean and `variance` (Nix and Weigend, 1994).

    (log(variance) + (prediction - target) ** 2 / variance) / 2; a variance below `epsilon` counts as that. It has the
    shape of the prediction, may lack its last axis, or be of size 1 there. `full` adds log(2 pi) / 2. Shapes,
    reductions, weights and errors (ShapeError, ArgumentError) are otherwise those of `mse`.

    >>> import tarazu as tz
    >>> tz.nn.gaussian_nll(tz.tensor([1.0]), tz.tensor([3.0]), tz.tensor([1.0]))
    Tensor(2., dtype=float32)
    """
    require_positive("gaussian_nll", "epsilon", epsilon)
    prediction, target = aligned("gaussian_nll", prediction, target)
    variance = as_value(variance)
    if variance.shape == prediction.shape[:-1]:
        variance = expand_dims(variance, -1)
    if variance.shape not in ((), prediction.shape, (*prediction.shape[:-1], 1)):
        raise ShapeError(f"gaussian_nll: a variance of shape {variance.shape} for predictions of shape "
                         f"{prediction.shape}", expected="one variance for each, or for each row",
                         fix="give the model an output for each variance")
    if isinstance(variance.raw, np.ndarray) and (variance.raw < 0).any():
        raise ArgumentError(f"gaussian_nll: a variance of {variance.raw.min():g}", expected="variances of 0 or above",
                            fix="let softplus or exp make them of outputs")
    # The gradient passes through the bound, as in torch, so that small variances can grow.
    bounded = variance + e.stop_gradient(e.maximum(variance, epsilon) - variance)
    losses = 0.5 * (e.log(bounded) + e.square(prediction - target) / bounded)
    return reduced(losses + (0.5 * math.log(2 * math.pi) if full else 0.0), reduction, sample_weight, mask)


def cosine_distance(prediction: ArrayLike, target: ArrayLike, *, epsilon: float = 1e-8, reduction: str = "mean",
                    sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """1 - the cosine of the angle between the vectors along the last axis: 0 for one direction, 2 for the opposite one.

    Both have one shape, (batch, ..., size). Norms below `epsilon` count as that. The result is the "mean" over all
    vectors, their "sum", or, with "none", one number per sample, (batch,). Weights and errors (ShapeError,
    ArgumentError) are those of `mse`.

    >>> import tarazu as tz
    >>> tz.nn.cosine_distance(tz.tensor([[1.0, 0.0]]), tz.tensor([[0.0, 2.0]]))
    Tensor(1., dtype=float32)
    """
    prediction, target = aligned("cosine_distance", prediction, target)
    return reduced(1 - cosine(prediction, target, epsilon), reduction, sample_weight, mask)


def cosine(x: Tensor, y: Tensor, epsilon: float) -> Tensor:
    """The cosine of the angle between vectors along the last axis; norms below `epsilon` count as that."""
    return sum(x * y, -1) / (_norm(x, epsilon) * _norm(y, epsilon))


def _norm(x: Tensor, epsilon: float) -> Tensor:
    """The length of vectors along the last axis, at least `epsilon`; its gradient at 0 is 0."""
    return e.sqrt(e.maximum(sum(e.square(x), -1), epsilon**2))
