"""Spectra; complex numbers are pairs in the last axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.interop.onnx.reading.bounds import require_fair
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, known, number
from tarazu.ops import elementwise as ops
from tarazu.ops import shape as shapes
from tarazu.ops.fft.transforms import fft, ifft, irfft
from tarazu.ops.indexing.index import take
from tarazu.ops.promote import as_value, cast
from tarazu.runtime.tensor.tensor import Tensor


@operator("DFT", since=20)
def transform(x: Array, dft_length: Any = None, axis: Any = -2, inverse: int = 0, onesided: int = 0) -> Tensor:
    """The discrete Fourier transform along an axis, or its inverse; one-sided, the first half of it."""
    x = as_value(x)
    along = int(number(axis)) % len(x.shape)
    length = None if dft_length is None else int(number(dft_length))
    require_fair(length or 0)
    values = _complex(x)
    if inverse and onesided:
        return shapes.expand_dims(cast(irfft(values, n=length, axis=along), x.dtype), -1)
    spectrum = (ifft if inverse else fft)(values, n=length, axis=along)
    if onesided:
        spectrum = shapes.slice_axis(spectrum, along, 0, spectrum.shape[along] // 2 + 1)
    return _pairs(spectrum, x)


@operator("DFT", since=17)
def transform_along(x: Array, dft_length: Any = None, axis: int = 1, inverse: int = 0, onesided: int = 0) -> Tensor:
    """The discrete Fourier transform along an axis that is an attribute."""
    return transform(x, dft_length, np.array(axis), inverse, onesided)


def _complex(x: Tensor) -> Tensor:
    if x.shape[-1] == 1:
        return x[..., 0]
    wide = cast(x, x.dtype)
    return ops.add(wide[..., 0], ops.multiply(wide[..., 1], 1j))


def _pairs(spectrum: Tensor, x: Tensor) -> Tensor:
    return cast(shapes.stack([ops.real(spectrum), ops.imag(spectrum)], -1), x.dtype)


@operator("STFT")
def short_time_transform(signal: Array, frame_step: Any, window: Array | None = None, frame_length: Any = None,
                         onesided: int = 1) -> Tensor:
    """The transforms of frames of a signal (batch, time, 1 or 2): (batch, frames, frequencies, 2)."""
    signal = as_value(signal)
    step = int(number(frame_step))
    size = int(number(frame_length)) if frame_length is not None else known(window).shape[0]
    starts = np.arange((signal.shape[1] - size) // step + 1) * step
    frames = take(signal, starts[:, None] + np.arange(size), 1)
    if window is not None:
        frames = ops.multiply(frames, shapes.reshape(window, (-1, 1)))
    return transform(frames, None, -2, onesided=onesided)
