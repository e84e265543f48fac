"""Masks over sequences: where they come from, how a Sequential hands them on, pooling over time."""

import numpy as np
import pytest
from naive import wave

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.nn import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Embedding,
    GlobalAvgPool1D,
    GlobalMaxPool1D,
    Masking,
    Sequential,
    TransformerEncoderLayer,
)
from tarazu.nn.layers.sequences.masks import max_over_time, mean_over_time

LENGTHS = (3, 5, 1)
X = wave(3, 5, 2).astype(np.float32)
MASK = np.arange(5) < np.array(LENGTHS)[:, None]
PADDED = tz.asarray(np.where(MASK[..., None], X, -9).astype(np.float32))

MODELS = {
    "two layers": lambda: Sequential([LSTM(4, True), Dense(3), GRU(2)]),
    "both directions": lambda: Sequential([Bidirectional(GRU(3, True)), LSTM(2)]),
    "pooling": lambda: Sequential([Dense(3), GRU(4, True), GlobalAvgPool1D(), Dense(2)]),
    "maximum": lambda: Sequential(GRU(4, True), GlobalMaxPool1D(), Dense(2)),
    "nested": lambda: Sequential([Sequential([Dense(3), GRU(4, True)]), Sequential([GlobalAvgPool1D()]), Dense(2)]),
    "attention": lambda: Sequential([Dense(4), TransformerEncoderLayer(2, 4, feedforward=8), GlobalAvgPool1D()]),
}
each = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


@each
def test_a_sequential_hands_its_mask_on(make):
    model = make().eval()
    y = model(PADDED, mask=MASK).detach().numpy()
    for i, length in enumerate(LENGTHS):
        np.testing.assert_allclose(y[i], model(tz.asarray(X[i:i + 1, :length]))[0].detach(), rtol=1e-5, atol=1e-6)


@each
def test_masking_makes_the_mask(make):
    model = make().eval()
    masked = Sequential([Masking(-9.0), model])
    for outer in (masked, Sequential([masked])):
        np.testing.assert_allclose(outer(PADDED).detach(), model(PADDED, mask=MASK).detach(), rtol=1e-6, atol=1e-6)


def test_masks_of_both_kinds_hold_together():
    model = Sequential([Masking(-9.0), GRU(2)])
    other = np.array([[True, False, True, True, True]] * 3)
    np.testing.assert_array_equal(model(PADDED, mask=other).detach(), model[1](PADDED, mask=MASK & other).detach())


def test_a_mask_ends_with_the_time_axis():
    model = Sequential([Masking(-9.0), GRU(5), lambda h: h[:, None] + tz.zeros((4, 1)), GRU(3, True)])
    assert model(PADDED).shape == (3, 4, 3)


def test_a_mask_that_no_longer_fits_is_no_secret():
    model = Sequential([Masking(-9.0), lambda x: tz.relu(x)[:, 1:], GRU(5)])
    with pytest.raises(ShapeError, match=r"in layer 2, GRU\(5\)[\s\S]*mask of shape \(3, 5\) for an input of shape "):
        model(PADDED)


def test_own_layers_make_and_take_masks():
    class Late(tz.nn.Module):
        def compute_mask(self, x):
            return x[..., 0] > 0
        def forward(self, x):
            return 2 * x

    class Share(tz.nn.Module):
        def forward(self, x, mask=None):
            return mask.astype("float32").mean(1, keepdims=True)

    assert Sequential([Late(), Share()])(tz.tensor([[[1.0], [-1.0], [2.0], [3.0]]])).tolist() == [[0.75]]


def test_masking_takes_nan_out():
    x = np.array([[[1.0], [np.nan], [3.0]]], np.float32)
    layer = Masking(np.nan)
    assert layer.compute_mask(tz.asarray(x)).tolist() == [[True, False, True]]
    assert layer(tz.asarray(x)).flatten().tolist() == [1, 0, 3]
    assert Sequential([layer, GlobalAvgPool1D()])(tz.asarray(x)).item() == 2


