"""Normalization layers by the statistics of each feature over the batch, or of each sample over its features."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from tarazu.base.checks import positive_int
from tarazu.base.dtypes import float32, promote
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.init import ones, zeros
from tarazu.nn.module.last_axis import LastAxisLayer
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.elementwise import astype, maximum, where
from tarazu.ops.networks.normalization import batch_norm, batch_norm_of_batch, layer_norm, rms_norm
from tarazu.ops.networks.recurrent import checked_time_mask
from tarazu.ops.promote import as_float
from tarazu.ops.reduce import sum as sum_over
from tarazu.ops.shape import distinct_axes, moveaxis, reshape
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.tensor import Tensor


class NormalizationLayer(LastAxisLayer):
    """What normalization layers share: weight and bias of each feature, and the dtypes of computation and output."""

    def __init__(self, features: int | None, epsilon: float, affine: bool = True) -> None:
        self._epsilon, self._is_affine = epsilon, affine
        super().__init__("features", features)

    def _make_parameters(self, size: int) -> None:
        if self._is_affine:
            self.weight, self.bias = Parameter(ones((size,))), Parameter(zeros((size,)))

    def _weight_and_bias(self) -> tuple[ArrayLike, ArrayLike]:
        return (self.weight, self.bias) if self._is_affine else (1.0, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        return self._in_float(x, self._normalize)

    def _in_float(self, x: Tensor, normalize: Callable[[Tensor], Tensor]) -> Tensor:
        self._require_input(x)
        x = as_float(x)
        wide = astype(x, promote(x.dtype, float32), copy=False)  # squares soon exceed what float16 holds
        dtype = promote(x.dtype, self.weight.dtype) if self._is_affine else x.dtype
        return astype(normalize(wide), dtype, copy=False)

    def _normalize(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class BatchNorm(NormalizationLayer):
    """Shifts and scales each feature (last axis) to mean 0, variance 1 over the batch, then by learned weight and bias.

    Any shape (batch, ..., features) to the same (Ioffe and Szegedy, 2015). In training with the batch's own statistics,
    while running averages are kept (new = momentum * old + (1 - momentum) * batch, the variance unbiased); in
    evaluation, and after `freeze(statistics=True)`, with these. `epsilon` is added to the variance. `weight`, `bias`,
    `running_mean` and `running_variance` have the shape (features,); `features` may be left out and is then taken from
    the first input. `affine=False` leaves out weight and bias.

    `mask`, of an input (batch, time, ..., features), is booleans (batch, time), True where there is a value: other
    steps do not count in the batch's statistics. ShapeError for a mask of another shape, DTypeError for other numbers.

    A batch of a single sample has no variance: it comes out as the bias and leaves the running variance alone. An empty
    one leaves both alone. Statistics are float32 for half types too, and
    do not count for the dtype of the output. ArgumentError for a momentum that is not from 0 to 1, ShapeError for an
    input with another number of features.

    >>> import tarazu as tz
    >>> norm = tz.nn.BatchNorm()
    >>> norm(tz.tensor([[1.0], [3.0]])).detach().round(), norm.running_mean
    (Tensor([[-1.],
            [ 1.]], dtype=float32), Tensor([0.2], dtype=float32))
    """

    def __init__(self, features: int | None = None, *, momentum: float = 0.9, epsilon: float = 1e-5,
                 affine: bool = True) -> None:
        if not 0 <= momentum <= 1:
            raise ArgumentError(f"momentum={momentum!r}",
                                expected="a number from 0 to 1: the weight of the old average",
                                fix="leave it out for 0.9")
        self._momentum = momentum
        super().__init__(features, epsilon, affine)

    def _make_parameters(self, size: int) -> None:
        super()._make_parameters(size)
        self.running_mean, self.running_variance = zeros((size,)), ones((size,))

    def forward(self, x: Tensor, *, mask: ArrayLike | None = None) -> Tensor:
        valid = None if mask is None or len(x.shape) < 3 else checked_time_mask("BatchNorm", mask, x)
        return self._in_float(x, partial(self._normalize_steps, valid=valid))

    def _normalize_steps(self, x: Tensor, valid: Tensor | None) -> Tensor:
        if not self.training or x.size == 0 or self.has_frozen_statistics:
            statistics = self.running_mean, self.running_variance
        elif valid is None:
            return self._by_batch(x)
        else:
            statistics = self._valid_statistics(x, valid)
        return batch_norm(x, *statistics, *self._weight_and_bias(), epsilon=self._epsilon)

    def _by_batch(self, x: Tensor) -> Tensor:
        """Normalized by mean and variance of each feature in the batch; the running averages are updated by them."""
        y, average, variance = batch_norm_of_batch(x, *self._weight_and_bias(), epsilon=self._epsilon)
        count = x.size // self._size
        with no_grad():
            self._update(self.running_mean, average)
            if count > 1:
                self._update(self.running_variance, self._kept(variance, count / (count - 1)))
        return y

    def _valid_statistics(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the steps that a mask (batch, time) leaves; the running averages are updated by them."""
        axes = tuple(range(len(x.shape) - 1))
        valid = reshape(valid, (*valid.shape, *[1] * (len(x.shape) - 2)))
        steps = sum_over(astype(valid, x.dtype)) * math.prod(x.shape[2:-1])
        count = maximum(steps, 1)
        average = sum_over(where(valid, x, 0), axes) / count
        variance = sum_over(where(valid, x - average, 0) ** 2, axes) / count
        with no_grad():
            self._update(self.running_mean, where(steps > 0, average, self.running_mean))
            kept = self._kept(variance, count / maximum(count - 1, 1))
            self._update(self.running_variance, where(steps > 1, kept, self.running_variance))
        return average, variance

    def _kept(self, variance: Tensor, correction: Tensor | float) -> Tensor:
        """What goes into the running average of variances: `correction` makes them unbiased."""
        return variance * correction

    def _update(self, running: Tensor, batch: Tensor) -> None:
        running.copy_(self._momentum * running + (1 - self._momentum) * batch)


