"""Discrete Fourier transforms along one or several axes, their frequencies, and shifts of the frequency 0."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.base import dtypes
from tarazu.base.checks import whole_number
from tarazu.base.dtypes import as_dtype
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.create import arange
from tarazu.ops.elementwise import conj, divide, less, multiply, real, subtract, where
from tarazu.ops.placement import to_device
from tarazu.ops.promote import as_float, as_value, cast
from tarazu.ops.shape import concat, distinct_axes, flip, normalize_axis, pad, roll, slice_axis
from tarazu.ops.typing import ArrayLike, Axes, DeviceLike, DTypeLike, Tensor

_NORMS = {"backward": (0.0, 1.0), "ortho": (0.5, 0.5), "forward": (1.0, 0.0)}  # powers of 1 / n: forward, inverse
_SWAPPED = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def fft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The discrete Fourier transform along an axis: complex numbers of the shape of `x`, with size `n` on the axis.

    A smaller `n` than the size of `x` cuts it, a larger one pads it with zeros. AxisError for an axis that `x` lacks,
    ArgumentError for an unknown `norm`.

    >>> import tarazu as tz
    >>> tz.fft.fft(tz.tensor([1.0, 0.0, -1.0, 0.0]))
    Tensor([0.+0.j, 2.+0.j, 0.+0.j, 2.+0.j], dtype=complex64)
    """
    return fftn(x, s=None if n is None else (n,), axes=(axis,), norm=norm)


