"""Metrics against scikit-learn's, from sums over uneven batches, eagerly and traced, and of all rows at once."""

from functools import partial

import numpy as np
import pytest
from sklearn import metrics as sk

import tarazu as tz
from tarazu.base.pytree import map_leaves
from tarazu.train import METRICS
from tarazu.train.metrics import named_metrics
from tarazu.train.metrics.metric import exact
from tarazu.train.metrics.outputs import OutputMetric

draw = np.random.default_rng(11)
ROWS, CUTS = 211, [1, 9, 80, 143]  # five uneven batches
BITS = draw.integers(0, 2, ROWS)
ONE = (draw.normal(size=ROWS) + 1.2 * BITS - 0.4).astype(np.float32)  # logits of one output
CLASSES = draw.integers(0, 4, ROWS) % 4
FOUR = (2 * draw.normal(size=(ROWS, 4)) + 2 * np.eye(4)[CLASSES]).astype(np.float32)
MANY = draw.integers(0, 2, (ROWS, 3))
LABELS = (2 * draw.normal(size=(ROWS, 3)) + 2 * MANY - 1).astype(np.float32)
NUMBERS = draw.normal(size=(ROWS, 2)).astype(np.float32) * [1, 5] + [3, 0]
GUESSES = (NUMBERS + draw.normal(size=(ROWS, 2)) * [0.3, 3]).astype(np.float32)
NUMBERS = NUMBERS.astype(np.float32)
TWO = np.stack([-ONE / 2, ONE / 2], 1)


def sigmoid(x):
    return 1 / (1 + np.exp(-x.astype(np.float64)))


def softmax(x):
    raised = np.exp(x.astype(np.float64))
    return raised / raised.sum(-1, keepdims=True)


BINARY, SHARE = (ONE > 0).astype(int), sigmoid(ONE)
BEST, SHARES = FOUR.argmax(1), softmax(FOUR)
CHOSEN, LABEL_SHARES = (LABELS > 0).astype(int), sigmoid(LABELS)
one, four = ("binary_cross_entropy", ONE, BITS), ("cross_entropy", FOUR, CLASSES)
several, numbers = ("binary_cross_entropy", LABELS, MANY), ("mse", GUESSES, NUMBERS)
t = tz.train


def per_class(function, true, predicted):
    return dict(zip("0123", function(true, predicted, average=None), strict=False))


def calibration_error(certainty, is_right, bins=15):
    number = np.minimum((certainty * bins).astype(int), bins - 1)
    return sum(abs(is_right[number == k].mean() - certainty[number == k].mean()) * (number == k).mean()
               for k in np.unique(number))


def ovr(**options):
    return sk.roc_auc_score(CLASSES, SHARES, multi_class="ovr", **options)


def ap(average):
    return sk.average_precision_score(np.eye(4)[CLASSES], SHARES, average=average)


def best_precision(recall):
    precision, reached, _ = sk.precision_recall_curve(BITS, ONE)
    return precision[reached >= recall].max()


def best_sensitivity(specificity):
    false_rate, recall, _ = sk.roc_curve(BITS, ONE, drop_intermediate=False)
    return recall[1 - false_rate >= specificity].max()


