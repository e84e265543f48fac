"""Double descent in epochs: a network learns MNIST with a fifth of its labels wrong, long past the fit of all of them.

Nakkiran and others, "Deep double descent: where bigger models and more data hurt", ICLR 2020, section 6: the test error
falls, rises while the wrong labels are learned by heart, and falls again.
python examples/known_results/noisy_epochs.py [picture.svg] takes NETIME.
"""

import sys

from digits import digits

import tarazu as tz


def network(outputs=10, units=128, rate=0.003, decay=0.1):
    layers = [tz.nn.Dense(units, "relu"), tz.nn.Dense(units, "relu"), tz.nn.Dense(units, "relu"), tz.nn.Dense(outputs)]
    return tz.nn.Sequential(layers).compile(tz.optim.AdamW(lr=rate, weight_decay=decay), loss="mse")


def curve_over_epochs(x, y, test, epochs, seeds=3, **options):
    """The losses of all rows by epoch, of networks whose first weights and order of rows the seeds draw."""
    return tz.study.epoch_curve(lambda: network(y.shape[1], **options), x, y, validation_data=test, epochs=epochs,
                                batch_size=100, seeds=seeds)


if __name__ == "__main__":
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
    curve = curve_over_epochs(*digits(300, 500, wrong=0.2, pixels=7), epochs)
    print(curve)
    curve.plot(sys.argv[1] if len(sys.argv) > 1 else "noisy_epochs.svg")
