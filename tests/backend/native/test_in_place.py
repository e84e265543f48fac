"""Where large values lie: updates come early, new values in the place of old ones, products as they are read."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.backend.native.compiler import lower
from tarazu.backend.native.llvm.target import host
from tarazu.backend.native.lowering.prepare import prepare
from tarazu.ir import op as ops
from tarazu.runtime.compile import simplified

pytestmark = pytest.mark.native
WIDE, ROWS, LAYERS = 256, 2048, 6


def lowered(function, *args):
    """The program of a function for one thread."""
    graph = simplified(tz.trace(function)(*args))
    target = host()._replace(threads=1)
    return lower(prepare(graph, target), target)


def stepped(x):
    """An update of each layer of a chain, by hand."""
    weights = [tz.ones(WIDE, WIDE, requires_grad=True) for _ in range(LAYERS)]
    for w in weights:
        x = tz.tanh(x @ w)
    x.sum().backward()
    return [w.detach() - 0.1 * w.grad for w in weights]


def test_memory_is_that_of_the_activations():
    value = 4 * WIDE * ROWS
    assert lowered(stepped, tz.ones(ROWS, WIDE)).memory.size < (LAYERS + 3) * value  # no gradient of one waits


def test_a_chain_of_large_values_lies_in_one_place():
    def chain(x):
        scores = x @ x
        shifted = tz.exp(scores - scores.max(-1, keepdims=True))
        return (shifted / shifted.sum(-1, keepdims=True)) @ x

    size = 4 * 512 * 512
    assert lowered(chain, tz.ones(512, 512)).memory.size < 1.1 * size
    x = np.random.default_rng(0).normal(size=(512, 512)).astype("f") / 20
    np.testing.assert_allclose(tz.jit(chain)(tz.tensor(x)).numpy(), chain(tz.tensor(x)).numpy(), atol=1e-4)


def test_a_loop_renews_large_state_without_a_copy_of_it():
    state = tz.ones(512, 1024)

    def turn(i):
        state.mul_(2.0)
        return i + 1

    def steps(count):
        tz.while_loop(lambda i: i < count, turn, tz.tensor(0))

    step = tz.jit(steps)
    for count in (0, 1, 3):
        step(tz.tensor(count))
    assert (state.numpy() == 16).all()
    assert "copy 262144" not in step.native_text()  # of pairs of numbers


def tied(table, rows, x):
    """A table that is looked up and multiplied by, and the gradient of a sum."""
    table = table.detach().requires_grad_()
    h = tz.embedding(rows, table) + x
    (tz.tanh(h @ table.T) ** 2).sum().backward()
    return table.grad


def test_the_gradient_of_a_tied_embedding_is_one_tensor():
    args = tz.ones(1000, 96), tz.tensor([[1, 5, 1], [999, 0, 5]]), tz.ones(2, 3, 96)
    graph = prepare(simplified(tz.trace(tied)(*args)), host()._replace(threads=1))
    (scattered,) = [node for node in graph.nodes if node.op is ops.SCATTER_ADD]
    assert scattered.inputs[0].op is ops.DOT
    assert scattered.inputs[0].shape == (1000, 96)
    assert lowered(tied, *args).memory.size < 2 * 4 * 1000 * 96


def test_it_is_right_with_rows_that_come_twice():
    random = np.random.default_rng(0)
    args = [tz.tensor(random.normal(size=shape).astype("f")) for shape in ((1000, 96), (2, 3, 96))]
    rows = tz.tensor([[1, 5, 1], [999, 0, 5]])
    found = tz.jit(tied)(args[0], rows, args[1]).numpy()
    np.testing.assert_allclose(found, tied(args[0], rows, args[1]).numpy(), atol=2e-4)


def test_checkpoint_needs_less_memory():
    def loss(wrap, x):
        weights = [tz.ones(WIDE, WIDE, requires_grad=True) for _ in range(LAYERS)]
        block = wrap(lambda x, w: tz.gelu(tz.tanh(x @ w) * x))
        for w in weights:
            x = block(x, w)
        x.sum().backward()
        return [w.grad for w in weights]

    x = tz.ones(ROWS, WIDE)
    plain, again = (lowered(lambda x, wrap=wrap: loss(wrap, x), x).memory.size
                    for wrap in (lambda f: f, tz.checkpoint))
    assert again < 0.8 * plain
