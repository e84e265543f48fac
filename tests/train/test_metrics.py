"""Metrics: one number per sample, own sums, what names mean beside a loss, degenerate rows, errors."""

import copy
import math
from functools import partial

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.pytree import map_leaves
from tarazu.nn import LOSSES, Dense, Sequential
from tarazu.train import METRICS
from tarazu.train.metrics import named_metrics
from tarazu.train.metrics.metric import exact
from tarazu.train.metrics.outputs import OutputMetric

LOGITS = [[0.1, 0.7, 0.2], [2.0, -1.0, 1.0], [-3.0, -2.0, -4.0], [0.0, 1.0, 2.0]]
NUMBERS = [[1.0, 2.0], [0.0, -1.0]]
ROWS = {  # by the name of the metric and, after a comma, a title: prediction, target, the number of each sample
    "accuracy": (LOGITS, [1, 2, 1, 0], [1, 0, 1, 0]),
    "accuracy, one-hot": (LOGITS, np.eye(3)[[1, 2, 1, 0]], [1, 0, 1, 0]),
    "accuracy, one output": ([[0.5], [-0.5], [0.5]], [1, 1, 0], [1, 0, 0]),
    "accuracy, sequences": ([LOGITS[:2], LOGITS[2:]], [[1, 2], [1, 1]], [0.5, 0.5]),
    "acc": (LOGITS, [[1], [2], [1], [0]], [1, 0, 1, 0]),
    "binary_accuracy": ([[2.0, -1.0], [-3.0, -4.0]], [[1, 1], [0, 0]], [0.5, 1]),
    "mae": (NUMBERS, [[1.0, 4.0], [3.0, -1.0]], [1, 1.5]),
    "mse": (NUMBERS, [[1.0, 4.0], [3.0, -1.0]], [2, 4.5]),
    "mape": (NUMBERS, [[1.0, 4.0], [2.0, -1.0]], [0.25, 0.5]),
    "smape": (NUMBERS, [[1.0, 4.0], [2.0, -1.0]], [1 / 3, 1]),
    "cosine_similarity": (NUMBERS, [[1.0, 2.0], [3.0, 0.0]], [1, 0]),
    "top_5_accuracy": ([[0.0, 1, 2, 3, 4, 5]] * 2, [0, 1], [0, 1]),
    "top_5_accuracy, few classes": (LOGITS, [1, 2, 1, 0], [1, 1, 1, 1]),
    "zero_one_loss": (LOGITS, [1, 2, 1, 0], [0, 1, 0, 1]),
}
each_row = pytest.mark.parametrize(("name", "row"), ROWS.items(), ids=ROWS)


def test_every_metric_has_a_row():
    functions = {name for name, metric in METRICS.items() if not isinstance(metric, OutputMetric)} - LOSSES.keys()
    missing = functions - {name.partition(",")[0] for name in ROWS}
    assert not missing, f"tests/train/test_metrics.py, in ROWS, lacks: {', '.join(missing)}"


@each_row
def test_values(name, row):
    prediction, target, wanted = row
    metric = METRICS[name.partition(",")[0]]
    for function in (metric, tz.jit(metric)):
        value = function(tz.tensor(prediction), tz.asarray(np.asarray(target))).numpy()
        np.testing.assert_allclose(value, wanted, atol=1e-6)


def one(spec, loss="mse", **options):
    """The metric that `compile` makes of a spec, beside a loss."""
    (metric,) = named_metrics([spec], partial(LOSSES[loss], **options) if options else LOSSES[loss]).values()
    return metric


def by_sums(metric, prediction, target):
    """The value of a metric by its sums, in place of all rows at once."""
    return metric.result(map_leaves(exact, metric.sums(tz.asarray(prediction), tz.asarray(target))))


