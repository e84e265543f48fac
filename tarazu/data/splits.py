"""Random splits into training, validation and test rows, with classes in proportion (stratified) where asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.messages import plural
from tarazu.data.columns.dates import date_format
from tarazu.data.columns.numbers import NumberFormat
from tarazu.data.tables.column_kinds import column_kind
from tarazu.data.tables.table import Table
from tarazu.data.tables.target import CLASSIFICATION, find_target


class Split(NamedTuple):
    """Row numbers, int64 (rows,), of the three parts.

    >>> split = split_rows(5, validation=0.2, test=0.2)
    >>> len(split.train), sorted(np.concatenate(split).tolist())
    (3, [0, 1, 2, 3, 4])
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split_rows(n: int, validation: float = 0.15, test: float = 0.15, seed: int | None = 0,
               labels: ArrayLike | None = None) -> Split:
    """Shuffles the rows 0 to n - 1 and deals them to three parts; each row goes to exactly one.

    `labels` (n,) stratify: each class is dealt in proportion, to within one row of its share, except that a class
    with as many rows as there are parts stands in each of them. Raises ArgumentError for fractions out of range and
    for parts that would be empty, ShapeError for labels of another shape.

    >>> [len(part) for part in split_rows(20)]
    [14, 3, 3]
    """
    fractions = _fractions(validation, test)
    groups = [np.arange(n)] if labels is None else _groups(n, labels)
    random = np.random.default_rng(seed)
    parts: list[list[np.ndarray]] = [[], [], []]
    owed = np.zeros(3)  # what rounding has kept from each part so far: it is given first to the part that is owed most
    for group in groups:
        sizes = _deal(len(group), fractions, owed)
        owed += len(group) * fractions - sizes
        for part, rows in zip(parts, np.split(random.permutation(group), np.cumsum(sizes)[:2]), strict=True):
            part.append(rows)
    split = Split(*(random.permutation(np.concatenate(part)) for part in parts))
    _check_parts(split, fractions)
    return split


def _check_parts(split: Split, fractions: np.ndarray) -> None:
    n = sum(map(len, split))
    for name, rows, fraction in zip(Split._fields, split, fractions, strict=True):
        if fraction > 0 and not len(rows):
            raise ArgumentError(f"the {name} part ({fraction:.0%} of {plural(n, 'row')}) is empty",
                                expected="at least one row in each part", fix="use more rows, or larger fractions")


def _fractions(validation: float, test: float) -> np.ndarray:
    """The shares of the three parts."""
    if not (validation >= 0 and test >= 0 and validation + test < 1):
        raise ArgumentError(f"validation={validation} and test={test} cannot be split off",
                            expected="fractions of at least 0 that leave some of the rows for training",
                            fix="use for example validation=0.15, test=0.15")
    return np.array([1 - validation - test, validation, test])


def _groups(n: int, labels: ArrayLike) -> list[np.ndarray]:
    """The rows of each class."""
    array = np.asarray(labels)
    if array.shape != (n,):
        raise ShapeError(f"the labels have shape {array.shape}", expected=f"({n},): one label per row",
                         fix="pass class numbers, not one-hot rows, one for each row")
    groups = np.unique(array, return_inverse=True)[1]
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.cumsum(np.bincount(groups))[:-1]) if n else [order]


def _deal(rows: int, fractions: np.ndarray, owed: np.ndarray) -> np.ndarray:
    """The sizes of the three parts of one class: shares rounded down, what is left goes by largest remainder."""
    shares = rows * fractions
    sizes = np.floor(shares + 1e-9).astype(np.int64)  # 20 * 0.15 must give 3 whatever its last bit
    claims = np.where(fractions > 0, shares - sizes + owed, -np.inf)
    sizes[np.argsort(-claims, kind="stable")[:rows - sizes.sum()]] += 1
    wanted = fractions > 0  # and the largest part gives rows up to those that would have none
    while rows >= wanted.sum() and (sizes[wanted] == 0).any():
        sizes[np.argmax(sizes)] -= 1
        sizes[np.flatnonzero(wanted & (sizes == 0))[0]] += 1
    return sizes


