"""Handles that get other data: who writes them, what waits for a trace, and tensors that stand in for others."""

import ast
import threading

import numpy as np
import pytest
from helpers import assert_same, modules

import tarazu as tz
from tarazu.ir.node import Node
from tarazu.runtime.trace.substitution import substitute, substitute_keeping_changes
from tarazu.runtime.trace_lock import overwrite, replace_data, wait_for_trace

WRITERS = {"tarazu.runtime.trace_lock", "tarazu.runtime.tensor.tensor"}  # the latter in Tensor.__init__


def test_data_of_handles_are_written_in_one_file():
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_written = isinstance(node, ast.Attribute) and node.attr == "raw" and isinstance(node.ctx, ast.Store)
            assert not is_written or name in WRITERS, f"{name}, line {node.lineno}, writes the data of a handle"


def test_other_data_keep_tape_entry_and_gradient():
    w = tz.ones(2, requires_grad=True)
    (w * w).sum().backward()
    replace_data(w, np.array([5.0, 6.0], np.float32))
    assert (w.tolist(), w.grad.tolist(), w.requires_grad, w.is_leaf) == ([5, 6], [2, 2], True, True)
    overwrite(w, w.raw, None)
    assert not w.requires_grad
    assert w.grad is not None


def test_other_threads_wait_for_a_trace():
    x, is_tracing, go_on = tz.zeros(2), threading.Event(), threading.Event()

    def traced():
        x.add_(1)
        is_tracing.set()
        assert go_on.wait(10)

    seen = []
    threads = [threading.Thread(target=tz.jit(traced)), threading.Thread(target=lambda: seen.append(wait_for_trace(x))),
               threading.Thread(target=lambda: replace_data(x, np.full(2, 7, np.float32)))]
    threads[0].start()
    assert is_tracing.wait(10)
    assert isinstance(x.raw, Node)
    for thread in threads[1:]:
        thread.start()
        thread.join(0.05)
        assert thread.is_alive(), "it did not wait"
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert not isinstance(seen[0], Node)
    assert x.tolist() in ([7, 7], [8, 8])  # the trace's program runs before or after


def test_substitutes_have_their_own_dtype_and_gradient():
    w, x = tz.tensor([1.5, 2.5], requires_grad=True), tz.ones(2, dtype="float16")
    with substitute([w], [w.astype("float16")]):
        assert w.dtype is tz.float16
        y = (w * x).sum()
    assert (w.dtype, w.is_leaf) == (tz.float32, True)
    y.backward()
    assert_same(w.grad, np.ones(2, np.float32))


@pytest.mark.parametrize("wrap", [lambda f: f, tz.jit], ids=["eager", "jit"])
def test_what_a_block_makes_of_a_substituted_handle_stays(wrap):
    mean, other = tz.tensor([1.0, 2.0]), tz.tensor([5.0])

    @wrap
    def update():
        with substitute_keeping_changes([mean, other], [mean.astype("float16"), other.astype("float16")]):
            mean.add_(1.5)

    before = other.raw
    for expected in ([2.5, 3.5], [4.0, 5.0]):
        update()
        assert_same(mean, np.array(expected, np.float32))
    assert other.raw is before


def test_an_error_in_a_block_leaves_substituted_handles_as_they_were():
    w = tz.ones(2, requires_grad=True)
    raw, entry = w.raw, w.tape_entry
    with pytest.raises(ZeroDivisionError), tz.no_grad(), substitute_keeping_changes([w], [tz.zeros(2)]):
        w.add_(1)
        1 / 0  # noqa: B018
    assert w.raw is raw
    assert w.tape_entry is entry


def test_a_gradient_that_a_backward_of_ones_own_reads_is_guarded():
    w = tz.tensor(2.0)
    scaled = tz.custom_vjp(lambda x: x * w)
    scaled.backward(lambda g, y, x: g * w * (1.0 if w.grad is None else 10.0))

    def twice(x):
        return tz.scan(lambda c, _: (scaled(c), c), x, None, length=2)[0]

    step = tz.jit(tz.grad(twice))
    assert step(tz.tensor(1.0)).item() == 4
    w.grad = 1.0
    assert step(tz.tensor(1.0)).item() == 400
    assert step.retraces() == "that a gradient is None: True became False"
    step(tz.tensor(1.0))
    assert step.traces == 2
