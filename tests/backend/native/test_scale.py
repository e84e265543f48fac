"""Programs for many cores: products cut into grids, the plan as text, and the simulation by its arithmetic."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError

pytest.importorskip("llvmlite")
from tarazu.backend.native.compiler import lower
from tarazu.backend.native.inspect.handed_over import Handed, handed_over
from tarazu.backend.native.inspect.machine import Machine, copying_rate, machine
from tarazu.backend.native.inspect.simulate import Moment, simulated
from tarazu.backend.native.inspect.work import Work
from tarazu.backend.native.llvm.target import aarch64, host
from tarazu.backend.native.program import NativeProgram, processor
from tarazu.backend.numpy import evaluate

CORES = Machine(4, barrier=0.5, start=0.0, handover=0.25, pace=1.0, copying=20.0, copying_alone=10.0)
SHARED, ALONE = Work("map", "map", "", is_shared=True, items=4), Work("map", "map", "")
BARRIER = Moment(0, None)


def product(m, k, n):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype(np.float32) for shape in ((m, k), (k, n))]


def matmul(x, y):
    return tz.tanh(x @ y)


# Grids


@pytest.mark.parametrize(("shape", "threads", "items"), [
    ((64, 784, 128), 64, 64), ((64, 128, 10), 16, 16), ((256, 256, 256), 64, 64)])
def test_where_threads_outnumber_panels_their_rows_are_shared_too(shape, threads, items):
    x, y = product(*shape)
    graph = tz.trace(matmul)(x, y)
    for target in (host(), aarch64()):
        steps = lower(graph, target._replace(threads=threads)).steps
        assert max(step.kernel.items for step in steps if "dot" in step.kernel.name) >= min(items, 16)
    kernel = lower(graph, host("avx2")._replace(threads=threads)).steps[0].kernel if processor().is_x86 else None
    assert kernel is None or ("shares of rows" in kernel.tile and kernel.items == items)


@pytest.mark.parametrize("shape", [(64, 128, 10), (37, 300, 24), (5, 9, 3)])
def test_grids_give_the_same_bits_on_any_number_of_threads(shape, set_threads, monkeypatch):
    x, y = product(*shape)
    monkeypatch.setattr("tarazu.backend.native.program.cores", lambda: 16)
    program = NativeProgram(tz.trace(matmul)(x, y), evaluate)
    found = []
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        found.append(program(x, y)[0])
    np.testing.assert_allclose(found[0], np.tanh(x.astype(float) @ y), atol=1e-5)
    assert all(np.array_equal(found[0], other) for other in found[1:])


# The plan


def test_the_plan_tells_the_largest_share_of_each_kernel():
    f = tz.jit(matmul)
    f(*product(64, 784, 128))
    text = f.native_text(threads=64)
    assert "largest share 1 of " in text and text.splitlines()[-1].startswith("planned for 64 threads: at most ")
    assert "largest share" not in f.native_text()
    with pytest.raises(ArgumentError, match=r"native_text\(threads=0\)"):
        f.native_text(threads=0)


# The simulation


def test_each_thread_has_a_clock_and_barriers_set_all_to_the_last():
    moments = [Moment(0, SHARED, 1, [4, 1, 1, 1]), Moment(0, SHARED, 1, [1, 4, 1, 1]), BARRIER,
               Moment(0, ALONE, 1, [2]), Moment(0, SHARED, 1, [1, 1, 1, 5])]
    steps, left = simulated(moments, CORES, in_memory=False)
    assert [step.seconds for step in steps] == [4, 1, 2, 1]
    assert [step.waited for step in steps] == [0, 0, 0.5, 0]  # thread 0 is not ahead of thread 1
    assert left == 2  # thread 3 begins at once and works for 5


def test_barriers_count_as_often_as_they_come():
    steps, left = simulated([Moment(0, SHARED, 10, [1, 2, 3, 4]), Moment(0, None, 10), Moment(0, ALONE, 1, [1])],
                            CORES, in_memory=False)
    assert steps[1].waited == 3 + 10 * 0.5 and left == 0


def test_threads_beside_each_other_may_be_slower():
    steps, left = simulated([Moment(0, SHARED, 1, [1, 1, 1, 1])], CORES._replace(pace=0.5), in_memory=False)
    assert (steps[0].seconds, left) == (2, 0)


def test_memory_bounds_what_is_moved_through_it():
    moved = SHARED._replace(read=40, written=40)  # 8 seconds by one thread, 4 by all
    for seconds, expected in (([2, 2, 2, 2], 4), ([6, 6, 6, 6], 6), ([0.5] * 4, 1)):
        steps, _ = simulated([Moment(0, moved, 1, seconds)], CORES, in_memory=True)
        assert steps[0].seconds == expected  # the last comes from the cache: 20 of the bytes at most are from memory
    assert simulated([Moment(0, moved, 1, [2] * 4)], CORES, in_memory=False)[0][0].seconds == 2


def test_memory_of_more_threads_than_were_measured():
    assert copying_rate(2, 2, 20, 32) == pytest.approx(32)
    assert copying_rate(1, 2, 20, 32) == pytest.approx(20)
    assert 32 < copying_rate(8, 2, 20, 32) < copying_rate(64, 2, 20, 32) < 80
    assert copying_rate(8, 2, 20, 50) == pytest.approx(160)  # no more than in proportion


def test_helpers_that_come_late_are_waited_for():
    moments = [Moment(0, SHARED, 1, [2, 2, 2, 2]), BARRIER, Moment(0, ALONE, 1, [1])]
    steps, left = simulated(moments, CORES, in_memory=False, late=3)
    assert (steps[0].seconds, steps[1].waited, left) == (2, 3.5, 0)


def test_what_others_wrote_takes_longer():
    shared, alone = Moment(0, SHARED, 2, [1, 1, 1, 0], Handed(2, 4)), Moment(0, ALONE, 1, [1], Handed(8, 0))
    steps, left = simulated([shared, alone], CORES, in_memory=False)
    assert [step.seconds for step in steps] == [2, 3]
    assert left == 0  # the last thread has no share, and so reads nothing; the others end at 3


def handed(f, *arrays, threads=2):
    steps = lower(tz.trace(f)(*arrays), processor()._replace(threads=threads)).steps
    found = handed_over(steps, threads)
    return [found[id(step)] for step in steps]


def test_a_product_reads_what_others_wrote_unless_they_wrote_the_rows_that_it_needs():
    x, w = product(64, 128, 128)
    half = 64 * 128 * 4 / 2
    assert handed(lambda x: tz.tanh(tz.sin(x)), x) == [Handed(0, 0)]
    assert handed(lambda x, w: tz.tanh(x @ w) @ w, x, w) == [Handed(0, 0), Handed(half, half)]
    _, second = handed(lambda x, w: tz.tanh(x @ w) @ w, x, w, threads=4)
    assert second == Handed(1.5 * half, 1.5 * half)


def test_a_step_of_thread_0_is_read_by_the_others():
    few = np.ones((1, 64), np.float32)
    *_, last = handed(lambda x, w: tz.tanh(x) * w, few, np.ones((512, 64), np.float32))
    assert last == Handed(0, few.nbytes)


def test_the_machine_is_measured():
    two = machine(2)
    assert 0 < two.barrier < 1e-2 and 0 <= two.handover < 1e-6
    assert machine(1).handover == machine(1).start == 0 < machine(64).start


def test_a_profile_for_many_cores():
    def f(x):
        return tz.fori_loop(0, 3, lambda _, y: tz.tanh(y @ x), x).sum()

    step, x = tz.jit(f), tz.ones(128, 128)
    found = tz.profile(step, x, seconds=0.02, threads=8)
    assert (found.threads, found.peak.threads, found.is_predicted) == (8, 8, True)
    assert sum(row.seconds for row in found.rows) == pytest.approx(found.seconds)
    assert {row.calls for row in found.rows if row.depth == 1} == {3}
    assert "8 threads simulated on one" in str(found)
    alone = tz.profile(step, x, seconds=0.02, threads=1)
    assert alone.threads == 1 and alone.rows[-3].seconds < 1e-4 and alone.rows[-3].kind == "waiting"
    with pytest.raises(ArgumentError, match=r"threads=2.5\)\n  expected: a whole number"):
        tz.profile(step, x, threads=2.5)
