"""What estimators take as X, y and weights, and how they train."""

import sys

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.class_weight import compute_sample_weight

import tarazu as tz
from tarazu.base.errors import DataWarning, TarazuError
from tarazu.sklearn import NetworkClassifier, NetworkRegressor, NetworkTransformer

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(60, 3))
Y = np.where(X[:, 0] > X[:, 1], "up", "down")
FAST = {"hidden": (8,), "epochs": 20, "batch_size": 20, "learning_rate": 0.03, "random_state": 0}
ONE_BATCH = {**FAST, "batch_size": "auto"}


def same(one, other):
    return np.array_equal(one.predict_proba(X), other.predict_proba(X))


# What X may be

def test_tables_go_straight_in():
    draw = np.random.default_rng(1)
    frame = pd.DataFrame({
        "city": draw.choice([f"city {i}" for i in range(20)], 200), "age": draw.integers(20, 60, 200),
        "member": draw.choice([True, False], 200), "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(
            draw.integers(0, 900, 200), unit="D"), "size": pd.Categorical(draw.choice(["S", "M"], 200))})
    frame.loc[3, "age"] = frame.loc[5, "city"] = None
    y = np.where(frame["city"].isin([f"city {i}" for i in range(8)]), "near", "far")
    model = NetworkClassifier((16,), epochs=40, batch_size=20, learning_rate=0.02, random_state=0).fit(frame, y)
    assert model.score(frame, y) > 0.9
    assert model.feature_names_in_.tolist() == [*frame] and model.n_features_in_ == 5
    assert model.encoder_.embeddings and model.classes_.tolist() == ["far", "near"]
    assert np.array_equal(model.predict(frame.tail(3)), model.predict(frame)[-3:])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        assert np.array_equal(model.predict(frame.to_numpy()), model.predict(frame))  # by the order of the columns
    empty = frame.tail(2).assign(city=np.nan)  # a column of texts that lacks all of them is one of numbers to pandas
    with pytest.warns(DataWarning, match="no row has"):
        assert model.predict(empty).shape == (2,)


def test_columns_of_numbers_stay_numbers_in_tables():
    frame = pd.DataFrame({"row": range(200), "kind": ["a", "b"] * 100})
    y = np.arange(200) >= 100
    model = NetworkClassifier(**FAST).fit(frame, y)
    assert model.score(frame, y) > 0.9  # by "row", which `fit_table` leaves out as a row number
    assert NetworkClassifier(**FAST, kinds={"row": "ignore"}).fit(frame, y).score(frame, y) < 0.8


def test_arrays_of_texts_are_tables():
    x = np.array([["red", 1.0], ["blue", 2.0]] * 20, dtype=object)
    model = NetworkClassifier(**FAST).fit(x, ["warm", "cold"] * 20)
    assert model.predict(np.array([["blue", 2.0]], dtype=object)).tolist() == ["cold"]


def test_sparse_matrices_and_frames_of_numbers_are_arrays():
    models = [NetworkClassifier(**FAST).fit(x, Y) for x in (X, sparse.csr_array(X), pd.DataFrame(X, columns=[*"abc"]))]
    assert same(models[0], models[1])
    assert np.array_equal(models[0].predict_proba(X), models[2].predict_proba(pd.DataFrame(X, columns=[*"abc"])))


def test_numbers_may_be_as_large_as_float64_has_them():
    large = X * 2.0**1020
    model = NetworkClassifier(**FAST).fit(large, Y)
    assert np.array_equal(model.predict_proba(large), NetworkClassifier(**FAST).fit(X, Y).predict_proba(X))
    targets = NetworkRegressor(**FAST).fit(X, X[:, 0] * 2.0**1020).predict(X)
    assert np.array_equal(targets / 2.0**1020, NetworkRegressor(**FAST).fit(X, X[:, 0]).predict(X))


def test_cells_may_lack():
    x = X.copy()
    x[::3, 0] = np.nan
    model = NetworkClassifier(**FAST).fit(x, np.isnan(x[:, 0]))
    assert model.score(x, np.isnan(x[:, 0])) > 0.95
    assert NetworkClassifier(**FAST).fit(X, Y).predict([[np.nan, 0, 0]]).shape == (1,)


# What y may be

def test_labels():
    y = np.stack([X[:, 0] > 0, X[:, 1] > 0], 1).astype(int)
    model = NetworkClassifier(**FAST).fit(X, y)
    assert model.predict_proba(X).shape == (60, 2) and model.score(X, y) > 0.8
    assert np.array_equal(model.predict(X), model.predict_proba(X) > 0.5)
    assert same(model, NetworkClassifier(**FAST).fit(X, sparse.csr_array(y)))


