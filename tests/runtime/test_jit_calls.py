"""Calls of jitted functions: what they take in which form, and the memory of the state that they renew."""

import functools
import gc
import itertools
import threading
import weakref

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.base.pytree import flatten, flatten_call
from tarazu.runtime.compile import compile_jitted
from tarazu.runtime.trace_lock import replace_data

pytestmark = pytest.mark.native
DONATES = hasattr(compile_jitted(tz.trace(lambda x: x + 1)(tz.ones(1))), "donating")
on_native = pytest.mark.skipif(not DONATES, reason="only native programs renew state in memory of their own")


def counter(size=3):
    """A state, and a jitted function that adds to it and gives the square of its new value."""
    state = tz.zeros(size)

    @tz.jit
    def add(x):
        state.add_(x)
        return state * state

    return state, add


def address(x):
    return x.numpy().ctypes.data


# Calls one after the other

def _with_gradient():
    x = tz.ones(3)
    x.grad = tz.ones(3)
    return x


@functools.cache  # another hook is another signature
def _hooked():
    x = tz.ones(3, requires_grad=True)
    x.register_hook(lambda g: 2 * g)
    return x


ARGUMENTS = {
    "plain": lambda: (tz.ones(3), 2.0),
    "another shape": lambda: (tz.ones(2), 2.0),
    "another dtype": lambda: (tz.ones(3, dtype="float64"), 2.0),
    "another rank": lambda: (tz.ones(3, 1), 2.0),
    "tracked": lambda: (tz.ones(3, requires_grad=True), 2.0),
    "tracked, with a hook": lambda: (_hooked(), 2.0),
    "with a gradient": lambda: (_with_gradient(), 2.0),
    "a parameter": lambda: (tz.nn.Parameter(tz.ones(3)), 2.0),
    "an array": lambda: (np.ones(3, np.float32), 2.0),
    "0.0": lambda: (tz.ones(3), 0.0),
    "-0.0": lambda: (tz.ones(3), -0.0),
    "True": lambda: (tz.ones(3), True),
    "1": lambda: (tz.ones(3), 1),
    "a tensor in place of a value": lambda: (tz.ones(3), tz.ones(3)),
    "a tuple": lambda: (tz.ones(3), (2.0,)),
    "one argument": lambda: (tz.ones(3),),
}


def _seen(x, factor=None):
    """What a function can tell of its arguments."""
    text = "tensor" if isinstance(factor, tz.Tensor) else repr(factor)
    value = factor[0] if isinstance(factor, tuple) else factor
    result = x if value is None else x * value
    return result, str(x.dtype), tuple(x.shape), x.requires_grad, x.grad is None, text


def test_a_call_is_told_from_the_one_before():
    jitted = tz.jit(lambda *args: _seen(*map(_as_tensor, args)))
    for first, second in itertools.permutations(ARGUMENTS, 2):
        for name in (first, first, second, second, first):
            args = ARGUMENTS[name]()
            actual, *facts = jitted(*args)
            expected, *expected_facts = _seen(*map(_as_tensor, args))
            assert facts == expected_facts, (first, second, name)
            assert actual.requires_grad == expected.requires_grad
            np.testing.assert_array_equal(np.asarray(actual.detach()), np.asarray(expected.detach()))
    assert jitted.traces <= len(ARGUMENTS)


def _as_tensor(x):
    return tz.asarray(x) if isinstance(x, np.ndarray) else x


def test_recording_and_debugging_are_part_of_what_a_call_is():
    w = tz.ones(2, requires_grad=True)
    jitted = tz.jit(lambda x: tz.log(x) * w)
    x = tz.ones(2)
    for _ in range(3):
        assert jitted(x).requires_grad
        with tz.no_grad():
            assert not jitted(x).requires_grad
        with tz.debug_nans(), pytest.raises(FloatingPointError):
            jitted(-x)


# Old state

HOLDS = {
    "numpy": lambda x: x.numpy(),
    "array": np.asarray,
    "detached": lambda x: x.detach(),
    "clone": lambda x: x.clone(),
    "slice": lambda x: x[1:],
    "transposed": lambda x: x.reshape(1, 3).T,
    "memoryview": lambda x: memoryview(x.numpy()),
    "strides": lambda x: np.lib.stride_tricks.as_strided(x.numpy(), (2,), (8,)),
    "dlpack": lambda x: np.from_dlpack(x),
}


