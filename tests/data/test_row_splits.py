"""Splits are complete, disjoint, reproducible and in proportion."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.data import Table, split_rows, split_table, train_test_split

FRACTIONS = st.floats(0, 0.45)


@given(st.integers(3, 300), FRACTIONS, FRACTIONS, st.integers(0, 99))
def test_each_row_is_in_exactly_one_part(n, validation, test, seed):
    split = split_rows(n, validation, test, seed)
    assert sorted(np.concatenate(split)) == list(range(n))
    assert [len(part) > 0 for part in split] == [True, validation > 0, test > 0]
    again = split_rows(n, validation, test, seed)
    assert all(np.array_equal(one, other) for one, other in zip(split, again, strict=True))


@given(st.lists(st.integers(0, 6), min_size=3, max_size=200), FRACTIONS, FRACTIONS)
def test_classes_are_dealt_in_proportion(labels, validation, test):
    labels = np.array(labels)
    counts = np.bincount(labels)
    assume(counts.max() >= 3)
    split = split_rows(len(labels), validation, test, labels=labels)
    assert sorted(np.concatenate(split)) == list(range(len(labels)))
    fractions = np.array([1 - validation - test, validation, test])
    for label in np.flatnonzero(counts):
        got = np.array([(labels[part] == label).sum() for part in split])
        shares = counts[label] * fractions
        raised = (fractions > 0) & (shares < 1)  # these parts may get a row that the largest part gives up
        assert (np.abs(got - shares) <= 1 + raised.sum() + 1e-6).all()
        if not raised.any():
            assert (np.abs(got - shares) <= 1 + 1e-6).all()
        if counts[label] >= 3:
            assert (got[fractions > 0] > 0).all()


@given(st.integers(1, 40), st.integers(1, 12))
def test_rounding_does_not_add_up_over_classes(classes, rows):
    assume(classes * rows >= 20)
    split = split_rows(classes * rows, 0.2, 0.2, labels=np.repeat(np.arange(classes), rows))
    if rows >= 5 or rows < 3:  # with 3 or 4 rows each class gives a whole row to each part
        assert abs(len(split.test) - 0.2 * classes * rows) <= 2


def test_the_order_is_shuffled_and_depends_on_the_seed():
    assert list(split_rows(100, seed=1).train) != sorted(split_rows(100, seed=1).train)
    assert list(split_rows(100, seed=1).test) != list(split_rows(100, seed=2).test)
    assert [part.dtype for part in split_rows(100)] == [np.int64] * 3


@pytest.mark.parametrize(("arguments", "kind", "text"), [
    ({"n": 10, "validation": -0.1}, ArgumentError, "validation=-0.1 and test=0.15 cannot be split off"),
    ({"n": 10, "validation": 0.5, "test": 0.5}, ArgumentError, "validation=0.5 and test=0.5 cannot be split off"),
    ({"n": 10, "test": float("nan")}, ArgumentError, "test=nan cannot be split off"),
    ({"n": 2}, ArgumentError, r"the \w+ part \(15% of 2 rows\) is empty"),
    ({"n": 0}, ArgumentError, r"the train part \(70% of 0 rows\) is empty"),
    ({"n": 4, "labels": [0, 1]}, ShapeError, r"the labels have shape \(2,\)"),
])
def test_split_errors(arguments, kind, text):
    with pytest.raises(kind, match=text):
        split_rows(**arguments)


def test_split_table_stratifies_classes_and_not_numbers():
    table = Table.from_frame({"c": ["a"] * 50 + ["b"] * 10, "n": np.arange(60) + 0.5})
    assert (split_table(table, "c", 0.2, 0.2).test >= 50).sum() == 2
    assert len(split_table(table, "n", 0.2, 0.2).test) == 12


def test_train_test_split():
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=3, seed=0)
    assert (len(y_train), len(y_test)) == (7, 3)
    assert np.array_equal(x_train[:, 0], 2 * y_train) and np.array_equal(x_test[:, 0], 2 * y_test)
    labels = [0] * 8 + [1] * 8
    assert sorted(train_test_split(labels, test_size=0.25, stratify=labels)[1]) == [0, 0, 1, 1]


@pytest.mark.parametrize(("arrays", "size", "kind", "text"), [
    (([1, 2], [1]), 0.5, ShapeError, r"the arrays have lengths \[2, 1\]"),
    ((), 0.5, ShapeError, r"the arrays have lengths \[\]"),
    (([1, 2],), 1.5, ArgumentError, "test_size=1.5 cannot be split off 2 rows"),
    (([1, 2],), 2, ArgumentError, "test_size=2 cannot be split off 2 rows"),
    (([1],), 0.5, ArgumentError, r"the \w+ part \(50% of 1 row\) is empty"),
])
def test_train_test_split_errors(arrays, size, kind, text):
    with pytest.raises(kind, match=text):
        train_test_split(*arrays, test_size=size)
