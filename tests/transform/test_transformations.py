"""vjp, jvp, jacobian, hessian, hvp, custom_vjp, checkpoint, grad_check: eagerly, under jit, nested, in loops."""

import subprocess
import sys
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from helpers import compilations, leaf
from optable import RECORDS, leaves

import tarazu as tz
from tarazu.base.errors import ArgumentError, GradientError, ShapeError, TraceError
from tarazu.base.pytree import flatten

BOTH = pytest.mark.parametrize("wrap", [lambda f: f, tz.jit], ids=["eager", "jit"])
X = np.array([0.4, -0.7, 1.1])


@dataclass
class Pair:
    first: tz.Tensor
    second: tz.Tensor


def nested(arguments):
    pair, table = arguments
    return Pair(tz.sin(pair.first) * table["a"], (pair.second * pair.first).sum()), [table["a"] ** 2]


def nested_arguments():
    return Pair(tz.asarray(X), tz.asarray(X[::-1].copy())), {"a": tz.tensor(0.3, "float64")}


# vjp and jvp

@BOTH
def test_vjp_and_jvp_of_containers_agree(wrap):
    rng = np.random.default_rng(0)
    tangent = Pair(tz.asarray(rng.normal(size=3)), tz.asarray(rng.normal(size=3))), {"a": tz.asarray(rng.normal())}
    weight = Pair(tz.asarray(rng.normal(size=3)), tz.asarray(rng.normal())), [tz.asarray(rng.normal())]

    def both(arguments):
        out, moved = tz.jvp(nested, [arguments], [tangent])
        same, pull = tz.vjp(nested, arguments)
        return out, moved, same, pull(weight)[0]
    out, moved, same, pulled = wrap(both)(nested_arguments())
    assert isinstance(out[0], Pair)
    np.testing.assert_array_equal(out[0].first.numpy(), same[0].first.numpy())
    def product(ours, theirs):
        return sum(float((a * b).sum()) for a, b in zip(flatten(ours)[0], flatten(theirs)[0], strict=True))
    forward, back = product(moved, weight), product(pulled, tangent)
    assert forward == pytest.approx(back, rel=1e-12)


def test_a_pull_back_is_used_again_and_differentiated_at_any_depth():
    x = tz.asarray(X)
    y, pull = tz.vjp(lambda x: x**3, x)
    assert not y.requires_grad
    first = pull(tz.ones_like(y))[0]
    np.testing.assert_allclose(first.numpy(), 3 * X**2)
    np.testing.assert_allclose(tz.grad(lambda u: (pull(u)[0] ** 2).sum())(x).numpy(), 2 * X * (3 * X**2)**2)
    outer = tz.grad(lambda x: (tz.vjp(lambda z: z**3, x)[1](x)[0] ** 2).sum())(x)
    np.testing.assert_allclose(outer.numpy(), 6 * 9 * X**5)  # of (3 x**3)**2
    assert not first.requires_grad


def test_vjp_of_what_does_not_depend_on_its_argument():
    _, pull = tz.vjp(lambda x, y: y * 2, tz.ones(2), tz.ones(2))
    zero, two = pull(tz.ones(2))
    assert (zero.tolist(), two.tolist()) == ([0, 0], [2, 2])
    _, tangent = tz.jvp(lambda x: (tz.ones(2), x > 0), [tz.ones(2)], [tz.ones(2)])
    assert tangent[0].tolist() == [0, 0]
    assert tangent[1].dtype is tz.bool


@BOTH
def test_jvp_of_jvp_and_of_grad(wrap):
    one = tz.ones(3, dtype="float64")

    def slope(f):
        return lambda x: tz.jvp(f, [x], [one])[1]
    np.testing.assert_allclose(wrap(slope(slope(slope(tz.sin))))(tz.asarray(X)).numpy(), -np.cos(X), rtol=1e-12)
    forward_over_reverse = slope(tz.grad(lambda x: (x**4).sum()))
    np.testing.assert_allclose(wrap(forward_over_reverse)(tz.asarray(X)).numpy(), 12 * X**2, rtol=1e-12)
    reverse_over_forward = tz.grad(lambda x: slope(lambda x: (x**4).sum())(x))
    np.testing.assert_allclose(wrap(reverse_over_forward)(tz.asarray(X)).numpy(), 12 * X**2, rtol=1e-12)


