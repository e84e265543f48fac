"""When to stop: Prechelt's criteria, fast ones and slow ones: python examples/known_results/stopping.py

Source: Prechelt (1998), "Early stopping - but when?": 12 problems; slow criteria end with a test error that is about 4 %
lower than that of fast ones, and take about 4 times as long. Criteria are looked at every 5 epochs (a strip):
GL(a), the validation loss is a percent above its lowest; PQ(a), so is its ratio to the progress in the strip, the
permille by which the mean training loss is above the lowest; UP(s), it rose in s strips one after the other.
Time: TIME. Results:
RESULTS
"""

import numpy as np
from panels import BLUE, GREEN, GREY, ORANGE, Panel, save

import tarazu as tz

STRIP, EPOCHS, SEEDS = 5, 300, 4
KINDS = {"sum": lambda x: x[:, :4].sum(axis=1) / 2, "product": lambda x: x[:, 0] * x[:, 1],
         "wave": lambda x: 1.4 * np.sin(2 * x[:, 0]) + x[:, 1] / 2, "step": lambda x: np.sign(x[:, 0] + x[:, 1])}
PROBLEMS = [(kind, noise) for kind in KINDS for noise in (0.3, 0.6, 1.0)]
CRITERIA = [("GL", 1), ("GL", 2), ("GL", 5), ("GL", 10), ("PQ", 0.5), ("PQ", 1), ("PQ", 2), ("PQ", 3), ("UP", 2),
            ("UP", 3), ("UP", 4), ("UP", 6), ("UP", 8), ("patience", 2), ("patience", 5), ("patience", 10),
            ("patience", 20), ("patience", 40)]


class TestLosses(tz.train.Callback):
    """Keeps the loss on test rows at the end of each strip."""

    def __init__(self, x, y):
        self.x, self.y, self.losses = x, y, []

    def on_epoch_end(self, run):
        if run.epoch % STRIP == 0:
            self.losses.append(run.model.evaluate(self.x, self.y)["loss"])


def run(kind, noise, seed, epochs=EPOCHS):
    """One long fit: training and validation losses of each epoch, and test losses of each strip."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(1200, 8)).astype("float32")
    y = KINDS[kind](x) + noise * random.normal(size=1200)
    model = tz.nn.Sequential(tz.nn.Dense(24, "tanh"), tz.nn.Dense(1)).compile(tz.optim.Adam(lr=0.003), "mse")
    test = TestLosses(x[200:], y[200:])
    history = model.fit(x[:100], y[:100], validation_data=(x[100:200], y[100:200]), epochs=epochs, batch_size=20,
                        seed=seed, verbose=0, callbacks=[test, tz.train.KeepBest(restore=False)]).history
    return np.array(history["loss"]), np.array(history["val_loss"]), np.array(test.losses)


def stopped(name, strength, training, validation):
    """After which epoch a criterion ends a run; the last one where it never does."""
    if name == "patience":  # as tz.train.EarlyStopping: no epoch of so many is below the lowest before
        best = np.minimum.accumulate(validation)
        since = [epoch - int(np.argmin(validation[:epoch + 1])) for epoch in range(len(best))]
        return next((epoch + 1 for epoch, count in enumerate(since) if count >= strength), len(validation))
    ends, strips = validation[STRIP - 1::STRIP], training.reshape(-1, STRIP)
    loss = 100 * (ends / np.minimum.accumulate(ends) - 1)
    progress = 1000 * (strips.mean(axis=1) / strips.min(axis=1) - 1)
    rises = np.concatenate([[False], np.diff(ends) > 0])
    up = [rises[max(0, i - int(strength) + 1):i + 1].all() and i >= strength for i in range(len(ends))]
    fires = {"GL": loss > strength, "PQ": loss / progress > strength, "UP": np.array(up)}[name]
    return STRIP * int(np.argmax(fires) + 1) if fires.any() else len(validation)


def outcome(name, strength, losses):
    """The epochs a criterion takes, and the test loss where the validation loss is the lowest of the strips before."""
    training, validation, test = losses
    epochs = stopped(name, strength, training, validation)
    strips = max(1, epochs // STRIP)
    return epochs, test[np.argmin(validation[STRIP - 1::STRIP][:strips])]


def compared(runs, slow, fast):
    """By which factors slow takes more epochs and has another test loss than fast, each with a 95 % interval.

    Geometric means over problems, of which each is the mean of its seeds; 2.2 is Student's factor for 12 problems.
    """
    logs = np.array([[np.log(outcome(*slow, r)) - np.log(outcome(*fast, r)) for r in seeds] for seeds in runs])
    means = logs.mean(axis=1)
    half = 2.201 * means.std(axis=0, ddof=1) / np.sqrt(len(means))
    return np.exp([means.mean(axis=0), means.mean(axis=0) - half, means.mean(axis=0) + half])


if __name__ == "__main__":
    runs = [[run(*problem, seed) for seed in range(SEEDS)] for problem in PROBLEMS]
    import pickle; pickle.dump(runs,open("/tmp/kn/runs.pkl","wb"))
