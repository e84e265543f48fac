"""Calls that must not end in bare Python errors: outputs that are no tensors, loaders, hooks of Keras, and others."""

from decimal import Decimal

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError, TrainingError
from tarazu.nn import Conv2D, Dense, Embedding, Module, Sequential

draw = np.random.default_rng(0)
X = draw.normal(size=(24, 4)).astype(np.float32)
Y = X.sum(1)


class Several(Module):
    def __init__(self, of):
        self.dense, self.of = Dense(1, in_features=4), of

    def forward(self, x):
        return self.of(self.dense(x))


OUTPUTS = {"a tuple of 2": lambda y: (y, y), "a list of 1": lambda y: [y], "a dict of 1": lambda y: {"a": y},
           "None": lambda y: None}


@pytest.mark.parametrize(("what", "of"), OUTPUTS.items(), ids=OUTPUTS)
def test_outputs_that_are_no_tensor(what, of):
    model = Several(of).compile("sgd", "mse")
    for act in (lambda: model.fit(X, Y, verbose=0), lambda: model.evaluate(X, Y)):
        with pytest.raises(TrainingError, match=f"Several gives {what} as output(.|\n)*expected: (one|a) tensor"):
            act()


def test_predictions_of_no_tensor():
    for given, text in ((None, "None as output"), (np.zeros((1, 2)), "as output for one row"), ({}, "{} as output")):
        with pytest.raises(TrainingError, match=f"Several gives (.|\n)*{text}(.|\n)*a tensor with a row"):
            Several(lambda y, given=given: given).predict(X)
    with pytest.raises(TrainingError, match=r"a tensor of shape \(\) as output for one row"):
        Several(tz.sum).predict(X)


def test_an_embedding_takes_arrays_and_lists():
    layer = Embedding(5, 2)
    wanted = layer(tz.tensor([1, 2])).tolist()
    assert layer(np.array([1, 2])).tolist() == wanted and layer([1, 2]).tolist() == wanted


def test_a_list_where_a_layer_wants_a_tensor():
    for layer in (Dense(2), Dense(2, in_features=2), tz.nn.LayerNorm(2)):
        with pytest.raises(ArgumentError, match=r"a list as input of \w+\n.*\n  to mend it: pass tz.tensor\(x\)"):
            layer([[1.0, 2.0]])


def test_evaluate_takes_batches():
    model = Sequential([Dense(1, in_features=4)]).compile("sgd", "mse", ["mae"])
    batches = [(X[:16], Y[:16]), (X[16:], Y[16:])]
    for source in (batches, iter(batches), [(tz.asarray(x), tz.asarray(y)) for x, y in batches]):
        assert model.evaluate(source) == pytest.approx(model.evaluate(X, Y))
    with pytest.raises(ArgumentError, match="no y"):
        model.evaluate(X)


def callback_with(name):
    return type("Mine", (tz.train.Callback,), {name: lambda self, *args: None})()


@pytest.mark.parametrize(("name", "meant"), [("on_epoch_begin", "on_epoch_start"), ("on_train_begin", "on_fit_start"),
                                             ("on_train_batch_end", "on_step_end"), ("on_epochs_end", "on_epoch_end")])
def test_hooks_of_other_names(name, meant):
    model = Sequential([Dense(1, in_features=4)]).compile("sgd", "mse")
    text = rf"Mine has a method '{name}', which no fit calls\n.*\n.*did you mean {meant}\(self, run\)\?"
    with pytest.raises(ArgumentError, match=text):
        model.fit(X, Y, callbacks=callback_with(name), verbose=0)


def test_other_methods_of_callbacks_are_their_own_affair():
    model = Sequential([Dense(1, in_features=4)]).compile("sgd", "mse")
    assert len(model.fit(X, Y, callbacks=callback_with("on_new_record"), verbose=0)) == 1


def test_channels_first():
    for layer, shape in ((Conv2D(8, 3, in_channels=3), (2, 3, 32, 32)), (Conv2D(8, 5), (2, 1, 28, 28))):
        with pytest.raises(ShapeError, match=r"channels are the last axis here: np.moveaxis\(x, 1, -1\)"):
            layer(tz.zeros(shape))


