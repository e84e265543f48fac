"""Reading the measurements of a history by name."""

from __future__ import annotations

from tarazu.record import History


def read(history: History, *names: str) -> tuple[float, ...] | None:
    """The measurements called `names`, or None where one of them is missing or no number.

    >>> read(History(), "gap") is None
    True
    """
    values = [value for name in names if isinstance(value := history.measurements.get(name), int | float)]
    return tuple(values) if len(values) == len(names) else None


def numbers_of(history: History, *names: str) -> dict[str, float | int | str | None]:
    """The measurements called `names` by their names, for a finding; None where one is missing."""
    return {name: history.measurements.get(name) for name in names}
