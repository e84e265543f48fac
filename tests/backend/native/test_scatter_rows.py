"""Scatters into many rows, done bucket by bucket: right for any threads, and one run with what follows them."""

import numpy as np
import pytest
from kernel_runs import node_of
from test_in_place import lowered
from test_special import assert_same_bits, drawn

import tarazu as tz
from tarazu.backend.native.kernels.kernel import KernelCall
from tarazu.backend.native.lowering.steps import Part, every
from tarazu.backend.native.schedule.runs import Run
from tarazu.backend.numpy.kernels import KERNELS
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph

pytestmark = pytest.mark.native
CASES = [((37, 5), (0,), [(50,)]), ((1, 300, 3), (1,), [(4, 2)]), ((1031,), (0,), [(700,)]), ((7, 700), (0,), [(9,)]),
         ((64, 5, 3), (0, 2), [(6, 1), (4,)]), ((9, 4), (0, 1), [(1, 8), (5, 1)]), ((257, 2), (0,), [()])]
ROWS, COLUMNS = 4001, 24


@pytest.fixture
def by_rows(monkeypatch):
    """Lets all scatters be done by rows, however small."""
    monkeypatch.setattr("tarazu.backend.native.lowering.primitives.MANY_ROWS", 1)


@pytest.mark.parametrize(("shape", "axes", "shapes"), CASES)
@pytest.mark.parametrize(("op", "dtype"), [(ops.SCATTER_ADD, "float32"), (ops.SCATTER_SET, "float16")])
def test_any_threads_give_what_numpy_gives(shape, axes, shapes, op, dtype, by_rows, compiled, set_threads):
    rng = np.random.default_rng(0)
    indices = [rng.integers(-shape[axis], shape[axis], index) for axis, index in zip(axes, shapes, strict=True)]
    x = drawn(rng, shape, dtype, special=False)
    updates = drawn(rng, KERNELS[ops.GATHER](x, *indices, axes=axes).shape, dtype, special=False)
    inputs = [x, updates, *indices]
    node = node_of(op, inputs, {"axes": axes})
    program = compiled(Graph(node.inputs, [node]))
    for threads in (1, 2, 3):
        set_threads(threads)
        (found,) = program(*inputs)
        assert_same_bits(found, KERNELS[op](*inputs, axes=axes))


def test_indices_out_of_range_are_clamped(by_rows, compiled):
    inputs = [np.zeros(5), np.ones(4), np.array([4, 9, -7, -1])]
    node = node_of(ops.SCATTER_ADD, inputs, {"axes": (0,)})
    np.testing.assert_array_equal(compiled(Graph(node.inputs, [node]))(*inputs)[0], [1, 0, 0, 0, 3])


def updated(table, rows, moment):
    """A table after a step that remembers the gradient of some of its rows."""
    table = table.detach().requires_grad_()
    tz.tanh(tz.embedding(rows, table)).square().sum().backward()
    moment = 0.9 * moment + 0.1 * table.grad
    return table.detach() - moment / (tz.sqrt(moment * moment) + 1e-3), moment


def clipped(table, rows, moment):
    """The same with a gradient whose norm is not above 1."""
    table = table.detach().requires_grad_()
    tz.tanh(tz.embedding(rows, table)).square().sum().backward()
    gradient = table.grad / tz.maximum(tz.sqrt(table.grad.square().sum()), 1.0)
    return table.detach() - gradient, 0.9 * moment + gradient


def arguments():
    random = np.random.default_rng(1)
    table, moment = (tz.tensor(random.normal(size=(ROWS, COLUMNS)).astype("f")) for _ in range(2))
    return table, tz.tensor(random.integers(ROWS, size=(8, 16))), moment


def test_the_gradient_of_an_embedding_is_never_in_memory():
    program = lowered(updated, *arguments())
    (run,) = [step for step in every(program.steps) if isinstance(step, Run)
              and any(isinstance(call, KernelCall) and call.launch.title.endswith("zeros") for call in step.calls)]
    assert run.calls[0].launch.part is Part.ROWS_FROM_ZEROS
    assert len(run.local) == 1
    assert program.memory.size < 4 * ROWS * COLUMNS / 2


@pytest.mark.parametrize("step", [updated, clipped])
def test_updates_are_right_on_any_threads(step, set_threads):
    args, found = arguments(), []
    wanted = step(*args)
    for threads in (1, 2, 4):
        set_threads(threads)
        found.append([x.numpy() for x in tz.jit(step)(*args)])
        for one, other, first in zip(found[-1], wanted, found[0], strict=True):
            np.testing.assert_allclose(one, other.numpy(), rtol=1e-5, atol=1e-6)
            if step is updated:
                assert_same_bits(one, first)


def test_two_embeddings_of_one_shape_share_no_gradient():
    def step(first, second, rows):
        one, other = first.detach().requires_grad_(), second.detach().requires_grad_()
        (tz.embedding(rows, one) * tz.embedding(rows, other)).sum().backward()
        return first - one.grad, second - other.grad

    table, rows, other = arguments()
    for one, wanted in zip(tz.jit(step)(table, other, rows), step(table, other, rows), strict=True):
        np.testing.assert_allclose(one.numpy(), wanted.numpy(), rtol=1e-6, atol=1e-6)


def test_a_scatter_into_negative_zeros_keeps_them():
    rows = tz.tensor([1, 5000])

    def negative(updates):
        return tz.index_add(tz.full((6000, 16), -0.0), 0, rows, updates)

    found = tz.jit(negative)(tz.ones(2, 16)).numpy()
    assert np.signbit(found[0]).all() and (found[[1, 5000]] == 1).all()
