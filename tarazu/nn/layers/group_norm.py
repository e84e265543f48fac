"""Normalization layers by the statistics of each sample over its pixels or steps, and to length 1."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.base.errors import ShapeError
from tarazu.nn.layers.normalization import NormalizationLayer
from tarazu.nn.layers.spatial.convolution import require_channels_in_groups
from tarazu.nn.module.module import Module
from tarazu.ops.elementwise import divide, maximum, sqrt, square
from tarazu.ops.networks.normalization import group_norm, instance_norm
from tarazu.ops.promote import as_float, rounded_like, single
from tarazu.ops.reduce import sum
from tarazu.ops.shape import normalize_axes
from tarazu.ops.typing import Axes
from tarazu.runtime.tensor.tensor import Tensor


class GroupNorm(NormalizationLayer):
    """Shifts and scales each group of channels of each sample to mean 0, variance 1, then by learned weight and bias.

    Any shape (batch, ..., channels) to the same (Wu and He, 2018): the statistics are those of `groups` groups of
    neighboring channels over all pixels or steps, so a sample does not depend on its batch. `epsilon` is added to the
    variance. `weight` and `bias` have the shape (channels,); `features`, the number of channels, may be left out and is
    then taken from the first input. `affine=False` leaves out both.

    ArgumentError for a number of groups below 1, ShapeError for channels that do not divide into groups and for an
    input with another number of channels.

    >>> import tarazu as tz
    >>> tz.nn.GroupNorm(2)(tz.tensor([[1.0, 3.0, 10.0, 30.0]])).detach().round()
    Tensor([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    def __init__(self, groups: int, features: int | None = None, *, epsilon: float = 1e-5,
                 affine: bool = True) -> None:
        self._groups = positive_int("groups", groups)
        super().__init__(features, epsilon, affine)

    def _make_parameters(self, size: int) -> None:
        require_channels_in_groups(size, self._groups)
        super()._make_parameters(size)

    def _normalize(self, x: Tensor) -> Tensor:
        return group_norm(x, self._groups, *self._weight_and_bias(), epsilon=self._epsilon)

    def _require_axes(self, x: Tensor) -> None:
        if len(x.shape) < 2:
            raise ShapeError(f"an input of shape {tuple(x.shape)}", expected="(batch, ..., channels)",
                             fix="one sample is a batch of one: x[None]")


class InstanceNorm(NormalizationLayer):
    """Shifts and scales each channel of each sample to mean 0 and variance 1, then by learned weight and bias.

    Any shape (batch, ..., channels) with pixels or steps between the two, to the same (Ulyanov, Vedaldi and Lempitsky,
    2016): as `GroupNorm` with a group for each channel. `epsilon` is added to the variance. `weight` and `bias` have
    the shape (channels,); `features`, the number of channels, may be left out and is then taken from the first input.
    `affine=False` leaves out both. ShapeError for an input without pixels or steps, or with another number of channels.

    >>> import tarazu as tz
    >>> tz.nn.InstanceNorm()(tz.tensor([[[1.0, 10.0], [3.0, 30.0]]])).detach().round()
    Tensor([[[-1., -1.],
             [ 1.,  1.]]], dtype=float32)
    """

    def __init__(self, features: int | None = None, *, epsilon: float = 1e-5, affine: bool = True) -> None:
        super().__init__(features, epsilon, affine)

    def _normalize(self, x: Tensor) -> Tensor:
        return instance_norm(x, *self._weight_and_bias(), epsilon=self._epsilon)

    def _require_axes(self, x: Tensor) -> None:
        if len(x.shape) < 3:
            raise ShapeError(f"an input of shape {tuple(x.shape)}", expected="(batch, *sizes, channels)",
                             fix="normalize features without pixels or steps by tz.nn.LayerNorm")


class UnitNorm(Module):
    """Divides each vector along `axis`, by default the last, by its length: the square root of its sum of squares.

    Any shape to the same; several axes make one vector. A sum of squares below `epsilon` counts as `epsilon`, so zeros
    stay zeros. AxisError for an axis that the input lacks.

    >>> import tarazu as tz
    >>> tz.nn.UnitNorm()(tz.tensor([[3.0, 4.0]]))
    Tensor([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis: Axes = -1, *, epsilon: float = 1e-12) -> None:
        self._axis, self._epsilon = axis, epsilon

    def forward(self, x: Tensor) -> Tensor:
        x = as_float(x)
        axes, wide = normalize_axes(self._axis, len(x.shape), "UnitNorm"), single(x)
        length = sqrt(maximum(sum(square(wide), axes, keepdims=True), self._epsilon))
        return rounded_like(divide(wide, length), x)
