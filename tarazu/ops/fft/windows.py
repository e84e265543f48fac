"""Window functions: weights that fade a part of a signal out at its ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tarazu.base import dtypes
from tarazu.base.checks import flag, whole_number
from tarazu.base.dtypes import as_dtype
from tarazu.ops.placement import to_device
from tarazu.ops.promote import as_value
from tarazu.ops.typing import DeviceLike, DTypeLike, Tensor


def hann_window(n: int, *, periodic: bool = True, dtype: DTypeLike | None = None,
                device: DeviceLike | None = None) -> Tensor:
    """The raised cosine 1/2 - cos(2 pi i / n) / 2 (J. von Hann): n weights, 0 at the start.

    Periodic ones are for spectra: shifted by n / 2 they add up to 1. Without `periodic` n - 1 stands for n, so that
    the window is symmetric. float32 by default. ArgumentError for an n below 0, DTypeError for what is no dtype,
    DeviceError for a device that is not there.

    >>> import tarazu as tz
    >>> tz.fft.hann_window(4)
    Tensor([0. , 0.5, 1. , 0.5], dtype=float32)
    """
    return _window("hann_window", n, np.hanning, periodic, dtype, device)


def hamming_window(n: int, *, periodic: bool = True, dtype: DTypeLike | None = None,
                   device: DeviceLike | None = None) -> Tensor:
    """The raised cosine 0.54 - 0.46 cos(2 pi i / n) (R. W. Hamming), which does not fall to 0.

    Options and errors as in `hann_window`.

    >>> import tarazu as tz
    >>> tz.fft.hamming_window(4)
    Tensor([0.08, 0.54, 1.  , 0.54], dtype=float32)
    """
    return _window("hamming_window", n, np.hamming, periodic, dtype, device)


def blackman_window(n: int, *, periodic: bool = True, dtype: DTypeLike | None = None,
                    device: DeviceLike | None = None) -> Tensor:
    """The sum 0.42 - 0.5 cos(2 pi i / n) + 0.08 cos(4 pi i / n) (R. B. Blackman), with less leakage than `hann_window`.

    Options and errors as there.

    >>> import tarazu as tz
    >>> tz.fft.blackman_window(4).round()
    Tensor([-0.,  0.,  1.,  0.], dtype=float32)
    """
    return _window("blackman_window", n, np.blackman, periodic, dtype, device)


def bartlett_window(n: int, *, periodic: bool = True, dtype: DTypeLike | None = None,
                    device: DeviceLike | None = None) -> Tensor:
    """The triangle 1 - |2 i / n - 1| (M. S. Bartlett). Options and errors as in `hann_window`.

    >>> import tarazu as tz
    >>> tz.fft.bartlett_window(4)
    Tensor([0. , 0.5, 1. , 0.5], dtype=float32)
    """
    return _window("bartlett_window", n, np.bartlett, periodic, dtype, device)


def kaiser_window(n: int, beta: float = 12.0, *, periodic: bool = True, dtype: DTypeLike | None = None,
                  device: DeviceLike | None = None) -> Tensor:
    """Weights from the modified Bessel function of order 0 (J. F. Kaiser, 1974), narrower for larger `beta`.

    Options and errors as in `hann_window`; torch's default for beta.

    >>> import tarazu as tz
    >>> tz.fft.kaiser_window(4, 5.0)
    Tensor([0.03671089, 0.5528518 , 1.        , 0.5528518 ], dtype=float32)
    """
    return _window("kaiser_window", n, lambda size: np.kaiser(size, beta), periodic, dtype, device)


def _window(name: str, n: int, weights: Callable[[int], np.ndarray], periodic: bool, dtype: DTypeLike | None,
            device: DeviceLike | None) -> Tensor:
    n = whole_number(f"{name}: n={n!r}", n, least=0)
    wanted = as_dtype(dtype) if dtype is not None else dtypes.DEFAULT_FLOAT
    values = periodic_weights(weights, n) if flag(f"{name}: periodic", periodic) else weights(n)
    return to_device(as_value(values.astype(wanted.numpy)), device)


def periodic_weights(weights: Callable[[int], np.ndarray], n: int) -> np.ndarray:
    """The first n weights of a symmetric window of n + 1."""
    return weights(n + 1)[:n] if n > 1 else weights(n)
