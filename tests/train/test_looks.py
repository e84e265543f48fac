"""Looks at a model before its programs are traced: by shapes where these are enough, eagerly where not."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import OutOfRangeError, ShapeError
from tarazu.ir.node import Node
from tarazu.nn import Dense, Embedding, Flatten, Module, Sequential
from tarazu.train.looks import look

draw = np.random.default_rng(7)
ROWS = tz.tensor(draw.normal(size=(2, 4)).astype(np.float32))
WORDS = draw.integers(0, 9, (12, 3))
LABELS = np.arange(12) % 2


class Noted(Module):
    """Passes its input to another module, and notes whether that has numbers."""

    def __init__(self, inner, **options):
        self.inner, self._noted = inner, options.get("noted", [])

    def forward(self, x):
        y = self.inner(x)
        self._noted.append(not isinstance(y.raw, Node))
        return y


class Recalling(Module):
    """Keeps its last output, as layers do that show what they did."""

    def __init__(self):
        self.inner, self.last, self.calls = Dense(2, in_features=4), None, 0

    def forward(self, x):
        self.last, self.calls = self.inner(x), self.calls + 1
        return self.last


class Branching(Module):
    def __init__(self):
        self.inner = Dense(2, in_features=4)

    def forward(self, x):
        return self.inner(x) if float(x.sum()) > 1e9 else -self.inner(x)


def seen(model, x):
    return look(model, lambda: model(x))


def test_numbers_are_not_computed_where_shapes_are_enough():
    noted = []
    model = Sequential([Noted(Dense(5, in_features=4), noted=noted), Flatten(), Dense(2, in_features=5)])
    out = seen(model, ROWS)
    assert out.shape == (2, 2) and out.dtype is tz.float32 and noted == [False]


@pytest.mark.parametrize("model", [Dense(2), Branching(), Recalling()], ids=["to be built", "branching", "recalling"])
def test_a_model_that_needs_numbers_is_called_eagerly(model):
    out = seen(model, ROWS)
    np.testing.assert_array_equal(out.numpy(), model(ROWS).numpy())
    assert not isinstance(getattr(model, "last", out).raw, Node) and getattr(model, "calls", 2) == 2


def test_errors_are_those_of_an_eager_call():
    with pytest.raises(ShapeError, match="in layer 1, Dense"):
        seen(Sequential([Dense(5, in_features=4), Dense(2, in_features=3)]), ROWS)


class OfPositions(Module):
    """Indices that follow from the input by arithmetic, of a tensor that is computed."""

    def __init__(self):
        self.vectors = tz.nn.Parameter(tz.ones((9, 4)))

    def forward(self, x):
        return (self.vectors * 2.0)[x * 2 - 1]


class Padded(Module):
    def __init__(self):
        self.words, self.lstm = Embedding(9, 4, padding_idx=0, mask=True), tz.nn.LSTM(3, in_features=4)

    def forward(self, x):
        return self.lstm(self.words(x))


@pytest.mark.parametrize(("make", "wrong"), [
    (lambda: Embedding(9, 4), 9), (lambda: Embedding(9, 4), -10), (OfPositions, 6), (Padded, 9),
    (lambda: tz.nn.CategoryEncoding(9), 9), (lambda: tz.nn.Embedding(9, 4, padding_idx=0), 9),
], ids=["too high", "too low", "computed", "masked", "checked by the layer", "with padding"])
def test_an_integer_out_of_range_is_found(make, wrong):
    model, x = make(), np.array([[1, 2], [3, 4]])
    assert seen(model, tz.asarray(x)).shape[0] == 2
    x[1, 0] = wrong
    with pytest.raises(OutOfRangeError):
        seen(model, tz.asarray(x))


def test_fits_and_predictions_of_integers_compute_nothing_eagerly():
    noted = []
    model = Sequential([Embedding(9, 4), Noted(Flatten(), noted=noted), Dense(2, in_features=12)])
    model.compile("sgd", "cross_entropy")
    for _ in range(2):
        model.fit(WORDS, LABELS, validation_data=(WORDS, LABELS), verbose=0)
    model.predict(WORDS)
    assert not any(noted)


def test_under_debug_nans_the_model_is_called_eagerly():
    noted = []
    with tz.debug_nans():
        seen(Noted(Dense(2, in_features=4), noted=noted), ROWS)
    assert noted == [True]
