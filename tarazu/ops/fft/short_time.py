"""Short-time Fourier transforms: the spectra of overlapping frames of a signal, and the signal from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tarazu.base.checks import flag, whole_number
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.elementwise import divide, greater, multiply, square, where
from tarazu.ops.fft.transforms import irfft, rfft
from tarazu.ops.fft.windows import periodic_weights
from tarazu.ops.indexing.index import scatter_add
from tarazu.ops.indexing.windows import pad, unfold
from tarazu.ops.promote import as_float, as_value, cast
from tarazu.ops.shape import broadcast_to, moveaxis, slice_axis
from tarazu.ops.typing import ArrayLike, Tensor

_WINDOWS: dict[str, Callable[[int], np.ndarray]] = {
    "hann": np.hanning, "hamming": np.hamming, "blackman": np.blackman, "bartlett": np.bartlett,
    "kaiser": lambda n: np.kaiser(n, 12.0)}
_SMALL = 1e-11  # sums of squared weights below it, of the order of 1 elsewhere, leave no digits of the signal


def stft(x: ArrayLike, size: int, *, step: int | None = None, window: str | ArrayLike = "hann", n: int | None = None,
         center: bool = True) -> Tensor:
    """The spectra of overlapping frames of a signal: (..., time) to (..., frames, n // 2 + 1), complex.

    A frame of `size` elements begins every `step` (size // 4 unless given), is multiplied by `window`, a name
    ("hann", "hamming", "blackman", "bartlett", "kaiser") or `size` weights, and is transformed by `rfft` of `n`
    elements (`size` unless given; zeros around it). With `center` the signal is first mirrored at both ends by n // 2
    elements, so that frame i lies around element i step. As in torch, but that time comes before frequency. Integers
    become float32. ShapeError for a signal shorter than a frame and for a window of another size, ArgumentError for
    options out of range, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tone = tz.cos(tz.arange(33) * (2 * tz.pi / 8))
    >>> tz.argmax(tz.abs(tz.fft.stft(tone, 16)), axis=-1)
    Tensor([2, 2, 2, 2, 2, 2, 2, 2, 2], dtype=int64)
    """
    x = as_float(x)
    size, step, n = _checked("stft", size, step, n)
    weights = _weights("stft", window, size, n)
    if not x.shape or x.shape[-1] < (1 if center else n):
        raise ShapeError(f"stft: a signal of shape {x.shape} in frames of {n}",
                         expected="(..., time), with at least one frame", fix="pad it with zeros, or use a smaller n")
    if flag("stft: center", center):
        x = pad(x, [(0, 0)] * (len(x.shape) - 1) + [(n // 2, n // 2)], mode="reflect")
    return rfft(multiply(unfold(x, n, step=step), cast(as_value(weights, x.dtype), x.dtype)), n=n)


def istft(x: ArrayLike, size: int, *, step: int | None = None, window: str | ArrayLike = "hann", n: int | None = None,
          center: bool = True, length: int | None = None) -> Tensor:
    """The signal whose `stft` is closest to `x`, (..., frames, n // 2 + 1) to (..., time); options as there.

    Frames are multiplied by the window once more, added where they overlap, and divided by the sum of squared
    weights there (Griffin and Lim, 1984). The signal ends with the last frame, or after `length` elements, which
    must be within. ShapeError for another number of frequencies, ArgumentError for options out of range, and where a
    window that is no tensor leaves elements without weight.

    >>> import tarazu as tz
    >>> x = tz.arange(32, dtype="float32")
    >>> bool(tz.abs(tz.fft.istft(tz.fft.stft(x, 16), 16) - x).max() < 1e-4)
    True
    """
    x = as_value(x)
    size, step, n = _checked("istft", size, step, n)
    if len(x.shape) < 2 or x.shape[-1] != n // 2 + 1 or x.shape[-2] < 1:
        raise ShapeError(f"istft: an input of shape {x.shape} for n={n}",
                         expected=f"(..., frames, {n // 2 + 1}): n // 2 + 1 frequencies",
                         fix="pass the size and n that stft got; torch has the last two axes the other way round")
    weights = _weights("istft", window, size, n)
    begin, end = _bounds(x.shape[-2], step, n, flag("istft: center", center), length)
    if not isinstance(weights, Tensor):
        _require_weight(window, weights, x.shape[-2], step, (begin, end))
    frames = irfft(x, n=n)
    factors = cast(as_value(weights, frames.dtype), frames.dtype)
    signal = _overlapped(multiply(frames, factors), step)
    signal = slice_axis(signal, len(signal.shape) - 1, begin, end)
    total = slice_axis(_overlapped(broadcast_to(square(factors), (x.shape[-2], n)), step), 0, begin, end)
    has_weight = greater(total, _SMALL)
    return where(has_weight, divide(signal, where(has_weight, total, 1)), 0)


def _require_weight(window: str | ArrayLike, weights: np.ndarray, frames: int, step: int,
                    bounds: tuple[int, int]) -> None:
    indices = _indices(frames, step, len(weights))
    total = np.bincount(indices.reshape(-1), np.tile(weights**2, frames))
    if total[slice(*bounds)].min(initial=1) <= _SMALL:
        raise ArgumentError(f"istft: window={window!r}, {frames} frames {step} apart, elements {bounds}",
                            expected="some weight for each element", fix="use a smaller step, or center=True, or a "
                                     'window without zeros at its ends, such as "hamming"')


def _indices(frames: int, step: int, n: int) -> np.ndarray:
    """Where the elements of the frames lie in the signal."""
    return step * np.arange(frames)[:, None] + np.arange(n)


def _bounds(frames: int, step: int, n: int, center: bool, length: int | None) -> tuple[int, int]:
    """Where the signal begins and ends in the sum of the frames."""
    begin, last = (n // 2 if center else 0), (frames - 1) * step + n
    end = last - begin if length is None else begin + whole_number(f"istft: length={length!r}", length, least=0)
    if end > last:
        raise ArgumentError(f"istft: length={length!r} for {frames} frames of {n}, {step} apart",
                            expected=f"at most {last - begin}", fix="pad the result with zeros")
    return begin, max(end, begin)


def _overlapped(x: Tensor, step: int) -> Tensor:
    """The sum of frames that overlap: (..., frames, n) to (..., time)."""
    count, n = x.shape[-2:]
    moved = moveaxis(x, (-2, -1), (0, 1))
    zeros = broadcast_to(as_value(0, x.dtype), ((count - 1) * step + n, *x.shape[:-2]))
    return moveaxis(scatter_add(zeros, moved, (_indices(count, step, n),), (0,)), 0, -1)


def _checked(name: str, size: int, step: int | None, n: int | None) -> tuple[int, int, int]:
    size = whole_number(f"{name}: size={size!r}", size, least=1, fix=f"pass for example {name}(x, 256)")
    step = max(size // 4, 1) if step is None else whole_number(f"{name}: step={step!r}", step, least=1,
                                                               fix="leave it out for size // 4")
    n = size if n is None else whole_number(f"{name}: n={n!r}", n, least=size, fix="leave it out for the size")
    return size, step, n


def _weights(name: str, window: str | ArrayLike, size: int, n: int) -> Tensor | np.ndarray:
    """`size` weights with zeros around them, n in all."""
    if isinstance(window, str):
        if window not in _WINDOWS:
            raise ArgumentError(f"{name}: window={window!r}",
                                expected=f"one of {', '.join(map(repr, _WINDOWS))}, or {size} weights",
                                fix='leave it out for "hann"')
        window = periodic_weights(_WINDOWS[window], size)
    weights = window if isinstance(window, Tensor) else np.asarray(window, np.float64)
    if weights.shape != (size,):
        raise ShapeError(f"{name}: a window of shape {weights.shape}", expected=f"({size},): a weight per element",
                         fix="pass the size of the window as size")
    before = (n - size) // 2
    widths = [(before, n - size - before)]
    return pad(weights, widths) if isinstance(weights, Tensor) else np.pad(weights, widths)
