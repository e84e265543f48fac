"""Normalization layers."""

from __future__ import annotations

from typing import Any

from tarazu.base.dtypes import float32, promote
from tarazu.base.errors import ArgumentError
from tarazu.nn.init import ones, zeros
from tarazu.nn.layers.last_axis import LastAxisLayer
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.elementwise import astype
from tarazu.ops.networks.normalization import batch_norm, layer_norm
from tarazu.ops.promote import as_float
from tarazu.ops.reduce import mean, var
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.tensor import Tensor


class BatchNorm(LastAxisLayer):
    """Shifts and scales each feature (last axis) to mean 0, variance 1 over the batch, then by learned weight and bias.

    Ioffe and Szegedy, 2015. In training with the batch's own statistics, while running averages are kept
    (new = momentum * old + (1 - momentum) * batch, the variance unbiased); in evaluation with these. `epsilon` is added
    to the variance. A batch of a single sample has no variance and comes out as the bias. Statistics are float32 for
    half types too, and do not count for the dtype of the output.

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
        self._momentum, self._epsilon = momentum, epsilon
        super().__init__("features", features)

    def _make(self, features: int) -> None:
        self.weight, self.bias = Parameter(ones((features,))), Parameter(zeros((features,)))
        self.running_mean, self.running_variance = zeros((features,)), ones((features,))

    def forward(self, x: Any) -> Any:
        self._require_size(x)
        wide = _wide(x)
        average, variance = self._of_batch(wide) if self.training else (self.running_mean, self.running_variance)
        y = batch_norm(wide, average, variance, self.weight, self.bias, epsilon=self._epsilon)
        return astype(y, promote(as_float(x).dtype, self.weight.dtype), copy=False)

    def _of_batch(self, x: Any) -> tuple[Any, Any]:
        axes = tuple(range(len(x.shape) - 1))
        average, variance = mean(x, axes), var(x, axes)
        count = x.size // self._size
        with no_grad():
            self._update(self.running_mean, average)
            self._update(self.running_variance, variance * (count / max(count - 1, 1)))
        return average, variance

    def _update(self, running: Tensor, batch: Any) -> None:
        running.copy_(self._momentum * running + (1 - self._momentum) * batch)


class LayerNorm(LastAxisLayer):
    """Shifts and scales the last axis of each sample to mean 0 and variance 1, then by learned weight and bias.

    Ba, Kiros and Hinton, 2016. `epsilon` is added to the variance.

    >>> import tarazu as tz
    >>> tz.nn.LayerNorm()(tz.tensor([[1.0, 3.0]])).detach().round()
    Tensor([[-1.,  1.]], dtype=float32)
    """

    def __init__(self, features: int | None = None, *, epsilon: float = 1e-5) -> None:
        self._epsilon = epsilon
        super().__init__("features", features)

    def _make(self, features: int) -> None:
        self.weight, self.bias = Parameter(ones((features,))), Parameter(zeros((features,)))

    def forward(self, x: Any) -> Any:
        self._require_size(x)
        y = layer_norm(_wide(x), self.weight, self.bias, epsilon=self._epsilon)
        return astype(y, promote(as_float(x).dtype, self.weight.dtype), copy=False)


def _wide(x: Any) -> Any:
    """`x` in at least single precision, as squares soon exceed what float16 holds."""
    x = as_float(x)
    return astype(x, promote(x.dtype, float32), copy=False)
