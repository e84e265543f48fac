"""Double descent in width by trained networks: from 2 hidden units to 512, on MNIST with a tenth of its labels wrong.

Belkin, Hsu, Ma and Mandal, "Reconciling modern machine-learning practice and the classical bias-variance trade-off",
PNAS 2019, figure 3: the test loss peaks where the network can just fit all rows, and falls as it grows further.
python examples/known_results/network_width.py [picture.svg] takes 20 seconds.
Test loss with 8 units 0.059, with 64 0.085, with 512 0.068.
"""

import sys

from digits import digits

import tarazu as tz

WIDTHS = (2, 4, 8, 16, 32, 64, 128, 256, 512)


def network(units, outputs=10, rate=0.003):
    layers = [tz.nn.Dense(units, "relu"), tz.nn.Dense(outputs)]
    return tz.nn.Sequential(layers).compile(tz.optim.Adam(lr=rate), loss="mse")


def curve_over_widths(x, y, test, widths=WIDTHS, epochs=300, seeds=3):
    """The losses after the last epoch, when what can be fitted is fitted."""
    return tz.study.capacity_curve(lambda units: network(units, y.shape[1]), x, y, settings=widths, by="units",
                                   validation_data=test, epochs=epochs, batch_size=50, seeds=seeds, weights="last")


if __name__ == "__main__":
    curve = curve_over_widths(*digits(200, 400, wrong=0.1, pixels=7))
    print(curve)
    curve.plot(sys.argv[1] if len(sys.argv) > 1 else "network_width.svg")
