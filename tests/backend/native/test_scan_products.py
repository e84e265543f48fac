"""Scans over sequences that are products, which their bodies compute row by row."""

import numpy as np
import pytest
from test_in_place import lowered

import tarazu as tz
from tarazu.backend.native.llvm.target import host
from tarazu.backend.native.lowering.prepare import prepare
from tarazu.ir import op as ops
from tarazu.runtime.compile import simplified

pytestmark = pytest.mark.native
TIME, BATCH, FEATURES, UNITS = 24, 16, 8, 20


@pytest.fixture
def small_sequences(monkeypatch):
    """Lets products be computed inside however short the sequence is."""
    monkeypatch.setattr("tarazu.backend.native.scan_products.LARGE", 1)


def arguments(bias=True):
    random = np.random.default_rng(0)
    shapes = [(BATCH, TIME, FEATURES), (FEATURES, 4 * UNITS), (UNITS, 4 * UNITS), *[(4 * UNITS,)] * bias]
    return [tz.tensor(random.normal(size=shape).astype("f") / 3) for shape in shapes]


def gradients(x, *weights):
    """Those of the sum of squares of what two LSTMs give, one after the other, with respect to their weights."""
    weights = [w.detach().requires_grad_() for w in weights]
    start = tz.zeros(BATCH, UNITS)
    x, _ = tz.lstm(x, start, start, *weights)
    y, _ = tz.lstm(x[:, :, :FEATURES], start, start, *weights, reverse=True)
    y.square().sum().backward()
    return [w.grad for w in weights]


@pytest.mark.parametrize("bias", [True, False])
def test_the_product_is_in_the_loop_and_gives_the_same(bias, small_sequences):
    args = arguments(bias)
    graph = prepare(simplified(tz.trace(gradients)(*args)), host()._replace(threads=1))
    assert not [node for node in graph.nodes if node.op is ops.DOT and node.shape == (TIME, BATCH, 4 * UNITS)]
    for found, wanted in zip(tz.jit(gradients)(*args), gradients(*args), strict=True):
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-4, atol=1e-4)


def test_it_stays_outside_where_others_need_it_or_a_step_has_few_rows(small_sequences):
    def both(x, w, u):
        parts = x @ w
        _, hidden = tz.scan(lambda h, part: (tz.tanh(part + h @ u),) * 2, tz.zeros(x.shape[1], UNITS), parts)
        return hidden, parts.sum() if x.shape[1] >= BATCH else hidden.sum()

    for rows in (BATCH, 4):
        args = tz.ones(TIME, rows, FEATURES), tz.ones(FEATURES, UNITS), tz.ones(UNITS, UNITS)
        graph = prepare(simplified(tz.trace(both)(*args)), host()._replace(threads=1))
        assert [node for node in graph.nodes if node.op is ops.DOT and node.shape == (TIME, rows, UNITS)]


def test_a_long_sequence_takes_no_memory():
    def last(x, w, u):
        return tz.scan(lambda h, part: (tz.tanh(part + h @ u), None), tz.zeros(x.shape[1], 64), x @ w)[0]

    assert lowered(last, tz.ones(256, 32, 8), tz.ones(8, 64), tz.ones(64, 64)).memory.size < 256 * 32 * 64 * 4 / 4
