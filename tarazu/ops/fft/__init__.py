"""Fourier transforms, as `tz.fft`: the extension of the array API standard (2024.12), short-time transforms, windows.

transforms.py has the transforms of the standard, short_time.py stft and istft, windows.py window functions.

A transform of n elements is y[k] = sum over j of x[j] exp(-2 pi i j k / n); the inverse has the other sign and is
divided by n. `norm` moves that division: "backward" to the inverse, "forward" to the forward one, "ortho" shares it.
`n` or `s` cuts the input or pads it with zeros first. Results are complex64, of double precision complex128. Gradients
flow from a real result back to real inputs.

Errors of all of these: AxisError for an axis that `x` lacks, ShapeError for an axis of no elements or one that is named
twice, ArgumentError for an unknown `norm`, for another number of sizes in `s` than of axes, and for a size below 0.

>>> import tarazu as tz
>>> tz.abs(tz.fft.rfft(tz.tensor([1.0, 0.0, -1.0, 0.0])))
Tensor([0., 2., 0.], dtype=float32)
"""

from tarazu.ops.fft.short_time import istft, stft
from tarazu.ops.fft.transforms import (
    fft,
    fftfreq,
    fftn,
    fftshift,
    hfft,
    ifft,
    ifftn,
    ifftshift,
    ihfft,
    irfft,
    irfftn,
    rfft,
    rfftfreq,
    rfftn,
)
from tarazu.ops.fft.windows import bartlett_window, blackman_window, hamming_window, hann_window, kaiser_window

__all__ = [
    "bartlett_window",
    "blackman_window",
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hamming_window",
    "hann_window",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "istft",
    "kaiser_window",
    "rfft",
    "rfftfreq",
    "rfftn",
    "stft",
]


def __dir__() -> list[str]:
    return __all__
