"""Values of every op in the table against NumPy, in float64, and exactly in integers and booleans where both agree."""

import numpy as np
import pytest
from optable import RECORDS, Record, leaves

import tarazu as tz

CASES = [pytest.param(record, choice, id=f"{record.name}-{choice}")
         for record in RECORDS for choice in range(len(record.shapes))]


def computed(record: Record, arrays: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    with np.errstate(all="ignore"):
        wanted = [np.asarray(x) for x in leaves(record.reference(*arrays))]
    return [x.numpy() for x in leaves(record.function(*map(tz.asarray, arrays)))], wanted


@pytest.mark.parametrize(("record", "choice"), CASES)
def test_float64_agrees_with_numpy(record, choice):
    arrays = record.draw(choice)
    for found, wanted in zip(*computed(record, arrays), strict=True):
        assert found.shape == wanted.shape
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-12 if found.dtype == np.float64 else 1e-6, atol=1e-14)


EXACT = [pytest.param(record, choice, dtype, id=f"{record.name}-{choice}-{dtype}") for record in RECORDS
         for choice in range(len(record.shapes))
         for kind, dtype in (("i", "int64"), ("b", "bool")) if kind in record.also]


@pytest.mark.parametrize(("record", "choice", "dtype"), EXACT)
def test_integers_and_booleans_agree_exactly(record, choice, dtype):
    for found, wanted in zip(*computed(record, record.draw(choice, dtype)), strict=True):
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 5e-324, -1e308, 700.0, -700.0])


@pytest.mark.parametrize("record", [r for r in RECORDS if r.special and len(r.domains) <= 2], ids=lambda r: r.name)
def test_special_values_agree_with_numpy(record):
    arrays = [SPECIAL, SPECIAL[:, None]][:len(record.domains)]
    for found, wanted in zip(*computed(record, arrays), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=0)
        if found.dtype == np.float64:
            zeros = (found == 0) & (wanted == 0)
            np.testing.assert_array_equal(np.signbit(found)[zeros], np.signbit(wanted)[zeros])