@pytest.mark.parametrize(("loss", "options", "outputs", "targets", "wanted"), [
    ("binary_cross_entropy", {}, [[0.2, -1.0], [3.0, 1.0]], [[1, 0], [1, 0]], 0.25),  # each label by itself
    ("binary_cross_entropy", {"from_logits": False}, [[0.2], [0.9]], [1, 1], 0.5),
    ("mse", {}, [[0.2], [0.9]], [1, 1], 0.5),
    ("cross_entropy", {}, [[0.2, 0.1], [0.9, 1.0]], [0, 0], 0.5)])
def test_zero_one_loss_is_what_accuracy_misses(loss, options, outputs, targets, wanted):
    assert one("zero_one_loss", loss, **options)(outputs, targets) == wanted
    assert one("accuracy", loss, **options)(outputs, targets) == 1 - wanted


def test_metrics_that_mean_something_beside_a_loss_stay():
    logits = np.eye(7, dtype=np.float32)[[0, 1, 2]] + np.arange(7, dtype=np.float32) / 10
    assert one("top_5_accuracy", "cross_entropy")(logits, [0, 0, 2]) == pytest.approx(2 / 3)  # 0 is the last of all
    assert one("top_5_accuracy")(logits, np.eye(7)[[0, 0, 2]]) == pytest.approx(2 / 3)
    assert one("mae", "binary_cross_entropy", from_logits=False)([[0.25], [0.5]], [1, 0]) == 0.625
    assert one("hinge", "binary_cross_entropy")([[0.5]], [1]) == 0.5
    assert one("cross_entropy", "nll")([[0.0, 0.0]], [1]) == pytest.approx(math.log(2))
    assert next(iter(named_metrics(["mae"], lambda p, t: abs(p - t).mean()))) == "mae"


def test_zero_one_loss_beside_numbers_warns_where_targets_are_no_classes():
    model = Sequential([Dense(1, in_features=2)]).compile("sgd", "mse", "zero_one_loss")
    with pytest.warns(tz.train.TrainingWarning, match="zero_one_loss beside a loss of numbers takes outputs above 0.5"):
        model.fit(np.ones((8, 2), np.float32), np.array([1, 2] * 4), verbose=0)


def test_a_function_of_rows_becomes_sums():
    metric = one(lambda p, t: abs(p - t))
    sums = metric.sums(tz.tensor([1.0, 5.0, 3.0]), tz.tensor([1.0, 1.0, 1.0]))
    assert (sums["total"].item(), sums["rows"]) == (6.0, 3) and sums["total"].dtype is tz.float64
    assert metric.result({"total": np.array(6.0), "rows": np.array(4.0)}) == 1.5
    assert math.isnan(metric.result({"total": np.array(0.0), "rows": np.array(0.0)}))


def test_own_sums_have_the_name_of_their_function_or_their_own():
    def bias(prediction, target):
        return {"error": tz.sum(prediction - target)}

    own = tz.train.Metric(bias, lambda sums: sums["error"])
    other = tz.train.Metric(bias, lambda sums: 0.0, name="other")
    assert list(named_metrics([own, other], tz.nn.mse)) == ["bias", "other"]
    with pytest.raises(ArgumentError, match="two metrics with the name 'bias'[\\s\\S]*name="):
        named_metrics([own, own], tz.nn.mse)


@pytest.mark.parametrize(("name", "loss", "options", "prediction", "target", "wanted"), [
    ("accuracy", "binary_cross_entropy", {}, [[0.3, -0.2]], [[1, 1]], 0.5),
    ("accuracy", "binary_cross_entropy", {"from_logits": False}, [[0.3, 0.7]], [[0, 1]], 1.0),
    ("binary_accuracy", "mse", {}, [[0.3, 0.7]], [[0, 1]], 1.0),
    ("accuracy", "cross_entropy", {"label_smoothing": 0.1}, LOGITS, [1, 2, 1, 0], 0.5),
    ("accuracy", "hinge", {}, [[0.3], [0.2]], [1, -1], 0.5),
    ("accuracy", "categorical_hinge", {}, LOGITS, [1, 2, 1, 0], 0.5),
    ("cross_entropy", "cross_entropy", {"from_logits": False}, [[0.5, 0.5]], [1], math.log(2)),
    ("top_1_accuracy", "cross_entropy", {}, LOGITS, [1, 2, 1, 0], 0.5),
])
def test_names_read_outputs_as_the_loss_does(name, loss, options, prediction, target, wanted):
    metric = one(name, loss, **options)
    assert metric(tz.tensor(prediction), tz.asarray(np.asarray(target))) == pytest.approx(wanted)


