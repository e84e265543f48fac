"""The op table, continued: what the array API standard has beside the usual, einsum and windows."""

import numpy as np
from optable import ABOVE_1, BOOL, OTHER, SPREAD, UNARY, Domain, case, index, op

import tarazu as tz

# Numbers
op("reciprocal", ABOVE_1, like=lambda x: 1 / x, orders=3)
op("signbit", SPREAD)
op("copysign", SPREAD, OTHER)
op("nextafter", SPREAD, OTHER, orders=0)
op("count_nonzero", SPREAD, also="ib", shapes=UNARY)
case("count_nonzero keepdims", lambda x: tz.count_nonzero(x, axis=0, keepdims=True),
     lambda x: np.count_nonzero(x, 0, keepdims=True), BOOL, shapes=[((2, 3),), ((0, 3),)])

# Complex numbers between real ones
Z = 1 + 2j
case("real", lambda x: tz.real(x * Z), lambda x: np.real(x * Z), SPREAD)
case("real of real", tz.real, np.real, SPREAD, also="i")
case("imag", lambda x: tz.imag(x * Z), lambda x: np.imag(x * Z), SPREAD)
case("imag of real", tz.imag, np.imag, SPREAD, also="i", orders=0)
case("angle", lambda x: tz.angle(x * Z), lambda x: np.angle(x * Z), SPREAD, shapes=[((2, 3),)])
op("angle", SPREAD, shapes=[((3,),)], orders=0)
case("conj", lambda x: tz.imag(tz.conj(x * Z)), lambda x: np.imag(np.conj(x * Z)), SPREAD)
case("abs of complex", lambda x: tz.abs(tz.exp(x * Z) + x), lambda x: np.abs(np.exp(x * Z) + x), SPREAD, orders=3)
case("complex arithmetic", lambda x: tz.real(tz.sin(x * Z) / (x + Z) - tz.log(x * Z) * (x - Z) ** 3),
     lambda x: np.real(np.sin(x * Z) / (x + Z) - np.log(x * Z) * (x - Z) ** 3), ABOVE_1)
case("complex products", lambda x: tz.imag(tz.prod(x @ (x.mT * Z + x.mT**2), axis=-1)),
     lambda x: np.imag(np.prod(x @ (x.mT * Z + x.mT**2), axis=-1)), SPREAD, shapes=[((3, 2),)])
case("solve of complex", lambda x: tz.imag(tz.linalg.solve(x * Z + 5 * tz.eye(2), x[:, 0])),
     lambda x: np.imag(np.linalg.solve(x * Z + 5 * np.eye(2), x[:, 0])), SPREAD, shapes=[((2, 2),)])
case("expm1 of complex", lambda x: tz.real(tz.expm1(x * Z)), lambda x: np.real(np.expm1(x * Z)), SPREAD)

# Fourier
for _name in ("fft", "ifft", "rfft", "ihfft"):
    case(f"fft.{_name}", lambda x, _name=_name: tz.abs(getattr(tz.fft, _name)(x)) ** 2,
         lambda x, _name=_name: np.abs(getattr(np.fft, _name)(x)) ** 2, SPREAD, shapes=[((4,),), ((2, 5),), ((0, 3),)])
for _name in ("irfft", "hfft"):
    case(f"fft.{_name}", lambda x, _name=_name: getattr(tz.fft, _name)(x * Z),
         lambda x, _name=_name: getattr(np.fft, _name)(x * Z), SPREAD, shapes=[((4,),), ((2, 3),), ((0, 3),)])
case("fft.fftn", lambda x: tz.imag(tz.fft.fftn(x, s=(3, 2), axes=(0, 2), norm="ortho")),
     lambda x: np.imag(np.fft.fftn(x, (3, 2), (0, 2), "ortho")), SPREAD, shapes=[((2, 2, 3),)])
case("fft.ifftn", lambda x: tz.imag(tz.fft.ifftn(x)), lambda x: np.imag(np.fft.ifftn(x)), SPREAD, shapes=[((2, 3),)])
case("fft.rfftn", lambda x: tz.imag(tz.fft.rfftn(x, norm="forward")),
     lambda x: np.imag(np.fft.rfftn(x, norm="forward")), SPREAD, shapes=[((2, 5),), ((3, 4),)])
case("fft.irfftn", lambda x: tz.fft.irfftn(x * Z, s=(3, 5), axes=(0, 1)),
     lambda x: np.fft.irfftn(x * Z, (3, 5), (0, 1)), SPREAD, shapes=[((2, 4),), ((3, 3),)])
case("fft.fftshift", lambda x: tz.fft.fftshift(x), np.fft.fftshift, SPREAD, also="ib", shapes=[((5,),), ((2, 3),)])
case("fft.ifftshift", lambda x: tz.fft.ifftshift(x, axes=0), lambda x: np.fft.ifftshift(x, 0), SPREAD,
     shapes=[((3, 2),)])
case("fft.fftfreq", lambda: tz.fft.fftfreq(5, d=0.3), lambda: np.fft.fftfreq(5, 0.3).astype(np.float32), shapes=[()])
case("fft.rfftfreq", lambda: tz.fft.rfftfreq(5), lambda: np.fft.rfftfreq(5).astype(np.float32), shapes=[()])