CASES = {  # a metric, the loss that it stands beside with outputs and targets, and its value
    "precision": ("precision", one, sk.precision_score(BITS, BINARY)),
    "recall": ("recall", one, sk.recall_score(BITS, BINARY)),
    "f1": ("f1", one, sk.f1_score(BITS, BINARY)),
    "f2": ("f2", one, sk.fbeta_score(BITS, BINARY, beta=2)),
    "dice": ("dice", one, sk.f1_score(BITS, BINARY)),
    "iou": ("iou", one, sk.jaccard_score(BITS, BINARY)),
    "mean_iou": ("mean_iou", one, sk.jaccard_score(BITS, BINARY, average="macro")),
    "specificity": ("specificity", one, sk.recall_score(1 - BITS, 1 - BINARY)),
    "balanced_accuracy": ("balanced_accuracy", one, sk.balanced_accuracy_score(BITS, BINARY)),
    "matthews": ("matthews", one, sk.matthews_corrcoef(BITS, BINARY)),
    "cohen_kappa": ("cohen_kappa", one, sk.cohen_kappa_score(BITS, BINARY)),
    "confusion": ("confusion", one, {f"{i}_{j}": count for (i, j), count
                                     in np.ndenumerate(sk.confusion_matrix(BITS, BINARY))}),
    "true_positives": ("true_positives", one, sk.confusion_matrix(BITS, BINARY)[1, 1]),
    "true_negatives": ("true_negatives", one, sk.confusion_matrix(BITS, BINARY)[0, 0]),
    "false_positives": ("false_positives", one, sk.confusion_matrix(BITS, BINARY)[0, 1]),
    "false_negatives": ("false_negatives", one, sk.confusion_matrix(BITS, BINARY)[1, 0]),
    "auc": ("auc", one, sk.roc_auc_score(BITS, ONE)),
    "average_precision": ("average_precision", one, sk.average_precision_score(BITS, ONE)),
    "log_loss": ("log_loss", one, sk.log_loss(BITS, SHARE)),
    "perplexity": ("perplexity", one, np.exp(sk.log_loss(BITS, SHARE))),
    "calibration_error": ("calibration_error", one,
                          calibration_error(np.maximum(SHARE, 1 - SHARE), BINARY == BITS)),
    "r2": ("r2", numbers, sk.r2_score(NUMBERS, GUESSES)),
    "rmse": ("rmse", numbers, sk.root_mean_squared_error(NUMBERS, GUESSES)),
    "explained_variance": ("explained_variance", numbers, sk.explained_variance_score(NUMBERS, GUESSES)),
    "pearson": ("pearson", numbers, np.mean([np.corrcoef(GUESSES[:, i], NUMBERS[:, i])[0, 1] for i in (0, 1)])),
    "concordance": ("concordance", numbers, np.mean([
        2 * np.cov(g, y, bias=True)[0, 1] / (g.var() + y.var() + (g.mean() - y.mean()) ** 2)
        for g, y in zip(GUESSES.T.astype(float), NUMBERS.T.astype(float), strict=True)])),
    # with options
    "threshold": (t.Precision(threshold=0.7), one, sk.precision_score(BITS, SHARE > 0.7)),
    "probabilities": (t.Recall(threshold=0.3), (partial(tz.nn.binary_cross_entropy, from_logits=False),
                                                SHARE.astype(np.float32), BITS), sk.recall_score(BITS, SHARE > 0.3)),
    "beside numbers": ("recall", ("mse", SHARE.astype(np.float32)[:, None], BITS), sk.recall_score(BITS, SHARE > 0.5)),
    "beside hinge": ("recall", ("hinge", ONE[:, None], 2 * BITS - 1), sk.recall_score(BITS, BINARY)),
    "two classes": ("f1", ("cross_entropy", TWO, BITS), sk.f1_score(BITS, BINARY)),
    "two classes, auc": ("auc", ("cross_entropy", TWO, BITS), sk.roc_auc_score(BITS, ONE)),
    "negatives": (t.FBeta(class_id=0), one, sk.f1_score(BITS, BINARY, pos_label=0)),
    "four, f1": ("f1", four, sk.f1_score(CLASSES, BEST, average="macro")),
    "four, one-hot": ("f1", ("cross_entropy", FOUR, np.eye(4, dtype=np.float32)[CLASSES]),
                      sk.f1_score(CLASSES, BEST, average="macro")),
    "four, precision weighted": (t.Precision(average="weighted"), four,
                                 sk.precision_score(CLASSES, BEST, average="weighted")),
    "four, recall micro": (t.Recall(average="micro"), four, sk.recall_score(CLASSES, BEST, average="micro")),
    "four, recall each": (t.Recall(average=None), four, per_class(sk.recall_score, CLASSES, BEST)),
    "four, iou": ("iou", four, sk.jaccard_score(CLASSES, BEST, average="macro")),
    "four, matthews": ("matthews", four, sk.matthews_corrcoef(CLASSES, BEST)),
    "four, kappa": ("cohen_kappa", four, sk.cohen_kappa_score(CLASSES, BEST)),
    "four, quadratic kappa": (t.CohenKappa(weights="quadratic"), four,
                              sk.cohen_kappa_score(CLASSES, BEST, weights="quadratic")),
    "four, linear kappa": (t.CohenKappa(weights="linear"), four, sk.cohen_kappa_score(CLASSES, BEST, weights="linear")),
    "four, balanced": ("balanced_accuracy", four, sk.balanced_accuracy_score(CLASSES, BEST)),
    "four, ignored": (t.FBeta(ignore_index=3), four,
                      sk.f1_score(CLASSES[CLASSES < 3], BEST[CLASSES < 3], average="macro", labels=range(4))),
    "four, auc": ("auc", four, ovr(average="macro")),
    "four, auc weighted": (t.AUC(average="weighted"), four, ovr(average="weighted")),
    "four, auc micro": (t.AUC(average="micro"), four, ovr(average="micro")),
    "four, average precision": ("average_precision", four, ap("macro")),
    "four, average precision each": (t.AveragePrecision(average=None), four, dict(zip("0123", ap(None), strict=True))),
    "four, log_loss": ("log_loss", four, sk.log_loss(CLASSES, SHARES)),
    "four, log_loss of probabilities": ("log_loss", (partial(tz.nn.cross_entropy, from_logits=False),
                                                     SHARES.astype(np.float32), CLASSES), sk.log_loss(CLASSES, SHARES)),
    "four, log_loss of one-hot": ("log_loss", ("cross_entropy", FOUR, np.eye(4, dtype=np.float32)[CLASSES]),
                                  sk.log_loss(CLASSES, SHARES)),
    "four, perplexity ignored": (t.Perplexity(ignore_index=3), four,
                                 np.exp(-np.log(SHARES[np.arange(ROWS), CLASSES])[CLASSES < 3].mean())),
    "four, calibration": ("calibration_error", four, calibration_error(SHARES.max(1), BEST == CLASSES)),
    "labels, f1": ("f1", several, sk.f1_score(MANY, CHOSEN, average="macro")),
    "labels, precision micro": (t.Precision(average="micro"), several,
                                sk.precision_score(MANY, CHOSEN, average="micro")),
    "labels, recall each": (t.Recall(average=None), several, per_class(sk.recall_score, MANY, CHOSEN)),
    "labels, iou weighted": (t.IoU(average="weighted"), several, sk.jaccard_score(MANY, CHOSEN, average="weighted")),
    "labels, auc": ("auc", several, sk.roc_auc_score(MANY, LABELS)),
    "labels, auc micro": (t.AUC(average="micro"), several, sk.roc_auc_score(MANY, LABELS, average="micro")),
    "labels, log_loss": ("log_loss", several, sk.log_loss(MANY.reshape(-1), LABEL_SHARES.reshape(-1))),
    "labels, by an option": (t.FBeta(multilabel=True), (lambda p, y: p.sum(), LABELS, MANY),
                             sk.f1_score(MANY, CHOSEN, average="macro")),
    "precision at recall": (t.PrecisionAtRecall(0.8), one, best_precision(0.8)),
    "sensitivity at specificity": (t.SensitivityAtSpecificity(0.8), one, best_sensitivity(0.8)),
    "r2 each": (t.R2(average=None), numbers,
                dict(zip("01", sk.r2_score(NUMBERS, GUESSES, multioutput="raw_values"), strict=True))),
    "r2 weighted": (t.R2(average="weighted"), numbers, sk.r2_score(NUMBERS, GUESSES, multioutput="variance_weighted")),
    "r2 of a column": ("r2", ("mse", GUESSES[:, :1], NUMBERS[:, 0]), sk.r2_score(NUMBERS[:, 0], GUESSES[:, 0])),
    "mape": ("mape", numbers, sk.mean_absolute_percentage_error(NUMBERS, GUESSES)),
    "msle": ("msle", ("mse", abs(GUESSES), abs(NUMBERS)), sk.mean_squared_log_error(abs(NUMBERS), abs(GUESSES))),
    "top_2_accuracy": ("top_2_accuracy", four, sk.top_k_accuracy_score(CLASSES, SHARES, k=2)),
    "zero_one_loss": ("zero_one_loss", four, sk.zero_one_loss(CLASSES, BEST)),
    "cross_entropy": ("cross_entropy", four, sk.log_loss(CLASSES, SHARES)),
}
ONE_ROW = 0.01  # what bins may cost: the order of rows in one bin, or a threshold that is a row away
each_case = pytest.mark.parametrize(("spec", "beside", "wanted"), CASES.values(), ids=CASES)


