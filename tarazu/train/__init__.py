"""Training: `fit` and what belongs to it. Models reach it through `nn.door`."""

import sys as _sys

from tarazu.nn import door as _door
from tarazu.train.callbacks import Callback, EarlyStopping, KeepBest
from tarazu.train.checkpoint import load, save
from tarazu.train.loop import Run, TrainingWarning, fit
from tarazu.train.metrics import METRICS, accuracy
from tarazu.train.setup import compile, evaluate, predict

_door.install(_sys.modules[__name__])

__all__ = ["METRICS", "Callback", "EarlyStopping", "KeepBest", "Run", "TrainingWarning", "accuracy", "compile", "evaluate",
           "fit", "load", "predict", "save"]
