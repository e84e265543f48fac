"""The stages between graphs and text: expressions and axes of nests; that no stage changes what it is given."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import tarazu as tz

pytest.importorskip("llvmlite")
from tarazu.backend.native.kernels.kernels import Kernels, with_kernels
from tarazu.backend.native.kernels.loops import FEW_ITEMS
from tarazu.backend.native.kernels.merge_axes import merged_axes, with_merged_axes
from tarazu.backend.native.llvm.target import host
from tarazu.backend.native.lowering.buffers import Buffer, View
from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Apply,
    Constant,
    Load,
    Nest,
    Position,
    Store,
    leaf_map,
    loads,
    walk,
)
from tarazu.backend.native.lowering.region.lower_graph import lower_graph
from tarazu.backend.native.lowering.steps import CountedLoop, Externals, NestLaunch, every, touched
from tarazu.backend.native.schedule.memory_plan import plan_memory
from tarazu.backend.native.schedule.runs import with_runs
from tarazu.base.dtypes import float32, int64
from tarazu.ir import op as ops


def load(*strides: int, buffer: int = 0) -> Load:
    return Load(Access(buffer, float32, 0, strides))


def apply(op, *inputs) -> Apply:
    return Apply(op, inputs, (), float32)


def copying(sizes: tuple[int, ...], read: tuple[int, ...], written: tuple[int, ...]) -> Nest:
    return Nest(sizes, len(sizes), (), (Store(load(*read), Access(1, float32, 0, written)),))


def test_walk_gives_each_part_once_with_inputs_before_users():
    shared = apply(ops.EXP, load(1))
    root = apply(ops.ADD, shared, shared)
    assert walk(root, shared) == [shared.inputs[0], shared, root]


def test_equal_loads_are_one_access():
    assert loads(apply(ops.ADD, load(1), load(1)), load(2)) == [load(1).access, load(2).access]


def test_leaf_map_keeps_what_is_shared():
    shared = apply(ops.EXP, load(1))
    change = leaf_map(lambda leaf: Constant(1.0, float32) if isinstance(leaf, Load) else leaf)
    first, second = change(apply(ops.ADD, shared, shared)), change(apply(ops.NEG, shared))
    assert first.inputs[0] is first.inputs[1] is second.inputs[0]
    assert first.inputs[0].inputs == (Constant(1.0, float32),)


def test_axes_in_one_line_are_merged_whatever_their_order():
    assert merged_axes((2, 3, 4), range(3), [(3, 1, 6)]) == [(24, 1)]
    assert merged_axes((2, 1, 4), range(3), [(5, 7, 1)]) == [(2, 0), (4, 2)]


def test_neighbors_are_merged_in_a_nest_of_loops():
    assert with_merged_axes(copying((2, 3, 4), (12, 4, 1), (12, 4, 1))).sizes == (24,)
    assert with_merged_axes(copying((2, 3, 4), (12, 4, 1), (4, 8, 1))).sizes == (2, 3, 4)
    position = Nest((2, 3), 2, (), (Store(Position(0, (1, 0), int64), Access(0, int64, 0, (3, 1))),))
    assert with_merged_axes(position).sizes == (2, 3)


def test_a_long_first_axis_stays_apart_so_that_threads_share_it():
    assert with_merged_axes(copying((FEW_ITEMS, 3, 4), (12, 4, 1), (12, 4, 1))).sizes == (FEW_ITEMS, 12)


def lowered(function, *arguments):
    graph = tz.trace(function)(*arguments)
    inputs = [View.whole(Buffer(t.dtype, t.size, "input", i), t.shape) for i, t in enumerate(graph.input_types)]
    outputs = [View.whole(Buffer(t.dtype, t.size, "output", i), t.shape) for i, t in enumerate(graph.output_types)]
    return lower_graph(Externals(host()), graph, inputs, outputs).steps


def loops(x):
    """A loop whose carry is replaced in place, and one whose carry is also a row of a stack."""
    first, _ = tz.scan(lambda carry, _: (tz.tanh(carry * 2), None), x, length=3)
    return tz.scan(lambda carry, row: (carry + row, carry + row), first, tz.ones(4, 8))


def test_a_carry_is_replaced_in_place_by_an_alias():
    (first, *_) = [step for step in lowered(loops, tz.ones(8)) if isinstance(step, CountedLoop)]
    (launch,) = first.body
    read, written = (next(buffer for buffer, writes in touched(launch) if writes == which) for which in (False, True))
    assert written.storage == "alias" and written.parent is read.root


def test_a_kernel_that_fills_a_stack_stores_the_carry_too():
    _, second = [step for step in lowered(loops, tz.ones(8)) if isinstance(step, CountedLoop)]
    (launch,) = second.body
    assert len(launch.nest.stores) == 2 and {buffer.storage for buffer, writes in touched(launch) if writes} == {
        "row", "output"}


def test_stages_leave_what_they_are_given_as_it_is():
    steps = lowered(lambda x: loops(x @ tz.ones(8, 8)), tz.ones(8))
    before = repr(steps)
    texts = []
    for _ in range(2):
        kernels = Kernels(host())
        scheduled = with_runs(with_kernels(steps, kernels, Externals(host())))
        plan = plan_memory(scheduled)
        texts.append((kernels.module.text(""), repr(scheduled), plan))
    assert texts[0] == texts[1] and repr(steps) == before


def test_reductions_of_nothing_compute_what_their_stores_share_once():
    def f(x):
        y = tz.tanh(x.sum(0))
        return y * y, y

    launches = [step for step in every(lowered(f, tz.ones(0, 4))) if isinstance(step, NestLaunch)]
    stored = walk(*[store.value for launch in launches for store in launch.nest.stores])
    assert sum(isinstance(x, Apply) and x.op is ops.TANH for x in stored) == len(launches)
    np.testing.assert_array_equal(tz.jit(f)(tz.ones(0, 4))[1], np.zeros(4))


def kernels_of(function, *shapes):
    """The kernels of a function of tensors of these shapes, as `native_text` has them, when its results are right."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in shapes]
    step = tz.jit(function)
    found = step(*[tz.tensor(a.astype("float32")) for a in arrays])
    for ours, exact in zip(found, function(*map(tz.tensor, arrays)), strict=True):
        assert np.allclose(ours.numpy(), exact.numpy(), rtol=1e-4, atol=1e-4)
    return [line for line in step.native_text().splitlines() if line.lstrip().startswith("k")]


