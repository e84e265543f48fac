"""cond, switch, fori_loop, map, and derivatives through while_loop: eagerly, under jit, nested, with state."""

import numpy as np
import pytest
from helpers import assert_same, compilations, leaf

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, GradientError, ShapeError, TraceError

BOTH = pytest.mark.parametrize("wrap", [lambda f: f, tz.jit], ids=["eager", "jit"])
X = np.array([0.4, -0.7, 1.1])


# cond

@BOTH
def test_cond_runs_one_branch(wrap):
    f = wrap(lambda x: tz.cond(x.sum() > 0, lambda x, y: {"r": x * y["a"]}, lambda x, y: {"r": x - y["a"]}, x,
                               {"a": tz.tensor(2.0)})["r"])
    assert f(tz.ones(2)).tolist() == [2, 2]
    assert f(-tz.ones(2)).tolist() == [-3, -3]


def test_cond_is_traced_once_for_both_ways():
    f = tz.jit(lambda x: tz.cond(x > 0, tz.sin, tz.cos, x))
    with compilations(exactly=1):
        f(tz.tensor(1.0))
        f(tz.tensor(-1.0))


@BOTH
def test_gradients_of_cond_do_not_mix_with_the_other_branch(wrap):
    f = lambda x: tz.cond(x > 0, lambda x: tz.sqrt(x)**3, lambda x: x**2, x)  # noqa: E731
    for order, wanted in ((1, -4.0), (2, 2.0), (3, 0.0)):  # sqrt of a negative number would make them nan
        g = f
        for _ in range(order):
            g = tz.grad(g)
        assert wrap(g)(tz.tensor(-2.0)).item() == wanted
    assert wrap(tz.grad(tz.grad(f)))(tz.tensor(4.0)).item() == pytest.approx(0.75 / 2)
    assert wrap(lambda x: tz.jvp(f, [x], [x]))(tz.tensor(-2.0))[1].item() == 8


@BOTH
def test_cond_reads_and_changes_tensors_from_outside(wrap):
    weight, other, count, skipped = leaf(3.0), leaf(5.0), tz.tensor(0), tz.tensor(0)
    inside, outside = tz.random.Generator(1), tz.random.Generator(1)

    def yes(x):
        count.add_(1)
        return x * weight + tz.random.normal((), generator=inside).astype("float64")

    def no(x):
        skipped.add_(1)
        return x * other

    f = wrap(lambda p: tz.cond(p, yes, no, tz.tensor(2.0, "float64")))
    y = f(tz.tensor(True))
    assert y.item() == pytest.approx(6 + tz.random.normal((), generator=outside).item())
    assert_same(inside.state, outside.state)
    assert (count.item(), skipped.item()) == (1, 0)
    y.backward()
    assert (weight.grad.item(), other.grad.item()) == (2, 0)
    f(tz.tensor(False))
    assert_same(inside.state, outside.state)
    assert (count.item(), skipped.item()) == (1, 1)


@BOTH
def test_cond_nested_in_loops_and_in_itself(wrap):
    def step(c, x):
        inner = tz.cond(x > 1, lambda c: c * x, lambda c: c * c, c)
        return tz.cond(x > 0, lambda: inner, lambda: c + x), inner

    def loop(c, xs):
        out, rows = tz.scan(step, c, xs)
        return out + rows.sum()

    def unrolled(c, xs):
        total = 0
        for x in xs:
            inner = c * x if x.item() > 1 else c * c
            c = inner if x.item() > 0 else c + x
            total = total + inner
        return c + total
    c, xs = tz.tensor(0.7, "float64"), tz.tensor([2.0, 0.5, -0.3], "float64")
    for order in (1, 2):
        f, g = loop, unrolled
        for _ in range(order):
            f, g = tz.grad(f), tz.grad(g)
        assert wrap(f)(c, xs).item() == pytest.approx(g(c, xs).item(), rel=1e-12)
    np.testing.assert_allclose(wrap(tz.grad(loop, 1))(c, xs).numpy(), tz.grad(unrolled, 1)(c, xs).numpy(), rtol=1e-12)


def test_cond_errors():
    x = tz.ones(2)
    yes = tz.tensor(True)
    with pytest.raises(ArgumentError, match=r"function gives float32\[2\], the false function gives \(float32\[2\],\)"):
        tz.cond(yes, lambda x: x, lambda x: (x,), x)
    with pytest.raises(DTypeError, match=r"\{'a': float32\[2\]\}, the false .* \{'a': int64\[2\]\}(.|\n)*cast"):
        tz.cond(yes, lambda: {"a": x}, lambda: {"a": x.astype("int64")})
    with pytest.raises(ArgumentError, match=r"gives None, the false function gives \[float32\[2\]\]"):
        tz.cond(yes, lambda: None, lambda: [x])
    with pytest.raises(ArgumentError, match=r"a predicate of type bool\[2\]\n.*scalar(.|\n)*\.any\(\)"):
        tz.cond(x > 0, lambda: x, lambda: x)
    with pytest.raises(ArgumentError, match=r"a predicate of type float32\[\]"):
        tz.cond(x.sum(), lambda: x, lambda: x)
    with pytest.raises(TraceError, match=r"Python condition(.|\n)*tz.cond\(condition, f, g, x\)"):
        tz.jit(lambda x: x if x.sum() > 0 else -x)(x)


