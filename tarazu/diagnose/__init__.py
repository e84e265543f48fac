"""`tz.diagnose`: measuring a training run (arrays to numbers), scoring predictions, judging the run (history to
verdict), reporting (a page).
"""

import typing

if typing.TYPE_CHECKING:
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
else:  # to type checkers any name would be right
    from tarazu.base.hints.missing import imported_when_asked

    _LAZY = {
        "judging.judge": "judge",
        "measuring.measure": "MEASUREMENTS measure_fit",
        "measuring.shift": "mean_shift",
        "measuring.trivial": "trivial_classification_losses trivial_multilabel_losses trivial_regression_losses",
        "reporting.plots": "Calibration ConfusionMatrix DataTable ImportanceChart Panel PredictedAgainstTrue "
                           "ThresholdCurves",
        "reporting.report": "write_report",
        "scoring.calibration": "CalibrationBin calibration_bins expected_calibration_error",
        "scoring.classes": "ClassScores balanced_accuracy confusion_counts log_losses log_softmax macro_f1 roc_auc "
                           "scores_by_class",
        "scoring.importance": "Importance permutation_importance",
        "scoring.numbers": "mae r2 rmse",
        "scoring.threshold_curves": "PrecisionRecallCurve RocCurve precision_recall_curve roc_curve",
    }
    __getattr__ = imported_when_asked(__name__, _LAZY)

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
