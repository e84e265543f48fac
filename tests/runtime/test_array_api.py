"""The array API standard where its own test suite (tests/array_api) does not look, and what tarazu has beyond it."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DeviceError, DTypeError, GradientError, ShapeError

RNG = np.random.default_rng(0)


def wide(*shape: int) -> tz.Tensor:
    return tz.asarray(RNG.normal(size=shape))


# The namespace ------------------------------------------------------------------------------------------------------

def test_a_tensor_knows_its_namespace():
    assert tz.ones(1).__array_namespace__() is tz
    assert tz.ones(1).__array_namespace__(api_version="2023.12") is tz
    with pytest.raises(ArgumentError, match="version '2099.12'(.|\n)*'2024.12' or earlier"):
        tz.ones(1).__array_namespace__(api_version="2099.12")


def test_the_dtypes_of_a_kind():
    info = tz.__array_namespace_info__()
    assert info.dtypes(kind=("bool", "signed integer")) == {
        "bool": tz.bool, "int8": tz.int8, "int16": tz.int16, "int32": tz.int32, "int64": tz.int64}
    assert "float16" not in info.dtypes()


def test_code_for_any_library_runs():
    xp = tz.ones(1).__array_namespace__()
    x = xp.asarray([[1.0, 2.0], [3.0, 4.0]], dtype=xp.float64)
    mean = xp.mean(x, axis=0)
    assert xp.linalg.vector_norm(x - mean, axis=1).tolist() == pytest.approx([2**0.5] * 2)


# Exchange -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float16", "float32", "float64", "complex64"])
def test_dlpack_round_trip_with_numpy(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    x = tz.from_dlpack(array)
    assert x.dtype.name == dtype
    assert np.shares_memory(x.numpy(), array)
    back = np.from_dlpack(x)
    np.testing.assert_array_equal(back, array)
    assert not back.flags.writeable


def test_from_dlpack_may_copy():
    array = np.arange(3.0)
    assert not np.shares_memory(tz.from_dlpack(array, copy=True).numpy(), array)


def test_an_old_consumer_gets_memory_of_its_own():
    class Old:
        """As a consumer of DLPack before 1.0 sees a tensor."""

        def __init__(self, x: tz.Tensor, **options: object) -> None:
            self.capsule, self.device = x.__dlpack__(**options), x.__dlpack_device__()

        def __dlpack__(self, **_: object) -> object:
            return self.capsule

        def __dlpack_device__(self) -> tuple[int, int]:
            return self.device

    x = tz.full((2,), 7.0)
    assert not np.shares_memory(np.from_dlpack(Old(x)), x.numpy())
    assert np.shares_memory(np.from_dlpack(Old(x, copy=False)), x.numpy())


def test_what_dlpack_cannot_take():
    with pytest.raises(ArgumentError, match="from_dlpack of list(.|\n)*__dlpack__(.|\n)*through NumPy"):
        tz.from_dlpack([1])
    with pytest.raises(BufferError, match=r"device \(2, 0\)"):
        tz.ones(1).__dlpack__(dl_device=(2, 0))


def test_asarray_copies_when_told():
    array = np.zeros(2)
    assert np.shares_memory(tz.asarray(array, copy=False).numpy(), array)
    assert not np.shares_memory(tz.asarray(array, copy=True).numpy(), array)
    with pytest.raises(ArgumentError, match=r"asarray\(copy=False\) of list needs a copy"):
        tz.asarray([1], copy=False)
    with pytest.raises(ValueError, match="needs a copy"):
        tz.asarray(array, "float32", copy=False)


def test_devices_are_checked():
    assert tz.eye(2, device="cpu").to_device("cpu").device == tz.device()
    for make in (lambda: tz.eye(2, device="moon"), lambda: tz.fft.fftfreq(2, device="moon"),
                 lambda: tz.astype(tz.ones(1), "int8", device="moon"), lambda: tz.ones(1).to_device("moon")):
        with pytest.raises(DeviceError, match="no device 'moon'"):
            make()
    with pytest.raises(DeviceError, match="stream=1"):
        tz.ones(1).to_device("cpu", stream=1)


# Numbers ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_neighbors_and_signs_in_every_float(dtype):
    values = tz.asarray([0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan]).astype(dtype)
    x, y = values[:, None], values[None]
    a, b = np.broadcast_arrays(x.numpy(), y.numpy())
    found, wanted = tz.nextafter(x, y).numpy(), np.nextafter(a, b)
    np.testing.assert_array_equal(found.astype(float), wanted.astype(float))
    np.testing.assert_array_equal(tz.signbit(values).numpy(), np.signbit(values.numpy()))
    np.testing.assert_array_equal(np.signbit(tz.copysign(x, y).numpy()), np.signbit(np.copysign(a, b)))


def test_hypot_neither_overflows_nor_underflows():
    tiny, large = 1e-200, 1e200
    assert tz.hypot(tz.asarray(3 * large, "float64"), 4 * large).item() == pytest.approx(5 * large)
    assert tz.hypot(tz.asarray(3 * tiny, "float64"), 4 * tiny).item() == pytest.approx(5 * tiny)
    assert tz.hypot(tz.tensor(np.nan), np.inf).item() == np.inf


def test_complex_numbers_have_no_sign_bit():
    with pytest.raises(DTypeError, match="sign and the neighbors of complex64"):
        tz.nextafter(tz.tensor(1j), 1)


def test_finfo_of_bfloat16():
    assert tz.finfo(tz.bfloat16).eps == 2**-7
    assert tz.finfo(tz.complex128).dtype is tz.float64
    with pytest.raises(DTypeError, match="finfo of int8"):
        tz.finfo("int8")
    with pytest.raises(DTypeError, match="iinfo of float32"):
        tz.iinfo(tz.ones(1))


def test_questions_about_dtypes_misused():
    with pytest.raises(ArgumentError, match="isdtype: kind 'whole'"):
        tz.isdtype(tz.int8, "whole")
    with pytest.raises(ArgumentError, match=r"result_type of \(1, 2.0\)"):
        tz.result_type(1, 2.0)
    assert not tz.can_cast(tz.int64, tz.uint64)


# Search and sets ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("size", [0, 1, 2, 7, 8])
def test_searchsorted_agrees_with_numpy(side, size):
    x = np.sort(RNG.integers(-3, 4, size)).astype(float)
    values = np.concatenate([np.arange(-4.5, 5, 0.5), [np.nan, np.inf, -np.inf]])
    found = tz.searchsorted(tz.asarray(x), tz.asarray(values), side=side)
    np.testing.assert_array_equal(found.numpy(), np.searchsorted(x, values, side))


def test_searchsorted_with_a_sorter_and_with_nan():
    x = np.array([3.0, 1.0, np.nan, 2.0])
    order = np.argsort(x)
    found = tz.searchsorted(tz.asarray(x), tz.asarray([2.5, np.nan]), side="right", sorter=tz.asarray(order))
    assert found.tolist() == [2, 4]
    with pytest.raises(ShapeError, match=r"searchsorted in a tensor of shape \(1, 1\)"):
        tz.searchsorted(tz.ones(1, 1), 1)
    with pytest.raises(ArgumentError, match="side='middle'"):
        tz.searchsorted(tz.ones(1), tz.ones(1), side="middle")


@pytest.mark.parametrize("dtype", ["int64", "float32", "complex64"])
def test_isin_agrees_with_numpy(dtype):
    x, candidates = np.arange(6).reshape(2, 3).astype(dtype), np.array([4, 1, 9]).astype(dtype)
    np.testing.assert_array_equal(tz.isin(tz.asarray(x), tz.asarray(candidates)).numpy(), np.isin(x, candidates))
    assert tz.isin(tz.asarray(x), tz.asarray(candidates[:0])).any().item() is False


def test_what_depends_on_data_is_not_traced():
    for function in (tz.nonzero, tz.unique_values, lambda x: tz.repeat(x, x)):
        with pytest.raises(tz.TarazuError, match="traced tensor"):
            tz.jit(function)(tz.tensor([1, 2]))
    with pytest.raises(ShapeError, match="nonzero of a tensor without axes"):
        tz.nonzero(tz.tensor(1))


def test_masks_without_elements_pick_nothing():
    assert tz.ones(3, 2)[tz.zeros(0, dtype="bool")].shape == (0, 2)
    with pytest.raises(IndexError, match="a mask of size 2 for axis 0 of size 3"):
        tz.ones(3)[tz.ones(2, dtype="bool")]


# Fourier ------------------------------------------------------------------------------------------------------------

def test_power_spectrum_has_a_gradient():
    """Parseval: the energy of n samples is that of their spectrum over n."""
    x = wide(8)
    gradient = tz.grad(lambda x: (tz.abs(tz.fft.fft(x)) ** 2).sum())(x)
    np.testing.assert_allclose(gradient.numpy(), 16 * x.numpy(), rtol=1e-12)


def test_gradients_through_complex_numbers():
    """d/dt of |exp((1 + 2i) t)| is itself, of the imaginary part exp(t) (sin 2t + 2 cos 2t)."""
    t = tz.asarray(0.3, "float64")
    z = 1 + 2j
    size = np.exp(0.3)
    for order in range(1, 4):
        derivative = lambda t: tz.abs(tz.exp(z * t))  # noqa: E731
        for _ in range(order):
            derivative = tz.grad(derivative)
        assert derivative(t).item() == pytest.approx(size)
    slope = tz.grad(lambda t: tz.imag(tz.exp(z * t)))(t)
    assert slope.item() == pytest.approx(size * (np.sin(0.6) + 2 * np.cos(0.6)))
    assert tz.jit(tz.grad(lambda t: tz.real(tz.conj(t * z) * z)))(t).item() == pytest.approx(5)


def test_complex_gradients_that_are_none():
    with pytest.raises(GradientError, match=r"backward\(\) of a tensor of complex64\n.*a real scalar(.|\n)*tz.abs"):
        (tz.ones((), requires_grad=True) * 1j).backward()
    with pytest.raises(GradientError, match="the gradient of a tensor of complex64"):
        tz.grad(lambda x: x * 1j)(tz.tensor(1.0))
    with pytest.raises(GradientError, match="the gradient of sign of complex numbers"):
        tz.grad(lambda x: tz.real(tz.sign(x * 1j)))(tz.tensor(1.0))
    with pytest.raises(GradientError, match="the gradient of cholesky of complex numbers"):
        tz.grad(lambda x: tz.abs(tz.linalg.cholesky(x * (1 + 0j))).sum())(tz.eye(2))
    with pytest.raises(GradientError, match="complex64"):
        tz.grad(tz.abs)(tz.tensor(1j))


def test_fourier_misused():
    with pytest.raises(ArgumentError, match="norm='big'"):
        tz.fft.fft(wide(2), norm="big")
    with pytest.raises(DTypeError, match="rfft of complex64"):
        tz.fft.rfft(tz.tensor([1j]))
    with pytest.raises(ShapeError, match="irfft to 0 elements"):
        tz.fft.irfft(tz.ones(1))
    with pytest.raises(ArgumentError, match=r"s=\(2,\) for axes \(0, 1\)"):
        tz.fft.fftn(wide(2, 2), s=(2,), axes=(0, 1))
    with pytest.raises(ShapeError, match="which hold no element"):
        tz.fft.fft(wide(0))


# Sums of products ---------------------------------------------------------------------------------------------------

EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ij->ji", (2, 3)), ("ba", (2, 3)), ("ii->i", (3, 3)),
    ("ii", (3, 3)), ("iij->j", (2, 2, 3)), ("ij->", (2, 3)), ("i,j->ij", (2,), (3,)), ("i,i", (3,), (3,)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)), ("...ij,...jk", (5, 1, 2, 3), (4, 3, 2)), ("b...->...b", (2, 3, 4)),
    ("...,...", (2, 1), (3,)), ("...i->...", (2, 3)), ("bij,bjk,bkl->bil", (2, 3, 4), (2, 4, 5), (2, 5, 2)),
    ("ij,ij,ij->i", (2, 3), (2, 3), (2, 3)), ("a,b,c->cab", (2,), (3,), (4,)), ("bhqd,bhkd->bhqk", (2, 2, 3, 4),
                                                                               (2, 2, 5, 4)),
    ("ij,ij->ij", (1, 3), (2, 3)), ("i,ij->j", (2,), (2, 3)), (",", (), ()), ("ij , jk -> ik", (2, 0), (0, 3)),
]


@pytest.mark.parametrize(("equation", "shapes"), [(e, shapes) for e, *shapes in EQUATIONS])
def test_einsum_agrees_with_numpy(equation, shapes):
    operands = [RNG.normal(size=shape) for shape in shapes]
    found = tz.einsum(equation, *map(tz.asarray, operands))
    wanted = np.einsum(equation, *operands)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("equation", "shapes", "match"), [
    ("ij,jk->ik", [(2, 3)], "'ij,jk->ik' for 1 operands"),
    ("i1->i", [(2, 3)], "letters for the axes"),
    ("ij->k", [(2, 3)], "the result 'k'"),
    ("ij->ii", [(2, 3)], "name each axis of the result once"),
    ("i->i", [(2, 3)], "'i' in 'i->i' for a tensor with 2 axes"),
    ("ij,jk->ik", [(2, 3), (2, 3)], "sizes 3 and 2 for 'j'"),
    ("...,...", [(2,), (3,)], "sizes 2 and 3 for '...'"),
])
def test_einsum_misused(equation, shapes, match):
    with pytest.raises((ArgumentError, ShapeError), match=match):
        tz.einsum(equation, *[wide(*shape) for shape in shapes])


# Padding, windows, segments -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "wrap"])
@pytest.mark.parametrize("widths", [[(2, 1), (0, 7)], (1, 2), 3])
def test_pad_agrees_with_numpy(mode, widths):
    x = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(tz.pad(tz.asarray(x), widths, mode=mode).numpy(), np.pad(x, widths, mode))


def test_windows_misused():
    with pytest.raises(ArgumentError, match="mode='mirror'\n.*constant, edge, reflect or wrap"):
        tz.pad(tz.ones(2), 1, mode="mirror")
    with pytest.raises(ShapeError, match=r"widths \[\(1, 1\)\] for shape \(2, 2\)"):
        tz.pad(tz.ones(2, 2), [(1, 1)], mode="edge")
    with pytest.raises(ShapeError, match="along an axis of size 0"):
        tz.pad(tz.ones(0), 1, mode="edge")
    with pytest.raises(ArgumentError, match="windows of 4, 1 apart, on an axis of size 3"):
        tz.unfold(tz.ones(3), 4)
    with pytest.raises(ShapeError, match=r"repeats of shape \(3,\) for an axis of size 2"):
        tz.repeat(tz.ones(2), [1, 2, 3])
    with pytest.raises(ShapeError, match=r"segments of shape \(2,\) for rows of shape \(3,\)"):
        tz.segment_sum(tz.ones(3), tz.tensor([0, 1]), 2)


def test_grids_and_triangles_misused():
    with pytest.raises(ArgumentError, match="indexing='yx'"):
        tz.meshgrid(tz.ones(2), indexing="yx")
    with pytest.raises(ShapeError, match=r"meshgrid of shapes \(2, 2\)"):
        tz.meshgrid(tz.ones(2, 2))
    with pytest.raises(ShapeError, match=r"triu of shape \(2,\)"):
        tz.triu(tz.ones(2))
    with pytest.raises(ArgumentError, match="roll: 2 shifts for axes 0"):
        tz.roll(tz.ones(2), (1, 2), 0)
    with pytest.raises(ArgumentError, match="diff: n=-1"):
        tz.diff(tz.ones(2), n=-1)


def test_cumulative_product_of_zeros_has_a_gradient():
    x = tz.asarray([2.0, 0.0, 3.0, 0.0, 5.0], "float64")
    assert tz.grad(lambda x: tz.cumulative_prod(x).sum())(x).tolist() == [1, 8, 0, 0, 0]
