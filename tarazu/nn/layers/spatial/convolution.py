"""Convolution layers over sequences, images and volumes, channels last."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.messages import plural
from tarazu.nn.init import Initializer, find_initializer
from tarazu.nn.layers.activation import ActivationFunction, find_activation
from tarazu.nn.layers.checks import checked_padding, require_spatial
from tarazu.nn.module.last_axis import LastAxisLayer
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.networks.convolution import conv1d, conv2d, conv3d
from tarazu.ops.networks.window_options import CHANNELS_LAST, Numbers, Padding, Sizes, per_axis
from tarazu.runtime.tensor.tensor import Tensor

_CONVOLVE = conv1d, conv2d, conv3d


class ConvolutionLayer(LastAxisLayer):
    """What layers that move a kernel over 1 to 3 axes share: options, weight, bias, activation, checks of the input.

    Subclasses say in `_weight_sizes` what the weight connects, and compute in `_convolve`.
    """

    _axes: int

    def __init__(self, kernel_size: Numbers, strides: Numbers, padding: Padding,
                 activation: str | ActivationFunction | None, dilation: Numbers, in_channels: int | None, bias: bool,
                 kernel_initializer: str | Initializer, bias_initializer: str | Initializer) -> None:
        name, axes = type(self).__name__, self._axes
        self._window = per_axis(name, "kernel_size", kernel_size, axes)
        self._strides = per_axis(name, "strides", strides, axes)
        self._dilation = per_axis(name, "dilation", dilation, axes)
        self._padding, self._has_bias = self._checked_padding(padding), bias
        self._activation, self._initializer = find_activation(activation), find_initializer(kernel_initializer)
        self._bias_initializer = find_initializer(bias_initializer)
        super().__init__("in_channels", in_channels)

    def _checked_padding(self, padding: Padding) -> Padding:
        """`padding` itself, or for sequences the widths that "causal" means; ArgumentError for another name."""
        if self._axes > 1:
            return checked_padding(padding)
        if isinstance(padding, str) and padding == "causal":
            return (((self._window[0] - 1) * self._dilation[0], 0),)
        return checked_padding(padding, '"causal", ')

    def _weight_sizes(self, channels: int) -> tuple[int, int]:
        """The sizes of the weight's last two axes, its inputs and its outputs, for an input of so many channels."""
        raise NotImplementedError

    def _make_parameters(self, size: int) -> None:
        inputs, outputs = self._weight_sizes(size)
        self.weight = Parameter(self._initial_weight((*self._window, inputs, outputs)))
        if self._has_bias:
            self.bias = Parameter(self._bias_initializer((outputs,), None))

    def _initial_weight(self, shape: Sizes) -> Tensor:
        return self._initializer(shape, None)

    def _require_axes(self, x: Tensor) -> None:
        require_spatial(x, self._axes)

    def _advice_on_features(self, x: Tensor) -> str:
        has_channels_first = x.shape[1] == self._size
        return f"axis 1 has {self._size} channels; {CHANNELS_LAST}" if has_channels_first else "check in_channels"

    def forward(self, x: Tensor) -> Tensor:
        self._require_input(x)
        return self._activation(self._convolve(x, self.bias if self._has_bias else None))

    def _convolve(self, x: Tensor, bias: Tensor | None) -> Tensor:
        raise NotImplementedError


def require_equal_groups(what: str, count: int, groups: int) -> None:
    """ArgumentError unless so many filters divide into equal groups."""
    if count % groups:
        raise ArgumentError(f"{what}={count} in groups={groups}", expected=f"as many {what} in each group",
                            fix=f"make {what} a multiple of groups")


def require_channels_in_groups(channels: int, groups: int) -> None:
    """ShapeError unless so many channels divide into equal groups."""
    if channels % groups:
        raise ShapeError(f"{channels} channels in groups={groups}", expected="as many channels in each group",
                         fix="choose groups that divide the channels")


