"""Training: `fit` and what belongs to it. Models reach it through `nn/module/trainable.py`.

loop.py is `fit`; sources/ has the batches, trainer/ the compiled step and the run, callbacks/ what `fit` notifies,
save/ the files of models. placement.py says on which devices training runs, metrics.py has the metrics, evaluate.py
`predict` and `evaluate`, verdict.py the measurements after a fit, rate_search.py `find_learning_rate`. padding.py lets
few programs predict any number of rows.
"""

from tarazu.train.callbacks.base import Callback
from tarazu.train.callbacks.checkpoint import Checkpoint
from tarazu.train.callbacks.early_stopping import EarlyStopping
from tarazu.train.callbacks.keep_best import KeepBest
from tarazu.train.evaluate import evaluate, predict
from tarazu.train.loop import fit
from tarazu.train.metrics import METRICS, accuracy, binary_accuracy
from tarazu.train.rate_search import LearningRates, find_learning_rate
from tarazu.train.save.export import export
from tarazu.train.save.loading import load
from tarazu.train.save.saving import save
from tarazu.train.save.weights import load_weights, save_weights
from tarazu.train.trainer.divergence import TrainingWarning
from tarazu.train.trainer.run import Run
from tarazu.train.trainer.trainer import compile

__all__ = [
    "METRICS",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "KeepBest",
    "LearningRates",
    "Run",
    "TrainingWarning",
    "accuracy",
    "binary_accuracy",
    "compile",
    "evaluate",
    "export",
    "find_learning_rate",
    "fit",
    "load",
    "load_weights",
    "predict",
    "save",
    "save_weights",
]


def __dir__() -> list[str]:
    return __all__
