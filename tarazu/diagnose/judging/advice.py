"""Advice: what to try against each fault of a run, with the run's own numbers."""

from __future__ import annotations

from tarazu.base.messages import plural
from tarazu.diagnose.judging.measurements import read
from tarazu.diagnose.judging.symptoms import (
    has_high_rate,
    has_large_inputs,
    has_large_target,
    is_at_its_least,
    is_falling,
    is_far_off,
    is_made_by_few,
    is_too_short,
    is_unstable,
    learning_rate,
)
from tarazu.record import History


def against_overfitting(history: History) -> tuple[str, ...]:
    """Remedies for variance, with the size of the model and of the data; nothing is measured again."""
    parameters, samples = _sizes(history)
    smaller = () if is_too_short(history) else (f"a smaller model: now {parameters} for {samples}",)
    return (f"more training data: now {samples}", *smaller,
            "dropout, weight decay or, for pictures and sound, augmented data")


def against_underfitting(history: History) -> tuple[str, ...]:
    """Remedies for bias, by its likely cause: steps that overshoot, inputs or targets on another scale than outputs,
    single samples, a run that was too short, or too weak a model.
    """
    if is_unstable(history):
        return against_instability()
    if has_large_inputs(history):
        return train_longer(history)  # the finding about them says what to try first
    if is_far_off(history) or has_large_target(history):
        return ("a target scaled to mean 0 and standard deviation 1, where outputs start", *train_longer(history))
    if is_made_by_few(history):
        return ()  # the finding about them says what to try
    if is_falling(history, "train") or is_too_short(history):
        return train_longer(history)
    return (f"a larger model or another kind of layer: now {_sizes(history)[0]}", _another_rate(history),
            "less dropout or weight decay, where there is any", "features that say more about the target")


def _another_rate(history: History) -> str:
    rate = learning_rate(history)
    now = "" if rate is None else f", now {rate:.3g}"
    if has_high_rate(history):
        return f"a smaller learning rate{now}: first a tenth"
    if is_at_its_least(history):
        return f"a larger learning rate{now}, as the train loss falls slowly: first ten times as large"
    return f"another learning rate{now}, as the train loss no longer falls: first ten times as large, then a tenth"


def train_longer(history: History) -> tuple[str, ...]:
    """Remedies for a run that ended too early."""
    longer = f"train longer: now {plural(len(history), 'epoch')}"
    return (longer,) if has_high_rate(history) or is_too_short(history) else (longer, "a larger learning rate")


def against_instability() -> tuple[str, ...]:
    """Remedies for steps that overshoot."""
    return ("a smaller learning rate: a tenth of the present one", "clip the gradient's norm to 1",
            "inputs and regression targets scaled to about -1 to 1")


def _sizes(history: History) -> tuple[str, str]:
    """The numbers of parameters and of training samples, as text."""
    parameters, samples = read(history, "num_parameters", "train_rows") or (0, 0)
    return plural(parameters, "parameter"), plural(samples, "sample")
