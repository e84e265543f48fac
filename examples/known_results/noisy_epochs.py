"""Double descent in epochs: a network learns MNIST with a fifth of its labels wrong, long past the fit of all of them.

Nakkiran and others, "Deep double descent: where bigger models and more data hurt", ICLR 2020, section 6: the test error
falls, rises while the wrong labels are learned by heart, and falls again.
python examples/known_results/noisy_epochs.py [picture.svg] [share of wrong labels] takes 30 seconds.
Test loss at epoch 15 0.041, at 170 0.057, at 2000 0.049; the training loss at 205 is 0.0005.
"""

import sys

from digits import digits

import tarazu as tz


def network(outputs=10, units=128, rate=0.003):
    layers = [tz.nn.Dense(units, "relu"), tz.nn.Dense(units, "relu"), tz.nn.Dense(units, "relu"), tz.nn.Dense(outputs)]
    return tz.nn.Sequential(layers).compile(tz.optim.Adam(lr=rate), loss="mse")


def curve_over_epochs(x, y, test, epochs, seeds=3):
    """The losses of all rows by epoch, of networks whose first weights and order of rows the seeds draw."""
    return tz.study.epoch_curve(lambda: network(y.shape[1]), x, y, validation_data=test, epochs=epochs,
                                batch_size=100, seeds=seeds)


if __name__ == "__main__":
    wrong = float(sys.argv[2]) if len(sys.argv) > 2 else 0.2
    curve = curve_over_epochs(*digits(300, 500, wrong=wrong, pixels=7), 2000)
    print(curve)
    curve.plot(sys.argv[1] if len(sys.argv) > 1 else "noisy_epochs.svg")
