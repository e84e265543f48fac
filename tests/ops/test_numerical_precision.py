"""What is left of a result of many numbers, and gradients at places where a formula alone would give nan."""

import math

import numpy as np
import pytest

import tarazu as tz

HALF = ["float16", "bfloat16"]


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize(("shape", "axis"), [((2000,), 0), ((2000, 3), 0), ((3, 2000), 1), ((200, 10, 3), (0, 1))])
def test_half_precision_is_summed_in_single(dtype, shape, axis):
    x = tz.ones(shape, dtype=dtype)
    assert set(np.ravel(tz.sum(x, axis).tolist())) == {2000}
    assert tz.sum(x, axis).dtype is x.dtype


@pytest.mark.parametrize("dtype", HALF)
def test_running_sums_and_products_of_half_precision(dtype):
    step = tz.full(1024, 2.0**-10, dtype=dtype)
    assert tz.cumulative_sum(step)[-1].item() == 1
    x = tz.tensor([1 + 2.0**-7] * 64, dtype=dtype)
    expected = (1 + 2.0**-7) ** 64
    assert tz.prod(x).item() == pytest.approx(expected, rel=2.0**-8)
    assert tz.cumulative_prod(x)[-1].item() == pytest.approx(expected, rel=2.0**-8)


def test_means_of_half_precision_do_not_overflow_on_the_way():
    x = tz.tensor([300.0, 100.0] * 500, dtype="float16")
    assert tz.mean(x).item() == 200
    assert tz.var(x).item() == 10_000
    assert tz.std(x).item() == 100
    assert tz.mean(x).dtype is tz.var(x).dtype is tz.float16


@pytest.mark.parametrize("axis", [0, (0, 1)])
def test_long_sums_along_the_first_axis_keep_their_digits(axis):
    x = tz.full((500_000, 1, 2), 0.1)
    assert tz.sum(x, axis).flatten().tolist() == pytest.approx([50_000] * 2, rel=1e-6)
    assert tz.mean(x, 0).flatten().tolist() == pytest.approx([0.1] * 2, rel=1e-6)
    assert tz.cumulative_sum(x, 0)[-1].flatten().tolist() == pytest.approx([50_000] * 2, rel=1e-6)
    assert tz.sum(x, axis).dtype is tz.float32


@pytest.mark.parametrize("dtype", [*HALF, "float32", "float64"])
def test_logarithms_of_whole_powers_are_exact(dtype):
    powers = np.arange(-14, 15)
    assert tz.log2(tz.tensor(2.0**powers, dtype=dtype)).tolist() == powers.tolist()
    assert tz.log10(tz.tensor([1.0, 10, 100, 1000], dtype=dtype)).tolist() == [0, 1, 2, 3]


def test_logarithms_beyond_the_powers():
    x = tz.tensor([0.0, -1.0, math.inf, math.nan, 3.0])
    np.testing.assert_allclose(tz.log2(x).numpy(), [-math.inf, math.nan, math.inf, math.nan, math.log2(3)], rtol=1e-6)
    assert tz.grad(tz.log2)(tz.tensor(8.0)).item() == pytest.approx(1 / (8 * math.log(2)))


def test_the_gradient_of_std_is_0_where_nothing_varies():
    assert tz.grad(lambda x: tz.std(x))(tz.ones(3)).tolist() == [0, 0, 0]


def test_the_gradient_of_pow_at_exponent_0():
    assert tz.grad(lambda x: tz.sum(x**0.0))(tz.tensor([0.0, math.inf, 2.0])).tolist() == [0, 0, 0]
    mixed = tz.grad(lambda y: tz.grad(lambda x: x**y)(tz.tensor(2.0)))(tz.tensor(0.0))
    assert mixed.item() == 0.5  # of y * x ** (y - 1) by y


@pytest.mark.parametrize(("function", "places"), [
    (tz.relu, [0.0]), (tz.relu6, [0.0, 6.0]), (tz.hard_tanh, [-1.0, 1.0]), (tz.hard_sigmoid, [-3.0, 3.0])])
def test_the_gradient_at_the_kinks_of_straight_lines_is_0(function, places):
    assert tz.grad(lambda x: tz.sum(function(x)))(tz.tensor(places)).tolist() == [0] * len(places)


def test_an_update_that_a_later_one_replaces_has_no_gradient():
    def assigned(updates):
        x = tz.zeros(3, 2)
        x[[0, 2, 0]] = updates
        return tz.sum(x * tz.tensor([[2.0], [3.0], [4.0]]))

    updates = tz.tensor(np.arange(6.0).reshape(3, 2), dtype="float32")
    assert tz.grad(assigned)(updates).tolist() == [[0, 0], [4, 4], [2, 2]]


@pytest.mark.parametrize(("x", "y"), [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((4, 3), (3, 2)), ((0, 3), (3, 2)),
                                      ((2, 0), (0, 3)), ((0,), (0,))])