@pytest.mark.parametrize("spec", ["accuracy", "top_2_accuracy", "cross_entropy", "f1", "auc", "log_loss", "confusion",
                                  "calibration_error", tz.train.AUC(average=None), "average_precision"])
def test_targets_that_the_loss_ignores_do_not_count(spec):
    draw = np.random.default_rng(0)
    logits, labels = draw.normal(size=(40, 3)).astype(np.float32), draw.integers(0, 3, 40)
    kept = draw.random(40) < 0.7
    metric, plain = one(spec, "cross_entropy", ignore_index=-1), one(spec, "cross_entropy")
    given = logits.reshape(8, 5, 3), np.where(kept, labels, -1).reshape(8, 5)
    wanted = plain(logits[kept], labels[kept])
    assert metric(*given) == pytest.approx(wanted, rel=1e-5)
    assert by_sums(metric, *given) == pytest.approx(by_sums(plain, logits[kept], labels[kept]), rel=1e-5)


NONE, BOTH = np.zeros(4, int), np.array([0, 1, 0, 1])
ZEROS, RISING = np.zeros(4, np.float32), np.array([-2.0, -1.0, 1.0, 2.0], np.float32)
DEGENERATE = {  # a metric, logits, targets, and its value
    "never predicted": ("precision", ZEROS - 1, BOTH, 0.0),
    "no positives": ("recall", RISING, NONE, 0.0),
    "neither there nor predicted": ("f1", ZEROS - 1, NONE, math.nan),
    "all of one class": ("matthews", RISING, NONE, 0.0),
    "kappa of one class": ("cohen_kappa", ZEROS - 1, NONE, math.nan),
    "auc of one class": ("auc", RISING, NONE, math.nan),
    "all tied": ("auc", ZEROS, BOTH, 0.5),
    "average precision of one class": ("average_precision", RISING, NONE, math.nan),
    "nan scores": ("auc", ZEROS * math.nan, BOTH, math.nan),
    "nan decides for nothing": (tz.train.ClassCount("false_negatives"), ZEROS * math.nan, BOTH, 2.0),
    "infinite logits": ("auc", RISING * math.inf, np.array([0, 0, 1, 1]), 1.0),
    "a class that is not there": (tz.train.Recall(average=None), np.eye(3, dtype=np.float32)[[0, 1, 0, 1]], BOTH,
                                  {"0": 1.0, "1": 1.0, "2": math.nan}),
    "a mean without it": (tz.train.Recall(average="macro"), np.eye(3, dtype=np.float32)[[0, 1, 0, 1]], BOTH, 1.0),
    "unlikely": ("perplexity", RISING * 1e6, 1 - (RISING > 0), math.inf),
    "nothing counts": (tz.train.LogLoss(ignore_index=0), RISING, NONE, math.nan),
}


@pytest.mark.parametrize(("spec", "prediction", "target", "wanted"), DEGENERATE.values(), ids=DEGENERATE)
def test_degenerate_rows(spec, prediction, target, wanted):
    metric = one(spec, "binary_cross_entropy" if prediction.ndim == 1 else "cross_entropy")
    for value in (metric(prediction, target), by_sums(metric, prediction, target)):
        assert value == pytest.approx(wanted, nan_ok=True)


