"""vmap: every op of the table in lanes, control flow, random numbers, state, and its errors."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import assert_same
from optable import RECORDS, Record, leaves

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError, TarazuError, TraceError
from tarazu.base.pytree import flatten
from tarazu.ops.random.bits import uniform

LANES = 3
CASES = [pytest.param(record, choice, id=f"{record.name}-{choice}")
         for record in RECORDS if record.domains for choice in sorted({0, len(record.shapes) - 1})]


def lanes_of(record: Record, choice: int) -> list[np.ndarray]:
    """For each input the values of all lanes, stacked: as drawn, then turned round along an axis."""
    def turned(x: np.ndarray, lane: int) -> np.ndarray:
        return np.roll(x, lane, 0) if x.ndim else (x * (1 + lane)).astype(x.dtype)
    return [np.stack([turned(x, lane) for lane in range(LANES)]) for x in record.draw(choice)]


def assert_close(found: Any, wanted: Any) -> None:
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-12 if found.dtype.itemsize > 4 else 1e-5, atol=1e-13)


def singles(function: Callable[..., Any], arrays: list[np.ndarray], mapped: list[bool]) -> list[np.ndarray]:
    """The results of one lane after another, stacked."""
    rows = [leaves(function(*[tz.asarray(x[lane] if on else x[0]) for x, on in zip(arrays, mapped, strict=True)]))
            for lane in range(LANES)]
    return [np.stack([x.numpy() for x in column]) for column in zip(*rows, strict=True)]


def choices(count: int) -> list[list[bool]]:
    """Each input mapped alone, and all of them."""
    alone = [[i == j for j in range(count)] for i in range(count)]
    return [*alone, [True] * count] if count > 1 else alone


def in_lanes(function: Callable[..., Any], arrays: list[np.ndarray], mapped: list[bool]) -> list[Any]:
    inputs = [tz.asarray(x if on else x[0]) for x, on in zip(arrays, mapped, strict=True)]
    return leaves(tz.vmap(function, in_axes=tuple(0 if on else None for on in mapped))(*inputs))


@pytest.mark.parametrize(("record", "choice"), CASES)
def test_values_are_those_of_single_lanes(record, choice):
    arrays = lanes_of(record, choice)
    for mapped in choices(len(arrays)):
        if record.name == "random_bits" and not all(mapped):
            continue
        for found, wanted in zip(in_lanes(record.function, arrays, mapped), singles(record.function, arrays, mapped),
                                 strict=True):
            assert_close(found, wanted)


def gradient_of(record: Record) -> Callable[..., Any]:
    """The gradient of the sum of the record's float results, each times fixed weights."""
    def total(*inputs: Any) -> Any:
        out: Any = tz.asarray(0.0, "float64")
        for y in leaves(record.function(*inputs)):
            if y.dtype.is_float:
                weights = np.cos(np.arange(y.size)).reshape(y.shape)
                out = out + (y * weights).sum()
        return out
    return tz.grad(total, tuple(record.differentiable))


@pytest.mark.parametrize(("record", "choice"), [case for case in CASES if case.values[0].differentiable
                                                and case.values[0].orders > 0])
def test_gradients_are_those_of_single_lanes(record, choice):
    arrays = lanes_of(record, choice)
    gradient = gradient_of(record)
    mapped = [True] * len(arrays)
    for found, wanted in zip(in_lanes(gradient, arrays, mapped), singles(gradient, arrays, mapped), strict=True):
        assert_close(found, wanted)


@pytest.mark.parametrize(("record", "choice"), [case for case in CASES if case.values[0].differentiable
                                                and case.values[0].orders > 0 and case.values[1] == 0])
def test_gradients_flow_through_vmap(record, choice):
    arrays = lanes_of(record, choice)
    weights = [np.cos(np.arange(x[0].size)).reshape(x[0].shape) for x in
               singles(record.function, arrays, [True] * len(arrays))]

    def total(*inputs: Any) -> Any:
        out: Any = tz.asarray(0.0, "float64")
        for y, weight in zip(leaves(tz.vmap(record.function)(*inputs)), weights, strict=True):
            out = out + (y * weight).sum() if y.dtype.is_float else out
        return out
    found = tz.grad(total, tuple(record.differentiable))(*map(tz.asarray, arrays))
    for one, wanted in zip(found, singles(gradient_of(record), arrays, [True] * len(arrays)), strict=True):
        assert_close(one, wanted)


