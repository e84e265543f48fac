"""scan, while_loop and composites: carries, captured tensors, state that the body changes, gradients, errors."""

import numpy as np
import pytest
from helpers import assert_same, compilations, leaf

import tarazu as tz
from tarazu.base.errors import ArgumentError, GradientError, ShapeError, TraceError
from tarazu.ops.control_flow.composite import composite

BOTH = pytest.mark.parametrize("wrap", [lambda f: f, tz.jit], ids=["eager", "jit"])


def decay(w, x, **options):
    """A recurrence with a captured weight: its last carry and its stack."""
    return tz.scan(lambda h, row: (tz.tanh(h * w + row), h), tz.zeros_like(w), x, **options)


def unrolled(w, x):
    h, rows = tz.zeros_like(w), []
    for row in x:
        rows.append(h)
        h = tz.tanh(h * w + row)
    return h, tz.stack(rows)


@BOTH
@pytest.mark.parametrize("reverse", [False, True])
def test_scan_is_the_loop(wrap, reverse):
    w, x = leaf(0.5, -0.3), tz.asarray(np.linspace(-1, 1, 8).reshape(4, 2))
    last, stack = wrap(lambda x: decay(w, x, reverse=reverse))(x)
    wanted_last, wanted_stack = unrolled(w, tz.flip(x, 0) if reverse else x)
    assert_same(last.detach(), wanted_last.detach())
    assert_same(stack.detach(), (tz.flip(wanted_stack, 0) if reverse else wanted_stack).detach())


@BOTH
@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_scan_are_those_of_the_loop(wrap, order):
    x = tz.asarray(np.linspace(-1, 1, 8).reshape(4, 2))

    def derivative(loop):
        def f(w, x):
            last, stack = loop(w, x)
            return (last * last).sum() + (stack**3).sum()
        for _ in range(order):
            inner = f
            f = (lambda g: lambda w, x: sum((part**2).sum() for part in g(w, x)))(tz.grad(inner, (0, 1)))
        return f

    w = tz.tensor([0.5, -0.3], "float64")
    assert wrap(derivative(decay))(w, x).item() == pytest.approx(derivative(unrolled)(w, x).item(), rel=1e-12)


@BOTH
def test_backward_through_scan_reaches_captured_weights(wrap):
    w, x = leaf(0.5, -0.3), leaf(0.1, 0.2)
    wrap(lambda: decay(w, tz.stack([x, x]))[0].sum().backward())()
    once, other = leaf(0.5, -0.3), leaf(0.1, 0.2)
    unrolled(once, tz.stack([other, other]))[0].sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), once.grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(x.grad.numpy(), other.grad.numpy(), rtol=1e-12)


@BOTH
def test_scan_carries_state_that_the_body_changes(wrap):
    inside, outside = tz.random.Generator(5), tz.random.Generator(5)
    mean = tz.tensor(0.0)

    def body(carry, _):
        noise = tz.random.normal(2, generator=inside)
        mean.add_(noise.sum())
        return carry + noise, noise

    _, drawn = wrap(lambda: tz.scan(body, tz.zeros(2), length=3))()
    assert_same(drawn, tz.stack([tz.random.normal(2, generator=outside) for _ in range(3)]))
    assert_same(inside.state, outside.state)
    assert mean.item() == pytest.approx(drawn.sum().item(), rel=1e-5)


def test_scan_with_containers_and_integers():
    (count, total), ys = tz.scan(lambda c, x: ((c[0] + 1, c[1] + x["a"]), {"twice": 2 * x["a"], "count": c[0]}),
                                 (tz.tensor(0), tz.tensor(0.5)), {"a": tz.tensor([1.0, 2.0])})
    assert (count.item(), total.item()) == (2, 3.5)
    assert ys["twice"].tolist() == [2, 4]
    assert ys["count"].tolist() == [0, 1]


def test_scan_of_length_0():
    last, ys = tz.scan(lambda c, x: (c + x, c * x), tz.tensor(1.0), tz.zeros(0))
    assert last.item() == 1
    assert ys.shape == (0,)


