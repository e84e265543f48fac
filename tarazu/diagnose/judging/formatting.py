"""Numbers as text in findings and reports, with as many digits as they carry."""

from __future__ import annotations

import math

MOST_SHARE = 10.0  # that is still said in percent


def number(value: float) -> str:
    """`value` with three significant digits.

    >>> number(0.071234), number(1.0), number(48350.2), number(0.0000123)
    ('0.0712', '1', '48,350', '1.23e-05')
    """
    if abs(value) >= 1000 and abs(value) < 1e7:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def percent(share: float) -> str:
    """`share` in percent, with one decimal where a whole number would hide the difference from 0 or 100 %.

    Beyond 1,000 % only that is said, as the scale that the share is of is too small to measure by.

    >>> percent(0.934), percent(0.9961), percent(-0.35), percent(0.016), percent(1.0), percent(-6.6e6)
    ('93 %', '99.6 %', '-35 %', '1.6 %', '100 %', 'below -1,000 %')
    """
    if abs(share) > MOST_SHARE:
        return "over 1,000 %" if share > 0 else "below -1,000 %"
    decimals = 1 if 0 < abs(share) < 0.0995 or 0.985 <= share < 1 else 0
    return f"{_without_negative_zero(100 * share, decimals)} %"


def removed(skill: float) -> str:
    """How much of the trivial loss a model with little `skill` removes.

    >>> removed(0.03), removed(-5.0)
    ('only 3.0 %', 'nothing')
    """
    return f"only {percent(skill)}" if skill >= 0.0005 else "nothing"


def with_interval(estimate: float, low: float, high: float) -> str:
    """`estimate` and its 95 % interval, rounded to what the interval's width lets one see.

    >>> with_interval(0.0213, -0.0121, 0.0582), with_interval(1234.5, 1100, 1300)
    ('0.02, 95 % interval -0.01 to 0.06', '1,234, 95 % interval 1,100 to 1,300')
    """
    decimals = max(0, -math.floor(math.log10((high - low) / 4))) if high > low else 3
    estimate_text, low_text, high_text = (_without_negative_zero(value, decimals) for value in (estimate, low, high))
    return f"{estimate_text}, 95 % interval {low_text} to {high_text}"


def rounded_up(value: float) -> int:
    """`value` rounded up to two significant digits, for numbers that are only estimates.

    >>> rounded_up(1234.5), rounded_up(31), rounded_up(7.2)
    (1300, 31, 8)
    """
    unit = 10 ** max(0, math.floor(math.log10(value)) - 1)
    return math.ceil(value / unit) * unit


def _without_negative_zero(value: float, decimals: int) -> str:
    return f"{round(value, decimals) + 0.0:,.{decimals}f}"