def ifft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of `fft` along an axis: complex numbers of the shape of `x`, with size `n` on the axis.

    AxisError for an axis that `x` lacks, ArgumentError for an unknown `norm`.

    >>> import tarazu as tz
    >>> tz.real(tz.fft.ifft(tz.tensor([0.0, 2.0, 0.0, 2.0])))
    Tensor([ 1.,  0., -1.,  0.], dtype=float32)
    """
    return ifftn(x, s=None if n is None else (n,), axes=(axis,), norm=norm)


def fftn(x: ArrayLike, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
         norm: str = "backward") -> Tensor:
    """The discrete Fourier transform along several axes, all by default, as complex numbers; `s` are their sizes.

    `s` without `axes` is for the last axes. AxisError for an axis that `x` lacks, ArgumentError for an unknown `norm`
    or another number of sizes than of axes.

    >>> import tarazu as tz
    >>> tz.fft.fftn(tz.ones(2, 2))
    Tensor([[4.+0.j, 0.+0.j],
            [0.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _transform(x, *_sizes_and_axes(x, s, axes), norm, "forward")


def ifftn(x: ArrayLike, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
          norm: str = "backward") -> Tensor:
    """The inverse of `fftn`: complex numbers of the shape of `x`, with the sizes `s` on the axes.

    AxisError for an axis that `x` lacks, ArgumentError for an unknown `norm` or another number of sizes than of axes.

    >>> import tarazu as tz
    >>> tz.real(tz.fft.ifftn(tz.fft.fftn(tz.eye(2))))
    Tensor([[1., 0.],
            [0., 1.]], dtype=float32)
    """
    return _transform(x, *_sizes_and_axes(x, s, axes), norm, "backward")


def rfft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The first n // 2 + 1 elements of the transform of n real numbers along an axis.

    The others are conjugates of these. DTypeError for complex numbers, AxisError for an axis that `x` lacks,
    ArgumentError for an unknown `norm`.

    >>> import tarazu as tz
    >>> tz.fft.rfft(tz.tensor([1.0, 0.0, -1.0, 0.0]))
    Tensor([0.+0.j, 2.+0.j, 0.+0.j], dtype=complex64)
    """
    return rfftn(x, s=None if n is None else (n,), axes=(axis,), norm=norm)


def irfft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of `rfft` along an axis of m elements: `n` real numbers, 2 (m - 1) by default.

    Pass `n` to get an odd number. ShapeError for n below 1, AxisError for an axis that `x` lacks, ArgumentError for an
    unknown `norm`.

    >>> import tarazu as tz
    >>> tz.fft.irfft(tz.tensor([6.0, 0.0]), n=3)
    Tensor([2., 2., 2.], dtype=float32)
    """
    return irfftn(x, s=None if n is None else (n,), axes=(axis,), norm=norm)


def rfftn(x: ArrayLike, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
          norm: str = "backward") -> Tensor:
    """The transform of real numbers along several axes, all by default, as complex numbers.

    The last axis, of n elements, gets the first n // 2 + 1, as in `rfft`. DTypeError for complex numbers, AxisError for
    an axis that `x` lacks, ArgumentError for an unknown `norm` or another number of sizes than of axes.

    >>> import tarazu as tz
    >>> tz.fft.rfftn(tz.ones(2, 4)).shape
    (2, 3)
    """
    x = as_float(x)
    if x.dtype.kind == "complex":
        raise DTypeError(f"rfft of {x.dtype}", expected="real numbers", fix="use tz.fft.fft, or take tz.real(x)")
    sizes, transformed = _sizes_and_axes(x, s, axes)
    last = _last_axis("rfft", transformed, len(x.shape))
    whole = _transform(x, sizes, transformed, norm, "forward")
    return slice_axis(whole, last, 0, whole.shape[last] // 2 + 1)


def irfftn(x: ArrayLike, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
           norm: str = "backward") -> Tensor:
    """The inverse of `rfftn`, real numbers, with the sizes `s` on the axes.

    The last axis, of m elements, gets 2 (m - 1) by default. ShapeError for a last size below 1, AxisError for an axis
    that `x` lacks, ArgumentError for an unknown `norm` or another number of sizes than of axes.

    >>> import tarazu as tz
    >>> tz.fft.irfftn(tz.fft.rfftn(tz.ones(2, 3)), s=(2, 3)).shape
    (2, 3)
    """
    x = _complex(x)
    sizes, transformed = _sizes_and_axes(x, s, axes)
    last = _last_axis("irfft", transformed, len(x.shape))
    distinct_axes(transformed, len(x.shape), "fft")
    n = 2 * (x.shape[last] - 1) if sizes[-1] is None else sizes[-1]
    if n < 1:
        raise ShapeError(f"irfft to {n} elements along axis {last} of shape {x.shape}", expected="at least one",
                         fix="pass the number of elements that rfft was given as n= or s=")
    if transformed[:-1]:
        x = _transform(x, sizes[:-1], transformed[:-1], norm, "backward")
    whole = _with_conjugates(_resized(x, n // 2 + 1, last), n, last)
    return real(_transform(whole, (n,), (last,), norm, "backward"))


def hfft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The real transform along an axis of `n` elements, of which `x` has the first m.

    The others are conjugates of these; n is 2 (m - 1) by default. ShapeError for n below 1, AxisError for an axis that
    `x` lacks, ArgumentError for an unknown `norm`.

    >>> import tarazu as tz
    >>> tz.fft.hfft(tz.tensor([1.0, 2.0, 3.0]))
    Tensor([ 8., -2.,  0., -2.], dtype=float32)
    """
    _require_norm(norm)
    return irfft(conj(x), n=n, axis=axis, norm=_SWAPPED[norm])


def ihfft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of `hfft`: the first n // 2 + 1 elements, complex, of the inverse transform of n real numbers.

    DTypeError for complex numbers, AxisError for an axis that `x` lacks, ArgumentError for an unknown `norm`.

    >>> import tarazu as tz
    >>> tz.real(tz.fft.ihfft(tz.tensor([8.0, -2.0, 0.0, -2.0])))
    Tensor([1., 2., 3.], dtype=float32)
    """
    _require_norm(norm)
    return conj(rfft(x, n=n, axis=axis, norm=_SWAPPED[norm]))


def fftfreq(n: int, /, *, d: float = 1.0, dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> Tensor:
    """The frequencies, in cycles per unit of the sample spacing `d`, of the n elements of `fft`.

    They are float32 by default. DTypeError for what is no dtype, DeviceError for a device that is not there,
    ArgumentError for an n below 0 or no whole number.

    >>> import tarazu as tz
    >>> tz.fft.fftfreq(4, d=0.5)
    Tensor([ 0. ,  0.5, -1. , -0.5], dtype=float32)
    """
    n = whole_number(f"fftfreq: n={n!r}", n, least=0)
    numbers = arange(n)
    signed = where(less(numbers, (n + 1) // 2), numbers, subtract(numbers, n))
    return to_device(_frequencies(signed, n, d, dtype), device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> Tensor:
    """The frequencies, in cycles per unit of the sample spacing `d`, of the n // 2 + 1 elements of `rfft`.

    They are float32 by default. DTypeError for what is no dtype, DeviceError for a device that is not there,
    ArgumentError for an n below 0 or no whole number.

    >>> import tarazu as tz
    >>> tz.fft.rfftfreq(4, d=0.5)
    Tensor([0. , 0.5, 1. ], dtype=float32)
    """
    n = whole_number(f"rfftfreq: n={n!r}", n, least=0)
    return to_device(_frequencies(arange(n // 2 + 1), n, d, dtype), device)


def fftshift(x: ArrayLike, /, *, axes: Axes = None) -> Tensor:
    """`x` with the frequency 0 moved to the middle of each of the axes, all by default.

    AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.fft.fftshift(tz.fft.fftfreq(4, d=0.25))
    Tensor([-2., -1.,  0.,  1.], dtype=float32)
    """
    x = as_value(x)
    shifted = _listed(axes, len(x.shape))
    return roll(x, [x.shape[axis] // 2 for axis in shifted], shifted)


def ifftshift(x: ArrayLike, /, *, axes: Axes = None) -> Tensor:
    """The inverse of `fftshift`: `x` with the middle of each of the axes moved to the front.

    AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.fft.ifftshift(tz.tensor([-2.0, -1.0, 0.0, 1.0]))
    Tensor([ 0.,  1., -2., -1.], dtype=float32)
    """
    x = as_value(x)
    shifted = _listed(axes, len(x.shape))
    return roll(x, [-(x.shape[axis] // 2) for axis in shifted], shifted)


def _complex(x: ArrayLike) -> Tensor:
    x = as_float(x)
    return cast(x, dtypes.promote(x.dtype, dtypes.complex64))


def _require_norm(norm: str) -> None:
    if norm not in _NORMS:
        raise ArgumentError(f"fft: norm={norm!r}", expected=f"one of {', '.join(map(repr, _NORMS))}",
                            fix='leave it out for "backward"')


def _transform(x: ArrayLike, sizes: Sequence[int | None], axes: Sequence[int], norm: str, kind: str) -> Tensor:
    _require_norm(norm)
    x = _complex(x)
    axes = distinct_axes(axes, len(x.shape), "fft")
    for axis, size in zip(axes, sizes, strict=True):
        x = _resized(x, x.shape[axis] if size is None else size, axis)
    count = math.prod(x.shape[axis] for axis in axes)
    result = bind(ops.FFT, x, axes=axes, kind=kind)
    power = _NORMS[norm][kind == "backward"]
    return multiply(result, count**-power) if power else result


def _sizes_and_axes(x: ArrayLike, sizes: Sequence[int] | None,
                    axes: Sequence[int] | None) -> tuple[list[int | None], list[int]]:
    """A size (None for the tensor's own) and an axis for each transform; sizes alone mean the last axes."""
    if axes is None:
        rank = len(as_value(x).shape)
        axes = range(rank) if sizes is None else range(rank - len(sizes), rank)
    if sizes is not None and len(sizes) != len(axes):
        raise ArgumentError(f"fft: s={tuple(sizes)} for axes {tuple(axes)}", expected="a size for each axis",
                            fix="leave s out to keep the sizes")
    if sizes is None:
        return [None] * len(axes), list(axes)
    return list(map(_checked_size, sizes)), list(axes)


def _checked_size(size: int | None) -> int | None:
    fix = "leave it out to keep the size"
    return None if size is None else whole_number(f"fft: a size of {size!r}", size, least=0, fix=fix)


def _last_axis(name: str, axes: Sequence[int], rank: int) -> int:
    """The axis whose transform is of real numbers."""
    if not axes:
        raise ArgumentError(f"{name} over no axes", expected="at least one axis", fix="leave out axes for all of them")
    return normalize_axis(axes[-1], rank, name)


def _resized(x: Tensor, size: int, axis: int) -> Tensor:
    current = x.shape[axis]
    if size < current:
        return slice_axis(x, axis, 0, size)
    return x if size == current else pad(x, [(0, size - current if i == axis else 0) for i in range(len(x.shape))])


def _with_conjugates(half: Tensor, n: int, axis: int) -> Tensor:
    """All n elements of the transform of real numbers, from the first n // 2 + 1."""
    return concat([half, conj(flip(slice_axis(half, axis, 1, n - n // 2), axis))], axis)


def _frequencies(numbers: Tensor, n: int, spacing: float, dtype: DTypeLike | None) -> Tensor:
    result = as_dtype(dtype) if dtype is not None else dtypes.DEFAULT_FLOAT
    return cast(divide(cast(numbers, dtypes.float64), n * spacing), result)


def _listed(axes: Axes, rank: int) -> list[int]:
    """The axes as a list, counted from the front; None is all."""
    listed = range(rank) if axes is None else axes if isinstance(axes, Sequence) else (axes,)
    return [normalize_axis(axis, rank, "fftshift") for axis in listed]
