"""Attention: the values of torch, masks and rows that see nothing, and what misuse says."""

import numpy as np
import pytest
from helpers import leaf
from naive import assert_golden, attention, wave

import tarazu as tz
from tarazu.base.errors import DTypeError, ShapeError

Q, K, V = wave(2, 3, 4), wave(2, 5, 4, phase=1), wave(2, 5, 2, phase=2)
attend = tz.scaled_dot_product_attention


def test_attention_agrees_with_torch():
    assert_golden(attend(Q, K, V), "attention")
    assert_golden(attend(Q, K, V, causal=True), "attention_causal")
    assert_golden(attend(Q, K, V, mask=wave(3, 5) > 0, scale=0.7), "attention_masked")


def test_masks_of_booleans_and_of_numbers_are_the_same():
    mask = wave(2, 3, 5) > -0.5
    np.testing.assert_allclose(attend(Q, K, V, mask=np.where(mask, 0, -np.inf)), attend(Q, K, V, mask=mask), rtol=1e-14)
    causal = mask & np.tri(3, 5, dtype=bool)
    np.testing.assert_allclose(attend(Q, K, V, mask=mask, causal=True), attention(Q, K, V, causal), rtol=1e-12)


@pytest.mark.parametrize("kind", ["bool", "float"])
def test_a_query_that_sees_nothing_gives_zeros_and_no_gradient(kind):
    mask = np.ones((3, 5), bool)
    mask[1] = False
    q, k, v = (tz.tensor(x, requires_grad=True) for x in (Q, K, V))
    y = attend(q, k, v, mask=mask if kind == "bool" else np.where(mask, 0, -np.inf))
    assert not y.numpy()[:, 1].any()
    tz.square(y).sum().backward()
    for x in (q, k, v):
        assert np.isfinite(x.grad.numpy()).all()
    assert not q.grad.numpy()[:, 1].any() and q.grad.numpy()[:, 0].any()

    def norm(q):
        slope = tz.grad(lambda q: tz.square(attend(q, K, V, mask=mask)).sum())(q)
        return tz.square(slope).sum()
    assert np.isfinite(tz.grad(norm)(tz.asarray(Q)).numpy()).all()


def test_huge_scores_do_not_overflow():
    y = attend(1e200 * Q, K, V)
    best = (Q @ K.mT).argmax(-1)
    np.testing.assert_allclose(y, np.take_along_axis(V, best[..., None], 1))


def test_leading_axes_broadcast():
    q, k, v = wave(3, 1, 2, 4), wave(2, 5, 4), wave(5, 3)
    np.testing.assert_allclose(attend(q, k, v), attention(q, k, v), rtol=1e-12)
    assert attend(q, k, v, mask=np.ones((3, 1, 2, 5), bool)).shape == (3, 2, 2, 3)
    assert attend(q[:0], k, v).shape == (0, 2, 2, 3)


def test_half_precision():
    y = attend(*(tz.tensor(x, dtype="float16") for x in (Q, K, V)), mask=np.zeros((3, 5)))
    assert y.dtype is tz.float16
    np.testing.assert_allclose(y.numpy(), attention(Q, K, V), atol=3e-3)


def test_compiled_is_eager():
    def gradient(q, k, v):
        return tz.grad(lambda *xs: tz.square(attend(*xs, causal=True)).sum(), (0, 1, 2))(q, k, v)
    xs = [leaf(x.tolist()) for x in (Q, K, V)]
    for one, other in zip(gradient(*xs), tz.jit(gradient)(*xs), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-12)


MISUSES = [
    (lambda: attend(Q, K[..., :3], V), ShapeError, r"attention: q of shape \(2, 3, 4\), k of shape \(2, 5, 3\), v of "
                                                   r"shape \(2, 5, 2\)\n.*q \(..., queries, size\)(.|\n)*heads"),
    (lambda: attend(Q, K, V[:, :4]), ShapeError, "v of shape"),
    (lambda: attend(Q[0, 0], K, V), ShapeError, r"q of shape \(4,\)"),
    (lambda: attend(Q, K[:, :0], V[:, :0]), ShapeError, "at least one key"),
    (lambda: attend(Q, K, V, mask=np.ones((3, 5), int)), DTypeError, "a mask of int64\n.*booleans.*\n.*astype"),
    (lambda: attend(Q, K, V, mask=np.ones((4, 5), bool)), ShapeError, "where: (.|\n)*do not broadcast"),
]


@pytest.mark.parametrize(("call", "error", "text"), MISUSES, ids=range(len(MISUSES)))
def test_what_misuse_says(call, error, text):
    with pytest.raises(error, match=text):
        call()
