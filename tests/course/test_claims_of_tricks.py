"""What lesson 8 claims of deep networks, measured small: gradients through depth, float32, first weights, schedules."""

from __future__ import annotations

import numpy as np
import pytest

import tarazu as tz

x = np.random.default_rng(0).normal(size=(60, 16)).astype("float32")
y = np.arange(60) % 3


def deep(activation, initializer, *, normalized=False, residual=False):
    tz.random.seed(0)
    layers = []
    for _ in range(10):
        dense = tz.nn.Dense(16, kernel_initializer=initializer, in_features=16)
        block = [dense, *([tz.nn.BatchNorm()] if normalized else []), tz.nn.Activation(activation)]
        layers += [Residual(block)] if residual else block
    return tz.nn.Sequential([*layers, tz.nn.Dense(3, in_features=16)])


class Residual(tz.nn.Module):
    def __init__(self, layers):
        self.inner = tz.nn.Sequential(layers)

    def forward(self, x):
        return x + self.inner(x)


def ratio_of_gradients(model):
    """The norm of the gradient of the first layer's weights, by that of the last hidden layer's."""
    tz.nn.cross_entropy(model(x), y).backward()
    weights = [module.weight for _, module in model.named_modules() if isinstance(module, tz.nn.Dense)]
    norms = [float(np.sqrt((weight.grad.numpy() ** 2).sum())) for weight in weights[:-1]]
    return norms[0] / norms[-1]


def test_gradients_vanish_through_sigmoids_and_the_cures_keep_them():
    assert ratio_of_gradients(deep("sigmoid", "glorot_uniform")) < 1e-4
    for cured in (deep("relu", "he_normal"), deep("sigmoid", "glorot_uniform", normalized=True),
                  deep("sigmoid", "glorot_uniform", residual=True)):
        assert 0.05 < ratio_of_gradients(cured) < 20


def test_float32_loses_the_small_one():
    assert (tz.tensor(1e10) + 1e-10 == 1e10).item() and (tz.tensor(1.0) + 1e-8 == 1.0).item()


@pytest.mark.parametrize(("initializer", "activation", "least", "most"), [
    (tz.nn.init.random_normal(std=1.0), lambda x: x, 1e8, np.inf), ("lecun_normal", lambda x: x, 0.7, 1.4),
    ("lecun_normal", tz.relu, 0.0, 0.1), ("he_normal", tz.relu, 0.4, 1.4)])
def test_deviations_through_depth(initializer, activation, least, most):
    tz.random.seed(0)
    values = tz.randn(200, 128)
    for _ in range(10):
        values = activation(tz.nn.Dense(128, kernel_initializer=initializer, in_features=128)(values))
    assert least <= values.std().item() <= most


def test_a_falling_rate_is_in_the_history(monkeypatch):
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")
    model = tz.nn.Sequential([tz.nn.Dense(3)])
    model.compile(tz.optim.SGD(lr=tz.optim.exponential_decay(0.5, 0.8, every=6)), "cross_entropy")
    rates = model.fit(x, y, epochs=3, batch_size=10, seed=0, verbose=0).history["learning_rate"]
    np.testing.assert_allclose(np.divide(rates[1:], rates[:-1]), 0.8, rtol=0.01)


def test_one_output_or_two_are_the_same_model():
    logit, classes = tz.tensor([1.5, -0.3]), tz.tensor([1.0, 0.0])
    two = tz.stack([tz.zeros(2), logit], axis=1)
    assert tz.nn.cross_entropy(two, classes.astype("int64")).item() \
        == pytest.approx(tz.nn.binary_cross_entropy(logit, classes).item(), rel=1e-5)
