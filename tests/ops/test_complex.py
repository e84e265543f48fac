"""Complex numbers where real ones are wanted: squares are those of magnitudes, and no imaginary part is dropped."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError

Z = np.array([[1 + 2j, 3 - 1j, 0.5j], [2, -1j, 1 + 1j]])
REAL = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])


def test_variances_are_those_of_magnitudes():
    for correction in (0, 1):
        np.testing.assert_allclose(tz.var(tz.tensor(Z), 1, correction=correction), Z.var(1, ddof=correction))
        np.testing.assert_allclose(tz.std(tz.tensor(Z), correction=correction), Z.std(ddof=correction))
    assert tz.var(tz.tensor(Z)).dtype is tz.float64


@pytest.mark.parametrize(("prediction", "target"), [(Z, 1j * Z), (REAL, Z), (Z, REAL)])
def test_losses_are_those_of_magnitudes(prediction, target):
    distance = abs(prediction - target)
    mse, mae = (loss(tz.tensor(prediction), tz.tensor(target)) for loss in (tz.nn.mse, tz.nn.mae))
    np.testing.assert_allclose([mse.item(), mae.item()], [(distance**2).mean(), distance.mean()])
    assert mse.dtype is mae.dtype is tz.float64


def test_the_gradient_of_a_complex_variance():
    def f(x):
        return tz.var(tz.tensor(REAL) * x + tz.tensor(Z) * x * x)

    x = tz.tensor(0.7, "float64")
    np.testing.assert_allclose(tz.grad(f)(x).item(), ((f(x + 1e-6) - f(x - 1e-6)) / 2e-6).item(), rtol=1e-6)


@pytest.mark.parametrize("convert", [
    lambda z: z.astype("float32"), lambda z: z.float(), lambda z: z.astype(tz.int64),
    lambda z: tz.sum(z, dtype="float32"), lambda z: tz.cumulative_sum(z[0], dtype="float32"),
    lambda z: tz.asarray(z, "float64"), lambda z: tz.tensor(z.numpy(), "float32"),
    lambda z: tz.nn.cross_entropy(tz.ones(2, 3), z), lambda z: tz.pad(tz.ones(2), 1, z[0, 0]),
    lambda z: tz.ones(2, 3).__setitem__(0, z[0]),
])
def test_no_conversion_drops_an_imaginary_part(convert):
    with pytest.raises(DTypeError, match=r"complex128 to .*drop the imaginary part\n(.|\n)*tz.real\(x\)"):
        convert(tz.tensor(Z))


def test_conversions_that_keep_what_complex_numbers_say():
    z = tz.tensor(Z)
    assert z.astype("bool").tolist() == (Z != 0).tolist()
    np.testing.assert_array_equal(tz.real(z), Z.real)
    np.testing.assert_array_equal(tz.astype(tz.tensor(REAL), "complex64"), REAL)
    gradient = tz.grad(lambda x: tz.sum(tz.abs(tz.astype(x, "complex128") * z) ** 2))(tz.tensor(REAL))
    np.testing.assert_allclose(gradient, 2 * REAL * abs(Z) ** 2)


def test_lengths_are_of_real_numbers():
    with pytest.raises(DTypeError, match=r"hypot does not take complex128\n.*float"):
        tz.hypot(tz.tensor(Z), tz.tensor(Z))


def test_flags_take_their_names():
    x = tz.tensor([-1.0, 0.5])
    assert tz.gelu(x, approximate="none").tolist() == tz.gelu(x).tolist()
    assert tz.gelu(x, approximate="tanh").tolist() == tz.gelu(x, approximate=True).tolist() != tz.gelu(x).tolist()
    with pytest.raises(ArgumentError, match="approximate='erf'"):
        tz.gelu(x, approximate="erf")
