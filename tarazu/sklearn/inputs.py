"""What estimators are given as X, as the features of a network: float32 (rows, features)."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from sklearn.utils.validation import validate_data

from tarazu.base.errors import ArgumentError
from tarazu.data.scalers import standardize, to_float32, weighted_mean_and_scale
from tarazu.data.tables.column_kinds import NUMBER
from tarazu.data.tables.feature_encoder import FeatureEncoder, fit_features
from tarazu.data.tables.table import Table
from tarazu.tabular.inputs import as_table

Kinds: TypeAlias = Mapping[str, str] | None


@dataclasses.dataclass(frozen=True)
class ArrayEncoder:
    """Standardizes the columns of an array; where training lacked values a further column says where they lack.

    A value that lacks is 0 then, the mean. `lacking` are the numbers of the columns that lacked values in training.
    """

    mean: np.ndarray
    scale: np.ndarray
    lacking: np.ndarray

    embeddings: tuple[tuple[int, int], ...] = ()  # as those of `FeatureEncoder`: an array has no categories

    @property
    def num_dense(self) -> int:
        """How many features there are."""
        return len(self.mean) + len(self.lacking)

    def features(self, x: np.ndarray) -> np.ndarray:
        """The features of an array (rows, columns), float32."""
        missing = np.isnan(x)
        values = to_float32(np.where(missing, 0.0, standardize(x, self.mean, self.scale)))
        return np.concatenate([values, missing[:, self.lacking].astype(np.float32)], 1) if len(self.lacking) else values


Encoder: TypeAlias = ArrayEncoder | FeatureEncoder
Rows: TypeAlias = np.ndarray | Table


def read_rows(estimator: Any, x: Any, encoder: Encoder | None = None, kinds: Kinds = None) -> Rows:
    """X, checked: a table for a data frame, or an array, with texts, else an array of float64.

    Without an encoder the estimator learns from X how many features there are, and their names. Raises as
    scikit-learn's own estimators do.
    """
    is_first = encoder is None
    _require_different_names(x)
    if hasattr(x, "columns") and (_has_texts(x) or kinds if is_first else isinstance(encoder, FeatureEncoder)):
        validate_data(estimator, x, reset=is_first, skip_check_array=True)
        return as_table(x)
    if isinstance(encoder, FeatureEncoder):
        return _table_of_array(estimator, x, is_first=False)
    try:
        checked = validate_data(estimator, x, reset=is_first, accept_sparse=True, dtype=np.float64,
                                ensure_all_finite="allow-nan")
    except ValueError as error:
        if not is_first or not str(error).startswith("could not convert string to float"):
            raise
        return _table_of_array(estimator, x, is_first=True)
    return checked if isinstance(checked, np.ndarray) else checked.toarray()


def _require_different_names(x: Any) -> None:
    twice = sorted(str(name) for name, count in Counter(getattr(x, "columns", ())).items() if count > 1)
    if twice:
        raise ArgumentError(f"X with the column {twice[0]!r} more than once", expected="columns of different names",
                            fix="name them apart, or leave all but one out: X.loc[:, ~X.columns.duplicated()]")


def _table_of_array(estimator: Any, x: Any, *, is_first: bool) -> Table:
    """The table of an array of texts, or of objects: its columns are x0, x1, ..., or those of the frame of the fit."""
    checked = validate_data(estimator, x, reset=is_first, dtype=object, ensure_all_finite=False)
    names = getattr(estimator, "feature_names_in_", [f"x{i}" for i in range(checked.shape[1])])
    return as_table({name: column.tolist() for name, column in zip(names, checked.T, strict=True)})


def _has_texts(frame: Any) -> bool:
    """Whether a data frame has a column that is not of numbers."""
    return any(not _is_numeric(dtype) for dtype in getattr(frame, "dtypes", ()))


def _is_numeric(dtype: Any) -> bool:
    if hasattr(dtype, "is_numeric"):  # of polars
        return bool(dtype.is_numeric())
    return getattr(dtype, "kind", "O") in "iufc" and not hasattr(dtype, "categories")


def fit_encoder(rows: Rows, kinds: Kinds, weight: np.ndarray) -> Encoder:
    """The encoder for such rows, each of which counts by its weight in the means and scales of arrays.

    A column of a table that is of numbers is taken as such, whatever it looks like, unless `kinds` says otherwise; what
    columns of texts are is guessed as `tz.fit_table` guesses it.
    """
    if isinstance(rows, Table):
        stated = {name: NUMBER for name, column in rows.columns.items()
                  if column.levels.dtype == np.float64 and not column.stated_category}
        return fit_features(rows, {**stated, **(kinds or {})})
    mean, scale = weighted_mean_and_scale(rows, weight)
    return ArrayEncoder(mean, scale, np.flatnonzero(np.isnan(rows).any(0)))


def features(encoder: Encoder, rows: Rows) -> np.ndarray:
    """The features of rows, which `read_rows` read for this encoder."""
    return encoder.features(rows)  # type: ignore[arg-type]
