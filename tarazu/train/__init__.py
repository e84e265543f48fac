"""Training: `fit` and what belongs to it. Models reach it through `nn.door`."""

from tarazu.train.callbacks import Callback, EarlyStopping, KeepBest
from tarazu.train.checkpointing import Checkpoint
from tarazu.train.export import export
from tarazu.train.failure import TrainingWarning
from tarazu.train.loading import load
from tarazu.train.loop import fit
from tarazu.train.metrics import METRICS, accuracy, binary_accuracy
from tarazu.train.run import Run
from tarazu.train.saving import save
from tarazu.train.setup import compile, evaluate, predict

__all__ = ["METRICS", "Callback", "Checkpoint", "EarlyStopping", "KeepBest", "Run", "TrainingWarning", "accuracy",
           "binary_accuracy", "compile", "evaluate", "export", "fit", "load", "predict", "save"]
