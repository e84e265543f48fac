"""What `fit` takes as inputs, targets, losses and metrics, and what it refuses, with which words."""

import functools

import numpy as np
import pandas as pd
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError, TrainingError
from tarazu.nn import Dense, Embedding, Flatten, Sequential

draw = np.random.default_rng(3)
X = draw.normal(size=(60, 4)).astype(np.float32)
LABELS = np.digitize(X[:, 0], [-0.5, 0.5])
VALUES = X @ [1.0, -2.0, 0.5, 0.0] + 1


def fitted(x, y, outputs, loss, metrics=(), epochs=60, **options):
    model = Sequential([Dense(outputs)]).compile(tz.optim.Adam(lr=0.05), loss, metrics)
    return model.fit(x, y, epochs=epochs, seed=0, verbose=0, **options), model


INPUTS = {"float32": X, "float64": X.astype(np.float64), "lists": X.tolist(), "frame": pd.DataFrame(X),
          "tensor": tz.asarray(X), "float16": X.astype(np.float16),
          "read-only": tz.asarray(X).numpy()}
TARGETS = {"array": LABELS, "list": LABELS.tolist(), "series": pd.Series(LABELS), "tensor": tz.asarray(LABELS),
           "uint8": LABELS.astype(np.uint8), "one-hot": np.eye(3)[LABELS],
           "one-hot integers": np.eye(3, dtype=int)[LABELS],
           "one-hot frame": pd.get_dummies(pd.Series(LABELS))}


@pytest.mark.parametrize("x", INPUTS.values(), ids=INPUTS)
def test_inputs_of_many_types(x):
    history, model = fitted(x, LABELS, 3, "cross_entropy", ["accuracy"], epochs=150, validation_split=0.25)
    assert history[-1]["accuracy"] > 0.7
    assert model.evaluate(x, LABELS)["accuracy"] > 0.65 and model.predict(x).dtype is tz.float32


@pytest.mark.parametrize("y", TARGETS.values(), ids=TARGETS)
def test_labels_of_many_types_give_the_same_fit(y):
    wanted, _ = fitted(X, LABELS, 3, "cross_entropy", ["accuracy"], epochs=3)
    found, _ = fitted(X, y, 3, "cross_entropy", ["accuracy"], epochs=3)
    for name in ("loss", "accuracy"):
        np.testing.assert_allclose(found.history[name], wanted.history[name], rtol=1e-5)
    assert found.measurements["train_skill"] == pytest.approx(wanted.measurements["train_skill"], rel=1e-4)


def test_images_of_bytes():
    images = draw.integers(0, 256, (40, 5, 5), dtype=np.uint8)
    model = Sequential([Flatten(), tz.nn.BatchNorm(), Dense(2)])
    model.compile(tz.optim.Adam(lr=0.02), "cross_entropy", "accuracy")
    history = model.fit(images, images[:, 0, 0] > 127, epochs=80, seed=0, verbose=0)
    assert history[-1]["accuracy"] > 0.9


def test_sequences_of_integers():
    words = draw.integers(0, 9, (60, 3))
    model = Sequential([Embedding(9, 4), Flatten(), Dense(2)])
    model.compile(tz.optim.Adam(lr=0.05), "cross_entropy", "accuracy")
    assert model.fit(words, words[:, 0] > 4, epochs=40, seed=0, verbose=0)[-1]["accuracy"] > 0.9


def test_an_integer_without_a_vector_is_named_wherever_it_stands():
    """A compiled program takes the nearest vector: a vocabulary that is one too small trained without a word."""
    words, labels = draw.integers(0, 9, (60, 3)), np.arange(60) % 2
    model = Sequential([Embedding(9, 4), Flatten(), Dense(2)]).compile("sgd", "cross_entropy")
    model.fit(words, labels, verbose=0)
    wrong = words.copy()
    wrong[37, 1] = 9
    for act in (lambda: model.fit(wrong, labels, verbose=0), lambda: model.evaluate(wrong, labels),
                lambda: model.fit(words, labels, validation_data=(wrong, labels), verbose=0),
                lambda: model.predict(wrong), lambda: model.predict(wrong - 19)):
        with pytest.raises(OutOfRangeError, match=r"in layer 0, Embedding(.|\n)*out of bounds for axis 0 with size 9"):
            act()
    assert model.predict(words).shape == (60, 2)


@pytest.mark.parametrize(("y", "loss"), [
    (VALUES, "mse"), (VALUES[:, None], "mae"), (VALUES.astype(np.float32).tolist(), "huber"),
], ids=["(n,)", "(n, 1)", "list"])
def test_regression(y, loss):
    history, model = fitted(X, y, 1, loss, ["mae", "mse"], epochs=200, validation_split=0.25)
    assert history[-1]["val_mae"] < 0.1 and history.measurements["validation_samples"] == 15
    assert model.predict(X).shape == (60, 1)


@pytest.mark.parametrize("y", [LABELS > 0, (LABELS > 0).astype(np.float32), (LABELS > 0).astype(int)[:, None]],
                         ids=["booleans", "floats", "column"])
