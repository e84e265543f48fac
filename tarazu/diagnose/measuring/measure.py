"""The measurements at the end of a run, by name: means, skills and gap with their intervals, and what curves show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from tarazu.base.errors import ShapeError
from tarazu.diagnose.measuring import curves
from tarazu.diagnose.measuring.bootstrap import interval, resampled_means

Measured: TypeAlias = float | int | str | None
Measurements: TypeAlias = dict[str, Measured | np.generic]  # by the names in MEASUREMENTS

# All measurements, each named here only. Losses and what is computed from them are in the unit of the loss; `_low` and
# `_high` are the ends of a 95 % bootstrap interval over samples; None means that it could not be measured.
MEASUREMENTS = {
    "num_parameters": "trainable parameters of the model",
    "train_samples": "training samples whose loss was measured",
    "validation_samples": "validation samples, 0 where there is no validation set",
    "train_rows": "rows that were trained on, of which the training samples may be a part",
    "validation_rows": "the same of the validation set",
    "non_finite_samples": "samples of both sets whose loss under the kept weights is NaN or infinite",
    "epochs": "epochs that the run has recorded",
    "kept_epoch": "the epoch whose weights the model holds now",
    "train_loss": "mean loss over the training samples, kept weights, evaluation mode",
    "validation_loss": "mean loss over the validation samples, kept weights, evaluation mode",
    "validation_loss_low": "", "validation_loss_high": "",
    "trivial_train_loss": "mean loss of the trivial predictor over the training samples",
    "trivial_validation_loss": "mean loss of the trivial predictor over the validation samples",
    "trivial_predictor": "what the trivial predictor always predicts: 'the mean', ...",
    "train_skill": "1 - train_loss / trivial_train_loss: the share of the trivial loss that the model removes",
    "train_skill_low": "", "train_skill_high": "",
    "validation_skill": "1 - validation_loss / trivial_validation_loss",
    "validation_skill_low": "", "validation_skill_high": "",
    "gap": "validation_loss - train_loss: the generalization gap of the kept weights",
    "gap_low": "", "gap_high": "",
    "loss_scale": "what differences of losses are compared with: the trivial loss on the validation set (or, if "
                  "there is none, on the training set), else how far the train loss fell in the run",
    "loss_scale_source": "'trivial loss' or 'fall of the train loss'",
    "least_train_loss": "least train loss of any epoch",
    "turning_epoch": "the epoch of the least smoothed val_loss",
    "least_validation_loss": "that least smoothed val_loss",
    "validation_noise": "standard deviation of val_loss from epoch to epoch about its own smooth curve",
    "train_noise": "the same of the train loss",
    "rise": "smoothed val_loss of the last epoch - least_validation_loss",
    "rise_low": "the same samples under the last and under the kept weights: interval of the mean difference",
    "rise_high": "",
    "kept_rise": "smoothed val_loss of the kept epoch - least_validation_loss",
    "train_fall_after_turn": "how far the smoothed train loss fell from the turning epoch to the last",
    "trend_epochs": "the last epochs over which the two trends are read",
    "train_trend_fall": "fall of the train loss over these epochs by its robust slope",
    "validation_trend_fall": "fall of val_loss over these epochs by its robust slope",
    "train_fall_ahead": "how far the train loss would at least fall in about as many epochs again, as its trend goes",
    "validation_fall_ahead": "the same of val_loss",
    "non_finite_epoch": "the first epoch with a NaN or infinite loss",
    "train_rise": "smoothed train loss of the last epoch - its least smoothed value",
    "explosion": "largest jump of the train loss: a multiple of its least value before, or of the trivial loss",
    "worst_samples": "a fiftieth of the training samples, those with the largest losses; None for fewer than 50",
    "worst_share": "their share of the whole train loss",
    "is_batch_loss": "True where the loss of a batch is neither the mean nor the sum of its samples' losses",
    "input_scale": "the largest mean (without its sign) or standard deviation of a column of inputs that are floats",
    "shift": "largest difference of both sets' means of a column of the inputs or targets, or of shares of a class, in "
             "standard deviations; 0 where it is no more than chance",
    "train_accuracy": "share of training samples classified rightly, kept weights",
    "validation_accuracy": "share of validation samples classified rightly, kept weights",
}


def measure_fit(train_losses: np.ndarray, validation_losses: np.ndarray | None,
                trivial_train_losses: np.ndarray | None, trivial_validation_losses: np.ndarray | None,
                rows: Sequence[Mapping[str, Any]], *, num_parameters: int, kept_epoch: int | None = None,
                last_validation_losses: np.ndarray | None = None, train_accuracy: float | None = None,
                validation_accuracy: float | None = None, trivial_predictor: str | None = None,
                train_rows: int | None = None, validation_rows: int | None = None, is_batch_loss: bool = False,
                input_scale: float | None = None, shift: float | None = None, seed: int = 0) -> dict[str, Measured]:
    """Everything that `judge` needs to know about a finished run, by the names in MEASUREMENTS; JSON can hold it.

    The losses are per sample, shape (samples,), in evaluation mode, under the weights that the model keeps, those of
    `kept_epoch` (default: the last); the trivial predictor's come from `trivial_classification_losses`,
    `trivial_multilabel_losses` or `trivial_regression_losses`, or are None for a loss that has none.
    `last_validation_losses` are those of the last epoch's weights, where these are not the kept ones: they let a rise
    after the best epoch be tested sample by sample. `is_batch_loss` says that there are no losses of samples: each is
    then that of the whole set. `input_scale` is what `largest_scale` gives for the inputs, `shift` the largest
    `mean_shift` of inputs and targets. `rows` are a History's rows; `train_rows` and `validation_rows` say how many
    rows there are where the losses are of a part of them. The same `seed` gives the same bootstrap intervals (Efron,
    1979). Raises ShapeError where lengths differ.

    >>> losses, trivial = np.array([0.1, 0.2, 0.3]), np.array([0.7, 0.7, 0.7])
    >>> measured = measure_fit(losses, losses, trivial, trivial, [{"epoch": 1, "loss": 0.2}], num_parameters=5)
    >>> round(measured["train_skill"], 2), measured["gap"], measured["turning_epoch"]
    (0.71, 0.0, None)
    """
    generator = np.random.default_rng(seed)
    kept = kept_epoch if kept_epoch is not None else len(rows)
    train = _summarize("train", [train_losses, trivial_train_losses], generator)
    validation = None
    if validation_losses is not None and len(validation_losses):
        last = last_validation_losses if kept < len(rows) else None
        validation = _summarize("validation", [validation_losses, trivial_validation_losses, last], generator)
    measured: Measurements = {
        **dict.fromkeys(MEASUREMENTS), "num_parameters": num_parameters, "epochs": len(rows), "kept_epoch": kept,
        "train_accuracy": train_accuracy, "validation_accuracy": validation_accuracy, "validation_samples": 0,
        "trivial_predictor": trivial_predictor, "is_batch_loss": is_batch_loss or None,
        "input_scale": input_scale, "shift": shift}
    measured |= _set_measurements("train", train) | _worst(np.asarray(train_losses, dtype=float))
    if validation:
        measured |= _set_measurements("validation", validation) | _comparison(train, validation)
    measured |= {"train_rows": train_rows or measured["train_samples"],
                 "validation_rows": validation_rows or measured["validation_samples"]}
    measured["non_finite_samples"] = train.non_finite + (validation.non_finite if validation else 0)
    trivial_loss = (validation or train).mean[1]
    measured |= _run_measurements(rows, kept, None if math.isnan(trivial_loss) else float(trivial_loss))
    return {name: _plain(value) for name, value in measured.items()}


def largest_scale(inputs: np.ndarray) -> float | None:
    """The largest mean, without its sign, or standard deviation of a column; None for whole numbers, as of words.

    >>> largest_scale(np.array([[0.0, 1000.0], [1.0, 1002.0]]))
    1001.0
    """
    if inputs.dtype.kind != "f" or not inputs.size:
        return None
    columns = inputs.reshape(len(inputs), -1)
    return float(max(np.abs(columns.mean(0, dtype=np.float64)).max(), columns.std(0, dtype=np.float64).max()))


class _Summary(NamedTuple):
    """Means of the columns loss, trivial loss, last epoch's loss over one set and its resamples; NaN where unknown."""

    mean: np.ndarray
    resampled: np.ndarray
    samples: int
    non_finite: int


