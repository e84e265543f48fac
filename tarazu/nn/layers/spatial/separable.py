"""Depthwise convolution layers, which keep channels apart, and separable ones, which mix the channels afterwards."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.nn.init import Initializer
from tarazu.nn.layers.activation import ActivationFunction
from tarazu.nn.layers.spatial.convolution import Conv1D, Conv2D, ConvolutionLayer
from tarazu.nn.module.module import Module
from tarazu.ops.networks.convolution import conv1d, conv2d
from tarazu.ops.networks.window_options import Numbers, Padding
from tarazu.runtime.tensor.tensor import Tensor


class _DepthwiseConv(ConvolutionLayer):
    def __init__(self, kernel_size: Numbers, strides: Numbers = 1, padding: Padding = "valid",
                 depth_multiplier: int = 1, activation: str | ActivationFunction | None = None, *,
                 dilation: Numbers = 1, in_channels: int | None = None, bias: bool = True,
                 kernel_initializer: str | Initializer = "glorot_uniform",
                 bias_initializer: str | Initializer = "zeros") -> None:
        self._multiplier = positive_int("depth_multiplier", depth_multiplier)
        super().__init__(kernel_size, strides, padding, activation, dilation, in_channels, bias, kernel_initializer,
                         bias_initializer)

    def _weight_sizes(self, channels: int) -> tuple[int, int]:
        return 1, channels * self._multiplier

    def _convolve(self, x: Tensor, bias: Tensor | None) -> Tensor:
        convolve = conv1d if self._axes == 1 else conv2d
        return convolve(x, self.weight, bias, stride=self._strides, padding=self._padding, dilation=self._dilation,
                        groups=self._size)


class DepthwiseConv1D(_DepthwiseConv):
    """A convolution of each channel of sequences by windows of its own.

    (batch, time, channels) to (batch, windows, channels * depth_multiplier): each channel gives `depth_multiplier`
    outputs, which lie side by side. Other options and errors, ArgumentError and ShapeError, are those of `Conv1D`.
    `weight` has the shape (window, 1, channels * depth_multiplier).

    >>> import tarazu as tz
    >>> tz.nn.DepthwiseConv1D(3, padding="same")(tz.ones((2, 100, 4))).shape
    (2, 100, 4)
    """

    _axes = 1


class DepthwiseConv2D(_DepthwiseConv):
    """A convolution of each channel of images by windows of its own (Sifre and Mallat, 2014).

    (batch, height, width, channels) to (batch, windows down, windows across, channels * depth_multiplier): each channel
    gives `depth_multiplier` outputs, which lie side by side. It is `Conv2D` with as many groups as channels, whose
    other options and errors, ArgumentError and ShapeError, it has. `weight` has the shape (height, width, 1, channels *
    depth_multiplier).

    >>> import tarazu as tz
    >>> tz.nn.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(tz.ones((2, 28, 28, 4))).shape
    (2, 28, 28, 8)
    """

    _axes = 2


class _SeparableConv(Module):
    """`depthwise`, without a bias, then `pointwise`, a convolution by windows of one element."""

    _depthwise_kind: type[DepthwiseConv1D | DepthwiseConv2D]
    _pointwise_kind: type[Conv1D | Conv2D]

    def __init__(self, filters: int, kernel_size: Numbers, strides: Numbers = 1, padding: Padding = "valid",
                 depth_multiplier: int = 1, activation: str | ActivationFunction | None = None, *,
                 dilation: Numbers = 1, in_channels: int | None = None, bias: bool = True,
                 depthwise_initializer: str | Initializer = "glorot_uniform",
                 pointwise_initializer: str | Initializer = "glorot_uniform",
                 bias_initializer: str | Initializer = "zeros") -> None:
        self.depthwise = self._depthwise_kind(
            kernel_size, strides, padding, depth_multiplier, dilation=dilation, in_channels=in_channels, bias=False,
            kernel_initializer=depthwise_initializer)
        self.pointwise = self._pointwise_kind(
            filters, 1, activation=activation, in_channels=in_channels and in_channels * depth_multiplier, bias=bias,
            kernel_initializer=pointwise_initializer, bias_initializer=bias_initializer)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


class SeparableConv1D(_SeparableConv):
    """A depthwise convolution of sequences, then one by windows of one element that mixes the channels.

    (batch, time, channels) to (batch, windows, filters). Options and errors are those of `SeparableConv2D`:
    ArgumentError and ShapeError.

    >>> import tarazu as tz
    >>> tz.nn.SeparableConv1D(8, 3, padding="same")(tz.ones((2, 100, 4))).shape
    (2, 100, 8)
    """

    _depthwise_kind, _pointwise_kind = DepthwiseConv1D, Conv1D


class SeparableConv2D(_SeparableConv):
    """A depthwise convolution of images, then one by windows of one element that mixes the channels (Chollet, 2017).

    (batch, height, width, channels) to (batch, windows down, windows across, filters), with about window times fewer
    products than `Conv2D`. `depthwise`, a `DepthwiseConv2D` without bias that `depthwise_initializer` starts, has the
    options of the window; `pointwise`, a `Conv2D` that `pointwise_initializer` starts, bias and activation. Errors are
    theirs: ArgumentError for options out of range, ShapeError for unfit inputs.

    >>> import tarazu as tz
    >>> layer = tz.nn.SeparableConv2D(8, 3, in_channels=4)
    >>> [(path, x.shape) for path, x in layer.named_parameters()]
    [('depthwise.weight', (3, 3, 1, 4)), ('pointwise.weight', (1, 1, 4, 8)), ('pointwise.bias', (8,))]
    """

    _depthwise_kind, _pointwise_kind = DepthwiseConv2D, Conv2D