def test_embedding_makes_a_mask_and_does_not_learn_padding():
    layer = Embedding(5, 3, padding_idx=0, mask=True)
    codes = tz.tensor([[3, 4, 0, 0], [1, 0, 0, 0]])
    assert layer.compute_mask(codes).tolist() == [[True, True, False, False], [True, False, False, False]]
    assert not layer(codes)[:, 2:].detach().numpy().any()
    layer(codes).sum().backward()
    assert layer.weight.grad[:, 0].tolist() == [0, 1, 0, 1, 1]
    assert Embedding(5, 3, padding_idx=0).compute_mask(codes) is None
    model = Sequential([layer, GRU(2)])
    np.testing.assert_allclose(model(codes)[0].detach(), model(codes[:1, :2])[0].detach(), rtol=1e-6, atol=1e-7)


def test_padding_changes_no_training():
    """Two models with the same start, one on padded rows, one on the same rows padded further."""
    rows = np.random.default_rng(0).integers(1, 9, (24, 6))
    rows[np.arange(6) >= np.random.default_rng(1).integers(1, 7, 24)[:, None]] = 0
    target = (rows.max(1, keepdims=True) > 6).astype(np.float32)
    losses = []
    for extra in (0, 3):
        tz.random.seed(0)
        model = Sequential([Embedding(9, 4, padding_idx=0, mask=True), Bidirectional(LSTM(3, True)), GlobalAvgPool1D(),
                            Dense(1)])
        model.compile("adam", "mse")
        history = model.fit(np.pad(rows, [(0, 0), (0, extra)]), target, epochs=2, batch_size=8, verbose=0, seed=3)
        losses.append([row["loss"] for row in history])
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_fit_and_predict_take_a_mask_beside_the_input():
    model = Sequential([GRU(3), Dense(1)]).compile("sgd", "mse")
    target = np.ones((3, 1))
    padded = PADDED.numpy()
    model.fit({"x": padded, "mask": MASK}, target, epochs=1, verbose=0)
    outputs = [model.predict({"x": x, "mask": MASK}) for x in (padded, np.where(MASK[..., None], X, 5).astype("f"))]
    np.testing.assert_array_equal(*outputs)
    assert model.predict([(padded, target)]).shape == (3, 1)  # batches (x, y): `mask` is an option, and no second input


def test_pooling_over_time():
    x = tz.asarray(X)
    mean, largest = mean_over_time(x, MASK), max_over_time(x, MASK)
    for i, length in enumerate(LENGTHS):
        np.testing.assert_allclose(mean[i], X[i, :length].mean(0), rtol=1e-6)
        np.testing.assert_array_equal(largest[i], X[i, :length].max(0))
    none = np.zeros((3, 5), bool)
    assert not mean_over_time(x, none).numpy().any() and not max_over_time(x, none).numpy().any()
    np.testing.assert_array_equal(max_over_time(x), X.max(1))
    slope = tz.grad(lambda x: (mean_over_time(x, none) + max_over_time(x, none)).sum())(x)
    assert not slope.numpy().any()


MISUSES = {
    "mask of floats": (lambda: GlobalAvgPool1D()(PADDED, mask=tz.ones((3, 5))), DTypeError, "a mask of float32"),
    "transposed mask": (lambda: GlobalAvgPool1D()(PADDED, mask=MASK.T), ShapeError, r"a mask of shape \(5, 3\)"),
    "value": (lambda: Masking("0"), ArgumentError, "value='0'"),
    "no sequences": (lambda: Masking()(tz.ones((3, 5))), ShapeError, r"sequences: \(batch, time, features\)"),
    "padding index": (lambda: Embedding(5, 3, padding_idx=5), ArgumentError, r"padding_idx=5 for 5 vectors"),
    "mask without padding": (lambda: Embedding(5, 3, mask=True), ArgumentError, r"mask=True without padding_idx"),
}


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES.values(), ids=MISUSES)
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
