"""Whole programs: what the random graphs found once, and what threads and loops must not do."""

import functools
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import same_bits

import tarazu as tz
from tarazu import backend
from tarazu.backend.native import donation
from tarazu.backend.native.compiler import lower
from tarazu.backend.native.llvm.target import host
from tarazu.backend.native.program import NativeProgram
from tarazu.backend.native.schedule import work_sharing as sharing
from tarazu.backend.numpy import evaluate
from tarazu.base.errors import ArgumentError, TarazuError
from tarazu.ir import op as ops

X = np.random.default_rng(0).normal(size=(40, 65)).astype(np.float32)
FUNCTION = re.compile(r"^define .*?@([\w.]+)(\(.*\n(?:.*\n)*?)\}$", re.MULTILINE)  # its name, and the rest of it


@pytest.fixture(params=[1, 2, 3])
def shared(request, set_threads, monkeypatch):
    """Every step in shares, on 1, 2 and 3 threads."""
    monkeypatch.setenv("TARAZU_CACHE", "off")
    monkeypatch.setattr(sharing, "WORTH_SHARING", -1.0)
    set_threads(request.param)


def check(function, *arrays, rtol=1e-5):
    graph = tz.trace(function)(*map(tz.asarray, arrays))
    raws = [np.asarray(x) for x in arrays]
    wanted = backend.load("numpy").compile(graph)(*raws)
    program = backend.load("native").compile(graph)
    found = program(*raws)
    for x, y in zip(found, wanted, strict=True):
        np.testing.assert_allclose(x.astype(np.float64), y.astype(np.float64), rtol=rtol, atol=rtol)
    assert all(same_bits(x, y) for x, y in zip(program(*raws), found, strict=True))


def turns(function, count, *first):
    """`function` on its own results, `count` times."""
    def body(state):
        return (state[0] + 1, *function(*state[1:]))
    return tz.while_loop(lambda state: state[0] < count, body, (tz.tensor(0), *first))[1:]


@pytest.mark.parametrize("function", [
    lambda a, b: turns(lambda a, b: (b, a + b), 5, a, b),
    lambda a, b: turns(lambda a, b: (a * 0.5 + b, a * 0.5 + b), 4, a, b),
    lambda a, b: turns(lambda a, b: (a, tz.tanh(a + b)), 3, a, b),
    lambda a, b: turns(lambda a, b: (tz.flip(a, axis=0), b + a[:1]), 3, a, b),
    lambda a, b: turns(lambda a, b: (a @ b.T @ a / 40, tz.softmax(b)), 2, a, b)],
    ids=["handed on", "one result for two", "kept", "read where another is written", "products"])
def test_what_goes_round_a_loop(shared, function):
    check(function, X / 10, X / 7, rtol=1e-4)


@pytest.mark.parametrize("function", [
    lambda x: (x * 2).sum(axis=0), lambda x: tz.log_softmax(x.T), lambda x: (x.sum(axis=1), x.max(axis=0), x.mean()),
    lambda x: tz.concat([x, x[:, ::2], x * 3], axis=1), lambda x: tz.pad(x, 3) + 1, lambda x: tz.cumsum(x, axis=0),
    lambda x: (x @ x.T).tanh() @ x,
    lambda x: tz.conv2d(x.reshape(1, 40, 13, 5), tz.ones((3, 3, 5, 7)), padding="same")],
    ids=["sum", "softmax", "reductions", "concat", "pad", "cumsum", "products", "convolution"])
def test_shares_of_threads(shared, function):
    check(function, X, rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int8", "bool"])
def test_rows_of_one_lane_more_than_a_vector(shared, dtype):
    rows = tz.asarray(X > 0.3).astype(dtype).numpy()
    check(lambda x: (tz.where(x == x, x, x), tz.concat([x, x], axis=1)), rows)


def test_what_follows_a_loop_may_use_its_memory(shared):
    def function(x, n):
        (total,) = turns(lambda total: (total + 1,), n, tz.zeros(3))
        return total, (tz.tanh(x) * 2).sum(axis=1), tz.exp(x)
    check(function, X, np.array(4))


def test_scans_forward_and_back(shared):
    def function(x, w):
        last, rows = tz.scan(lambda h, row: (tz.tanh(h @ w + row), h), tz.zeros((8, 65)), x.reshape(5, 8, 65))
        return last, rows
    check(function, X, np.random.default_rng(1).normal(size=(65, 65)).astype(np.float32) / 10, rtol=1e-4)


def test_products_over_nothing_are_zero():
    check(lambda x, y: (x @ y, x.sum(axis=1), tz.prod(x, axis=1)), np.zeros((3, 0)), np.zeros((0, 4)))


def test_a_loop_beyond_its_bound_is_an_error(set_threads):
    graph = tz.trace(lambda n: tz.while_loop(lambda i: i < n, lambda i: i + 1, tz.tensor(0), bound=3))(tz.tensor(2))
    program = backend.load("native").compile(graph)
    assert program(np.array(3)) == [3]
    for threads in (1, 3):
        set_threads(threads)
        with pytest.raises(ArgumentError, match="still holds after"):
            program(np.array(9))


def test_small_programs_take_any_arrays_and_give_new_ones():
    graph = tz.trace(lambda x, y: (x * 2, x[0, 0] + y))(tz.ones(3, 4), tz.tensor(1.0))
    program = backend.load("native").compile(graph)
    assert program.is_small
    strided, fixed = X[:6:2, 8:0:-2], np.array(1, np.float32)
    fixed.flags.writeable = False
    first = program(strided, fixed)
    second = program(strided + 1, fixed)
    assert same_bits(first[0], strided * 2) and same_bits(first[1], strided[0, 0] + fixed)
    assert same_bits(second[0], (strided + 1) * 2)
    assert all(x.flags.owndata and x.flags.writeable for x in first + second)


def test_small_programs_run_in_several_threads_at_once():
    graph = tz.trace(lambda x: tz.softmax(x) + x)(tz.ones(16, 8))
    program, inputs = backend.load("native").compile(graph), [X[:16, i:i + 8] for i in range(8)]
    wanted = [program(x)[0] for x in inputs]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: program(inputs[i % 8])[0], range(800)))
    assert all(same_bits(x, wanted[i % 8]) for i, x in enumerate(found))


