"""What people see of native programs: the schedule as text, profiles, the log."""

from __future__ import annotations

import functools
import math
import re
import textwrap

import numpy as np
import pytest
from small_networks import training_step

import tarazu as tz
from tarazu import nn
from tarazu.base.errors import ArgumentError, DeviceError

pytest.importorskip("llvmlite")
from tarazu.backend.native.compiler import lower, lower_with
from tarazu.backend.native.inspect.peak import peak, peak_text
from tarazu.backend.native.inspect.schedule_text import schedule_text
from tarazu.backend.native.inspect.ticks import tick_seconds
from tarazu.backend.native.inspect.timed import TimedEmitter
from tarazu.backend.native.llvm.assemble import object_code
from tarazu.backend.native.llvm.target import aarch64, host
from tarazu.backend.native.program import processor

TURNS = 5


def small(x, w):
    """A product, a loop, a branch and a primitive that NumPy computes."""
    y, rows = tz.scan(lambda carry, row: (carry * row, carry.sum()), tz.relu(x @ w), tz.ones(TURNS, 2))
    z = tz.cond(rows.sum() > 0, lambda y: y * 2, lambda y: y - 1, y)
    return z, tz.linalg.eigh(z)


def arguments():
    return tz.ones(2, 3), tz.ones(3, 2)


def training():
    """A jitted step of training with dropout, its model and its optimizer."""
    tz.random.seed(1)
    model = nn.Sequential([nn.Dense(8, activation="relu"), nn.Dropout(0.5), nn.Dense(3)])
    model(tz.ones(16, 4))
    optimizer = tz.optim.Adam(model.parameters())
    return tz.jit(training_step(model, optimizer)), model, optimizer


def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(16, 4)).astype(np.float32), np.arange(16) % 3


# The schedule


def test_schedule_of_a_small_program():
    text = schedule_text(tz.trace(small)(*arguments()), aarch64())
    assert re.sub(r"[\d,]+ lines", "N lines", text) == textwrap.dedent(GOLDEN).strip()


GOLDEN = """
    k0_dot 2 x 2 over 3: mul, less_equal, where  (1 item, thread 0, tile 2 x 4, panels 1, blocks 1, columns)
      x, w -> @0; 32 flop, reads 48 B, writes 16 B
    k1_copy 2  (1 item, thread 0)
      @0 -> @64; 0 flop, reads 16 B, writes 16 B
    --- barrier
    loop 5 turns
      turn:
        k2_map 2 x 2: mul  (2 items, thread 0)
          @64, row of constant 0 -> @128; 4 flop, reads 24 B, writes 16 B
        k3_sum 1 over 4  (1 item, thread 0)
          @64 -> row of @0; 4 flop, reads 16 B, writes 4 B
        k1_copy 2  (1 item, thread 0)
          @128 -> @64; 0 flop, reads 16 B, writes 16 B
    k4_sum 1 over 5: greater  (1 item, thread 0)
      @0 -> @128; 6 flop, reads 20 B, writes 1 B
    --- barrier
    branch one of two
      predicate @128
      if true:
        k5_map 4: mul  (1 item, thread 0)
          @64 -> output 0; 4 flop, reads 16 B, writes 16 B
      --- barrier
      if false:
        k6_map 4: sub  (1 item, thread 0)
          @64 -> output 0; 4 flop, reads 16 B, writes 16 B
      --- barrier
    NumPy eigh: float32[2,2] -> float32[2], float32[2,2]  (thread 0)
      output 0 -> output 1, output 2; 16 flop, reads 16 B, writes 24 B
    in all: 102 flop, reads 412 B, writes 269 B; loops count with all turns, a while with one, a branch with both sides
    7 kernels, 4 barriers, arena 192 B, scratch 0 B per thread, N lines of LLVM IR
"""


def test_the_text_is_that_of_this_processor_and_says_the_same_again():
    f = tz.jit(small)
    f(*arguments())
    assert f.native_text() == f.native_text() == schedule_text(f.graph, processor())


def test_state_that_is_renewed_in_place_is_shown_so():
    w = tz.zeros(512, 513)

    @tz.jit
    def step(x):
        w.mul_(0.5).add_(x)

    step(tz.ones(513))
    text = step.native_text()
    assert "w" in re.search(r" -> (.*);", text).group(1) and "output" not in text
    before = w.numpy().copy()
    assert tz.profile(step, tz.ones(513), seconds=0.01).rows
    np.testing.assert_array_equal(w.numpy(), before)


def test_steps_tell_their_module_and_parameters_their_names():
    step, _, _ = training()
    step(*batch())
    text = step.native_text()
    assert re.search(r"k\d+_dot 16 x 8 over 4: .*\[Sequential/0 Dense", text)
    assert "Sequential/2 Dense back" in text and "model.0.weight" in text


def test_barriers_stand_between_shared_kernels_that_meet():
    f = tz.jit(lambda x: tz.tanh(x @ x) @ x)
    f(tz.ones(256, 256))
    kernels = [line.split(" ")[0] for line in f.native_text().splitlines() if not line.startswith("  ")]
    assert kernels[0].startswith("k0") and "---" in kernels and "shared" in f.native_text()


def test_bytes_and_operations():
    f = tz.jit(lambda x, y: (x @ y + 1).sum())
    f(tz.ones(8, 16), tz.ones(16, 4))
    lines = f.native_text().splitlines()
    assert "x, y -> @0; 1.02 kflop, reads 768 B, writes 128 B" in lines[1]
    assert "in all: 1.09 kflop" in lines[-2]  # 2 x 8 x 4 x 16, and 2 x 8 x 4


def test_a_function_that_was_never_called_has_no_text():
    with pytest.raises(ArgumentError, match="call it once first"):
        tz.jit(small).native_text()


