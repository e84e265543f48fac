"""The encoder of a date column: days since the first, the year, and on circles the month, day of week and hour."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from tarazu.data.columns.column import Column
from tarazu.data.columns.dates import DAY, ORDERS, DateFormat, date_text
from tarazu.data.scalers import mean_and_scale, standardize, to_float32
from tarazu.data.tables.json_reading import damaged, entry, number_entry, texts_entry
from tarazu.data.tables.table import Table

DATE = "date"
PERIODS = {"month": 12.0, "day of week": 7.0, "hour": 24.0}  # what repeats, and after how many
PARTS = ("days", "year", *PERIODS)


@dataclasses.dataclass(frozen=True)
class DateEncoder:
    """`parts` of a date: "days" (since `first`) and "year" as standardized numbers, "month", "day of week" and "hour"
    each as sine and cosine, so that December stands beside January; zeros for a missing cell, and a last column, 1
    where it was missing, if `indicator`.
    """

    name: str
    order: str
    first: float
    parts: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    indicator: bool

    @classmethod
    def fit(cls, column: Column, format: DateFormat) -> DateEncoder:
        """The encoder for `column`, the training rows; parts that are the same in all of them are left out."""
        seconds = format.seconds(column)
        known = seconds[~np.isnan(seconds)]
        first = float(known.min()) if len(known) else 0.0
        values = {part: _part(known, part, first) for part in PARTS}
        parts = tuple(part for part in PARTS if len(known) and _varies(values[part], part))
        lines = [mean_and_scale(values[part]) for part in parts if part not in PERIODS]
        return cls(column.name, format.order, first, parts, tuple(float(mean) for mean, _ in lines),
                   tuple(float(scale) for _, scale in lines), bool(np.isnan(seconds).any()))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the encoded columns."""
        names: list[str] = []
        for part in self.parts:
            if part in PERIODS:
                names += [f"{self.name} ({part}, sine)", f"{self.name} ({part}, cosine)"]
            else:
                names.append(f"{self.name} ({f'days since {date_text(self.first)}' if part == 'days' else part})")
        return (*names, f"{self.name} (missing)") if self.indicator else tuple(names)

    def encode(self, table: Table) -> np.ndarray:
        """Array (rows, len(names)). Raises DataError, with line and column, for cells that are no dates."""
        column = table[self.name]
        format = DateFormat(self.order)
        check_dates(table, column, format)
        seconds = format.seconds(column)
        missing = np.isnan(seconds)
        seconds = np.where(missing, self.first, seconds)
        lines = iter(zip(self.means, self.scales, strict=True))
        columns: list[np.ndarray] = []
        for part in self.parts:
            values = _part(seconds, part, self.first)
            if part in PERIODS:
                angle = 2 * np.pi / PERIODS[part] * values
                columns += [np.sin(angle), np.cos(angle)]
            else:
                columns.append(to_float32(standardize(values, *next(lines))))
        result = np.where(missing[:, None], 0.0, np.stack(columns, axis=1))
        return np.concatenate([result, missing[:, None]], axis=1) if self.indicator else result

    def to_json(self) -> dict[str, Any]:
        """All of the encoder as plain JSON content."""
        return {"kind": DATE, **dataclasses.asdict(self), "parts": list(self.parts), "means": list(self.means),
                "scales": list(self.scales)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> DateEncoder:
        """The encoder that `to_json` described. Raises FileFormatError."""
        parts = texts_entry(content, "parts")
        means, scales = (tuple(number_entry({key: value}, key) for value in entry(content, key, list))
                         for key in ("means", "scales"))
        lines = sum(part not in PERIODS for part in parts)
        if not parts or not set(parts) <= set(PARTS) or len(means) != lines or len(scales) != lines or 0 in scales:
            raise damaged(f"the parts of the date {content.get('name')!r} do not fit their means and scales")
        order = entry(content, "order", str)
        if order not in ORDERS:
            raise damaged(f"there is no order of dates {order!r}")
        return cls(entry(content, "name", str), order, number_entry(content, "first"), parts, means, scales,
                   entry(content, "indicator", bool))


def _varies(values: np.ndarray, part: str) -> bool:
    """Whether a part is worth columns; a year that under 1 % of the rows do not have is not."""
    if part == "year":
        return np.bincount((values - values.min()).astype(np.int64)).max() <= 0.99 * len(values)
    return bool(np.ptp(values) > 0)


def _part(seconds: np.ndarray, part: str, first: float) -> np.ndarray:
    """One part of each moment, float64: days since `first`, the year, the month or weekday from 0, the hour."""
    if part == "days":
        return (seconds - first) / DAY
    if part == "hour":
        return seconds % DAY / 3600
    days = np.floor(seconds / DAY).astype(np.int64)
    if part == "day of week":
        return ((days + 3) % 7).astype(np.float64)  # 1970 began with a Thursday
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return (months // 12 + 1970 if part == "year" else months % 12).astype(np.float64)


def check_dates(table: Table, column: Column, format: DateFormat) -> None:
    """Check that each cell is missing or a date. Raises DataError with line and column."""
    unread = np.isnan(format.seconds_of_levels(column)) & (column.counts() > 0)
    if unread.any():
        row = column.first_row(unread)
        raise table.error(f"{column.level_texts[column.codes[row]]!r} is not a date as those of training were",
                          column=column.name, row=row, expected=f"dates in the order {format.order!r}, or ISO dates",
                          fix="correct the cell, or empty it so that it counts as missing")
