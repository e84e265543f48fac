"""Single values as text: which spellings mean the same value, and which words mean that a cell is missing."""

from __future__ import annotations

import re

import numpy as np

MISSING_WORDS = ("na", "n/a", "nan", "null", "none", "nat", "<na>", "?")
TRUTH_KEYS = {"True": "1", "False": "0"}
PLAIN_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")  # each text in one way only: fast
PERHAPS_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
MOST_DIGITS = 4000  # of a number that is not text: Python makes integers of 4,300
LARGEST_EXACT = 2**53  # float64 holds each whole number up to this


def as_text(value: object) -> str:
    """Any value as a text; a whole number without its `.0`.

    >>> as_text(3.0), as_text(np.float32(0.1)), as_text(True)
    ('3', '0.1', 'True')
    """
    if isinstance(value, np.floating) and not isinstance(value, float):
        return number_text(float(str(value)))
    return number_text(value) if isinstance(value, float) else str(value)


def number_text(value: float) -> str:
    """A number as people write it.

    >>> number_text(2007.0), number_text(0.1)
    ('2007', '0.1')
    """
    return str(int(value)) if value.is_integer() and abs(value) < LARGEST_EXACT else repr(float(value))


def parse_number(text: str) -> float:
    """The number that a text denotes in plain digits, NaN if it denotes none.

    >>> parse_number("1e3"), parse_number("12 km"), parse_number("1_000")
    (1000.0, nan, nan)
    """
    try:
        return np.nan if "_" in text else float(text)
    except ValueError:
        return np.nan


def one_spelling(text: str) -> str:
    """The spelling that stands for all of one value: of "1", "1.0" and "1e0" it is "1", of "TRUE" it is "True".

    Whole numbers are compared digit by digit, so that those above 2**53 stay apart. What may be thousands, such as
    1.000, stays as it is.

    >>> [one_spelling(text) for text in ("007.50", "TRUE", "9007199254740993", "1.000", "Lahore")]
    ['7.5', 'True', '9007199254740993', '1.000', 'Lahore']
    """
    return text if PERHAPS_THOUSANDS.fullmatch(text) else _canonical(text)


def value_key(text: str) -> str:
    """What two texts share if they denote the same value; True and 1 do, False and 0.

    >>> value_key("True") == value_key("1.000"), value_key("x") == value_key("y")
    (True, False)
    """
    spelling = _canonical(text)
    return TRUTH_KEYS.get(spelling, spelling)


def _canonical(text: str) -> str:
    if text.isdecimal() and text.isascii():
        return text.lstrip("0") or "0"
    first = text[:1]
    if first in "tTfF" and text.lower() in ("true", "false"):
        return text.capitalize()
    if not (first.isdigit() or first in "+-.") or len(text) > MOST_DIGITS or not PLAIN_NUMBER.fullmatch(text):
        return text
    if text.lstrip("+-").isdecimal():
        return str(int(text))
    value = float(text)
    return number_text(value) if np.isfinite(value) else text
