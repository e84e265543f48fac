"""Turns of scans: threads wait for each other only where a turn reads what another thread wrote."""

import re
import time

import numpy as np
import pytest
from comparing import difference, expected
from random_scans import scan_of_seed

import tarazu as tz
from tarazu import backend
from tarazu.backend.native.llvm.target import host

pytestmark = pytest.mark.native

TIME, BATCH, FEATURES, UNITS = 12, 64, 32, 128


def arguments(gates):
    """A sequence and the weights of a recurrent layer."""
    return [tz.ones(shape) for shape in ((BATCH, TIME, FEATURES), (FEATURES, gates * UNITS), (UNITS, gates * UNITS))]


def lstm(x, *weights):
    _, (h, c) = tz.lstm(x, tz.zeros(BATCH, UNITS), tz.zeros(BATCH, UNITS), *weights)
    return h + c


def gru(x, *weights):
    return tz.gru(x, tz.zeros(BATCH, UNITS), *weights)[1]


def waits(function, *args):
    """How often threads wait for each other in each loop of a program for two."""
    step = tz.jit(function)
    step(*args)
    found, depths = [], []
    for line in step.native_text(threads=2).splitlines():
        depth = len(line) - len(line.lstrip())
        while depths and depth <= depths[-1]:
            depths.pop()
        if line.lstrip().startswith("loop"):
            depths.append(depth)
            found.append(0)
        elif depths and line.strip() == "--- barrier":
            found[-1] += 1
    return found


def trained(layer, gates):
    def gradients(x, *weights):
        weights = [w.detach().requires_grad_() for w in weights]
        layer(x, *weights).square().sum().backward()
        return [w.grad for w in weights]

    return gradients, arguments(gates)


@pytest.mark.parametrize(("layer", "gates"), [(lstm, 4), (gru, 3)])
def test_threads_that_have_rows_of_their_own_do_not_wait(layer, gates):
    function, args = trained(layer, gates)
    assert waits(layer, *args) == [0]
    assert waits(function, *args) == [0, 0]


def test_threads_wait_where_rows_meet():
    def function(x):
        return tz.scan(lambda carry, x: (tz.tanh(x + carry.mean(0)), None), x[0], x)[0]

    (found,) = waits(function, tz.ones(TIME, BATCH, UNITS))
    assert found


def test_steps_of_one_thread_need_no_others():
    def function(x):
        return tz.scan(lambda carry, x: (carry / 2 + x.mean(0), carry.sum()), x[0, 0], x)

    assert waits(function, tz.ones(TIME, 3, 2)) == [0]


def powers(x, w):
    """The rows of `x` after some products by a matrix, and the sum of those by its transpose."""
    x, ys = tz.scan(lambda h, _: (tz.tanh(h @ w), tz.sin(h @ w.T)), x, length=5)
    return x, ys.sum(0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("rows", "size"), [(32, 48), (33, 40), (24, 17), (5, 64)])
def test_products_by_matrices_in_panels(rows, size, dtype, set_threads):
    random = np.random.default_rng(0)
    args = [tz.tensor((random.normal(size=shape) / 3).astype(dtype)) for shape in ((rows, size), (size, size))]
    step = tz.jit(powers)
    for threads in (1, 2, 3):
        set_threads(threads)
        for found, wanted in zip(step(*args), powers(*args), strict=True):
            np.testing.assert_allclose(found.numpy(), wanted.numpy(), atol=1e-4 if dtype == "float32" else 1e-12)
    panels = re.findall(r"copy \d+ x (\d+) x \d+", step.native_text())
    assert panels == ["48", "48"] if (rows, size) == (32, 48) else len(panels) in (0, 2)


def check(number, set_threads):
    """A scan gives what NumPy does, and the same bits on any number of threads."""
    case = scan_of_seed(number)
    inputs = case.arrays(0)
    program, bits = backend.load("native").compile(case.graph), set()
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        found = program(*inputs)
        bits.add(b"".join(np.asarray(x).tobytes() for x in found))
    assert len(bits) == 1, f"scan {number}: other bits on other threads"
    for values, wanted in zip(found, expected(case.graph, inputs), strict=True):
        assert not difference(values, wanted), f"scan {number}"


@pytest.fixture(params=["avx512", "avx2", "sse"])
def shared_on(request, monkeypatch, set_threads):
    """A function that checks the scan of a seed on this processor or a narrower one; odd ones share all they can."""
    def run(number):
        monkeypatch.setattr("tarazu.backend.native.schedule.work_sharing.WORTH_SHARING", -1.0 if number % 2 else 400.0)
        check(number, set_threads)

    monkeypatch.setattr("tarazu.backend.native.program.host", lambda: host(request.param))
    monkeypatch.setenv("TARAZU_CACHE", "off")  # whose keys do not know of that
    return run


@pytest.mark.parametrize("number", range(4))
def test_random_scans(number, shared_on):
    shared_on(number)


@pytest.mark.long
def test_many_random_scans(shared_on):
    start = time.time_ns() % 2**32
    for number in range(start, start + 100):
        shared_on(number)
