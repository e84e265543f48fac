"""Rules about the evidence itself: is there enough of it, can it be trusted? Each gives one finding or None."""

from __future__ import annotations

from tarazu.base.messages import plural
from tarazu.diagnose.judging import advice, rules, symptoms
from tarazu.diagnose.judging.formatting import number, percent, rounded_up, with_interval
from tarazu.diagnose.judging.measurements import numbers_of, read
from tarazu.diagnose.judging.thresholds import (
    EXPLOSION,
    GAP_TOLERANCE,
    LARGE_GAP,
    LARGE_SHIFT,
    MIN_EPOCHS,
    MIN_VALIDATION_SAMPLES,
    SURPRISES,
    TRAIN_RISE,
    UNHARMED_SKILL,
    least_gap,
)
from tarazu.record import Finding, History


def not_measured(history: History) -> Finding | None:
    """Nothing was measured at the end of the run."""
    if history.measurements.get("train_samples"):
        return None
    return Finding("not measured", "info", "no losses were measured on the weights that the run left",
                   advice=("train with `fit`, or put the result of `measure_fit` in history.measurements",))


def batch_loss(history: History) -> Finding | None:
    """The loss has no value for a single sample, so that no interval says how far it is noise."""
    if not history.measurements.get("is_batch_loss"):
        return None
    evidence = ("the loss of a batch is neither the mean nor the sum of its samples' losses, so its noise on data of "
                "this size cannot be measured")
    return Finding("batch loss", "warning", evidence,
                   advice=("look at a metric of samples beside it, on data held out",))


def diverged(history: History) -> Finding | None:
    """The kept weights give losses that are NaN or infinite, or the run broke off before it had learned anything."""
    samples = read(history, "non_finite_samples")
    first = read(history, "non_finite_epoch")
    if samples and samples[0]:
        when = f"; it first happened in epoch {first[0]:.0f}" if first else ""
        count = plural(samples[0], "sample")
        evidence = f"the loss of {count} is NaN or infinite under the weights that are left{when}"
    elif _broke_off(history) and len(history) <= MIN_EPOCHS:
        evidence = f"a loss was NaN or infinite in epoch {_last_epoch(history)}, and training stopped there"
    else:
        return None
    of_evaluation = ("look for log(0) or 0 / 0 in what the model does in evaluation alone",
                     "look for NaN or huge values in the validation data")
    return Finding("diverged", "problem", evidence, {"non_finite_samples": samples[0] if samples else None}, 0.0,
                   of_evaluation if symptoms.fails_in_evaluation(history)
                   else (*advice.against_instability(), "look for NaN or huge values in the data"))


def _broke_off(history: History) -> bool:
    """Whether a loss that is NaN or infinite ended the run, in the epoch of the last row."""
    return history.stopped == "not finite"


def _last_epoch(history: History) -> int:
    return int(history[-1].get("epoch", len(history))) if len(history) else 1


def unstable(history: History) -> Finding | None:
    """The train loss exploded, rose or became NaN or infinite on the way, but the kept weights give numbers.

    It decides the verdict ("not settled") where the kept weights are not good all the same ("unstable").
    """
    if diverged(history) or not (symptoms.is_unstable(history) or _broke_off(history)):
        return None
    evidence, numbers, threshold = _instability(history)
    skill = read(history, "train_skill_low")
    went_wrong = symptoms.exploded(history) or symptoms.fell_back(history)
    if not went_wrong or skill is None or skill[0] >= UNHARMED_SKILL:
        return Finding("unstable", "warning", f"{evidence}: training was unstable", numbers, threshold,
                       advice.against_instability())
    return Finding("not settled", "problem", f"{evidence}: training was unstable, and the weights that are left "
                   "are one moment of it", numbers, threshold, advice.against_instability())


def _instability(history: History) -> tuple[str, dict[str, float | None], float | None]:
    """The evidence that steps overshot, its numbers and the threshold."""
    first = read(history, "non_finite_epoch") or ((_last_epoch(history),) if _broke_off(history) else None)
    if first:
        return f"a loss was NaN or infinite in epoch {first[0]:.0f}", {"non_finite_epoch": first[0]}, None
    if symptoms.exploded(history):
        (factor,) = read(history, "explosion") or (0.0,)
        return f"the train loss jumped to {number(factor)} times its size", {"explosion": factor}, EXPLOSION
    rise, scale = read(history, "train_rise", "loss_scale") or (0.0, 0.0)
    return (f"the train loss rose by {number(rise)} from its least value to the last epoch", {"train_rise": rise},
            TRAIN_RISE * scale)


def no_validation(history: History) -> Finding | None:
    """There is nothing to compare the training data with."""
    if history.measurements.get("validation_samples") != 0:
        return None
    return Finding("no validation", "warning", "without a validation set nothing shows how the model does on new data",
                   {"validation_samples": 0}, None, ("set a fifth of the samples aside: validation_split=0.2",))


