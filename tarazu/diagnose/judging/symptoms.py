"""Symptoms that rules and advice share: yes or no questions about the measurements of a run."""

from __future__ import annotations

import math

from tarazu.diagnose.judging.measurements import read
from tarazu.diagnose.judging.thresholds import (
    EXPLOSION,
    HIGH_RATE,
    LARGE_INPUTS,
    MIN_EPOCHS,
    SHARE_OF_TRIVIAL,
    TRAIN_RISE,
    UNHARMED_SKILL,
    WORST_SHARE,
    worth,
)
from tarazu.record import History


def is_unstable(history: History) -> bool:
    """Whether the train loss exploded, rose again or stopped being a number in some epoch."""
    return history.measurements.get("non_finite_epoch") is not None or exploded(history) or fell_back(history)


def exploded(history: History) -> bool:
    """Whether the train loss jumped to a multiple of what it had been."""
    measured = read(history, "explosion")
    return bool(measured and measured[0] > EXPLOSION)


def fell_back(history: History) -> bool:
    """Whether the train loss ended far above its least value."""
    measured = read(history, "train_rise", "loss_scale")
    return bool(measured and measured[0] > TRAIN_RISE * measured[1])


def is_far_off(history: History) -> bool:
    """Whether the train loss is a multiple of what the trivial predictor has."""
    measured = read(history, "train_loss", "trivial_train_loss")
    return bool(measured and measured[0] > EXPLOSION * measured[1])


def has_large_inputs(history: History) -> bool:
    """Whether the inputs lie far outside the range that weights and learning rates are made for."""
    measured = read(history, "input_scale")
    return bool(measured and measured[0] > LARGE_INPUTS)


def has_large_target(history: History) -> bool:
    """Whether a target of numbers spreads far outside the range where outputs start."""
    measured = read(history, "trivial_train_loss")
    power = {"the mean": 2, "the median": 1}.get(str(history.measurements.get("trivial_predictor")))
    return bool(measured and power and measured[0] > LARGE_INPUTS ** power)


def has_high_rate(history: History) -> bool:
    """Whether the learning rate of the last epoch is larger than usual ones."""
    rate = learning_rate(history)
    return rate is not None and rate >= HIGH_RATE


def learning_rate(history: History) -> float | None:
    """The learning rate of the last epoch."""
    rate = history.rows[-1].get("learning_rate") if history.rows else None
    return float(rate) if isinstance(rate, int | float) else None


def is_at_its_least(history: History) -> bool:
    """Whether the train loss ended at its least value, so that it falls, if slowly."""
    measured = read(history, "train_rise", "train_trend_fall")
    return bool(measured and measured[0] == 0 and measured[1] > 0)


def is_too_short(history: History) -> bool:
    """Whether there were too few epochs to tell where the losses are going."""
    return len(history) < MIN_EPOCHS


def is_made_by_few(history: History) -> bool:
    """Whether few samples make most of a train loss that matters."""
    measured = read(history, "worst_share", "train_skill")
    return bool(measured and measured[0] > WORST_SHARE and measured[1] < UNHARMED_SKILL)


def own_loss(history: History) -> float:
    """The loss of the kept weights on validation data, or else on training data, in trivial losses; 0 where that is not
    known, as losses of which there is none have no natural zero.
    """
    measured = read(history, "validation_loss", "loss_scale") or read(history, "train_loss", "loss_scale")
    is_trivial = history.measurements.get("loss_scale_source") == "trivial loss"
    return measured[0] / measured[1] if measured and is_trivial else 0.0


def is_falling(history: History, which: str) -> bool:
    """Whether as many epochs again would lower the "train" or the "validation" loss by what is worth a name."""
    measured = read(history, f"{which}_fall_ahead", "loss_scale")
    return measured is not None and measured[0] >= worth(own_loss(history)) * measured[1]


def has_little_to_gain(history: History) -> bool:
    """Whether so little of the trivial loss is left on validation data that no change of it is worth a name."""
    measured = read(history, "validation_loss_high", "loss_scale")
    is_trivial = history.measurements.get("loss_scale_source") == "trivial loss"
    return bool(measured and is_trivial and measured[0] < SHARE_OF_TRIVIAL * measured[1])


def fails_in_evaluation(history: History) -> bool:
    """Whether validation gave no number from the first epoch on, and training went on to the end with finite losses."""
    validation = [row["val_loss"] for row in history if "val_loss" in row]
    has_trained = len(history) > 1 and all(math.isfinite(row.get("loss", math.nan)) for row in history)
    return has_trained and bool(validation) and "val_loss" in history[0] and not any(map(math.isfinite, validation))
