"""Normalization layers: batch norm and layer norm."""

from __future__ import annotations

from tarazu.base.dtypes import float32, promote
from tarazu.base.errors import ArgumentError
from tarazu.nn.init import ones, zeros
from tarazu.nn.module.last_axis import LastAxisLayer
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.elementwise import astype
from tarazu.ops.networks.normalization import batch_norm, layer_norm
from tarazu.ops.promote import as_float
from tarazu.ops.reduce import mean, var
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.tensor import Tensor


class _Normalization(LastAxisLayer):
    """What normalization layers share: weight and bias of each feature, and the dtypes of computation and output."""

    def __init__(self, features: int | None, epsilon: float) -> None:
        self._epsilon = epsilon
        super().__init__("features", features)

    def _make_parameters(self, size: int) -> None:
        self.weight, self.bias = Parameter(ones((size,))), Parameter(zeros((size,)))

    def forward(self, x: Tensor) -> Tensor:
        self._require_input(x)
        x = as_float(x)
        wide = astype(x, promote(x.dtype, float32), copy=False)  # squares soon exceed what float16 holds
        return astype(self._normalize(wide), promote(x.dtype, self.weight.dtype), copy=False)

    def _normalize(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class BatchNorm(_Normalization):
    """Shifts and scales each feature (last axis) to mean 0, variance 1 over the batch, then by learned weight and bias.

    Any shape (batch, ..., features) to the same (Ioffe and Szegedy, 2015). In training with the batch's own statistics,
    while running averages are kept (new = momentum * old + (1 - momentum) * batch, the variance unbiased); in
    evaluation, and after `freeze(statistics=True)`, with these. `epsilon` is added to the variance. `weight`, `bias`,
    `running_mean` and `running_variance` have the shape (features,); `features` may be left out and is then taken from
    the first input.

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

    def __init__(self, features: int | None = None, *, momentum: float = 0.9, epsilon: float = 1e-5) -> None:
        if not 0 <= momentum <= 1:
            raise ArgumentError(f"momentum={momentum!r}",
                                expected="a number from 0 to 1: the weight of the old average",
                                fix="leave it out for 0.9")
        self._momentum = momentum
        super().__init__(features, epsilon)

    def _make_parameters(self, size: int) -> None:
        super()._make_parameters(size)
        self.running_mean, self.running_variance = zeros((size,)), ones((size,))

    def _normalize(self, x: Tensor) -> Tensor:
        is_learning = self.training and x.size > 0 and not self.has_frozen_statistics
        statistics = self._batch_statistics(x) if is_learning else (self.running_mean, self.running_variance)
        return batch_norm(x, *statistics, self.weight, self.bias, epsilon=self._epsilon)

    def _batch_statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of each feature in the batch; the running averages are updated by them."""
        axes = tuple(range(len(x.shape) - 1))
        average, variance = mean(x, axes), var(x, axes)
        count = x.size // self._size
        with no_grad():
            self._update(self.running_mean, average)
            if count > 1:
                self._update(self.running_variance, variance * (count / (count - 1)))
        return average, variance

    def _update(self, running: Tensor, batch: Tensor) -> None:
        running.copy_(self._momentum * running + (1 - self._momentum) * batch)


class LayerNorm(_Normalization):
    """Shifts and scales the last axis of each sample to mean 0 and variance 1, then by learned weight and bias.

    Any shape (..., features) to the same (Ba, Kiros and Hinton, 2016). `epsilon` is added to the variance. `weight` and
    `bias` have the shape (features,); `features` may be left out and is then taken from the first input. Half types are
    normalized in float32. ShapeError for an input with another number of features.

    >>> import tarazu as tz
    >>> tz.nn.LayerNorm()(tz.tensor([[1.0, 3.0]])).detach().round()
    Tensor([[-1.,  1.]], dtype=float32)
    """

    def __init__(self, features: int | None = None, *, epsilon: float = 1e-5) -> None:
        super().__init__(features, epsilon)

    def _normalize(self, x: Tensor) -> Tensor:
        return layer_norm(x, self.weight, self.bias, epsilon=self._epsilon)
