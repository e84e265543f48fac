"""The kernels that are no affine loops, against NumPy's, as a whole and in shares."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from kernel_runs import compiled, kernel_text, node_of

from tarazu.backend.native.kernels.special import SPECIAL
from tarazu.backend.native.llvm.assemble import object_code
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import aarch64, host
from tarazu.backend.numpy.kernels import KERNELS
from tarazu.ir import op as ops
from tarazu.ir.op import Op

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "bfloat16", "float32", "float64")
DTYPES = ("bool", *INTEGERS, *FLOATS)


def drawn(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, special: bool = True) -> np.ndarray:
    """Numbers with ties; floats with zeros of both signs, infinities and, one in sixteen, nan."""
    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype in INTEGERS:
        info = np.iinfo(kind)
        wide = rng.integers(info.min, info.max, shape, kind, endpoint=True)
        return np.where(rng.random(shape) < 0.5, wide, rng.integers(max(info.min, -3), 3, shape).astype(kind))
    if not special:
        return rng.normal(size=shape).astype(kind)
    odd = rng.choice([0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 1, 2], shape)
    return np.where(rng.random(shape) < 0.5, odd, rng.normal(size=shape)).astype(kind)


def assert_same_bits(found: np.ndarray, wanted: np.ndarray) -> None:
    bits = f"u{found.itemsize}"
    np.testing.assert_array_equal(found.reshape(-1).view(bits), wanted.reshape(-1).view(bits))


def check(op: Op, inputs: list[np.ndarray], **attributes: object) -> None:
    """The kernel gives what NumPy's does, bit by bit."""
    expected = KERNELS[op](*inputs, **attributes)
    expected = [np.asarray(x) for x in (expected if op.multiple else [expected])]
    run = compiled(node_of(op, inputs, attributes))
    for shares in (1, 3):
        for found, wanted in zip(run(inputs, shares), expected, strict=True):
            assert found.dtype == wanted.dtype and found.shape == wanted.shape
            assert_same_bits(found, wanted)


# Gather and scatter

CASES = [((5, 7), (0,), [(4,)]), ((5, 7), (1,), [(3, 2)]), ((5, 7), (0, 1), [(6,), (6,)]), ((9,), (0,), [()]),
         ((5, 7), (0, 1), [(6, 1), (1, 4)]), ((3, 4, 5), (1,), [(2,)]), ((3, 4, 5), (2, 0), [(2, 3), (3,)]),
         ((3, 4, 5), (0, 2), [(7,), ()]), ((1, 4, 70), (1,), [(9,)]), ((1, 1, 7), (0, 1), [(3,), (3,)]),
         ((6, 300), (0,), [(4,)]), ((5, 3), (0,), [(0,)]), ((5, 0), (0,), [(2,)]), ((1, 6), (0,), [(4,)])]


def indices_for(rng: np.random.Generator, shape: tuple, axes: tuple, shapes: list, dtype: str) -> list[np.ndarray]:
    return [rng.integers(0 if dtype[0] == "u" else -shape[axis], shape[axis], index).astype(dtype)
            for axis, index in zip(axes, shapes, strict=True)]


@pytest.mark.parametrize(("shape", "axes", "shapes"), CASES)
@pytest.mark.parametrize("dtype", ["float32", "bool"])
def test_gather_and_scatter_move_what_numpy_does(shape, axes, shapes, dtype):
    rng = np.random.default_rng(1)
    x, indices = drawn(rng, shape, dtype), indices_for(rng, shape, axes, shapes, "int64")
    check(ops.GATHER, [x, *indices], axes=axes)
    updates = drawn(rng, KERNELS[ops.GATHER](x, *indices, axes=axes).shape, dtype)
    check(ops.SCATTER_SET, [x, updates, *indices], axes=axes)


@pytest.mark.parametrize(("shape", "axes", "shapes"), CASES)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_scatter_adds_as_numpy_does(shape, axes, shapes, dtype):
    rng = np.random.default_rng(2)
    x, indices = drawn(rng, shape, dtype, special=False), indices_for(rng, shape, axes, shapes, "int32")
    updates = drawn(rng, KERNELS[ops.GATHER](x, *indices, axes=axes).shape, dtype, special=False)
    check(ops.SCATTER_ADD, [x, updates, *indices], axes=axes)


