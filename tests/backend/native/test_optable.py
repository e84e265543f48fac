"""Every line of the op table on the native backend against NumPy: values and gradients, on one and two threads."""

import numpy as np
import pytest
from optable import RECORDS, Record
from optable_programs import CLOSE, agree, graphs

import tarazu as tz
from tarazu.backend.numpy import BACKEND

RECORD = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)


def check_floats(record: Record, draws: list[tuple[int, str]], compiled, set_threads) -> None:
    drawn = [[np.asarray(x) for x in record.draw(*draw)] for draw in draws]
    cases = [(graph, arrays) for arrays in drawn for graph in graphs(record, arrays)]
    agree(cases, compiled, set_threads)


@pytest.mark.parametrize(("number", "record"), list(enumerate(RECORDS)), ids=[record.name for record in RECORDS])
def test_floats(number, record, compiled, set_threads):
    """In float64, and every third line in float32 and other shapes; `test_floats_in_all_shapes` has all of them."""
    others = [(len(record.shapes) - 1, "float32")] if number % 3 == 0 else []
    check_floats(record, [(len(record.shapes) // 2, "float64"), *others], compiled, set_threads)


@pytest.mark.long
@RECORD
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_in_all_shapes(record, dtype, compiled, set_threads):
    check_floats(record, [(choice, dtype) for choice in range(len(record.shapes))], compiled, set_threads)


WHOLE = [record for record in RECORDS if record.also]


def check_whole_numbers(record: Record, choices, compiled, set_threads) -> None:
    dtypes = [name for kind, names in DTYPES.items() if kind in record.also for name in names]
    draws = [[np.asarray(x) for x in record.draw(choice, dtype)] for choice in choices for dtype in dtypes]
    agree([(tz.trace(record.function)(*arrays), arrays) for arrays in draws], compiled, set_threads)


@pytest.mark.parametrize("record", WHOLE, ids=lambda record: record.name)
def test_integers_and_booleans(record, compiled, set_threads):
    shapes = len(record.shapes)
    check_whole_numbers(record, {0, shapes // 2, shapes - 1}, compiled, set_threads)


@pytest.mark.long
@pytest.mark.parametrize("record", WHOLE, ids=lambda record: record.name)
def test_integers_and_booleans_in_all_shapes(record, compiled, set_threads):
    check_whole_numbers(record, range(len(record.shapes)), compiled, set_threads)


DTYPES = {"i": ("int64", "int32", "int8"), "b": ("bool",)}
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 5e-324, -1e308, 700.0, -700.0, 1e-40, 90.0])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("record", [r for r in RECORDS if r.special and len(r.domains) <= 2], ids=lambda r: r.name)
def test_special_values(record, dtype, compiled, set_threads):
    with np.errstate(all="ignore"):
        special = SPECIAL.astype(dtype)
    arrays = [special, np.ascontiguousarray(special[:, None])][:len(record.domains)]
    graph = tz.trace(record.function)(*arrays)
    for found, wanted in zip(compiled(graph)(*arrays), BACKEND.compile(graph)(*arrays), strict=True):
        tolerance = {np.dtype(np.float64): CLOSE, np.dtype(np.float32): 3e-6}.get(wanted.dtype, 0)
        smallest = np.finfo(wanted.dtype).tiny * 1e-3 if tolerance else 0
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=smallest)
        if tolerance:
            zeros = (found == 0) & (wanted == 0)
            np.testing.assert_array_equal(np.signbit(found)[zeros], np.signbit(wanted)[zeros])