@pytest.mark.parametrize("name", ["r2", "explained_variance", "pearson", "concordance"])
def test_correlations_with_a_constant_are_not_numbers(name):
    target = np.full(5, 0.1, np.float32)
    prediction = np.arange(5, dtype=np.float32)
    metric = one(name)
    values = metric(prediction, target), by_sums(metric, prediction, target)
    if name == "concordance":
        assert values == pytest.approx((0.0, 0.0))
    else:
        assert all(map(math.isnan, values))


def test_correlations_of_all_rows_are_exact_far_from_zero():
    draw = np.random.default_rng(0)
    target = 1e9 + draw.normal(size=100)
    prediction = target + 0.5 * draw.normal(size=100)
    assert one("r2")(prediction, target) == pytest.approx(
        1 - ((prediction - target) ** 2).sum() / ((target - target.mean()) ** 2).sum(), abs=1e-6)
    assert one("pearson")(prediction, target) == pytest.approx(np.corrcoef(prediction, target)[0, 1], abs=1e-6)


def test_pixels_are_rows():
    draw = np.random.default_rng(0)
    logits, classes = draw.normal(size=(2, 4, 5, 3)).astype(np.float32), draw.integers(0, 3, (2, 4, 5))
    iou = one("iou", "cross_entropy")
    wanted = iou(logits.reshape(-1, 3), classes.reshape(-1))
    assert iou(logits, classes) == iou(logits, classes[..., None]) == wanted
    marks, mask = logits[..., :1], classes[..., None] > 0
    assert one("dice", "dice_loss")(marks, mask) == one("dice", "dice_loss")(marks.reshape(-1), mask.reshape(-1))


def test_bins_that_are_few_say_less():
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 2, 500)
    logits = (draw.normal(size=500) + labels).astype(np.float32)
    wanted = one("auc", "binary_cross_entropy")(logits, labels)
    errors = []
    for bins in (4, 64, 1024):
        metric = one(tz.train.AUC(bins=bins), "binary_cross_entropy")
        errors.append(abs(by_sums(metric, logits, labels) - wanted))
    assert errors[0] > 1e-3 > max(errors[1:])


def errors(prediction, target):
    return {"error": tz.sum(prediction - target)}


def largest(sums):
    return float(sums["error"].max())


def test_options_are_saved_with_the_model(tmp_path):
    own = tz.train.Metric(errors, largest, name="bias")
    specs = [own, "f1", tz.train.Precision(threshold=0.7), tz.train.AUC(bins=64, name="area"), tz.train.FBeta(0.5)]
    model = Sequential([Dense(1, in_features=2)]).compile(
        "adam", partial(tz.nn.binary_cross_entropy, pos_weight=[2.0], label_smoothing=0.1), specs)
    model.save(tmp_path / "model.tz")
    trainer = tz.load(tmp_path / "model.tz")._trainer
    assert trainer.given_metrics[1:] == specs[1:]
    assert list(trainer.metrics) == ["bias", "f1", "precision", "area", "f0.5"]
    assert (trainer.metrics["bias"].sums, trainer.metrics["bias"].result) == (errors, largest)
    assert trainer.given_loss.keywords == {"pos_weight": [2.0], "label_smoothing": 0.1}
    assert list(copy.deepcopy(trainer).metrics) == list(trainer.metrics)


