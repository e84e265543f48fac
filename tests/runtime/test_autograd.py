"""Gradients as users meet them: backward, .grad, no_grad, grad, and the errors."""

import threading
from typing import NamedTuple

import numpy as np
import pytest
from helpers import leaf

import tarazu as tz
from tarazu.base.errors import ArgumentError, GradientError, ShapeError


def test_two_leaves_of_one_sum_have_gradients_of_their_own():
    a, b = leaf(1, 2), leaf(3, 4)
    v = tz.tensor([1.0, 1.0], "float64")
    for _ in range(2):
        (a + b).backward(v)
    assert a.grad is not b.grad
    a.grad.zero_()
    assert (a.grad.tolist(), b.grad.tolist(), v.tolist()) == ([0, 0], [2, 2], [1, 1])


def test_a_leaf_used_twice_adds_up():
    a = leaf(2, 3)
    (a * a * a).sum().backward()
    assert a.grad.tolist() == [12, 27]


def test_second_backward_needs_retain_graph():
    a = leaf(2.0)
    y = a * a
    y.backward()
    with pytest.raises(GradientError, match=r"second time through MulBackward.*\n.*\n.*retain_graph=True"):
        y.backward()
    assert a.grad.item() == 4


def test_retained_graph_serves_twice():
    a = leaf(2.0)
    y = a * a
    y.backward(retain_graph=True)
    y.backward()
    assert a.grad.item() == 8


def test_create_graph_gives_gradients_of_gradients():
    a = leaf(2.0)
    (a**3).backward(create_graph=True)
    first = a.grad
    a.grad = None
    first.backward()
    assert (first.item(), a.grad.item()) == (12, 12)


def test_backward_of_what_was_not_recorded():
    with pytest.raises(GradientError, match="nothing was recorded"):
        tz.ones(()).backward()
    with tz.no_grad():
        y = leaf(1, 2).sum()
    with pytest.raises(GradientError, match=r"outside tz.no_grad\(\)"):
        y.backward()


def test_backward_of_a_non_scalar_needs_a_vector():
    y = leaf(1, 2) * 2
    with pytest.raises(ShapeError, match=r"shape \(2,\) without a vector\n.*\n.*y.backward\(v\)"):
        y.backward()
    with pytest.raises(ShapeError, match=r"v of shape \(3,\) for a tensor of shape \(2,\)"):
        y.backward(tz.ones(3))


@pytest.mark.parametrize("dtype", ["int64", "bool", "complex64"])
def test_only_floats_have_gradients(dtype):
    with pytest.raises(GradientError, match=f"requires_grad on a tensor of {dtype}"):
        tz.tensor([1, 0], dtype=dtype, requires_grad=True)
    with pytest.raises(GradientError, match=f"with respect to a tensor of {dtype}"):
        tz.grad(lambda x: x.sum())(tz.tensor([1, 0], dtype=dtype))


def test_leaf_in_place_needs_no_grad():
    a = leaf(1.0)
    with pytest.raises(GradientError, match=r"changed in place while gradients are recorded.*\n.*\n.*with tz.no_grad"):
        a += 1
    with tz.no_grad():
        a += 1
    assert a.item() == 2
    assert a.requires_grad
    assert a.is_leaf


def test_in_place_on_a_result_goes_on_the_tape():
    a = leaf(1, 2)
    y = a * 2
    y *= a
    y[0] = 0
    y.sum().backward()
    assert a.grad.tolist() == [0, 8]


def test_values_changed_in_place_after_use_do_not_change_the_gradient():
    a, b = leaf(3.0), tz.tensor(2.0, "float64")
    y = a * b
    b += 10
    y.backward()
    assert a.grad.item() == 2


def test_no_grad_as_decorator_and_nested():
    @tz.no_grad()
    def f(x):
        with tz.enable_grad():
            inside = (x * 2).requires_grad
        return inside, (x * 2).requires_grad, tz.is_grad_enabled()

    assert f(leaf(1.0)) == (True, False, False)
    assert tz.is_grad_enabled()


def test_detach_and_clone():
    a = leaf(2.0)
    assert not a.detach().requires_grad
    (a.clone() * a.detach()).backward()
    assert a.grad.item() == 2


def test_gradient_of_a_dead_tensor_is_let_go():
    y = leaf(2.0) * 3
    y.backward()  # its leaf is gone


def test_grad_inside_no_grad_still_differentiates():
    with tz.no_grad():
        assert tz.grad(lambda x: x * x)(tz.tensor(3.0)).item() == 6


def test_no_grad_inside_grad_is_a_constant():
    def f(x):
        with tz.no_grad():
            constant = x * x
        return constant * x

    assert tz.grad(f)(tz.tensor(3.0)).item() == 9


def test_results_of_grad_are_not_tracked():
    value, gradient = tz.value_and_grad(tz.grad(lambda x: x**3))(tz.tensor(2.0))
    assert (value.item(), gradient.item()) == (12, 12)
    assert not value.requires_grad
    assert not gradient.requires_grad


class Pair(NamedTuple):
    first: tz.Tensor
    second: list


