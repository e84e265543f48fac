"""`tz.jit`: when it traces, what state it carries, what gradients flow through it."""

import gc
import sys
import threading
from typing import NamedTuple

import numpy as np
import pytest
from helpers import assert_same, compilations, leaf

import tarazu as tz
from tarazu.base.errors import ArgumentError, OutOfRangeError, TraceError

# Signatures

def test_the_same_signature_is_traced_once():
    double = tz.jit(lambda x: x * 2)
    with compilations(exactly=1):
        for value in range(3):
            assert double(tz.tensor([value, 1.0])).tolist() == [2 * value, 2]
    assert double.traces == 1


def test_equal_functions_share_nothing_but_values():
    with compilations(exactly=2):
        assert tz.jit(lambda x: x + 1)(tz.ones(2)).tolist() == tz.jit(lambda x: x + 1)(tz.ones(2)).tolist()


@pytest.mark.parametrize("other", [
    tz.ones(3), tz.ones(2, dtype="float64"), tz.ones(2, 1), tz.ones(2, requires_grad=True)])
def test_another_type_is_another_signature(other):
    double = tz.jit(lambda x: x * 2)
    double(tz.ones(2))
    with compilations(exactly=1):
        double(other)
        double(other)


@pytest.mark.parametrize(("first", "second"), [
    (1, 2), (1, 1.0), (1, True), (0.0, -0.0), ("a", "b"), (None, 1), ((1,), [1])])
def test_another_static_value_is_another_signature(first, second):
    seen = []
    f = tz.jit(lambda x, option: (seen.append(option), x)[1])
    f(tz.ones(1), first)
    f(tz.ones(1), first)
    f(tz.ones(1), second)
    f(tz.ones(1), option=second)
    assert len(seen) == 3
    assert list(map(repr, seen[:2])) == [repr(first), repr(second)]


def test_nan_is_no_new_signature_each_time():
    f = tz.jit(lambda x, y: x * y)
    with compilations(exactly=1):
        f(tz.ones(1), float("nan"))
        f(tz.ones(1), float("nan"))


def test_unhashable_arguments():
    with pytest.raises(ArgumentError, match="cannot be compared.*\n.*hashable"):
        tz.jit(lambda x: x)({1, 2})


class State(NamedTuple):
    mean: tz.Tensor
    rest: dict


def test_nested_arguments_and_results():
    @tz.jit
    def f(state, *more, scale):
        return {"state": State(state.mean * scale, {"n": state.rest["n"] + 1}), "more": [*more], "text": "static"}

    out = f(State(tz.ones(2), {"n": tz.tensor(1)}), (np.arange(2), None), scale=3.0)
    assert out["state"].mean.tolist() == [3, 3]
    assert out["state"].rest["n"].item() == 2
    assert out["more"][0][0].tolist() == [0, 1]
    assert out["more"][0][1] is None
    assert out["text"] == "static"


def test_methods():
    class Counter:
        def __init__(self):
            self.count = tz.tensor(0)

        @tz.jit
        def step(self, by):
            self.count += by
            return self.count

    one, other = Counter(), Counter()
    with compilations(exactly=2):
        results = [one.step(tz.tensor(2)).item(), one.step(tz.tensor(3)).item(), other.step(tz.tensor(4)).item()]
    assert results == [2, 5, 4]
    assert (one.count.item(), other.count.item()) == (5, 4)


def test_wrapping_keeps_the_name():
    def named(x):
        """Its text."""
        return x
    assert (tz.jit(named).__name__, tz.jit(named).__doc__) == ("named", "Its text.")
    with pytest.raises(ArgumentError, match="named has no graph yet"):
        _ = tz.jit(named).graph


# State

def test_outside_tensors_are_read_anew():
    w = tz.tensor(2.0)
    f = tz.jit(lambda x: x * w)
    with compilations(exactly=1):
        assert f(tz.tensor(3.0)).item() == 6
        w.assign(10.0)
        assert f(tz.tensor(3.0)).item() == 30