@pytest.mark.parametrize("dtype", DTYPES)
def test_indexing_takes_all_dtypes(dtype):
    rng = np.random.default_rng(3)
    x, index = drawn(rng, (5, 21), dtype, special=False), rng.integers(-5, 5, 40)
    updates = drawn(rng, (40, 21), dtype, special=False)
    check(ops.GATHER, [x, index], axes=(0,))
    check(ops.SCATTER_ADD, [x, updates, index], axes=(0,))
    check(ops.SCATTER_SET, [x, updates, index], axes=(0,))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_indices_of_all_dtypes(dtype):
    rng = np.random.default_rng(4)
    x = drawn(rng, (100, 3), "float32")
    check(ops.GATHER, [x, *indices_for(rng, x.shape, (0,), [(50,)], dtype)], axes=(0,))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_indices_out_of_range_are_clamped(dtype):
    x, info = np.arange(5.0), np.iinfo(dtype)
    index = np.array([4, 5, 100, info.max, info.min, max(info.min, -6), max(info.min, -1)], dtype)
    clamped = [4, 4, 4, 4, 0, 0, 0 if dtype[0] == "u" else 4]
    found, = compiled(node_of(ops.GATHER, [x, index], {"axes": (0,)}))([x, index])
    np.testing.assert_array_equal(found, clamped)
    inputs = [np.zeros(5), np.ones(7), index]
    found, = compiled(node_of(ops.SCATTER_ADD, inputs, {"axes": (0,)}))(inputs, 3)
    np.testing.assert_array_equal(found, np.bincount(clamped, minlength=5))


def test_of_equal_places_the_last_is_set_and_all_are_added_in_order():
    x, index = np.zeros((3, 2), np.float32), np.array([1, 1, -2, 0, 1])
    updates = np.array([[1e8, 1], [1, 2], [-1e8, 3], [5, 4], [0.5, 5]], np.float32)
    check(ops.SCATTER_ADD, [x, updates, index], axes=(0,))
    check(ops.SCATTER_SET, [x, updates, index], axes=(0,))


def test_the_pick_of_a_label_per_row():
    rng = np.random.default_rng(5)
    x, rows, labels = drawn(rng, (64, 10), "float32"), np.arange(64), rng.integers(0, 10, 64)
    check(ops.GATHER, [x, rows, labels], axes=(0, 1))
    check(ops.SCATTER_ADD, [np.zeros_like(x), np.ones(64, np.float32), rows, labels], axes=(0, 1))


@pytest.mark.parametrize("op", [ops.GATHER, ops.SCATTER_SET])
def test_an_empty_axis_cannot_be_indexed(op):
    x, index = np.zeros((0, 3)), np.zeros(2, np.int64)
    inputs = [x, index] if op is ops.GATHER else [x, np.zeros((2, 3)), index]
    node = node_of(op, inputs, {"axes": (0,)})
    assert SPECIAL[op](Module(), host(), "kernel", node) is None


# Sorts, extrema, running sums

SHAPES = [((10,), 0), ((1,), 0), ((0,), 0), ((97, 3), 0), ((3, 2), 1), ((4, 0, 2), 0), ((4, 0, 2), 1), ((5, 33), 1),
          ((2, 9, 37), 1), ((300,), 0), ((7, 1), 1), ((2, 5, 16), 1), ((64, 10), 1)]


def check_sort(x: np.ndarray, axis: int) -> None:
    order = np.argsort(x.astype(np.float32) if x.itemsize == 2 else x, axis, kind="stable")  # not of bfloat16 with nan
    run = compiled(node_of(ops.SORT, [x], {"axis": axis}))
    for shares in (1, 3):
        values, places = run([x], shares)
        np.testing.assert_array_equal(places, order)
        assert_same_bits(values, np.take_along_axis(x, order, axis))


