"""Python values in fits: attributes that callbacks change, random numbers that are not ours."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import TraceWarning
from tarazu.nn import Dense, Sequential

X = np.linspace(-1, 1, 48, dtype=np.float32)[:, None]
Y = X[:, 0]


class Times(tz.nn.Module):
    def __init__(self, tau=1.0):
        self.tau = tau

    def forward(self, x):
        return x * self.tau


class Change(tz.train.Callback):
    """Sets an attribute before each epoch."""

    def __init__(self, thing, name, values):
        self.thing, self.name, self.values = thing, name, values

    def on_epoch_start(self, run):
        setattr(self.thing, self.name, self.values[run.epoch - 1])


def identity(**options):
    """A model whose output is its input times `tau` of its last layer."""
    model = Sequential([Dense(1, in_features=1, bias=False, kernel_initializer="ones"), Times()])
    return model.compile(tz.optim.SGD(lr=0.0), **{"loss": "mse", **options})


def test_fit_and_predict_see_an_attribute_that_a_callback_changes(capfd, monkeypatch):
    monkeypatch.setenv("TARAZU_LOG", "jit")
    model, taus = identity(metrics=["mae"]), [1.0, 3.0, 1.0, 3.0]
    history = model.fit(X, Y, batch_size=32, epochs=4, callbacks=Change(model[1], "tau", taus), validation_data=(X, Y),
                        seed=0, verbose=0)
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(history.history[name], [(Y * (tau - 1)) @ (Y * (tau - 1)) / 48 for tau in taus],
                                   rtol=1e-5)
    np.testing.assert_allclose(model.predict(X).numpy(), 3 * X, rtol=1e-6)
    model[1].tau = 5.0
    np.testing.assert_allclose(model.predict(X).numpy(), 5 * X, rtol=1e-6)
    said = [line for line in capfd.readouterr().err.splitlines() if "attribute tau" in line]
    assert said == ["tarazu jit: _train_chunk is traced again: attribute tau of Times: 1.0 became 3.0",  # full batches
                    "tarazu jit: _train_chunk is traced again: attribute tau of Times: 1.0 became 3.0",  # the last ones
                    "tarazu jit: outputs_with_masks is traced again: attribute tau of Times: 1.0 became 3.0",
                    "tarazu jit: outputs_with_masks is traced again: attribute tau of Times: 3.0 became 5.0"]


def test_an_attribute_that_is_another_in_each_epoch_is_a_warning():
    model = identity()
    with pytest.warns(TraceWarning, match=r"attribute tau of Times has had 5 values.* self\.tau = tz\.tensor\(4\.0\)") \
            as caught:
        model.fit(X, Y, batch_size=48, epochs=5, callbacks=Change(model[1], "tau", [0.0, 1.0, 2.0, 3.0, 4.0]),
                  verbose=0)
    assert caught[0].filename == __file__


def test_a_tensor_takes_new_values_without_a_trace():
    class Set(tz.train.Callback):
        def on_epoch_start(self, run):
            run.model[1].tau.copy_(float(run.epoch))

    model = identity()
    model[1].tau = tz.tensor(1.0)
    losses = model.fit(X, Y, batch_size=48, epochs=9, callbacks=Set(), verbose=0).history["loss"]
    np.testing.assert_allclose(losses, [(Y @ Y) * tau**2 / 48 for tau in range(9)], rtol=1e-5)
    assert model._trainer.train_chunk.traces == 1


def test_attributes_of_a_loss_count():
    class Weighted:
        def __init__(self):
            self.weight = 1.0

        def __call__(self, prediction, target):
            return self.weight * tz.mean(prediction[:, 0])

    loss = Weighted()
    model = identity(loss=loss)
    losses = model.fit(X + 1, Y, batch_size=48, epochs=2, callbacks=Change(loss, "weight", [1.0, 5.0]),
                       verbose=0).history["loss"]
    assert losses[1] == pytest.approx(5 * losses[0])


def test_random_numbers_of_numpy_in_a_fit_are_a_warning():
    class Noise(tz.nn.Module):
        def forward(self, x):
            return x + np.random.normal(size=x.shape).astype(np.float32) * self.training

    model = Sequential([Dense(1, in_features=1), Noise()]).compile("sgd", loss="mse")
    with pytest.warns(TraceWarning, match=r"np\.random drew numbers while a function was traced.* use tz\.random"):
        model.fit(X, Y, batch_size=48, epochs=1, verbose=0)


def test_fits_and_predictions_that_change_nothing_are_traced_once():
    model = identity()
    for _ in range(3):
        model.fit(X, Y, batch_size=16, epochs=2, validation_split=0.5, seed=0, verbose=0)
        model.predict(X[:24])
    assert model._trainer.train_chunk.traces == 2  # batches of 16 rows, a last one of 8
    assert model._predictor.compiled.traces == 1
