"""Rules about bias (underfitting) and variance (overfitting): each takes a history and gives one finding or None."""

from __future__ import annotations

from tarazu.base.messages import plural
from tarazu.diagnose.judging import advice, symptoms
from tarazu.diagnose.judging.formatting import MOST_SHARE, number, percent, removed, with_interval
from tarazu.diagnose.judging.measurements import numbers_of, read
from tarazu.diagnose.judging.thresholds import (
    GAP_TOLERANCE,
    LARGE_GAP,
    LARGE_INPUTS,
    LITTLE_SKILL,
    MIN_EPOCHS,
    RISE_IN_NOISE,
    ROOM_SKILL,
    SHARE_OF_TRIVIAL,
    UNHARMED_SKILL,
    WORST_SHARE,
    least_gap,
    worth,
)
from tarazu.record import Finding, History


def losses(history: History) -> Finding | None:
    """The losses, the trivial loss and the accuracies, as plain evidence."""
    train = read(history, "train_loss", "train_samples")
    if train is None:
        return None
    text = f"loss {number(train[0])} on {_of_all(history, train[1], 'train_rows', 'training sample')}"
    validation = read(history, "validation_loss", "validation_samples")
    if validation:
        count = _of_all(history, validation[1], "validation_rows", "validation sample")
        text += f", {number(validation[0])} on {count}"
    accuracies = read(history, "train_accuracy", "validation_accuracy")
    if accuracies:
        text += f"; accuracy {percent(accuracies[0])} and {percent(accuracies[1])}"
    trivial = read(history, "trivial_train_loss")
    if trivial:
        always = history.measurements.get("trivial_predictor") or "the same"
        text += f"; {number(trivial[0])} is the trivial loss, of always predicting {always}"
    return Finding("fit", "info", text, numbers_of(history, "train_loss", "validation_loss", "trivial_train_loss"))


def _of_all(history: History, samples: float, all_rows: str, noun: str) -> str:
    """How many samples were measured, and of how many where these are not all."""
    (rows,) = read(history, all_rows) or (samples,)
    return plural(samples, noun) if rows <= samples else f"{samples:,.0f} of {plural(rows, noun)}"


def little_skill(history: History) -> Finding | None:
    """Bias: little of the trivial loss is gone even on the training data, in the kept and in every other epoch.

    A little that holds on new data may be all that there is to learn, as of most returns of stocks.
    """
    measured = read(history, "train_skill", "train_skill_high", "least_train_loss", "trivial_train_loss")
    if measured is None:
        return None
    skill, high, least_loss, trivial_loss = measured
    if high >= LITTLE_SKILL or 1 - least_loss / trivial_loss >= LITTLE_SKILL:
        return None
    (low_on_validation,) = read(history, "validation_skill_low") or (0.0,)
    if high >= SHARE_OF_TRIVIAL and low_on_validation > 0 and not symptoms.is_falling(history, "train"):
        return None
    evidence = f"the model removes {removed(skill)} of the trivial loss on the data it was fitted to: {_why(history)}"
    return Finding("little skill", "problem", evidence, numbers_of(history, "train_skill", "train_skill_high"),
                   LITTLE_SKILL, advice.against_underfitting(history))


def _why(history: History) -> str:
    """The cause of a train loss near or above the trivial loss."""
    if symptoms.is_far_off(history):
        loss, trivial = read(history, "train_loss", "trivial_train_loss") or (0.0, 1.0)
        return f"its loss is {number(loss / trivial)} times as large, so outputs are still far from the targets"
    if symptoms.has_large_target(history):
        return "the target's standard deviation is far above 1, which outputs take long to reach"
    if symptoms.is_too_short(history):
        return f"{plural(len(history), 'epoch')} may be too few"
    return "it is too weak, trained too little, or the inputs say little about the target"


def unscaled_inputs(history: History) -> Finding | None:
    """The inputs lie far outside the range that weights are made for, and the model has not learned all it could."""
    if not symptoms.has_large_inputs(history):
        return None
    skill = read(history, "train_skill")
    if skill and skill[0] >= UNHARMED_SKILL:
        return None
    (scale,) = read(history, "input_scale") or (0.0,)
    evidence = (f"the inputs are not scaled: the mean or the standard deviation of a column is {number(scale)}, and "
                "weights and learning rates are made for 0 and 1")
    return Finding("unscaled inputs", "warning", evidence, {"input_scale": scale}, LARGE_INPUTS,
                   ("inputs scaled to mean 0 and standard deviation 1: tz.data.Standardizer",))


def few_samples(history: History) -> Finding | None:
    """Most of the train loss comes from a fiftieth of the samples, so means say little about the rest."""
    measured = read(history, "worst_samples", "worst_share", "train_samples")
    if measured is None or not symptoms.is_made_by_few(history):
        return None
    worst, share, samples = measured
    evidence = (f"{percent(share)} of the train loss comes from {worst:.0f} of {plural(samples, 'sample')}: outliers, "
                f"wrong labels, or a model that is too sure of itself")
    is_squared = history.measurements.get("trivial_predictor") == "the mean"
    return Finding("few samples", "warning", evidence, numbers_of(history, "worst_samples", "worst_share"), WORST_SHARE,
                   ("look at the samples with the largest losses: are they errors in the data?",
                    *(['a loss that outliers move less: "huber" or "mae"'] if is_squared else [])))


