"""The assessment of a trained model: scores by part, by class, of a trivial guess; columns, rows, plots."""

from __future__ import annotations

import numpy as np

from tarazu.base.messages import amount
from tarazu.data import Split, Table, TableEncoder
from tarazu.data.tables.target import CLASSIFICATION
from tarazu.diagnose import (
    Calibration,
    ConfusionMatrix,
    Importance,
    Panel,
    PredictedAgainstTrue,
    ThresholdCurves,
    balanced_accuracy,
    confusion_counts,
    log_losses,
    log_softmax,
    macro_f1,
    mae,
    permutation_importance,
    r2,
    rmse,
    roc_auc,
    scores_by_class,
    trivial_classification_losses,
)
from tarazu.diagnose.scoring.importance import REPEATS
from tarazu.nn import Module
from tarazu.tabular.assessment import MAJORITY, MEAN, Assessment, WorstRow
from tarazu.train.evaluate import predict

MOST_SHUFFLED_ROWS = 2048  # by which importance is measured: more make intervals narrower than anyone reads
MOST_SHUFFLES = 500  # of all columns together, but for one of each
MOST_WORST_ROWS, MOST_CELLS = 10, 6


def assess(model: Module, encoder: TableEncoder, table: Table, x: np.ndarray, y: np.ndarray,
           split: Split) -> Assessment:
    """Scores on all parts; everything else on the most honest one that there is."""
    parts = {part: rows for part, rows in split._asdict().items() if len(rows)}
    subset = next(part for part in ("test", "validation", "train") if part in parts)
    outputs = {part: _outputs(model, x[rows]) for part, rows in parts.items()}
    rows = parts[subset]
    importance = _importance(model, encoder, x[rows], y[rows])
    assess_task = _assess_classes if encoder.task == CLASSIFICATION else _assess_numbers
    return assess_task(encoder, subset, {part: (y[rows], outputs[part]) for part, rows in parts.items()},
                       importance, _worst(encoder, table, rows, y[rows], outputs[subset], importance))


