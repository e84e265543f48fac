"""The ranges of scores, where the names of built-in losses and metrics tell them."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import TypeAlias

from tarazu.nn.losses import LOSSES, Loss
from tarazu.train.trainer.of_outputs import OutputTrainer
from tarazu.train.trainer.trainer import Trainer

Range: TypeAlias = tuple[float, float]  # the lowest and the highest possible value

_OF_OTHER_RANGES = {"nll", "poisson_nll", "cosine_distance"}  # nll of no log probabilities may be negative
_NAMES: dict[Range, str] = {
    (0.0, 1.0): "accuracy acc binary_accuracy zero_one_loss precision recall specificity dice iou mean_iou "
                "balanced_accuracy auc average_precision calibration_error",
    (-1.0, 1.0): "matthews cohen_kappa pearson concordance cosine_similarity",
    (-math.inf, 1.0): "r2 explained_variance",
    (1.0, math.inf): "perplexity",
    (0.0, 2.0): "cosine_distance",
    (0.0, math.inf): f"rmse smape log_loss {' '.join(name for name in LOSSES if name not in _OF_OTHER_RANGES)}",
}
_RANGES = {name: bounds for bounds, names in _NAMES.items() for name in names.split()}


def ranges_of(trainer: Trainer) -> dict[str, Range]:
    """The ranges of scores by their names; scores that users define are left out."""
    if not isinstance(trainer, OutputTrainer):
        return {}
    of_metrics = {name: _range(name.removeprefix(output.prefix)) for output in trainer.outputs
                  for name, metric in output.metrics.items() if metric.counts_steps}  # a metric of Tarazu
    of_losses = {f"{output.prefix}loss": _range_of_loss(output.loss) for output in trainer.outputs}
    is_sum_positive = trainer.regularizer is None and all(x and x[0] >= 0 for x in of_losses.values())
    of_sum = (0.0, math.inf) if is_sum_positive else None
    return {name: bounds for name, bounds in {**of_metrics, **of_losses, "loss": of_sum}.items() if bounds}


def _range(metric: str) -> Range | None:
    return (0.0, 1.0) if re.fullmatch(r"f\d+|top_\d+_accuracy", metric) else _RANGES.get(metric)


def _range_of_loss(loss: Loss) -> Range | None:
    while isinstance(loss, partial):
        loss = loss.func
    name = getattr(loss, "__name__", "")
    return _RANGES.get(name) if LOSSES.get(name) is loss else None
