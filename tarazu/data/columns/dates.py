"""Dates and times as people write them: ISO, day or month first, names of months, times of day."""

from __future__ import annotations

import dataclasses
import datetime
import re

import numpy as np

from tarazu.data.columns.column import Column
from tarazu.data.columns.numbers import MOST_STRAY

DAY = 86_400  # seconds
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ORDERS = ("ymd", "mdy", "dmy", "time")  # where two fit equally well, the earlier one is taken
LOOKED_AT = 20  # levels that tell at first sight that a column holds no dates

_TIME = (r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
         r"\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})?")
_TAIL = rf"(?:(?:[Tt]|,?\s+){_TIME})?"
_MONTH_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?\s+)?"
_DAY, _MONTH, _YEAR = r"(?P<day>\d{1,2})", r"(?P<month>\d{1,2})", r"(?P<year>\d{4}|\d{2})"
_NTH = rf"{_DAY}(?:st|nd|rd|th)?"
NUMERIC = {
    "ymd": re.compile(rf"(?P<year>\d{{4}})[-/.]{_MONTH}(?:[-/.]{_DAY}{_TAIL})?"),
    "dmy": re.compile(rf"{_DAY}(?P<mark>[./-]){_MONTH}(?P=mark){_YEAR}{_TAIL}"),
    "mdy": re.compile(rf"{_MONTH}(?P<mark>[/-]){_DAY}(?P=mark){_YEAR}{_TAIL}"),
}
NAMED = (re.compile(rf"{_WEEKDAY}{_NTH}[\s.-]+{_MONTH_NAME},?[\s-]+{_YEAR}{_TAIL}"),
         re.compile(rf"{_WEEKDAY}{_MONTH_NAME}\s+{_NTH},?\s+(?P<year>\d{{4}}){_TAIL}"))
TIME_ONLY = re.compile(_TIME)
COMPACT = re.compile(r"(?P<year>[12]\d{3})(?P<month>\d{2})(?P<day>\d{2})")


@dataclasses.dataclass(frozen=True)
class DateFormat:
    """The order in which the dates of a column are written: "ymd", "mdy" or "dmy"; "time" for times of day alone.

    >>> DateFormat("dmy").parse("01.02.1970 00:01") / 86400
    31.000694444444445
    """

    order: str

    def parse(self, text: str) -> float:
        """Seconds since 1970 by the clock that the text is written for (its zone is not looked at); NaN for no date."""
        match = self._match(text)
        if match is None:
            return np.nan
        parts = match.groupdict()
        try:
            return _days(parts) * DAY + _seconds(parts)
        except ValueError:
            return np.nan

    def _match(self, text: str) -> re.Match[str] | None:
        if self.order == "time":
            return TIME_ONLY.fullmatch(text)
        first = NUMERIC["ymd"].fullmatch(text) or (COMPACT.fullmatch(text) if self.order == "ymd" else None)
        numeric = first or NUMERIC[self.order].fullmatch(text)
        return numeric or NAMED[0].fullmatch(text) or NAMED[1].fullmatch(text)

    def seconds_of_levels(self, column: Column) -> np.ndarray:
        """Seconds since 1970 of each level, float64 (levels,), NaN for what is no date."""
        return column.once(self, lambda: self._seconds_of(column.level_texts))

    def _seconds_of(self, texts: list[str]) -> np.ndarray:
        iso = _iso_seconds(texts) if self.order == "ymd" else None
        return np.fromiter(map(self.parse, texts), np.float64, len(texts)) if iso is None else iso

    def seconds(self, column: Column) -> np.ndarray:
        """Seconds since 1970 in each row, float64 (rows,), NaN where the cell is missing or no date."""
        return np.append(self.seconds_of_levels(column), np.nan)[column.codes]

    def note(self, column: Column) -> str:
        """How a date is read whose order is not plain from itself; "" for all others."""
        if self.order not in ("mdy", "dmy"):
            return ""
        example = next((text for text in column.level_texts if NUMERIC[self.order].fullmatch(text)), None)
        seconds = np.nan if example is None else self.parse(example)
        if seconds != seconds:
            return ""
        first = "day" if self.order == "dmy" else "month"
        return f"dates such as {example!r} are read as {date_text(seconds)} (the {first} first)"


