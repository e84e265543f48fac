"""Arrays as they come: byte order, masks, columns that float32 joins, frames of nullable and arrow types."""

import numpy as np
import pandas as pd
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.nn import Dense, Sequential

draw = np.random.default_rng(0)
X = draw.normal(size=(24, 2)).astype(np.float32)
WHOLE = draw.integers(-3, 4, (24, 2))
Y = X.sum(1)


def fitted(x, y=Y):
    model = Sequential([Dense(1, in_features=2, kernel_initializer="ones")]).compile(tz.optim.SGD(lr=0.0), "mse")
    return model.fit(x, y, seed=0, verbose=0).history["loss"]


def frame(dtype):
    return pd.DataFrame(WHOLE, columns=["a", "b"]).astype(dtype)


SAME_AS_WHOLE = {
    "big-endian integers": WHOLE.astype(">i4"),
    "little-endian integers": WHOLE.astype("<i2"),
    "big-endian floats": WHOLE.astype(">f4"),
    "big-endian doubles": WHOLE.astype(">f8"),
    "masked array without a masked value": np.ma.masked_array(WHOLE.astype(np.float32)),
    "nullable integers": frame("Int64"),
    "nullable floats": frame("Float32"),
    "arrow integers": frame("int64[pyarrow]"),
    "arrow floats": frame("double[pyarrow]"),
    "one nullable column": frame({"a": "Int8"}),
    "sparse columns": frame(pd.SparseDtype("float64", 0.0)),
    "objects that are lists": pd.Series(WHOLE.tolist()),
    "bfloat16": tz.asarray(WHOLE.astype(np.float32)).astype("bfloat16"),
}


@pytest.mark.parametrize("x", SAME_AS_WHOLE.values(), ids=SAME_AS_WHOLE)
def test_the_numbers_are_those_that_stand_there(x):
    assert fitted(x) == pytest.approx(fitted(WHOLE.astype(np.float32)), rel=1e-5)


def test_targets_of_another_byte_order():
    assert fitted(X, Y.astype(">f4")) == fitted(X, Y)
    assert fitted(X, np.zeros(24, ">i4")) == pytest.approx(fitted(X, np.zeros(24)))


def test_boolean_and_number_columns_of_a_frame():
    mixed = pd.DataFrame({"a": WHOLE[:, 0] > 0, "b": WHOLE[:, 1].astype(float)})
    assert fitted(mixed) == fitted(np.stack([WHOLE[:, 0] > 0, WHOLE[:, 1]], 1).astype(np.float32))


def test_a_table_of_arrow():
    pyarrow = pytest.importorskip("pyarrow")
    assert fitted(pyarrow.table(frame("float32"))) == fitted(WHOLE.astype(np.float32))


class OfTorch:
    """A tensor as torch's: NumPy gets no array of one that requires a gradient, nor of one of bfloat16."""

    def __init__(self, array, dtype="torch.float32", needs_gradient=True):
        self.array, self.dtype, self.needs_gradient = array, dtype, needs_gradient

    shape = X.shape

    def detach(self):
        return OfTorch(self.array, self.dtype, False)

    def cpu(self):
        return self

    def float(self):
        return OfTorch(self.array, "torch.float32", self.needs_gradient)

    def __array__(self, dtype=None, copy=None):
        if self.needs_gradient:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad")
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.array


@pytest.mark.parametrize("dtype", ["torch.float32", "torch.bfloat16"])
def test_tensors_of_torch(dtype):
    assert fitted(OfTorch(X, dtype)) == fitted(X)
    assert fitted([(OfTorch(X, dtype), OfTorch(Y, dtype))], None) == fitted([(X, Y)], None)
    assert tz.tensor(OfTorch(X, dtype)).tolist() == X.tolist()


MASKED = np.ma.masked_array(X, X > 1.5)
NULL = frame("Int64").astype("object").where(WHOLE < 3, pd.NA).astype("Int64")