def still_falling(history: History) -> Finding | None:
    """Bias: both losses were clearly falling when the run ended."""
    measured = read(history, "trend_epochs", "train_trend_fall", "validation_trend_fall", "loss_scale")
    if measured is None or history.stopped == "early stopping":
        return None
    epochs, train_fall, validation_fall, scale = measured
    if not (symptoms.is_falling(history, "train") and symptoms.is_falling(history, "validation")):
        return None
    evidence = (f"in the last {epochs:.0f} epochs the train loss fell by {number(train_fall)} and the validation loss "
                f"by {number(validation_fall)}: the run ended before the model had learned what it can")
    return Finding("still falling", "warning", evidence,
                   numbers_of(history, "trend_epochs", "train_trend_fall", "validation_trend_fall", "train_fall_ahead",
                              "validation_fall_ahead"),
                   worth(symptoms.own_loss(history)) * scale, advice.train_longer(history))


def gap(history: History) -> Finding | None:
    """Variance: the gap of the kept weights exceeds the tolerance by more than the validation set's noise."""
    measured = read(history, "gap", "gap_low", "gap_high", "loss_scale")
    if measured is None:
        return None
    size, low, high, scale = measured
    least = least_gap(symptoms.own_loss(history)) * scale
    if low <= least:
        return None
    evidence = (f"the loss on validation data exceeds that on training data by {with_interval(size, low, high)}: "
                f"{percent(size / scale)} of the {history.measurements['loss_scale_source']}")
    return Finding("gap", "problem" if size >= LARGE_GAP * scale else "warning", evidence,
                   numbers_of(history, "gap", "gap_low", "gap_high", "loss_scale"), least,
                   advice.against_overfitting(history))


def validation_rise(history: History) -> Finding | None:
    """Variance: validation loss rose after the turning epoch while the train loss kept falling.

    It is a problem where the kept weights suffer from it ("rise"), and worth knowing where they do not ("turned").
    """
    measured = read(history, "turning_epoch", "least_validation_loss", "rise", "epochs", "kept_epoch", "loss_scale")
    if measured is None or not _rose(history, "rise"):
        return None
    turning_epoch, least, size, epochs, kept, scale = measured
    change = f" (+{percent(size / least)})" if 0 < size <= MOST_SHARE * least else ""
    text = (f"validation loss was least about epoch {turning_epoch:.0f} and rose from {number(least)} to "
            f"{number(least + size)}{change} by epoch {epochs:.0f}, while the train loss kept falling")
    numbers = numbers_of(history, "turning_epoch", "least_validation_loss", "rise", "validation_noise", "kept_rise")
    threshold = worth(abs(least) / scale) * scale
    remedies = advice.against_overfitting(history)
    if _rose(history, "kept_rise"):
        text += f"; the model holds the weights of epoch {kept:.0f}, after that"
        stop = f"stop at epoch {turning_epoch:.0f}, or keep the weights of the best epoch"
        return Finding("rise", "problem", text, numbers, threshold, (stop, *remedies))
    if (read(history, "validation_skill") or (1.0,))[0] < LITTLE_SKILL:
        text += f"; the weights of epoch {kept:.0f} were kept, from before that, and do not do well on new data either"
        return Finding("rise", "problem", text, numbers, threshold, remedies)
    text += f"; the kept weights, of epoch {kept:.0f}, are from before that overfitting"
    return Finding("turned", "info", text, numbers, threshold,
                   (f"nothing need change; epochs after {turning_epoch:.0f} cost only time",))


def room(history: History) -> Finding | None:
    """Much is left to explain on training data that is no longer being learned, and there is hardly a gap."""
    measured = read(history, "train_skill", "gap", "loss_scale")
    if measured is None or len(history) < MIN_EPOCHS or symptoms.is_falling(history, "train"):
        return None
    if symptoms.is_unstable(history) or symptoms.is_made_by_few(history):
        return None  # neither is cured by a larger model
    skill, size, scale = measured
    if not LITTLE_SKILL <= skill < ROOM_SKILL or size > GAP_TOLERANCE * scale:
        return None
    evidence = (f"{percent(1 - skill)} of the trivial loss is left on training data and there is hardly a gap: a "
                f"larger model may gain, or the rest is noise in the data")
    return Finding("room", "info", evidence, numbers_of(history, "train_skill", "gap"), ROOM_SKILL,
                   ("a larger model, to see whether the rest is noise",))


def _rose(history: History, which: str) -> bool:
    """Whether "rise" (at the end) or "kept_rise" (of the kept weights) is more than noise and material."""
    measured = read(history, which, "least_validation_loss", "validation_noise", "loss_scale", "validation_loss",
                    "validation_loss_high")
    train = read(history, "train_fall_after_turn", "train_noise")
    if measured is None or train is None:
        return False
    size, least, noise, scale, mean, high = measured
    paired = read(history, "rise_low")
    beyond_sampling = paired[0] > 0 if paired and which == "rise" else size > high - mean
    train_fell = train[0] > 0 and train[0] > RISE_IN_NOISE * train[1]
    is_material = size > worth(abs(least) / scale) * scale
    return train_fell and size > RISE_IN_NOISE * noise and is_material and beyond_sampling
