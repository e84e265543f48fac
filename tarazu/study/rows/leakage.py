"""`leakage`: features that give the target away, rows that are in both sets, and what the order of rows tells."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from tarazu.base.messages import listing, plural
from tarazu.picture.picture import Picture, written
from tarazu.picture.shown import in_notebook
from tarazu.study.rows.groups import features_of
from tarazu.study.rows.independence import independence
from tarazu.study.rows.plain import PlainRows, RowsLike, plain_pair
from tarazu.study.rows.row_order import SHARED, Copies, NumberedColumn, copies_of, numbered_columns, order_of_targets
from tarazu.study.rows.shown import bars, data_frame
from tarazu.study.rows.transforms import explained_share, normal_scores, one_hot, quantile_bins

if TYPE_CHECKING:
    import pandas

LEAST_STRENGTH = 0.05  # of a suspect: what explains less of the target changes a fit by less than is worth undoing
ALONE = 0.9  # ... of one of classes with more values than there are classes: no natural feature tells so much alone
MOST_EQUAL = 0.5  # of the rows that a feature made from numbers may have one value in: their function takes many values
INDEPENDENT = 0.02  # a p-value above it does not reject independence, which misses one leak in fifty
FEWEST_ROWS = 200  # with fewer the test misses dependences of natural features
MOST_ROWS, MOST_TESTED = 3000, 12  # rows and features that are looked at, to bound the time
MOST_CATEGORIES = 12  # a column with more values is taken for a number
MOST_BINS = 30
ORDERED = 1e-6  # a p-value below it says that rows are in an order; sorted and timed rows are far below it


@dataclass(frozen=True)
class SuspectFeature:
    """A feature of one column, or of the columns of a one-hot code, and how it goes with the target and the others.

    `strength` is the share of the target's variance that it explains alone. `p_value` is that of the hypothesis that it
    is independent of all other features given the target, as what is made from the target is; None where that was not
    tested. `is_suspect` says whether that was not rejected.

    >>> SuspectFeature("code", (3,), 0.9, 0.4, True).columns
    (3,)
    """

    name: str
    columns: tuple[int, ...]
    strength: float
    p_value: float | None
    is_suspect: bool


@dataclass(frozen=True)
class Leakage:
    """What `leakage` found: the strongest `features`, `copies` of rows, and the order of rows.

    `order_correlation` is that of the target of a training row with that of the next, `order_p_value` its p-value;
    `numbered` are columns that number the rows; `rows` is how many both parts have.

    >>> copies = Copies(0.5, 0.5, 0.0, 0.0)
    >>> print(Leakage((SuspectFeature("code", (3,), 0.9, 0.4, True),), copies, 0.0, 0.9, (), 500))
    'code' may be made from the target: it explains 90 % of it alone, and given it nothing of the other features
    50 % of the validation rows are copies of training rows (0 % would be by nature)
    """

    features: tuple[SuspectFeature, ...]
    copies: Copies
    order_correlation: float
    order_p_value: float
    numbered: tuple[NumberedColumn, ...]
    rows: int

    @property
    def suspects(self) -> tuple[SuspectFeature, ...]:
        """The features that may be made from the target, the strongest first.

        >>> Leakage((), Copies(0.0, 0.0, 0.0, 1.0), 0.0, 1.0, (), 500).suspects
        ()
        """
        return tuple(feature for feature in self.features if feature.is_suspect)

    def to_frame(self) -> pandas.DataFrame:
        """The features as a data frame of pandas, a row for each. ArgumentError without pandas.

        >>> Leakage((), Copies(0.0, 0.0, 0.0, 1.0), 0.0, 1.0, (), 500).to_frame().shape
        (0, 5)
        """
        return data_frame([asdict(feature) for feature in self.features],
                          [field.name for field in fields(SuspectFeature)])

    def plot(self, path: str | os.PathLike | None = None) -> Picture:
        """How much of the target each feature explains alone, as a picture, saved to `path` if given.

        OSError where `path` cannot be written.

        >>> Leakage((), Copies(0.0, 0.0, 0.0, 1.0), 0.0, 1.0, (), 500).plot()
        <Picture: share of the target that a feature explains alone (! suspect)>
        """
        values = {feature.name + " !" * feature.is_suspect: feature.strength for feature in self.features}
        return written(bars("share of the target that a feature explains alone (! suspect)", values), path)

    def _repr_html_(self) -> str:
        return in_notebook(self.plot().svg(), str(self))

    def __str__(self) -> str:
        lines = [f"{feature.name!r} may be made from the target: it explains {feature.strength:.0%} of it alone, and "
                 "given it nothing of the other features".replace("%", " %") for feature in self.suspects]
        if self.copies.share and self.copies.p_value < SHARED:
            lines.append(f"{100 * self.copies.share:.0f} % of the validation rows are copies of training rows "
                         f"({100 * self.copies.expected:.0f} % would be by nature)")
        if self.order_p_value < ORDERED:
            lines.append(f"the target of a row goes with that of the next one (correlation "
                         f"{self.order_correlation:.2f}): rows are not in random order")
        if self.numbered:
            lines.append(f"{plural(len(self.numbered), 'column')} in the order of the rows, as ids and times are: "
                         + listing(column.name for column in self.numbered))
        lines = lines or ["no sign of a leak"]
        if self.rows < FEWEST_ROWS:
            lines.append(f"whether features are made from the target is not tested with {self.rows} rows: it takes "
                         f"{FEWEST_ROWS}")
        return "\n".join(lines)


def leakage(x_train: RowsLike, y_train: RowsLike, x_validation: RowsLike, y_validation: RowsLike, *,
            classes: bool | None = None, seed: int = 0) -> Leakage:
    """Features that may be made from the target, copies of rows over both sets, and what the order of rows tells.

    What is made from the target is independent of all other features given the target (Pearl, 1988); a natural feature
    that tells as much shares with others, or both are causes that explain each other away. So a suspect explains a part
    of the target alone, and a permutation test does not reject that independence. Among classes it also has no more
    values than there are classes, or tells them nearly alone: two natural measurements of one class can be
    independent too; among numbers it is not one value in most rows. One-hot columns count as one feature. With fewer
    than 200 rows in both parts nothing is suspected, since natural dependences are missed; a single natural feature
    beside nothing but noise looks like a leak.

    `x_...` are arrays, tuples or dicts of them, or data frames, with a row per sample; `classes` says whether targets
    are classes, None for all that are not floating-point numbers. Same seed, same result. ShapeError, ArgumentError or
    DTypeError for rows that do not fit together, hold NaN, or are no numbers or texts.

    >>> random = np.random.default_rng(0)
    >>> x = random.normal(size=(400, 3))
    >>> y = (x.sum(axis=1) + random.normal(size=400) > 0).astype(int)
    >>> x = np.column_stack([x, np.where(random.random(400) < 0.8, y, 1 - y)])
    >>> [suspect.columns for suspect in leakage(x[:300], y[:300], x[300:], y[300:]).suspects]
    [(3,)]
    """
    return leakage_of(*plain_pair(x_train, y_train, x_validation, y_validation, classes), seed)


def leakage_of(train: PlainRows, validation: PlainRows, seed: int) -> Leakage:
    """`leakage` of rows as they are compared. Columns of one name are one feature, such as a number and a flag that
    says where it is missing.
    """
    correlation, p_value = order_of_targets(train)
    return Leakage(_features(_both(train, validation, seed), seed), copies_of(train, validation), correlation, p_value,
                   numbered_columns(train, validation), len(train) + len(validation))


def _both(train: PlainRows, validation: PlainRows, seed: int) -> PlainRows:
    """The rows of both parts, MOST_ROWS of them: the same leak is in both."""
    x, y = np.concatenate([train.x, validation.x]), np.concatenate([train.y, validation.y])
    rows = np.sort(np.random.default_rng(seed).permutation(len(x))[:MOST_ROWS])
    return PlainRows(x[rows], train.names, y[rows], train.has_classes)


def _features(rows: PlainRows, seed: int) -> tuple[SuspectFeature, ...]:
    targets = one_hot(rows.y) if rows.has_classes else normal_scores(rows.y)[:, None]
    bins = max(5, min(MOST_BINS, int(len(rows)**0.5 / 1.5)))
    found = [(explained_share(_labels(rows.x, columns, bins), targets), columns) for columns in _groups(rows)]
    strongest = sorted(found, key=lambda pair: -pair[0])
    named = []
    tested = 0
    for strength, columns in strongest:
        may_be = strength >= LEAST_STRENGTH and tested < MOST_TESTED and _is_like_target(rows, columns, strength)
        p_value = _tested(rows, columns, np.random.default_rng([seed, *columns])) if may_be else None
        tested += p_value is not None
        name = ", ".join(dict.fromkeys(rows.names[column] for column in columns))
        named.append(SuspectFeature(name, columns, max(0.0, strength), p_value, (p_value or 0.0) > INDEPENDENT))
    kept = named[:MOST_TESTED] + [feature for feature in named[MOST_TESTED:] if feature.p_value is not None]
    return tuple(kept)


def _groups(rows: PlainRows) -> list[tuple[int, ...]]:
    """The columns of each feature: those of one name, or of one one-hot code."""
    if len(set(rows.names)) == len(rows.names):
        return features_of(rows.x)
    named = [tuple(i for i, other in enumerate(rows.names) if other == name) for name in dict.fromkeys(rows.names)]
    return [columns for columns in named if rows.x[:, columns].std(axis=0).any()]


def _labels(x: np.ndarray, columns: tuple[int, ...], bins: int) -> np.ndarray:
    """The category of each row, or the bin of a number."""
    values = _values(x, columns)
    return values if _is_code(x[:, columns]) else quantile_bins(values, bins)


def _is_code(x: np.ndarray) -> bool:
    """Whether several columns are indicators of categories: two-valued, and at most one is high in each row."""
    low, high = x.min(axis=0), x.max(axis=0)
    is_high = (x == high) & (low < high)
    return x.shape[1] > 1 and bool((is_high | (x == low)).all() and (is_high.sum(axis=1) <= 1).all())


def _values(x: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
    """One value for each row: that of a single column, or the number of the combination of several."""
    return x[:, columns[0]] if len(columns) == 1 else np.unique(x[:, columns], axis=0, return_inverse=True)[1].ravel()


def _is_like_target(rows: PlainRows, columns: tuple[int, ...], strength: float) -> bool:
    """Whether a feature has no more values than there are classes, or not mostly one value as numbers have not either.

    One that tells the target nearly alone may have any values.
    """
    if strength >= ALONE:
        return True
    counts, target_counts = (np.unique(values, return_counts=True)[1] for values in (_values(rows.x, columns), rows.y))
    if rows.has_classes:
        return len(counts) <= len(target_counts)
    return bool(counts.max() <= max(MOST_EQUAL * len(rows), target_counts.max()))


def _tested(rows: PlainRows, columns: tuple[int, ...], random: np.random.Generator) -> float | None:
    """The p-value of independence from the others given the target; None with too few rows or nothing else."""
    others = np.delete(rows.x, columns, axis=1)
    if len(rows) < FEWEST_ROWS or not others.shape[1] or not others.std(axis=0).any():
        return None
    return independence(_parts(rows.x, columns), rows.y, others, rows.has_classes, random)


def _parts(x: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
    """A feature as columns: indicators of its categories, or Hermite polynomials of the scores of a number."""
    values = _values(x, columns)
    if len(np.unique(values)) <= MOST_CATEGORIES or _is_code(x[:, columns]):
        return one_hot(values)
    scores = normal_scores(values)
    return np.stack([scores, (scores**2 - 1) / 2**0.5, (scores**3 - 3 * scores) / 6**0.5], axis=1)
