"""Advice: what to try against each fault of a run, with the run's own numbers."""

from __future__ import annotations

from tarazu.base.messages import plural
from tarazu.diagnose.judging.measurements import read
from tarazu.diagnose.judging.symptoms import is_falling, is_far_off, is_made_by_few, is_unstable
from tarazu.record import History


def against_overfitting(history: History) -> tuple[str, ...]:
    """Remedies for variance, with the size of the model and of the data; nothing is measured again."""
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
    return f"train longer: now {plural(len(history), 'epoch')}", "a larger learning rate"


def against_instability() -> tuple[str, ...]:
    """Remedies for steps that overshoot."""
    return ("a smaller learning rate: a tenth of the present one", "clip the gradient's norm to 1",
            "inputs and regression targets scaled to about -1 to 1")


def _sizes(history: History) -> tuple[str, str]:
    """The numbers of parameters and of training samples, as text."""
    parameters, samples = read(history, "num_parameters", "train_rows") or (0, 0)
    return plural(parameters, "parameter"), plural(samples, "sample")
