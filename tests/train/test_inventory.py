"""What a walk over a model found serves until the model holds something else; then `predict` does too."""

import sys

import numpy as np
import pytest

import tarazu as tz
from tarazu.nn import Dense, Dropout, Module, Sequential
from tarazu.train.inventory import Inventory

X = np.random.default_rng(0).normal(size=(1, 3)).astype(np.float32)


class Holder(Module):
    """Holds modules in an attribute, a list in a dict, and a tuple."""

    def __init__(self):
        super().__init__()
        self.first = Dense(2, in_features=3)
        self.named = {"more": [Dense(2, in_features=2)], "none": []}
        self.pair = (Dense(2, in_features=2), [Dropout(0.5)])
        self.numbers = [1, 2]

    def forward(self, x):
        for module in [self.first, *self.named["more"], *self.named["none"], self.pair[0], *self.pair[1]]:
            x = module(x)
        return x


CHANGES = {
    "an attribute": lambda model: setattr(model, "first", Dense(2, in_features=3)),
    "an attribute below": lambda model: setattr(model.first, "bias", None),
    "a deleted attribute": lambda model: delattr(model, "numbers"),
    "an item of a list in a dict": lambda model: model.named["more"].__setitem__(0, Dense(2, in_features=2)),
    "a longer list": lambda model: model.named["none"].append(Dense(2, in_features=2)),
    "a list in a tuple": lambda model: model.pair[1].clear(),
    "a key": lambda model: model.named.update(other=[]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_is_current_until_something_changes(change):
    model = Holder()
    found = Inventory(model)
    assert found.is_current()
    change(model)
    assert not found.is_current()


def test_a_module_that_finds_its_parts_by_itself_is_never_current():
    class Finding(Holder):
        def named_children(self):
            return iter([("first", self.first)])

    assert not Inventory(Finding()).is_current()


@pytest.mark.parametrize("change", [CHANGES["an attribute"], CHANGES["an item of a list in a dict"],
                                    CHANGES["a longer list"]])
def test_predict_follows_a_change(change):
    model = Holder()
    for _ in range(3):
        model.predict(X)
    change(model)
    np.testing.assert_allclose(model.predict(X).numpy(), model.eval()(tz.tensor(X)).numpy(), rtol=1e-6,
                               atol=1e-6)  # programs and eager calls round sums of opposite numbers differently


def trained_on(model):
    model.compile("adam", "mse").fit(np.repeat(X, 4, 0), np.ones((4, 2), np.float32), verbose=0)


def renewed(model):
    """New weights in memory that is not in C order."""
    model.first.weight.copy_(tz.asarray(np.asarray(draw.normal(size=(2, 3)), np.float32).T))


draw = np.random.default_rng(2)
NEW_WEIGHTS = {
    "copied": lambda model: [x.copy_(x * 2 + 1) for x in model.parameters()],
    "loaded": lambda model: model.load_state_dict({name: x * 2 + 1 for name, x in model.state_dict().items()}),
    "trained": trained_on,
    "not in C order": renewed,
    "frozen": lambda model: model.freeze(),
    "training mode": lambda model: model.train(),
    "evaluation mode": lambda model: model.eval(),
}


@pytest.mark.parametrize("change", NEW_WEIGHTS.values(), ids=NEW_WEIGHTS)
def test_predictions_again_and_again_follow_the_weights(change):
    tz.random.seed(3)
    model = Holder()
    for _ in range(3):
        model.predict(X)
        for _ in range(2):
            with tz.no_grad():
                change(model)
            found = [model.predict(X).numpy() for _ in range(3)]
            other = model.predict(2 * X).numpy()
            whole = model.predict(np.concatenate([X, 2 * X] * 5)).numpy()  # too many rows for a short way
            for one in found:
                np.testing.assert_allclose(one, whole[:1], rtol=1e-6)
            np.testing.assert_allclose(other, whole[1:2], rtol=1e-6)


def test_repeated_predictions_take_the_shortest_way_and_hold_no_weights():
    model = Sequential([Dense(4, "relu", in_features=3), Dense(2)])
    first = model.predict(X).numpy()
    held = [sys.getrefcount(x.raw) for x in model.parameters()]
    np.testing.assert_array_equal(model.predict(X).numpy(), first)
    call = model._predictor.again[X.shape]
    is_current = call.arrays() is not None  # not in the assertion, which would hold them
    assert is_current and [sys.getrefcount(x.raw) for x in model.parameters()] == held
    with tz.no_grad():
        model.layers[1].bias.fill_(7.0)
    assert call.arrays() is None
    for _ in range(2):
        np.testing.assert_allclose(model.predict(X).numpy(), model(tz.tensor(X)).numpy(), rtol=1e-6)
    assert model._predictor.again[X.shape].arrays() is not None
    with tz.debug_nans():
        assert model._predictor.again[X.shape].arrays() is None
    with pytest.raises(tz.TarazuError, match="not finite"):
        model.predict(X * np.float32(np.inf))
    huge = np.full_like(X, 1e30)  # whose squares are infinite
    np.testing.assert_allclose(model.predict(huge).numpy(), model(tz.tensor(huge)).numpy(), rtol=1e-5)


def test_few_rows_are_predicted_as_in_a_batch():
    tz.random.seed(0)
    model = Sequential([Dense(8, "relu"), Dropout(0.5), Dense(2)]).compile("adam", "mse")
    x = np.random.default_rng(1).normal(size=(40, 3)).astype(np.float32)
    model.fit(x, x[:, :2], epochs=1, verbose=0)
    whole = model.predict(x).numpy()
    for rows in (1, 8, 9):
        np.testing.assert_array_equal(model.predict(x[:rows]).numpy(), whole[:rows])
    assert model.training  # what it was
    x[0, 0] = np.nan
    with pytest.raises(tz.TarazuError, match="not finite"):
        model.predict(x[:1])


def test_few_rows_after_training_weights_and_precision_changed():
    model = Sequential([Dense(2, in_features=3)]).compile("sgd", "mse")
    before = model.predict(X).numpy()
    model.fit(X, np.ones((1, 2)), epochs=1, verbose=0)
    after = model.predict(X).numpy()
    assert (before != after).any()
    model.compile("sgd", "mse", precision="bfloat16")
    assert 0 < np.abs(model.predict(X).numpy() - after).max() < 0.1


def test_a_model_with_a_train_of_its_own_is_asked():
    class Stubborn(Sequential):
        def train(self, mode=True):
            return super().train(True)

    tz.random.seed(0)
    model = Stubborn([Dropout(0.5)])
    x = np.ones((1, 64), np.float32)
    model.predict(x)
    assert (model.predict(x).numpy() == 0).any()


@pytest.mark.parametrize("rows", [70, 97, 100])
def test_the_last_batch_takes_rows_of_the_one_before(rows):
    tz.random.seed(0)
    model = Sequential([Dense(4, "relu"), Dense(2)])
    x = np.random.default_rng(1).normal(size=(rows, 3)).astype(np.float32)
    expected = np.concatenate([model.predict(x[i:i + 64]).numpy() for i in (0, 64)])
    np.testing.assert_array_equal(model.predict(x, batch_size=64).numpy(), expected)


def test_tiny_models_predict_right_when_weights_change_between_repeated_predictions():
    rng = np.random.default_rng(0)
    model = Sequential([Dense(2, in_features=3)])
    for count in (1, 2, 3, 1, 2):
        weights = [rng.normal(size=p.shape).astype(np.float32) for p in model.parameters()]
        with tz.no_grad():
            for p, value in zip(model.parameters(), weights, strict=True):
                p.copy_(value)
        for _ in range(count):  # first of the usual, then of the short way
            x = rng.normal(size=(1, 3)).astype(np.float32)
            np.testing.assert_allclose(model.predict(x).numpy(), x @ weights[0] + weights[1], rtol=1e-5)


@pytest.mark.parametrize("order", ["C", "F"])
def test_repeated_predictions_follow_what_numpy_writes_into_a_weight(order):
    weight = np.ones((3, 2), np.float32, order=order)
    layer = Dense(2, in_features=3, bias=False)
    layer.weight = tz.nn.Parameter(tz.asarray(weight))
    model = Sequential([layer])
    for value in (1.0, 2.0, 3.0):
        weight[:] = value
        for _ in range(3):
            np.testing.assert_allclose(model.predict(X), model(tz.tensor(X)).numpy(), rtol=1e-6)


def test_a_repeated_prediction_reads_the_weights_that_it_began_with():
    model = Sequential([Dense(2, in_features=3)]).compile("adam", "mse")
    model.fit(X, np.ones((1, 2)), epochs=2, verbose=0)
    expected = [model.predict(X).numpy() for _ in range(2)][1]
    call = model._predictor.again[X.shape]
    program = call._program

    def interrupted(*inputs):  # as by another thread
        model.fit(X, np.ones((1, 2)), epochs=9, verbose=0)
        return program(*inputs)

    call._program = interrupted
    np.testing.assert_array_equal(model.predict(X).numpy(), expected)
    assert (model.predict(X).numpy() != expected).any()