def test_what_is_computed_by_numpy_raises_its_own_error_inside_a_loop():
    def function(x):
        return tz.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, tz.linalg.inv(s[1])), (tz.tensor(0), x))[1]
    graph = tz.trace(function)(tz.eye(2))
    assert any(node.op is ops.WHILE for node in graph.nodes)
    program = backend.load("native").compile(graph)
    np.testing.assert_allclose(program(np.eye(2, dtype=np.float32) * 2)[0], np.eye(2) / 2)
    with pytest.raises((TarazuError, np.linalg.LinAlgError)):
        program(np.zeros((2, 2), np.float32))
    np.testing.assert_allclose(program(np.eye(2, dtype=np.float32) * 4)[0], np.eye(2) / 4)


@pytest.mark.parametrize("held", [0, 1])  # how many states before the last one the caller keeps, as `fit` does one
def test_a_jitted_step_puts_its_state_into_memory_of_earlier_state(monkeypatch, held):
    generations, kept = [], []

    class Counted(donation._Generation):
        def __init__(self, made):
            super().__init__(made)
            generations.append(self)

    monkeypatch.setattr(donation, "_Generation", Counted)
    count = tz.zeros(3)

    @tz.jit
    def step():
        count.__iadd__(1)

    for _ in range(10):
        kept = [*kept, count.raw][-1 - held:]
        step()
    assert count.tolist() == [10, 10, 10]
    assert len(generations) == 2 + held <= donation.GENERATIONS


def test_small_programs_serve_callers_with_memory_of_their_own_in_turns():
    graph = tz.trace(lambda x, y: x + y)(tz.ones(4), tz.ones(4))
    program, x, y = backend.load("native").compile(graph), X[0, :4].copy(), X[1, :4].copy()
    held = program.holding([y])
    for i in range(3):
        assert same_bits(program(x, y + i)[0], x + (y + i))
        assert same_bits(held(x * i, y)[0], x * i + y)


def test_programs_without_a_step():
    assert tz.jit(lambda x: x[:0])(tz.ones(3)).shape == (0,)
    assert tz.jit(tz.relu)(tz.ones(0, 2)).shape == (0, 2)


@pytest.mark.parametrize("columns", [3, 8, 15, 16, 20, 24, 32, 40, 96])  # one vector or two at a time, parts of one
def test_functions_behind_products_and_alone(columns):
    random = np.random.default_rng(columns)
    x, w = (tz.tensor(random.normal(size=shape).astype("f")) for shape in ((29, 48), (48, columns)))

    def functions(x, w):
        y = x @ w
        z = y.sum(0, keepdims=True) - y[:, ::-1]
        return [f(each) for each in (y, z) for f in (tz.gelu, functools.partial(tz.gelu, approximate=True), tz.tanh)]

    for got, wanted in zip(tz.jit(functions)(x, w), functions(x, w), strict=True):
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), rtol=2e-5, atol=2e-5)


def test_products_whose_tiles_are_equal_have_them_once():
    def gradients(x, h, g):
        return x.T @ g, h.T @ g

    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(64, columns)).astype(np.float32) for columns in (784, 256, 128)]
    graph = tz.trace(gradients)(*arrays)
    functions = FUNCTION.findall(lower(graph, host()._replace(threads=2)).text)
    names = [name for name, _ in functions]
    assert len({body for _, body in functions}) == len(functions) > 3
    kernels = {name: body for name, body in functions if name in ("k0_dot", "k1_dot")}
    called = [{other for other in names if f"@{other}(" in body} for body in kernels.values()]
    assert called[0] & called[1] or not host().is_x86  # elsewhere tiles differ in height
    for found, expected in zip(NativeProgram(graph, evaluate)(*arrays), gradients(*arrays), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