class _Convolution(ConvolutionLayer):
    def __init__(self, filters: int, kernel_size: Numbers, strides: Numbers = 1, padding: Padding = "valid",
                 groups: int = 1, activation: str | ActivationFunction | None = None, *, dilation: Numbers = 1,
                 in_channels: int | None = None, bias: bool = True,
                 kernel_initializer: str | Initializer = "glorot_uniform",
                 bias_initializer: str | Initializer = "zeros") -> None:
        self._filters, self._groups = positive_int("filters", filters), positive_int("groups", groups)
        require_equal_groups("filters", self._filters, self._groups)
        super().__init__(kernel_size, strides, padding, activation, dilation, in_channels, bias, kernel_initializer,
                         bias_initializer)

    def _weight_sizes(self, channels: int) -> tuple[int, int]:
        require_channels_in_groups(channels, self._groups)
        return channels // self._groups, self._filters

    def _convolve(self, x: Tensor, bias: Tensor | None) -> Tensor:
        return _CONVOLVE[self._axes - 1](x, self.weight, bias, stride=self._strides, padding=self._padding,
                                         dilation=self._dilation, groups=self._groups)


class Conv1D(_Convolution):
    """activation(the sum of each window times weight + bias) of sequences (Waibel and others, 1989).

    (batch, time, channels) to (batch, windows, filters). Options are those of `Conv2D`, with one number where it takes
    two; padding "causal" adds zeros before the start only, so that no output sees a later input (van den Oord and
    others, "WaveNet", 2016). `weight` has the shape (window, channels / groups, filters).

    ArgumentError for options out of range and unknown names; ShapeError for an input that is no batch of sequences, has
    other channels or is shorter than the window.

    >>> import tarazu as tz
    >>> tz.nn.Conv1D(8, 3, padding="causal")(tz.ones((2, 100, 4))).shape
    (2, 100, 8)
    """

    _axes = 1


class Conv2D(_Convolution):
    """activation(the sum of each window times weight + bias) of images (LeCun and others, 1989).

    (batch, height, width, channels) to (batch, windows down, windows across, filters). `kernel_size`, `strides` and
    `dilation` are one number or two, `padding` is as in `tz.conv2d`: "valid", "same" (with strides of 1 the size
    stays), or numbers. The channels are split into `groups` that do not see each other. `in_channels` may be left out
    and is then taken from the first input. `weight` (height, width, channels / groups, filters) starts as
    `kernel_initializer` says, `bias` (filters,) as `bias_initializer` does, at 0.

    ArgumentError for options out of range and unknown names; ShapeError for an input that is no batch of images, has
    other channels or is smaller than the window.

    >>> import tarazu as tz
    >>> tz.nn.Conv2D(8, 3, padding="same", activation="relu")(tz.ones((2, 28, 28, 1))).shape
    (2, 28, 28, 8)
    """

    _axes = 2

    def _require_axes(self, x: Tensor) -> None:
        super()._require_axes(x)
        if self._padding == "valid" and x.shape[1] in (1, 3) and x.shape[1] < self._window[0]:
            raise ShapeError(f"an input of shape {tuple(x.shape)} for windows of {self._window}",
                             expected="images: (batch, height, width, channels)",
                             fix=f"if axis 1 has the {plural(x.shape[1], 'channel')}: {CHANNELS_LAST}; if it is the "
                                 'height, use a smaller kernel or padding="same"')


class Conv3D(_Convolution):
    """activation(the sum of each window times weight + bias) of volumes, or of videos (Ji, Xu, Yang and Yu, 2010).

    (batch, depth, height, width, channels) to (batch, windows along each of the three, filters). Options are those of
    `Conv2D`, with three numbers where it takes two. `weight` has the shape (depth, height, width, channels / groups,
    filters).

    ArgumentError for options out of range and unknown names; ShapeError for an input that is no batch of volumes, has
    other channels or is smaller than the window.

    >>> import tarazu as tz
    >>> tz.nn.Conv3D(8, 3, strides=2)(tz.ones((2, 9, 9, 9, 1))).shape
    (2, 4, 4, 4, 8)
    """

    _axes = 3
