"""Transposed convolution layers, which enlarge sequences, images and volumes; channels last."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.nn.init import Initializer
from tarazu.nn.layers.activation import ActivationFunction
from tarazu.nn.layers.checks import checked_padding
from tarazu.nn.layers.spatial.convolution import ConvolutionLayer, require_channels_in_groups, require_equal_groups
from tarazu.ops.networks.convolution import conv_transpose1d, conv_transpose2d, conv_transpose3d
from tarazu.ops.networks.window_options import Numbers, Padding, Sizes, per_axis
from tarazu.ops.shape import reshape, swapaxes
from tarazu.runtime.tensor.tensor import Tensor

_CONVOLVE = conv_transpose1d, conv_transpose2d, conv_transpose3d


class TransposedConvolution(ConvolutionLayer):
    """What transposed convolutions over 1 to 3 axes share."""

    def __init__(self, filters: int, kernel_size: Numbers, strides: Numbers = 1, padding: Padding = "valid",
                 groups: int = 1, activation: str | ActivationFunction | None = None, *, output_padding: Numbers = 0,
                 dilation: Numbers = 1, in_channels: int | None = None, bias: bool = True,
                 kernel_initializer: str | Initializer = "glorot_uniform",
                 bias_initializer: str | Initializer = "zeros") -> None:
        self._filters, self._groups = positive_int("filters", filters), positive_int("groups", groups)
        self._output_padding = per_axis(type(self).__name__, "output_padding", output_padding, self._axes, least=0)
        require_equal_groups("filters", self._filters, self._groups)
        super().__init__(kernel_size, strides, padding, activation, dilation, in_channels, bias, kernel_initializer,
                         bias_initializer)

    def _checked_padding(self, padding: Padding) -> Padding:
        return checked_padding(padding)

    def _weight_sizes(self, channels: int) -> tuple[int, int]:
        require_channels_in_groups(channels, self._groups)
        return channels // self._groups, self._filters

    def _initial_weight(self, shape: Sizes) -> Tensor:
        """Drawn with inputs before outputs, as initializers count them; then both are swapped within each group."""
        drawn = self._initializer(shape, None)
        *window, inputs, filters = shape
        split = swapaxes(reshape(drawn, (*window, inputs, self._groups, filters // self._groups)), -1, -3)
        return reshape(split, (*window, filters // self._groups, self._groups * inputs))

    def _convolve(self, x: Tensor, bias: Tensor | None) -> Tensor:
        return _CONVOLVE[self._axes - 1](x, self.weight, bias, stride=self._strides, padding=self._padding,
                                         output_padding=self._output_padding, dilation=self._dilation,
                                         groups=self._groups)


class Conv1DTranspose(TransposedConvolution):
    """The transpose of `Conv1D`: (batch, time, channels) to (batch, longer time, filters).

    Options are those of `Conv2DTranspose`, with one number where it takes two. `weight` has the shape (window, filters
    / groups, channels).

    ArgumentError for options out of range and unknown names; ShapeError for an input that is no batch of sequences or
    has other channels.

    >>> import tarazu as tz
    >>> tz.nn.Conv1DTranspose(8, 3, strides=2, padding="same")(tz.ones((2, 50, 4))).shape
    (2, 100, 8)
    """

    _axes = 1


class Conv2DTranspose(TransposedConvolution):
    """activation(the transpose of a convolution + bias): enlarges images by learned windows (Zeiler and others, 2010).

    (batch, height, width, channels) to (batch, larger height, larger width, filters); with padding "same" the sizes are
    multiplied by the strides, with "valid" a size n becomes (n - 1) stride + window. Options are one number or two;
    `padding`, `output_padding`, `dilation` and `groups` are those of `tz.conv_transpose2d`. `in_channels` may be left
    out and is then taken from the first input. `weight` (height, width, filters / groups, channels) starts as
    `kernel_initializer` says, `bias` (filters,) as `bias_initializer` does.

    ArgumentError for options out of range and unknown names; ShapeError for an input that is no batch of images or has
    other channels.

    >>> import tarazu as tz
    >>> tz.nn.Conv2DTranspose(8, 3, strides=2, padding="same")(tz.ones((2, 7, 7, 16))).shape
    (2, 14, 14, 8)
    """

    _axes = 2


class Conv3DTranspose(TransposedConvolution):
    """The transpose of `Conv3D`: (batch, depth, height, width, channels) to larger volumes with `filters` channels.

    Options are those of `Conv2DTranspose`, with three numbers where it takes two. `weight` has the shape (depth,
    height, width, filters / groups, channels).

    ArgumentError for options out of range and unknown names; ShapeError for an input that is no batch of volumes or has
    other channels.

    >>> import tarazu as tz
    >>> tz.nn.Conv3DTranspose(8, 2, strides=2)(tz.ones((2, 3, 3, 3, 4))).shape
    (2, 6, 6, 6, 8)
    """

    _axes = 3
