"""Training and evaluation mode: of a module for good, and of one call of `fit` or `predict`, in several threads too."""

import threading

import numpy as np

import tarazu as tz
from tarazu.nn import BatchNorm, Dense, Dropout, Sequential
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.observers import observe_calls

draw = np.random.default_rng(0)
X = draw.normal(2.0, 3.0, (64, 4)).astype(np.float32)
Y = X.sum(1)
PATIENCE = 30  # seconds that a test waits for another thread


class Gate(tz.nn.Module):
    """Gives its input back; the threads that wait for it stop here until it is opened."""

    def __init__(self):
        self.reached, self.opened = threading.Event(), threading.Event()
        self.waiting = set()

    def forward(self, x):
        if threading.get_ident() in self.waiting:
            self.waiting.discard(threading.get_ident())
            self.reached.set()
            assert self.opened.wait(PATIENCE)
        return x


def predicting_thread(model, gate):
    """A thread that has come to the gate in `model.predict`."""
    def predict():
        gate.waiting.add(threading.get_ident())
        model.predict(X)

    thread = threading.Thread(target=predict)
    thread.start()
    assert gate.reached.wait(PATIENCE)
    return thread


def gated_model():
    gate = Gate()
    model = Sequential([gate, BatchNorm(4, momentum=0.5), Dense(1, in_features=4)])
    return model.compile(tz.optim.SGD(lr=0.0), loss="mse"), gate


def test_predictions_that_overlap_leave_mode_and_statistics_alone():
    model, gate = gated_model()
    before = model.state_dict()
    thread = predicting_thread(model, gate)
    assert all(module.training for _, module in model.named_modules())
    model.predict(X)
    gate.opened.set()
    thread.join()
    assert all(module.training for _, module in model.named_modules())
    assert all((before[path] == x).all() for path, x in model.state_dict().items())


def test_a_fit_beside_a_prediction_trains_in_training_mode():
    model, gate = gated_model()
    thread = predicting_thread(model, gate)
    model.fit(X, Y, batch_size=64, epochs=3, seed=0, verbose=0)
    gate.opened.set()
    thread.join()
    np.testing.assert_allclose(model[1].running_mean.numpy(), X.mean(0) * (1 - 0.5 ** 3), rtol=1e-4)


def test_predictions_beside_a_fit_are_those_of_evaluation_mode():
    model = Sequential([Dropout(0.9), Dense(1, in_features=4)]).compile(tz.optim.SGD(lr=0.0), loss="mse")
    wanted, seen = model.predict(X).numpy(), []

    class Predict(tz.train.Callback):
        def on_epoch_end(self, run):
            def use():
                seen.append((model.predict(X).numpy(), model.training))

            thread = threading.Thread(target=use)
            thread.start()
            thread.join()

    model.eval()
    model.fit(X, Y, epochs=2, seed=0, callbacks=Predict(), verbose=0)
    assert len(seen) == 2 and not model.training
    for prediction, training in seen:
        assert np.array_equal(prediction, wanted) and not training


def test_a_layer_is_built_by_one_of_several_threads():
    layer, outputs, start = Dense(3), [], threading.Barrier(8)

    def use():
        start.wait(PATIENCE)
        outputs.append(layer(tz.asarray(X)).detach().numpy())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(y, layer(tz.asarray(X)).detach().numpy()) for y in outputs)


def test_who_observes_calls_is_told_of_its_own_only():
    seen, model = [], Dense(1, in_features=4)
    with observe_calls(lambda module, output: seen.append(module)):
        thread = threading.Thread(target=lambda: model(tz.asarray(X)))
        thread.start()
        thread.join()
        assert not seen
        model(tz.asarray(X))
    assert seen == [model]


def test_modes_set_inside_a_block_count_until_its_end():
    model = Sequential([Dropout(0.5), Sequential([Dropout(0.5)])])
    with in_mode(model, training=False):
        assert not model.training
        model[1].train()
        assert (model.training, model[1].training, model[1][0].training) == (False, True, True)
        with in_mode(model[1], training=False):
            assert not model[1][0].training
        assert model[1][0].training
    assert model.training
    model[1].eval()
    with in_mode(model, training=True):
        assert model[1].training
    assert not model[1].training


def test_a_callback_may_evaluate_during_a_fit():
    class Evaluate(tz.train.Callback):
        def on_epoch_end(self, run):
            run.model.eval()
            outputs.append(run.model(tz.asarray(X)).numpy())
            run.model.train()

    outputs = []
    model = Sequential([Dropout(0.9)])
    trained = Sequential([model, Dense(1, in_features=4)]).compile(tz.optim.SGD(lr=0.0), loss="mse")
    trained.fit(X, Y, epochs=1, callbacks=Evaluate(), verbose=0)
    assert np.array_equal(outputs[0], trained.predict(X).numpy()) and trained.training


def test_train_may_be_overridden():
    class Frozen(Sequential):
        """A pretrained batch norm whose statistics stay."""

        def train(self, mode=True):
            super().train(mode)
            self[0].eval()
            return self

    model = Frozen([BatchNorm(4), Dense(1, in_features=4)]).compile("sgd", loss="mse")
    model.fit(X, Y, epochs=1, verbose=0)
    assert model[0].running_mean.tolist() == [0, 0, 0, 0] and model[1].training


def test_layers_made_at_the_first_input_are_in_the_mode_of_the_layer_that_makes_them():
    class Late(tz.nn.Module):
        def build(self, x):
            self.norm = BatchNorm(x.shape[-1])

        def forward(self, x):
            return self.norm(x)

    model = Late()
    model.predict(X)
    assert model.norm.running_mean.tolist() == [0, 0, 0, 0] and model.norm.training
    evaluated = Late().eval()
    evaluated(tz.asarray(X))
    assert not evaluated.norm.training and evaluated.norm.running_mean.tolist() == [0, 0, 0, 0]
