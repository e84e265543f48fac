"""Bias, and the variances of the sample and of the seed, of networks on MNIST from 4 hidden units to 512.

Neal and others, "A modern take on the bias-variance tradeoff in neural networks", 2018, figures 1 and 2: past the width
that fits the rows, bias and both variances fall. Yang and others, "Rethinking bias-variance trade-off for
generalization of neural networks", ICML 2020, figure 1: over all widths the variance rises first, to a single peak.
python examples/known_results/network_terms.py [picture.svg] [share of wrong labels] takes NTTIME.
"""

import sys

from digits import digits

import tarazu as tz

WIDTHS = (2, 4, 8, 16, 32, 64, 128, 256, 512)


def network(units, outputs=10, rate=0.003):
    layers = [tz.nn.Dense(units, "relu"), tz.nn.Dense(outputs)]
    return tz.nn.Sequential(layers).compile(tz.optim.Adam(lr=rate), loss="mse")


def terms(x, y, test, widths=WIDTHS, epochs=300, rounds=3, **options):
    """The terms of the squared loss after the last epoch for each width, of fits to halves of the rows."""
    return tz.study.bias_variance(lambda units: network(units, y.shape[1], **options), x, y, validation_data=test,
                                  epochs=epochs, batch_size=50, rounds=rounds, settings=widths, at_epochs=[epochs])


if __name__ == "__main__":
    wrong = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    found = terms(*digits(400, 400, wrong=wrong, pixels=7))
    print(found)
    found.plot(sys.argv[1] if len(sys.argv) > 1 else "network_terms.svg")