def test_parameters_change_in_place():
    w = tz.ones(2, requires_grad=True)

    @tz.jit
    def step():
        with tz.no_grad():
            w.sub_(0.25)

    with compilations(exactly=1):
        step()
        step()
    assert w.tolist() == [0.5, 0.5]
    assert w.is_leaf
    assert w.requires_grad


@pytest.mark.parametrize("zero", ["none", "zero_", "keep"])
def test_gradients_accumulate_as_they_do_eagerly(zero):
    def step(w, x):
        if zero == "none":
            w.grad = None
        elif zero == "zero_" and w.grad is not None:
            w.grad.zero_()
        loss = (w * x).sum()
        loss.backward()
        return loss

    eager, compiled = leaf(1, 2), leaf(1, 2)
    jitted = tz.jit(lambda x: step(compiled, x))
    for i in range(4):
        x = tz.tensor([i, 1.0], "float64")
        assert_same(jitted(x), step(eager, x).detach())
        assert_same(compiled.grad, eager.grad)
    assert jitted.traces <= 2  # `.grad` is None the first time only


def test_gradient_set_or_cleared_from_outside():
    w = leaf(2.0)

    @tz.jit
    def step():
        (w * w).backward()

    for _ in range(2):
        step()
    assert w.grad.item() == 8
    w.grad = None
    step()
    assert w.grad.item() == 4
    w.grad.zero_()
    step()
    assert w.grad.item() == 4
    assert step.traces == 2


def test_gradient_of_an_argument():
    @tz.jit
    def step(w, *, clear):
        if clear:
            w.grad = None
        (w * w).backward()

    w = leaf(3.0)
    step(w, clear=False)
    step(w, clear=False)
    assert w.grad.item() == 12
    step(w, clear=True)
    assert w.grad.item() == 6
    kept = w.grad
    tz.jit(lambda w: w + 1)(w)
    assert w.grad is kept


def test_gradient_that_is_only_cleared():
    w = leaf(3.0)
    (w * w).backward()

    @tz.jit
    def clear(w):
        w.grad = None
    clear(w)
    assert w.grad is None


def _set_gradient(w, i):
    w.grad = tz.tensor([i, 1.0])


def _accumulate(w, i):
    (w * w * i).sum().backward()


def _clear(w, x):
    w.grad = None


def _decay_then_step(w, x):
    w.mul_(0.9)
    w.sub_(0.1 * w.grad)


def _decay_then_backward(w, x):
    with tz.no_grad():
        w.mul_(0.9)
    (w * x).sum().backward()


def _decay_then_double_and_take(w, x):
    w.mul_(0.9)
    w.grad.mul_(2.0)
    found, w.grad = w.grad, None
    return found


def _clear_then_read_in_cond(w, x):
    w.grad = None
    (w * x).sum().backward()
    return tz.cond(x.sum() > 2, lambda x: x * w.grad, lambda x: x - w.grad, x)


@pytest.mark.parametrize(("function", "no_grad", "between"), [
    (_clear, False, [None, _accumulate, None, _accumulate]),
    (_decay_then_step, True, [_set_gradient] * 4),
    (_decay_then_backward, False, [None, None, lambda w, i: _clear(w, None), None]),
    (_decay_then_double_and_take, True, [_set_gradient] * 4),
    (_clear_then_read_in_cond, False, [None, _accumulate, None]),
    (lambda w, x: tz.scan(lambda c, _: (c + w.grad, None), x, length=2)[0], False, [_set_gradient] * 3),
    (lambda w, x: tz.cond(x.sum() > 2, lambda x: x * w.grad, lambda x: x - w.grad, x), False, [_set_gradient] * 3),
    (lambda w, x: tz.vmap(lambda row: row * w.grad)(x), False, [_set_gradient] * 3),
    (lambda w, x: tz.checkpoint(lambda x: x * w.grad)(x), False, [_set_gradient] * 3),
], ids=["clear", "decay-step", "decay-backward", "decay-take", "clear-cond", "scan", "cond", "vmap", "checkpoint"])
def test_gradients_from_outside_are_read_and_cleared_as_they_are_eagerly(function, no_grad, between):
    def run(wrap):
        w = tz.tensor([1.0, 2.0], requires_grad=True)
        step = wrap(lambda x: function(w, x))
        seen = []
        for i, change in enumerate(between):
            if change is not None:
                change(w, i + 1.0)
            with tz.no_grad() if no_grad else tz.enable_grad():
                found = step(tz.tensor([i, 1.0]))
            seen.append([None if x is None else x.tolist() for x in (found, w, w.grad)])
        return seen
    assert run(tz.jit) == run(lambda f: f)


