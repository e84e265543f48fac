"""Sequences of different lengths as one array, and their mask."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DataError
from tarazu.data import pad_sequences

ROWS = [[1, 2, 3], [4], [], [5, 6]]


@pytest.mark.parametrize(("options", "rows"), [
    ({}, [[1, 2, 3], [4, 0, 0], [0, 0, 0], [5, 6, 0]]),
    ({"padding": "pre", "value": -1}, [[1, 2, 3], [-1, -1, 4], [-1, -1, -1], [-1, 5, 6]]),
    ({"length": 2}, [[1, 2], [4, 0], [0, 0], [5, 6]]),
    ({"length": 2, "truncating": "pre"}, [[2, 3], [4, 0], [0, 0], [5, 6]]),
    ({"length": 4, "padding": "pre", "truncating": "pre"}, [[0, 1, 2, 3], [0, 0, 0, 4], [0, 0, 0, 0], [0, 0, 5, 6]]),
])
def test_where_padding_goes(options, rows):
    x, mask = pad_sequences(ROWS, **options)
    assert x.tolist() == rows
    np.testing.assert_array_equal(mask, x != options.get("value", 0))


def test_dtypes_and_features():
    assert pad_sequences(ROWS)[0].dtype == np.int64
    assert pad_sequences(ROWS, value=0.5)[0][1].tolist() == [4, 0.5, 0.5]
    assert pad_sequences([[1, 2], [0.5]])[0].dtype == np.float32
    assert pad_sequences(ROWS, dtype=np.float64)[0].dtype == np.float64
    x, mask = pad_sequences([np.ones((3, 2)), np.zeros((0, 2)), np.ones((1, 2))])
    assert x.shape == (3, 3, 2) and mask.sum(1).tolist() == [3, 0, 1] and x.sum() == 8
    assert pad_sequences([])[0].shape == (0, 0)


def test_layers_take_both():
    rows = [np.full((n, 2), n, np.float32) for n in (3, 1, 5)]
    layer = tz.nn.LSTM(4)
    x, mask = pad_sequences(rows)
    y = layer(tz.asarray(x), mask=mask).detach().numpy()
    for i, row in enumerate(rows):
        np.testing.assert_allclose(y[i], layer(tz.asarray(row[None]))[0].detach(), rtol=1e-6)


@pytest.mark.parametrize(("act", "kind", "text"), [
    (lambda: pad_sequences([[1]], padding="left"), ArgumentError, r"padding='left'\n  expected: \"post\" or \"pre\""),
    (lambda: pad_sequences([[1]], truncating=None), ArgumentError, "truncating=None"),
    (lambda: pad_sequences([[1]], 0), ArgumentError, "length=0"),
    (lambda: pad_sequences([1, 2]), DataError, "sequence 0 is no sequence of numbers: a int"),
    (lambda: pad_sequences([[1], "two"]), DataError, r"sequence 1 is no sequence[\s\S]*TextVectoriz"),
    (lambda: pad_sequences([[1], [[2], [3, 4]]]), DataError, "sequence 1 is no sequence of numbers: a list"),
    (lambda: pad_sequences([np.ones((2, 3)), np.ones((2, 4))]), DataError, r"sequence 1 has shape \(2, 4\), the first"),
])
def test_misuse(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