def few_validation(history: History) -> Finding | None:
    """The validation set is too small for the gap that there may be."""
    measured = read(history, "validation_samples", "gap", "gap_low", "gap_high", "loss_scale")
    if measured is None:
        return _too_few_for_an_interval(history)
    samples, gap, low, high, scale = measured
    least = least_gap(symptoms.own_loss(history))
    large = least + LARGE_GAP - GAP_TOLERANCE
    unclear = low <= least * scale and high >= large * scale
    if not unclear and samples >= MIN_VALIDATION_SAMPLES:
        return None
    trained = read(history, "train_samples") or (samples,)
    if unclear and trained[0] < samples:
        return _few_training(history, trained[0])
    wanted = max(large - gap / scale, gap / scale - least)  # half an interval of that width holds one reading only
    needed = max(samples * ((high - low) / 2 / scale / wanted) ** 2, SURPRISES / GAP_TOLERANCE)  # width: 1 / sqrt(n)
    reason = (f"the gap is {with_interval(gap, low, high)}: from {percent(low / scale)} to {percent(high / scale)} of "
              f"the {history.measurements['loss_scale_source']}" if unclear else
              f"up to {percent(min(1, SURPRISES / samples))} of new samples may go wrong and none of these show it")
    return Finding("few validation samples", "warning", f"with {plural(samples, 'validation sample')} {reason}",
                   {"validation_samples": samples, "gap": gap, "gap_low": low, "gap_high": high, "needed": needed},
                   large * scale, (f"about {rounded_up(needed):,} validation samples, or cross-validation",))


def _few_training(history: History, samples: float) -> Finding:
    """The gap is unclear for the noise of the training set, which is the smaller one."""
    gap, low, high = read(history, "gap", "gap_low", "gap_high") or (0.0, 0.0, 0.0)
    evidence = f"with {plural(samples, 'training sample')} the gap is {with_interval(gap, low, high)}"
    return Finding("few training samples", "warning", evidence,
                   {"train_samples": samples, "gap": gap, "gap_low": low, "gap_high": high}, None,
                   (f"more training data: now {plural(samples, 'sample')}", "fits with other seeds and other samples"))


def no_epoch(history: History) -> Finding | None:
    """The run was broken off before its first epoch ended: the weights are the first ones, or nearly so."""
    if len(history) or not history.measurements or _broke_off(history):
        return None
    return Finding("no epoch", "warning", "the run ended before its first epoch did", {"epochs": 0}, None,
                   (f"train for at least {MIN_EPOCHS} epochs",))


def few_epochs(history: History) -> Finding | None:
    """The run is too short to show where the losses are going, and they are not at their end already."""
    if not 0 < len(history) < MIN_EPOCHS or symptoms.has_little_to_gain(history):
        return None
    return Finding("few epochs", "info", f"{plural(len(history), 'epoch')} cannot show where the losses are going",
                   {"epochs": len(history)}, MIN_EPOCHS, (f"train for at least {MIN_EPOCHS} epochs",))


def other_rows(history: History) -> Finding | None:
    """The validation rows are of another kind than the training rows, so that a gap may come from that.

    It decides the verdict where there is a gap or a rise ("gap to other rows"), and else is worth knowing.
    """
    measured = read(history, "shift")
    if measured is None or measured[0] < LARGE_SHIFT:
        return None
    is_gap = rules.gap(history) or ((rise := rules.validation_rise(history)) and rise.name == "rise")
    evidence = (f"the validation rows are of another kind than the training rows: the means of a column, or the shares "
                f"of a class, differ by up to {number(measured[0])} standard deviations")
    return Finding("gap to other rows" if is_gap else "other rows", "warning", evidence,
                   numbers_of(history, "shift"), LARGE_SHIFT,
                   ("split at random, or train on rows like those that the model will meet; tz.study.shift names the "
                    "columns",))


def negative_gap(history: History) -> Finding | None:
    """The validation loss is below the train loss by more than noise."""
    measured = read(history, "gap", "gap_low", "gap_high", "loss_scale")
    if measured is None:
        return None
    gap, low, high, scale = measured
    if high >= -GAP_TOLERANCE * scale:
        return None
    evidence = (f"the loss on validation data is below that on training data (gap {with_interval(gap, low, high)}): "
                f"the two sets differ, or training samples are in both")
    return Finding("easier validation", "warning", evidence, {"gap": gap, "gap_high": high}, -GAP_TOLERANCE * scale,
                   ("split at random, and look for duplicates over both sets",))


def _too_few_for_an_interval(history: History) -> Finding | None:
    """There is one validation sample, so that no interval could be measured."""
    samples = history.measurements.get("validation_samples")
    if samples != 1 or history.measurements.get("non_finite_samples"):
        return None
    return Finding("few validation samples", "warning", "one validation sample has no measurable noise",
                   {"validation_samples": 1}, MIN_VALIDATION_SAMPLES,
                   (f"about {SURPRISES / GAP_TOLERANCE:.0f} validation samples, or cross-validation",))
