"""Turns of scans: threads wait for each other only where a turn reads what another thread wrote."""

import re
import time

import numpy as np
import pytest
from random_scans import scan_of_seed
from test_fuzz import check
from worker_process import Worker

import tarazu as tz

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


@pytest.fixture(scope="module", params=["avx512", "avx2", "sse"])
def worker(request, backend_name):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TARAZU_CPU", request.param)
        worker = Worker(backend_name, (1, 2, 3, 4))
        worker.start()
    yield worker
    worker.close()


@pytest.mark.parametrize("number", range(8))
def test_random_scans(number, worker):
    check(worker, scan_of_seed(number))


@pytest.mark.long
def test_many_random_scans(worker):
    start = time.time_ns() % 2**32
    for number in range(start, start + 100):
        check(worker, scan_of_seed(number))