def test_scan_is_compiled_whatever_its_length():
    f = tz.jit(lambda x: tz.scan(lambda c, row: (c + row, None), tz.tensor(0.0), x)[0])
    with compilations(exactly=1):
        assert f(tz.ones(1000)).item() == 1000
    assert len(f.graph.nodes) < 10


def test_scan_inside_scan_and_grad_inside_scan():
    def outer(c, row):
        inner = tz.scan(lambda d, x: (d * x, None), c, row)[0]
        return inner + tz.grad(lambda z: z**3)(c), None
    assert tz.scan(outer, tz.tensor(1.0), tz.tensor([[2.0, 3.0], [1.0, 1.0]]))[0].item() == (6 + 3) + 3 * 81


def test_no_grad_around_scan():
    w = leaf(2.0)
    with tz.no_grad():
        assert not tz.scan(lambda c, _: (c * w, None), tz.tensor(1.0, "float64"), length=2)[0].requires_grad


def test_scan_errors():
    with pytest.raises(TraceError, match=r"a carry after one step of types \(float32\[\]\)\n.*int64(.|\n)*keeps its"):
        tz.scan(lambda c, x: (c + x, None), tz.tensor(0), tz.tensor([1.0]))
    with pytest.raises(ArgumentError, match="the carry changed its structure"):
        tz.scan(lambda c, x: ((c, c), None), tz.tensor(0), tz.tensor([1.0]))
    with pytest.raises(ArgumentError, match=r"gave Tensor(.|\n)*return carry, None"):
        tz.scan(lambda c, x: c, tz.tensor(0), tz.tensor([1.0]))
    with pytest.raises(ShapeError, match="first axes of one size"):
        tz.scan(lambda c, x: (c, None), tz.tensor(0), [tz.ones(2), tz.ones(3)])
    with pytest.raises(ShapeError, match="length=None"):
        tz.scan(lambda c, x: (c, None), tz.tensor(0))
    with pytest.raises(TraceError, match="left gradients behind"):
        w = leaf(1.0)
        tz.scan(lambda c, x: ((c * w).backward(), (c, None))[1], tz.tensor(0.0, "float64"), length=2)


@BOTH
def test_while_loop(wrap):
    limit, count = tz.tensor(100), tz.tensor(0)

    def body(state):
        count.add_(1)
        return {"x": state["x"] * 2}

    f = wrap(lambda: tz.while_loop(lambda state: state["x"] < limit, body, {"x": tz.tensor(3)}))
    assert f()["x"].item() == 192
    assert count.item() == 6
    limit.assign(10)
    assert f()["x"].item() == 12


@BOTH
def test_while_loop_whose_condition_reads_what_the_body_changes(wrap):
    count = tz.tensor(0)

    def body(x):
        count.add_(1)
        return x * 2

    assert wrap(lambda: tz.while_loop(lambda x: count < 3, body, tz.tensor(1)))().item() == 8


def test_while_loop_errors():
    with pytest.raises(GradientError, match=r"while_loop(.|\n)*use tz.scan"):
        tz.while_loop(lambda x: x < 9, lambda x: x * 2, leaf(1.0)).backward()
    with pytest.raises(TraceError, match="the condition of types"):
        tz.while_loop(lambda x: x, lambda x: x, tz.tensor(1))
    with pytest.raises(TraceError, match="the condition of a while_loop changed a tensor"):
        count = tz.tensor(0)
        tz.while_loop(lambda x: count.add_(1) < 3, lambda x: x, tz.tensor(1))


def test_a_composite_reads_its_arguments_only():
    outside = tz.ones(2)
    with pytest.raises(TraceError, match=r"the composite bad reads a tensor that is not an argument"):
        @composite("bad")
        def bad(x):
            return x + outside
        bad(tz.ones(2))


def test_a_composite_shows_its_name():
    assert repr(tz.softmax(leaf(1, 2))).endswith("grad_fn=<SoftmaxBackward>)")


def test_a_flag_read_in_a_loop_body_guards_the_trace():
    from tarazu.ir.interpreter import state as interpreter

    flag = [True]

    def body(c, _):
        return (c + 1 if interpreter.interpreter.depend_on(lambda: flag[0]) else c), None

    f = tz.jit(lambda: tz.scan(body, tz.tensor(0), length=3)[0])
    assert f().item() == 3
    flag[0] = False
    assert f().item() == 0
