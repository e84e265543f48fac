"""Double descent in width, solved exactly: least squares on random Fourier features of MNIST.

Belkin, Hsu, Ma and Mandal, "Reconciling modern machine-learning practice and the classical bias-variance trade-off",
PNAS 2019, figure 2: the test loss is highest where there are as many features as rows, which just fit all labels, and
with many more it falls below that of the best small model. Of all weights that fit the rows, the smallest are taken.
python examples/known_results/random_features.py [picture.svg] takes 7 seconds.
Test loss with 70 features 0.061, with 300 (as many as rows) 23, with 3000 0.040.
"""

import sys

import numpy as np
from digits import digits

from tarazu.study import CapacityCurve, CurvePoint
from tarazu.study.curves.descents import best_positions, second_descent

WIDTHS = (10, 20, 40, 70, 100, 150, 200, 250, 280, 300, 320, 360, 420, 500, 700, 1000, 1500, 3000)


def features(x, width, seed, scale):
    """Random Fourier features, (rows, width); very many give the predictions of a Gaussian kernel."""
    random = np.random.default_rng(seed)
    return np.cos(x @ random.normal(0, scale, (x.shape[1], width)) + random.uniform(0, 2 * np.pi, width))


def losses(x, y, test, width, seed, scale):
    """The mean squared losses of the training rows and of the test rows, by the smallest weights that fit best."""
    made, made_of_test = (features(part, width, seed, scale) for part in (x, test[0]))
    weights = np.linalg.lstsq(made, y, rcond=None)[0]
    return tuple(float(np.square(found - target).mean())
                 for found, target in ((made @ weights, y), (made_of_test @ weights, test[1])))


def width_curve(rows_of, widths, seeds=5, scale=0.2):
    """The curve over widths; `rows_of` gives x, y and the test rows of a seed."""
    drawn = [rows_of(seed) for seed in range(seeds)]
    table = np.array([[losses(*drawn[seed], width, seed, scale) for width in widths] for seed in range(seeds)])
    points = tuple(CurvePoint(width, tuple(table[:, i, 0]), tuple(table[:, i, 1]), width * drawn[0][1].shape[1])
                   for i, width in enumerate(widths))
    best, first, last = best_positions(table[:, :, 1])
    trivial = np.square(drawn[0][1] - drawn[0][1].mean(axis=0)).mean()
    fitted = next((width for i, width in enumerate(widths) if table[:, i, 0].mean() < 0.01 * trivial), None)
    return CapacityCurve(points, "features", widths[best], (widths[first], widths[last]), fitted,
                         second_descent(table[:, :, 1], list(widths)), False)


if __name__ == "__main__":
    curve = width_curve(lambda seed: digits(300, 1000, seed=seed), WIDTHS)
    print(curve)
    curve.plot(sys.argv[1] if len(sys.argv) > 1 else "random_features.svg")