def test_several_classes():
    y = np.stack([np.where(X[:, 0] > 0, "a", "b"), np.digitize(X[:, 1], [-0.5, 0.5]).astype(str)], 1)
    model = NetworkClassifier(**FAST | {"epochs": 40}).fit(X, y)
    assert [part.shape for part in model.predict_proba(X)] == [(60, 2), (60, 3)]
    assert model.score(X, y) > 0.7 and model.predict(X).shape == (60, 2)
    assert [known.tolist() for known in model.classes_] == [["a", "b"], ["0", "1", "2"]]


def test_several_numbers():
    y = X @ DRAW.normal(size=(3, 2)) * 100 + 1000
    model = NetworkRegressor(**FAST | {"epochs": 60}).fit(X, y)
    assert model.predict(X).shape == y.shape and model.score(X, y) > 0.9
    assert NetworkRegressor(**FAST, loss="mae").fit(X, y[:, 0]).predict(X).shape == (60,)


# Weights

def test_a_weight_of_two_is_the_row_twice():
    weight = np.random.default_rng(2).integers(0, 4, 60)
    order = np.random.default_rng(3).permutation(60)
    repeated = NetworkClassifier(**ONE_BATCH).fit(np.repeat(X, weight, 0), np.repeat(Y, weight))
    weighted = NetworkClassifier(**ONE_BATCH).fit(X[order], Y[order], sample_weight=weight[order])
    assert same(repeated, weighted) and not same(weighted, NetworkClassifier(**ONE_BATCH).fit(X, Y))
    assert same(weighted, NetworkClassifier(**ONE_BATCH).fit(X, Y, sample_weight=10 * weight))


def test_class_weights():
    balanced = NetworkClassifier(**FAST, class_weight="balanced").fit(X, Y)
    assert same(balanced, NetworkClassifier(**FAST).fit(X, Y, compute_sample_weight("balanced", Y)))
    heavy = NetworkClassifier(**FAST, class_weight={"up": 1000.0}).fit(X, Y)
    assert (heavy.predict(X) == "up").mean() > 0.7


@pytest.mark.parametrize(("weight", "text"), [
    ([1.0] * 59, r"sample_weight.shape == \(59,\)"), ([-1.0] * 60, "Negative"), ([0.0] * 60, "at least one non-zero")])
def test_unfit_weights(weight, text):
    with pytest.raises(ValueError, match=text):
        NetworkClassifier().fit(X, Y, sample_weight=weight)


# Training

def test_warm_start_trains_on():
    model = NetworkClassifier(**FAST | {"epochs": 1}, warm_start=True).fit(X, Y)
    network, first = model.network_, model.history_[-1]["loss"]
    for _ in range(20):
        model.fit(X, Y)
    assert model.network_ is network and model.history_[-1]["loss"] < first and model.n_iter_ == 1
    with pytest.raises(ValueError, match=r"the class 'left' in y\s+expected: .*'down', 'up'"):
        model.fit(X, np.where(Y == "up", "left", Y))
    cold = NetworkClassifier(**FAST | {"epochs": 1}).fit(X, Y)
    assert cold.fit(X, Y).network_ is not network


def test_partial_fit_takes_rows_as_they_come():
    model = NetworkClassifier(**FAST)
    for _ in range(12):
        for part in (Y == "up", Y == "down"):
            model.partial_fit(X[part], Y[part], classes=["down", "up"])
    assert model.score(X, Y) > 0.8 and model.classes_.tolist() == ["down", "up"]
    assert NetworkRegressor(**FAST).partial_fit(X, X[:, 0]).partial_fit(X, X[:, 0]).n_iter_ == 1


def test_early_stopping_holds_rows_out_and_keeps_the_best():
    model = NetworkClassifier(**FAST | {"epochs": 300}, early_stopping=True, n_iter_no_change=3).fit(X, Y)
    assert model.n_iter_ < 300 and "val_loss" in model.history_[0]
    assert model.verdict_.name in tz.record.VERDICTS


def test_own_architectures():
    def build(inputs, outputs):
        return tz.nn.Sequential([tz.nn.Dense(6, "tanh", in_features=inputs), tz.nn.BatchNorm(), tz.nn.Dense(outputs)])

    model = NetworkClassifier(build=build, epochs=20, batch_size=20, optimizer=tz.optim.SGD(lr=0.5, momentum=0.9),
                              random_state=0).fit(X, Y)
    assert model.score(X, Y) > 0.85
    assert NetworkTransformer(model, layer=0).fit(X, Y).transform(X).shape == (60, 2)