@pytest.mark.parametrize("record", [r for r in RECORDS if r.differentiable and r.orders], ids=lambda r: r.name)
def test_jvp_of_every_op_agrees_with_its_vjp(record):
    arrays = record.draw(0)
    rng = np.random.default_rng(0)
    inputs = [tz.asarray(arrays[i]) for i in record.differentiable]
    tangents = [tz.asarray(rng.uniform(-1, 1, x.shape)) for x in inputs]

    def function(*chosen):
        values = [tz.asarray(x) for x in arrays]
        for i, x in zip(record.differentiable, chosen, strict=True):
            values[i] = x
        return [y for y in leaves(record.function(*values)) if y.dtype.is_float]
    outputs, pull = tz.vjp(function, *inputs)
    weights = [tz.asarray(rng.uniform(0.5, 1.5, y.shape), y.dtype) for y in outputs]
    moved = tz.jvp(function, inputs, tangents)[1]
    forward = sum(float((w * m).sum()) for w, m in zip(weights, moved, strict=True))
    back = sum(float((g * t).sum()) for g, t in zip(pull(weights), tangents, strict=True))
    assert forward == pytest.approx(back, rel=1e-9, abs=1e-10)


def test_jvp_reaches_weights_from_outside_of_grad():
    w = leaf(2.0)
    tz.jvp(lambda x: w * x**2, [tz.tensor(3.0, "float64")], [tz.tensor(1.0, "float64")])[1].backward()
    assert w.grad.item() == 6


def test_vjp_and_jvp_errors():
    x = tz.ones(2)
    with pytest.raises(ArgumentError, match="jvp of 1 primals with 2 tangents(.|\n)*zeros"):
        tz.jvp(lambda x: x, [x], [x, x])
    with pytest.raises(ShapeError, match=r"jvp: a tangent of shape \(3,\) for its primal of shape \(2,\)"):
        tz.jvp(lambda x: x, [x], [tz.ones(3)])
    with pytest.raises(ArgumentError, match="vjp: a cotangent has another structure than the result"):
        tz.vjp(lambda x: (x, x), x)[1](x)
    with pytest.raises(GradientError, match="with respect to a tensor of int64"):
        tz.vjp(lambda x: x, tz.arange(3))


# Jacobians and Hessians

@BOTH
def test_jacobian_of_several_arguments_and_results(wrap):
    a = np.arange(6.0).reshape(2, 3)
    f = lambda m, v: {"product": m @ v, "sum": v.sum()}  # noqa: E731
    found = wrap(tz.jacobian(f, (0, 1)))(tz.asarray(a), tz.asarray(X))
    by_m, by_v = found["product"]
    assert by_m.shape == (2, 2, 3)
    np.testing.assert_allclose(by_m.numpy()[0, 0], X)
    np.testing.assert_array_equal(by_v.numpy(), a)
    assert found["sum"][1].tolist() == [1, 1, 1]
    assert not by_v.requires_grad


@BOTH
def test_hessian_hvp_and_third_derivatives(wrap):
    a = np.random.default_rng(0).normal(size=(3, 3))
    f = lambda x: (tz.sin(tz.asarray(a) @ x) * x**2).sum()  # noqa: E731
    x, v = tz.asarray(X), tz.asarray(X[::-1].copy())
    hessian = wrap(tz.hessian(f))(x).numpy()
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-12)
    np.testing.assert_allclose(wrap(lambda x: tz.hvp(f, x, v))(x).numpy(), hessian @ v.numpy(), rtol=1e-12)
    tz.grad_check(tz.grad(f), x)
    tz.grad_check(tz.hessian(f), x)
    third = wrap(tz.jacobian(tz.hessian(lambda x: (x**4).sum())))(x).numpy()
    np.testing.assert_allclose(third[[0, 1, 2], [0, 1, 2], [0, 1, 2]], 24 * X, rtol=1e-12)


def test_hvp_of_containers():
    found = tz.hvp(lambda p: (p["a"] * p["b"]**2).sum(), {"a": tz.ones(2), "b": tz.ones(2)},
                   {"a": tz.ones(2), "b": tz.zeros(2)})
    assert found["a"].tolist() == [0, 0]
    assert found["b"].tolist() == [2, 2]
    with pytest.raises(ArgumentError, match="hvp: v has another structure than x"):
        tz.hvp(lambda p: p["a"].sum(), {"a": tz.ones(2)}, [tz.ones(2), tz.ones(2)])


