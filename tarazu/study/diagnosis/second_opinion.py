"""A second opinion on each row: what a kernel method that did not see it predicts from the other rows.

Ridge regression on the inputs and on random Fourier features of them (Rahimi and Recht, 2007), with the strength of the
penalty and the width of the kernel by generalized cross-validation (Golub, Heath and Wahba, 1979). It needs no setting
of the user's model, so that it tells about rows also where that model is trained badly.
"""

from __future__ import annotations

import numpy as np

from tarazu.study.rows.ridge import ridge
from tarazu.study.rows.transforms import random_cosines, standardized

FOLDS = 3
FEATURES = 150
SCALES = (0.7, 1.4, 2.8)  # frequencies, as multiples of 1 / the median distance of two rows
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # in mean eigenvalues


def held_out_predictions(x: np.ndarray, targets: np.ndarray, seed: int = 0) -> np.ndarray:
    """Predictions for each row from folds that do not hold it, (rows, outputs), of `targets` (rows, outputs)."""
    random = np.random.default_rng(seed)
    inputs = standardized(x.reshape(len(x), -1).astype(np.float64))
    fold = random.permutation(len(x)) % FOLDS
    best_error, best = np.inf, np.zeros(targets.shape)
    for scale in SCALES:
        features = np.hstack([inputs, np.sqrt(2) * random_cosines(inputs, FEATURES, random, scale)])
        made = np.empty(targets.shape)
        for k in range(FOLDS):
            made[fold == k] = _predicted(features[fold != k], targets[fold != k], features[fold == k])
        error = float(((targets - made) ** 2).mean())
        if error < best_error:
            best_error, best = error, made
    return best


def _predicted(x: np.ndarray, y: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The predictions for `others` of a regression of `y` on `x`."""
    center, mean = x.mean(axis=0), y.mean(axis=0)
    return mean + (others - center) @ ridge(x - center, y - mean, PENALTIES)