def _spectra(x: np.ndarray, size: int, step: int) -> np.ndarray:
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    padded = np.pad(x, [(0, 0), (size // 2, size // 2)], "reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, size, -1)[:, ::step]
    return np.fft.rfft(frames * window)


case("fft.stft", lambda x: tz.abs(tz.fft.stft(x, 4, step=2)) ** 2, lambda x: abs(_spectra(x, 4, 2)) ** 2, SPREAD,
     shapes=[((2, 7),)])
case("fft.istft", lambda x: tz.fft.istft(tz.fft.stft(x, 4), 4, length=6), lambda x: x[:, :6], SPREAD,
     shapes=[((2, 7),)])
for _name, _numpy in (("hann", "hanning"), ("hamming", "hamming"), ("blackman", "blackman"), ("bartlett", "bartlett")):
    case(f"fft.{_name}_window", lambda _name=_name: getattr(tz.fft, f"{_name}_window")(5),
         lambda _numpy=_numpy: getattr(np, _numpy)(6)[:5].astype(np.float32), shapes=[()])
case("fft.kaiser_window", lambda: tz.fft.kaiser_window(5, 4.0, periodic=False),
     lambda: np.kaiser(5, 4).astype(np.float32), shapes=[()])

# Over axes
op("cumulative_prod", SPREAD, also="i", shapes=[((2, 3),), ((0, 3),), ((2, 1),), ((2, 5),)],
   like=lambda x: np.cumprod(x, 1), axis=1)
op("cumulative_prod", SPREAD, shapes=[((3,),)], like=lambda x: np.concatenate([[1], np.cumprod(x)]),
   include_initial=True)
op("cumulative_sum", SPREAD, shapes=[((2, 3),)], like=lambda x: np.pad(np.cumsum(x, 0), [(1, 0), (0, 0)]), axis=0,
   include_initial=True)
op("sum", SPREAD, shapes=[((2, 3),)], like=lambda x: np.sum(x, dtype=np.float32), orders=0, dtype="float32")
op("prod", SPREAD, shapes=[((2, 3),)], like=lambda x: np.prod(x.astype(np.int8), dtype=np.int8), dtype="int8")
op("diff", SPREAD, also="i", shapes=[((2, 4),), ((3, 1),)])
op("diff", SPREAD, shapes=[((4, 2),)], n=2, axis=0)
case("diff with ends", lambda x, y: tz.diff(x, prepend=y, append=y), lambda x, y: np.diff(x, prepend=y, append=y),
     SPREAD, OTHER, shapes=[((2, 3), (2, 1))])
op("roll", SPREAD, also="ib", shapes=[((2, 3),), ((0,),)], shift=2)
op("roll", SPREAD, shapes=[((2, 3),)], shift=(1, -1), axis=(0, 1))

# Triangles and grids
op("tril", SPREAD, also="ib", shapes=[((3, 3),), ((2, 2, 4),), ((0, 2),)])
op("triu", SPREAD, also="ib", shapes=[((3, 3),), ((2, 4, 2),)], k=-1)
case("meshgrid", lambda x, y: tz.meshgrid(x, y), np.meshgrid, SPREAD, OTHER, shapes=[((2,), (3,)), ((0,), (1,))])
case("meshgrid ij", lambda x, y: tz.meshgrid(x, y, indexing="ij"), lambda x, y: np.meshgrid(x, y, indexing="ij"),
     SPREAD, OTHER, shapes=[((2,), (3,))])
op("empty_like", SPREAD, also="ib", shapes=UNARY, like=np.zeros_like)
case("empty", lambda: tz.empty((2, 3)), lambda: np.zeros((2, 3), np.float32), shapes=[()])

# Search
ASCENDING = Domain(lambda rng, shape: np.sort(rng.uniform(-1, 1, shape)))
op("searchsorted", ASCENDING, SPREAD, shapes=[((5,), (2, 3)), ((0,), (2,)), ((4,), ())])
op("isin", SPREAD, SPREAD, also="ib", shapes=[((2, 3), (3, 2)), ((3,), (0,)), ((3,), ())])

# A number in a key counts as a tensor for where the axes go, once there is a tensor
case("index with a number beside a tensor", lambda x, i: x[:, 1, i], lambda x, i: x[:, 1, i], SPREAD, index(3),
     shapes=[((2, 3, 3), (2, 2)), ((0, 2, 3), (1,))])
case("index with a number apart from a tensor", lambda x, i: x[1, :, i], lambda x, i: x[1, :, i], SPREAD, index(3),
     shapes=[((2, 4, 3), (2, 2))])

# Sums of products
case("einsum", lambda x, y, z: tz.einsum("bij,...jk,kk->...ib", x, y, z),
     lambda x, y, z: np.einsum("bij,...jk,kk->...ib", x, y, z), SPREAD, OTHER, SPREAD, also="i",
     shapes=[((2, 3, 2), (4, 2, 3), (3, 3))])
case("einsum with a diagonal", lambda x: tz.einsum("iji->j", x), lambda x: np.einsum("iji->j", x), SPREAD,
     shapes=[((2, 3, 2),)])

# Windows
for _mode in ("edge", "reflect", "wrap"):
    case(f"pad {_mode}", lambda x, _mode=_mode: tz.pad(x, [(0, 1), (4, 2)], mode=_mode),
         lambda x, _mode=_mode: np.pad(x, [(0, 1), (4, 2)], _mode), SPREAD, also="ib", shapes=[((2, 3),)])
case("repeat", lambda x: tz.repeat(x, 2, axis=1), lambda x: np.repeat(x, 2, 1), SPREAD, also="ib",
     shapes=[((2, 3, 2),), ((2, 0),)])
case("repeat by a vector", lambda x: tz.repeat(x, np.array([2, 0, 1]), axis=0), lambda x: np.repeat(x, [2, 0, 1], 0),
     SPREAD, shapes=[((3, 2),)])
case("unfold", lambda x: tz.unfold(x, 3, step=2, axis=0),
     lambda x: np.lib.stride_tricks.sliding_window_view(x, 3, 0)[::2], SPREAD, also="ib", shapes=[((6, 2),), ((3,),)])