@pytest.mark.parametrize(("shape", "axis"), SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sort(shape, axis, dtype):
    check_sort(drawn(np.random.default_rng(6), shape, dtype), axis)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", [40, 400])
def test_sort_of_all_dtypes(dtype, length):
    check_sort(drawn(np.random.default_rng(7), (length, 2), dtype), 0)


@pytest.mark.parametrize("op", [ops.ARGMAX, ops.ARGMIN])
@pytest.mark.parametrize(("shape", "axis"), [(shape, axis) for shape, axis in SHAPES if shape[axis]])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extrema(op, shape, axis, dtype):
    check(op, [drawn(np.random.default_rng(8), shape, dtype)], axis=axis)


@pytest.mark.parametrize("op", [ops.ARGMAX, ops.ARGMIN])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", DTYPES)
def test_extrema_of_all_dtypes(op, axis, dtype):
    rng = np.random.default_rng(9)
    check(op, [drawn(rng, (70, 50), dtype)], axis=axis)
    check(op, [drawn(rng, (70, 50), dtype, special=False)], axis=axis)


@pytest.mark.parametrize("op", [ops.CUMSUM, ops.CUMPROD])
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_running_sums_and_products(op, shape, axis):
    check(op, [drawn(np.random.default_rng(10), shape, "float32", special=False)], axis=axis)


@pytest.mark.parametrize("op", [ops.CUMSUM, ops.CUMPROD])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS])
def test_running_sums_and_products_of_all_dtypes(op, axis, dtype):
    check(op, [drawn(np.random.default_rng(11), (9, 37), dtype, special=False)], axis=axis)


def test_a_running_sum_keeps_the_sign_of_zeros():
    check(ops.CUMSUM, [np.array([-0.0, -0.0, 0.0, -0.0], np.float32)], axis=0)


# Random bits

@pytest.mark.parametrize("shape", [(), (0,), (1,), (31,), (32,), (33,), (7, 100), (1000, 3)])
def test_random_bits_are_those_of_numpy(shape):
    state = np.random.default_rng(12).integers(0, 2**32, 4, np.uint32)
    check(ops.RANDOM_BITS, [state], shape=shape)


# Other processors

def _examples() -> list:
    x, index = np.zeros((40, 37), np.float32), np.zeros(8, np.int32)
    rows = np.zeros((8, 37), np.float32)
    examples = [(ops.GATHER, [x, index], {"axes": (0,)}),
                (ops.GATHER, [np.zeros((40, 300)), index], {"axes": (0,)}),
                (ops.SCATTER_SET, [x, rows, index], {"axes": (0,)}),
                (ops.RANDOM_BITS, [np.zeros(4, np.uint32)], {"shape": (101,)})]
    for dtype in (*FLOATS, "int8", "uint64"):
        x, wide = (np.zeros(shape, getattr(ml_dtypes, dtype, dtype)) for shape in ((40, 37), (400, 2)))
        examples += [(op, [x], {"axis": axis}) for axis in (0, 1)
                     for op in (ops.SORT, ops.CUMSUM, ops.CUMPROD, ops.ARGMAX, ops.ARGMIN)]
        examples += [(ops.SORT, [wide], {"axis": 0}), (ops.SCATTER_ADD, [x, x[:8], index], {"axes": (0,)})]
    return examples


@pytest.mark.parametrize("target", [host("avx2"), host("sse"), aarch64()], ids=["avx2", "sse", "aarch64"])
def test_code_for_other_processors(target):
    for op, inputs, attributes in _examples():
        text, _ = kernel_text(node_of(op, inputs, attributes), target)
        assert object_code(text, target)


@pytest.mark.parametrize("narrowed", ["avx2", "sse"])
def test_narrow_vectors_give_the_same(narrowed):
    rng = np.random.default_rng(13)
    for op, inputs, attributes in _examples():
        inputs = [drawn(rng, x.shape, str(x.dtype), special=False) if x.dtype != np.int32 else x for x in inputs]
        expected = KERNELS[op](*inputs, **attributes)
        run = compiled(node_of(op, inputs, attributes), host(narrowed))
        for found, wanted in zip(run(inputs, 2), expected if op.multiple else [expected], strict=True):
            np.testing.assert_array_equal(found, wanted)
