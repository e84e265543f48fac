"""Which columns of a matrix are together the one-hot code of one feature."""

from __future__ import annotations

import numpy as np

MOST_TRIES = 1000  # of a search for the columns of one code; what takes more is no code


def features_of(x: np.ndarray) -> list[tuple[int, ...]]:
    """The features of a matrix: groups of two-valued columns of which exactly one is high in each row, and columns.

    Columns that never change are left out.

    >>> features_of(np.array([[1, 5, 0], [0, 6, 1], [0, 7, 1]]))
    [(0, 2), (1,)]
    """
    low, high = x.min(axis=0), x.max(axis=0)
    is_binary = ((x == low) | (x == high)).all(axis=0) & (low < high)
    is_on = {int(column): x[:, column] == high[column] for column in np.flatnonzero(is_binary)}
    left, groups = sorted(is_on, key=lambda column: -int(is_on[column].sum())), []
    while left:
        group = _exact_cover([left[0]], is_on[left[0]], left[1:], is_on, [MOST_TRIES]) or [left[0]]
        groups.append(tuple(sorted(group)))
        left = [column for column in left if column not in group]
    grouped = {column for group in groups for column in group}
    columns = [(int(column),) for column in np.flatnonzero(low < high) if column not in grouped]
    return sorted([*groups, *columns])


def _exact_cover(group: list[int], covered: np.ndarray, left: list[int], is_on: dict[int, np.ndarray],
                 tries: list[int]) -> list[int] | None:
    """`group` with more columns, so that each row is high in exactly one; None where there are none such."""
    if covered.all():
        return group
    tries[0] -= 1
    row = int(np.argmin(covered))
    for column in left:
        if tries[0] > 0 and is_on[column][row] and not (is_on[column] & covered).any():
            rest = [other for other in left if other != column]
            whole = _exact_cover([*group, column], covered | is_on[column], rest, is_on, tries)
            if whole:
                return whole
    return None
