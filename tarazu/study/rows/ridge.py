"""Ridge regression whose penalty generalized cross-validation chooses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MOST_FREEDOM = 0.95  # of a parameter a row: beyond that the estimate of the error is a quotient of small numbers


def ridge(columns: np.ndarray, targets: np.ndarray, penalties: Sequence[float]) -> np.ndarray:
    """Coefficients (columns, outputs) of centered columns and targets, with the best of penalties in mean eigenvalues.

    The best is that of the least error by generalized cross-validation (Golub, Heath and Wahba, 1979).

    >>> x = np.array([[-1.0], [0.0], [1.0]])
    >>> ridge(x, 2 * x, [1e-9, 1.0]).round(3).tolist()
    [[2.0]]
    """
    values, vectors = np.linalg.eigh(columns.T @ columns)
    values = np.maximum(values, 0)
    rotated, scores = vectors.T @ (columns.T @ targets), columns @ vectors
    best_error, best = np.inf, rotated
    for penalty in penalties:
        shrunk = values + penalty * (values.mean() or 1.0)
        freedom = min(MOST_FREEDOM, float((values / shrunk).sum()) / len(columns))
        error = float(((targets - scores @ (rotated / shrunk[:, None])) ** 2).sum()) / (1 - freedom) ** 2
        if error < best_error:
            best_error, best = error, rotated / shrunk[:, None]
    return vectors @ best
