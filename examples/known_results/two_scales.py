"""Double descent in epochs, in closed form: least squares by gradient descent on inputs of two scales.

Heckel and Yilmaz, "Early stopping in deep networks: double descent and how to eliminate it", ICLR 2021, section 2, and
Stephenson and Lee, "When and how epochwise double descent happens", 2021. Columns of a large scale are learned first,
noise and all; those of a small scale make the fit better only many epochs later. Each group alone has one valley.
python examples/known_results/two_scales.py [picture.svg] takes 3 seconds.
Test loss at epoch 5 1.64, at 114 2.33, at 3000 1.09.
"""

import sys

import numpy as np

from tarazu.study.curves.epoch_curve import curve_of

RATE = 0.1
COLUMNS, SCALES = (120, 40), (1.0, 0.1)


def rows(count, seed, noise=0.5, columns=COLUMNS, scales=SCALES):
    """Inputs, targets, and the weights that made them: each group has half of the variance of what can be predicted."""
    random = np.random.default_rng(seed)
    scale = np.repeat(scales, columns)
    weights = random.normal(size=len(scale)) / np.sqrt(np.repeat(columns, columns)) / scale
    x = scale * random.normal(size=(count, len(scale)))
    return x, x @ weights + noise * random.normal(size=count), weights, scale**2, noise**2


def weights_after(x, y, steps, rate=RATE):
    """The weights of the mean squared loss after so many steps of gradient descent from 0: (steps, columns)."""
    left, values, right = np.linalg.svd(x, full_matrices=False)
    learned = 1 - (1 - 2 * rate * values**2 / len(x)) ** np.asarray(steps)[:, None]
    return (learned / values * (left.T @ y)) @ right


def losses(epochs, seed, count=200, **options):
    """The training loss and the exact expectation of the loss of new rows after each epoch, (2, epochs)."""
    x, y, truth, variances, noise = rows(count, seed, **options)
    weights = weights_after(x, y, np.arange(1, epochs + 1))
    return np.stack([np.square(weights @ x.T - y).mean(axis=1), (weights - truth)**2 @ variances + noise])


if __name__ == "__main__":
    curve = curve_of([losses(3000, seed) for seed in range(10)], sum(COLUMNS))
    print(curve)
    curve.plot(sys.argv[1] if len(sys.argv) > 1 else "two_scales.svg")
