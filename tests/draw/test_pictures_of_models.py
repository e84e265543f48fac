"""Weights, activations, filters, attention, images, regions: the numbers behind them and what is said of them."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError

RNG = np.random.default_rng(0)
MODEL = tz.nn.Sequential([tz.nn.Dense(8, "relu", in_features=2), tz.nn.Dense(2, in_features=8)])


def test_weights_are_those_of_the_model_by_path():
    picture = tz.draw.weights(MODEL)
    for path, x in MODEL.named_parameters():
        np.testing.assert_array_equal(picture.values[path], x.numpy())
    assert "0.weight: 2 x 8" in picture.svg() and picture.title == "42 parameters"
    with pytest.raises(ArgumentError, match="without parameters"):
        tz.draw.weights(tz.nn.Flatten())


def test_activations_are_what_each_layer_gives_and_dead_units_are_told():
    x = RNG.normal(size=(50, 2)).astype(np.float32)
    picture = tz.draw.activations(MODEL, x)
    hidden = MODEL[0](tz.asarray(x)).numpy()
    np.testing.assert_array_equal(picture.values["0"], hidden)
    np.testing.assert_array_equal(picture.values["1"], MODEL(tz.asarray(x)).numpy())
    assert f"{100 * (hidden == 0).mean():.0f} % are 0" in picture.svg()
    assert picture.title == "outputs of 2 layers for 50 rows"


def test_weights_that_are_not_finite_are_counted():
    layer = tz.nn.Dense(2, in_features=2)
    layer.weight = tz.nn.Parameter(tz.tensor([[np.nan, np.inf], [1.0, 2.0]]))
    assert "2 not finite" in tz.draw.weights(layer).svg()


def test_filters_are_rows_of_channels_or_colors():
    for channels, charts in ((1, 5), (3, 5), (4, 20)):
        layer = tz.nn.Conv2D(5, 3, in_channels=channels)
        picture = tz.draw.filters(layer)
        assert len(picture.charts) == charts
        np.testing.assert_array_equal(picture.values, layer.weight.numpy())
    with pytest.raises(ArgumentError, match="filters of a Dense(.|\n)*model\\[0\\]"):
        tz.draw.filters(MODEL[0])
    with pytest.raises(ArgumentError, match="seen no input"):
        tz.draw.filters(tz.nn.Conv2D(5, 3))


def test_attention_is_that_of_the_layer_and_leaves_it_as_it_was():
    layer = tz.nn.MultiHeadAttention(2, 8, causal=True)
    model = tz.nn.Sequential([tz.nn.Embedding(9, 8), layer])
    codes = np.array([[1, 2, 3], [4, 5, 6]])
    before = model(tz.asarray(codes)).numpy()
    picture = tz.draw.attention(model, codes, row=1, tokens=["the", "<cat>", "sat"])
    _, wanted = layer(model[0](tz.asarray(codes)), return_weights=True)
    np.testing.assert_allclose(picture.values["1"], wanted.numpy(), rtol=1e-6)
    assert "&lt;cat&gt;" in picture.svg() and len(picture.charts) == 2 and "forward" not in vars(layer)
    np.testing.assert_array_equal(model(tz.asarray(codes)).numpy(), before)
    with pytest.raises(ArgumentError, match="without MultiHeadAttention"):
        tz.draw.attention(MODEL, [[1.0, 2.0]])
    with pytest.raises(ArgumentError, match="row=2 of 2"):
        tz.draw.attention(model, codes, row=2)


@pytest.mark.parametrize("shape", [(70, 4, 5), (2, 4, 5, 1), (2, 4, 5, 3), (2, 4, 5, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_images_of_every_kind(shape, dtype):
    picture = tz.draw.images((255 * RNG.uniform(size=shape)).astype(dtype), titles=["<a>"])
    assert len(picture.charts) == min(shape[0], 64) and "&lt;a&gt;" in picture.svg()
    with pytest.raises(ShapeError, match=r"images of shape \(3, 4, 5, 2\)"):
        tz.draw.images(np.zeros((3, 4, 5, 2)))


def test_one_image_with_channels_is_not_many_gray_ones():
    for channels in (1, 3, 4):
        with pytest.raises(ShapeError, match=r"may be one image with its channels(.|\n)*for one image, x\[None\]"):
            tz.draw.images(np.zeros((5, 6, channels)))


def test_regions_are_the_predictions_on_a_grid():
    x, y = RNG.normal(size=(30, 2)).astype(np.float32), np.arange(30) % 2
    picture = tz.draw.regions(MODEL, x, y, names=["length", "width"])
    chart = picture.charts[0]
    corner = MODEL(tz.asarray(np.array([[chart.x.low, chart.y.low]], np.float32))).numpy()[0]
    np.testing.assert_allclose(picture.values[0, 0], corner, rtol=1e-5)
    assert "class 1" in picture.svg() and ">length<" in picture.svg()
    number = tz.draw.regions(tz.nn.Sequential([tz.nn.Dense(1, in_features=2)]), x)
    assert number.charts[0].color_bar is not None
    with pytest.raises(ShapeError, match="two features"):
        tz.draw.regions(MODEL, np.zeros((3, 4)))


def test_regions_refuse_what_they_cannot_place():
    model = tz.nn.Dense(2, in_features=2)
    with pytest.raises(ArgumentError, match="features with 1 of 4 values NaN or infinite"):
        tz.draw.regions(model, [[np.nan, 0], [1, 1]])
    with pytest.raises(ShapeError, match="2 labels for 3 rows"):
        tz.draw.regions(model, np.ones((3, 2)), [0, 1])
    with pytest.raises(ArgumentError, match="y of <U1, such as"):
        tz.draw.regions(model, np.ones((2, 2)), ["a", "b"])
