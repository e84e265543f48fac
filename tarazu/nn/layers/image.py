"""Layers for images: convolution and pooling, channels last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.init import Initializer, find_initializer, zeros
from tarazu.nn.layers.activation import activation as find_activation
from tarazu.nn.layers.axes import require_images, require_sequences
from tarazu.nn.layers.last_axis import LastAxisLayer
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.networks.convolution import conv2d
from tarazu.ops.networks.pooling import average_pool, max_pool
from tarazu.ops.networks.window_options import per_axis
from tarazu.ops.reduce import mean

Numbers = int | Sequence[int]


class Conv2D(LastAxisLayer):
    """activation(the sum of window times weight at every place + bias) of images.

    (batch, height, width, channels) to (batch, places down, places across, filters). `kernel_size`, `strides` and
    `dilation` are one number or two, `padding` is as in `tz.conv2d`: "valid", "same" (with strides of 1 the size
    stays), or numbers. The channels are split into `groups` that do not see each other. `in_channels` may be left out
    and is then taken from the first input. `weight` has the shape (height, width, channels / groups, filters) and
    starts as `kernel_initializer` says, biases at 0.

    >>> import tarazu as tz
    >>> tz.nn.Conv2D(8, 3, padding="same", activation="relu")(tz.ones((2, 28, 28, 1))).shape
    (2, 28, 28, 8)
    """

    def __init__(self, filters: int, kernel_size: Numbers, strides: Numbers = 1, padding: Any = "valid",
                 groups: int = 1, activation: Any = None, *, dilation: Numbers = 1, in_channels: int | None = None,
                 bias: bool = True, kernel_initializer: str | Initializer = "glorot_uniform") -> None:
        self._filters, self._groups = positive_int("filters", filters), positive_int("groups", groups)
        self._has_bias = bias
        self._window = per_axis("Conv2D", "kernel_size", kernel_size, 2)
        self._options = {"stride": per_axis("Conv2D", "strides", strides, 2), "padding": _known_padding(padding),
                         "dilation": per_axis("Conv2D", "dilation", dilation, 2), "groups": self._groups}
        self._activation, self._initializer = find_activation(activation), find_initializer(kernel_initializer)
        if self._filters % self._groups:
            raise ArgumentError(f"filters={filters} in groups={groups}", expected="as many filters in each group",
                                fix="make filters a multiple of groups")
        super().__init__("in_channels", in_channels)

    def _make(self, channels: int) -> None:
        if channels % self._groups:
            raise ShapeError(f"{channels} channels in groups={self._groups}", expected="as many channels in each group",
                             fix="choose groups that divide the channels")
        shape = (*self._window, channels // self._groups, self._filters)
        self.weight = Parameter(self._initializer(shape, None))
        if self._has_bias:
            self.bias = Parameter(zeros((self._filters,)))

    def _require_axes(self, x: Any) -> None:
        require_images(x)

    def forward(self, x: Any) -> Any:
        require_images(x)
        self._require_size(x)
        y = conv2d(x, self.weight, self.bias if self._has_bias else None, **self._options)
        if 0 in y.shape[1:3]:
            raise ShapeError(f"a window of {self._window} on an image of shape {tuple(x.shape)}",
                             expected="an image that the window fits into",
                             fix='use a smaller kernel_size, fewer layers that shrink the image, or padding="same"')
        return self._activation(y)


def _known_padding(padding: Any) -> Any:
    """`padding`, of which a misspelled name is told before there is an input; `tz.conv2d` checks numbers."""
    if isinstance(padding, str) and padding not in ("valid", "same"):
        raise ArgumentError(f"padding={padding!r}", expected='"valid" (none), "same", or numbers',
                            fix='"same" keeps the sizes when the strides are 1')
    return padding


class _Pool2D(Module):
    """What the pooling layers share: their options."""

    def __init__(self, pool_size: Numbers = 2, strides: Numbers | None = None, padding: Any = "valid") -> None:
        name = type(self).__name__
        self._window = per_axis(name, "pool_size", pool_size, 2)
        self._options = {"stride": self._window if strides is None else per_axis(name, "strides", strides, 2),
                         "padding": _known_padding(padding)}


class MaxPool2D(_Pool2D):
    """The largest element of each window of images, for each channel.

    (batch, height, width, channels) to (batch, places down, places across, channels). `strides` from one window to the
    next are the size of the window unless given; see `tz.max_pool` for the padding.

    >>> import tarazu as tz
    >>> tz.nn.MaxPool2D(2)(tz.ones((2, 28, 28, 8))).shape
    (2, 14, 14, 8)
    """

    def forward(self, x: Any) -> Any:
        require_images(x)
        return max_pool(x, self._window, **self._options)


class AvgPool2D(_Pool2D):
    """The mean of each window of images, for each channel; options as for `MaxPool2D`. Padding does not count.

    >>> import tarazu as tz
    >>> tz.nn.AvgPool2D(2)(tz.ones((2, 28, 28, 8))).shape
    (2, 14, 14, 8)
    """

    def forward(self, x: Any) -> Any:
        require_images(x)
        return average_pool(x, self._window, **self._options)


class GlobalAvgPool2D(Module):
    """The mean of each channel over the whole image: (batch, height, width, channels) to (batch, channels).

    >>> import tarazu as tz
    >>> tz.nn.GlobalAvgPool2D()(tz.ones((2, 7, 7, 64))).shape
    (2, 64)
    """

    def forward(self, x: Any) -> Any:
        require_images(x)
        return mean(x, (1, 2))


class GlobalAvgPool1D(Module):
    """The mean of each feature over time: (batch, time, features) to (batch, features).

    >>> import tarazu as tz
    >>> tz.nn.GlobalAvgPool1D()(tz.ones((2, 64, 128))).shape
    (2, 128)
    """

    def forward(self, x: Any) -> Any:
        require_sequences(x)
        return mean(x, 1)
