"""When to stop: the 14 criteria of Prechelt, fast ones and slow ones: python examples/known_results/stopping.py

Source: Prechelt (1998), "Early stopping - but when?": over 12 problems slow criteria have a test error about 4 % lower
than fast ones, and take about 4 times as long. They are looked at every 5 epochs (a strip). GL(a): the validation loss
is a percent above its lowest; PQ(a): that, divided by the progress in the strip, by how many permille the mean training
loss is above the lowest; UP(s): it rose in s strips in a row. Time: half a minute. Results: UP(8) needs
3.5 times as long as UP(2), test loss -5.0 % (-10.6 to 0.9); GL(5) and GL(1) 3.2, -6.1 %; PQ(3) and PQ(0.5) 1.9, -0.7 %.
"""

import numpy as np
from panels import BLUE, GREEN, ORANGE, Panel, save

import tarazu as tz

STRIP, COLORS = 5, (BLUE, ORANGE, GREEN)
KINDS = {"sum": lambda x: x[:, :4].sum(axis=1) / 2, "product": lambda x: x[:, 0] * x[:, 1],
         "wave": lambda x: 1.4 * np.sin(2 * x[:, 0]) + x[:, 1] / 2, "step": lambda x: np.sign(x[:, 0] + x[:, 1])}
PROBLEMS = [(kind, noise) for kind in KINDS for noise in (0.3, 0.6, 1.0)]
CRITERIA = {"GL": (1, 2, 3, 5), "PQ": (0.5, 0.75, 1, 2, 3), "UP": (2, 3, 4, 6, 8)}


class TestLosses(tz.train.Callback):
    """Keeps the loss on test rows at the end of each strip."""

    def __init__(self, *rows):
        self.rows, self.losses = rows, []

    def on_epoch_end(self, run):
        if run.epoch % STRIP == 0:
            self.losses.append(run.model.evaluate(*self.rows)["loss"])


def run(kind, noise, seed, epochs=300):
    """One long fit: training losses (strips, 5), and validation and test losses at the end of each strip."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(1200, 8)).astype("float32")
    y = KINDS[kind](x) + noise * random.normal(size=1200)
    model = tz.nn.Sequential(tz.nn.Dense(24, "tanh"), tz.nn.Dense(1)).compile(tz.optim.Adam(lr=0.003), "mse")
    test = TestLosses(x[200:], y[200:])
    history = model.fit(x[:100], y[:100], validation_data=(x[100:200], y[100:200]), epochs=epochs, batch_size=20,
                        seed=seed, verbose=0, callbacks=[test, tz.train.KeepBest(restore=False)]).history
    training, validation = np.reshape(history["loss"], (-1, STRIP)), np.reshape(history["val_loss"], (-1, STRIP))
    return training, validation[:, -1], np.array(test.losses)


def stopped(name, strength, training, validation):
    """After how many strips a criterion ends a run; all of them where it never does."""
    loss = 100 * (validation / np.minimum.accumulate(validation) - 1)
    progress = 1000 * (training.mean(axis=1) / training.min(axis=1) - 1)
    rises = np.diff(validation, prepend=np.inf) > 0
    in_a_row = np.array([np.argmin(rises[i::-1]) for i in range(len(rises))])  # the first strip is no rise
    fires = {"GL": loss > strength, "PQ": loss > strength * progress, "UP": in_a_row >= strength}[name]
    return int(np.argmax(fires)) + 1 if fires.any() else len(fires)


def compared(runs, slow, fast):
    """By which factors slow takes longer and changes the test loss, at the lowest validation loss: (mean, interval)."""
    def outcome(criterion, training, validation, test):
        return (end := stopped(*criterion, training, validation)), test[np.argmin(validation[:end])]

    factors = [[np.divide(outcome(slow, *each), outcome(fast, *each)) for each in seeds] for seeds in runs]
    means = np.log(factors).mean(axis=1)
    half = 2.201 * means.std(axis=0, ddof=1) / np.sqrt(len(means))  # 95 %: Student's factor for 12 problems
    return np.exp(means.mean(axis=0) + np.outer([0, -1, 1], half)).T


if __name__ == "__main__":
    runs = [[run(*problem, seed) for seed in range(4)] for problem in PROBLEMS]
    panel = Panel("test loss against GL(1), in %", "time against GL(1)", [0.9, 10], [-10, 2], (1, 2, 4, 8))
    for (name, strengths), color in zip(CRITERIA.items(), COLORS, strict=True):
        times, losses = np.array([compared(runs, (name, strength), ("GL", 1))[:, 0] for strength in strengths]).T
        panel.curve(times, 100 * losses - 100, color)
        time, loss = compared(runs, (name, strengths[-1]), (name, strengths[0]))
        print(name, f"slowest against fastest: {time.round(1)} times as long, test loss {100 * loss.round(3) - 100} %")
    each = Panel("the same, UP(8) against UP(2)", "time; a dot for each problem", [0.9, 10], [-30, 5], (1, 2, 4, 8))
    for problem, seeds in zip(PROBLEMS, runs, strict=True):
        time, loss = compared([seeds, seeds], ("UP", 8), ("UP", 2))[:, 0]
        each.dots([time], [100 * loss - 100], COLORS[2])
        each.text(time / 1.1, 100 * loss - 101, "{}, {}".format(*problem) if loss < 0.9 else "", "end")
    print(save("stopping", "Criteria that stop training", [panel, each], dict(zip(CRITERIA, COLORS, strict=True))))
