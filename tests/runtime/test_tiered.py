"""What comes often in eager code runs as native programs, with the results, errors and gradients of NumPy's kernels."""

import copy
import os
import subprocess
import sys

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import GradientError
from tarazu.optim import moves
from tarazu.runtime import compile, tiered
from tarazu.runtime.autograd import walk_program
from tarazu.runtime.jit.jit import JitInFull

AT_ONCE = 2  # calls in NumPy


@pytest.fixture
def programs(monkeypatch):
    """The graphs that were compiled; with few calls before."""
    compiled, compile_ = [], tiered.native_program

    def noted(graph):
        compiled.append(graph)
        return compile_(graph)

    monkeypatch.setattr(compile, "_chosen", "native")
    for module in (tiered, walk_program):
        monkeypatch.setattr(module, "native_program", noted)
        monkeypatch.setattr(module, "calls_before_compiling", lambda *_: AT_ONCE)
    monkeypatch.setattr(walk_program, "FIRST_LOOK", 1)
    _forget()
    yield compiled
    _forget()


def _forget():
    for cache in (tiered._tiered, walk_program._walk):
        cache.cache_clear()
    tiered._last_found.clear()


def _gradients(loss_of, *values):
    """Of a loss in terms of leaves with these values, by `backward`."""
    leaves = [tz.tensor(value, requires_grad=True) for value in values]
    loss_of(*leaves).backward()
    return [x.grad for x in leaves]


def _close(actual, expected):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=2e-6, atol=1e-6)


# Calls ------------------------------------------------------------------------------------------------------------

def test_a_composite_is_compiled_once_it_came_often(programs):
    x = tz.tensor(np.linspace(-3, 3, 12, dtype=np.float32).reshape(3, 4))
    first, *_, last = [tz.softmax(x) for _ in range(4)]
    assert len(programs) == 1
    _close(last, first)


def test_a_convolution_is_compiled_for_each_shape_that_came_often(programs):
    kernel = tz.ones((3, 3, 2, 4))
    for rows in (5, 6):
        results = [tz.conv2d(tz.ones((1, rows, 5, 2)), kernel) for _ in range(3)]
        _close(results[-1], results[0])
    assert len(programs) == 2


def test_only_products_that_numpy_divides_among_threads_are_compiled(programs):
    for n, count in ((60, 0), (70, 1)):
        x = tz.tensor(np.random.default_rng(0).normal(size=(n, n)).astype(np.float32))
        results = [x @ x for _ in range(4)]
        np.testing.assert_allclose(results[-1].numpy(), results[0].numpy(), rtol=1e-4, atol=1e-4)
        assert len(programs) == count


def test_products_of_complex_numbers_stay_in_numpy(programs):
    x = tz.ones(70, 70, dtype="complex64")
    for _ in range(4):
        x @ x
    assert not programs


def test_graphs_with_indices_stay_in_numpy_which_looks_at_them(programs):
    x, segments = tz.arange(4.0), tz.tensor([0, 0, 1, 1])
    for _ in range(4):
        tz.segment_max(x, segments, 2)
    assert not programs


def test_with_the_numpy_backend_nothing_is_compiled(programs):
    tz.set_backend("numpy")
    for _ in range(4):
        _gradients(lambda w: tz.softmax(w)[0], [1.0, 2.0])
    assert not programs


def test_a_setting_reaches_composites_that_were_compiled_before(programs, monkeypatch):
    monkeypatch.setattr("tarazu.backend.native.winograd_tile._chosen", None)
    for tile in (4, 2, 2):
        tz.set_winograd(tile)
        for _ in range(4):
            tz.softmax(tz.arange(5.0))
    assert len(programs) == 2


def test_what_fails_to_compile_stays_in_numpy(monkeypatch, programs):
    def failing(graph):
        raise RuntimeError("no compiler today")
    monkeypatch.setattr(tiered, "compile_in_full", failing)
    results = [tz.softmax(tz.arange(5.0)) for _ in range(4)]
    _close(results[-1], results[0])


def test_cheap_graphs_are_called_more_often_before():
    def calls(size):
        x = tz.ones(size, size)
        return tiered.calls_before_compiling(tz.trace(lambda x, y: tz.tanh(x @ y))(x, x))
    assert calls(4) > 10 * calls(1000) and calls(1000) == tiered.FEWEST_CALLS


def test_a_short_loop_loads_no_compiler():
    script = ("import sys, tarazu as tz\n"
              "w = tz.ones(8, 8, requires_grad=True)\n"
              "optimizer = tz.optim.Adam([w])\n"
              "for _ in range(15):\n"
              "    optimizer.zero_grad()\n"
              "    logits = tz.layer_norm(tz.ones(4, 8) @ w, 1.0, 0.0)\n"
              "    tz.nn.cross_entropy(logits, tz.zeros(4, dtype='int64')).backward()\n"
              "    optimizer.step()\n"
              "print('llvmlite' in sys.modules)")
    result = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TARAZU_BACKEND": "native"},
                            capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


# Backward ---------------------------------------------------------------------------------------------------------

def test_the_backward_pass_is_one_program_with_the_same_gradients(programs):
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape).astype(np.float32) for shape in ((4, 3), (3, 5), (5,))]

    def loss(x, w, b):
        return tz.nn.cross_entropy(tz.relu(x @ w + b) ** 3, tz.tensor([0, 1, 2, 3]))

    passes = [_gradients(loss, *values) for _ in range(5)]
    whole = [graph for graph in programs if len(graph.outputs) == 3]
    assert len(whole) == 1
    for actual, expected in zip(passes[-1], passes[0], strict=True):
        _close(actual, expected)