# Axes and containers --------------------------------------------------------------------------------------------

X = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("out", [0, 1, -1])
def test_any_axis_in_and_out(axis, out):
    found = tz.vmap(lambda x: x.sum(0) * 2, in_axes=axis, out_axes=out)(X)
    wanted = np.stack([np.take(X, i, axis).sum(0) * 2 for i in range(X.shape[axis])], out)
    np.testing.assert_array_equal(found.numpy(), wanted)


def test_containers_of_axes():
    arguments = {"a": tz.arange(3), "b": [tz.ones(2, 3), tz.tensor(5)]}
    found = tz.vmap(lambda d, factor: {"sum": d["a"] + d["b"][0].sum() * factor, "same": d["b"][1]},
                    in_axes=({"a": 0, "b": [1, None]}, None), out_axes={"sum": 0, "same": None})(arguments, 10)
    np.testing.assert_array_equal(found["sum"].numpy(), [20, 21, 22])
    assert found["same"].item() == 5


def test_one_axis_holds_for_a_whole_argument():
    found = tz.vmap(lambda pair: pair[0] * pair[1])((tz.arange(3), tz.arange(3)))
    np.testing.assert_array_equal(found.numpy(), [0, 1, 4])


def test_keyword_arguments_are_the_same_in_all_lanes():
    found = tz.vmap(lambda x, *, shift: (x + shift).sum())(tz.zeros(4, 2), shift=tz.tensor([1.0, 2.0]))
    np.testing.assert_array_equal(found.numpy(), [3, 3, 3, 3])


def test_results_that_depend_on_no_lane_are_repeated():
    found = tz.vmap(lambda x: (7, tz.ones(2), x))(tz.zeros(3))
    assert [y.shape for y in found] == [(3,), (3, 2), (3,)]


def test_nested():
    x, y = tz.arange(3), tz.arange(4)
    table = tz.vmap(tz.vmap(lambda a, b: a * b, in_axes=(None, 0)), in_axes=(0, None))(x, y)
    np.testing.assert_array_equal(table.numpy(), np.outer(np.arange(3), np.arange(4)))


def test_no_lanes_at_all():
    assert tz.vmap(lambda x: (x * 2).sum())(tz.zeros(0, 3)).shape == (0,)


def test_under_jit_and_over_jit():
    function = tz.jit(lambda x, w: tz.softmax(x * w))
    x, w = tz.asarray(X[0]), tz.asarray(X[1, 0])
    mapped = tz.vmap(function, in_axes=(0, None))
    assert_close(mapped(x, w), np.stack([function(row, w).numpy() for row in x]))
    compiled = tz.jit(mapped)
    assert_close(compiled(x, w), mapped(x, w))
    compiled(x + 1, w)
    assert compiled.traces == 1


# Gradients ------------------------------------------------------------------------------------------------------

def test_gradients_per_example_in_one_line():
    def loss(w, x, y):
        return tz.square(tz.tanh(x @ w["kernel"]).sum() + w["bias"] - y)
    rng = np.random.default_rng(0)
    w = {"kernel": tz.asarray(rng.normal(size=(3, 2))), "bias": tz.tensor(0.5, dtype="float64")}
    x, y = tz.asarray(rng.normal(size=(5, 3))), tz.asarray(rng.normal(size=5))
    each = tz.vmap(tz.grad(loss), in_axes=(None, 0, 0))(w, x, y)
    assert each["kernel"].shape == (5, 3, 2)
    for i in range(5):
        alone = tz.grad(loss)(w, x[i], y[i])
        assert_close(each["kernel"][i], alone["kernel"])
        assert_close(each["bias"][i], alone["bias"])


