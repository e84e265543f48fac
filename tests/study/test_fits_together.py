"""Fits of an experiment that train as replicas of one program are those that are made one after another."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.study import bias_variance, epoch_curve, label_noise, learning_curve
from tarazu.study.experiment import experiment as experiments
from tarazu.study.experiment import groups
from tarazu.study.experiment.changes import with_dropout
from tarazu.study.experiment.experiment import Experiment
from tarazu.study.experiment.groups import Fit, groups_of
from tarazu.train.replicas.training import ReplicaTrainer
from tarazu.train.sources.arrays import Arrays

DRAW = np.random.default_rng(3)
X = DRAW.normal(size=(60, 3)).astype(np.float32)
Y = (X.sum(1) + DRAW.normal(size=60)).astype(np.float32)
PARTS = [np.sort(np.random.default_rng(i).permutation(44)[:22]) for i in range(3)]


def numbers():
    layers = [tz.nn.Dense(4, "tanh", in_features=3), tz.nn.Dense(1)]
    return tz.nn.Sequential(layers).compile(tz.optim.Adam(lr=0.1), "mse", ["mae"])


def classes():
    """Dropout, batch statistics, a schedule, running means of weights, a penalty; AUC, which is of all rows."""
    layers = [tz.nn.Dense(4), tz.nn.BatchNorm(), tz.nn.Dropout(0.2), tz.nn.Dense(2)]
    optimizer = tz.optim.Adam(lr=tz.optim.cosine_decay(0.2, 20), ema=0.5)
    return tz.nn.Sequential(layers).compile(optimizer, "cross_entropy", ["auc"], regularizer=tz.optim.L2(0.1))


@pytest.fixture
def together(monkeypatch):
    """How many replicas trained together, each time that some did."""
    made = []
    train = ReplicaTrainer.train

    def noted(self, parts, *rest):
        made.append(len(parts))
        return train(self, parts, *rest)

    monkeypatch.setattr(groups, "LEAST_EPOCHS", 1)
    monkeypatch.setattr(ReplicaTrainer, "train", noted)
    return made


@pytest.fixture
def without_compiling(monkeypatch):
    """Programs run in NumPy, as compiling them takes seconds."""
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")
    monkeypatch.setattr(groups, "runs_native", lambda: True)


def experiment(build=numbers, y=Y, **options):
    options = {"epochs": 4, "batch_size": 10, "validation_data": (X[44:], y[44:]), **options}
    return Experiment.of(build, X[:44], y[:44], **options)


def require_same(one, fits, made):
    assert len({float(fitted.history[-1]["loss"]) for fitted in made}) == len(made), "replicas are one"
    for fit, fitted in zip(fits, made, strict=True):
        train = one.train if fit.rows is None else one.train.at(fit.rows)
        alone = one.fit(seed=fit.seed, change=fit.change, train=train, keep_epochs=fit.keep_epochs)
        assert fitted.best_epoch == alone.best_epoch and fitted.history.stopped == "epochs"
        for row, other in zip(fitted.history.rows, alone.history.rows, strict=True):
            assert {**row, "seconds": 0} == pytest.approx({**other, "seconds": 0}, rel=1e-5)
        for own, wanted in [(fitted.last, alone.last), (fitted.best, alone.best),
                            *((fitted.of_epochs[i], alone.of_epochs[i]) for i in fit.keep_epochs)]:
            assert list(own) == list(wanted)
            for path, x in own.items():
                np.testing.assert_allclose(x.numpy(), wanted[path].numpy(), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(fitted.losses(one.validation), alone.losses(one.validation), rtol=1e-4, atol=1e-6)


def test_seeds_and_rows_train_together_each_with_its_own_best_epoch(together):
    one = experiment()
    fits = [Fit(i, rows=rows, keep_epochs=(2,)) for i, rows in enumerate(PARTS)]
    tz.random.seed(4)
    following = tz.random.normal(2).tolist()
    tz.random.seed(4)
    made = list(one.fit_many(fits))
    assert tz.random.normal(2).tolist() == following, "the global generator has moved"
    require_same(one, fits, made)
    assert together == [3] and len({fitted.best_epoch for fitted in made}) > 1
    again = list(one.fit_many(fits))
    assert [fitted.history[-1]["val_loss"] for fitted in again] == [fitted.history[-1]["val_loss"] for fitted in made]


def test_each_has_statistics_and_draws_of_its_own_and_a_new_group_starts_anew(monkeypatch, together,
                                                                                   without_compiling):
    monkeypatch.setattr(groups, "MOST_TOGETHER", 2)
    one = experiment(classes, (Y > 0).astype(int))
    fits = [Fit(seed) for seed in range(3)]
    require_same(one, fits, list(one.fit_many(fits)))
    assert together == [2, 2]  # the last group is filled up


def test_a_fit_that_diverges_is_told_and_spoils_no_other(together):
    y = Y.copy()
    y[PARTS[0][0]] = 1e30  # whose square overflows
    rows = [part[part != PARTS[0][0]][:20] for part in PARTS[1:]]
    one = experiment(y=y, epochs=3)
    fits = [Fit(0, rows=rows[0]), Fit(1, rows=PARTS[0][:20]), Fit(2, rows=rows[1])]
    made = list(one.fit_many(fits))
    assert [fitted.has_diverged for fitted in made] == [False, True, False] and together == [3]
    alone = [one.fit(seed=fit.seed, train=one.train.at(fit.rows)) for fit in fits]
    assert len(made[1].history) == len(alone[1].history)
    for i in (0, 2):
        assert made[i].history[-1]["val_loss"] == pytest.approx(alone[i].history[-1]["val_loss"], rel=1e-5)


def test_finished_groups_are_kept_when_the_next_is_interrupted(monkeypatch, together, without_compiling):
    monkeypatch.setattr(groups, "MOST_TOGETHER", 2)
    fit_replicas, calls = experiments.fit_replicas, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return fit_replicas(*args)

    monkeypatch.setattr(experiments, "fit_replicas", interrupted)
    curve = epoch_curve(numbers, X, Y, epochs=3, seeds=4)
    assert curve.interrupted and len(curve.points[0].val_losses) == 2 and together == [2]


def test_what_cannot_train_together_trains_one_after_another(monkeypatch, together):
    class Stop(tz.train.Callback):
        def on_epoch_end(self, run):
            run.stop("one is enough")

    fits = [Fit(0), Fit(1)]
    stopped = list(experiment(callbacks=[Stop()]).fit_many(fits))
    assert [len(fitted.history) for fitted in stopped] == [1, 1]
    assert list(experiment(lambda: tz.nn.Sequential([tz.nn.Dense(1)]).compile("sgd", "mse")).fit_many(
        [Fit(0, with_dropout), Fit(1, with_dropout)])) == [None, None]
    monkeypatch.setenv("TARAZU_REPLICAS", "off")
    assert len(list(experiment().fit_many(fits))) == 2
    monkeypatch.delenv("TARAZU_REPLICAS")
    monkeypatch.setattr(groups, "LEAST_EPOCHS", 300)
    assert len(list(experiment().fit_many(fits))) == 2
    assert not together


def test_groups_have_equally_many_rows_and_are_of_one_size(monkeypatch):
    monkeypatch.setattr(groups, "MOST_TOGETHER", 3)
    train = Arrays.of((X, Y))
    halves = [Fit(i, rows=np.arange(30)) for i in range(2)]
    assert groups_of([*[Fit(i) for i in range(5)], *halves], train, 100) == [[0, 1, 2], [3, 4, 3], [5], [6]]
    assert groups_of(halves, train, 150) == [[0, 1]]
    monkeypatch.setattr(groups, "MOST_BYTES", 3 * train.nbytes // 2)
    assert groups_of([Fit(0), Fit(1)], train, 500) == [[0], [1]] and groups_of(halves, train, 500) == [[0, 1]]


def test_studies_are_the_same_one_after_another(monkeypatch, together, without_compiling):
    def all_of_them():
        data = {"x": X, "y": Y, "validation_data": (X[44:], Y[44:]), "epochs": 2}
        found = bias_variance(numbers, rounds=2, batch_size=30, at_epochs=[1, 2], **data)
        yield found.points[0].loss.sample_variance.mean
        yield found.points[1].loss.seed_variance.mean
        yield learning_curve(numbers, sizes=[15, 30, 45, 60], draws=2, batch_size=15, steps="epochs",
                             **data).points[0].val_loss.mean
        yield label_noise(numbers, folds=2, batch_size=30, **data).rate

    found = list(all_of_them())
    assert together == [8, 2, 2, 2, 2, 2]
    monkeypatch.setenv("TARAZU_REPLICAS", "off")
    assert list(all_of_them()) == pytest.approx(found, rel=1e-4) and len(together) == 6
