"""Layers that learn from data before training: normalization by the statistics of features."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DataError, ShapeError
from tarazu.nn import Dense, Normalization, Sequential

RAW = np.random.default_rng(0).normal([5.0, -200.0, 0.0], [3.0, 50.0, 0.1], (60, 3))
PICTURES = np.random.default_rng(1).normal(size=(6, 4, 5, 2)) * [1.0, 9.0] + [3.0, -1.0]


# Normalization ------------------------------------------------------------------------------------------------------

def test_features_get_mean_0_and_variance_1_and_invert_undoes_it():
    layer = Normalization().adapt(RAW)
    y = layer(tz.asarray(RAW.astype(np.float32)))
    np.testing.assert_allclose(y.numpy().mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(y.numpy().std(0), 1, rtol=1e-5)
    inverse = Normalization(mean=layer.mean, variance=layer.variance, invert=True)
    np.testing.assert_allclose(inverse(y), RAW, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(Normalization(invert=True).adapt(RAW)(y), RAW, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("axis", "others", "shape"), [
    (-1, (0, 1, 2), (2,)), (3, (0, 1, 2), (2,)), (1, (0, 2, 3), (4, 1, 1)), ((1, -1), (0, 2), (4, 1, 2)),
    (None, (0, 1, 2, 3), ())])
def test_axes_with_statistics_of_their_own(axis, others, shape):
    layer = Normalization(axis).adapt(PICTURES)
    assert layer.mean.shape == shape
    wanted = (PICTURES - PICTURES.mean(others, keepdims=True)) / PICTURES.std(others, keepdims=True)
    np.testing.assert_allclose(layer(tz.asarray(PICTURES)), wanted, rtol=1e-5, atol=1e-5)


def test_batches_give_the_statistics_of_all_rows():
    together = Normalization().adapt(RAW)
    parts = Normalization().adapt(RAW[i:i + 7] for i in range(0, 60, 7))
    np.testing.assert_allclose(parts.mean, together.mean, rtol=1e-6)
    np.testing.assert_allclose(parts.variance, together.variance, rtol=1e-6)


def test_large_numbers_of_small_variance():
    x = 1e6 + np.arange(10.0)[:, None]
    np.testing.assert_allclose(Normalization().adapt(x).variance, [8.25], rtol=1e-6)


def test_a_constant_feature_is_only_shifted():
    x = np.column_stack([np.full(9, 0.1), np.arange(9)])  # the variance of the first is not quite 0 by rounding
    layer = Normalization().adapt(iter([x[:4], x[4:]]))
    assert layer.variance[0].item() == 0
    np.testing.assert_allclose(layer(tz.tensor([[0.1, 4.0], [1.1, 4.0]])), [[0, 0], [1, 0]], atol=1e-6)


def test_it_is_saved_with_the_model_and_no_parameter(tmp_path):
    model = Sequential([Normalization().adapt(RAW), Dense(1)]).compile("sgd", "mse")
    before = model[0].mean.tolist()
    model.fit(RAW, RAW[:, :1], epochs=1, verbose=0)
    assert model[0].mean.tolist() == before and len(model.parameters()) == 2
    model.save(tmp_path / "model")
    again = tz.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict(RAW), model.predict(RAW))
    assert again[0].adapt(RAW + 1).mean.tolist() == pytest.approx([m + 1 for m in before])


def test_adapting_again_changes_compiled_functions_without_another_trace():
    layer = Normalization().adapt(RAW)
    f = tz.jit(layer.__call__)
    x = tz.ones((1, 3))
    f(x)
    layer.adapt(RAW * 2)
    np.testing.assert_array_equal(f(x), layer(x))


def test_the_verdict_does_not_call_raw_features_unscaled():
    y = RAW[:, :1]
    scales = [Sequential([*first, Dense(1)]).compile("sgd", "mse").fit(x, y, epochs=1, verbose=0, validation_split=0.2)
              .measurements["input_scale"] for first, x in (([], RAW / 1e3), ([Normalization().adapt(RAW)], RAW))]
    assert scales[1] < 1.5 and scales[0] > 0.15


def test_half_types_get_raw_features():
    model = Sequential([Normalization().adapt(RAW * 1e5), Dense(1)]).compile("sgd", "mse", precision="float16")
    assert np.isfinite([row["loss"] for row in model.fit(RAW * 1e5, RAW[:, :1], epochs=2, verbose=0)]).all()


NORMALIZATION_ERRORS = {
    "not adapted": (lambda: Normalization()(tz.ones((1, 3))), ArgumentError,
                    r"Normalization has seen no data\n.*\n.*layer\.adapt\(x_train\)"),
    "in a model": (lambda: Sequential([Normalization()]).predict([[1.0]]), ArgumentError, "has seen no data"),
    "other features": (lambda: Normalization().adapt(RAW)(tz.ones((1, 1))), ShapeError,
                       r"an input of shape \(1, 1\)\n  expected: the features that the layer was adapted "),
    "axis": (lambda: Normalization(2).adapt(RAW), ShapeError, r"an input of shape \(60, 3\) for axis=\(2,\)"),
    "nan": (lambda: Normalization().adapt([[1.0, np.nan]]), DataError, "1 of the values are NaN or infinite"),
    "no rows": (lambda: Normalization().adapt([]), DataError, "no rows to adapt to"),
    "pairs": (lambda: Normalization().adapt(iter([(RAW, RAW[:, 0])])), DataError, "a tuple to adapt to"),
    "rows for batches": (lambda: Normalization().adapt(iter([RAW, RAW[:, :2]])), ShapeError, "a batch of shape"),
    "mean alone": (lambda: Normalization(mean=[1.0]), ArgumentError, "one of mean and variance"),
}


@pytest.mark.parametrize(("act", "kind", "text"), NORMALIZATION_ERRORS.values(), ids=NORMALIZATION_ERRORS)
def test_what_normalization_refuses(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
