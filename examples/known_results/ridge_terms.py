"""Variance with a single peak over width while the bias falls, solved exactly: ridge regression on random ReLU units.

Yang, Yu, You, Steinhardt and Ma, "Rethinking bias-variance trade-off for generalization of neural networks", ICML 2020:
the bias falls with the width, the variance rises and falls, and how high its peak is decides the shape of the loss:
with next to no penalty it has a second descent, with a larger one it falls all the way. The first layer is drawn and
kept, the second solved.
python examples/known_results/ridge_terms.py [picture.svg] [penalty] takes 3 seconds.
Penalty 0.05: bias 0.574 to 0.043; variance 0.034, at 45 units 0.371, at 1000 0.109. Penalty 0.001: a loss of 0.580
at 12 units, 2.005 at 100, 0.184 at 1000.
"""

import sys

import numpy as np

from tarazu.study import BiasVariance, BiasVariancePoint
from tarazu.study.decompose.decomposition import of_squares

WIDTHS = (2, 4, 7, 12, 20, 30, 45, 70, 100, 150, 250, 400, 700, 1000)
COLUMNS, NOISE, TEST_ROWS = 40, 0.25, 400


def predictions(x, y, x_test, width, penalty, seed):
    """Those of `width` ReLU units whose weights `seed` draws, under an output layer by ridge regression."""
    weights = np.random.default_rng(seed).normal(size=(x.shape[1], width)) / np.sqrt(x.shape[1])
    units, units_of_test = (np.maximum(part @ weights, 0) / np.sqrt(width) for part in (x, x_test))
    return units_of_test @ (units.T @ np.linalg.solve(units @ units.T + penalty * np.eye(len(x)), y))


def terms(widths, penalty, rows=100, rounds=6, samples=2, seeds=4):
    """The terms of the squared loss for each width, by independent samples of a linear function with noise."""
    truth = np.random.default_rng(0).normal(size=COLUMNS) / np.sqrt(COLUMNS)
    x_test = np.random.default_rng(1).normal(size=(TEST_ROWS, COLUMNS))

    def sample(number):
        random = np.random.default_rng(100 + number)
        x = random.normal(size=(rows, COLUMNS))
        return x, x @ truth + np.sqrt(NOISE) * random.normal(size=rows)

    drawn = [sample(number) for number in range(rounds * samples)]
    points = []
    for width in widths:
        made = np.array([[predictions(x, y, x_test, width, penalty, 1000 * number + seed) for seed in range(seeds)]
                         for number, (x, y) in enumerate(drawn)])
        by_round = made.reshape(rounds, samples, seeds, TEST_ROWS, 1)
        found = of_squares([*by_round], (x_test @ truth)[:, None], 0.0)  # targets without their noise
        points.append(BiasVariancePoint(width, None, found, None, rounds, 0))
    return BiasVariance(tuple(points), rows, samples, seeds, False)


if __name__ == "__main__":
    penalty = float(sys.argv[2]) if len(sys.argv) > 2 else 0.05
    found = terms(WIDTHS, penalty)
    print("units   loss = bias + variance of the sample + variance of the seed")
    for point in found.points:
        loss = point.loss
        means = (f"{term.mean:.3f}" for term in (loss.loss, loss.bias, loss.sample_variance, loss.seed_variance))
        print(f"{point.setting:5}", *means)
    found.plot(sys.argv[1] if len(sys.argv) > 1 else "ridge_terms.svg")