def _summarize(name: str, columns: Sequence[np.ndarray | None], generator: np.random.Generator) -> _Summary:
    samples = len(np.asarray(columns[0]))
    filled = [np.full(samples, np.nan) if column is None else np.asarray(column, dtype=float) for column in columns]
    if any(column.shape != (samples,) for column in filled) or samples == 0:
        shapes = ", ".join(str(column.shape) for column in filled)
        raise ShapeError(f"the per-sample {name} losses have shapes {shapes}",
                         expected="one loss per sample: (samples,), of at least one sample",
                         fix="pass losses that are not averaged over samples, of the same samples in each array")
    table = np.column_stack(filled)
    table[np.isinf(table)] = np.nan
    non_finite = int(np.isnan(table[:, 0]).sum())
    return _Summary(table.mean(axis=0), resampled_means(table, generator), samples, non_finite)


def _set_measurements(name: str, losses: _Summary) -> Measurements:
    """Loss, trivial loss and skill on one set."""
    (loss, trivial), resampled = losses.mean[:2], losses.resampled
    measured: Measurements = {f"{name}_samples": losses.samples, f"{name}_loss": loss, f"trivial_{name}_loss": trivial}
    if trivial > 0 and resampled[:, 1].min() > 0:
        skills = 1 - resampled[:, 0] / resampled[:, 1]
        measured |= _with_interval(f"{name}_skill", 1 - loss / trivial, skills, losses.samples)
    return measured


