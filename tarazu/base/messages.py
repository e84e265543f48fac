"""Phrases that messages and reports of several packages share: counts with their nouns, lists of names, long texts."""

from __future__ import annotations

from collections.abc import Iterable


def plural(count: float, singular: str, several: str = "") -> str:
    """A whole number with its noun.

    >>> plural(1, "row"), plural(2000, "row"), plural(0, "class", "classes")
    ('1 row', '2,000 rows', '0 classes')
    """
    return f"{count:,.0f} {singular if count == 1 else several or singular + 's'}"


def listing(names: Iterable[str], limit: int = 20) -> str:
    """Names in quotes, the first `limit` of them.

    >>> listing(["a", "b", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    quoted = [repr(name) for name in names]
    more = f" and {len(quoted) - limit} more" if len(quoted) > limit else ""
    return ", ".join(quoted[:limit]) + more


def shortened(text: str, limit: int) -> str:
    """`text` with an ellipsis in place of what is beyond `limit` characters.

    >>> shortened("perpendicular", 8), shortened("parallel", 8)
    ('perpend…', 'parallel')
    """
    return text if len(text) <= limit else f"{text[:limit - 1]}…"


def amount(value: float, digits: int = 6) -> str:
    """A number with so many significant digits, and at least its whole part where float64 holds that exactly.

    >>> amount(0.1234567), amount(1234.5678, 4), amount(5300012.3), amount(1.7e300)
    ('0.123457', '1,235', '5,300,012', '1.7e+300')
    """
    return f"{value:,.0f}" if 10.0 ** (digits - 1) <= abs(value) < 2.0**53 else f"{value:,.{digits}g}"
