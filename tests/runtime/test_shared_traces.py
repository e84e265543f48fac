"""A function that reaches the like of another one takes its trace; one that differs is traced by itself."""

import gc
import weakref

import numpy as np
import pytest

import tarazu as tz
from tarazu.runtime.jit import shared_traces
from tarazu.runtime.jit.jit import Counter

X = np.random.default_rng(0).random((40, 6)).astype(np.float32)
Y = (X[:, 0] > 0.5).astype(np.int64)


@pytest.fixture(autouse=True)
def kept(monkeypatch):
    """No traces of other tests."""
    monkeypatch.setattr(shared_traces, "_kept", shared_traces._kept.copy())
    shared_traces._kept.clear()
    return shared_traces._kept


def made(*, activation="relu", rate=0.2, optimizer=None, layer=None, freeze=False, loss="cross_entropy"):
    layers = [tz.nn.Dense(5, activation=activation), tz.nn.Dropout(rate), *([layer] if layer else []), tz.nn.Dense(2)]
    model = tz.nn.Sequential(layers)
    model(tz.asarray(X))
    if freeze:
        layers[0].freeze()
    return model.compile(optimizer or tz.optim.Adam(lr=0.01), loss=loss)


def traces_of_fit(model, **options):
    """How many traces fitting and predicting take, and all that comes of it."""
    before = Counter.traces
    history = model.fit(X, Y, epochs=2, batch_size=10, verbose=0, **{"seed": 0, **options})
    predicted = model.predict(X).numpy()
    losses = [row["loss"] for row in history.rows]
    return Counter.traces - before, [losses, predicted.tolist(), [x.tolist() for x in model.parameters()]]


def test_fits_of_models_that_are_alike_share_traces():
    found = []
    for _ in range(3):
        tz.random.seed(0)
        found.append(traces_of_fit(made()))
    assert found[0][0] == 2 and found[2][0] == 0
    assert found[0][1] == found[1][1] == found[2][1]


def test_what_is_shared_gives_what_an_own_trace_gives(monkeypatch):
    found = []
    for share in (True, False):
        if not share:
            monkeypatch.setattr("tarazu.runtime.jit.jit.traced_once", lambda trace, *_: trace())
        for rate in (0.01, 0.1):
            tz.random.seed(0)
            found.append(traces_of_fit(made(optimizer=tz.optim.Adam(lr=rate)), seed=None))
    assert [number for number, _ in found] == [2, 0, 2, 2]
    assert found[0][1] == found[2][1] and found[1][1] == found[3][1] != found[0][1]


class Scaled(tz.nn.Module):
    """A layer of a user's, whose code may read anything."""

    def forward(self, x):
        return x * 2


DIFFERENT = {
    "activation": {"activation": "gelu"}, "rate": {"rate": 0.5}, "layer": {"layer": tz.nn.LayerNorm()},
    "optimizer": {"optimizer": tz.optim.SGD(lr=0.01)}, "option": {"optimizer": tz.optim.Adam(lr=0.01, amsgrad=True)},
    "frozen": {"freeze": True}, "loss": {"loss": "focal_loss"},
}


@pytest.mark.parametrize("options", DIFFERENT.values(), ids=DIFFERENT)
def test_what_differs_is_traced_by_itself(options):
    traces_of_fit(made())
    before = Counter.traces
    made(**options).fit(X, Y, verbose=0, batch_size=10)
    assert Counter.traces == before + 1


def test_layers_and_losses_of_users_are_traced_each_time():
    for options in ({"layer": Scaled()}, {"loss": lambda prediction, target: prediction.square().mean()}):
        assert [traces_of_fit(made(**options))[0] for _ in range(2)][1] > 0


def test_a_hook_is_not_shared():
    traces_of_fit(made())
    seen, model = [], made()
    next(iter(model.parameters())).register_hook(lambda gradient: seen.append(gradient) or gradient * 0)
    before = model.parameters()[0].tolist()
    assert traces_of_fit(model)[0] >= 1
    assert seen and model.parameters()[0].tolist() == before


def test_guards_are_those_of_the_model_that_takes_the_trace():
    first, second = made(), made()
    traces_of_fit(first)
    assert traces_of_fit(second)[0] == 0
    second[1]._rate = 0.7
    assert traces_of_fit(second)[0] == 1, "its own attribute has changed"
    assert traces_of_fit(first)[0] == 0


def test_a_trace_keeps_no_model(kept):
    model = made()
    traces_of_fit(model)
    assert kept
    gone = weakref.ref(model), weakref.ref(model.parameters()[0])
    del model
    gc.collect()
    assert [one() for one in gone] == [None, None]


def test_only_so_many_traces_are_kept(kept, monkeypatch):
    monkeypatch.setattr(shared_traces, "MOST", 3)
    for units in range(1, 5):
        model = tz.nn.Sequential([tz.nn.Dense(units)])
        model.predict(X)
    assert len(kept) == 3
    before = Counter.traces
    tz.nn.Sequential([tz.nn.Dense(4)]).predict(X)
    assert Counter.traces == before
    tz.nn.Sequential([tz.nn.Dense(1)]).predict(X)
    assert Counter.traces == before + 1


def test_functions_of_users_are_not_shared():
    factor = 1.0

    def times(x):
        return x * factor

    first, second = tz.jit(times), tz.jit(times)
    assert float(first(tz.tensor(2.0))) == 2.0
    factor = 3.0
    assert float(second(tz.tensor(2.0))) == 6.0
