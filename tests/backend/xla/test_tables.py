"""The table of the XLA backend is whole, and uses JAX by its public API only."""

import ast
from pathlib import Path

import jax
import numpy as np
import pytest
from helpers import same_bits

import tarazu as tz
from tarazu.backend.numpy.philox import random_bits
from tarazu.backend.xla import backend
from tarazu.backend.xla.rules.table import ROWS
from tarazu.base.errors import ArgumentError
from tarazu.ir import op as ops
from tarazu.ir.op import ALL
from tarazu.runtime.compile import compile_graph

FOLDER = Path(backend.__file__).parent


def test_every_primitive_has_a_row_and_every_row_a_primitive():
    missing = [op.name for op in ALL if op not in ROWS]
    assert not missing, f"tarazu/backend/xla/rules/, in ROWS of the file of their family, lacks: {', '.join(missing)}"
    assert set(ROWS) <= set(ALL)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.name)
def test_jax_is_used_by_its_public_api(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        names += [f"{node.module}.{name}" for name in names] if isinstance(node, ast.ImportFrom) else []
        names += [ast.unparse(node)] if isinstance(node, ast.Attribute) else []
        private = [name for name in names if name.startswith("jax") and ("._" in name or "jax.experimental" in name)]
        assert not private, f"{path.name} uses {private}"


@pytest.mark.parametrize("shape", [(), (1,), (5,), (3, 7), (1000,), (0, 3)])
def test_random_bits_are_the_same_bits(shape):
    state = np.array([123456789, 4000000000, 4294967295, 7], np.uint32)
    found = backend.BACKEND.primitive(ops.RANDOM_BITS, {"shape": shape})(state)
    assert same_bits(found, random_bits(state, shape))


def test_settings_of_jax_stay_as_they_are():
    before = jax.config.jax_enable_x64
    x = tz.jit(lambda x: x * 2)(tz.ones(2, dtype="float64", device="xla:0"))
    assert x.dtype is tz.float64 and jax.config.jax_enable_x64 is before
    assert jax.numpy.ones(2).dtype == np.float32


def looping(c, bound):
    return tz.while_loop(lambda c: c < 100, lambda c: c + 1, c, bound=bound)


@pytest.mark.parametrize("function", [
    lambda x: looping(x, 9),
    lambda x: tz.scan(lambda c, y: (looping(c, 9), y), x, tz.ones(3))[0],
    lambda x: tz.cond(x > 0, lambda x: looping(x, 9), lambda x: x, x),
    lambda x: tz.while_loop(lambda c: c < 300, lambda c: looping(c, 9), x)], ids=["alone", "scan", "cond", "while"])
def test_a_bound_that_is_reached_raises(function):
    x = tz.tensor(1.0, device="xla:0")
    with pytest.raises(ArgumentError, match="the condition still holds after bound=9 steps"):
        tz.jit(function)(x)
    with pytest.raises(ArgumentError, match="the condition still holds after bound=9 steps"):
        function(x)


def test_a_bound_that_is_not_reached_does_not():
    x = tz.tensor(95.0, device="xla:0")
    assert tz.jit(lambda x: looping(x, 9))(x).item() == 100.0


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_the_last_of_equal_places_is_set(dtype):
    x = tz.zeros(5, dtype=dtype, device="xla:0")
    places = np.array([1, 1, -4, 1, 3, 4])  # -4 is 1 too
    x[places] = np.arange(1, 7)
    assert x.tolist() == [0, 4, 0, 5, 6]


def test_indices_are_clamped():
    x = tz.arange(3, device="xla:0")
    assert x[tz.tensor([5, -7, -1])].tolist() == [2, 0, 2]


def test_long_sums_keep_their_digits():
    x = np.random.default_rng(0).uniform(0, 1, (200_000, 3)).astype(np.float32)
    for axis in (0, None):
        found = tz.sum(tz.tensor(x, device="xla:0"), axis=axis).numpy()
        np.testing.assert_allclose(found, x.astype(np.float64).sum(axis), rtol=2e-6)


def test_a_program_takes_arrays_of_both_kinds_and_shares_no_memory():
    graph = tz.trace(lambda x, y: (x + y, x))(np.ones(3, np.float32), np.ones(3, np.float32))
    x = np.ones(3, np.float32)
    total, same = compile_graph(graph, "xla")(x, jax.device_put(x))
    x[:] = 7
    assert np.asarray(total).tolist() == [2.0] * 3 and np.asarray(same).tolist() == [1.0] * 3
