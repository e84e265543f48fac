"""Attention layers: torch's values, masks, what a step can see, small graphs, and what misuse says."""

import numpy as np
import pytest
from naive import assert_golden, wave

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.nn import (
    Dense,
    Embedding,
    GlobalAvgPool1D,
    MultiHeadAttention,
    PositionalEmbedding,
    Sequential,
    TransformerEncoderLayer,
)
from tarazu.ops.networks.attention import merge_heads, split_heads

X = tz.asarray(wave(2, 3, 4))
HEADS = ("weight", "bias", "output_weight", "output_bias")
ENCODER = (*[f"attention.{name}" for name in HEADS], "hidden.weight", "hidden.bias", "output.weight", "output.bias",
           "attention_norm.weight", "attention_norm.bias", "output_norm.weight", "output_norm.bias")


def filled(layer, names):
    """With the parameters of tests/golden/make_golden.py, in torch's order."""
    tensors = dict(layer.named_tensors())
    for phase, name in enumerate(names):
        tensors[name].raw = wave(*tensors[name].shape, phase=phase)
    return layer.eval()


def test_attention_agrees_with_torch():
    layer = filled(MultiHeadAttention(2, 4), HEADS)
    assert_golden(layer(X).detach(), "multi_head_attention")
    other, values = tz.asarray(wave(2, 5, 4, phase=1)), tz.asarray(wave(2, 5, 4, phase=2))
    assert_golden(layer(X, other, values, attention_mask=wave(3, 5) >= -0.5).detach(), "multi_head_attention_masked")


@pytest.mark.parametrize("norm_first", [False, True])
def test_encoder_agrees_with_torch(norm_first):
    layer = TransformerEncoderLayer(2, 4, feedforward=6, norm_first=norm_first,
                                    activation="gelu" if norm_first else "relu")
    assert_golden(filled(layer, ENCODER)(X).detach(), "encoder_norm_first" if norm_first else "encoder")


def test_one_two_and_three_inputs_are_the_same_attention():
    layer = filled(MultiHeadAttention(2, 4), HEADS)
    for inputs in ((X, X), (X, X, X)):
        np.testing.assert_allclose(layer(*inputs).detach(), layer(X).detach(), rtol=1e-12)


def test_masks_of_every_shape():
    layer, mask = filled(MultiHeadAttention(2, 4), HEADS), wave(3, 3) > -0.5
    wanted = layer(X, attention_mask=mask).detach()
    for same in (np.where(mask, 0, -np.inf), np.stack([mask] * 2), np.stack([mask] * 2)[:, None], mask[None]):
        np.testing.assert_allclose(layer(X, attention_mask=same).detach(), wanted, rtol=1e-12)
    by_sample = layer(X, attention_mask=np.stack([mask, ~mask])).detach()
    np.testing.assert_allclose(by_sample[0], wanted[0], rtol=1e-12)
    assert not np.allclose(by_sample[1], wanted[1])


@pytest.mark.parametrize("make", [lambda: MultiHeadAttention(2, 4, causal=True),
                                  lambda: TransformerEncoderLayer(2, 4, feedforward=3, causal=True, dropout=0)])
def test_causal_steps_do_not_see_later_ones(make):
    layer, x = make(), X.astype("float32")
    changed = x.numpy().copy()
    changed[:, 2] += 1
    np.testing.assert_allclose(layer(tz.asarray(changed))[:, :2].detach(), layer(x)[:, :2].detach(), rtol=1e-6)
    np.testing.assert_allclose(layer(x)[:, :1].detach(), layer(x[:, :1]).detach(), rtol=1e-5, atol=1e-6)


def test_dropout_of_weights_drops_in_training_only():
    layer = MultiHeadAttention(2, 4, dropout=0.5)
    x = X.astype("float32")
    assert not (layer(x) == layer(x)).all()
    assert (layer.eval()(x) == layer(x)).all()


def test_heads_come_apart_and_together_again():
    q, k = split_heads(X, 2, 1)
    assert q.shape == k.shape == (2, 1, 3, 2)
    np.testing.assert_array_equal(q[:, 0], X[..., :2])
    np.testing.assert_array_equal(k[:, 0], X[..., 2:])
    np.testing.assert_array_equal(merge_heads(*split_heads(X, 1, 2)), X)


def test_self_attention_projects_by_one_product():
    layer = MultiHeadAttention(2, 4)
    nodes = tz.trace(lambda x: layer(x))(X.astype("float32")).counts().nodes
    assert nodes["dot"] == 4
    both = tz.trace(lambda x: layer(x), backward=True)(X.astype("float32")).counts().nodes
    assert both["dot"] == 12 and both["concat"] == 1 and "pad" not in both


def test_positions_make_steps_different():
    layer = PositionalEmbedding(5)
    y = layer(tz.zeros(2, 3, 4)).detach()
    assert (y[0] == layer.weight.detach()[:3]).all() and (y[0] == y[1]).all()


def test_a_transformer_learns_where_a_token_stands():
    draw = np.random.default_rng(0)
    x, y = np.ones((200, 6), np.int64), draw.integers(0, 2, 200)
    x[np.arange(200), np.where(y, draw.integers(3, 6, 200), draw.integers(0, 3, 200))] = 2
    model = Sequential([Embedding(3, 16), PositionalEmbedding(6), TransformerEncoderLayer(2, 16, feedforward=32),
                        GlobalAvgPool1D(), Dense(2)])
    model.compile(tz.optim.Adam(lr=0.005), "cross_entropy", ["accuracy"]).fit(x, y, epochs=30, verbose=0, seed=1)
    assert model.evaluate(x, y)["accuracy"] > 0.95


MISUSES = [
    (lambda: MultiHeadAttention(3, 8), ArgumentError, "dim=8 for heads=3"),
    (lambda: MultiHeadAttention(0, 8), ArgumentError, "heads=0"),
    (lambda: MultiHeadAttention(2, 4, dropout=2), ArgumentError, "rate=2"),
    (lambda: MultiHeadAttention(2, 4)(tz.ones(2, 4)), ShapeError, r"in MultiHeadAttention\(2, 4\).*\n.*\n.*sequences"),
    (lambda: MultiHeadAttention(2, 4)(tz.ones(1, 2, 6)), ShapeError, r"shape \(batch, time, 4\)\n.*Dense\(4\)"),
    (lambda: MultiHeadAttention(2, 4)(X, attention_mask=np.ones((3, 3), int)), DTypeError, "a mask of int64"),
    (lambda: PositionalEmbedding(2)(tz.ones(1, 3, 4)), ShapeError, r"at most 2 steps\n.*PositionalEmbedding\(3\)"),
    (lambda: TransformerEncoderLayer(2, 4)(tz.ones(1, 3, 6)), ShapeError, "in layer attention, MultiHeadAttention"),
]


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES, ids=range(len(MISUSES)))
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