@pytest.mark.parametrize(("outputs", "y"), [(1, Y), (5, Y), (5, np.stack([Y, np.roll(Y, 1)], 1)), (2, X[:, 0])])
def test_own_architectures_have_as_many_outputs_as_asked_for(outputs, y):
    kind = NetworkRegressor if y.dtype.kind == "f" else NetworkClassifier
    model = kind(build=lambda _, wanted: tz.nn.Dense(outputs), epochs=1)
    with pytest.raises(ValueError, match=rf"one row has shape \(1, {outputs}\)\s+expected: shape \(1, "):
        model.fit(X, y)
    assert not hasattr(model, "network_")


def test_later_calls_of_partial_fit_name_the_same_classes():
    model = NetworkClassifier(**FAST).partial_fit(X, Y, classes=["up", "down"])
    model.partial_fit(X, Y, classes=["down", "up"])
    with pytest.raises(ValueError, match=r"classes=\['a', 'b'\] .*\s+expected: those of the first: 'down', 'up'"):
        model.partial_fit(X, Y, classes=["a", "b"])


def test_several_classes_of_which_some_are_texts_and_some_numbers():
    y = pd.DataFrame({"way": Y, "size": np.where(X[:, 2] > 0, 10, 20)})
    model = NetworkClassifier(**FAST).fit(X, y)
    assert {type(value) for value in model.predict(X)[0]} == {str, int} and model.score(X, y) > 0.5


def test_random_states():
    one, two, other = (NetworkClassifier(**FAST | {"random_state": state}).fit(X, Y) for state in (1, 1, 2))
    assert same(one, two) and not same(one, other)
    state = np.random.RandomState(1)
    drawn = NetworkClassifier(**FAST | {"random_state": state}).fit(X, Y)
    assert same(drawn, one) and not same(drawn.fit(X, Y), one)


def test_the_global_generator_stays_as_it_is():
    before = tz.random.default.state.tolist()
    NetworkClassifier(**FAST, dropout=0.2).fit(X, Y)
    assert tz.random.default.state.tolist() == before


@pytest.mark.parametrize(("settings", "text"), [
    ({"hidden": 0}, "hidden=0"), ({"activation": "rleu"}, "activation='rleu'"), ({"dropout": 1.0}, "dropout=1.0"),
    ({"epochs": 0}, "epochs=0"), ({"batch_size": "all"}, "batch_size='all'"), ({"learning_rate": 0}, "learning_rate=0"),
    ({"optimizer": "adamm"}, "optimizer 'adamm'"), ({"weight_decay": -1}, "weight_decay=-1"),
    ({"validation_fraction": 1}, "validation_fraction=1"), ({"early_stopping": "yes"}, "early_stopping='yes'"),
    ({"build": "mlp"}, "build='mlp'"), ({"n_iter_no_change": 0}, "n_iter_no_change=0")])
def test_parameters_are_checked_in_fit(settings, text):
    model = NetworkClassifier(**settings)
    with pytest.raises(TarazuError, match=text):
        model.fit(X, Y)
    assert not hasattr(model, "network_")


def test_what_is_asked_too_early():
    for ask in (lambda model: model.predict(X), lambda model: model.verdict_, lambda model: model.classes_):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            ask(NetworkClassifier())


def test_a_random_state_of_a_transformer_is_that_of_its_network():
    seeded = NetworkClassifier(**FAST)
    unseeded = NetworkTransformer(NetworkClassifier(**FAST | {"random_state": None}), random_state=0)
    assert np.array_equal(unseeded.fit(X, Y).transform(X), NetworkTransformer(seeded).fit(X, Y).transform(X))
    assert unseeded.estimator.random_state is None


def test_layers_that_are_not_there():
    with pytest.raises(ValueError, match=r"layer=7 of a network of 2\s+expected: a number from -2 to 1"):
        NetworkTransformer(NetworkClassifier(**FAST), layer=7).fit(X, Y)


def test_what_has_no_layers():
    with pytest.raises(ValueError, match=r"estimator=DummyClassifier\(\)\s+expected: a NetworkClassifier or"):
        NetworkTransformer(DummyClassifier()).fit(X, Y)


def test_scikit_learn_is_asked_for(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("tarazu.sklearn")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(TarazuError, match=r"tz.sklearn needs the package scikit-learn[\s\S]*'tarazu\[sklearn\]'"):
        tz.__getattr__("sklearn")


@pytest.mark.parametrize("build", [tz.nn.Dense(2), lambda inputs: tz.nn.Dense(2)])
def test_a_build_that_is_no_function_of_two_numbers(build):
    with pytest.raises(TarazuError, match="build=(.|\n)*a function of the numbers of inputs and outputs"):
        NetworkClassifier(build=build).fit(X, Y)


def test_a_frame_with_two_columns_of_one_name():
    frame = pd.DataFrame(np.full((4, 2), "a"), columns=["kind", "kind"])
    with pytest.raises(TarazuError, match="X with the column 'kind' more than once"):
        NetworkClassifier().fit(frame, list("abab"))
