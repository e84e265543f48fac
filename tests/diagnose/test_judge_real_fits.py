"""The judge on real fits by scikit-learn, where what is right is known from the making of the data."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier

from tarazu.diagnose import judge, measure_fit, trivial_classification_losses
from tarazu.record import History, Verdict


def losses(model, x, y) -> np.ndarray:
    return -np.log(np.clip(model.predict_proba(x)[np.arange(len(y)), y], 1e-12, None))


def fit_and_judge(model, x, y, train_samples: int, epochs: int) -> Verdict:
    """Trains on the first samples, validates on the rest, keeps the last weights."""
    train, validation = slice(0, train_samples), slice(train_samples, None)
    history = History()
    for _ in range(epochs):
        model.partial_fit(x[train], y[train], classes=np.unique(y))
        history.append(loss=losses(model, x[train], y[train]).mean(),
                       val_loss=losses(model, x[validation], y[validation]).mean())
    history.measurements = measure_fit(
        losses(model, x[train], y[train]), losses(model, x[validation], y[validation]),
        trivial_classification_losses(y[train], y[train]), trivial_classification_losses(y[train], y[validation]),
        history.rows, num_parameters=0)
    return judge(history)


def logistic(seed: int) -> SGDClassifier:
    return SGDClassifier(loss="log_loss", alpha=0.001, learning_rate="constant", eta0=0.02, random_state=seed)


def shuffled(x, y, seed):
    order = np.random.default_rng(seed).permutation(len(y))
    return x[order], y[order]


def exclusive_or(seed: int, samples: int = 600):
    x = np.random.default_rng(seed).uniform(-1, 1, (samples, 2))
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


@pytest.mark.parametrize("seed", range(3))
def test_logistic_regression_on_iris_is_about_right(seed):
    x, y = shuffled(*load_iris(return_X_y=True), seed)
    verdict = fit_and_judge(logistic(seed), (x - x.mean(0)) / x.std(0), y, 100, 60)
    assert verdict.name == "about right", verdict


@pytest.mark.parametrize("seed", range(3))
def test_a_linear_model_on_exclusive_or_underfits(seed):
    verdict = fit_and_judge(logistic(seed), *exclusive_or(seed), 400, 40)
    assert verdict.name == "underfitting", verdict


@pytest.mark.filterwarnings("ignore", category=ConvergenceWarning)
@pytest.mark.parametrize("seed", range(3))
def test_a_network_on_exclusive_or_is_about_right(seed):
    network = MLPClassifier((32,), learning_rate_init=0.01, batch_size=32, random_state=seed)
    verdict = fit_and_judge(network, *exclusive_or(seed), 400, 80)
    assert verdict.name == "about right", verdict


@pytest.mark.parametrize("seed", range(3))
def test_a_large_network_on_forty_noisy_samples_overfits(seed):
    x, y = make_moons(140, noise=0.4, random_state=seed)
    y = np.where(np.random.default_rng(seed).random(140) < 0.2, 1 - y, y)
    network = MLPClassifier((100, 100), learning_rate_init=0.01, batch_size=10, random_state=seed)
    verdict = fit_and_judge(network, x, y, 40, 100)
    assert verdict.name == "overfitting", verdict


@pytest.mark.parametrize("seed", range(3))
def test_a_network_stopped_after_five_epochs_is_told_to_go_on(seed):
    network = MLPClassifier((32,), learning_rate_init=0.003, batch_size=32, random_state=seed)
    x, y = make_moons(600, noise=0.15, random_state=seed)
    verdict = fit_and_judge(network, x, y, 400, 5)
    assert verdict.name == "underfitting", verdict
    assert "train longer: now 5 epochs" in verdict.advice
