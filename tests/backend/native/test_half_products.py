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
