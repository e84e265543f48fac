"""From a table to a trained model with its scores: what `tarazu fit` does, for use from Python too."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tarazu.data import Split, Table, TableEncoder, TableSummary, split_table, summarize
from tarazu.data.tables.target import CLASSIFICATION
from tarazu.diagnose import ConfusionMatrix, PredictedAgainstTrue
from tarazu.nn import Dense, Dropout, Module, Sequential, TableFeatures
from tarazu.nn.module.trainable import Verbose
from tarazu.optim.named import optimizer_class
from tarazu.record import History
from tarazu.runtime import random
from tarazu.train.callbacks.early_stopping import EarlyStopping
from tarazu.train.evaluate import evaluate, predict
from tarazu.train.loop import fit
from tarazu.train.metrics import Metric, mae_in_units
from tarazu.train.trainer.trainer import compile

Scores = dict[str, dict[str, float]]
PATIENCE = 20  # epochs without a better validation loss before training ends


@dataclasses.dataclass(frozen=True)
class TableOptions:
    """How a table is split and learned; `batch_size` None takes `usual_batch_size`."""

    hidden: Sequence[int] = (64, 64)
    dropout: float = 0.0
    epochs: int = 200
    batch_size: int | None = None
    learning_rate: float = 0.001
    optimizer: str = "adam"
    validation: float = 0.15
    test: float = 0.15
    seed: int = 0
    kinds: Mapping[str, str] = dataclasses.field(default_factory=dict)


def usual_batch_size(rows: int) -> int:
    """A batch size by which an epoch has about 100 steps, from 32 to 256 rows each."""
    return min(max(rows // 100, 32), 256)


@dataclasses.dataclass(frozen=True)
class TableFit:
    """A model that was trained on a table, with all that tells how good it is.

    `scores` holds loss and metrics by part; those of a regression are in the target's units, but for the loss, which is
    the mean squared error of the standardized target.
    """

    model: Module
    encoder: TableEncoder
    summary: TableSummary
    split: Split
    history: History
    scores: Scores
    plot: ConfusionMatrix | PredictedAgainstTrue


def fit_table(table: Table, target: str, options: TableOptions | None = None, *, verbose: Verbose = "auto",
              on_summary: Callable[[TableSummary], None] | None = None) -> TableFit:
    """Train a multi-layer network to predict the column `target` of a table.

    Rows are split into training, validation and test (classes in proportion); the weights of the best validation epoch
    are kept. `on_summary` is called with the summary of the table before training starts. Raises DataError for
    a table that cannot be used.
    """
    options = options or TableOptions()
    split = split_table(table, target, options.validation, options.test, options.seed, options.kinds)
    encoder = TableEncoder.fit(table, target=target, rows=split.train, kinds=options.kinds)
    summary = summarize(table, encoder)
    if on_summary is not None:
        on_summary(summary)
    x, y = encoder.features(table), encoder.labels(table)
    random.seed(options.seed)
    model = table_model(encoder, options)
    optimizer = optimizer_class(options.optimizer)(lr=options.learning_rate)
    if encoder.task == CLASSIFICATION:
        compile(model, optimizer, "cross_entropy", ["accuracy"])
    else:
        compile(model, optimizer, "mse", [_in_units(encoder)])
    validation = (x[split.validation], y[split.validation]) if len(split.validation) else None
    history = fit(model, x[split.train], y[split.train], epochs=options.epochs, validation_data=validation,
                  verbose=verbose, batch_size=options.batch_size or usual_batch_size(len(split.train)),
                  callbacks=[EarlyStopping(patience=PATIENCE)] if validation else [])
    scores = {part: _scores(model, encoder, x[rows], y[rows]) for part, rows in split._asdict().items() if len(rows)}
    return TableFit(model, encoder, summary, split, history, scores, _plot(model, encoder, x, y, split))


def table_model(encoder: TableEncoder, options: TableOptions) -> Sequential:
    """The network: embeddings for categories of many levels, hidden layers with relu, one output layer."""
    model = Sequential([TableFeatures(encoder.num_dense, encoder.embeddings)] if encoder.embeddings else [])
    for units in options.hidden:
        model.add(Dense(units, activation="relu", kernel_initializer="he_normal"))
        if options.dropout:
            model.add(Dropout(options.dropout))
    return model.add(Dense(len(encoder.classes) or 1))


def _in_units(encoder: TableEncoder) -> Metric:
    """The absolute error in the target's units; the model itself predicts the standardized target."""
    metric = functools.partial(mae_in_units, float(encoder.target_scale))
    vars(metric)["__name__"] = "mae"
    return metric


def predict_table(model: Module, encoder: TableEncoder, table: Table) -> dict[str, np.ndarray]:
    """Predictions as columns: the label and the probability of each class, or the value in the target's units."""
    outputs = predict(model, encoder.features(table)).numpy().astype(np.float64)
    if encoder.task != CLASSIFICATION:
        return {encoder.target.name: encoder.decode_target(outputs[:, 0])}
    probabilities = _softmax(outputs)
    columns = {f"probability of {name}": probabilities[:, i] for i, name in enumerate(encoder.classes)}
    return {encoder.target.name: encoder.decode_target(outputs.argmax(1)), **columns}


def _softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def _scores(model: Module, encoder: TableEncoder, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    scores = evaluate(model, x, y)
    if encoder.task == CLASSIFICATION:
        return scores
    return {**scores, "rmse": float(np.sqrt(scores["loss"])) * encoder.target_scale}


def _plot(model: Module, encoder: TableEncoder, x: np.ndarray, y: np.ndarray,
          split: Split) -> ConfusionMatrix | PredictedAgainstTrue:
    """The confusion matrix or the points, on the most honest part that there is."""
    subset = next(part for part in ("test", "validation", "train") if len(getattr(split, part)))
    rows = getattr(split, subset)
    outputs = predict(model, x[rows]).numpy()
    if encoder.task == CLASSIFICATION:
        size = len(encoder.classes)
        pairs = y[rows] * size + outputs.argmax(1)
        return ConfusionMatrix(encoder.classes, np.bincount(pairs, minlength=size * size).reshape(size, size), subset)
    true, predicted = (encoder.decode_target(values)[:, 0] for values in (y[rows], outputs))
    return PredictedAgainstTrue(true, predicted, encoder.target.name, subset)
