"""What to try, in words with the run's own numbers."""

from __future__ import annotations

from tarazu.diagnose.judging.thresholds import EXPLOSION, STILL_FALLING, TRAIN_RISE, UNHARMED_SKILL, WORST_SHARE
from tarazu.diagnose.judging.wording import count, read
from tarazu.record import History


def against_overfitting(history: History) -> tuple[str, ...]:
    """Remedies for variance, with the size of the model and of the data; nothing here is measured anew."""
    parameters, samples = _sizes(history)
    return (f"more training data: now {samples}", f"a smaller model: now {parameters} for {samples}",
            "dropout, weight decay or, for pictures and sound, augmented data")


def against_underfitting(history: History) -> tuple[str, ...]:
    """Remedies for bias, by its likely cause: steps that overshoot, targets on another scale than outputs, single
    samples, a run that was too short, or too weak a model.
    """
    if is_unstable(history):
        return against_instability()
    if is_far_off(history):
        return ("a target scaled to mean 0 and standard deviation 1, where outputs start", *train_longer(history))
    if is_made_by_few(history):
        return ()  # the finding about them says what to try
    if is_falling(history, "train"):
        return train_longer(history)
    return (f"a larger model or another kind of layer: now {_sizes(history)[0]}",
            "another learning rate: the train loss no longer falls; first ten times as large, then a tenth",
            "less dropout or weight decay, where there is any",
            "inputs scaled to about -1 to 1, and features that say more about the target")


def train_longer(history: History) -> tuple[str, ...]:
    """Remedies for a run that ended too early."""
    return f"train longer: now {count(len(history), 'epoch')}", "a larger learning rate"


def against_instability() -> tuple[str, ...]:
    """Remedies for steps that overshoot."""
    return ("a smaller learning rate: a tenth of the present one", "clip the gradient's norm to 1",
            "inputs and regression targets scaled to about -1 to 1")


def is_unstable(history: History) -> bool:
    """Whether the train loss exploded, rose again or stopped being a number in some epoch."""
    return history.measurements.get("non_finite_epoch") is not None or exploded(history) or fell_back(history)


def exploded(history: History) -> bool:
    """Whether the train loss jumped to a multiple of what it had been."""
    found = read(history, "explosion")
    return bool(found and found[0] > EXPLOSION)


def fell_back(history: History) -> bool:
    """Whether the train loss ended far above its least value."""
    found = read(history, "train_rise", "loss_scale")
    return bool(found and found[0] > TRAIN_RISE * found[1])


def is_far_off(history: History) -> bool:
    """Whether the train loss is a multiple of what the trivial predictor has."""
    found = read(history, "train_loss", "trivial_train_loss")
    return bool(found and found[0] > EXPLOSION * found[1])


def is_made_by_few(history: History) -> bool:
    """Whether few samples make most of a train loss that matters."""
    found = read(history, "worst_share", "train_skill")
    return bool(found and found[0] > WORST_SHARE and found[1] < UNHARMED_SKILL)


def is_falling(history: History, which: str) -> bool:
    """Whether the "train" or the "validation" loss was still clearly falling when the run ended."""
    found = read(history, f"{which}_trend_fall", "loss_scale")
    return found is not None and found[0] >= STILL_FALLING * found[1]


def _sizes(history: History) -> tuple[str, str]:
    found = read(history, "num_parameters", "train_samples") or (0, 0)
    return count(found[0], "parameter"), count(found[1], "sample")
