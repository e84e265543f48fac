"""Other numbers of rows need no other programs, and rows are trained on and predicted to the same bits."""

import importlib

import numpy as np
import pytest
from helpers import compilations, same_bits

import tarazu as tz
from tarazu.nn import (
    GRU,
    BatchNorm,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    Input,
    LayerNorm,
    Model,
    Sequential,
    TransformerEncoderLayer,
)
from tarazu.runtime import random
from tarazu.train.sources import rows

draw = np.random.default_rng(6)
X = draw.normal(size=(4400, 4)).astype(np.float32)
Y = X.sum(1)


def compiled():
    tz.random.seed(0)
    return Sequential([Dense(8, "relu"), Dense(1)]).compile("adam", loss="mse")


@pytest.fixture
def exact(monkeypatch):
    """Makes programs for exactly the rows that there are, as if their number were part of the signature."""
    def switch():
        monkeypatch.setattr("tarazu.train.placement.RowTable", tz.Tensor)
        monkeypatch.setattr(rows, "shuffled", random.permutation)
        monkeypatch.setattr(importlib.import_module("tarazu.train.evaluate"), "can_pad", lambda *_: False)
    return switch


def test_fits_on_other_numbers_of_rows_compile_nothing():
    model = compiled()
    model.fit(X[:24], Y[:24], batch_size=10, verbose=0)  # a tail of 4
    with compilations(exactly=0):
        for count in (14, 34, 104, 1004):
            model.fit(X[:count], Y[:count], batch_size=10, verbose=0)
    with compilations(exactly=1):  # for another tail
        model.fit(X[:25], Y[:25], batch_size=10, verbose=0)
        model.fit(X[:35], Y[:35], batch_size=10, verbose=0)


def test_large_numbers_of_rows_are_shuffled_by_few_programs():
    model = compiled()
    model.fit(X[:4204], Y[:4204], batch_size=100, verbose=0)
    with compilations(exactly=0):
        model.fit(X[:4304], Y[:4304], batch_size=100, verbose=0)


@pytest.mark.native
@pytest.mark.parametrize("count", [37, 4150])
def test_training_gives_the_same_bits(count, exact):
    def run():
        model = compiled()
        history = model.fit(X[:count], Y[:count], batch_size=64, epochs=2, seed=2, validation_split=0.2, verbose=0)
        return history.history, [x.numpy() for x in model.parameters()], random.default.state.numpy()

    losses, weights, state = run()
    exact()
    other_losses, other_weights, other_state = run()
    assert losses == other_losses and same_bits(state, other_state)
    assert all(same_bits(x, y) for x, y in zip(weights, other_weights, strict=True))


@pytest.mark.parametrize("count", [4096, 4097, 5000, 40_000])
def test_the_padded_order_begins_with_the_permutation(count):
    tz.random.seed(3)
    order, state = random.permutation(count).numpy(), random.default.state.numpy()
    tz.random.seed(3)
    padded = rows.shuffled(count).numpy()
    assert same_bits(padded[:count], order) and same_bits(random.default.state.numpy(), state)
    assert len(padded) <= count * 9 / 8


@pytest.mark.native
def test_predictions_of_other_numbers_of_rows_compile_nothing():
    model = compiled()
    model.predict(X[:600])
    with compilations(exactly=0):
        model.predict(X[:601])
        model.predict(X[:640])


def functional(units: int) -> Model:
    """A functional model with operations of several kinds between its layers."""
    x = Input((4, 3))
    y = tz.softmax(x @ x.mT) @ Dense(units)(x)
    return Model(x, Dense(2)(tz.reshape(y, (1, -1)) * 2 + tz.concat([y.mean(1)] * 4, 1)))


@pytest.mark.native
@pytest.mark.parametrize(("layers", "shape"), [
    ([Dense(24, "gelu"), BatchNorm(), Dense(3, "softmax")], (20,)),
    ([Conv2D(3, 3, activation="relu"), Flatten(), Dense(5)], (6, 6, 2)),
    ([GRU(5), Dense(2)], (4, 3)),
    ([tz.nn.WeightNorm(tz.nn.Conv1D(4, 3, padding="causal")), tz.nn.PReLU(), tz.nn.GroupNorm(2),
      tz.nn.EinsumDense("btf,thf->bh", 3)], (5, 3)),
    ([tz.nn.Conv2DTranspose(4, 3, 2, padding="same"), tz.nn.InstanceNorm(), tz.nn.UpSampling2D(2, "bilinear"),
      tz.nn.GlobalMaxPool2D()], (2, 3, 2)),
    ([LayerNorm(), TransformerEncoderLayer(2, 8), Dense(2)], (5, 8)),
    ([functional(5)], (4, 3)),
])
def test_padded_predictions_have_the_same_bits(layers, shape, exact):
    tz.random.seed(0)
    model = Sequential(layers)
    x = draw.normal(size=(41, *shape)).astype(np.float32)
    counts = (1, 9, 17, 41)
    padded = [model.predict(x[:count]).numpy() for count in counts]
    exact()
    assert all(same_bits(model.predict(x[:count]).numpy(), one) for count, one in zip(counts, padded, strict=True))
    assert all(len(one) == count for count, one in zip(counts, padded, strict=True))


class Centered(tz.nn.Module):
    def forward(self, x):
        return x - tz.mean(x, 0)


def centered(x):
    return x - tz.mean(x, 0)


@pytest.mark.native
@pytest.mark.parametrize("model", [Centered(), Sequential([centered]), Sequential([Dense(4, centered)])])
def test_models_that_look_at_other_rows_are_not_padded(model):
    x = X[:9] + 1
    assert np.allclose(model.predict(x).numpy(), model.eval()(tz.asarray(x)).numpy(), atol=1e-6)


@pytest.mark.native
def test_rows_that_are_single_numbers_are_not_padded():
    words = draw.integers(0, 7, 9)
    model = Sequential([Embedding(7, 3)])
    assert same_bits(model.predict(words).numpy(), model(tz.asarray(words)).numpy())
