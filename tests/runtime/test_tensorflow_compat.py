"""What users of TensorFlow write from habit: variables, gradient tapes, `apply_gradients`."""

import numpy as np
import pytest
from helpers import compilations

import tarazu as tz
from tarazu.base.errors import ArgumentError, GradientError, ShapeError, TrainingError

# Variables

def test_variables():
    w = tz.Variable([1.0, 2.0], name="w")
    assert repr(w) == "<tarazu.Variable 'w' shape=(2,) dtype=float32, value=[1., 2.]>"
    assert w.assign([3, 4]) is w and w.assign_add(1.0) is w and w.assign_sub([1.0, 2.0]) is w
    assert w.numpy().tolist() == [3, 3]
    assert w.trainable and w.requires_grad and not tz.Variable(1.0, trainable=False).trainable
    assert not tz.Variable([1, 2]).trainable and tz.Variable([1, 2]).dtype is tz.int64
    assert tz.Variable(1, dtype="float32").trainable
    assert tz.Variable(0.0).name.startswith("Variable:")
    with pytest.raises(ShapeError, match="broadcasts to the tensor's shape"):
        w.assign(tz.ones(3))


def test_a_variable_copies_its_start():
    start = np.ones(2, np.float32)
    w = tz.Variable(start)
    start[:] = 5
    assert w.numpy().tolist() == [1, 1]
    x = tz.ones(2)
    tz.Variable(x).assign_add(1)
    assert x.tolist() == [1, 1]


def test_variables_in_jit():
    count = tz.Variable(0)
    step = tz.jit(lambda: count.assign_add(2) * 1)
    with compilations(exactly=1):
        assert [step().item(), step().item(), count.item()] == [2, 4, 4]


# Tapes

def test_variables_are_watched_by_themselves_and_constants_on_demand():
    w, c = tz.Variable(3.0), tz.tensor(2.0)
    with tz.GradientTape() as tape:
        tape.watch(c)
        y = w * w * c
    dw, dc = tape.gradient(y, [w, c])
    assert (dw.item(), dc.item()) == (12, 9)
    assert not c.requires_grad and w.grad is None


def test_gradient_of_what_is_no_scalar_is_that_of_its_sum():
    x = tz.tensor([1.0, 2.0, 3.0])
    with tz.GradientTape() as tape:
        tape.watch(x)
        y = x ** 2
        assert tape.gradient(y, x).tolist() == [2, 4, 6]  # inside the block


def test_several_targets_nested_sources_and_given_gradients():
    a, b, unused = tz.Variable(2.0), tz.Variable([1.0, 2.0]), tz.Variable(0.0)
    with tz.GradientTape(persistent=True) as tape:
        y, z = a * b, a ** 3
    assert tape.gradient([y, z], a).item() == 3 + 12
    assert tape.gradient(y, a, output_gradients=tz.tensor([1.0, 10.0])).item() == 21
    found = tape.gradient(y, {"a": a, "rest": (b, unused)})
    assert (found["a"].item(), found["rest"][0].tolist(), found["rest"][1]) == (3, [2, 2], None)


def test_intermediate_results_are_sources():
    x = tz.Variable(3.0)
    with tz.GradientTape() as tape:
        y = x * x
        z = y * y
    dy, dx = tape.gradient(z, [y, x])
    assert (dy.item(), dx.item()) == (18, 108)


def test_second_use_needs_persistent():
    x = tz.Variable(3.0)
    with tz.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(GradientError, match="a tape that was asked before(.|\n)*persistent=True"):
        tape.gradient(y, x)


def test_higher_derivatives():
    v = tz.Variable(2.0)
    with tz.GradientTape() as outer:
        with tz.GradientTape() as inner:
            y = v ** 3
        first = inner.gradient(y, v)
    assert (first.item(), outer.gradient(first, v).item()) == (12, 12)


def test_no_grad_stops_the_recording():
    x = tz.Variable(3.0)
    with tz.GradientTape() as tape:
        with tz.no_grad():
            y = x * x
        z = y * x
    assert tape.gradient(z, x).item() == 9


@pytest.mark.parametrize(("misuse", "error", "match"), [
    (lambda tape, x: tape.gradient(x * 2, tz.ones(1)), GradientError, "did not watch\n.*tz.Variable(.|\n)*tape.watch"),
    (lambda tape, x: tape.watch(tz.tensor([1])), GradientError, r"watch\(\) of a tensor of int64"),
    (lambda tape, x: tape.watch(3.0), GradientError, r"watch\(\) of float\n"),
    (lambda tape, x: tape.gradient(x * 2, 3.0), ArgumentError, "with respect to float")])
def test_misuse(misuse, error, match):
    x = tz.Variable(3.0)
    with tz.GradientTape() as tape, pytest.raises(error, match=match):
        misuse(tape, x)


def test_train_step_as_a_function():
    w, b = tz.Variable([[10.0]]), tz.Variable([0.0])

    def train(x, y):
        with tz.GradientTape() as tape:
            loss = tz.mean(tz.square(y - (x @ w + b)))
            dw, db = tape.gradient(loss, [w, b])
        w.assign_sub(0.1 * dw)
        b.assign_sub(0.1 * db)
        return loss

    def run(step):
        w.assign([[10.0]])
        b.assign([0.0])
        return [step(tz.tensor([[1.0], [2.0]]), tz.tensor([[2.0], [4.0]])).item() for _ in range(5)]

    eager = run(train)
    with compilations(exactly=1):
        assert run(tz.jit(train)) == pytest.approx(eager, rel=1e-6)
    assert eager[-1] < eager[0]


def test_watch_in_jit():
    @tz.jit
    def f(x):
        with tz.GradientTape() as tape:
            tape.watch(x)
            y = x * x * outside
        return tape.gradient(y, x)

    outside = tz.tensor(2.0)
    assert [f(tz.tensor(3.0)).item(), f(tz.tensor(4.0)).item()] == [12, 16]


def test_watch_an_outside_constant_in_jit():
    x = tz.tensor(3.0)

    @tz.jit
    def f():
        with tz.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        return tape.gradient(y, x)

    assert [f().item(), f().item(), x.requires_grad] == [6, 6, False]


# apply_gradients

def test_apply_gradients():
    w, b = tz.Variable(2.0), tz.Variable(1.0)
    optimizer = tz.optim.SGD(None, lr=0.5)
    optimizer.apply_gradients(zip([tz.tensor(1.0), None], [w, b], strict=True))
    assert (w.item(), b.item()) == (1.5, 1)
    optimizer.apply_gradients([(tz.tensor(2.0), b)])
    assert b.item() == 0


def test_apply_gradients_is_step():
    first, second = tz.Variable([1.0, 2.0]), tz.Variable([1.0, 2.0])
    one, other = tz.optim.Adam([first], lr=0.1), tz.optim.Adam([second], lr=0.1)
    for _ in range(3):
        first.grad = None
        (first ** 2).sum().backward()
        one.step()
        with tz.GradientTape() as tape:
            loss = (second ** 2).sum()
        other.apply_gradients(zip(tape.gradient(loss, [second]), [second], strict=True))
    assert first.numpy().tolist() == second.numpy().tolist()


def test_apply_gradients_misuse():
    optimizer = tz.optim.SGD([tz.Variable(1.0)], lr=0.1)
    with pytest.raises(ArgumentError, match="a variable that the optimizer does not know"):
        optimizer.apply_gradients([(tz.tensor(1.0), tz.Variable(2.0))])
    with pytest.raises(TrainingError, match="without a gradient"):
        optimizer.apply_gradients([(None, optimizer.parameters[0])])