def test_a_gradient_that_is_cleared_first_needs_one_trace():
    w = tz.tensor(3.0, requires_grad=True)

    @tz.jit
    def step(x):
        w.grad = None
        (w * x).backward()
        return tz.cond(x > 0, lambda x: x * w.grad, lambda x: x, x)
    with compilations(exactly=1):
        for _ in range(3):
            step(tz.tensor(2.0))


def test_requires_grad_that_is_asked_for_is_asked_at_each_call():
    w, v = leaf(3.0), leaf(2.0)
    w.grad = tz.tensor(0.0)
    f = tz.jit(lambda x: x * w * v if v.requires_grad else x * w)
    found = []
    for flag in (True, False, True):
        v.requires_grad_(flag)
        found.append(f(tz.tensor(1.0)).item())
    assert found == [6, 3, 6]


def test_hooks_that_went_with_freezing():
    def run(wrap):
        w = leaf(3.0)
        step = wrap(lambda x: (w * x).backward() if w.requires_grad else None)
        w.register_hook(lambda g: g * 10)
        found = []
        for flag in (True, False, True):
            w.requires_grad_(flag)
            w.grad = tz.tensor(0.0)
            step(tz.tensor(1.0))
            found.append(w.grad.item())
        return found
    assert run(tz.jit) == run(lambda f: f)


def test_hooks_that_come_and_go_between_calls():
    w = leaf(3.0)

    @tz.jit
    def step(x):
        w.grad = None
        (w * x).backward()

    def gradients():
        return [step(tz.tensor(1.0)) or w.grad.item() for _ in range(2)]

    assert gradients() == [1, 1]
    hook = w.register_hook(lambda g: g * 10)
    assert gradients() == [10, 10]
    hook.remove()
    assert gradients() == [1, 1]


@pytest.mark.parametrize("wrap", [lambda f: f, tz.jit], ids=["eager", "jit"])
def test_in_place_changes_of_parameters_under_no_grad_around_a_call(wrap):
    w = tz.tensor(3.0, requires_grad=True)
    with tz.no_grad():
        wrap(lambda: w.mul_(2.0))()
    assert w.item() == 6 and w.is_leaf


def test_a_tensor_with_state_as_an_argument_and_from_outside():
    w = leaf(3.0)
    optimizer = tz.optim.SGD([w], lr=0.1)

    @tz.jit
    def step(w, x):
        (w * x).backward()
        optimizer.step()
    with pytest.raises(TraceError, match="is an argument of a jitted function, which also changes it, or reads its"):
        step(w, tz.tensor(1.0))
    assert w.item() == 3 and w.grad is None
    assert tz.jit(lambda x: x * w)(w).item() == 9


def test_an_argument_changes_in_place():
    @tz.jit
    def f(x):
        x += 1
        return x * 2

    x = tz.tensor([1.0, 2.0])
    assert f(x).tolist() == [4, 6]
    assert x.tolist() == [2, 3]


def test_random_state_goes_on_the_same_way():
    eager, compiled = tz.random.Generator(3), tz.random.Generator(3)
    draw = tz.jit(lambda: tz.random.normal(5, generator=compiled))
    with compilations(exactly=1):
        for _ in range(3):
            assert_same(draw(), tz.random.normal(5, generator=eager))
    assert_same(compiled.state, eager.state)