def split_table(table: Table, target: str, validation: float = 0.15, test: float = 0.15, seed: int | None = 0,
                kinds: Mapping[str, str] | None = None, order: str | None = None) -> Split:
    """Splits the rows of a table, in proportion of the classes if `target` has classes.

    Classes with fewer rows than there are parts are in training only. `order` names a column of dates or numbers: then
    the last rows in its order are the test part, those before them the validation part. Raises what `find_target` and
    `split_rows` raise, and DataError for a column that gives no order.

    >>> table = Table.from_frame({"size": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5], "kind": ["a", "b"] * 3})
    >>> [len(part) for part in split_table(table, "kind")]
    [2, 2, 2]
    >>> [part.tolist() for part in split_table(table, "kind", order="size")]
    [[0, 1, 2, 3], [4], [5]]
    """
    encoder = find_target(table, target, kinds)
    if order is not None:
        return split_ordered(order_of_rows(table, order), validation, test)
    if encoder.task != CLASSIFICATION:
        return split_rows(len(table), validation, test, seed)
    labels = encoder.encode(table)
    parts = int((_fractions(validation, test) > 0).sum())
    rare = np.bincount(labels)[labels] < parts
    if rare.all():
        raise table.error(f"each class of the target has fewer than {plural(parts, 'row')}", column=target,
                          expected=f"{parts} rows of some class: one for each of {parts} parts",
                          fix="add rows, or join classes")
    common = np.flatnonzero(~rare)
    split = split_rows(len(common), validation, test, seed, labels[common])
    train = np.random.default_rng(seed).permutation(np.concatenate([common[split.train], np.flatnonzero(rare)]))
    return Split(train if rare.any() else split.train, common[split.validation], common[split.test])


def split_ordered(keys: ArrayLike, validation: float = 0.15, test: float = 0.15) -> Split:
    """Splits rows by the order of `keys` (rows,): the greatest are the test part, those below them the validation part.

    Rows of one key stay together where that leaves no part empty. NaN are in training. Raises ArgumentError for
    fractions out of range and for parts that would be empty.

    >>> [part.tolist() for part in split_ordered([3, 1, 2, 5, 4], validation=0.2, test=0.2)]
    [[1, 2, 0], [4], [3]]
    """
    keys = np.asarray(keys, np.float64)
    fractions = _fractions(validation, test)
    n, known = len(keys), int((~np.isnan(keys)).sum())
    order = np.r_[np.flatnonzero(np.isnan(keys)), np.argsort(keys, kind="stable")[:known]]
    ordered = keys[order]
    cuts = [n - round(n * (fractions[1] + fractions[2])), n - round(n * fractions[2])]
    together = [n if cut >= n else int(np.searchsorted(ordered[n - known:], ordered[cut])) + n - known for cut in cuts]
    if 0 < together[0] < together[1] or (together[0] > 0 and fractions[1] == 0):
        cuts = together
    split = Split(*np.split(order, cuts))
    _check_parts(split, fractions)
    return split


def order_of_rows(table: Table, column: str) -> np.ndarray:
    """The numbers, or the seconds of the dates, of a column, by which rows can be put in order, float64 (rows,).

    Raises DataError for a column of other things. "time" is the first column of dates, unless a column is called so.

    >>> order_of_rows(Table.from_frame({"day": ["1970-01-02", "1970-01-01"]}), "time").tolist()
    [86400.0, 0.0]
    """
    if column == "time" and column not in table.columns:
        column = next((name for name in table.columns if date_format(table[name]) is not None), column)
        if column == "time":
            raise table.error("no column holds dates", expected="a column of dates, by which rows have an order",
                              fix="name the column that gives the order: --split NAME on the command line, "
                              "split=NAME from Python")
    kind = column_kind(table, column)
    if kind.format is None:
        raise table.error("it holds neither dates nor numbers, and gives rows no order", column=column,
                          expected="a column of dates or numbers", fix="name another column")
    cells = table[column]
    return kind.format.numbers(cells) if isinstance(kind.format, NumberFormat) else kind.format.seconds(cells)


def train_test_split(*arrays: ArrayLike, test_size: float | int = 0.2, seed: int | None = None,
                     stratify: ArrayLike | None = None) -> list[np.ndarray]:
    """Splits arrays, (rows, ...), by the same rows: [first_train, first_test, second_train, second_test, ...].

    `test_size` is a fraction, or a whole number of rows; `stratify` (rows,) holds a label per row. Raises ShapeError
    for unequal lengths and ArgumentError for sizes out of range.

    >>> x_train, x_test, y_train, y_test = train_test_split(np.zeros((10, 3)), np.arange(10), seed=0)
    >>> x_train.shape, y_test.shape
    ((8, 3), (2,))
    """
    held = [np.asarray(array) for array in arrays]
    lengths = [len(array) for array in held]
    if len(set(lengths)) != 1:
        raise ShapeError(f"the arrays have lengths {lengths}", expected="the same length in all",
                         fix="pass arrays with one entry per row")
    fraction = test_size / max(lengths[0], 1) if isinstance(test_size, int | np.integer) else test_size
    if not 0 < fraction < 1:
        raise ArgumentError(f"test_size={test_size} cannot be split off {lengths[0]} rows",
                            expected="a fraction between 0 and 1, or a number of rows that leaves some for training",
                            fix="use for example test_size=0.2")
    split = split_rows(lengths[0], validation=0.0, test=fraction, seed=seed, labels=stratify)
    return [array[rows] for array in held for rows in (split.train, split.test)]
