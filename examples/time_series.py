"""Sunspots of the next month from those of ten years: python examples/time_series.py sunspots.txt.gz

The file has a number for each month. Result: mean absolute error 13.3 sunspots on the last fifth of the months
(saying that the next month is as this one: 14.8), in 3 s of processor time.
"""

import sys

import numpy as np

import tarazu as tz


class Forecast(tz.nn.Module):
    """The last value, and a change that a network reads from all."""

    def __init__(self, length, units):
        self.change = tz.nn.Sequential(tz.nn.Dense(units, "relu", in_features=length), tz.nn.Dropout(0.2),
                                       tz.nn.Dense(1, in_features=units))

    def forward(self, past):
        return past[:, -1:] + self.change(past - past[:, -1:])


def main(path, epochs=30, length=120, units=32):
    """The mean absolute error on the last fifth, and that of saying that nothing changes."""
    tz.random.seed(0)
    series = np.array(" ".join(tz.data.text_lines(path)).split(), dtype=np.float32)
    cut = len(series) * 4 // 5                                       # no month of the test is seen in training
    mean, deviation = series[:cut].mean(), series[:cut].std()
    scaled = (series - mean) / deviation
    train = tz.data.timeseries(scaled[:cut], length)
    test = tz.data.timeseries(scaled[cut - length:], length)
    model = Forecast(length, units)
    model.compile(tz.optim.Adam(lr=tz.optim.cosine_decay(3e-3, epochs * len(train) // 64)), "mae")
    model.fit(train.shuffle(seed=0).batch(64), epochs=epochs, seed=0)
    error = model.evaluate(test.batch(500))["loss"] * deviation
    unchanged = np.abs(np.diff(series[cut - 1:])).mean()
    print(f"mean absolute error {error:.1f}, of no change {unchanged:.1f}")
    return float(error), float(unchanged)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