# switch

@BOTH
def test_switch(wrap):
    branches = [lambda x, i=i: x * i for i in range(5)]
    f = wrap(lambda i, x: tz.switch(i, branches, x))
    assert [f(tz.tensor(i), tz.tensor(1.0)).item() for i in (-3, 0, 1, 2, 3, 4, 9)] == [0, 0, 1, 2, 3, 4, 4]
    slopes = wrap(lambda i: tz.grad(lambda x: tz.switch(i, [tz.sin, tz.exp, lambda x: x * x], x))(tz.tensor(3.0)))
    assert slopes(tz.tensor(2)).item() == 6


def test_switch_errors():
    with pytest.raises(ArgumentError, match="switch without branches"):
        tz.switch(tz.tensor(0), [])
    with pytest.raises(ArgumentError, match=r"switch: an index of type float32\[\]"):
        tz.switch(tz.tensor(0.0), [lambda: tz.ones(2)])
    with pytest.raises(ShapeError, match=r"switch: branch 1 gives float32\[2\], branch 2 gives float32\[3\]"):
        tz.switch(tz.tensor(0), [lambda: tz.ones(2), lambda: tz.ones(2), lambda: tz.ones(3)])
    with pytest.raises(ArgumentError, match=r"carry changed its structure from \(\., \.\) to {'a': \.}"):
        tz.fori_loop(0, 3, lambda i, c: {"a": c[0]}, (tz.ones(2), tz.ones(2)))


# Loops

@BOTH
def test_fori_loop_with_bounds_that_are_known_and_not(wrap):
    f = wrap(lambda n: tz.fori_loop(1, n, lambda i, c: {"p": c["p"] * i}, {"p": tz.tensor(1)})["p"])
    assert f(5).item() == 24
    assert f(0).item() == 1
    with compilations(at_most=1):
        assert [f(tz.tensor(n)).item() for n in (5, 4, 0)] == [24, 6, 1]
    assert f(tz.tensor(5, "int8")).item() == 24


@BOTH
def test_fori_loop_gradients(wrap):
    body = lambda i, x: x * x + i.astype("float64")  # noqa: E731
    x = tz.tensor(0.5, "float64")
    wanted = tz.grad(lambda x: ((x**2)**2 + 1)**2 + 2)(x).item()
    assert wrap(tz.grad(lambda x: tz.fori_loop(0, 3, body, x)))(x).item() == pytest.approx(wanted)
    by_bound = lambda n: tz.grad(lambda x: tz.fori_loop(0, n, body, x, bound=5))(x)  # noqa: E731
    assert wrap(by_bound)(tz.tensor(3)).item() == pytest.approx(wanted)
    with pytest.raises(ArgumentError, match=r"fori_loop: a bound of type float32\[\]"):
        tz.fori_loop(0, tz.tensor(2.0), body, x)


@BOTH
def test_map(wrap):
    w = leaf(2.0, 3.0)
    f = wrap(lambda xs: tz.map(lambda x: (x["a"] * w, x["a"].sum()), xs))
    stack, sums = f({"a": tz.asarray(np.arange(6.0).reshape(3, 2))})
    assert stack.shape == (3, 2)
    assert sums.tolist() == [1, 5, 9]
    stack.sum().backward()
    assert w.grad.tolist() == [6, 9]


# while_loop

def squares(x, bound=None, limit=50.0):
    def body(c):
        return {"x": c["x"] * c["x"] + x, "n": c["n"] + 1}
    return tz.while_loop(lambda c: (c["x"] * c["x"]).sum() < limit, body, {"x": x, "n": tz.tensor(0)}, bound=bound)


def by_hand(x, limit=50.0):
    c = x
    while (c * c).sum().item() < limit:
        c = c * c + x
    return c


@BOTH
def test_forward_derivatives_of_while(wrap):
    x, v = tz.asarray(np.array([1.2, 0.5])), tz.asarray(np.array([0.3, -1.0]))
    out, tangent = wrap(lambda x, v: tz.jvp(lambda x: squares(x), [x], [v]))(x, v)
    wanted, wanted_tangent = tz.jvp(by_hand, [x], [v])
    np.testing.assert_array_equal(out["x"].numpy(), wanted.numpy())
    np.testing.assert_allclose(tangent["x"].numpy(), wanted_tangent.numpy(), rtol=1e-12)
    twice = lambda f: tz.jvp(lambda x: tz.jvp(f, [x], [v])[1], [x], [v])[1]  # noqa: E731
    np.testing.assert_allclose(wrap(lambda: twice(lambda x: squares(x)["x"]))().numpy(), twice(by_hand).numpy(),
                               rtol=1e-12)