class LayerNorm(NormalizationLayer):
    """Shifts and scales the last axis of each sample to mean 0 and variance 1, then by learned weight and bias.

    Any shape (..., features) to the same (Ba, Kiros and Hinton, 2016). `epsilon` is added to the variance. `weight` and
    `bias` have the shape (features,); `features` may be left out and is then taken from the first input.
    `affine=False` leaves out weight and bias. Half types are normalized in float32.

    Several axes are normalized together where `features` has a size for each of the last axes, or where `axis` names
    axes; `weight` and `bias` then have the sizes of these. ArgumentError for sizes below 1, for another number of sizes
    than axes and for the axis of the batch; AxisError for an axis that the input lacks, ShapeError for an input of
    other sizes.

    >>> import tarazu as tz
    >>> tz.nn.LayerNorm()(tz.tensor([[1.0, 3.0]])).detach().round()
    Tensor([[-1.,  1.]], dtype=float32)
    >>> tz.nn.LayerNorm((3, 2))(tz.ones((5, 4, 3, 2))).shape
    (5, 4, 3, 2)
    """

    def __init__(self, features: int | Sequence[int] | None = None, *, axis: int | Sequence[int] | None = None,
                 epsilon: float = 1e-5, affine: bool = True) -> None:
        sizes = () if features is None else tuple(features) if isinstance(features, Sequence) else (features,)
        self._sizes = tuple(positive_int("features", size) for size in sizes)
        if axis is None:
            axis = range(-len(sizes), 0) if sizes else (-1,)
        self._axes = tuple(axis) if isinstance(axis, Sequence) else (axis,)
        if 0 in self._axes or (sizes and len(sizes) != len(self._axes)):
            raise ArgumentError(f"LayerNorm: features={features!r} along axis={axis!r}",
                                expected="axes of a sample, without the batch, and one size for each of them",
                                fix="leave out features: the sizes are taken from the first input")
        super().__init__(math.prod(sizes) if sizes else None, epsilon, affine)

    def build(self, x: Tensor) -> None:
        if self._axes == (-1,):
            super().build(x)
        else:
            self._sizes = tuple(x.shape[axis] for axis in self._axes_of(x))
            self._set_size(math.prod(self._sizes))

    def _make_parameters(self, size: int) -> None:
        super()._make_parameters(size)
        if self._is_affine and len(self._axes) > 1:
            self.weight, self.bias = (Parameter(reshape(x, self._sizes)) for x in (self.weight, self.bias))

    def _axes_of(self, x: Tensor) -> tuple[int, ...]:
        """The axes counted from the front. AxisError for one that `x` lacks, ArgumentError for that of the batch."""
        axes = distinct_axes(self._axes, len(x.shape), "LayerNorm")
        if 0 in axes:
            raise ArgumentError(f"LayerNorm: axis={self._axes} for an input of shape {tuple(x.shape)}",
                                expected="axes of a sample: axis 0 is the batch", fix="leave out the first axis")
        return axes

    def forward(self, x: Tensor) -> Tensor:
        if self._axes == (-1,):
            return super().forward(x)
        axes, last = self._axes_of(x), tuple(range(-len(self._axes), 0))
        if tuple(x.shape[axis] for axis in axes) != self._sizes:
            raise ShapeError(f"an input of shape {tuple(x.shape)}",
                             expected=f"the sizes {self._sizes} along the axes {self._axes}",
                             fix="check the sizes, or make a layer without features for this input")
        moved = moveaxis(x, axes, last)
        flat = super().forward(reshape(moved, (*moved.shape[:-len(axes)], self._size)))
        return moveaxis(reshape(flat, moved.shape), last, axes)

    def _normalize(self, x: Tensor) -> Tensor:
        weight, bias = self._weight_and_bias()
        if self._is_affine and len(self._axes) > 1:
            weight, bias = reshape(weight, (self._size,)), reshape(bias, (self._size,))
        return layer_norm(x, weight, bias, epsilon=self._epsilon)


class RMSNorm(NormalizationLayer):
    """Divides the last axis of each sample by its root mean square, then multiplies by a learned weight.

    Any shape (..., features) to the same (Zhang and Sennrich, 2019): as `LayerNorm`, without a mean and a bias.
    `epsilon` is added to the mean square. `weight` has the shape (features,); `features` may be left out and is then
    taken from the first input. `affine=False` leaves out the weight. ShapeError for an input with another number of
    features.

    >>> import tarazu as tz
    >>> (5 * tz.nn.RMSNorm()(tz.tensor([[1.0, 7.0]])).detach()).round()
    Tensor([[1., 7.]], dtype=float32)
    """

    def __init__(self, features: int | None = None, *, epsilon: float = 1e-5, affine: bool = True) -> None:
        super().__init__(features, epsilon, affine)

    def _make_parameters(self, size: int) -> None:
        if self._is_affine:
            self.weight = Parameter(ones((size,)))

    def _normalize(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.weight if self._is_affine else 1.0, epsilon=self._epsilon)
