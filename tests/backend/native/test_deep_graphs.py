"""Graphs of any depth: nothing recurses down a chain of operations, and compile time stays linear in its length."""

import itertools
import re
from collections.abc import Callable

import numpy as np
import pytest

import tarazu as tz

pytest.importorskip("llvmlite")
from tarazu.backend.native.compiler import lower
from tarazu.backend.native.llvm.target import host
from tarazu.backend.native.lowering.buffers import Buffer
from tarazu.backend.native.schedule.emit import MOST_STEPS
from tarazu.backend.native.schedule.memory_plan import MemoryPlan, _by_size, _FreeMemory, _in_turn, _Span
from tarazu.backend.native.schedule.pending import PendingAccesses
from tarazu.backend.native.schedule.work_sharing import BufferAccess, Rows, Whole
from tarazu.backend.numpy import evaluate
from tarazu.base import dtypes
from tarazu.ir.rewrite import simplify

LONG = 600  # of two operations each: more than Python's stack has frames
FUNCTION = re.compile(r"^define .*?^}", re.MULTILINE | re.DOTALL)
X = np.linspace(0.1, 1, 5, dtype="float32")


def chain(x, count=LONG):
    for _ in range(count):
        x = x * 0.9 + 0.1
    return x


def views(x):
    for _ in range(LONG):
        x = tz.flip(x[None], 1)[0]
    return x


def scalars(x):
    total = x[0]
    for _ in range(LONG):
        total = total * 0.9 + 0.01
    return total + x


def test_ten_thousand_operations():
    def f(x):  # the only test of this length: others need a longer chain than the stack, no more
        y = x
        for _ in range(5000):
            y = y + x * 0.001
        return y

    expected = X
    for _ in range(5000):
        expected = expected + X * np.float32(0.001)
    np.testing.assert_array_equal(tz.jit(f)(tz.tensor(X)), expected)


@pytest.mark.parametrize("function", [
    chain, views, scalars,
    tz.grad(lambda x: tz.sum(chain(x) ** 2)),
    lambda x: tz.fori_loop(0, 2, lambda _, y: chain(y), x),
    tz.grad(lambda x: tz.sum(tz.fori_loop(0, 2, lambda _, y: chain(y), x) ** 2)),
    tz.grad(lambda x: tz.sum(tz.cond(x[0] > 0, chain, lambda x: x, x))),
    lambda x: tz.while_loop(lambda c: c[0] < 2, lambda c: (c[0] + 1, chain(c[1])), (tz.tensor(0), x))[1],
    tz.vmap(lambda x: chain(x * x)),
    lambda x: tz.jvp(chain, (x,), (x,))[1],
], ids=["chain", "views", "scalars", "grad", "loop", "grad of a loop", "grad of a branch", "while", "vmap", "jvp"])
def test_chains_longer_than_the_stack(function: Callable[..., tz.Tensor]):
    x = tz.tensor(X)
    np.testing.assert_allclose(tz.jit(function)(x), function(x), rtol=1e-6)


def test_sums_in_python_and_wide_windows():
    rows = tz.tensor(np.random.default_rng(0).normal(size=(300, 3)).astype("float32"))
    total = tz.jit(lambda xs: sum(xs[i] for i in range(300)))(rows)
    np.testing.assert_array_equal(total, sum(rows.numpy()[i] for i in range(300)))
    x = np.random.default_rng(1).normal(size=(1, 2000, 1)).astype("float32")
    windows = np.lib.stride_tricks.sliding_window_view(x[0, :, 0], 256)[::128]
    pooled = tz.jit(lambda x: tz.average_pool(x, 256, stride=128))(tz.tensor(x))
    np.testing.assert_allclose(pooled[0, :, 0], windows.mean(1, dtype="float64"), atol=1e-6)


def test_a_thousand_layers():  # seconds: fewer fit on the stack of some callers
    model = tz.nn.Sequential([tz.nn.Dense(3, activation="tanh") for _ in range(1000)])
    x = tz.ones(2, 3)
    expected = model(x)
    np.testing.assert_allclose(tz.jit(model)(x), expected, atol=1e-6)


def test_graphs_of_any_depth_are_drawn_and_printed():
    graph = tz.trace(chain)(tz.tensor(X))
    assert len(str(graph).splitlines()) == 2 * LONG + 2
    assert graph.counts().nodes == {"mul": LONG, "add": LONG}
    assert graph.to_svg().count("<rect") > LONG and graph.to_mermaid() and graph.to_dot()


def test_long_programs_are_several_functions():
    def rolled(x):
        for _ in range(200):
            x = tz.roll(x, 1)
        return x

    def f(x):
        return tz.fori_loop(0, 3, lambda _, y: rolled(y), rolled(x))

    np.testing.assert_array_equal(tz.jit(f)(tz.tensor(X)), X)
    text = lower(simplify(tz.trace(f)(tz.tensor(X)), evaluate), host()).text
    assert max(text[part.start():part.end()].count("call void @k") for part in FUNCTION.finditer(text)) <= MOST_STEPS


def test_free_memory_is_taken_where_the_first_gap_is_large_enough():
    rng = np.random.default_rng(0)
    free, live, end = _FreeMemory(), [], 0
    for _ in range(500):
        if live and rng.random() < 0.45:
            offset, size = live.pop(rng.integers(len(live)))
            free.give_back(offset, size)
            continue
        size, first = int(rng.integers(1, 9)) * 64, 0
        for low, taken in sorted(live):
            if first + size <= low:
                break
            first = low + taken
        assert free.take(size) == first
        live.append((first, size))
        end = max(end, first + size)
        assert free.end == end


@pytest.mark.parametrize("plan", [_in_turn, _by_size])
def test_buffers_that_are_needed_at_the_same_time_lie_apart(plan):
    rng = np.random.default_rng(0)
    starts = sorted(int(start) for start in rng.integers(0, 100, 80))
    spans = [_Span(start, start + int(rng.integers(0, 30)), Buffer(dtypes.float32, int(rng.integers(0, 900))))
             for start in starts]
    found = plan(spans)
    assert found.size == max(found.offsets[span.buffer] + span.size for span in spans)
    for one, other in itertools.combinations(spans, 2):
        assert not found.overlap(one.buffer, other.buffer) or one.last < other.start


def test_large_arenas_have_few_gaps():
    lengths = [(0, 1, 4), (0, 9, 1), (2, 9, 5)]  # first and last time, size
    spans = [_Span(start, last, Buffer(dtypes.float32, size * 16)) for start, last, size in lengths]
    assert (_by_size(spans).size, _in_turn(spans).size) == (6 * 64, 10 * 64)


def test_pending_accesses_are_those_that_overlap():
    rng = np.random.default_rng(0)
    buffers = [Buffer(dtypes.float32, int(rng.integers(1, 40))) for _ in range(40)]
    plan = MemoryPlan({buffer: int(rng.integers(0, 30)) * 16 for buffer in buffers}, 1000)
    partitions = [Whole.THREAD_0, Whole.ANY_THREAD, Rows(4, 8)]
    pending, every = PendingAccesses(plan), []
    for _ in range(80):
        access = BufferAccess(buffers[rng.integers(40)], partitions[rng.integers(3)], bool(rng.integers(2)))
        expected = {other for other in every if plan.overlap(other.buffer, access.buffer)
                    and not other.partition is access.partition is Whole.THREAD_0}
        assert set(pending.near(access)) == expected
        pending.add(access)
        every.append(access)
    pending.clear()
    assert not list(pending.near(every[0]))
