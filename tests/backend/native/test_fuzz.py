"""Random graphs on the native backend, on 1 to 4 threads, in a process of their own, against NumPy.

A failure says where the smallest failing case was saved;
`python tests/backend/native/support/worker.py PATH` runs it again.
"""

import pickle
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from checking import problems
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from random_gradients import gradient_cases
from random_graphs import case_of_seed, cases
from random_networks import network_of_seed
from worker_process import Worker, save

from tarazu import backend
from tarazu.backend.numpy.program import KERNELS
from tarazu.base.errors import TarazuError
from tarazu.ir import op as ops

QUICK = settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
LONG = settings(QUICK, max_examples=1000)


@pytest.fixture(scope="module")
def worker(backend_name):
    worker = Worker(backend_name, (1, 2, 3, 4))
    yield worker
    worker.close()


def check(worker, case):
    problem = worker.check(case)
    assert not problem, f"{problem}\nsaved as {save(case, worker, problem)}"


def check_many(worker, strategy, number, options):
    print(f"seed {number}")
    seed(number)(options(given(strategy)(lambda case: check(worker, case))))()


STRATEGIES = pytest.mark.parametrize("strategy", [cases(), gradient_cases()], ids=["values", "gradients"])


@STRATEGIES
def test_random_graphs(worker, strategy):
    check_many(worker, strategy, 4, QUICK)


@pytest.mark.long
@STRATEGIES
def test_many_random_graphs(worker, strategy):
    check_many(worker, strategy, time.time_ns() % 2**32, LONG)


@pytest.mark.long
def test_many_random_convolutional_networks(worker):
    start = time.time_ns() % 2**32
    for number in range(start, start + 60):
        check(worker, network_of_seed(number))


@pytest.mark.parametrize(("ending", "message"), [(signal.SIGKILL, "the worker died with status -9"),
                                                 (signal.SIGSTOP, "the worker did not answer for 1 seconds")])
def test_a_dead_or_hung_worker_is_a_failure_and_is_replaced(ending, message, monkeypatch, tmp_path):
    monkeypatch.setattr("worker_process.PATIENCE", 1.0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    worker, case = Worker("numpy", (1,)), case_of_seed(1)
    try:
        worker.start()
        worker.process.send_signal(ending)
        with pytest.raises(AssertionError, match=message) as caught:
            check(worker, case)
        monkeypatch.undo()
        check(worker, case)
    finally:
        worker.close()
    (path,) = re.findall("saved as (.*pickle)", str(caught.value))
    assert pickle.loads(Path(path).read_bytes()).case() == case
    assert str(case.graph) in Path(path).with_suffix(".txt").read_text()


@settings(max_examples=30, deadline=None, database=None)
@given(st.integers(0, 10**6))
def test_a_case_is_the_same_whenever_it_is_drawn(number):
    first, second = case_of_seed(number), case_of_seed(number)
    assert first == second
    for x, y in zip(first.arrays(0), second.arrays(0), strict=True):
        np.testing.assert_array_equal(x, y)


def slightly_wrong(op):
    """A kernel whose floats are off by a thousandth, and whose other results are off by one in one place."""
    def kernel(*inputs, **attributes):
        out = KERNELS_BEFORE[op](*inputs, **attributes)
        return tuple(map(spoilt, out)) if op.multiple else spoilt(out)
    return kernel


def spoilt(out):
    out = np.array(out)
    if out.dtype.kind not in "biu":
        return (out * 1.001).astype(out.dtype)
    if out.size:
        out.reshape(-1)[-1] ^= out.dtype.type(1)
    return out


KERNELS_BEFORE = dict(KERNELS)
SPOILT = [op for op in ops.ALL if op.category not in ("control", "linalg", "shape") and op is not ops.BITCAST]


def is_found(case):
    try:
        return any(problems(case, backend.load("numpy").compile))
    except TarazuError:
        return True


ONE_OF_EACH_CATEGORY = list({op.category: op for op in SPOILT}.values())


@pytest.mark.parametrize("op", [
    pytest.param(op, id=op.name, marks=() if op in ONE_OF_EACH_CATEGORY else pytest.mark.long) for op in SPOILT])
def test_a_fault_in_a_kernel_is_found(op, monkeypatch):
    monkeypatch.setitem(KERNELS, op, slightly_wrong(op))
    is_noticed = any(is_found(case_of_seed(number)) for number in range(2000))
    assert is_noticed, f"no random graph shows it: tests/backend/native/support/steps_*.py lack a step of {op.name}"
