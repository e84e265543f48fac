"""`tz.diagnose`: measuring a training run (arrays to numbers), scoring predictions, judging the run (history to
verdict), reporting (a page).
"""

from tarazu.diagnose.judging.judge import judge
from tarazu.diagnose.measuring.measure import MEASUREMENTS, measure_fit
from tarazu.diagnose.measuring.shift import mean_shift
from tarazu.diagnose.measuring.trivial import (
    trivial_classification_losses,
    trivial_multilabel_losses,
    trivial_regression_losses,
)
from tarazu.diagnose.reporting.plots import (
    Calibration,
    ConfusionMatrix,
    DataTable,
    ImportanceChart,
    Panel,
    PredictedAgainstTrue,
    ThresholdCurves,
)
from tarazu.diagnose.reporting.report import write_report
from tarazu.diagnose.scoring.calibration import CalibrationBin, calibration_bins, expected_calibration_error
from tarazu.diagnose.scoring.classes import (
    ClassScores,
    balanced_accuracy,
    confusion_counts,
    log_losses,
    log_softmax,
    macro_f1,
    roc_auc,
    scores_by_class,
)
from tarazu.diagnose.scoring.importance import Importance, permutation_importance
from tarazu.diagnose.scoring.numbers import mae, r2, rmse
from tarazu.diagnose.scoring.threshold_curves import (
    PrecisionRecallCurve,
    RocCurve,
    precision_recall_curve,
    roc_curve,
)

__all__ = [
    "MEASUREMENTS",
    "Calibration",
    "CalibrationBin",
    "ClassScores",
    "ConfusionMatrix",
    "DataTable",
    "Importance",
    "ImportanceChart",
    "Panel",
    "PrecisionRecallCurve",
    "PredictedAgainstTrue",
    "RocCurve",
    "ThresholdCurves",
    "balanced_accuracy",
    "calibration_bins",
    "confusion_counts",
    "expected_calibration_error",
    "judge",
    "log_losses",
    "log_softmax",
    "macro_f1",
    "mae",
    "mean_shift",
    "measure_fit",
    "permutation_importance",
    "precision_recall_curve",
    "r2",
    "rmse",
    "roc_auc",
    "roc_curve",
    "scores_by_class",
    "trivial_classification_losses",
    "trivial_multilabel_losses",
    "trivial_regression_losses",
    "write_report",
]


def __dir__() -> list[str]:
    return __all__