def test_sums_of_the_same_elements_are_one_nest():
    both = kernels_of(lambda g, x: (g.sum(axis=0), (g * tz.exp(x)).sum(axis=0)), (300, 40), (300, 40))
    assert len(both) == 1


def test_sums_that_wait_for_each_other_or_share_nothing_are_nests_of_their_own():
    assert len(kernels_of(lambda x: (x.mean(axis=0), ((x - x.mean(axis=0)) ** 2).sum(axis=0)), (300, 40))) == 2
    assert len(kernels_of(lambda x, y: (x.sum(axis=0), y.sum(axis=0)), (300, 40), (300, 40))) == 2
    assert len(kernels_of(lambda x: (x.sum(axis=0), x.sum(axis=1)), (300, 40))) == 2


@pytest.mark.parametrize("activation", [tz.gelu, functools.partial(tz.gelu, approximate=True), tz.silu])
def test_the_way_back_reads_the_derivative_of_an_activation_alone(activation):
    def gradients(x, w, v):
        return tz.grad(lambda w, v: (activation(x @ w) @ v).sum(), argnums=(0, 1))(w, v)

    rng = np.random.default_rng(0)
    arguments = [tz.tensor(rng.normal(size=shape).astype("float32")) for shape in ((512, 8), (8, 256), (256, 8))]
    launches = [step for step in lowered(gradients, *arguments) if isinstance(step, NestLaunch)]
    costly = [launch for launch in launches
              if any(isinstance(x, Apply) and x.op in (ops.TANH, ops.ERF, ops.SIGMOID, ops.EXP)
                     for x in walk(*[store.value for store in launch.nest.stores]))]
    assert len(costly) == 1 and len(costly[0].nest.stores) == 2
    large = [[access.buffer for access in loads(*[store.value for store in launch.nest.stores])
              if launch.operands[access.buffer].buffer.size == 512 * 256] for launch in launches]
    assert [len(buffers) for buffers in large if buffers] == [1]
    for ours, exact in zip(tz.jit(gradients)(*arguments), gradients(*arguments), strict=True):
        np.testing.assert_allclose(ours.numpy(), exact.numpy(), rtol=1e-4, atol=1e-3)


def test_a_cross_entropy_stores_the_logits_and_their_gradient_alone():
    def gradient(x, w, y):
        return tz.grad(lambda w: tz.nn.cross_entropy(x @ w, y))(w)

    rng = np.random.default_rng(0)
    x, w = (tz.tensor(rng.normal(size=shape).astype("float32")) for shape in ((64, 8), (8, 2048)))
    launches = [step for step in lowered(gradient, x, w, tz.tensor(rng.integers(0, 2048, 64)))
                if isinstance(step, NestLaunch)]
    large = {buffer.root for launch in launches for buffer, writes in touched(launch)
             if writes and buffer.size == 64 * 2048}
    assert len(large) == 2


def test_what_follows_from_a_result_of_a_loop_may_have_several_users():
    def both(x):
        _, products = tz.scan(lambda total, row: (total + row, total * row), tz.zeros(x.shape[1]), x)
        doubled = products * 2.0
        return tz.tanh(doubled).sum(0), tz.exp(-doubled * doubled).sum(1)

    x = tz.tensor(np.random.default_rng(0).normal(size=(600, 600)).astype("float32") / 30)
    for ours, exact in zip(tz.jit(both)(x), both(x), strict=True):
        np.testing.assert_allclose(ours.numpy(), exact.numpy(), rtol=1e-4, atol=1e-4)