def test_hessian_by_vmap_over_rows():
    def f(x):
        return (x**3).sum() * x[0]
    x = tz.tensor([1.0, 2.0, 3.0])
    rows = tz.vmap(lambda direction: tz.grad(lambda x: (tz.grad(f)(x) * direction).sum())(x))(tz.eye(3))
    np.testing.assert_allclose(rows.numpy(), [[12, 12, 27], [12, 12, 0], [27, 0, 18]])


def test_backward_through_vmap_reaches_captured_tensors():
    w = tz.tensor([1.0, 2.0], requires_grad=True)
    tz.vmap(lambda x: (x * w).sum())(tz.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    np.testing.assert_array_equal(w.grad.numpy(), [4, 6])


def test_detached_results_stay_detached():
    x = tz.ones(2, requires_grad=True)
    kept, cut = tz.vmap(lambda x: (x * 2, x.detach()))(x)
    assert kept.requires_grad
    assert not cut.requires_grad


def test_grad_of_a_captured_tensor_inside_a_trace():
    w = tz.tensor(3.0)
    assert tz.jit(lambda: tz.grad(lambda w: w * w)(w))().item() == 6
    assert tz.scan(lambda c, x: (c + tz.grad(lambda w: w * w * x)(w), None), tz.tensor(0.0),
                   tz.tensor([1.0, 2.0]))[0].item() == 18


def test_gradients_through_complex_results():
    def f(x):
        return tz.exp(x.astype("complex128") * (1 + 2j))
    x = tz.tensor([1.0, 2.0], dtype="float64")
    wanted = tz.grad(lambda x: tz.real(f(x)).sum())(x)
    for whole in (tz.vmap(f), tz.jit(f), tz.jit(tz.vmap(f))):
        assert_close(tz.grad(lambda x, whole=whole: tz.real(whole(x)).sum())(x), wanted)


# Control flow ---------------------------------------------------------------------------------------------------

def test_while_loop_stops_each_lane_where_it_would_stop_alone():
    def steps(x):
        return tz.while_loop(lambda c: c[0] < 100, lambda c: (c[0] * 2, c[1] + 1), (x, tz.tensor(0)))
    x = tz.tensor([1, 30, 200])
    last, count = tz.vmap(steps)(x)
    np.testing.assert_array_equal(last.numpy(), [128, 120, 200])
    np.testing.assert_array_equal(count.numpy(), [7, 2, 0])


def test_while_loop_with_a_condition_that_lanes_share():
    def power(x, n):
        return tz.while_loop(lambda c: c[1] < n, lambda c: (c[0] * x, c[1] + 1), (tz.ones_like(x), tz.tensor(0)))[0]
    np.testing.assert_array_equal(tz.vmap(power, in_axes=(0, None))(tz.arange(4), tz.tensor(3)).numpy(), [0, 1, 8, 27])
    np.testing.assert_array_equal(tz.vmap(power, in_axes=(None, 0))(tz.tensor(2), tz.arange(4)).numpy(), [1, 2, 4, 8])


def test_a_carry_that_comes_to_differ_between_lanes():
    def f(x):
        return tz.scan(lambda c, _: ((c[1], c[0] + x), c[0]), (tz.tensor(0), tz.tensor(0)), length=4)
    found, wanted = tz.vmap(f)(tz.arange(3)), [f(x) for x in tz.arange(3)]
    for lane, one in enumerate(wanted):
        for found_leaf, wanted_leaf in zip(flatten(found)[0], flatten(one)[0], strict=True):
            assert_same(found_leaf[lane], wanted_leaf)


def test_vmap_inside_a_scan():
    ones = tz.ones(3, 2, dtype="int64")
    _, rows = tz.scan(lambda c, x: (c + 1, tz.vmap(lambda one: one * c)(x)), tz.tensor(1), ones)
    np.testing.assert_array_equal(rows.numpy(), [[1, 1], [2, 2], [3, 3]])


def test_cond_by_lane_keeps_the_gradient_of_the_branch_not_taken_out():
    def f(x):
        return tz.cond(x > 0, lambda: tz.log(x), lambda: x * 2)
    x = tz.tensor([1.0, 0.0, -3.0])
    np.testing.assert_array_equal(tz.vmap(f)(x).numpy(), [0, 0, -6])
    np.testing.assert_array_equal(tz.grad(lambda x: tz.vmap(f)(x).sum())(x).numpy(), [1, 2, 2])
    np.testing.assert_array_equal(tz.vmap(tz.grad(f))(x).numpy(), [1, 2, 2])
    np.testing.assert_array_equal(tz.jit(tz.vmap(tz.grad(tz.grad(f))))(x).numpy(), [-1, 0, 0])


def test_cond_with_a_predicate_that_lanes_share():
    def f(flag, x, w):
        return tz.cond(flag, lambda: (x * w, w), lambda: (x, x))
    x, w = tz.arange(3), tz.tensor(5)
    for flag, wanted in ((True, [[0, 5, 10], [5, 5, 5]]), (False, [[0, 1, 2], [0, 1, 2]])):
        found = tz.vmap(f, in_axes=(None, 0, None))(tz.tensor(flag), x, w)
        np.testing.assert_array_equal([y.numpy() for y in found], wanted)


def test_random_numbers_in_one_branch_move_the_state_of_all():
    tz.random.seed(0)
    noise = tz.vmap(lambda x: tz.cond(x > 0, lambda: tz.random.uniform(), lambda: x))(tz.tensor([1.0, -1.0, 1.0]))
    assert len(np.unique(noise.numpy())) == 3
    assert tz.random.default.state.tolist() == [0, 0, 1, 0]

    def two():
        return tz.scan(lambda total, _: (total + tz.random.uniform(), None), tz.tensor(0.0), length=2)[0]
    noise = tz.vmap(lambda x: tz.cond(x > 0, two, lambda: x))(tz.tensor([1.0, -1.0, 1.0]))
    assert len(np.unique(noise.numpy())) == 3
    assert tz.random.default.state.tolist() == [0, 0, 3, 0]


def test_lanes_of_a_loop_that_are_done_send_no_nan_back():
    def f(x):
        return tz.while_loop(lambda c: c > 0, lambda c: 4 / c - 2, x, bound=4)
    x = tz.tensor([2.0, 0.0])
    np.testing.assert_array_equal(tz.grad(lambda x: tz.vmap(f)(x).sum())(x).numpy(), [-1, 1])


def test_distributions_that_reject_draw_apart_in_each_lane():
    tz.random.seed(0)
    draws = tz.vmap(lambda k: tz.random.gamma(k, shape=(500,)))(tz.tensor([0.5, 2.0, 2.0]))
    np.testing.assert_allclose(draws.mean(1).numpy(), [0.5, 2, 2], rtol=0.15)
    assert abs(np.corrcoef(draws.numpy())[1, 2]) < 0.2


def test_gradients_of_a_custom_vjp_in_lanes():
    @tz.custom_vjp
    def cube(x, scale):
        return (x**3 * scale).sum()

    @cube.backward
    def _(cotangent, output, x, scale):
        return cotangent * x * 100, cotangent * scale
    x, scale = tz.tensor([[1.0, 2.0], [3.0, 4.0]]), tz.tensor(7.0)
    each = tz.vmap(tz.grad(cube, (0, 1)), in_axes=(0, None))(x, scale)
    np.testing.assert_array_equal(each[0].numpy(), [[100, 200], [300, 400]])
    np.testing.assert_array_equal(each[1].numpy(), [7, 7])
    summed = tz.grad(lambda x, scale: tz.vmap(cube, (0, None))(x, scale).sum(), (0, 1))(x, scale)
    np.testing.assert_array_equal(summed[0].numpy(), [[100, 200], [300, 400]])
    assert summed[1].item() == 14


def test_checkpoint_in_lanes():
    f = tz.checkpoint(lambda x: tz.sin(x) ** 2)
    x = tz.tensor([0.5, 1.0])
    assert_close(tz.vmap(tz.grad(f))(x), np.sin(2 * x.numpy()))


def test_gradient_of_a_bounded_while_loop_in_lanes():
    def f(x):
        return tz.while_loop(lambda c: c < 10, lambda c: c * c, x, bound=5)
    x = tz.tensor([2.0, 3.0, 20.0])
    wanted = [tz.grad(f)(one).item() for one in x]
    np.testing.assert_allclose(tz.vmap(tz.grad(f))(x).numpy(), wanted)
    np.testing.assert_allclose(tz.grad(lambda x: tz.vmap(f)(x).sum())(x).numpy(), wanted)


# Convolution and matrices ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("mapped", [[True, False], [False, True], [True, True]])
def test_convolutions_in_lanes(groups, mapped):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(LANES, 2, 5, 4, 4)), rng.normal(size=(LANES, 3, 2, 4 // groups, 6))]

    def f(x, kernel):
        return tz.conv2d(x, kernel, stride=(2, 1), padding="same", groups=groups)
    for function in (f, tz.grad(lambda x, kernel: tz.square(f(x, kernel)).sum(), (0, 1))):
        for found, wanted in zip(in_lanes(function, arrays, mapped), singles(function, arrays, mapped), strict=True):
            np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("mapped", [[True, False], [False, True], [True, True]])
def test_convolutions_of_no_lanes(mapped):
    shapes = [(0,) * flag + shape for flag, shape in zip(mapped, [(2, 5, 3), (3, 3, 4)], strict=True)]
    x, kernel = (tz.ones(*shape) for shape in shapes)
    f = tz.vmap(tz.conv1d, in_axes=tuple(0 if flag else None for flag in mapped))
    assert f(x, kernel).shape == (0, 2, 3, 4)
    gradients = tz.grad(lambda x, kernel: f(x, kernel).sum(), (0, 1))(x, kernel)
    assert [g.shape for g in gradients] == shapes
    assert all((g == 0).all() for g in gradients)


# Random numbers -------------------------------------------------------------------------------------------------

def test_each_lane_draws_its_own_numbers_by_one_draw():
    tz.random.seed(3)
    noise = tz.vmap(lambda x: x + tz.random.uniform(4))(tz.zeros(5))
    state = tz.random.default.state.numpy()
    assert len(np.unique(noise.numpy())) == 20
    tz.random.seed(3)
    tz.random.uniform(4)
    np.testing.assert_array_equal(state, tz.random.default.state.numpy())
    tz.random.seed(3)
    assert_same(tz.vmap(lambda x: x + tz.random.uniform(4))(tz.zeros(5)), noise)
    tz.random.seed(3)
    assert_same(tz.jit(tz.vmap(lambda x: x + tz.random.uniform(4)))(tz.zeros(5)), noise)


def test_random_numbers_that_depend_on_no_argument():
    draws = tz.vmap(tz.vmap(lambda x: tz.random.normal()))(tz.zeros(3, 4))
    assert len(np.unique(draws.numpy())) == 12


def test_random_numbers_in_loops_differ_between_lanes():
    _, noise = tz.vmap(lambda x: tz.scan(lambda c, _: (c, tz.random.uniform()), x, length=3))(tz.zeros(4))
    assert len(np.unique(noise.numpy())) == 12
    walk = tz.vmap(lambda x: tz.while_loop(lambda x: x < 5, lambda x: x + tz.random.uniform(), x))(tz.zeros(6))
    assert len(np.unique(walk.numpy())) == 6
    assert (walk.numpy() >= 5).all()


def test_lanes_with_states_of_their_own_draw_what_they_would_alone():
    states = tz.tensor(np.arange(12).reshape(3, 4), dtype="uint32")
    found = tz.vmap(lambda state: uniform(state, (5,)))(states)
    assert_same(found, np.stack([uniform(state, (5,)).numpy() for state in states]))


# State ----------------------------------------------------------------------------------------------------------

def test_changes_that_are_the_same_in_all_lanes_are_kept():
    count = tz.tensor(0)

    def f(x):
        count.add_(1)
        return x * count
    np.testing.assert_array_equal(tz.vmap(f)(tz.arange(3)).numpy(), [0, 1, 2])
    assert count.item() == 1


def test_changes_without_gradient_stay_without():
    w, largest = tz.ones(2, requires_grad=True), tz.zeros(2)

    def f(x):
        with tz.no_grad():
            largest.copy_(tz.maximum(largest, w * 3))
        return (x * w).sum()
    assert tz.vmap(f)(tz.ones(3)).requires_grad
    assert not largest.requires_grad
    np.testing.assert_array_equal(largest.numpy(), [3, 3])


def test_changes_that_differ_between_lanes_are_refused():
    total = tz.zeros(2)
    with pytest.raises(TraceError, match=r"tensor of shape \(2,\) from outside would get another value in each lane"
                                         r"(.|\n)*return the new value instead(.|\n)*tz.replicate"):
        tz.vmap(lambda x: total.add_(x))(tz.ones(3))
    np.testing.assert_array_equal(total.numpy(), [0, 0])


def test_changes_of_an_argument_end_with_the_lane():
    x = tz.zeros(3)
    np.testing.assert_array_equal(tz.vmap(lambda x: x.add_(1))(x).numpy(), [1, 1, 1])
    np.testing.assert_array_equal(x.numpy(), [0, 0, 0])


def test_backward_inside_is_refused_for_tensors_from_outside():
    w = tz.ones(2, requires_grad=True)
    with pytest.raises(TraceError, match=r"backward\(\) inside changed the .grad(.|\n)*tz.grad inside"):
        tz.vmap(lambda x: (x * w).sum().backward())(tz.ones(3))
    assert w.grad is None


# Errors ---------------------------------------------------------------------------------------------------------

def _add(x: Any, y: Any) -> Any:
    return x + y


@pytest.mark.parametrize(("kind", "text", "run"), [
    (ArgumentError, "in_axes=(0, 0) has 2 entries for 1 arguments", lambda: tz.vmap(_add, (0, 0))(tz.ones(2))),
    (ArgumentError, "in_axes holds 'a' for x", lambda: tz.vmap(_add, ("a", 0))(tz.ones(2), tz.ones(2))),
    (ArgumentError, "in_axes holds [0, 1] for x, which is a tensor of shape (2,)",
     lambda: tz.vmap(_add, ([0, 1], 0))(tz.ones(2), tz.ones(2))),
    (ArgumentError, "in_axes holds {'b': 0} for x, which is a dict with keys 'a'",
     lambda: tz.vmap(_add, ({"b": 0}, 0))({"a": tz.ones(2)}, tz.ones(2))),
    (ShapeError, "sizes differ: x['a'] along axis 0 2, y along axis 1 3",
     lambda: tz.vmap(_add, (0, 1))({"a": tz.ones(2)}, tz.ones(4, 3))),
    (ShapeError, "axis 1 of y, which has shape (2,)", lambda: tz.vmap(_add, (0, 1))(tz.ones(2), tz.ones(2))),
    (ShapeError, "expected: None, as it has no axis", lambda: tz.vmap(_add)(tz.ones(2), tz.tensor(1.0))),
    (ArgumentError, "y is a int, mapped along axis 0", lambda: tz.vmap(_add)(tz.ones(2), 1)),
    (ArgumentError, "no argument is mapped", lambda: tz.vmap(_add, None)(tz.ones(2), tz.ones(2))),
    (ArgumentError, "no argument is mapped", lambda: tz.vmap(_add)(x=tz.ones(2), y=tz.ones(2))),
    (ArgumentError, "out_axes is None for the result, which differs between lanes",
     lambda: tz.vmap(_add, out_axes=None)(tz.ones(2), tz.ones(2))),
    (ShapeError, "out_axes=2 for the result, of shape () in one lane",
     lambda: tz.vmap(_add, out_axes=2)(tz.ones(2), tz.ones(2))),
    (ArgumentError, "out_axes holds (0, 0) for the result",
     lambda: tz.vmap(_add, out_axes=(0, 0))(tz.ones(2), tz.ones(2))),
    (ArgumentError, "the function gave a str", lambda: tz.vmap(lambda x: "a")(tz.ones(2))),
    (TraceError, "use tz.where(condition, x, y)", lambda: tz.vmap(lambda x: x if x > 0 else -x)(tz.ones(2))),
    (ShapeError, "matmul", lambda: tz.vmap(lambda x: x @ x)(tz.ones(2, 3, 4))),
])
def test_errors(kind, text, run):
    with pytest.raises(TarazuError, match=re.escape(text)) as caught:
        run()
    assert isinstance(caught.value, kind)
    assert "to mend it" in str(caught.value)
