"""The type rule of the convolution, and the arithmetic of its sizes, which operations and gradients need too."""

from __future__ import annotations

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir.type_rules.checks import NUMBER, require_kind, require_same_dtype
from tarazu.ir.types import Shape, TensorType

Widths = tuple[tuple[int, int], ...]  # of padding: (before, after) for each axis


def span(size: int, dilation: int) -> int:
    """The length of `size` elements when each is `dilation` positions after the one before.

    >>> span(3, 2)
    5
    """
    return (size - 1) * dilation + 1 if size else 0


def convolved_size(size: int, window: int, stride: int, widths: tuple[int, int], dilation: int,
                   dilation_input: int) -> int:
    """The size of the result along one axis: how many windows fit.

    >>> convolved_size(8, window=3, stride=2, widths=(1, 1), dilation=1, dilation_input=1)
    4
    """
    room = span(size, dilation_input) + sum(widths) - span(window, dilation)
    return room // stride + 1 if room >= 0 else 0


def convolution(name: str, x: TensorType, kernel: TensorType, *, stride: Shape, padding: Widths, dilation: Shape,
                dilation_input: Shape, groups: int) -> TensorType:
    require_kind(name, NUMBER, x, kernel)
    dtype = require_same_dtype(name, x, kernel)
    axes = len(x.shape) - 2
    if axes < 1 or len(kernel.shape) != len(x.shape):
        raise ShapeError(f"{name}: an input of shape {x.shape} and a kernel of shape {kernel.shape}",
                         expected="an input (batch, *sizes, channels) and a kernel (*window, channels / groups, "
                                  "channels of the result)",
                         fix="add the missing axes, for example x[None] for a batch of one, x[..., None] for one "
                             "channel")
    _require_options(name, axes, stride, padding, dilation, dilation_input)
    _require_channels(name, x.shape, kernel.shape, groups)
    sizes = map(convolved_size, x.shape[1:-1], kernel.shape[:-2], stride, padding, dilation, dilation_input)
    return TensorType((x.shape[0], *sizes, kernel.shape[-1]), dtype)


def _require_options(name: str, axes: int, stride: Shape, padding: Widths, dilation: Shape,
                     dilation_input: Shape) -> None:
    if any(len(option) != axes for option in (stride, padding, dilation, dilation_input)):
        raise ArgumentError(f"{name}: stride={stride}, padding={padding}, dilation={dilation} for {axes} axes",
                            expected="one of each for every axis between the batch and the channels",
                            fix="pass one number for all axes, or one per axis")
    if min(*stride, *dilation, *dilation_input) < 1:
        raise ArgumentError(f"{name}: stride={stride}, dilation={dilation}", expected="whole numbers of at least 1",
                            fix="1 is the usual stride and the usual dilation")


def _require_channels(name: str, shape: Shape, kernel: Shape, groups: int) -> None:
    if 0 in kernel[:-2]:
        raise ShapeError(f"{name}: a kernel of shape {kernel}", expected="windows of at least 1 element",
                         fix="check the sizes of the kernel")
    if groups < 1 or shape[-1] % groups or kernel[-1] % groups:
        raise ShapeError(f"{name}: {shape[-1]} channels to {kernel[-1]} channels in {groups} groups",
                         expected="a number of groups that divides both",
                         fix="groups=1 joins every channel with every other, groups=channels keeps each to itself")
    if shape[-1] != kernel[-2] * groups:
        raise ShapeError(f"{name}: an input of {shape[-1]} channels for a kernel of shape {kernel} and groups={groups}",
                         expected=f"{kernel[-2] * groups} channels on the last axis of the input",
                         fix="channels come last, in the input (batch, *sizes, channels) and in the kernel "
                             "(*window, channels / groups, channels of the result)")
