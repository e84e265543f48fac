"""The numbers that the lesson's notebooks print, by layers and `fit`."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.nn import Dense, Sequential, mse


def regression_data():
    random = np.random.RandomState(13)
    x = np.linspace(0, 3, 120)
    y = 2 * x + 0.9 + random.randn(120) * 0.5
    order = random.permutation(120)
    return x[order].astype(np.float32)[:, None], y[order].astype(np.float32)[:, None]


def line(weight, bias):
    model = Sequential([Dense(1, in_features=1)])
    model.load_state_dict({"0.weight": tz.tensor([[weight]]), "0.bias": tz.tensor([bias])})
    return model


def test_batches_of_four_in_their_order():
    x, y = regression_data()
    model = line(100.0, 0.0)
    optimizer = tz.optim.SGD(model.parameters(), lr=0.1)

    @tz.jit
    def step(x, y):
        optimizer.zero_grad()
        loss = mse(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    losses = []
    for _ in range(10):
        for i in range(0, 120, 4):
            loss = step(x[i:i + 4], y[i:i + 4])
        losses.append(float(loss))
    assert losses == pytest.approx([94.5247, 9.3428, 1.4166, 0.5224, 0.3807, 0.3495, 0.3413, 0.3390, 0.3384, 0.3382],
                                   abs=2e-4)
    assert (model[0].weight.item(), model[0].bias.item()) == pytest.approx((1.8617, 1.0711), abs=1e-4)


def test_the_full_batch_by_fit():
    x, y = regression_data()
    model = line(10.0, 0.0).compile(tz.optim.SGD(lr=0.1), "mse")
    history = model.fit(x, y, epochs=10, batch_size=120, verbose=0)
    assert history.history["loss"] == pytest.approx(
        [173.4585, 13.8459, 4.5407, 3.7364, 3.4334, 3.1790, 2.9458, 2.7311, 2.5332, 2.3508], abs=1e-4)
