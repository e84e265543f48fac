"""Discrete Fourier transforms, as `tz.fft`: the extension of the array API standard (2024.12).

A transform of n elements is y[k] = sum over j of x[j] exp(-2 pi i j k / n); the inverse has the other sign and is
divided by n. `norm` moves that division: "backward" to the inverse, "forward" to the forward one, "ortho" shares it.
`n` or `s` cuts the input or pads it with zeros first. Gradients flow from a real result back to real inputs.

>>> import tarazu as tz
>>> tz.abs(tz.fft.rfft(tz.tensor([1.0, 0.0, -1.0, 0.0])))
Tensor([0., 2., 0.], dtype=float32)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tarazu.base import dtypes
from tarazu.base.dtypes import as_dtype
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.create import arange
from tarazu.ops.elementwise import conj, divide, less, multiply, real, subtract, where
from tarazu.ops.placement import accepts_device
from tarazu.ops.promote import as_float, as_value, cast
from tarazu.ops.shape import Axes, concat, flip, normalize_axis, pad, roll, slice_axis

_NORMS = {"backward": (0.0, 1.0), "ortho": (0.5, 0.5), "forward": (1.0, 0.0)}  # powers of 1 / n: forward, inverse


def fft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The transform along an axis; the result is complex."""
    return _transform(x, (n,), (axis,), norm, "forward")


def ifft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The inverse of `fft`."""
    return _transform(x, (n,), (axis,), norm, "backward")


def fftn(x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
         norm: str = "backward") -> Any:
    """The transform along several axes, all unless told otherwise; `s` are their sizes."""
    return _transform(x, *_sizes_and_axes(x, s, axes), norm, "forward")


def ifftn(x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
          norm: str = "backward") -> Any:
    """The inverse of `fftn`."""
    return _transform(x, *_sizes_and_axes(x, s, axes), norm, "backward")


def rfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The first n // 2 + 1 elements of the transform of real numbers; the others are their conjugates."""
    return rfftn(x, s=None if n is None else (n,), axes=(axis,), norm=norm)


def irfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The inverse of `rfft`: `n` real numbers, 2 (size - 1) unless told otherwise."""
    return irfftn(x, s=None if n is None else (n,), axes=(axis,), norm=norm)


def rfftn(x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
          norm: str = "backward") -> Any:
    """The transform of real numbers along several axes, the last of which is halved as in `rfft`."""
    x = as_float(x)
    if x.dtype.kind == "complex":
        raise DTypeError(f"rfft of {x.dtype}", expected="real numbers", fix="use tz.fft.fft, or take tz.real(x)")
    sizes, places = _sizes_and_axes(x, s, axes)
    whole = _transform(x, sizes, places, norm, "forward")
    last = normalize_axis(places[-1], len(x.shape), "rfft")
    return slice_axis(whole, last, 0, whole.shape[last] // 2 + 1)


def irfftn(x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
           norm: str = "backward") -> Any:
    """The inverse of `rfftn`: real numbers; the last size is 2 (size - 1) unless told otherwise."""
    x = _complex(x)
    sizes, places = _sizes_and_axes(x, s, axes)
    last = normalize_axis(places[-1], len(x.shape), "irfft")
    n = 2 * (x.shape[last] - 1) if sizes[-1] is None else sizes[-1]
    if n < 1:
        raise ShapeError(f"irfft to {n} elements along axis {last} of shape {x.shape}", expected="at least one",
                         fix="pass the number of elements that rfft was given as n= or s=")
    if places[:-1]:
        x = _transform(x, sizes[:-1], places[:-1], norm, "backward")
    whole = _with_conjugates(_resized(x, n // 2 + 1, last), n, last)
    return real(_transform(whole, (n,), (last,), norm, "backward"))


def hfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The real transform of n elements: `x` has the first n // 2 + 1, the others are conjugates of these."""
    _require_norm(norm)
    return irfft(conj(x), n=n, axis=axis, norm=_SWAPPED[norm])


def ihfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The inverse of `hfft`."""
    _require_norm(norm)
    return conj(rfft(x, n=n, axis=axis, norm=_SWAPPED[norm]))


@accepts_device
def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None) -> Any:
    """The frequencies, in cycles per unit of the sample spacing `d`, that the elements of `fft` stand for.

    >>> import tarazu as tz
    >>> tz.fft.fftfreq(4, d=0.5)
    Tensor([ 0. ,  0.5, -1. , -0.5], dtype=float32)
    """
    places = arange(n)
    signed = where(less(places, (n + 1) // 2), places, subtract(places, n))
    return _frequencies(signed, n, d, dtype)


@accepts_device
def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None) -> Any:
    """The frequencies, in cycles per unit of the sample spacing `d`, that the elements of `rfft` stand for."""
    return _frequencies(arange(n // 2 + 1), n, d, dtype)


def fftshift(x: Any, /, *, axes: Axes = None) -> Any:
    """`x` with the zero frequency moved to the middle of each of the axes."""
    x, places = _shift_axes(x, axes)
    return roll(x, [x.shape[axis] // 2 for axis in places], places)


def ifftshift(x: Any, /, *, axes: Axes = None) -> Any:
    """The inverse of `fftshift`."""
    x, places = _shift_axes(x, axes)
    return roll(x, [-(x.shape[axis] // 2) for axis in places], places)


_SWAPPED = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def _complex(x: Any) -> Any:
    x = as_float(x)
    return cast(x, dtypes.promote(x.dtype, dtypes.complex64))


def _require_norm(norm: str) -> None:
    if norm not in _NORMS:
        raise ArgumentError(f"fft: norm={norm!r}", expected=f"one of {', '.join(map(repr, _NORMS))}",
                            fix='leave it out for "backward"')


def _transform(x: Any, sizes: Sequence[int | None], axes: Sequence[int], norm: str, kind: str) -> Any:
    _require_norm(norm)
    x = _complex(x)
    places = tuple(normalize_axis(axis, len(x.shape), "fft") for axis in axes)
    for axis, size in zip(places, sizes, strict=True):
        x = _resized(x, x.shape[axis] if size is None else size, axis)
    count = math.prod(x.shape[axis] for axis in places)
    result = bind(ops.FFT, x, axes=places, kind=kind)
    power = _NORMS[norm][kind == "backward"]
    return multiply(result, count**-power) if power else result


def _sizes_and_axes(x: Any, sizes: Sequence[int] | None, axes: Sequence[int] | None) -> tuple[Any, Any]:
    """A size (None for the tensor's own) and an axis for each transform; sizes alone mean the last axes."""
    if axes is None:
        rank = len(as_value(x).shape)
        axes = range(rank) if sizes is None else range(rank - len(sizes), rank)
    if sizes is not None and len(sizes) != len(axes):
        raise ArgumentError(f"fft: s={tuple(sizes)} for axes {tuple(axes)}", expected="a size for each axis",
                            fix="leave s out to keep the sizes")
    return [None] * len(axes) if sizes is None else list(sizes), list(axes)


def _resized(x: Any, size: int, axis: int) -> Any:
    have = x.shape[axis]
    if size < have:
        return slice_axis(x, axis, 0, size)
    return x if size == have else pad(x, [(0, size - have if i == axis else 0) for i in range(len(x.shape))])


def _with_conjugates(half: Any, n: int, axis: int) -> Any:
    """All n elements of the transform of real numbers, from the first n // 2 + 1."""
    return concat([half, conj(flip(slice_axis(half, axis, 1, n - n // 2), axis))], axis)


def _frequencies(places: Any, n: int, spacing: float, dtype: Any) -> Any:
    wanted = as_dtype(dtype) if dtype is not None else dtypes.DEFAULT_FLOAT
    return cast(divide(cast(places, dtypes.float64), n * spacing), wanted)


def _shift_axes(x: Any, axes: Axes) -> tuple[Any, list[int]]:
    x = as_value(x)
    found = range(len(x.shape)) if axes is None else (axes,) if isinstance(axes, int) else axes
    return x, list(found)