ERRORS = {
    "needs probabilities": (lambda: one("log_loss"), ArgumentError,
                            r"the metric 'log_loss', which needs probabilities, beside mse, whose outputs are numbers\n"
                            r".*cross_entropy.*\n.*tz.train.LogLoss\(from_logits=False\)"),
    "needs probabilities, beside scores": (lambda: one("perplexity", "hinge"), ArgumentError,
                                           "beside hinge, whose outputs are scores"),
    "compares numbers": (lambda: one("r2", "cross_entropy"), ArgumentError,
                         "the metric 'r2', which compares numbers, beside cross_entropy, whose outputs are logits"),
    "numbers of labels": (lambda: one("mae", "binary_cross_entropy"), ArgumentError,
                          r"the metric 'mae', which compares numbers, beside binary_cross_entropy, whose outputs are "
                          r'logits of labels\n.*such as mse\n.*"accuracy", or a function of your own'),
    "numbers of classes": (lambda: one("mse", "cross_entropy", from_logits=False), ArgumentError,
                           "the metric 'mse', which compares numbers, beside cross_entropy, whose outputs are prob"),
    "a loss of numbers": (lambda: one("huber", "hinge"), ArgumentError, "compares numbers, beside hinge.* of signs"),
    "largest of labels": (lambda: one("top_3_accuracy", "binary_cross_entropy"), ArgumentError,
                          r"'top_3_accuracy', which takes outputs as one of several classes, beside binary_cross_entro"
                          r'py.*\n.*such as cross_entropy\n.*"accuracy" or "auc"'),
    "classes of labels": (lambda: one("cross_entropy", "binary_cross_entropy"), ArgumentError, "several classes"),
    "labels of classes": (lambda: one("binary_accuracy", "cross_entropy"), ArgumentError,
                          r"'binary_accuracy', which judges each output by itself, beside cross_entropy, whose outputs "
                          r'are logits of classes\n.*such as binary_cross_entropy\n.*"accuracy" or "log_loss"'),
    "a loss of labels": (lambda: one("hinge", "cross_entropy"), ArgumentError, "'hinge', which judges each output by"),
    "logits of numbers": (lambda: one("cross_entropy"), ArgumentError,
                          r"'cross_entropy', which needs probabilities, beside mse.*\n.*\n.*such as \"auc\""),
    "log probabilities": (lambda: one("nll", "cross_entropy"), ArgumentError,
                          r"'nll', which takes log probabilities, beside cross_entropy.*\n.*\n.*take \"log_loss\""),
    "logits": (lambda: one("soft_margin", "binary_cross_entropy", from_logits=False), ArgumentError, "takes logits, b"),
    "largest of one": (lambda: one("top_5_accuracy")([[1.0], [2.0]], [[0], [1]]), ShapeError,
                       r"top_5_accuracy: outputs of shape \(2, 1\)\n.*2 or more classes\n.*take \"accuracy\""),
    "unknown name": (lambda: one("precison"), ArgumentError, "did you mean 'precision'"),
    "another name": (lambda: one("roc_auc"), ArgumentError, "here it is 'auc'"),
    "average": (lambda: tz.train.Precision(average="mean"), ArgumentError,
                "metric 'precision' with average='mean'\n  expected: one of 'auto', 'binary', 'macro'"),
    "average of curves": (lambda: tz.train.AUC(average="binary"), ArgumentError, "metric 'auc' with average='binary'"),
    "average of numbers": (lambda: tz.train.R2(average="macro"), ArgumentError, "metric 'r2' with average='macro'"),
    "threshold": (lambda: tz.train.Recall(threshold=50), ArgumentError, "threshold=50\n  expected: a probability"),
    "threshold of classes": (lambda: one(tz.train.Recall(threshold=0.7), "cross_entropy")(LOGITS, [1, 2, 1, 0]),
                             ArgumentError, "threshold=0.7 for 3 classes"),
    "class_id": (lambda: one(tz.train.Recall(class_id=3), "cross_entropy")(LOGITS, [1, 2, 1, 0]), ArgumentError,
                 "class_id=3 for 3 classes\n  expected: a class from 0 to 2"),
    "binary": (lambda: one(tz.train.Recall(average="binary"), "cross_entropy")(LOGITS, [1, 2, 1, 0]), ArgumentError,
               'average="binary" for 3 classes'),
    "labels": (lambda: one("matthews", "binary_cross_entropy")(NUMBERS, [[1, 0], [0, 1]]), ArgumentError,
               "metric 'matthews' of labels that are 0 or 1 each by itself"),
    "labels, confusion": (lambda: one("confusion", "binary_cross_entropy")(NUMBERS, [[1, 0], [0, 1]]), ArgumentError,
                          "metric 'confusion' of labels"),
    "shape": (lambda: one("f1", "cross_entropy")(LOGITS, [1, 2, 1]), ShapeError,
              r"metric 'f1': a target of shape \(3,\) for outputs of shape \(4, 3\)\n.*\(4,\) \(class numbers\)"),
    "shape of labels": (lambda: one("f1", "binary_cross_entropy")(LOGITS, [1, 2, 1, 0]), ShapeError,
                        r"a target of shape \(4,\) for outputs of shape \(4, 3\)"),
    "shape of one output": (lambda: one("f1", "binary_cross_entropy")([[1.0], [2.0]], [1, 2, 1]), ShapeError,
                            r"a target of shape \(3,\) for outputs of shape \(2, 1\)"),
    "shape of numbers": (lambda: one("r2")(NUMBERS, [1.0, 2.0, 3.0]), ShapeError, "r2: a prediction of shape"),
    "beta": (lambda: tz.train.FBeta(0), ArgumentError, "FBeta with beta=0"),
    "kind": (lambda: tz.train.ClassCount("positives"), ArgumentError, "expected: one of true_positives"),
    "weights": (lambda: tz.train.CohenKappa(weights="cubic"), ArgumentError, "weights='cubic'"),
    "bins": (lambda: tz.train.AUC(bins=0), ArgumentError, "bins=0"),
    "share": (lambda: tz.train.PrecisionAtRecall(80), ArgumentError, "recall=80\n  expected: a number from 0 to 1"),
    "k": (lambda: tz.train.top_k_accuracy(tz.tensor(LOGITS), tz.tensor([1, 2, 1, 0]), k=0), ArgumentError, "k=0"),
}


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(act, kind, text):
    with pytest.raises(kind, match=text):
        act()