@pytest.mark.parametrize("hold", HOLDS.values(), ids=HOLDS.keys())
def test_what_is_held_of_old_state_stays(hold):
    state, add = counter()
    held = []
    for i in range(8):
        add(tz.ones(3))
        held.append(hold(state))
        if i % 3 == 2:
            held[-2] = held[-1]  # some memory is free again
    assert [float(np.asarray(x).max()) for x in held] == [1, 3, 3, 4, 6, 6, 7, 8]


def test_old_results_stay():
    state, add = counter()
    results = [add(tz.ones(3)) for _ in range(6)]
    assert [x.tolist()[0] for x in results] == [1, 4, 9, 16, 25, 36]
    assert state.tolist() == [6, 6, 6]


def test_old_gradients_stay():
    w = tz.ones(2, requires_grad=True)

    @tz.jit
    def step(x):
        w.grad = None
        (w * x).sum().backward()

    gradients = []
    for i in range(5):
        step(tz.ones(2) * i)
        gradients.append(w.grad)
    assert [g.tolist() for g in gradients] == [[i, i] for i in range(5)]


def test_state_in_two_tensors_swaps():
    a, b = tz.zeros(2), tz.ones(2)

    @tz.jit
    def swap():
        old = a.clone()
        a.copy_(b)
        b.copy_(old)

    for i in range(5):
        swap()
        assert (a.tolist()[0], b.tolist()[0]) == ((i + 1) % 2, i % 2)


@pytest.mark.parametrize("other", [np.zeros(3, np.float32), np.zeros(2, np.float64)], ids=["shape", "dtype"])
def test_state_of_another_type_than_the_last_call_wrote(other):
    states = [tz.zeros(2), tz.zeros(2), tz.zeros(2)]

    @tz.jit
    def count():
        for state in states:
            state.add_(1)

    for _ in range(3):
        count()
    replace_data(states[1], other)
    for _ in range(2):
        count()
    assert [state.tolist() for state in states] == [[5, 5], [2] * len(other), [5, 5]]
    assert states[1].numpy().dtype == other.dtype and count.traces == 2


def test_state_that_is_the_argument_of_the_next_call():
    state, add = counter()
    for _ in range(4):
        add(tz.ones(3))
        add(state.detach())
    assert state.tolist() == [30, 30, 30]


def test_a_failed_call_changes_nothing():
    state = tz.ones(2)

    @tz.jit
    def step(most):
        state.add_(1)
        return tz.while_loop(lambda i: i < most, lambda i: i + 1, tz.tensor(0), bound=3)

    for _ in range(3):
        assert step(tz.tensor(2)).item() == 2
        with pytest.raises(ArgumentError, match="while_loop"):
            step(tz.tensor(9))
    assert state.tolist() == [4, 4]


def test_calls_from_several_threads():
    state, add = counter(5000)
    found = []

    def work():
        found.extend((add(tz.ones(5000)), state.numpy()) for _ in range(100))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 400
    assert all(np.ptp(result.numpy()) == 0 and np.ptp(value) == 0 for result, value in found)


# Memory

@on_native
def test_state_goes_to_the_memory_of_the_state_before_the_last():
    state, add = counter()
    add(tz.ones(3))
    add(tz.ones(3))
    places = []
    for _ in range(6):
        add(tz.ones(3))
        places.append(address(state))
    assert places == places[:2] * 3
    assert places[0] != places[1]


@on_native
def test_held_state_is_replaced_once():
    state, add = counter()
    add(tz.ones(3))
    first = state.numpy()
    places = {address(state) for _ in range(10) if add(tz.ones(3)) is not None}
    assert len(places - {first.ctypes.data}) == 2
    assert first.tolist() == [1, 1, 1]


LARGE = 2**19  # elements whose float32 are renewed in place


@on_native
def test_large_state_is_renewed_in_place():
    state, add = counter(LARGE)
    add(tz.ones(LARGE))
    places = {address(state) for _ in range(5) if add(tz.ones(LARGE)) is not None}
    assert len(places) == 1
    assert state.numpy()[[0, -1]].tolist() == [6, 6]


