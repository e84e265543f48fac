"""`tz.diagnose`: measuring a training run (arrays to numbers), judging it (history to verdict), reporting (a page)."""

from tarazu.diagnose.judging.judge import judge
from tarazu.diagnose.measuring.measure import MEASUREMENTS, measure_fit
from tarazu.diagnose.measuring.trivial import (
    trivial_classification_losses,
    trivial_multilabel_losses,
    trivial_regression_losses,
)
from tarazu.diagnose.reporting.plots import ConfusionMatrix, PredictedAgainstTrue
from tarazu.diagnose.reporting.report import write_report

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


def __dir__() -> list[str]:
    return __all__