def test_fit_validation_and_evaluate_show_them():
    draw = np.random.default_rng(0)
    x = draw.normal(size=(70, 3)).astype(np.float32)
    y = draw.integers(0, 3, 70)
    metrics = ["accuracy", "f1", "auc", tz.train.Recall(average=None), "perplexity", "confusion", "top_2_accuracy"]
    model = Sequential([Dense(3, in_features=3)]).compile(tz.optim.SGD(lr=1e-9), "cross_entropy", metrics)
    history = model.fit(x, y, validation_data=(x[:20], y[:20]), batch_size=16, epochs=1, verbose=0)
    row, logits = history[0], model.predict(x)
    for name, metric in named_metrics(metrics, tz.nn.cross_entropy).items():
        whole, part = metric(logits, y), metric(logits[:20], y[:20])
        values = {f"{name}_{key}": (value, part[key]) for key, value in whole.items()} if isinstance(
            whole, dict) else {name: (whole, part)}
        for column, (of_all, of_part) in values.items():
            assert row[column] == pytest.approx(of_all, abs=2e-3 if name == "auc" else 1e-6), column
            assert row[f"val_{column}"] == pytest.approx(of_part, abs=1e-6), column
            assert model.evaluate(x, y)[column] == pytest.approx(of_all, abs=1e-6), column


def test_metrics_of_classes_beside_numbers_warn_where_targets_are_no_classes():
    x = np.ones((8, 2), np.float32)
    model = Sequential([Dense(1, in_features=2)])
    with pytest.warns(tz.train.TrainingWarning, match="f1 beside a loss of numbers takes outputs above 0.5.* 1 to 2"):
        model.compile("sgd", "mse", ["f1", "r2"]).fit(x, np.array([1, 2] * 4), verbose=0)
    model.compile("sgd", "mse", ["r2"]).fit(x, np.array([1, 2] * 4), verbose=0)
