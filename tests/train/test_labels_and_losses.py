"""Labels that a loss refuses, own losses that broadcast or are of batches, accuracies, names of metrics, freezing."""

import functools

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.nn import BatchNorm, Dense, Sequential

draw = np.random.default_rng(0)
X = draw.normal(size=(48, 4)).astype(np.float32)
Y = X.sum(1)
CLASSES = (Y > 0).astype(int)


def compiled(loss, metrics=(), outputs=1):
    return Sequential([Dense(outputs, in_features=4, kernel_initializer="ones")]).compile("adam", loss, metrics)


@pytest.mark.parametrize(("first", "second"), [(1, 2), (-1, 1), (0, 255)])
def test_labels_that_are_not_from_0_to_1_are_refused(first, second):
    y = np.where(CLASSES, second, first)
    text = rf"targets from {first} to {second} for binary_cross_entropy[\s\S]*y = \(y == {second}\)\.astype\(int\)"
    for act in (lambda: compiled("binary_cross_entropy").fit(X, y, verbose=0),
                lambda: compiled("binary_cross_entropy").fit([(X, y.astype(np.float32))], verbose=0),
                lambda: compiled("binary_cross_entropy").evaluate(X, y),
                lambda: tz.nn.binary_cross_entropy(tz.asarray(Y), tz.asarray(y))):
        with pytest.raises(ArgumentError, match=text):
            act()


def test_one_hot_rows_of_0_and_255_are_refused():
    y = np.eye(2)[CLASSES] * 255
    for act in (lambda: compiled("cross_entropy", outputs=2).fit(X, y, verbose=0),
                lambda: tz.nn.cross_entropy(tz.asarray(X), tz.asarray(X * 2))):
        with pytest.raises(ArgumentError, match="for cross_entropy\n  expected: targets from 0 to 1"):
            act()


def test_accuracy_beside_a_loss_of_numbers_has_its_bound_at_one_half():
    model = compiled("mse", ["accuracy", "binary_accuracy"])
    prediction = model.predict(X).numpy()[:, 0]
    right = float(np.mean((prediction > 0.5) == CLASSES))
    scores = model.evaluate(X, CLASSES)
    assert scores["accuracy"] == pytest.approx(right) and scores["binary_accuracy"] == pytest.approx(right)
    assert right != np.mean((prediction > 0) == CLASSES)
    history = model.fit(X, CLASSES, epochs=3, validation_split=0.5, seed=0, verbose=0)
    assert history.measurements["train_accuracy"] is not None


def test_nan_is_never_right():
    nan = float("nan")
    several = tz.tensor([[nan, 0.0], [0.0, nan], [0.0, 1.0]])
    assert tz.train.accuracy(several, tz.tensor([0, 1, 1])).tolist() == [0, 0, 1]
    assert tz.train.accuracy(tz.tensor([[nan], [-1.0]]), tz.tensor([0, 0])).tolist() == [0, 1]
    assert tz.train.binary_accuracy(tz.tensor([[nan, -1.0]]), tz.tensor([[0, 0]])).tolist() == [0.5]


def square(prediction, target):
    return tz.mean(tz.square(prediction - target))


def test_an_own_loss_that_broadcasts_rows_against_rows_warns_once():
    text = r"prediction of shape \(32, 1\) against a target of shape \(32,\)"
    with pytest.warns(tz.train.TrainingWarning, match=text) as seen:
        compiled(square).fit(X, Y, epochs=2, verbose=0)
    assert len(seen) == 1 and seen[0].filename == __file__


def test_an_own_metric_that_broadcasts_rows_against_rows_warns_once():
    text = r"^metric 'square' broadcasts a prediction of shape \(32, 1\) against a target of shape \(32,\)"
    with pytest.warns(tz.train.TrainingWarning, match=text) as seen:
        compiled("mse", [square, "mae"]).fit(X, Y, epochs=2, verbose=0)
    assert len(seen) == 1


@pytest.mark.parametrize("targets", [CLASSES * 2 - 1, Y, CLASSES[:, None] * 3])
def test_an_accuracy_of_numbers_that_are_no_classes_warns(targets):
    with pytest.warns(tz.train.TrainingWarning, match=r"targets go from .* to .*number the two classes, y = \(y == "):
        compiled("mse", ["accuracy"]).fit(X, targets, verbose=0)
    compiled("mse", ["accuracy"], outputs=3).fit(X, np.eye(3)[CLASSES], verbose=0)


def test_an_own_loss_that_takes_the_column_does_not_warn():
    compiled(lambda p, t: square(p[:, 0], t)).fit(X, Y, verbose=0)
    compiled(square).fit(X, Y[:, None], verbose=0)