def test_two_functions_share_state():
    total = tz.tensor(1)
    add, double = tz.jit(lambda x: total.add_(x)), tz.jit(lambda: total.mul_(2))
    add(tz.tensor(2))
    double()
    add(tz.tensor(1))
    assert total.item() == 7


def test_state_that_depends_on_parameters_stays_on_the_tape():
    w, total = leaf(3.0), tz.tensor(0.0, "float64")

    @tz.jit
    def f():
        total.add_(w * w)

    f()
    total.backward()
    assert w.grad.item() == 6


def test_state_changed_without_gradient_leaves_the_tape():
    w = leaf(3.0)
    running = w * 2

    @tz.jit
    def f():
        with tz.no_grad():
            running.assign(7.0)

    f()
    assert not running.requires_grad


def test_a_frozen_parameter_is_a_new_signature():
    w = leaf(3.0)
    f = tz.jit(lambda x: x * w)
    assert f(tz.tensor(1.0, "float64")).requires_grad
    w.requires_grad = False
    assert not f(tz.tensor(1.0, "float64")).requires_grad


def test_a_parameter_of_a_new_shape_is_a_new_signature():
    box = [tz.ones(2)]
    f = tz.jit(lambda: box[0].sum())
    f()
    box[0].raw = np.ones(3, np.float32)
    assert f().item() == 3
    assert f.traces == 2


# Gradients through a call

@pytest.mark.parametrize("function", [lambda f: f, tz.jit])
def test_gradients_flow_through_a_call(function):
    w, x = leaf(2.0), leaf(3.0)
    f = function(lambda x: x * x * w)
    y = f(x) * 2
    y.backward()
    assert (x.grad.item(), w.grad.item()) == (24, 18)


def test_second_order_through_a_call():
    w = leaf(2.0)
    f = tz.jit(lambda x: x**3 * w)
    assert tz.grad(tz.grad(f))(tz.tensor(3.0, "float64")).item() == 36
    x = leaf(3.0)
    f(x).backward(create_graph=True)
    x.grad.backward()
    assert w.grad.item() == 27 + 27  # from f(x), then from its gradient 3 x**2 w


def test_jit_of_grad_and_grad_of_jit_of_grad():
    f = tz.jit(tz.grad(lambda x: x**3))
    assert f(tz.tensor(2.0)).item() == 12
    assert tz.grad(f)(tz.tensor(2.0)).item() == 12
    with tz.no_grad():
        assert f(tz.tensor(2.0)).item() == 12


def test_jit_inside_jit_is_one_program():
    inner = tz.jit(lambda x: x * 2)
    with compilations(exactly=1):
        assert tz.jit(lambda x: inner(x) + inner(x))(tz.tensor(3.0)).item() == 12


def test_detach_and_no_grad_inside():
    @tz.jit
    def f(x):
        with tz.no_grad():
            constant = x * 2
        return constant * x, x.detach() * x

    x = leaf(3.0)
    first, second = f(x)
    (first + second).backward()
    assert x.grad.item() == 6 + 3


def test_results_that_nothing_tracks_are_not_tracked():
    w = leaf(3.0)
    loss, gradient = tz.jit(tz.value_and_grad(lambda x: x * x))(tz.tensor(2.0))
    assert not loss.requires_grad
    assert not gradient.requires_grad
    with tz.no_grad():
        assert not tz.jit(lambda: w * 2)().requires_grad


def test_integer_results_of_tracked_inputs_are_not_tracked():
    found = tz.jit(lambda x: (x.argmax(), x * 2))(leaf(1, 2))
    assert [x.requires_grad for x in found] == [False, True]


# What cannot be traced

def test_python_condition_on_a_traced_tensor():
    with pytest.raises(TraceError, match=r"Python condition(.|\n)*tz.where\(condition, x, y\)"):
        tz.jit(lambda x: x if x > 0 else -x)(tz.tensor(1.0))


