"""`shift`: whether validation rows are of another kind than training rows, in which columns, and in their targets."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.picture.picture import Picture, written
from tarazu.picture.shown import in_notebook
from tarazu.study.rows.independence import independence
from tarazu.study.rows.plain import PlainRows, RowsLike, plain_pair
from tarazu.study.rows.shown import bars, data_frame
from tarazu.study.rows.transforms import one_hot
from tarazu.study.rows.two_samples import adjusted, classifier_test, largest_distance

if TYPE_CHECKING:
    import pandas

FEWEST_ROWS = 10  # of each part
MOST_ROWS = 3000  # of the training rows that are compared
SHIFTED = 0.005  # p-values up to it are taken for a difference: with two tests, one false alarm in a hundred
PERMUTED = 1000


@dataclass(frozen=True)
class ColumnDifference:
    """How a column differs: that of its means in standard deviations of the training rows, and as a distribution.

    `distance` is the largest of the distribution functions (Kolmogorov and Smirnov), `p_value` its p-value, adjusted
    for the number of columns.

    >>> ColumnDifference("age", 0, 1.5, 0.6, 0.001).difference
    1.5
    """

    name: str
    column: int
    difference: float
    distance: float
    p_value: float


@dataclass(frozen=True)
class Shift:
    """What `shift` found about the features, each of the `columns`, and the targets.

    `area` is the area under the ROC curve of a classifier that tells validation from training rows, 0.5 where they are
    alike, 1 where nothing is; `p_value` is its permutation p-value. `target_distance` is how much the distribution of
    the targets differs, from 0 to 1: the half sum of the differences of class shares, or the largest distance of the
    distribution functions of numbers; with `target_p_value`. `given_target` is the p-value of the hypothesis that
    features differ only as far as targets do.

    >>> print(Shift(0.9, 0.003, (ColumnDifference("age", 0, 1.5, 0.6, 0.0),), 0.0, 1.0, 0.01))
    validation rows are of another kind than training rows: a classifier tells them apart with an AUC of 0.90
    1 column differs: 'age' by 1.5 standard deviations
    """

    area: float
    p_value: float
    columns: tuple[ColumnDifference, ...]
    target_distance: float
    target_p_value: float
    given_target: float

    @property
    def is_shifted(self) -> bool:
        """Whether features or targets differ by more than chance explains: a p-value of at most 0.005.

        >>> Shift(0.5, 0.6, (), 0.0, 1.0, 0.5).is_shifted
        False
        """
        return min(self.p_value, self.target_p_value) <= SHIFTED

    @property
    def differing(self) -> tuple[ColumnDifference, ...]:
        """The columns that differ by more than chance explains, the most different first.

        >>> Shift(0.5, 0.6, (), 0.0, 1.0, 0.5).differing
        ()
        """
        return tuple(sorted((column for column in self.columns if column.p_value <= SHIFTED),
                            key=lambda column: -column.distance))

    def to_frame(self) -> pandas.DataFrame:
        """The columns as a data frame of pandas, a row for each. ArgumentError without pandas.

        >>> Shift(0.5, 0.6, (), 0.0, 1.0, 0.5).to_frame().shape
        (0, 5)
        """
        return data_frame([asdict(column) for column in self.columns],
                          [field.name for field in fields(ColumnDifference)])

    def plot(self, path: str | os.PathLike | None = None) -> Picture:
        """How much each column differs, the most different first, as a picture, saved to `path` if given.

        OSError where `path` cannot be written.

        >>> Shift(0.5, 0.6, (), 0.0, 1.0, 0.5).plot()
        <Picture: largest distance of the distribution functions (! differs)>
        """
        largest = sorted(self.columns, key=lambda column: -column.distance)
        values = {column.name + " !" * (column.p_value <= SHIFTED): column.distance for column in largest}
        return written(bars("largest distance of the distribution functions (! differs)", values), path)

    def _repr_html_(self) -> str:
        return in_notebook(self.plot().svg(), str(self))

    def __str__(self) -> str:
        if not self.is_shifted:
            return "validation rows are like training rows, as far as such a test can tell"
        lines = []
        if self.p_value <= SHIFTED:
            lines.append("validation rows are of another kind than training rows: a classifier tells them apart with "
                         f"an AUC of {self.area:.2f}")
        if self.differing:
            named = [f"{column.name!r} by {abs(column.difference):.2g} standard deviations"
                     for column in self.differing[:5]]
            count = len(self.differing)
            more = f", and {count - 5} more" if count > 5 else ""
            lines.append(f"{count} column{' differs' if count == 1 else 's differ'}: {', '.join(named)}{more}")
        if self.target_p_value <= SHIFTED:
            lines.append(f"the targets are distributed differently (a distance of {self.target_distance:.2f} of 1)")
            if self.p_value <= SHIFTED < self.given_target:
                lines.append("among rows of like targets the features do not differ")
        return "\n".join(lines)


def shift(x_train: RowsLike, y_train: RowsLike, x_validation: RowsLike, y_validation: RowsLike, *,
          classes: bool | None = None, seed: int = 0) -> Shift:
    """Whether validation rows are of another kind than training rows: features together and one by one, and targets.

    A two-sample test by a classifier (Friedman, 2003; Lopez-Paz and Oquab, 2017): a linear discriminant with a ridge,
    of the columns and their squares, with a permutation p-value. Whether a difference hurts a model, only fits tell.

    `x_...` are arrays, tuples or dicts of them, or data frames, with a row per sample; `classes` says whether targets
    are classes, None for all that are not floating-point numbers. Same seed, same result. ShapeError, ArgumentError or
    DTypeError for rows that do not fit together, are fewer than 10, hold NaN, or are no numbers or texts.

    >>> random = np.random.default_rng(0)
    >>> x = random.normal(size=(200, 3))
    >>> x[150:, 1] += 2
    >>> found = shift(x[:150], x[:150, 0], x[150:], x[150:, 0])
    >>> found.is_shifted, [column.column for column in found.differing], found.target_p_value > 0.01
    (True, [1], True)
    """
    train, validation = plain_pair(x_train, y_train, x_validation, y_validation, classes)
    for part, name in ((train, "training"), (validation, "validation")):
        if len(part) < FEWEST_ROWS:
            raise ArgumentError(f"{len(part)} {name} rows", expected=f"at least {FEWEST_ROWS}", fix="bring more rows")
    random = np.random.default_rng(seed)
    train, validation = (_some(part, random) for part in (train, validation))
    x, y = np.concatenate([train.x, validation.x]), np.concatenate([train.y, validation.y])
    is_other = np.arange(len(x)) >= len(train)
    area, p_value = classifier_test(x, is_other, random)
    distance, target_p_value = _target_difference(train, validation, random)
    varies = x.std(axis=0).any()
    given = independence(one_hot(is_other), y, x, train.has_classes, random) if varies else 1.0
    return Shift(area, p_value, column_differences(train, validation), distance, target_p_value, given)


def _some(rows: PlainRows, random: np.random.Generator) -> PlainRows:
    chosen = np.sort(random.permutation(len(rows))[:MOST_ROWS])
    return PlainRows(rows.x[chosen], rows.names, rows.y[chosen], rows.has_classes)


def column_differences(train: PlainRows, validation: PlainRows) -> tuple[ColumnDifference, ...]:
    """How each column differs, in their order."""
    pairs = [largest_distance(first, second) for first, second in zip(train.x.T, validation.x.T, strict=True)]
    deviation = np.concatenate([train.x, validation.x]).std(axis=0)
    deviation = np.where(train.x.std(axis=0) > 0, train.x.std(axis=0), deviation)
    difference = (validation.x.mean(axis=0) - train.x.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    p_values = adjusted([p_value for _, p_value in pairs])
    return tuple(ColumnDifference(name, i, float(difference[i]), pairs[i][0], p_values[i])
                 for i, name in enumerate(train.names))


def _target_difference(train: PlainRows, validation: PlainRows, random: np.random.Generator) -> tuple[float, float]:
    """How much the distributions of targets differ, and the p-value."""
    if not train.has_classes:
        return largest_distance(train.y, validation.y)
    n, labels = len(train), one_hot(np.concatenate([train.y, validation.y]))
    total = labels.sum(axis=0)
    shares = labels[:n].mean(axis=0), labels[n:].mean(axis=0)
    order = labels.argmax(axis=1)
    tried = [order[n:], *(random.permutation(order)[n:] for _ in range(PERMUTED - 1))]
    counts = np.stack([np.bincount(each, minlength=len(total)) for each in tried])
    expected = total * (len(order) - n) / len(order)
    squares = ((counts - expected)**2 / expected).sum(axis=1)
    return float(np.abs(shares[0] - shares[1]).sum() / 2), float((squares >= squares[0] - 1e-9).mean())