def test_jacobian_errors():
    with pytest.raises(ArgumentError, match="argnums=1 for a call with 1 arguments"):
        tz.jacobian(lambda x: x, 1)(tz.ones(2))
    with pytest.raises(GradientError, match="the jacobian of a result of int64"):
        tz.jacobian(lambda x: tz.argmax(x))(tz.ones(2))


# Gradients of users

@tz.custom_vjp
def cube(x, scale=1.0):
    """x ** 3 with a gradient that is 10 times too large, to tell it from the true one."""
    return x**3 * scale


@cube.backward
def _(cotangent, output, x, scale=1.0):
    return 10 * cotangent * 3 * x**2 * scale


@BOTH
def test_custom_vjp_is_used_to_second_order(wrap):
    x = tz.asarray(X)
    np.testing.assert_allclose(wrap(tz.grad(lambda x: cube(x).sum()))(x).numpy(), 30 * X**2)
    np.testing.assert_allclose(wrap(tz.grad(lambda x: tz.grad(lambda x: cube(x, scale=2.0).sum())(x).sum()))(x).numpy(),
                               120 * X)
    np.testing.assert_allclose(wrap(lambda x: tz.jvp(cube, [x], [tz.ones_like(x)])[1])(x).numpy(), 30 * X**2)


def test_custom_vjp_inside_jit_scan_and_cond_differentiated_from_outside():
    x = tz.tensor(1.0, "float64")
    def looped(x):
        return tz.while_loop(lambda c: c[0] < 1, lambda c: (c[0] + 1, cube(c[1])), (tz.tensor(0), x), bound=2)[1]
    loops = [tz.jit(cube), looped, lambda x: tz.scan(lambda c, _: (cube(c), None), x, length=1)[0],
             lambda x: tz.cond(x > 0, cube, lambda x: x, x), tz.checkpoint(cube)]
    for f in loops:
        assert tz.grad(f)(x).item() == 30
        assert tz.grad(tz.grad(f))(x).item() == 60
        assert tz.jvp(f, [x], [x])[1].item() == 30


def test_custom_vjp_of_containers_and_fixed_arguments():
    @tz.custom_vjp
    def choose(table, key):
        return {"it": table[key], "count": tz.tensor(3)}

    @choose.backward
    def _(cotangent, output, table, key):
        assert cotangent["count"] is None
        return {name: cotangent["it"] * (5 if name == key else 0) for name in table}, None

    found = tz.grad(lambda table: choose(table, "b")["it"].sum())({"a": tz.ones(2), "b": tz.ones(2)})
    assert found["a"].tolist() == [0, 0]
    assert found["b"].tolist() == [5, 5]


def test_custom_vjp_is_not_compiled_again():
    f = tz.jit(tz.grad(lambda x: cube(x).sum()))
    f(tz.ones(3))
    with compilations(exactly=0):
        f(tz.zeros(3))


def test_pairs_of_custom_functions_that_need_each_other():
    @tz.custom_vjp
    def sine(x):
        return tz.sin(x)

    @tz.custom_vjp
    def cosine(x):
        return tz.cos(x)
    sine.backward(lambda g, y, x: g * cosine(x))
    cosine.backward(lambda g, y, x: -g * sine(x))
    f = sine
    for _ in range(5):
        f = tz.grad(f)
    assert tz.jit(f)(tz.tensor(0.3, "float64")).item() == pytest.approx(np.cos(0.3))


def test_custom_vjp_changes_state_and_keeps_it_out_of_gradients():
    generator, count = tz.random.Generator(0), tz.tensor(0.0)

    @tz.custom_vjp
    def noisy(x):
        count.add_(1)
        return x + tz.random.normal(2, generator=generator)
    noisy.backward(lambda g, y, x: g * 7)
    before = generator.state.numpy().copy()
    assert tz.grad(lambda x: noisy(x).sum())(tz.ones(2)).tolist() == [7, 7]
    assert count.item() == 1
    assert (generator.state.numpy() != before).any()