def _iso_seconds(texts: list[str]) -> np.ndarray | None:
    """Seconds since 1970 where all texts are ISO dates of one length, read by NumPy at once; else None."""
    lengths = {len(text) for text in texts}
    length = max(lengths, default=0)
    if len(lengths) != 1 or length < 10 or not NUMERIC["ymd"].fullmatch(texts[0]) or texts[0][4] != "-":
        return None
    digits = 10 if length == 10 else 16 if length < 19 else 19
    try:
        return np.array(texts, f"U{digits}").astype("datetime64[s]").astype(np.int64).astype(np.float64)
    except ValueError:
        return None


def _days(parts: dict[str, str | None]) -> int:
    """Days since 1970; 0 for times of day. Raises ValueError for a date that there is not."""
    if not parts.get("year"):
        return 0
    year = int(parts["year"] or 0)
    if year < 100:
        if "name" not in parts and len(parts["day"] or "") + len(parts["month"] or "") < 4:
            raise ValueError("1.2.13 is rather a version")
        year += 1900 if year >= 69 else 2000  # as POSIX's strptime does
    month = MONTHS.index((parts["name"] or "")[:3].lower()) + 1 if "name" in parts else int(parts["month"] or 1)
    return datetime.date(year, month, int(parts.get("day") or 1)).toordinal() - 719_163


def _seconds(parts: dict[str, str | None]) -> int:
    """Seconds since midnight. Raises ValueError for a time that there is not."""
    if not parts.get("hour"):
        return 0
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    if parts["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if parts["half"] in "pP" else 0)
    if hour > 24 or minute > 59 or second > 60:
        raise ValueError(hour, minute, second)
    return hour * 3600 + minute * 60 + second


def date_text(seconds: float) -> str:
    """The day in ISO form.

    >>> date_text(86400.0)
    '1970-01-02'
    """
    return str(np.datetime64(int(seconds // DAY), "D"))


def date_format(column: Column) -> DateFormat | None:
    """The format that gives (nearly) all cells of a text column a date; None for other columns."""
    if column.levels.dtype == np.float64:
        return None
    counts = column.counts()
    used = np.flatnonzero(counts)
    look = used[np.linspace(0, len(used) - 1, min(LOOKED_AT, len(used))).astype(int)] if len(used) else used
    sample = [column.level_texts[level] for level in look]
    likely = [format for format in map(DateFormat, ORDERS)
              if 2 * sum(not np.isnan(format.parse(text)) for text in sample) > len(sample)]
    if any("." in text and NUMERIC["dmy"].fullmatch(text) for text in sample):
        likely = [format for format in likely if format.order != "mdy"]
    if any(NUMERIC["ymd"].fullmatch(text) for text in sample):
        likely = likely[:1]
    shares = [counts[~np.isnan(format.seconds_of_levels(column))].sum() / counts.sum() for format in likely]
    if not shares or max(shares) < 1 - MOST_STRAY:
        return None
    return likely[int(np.argmax(shares))]


def in_time_order(seconds: np.ndarray) -> bool:
    """Whether rows stand in the order of these times, up or down, or in a few blocks that do.

    >>> in_time_order(np.arange(100.0)), in_time_order(np.tile([0.0, 1.0], 50))
    (True, False)
    """
    known = seconds[~np.isnan(seconds)]
    if len(known) < 10 or len(np.unique(known)) < 5:
        return False
    tolerance = min(DAY, (known.max() - known.min()) / 100)
    moves = np.diff(known)
    return bool(min((moves < -tolerance).mean(), (moves > tolerance).mean()) <= 0.01)
