"""Every elementwise row of the native backend against the NumPy kernels, on special and random values."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from row_runs import Array, compiled, text

import tarazu as tz
from tarazu.backend.native.llvm.assemble import assembly
from tarazu.backend.native.llvm.target import aarch64, host
from tarazu.backend.native.llvm.values import constant
from tarazu.backend.native.math.elementwise import EMIT, UNSUPPORTED
from tarazu.backend.numpy.kernels import KERNELS
from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType

REAL = [dtype for dtype in dtypes.ALL if dtype.kind != "complex"]
LANES = (0, 4, 16)
BINARY = [ops.ADD, ops.SUB, ops.MUL, ops.DIV, ops.FLOOR_DIVIDE, ops.REMAINDER, ops.POW, ops.ATAN2, ops.MAXIMUM,
          ops.MINIMUM, ops.EQUAL, ops.NOT_EQUAL, ops.LESS, ops.LESS_EQUAL, ops.GREATER, ops.GREATER_EQUAL, ops.AND,
          ops.OR, ops.XOR, ops.SHIFT_LEFT, ops.SHIFT_RIGHT]
WITH_A_TEST_EACH = [ops.WHERE, ops.CAST, ops.BITCAST, ops.POLYGAMMA]  # below: more inputs, or attributes
UNARY = [op for op in EMIT if op not in (*BINARY, *WITH_A_TEST_EACH)]
EXACT = {ops.NEG, ops.ABS, ops.SIGN, ops.FLOOR, ops.CEIL, ops.ROUND, ops.TRUNC, ops.SQRT, ops.ADD, ops.SUB, ops.MUL,
         ops.DIV, ops.REMAINDER, ops.FLOOR_DIVIDE, ops.STOP_GRADIENT}


def takes(op: Op, dtype: DType, count: int) -> bool:
    try:
        op.rule(op.name, *[TensorType((1,), dtype)] * count)
    except TypeError:
        return False
    return True


def result_type(op: Op, dtype: DType, count: int) -> DType:
    return op.rule(op.name, *[TensorType((1,), dtype)] * count).dtype


def samples(dtype: DType) -> Array:
    """Special values and random ones."""
    draw = np.random.default_rng(1)
    if dtype.kind == "bool":
        return np.array([False, True])
    if dtype.is_integer:
        limits = np.iinfo(dtype.numpy)
        special = [limits.min, limits.min + 1, limits.max, limits.max - 1, 0, 1, 2, 3, 5, 7, 8, 9, 31, 33, 63, 64, 100]
        special += [-1, -2, -3, -8, -64] if dtype.kind == "int" else []
        spread = draw.integers(limits.min, limits.max, 8, dtype.numpy, endpoint=True)
        return np.concatenate([np.array(special, dtype.numpy), spread])
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 2, 3, -3, 0.1, 700.0, -700.0, 1e4]
    spread = np.concatenate([draw.normal(size=12), draw.normal(size=6) * 30])
    wide = np.float64 if dtype is dtypes.float64 else np.float32
    limits = np.finfo(wide)
    edges = [limits.tiny, limits.smallest_subnormal, limits.max] if wide == dtype.numpy else []
    return np.concatenate([special, spread, edges]).astype(dtype.numpy)


def pairs(dtype: DType) -> tuple[Array, Array]:
    values = samples(dtype)
    first, second = zip(*itertools.product(values, values), strict=True)
    return np.array(first, dtype.numpy), np.array(second, dtype.numpy)


def assert_matches(got: Array, wanted: Array, op: Op, inputs: tuple[Array, ...], dtype: DType) -> None:
    if wanted.dtype.kind in "biu":
        wrong = got != wanted
    else:
        wrong = _differ(got.astype(np.float64), wanted.astype(np.float64), op, dtype)
    shown = [tuple(x[i] for x in (*inputs, got, wanted)) for i in np.flatnonzero(wrong)[:6]]
    assert not wrong.any(), f"{op.name} {dtype}: inputs, got, wanted: {shown}"


def _differ(got: Array, wanted: Array, op: Op, dtype: DType) -> Array:
    bits = {"float16": 10, "bfloat16": 7, "float32": 23, "float64": 52}[dtype.name]
    # NumPy's own errors are in it; its lgamma is no better than 1e-14
    units = 0 if op in EXACT else 1 if dtype.itemsize == 2 else 100 if op is ops.LGAMMA else 5
    with np.errstate(all="ignore"):
        allowed = 2.0**-120 * (units > 0) + np.abs(wanted) * units * 2.0**-bits
        close = (np.abs(got - wanted) <= allowed) | (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    return ~close | ((got == 0) & (wanted == 0) & (np.signbit(got) != np.signbit(wanted))
                     & (op not in (ops.MAXIMUM, ops.MINIMUM, ops.SIGN)))


def numpy_result(op: Op, inputs: tuple[Array, ...], **attributes: object) -> Array:
    with np.errstate(all="ignore"):
        if op is ops.SIGMOID and inputs[0].dtype.itemsize == 2:  # there exp overflows too early
            return KERNELS[op](inputs[0].astype(np.float32)).astype(inputs[0].dtype)
        return np.asarray(KERNELS[op](*inputs, **attributes))


@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.name)
def test_rows_of_one_input_follow_the_numpy_kernels(op: Op) -> None:
    for dtype in REAL:
        if not takes(op, dtype, 1):
            continue
        inputs = (samples(dtype),)
        wanted = numpy_result(op, inputs)
        for lanes in LANES:
            got = compiled(op, [dtype], dtype, lanes=lanes)(*inputs)
            assert_matches(got, wanted, op, inputs, dtype)


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.name)
def test_rows_of_two_inputs_follow_the_numpy_kernels(op: Op) -> None:
    for dtype in REAL:
        if not takes(op, dtype, 2):
            continue
        inputs = pairs(dtype)
        if op is ops.POW and dtype.kind == "int":
            inputs = tuple(x[inputs[1] >= 0] for x in inputs)
        wanted = numpy_result(op, inputs)
        for lanes in LANES:
            got = compiled(op, [dtype, dtype], result_type(op, dtype, 2), lanes=lanes)(*inputs)
            assert_matches(got, wanted, op, inputs, dtype)


@pytest.mark.parametrize("source", REAL, ids=str)
def test_casts_follow_the_numpy_kernels(source: DType) -> None:
    for dtype in REAL:
        values = samples(source)
        if source.is_float and dtype.is_integer:  # elsewhere NumPy's results depend on its build
            with np.errstate(invalid="ignore"):
                limits = np.iinfo(dtype.numpy)
                wide = values.astype(np.float64)
                values = values[(wide > float(limits.min) - 1) & (wide < float(limits.max))]
        wanted = numpy_result(ops.CAST, (values,), dtype=dtype)
        for lanes in LANES:
            got = compiled(ops.CAST, [source], dtype, lanes=lanes, dtype=dtype)(values)
            assert_matches(got, wanted, ops.STOP_GRADIENT, (values,), dtype)


@pytest.mark.parametrize("dtype", [dtypes.int32, dtypes.int64, dtypes.uint64], ids=str)
@pytest.mark.parametrize("source", [dtypes.float32, dtypes.float64], ids=str)
def test_floats_out_of_range_become_the_smallest_integer(source: DType, dtype: DType) -> None:
    values = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, -2.0**31, -2.0**31 - 0.5, -2.0**63, 2.0**63, 3e9],
                      source.numpy)
    got = compiled(ops.CAST, [source], dtype, dtype=dtype)(values)
    assert got.tolist() == numpy_result(ops.CAST, (values,), dtype=dtype).tolist()


@pytest.mark.parametrize("dtype", [dtype for dtype in REAL if dtype is not dtypes.bool_], ids=str)
def test_bit_patterns_are_kept_by_bitcasts(dtype: DType) -> None:
    values = samples(dtype)
    for other in REAL:
        if other.itemsize == dtype.itemsize and other is not dtypes.bool_:
            got = compiled(ops.BITCAST, [dtype], other, dtype=other)(values)
            wanted = values.view(other.numpy)
            assert ((got == wanted) | ((got != got) & (wanted != wanted))).all()


@pytest.mark.parametrize("dtype", REAL, ids=str)
def test_where_chooses(dtype: DType) -> None:
    x, y = pairs(dtype)
    condition = np.arange(len(x)) % 3 == 0
    for lanes in LANES:
        got = compiled(ops.WHERE, [dtypes.bool_, dtype, dtype], dtype, lanes=lanes)(condition, x, y)
        assert_matches(got, np.where(condition, x, y), ops.WHERE, (x, y), dtype)


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_polygamma_follows_the_numpy_kernel(order: int) -> None:
    for dtype in (dtypes.float32, dtypes.float64):
        values = np.concatenate([samples(dtype), -samples(dtype) - dtype.numpy.type(0.25)])
        wanted = numpy_result(ops.POLYGAMMA, (values,), order=order)
        for lanes in LANES:
            got = compiled(ops.POLYGAMMA, [dtype], dtype, lanes=lanes, order=order)(values)
            np.testing.assert_allclose(got, wanted, rtol=1e-6 if dtype is dtypes.float32 else 1e-11)


@pytest.mark.parametrize("exponent", [-2, -1, 0, 0.5, 1, 2, 3, 2.5])
@pytest.mark.parametrize("dtype", [dtypes.float32, dtypes.float64], ids=str)
def test_powers_with_a_known_exponent_are_the_same(dtype: DType, exponent: float) -> None:
    values = samples(dtype)
    type_ = "<16 x float>" if dtype is dtypes.float32 else "<16 x double>"
    got = compiled(ops.POW, [dtype], dtype, known=[constant(type_, exponent)])(values)
    wanted = numpy_result(ops.POW, (values, np.full_like(values, exponent)))
    assert_matches(got, wanted, ops.POW, (values,), dtype)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 10])
def test_integer_powers_with_a_known_exponent_are_the_same(exponent: int) -> None:
    values = samples(dtypes.int32)
    got = compiled(ops.POW, [dtypes.int32], dtypes.int32, known=[constant("<16 x i32>", exponent)])(values)
    assert got.tolist() == np.power(values, exponent).tolist()


@pytest.mark.parametrize("op", [ops.MAXIMUM, ops.MINIMUM], ids=lambda op: op.name)
@pytest.mark.parametrize("bound", [0.0, 2.0, float("nan")])
def test_bounds_that_are_known_let_nan_through(op: Op, bound: float) -> None:
    values = samples(dtypes.float32)
    got = compiled(op, [dtypes.float32], dtypes.float32, known=[constant("<16 x float>", bound)])(values)
    assert_matches(got, numpy_result(op, (values, np.full_like(values, bound))), op, (values,), dtypes.float32)


@pytest.mark.parametrize("lanes", [1, 2, 3, 32])
def test_any_number_of_lanes_will_do(lanes: int) -> None:
    values = samples(dtypes.float32)
    for op in (ops.EXP, ops.SIN, ops.ERF, ops.LGAMMA):
        got = compiled(op, [dtypes.float32], dtypes.float32, lanes=lanes)(values)
        assert_matches(got, numpy_result(op, (values,)), op, (values,), dtypes.float32)


@pytest.mark.parametrize("dtype", [dtypes.float16, dtypes.bfloat16], ids=str)
def test_halves_survive_the_way_through_float(dtype: DType) -> None:
    values = np.arange(65536).astype(np.uint16).view(dtype.numpy)
    got = compiled(ops.CAST, [dtype], dtypes.float32, dtype=dtypes.float32)(values)
    np.testing.assert_array_equal(got, values.astype(np.float32))
    back = compiled(ops.CAST, [dtypes.float32], dtype, dtype=dtype)(got)
    np.testing.assert_array_equal(back.astype(np.float32), values.astype(np.float32))


@pytest.mark.parametrize("dtype", [dtypes.float16, dtypes.bfloat16], ids=str)
@pytest.mark.parametrize("source", [dtypes.float32, dtypes.float64], ids=str)
def test_rounding_to_half_takes_the_nearest(dtype: DType, source: DType) -> None:
    bits = np.random.default_rng(2).integers(0, 2**32, 100_000, np.uint32)
    values = np.concatenate([bits.view(np.float32), np.random.default_rng(3).normal(size=50_000).astype(np.float32)])
    with np.errstate(all="ignore"):
        ties = np.arange(0, 65535).astype(np.uint16).view(dtype.numpy).astype(np.float64)
        middle = (ties[:-1] + ties[1:]) / 2
        values = np.concatenate([values, middle, middle * (1 + 2.0**-40)]).astype(source.numpy)
    wanted = numpy_result(ops.CAST, (values,), dtype=dtype)
    got = compiled(ops.CAST, [source], dtype, dtype=dtype)(values)
    np.testing.assert_array_equal(got.astype(np.float32), wanted.astype(np.float32))


def test_every_elementwise_primitive_has_a_row_or_is_named_as_unsupported() -> None:
    wanted = {op for op in ops.ALL if op.is_elementwise}
    missing = [op.name for op in wanted - set(EMIT) - UNSUPPORTED]
    where = "tarazu/backend/native/math/elementwise.py, in EMIT or UNSUPPORTED,"
    assert not missing, f"{where} lacks: {', '.join(missing)}"
    assert set(EMIT) | UNSUPPORTED == wanted and not set(EMIT) & UNSUPPORTED


@pytest.mark.parametrize("target", [aarch64(), host("avx2"), host("sse")], ids=["aarch64", "avx2", "sse"])
def test_rows_become_code_on_other_processors(target: object) -> None:
    for op in [*UNARY, *BINARY]:
        count = 1 if op in UNARY else 2
        for dtype in (dtypes.int32, dtypes.float32):
            if takes(op, dtype, count):
                result = result_type(op, dtype, count)
                assert "run" in assembly(text(op, [dtype] * count, {}, result, 16, target), target)


@pytest.mark.parametrize("size", [7, 31, 33, 64, 100, 259])
def test_functions_of_several_vectors_at_once_and_what_is_left(size):
    x = np.random.default_rng(size).normal(size=(9, size)).astype("f")
    for function, wanted in (tz.exp, np.exp(x)), (tz.tanh, np.tanh(x)):
        np.testing.assert_allclose(tz.jit(lambda x, f=function: f(x) * 2)(tz.tensor(x)).numpy(), 2 * wanted, rtol=1e-6)
