"""Convolution layers, channels last."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.messages import plural
from tarazu.nn.init import Initializer, find_initializer, zeros
from tarazu.nn.layers.activation import ActivationFunction, find_activation
from tarazu.nn.layers.checks import checked_padding, require_images
from tarazu.nn.module.last_axis import LastAxisLayer
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.networks.convolution import conv2d
from tarazu.ops.networks.window_options import CHANNELS_LAST, Numbers, Padding, per_axis
from tarazu.runtime.tensor.tensor import Tensor


class Conv2D(LastAxisLayer):
    """activation(the sum of each window times weight + bias) of images (LeCun and others, 1989).

    (batch, height, width, channels) to (batch, windows down, windows across, filters). `kernel_size`, `strides` and
    `dilation` are one number or two, `padding` is as in `tz.conv2d`: "valid", "same" (with strides of 1 the size
    stays), or numbers. The channels are split into `groups` that do not see each other. `in_channels` may be left out
    and is then taken from the first input. `weight` (height, width, channels / groups, filters) starts as
    `kernel_initializer` says, `bias` (filters,) at 0.

    ArgumentError for options out of range and unknown names; ShapeError for an input that is no batch of images, has
    other channels or is smaller than the window.

    >>> import tarazu as tz
    >>> tz.nn.Conv2D(8, 3, padding="same", activation="relu")(tz.ones((2, 28, 28, 1))).shape
    (2, 28, 28, 8)
    """

    def __init__(self, filters: int, kernel_size: Numbers, strides: Numbers = 1, padding: Padding = "valid",
                 groups: int = 1, activation: str | ActivationFunction | None = None, *, dilation: Numbers = 1,
                 in_channels: int | None = None, bias: bool = True,
                 kernel_initializer: str | Initializer = "glorot_uniform") -> None:
        self._filters, self._groups = positive_int("filters", filters), positive_int("groups", groups)
        self._has_bias = bias
        self._window = per_axis("Conv2D", "kernel_size", kernel_size, 2)
        self._strides, self._padding = per_axis("Conv2D", "strides", strides, 2), checked_padding(padding)
        self._dilation = per_axis("Conv2D", "dilation", dilation, 2)
        self._activation, self._initializer = find_activation(activation), find_initializer(kernel_initializer)
        if self._filters % self._groups:
            raise ArgumentError(f"filters={filters} in groups={groups}", expected="as many filters in each group",
                                fix="make filters a multiple of groups")
        super().__init__("in_channels", in_channels)

    def _make_parameters(self, size: int) -> None:
        if size % self._groups:
            raise ShapeError(f"{size} channels in groups={self._groups}", expected="as many channels in each group",
                             fix="choose groups that divide the channels")
        shape = (*self._window, size // self._groups, self._filters)
        self.weight = Parameter(self._initializer(shape, None))
        if self._has_bias:
            self.bias = Parameter(zeros((self._filters,)))

    def _require_axes(self, x: Tensor) -> None:
        require_images(x)
        if self._padding == "valid" and x.shape[1] in (1, 3) and x.shape[1] < self._window[0]:
            raise ShapeError(f"an input of shape {tuple(x.shape)} for windows of {self._window}",
                             expected="images: (batch, height, width, channels)",
                             fix=f"if axis 1 has the {plural(x.shape[1], 'channel')}: {CHANNELS_LAST}; if it is the "
                                 'height, use a smaller kernel or padding="same"')

    def _advice_on_features(self, x: Tensor) -> str:
        has_channels_first = x.shape[1] == self._size
        return f"axis 1 has {self._size} channels; {CHANNELS_LAST}" if has_channels_first else "check in_channels"

    def forward(self, x: Tensor) -> Tensor:
        self._require_input(x)
        y = conv2d(x, self.weight, self.bias if self._has_bias else None, stride=self._strides, padding=self._padding,
                   dilation=self._dilation, groups=self._groups)
        return self._activation(y)