def test_every_metric_with_options_has_a_row():
    missing = {name for name, metric in METRICS.items() if isinstance(metric, OutputMetric)} - CASES.keys()
    assert not missing, f"tests/train/test_metrics_against_sklearn.py, in CASES, lacks: {', '.join(missing)}"


def metric_of(spec, loss):
    (metric,) = named_metrics([spec], tz.nn.LOSSES.get(loss, loss)).values()
    return metric


def from_batches(metric, prediction, target, trace=False):
    """The value from sums over uneven batches, which are added in float64."""
    sums = tz.jit(metric.sums) if trace else metric.sums
    parts = [map_leaves(exact, sums(tz.asarray(p), tz.asarray(y))) for p, y in
             zip(np.split(prediction, CUTS), np.split(target, CUTS), strict=True)]
    return metric.result({name: sum(part[name] for part in parts) for name in parts[0]})


def assert_equal(value, wanted, tolerance):
    assert isinstance(value, dict) == isinstance(wanted, dict)
    if isinstance(wanted, dict):
        assert {name: pytest.approx(number, abs=tolerance) for name, number in wanted.items()} == value
    else:
        assert isinstance(value, float) and value == pytest.approx(wanted, abs=tolerance, rel=tolerance)


@each_case
def test_sums_over_uneven_batches_give_the_value(spec, beside, wanted):
    loss, prediction, target = beside
    metric = metric_of(spec, loss)
    in_bins = metric.whole is not None and loss != "mse"
    assert_equal(from_batches(metric, prediction, target), wanted, ONE_ROW if in_bins else 1e-6)


@each_case
def test_all_rows_at_once_give_the_value(spec, beside, wanted):
    loss, prediction, target = beside
    assert_equal(metric_of(spec, loss)(prediction, target), wanted, 1e-6)


@pytest.mark.native
@pytest.mark.parametrize("name", ["f1", "auc", "log_loss", "calibration_error", "r2", "four, quadratic kappa", "mape",
                                  "four, auc", "four, perplexity ignored"])
def test_traced_sums_are_the_eager_ones(name):
    spec, (loss, prediction, target), _ = CASES[name]
    metric = metric_of(spec, loss)
    assert_equal(from_batches(metric, prediction, target, trace=True), from_batches(metric, prediction, target), 1e-6)
