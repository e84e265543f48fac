"""Attention head by head: values and gradients beside NumPy, what needs no memory, and what is left out above the
diagonal."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.backend.native.kernels import row_blocks

RANDOM = np.random.default_rng(15)


def attention(q, k, v, g, mask, causal):
    """The values of attention and the gradients of q, k and v, in double precision."""
    q, k, v, g = [x.astype(np.float64) for x in (q, k, v, g)]
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    top = scores.max(-1, keepdims=True)
    raised = np.exp(scores - np.where(np.isfinite(top), top, 0))
    total = raised.sum(-1, keepdims=True)
    weights = raised / np.where(total == 0, 1, total)
    cotangent = g @ v.swapaxes(-1, -2)
    back = weights * (cotangent - (cotangent * weights).sum(-1, keepdims=True)) / np.sqrt(q.shape[-1])
    return weights @ v, back @ k, back.swapaxes(-1, -2) @ q, weights.swapaxes(-1, -2) @ g


def masks(queries, keys):
    """A mask of each kind."""
    return {"none": None, "booleans": RANDOM.random((queries, keys)) < 0.6,
            "numbers": RANDOM.normal(size=(1, 1, queries, keys)).astype("f"), "padding": np.arange(keys) < keys - 5}


def compiled(mask, causal):
    """Values and gradients in one program."""
    def both(q, k, v, g):
        y, back = tz.vjp(lambda *x: tz.scaled_dot_product_attention(*x, mask=mask, causal=causal), q, k, v)
        return y, *back(g)
    return tz.jit(both)


def check(batch, queries, keys, size, width, kind, causal, set_threads):
    shapes = (*batch, queries, size), (*batch, keys, size), (*batch, keys, width), (*batch, queries, width)
    arrays = [RANDOM.normal(size=shape).astype("f") for shape in shapes]
    mask = masks(queries, keys)[kind]
    step, wanted = compiled(mask, causal), attention(*arrays, mask, causal)
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        for got, want in zip(step(*map(tz.tensor, arrays)), wanted, strict=True):
            np.testing.assert_allclose(got.numpy(), want, rtol=0, atol=3e-6 * max(np.abs(want).max(), 1))
    return step


@pytest.mark.parametrize(("shape", "kind", "causal"), [
    ((37, 37, 16, 16), "none", True), ((50, 23, 8, 24), "booleans", True), ((23, 50, 33, 5), "numbers", True),
    ((40, 40, 16, 8), "padding", False)])
def test_attention_head_by_head(shape, kind, causal, set_threads):
    check((2, 6), *shape, kind, causal, set_threads)


@pytest.mark.parametrize(("shape", "kind", "causal"), [
    ((96, 96, 16, 8), "none", True), ((40, 70, 8, 24), "booleans", False), ((66, 40, 9, 5), "numbers", True),
    ((130, 130, 16, 8), "none", False), ((100, 61, 9, 5), "none", True), ((64, 130, 16, 16), "padding", True)])
def test_attention_by_blocks_of_rows(shape, kind, causal, set_threads, monkeypatch):
    by_blocks(monkeypatch)
    step = check((2, 7), *shape, kind, causal, set_threads)
    assert f"14 x {shape[0] // row_blocks_of(shape[0])} x " in step.native_text()


def by_blocks(monkeypatch):
    """Blocks of rows for small matrices too."""
    monkeypatch.setattr(row_blocks, "LARGE", 1)
    monkeypatch.setattr(row_blocks, "LARGE_BY_COLUMNS", 1)
    monkeypatch.setattr(row_blocks, "MOST", 50)


def row_blocks_of(rows):
    """The rows of a block: the most that divide them, where sums over rows are done by blocks."""
    return max(size for size in range(16, 51) if rows % size == 0 and size <= rows // 2)


@pytest.mark.long
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kind", ["none", "booleans", "numbers", "padding"])
@pytest.mark.parametrize("shape", [(128, 128, 32, 32), (130, 130, 33, 17), (7, 7, 4, 4), (1, 77, 16, 16),
                                   (300, 300, 64, 64), (64, 500, 16, 16)])
def test_many_shapes_and_masks(shape, kind, causal, set_threads):
    check((3, 4), *shape, kind, causal, set_threads)


def test_scores_need_memory_of_one_head_only():
    x = tz.zeros(1, 12, 256, 16)
    step = compiled(None, causal=True)
    step(x, x, x, x)
    lines = step.native_text().splitlines()
    products = [lines[i + 1] for i, line in enumerate(lines) if "x 256 x 256 over" in line and "_dot " in line]
    assert len(products) == 3 and all("-> local" in line for line in products)
    assert sum(line.startswith("run of") for line in lines) == 1


def test_numbers_that_the_diagonal_hides_do_not_count_but_others_do():
    """Scores that something else reads too are computed as a whole."""
    x = RANDOM.normal(size=(12, 32, 8)).astype("f")
    lower = np.tri(32, dtype=bool)

    def f(x):
        scores = x @ tz.swapaxes(x, -1, -2)
        rows = tz.arange(32)
        chosen = tz.where(tz.less_equal(rows, tz.expand_dims(rows, 1)), scores, 0)
        return chosen @ x, scores.sum(-1), tz.where(tz.less_equal(tz.expand_dims(rows, 1), rows), scores, 0) @ x

    scores = x @ x.swapaxes(-1, -2)
    wanted = np.where(lower, scores, 0) @ x, scores.sum(-1), np.where(lower.T, scores, 0) @ x
    for got, want in zip(tz.jit(f)(tz.tensor(x)), wanted, strict=True):
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("reduction", ["min", "prod", "sum", "max"])
def test_reductions_of_what_is_not_known_above_the_diagonal_go_over_all(reduction):
    x = RANDOM.uniform(0.9, 1.1, size=(12, 300, 40)).astype("f")

    def f(x):
        hidden = tz.less_equal(tz.arange(40), tz.expand_dims(tz.arange(300), 1))
        return getattr(tz.where(hidden, x, x - 0.5), reduction)(-1)

    wanted = getattr(np.where(np.tri(300, 40, dtype=bool), x, x - 0.5), reduction)(-1)
    np.testing.assert_allclose(tz.jit(f)(tz.tensor(x)).numpy(), wanted, rtol=1e-5)


def test_products_by_weights_between_those_of_a_batch(set_threads):
    x, w, g = (RANDOM.normal(size=shape).astype("f") for shape in ((5, 4, 6, 7), (7, 9), (5, 4, 6, 6)))

    def step(x, w):
        y = x @ w
        return (y @ y.mT) @ tz.tensor(g) @ y @ w.mT

    wide, weight = x.astype(np.float64), w.astype(np.float64)
    y = wide @ weight
    wanted = (y @ y.swapaxes(-1, -2)) @ g @ y @ weight.T
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        np.testing.assert_allclose(tz.jit(step)(tz.tensor(x), tz.tensor(w)).numpy(), wanted, rtol=0,
                                   atol=1e-5 * np.abs(wanted).max())
