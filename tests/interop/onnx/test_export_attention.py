"""Attention as ONNX: one Softmax between two MatMul, and the values of Tarazu for every kind of mask."""

import numpy as np
import pytest
from onnx_programs import count, exported_as_called

import tarazu as tz
from tarazu import nn

pytestmark = pytest.mark.extras
draw = np.random.default_rng(0)
COMPOSED = {"Exp", "ReduceMax", "ReduceSum", "Div"}


def floats(*shape):
    return draw.normal(size=shape).astype(np.float32)


def booleans(*shape):
    """A mask in which the second query attends to nothing."""
    mask = draw.random(shape) < 0.6
    mask[..., 1, :] = False
    return mask


def numbers(*shape):
    """Numbers that are added to the scores, -inf for all of the second query's."""
    return np.where(booleans(*shape), floats(*shape), -np.inf).astype(np.float32)


Q, K, V = floats(4, 2, 5, 8), floats(4, 2, 5, 8), floats(4, 2, 5, 3)


def attended(causal=False, mask=None, dtype="float32"):
    def attend(q, k, v, *given):
        q, k, v = (tz.astype(x, dtype) for x in (q, k, v))
        return tz.scaled_dot_product_attention(q, k, v, causal=causal, mask=given[0] if given else mask)
    return attend


@pytest.mark.parametrize(("function", "masks", "others"), [
    (attended(), [], {}),
    (attended(causal=True), [], {"LessOrEqual": 1, "Where": 1}),
    (attended(mask=booleans(5, 5)), [], {"Where": 2, "Equal": 1}),
    (attended(causal=True), [booleans(4, 2, 5, 5)], {"LessOrEqual": 1, "Where": 3, "Equal": 1}),
    (attended(), [booleans(4, 1, 5, 5)], {"Where": 2, "Equal": 1}),
    (attended(), [numbers(4, 1, 5, 5)], {"Where": 1, "Equal": 1, "Add": 1}),
], ids=["plain", "causal", "constant mask", "causal and mask", "booleans", "numbers"])
def test_attention_has_one_softmax(function, masks, others):
    found = count(exported_as_called(function, Q, K, V, *masks, rows=(1, 3)))
    assert found == {"MatMul": 2, "Softmax": 1, "Transpose": 1, "Mul": 1, **others}


def test_attention_of_halves():
    found = count(exported_as_called(attended(dtype="float16"), Q, K, V, rows=(3,), atol=2e-3))
    assert found["Softmax"] == 1 and found["MatMul"] == 2 and not COMPOSED & set(found)


@pytest.mark.parametrize("causal", [False, True])
def test_a_layer_of_several_heads_without_its_dropout(causal):
    layer = nn.MultiHeadAttention(2, 8, causal=causal, dropout=0.5)
    found = count(exported_as_called(layer, floats(4, 6, 8)))
    assert found["Softmax"] == 1 and found["MatMul"] == 4 and not COMPOSED & set(found)


def test_padding_of_keys_and_weights_that_are_asked_for():
    layer = nn.MultiHeadAttention(2, 8)
    padding = np.arange(6) < draw.integers(0, 7, size=(4, 1))
    padding[0] = False

    def attend(x, mask):
        return layer(x, mask=mask, return_weights=True)

    found = count(exported_as_called(attend, floats(4, 6, 8), padding))
    assert found["Softmax"] == 1 and not COMPOSED & set(found)


def test_the_gradient_of_attention():
    def gradient(q, k, v):
        return tz.grad(lambda *x: tz.square(tz.scaled_dot_product_attention(*x, causal=True)).sum(), (0, 1, 2))(q, k, v)

    exported_as_called(gradient, Q, K, V, rows=(3,))