class Sparse:
    """What `scipy.sparse` matrices look like."""

    dtype, shape = np.dtype(np.float64), (24, 2)

    def tocsr(self):
        return self

    def toarray(self):
        return WHOLE


REFUSED = {
    "masked": (lambda: fitted(MASKED), ArgumentError, r"x is a masked array: \d+ of 48 values are masked[\s\S]*filled"),
    "masked targets": (lambda: fitted(X, np.ma.masked_array(Y, Y > 1)), ArgumentError, "y is a masked array"),
    "masked tensor": (lambda: tz.tensor(MASKED), ArgumentError, "MaskedArray is a masked array"),
    "missing": (lambda: fitted(NULL), ArgumentError, "x holds values that are not finite"),
    "categories": (lambda: fitted(frame({"a": "category"})), DTypeError,
                   r"x holds category in column 'a'[\s\S]*codes"),
    "arrow text": (lambda: fitted(frame({"b": "string[pyarrow]"})), DTypeError, r"x holds \S+ in column 'b'"),
    "dates": (lambda: fitted(pd.DataFrame({"day": pd.date_range("2024-01-01", periods=24)})), DTypeError,
              r"x holds datetime64\[\w+\] in column 'day'"),
    "lists in a column": (lambda: fitted(pd.DataFrame({"a": WHOLE.tolist()})), DTypeError,
                          r"x holds lists in column 'a'[\s\S]*np.stack"),
    "lists of several lengths": (lambda: fitted(pd.Series([[1, 2], [3]] * 12)), ShapeError, "x holds lists of several"),
    "dict": (lambda: fitted({"a": X[:, 0], "b": X[:, 1]}), ArgumentError,
             r"x is a dict without 'x': it has 'a', 'b'[\s\S]*column_stack"),
    "sparse": (lambda: fitted(Sparse()), DTypeError, r"x is a sparse matrix of float64[\s\S]*toarray\(\)"),
    "sparse predict": (lambda: Sequential([Dense(1)]).predict(Sparse()), DTypeError, "x is a sparse matrix"),
}


@pytest.mark.parametrize(("act", "kind", "text"), REFUSED.values(), ids=REFUSED)
def test_refusals(act, kind, text):
    with pytest.raises(kind, match=text):
        act()


SECONDS = np.stack([np.linspace(0, 1, 24), 1.7e9 + np.arange(24) * 10], 1)  # float32 is coarser than 100 seconds there


@pytest.mark.parametrize(("x", "column"), [(SECONDS, "1"), (pd.DataFrame(SECONDS, columns=["a", "time"]), "'time'"),
                                           (SECONDS.tolist(), "1"), (SECONDS.astype(np.int64), "1")],
                         ids=["array", "frame", "lists", "integers"])
def test_columns_that_collapse_in_float32_are_named(x, column):
    with pytest.warns(tz.train.TrainingWarning, match=rf"column {column} of x as float32 loses 21 of 24 distinct val"):
        fitted(x, np.zeros(24))


def test_a_column_of_an_arrow_table_that_collapses_is_named():
    pyarrow = pytest.importorskip("pyarrow")
    with pytest.warns(tz.train.TrainingWarning, match="column 'time' of x as float32 loses 21 of 24 distinct values"):
        fitted(pyarrow.table(pd.DataFrame(SECONDS, columns=["a", "time"])), np.zeros(24))


def test_targets_and_streams_that_collapse_in_float32():
    with pytest.warns(tz.train.TrainingWarning, match="y as float32 loses 21 of 24 distinct values; subtract the mean"):
        fitted(X * 0, SECONDS[:, 1])
    with pytest.warns(tz.train.TrainingWarning, match="column 1 of x as float32 loses") as caught:
        fitted([(SECONDS, Y), (SECONDS, Y)], None)
    assert len(caught) == 1


def test_ordinary_doubles_cause_no_warning():
    fitted(draw.normal(size=(5000, 2)), draw.normal(size=5000))
