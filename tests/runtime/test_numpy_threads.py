"""NumPy's products on one thread: in a block, and where `fit` looks at its first row."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import threadpoolctl

import tarazu as tz
from tarazu.ir.interpreter import state
from tarazu.runtime import numpy_threads
from tarazu.runtime.numpy_threads import one_numpy_thread


def threads() -> set[int]:
    """On how many threads NumPy's library for products would run."""
    return {one["num_threads"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"}


@pytest.fixture
def two_threads():
    with threadpoolctl.threadpool_limits(2, "blas"):
        yield


@pytest.mark.usefixtures("two_threads")
def test_one_thread_in_the_block_and_as_many_as_before_behind_it():
    with one_numpy_thread():
        assert threads() == {1}
    assert threads() == {2}


@pytest.mark.usefixtures("two_threads")
def test_fit_calls_a_model_that_has_to_see_a_row_on_one_thread():
    seen = []

    class Watched(tz.nn.Dense):
        def forward(self, x):
            if not state.interpreter.is_tracing:
                seen.append(threads())
            return super().forward(x)

    model = Watched(1)
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3), "float32"), np.ones((4, 1), "float32"), verbose=0)
    assert seen == [{1}]
    assert threads() == {2}


def test_without_threadpoolctl_nothing_changes(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    numpy_threads._controller.cache_clear()
    try:
        with one_numpy_thread():
            assert (np.ones((2, 2)) @ np.ones((2, 2)) == 2).all()
    finally:
        numpy_threads._controller.cache_clear()
