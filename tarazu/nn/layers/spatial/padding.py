"""Layers that pad and crop sequences, images and volumes, channels last."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.spelling import did_you_mean
from tarazu.ir.type_rules.convolution import Widths
from tarazu.nn.layers.checks import require_images, require_spatial
from tarazu.nn.layers.spatial.resizing import centered
from tarazu.nn.module.module import Module
from tarazu.ops.indexing.windows import pad
from tarazu.ops.networks.window_options import Padding, padding_widths
from tarazu.runtime.tensor.tensor import Tensor

_MODES = "constant", "reflect", "edge", "wrap"


def _widths(name: str, option: str, widths: Padding, axes: int) -> Widths:
    """A pair (before, after) for each axis; ArgumentError for anything but numbers or pairs of at least 0."""
    if isinstance(widths, str):
        raise ArgumentError(f"{name}: {option}={widths!r}", expected="whole numbers of at least 0",
                            fix=f"pass for example {option}=1")
    return padding_widths(name, widths, (0,) * axes, (1,) * axes, (1,) * axes)


class _ZeroPadding(Module):
    """What layers that pad share."""

    _axes: int

    def __init__(self, padding: Padding = 1, *, mode: str = "constant", value: float = 0.0) -> None:
        self._widths = _widths(type(self).__name__, "padding", padding, self._axes)
        if mode not in _MODES:
            raise ArgumentError(f"{type(self).__name__}: mode={mode!r}", expected=f"one of {', '.join(_MODES)}",
                                fix=did_you_mean(mode, _MODES))
        self._mode, self._value = mode, value

    def forward(self, x: Tensor) -> Tensor:
        require_spatial(x, self._axes)
        widths = [(0, 0), *self._widths, (0, 0)]
        return pad(x, widths, self._value) if self._mode == "constant" else pad(x, widths, mode=self._mode)


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after sequences: (batch, time, channels) to (batch, longer time, channels).

    `padding` is one number for both ends, or a pair (before, after) in a list: [(2, 0)]. Modes, value and errors are
    those of `ZeroPadding2D`: ArgumentError and ShapeError.

    >>> import tarazu as tz
    >>> tz.nn.ZeroPadding1D([(2, 1)])(tz.ones((1, 2, 1))).flatten()
    Tensor([0., 0., 1., 1., 0.], dtype=float32)
    """

    _axes = 1


class ZeroPadding2D(_ZeroPadding):
    """Zeros, or what `mode` says, around images: (batch, height, width, channels) to larger ones.

    `padding` is one number for all sides, one for height and one for width, or a pair (before, after) for each:
    ((top, bottom), (left, right)). `mode` is that of `tz.pad`: "constant" adds `value`, "reflect" mirrors at the
    outermost element, "edge" repeats it (replication), "wrap" goes on at the other end (circular). ArgumentError for
    another mode and numbers below 0, ShapeError for an input that is no batch of images.

    >>> import tarazu as tz
    >>> tz.nn.ZeroPadding2D((0, 1), mode="reflect")(tz.tensor([[[[1.0], [2.0], [3.0]]]])).flatten()
    Tensor([2., 1., 2., 3., 2.], dtype=float32)
    """

    _axes = 2


class ZeroPadding3D(_ZeroPadding):
    """Zeros, or what `mode` says, around volumes: (batch, depth, height, width, channels) to larger ones.

    `padding` is one number, one for each of the three axes, or a pair (before, after) for each. Modes, value and errors
    are those of `ZeroPadding2D`: ArgumentError and ShapeError.

    >>> import tarazu as tz
    >>> tz.nn.ZeroPadding3D((0, 1, (2, 0)))(tz.ones((1, 2, 3, 4, 1))).shape
    (1, 2, 5, 6, 1)
    """

    _axes = 3


class _Cropping(Module):
    """What layers that crop share."""

    _axes: int

    def __init__(self, cropping: Padding = 1) -> None:
        self._widths = _widths(type(self).__name__, "cropping", cropping, self._axes)

    def forward(self, x: Tensor) -> Tensor:
        require_spatial(x, self._axes)
        sizes = x.shape[1:-1]
        if any(before + after >= n for (before, after), n in zip(self._widths, sizes, strict=True)):
            raise ShapeError(f"{self._widths} cut off from an input of shape {tuple(x.shape)}",
                             expected="an input that is larger than what is cut off",
                             fix="crop less, or check the sizes of the input")
        return x[:, *(slice(before, n - after) for (before, after), n in zip(self._widths, sizes, strict=True))]


class Cropping1D(_Cropping):
    """Cuts steps off the ends of sequences: (batch, time, channels) to (batch, shorter time, channels).

    `cropping` is one number for both ends, or a pair (before, after) in a list: [(2, 0)]. Errors are those of
    `Cropping2D`: ArgumentError and ShapeError.

    >>> import tarazu as tz
    >>> tz.nn.Cropping1D([(2, 1)])(tz.arange(5.0).reshape(1, 5, 1)).flatten()
    Tensor([2., 3.], dtype=float32)
    """

    _axes = 1


class Cropping2D(_Cropping):
    """Cuts rows and columns off the sides of images: (batch, height, width, channels) to smaller ones.

    `cropping` is one number for all sides, one for height and one for width, or a pair (before, after) for each:
    ((top, bottom), (left, right)). ArgumentError for numbers below 0, ShapeError for an input that is no batch of
    images, or not larger than what is cut off.

    >>> import tarazu as tz
    >>> tz.nn.Cropping2D(((1, 2), 3))(tz.ones((2, 10, 10, 3))).shape
    (2, 7, 4, 3)
    """

    _axes = 2


class Cropping3D(_Cropping):
    """Cuts off the sides of volumes: (batch, depth, height, width, channels) to smaller ones.

    `cropping` is one number, one for each of the three axes, or a pair (before, after) for each. Errors are those of
    `Cropping2D`: ArgumentError and ShapeError.

    >>> import tarazu as tz
    >>> tz.nn.Cropping3D(1)(tz.ones((1, 4, 5, 6, 2))).shape
    (1, 2, 3, 4, 2)
    """

    _axes = 3


class CenterCrop(Module):
    """The middle of images: (batch, any height, any width, channels) to (batch, height, width, channels).

    ArgumentError for sizes below 1, ShapeError for an input that is no batch of images or is smaller than that.

    >>> import tarazu as tz
    >>> tz.nn.CenterCrop(1, 2)(tz.arange(12.0).reshape(1, 3, 4, 1)).flatten()
    Tensor([5., 6.], dtype=float32)
    """

    def __init__(self, height: int, width: int) -> None:
        self._height, self._width = positive_int("height", height), positive_int("width", width)

    def forward(self, x: Tensor) -> Tensor:
        require_images(x)
        if x.shape[1] < self._height or x.shape[2] < self._width:
            raise ShapeError(f"an input of shape {tuple(x.shape)}",
                             expected=f"images of at least {self._height} rows and {self._width} columns",
                             fix="enlarge them first (tz.nn.Resizing), or crop less")
        return centered(x, self._height, self._width)
