"""Arrays that operations are given may be written to afterwards: gradients and programs are of what they held."""

import numpy as np
import pytest

import tarazu as tz

X = np.arange(6, dtype=np.float32).reshape(2, 3) + 1
LAYERS = {"dense": lambda: tz.nn.Dense(2, in_features=3),
          "flattened": lambda: tz.nn.Sequential([tz.nn.Flatten(), tz.nn.Dense(2, in_features=3)]),
          "convolution": lambda: tz.nn.Sequential([tz.nn.Reshape((3, 1)), tz.nn.Conv1D(2, 2, in_channels=1)]),
          "lstm": lambda: tz.nn.Sequential([tz.nn.Reshape((3, 1)), tz.nn.LSTM(2, in_features=1)])}


def gradients(layer, x, change, call=None):
    y = (call or layer)(x)
    if change:
        x[:] = 0
    (y * y).sum().backward()
    found = [p.grad.numpy() for p in layer.parameters()]
    for p in layer.parameters():
        p.grad = None
    return found


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("jitted", [False, True])
def test_gradients_of_layers_are_of_what_the_array_held(kind, jitted):
    layer = LAYERS[kind]()
    call = tz.jit(lambda x: layer(x)) if jitted else layer
    wanted, found = (gradients(layer, X.copy(), change, call) for change in (False, True))
    for a, b in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("use", [lambda w, x: w * x, lambda w, x: tz.concat([w * w, x]) * w.sum(), tz.maximum,
                                 lambda w, x: w @ x.T, lambda w, x: tz.where(w > x, w * w, x * w),
                                 lambda w, x: tz.nn.mse(w, x)])
def test_gradients_of_operations_are_of_what_the_array_held(use):
    found = []
    for change in (False, True):
        w, x = tz.tensor(X * 1.5, requires_grad=True), X.copy()
        y = use(w, x)
        x[:] = 0 if change else x
        y.sum().backward()
        found.append(w.grad.numpy())
    np.testing.assert_array_equal(*found)


def test_derivatives_that_are_taken_later_are_of_what_the_array_held():
    x = X.copy()
    _, pull = tz.vjp(lambda x: (x * x).sum(), x)
    x[:] = 0
    np.testing.assert_array_equal(pull(1.0)[0].numpy(), 2 * X)


@pytest.mark.parametrize("size", [3, 10_000])
def test_an_array_in_a_traced_function_is_a_constant(size):
    held, zeros = np.ones(size, np.float32), tz.zeros(size)
    add = tz.jit(lambda x: x + held)
    assert add(zeros).sum().item() == size
    held[:] = 5
    assert add(zeros).sum().item() == size


def test_what_is_asked_for_is_shared_and_nothing_is_copied_without_need():
    x = X.copy()
    assert np.shares_memory(tz.asarray(x).numpy(), x) and np.shares_memory(tz.from_dlpack(x).numpy(), x)
    assert not np.shares_memory(tz.tensor(x).numpy(), x)
    with tz.no_grad():
        assert np.shares_memory(tz.reshape(x, (3, 2)).numpy(), x)
    x.flags.writeable = False
    assert np.shares_memory(tz.reshape(x, (3, 2)).numpy(), x)
