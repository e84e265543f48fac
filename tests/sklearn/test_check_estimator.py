"""scikit-learn's own checks of estimators: none fails, and none is expected to."""

import itertools
import unittest

import pytest
from sklearn.utils.estimator_checks import (
    check_estimator,
    check_methods_subset_invariance,
    estimator_checks_generator,
)

from tarazu.sklearn import NetworkClassifier, NetworkRegressor, NetworkTransformer

NEEDS_SETTING = {"check_array_api_input"}  # SCIPY_ARRAY_API=1 in the environment
HAVE_NO_DECISION_FUNCTION = {"check_classifiers_multilabel_output_format_decision_function"}
SKIPPED = NEEDS_SETTING | HAVE_NO_DECISION_FUNCTION
SMALL = {"hidden": (4,), "learning_rate": 0.1, "random_state": 0, "batch_size": 1000}
ESTIMATORS = {
    "classifier": NetworkClassifier(epochs=20, **SMALL),
    "regressor": NetworkRegressor(epochs=25, **SMALL),
    "transformer": NetworkTransformer(NetworkClassifier(epochs=2, **SMALL)),
}
WITH_DEFAULTS = {"classifier": NetworkClassifier(), "regressor": NetworkRegressor(),
                 "transformer": NetworkTransformer(), "transformer of numbers": NetworkTransformer(NetworkRegressor())}
# Without warm_start: several checks fit one estimator twice and want the same, which it is there not to give.
SETTINGS = [dict(zip(("activation", "dropout", "early_stopping", "optimizer", "weight_decay"), each, strict=True))
            for each in (("tanh", 0.0, False, "sgd", 0.01), ("relu", 0.1, False, "adamw", 0.01),
                         ("gelu", 0.0, False, "nadam", 0.0), ("relu", 0.0, False, "rmsprop", 0.0))]
NAMES = ["classifier", *(pytest.param(name, marks=pytest.mark.long) for name in ("regressor", "transformer"))]


def failures(estimator):
    """The checks that fail, with what they say; those that are skipped are known."""
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    skipped = {each["check_name"] for each in results if each["status"] == "skipped"}
    assert skipped <= SKIPPED and len(results) > 50
    return {each["check_name"]: str(each["exception"]) for each in results if each["status"] not in
            ("passed", "skipped")}


@pytest.mark.filterwarnings("ignore")  # what the checks provoke
@pytest.mark.parametrize("name", NAMES)
def test_every_check_passes(name):
    for estimator, check in estimator_checks_generator(ESTIMATORS[name]):
        if check.func is not check_methods_subset_invariance:  # below
            try:
                check(estimator)
            except unittest.SkipTest:
                assert check.func.__name__ in SKIPPED


@pytest.mark.native  # as users have it; NumPy's products round by how many rows there are
@pytest.mark.parametrize("name", NAMES)
def test_predictions_do_not_depend_on_the_number_of_rows(name):
    check_methods_subset_invariance(name, ESTIMATORS[name])


@pytest.mark.long
@pytest.mark.native
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WITH_DEFAULTS)
def test_every_check_passes_with_defaults(name):
    assert not failures(WITH_DEFAULTS[name])


@pytest.mark.long
@pytest.mark.native
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "settings"), [*itertools.product(ESTIMATORS, SETTINGS)])
def test_every_check_passes_with_settings(name, settings):
    estimator = ESTIMATORS[name]
    if name == "transformer":
        estimator = NetworkTransformer(NetworkRegressor(epochs=3, **SMALL | settings))
    else:
        estimator = type(estimator)(epochs=60, **SMALL | settings)
    assert not failures(estimator)
