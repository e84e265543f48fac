"""Diagnosis of a training run: measure (arrays to numbers), judge (history to findings), report (a page)."""

from tarazu.diagnose.judge import judge
from tarazu.diagnose.measure import MEASUREMENTS, measure_fit
from tarazu.diagnose.plots import ConfusionMatrix, PredictedAgainstTrue
from tarazu.diagnose.report import write_report
from tarazu.diagnose.trivial import (
    trivial_classification_losses,
    trivial_multilabel_losses,
    trivial_regression_losses,
)

__all__ = [
    "MEASUREMENTS",
    "ConfusionMatrix",
    "PredictedAgainstTrue",
    "judge",
    "measure_fit",
    "trivial_classification_losses",
    "trivial_multilabel_losses",
    "trivial_regression_losses",
    "write_report",
]
