"""Products of halves: float32 sums of the rounded factors in register tiles, rounded once."""

from __future__ import annotations

import numpy as np
import pytest

import tarazu as tz


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize(("rows", "depth", "columns"), [(1, 1, 3), (7, 33, 17), (32, 65, 40)])
def test_products_are_float32_sums_of_the_rounded_factors(rows: int, depth: int, columns: int, dtype: str) -> None:
    generator = np.random.default_rng(0)
    a = tz.tensor(generator.normal(size=(rows, depth)).astype(np.float32)).astype(dtype)
    b = tz.tensor(generator.normal(size=(depth, columns)).astype(np.float32)).astype(dtype)
    result = tz.jit(lambda a, b: a @ b)(a, b)
    expected = a.astype("float32").numpy().astype(np.float64) @ b.astype("float32").numpy()
    assert str(result.dtype).endswith(dtype)
    np.testing.assert_allclose(result.astype("float32").numpy(), expected, rtol=2.0**-8 if dtype == "bfloat16" else
                               2.0**-10, atol=1e-4)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_products_of_halves_have_register_tiles(dtype: str) -> None:
    a = tz.zeros((64, 128)).astype(dtype)
    b = tz.zeros((128, 64)).astype(dtype)
    product = tz.jit(lambda a, b: a @ b)
    product(a, b)
    assert "tile " in product.native_text()


def test_a_factor_that_several_products_read_is_copied_once() -> None:
    def step(a: tz.Tensor, w: tz.Tensor) -> tuple[tz.Tensor, tz.Tensor]:
        hidden = a @ w
        return hidden, hidden @ w.T

    product = tz.jit(step)
    product(tz.zeros((64, 128), dtype="bfloat16"), tz.zeros((128, 96), dtype="bfloat16"))
    assert product.native_text().count("128 x 96: cast") == 1


def test_a_loop_does_not_copy_the_factors_that_it_does_not_change() -> None:
    def step(state: tz.Tensor, x: tz.Tensor) -> tuple[tz.Tensor, tz.Tensor]:
        state = tz.tanh(state @ weight + x)
        return state, state * weight[0]

    weight = tz.tensor(np.random.default_rng(0).normal(size=(48, 48)) / 8).astype("bfloat16")
    rows = tz.tensor(np.random.default_rng(1).normal(size=(5, 16, 48))).astype("bfloat16")
    start = tz.zeros((16, 48), dtype="bfloat16")
    loop = tz.jit(lambda start, rows: tz.scan(step, start, rows)[1])
    wanted, state = [], start
    for row in rows:
        state, out = step(state, row)
        wanted.append(out.astype("float32").numpy())
    np.testing.assert_allclose(loop(start, rows).astype("float32").numpy(), np.stack(wanted), rtol=2.0**-6,
                               atol=2.0**-8)
    before, turn = loop.native_text().split("loop 5 turns")
    assert "48 x 48: cast" in before and "48 x 48: cast" not in turn


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_convolutions_and_their_gradients_are_float32_sums_rounded_once(dtype: str) -> None:
    def both(x: tz.Tensor, w: tz.Tensor) -> tuple[tz.Tensor, ...]:
        out, back = tz.vjp(lambda x, w: tz.conv2d(x, w, padding="same"), x, w)
        return out, *back(tz.ones_like(out))

    generator = np.random.default_rng(0)
    x, w = [tz.tensor(generator.normal(size=size)).astype(dtype) for size in ((2, 9, 7, 5), (3, 3, 5, 19))]
    step = tz.jit(both)
    wanted = step(x.astype("float64"), w.astype("float64"))
    for got, exact in zip(step(x, w), wanted, strict=True):
        largest = abs(exact.numpy()).max()
        np.testing.assert_allclose(got.astype("float32").numpy(), exact.numpy(), rtol=2.0**-8, atol=2e-5 * largest)


def test_nan_and_infinity_stay_what_they_are_between_rounded_operations() -> None:
    bits = np.array([0x7F800001, 0x7FFFFFFF, 0xFFFFFFFF, 0x7F800000, 0xFF800000, 0x7F7FFFFF], np.uint32)
    x = tz.tensor(bits.view(np.float32))
    y = tz.jit(lambda x: tz.relu(x.astype("bfloat16") * 2) * 0.5 + 1)(x).astype("float32").numpy()
    assert np.isnan(y[:3]).all() and y[3] == np.inf and y[4] == 1 and y[5] == np.inf


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_sums_are_rounded_before_what_follows(dtype: str) -> None:
    x = tz.tensor(np.random.default_rng(0).normal(size=(64, 100))).astype(dtype)
    for function in (lambda x: -x.sum(1), lambda x: tz.maximum(x.sum(1), 0), lambda x: x.sum(1) + 1):
        np.testing.assert_array_equal(tz.jit(function)(x).numpy(), function(x).numpy())


def test_gelu_and_softmax_are_rounded_once() -> None:
    x = tz.tensor(np.random.default_rng(0).normal(size=(8, 33))).astype("bfloat16")
    for function in (tz.gelu, tz.softmax, tz.log_softmax):
        wanted = function(x.astype("float32")).astype("bfloat16")
        np.testing.assert_array_equal(function(x).numpy(), wanted.numpy())


def test_a_product_is_stored_with_its_bias_where_several_read_that() -> None:
    def step(x: tz.Tensor, w: tz.Tensor, b: tz.Tensor) -> tuple[tz.Tensor, ...]:
        y = x @ w + b
        return y * 2, tz.tanh(y[:, ::2]).sum(1)

    product = tz.jit(step)
    product(*[tz.zeros(shape, dtype="bfloat16") for shape in ((512, 64), (64, 512), (512,))])
    (line,) = [line for line in product.native_text().splitlines() if "_dot" in line]
    assert "add" in line
