"""Training: `fit` and what belongs to it. Models reach it through `nn/module/trainable.py`.

loop.py is `fit`; sources/ has the batches, trainer/ the compiled step and the run, callbacks/ what `fit` notifies,
save/ the files of models. calling.py calls models with all their inputs, looks.py sees what comes out before programs
are traced, inventory.py knows what a model holds, placement.py says on which devices training runs, metrics/ the
metrics, evaluate.py `predict` and `evaluate`, verdict.py the measurements after a fit. extremes.py looks at integers
first, as programs take any; padding.py lets few programs predict any number of rows, rate_search.py is
`find_learning_rate`, replicas/ trains several small models as one program, cross_validation/ is `cross_validate`.
"""

import typing

from tarazu.train.callbacks.base import Callback
from tarazu.train.callbacks.best_model import BestModel
from tarazu.train.callbacks.checkpoint import Checkpoint
from tarazu.train.callbacks.early_stopping import EarlyStopping
from tarazu.train.callbacks.keep_best import KeepBest
from tarazu.train.callbacks.logs import CSVLog, Log, TensorBoard
from tarazu.train.callbacks.rates import ReduceLROnPlateau
from tarazu.train.callbacks.small import Freeze, LambdaCallback, Timer
from tarazu.train.evaluate import evaluate, predict
from tarazu.train.loop import fit
from tarazu.train.metrics import Metric, accuracy, binary_accuracy, top_k_accuracy, zero_one_loss
from tarazu.train.save.saving import save
from tarazu.train.save.weights import load_weights, save_weights
from tarazu.train.trainer.compile import compile, compute_loss, train_step
from tarazu.train.trainer.divergence import TrainingWarning
from tarazu.train.trainer.run import Run

if typing.TYPE_CHECKING:
    from tarazu.train.cross_validation.cross_validate import cross_validate
    from tarazu.train.cross_validation.result import CrossValidation
    from tarazu.train.metrics.classification import (
        BalancedAccuracy,
        ClassCount,
        CohenKappa,
        Confusion,
        FBeta,
        IoU,
        Matthews,
        Precision,
        Recall,
        Specificity,
    )
    from tarazu.train.metrics.probability import CalibrationError, LogLoss, Perplexity
    from tarazu.train.metrics.ranking import (
        AUC,
        AveragePrecision,
        PrecisionAtRecall,
        RecallAtPrecision,
        SensitivityAtSpecificity,
        SpecificityAtSensitivity,
    )
    from tarazu.train.metrics.regression import R2, RMSE, Concordance, ExplainedVariance, Pearson
    from tarazu.train.metrics.table import METRICS
    from tarazu.train.rate_search import LearningRates, find_learning_rate
else:  # to type checkers any name would be right
    from tarazu.base.hints.missing import imported_when_asked

    _LAZY = {
        "cross_validation.cross_validate": "cross_validate",
        "cross_validation.result": "CrossValidation",
        "metrics.classification": "BalancedAccuracy ClassCount CohenKappa Confusion "
                                  "FBeta IoU Matthews Precision Recall Specificity",
        "metrics.probability": "CalibrationError LogLoss Perplexity",
        "metrics.ranking": "AUC AveragePrecision PrecisionAtRecall RecallAtPrecision "
                           "SensitivityAtSpecificity SpecificityAtSensitivity",
        "metrics.regression": "R2 RMSE Concordance ExplainedVariance Pearson",
        "metrics.table": "METRICS",
        "rate_search": "LearningRates find_learning_rate",
    }
    __getattr__ = imported_when_asked(__name__, _LAZY)

__all__ = [
    "AUC",
    "METRICS",
    "R2",
    "RMSE",
    "AveragePrecision",
    "BalancedAccuracy",
    "BestModel",
    "CSVLog",
    "CalibrationError",
    "Callback",
    "Checkpoint",
    "ClassCount",
    "CohenKappa",
    "Concordance",
    "Confusion",
    "CrossValidation",
    "EarlyStopping",
    "ExplainedVariance",
    "FBeta",
    "Freeze",
    "IoU",
    "KeepBest",
    "LambdaCallback",
    "LearningRates",
    "Log",
    "LogLoss",
    "Matthews",
    "Metric",
    "Pearson",
    "Perplexity",
    "Precision",
    "PrecisionAtRecall",
    "Recall",
    "RecallAtPrecision",
    "ReduceLROnPlateau",
    "Run",
    "SensitivityAtSpecificity",
    "Specificity",
    "SpecificityAtSensitivity",
    "TensorBoard",
    "Timer",
    "TrainingWarning",
    "accuracy",
    "binary_accuracy",
    "compile",
    "compute_loss",
    "cross_validate",
    "evaluate",
    "find_learning_rate",
    "fit",
    "load_weights",
    "predict",
    "save",
    "save_weights",
    "top_k_accuracy",
    "train_step",
    "zero_one_loss",
]


def __dir__() -> list[str]:
    return __all__
