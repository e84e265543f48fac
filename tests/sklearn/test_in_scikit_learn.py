"""The estimators inside what scikit-learn has for any estimator."""

import io
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from joblib.externals.loky import get_reusable_executor
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import tarazu as tz
from tarazu.sklearn import NetworkClassifier, NetworkRegressor, NetworkTransformer

X, Y = load_iris(return_X_y=True)
SMALL = {"hidden": (8,), "epochs": 15, "batch_size": 20, "learning_rate": 0.03, "random_state": 0}
CLASSIFIER, REGRESSOR = NetworkClassifier(**SMALL), NetworkRegressor(**SMALL)


def table():
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"size": draw.normal(size=120), "kind": draw.choice(["a", "b", "c"], 120)})
    return frame, np.where((frame["kind"] == "a") | (frame["size"] > 1), "yes", "no")


COMPOSED = {
    "Pipeline": make_pipeline(StandardScaler(), CLASSIFIER),
    "transformer in a Pipeline": make_pipeline(NetworkTransformer(CLASSIFIER), LogisticRegression(max_iter=1000)),
    "CalibratedClassifierCV": CalibratedClassifierCV(CLASSIFIER, cv=2),
    "BaggingClassifier": BaggingClassifier(CLASSIFIER, 3, random_state=0),
    "VotingClassifier": VotingClassifier([("net", CLASSIFIER), ("line", LogisticRegression(max_iter=1000))],
                                         voting="soft"),
    "StackingClassifier": StackingClassifier([("net", CLASSIFIER)], cv=2),
    "OneVsRestClassifier": OneVsRestClassifier(CLASSIFIER),
    "RandomizedSearchCV": RandomizedSearchCV(CLASSIFIER, {"learning_rate": [0.01, 0.05]}, n_iter=2, cv=2),
    "GridSearchCV of build": GridSearchCV(CLASSIFIER, {"build": [
        None, lambda inputs, outputs: tz.nn.Sequential([tz.nn.Dense(6, "tanh"), tz.nn.Dense(outputs)])]}, cv=2),
}
BY_DEFAULT = ("transformer in a Pipeline", "GridSearchCV of build")


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in BY_DEFAULT else pytest.mark.long)
                                  for name in COMPOSED])
def test_classifiers_learn_inside(name):
    model = clone(COMPOSED[name]).fit(X, Y)
    assert model.score(X, Y) > 0.9
    assert np.allclose(model.predict_proba(X).sum(1), 1)


@pytest.mark.parametrize("model", [
    TransformedTargetRegressor(REGRESSOR, func=np.log1p, inverse_func=np.expm1),
    pytest.param(MultiOutputRegressor(REGRESSOR), marks=pytest.mark.long),
    pytest.param(make_pipeline(StandardScaler(), REGRESSOR), marks=pytest.mark.long)],
    ids=lambda model: type(model).__name__)
def test_regressors_learn_inside(model):
    target = X[:, 2:] if isinstance(model, MultiOutputRegressor) else X[:, 3]
    assert clone(model).fit(X[:, :3], target).score(X[:, :3], target) > 0.85


def test_column_transformers_stand_before_and_around_networks():
    frame, y = table()
    encoded = make_column_transformer((OneHotEncoder(), ["kind"]), (StandardScaler(), ["size"]))
    inside = ColumnTransformer([("layer", NetworkTransformer(NetworkClassifier(**SMALL)), ["kind", "size"])])
    assert make_pipeline(encoded, CLASSIFIER).fit(frame, y).score(frame, y) > 0.85
    made = inside.set_output(transform="pandas").fit_transform(frame, y)
    assert made.shape == (120, 8) and made.columns[0] == "layer__networktransformer0"


@pytest.fixture
def worker_processes():
    """joblib keeps its processes for later; other tests count those that are there."""
    yield
    get_reusable_executor().shutdown(wait=True)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # of joblib's processes
@pytest.mark.parametrize("processes", [
    "multiprocessing", pytest.param("loky", marks=pytest.mark.long)])  # those of loky import all anew
def test_a_search_in_two_processes_finds_what_one_does(processes, worker_processes):
    with joblib.parallel_config(processes):
        searches = [GridSearchCV(CLASSIFIER, {"learning_rate": [0.001, 0.05]}, cv=2, n_jobs=jobs).fit(X, Y)
                    for jobs in (1, 2)]
    one, two = (search.cv_results_["mean_test_score"] for search in searches)
    assert np.array_equal(one, two) and searches[1].best_params_ == {"learning_rate": 0.05}
    assert searches[1].best_estimator_.verdict_.name in tz.record.VERDICTS


def test_scores_of_folds():
    frame, y = table()
    assert cross_val_score(CLASSIFIER, X, Y, cv=3).mean() > 0.9
    assert cross_val_score(NetworkClassifier(**SMALL), frame, y, cv=2, scoring="roc_auc").mean() > 0.8
    assert cross_val_predict(CLASSIFIER, X, Y, cv=2, method="predict_proba").shape == (150, 3)


@pytest.mark.long
def test_learning_curves_and_selections():
    _, _, scores = learning_curve(CLASSIFIER, X, Y, train_sizes=[0.5, 1.0], cv=2, shuffle=True, random_state=0)
    assert scores[-1].mean() > 0.9
    assert SequentialFeatureSelector(CLASSIFIER, n_features_to_select=1, cv=2).fit(X, Y).get_support().sum() == 1


def test_permutation_importance_ranks_columns_of_tables():
    frame, y = table()
    frame["noise"] = np.random.default_rng(1).normal(size=120)
    found = permutation_importance(NetworkClassifier(**SMALL).fit(frame, y), frame, y, n_repeats=3, random_state=0)
    assert found.importances_mean.argmax() == 1


def test_a_frozen_network_gives_features():
    model = clone(CLASSIFIER).fit(X, Y)
    frozen = NetworkTransformer(FrozenEstimator(model)).fit(X, Y)
    assert np.array_equal(frozen.transform(X), NetworkTransformer(CLASSIFIER).fit(X, Y).transform(X))


def by_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    return joblib.load(io.BytesIO(file.getvalue()))


@pytest.mark.parametrize("copy", [by_joblib, lambda model: pickle.loads(pickle.dumps(model))], ids=["joblib", "pickle"])
@pytest.mark.parametrize("make", [lambda: NetworkClassifier(**SMALL).fit(*table()),
                                  lambda: NetworkTransformer(CLASSIFIER).fit(X, Y)], ids=["classifier", "transformer"])
def test_copies_predict_the_same_to_the_last_bit(make, copy):
    model = make()
    twin = copy(model)
    if isinstance(model, NetworkTransformer):
        assert np.array_equal(twin.transform(X), model.transform(X))
    else:
        frame, y = table()
        assert np.array_equal(twin.predict_proba(frame), model.predict_proba(frame))
        assert twin.verdict_ == model.verdict_ and twin.history_.rows == model.history_.rows
        model.partial_fit(frame, y)  # the optimizer's state comes along
        twin.partial_fit(frame, y)
        assert np.array_equal(twin.predict_proba(frame), model.predict_proba(frame))


def test_pickles_hold_the_files_of_a_saved_model_in_place_of_the_network():
    state = clone(CLASSIFIER).fit(X, Y).__getstate__()
    assert sorted(state["network_"]) == ["model.json", "model.safetensors", "optimizer.safetensors"]
    assert not clone(CLASSIFIER).__getstate__().get("network_")