def test_two_classes_with_one_logit(y):
    history, model = fitted(X, y, 1, "binary_cross_entropy", ["accuracy"], epochs=100)
    right = (model.predict(X).numpy()[:, 0] > 0) == np.reshape(y, -1)
    share = np.mean(y)
    trivial = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert model.evaluate(X, y)["accuracy"] == pytest.approx(right.mean()) and right.mean() > 0.8
    assert history.measurements["trivial_train_loss"] == pytest.approx(trivial, rel=0.05)


def test_many_labels_at_once():
    y = (X[:, :3] > 0).astype(int)
    history, model = fitted(X, y, 3, "binary_cross_entropy", ["accuracy"], epochs=100)
    right = (model.predict(X).numpy() > 0) == y
    assert model.evaluate(X, y)["accuracy"] == pytest.approx(right.mean()) and right.mean() > 0.9
    assert history.measurements["train_skill"] > 0.5


def absolute(prediction, target):
    return (prediction[:, 0] - target).abs().mean()


def test_own_loss_and_own_metric():
    def largest(prediction, target):
        return (prediction[:, 0] - target).abs().max()

    history, model = fitted(X, VALUES, 1, absolute, [largest, "mae"], validation_split=0.25, epochs=5)
    assert list(history.history)[:3] == ["loss", "largest", "mae"]
    assert history[-1]["val_loss"] == pytest.approx(history[-1]["val_mae"], rel=1e-5)
    errors = np.abs(model.predict(X).numpy()[:, 0] - VALUES)
    assert model.evaluate(X, VALUES)["largest"] == pytest.approx(errors.max(), rel=1e-4)
    best = history[history.best_epoch() - 1]["val_loss"]
    assert history.measurements["validation_loss"] == pytest.approx(best, rel=1e-5)


def test_a_loss_with_an_option():
    history, _ = fitted(X, VALUES, 1, functools.partial(tz.nn.huber, delta=0.5), epochs=2)
    assert len(history) == 2


def model_of(outputs=3, loss="cross_entropy"):
    return Sequential([Dense(outputs)]).compile(loss=loss)


def frozen():
    model = Sequential([Dense(3, in_features=4)]).compile(loss="cross_entropy")
    return model.freeze()


def holding(value, at=(3, 1)):
    x = X.astype(np.float64)
    x[at] = value
    return x


