"""Made-up runs whose true condition is known: gamma-distributed losses per sample, curves from simple formulas."""

from __future__ import annotations

import numpy as np

from tarazu.diagnose import measure_fit
from tarazu.record import History

TRIVIAL = 1.1
PARAMETERS = 4835


def losses(generator: np.random.Generator, mean: float, samples: int) -> np.ndarray:
    """Per-sample losses as classifiers have them.

    The better (or the more overconfident) the model, the more unequal: with little loss most are small and a few large
    (standard deviation 1.4 times the mean); near the trivial loss all are alike.
    """
    shape = max(0.5, 0.5 / max(0.01, abs(1 - mean / TRIVIAL)))
    return generator.gamma(shape, mean / shape, samples)


def trivial_losses(generator: np.random.Generator, samples: int) -> np.ndarray:
    return TRIVIAL + 0.2 * generator.standard_normal(samples)


def falling(epochs: int, end: float, time: float, start: float = TRIVIAL) -> np.ndarray:
    """An exponential fall from `start` towards `end` with the time constant `time`, in epochs."""
    return end + (start - end) * np.exp(-np.arange(1, epochs + 1) / time)


def drift(generator: np.random.Generator, epochs: int) -> np.ndarray:
    """Noise that stays for some ten epochs, of standard deviation 1: a validation loss that wanders without a turn."""
    steps = generator.standard_normal(epochs)
    for epoch in range(1, epochs):
        steps[epoch] = 0.9 * steps[epoch - 1] + np.sqrt(1 - 0.9**2) * steps[epoch]
    return steps


def make_run(seed: int, *, train: np.ndarray, validation: np.ndarray | None, train_samples: int = 400,
             validation_samples: int = 100, noise: float = 0.01, wander: float = 0.0, keep_best: bool = True,
             last_losses: bool = False, stopped: str = "epochs", trivial: bool = True) -> History:
    """A run with these mean curves, seen through epoch noise and through samples of these sizes."""
    generator = np.random.default_rng(seed)
    history = History()
    history.stopped = stopped
    surprise = 0.0
    if validation is not None:
        least = float(validation.min())
        surprise = losses(generator, least, validation_samples).mean() / least - 1
        validation = validation * (1 + wander * drift(generator, len(train)))
    for epoch in range(len(train)):
        row = {"seconds": 0.1, "loss": train[epoch] * (1 + noise * generator.standard_normal())}
        if validation is not None:
            row["val_loss"] = validation[epoch] * (1 + surprise) * (1 + noise * generator.standard_normal())
        history.append(**row)
    kept = history.best_epoch() if keep_best else len(train)
    kept_validation = None
    if validation is not None:
        kept_validation = losses(generator, float(validation[kept - 1]), validation_samples)
        kept_validation *= validation[kept - 1] * (1 + surprise) / kept_validation.mean()
    last = None
    if last_losses and kept_validation is not None:
        last = kept_validation * validation[-1] / validation[kept - 1]
    history.measurements = measure_fit(
        losses(generator, train[kept - 1], train_samples), kept_validation,
        trivial_losses(generator, train_samples) if trivial else None,
        trivial_losses(generator, validation_samples) if trivial and validation is not None else None,
        history.rows, num_parameters=PARAMETERS, kept_epoch=kept, last_validation_losses=last, seed=seed)
    return history


def healthy(seed: int, **options: object) -> History:
    """Random lengths, ends and small gaps (0 to 5 % of the trivial loss), settled."""
    generator = np.random.default_rng(seed + 10_000)
    epochs = int(generator.integers(10, 150))
    end = generator.uniform(0.02, 0.6)
    time = epochs / generator.uniform(4, 15)
    gap = generator.uniform(0, 0.05) * TRIVIAL
    return make_run(seed, **{"train": falling(epochs, end, time), "validation": falling(epochs, end + gap, time),
                             "validation_samples": int(generator.integers(60, 1000)), **options})


def overfit(seed: int, **options: object) -> History:
    """The train loss goes to nearly nothing; validation loss turns and rises, the kept weights are the last."""
    generator = np.random.default_rng(seed + 20_000)
    epochs = int(generator.integers(20, 150))
    train = falling(epochs, 0.01, epochs / 8)
    turn = epochs // 4
    validation = falling(epochs, generator.uniform(0.4, 0.7), epochs / 15)
    validation += np.maximum(0, np.arange(epochs) - turn) * generator.uniform(0.4, 1.5) / epochs
    return make_run(seed, **{"train": train, "validation": validation, "keep_best": False, "noise": 0.02, **options})


def memorizing(seed: int, **options: object) -> History:
    """Noise learned by heart: validation loss rises from the second epoch on; the best, useless weights are kept."""
    epochs = 60
    validation = TRIVIAL * (1 + np.linspace(0, 1.5, epochs)) - 0.05
    return make_run(seed, **{"train": falling(epochs, 0.01, 15), "validation": validation, "noise": 0.02, **options})


def weak(seed: int, **options: object) -> History:
    """A model that hardly beats the trivial predictor, however long it is trained."""
    generator = np.random.default_rng(seed + 30_000)
    epochs = int(generator.integers(5, 100))
    end = TRIVIAL * generator.uniform(0.95, 1.0)
    curve = falling(epochs, end, epochs / 5, start=TRIVIAL * 1.2)
    return make_run(seed, **{"train": curve, "validation": curve + 0.01, "train_samples": 1000, **options})


def noisy(seed: int, **options: object) -> History:
    """A problem that is mostly noise: of the trivial loss 6 to 12 % is gone, on new data too."""
    generator = np.random.default_rng(seed + 50_000)
    epochs = int(generator.integers(10, 100))
    curve = falling(epochs, TRIVIAL * generator.uniform(0.88, 0.94), epochs / 15)
    return make_run(seed, **{"train": curve, "validation": curve + 0.01, "train_samples": 1000,
                             "validation_samples": 1000, "noise": 0.002, **options})


def too_short(seed: int, **options: object) -> History:
    """Ended after one time constant."""
    generator = np.random.default_rng(seed + 40_000)
    epochs = int(generator.integers(5, 60))
    curve = falling(epochs, 0.1, epochs / generator.uniform(0.7, 1.5))
    return make_run(seed, **{"train": curve, "validation": curve + 0.02, **options})


def turned(seed: int, **options: object) -> History:
    """Overfits late, but the best weights, with a small gap, are kept."""
    epochs = 80
    train = falling(epochs, 0.05, 8)
    validation = falling(epochs, 0.08, 8) + np.maximum(0, np.arange(epochs) - 35) * 0.004
    train -= np.maximum(0, np.arange(epochs) - 35) * 0.001
    return make_run(seed, **{"train": train, "validation": validation, "validation_samples": 300, "last_losses": True,
                             "stopped": "early stopping", **options})
