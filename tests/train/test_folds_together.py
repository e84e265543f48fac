"""Folds that train as replicas of one program give what they give one after another, or train one after another."""

import itertools

import numpy as np
import pytest

import tarazu as tz
from tarazu.train import TrainingWarning
from tarazu.train.cross_validation import cross_validate, together
from tarazu.train.replicas import cost
from tarazu.train.sources.pace import Pace

generator = np.random.default_rng(5)
X = generator.normal(size=(42, 3)).astype(np.float32)
Y = X.sum(1, keepdims=True)
LABELS = (X[:, 0] > 0.5).astype(int)
WEIGHT = generator.uniform(0.5, 2.0, 42).astype(np.float32)


def numbers():
    layers = [tz.nn.Dense(4, "relu", in_features=3), tz.nn.Dense(1)]
    return tz.nn.Sequential(layers).compile(tz.optim.SGD(lr=0.01), "mse", ["mae"])


def classes():
    """A model with batch statistics and dropout, running means of the weights, and rates by a schedule in epochs."""
    layers = [tz.nn.Dense(4), tz.nn.BatchNorm(), tz.nn.Dropout(0.5), tz.nn.Dense(2)]
    optimizer = tz.optim.Adam(lr=tz.optim.cosine_decay(0.1, 20), ema=0.9, clip_norm=1.0)
    return tz.nn.Sequential(layers).compile(optimizer, "cross_entropy", ["accuracy", "auc"])


@pytest.fixture
def trained(monkeypatch):
    """How the groups of folds trained: True for together."""
    did = []

    def note(models, *rest):
        made = together.train_together(models, *rest)
        did.append(any(made))
        return made

    def ask(*args):
        did.extend([] if together.can_train_together(*args) else [False])
        return together.can_train_together(*args)

    monkeypatch.setattr(together, "LEAST_STEPS", 1)
    monkeypatch.setattr(cross_validate, "train_together", note)
    monkeypatch.setattr(cross_validate, "can_train_together", ask)
    return did


def both_ways(monkeypatch, build, y=Y, x=X, **options):
    """The scores of folds that train together where they can, and of those that train one after another."""
    options = {"folds": 4, "epochs": 3, "batch_size": 8, "seed": 3, **options}
    found = tz.cross_validate(build, x, y, **options)
    with monkeypatch.context() as patch:
        patch.setattr(cross_validate, "can_train_together", lambda *args: False)
        return found, tz.cross_validate(build, x, y, **options)


def require_close(found, wanted):
    for row, other in zip(found.rows, wanted.rows, strict=True):
        assert row == pytest.approx(other, rel=1e-5, abs=1e-6)


def test_folds_of_equal_size_train_together(monkeypatch, trained):
    """Of 42 rows, two folds have 11 and two have 10; the last batch of an epoch is a short one."""
    found, wanted = both_ways(monkeypatch, numbers, sample_weight=WEIGHT)
    require_close(found, wanted)
    assert trained == [True, True]
    assert len({row["loss"] for row in found.rows}) == 4


def test_each_fold_has_batch_statistics_dropout_and_class_weights_of_its_own(monkeypatch, trained):
    tz.random.seed(1)
    found, wanted = both_ways(monkeypatch, classes, LABELS, folds=3, epochs=6, class_weight="balanced")
    require_close(found, wanted)
    assert trained == [True]
    after = tz.random.normal(2).tolist()
    tz.random.seed(1)
    assert tz.random.normal(2).tolist() == after


def test_rows_in_their_order(monkeypatch, trained):
    require_close(*both_ways(monkeypatch, numbers, folds=2, shuffle=False))
    assert trained == [True]


def test_many_rows_are_shuffled_as_in_fit(monkeypatch, trained):
    x = np.linspace(-1, 1, 8200, dtype=np.float32)[:, None]
    require_close(*both_ways(monkeypatch, lambda: tz.nn.Sequential([tz.nn.Dense(1)]).compile("sgd", "mse"), 2 * x, x,
                             folds=2, batch_size=1024))
    assert trained == [True]


def test_what_is_unknown_or_slower_trains_one_after_another(trained, monkeypatch):
    rates = itertools.count()

    def others():  # whose parts differ in more than weights
        return tz.nn.Sequential([tz.nn.Dense(1), tz.nn.Dropout(next(rates) / 100)]).compile("sgd", "mse")

    def other_optimizers():
        return tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=next(rates) / 1e3, momentum=0.5), "mse")

    class Own(tz.nn.Sequential):
        def compute_loss(self, batch):
            return ((self(batch[0]) - batch[1]) ** 2).mean()

    def wide():
        return tz.nn.Sequential([tz.nn.Dense(1024, in_features=3), tz.nn.Dense(256), tz.nn.Dense(1)]).compile(
            "sgd", "mse")

    for build, options in ((others, {}), (other_optimizers, {}), (lambda: Own([tz.nn.Dense(1)]).compile("sgd"), {}),
                           (numbers, {"callbacks": tz.train.Timer()}), (numbers, {"max_steps": 2}), (wide, {}),
                           (lambda: numbers().compile("sgd", "mse", precision="float16"), {})):
        tz.cross_validate(build, X, Y, folds=2, epochs=1, **options)
    assert not any(trained)
    trained.clear()
    monkeypatch.setattr(together, "LEAST_STEPS", 500)
    tz.cross_validate(numbers, X, Y, folds=2, epochs=1)
    assert trained == [False]


def test_a_large_step_of_layers_that_wait_is_seen_before_training(monkeypatch, trained):
    monkeypatch.setattr(cost, "MOST_OPERATIONS", 500)
    found, wanted = both_ways(monkeypatch, lambda: tz.nn.Sequential([tz.nn.Dense(4), tz.nn.Dense(1)]).compile(
        "sgd", "mse"), folds=2)
    assert trained == [False] and found.rows == wanted.rows


@pytest.mark.filterwarnings("ignore::tarazu.train.TrainingWarning")
def test_a_loss_that_is_not_finite_ends_its_fold_as_in_fit(monkeypatch, trained):
    def steep():
        return tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=1e20), "mse")

    found, wanted = both_ways(monkeypatch, steep, folds=2)
    assert trained == [False] and found.rows == wanted.rows
    with pytest.warns(TrainingWarning, match="training stopped: the loss was"):
        tz.cross_validate(steep, X, Y, folds=2, epochs=3)


@pytest.mark.filterwarnings("ignore::tarazu.train.TrainingWarning")
def test_a_fold_that_diverges_spoils_no_other(monkeypatch, trained):
    x = X.copy()
    x[0] = 1e18  # whose square overflows where the row is trained on: in all folds but its own
    found, wanted = both_ways(monkeypatch, numbers, x=x, folds=2)
    assert trained == [True] and found.rows == wanted.rows
    assert np.isfinite([row["mae"] for row in found.rows]).sum() >= 1


def test_ctrl_c_keeps_the_folds_that_are_done(monkeypatch, trained):
    notes = []

    def note(self, steps, seconds):
        notes.append(steps)
        if len(trained) == 1:  # the second group
            raise KeyboardInterrupt

    monkeypatch.setattr(Pace, "note", note)
    tz.random.seed(1)
    found = tz.cross_validate(numbers, X, Y, folds=4, epochs=9)
    assert len(found.rows) == 2 and notes
    after = tz.random.normal(2).tolist()
    tz.random.seed(1)
    assert tz.random.normal(2).tolist() == after
