"""Layers that drop parts of the signal while training."""

from __future__ import annotations

import math

from tarazu.base.errors import ShapeError
from tarazu.nn.layers.checks import require_spatial
from tarazu.nn.module.module import Module
from tarazu.ops.create import full
from tarazu.ops.elementwise import add, multiply, where
from tarazu.ops.promote import as_float
from tarazu.runtime import random
from tarazu.runtime.random.distributions import require_rate
from tarazu.runtime.tensor.tensor import Tensor

# What selu tends to for inputs far below 0: minus its scale times its alpha (Klambauer and others, 2017)
_LEAST_SELU = -1.7580993408473768


class RateLayer(Module):
    """A layer that drops a share of the signal in training, and gives its input back in evaluation."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    @property
    def rate(self) -> float:
        """The share that training drops; it may be set at any time. ArgumentError for a rate out of range.

        >>> import tarazu as tz
        >>> layer = tz.nn.Dropout(0.5)
        >>> layer.rate = 0
        >>> layer(tz.ones(3))
        Tensor([1., 1., 1.], dtype=float32)
        """
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        require_rate(rate)
        self._rate = rate

    def forward(self, x: Tensor) -> Tensor:
        return self._drop(x) if self.training and self._rate else x

    def _drop(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _factors(self, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        """A share of zeros, the rest scaled so that the mean is 1, in the dtype of `x`."""
        return random.dropout(full(shape, 1.0, dtype=x.dtype), self._rate)


class Dropout(RateLayer):
    """In training, sets a share `rate` of the inputs to 0 and scales the rest by 1 / (1 - rate): the mean stays.

    In evaluation the output is the input (Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, 2014, who scale
    there instead). ArgumentError for a rate that is not from 0 up to but not with 1.

    >>> import tarazu as tz
    >>> tz.nn.Dropout(0.5).eval()(tz.ones(3))
    Tensor([1., 1., 1.], dtype=float32)
    """

    def _drop(self, x: Tensor) -> Tensor:
        return random.dropout(x, self._rate)


class _SpatialDropout(RateLayer):
    _axes: int

    def forward(self, x: Tensor) -> Tensor:
        require_spatial(x, self._axes)
        return super().forward(x)

    def _drop(self, x: Tensor) -> Tensor:
        x = as_float(x)
        return multiply(x, self._factors(x, (x.shape[0], *(1,) * self._axes, x.shape[-1])))


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of sequences, (batch, time, channels), over all steps (Tompson and others, 2015).

    Neighboring steps are alike, so that what is dropped in one of them is known from the others. Otherwise it is
    `Dropout`. ArgumentError for a rate out of range, ShapeError for an input that is no batch of sequences.

    >>> import tarazu as tz
    >>> y = tz.nn.SpatialDropout1D(0.5)(tz.ones((4, 9, 8)))
    >>> bool((y == y[:, :1]).all())
    True
    """

    _axes = 1


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of images, (batch, height, width, channels), over all pixels.

    Neighboring pixels are alike, so that what is dropped in one of them is known from the others (Tompson and others,
    2015). Otherwise it is `Dropout`. ArgumentError for a rate out of range, ShapeError for an input that is no batch of
    images.

    >>> import tarazu as tz
    >>> y = tz.nn.SpatialDropout2D(0.5)(tz.ones((4, 9, 9, 8)))
    >>> bool((y == y[:, :1, :1]).all())
    True
    """

    _axes = 2


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of volumes, (batch, depth, height, width, channels); see `SpatialDropout2D`.

    ArgumentError for a rate out of range, ShapeError for an input that is no batch of volumes.

    >>> import tarazu as tz
    >>> y = tz.nn.SpatialDropout3D(0.5)(tz.ones((4, 2, 9, 9, 8)))
    >>> bool((y == y[:, :1, :1, :1]).all())
    True
    """

    _axes = 3


class AlphaDropout(RateLayer):
    """Dropout for networks with selu activations: mean 0 and variance 1 of the inputs stay.

    In training a share `rate` of the inputs takes the least value that selu tends to, then all are scaled and shifted
    (Klambauer and others, 2017); in evaluation the output is the input. ArgumentError for a rate that is not from 0 up
    to but not with 1.

    >>> import tarazu as tz
    >>> y = tz.nn.AlphaDropout(0.2)(tz.random.normal((200, 200)))
    >>> bool(abs(y.mean()) < 0.05 and abs(y.std() - 1) < 0.05)
    True
    """

    def _drop(self, x: Tensor) -> Tensor:
        x, kept = as_float(x), 1 - self._rate
        scale = 1 / math.sqrt(kept + _LEAST_SELU**2 * kept * self._rate)
        dropped = where(random.bernoulli(kept, x.shape), x, full((), _LEAST_SELU, dtype=x.dtype))
        return add(multiply(dropped, scale), -scale * _LEAST_SELU * self._rate)


class StochasticDepth(RateLayer):
    """In training, sets whole samples to 0 with the probability `rate` and scales the rest by 1 / (1 - rate).

    At the end of a residual branch it leaves out the branch for these samples, `x + StochasticDepth(0.1)(branch(x))`
    (Huang, Sun, Liu, Sedra and Weinberger, 2016); also called drop path. (batch, ...) to the same; in evaluation the
    output is the input. ArgumentError for a rate that is not from 0 up to but not with 1, ShapeError for a scalar.

    >>> import tarazu as tz
    >>> y = tz.nn.StochasticDepth(0.5)(tz.ones((20, 3)))
    >>> bool((y == y[:, :1]).all()), set(y.flatten().tolist()) == {0.0, 2.0}
    (True, True)
    """

    def _drop(self, x: Tensor) -> Tensor:
        if not x.shape:
            raise ShapeError("a scalar as input", expected="(batch, ...)", fix="one sample is a batch of one: x[None]")
        x = as_float(x)
        return multiply(x, self._factors(x, (x.shape[0], *(1,) * (len(x.shape) - 1))))
