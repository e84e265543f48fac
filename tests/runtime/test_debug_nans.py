"""`tz.debug_nans`: the first NaN is named with its operation and the user's line."""

import inspect

import numpy as np
import pytest
from helpers import compilations

import tarazu as tz
from tarazu.base.errors import NanError, TraceError
from tarazu.ir.interpreter import state
from tarazu.ops.control_flow.composite import composite

HERE = __file__


def here(offset: int = 0) -> str:
    return f"{HERE}:{inspect.currentframe().f_back.f_lineno + offset}"


def test_eager_forward():
    with tz.debug_nans(), pytest.raises(NanError) as caught:
        tz.log(tz.tensor([-1.0, 2.0]) + 0)
    assert str(caught.value).startswith(f"log gave NaN out of inputs without one, at {here(-1)}")
    assert isinstance(caught.value, FloatingPointError)
    assert "float32[2]" in caught.value.expected


def test_eager_backward_names_the_forward_line():
    x = tz.tensor(0.0, requires_grad=True)
    with tz.debug_nans():
        root = tz.sqrt(x)
        where = here(-1)
        y = root * 0
        with pytest.raises(NanError) as caught:
            y.backward()
    assert caught.value.problem == (
        f"div gave NaN out of inputs without one, on the way back through Sqrt, which was computed at {where}")


def sqrt_times_zero(x):
    return tz.sqrt(x) * 0


LINE = f"{HERE}:{sqrt_times_zero.__code__.co_firstlineno + 1}"


@pytest.mark.parametrize("call", [
    lambda x: tz.jit(sqrt_times_zero)(x).backward(),
    lambda x: tz.jit(lambda: sqrt_times_zero(x).backward())(),
    lambda x: tz.jit(tz.grad(sqrt_times_zero))(x),
    lambda x: tz.grad(tz.jit(sqrt_times_zero))(x)])
def test_jitted_backward(call):
    with tz.debug_nans(), pytest.raises(NanError) as caught:
        call(tz.tensor(0.0, requires_grad=True))
    assert caught.value.problem.startswith("div ")
    assert caught.value.problem.endswith(f"on the way back through what was computed at {LINE}")


def test_jitted_forward():
    f = tz.jit(lambda x: tz.log(x) + 1)
    with tz.debug_nans(), pytest.raises(NanError, match="^log .*inputs without one") as caught:
        f(tz.tensor(-1.0))
    assert here(-3) in str(caught.value)


def test_inside_a_composite_the_line_is_that_of_the_call():
    for _ in range(2):
        with tz.debug_nans(), pytest.raises(NanError) as caught:
            tz.softmax(tz.tensor([np.inf, 1.0]))
        assert caught.value.problem == f"sub in softmax gave NaN out of inputs without one, at {here(-1)}"
    with tz.debug_nans(), pytest.raises(NanError) as caught:
        tz.softmax(tz.tensor([np.inf, 1.0]))
    assert here(-1) in str(caught.value)


def test_backward_through_a_composite():
    @composite("root")
    def root(x):
        return tz.sqrt(x) * 0

    where = here(-2)
    x = tz.tensor(0.0, requires_grad=True)
    with tz.debug_nans():
        y = root(x)
        with pytest.raises(NanError) as caught:
            y.backward()
    assert caught.value.problem.startswith("div in root gave NaN")
    assert caught.value.problem.endswith(f"on the way back through what was computed at {where}")


def test_infinities_on_demand():
    with tz.debug_nans():
        assert np.isinf((1 / tz.tensor(0.0)).item())
    with tz.debug_nans(inf=True), pytest.raises(NanError, match="div gave inf out of finite inputs"):
        1 / tz.tensor(0.0)
    with tz.debug_nans(inf=True):
        assert np.isinf((tz.tensor(np.inf) * 2).item())  # not the first


def test_a_nan_that_came_in_is_no_source():
    with tz.debug_nans():
        assert np.isnan((tz.tensor(np.nan) + 1).item())
        assert np.isnan(tz.jit(lambda x: x + 1)(tz.tensor(np.nan)).item())


def test_decorator_and_end_of_the_block():
    @tz.debug_nans()
    def f(x):
        return tz.log(x)

    before = state.interpreter
    with pytest.raises(NanError):
        f(tz.tensor(-1.0))
    assert state.interpreter is before
    assert np.isnan(tz.log(tz.tensor(-1.0)).item())


def test_fast_programs_come_back():
    f = tz.jit(lambda x: x * 2)
    f(tz.ones(2))
    with compilations(exactly=1), tz.debug_nans():
        f(tz.ones(2))
        f(tz.ones(2))
    with compilations(exactly=0):
        f(tz.ones(2))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64", "complex64"])
def test_other_floats(dtype):
    with tz.debug_nans(), pytest.raises(NanError):
        tz.tensor([0.0]).astype(dtype) / tz.tensor([0.0]).astype(dtype)


def test_results_are_the_same():
    model = tz.nn.Sequential([tz.nn.Dense(4), tz.nn.Activation(tz.tanh), tz.nn.Dense(1)])
    x = tz.randn(5, 3)
    plain = model(x).sum()
    with tz.debug_nans():
        watched = model(x).sum()
        watched.backward()
        order = tz.sort(x)
    assert plain.item() == watched.item()
    assert order.shape == (5, 3)


def test_not_inside_a_trace():
    def f(x):
        with tz.debug_nans():
            return x
    with pytest.raises(TraceError, match=r"debug_nans inside a function that is being traced(.|\n)*where the function"):
        tz.jit(f)(tz.ones(1))
