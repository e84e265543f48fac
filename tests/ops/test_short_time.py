"""stft, istft and windows: the numbers of torch, windows that are learned, and what misuse says."""

import numpy as np
import pytest
from scipy import signal

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError

SQUARES = tz.arange(8, dtype="float64") ** 2
OPTIONS = {"step": 3, "window": "hamming", "n": 4}


@pytest.mark.parametrize("name", ["hann", "hamming", "blackman", "bartlett"])
@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_windows_agree_with_scipy(name, n):
    for periodic in (True, False):
        found = getattr(tz.fft, f"{name}_window")(n, periodic=periodic, dtype="float64")
        np.testing.assert_allclose(found, signal.get_window(name, n, fftbins=periodic) if n else [], atol=1e-15)
    np.testing.assert_allclose(tz.fft.kaiser_window(7, 5.0, dtype="float64"), signal.get_window(("kaiser", 5.0), 7))


def test_spectra_and_the_signal_from_them_agree_with_torch():
    spectra = tz.fft.stft(SQUARES, 3, **OPTIONS)
    np.testing.assert_allclose(tz.abs(spectra) ** 2, [[1.1881, 0.6953, 0.2025], [101.8081, 56.4089, 15.4449],
                                                      [2328.0625, 1069.6361, 95.0625]], rtol=1e-9)  # torch 2.13
    np.testing.assert_allclose(tz.fft.istft(spectra * spectra, 3, **OPTIONS),
                               [0.77, 600.39125, 0.64, 13.76, 9625.46, 64], rtol=1e-9)


@pytest.mark.parametrize("options", [{}, {"step": 3, "n": 20}, {"center": False, "window": "hamming"},
                                     {"window": np.ones(16), "step": 16, "center": False}])
def test_the_signal_comes_back(options):
    x = np.random.default_rng(0).normal(size=(2, 3, 64))
    found = tz.fft.istft(tz.fft.stft(x, 16, **options), 16, **options)
    np.testing.assert_allclose(found, x[..., :found.shape[-1]], atol=1e-12)
    assert found.shape[-1] >= 60


def test_a_window_may_be_learned():
    weights = tz.tensor([0.2, 0.9, 0.8, 0.3], "float64")
    tz.grad_check(lambda w: tz.abs(tz.fft.stft(SQUARES, 4, window=w)) ** 2, weights)
    tz.grad_check(lambda w: tz.fft.istft(tz.fft.stft(SQUARES, 4) * 2, 4, window=w), weights)


MISUSES = [
    (lambda: tz.fft.stft(SQUARES, 0), ArgumentError, "stft: size=0"),
    (lambda: tz.fft.stft(SQUARES, 4, step=0), ArgumentError, "stft: step=0"),
    (lambda: tz.fft.stft(SQUARES, 4, n=3), ArgumentError, "stft: n=3\n.*at least 4"),
    (lambda: tz.fft.stft(SQUARES, 4, window="hat"), ArgumentError, "stft: window='hat'\n.*'hann'"),
    (lambda: tz.fft.stft(SQUARES, 4, window=tz.ones(3)), ShapeError, r"stft: a window of shape \(3,\)\n.*\(4,\)"),
    (lambda: tz.fft.stft(SQUARES, 9, center=False), ShapeError, r"stft: a signal of shape \(8,\) in frames of 9"),
    (lambda: tz.fft.istft(tz.ones(3, 4), 4), ShapeError, r"istft: .* for n=4\n.*3\).*\n.*torch"),
    (lambda: tz.fft.istft(tz.ones(3, 3), 4, length=99), ArgumentError, "istft: length=99 for 3 .*\n.*at most 4"),
    (lambda: tz.fft.istft(tz.ones(3, 3), 4, center=False), ArgumentError, "istft: window='hann'(.|\n)*hamming"),
    (lambda: tz.fft.istft(tz.ones(3, 3), 4, step=5), ArgumentError, "some weight for each element"),
    (lambda: tz.fft.hann_window(-1), ArgumentError, "hann_window: n=-1"),
]


@pytest.mark.parametrize(("call", "error", "text"), MISUSES)
def test_misuse(call, error, text):
    with pytest.raises(error, match=text):
        call()
