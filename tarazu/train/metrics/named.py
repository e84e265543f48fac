"""Metrics by name, and from what users pass to `compile`, for the outputs that their loss takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from inspect import signature
from typing import Any, TypeAlias

from tarazu.base.errors import ArgumentError
from tarazu.base.spelling import by_name, did_you_mean, made_of
from tarazu.nn.losses import LOSSES, Loss, LossTraits, traits
from tarazu.train.metrics.accuracy import (
    ACCURACIES,
    WRONG,
    accuracy,
    binary_accuracy,
    binary_number_accuracy,
    number_accuracy,
    top_k_accuracy,
    zero_one_loss,
)
from tarazu.train.metrics.distances import cosine_similarity, mae, mape, mse, smape
from tarazu.train.metrics.meaning import ANY, CLASSES, LABELS, NUMBERS, Outputs, require_meaning
from tarazu.train.metrics.metric import Metric, RowFunction, as_metric, name_of
from tarazu.train.metrics.outputs import OutputMetric, ignoring

MetricSpec: TypeAlias = str | Metric | OutputMetric | RowFunction
Metrics: TypeAlias = MetricSpec | Iterable[MetricSpec]

_FUNCTIONS: dict[str, tuple[RowFunction, LossTraits]] = {  # with what each takes
    "accuracy": (accuracy, ANY),
    "acc": (accuracy, ANY),
    "binary_accuracy": (binary_accuracy, LABELS),
    "top_5_accuracy": (top_k_accuracy, CLASSES),  # any other number, too
    "zero_one_loss": (zero_one_loss, ANY),
    "mae": (mae, NUMBERS),
    "mse": (mse, NUMBERS),
    "mape": (mape, NUMBERS),
    "smape": (smape, NUMBERS),
    "cosine_similarity": (cosine_similarity, NUMBERS),
}
_LOSSES: dict[str, RowFunction] = {name: partial(loss, reduction="none") for name, loss in LOSSES.items()
                              if name not in _FUNCTIONS}
_BY_NAME: dict[str, RowFunction] = {**{name: function for name, (function, _) in _FUNCTIONS.items()}, **_LOSSES}
BUILT_IN = *_BY_NAME.values(), *ACCURACIES, *WRONG.values()
RESERVED = ("epoch", "seconds", "loss", "learning_rate")  # columns of the history
_RENAME = 'give the function another name: f.__name__ = "..."'
_CALLED_HERE = {
    "roc_auc": "auc", "auroc": "auc", "pr_auc": "average_precision", "f1_score": "f1", "r2_score": "r2",
    "root_mean_squared_error": "rmse", "mean_squared_error": "mse", "mean_absolute_error": "mae", "mcc": "matthews",
    "mean_absolute_percentage_error": "mape", "kappa": "cohen_kappa", "jaccard": "iou", "ece": "calibration_error",
    "sensitivity": "recall", "top_k_categorical_accuracy": "top_5_accuracy", "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy", "cross_entropy_loss": "cross_entropy"}


def named_metrics(specs: Iterable[MetricSpec], loss: Loss) -> dict[str, Metric]:
    """The metrics by the names under which the history shows them; ArgumentError for names that are not unique.

    They read outputs as the loss does: "accuracy" and "precision" judge each output by itself beside a loss that does
    so, and the bound between two classes is 0 for logits, 0.5 for probabilities and beside a loss of numbers.
    ArgumentError, too, for a metric that has no meaning beside the loss.
    """
    metrics: dict[str, Metric] = {}
    for spec in specs:
        name, metric = _named(spec, loss)
        if name in RESERVED or name.startswith("val_"):
            raise ArgumentError(f"a metric with the name {name!r}, which the history has for something else",
                                expected=f"other names than {', '.join(RESERVED)} and those that begin with val_",
                                fix=_rename(spec))
        if name in metrics:
            raise ArgumentError(f"two metrics with the name {name!r}", expected="a name of its own for each",
                                fix="leave one out" if isinstance(spec, str) else _rename(spec))
        metrics[name] = replace(metric, counts_steps=_is_ours(spec))
    return metrics


def _is_ours(spec: MetricSpec) -> bool:
    """Whether the metric is one of Tarazu's, with or without options."""
    while isinstance(spec, partial):
        spec = spec.func
    return isinstance(spec, str | OutputMetric) or spec in BUILT_IN


def _named(spec: MetricSpec, loss: Loss) -> tuple[str, Metric]:
    if isinstance(spec, OutputMetric):
        return spec.label, spec.beside(loss)
    if isinstance(spec, Metric):
        return spec.name or name_of(spec.sums), spec
    if isinstance(spec, type):
        raise ArgumentError(f"the class {spec.__name__} among the metrics",
                            expected="names, objects with options, or functions of (prediction, target)",
                            fix=f"make an object of the class: {made_of(spec)}")
    if callable(spec):
        return name_of(spec), as_metric(spec)
    metric = _found(spec)
    if isinstance(metric, OutputMetric):
        return spec, metric.beside(loss)
    outputs = Outputs.beside(loss)
    require_meaning(spec, _taken_by(spec), outputs)
    function = _for_outputs(metric, outputs.traits)
    ignores = outputs.traits.ignored_target is not None
    return spec, ignoring(function, outputs, spec) if ignores else as_metric(function, name=spec)


def _found(spec: str) -> RowFunction | OutputMetric:
    largest = re.fullmatch(r"top_([1-9]\d*)_accuracy", spec) if isinstance(spec, str) else None
    if largest:
        return partial(top_k_accuracy, k=int(largest[1]))
    if isinstance(spec, str) and spec in _BY_NAME:
        return _BY_NAME[spec]
    return by_name("metric", spec, every_metric(), "a function of (prediction, target)", _suggest)


def every_metric() -> dict[str, RowFunction | OutputMetric]:
    """All metrics by their names; those with options are imported when they are first asked for."""
    from tarazu.train.metrics.with_options import WITH_OPTIONS

    return {**_BY_NAME, **WITH_OPTIONS}


def _taken_by(name: str) -> LossTraits:
    """What a function of that name takes, in the terms in which losses say it."""
    return traits(LOSSES[name]) if name in _LOSSES else _FUNCTIONS.get(name, (top_k_accuracy, CLASSES))[1]


def _for_outputs(metric: RowFunction, known: LossTraits) -> RowFunction:
    """A function that reads outputs as the loss with these traits does."""
    is_loss = metric in _LOSSES.values()
    if is_loss and known.outputs == "probabilities" and "from_logits" in signature(metric).parameters:
        options: dict[str, Any] = {"from_logits": False}
        return partial(metric, **options)
    if metric is zero_one_loss:
        return WRONG[_for_outputs(accuracy, known)]
    bound_is_half = known.target == "numbers" or known.outputs == "probabilities"
    judges_each = known.target in ("labels", "signs")
    if (metric is accuracy and judges_each) or metric is binary_accuracy:
        return binary_number_accuracy if bound_is_half else binary_accuracy
    return number_accuracy if metric is accuracy and bound_is_half else metric


def _rename(spec: MetricSpec) -> str:
    return 'give it another name: name="..."' if isinstance(spec, Metric | OutputMetric) else _RENAME


def _suggest(spec: object, names: Iterable[str]) -> str:
    """What a metric is called here, or the name that is nearest."""
    known = _CALLED_HERE.get(str(spec).lower())
    return f"here it is {known!r}" if known else did_you_mean(spec, names)