def minus_correlation(prediction, target):
    p, t = prediction[:, 0] - prediction.mean(), target - target.mean()
    return -(p * t).sum() / tz.sqrt((p * p).sum() * (t * t).sum())


def test_a_loss_of_batches_is_undecided_with_the_reason():
    history = compiled(minus_correlation).fit(X, Y, epochs=3, validation_split=0.3, seed=0, verbose=0)
    text = str(history.verdict)
    assert text.startswith("undecided: the loss is one of whole batches")
    assert "neither the mean nor the sum" in text and "diverged" not in text
    assert history.measurements["train_loss"] < -0.5


def test_an_own_loss_of_rows_is_judged_as_the_same_loss_of_ours():
    def own(prediction, target):
        return square(prediction[:, 0], target)

    ours, others = ([compiled(loss).fit(X, Y, epochs=4, validation_split=0.3, seed=0, verbose=0).measurements[name]
                     for name in ("train_loss", "validation_loss", "gap_high")] for loss in ("mse", own))
    assert others == pytest.approx(ours, rel=1e-4)


def test_a_loss_that_sums_is_judged_row_by_row():
    history = compiled(lambda p, t: (p[:, 0] - t).abs().sum()).fit(X, Y, epochs=3, seed=0, verbose=0)
    assert not history.measurements["is_batch_loss"] and history.measurements["train_samples"] == 48


# Names of metrics ----------------------------------------------------------------------------------------------------

def named(name):
    def metric(prediction, target):
        return (prediction[:, 0] - target).abs()
    metric.__name__ = name
    return metric


NAMES = {
    "twice": ([named("error"), named("error")], "two metrics with the name 'error'[\\s\\S]*f.__name__"),
    "lambdas": ([lambda p, t: p, lambda p, t: t], "two metrics with the name '<lambda>'"),
    "partial": ([functools.partial(named("error")), named("error")], "two metrics with the name 'error'"),
    "of ours": (["mae", named("mae")], "two metrics with the name 'mae'"),
    "text twice": (["mae", "mae"], "two metrics with the name 'mae'[\\s\\S]*leave one out"),
    **{name: ([named(name)], f"a metric with the name '{name}', which the history has")
       for name in ("loss", "learning_rate", "epoch", "seconds", "val_loss")},
    "roc_auc": (["roc_auc"], "metric 'roc_auc'[\\s\\S]*here it is 'auc'"),
}


@pytest.mark.parametrize(("metrics", "text"), NAMES.values(), ids=NAMES)
def test_names_of_metrics_are_unique(metrics, text):
    with pytest.raises(ArgumentError, match=text):
        compiled("mse", metrics)


# Generators, parameters, frozen statistics, seeds --------------------------------------------------------------------

def test_a_validation_generator_may_refill_one_buffer():
    def refilling():
        x, y = np.empty((16, 4), np.float32), np.empty(16, np.float32)
        for i in range(0, 48, 16):
            x[...], y[...] = X[i:i + 16], Y[i:i + 16]
            yield x, y

    found, wanted = (compiled("mse").fit([(X, Y)], validation_data=given, verbose=0)[-1]["val_loss"]
                     for given in (refilling(), (X, Y)))
    assert found == pytest.approx(wanted, rel=1e-6)
    found, wanted = (compiled("mse").fit(given, verbose=0)[-1]["loss"]
                     for given in (refilling(), [(X[i:i + 16], Y[i:i + 16]) for i in range(0, 48, 16)]))
    assert found == wanted


def test_frozen_statistics_stay_also_in_a_compiled_fit():
    model = Sequential([Dense(3, in_features=4), BatchNorm(3), Dense(1, in_features=3)]).compile("adam", "mse")
    norm = model[1]

    def changed(fit=True):
        before = norm.running_mean.numpy(), norm.running_variance.numpy()
        model.fit(X, Y, verbose=0)
        return [not np.array_equal(a, b.numpy()) for a, b in zip(before, (norm.running_mean, norm.running_variance),
                                                                 strict=True)]

    assert changed() == [True, True]
    norm.freeze()
    assert changed() == [True, True] and not norm.has_frozen_statistics
    norm.freeze(statistics=True)
    assert changed() == [False, False]
    x = tz.asarray(X[:5, :3])
    assert np.array_equal(norm.train()(x).numpy(), norm.eval()(x).numpy())
    norm.freeze(False)
    assert changed() == [True, True]


def test_a_seed_before_the_model_makes_all_of_a_run_repeatable():
    def run():
        tz.random.seed(7)
        model = Sequential([Dense(3, in_features=4), Dense(1, in_features=3)]).compile("adam", "mse")
        return model.fit(X, Y, validation_split=0.2, seed=0, verbose=0).history["val_loss"]

    assert run() == run()
    assert "tz.random.seed" in tz.nn.Module.fit.__doc__