def test_custom_vjp_errors():
    weight, x = leaf(2.0), leaf(1.0, 2.0)

    @tz.custom_vjp
    def product(x):
        return x * weight
    with pytest.raises(GradientError, match="product reads a tensor from outside(.|\n)*as an argument"):
        product(x).sum().backward()
    weight.requires_grad_(False)
    with pytest.raises(GradientError, match="custom_vjp without a backward\n.*\n.*@product.backward"):
        product(x).sum().backward()
    product.backward(lambda g, y, x: g.sum())
    with pytest.raises(ShapeError, match=r"product gave a cotangent of shape \(\) for an argument of shape \(2,\)"):
        product(x).sum().backward()
    product.backward(lambda g, y, x: (g, g))
    with pytest.raises(ArgumentError, match="product: the cotangent of argument 0 has another structure"):
        product(x).sum().backward()
    with pytest.raises(ArgumentError, match=r"backward of <lambda> gave 1 cotangents for 2 arguments\n.*tuple"):
        pair = tz.custom_vjp(lambda x, y: x)
        pair.backward(lambda g, y, *xs: (g,))
        pair(x, x).sum().backward()
    other = tz.tensor(3.0)
    product.backward(lambda g, y, x: g * other)
    with pytest.raises(TraceError, match="backward of a custom_vjp reads a tensor that its function does not read"):
        tz.jit(product)(x).sum().backward()
    with pytest.raises(ArgumentError, match="product: unhashable"):
        product(x, {1, 2})


# Recomputation

def deep(x, blocks=8, wrap=tz.checkpoint):
    for _ in range(blocks):
        x = wrap(lambda x: tz.sin(tz.tanh(tz.exp(tz.cos(x)))))(x)
    return x.sum()


@BOTH
def test_checkpoint_has_the_same_derivatives(wrap):
    x = tz.asarray(X)
    plain = lambda x: deep(x, wrap=lambda f: f)  # noqa: E731
    np.testing.assert_allclose(wrap(tz.grad(deep))(x).numpy(), tz.grad(plain)(x).numpy(), rtol=1e-12)
    np.testing.assert_allclose(wrap(tz.hessian(deep))(x).numpy(), tz.hessian(plain)(x).numpy(), rtol=1e-10)


def test_checkpoint_computes_again_under_jit():
    def count(f, name):
        graph = tz.trace(tz.grad(f))(tz.ones(3))
        return sum(getattr(node.op, "name", "") == name for node in graph.nodes)
    assert count(lambda x: deep(x, wrap=lambda f: f), "tanh") == 8
    assert count(deep, "tanh") == 8 + 7  # the last block's own result is not asked for
    assert count(deep, "barrier") == 8


@pytest.mark.parametrize("is_jitted", [False, True])
def test_checkpoint_needs_less_memory(is_jitted):
    x = tz.ones(100_000)

    def peak(f):
        f = tz.jit(tz.grad(f)) if is_jitted else tz.grad(f)
        f(x)
        tracemalloc.start()
        try:
            f(x)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak(deep) < 0.6 * peak(lambda x: deep(x, wrap=lambda f: f))


def test_checkpoint_draws_the_same_numbers_again():
    def f(x, wrap):
        generator = tz.random.Generator(3)
        return wrap(lambda x: (tz.random.normal(3, generator=generator) * x)**2)(x).sum()
    found, wanted = (tz.grad(lambda x, wrap=wrap: f(x, wrap))(tz.ones(3)) for wrap in (tz.checkpoint, lambda f: f))
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-6)


def _once(f):
    return lambda x: tz.scan(lambda c, _: (c, f(c)), x, length=1)[1][0]


def _once_in_a_while(f):
    return lambda x: tz.while_loop(lambda c: c[0] < 1, lambda c: (c[0] + 1, f(c[1])), (0, x), bound=1)[1]


def _chosen(f):
    return lambda x: tz.cond(x.sum() > -1e9, f, lambda x: f(2 * x), x)


def _function(f):
    return lambda x: f(x)


BODIES = {"checkpoint": tz.checkpoint, "cond": _chosen, "scan": _once, "while": _once_in_a_while,
          "nested": lambda f: tz.checkpoint(_chosen(_once(tz.checkpoint(f)))),
          "jit inside": lambda f: _once(tz.jit(_function(f)))}


