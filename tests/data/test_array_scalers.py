"""Scalers undo what they do; one-hot rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tarazu.base.errors import ArgumentError, DataError, ShapeError
from tarazu.data import MinMaxScaler, Standardizer, one_hot

SCALERS = pytest.mark.parametrize("scaler", [Standardizer, MinMaxScaler])
VALUES = arrays(np.float64, array_shapes(min_dims=1, max_dims=3), elements=st.floats(-1e6, 1e6, width=32))


@SCALERS
@given(values=VALUES)
def test_inverse(scaler, values):
    fitted = scaler().fit(values)
    assert np.allclose(fitted.inverse(fitted.transform(values)), values, atol=1e-6)


@given(values=VALUES)
def test_training_rows_span_zero_to_one(values):
    scaled = MinMaxScaler().fit(values).transform(values)
    assert scaled.min() >= 0 and scaled.max() <= 1 + 1e-12


def test_standardizer_gives_mean_0_and_deviation_1_and_leaves_constants_at_0():
    x = np.random.default_rng(0).normal(5.0, 3.0, (100, 3))
    x[:, 2] = 0.1  # whose deviation is not quite 0 by rounding
    scaled = Standardizer().fit(x).transform(x)
    assert np.allclose(scaled.mean(0), 0) and np.allclose(scaled.std(0), [1, 1, 0])


@SCALERS
def test_dtypes(scaler):
    fitted = scaler().fit([[1], [2]])
    assert fitted.transform(np.array([[1]])).dtype == np.float32
    assert fitted.transform(np.array([[1.0]])).dtype == np.float64
    assert np.isfinite(fitted.transform([[1e300]])).all()


@SCALERS
def test_errors(scaler):
    with pytest.raises(ArgumentError, match=f"this {scaler.__name__} has not been fitted"):
        scaler().transform([[1.0]])
    with pytest.raises(ShapeError, match=r"the rows have shape \(2,\), those of fit had \(1,\)"):
        scaler().fit([[1.0]]).transform([[1.0, 2.0]])
    with pytest.raises(DataError, match="1 of the values are NaN or infinite"):
        scaler().fit([[1.0], [np.nan]])
    with pytest.raises(DataError, match=r"there are no rows to fit on: the shape is \(0,\)"):
        scaler().fit([])
    with pytest.raises(DataError, match="the values are so large that their scale overflows"):
        scaler().fit([[1.7e308], [-1.7e308]])


def test_one_hot():
    assert one_hot(np.array([[1, 0]]), 3).tolist() == [[[0, 1, 0], [1, 0, 0]]]
    assert one_hot([0]).dtype == np.float32


@pytest.mark.parametrize(("labels", "classes", "text"), [
    ([0.0, 1.0], None, "the labels have dtype float64"),
    ([0, 3], 3, "label 3 does not fit 3 classes"),
    ([-1, 1], None, "label -1 does not fit 2 classes"),
])
def test_one_hot_errors(labels, classes, text):
    with pytest.raises(DataError, match=text):
        one_hot(labels, classes)