@pytest.mark.parametrize("read", [lambda x: x.item(), float, int, lambda x: x.numpy(), lambda x: x.tolist(), np.asarray,
                                  lambda x: [1, 2][x], lambda x: tz.ones(3)[x > 0]])
def test_values_of_a_traced_tensor(read):
    with pytest.raises(TraceError, match="has no values yet"):
        tz.jit(read)(tz.tensor(1))


def test_a_leaked_tensor():
    leaked = []
    with pytest.warns(tz.TraceWarning, match="leaked got a tensor"):
        tz.jit(lambda x: leaked.append(x * 2))(tz.ones(2))
    for use in (lambda: leaked[0] + 1, lambda: tz.jit(lambda x: x + leaked[0])(tz.ones(2)), lambda: leaked[0].sum(),
                lambda: tz.softmax(leaked[0]), lambda: leaked[0] @ tz.ones(2)):
        with pytest.raises(TraceError, match=r"after its trace had ended(.|\n)*return the tensor"):
            use()
    assert repr(leaked[0]) == "Tensor(traced float32[2])"


def test_an_error_while_tracing_leaves_everything_as_it_was():
    w, x = leaf(1, 2), tz.tensor([3.0, 4.0], "float64")
    (w * 5).sum().backward()
    generator = tz.random.Generator(1)
    state = generator.state.numpy()

    @tz.jit
    def f(x):
        x += 1
        with tz.no_grad():
            w.assign(x)
        w.grad.zero_()
        tz.random.normal(3, generator=generator)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        f(x)
    assert (w.tolist(), w.grad.tolist(), x.tolist()) == ([1, 2], [5, 5], [3, 4])
    assert_same(generator.state, state)
    assert w.is_leaf
    assert (w * x).requires_grad


def test_errors_keep_their_text():
    with pytest.raises(ValueError, match=r"add: shapes \(2,\) and \(3,\) do not broadcast"):
        tz.jit(lambda x: x + tz.ones(3))(tz.ones(2))
    with pytest.raises(OutOfRangeError, match="gather: index 5 is out of bounds"):
        tz.jit(lambda x, i: x[i])(tz.ones(2), tz.tensor(5))


# Threads

def test_two_threads_call_one_function():
    f = tz.jit(lambda x: (x * 2).sum())
    results = {}

    def work(n):
        results[n] = [f(tz.full(n, float(i))).item() for i in range(20)]

    threads = [threading.Thread(target=work, args=(n,)) for n in (2, 3, 2, 3)]
    with compilations(exactly=2):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == {n: [2.0 * n * i for i in range(20)] for n in (2, 3)}


def test_no_change_is_lost_where_threads_call_one_function():
    total, last = tz.zeros(1000), tz.tensor(0)

    @tz.jit
    def step(x):
        last.add_(1)
        return total.add_(x).sum()

    def work(x):
        for _ in range(200):
            step(x)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(x,)) for x in (tz.ones(1000), tz.ones(1)) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert last.item() == 800 and set(total.tolist()) == {800.0}