def _worst(losses: np.ndarray) -> Measurements:
    """The share of the loss in the fiftieth of the samples with the largest losses."""
    count, total = len(losses) // 50, losses.sum()
    if not count or not total > 0:
        return {}
    return {"worst_samples": count, "worst_share": np.sort(losses)[-count:].sum() / total}


def _comparison(train: _Summary, validation: _Summary) -> Measurements:
    """The gap between both sets, and the rise of the validation loss from the kept to the last weights."""
    loss, last_loss = validation.mean[0], validation.mean[2]
    losses, last_losses = validation.resampled[:, 0], validation.resampled[:, 2]
    measured = _with_interval("gap", loss - train.mean[0], losses - train.resampled[:, 0],
                              min(train.samples, validation.samples))
    measured |= _with_interval("validation_loss", loss, losses, validation.samples)
    measured |= _with_interval("rise", last_loss - loss, last_losses - losses, validation.samples)
    return measured


def _with_interval(name: str, estimate: float, resampled: np.ndarray, samples: int) -> Measurements:
    """A measurement and the ends of its interval."""
    low, high = interval(estimate, resampled, samples)
    return {name: estimate, f"{name}_low": low, f"{name}_high": high}


def _run_measurements(rows: Sequence[Mapping[str, Any]], kept_epoch: int, trivial_loss: float | None) -> Measurements:
    """What the curves show: falls, rises, noise and the turning epoch."""
    train_epochs, train = curves.curve(rows, "loss")
    epochs, validation = curves.curve(rows, "val_loss")
    measured: Measurements = {"non_finite_epoch": curves.first_non_finite(rows)}
    if len(train):
        smoothed = curves.smooth(train)
        measured |= {"least_train_loss": train.min(), "train_rise": smoothed[-1] - smoothed.min(),
                     "explosion": curves.explosion(train, trivial_loss)}
        measured["trend_epochs"], measured["train_trend_fall"] = curves.late_fall(train)
        measured["validation_trend_fall"] = curves.late_fall(validation)[1]
        measured["train_fall_ahead"] = curves.fall_ahead(train)
        measured["validation_fall_ahead"] = curves.fall_ahead(validation)
    measured |= _scale(train, trivial_loss)
    if len(train) and len(validation) >= curves.TREND_MIN_EPOCHS:
        measured |= _turning_point(train_epochs, train, epochs, validation, kept_epoch)
    return measured


def _scale(train: np.ndarray, trivial_loss: float | None) -> Measurements:
    """What differences of losses are compared with, and its name."""
    if trivial_loss and trivial_loss > 0:
        return {"loss_scale": trivial_loss, "loss_scale_source": "trivial loss"}
    if len(train) and train[0] > train.min():
        return {"loss_scale": train[0] - train.min(), "loss_scale_source": "fall of the train loss"}
    return {}


def _turning_point(train_epochs: np.ndarray, train: np.ndarray, epochs: np.ndarray, validation: np.ndarray,
                   kept_epoch: int) -> Measurements:
    """Where the smoothed validation curve is least, how far it rose from there, and how far the train loss fell."""
    smoothed = curves.smooth(validation)
    index = int(smoothed.argmin())
    least = smoothed[index]
    at_turn, at_end = np.interp([epochs[index], train_epochs[-1]], train_epochs, curves.smooth(train))
    return {"turning_epoch": epochs[index], "least_validation_loss": least, "rise": smoothed[-1] - least,
            "kept_rise": np.interp(kept_epoch, epochs, smoothed) - least, "validation_noise": curves.noise(validation),
            "train_fall_after_turn": at_turn - at_end, "train_noise": curves.noise(train)}


def _plain(value: Measured | np.generic) -> Measured:
    """`value` as a Python number or text; None for what is not finite."""
    number = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(number, float) and not math.isfinite(number) else number
