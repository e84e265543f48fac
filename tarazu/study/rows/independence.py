"""A permutation test of whether a feature is independent of the other features given the target."""

from __future__ import annotations

import numpy as np

from tarazu.study.rows.ridge import ridge
from tarazu.study.rows.transforms import normal_scores, one_hot, random_cosines, standardized

COSINES = 200
SCREENED, PERMUTED = 100, 500  # permutations, with the order as it is, of a first look and of the test
PLAIN = 6.0  # standard deviations above the mean of permutations after which the first look is enough
BLOCK = 10  # rows with neighboring targets, among which permutations take place
KNOTS = 20
FOLDS = 5
PENALTIES = (0.01, 0.1, 1.0, 10.0)  # of the ridge regression, in mean eigenvalues


def independence(feature: np.ndarray, y: np.ndarray, others: np.ndarray, has_classes: bool,
                 random: np.random.Generator) -> float:
    """The p-value of the hypothesis that a feature (rows, parts) is independent of `others` given the targets `y`.

    Residuals given the target are permuted among rows of the same class, or with neighboring targets. Four statistics
    share the permutations: covariances with all columns of `others`, the largest of these and of those with their
    squares, covariances with random features of all, and those with what `others` say of the target, which alone
    shows that causes of one effect explain each other away. Their smallest p-value is corrected as by Westfall and
    Young (1993).
    """
    z = standardized(others)
    bases = [z, z * z, random_cosines(z, COSINES, random)]
    given = _Given(y, has_classes)
    residual = given.residuals(feature)
    first = _statistics(residual, given, [given.scaled(basis) for basis in bases], SCREENED, random)
    distance = (first[:, 0] - first[:, 1:].mean(axis=1)) / (first[:, 1:].std(axis=1) + 1e-12)
    if distance.max() > PLAIN:
        return 1 / SCREENED
    bases.append(_guesses(np.hstack(bases), one_hot(y) if has_classes else normal_scores(y)[:, None], random))
    statistics = _statistics(residual, given, [given.scaled(basis) for basis in bases], PERMUTED, random)
    return _smallest_p_value(statistics)


class _Given:
    """What residuals given the target are: those from the mean of the class, or from a smooth function of a number."""

    def __init__(self, y: np.ndarray, has_classes: bool) -> None:
        rank = np.argsort(np.argsort(y, kind="stable"), kind="stable")
        self.block = y if has_classes else rank // BLOCK
        self.order = np.argsort(self.block, kind="stable")
        if has_classes:
            self.basis = one_hot(y)
        else:
            knots = max(4, min(KNOTS, len(y) // 30))
            hats = np.maximum(0, 1 - np.abs((rank / len(y) * knots)[:, None] - np.arange(knots + 1)))
            scores = normal_scores(y)
            powers = np.stack([scores, scores**2, scores**3, (y - y.mean()) / (y.std() or 1.0)], axis=1)
            self.basis = np.hstack([hats, powers])
        self.inverse = np.linalg.pinv(self.basis, rcond=1e-8)

    def residuals(self, columns: np.ndarray) -> np.ndarray:
        return columns - self.basis @ (self.inverse @ columns)

    def scaled(self, columns: np.ndarray) -> np.ndarray:
        residuals = self.residuals(columns)
        return residuals / (np.sqrt((residuals**2).mean(axis=0)) + 1e-9)

    def permutation(self, random: np.random.Generator) -> np.ndarray:
        """Rows in another order within each block."""
        permuted = np.empty(len(self.block), np.int64)
        permuted[self.order] = np.lexsort((random.random(len(self.block)), self.block))
        return permuted


def _statistics(residual: np.ndarray, given: _Given, bases: list[np.ndarray], count: int,
                random: np.random.Generator) -> np.ndarray:
    """(statistics, count): the first column of the rows in their order, the others of permutations."""
    residual = (residual / np.sqrt((residual**2).sum() + 1e-12)).astype(np.float32)
    columns = np.hstack(bases).astype(np.float32).T
    covariances = np.empty((len(columns), count))
    for i in range(count):
        rows = residual if i == 0 else residual[given.permutation(random)]
        covariances[:, i] = ((columns @ rows).astype(np.float64)**2).sum(axis=1)
    linear, squares, cosines = np.cumsum([basis.shape[1] for basis in bases[:3]])
    statistics = [covariances[:linear].sum(axis=0), covariances[:squares].max(axis=0),
                  covariances[squares:cosines].sum(axis=0)]
    return np.stack([*statistics, covariances[cosines:].sum(axis=0)] if len(bases) > 3 else statistics)


def _smallest_p_value(statistics: np.ndarray) -> float:
    shares = (statistics[:, None, :] >= statistics[:, :, None]).mean(axis=2)  # of permutations that are as large
    smallest = shares.min(axis=0)
    return float((smallest <= smallest[0] + 1e-12).mean())


def _guesses(columns: np.ndarray, targets: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Cross-fitted predictions of the targets (rows, outputs) by ridge regression."""
    columns, guesses = columns - columns.mean(axis=0), np.empty_like(targets)
    fold = random.permutation(len(columns)) % FOLDS
    for i in range(FOLDS):
        rows = fold != i
        mean = targets[rows].mean(axis=0)
        guesses[~rows] = mean + columns[~rows] @ ridge(columns[rows], targets[rows] - mean, PENALTIES)
    return guesses