@pytest.mark.parametrize("is_jitted", [False, True])
@pytest.mark.parametrize("wrap", BODIES.values(), ids=BODIES)
def test_running_statistics_in_a_body_are_those_of_plain_calls(wrap, is_jitted):
    def losses(wrap):
        tz.random.seed(0)
        norms = tz.nn.BatchNorm(8), tz.nn.BatchNorm(4)
        first = wrap(tz.nn.Sequential([tz.nn.Dense(8, in_features=4), norms[0], tz.nn.Dense(4, in_features=8)]))
        second = wrap(norms[1])
        x = tz.randn(16, 4)

        def step():
            loss = tz.square(second(first(x)) - x).mean()
            loss.backward()
            return loss
        step = tz.jit(step) if is_jitted else step
        found = [step().item() for _ in range(3)]
        statistics = [value for norm in norms for value in (norm.running_mean, norm.running_variance)]
        assert not any(value.requires_grad for value in statistics)
        return [found, *[value.numpy() for value in statistics]]

    for found, wanted in zip(losses(wrap), losses(lambda f: f), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


@BOTH
@pytest.mark.parametrize("wrap_body", BODIES.values(), ids=BODIES)
def test_what_a_body_computes_without_gradients_is_a_constant_of_its_gradient(wrap_body, wrap):
    total = tz.zeros(3, dtype="float64")

    def f(x):
        with tz.no_grad():
            factor = x * 2
            total.copy_(x)
        return x * factor + total
    found = wrap(tz.grad(lambda x: wrap_body(f)(x).sum()))(tz.asarray(X))
    np.testing.assert_allclose(found.numpy(), 2 * X)


@pytest.mark.parametrize("wrap", [BODIES[name] for name in ("checkpoint", "cond", "scan", "nested")])
def test_what_a_body_changes_keeps_the_gradients_that_flow_to_it(wrap):
    def gradient(wrap):
        w, total = leaf(tz.ones(3)), tz.zeros(3)
        outside = tz.ones(3)

        def add(x):
            total.add_(w * x)
            outside.mul_(2)
            return x * 2
        part = wrap(add)
        part(tz.ones(3) * 3)
        part(tz.ones(3) * 4)
        assert total.requires_grad and not outside.requires_grad
        total.sum().backward()
        return w.grad.numpy()
    np.testing.assert_array_equal(gradient(wrap), gradient(lambda f: f))


def test_a_loop_carries_gradients_from_one_tensor_that_it_changes_to_the_next():
    w, first, second, count = leaf(2.0), tz.tensor(0.0), tz.tensor(0.0), tz.tensor(0.0)

    def step(carry, _):
        second.copy_(first)
        first.copy_(w * 3)
        count.add_(1.0)
        return carry, None
    tz.scan(step, tz.tensor(0.0), length=2)
    assert second.requires_grad and first.requires_grad and not count.requires_grad
    second.backward()
    assert w.grad.item() == 3


# grad_check

def test_grad_check_names_the_argument_and_the_error():
    table = {"weight": [tz.ones(2), tz.ones(3)], "bias": tz.tensor(1.0)}
    tz.grad_check(lambda n, t: t["weight"][1] * t["bias"] ** n, 3, table)
    with pytest.raises(GradientError, match=r"argument 1\['weight'\]\[1\] gives a slope of (.|\n)*error(.|\n)*1e-05"):
        tz.grad_check(lambda n, t: cube(t["weight"][1]) * t["bias"], 3, table)
    with pytest.raises(GradientError, match=r"argument 0.second gives"):
        tz.grad_check(lambda p: p.first + cube(p.second), Pair(tz.ones(2), tz.ones(2)))


def _twice(f):
    return lambda x: tz.scan(lambda c, _: (f(c), None), x, length=1)[0]


@pytest.mark.parametrize("around", [
    lambda f: f, tz.vmap, _twice, tz.checkpoint, lambda f: _twice(_twice(f)), lambda f: tz.vmap(tz.checkpoint(f)),
    lambda f: lambda x: tz.cond(tz.tensor(True), f, tz.sin, x),
    lambda f: lambda x: tz.vmap(lambda a: tz.cond(a > 0, f, tz.sin, a))(x),
    lambda f: lambda x: tz.while_loop(lambda c: c[0] < 1, lambda c: (c[0] + 1, f(c[1])), (0, x), bound=1)[1],
], ids=["plain", "vmap", "scan", "checkpoint", "scans", "vmap-checkpoint", "cond", "vmap-cond", "while"])
def test_custom_vjp_reads_python_values_at_each_eager_call(around):
    strength = [1.0]

    @tz.custom_vjp
    def reversed_gradient(x):
        return x * 1

    @reversed_gradient.backward
    def _(g, y, x):
        return -strength[0] * g
    f = around(reversed_gradient)
    for strength[0] in (1.0, 5.0):
        assert tz.grad(lambda x: f(x).sum())(tz.ones(2)).tolist() == [-strength[0]] * 2
        assert tz.jvp(f, [tz.ones(2)], [tz.ones(2)])[1].tolist() == [-strength[0]] * 2


@pytest.mark.parametrize("around", [
    lambda f: f, tz.vmap, _twice, tz.checkpoint, lambda f: tz.vmap(_twice(f)),
    lambda f: lambda x: tz.cond(tz.tensor(True), f, tz.sin, x)],
    ids=["plain", "vmap", "scan", "checkpoint", "vmap-scan", "cond"])
@pytest.mark.parametrize("wrap", [lambda f: f, tz.jit], ids=["eager", "jit"])
def test_backward_of_custom_vjp_reads_what_the_function_reads_from_outside(wrap, around):
    scale = tz.tensor(2.0)
    scaled = tz.custom_vjp(lambda x: x * scale)
    scaled.backward(lambda g, y, x: 10 * g * scale * x)
    f = around(scaled)
    gradient = wrap(tz.grad(lambda x: f(x).sum()))
    second = wrap(tz.grad(lambda x: tz.grad(lambda x: f(x).sum())(x).sum()))
    for value in (2.0, 3.0):
        scale.copy_(value)
        assert gradient(tz.tensor([1.0, 2.0])).tolist() == [10 * value, 20 * value]
        assert second(tz.tensor([1.0, 2.0])).tolist() == [10 * value] * 2


@pytest.mark.parametrize("differentiated", [
    lambda f, x: tz.vmap(tz.grad(f))(x), lambda f, x: tz.vmap(tz.grad(tz.grad(f)))(x),
    lambda f, x: tz.grad(lambda x: tz.vmap(tz.grad(f))(x).sum())(x), lambda f, x: tz.jit(tz.vmap(tz.grad(f)))(x),
    lambda f, x: tz.vmap(lambda x: tz.jvp(f, [x], [tz.tensor(1.0)])[1])(x), lambda f, x: tz.vmap(tz.hessian(f))(x)],
    ids=["grad", "second", "over", "jit", "jvp", "hessian"])
def test_checkpoint_and_custom_vjp_in_lanes_of_gradients(differentiated):
    def plain(x):
        return tz.sin(x) * x

    custom = tz.custom_vjp(lambda x: plain(x))
    custom.backward(lambda g, y, x: g * (tz.cos(x) * x + tz.sin(x)))
    x = tz.tensor([0.3, 1.0, -2.0], "float64")
    wanted = differentiated(plain, x).numpy()
    for f in (tz.checkpoint(plain), custom):
        np.testing.assert_allclose(differentiated(f, x).numpy(), wanted, rtol=1e-10)


GRADIENT_IN_A_PROCESS = """
import tarazu as tz
from tarazu.backend.native.cache_key import content
import hashlib
model = tz.nn.Sequential([tz.nn.Dense(4, in_features=3), tz.nn.BatchNorm(), tz.nn.Dense(2)])
x = tz.ones(5, 3)
model(x)
graph = tz.trace(lambda x: (model(x) ** 2).sum(), backward=True)(x)
print(hashlib.sha256(content(graph)).hexdigest())
"""


def test_a_traced_backward_pass_is_the_same_graph_in_each_process():
    """Else programs would be compiled anew in each, and not be found on disk."""
    hashes = {subprocess.run([sys.executable, "-c", "x = [object() for _ in range("
                              f"{997 * i})]\n" + GRADIENT_IN_A_PROCESS], capture_output=True, text=True,
                             check=True).stdout for i in range(4)}
    assert len(hashes) == 1