@BOTH
@pytest.mark.parametrize("outer", [lambda f, x: tz.jit(f)(x), lambda f, x: tz.cond(x[0] > 0, f, f, x),
                                   lambda f, x: tz.checkpoint(f)(x),
                                   lambda f, x: tz.scan(lambda c, _: (f(c) / 9, None), x, length=3)[0]],
                         ids=["jit", "cond", "checkpoint", "scan"])
def test_forward_derivatives_of_while_inside_others(wrap, outer):
    x, v = tz.asarray(np.array([1.2, 0.5])), tz.asarray(np.array([0.3, -1.0]))
    found = wrap(lambda: tz.jvp(lambda x: outer(lambda x: squares(x)["x"], x), [x], [v])[1])()
    step = 1e-5
    at = lambda s: outer(lambda x: squares(x)["x"], x + s * v).numpy()  # noqa: E731
    np.testing.assert_allclose(found.numpy(), (at(step) - at(-step)) / (2 * step), rtol=1e-6)


@BOTH
@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_while_with_a_bound(wrap, order):
    x = tz.asarray(np.array([1.2, 0.5]))
    f, g = (lambda x: (squares(x, bound=10)["x"]**2).sum()), (lambda x: (by_hand(x)**2).sum())
    for _ in range(order - 1):
        f, g = (lambda x, f=f: (tz.grad(f)(x)**2).sum()), (lambda x, g=g: (tz.grad(g)(x)**2).sum())
    np.testing.assert_allclose(wrap(tz.grad(f))(x).numpy(), tz.grad(g)(x).numpy(), rtol=1e-12)


@BOTH
def test_while_with_a_bound_and_state_from_outside(wrap):
    weight, count = leaf(1.5), tz.tensor(0)

    def body(x):
        count.add_(1)
        return x * weight
    y = wrap(lambda x: tz.while_loop(lambda x: x < 10, body, x, bound=8))(tz.tensor(1.0, "float64"))
    y.backward()
    assert count.item() == 6
    assert weight.grad.item() == pytest.approx(6 * 1.5**5)


@BOTH
def test_derivatives_through_loops_with_complex_carries(wrap):
    """The same rotation and growth as a scan, as a while, by hand."""
    turn = tz.tensor(0.6 + 0.9j, "complex128")

    def size(loop):
        return lambda x: tz.abs(loop(x.astype("complex128")))**2 + tz.real(loop(x.astype("complex128")))

    def by_scan(z):
        return tz.scan(lambda c, _: (c * c * turn + z, None), z, length=3)[0]

    def by_while(z, bound=None):
        return tz.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * c[1] * turn + z), (tz.tensor(0), z),
                             bound=bound)[1]

    def unrolled(z):
        c = z
        for _ in range(3):
            c = c * c * turn + z
        return c
    x = tz.tensor(0.7, "float64")
    wanted = tz.grad(size(unrolled))(x).item()
    assert wrap(tz.grad(size(by_scan)))(x).item() == pytest.approx(wanted, rel=1e-12)
    assert wrap(tz.grad(size(lambda z: by_while(z, bound=4))))(x).item() == pytest.approx(wanted, rel=1e-12)
    for loop in (by_while, by_scan, unrolled):
        slope = wrap(lambda x, loop=loop: tz.jvp(size(loop), [x], [tz.ones_like(x)])[1])
        assert slope(x).item() == pytest.approx(wanted)


def test_while_errors():
    x = leaf(1.2, 0.5)
    with pytest.raises(GradientError, match=r"backward came to a while_loop(.|\n)*bound=n(.|\n)*tz.scan"):
        squares(x)["x"].sum().backward()
    with pytest.raises(ArgumentError, match=r"still holds after bound=1 steps(.|\n)*a larger bound"):
        squares(x, bound=1)
    with pytest.raises(ArgumentError, match="while_loop: bound=2.5"):
        squares(x, bound=2.5)
    with pytest.raises(GradientError, match=r"backward came to a while_loop(.|\n)*bound=n"):
        tz.grad(lambda x: tz.jvp(lambda x: squares(x)["x"], [x], [x])[1].sum())(x.detach())


def test_a_real_gradient_inside_a_forward_derivative_is_refused():
    """The placeholder of forward mode may not stand in for a gradient that somebody looks at."""
    @tz.custom_vjp
    def f(x):
        return x * 2
    f.backward(lambda g, y, x: g * tz.grad(lambda z: squares(z)["x"].sum())(x))
    x = tz.asarray(np.array([1.2, 0.5]))
    with pytest.raises(GradientError, match="backward came to a while_loop"):
        tz.jvp(f, [x], [x])


def test_gradient_of_the_forward_derivative_of_a_bounded_while():
    def f(x):
        return tz.while_loop(lambda c: c < 4, lambda c: c * c + 0.5, x, bound=6)
    x = tz.tensor([1.2, 2.4], "float64")
    wanted = tz.vmap(tz.grad(tz.grad(f)))(x)
    for wrap in (tz.vmap, lambda g: tz.jit(tz.vmap(g))):
        found = wrap(tz.grad(lambda x: tz.jvp(f, [x], [tz.tensor(1.0)])[1]))(x)
        np.testing.assert_allclose(found.numpy(), wanted.numpy())
