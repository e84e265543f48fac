"""Networks trained for 200 steps on the native backend and on NumPy: the same losses; and the lesson's numbers."""

import numpy as np
import pytest
from small_networks import CLASSES, NETWORKS, OPTIMIZERS, training_step

import tarazu as tz
from tarazu import nn

STEPS, ROWS = 200, 16


def trajectory(build, optimizer_of) -> np.ndarray:
    """The losses of 200 steps on batches that come round."""
    tz.random.seed(7)
    rng = np.random.default_rng(3)
    model, shape = build()
    x = rng.normal(size=(4, ROWS, *shape)).astype(np.float32)
    y = rng.integers(CLASSES, size=(4, ROWS))
    model(tz.asarray(x[0]))
    optimizer = optimizer_of(model.parameters())

    step = tz.jit(training_step(model, optimizer))
    return np.array([float(step(x[i % 4], y[i % 4])) for i in range(STEPS)])


@pytest.mark.parametrize("optimizer", [pytest.param("sgd", marks=pytest.mark.long), "adam"])
@pytest.mark.parametrize("build", NETWORKS)
def test_the_losses_are_those_of_numpy(build, optimizer, use_backend, backend_name, set_threads):
    use_backend("numpy")
    wanted = trajectory(build, OPTIMIZERS[optimizer])
    use_backend(backend_name)
    set_threads(2)
    found = trajectory(build, OPTIMIZERS[optimizer])
    assert wanted[-1] < 0.9 * wanted[0], "nothing was learned: the test would see little"
    np.testing.assert_allclose(found[:10], wanted[:10], rtol=1e-5)
    np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=1e-4)
    assert trajectory(build, OPTIMIZERS[optimizer]).tobytes() == found.tobytes(), "other bits on a second run"


def line(weight: float, bias: float):
    model = nn.Sequential([nn.Dense(1, in_features=1)])
    model.load_state_dict({"0.weight": tz.tensor([[weight]]), "0.bias": tz.tensor([bias])})
    return model


def regression_data():
    random = np.random.RandomState(13)
    x = np.linspace(0, 3, 120)
    y = 2 * x + 0.9 + random.randn(120) * 0.5
    order = random.permutation(120)
    return x[order].astype(np.float32)[:, None], y[order].astype(np.float32)[:, None]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_numbers_of_the_lesson_by_fit(threads, use_backend, backend_name, set_threads):
    use_backend(backend_name)
    set_threads(threads)
    model = line(10.0, 0.0).compile(tz.optim.SGD(lr=0.1), "mse")
    history = model.fit(*regression_data(), epochs=10, batch_size=120, verbose=0)
    assert history.history["loss"] == pytest.approx(
        [173.4585, 13.8459, 4.5407, 3.7364, 3.4334, 3.1790, 2.9458, 2.7311, 2.5332, 2.3508], abs=1e-4)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_numbers_of_the_lesson_by_steps(threads, use_backend, backend_name, set_threads):
    use_backend(backend_name)
    set_threads(threads)
    x, y = regression_data()
    model = line(100.0, 0.0)
    optimizer = tz.optim.SGD(model.parameters(), lr=0.1)
    step = tz.jit(training_step(model, optimizer, nn.mse))
    losses = [[float(step(x[i:i + 4], y[i:i + 4])) for i in range(0, 120, 4)][-1] for _ in range(10)]
    assert losses == pytest.approx([94.5247, 9.3428, 1.4166, 0.5224, 0.3807, 0.3495, 0.3413, 0.3390, 0.3384, 0.3382],
                                   abs=2e-4)