def scores_of(encoder: TableEncoder, y: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
    """The scores of a model's outputs, (rows, outputs), for the encoded targets `y`."""
    if encoder.task == CLASSIFICATION:
        counts = confusion_counts(y, outputs.argmax(1), len(encoder.classes))
        return _class_scores(counts, roc_auc(y, log_softmax(outputs)), float(log_losses(y, outputs).mean()))
    return _number_scores(*_in_units(encoder, y, outputs))


def row_losses(encoder: TableEncoder, y: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """How wrong each row is: its log loss, or its absolute error in the target's units."""
    if encoder.task == CLASSIFICATION:
        return log_losses(y, outputs)
    return np.abs(np.subtract(*_in_units(encoder, y, outputs)))


def _class_scores(counts: np.ndarray, area: float, log_loss: float) -> dict[str, float]:
    return {"accuracy": float(np.trace(counts) / counts.sum()), "balanced_accuracy": balanced_accuracy(counts),
            "macro_f1": macro_f1(counts), "roc_auc": area, "log_loss": log_loss}


def _number_scores(true: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    return {"r2": r2(true, predicted), "mae": mae(true, predicted), "rmse": rmse(true, predicted)}


def _assess_classes(encoder: TableEncoder, subset: str, parts: dict[str, tuple[np.ndarray, np.ndarray]],
                    importance: tuple[Importance, ...], worst: tuple[WorstRow, ...]) -> Assessment:
    labels, logits = parts[subset]
    size = len(encoder.classes)
    counts = confusion_counts(labels, logits.argmax(1), size)
    columns = scores_by_class(counts)._asdict()
    classes = {name: {key: float(values[number]) for key, values in columns.items()}
               for number, name in enumerate(encoder.classes)}
    scores = {part: scores_of(encoder, *pair) for part, pair in parts.items()}
    majority = int(np.bincount(parts["train"][0], minlength=size).argmax())
    always = confusion_counts(labels, np.full_like(labels, majority), size)
    scores[MAJORITY] = _class_scores(
        always, 0.5, float(trivial_classification_losses(parts["train"][0], labels).mean()))
    panels: list[Panel] = [ConfusionMatrix(encoder.classes, counts, subset),
                           _calibration(encoder, labels, logits, subset)]
    if len(encoder.classes) == 2:
        panels.append(ThresholdCurves(logits[:, 1] - logits[:, 0], labels == 1, encoder.classes[1], subset))
    return Assessment(encoder.task, subset, encoder.classes[majority], scores, classes,
                      _mistaken(encoder.classes, counts), importance, worst, tuple(panels))


def _mistaken(classes: tuple[str, ...], counts: np.ndarray) -> dict[str, tuple[str, int]]:
    wrong = counts - np.diag(np.diag(counts))
    return {name: (classes[int(row.argmax())], int(row.max())) for name, row in zip(classes, wrong, strict=True)}


def _assess_numbers(encoder: TableEncoder, subset: str, parts: dict[str, tuple[np.ndarray, np.ndarray]],
                    importance: tuple[Importance, ...], worst: tuple[WorstRow, ...]) -> Assessment:
    scores = {part: scores_of(encoder, *pair) for part, pair in parts.items()}
    true, predicted = _in_units(encoder, *parts[subset])
    scores[MEAN] = _number_scores(true, np.full_like(true, encoder.target_mean))
    panel = PredictedAgainstTrue(true, predicted, encoder.target.name, subset)
    return Assessment(encoder.task, subset, amount(encoder.target_mean), scores, {}, {}, importance, worst,
                      (panel,))


def _calibration(encoder: TableEncoder, labels: np.ndarray, logits: np.ndarray, subset: str) -> Calibration:
    """Of two classes the second one's probability; of more the probability of the class that is predicted."""
    probabilities = np.exp(log_softmax(logits))
    if len(encoder.classes) == 2:
        return Calibration(probabilities[:, 1], labels == 1, encoder.classes[1], subset)
    return Calibration(probabilities.max(1), labels == logits.argmax(1), "the predicted class", subset)


def _importance(model: Module, encoder: TableEncoder, x: np.ndarray, y: np.ndarray) -> tuple[Importance, ...]:
    if len(x) > MOST_SHUFFLED_ROWS:
        rows = np.random.default_rng(0).permutation(len(x))[:MOST_SHUFFLED_ROWS]
        x, y = x[rows], y[rows]
    columns = _column_slices(encoder)
    return permutation_importance(lambda features: row_losses(encoder, y, _outputs(model, features)), x,
                                  columns, repeats=max(1, min(REPEATS, MOST_SHUFFLES // len(columns))))


def _column_slices(encoder: TableEncoder) -> dict[str, slice]:
    """The features that each column of the table became."""
    slices, start = {}, 0
    for coder in encoder.coders:
        slices[coder.name] = slice(start, start + len(coder.names))
        start += len(coder.names)
    return slices


def _worst(encoder: TableEncoder, table: Table, rows: np.ndarray, y: np.ndarray, outputs: np.ndarray,
           importance: tuple[Importance, ...]) -> tuple[WorstRow, ...]:
    """The rows with the largest losses, the worst first; of classes those that are wrong."""
    losses, is_class = row_losses(encoder, y, outputs), encoder.task == CLASSIFICATION
    values = (y, outputs.argmax(1)) if is_class else (y[:, 0], outputs[:, 0])
    true, predicted = (encoder.decode_target(part) for part in values)
    text = str if is_class else amount
    names = [each.column for each in importance[:MOST_CELLS]]
    chosen = [i for i in np.argsort(-losses, kind="stable")[:MOST_WORST_ROWS] if true[i] != predicted[i]]
    return tuple(WorstRow(_row_name(table, rows[i]), text(true[i]), text(predicted[i]), float(losses[i]),
                          {name: _cell(table, name, rows[i]) for name in names}) for i in chosen)


def _row_name(table: Table, row: int) -> str:
    return f"row {row}" if table.lines is None else f"line {table.lines[row]}"


def _cell(table: Table, name: str, row: int) -> str:
    column = table[name]
    return "" if column.codes[row] < 0 else column.level_texts[column.codes[row]]


def _in_units(encoder: TableEncoder, y: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted values, float64 (rows,), in the target's units."""
    return encoder.decode_target(y)[:, 0], encoder.decode_target(outputs)[:, 0]


def _outputs(model: Module, x: np.ndarray) -> np.ndarray:
    return predict(model, x).numpy()