def test_products_of_vectors_and_matrices_with_their_gradients(x, y):
    random = np.random.default_rng(0)
    a, b = random.normal(size=x), random.normal(size=y)
    first, second = tz.tensor(a, requires_grad=True), tz.tensor(b, requires_grad=True)
    product = first @ second
    np.testing.assert_allclose(product.numpy(), a @ b, atol=1e-12)
    g = random.normal(size=product.shape)
    product.backward(tz.tensor(g))
    rows, columns = a if len(x) == 2 else a[None], b if len(y) == 2 else b[:, None]
    wide = g.reshape(rows.shape[0], columns.shape[1])
    np.testing.assert_allclose(first.grad.numpy(), (wide @ columns.T).reshape(x), atol=1e-12)
    np.testing.assert_allclose(second.grad.numpy(), (rows.T @ wide).reshape(y), atol=1e-12)


@pytest.mark.parametrize("dtype", HALF)
def test_half_precision_is_squared_and_summed_in_single(dtype):
    x, ones = tz.tensor([300, 1, -2], dtype), tz.ones(1, 2048, 1, dtype=dtype)
    exact = x.numpy().astype("float64")
    wanted = {
        "rms_norm": (tz.rms_norm(x, 1.0), exact / np.sqrt((exact**2).mean())),
        "rms_norm, weights": (tz.rms_norm(x, tz.ones(3)), exact / np.sqrt((exact**2).mean())),
        "layer_norm": (tz.layer_norm(x, tz.ones(3), tz.zeros(3)), (exact - exact.mean()) / exact.std()),
        "batch_norm": (tz.batch_norm(x[:, None], tz.ones(1), tz.ones(1)), exact[:, None] - 1),
        "vector_norm": (tz.linalg.vector_norm(x), np.linalg.norm(exact)),
        "vector_norm 3": (tz.linalg.vector_norm(x, ord=3), np.linalg.norm(exact, 3)),
        "matrix_norm": (tz.linalg.matrix_norm(x[None]), np.linalg.norm(exact)),
        "std": (tz.std(x * 2), 2 * exact.std()),
        "mse": (tz.nn.mse(x, tz.zeros(3)), (exact**2).mean()),
        "average_pool": (tz.average_pool(ones, 1024, stride=512), np.ones((1, 3, 1))),
        "segment_sum": (tz.segment_sum(ones[0], tz.zeros(2048, dtype="int64"), 1), [[2048]]),
        "gradient of take": (tz.grad(lambda x: tz.sum(tz.take(x, tz.zeros(2048, dtype="int64"))))(x), [2048, 0, 0]),
    }
    for name, (result, expected) in wanted.items():
        assert str(result.dtype) == dtype, name
        np.testing.assert_allclose(result.numpy().astype("float64"), expected, rtol=2**-7, atol=2**-10, err_msg=name)


def gradient(function, *places):
    return tz.jit(tz.grad(lambda x: tz.sum(function(x))))(tz.tensor(places)).tolist()


def test_gradients_where_torch_has_one():
    for function in (tz.relu6, tz.hard_tanh, tz.hard_sigmoid):
        assert gradient(function, math.nan) == [0]
        assert math.isnan(function(tz.tensor(math.nan)).item())
    assert gradient(lambda y: tz.tensor(0.0) ** y, -1.0, 0.0, 2.0) == [-math.inf, 0, 0]
    assert gradient(lambda x: tz.copysign(x, -1.0), 0.0, -0.0, 2.0, -2.0) == [0, 0, -1, 1]
    assert gradient(lambda x: tz.nextafter(x, 3.0), 2.0, 3.0, -0.0) == [1, 1, 1]
    assert gradient(lambda x: tz.leaky_relu(x, 0.25), -1.0, 0.0, 1.0) == [0.25, 0.25, 1]


def test_neighbors_keep_every_bit():
    x, y = np.float32([-1e-45, 0, -0.0, 1, np.inf, -np.inf, np.nan, 3e38]), np.float32([0, 1, -1, 2, 0, 0, 0, np.inf])
    with np.errstate(all="ignore"):
        expected = np.nextafter(x, y)
    for function in (tz.nextafter, tz.jit(tz.nextafter)):
        result = function(tz.tensor(x), tz.tensor(y)).numpy()
        np.testing.assert_array_equal(result.view("int32"), expected.view("int32"))


@pytest.mark.parametrize(("dtype", "x"), [("float16", -12.0), ("float16", -15.0), ("bfloat16", -90.0),
                                          ("float32", -90.0), ("float64", -740.0)])
def test_sigmoids_of_large_negative_numbers_keep_their_digits(dtype, x):
    found, wanted = tz.sigmoid(tz.tensor(x, dtype=dtype)), tz.exp(tz.tensor(x, dtype="float64")).astype(dtype)
    np.testing.assert_allclose(found.astype("float64").numpy(), wanted.astype("float64").numpy(), rtol=1e-2)
    assert found.item() > 0
