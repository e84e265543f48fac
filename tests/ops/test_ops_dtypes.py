"""Every op in the table in every dtype: eager, traced and compiled agree on the error, or on type and bits."""

from typing import Any

import numpy as np
import pytest
from helpers import assert_same
from optable import RECORDS, Record, leaves

import tarazu as tz
from tarazu.base.dtypes import ALL
from tarazu.base.errors import TarazuError
from tarazu.ir.types import TensorType

DTYPES = [dtype for dtype in ALL if dtype is not tz.float64]
SWEEP = [pytest.param(record, dtype, id=f"{record.name}-{dtype}") for record in RECORDS if record.differentiable
         for dtype in DTYPES]


def outcome(function: Any, *args: Any) -> tuple[list[Any] | None, str]:
    try:
        return leaves(function(*args)), ""
    except TarazuError as error:
        return None, type(error).__name__


def check(record: Record, choice: int, dtype: Any) -> None:
    arrays = record.draw(choice, None if dtype is None else dtype.numpy)
    tensors = [tz.asarray(x) for x in arrays]
    eager, error = outcome(record.function, *tensors)
    jitted = tz.jit(record.function)
    compiled, error_then = outcome(jitted, *tensors)
    assert error_then == error, (f"eagerly {error or 'no error'}, compiled {error_then or 'none'}: what the type rule "
                                 "refuses and NumPy takes stands in _REAL_ONLY of tarazu/runtime/eager.py")
    if eager is None or compiled is None:
        assert error in ("DTypeError", "ArgumentError", "TraceError")
        return
    assert jitted.graph.output_types == tuple(TensorType(x.shape, x.dtype) for x in eager)
    for one, other in zip(eager, compiled, strict=True):
        assert_same(other, one)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_float64_compiled_is_eager(record):
    for choice in range(len(record.shapes)):
        check(record, choice, None)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy's casts of the inputs
@pytest.mark.parametrize(("record", "dtype"), SWEEP[::3])
def test_other_dtypes_compiled_is_eager(record, dtype):
    check(record, 0, dtype)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("record", "dtype"), SWEEP)
def test_other_shapes_compiled_is_eager(record, dtype):
    for choice in range(len(record.shapes)):
        check(record, choice, dtype)


def test_special_values_compiled_are_eager():
    values = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -2.5, 1e-310, 1e308])
    for record in RECORDS:
        if record.special:
            arrays = [tz.asarray(values), tz.asarray(values[:, None])][:len(record.domains)]
            compiled = tz.jit(record.function)(*arrays)
            for one, other in zip(leaves(record.function(*arrays)), leaves(compiled), strict=True):
                assert_same(other, one)