@pytest.mark.parametrize("hold", [HOLDS[name] for name in ("numpy", "detached", "slice", "memoryview", "dlpack")])
def test_what_is_held_of_large_old_state_stays(hold):
    state, add = counter(LARGE)
    held = [hold(state) for _ in range(4) if add(tz.ones(LARGE)) is not None]
    assert [float(np.asarray(x).max()) for x in held] == [1, 2, 3, 4]


def test_large_state_of_foreign_memory_is_copied():
    foreign = np.ones(2 * LARGE, np.float32)
    state = tz.from_numpy(foreign[:LARGE]) if hasattr(tz, "from_numpy") else tz.asarray(foreign[:LARGE])
    add = tz.jit(lambda: state.add_(1))
    add()
    add()
    assert state.numpy()[0] == 3
    assert foreign[0] == 1


def test_large_state_that_is_read_after_its_new_value():
    w, seen = tz.ones(LARGE), tz.zeros(LARGE)

    @tz.jit
    def step(x):
        old = w.clone()
        w.mul_(2)
        seen.copy_(old * x.sum() + w)

    for _ in range(3):
        step(tz.ones(2))
    assert (w.numpy()[0], seen.numpy()[0]) == (8, 4 * 2 + 8)


def test_large_states_that_swap():
    a, b = tz.zeros(LARGE), tz.ones(LARGE)

    @tz.jit
    def swap():
        old = a.clone()
        a.copy_(b)
        b.copy_(old)

    for i in range(3):
        swap()
        assert (a.numpy()[-1], b.numpy()[-1]) == ((i + 1) % 2, i % 2)


def test_a_failed_call_leaves_large_state():
    state = tz.ones(LARGE)

    @tz.jit
    def step(most):
        state.add_(1)
        return tz.while_loop(lambda i: i < most, lambda i: i + 1, tz.tensor(0), bound=3)

    step(tz.tensor(2))
    with pytest.raises(ArgumentError, match="while_loop"):
        step(tz.tensor(9))
    assert state.numpy()[0] == 2


def test_state_is_let_go_with_its_function():
    state, add = counter()
    seen = []
    for _ in range(6):
        add(tz.ones(3))
        seen.append(weakref.ref(state.raw))
    gc.collect()
    assert len({id(x()) for x in seen if x() is not None}) <= 2
    del state, add
    gc.collect()
    assert [x() for x in seen] == [None] * 6


# Forms of the data

def read_only(x):
    x.flags.writeable = False
    return x


FORMS = {
    "in order": np.arange(6.0).reshape(2, 3),
    "transposed": np.arange(6.0).reshape(3, 2).T,
    "strided": np.arange(12.0).reshape(2, 6)[:, ::2],
    "backwards": np.arange(6.0).reshape(2, 3)[::-1],
    "read-only": read_only(np.arange(6.0).reshape(2, 3)),
    "empty": np.zeros((2, 0)),
    "a scalar": np.array(2.0),
    "booleans": np.array([True, False]),
    "complex": np.array([1j, 2.0]),
    "half": np.arange(3, dtype=np.float16),
}


@pytest.mark.parametrize("x", FORMS.values(), ids=FORMS.keys())
def test_arrays_of_any_form(x):
    state = tz.tensor(x)
    f = tz.jit(lambda x: (state.copy_(x), tz.where(x == x, x, x))[1])
    for _ in range(3):
        assert f(x).tolist() == x.tolist()
        assert state.tolist() == x.tolist()


def test_bfloat16_state():
    state = tz.ones(4, dtype="bfloat16")
    double = tz.jit(lambda: state.mul_(2))
    for _ in range(4):
        double()
    assert state.tolist() == [16] * 4


@pytest.mark.parametrize(("args", "kwargs"), [
    ((), {}), ((1, "a"), {}), ((1, (2, 3)), {}), ((None,), {}), ((1,), {"k": 2}), (([],), {})])
def test_arguments_are_flattened_alike(args, kwargs):
    assert flatten_call(args, kwargs) == flatten((args, kwargs))
