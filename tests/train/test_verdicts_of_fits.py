"""What `history.verdict` says after real fits of data whose nature is known."""

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_moons

import tarazu as tz
from tarazu.nn import Dense, Sequential
from tarazu.train import verdict

SEEDS = pytest.mark.parametrize("seed", range(3))


def network(*hidden, outputs, lr=0.01, loss="cross_entropy"):
    return Sequential([*(Dense(units, "relu") for units in hidden), Dense(outputs)]).compile(tz.optim.Adam(lr=lr), loss)


@SEEDS
def test_a_network_that_fits_its_data_is_about_right(seed):
    x, y = make_moons(800, noise=0.15, random_state=seed)
    history = network(32, outputs=2).fit(x, y, epochs=40, validation_split=0.25, seed=seed, verbose=0)
    assert history.verdict.name == "about right", history.verdict


@SEEDS
def test_a_regression_that_fits_its_data_is_about_right(seed):
    x = np.random.default_rng(seed).uniform(-2, 2, (600, 2))
    history = network(32, outputs=1, loss="mse").fit(x, np.sin(x[:, 0]) * x[:, 1], epochs=80, validation_split=0.25,
                                                    seed=seed, verbose=0)
    assert history.verdict.name == "about right", history.verdict


@SEEDS
def test_a_line_through_exclusive_or_underfits(seed):
    x = np.random.default_rng(seed).uniform(-1, 1, (600, 2))
    history = network(outputs=2).fit(x, (x[:, 0] * x[:, 1] > 0).astype(int), epochs=30, validation_split=0.25,
                                     seed=seed,
                                     verbose=0)
    assert history.verdict.name == "underfitting", history.verdict


@SEEDS
def test_a_run_that_is_too_short_underfits(seed):
    x, y = make_moons(800, noise=0.15, random_state=seed)
    history = network(32, outputs=2, lr=0.001).fit(x, y, epochs=5, validation_split=0.25, seed=seed, verbose=0)
    assert history.verdict.name == "underfitting", history.verdict


@SEEDS
def test_a_large_network_on_few_noisy_samples_overfits(seed):
    x, y = make_moons(160, noise=0.4, random_state=seed)
    y = np.where(np.random.default_rng(seed).random(160) < 0.2, 1 - y, y)
    keep = tz.train.KeepBest(restore=False)
    history = network(100, 100, outputs=2).fit(x[:40], y[:40], epochs=100, validation_data=(x[40:], y[40:]),
                                               batch_size=10,
                                               callbacks=keep, seed=seed, verbose=0)
    assert history.verdict.name == "overfitting", history.verdict


@SEEDS
def test_a_tiny_validation_set_is_too_small_to_tell(seed):
    x, y = load_iris(return_X_y=True)
    history = network(16, outputs=3).fit((x - x.mean(0)) / x.std(0), y, epochs=40, validation_split=0.05, seed=seed,
                                         verbose=0)
    assert history.verdict.name == "undecided", history.verdict


@pytest.mark.parametrize(("moved", "name"), [(0.0, "about right"), (2.0, "undecided")])
def test_a_gap_to_moved_validation_rows_is_not_called_overfitting(moved, name):
    x, y = make_moons(800, noise=0.15, random_state=0)
    history = network(32, outputs=2).fit(x[:600], y[:600], epochs=40, seed=0, verbose=0,
                                         callbacks=tz.train.KeepBest(restore=False),
                                         validation_data=(np.add(x[600:], (moved, 0)), y[600:]))
    assert history.verdict.name == name, history.verdict
    assert (history.measurements["shift"] > 1) == (name == "undecided")


def test_classes_that_are_rare_in_validation_are_told():
    x, y = make_moons(800, noise=0.15, random_state=0)
    rows = np.r_[np.flatnonzero(y == 0)[:150], np.flatnonzero(y == 1)[:10]]
    history = network(32, outputs=2).fit(np.delete(x, rows, 0), np.delete(y, rows), epochs=10, seed=0, verbose=0,
                                         validation_data=(x[rows], y[rows]))
    assert "of another kind than the training rows" in str(history.verdict)


def test_without_validation_nothing_is_decided():
    x, y = make_moons(200, noise=0.15, random_state=0)
    history = network(16, outputs=2).fit(x, y, epochs=100, seed=0, verbose=0)
    assert history.verdict.name == "undecided" and "validation_split=0.2" in str(history.verdict)


@pytest.mark.long
def test_healthy_fits_are_called_so_over_many_seeds():
    names = []
    for seed in range(40):
        x, y = make_moons(800, noise=0.15, random_state=seed)
        history = network(32, outputs=2).fit(x, y, epochs=40, validation_split=0.25, seed=seed, verbose=0)
        names.append(history.verdict.name)
    assert names.count("about right") >= 38 and "overfitting" not in names, names


def test_the_rows_are_told_where_a_part_of_them_is_measured(monkeypatch):
    monkeypatch.setattr(verdict, "MOST_JUDGED_ROWS", 50)
    x = np.random.default_rng(0).normal(size=(100, 3)).astype("float32")
    y = np.random.default_rng(1).integers(0, 2, 100)
    model = tz.nn.Sequential([tz.nn.Dense(64, activation="relu"), tz.nn.Dense(2)])
    history = model.compile(tz.optim.Adam(lr=0.03), "cross_entropy").fit(
        x, y, epochs=40, validation_split=0.4, callbacks=tz.train.KeepBest(monitor="loss"), seed=0, verbose=0)
    measured = history.measurements
    assert [measured[name] for name in ("train_samples", "train_rows", "validation_samples", "validation_rows")] == [
        50, 60, 40, 40]
    text = str(history.verdict)
    assert "on 50 of 60 training samples" in text and "on 40 validation samples" in text
    assert "more training data: now 60 samples" in text