def test_kernels_in_runs_of_a_loop_are_shared_too():
    def f(x):
        return tz.scan(lambda carry, _: (tz.tanh(carry.sum(-1, keepdims=True) * carry), None), x, length=3)[0]

    assert lower(tz.trace(f)(tz.ones(512, 512)), host()).is_shared


# Profiles


def test_rows_of_a_profile_add_up():
    f = tz.jit(small)
    found = tz.profile(f, *arguments(), seconds=0.02)
    assert sum(row.seconds for row in found.rows) == pytest.approx(found.seconds)
    assert sum(row.share for row in found.rows) == pytest.approx(1)
    waiting = next(row for row in found.rows if row.kind == "waiting")
    assert sum(row.waited for row in found.rows[:-3]) == pytest.approx(waiting.seconds)
    assert [row.kind for row in found.rows[-3:]] == ["waiting", "threads", "Python"]
    assert found.runs >= 3 and found.threads >= 1


def test_calls_are_counted_inside_loops_and_branches():
    found = tz.profile(tz.jit(small), *arguments(), seconds=0.02)
    inside = [row for row in found.rows if row.depth == 1]
    assert {row.calls for row in inside} == {TURNS, 1, 0}  # the branch that was not taken has none
    assert {row.kind for row in found.rows} >= {"dot", "loop", "branch", "NumPy"}
    taken = {row.what: row.calls for row in inside if ": mul" in row.what or ": sub" in row.what}
    assert sorted(taken.values())[0] == 0


def test_rates():
    x = tz.ones(128, 128)
    found = tz.profile(tz.jit(lambda x: x @ x), x, seconds=0.05)
    row = found.rows[0]
    assert row.flops == 2 * 128**3 and row.bytes >= 2 * x.size * 4
    assert row.gflops == pytest.approx(row.flops / row.seconds / 1e9)
    assert 0.01 < row.gflops_share < 3 and row.gigabytes_share > 0
    assert found.rows[-1].gflops == found.rows[-1].gflops_share == 0


def test_a_profile_as_text():
    text = str(tz.profile(tz.jit(small), *arguments(), seconds=0.02))
    assert text.startswith("small: ") and "peak" in text and "waiting at barriers" in text and "NumPy eigh" in text


def test_profiling_changes_nothing():
    losses = []
    for times in (0, 2):
        step, model, optimizer = training()
        step(*batch())
        kept = [(x, np.array(x), np.array(x.grad)) for x in model.parameters()]
        for _ in range(times):
            tz.profile(step, *batch(), seconds=0.01)
        for x, value, gradient in kept:
            np.testing.assert_array_equal(np.array(x), value)
            np.testing.assert_array_equal(np.array(x.grad), gradient)
        assert int(optimizer.step_count) == 1 and step.cache_info().calls == 1 and step.traces == 1
        losses.append([float(step(*batch())) for _ in range(3)])  # with dropout: random state is the same too
    assert losses[0] == losses[1]


def test_profiling_leaves_the_arguments_alone():
    x = np.ones((4, 4), np.float32)
    f = tz.jit(lambda x: x + 1)
    tz.profile(f, x, seconds=0.01)
    assert (x == 1).all() and f.traces == 1


def test_methods_and_threads(set_threads):
    class Model:
        @tz.jit
        def apply(self, x):
            return tz.tanh(x @ x)

    set_threads(2)
    found = tz.profile(Model().apply, tz.ones(256, 256), seconds=0.02)
    assert found.label == "apply" and found.threads == found.peak.threads == 2


def test_what_is_not_jitted_is_refused():
    with pytest.raises(ArgumentError, match=r"tz.profile\(tz.jit\(function\)"):
        tz.profile(small, *arguments())


@pytest.mark.parametrize("seconds", [0, -1, math.inf, math.nan, "1"])
def test_a_time_that_is_none_is_refused(seconds):
    with pytest.raises(ArgumentError, match=r"seconds=(.|\n)*expected: a finite number greater than 0"):
        tz.profile(tz.jit(small), *arguments(), seconds=seconds)


def test_other_backends_say_how_to_switch(monkeypatch):
    f = tz.jit(small)
    f(*arguments())
    monkeypatch.setattr("tarazu.runtime.compile._chosen", "numpy")
    for look in (lambda: tz.profile(f, *arguments()), f.native_text):
        with pytest.raises(DeviceError, match=r'tz.set_backend\("native"\)'):
            look()


# What it is made of


def test_the_peak_is_measured_once():
    found = peak(1)
    assert found.threads == 1 and found.gflops > 0.5 and found.gigabytes > 0.1 and peak(1) is found


def test_ticks():
    assert 1e-11 < tick_seconds() < 1e-6


def test_other_processors_take_times_too():
    target = aarch64()
    emitter = functools.partial(TimedEmitter, target=target)
    text = lower_with(emitter, tz.trace(small)(*arguments()), target).text
    assert object_code(text, target) and object_code(peak_text(target), target)


def test_log_of_compiled_and_loaded_programs(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("TARAZU_CACHE", str(tmp_path))
    monkeypatch.setenv("TARAZU_LOG", "native")
    for how in (r"lowered in [\d.]+ s, compiled", "loaded from the cache"):
        tz.runtime.compile.compile_graph.cache_clear()
        tz.jit(lambda x: tz.linalg.eigh(x * 3))(tz.ones(2, 2))
        first, second = capsys.readouterr().err.splitlines()
        assert re.fullmatch(rf"tarazu native: \d+ nodes, 1 inputs, 2 outputs: \d+ kernels, [\d,]+ lines, {how} "
                            r"in [\d.]+ s, arena [\d.]+ MB, one thread", first)
        assert second == "tarazu native: NumPy computes eigh inside a compiled program"