def test_grad_of_nested_containers():
    parameters = {"a": tz.tensor(2.0), "b": Pair(tz.tensor(3.0), [tz.tensor(4.0), None])}
    found = tz.grad(lambda p: p["a"] * p["b"].first * p["b"].second[0])(parameters)
    assert found["a"].item() == 12
    assert isinstance(found["b"], Pair)
    assert found["b"].first.item() == 8
    assert found["b"].second[0].item() == 6
    assert found["b"].second[1] is None


def test_argnums_and_untouched_arguments():
    both = tz.grad(lambda x, y, z: x * y, argnums=(0, 2))(tz.tensor(2.0), tz.tensor(3.0), tz.ones(2))
    assert both[0].item() == 3
    assert both[1].tolist() == [0, 0]
    assert tz.grad(lambda x, y: x * y, argnums=-1)(tz.tensor(2.0), tz.tensor(3.0)).item() == 2
    with pytest.raises(ArgumentError, match="argnums=1 for a call with 1 arguments"):
        tz.grad(lambda x: x, argnums=1)(tz.tensor(1.0))


def test_has_aux():
    (value, aux), gradient = tz.value_and_grad(lambda x: (x * x, {"twice": 2 * x}), has_aux=True)(tz.tensor(3.0))
    assert (value.item(), aux["twice"].item(), gradient.item()) == (9, 6, 6)
    assert not aux["twice"].requires_grad


def test_grad_wants_a_scalar():
    with pytest.raises(ShapeError, match=r"gives a tensor of shape \(2,\)"):
        tz.grad(lambda x: x * 2)(tz.ones(2))
    with pytest.raises(ShapeError, match="gives tuple.*\n.*\n.*has_aux=True"):
        tz.grad(lambda x: (x.sum(), x))(tz.ones(2))


def test_grad_also_reaches_leaves_of_the_user():
    w = leaf(2.0)
    g = tz.grad(lambda x: x * x * w)(tz.tensor(3.0, "float64"))
    g.backward()
    assert w.grad.item() == 6


def test_grad_within_grad_of_another_variable():
    def f(x):
        inner = tz.grad(lambda y: y * y * x)(tz.tensor(3.0))
        return inner * x
    assert tz.grad(f)(tz.tensor(2.0)).item() == 24


def test_recording_is_per_thread():
    seen = []
    with tz.no_grad():
        thread = threading.Thread(target=lambda: seen.append((leaf(1.0) * 2).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


@pytest.mark.parametrize(("values", "wanted"), [
    ((2, 3, 4), (12, 8, 6)), ((0, 3, 4), (12, 0, 0)), ((0, 0, 4), (0, 0, 0))])
def test_gradient_of_prod_with_zeros(values, wanted):
    assert tz.grad(lambda x: x.prod())(tz.tensor(values, "float64")).tolist() == list(wanted)


def test_equal_extremes_share_the_gradient():
    assert tz.grad(lambda x: x.max())(tz.tensor([1.0, 3.0, 3.0])).tolist() == [0, 0.5, 0.5]
    assert tz.grad(lambda x: tz.maximum(x, 1.0).sum())(tz.tensor([0.0, 1.0, 2.0])).tolist() == [0, 0.5, 1]


def test_relu_and_its_kin_at_zero():
    at_0 = tz.tensor(0.0)
    assert tz.grad(tz.relu)(at_0).item() == 0
    assert tz.grad(tz.softplus)(at_0).item() == 0.5
    assert tz.grad(tz.grad(tz.softplus))(at_0).item() == 0.25
    assert tz.grad(tz.grad(lambda x: tz.logaddexp(x, 0.0)))(at_0).item() == 0.25


@pytest.mark.parametrize("function", [tz.sigmoid, tz.softplus, tz.tanh, tz.elu, lambda x: tz.log_softmax(x)[0]])
@pytest.mark.parametrize("x", [-1000.0, 1000.0])
def test_saturated_gradients_are_finite(function, x):
    gradient = tz.grad(lambda x: function(x).sum())(tz.tensor([x, 0.0]))
    assert np.isfinite(gradient.numpy()).all()


def test_powers_at_zero():
    x = tz.tensor([0.0, 2.0])
    assert tz.grad(lambda x: (x**2).sum())(x).tolist() == [0, 4]
    assert tz.grad(lambda x: tz.grad(lambda x: (x**2).sum())(x).sum())(x).tolist() == [2, 2]
    assert tz.grad(lambda x: (x**0).sum())(x).tolist() == [0, 0]


def test_threads_share_a_function_decorated_with_no_grad():
    entered, left, found = threading.Event(), threading.Event(), []

    @tz.no_grad()
    def wait(other_has_left):
        entered.set()
        assert not other_has_left or left.wait(10)

    def work():
        wait(True)
        found.append(tz.is_grad_enabled())

    thread = threading.Thread(target=work)
    with tz.no_grad():
        thread.start()
        assert entered.wait(10)
        wait(False)
        found.append(tz.is_grad_enabled())
    left.set()
    thread.join()
    assert found == [False, True]
