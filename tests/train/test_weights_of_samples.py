"""sample_weight and class_weight: what a weighted loss is, in rows, streams, evaluation and the verdict."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError

draw = np.random.default_rng(5)
X = draw.normal(size=(60, 3)).astype(np.float32)
LABELS = (X[:, 0] > 0.8).astype(int)
W = draw.uniform(0, 2, 60).astype(np.float32)


def model_of(loss="cross_entropy", outputs=2, metrics=()):
    tz.random.seed(1)
    return tz.nn.Dense(outputs, in_features=3).compile(tz.optim.SGD(lr=0.1), loss, metrics)


def losses_of(model):
    return tz.nn.cross_entropy(model(tz.asarray(X)), LABELS, reduction="none").numpy()


def test_the_loss_is_the_sum_of_weighted_losses_over_the_rows():
    model = model_of(metrics=["accuracy"])
    wanted = (losses_of(model) * W).mean()
    unweighted = model.evaluate(X, LABELS)
    scores = model.evaluate(X, LABELS, sample_weight=W)
    assert scores["loss"] == pytest.approx(wanted, rel=1e-6) and scores["accuracy"] == unweighted["accuracy"]
    history = model.fit(X, LABELS, sample_weight=W, batch_size=60, verbose=0)
    assert history[0]["loss"] == pytest.approx(wanted, rel=1e-6)


def test_a_weight_of_two_is_as_two_rows_and_one_of_none_as_no_row():
    weights = np.where(np.arange(60) < 20, 2, np.where(np.arange(60) < 40, 1, 0))
    rows = np.repeat(np.arange(60), weights)
    weighted, repeated = model_of(), model_of()
    weighted.fit(X, LABELS, sample_weight=weights, batch_size=60, verbose=0)
    repeated.fit(X[rows], LABELS[rows], batch_size=60, verbose=0)
    assert weighted.weight.numpy() == pytest.approx(repeated.weight.numpy(), rel=1e-5)


def test_class_weights_are_those_of_scikit_learn():
    for spec in ("balanced", {0: 0.5, 1: 3.0}, {1: 4}):
        by_class, by_row = model_of(), model_of()
        first = by_class.fit(X, LABELS, class_weight=spec, epochs=3, seed=0, verbose=0)
        given = {0: 1.0, **spec} if isinstance(spec, dict) else spec
        second = by_row.fit(X, LABELS, sample_weight=compute_sample_weight(given, LABELS), epochs=3, seed=0, verbose=0)
        assert first.history["loss"] == pytest.approx(second.history["loss"], rel=1e-6)
    both = model_of().fit(X, LABELS, sample_weight=W, class_weight={1: 4}, batch_size=60, verbose=0)
    assert both[0]["loss"] == pytest.approx((losses_of(model_of()) * W * np.where(LABELS, 4, 1)).mean(), rel=1e-6)


def test_weights_of_validation_and_of_rows_held_out():
    weighted = model_of().fit(X, LABELS, validation_data=(X, LABELS, W), epochs=2, seed=0, verbose=0)
    plain = model_of().fit(X, LABELS, validation_data=(X, LABELS), epochs=2, seed=0, verbose=0)
    assert weighted[0]["loss"] == plain[0]["loss"] and weighted[0]["val_loss"] != plain[0]["val_loss"]
    history = model_of().fit(X, LABELS, sample_weight=W, validation_split=0.25, epochs=20, seed=0, verbose=0)
    assert history.verdict.name and history.measurements["validation_samples"] == 15


def test_weights_in_streams():
    batches = [(X[i:i + 20], LABELS[i:i + 20], W[i:i + 20]) for i in (0, 20, 40)]
    model = model_of()
    assert model.evaluate(batches)["loss"] == pytest.approx((losses_of(model) * W).mean(), rel=1e-6)
    assert model.fit(batches, verbose=0, validation_data=batches)[0]["val_loss"] > 0
    pairs = [(x, y) for x, y, _ in batches]
    assert model_of().fit(pairs, class_weight={1: 4}, verbose=0)[0]["loss"] > 0


def test_losses_of_ones_own_and_weights_of_each_output():
    def squared(prediction, target):
        return tz.mean(tz.square(prediction - target))

    y = X[:, :1]
    own, named = (model_of(loss, 1).fit(X, y, sample_weight=W, epochs=2, seed=0, verbose=0)
                  for loss in (squared, "mse"))
    assert own.history["loss"] == pytest.approx(named.history["loss"], rel=1e-5)

    class Twice(tz.nn.Module):
        def __init__(self):
            self.dense = tz.nn.Dense(1, in_features=3)

        def forward(self, x):
            return self.dense(x), self.dense(x)

    def evaluated(weight):
        tz.random.seed(1)
        return Twice().compile("sgd", ["mse", "mse"]).evaluate(X, (y, y), sample_weight=weight)

    one = evaluated(W)
    assert evaluated((W, np.zeros(60)))["loss"] == pytest.approx(one["loss"] / 2, rel=1e-5)


WRONG = {
    "below 0": (lambda m: m.fit(X, LABELS, sample_weight=W - 1), ArgumentError, r"sample_weight with \d+ values below"),
    "rows": (lambda m: m.fit(X, LABELS, sample_weight=W[:5]), ShapeError, "x has 60 rows and sample_weight has 5"),
    "nan": (lambda m: m.fit(X, LABELS, sample_weight=W * np.nan), ArgumentError, "sample_weight holds values that are"),
    "a class that is not there": (lambda m: m.fit(X, LABELS, class_weight={7: 2}), ArgumentError,
                                  "class_weight for '7', which no row has"),
    "a weight below 0": (lambda m: m.fit(X, LABELS, class_weight={1: -2}), ArgumentError, "class_weight={1: -2}"),
    "a name": (lambda m: m.fit(X, LABELS, class_weight="even"), ArgumentError, "class_weight='even'"),
    "numbers": (lambda m: m.fit(X, X[:, 0], class_weight="balanced"), ArgumentError, "targets that are no classes"),
    "stream": (lambda m: m.fit(iter([(X, LABELS)]), sample_weight=W), ArgumentError, "sample_weight with a stream"),
}


@pytest.mark.parametrize(("act", "kind", "text"), WRONG.values(), ids=WRONG)
def test_refusals(act, kind, text):
    with pytest.raises(kind, match=text):
        act(model_of())