def test_functions_that_change_nothing_run_side_by_side():
    inside, met = [], threading.Barrier(2, timeout=10)
    f = tz.jit(lambda x: x * 2)
    f(tz.ones(2))
    compiled = f.match((tz.ones(2),), {}).compiled
    program = compiled.program

    def waits(*arrays):
        inside.append(met.wait())
        return program(*arrays)

    compiled.program = waits
    threads = [threading.Thread(target=f, args=(tz.ones(2),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(inside) == [0, 1]


def test_eager_work_goes_on_while_another_thread_traces():
    tracing, done = threading.Event(), threading.Event()

    def slow(x):
        tracing.set()
        assert done.wait(10)
        return x * 2

    thread = threading.Thread(target=tz.jit(slow), args=(tz.ones(2),))
    thread.start()
    assert tracing.wait(10)
    assert (tz.ones(2) + 1).tolist() == [2, 2]
    done.set()
    thread.join()


def test_threads_that_trace_share_what_they_read_and_change():
    w, total = tz.arange(4.0, dtype="float64").requires_grad_(), tz.zeros(2)

    def jitted(i):
        assert tz.jit(lambda x: (w * x + i).sum())(tz.ones(4)).item() == 6 + 4 * i

    def updated(i):
        tz.jit(lambda x: total.add_(x * 0 + i * 0))(tz.ones(2))

    def read(i):
        assert total.tolist() == (total + 0).detach().tolist() == [0, 0]

    def mapped(i):
        found = tz.vmap(lambda x: (x * w).sum() + 0 * tz.random.normal(()))(tz.ones(3, 4))
        assert found.tolist() == [6, 6, 6]

    def drawn(i):
        assert (w * 2 + 0 * tz.random.normal(4)).tolist() == [0, 2, 4, 6]

    failed = []

    def repeat(function):
        try:
            for i in range(60):
                function(i)
        except Exception as error:
            failed.append((function.__name__, error))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=repeat, args=(f,)) for f in (jitted, updated, read, mapped, drawn) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not failed


# What a jitted function shows

def test_there_is_a_graph_once_a_call_succeeded():
    fails = [True]

    @tz.jit
    def double(x):
        if fails[0]:
            raise ZeroDivisionError
        return x * 2

    with pytest.raises(ZeroDivisionError):
        double(tz.ones(2))
    with pytest.raises(ArgumentError, match="double has no graph yet"):
        _ = double.graph
    fails[0] = False
    double(tz.ones(2))
    assert "mul %0 2.0" in str(double.graph)


def test_why_a_call_fits_no_signature():
    model, x = tz.nn.Sequential([tz.nn.Dense(2, in_features=3), tz.nn.Dropout(0.5)]), tz.ones(4, 3)
    step = tz.jit(lambda x: model(x))
    step(x)
    model.eval()
    step(x)
    model[0].weight.requires_grad = False
    step(x)
    model[0].bias.data = tz.zeros(2)  # no reason
    step(x)
    assert step.retraces().splitlines() == [
        "training mode of Dropout: True became False",
        "captured tensor model.0.weight (float32[3,2]): it no longer requires grad"]


def test_a_method_shows_what_its_function_shows():
    class Counter:
        def __init__(self):
            self.n = tz.tensor(0)

        @tz.jit
        def add(self, x):
            """Count on."""
            self.n.add_(x)

    counter = Counter()
    counter.add(tz.tensor(2))
    counter.add(tz.tensor(3))
    assert (counter.add.traces, counter.add.label, Counter.add.changes) == (1, "add", [counter.n])


def test_garbage_is_collected_again_after_a_trace_and_after_one_that_fails():
    @tz.jit
    def none_while_tracing(x):
        assert not gc.isenabled()
        return x * 2 if x.ndim else x.item()

    assert none_while_tracing(tz.ones(2)).shape == (2,)
    assert gc.isenabled()
    with pytest.raises(TraceError, match="item"):
        none_while_tracing(tz.tensor(1.0))
    assert gc.isenabled()


def test_tensors_that_are_kept_in_containers_outside_are_a_warning():
    log, table, numbers = [], {"sums": [tz.zeros(2)]}, []

    def add(x):
        table["sums"].append(x + 1)

    with pytest.warns(tz.TraceWarning, match="the variable log got a tensor while a function was traced"):
        tz.jit(lambda x: log.append(x * 2))(tz.ones(2))
    log.append(log)
    with pytest.warns(tz.TraceWarning, match="the variable log got a tensor"):
        tz.jit(lambda x: log.insert(1, x * 3))(tz.ones(2))
    with pytest.warns(tz.TraceWarning, match="the variable table got a tensor(.|\n)*return the tensor"):
        tz.jit(lambda x: add(x))(tz.ones(2))
    changed = {"sum": tz.zeros(2)}
    tz.jit(lambda x: numbers.append(x.shape) or changed["sum"].add_(x))(tz.ones(2))