def test_numpy_functions_take_tensors():
    x = tz.tensor([[1.0, 2.0], [3.0, 6.0]])
    assert np.mean(x) == 3 and np.max(x) == 6 and np.mean(tz.tensor(2.0)) == 2
    assert np.mean(x, axis=0).tolist() == [2, 4] and np.median(x) == 2.5
    assert np.histogram(x, 5)[0].tolist() == [1, 1, 1, 0, 1]
    assert np.concatenate([x, x]).shape == (4, 2) and np.shape(x) == (2, 2) and np.ndim(x) == 2
    assert tz.jit(lambda x: x * np.size(x))(x).tolist() == [[4, 8], [12, 24]]


def test_a_number_has_no_length_as_in_python():
    with pytest.raises(TypeError, match=r"len\(\) of a tensor without axes"):
        len(tz.tensor(1.0))
    with pytest.raises(TypeError):
        iter(tz.tensor(1.0))


def test_a_summary_after_a_fit_has_its_shapes():
    model = Sequential([Dense(3), Dense(1)]).compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert model.summary() == model.summary((4,)) and "(3,)" in model.summary()


@pytest.mark.parametrize("package", [tz.train, tz.nn, tz.optim, tz.data, tz.diagnose, tz.record])
def test_dir_shows_what_is_public(package):
    assert dir(package) == sorted(package.__all__)


def test_predict_takes_batches():
    model = Sequential([Dense(1, in_features=4)])
    wanted = model.predict(X).tolist()
    batches = [(X[:16], Y[:16]), (X[16:], Y[16:])]
    for source in (batches, iter(batches), (x for x, _ in batches), ([x] for x, _ in batches)):
        assert model.predict(source).tolist() == wanted
    assert model.predict(list(X)).tolist() == wanted
    with pytest.raises(ShapeError, match="batches whose rows differ in shape"):
        model.predict(iter([X, X[:, :3]]))


def test_objects_that_are_numbers_are_told_to_become_numbers():
    model = Sequential([Dense(1, in_features=4)]).compile("sgd", "mse")
    for x, y in ((X.astype(object), Y), (X, np.array([Decimal(1)] * 24)), (X, np.arange(24).astype("m8[s]"))):
        with pytest.raises(DTypeError, match=r"to mend it: make numbers of them: [xy]\.astype\(float\)"):
            model.fit(x, y, verbose=0)


def test_a_gray_picture_with_channels_first_is_told_the_axis():
    with pytest.raises(ShapeError, match=r"if axis 1 has the 1 channel: channels are the last axis here: np\.moveaxis"):
        Conv2D(2, 3)(tz.ones((2, 1, 28, 28)))
    assert Conv2D(2, 3, padding="same")(tz.ones((2, 1, 9, 5))).shape == (2, 1, 9, 2)  # pictures of height 1


def test_what_is_no_tensor_is_named_in_the_path_of_the_error():
    with pytest.raises(ArgumentError, match=r"in Dense\(2\), called with a str:"):
        Dense(2)("a")


def test_a_layer_of_a_sequential_model_is_replaced_by_its_index():
    model = Sequential([Dense(3), Dense(1)]).compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    model[1] = Dense(1)
    model[0] = tz.tanh
    assert model.predict(X).shape == (24, 1) and model.fit(X, Y, verbose=0).rows
    with pytest.raises(ArgumentError, match="5 as layer 1"):
        model[1] = 5


@pytest.mark.parametrize("fit", [Sequential.fit, tz.train.fit], ids=["method", "function"])
def test_warnings_of_a_fit_name_the_line_that_calls_it(fit):
    model = Sequential([Dense(1, in_features=4)]).compile(tz.optim.SGD(lr=1e30), "mse")
    with pytest.warns(tz.train.TrainingWarning) as caught:
        fit(model, X, Y, epochs=3, verbose=0)
    assert {warning.filename for warning in caught} == {__file__}