ERRORS = {
    "not compiled": (lambda: Sequential([Dense(3)]).fit(X, LABELS), TrainingError,
                     r"Sequential is not compiled\n  expected: model.compile\(\.\.\.\) first"),
    "not compiled to evaluate": (lambda: Sequential([Dense(3)]).evaluate(X, LABELS), TrainingError, "is not compiled"),
    "no loss": (lambda: Sequential([Dense(3)]).compile("adam"), TrainingError, r"compile\(\) without a loss"),
    "loss": (lambda: model_of(loss="crossentropy"), ArgumentError,
             "loss 'crossentropy'\n  expected: one of cross_entropy"),
    "optimizer": (lambda: Sequential([]).compile("adamm", "mse"), ArgumentError,
                  "optimizer 'adamm'\n  expected: one of sgd"),
    "metric": (lambda: Sequential([]).compile("adam", "mse", ["f3_score"]), ArgumentError,
               "metric 'f3_score'\n  expected: one of acc"),
    "no y": (lambda: model_of().fit(X), ArgumentError, r"no y\n.*\n  to mend it: call fit\(x, y"),
    "rows": (lambda: model_of().fit(X, LABELS[:50]), ShapeError, "x has 60 rows and y has 50"),
    "empty": (lambda: model_of().fit(X[:0], LABELS[:0]), ShapeError, r"x of shape \(0, 4\)\n.*\n.*at least one row"),
    "ragged": (lambda: model_of().fit([[1, 2], [3]], [0, 1]), ShapeError, "x does not make an array"),
    "nan": (lambda: model_of().fit(holding(np.nan), LABELS), ArgumentError,
            r"x holds values that are not finite in float32: 1 of 240, the first \(nan\) in row 3"),
    "infinite": (lambda: model_of().predict(holding(np.inf)), ArgumentError, r"the first \(inf\) in row 3"),
    "beyond float32": (lambda: model_of().fit(holding(1e300), LABELS), ArgumentError, r"the first \(1e\+300\)"),
    "nan in y": (lambda: model_of(1, "mse").fit(X, np.full(60, np.nan)), ArgumentError, "y holds values that are not"),
    "text": (lambda: model_of().fit(X.astype(str), LABELS), DTypeError, r"x holds <U32[\s\S]*tz.data.TableEncoder"),
    "text in y": (lambda: model_of().fit(X, LABELS.astype(str)), DTypeError,
                  r"y holds <U\d+[\s\S]*np.unique\(y, return_inv"),
    "objects": (lambda: model_of().fit(pd.DataFrame({"a": ["x", 1]}), [0, 1]), DTypeError, "x holds object"),
    "labels": (lambda: model_of(2).fit(X, LABELS), ArgumentError, "labels from 0 to 2 for a model with 2 outputs"),
    "labels from 1": (lambda: model_of().fit(X, LABELS + 1), ArgumentError, r"from 1 to 3 .* 3 outputs[\s\S]*from 0"),
    "labels to evaluate": (lambda: model_of(2).evaluate(X, LABELS), ArgumentError, "for a model with 2 outputs"),
    "validation labels": (lambda: model_of().fit(X, LABELS, validation_data=(X, LABELS + 5)), ArgumentError,
                          "from 5 to 7"),
    "targets' shape": (lambda: model_of(2, "mse").fit(X, VALUES), ShapeError, r"mse: a prediction of shape \(32, 2\)"),
    "loss per sample": (lambda: model_of(1, lambda p, t: (p[:, 0] - t) ** 2).fit(X, VALUES), TrainingError,
                        r"the loss function gave a tensor of shape \(32,\)\n  expected: a scalar tensor"),
    "loss of no tensor": (lambda: model_of(1, lambda p, t: 0.5).fit(X, VALUES), TrainingError, "gave a float"),
    "one logit": (lambda: model_of(1).fit(X, LABELS > 0), ShapeError, r"\(32, 1\)[\s\S]*binary_cross_entropy"),
    "features": (lambda: Sequential([Dense(3, in_features=5)]).compile(loss="cross_entropy").fit(X, LABELS), ShapeError,
                 r"in layer 0, Dense\(3, in_features=5\), called with shape \(1, 4\):[\s\S]*5 features"),
    "both validations": (lambda: model_of().fit(X, LABELS, validation_split=0.1, validation_data=(X, LABELS)),
                         ArgumentError, "both validation_split and validation_data"),
    "validation_data": (lambda: model_of().fit(X, LABELS, validation_data=X), ArgumentError,
                        "validation_data of type ndarray"),
    "validation features": (lambda: model_of().fit(X, LABELS, validation_data=(X[:, :3], LABELS)), ShapeError,
                            r"validation_data with x of shape \(60, 3\)\n  expected: shape \(rows, 4\)"),
    "share": (lambda: model_of().fit(X, LABELS, validation_split=1.5), ArgumentError, "validation_split=1.5"),
    "tiny": (lambda: model_of().fit(X[:1], LABELS[:1], validation_split=0.5), ArgumentError, "part .* is empty"),
    "epochs": (lambda: model_of().fit(X, LABELS, epochs=0), ArgumentError,
               "epochs=0\n  expected: a whole number of at least 1"),
    "batch_size": (lambda: model_of().fit(X, LABELS, batch_size=2.5), ArgumentError, "batch_size=2.5"),
    "predict's batch_size": (lambda: model_of().predict(X, batch_size=0), ArgumentError, "batch_size=0"),
    "verbose": (lambda: model_of().fit(X, LABELS, verbose=3), ArgumentError,
                "verbose=3\n  expected: \"auto\", 0, 1 or 2"),
    "seed": (lambda: model_of().fit(X, LABELS, seed=-1), ArgumentError, "seed -1"),
    "callback": (lambda: model_of().fit(X, LABELS, callbacks=[tz.train.EarlyStopping]), ArgumentError,
                 r"EarlyStopping'> among the callbacks\n.*\n.*make an object"),
    "foreign optimizer": (lambda: Sequential([Dense(3)]).compile(tz.optim.SGD([tz.ones(1, requires_grad=True)]),
                                                                 "cross_entropy").fit(X, LABELS),
                          ArgumentError, "made with parameters of another model"),
    "no parameters": (lambda: Sequential([Flatten()]).compile(loss="mse").fit(X, X), TrainingError,
                      "a model without anything to train: 0 parameters"),
    "all frozen": (lambda: frozen().fit(X, LABELS), TrainingError,
                   r"2 parameters, all of them frozen[\s\S]*freeze\(False"),
}


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS.values(), ids=ERRORS)
def test_refusals(act, kind, text):
    with pytest.raises(kind, match=text):
        act()


@pytest.mark.parametrize(("layers", "loss"), [
    ([tz.nn.Dense(2, "softmax")], "cross_entropy"),
    ([tz.nn.Dense(2), tz.nn.Activation("sigmoid")], "cross_entropy"),
    ([tz.nn.Sequential([tz.nn.Dense(1, "sigmoid")])], "binary_cross_entropy"),
])
def test_probabilities_where_logits_are_wanted(layers, loss):
    model = tz.nn.Sequential(layers).compile("adam", loss)
    with pytest.raises(tz.TarazuError, match=rf"ends in (softmax|sigmoid), for the loss {loss}(.|\n)*leave that activ"):
        model.fit(np.zeros((8, 3), np.float32), np.arange(8) % 2, verbose=0)


def test_a_sigmoid_inside_or_for_another_loss_is_fine():
    x, y = np.zeros((8, 3), np.float32), np.arange(8) % 2
    tz.nn.Sequential([tz.nn.Dense(4, "sigmoid"), tz.nn.Dense(2)]).compile("adam", "cross_entropy").fit(x, y, verbose=0)
    tz.nn.Sequential([tz.nn.Dense(1, "sigmoid")]).compile("adam", "mse").fit(x, y, verbose=0)