def test_another_exponent_is_another_program(programs):
    for power in (2.0, 3.0, 2.0):
        for _ in range(4):
            (gradient,) = _gradients(lambda w, power=power: (w ** power).sum(), [2.0, 3.0])
        _close(gradient, power * np.array([2.0, 3.0]) ** (power - 1))
    assert len(programs) == 2


def test_numbers_that_change_need_no_other_program(programs):
    for factor in range(1, 8):
        (gradient,) = _gradients(lambda w, factor=factor: (w * float(factor)).sum(), [2.0, 3.0])
        _close(gradient, [factor, factor])
    assert len(programs) == 1


def test_gradients_add_up_and_leaves_without_one_have_none(programs):
    for _ in range(5):
        w, other = tz.ones(2, requires_grad=True), tz.ones(2, requires_grad=True)
        for _ in range(2):
            (w * 3 + other.detach()).sum().backward()
        _close(w.grad, [6, 6])
        assert other.grad is None


def test_a_second_pass_raises_as_ever_unless_the_tape_is_kept(programs):
    for _ in range(5):
        w = tz.ones(2, requires_grad=True)
        y = (w * w).sum()
        y.backward(retain_graph=True)
        y.backward()
        _close(w.grad, [4, 4])
        with pytest.raises(GradientError, match="backward came a second time through SumBackward"):
            y.backward()


def test_hooks_and_gradients_of_users_are_called_in_each_pass(programs):
    calls = []

    @tz.custom_vjp
    def double(x):
        return x * 2

    @double.backward
    def _(cotangent, output, x):
        calls.append("backward")
        return cotangent * 2

    for _ in range(5):
        w = tz.ones(2, requires_grad=True)
        double(w).sum().backward()
        w.register_hook(lambda g: calls.append("hook"))
        (w * w).sum().backward()
    assert calls.count("backward") == calls.count("hook") == 5


def test_higher_gradients_are_recorded(programs):
    for _ in range(5):
        w = tz.tensor([2.0], requires_grad=True)
        (w ** 3).sum().backward(create_graph=True)
        first, w.grad = w.grad, None
        first.sum().backward()
        _close(w.grad, [12.0])


# Optimizers -------------------------------------------------------------------------------------------------------

@pytest.fixture
def compiled_moves(monkeypatch):
    """Optimizers compile what they do after two steps."""
    monkeypatch.setattr(compile, "_chosen", "native")
    monkeypatch.setattr(moves, "CALLS", 2)


def _trained(make, steps=6):
    w, b = tz.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True), tz.tensor([0.1, 0.2], requires_grad=True)
    optimizer = make([w, b])
    for i in range(steps):
        optimizer.zero_grad()
        ((tz.tensor([[1.0, 2.0]]) * (i + 1)) @ w + b).sum().square().backward()
        optimizer.step()
    return optimizer, [w, b, *(x for _, x in optimizer.named_state())]


@pytest.mark.parametrize("make", [tz.optim.Adam, tz.optim.Muon, lambda p: tz.optim.SGD(
    p, lr=tz.optim.cosine_decay(0.1, steps=5), momentum=0.9, clip_norm=1.0)], ids=["adam", "muon", "sgd"])
def test_compiled_updates_are_those_of_single_operations(monkeypatch, compiled_moves, make):
    with monkeypatch.context() as never:
        never.setattr(moves, "CALLS", 100)
        _, expected = _trained(make)
    optimizer, actual = _trained(make)
    assert {*map(type, optimizer._moves._compiled.values())} == {JitInFull}
    for x, y in zip(actual, expected, strict=True):
        _close(x, y)


def test_parts_of_users_are_called_in_each_step(compiled_moves):
    class Counting(tz.optim.Transformation):
        calls = 0

        def update(self, g, parameter, slots, step):
            type(self).calls += 1
            return g

    _trained(lambda p: tz.optim.Optimizer(p, lr=0.1, chain=[Counting()]))
    assert Counting.calls == 12


def test_a_copy_of_an_optimizer_moves_its_own_parameters(compiled_moves):
    optimizer, _ = _trained(tz.optim.SGD)
    twin = copy.deepcopy(optimizer)
    before = optimizer.parameters[1].numpy().copy()
    for _ in range(4):
        twin.apply_gradients([(tz.ones(2), twin.parameters[1])])
    np.testing.assert_array_equal(optimizer.parameters[1].numpy(), before)
    assert not np.array_equal(twin.parameters[1].numpy(), before)


# Less Python ------------------------------------------------------------------------------------------------------

def test_zeros_keep_their_signs():
    x = tz.tensor([-0.0])
    for zero, sign in ((0.0, False), (-0.0, True), (0, False), (0.0, False)):
        assert np.signbit((x + zero).numpy()).item() == sign


def test_keys_that_equal_each_other_are_told_apart():
    x = tz.arange(6).reshape(2, 3)
    for _ in range(2):
        assert x[1].shape == (3,)
        assert x[True].shape == (1, 2, 3)
        assert x[0:1].shape == (1, 3)
        assert x[0, 1].shape == ()
        with pytest.raises(IndexError, match="index 2 on axis 0 of size 2"):
            x[2]


def test_warnings_of_numpy_stay_on_around_operations():
    assert tz.log(tz.tensor([0.0])).item() == -np.inf
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.log(np.zeros(1))
