"""Layers over sequences, images and volumes: values by plain loops and by torch, and what misuse says."""

import naive
import numpy as np
import pytest
from naive import wave

import tarazu as tz
from tarazu import nn
from tarazu.base.errors import ArgumentError, ShapeError

SEQUENCES, IMAGES, VOLUMES = wave(2, 7, 4), wave(2, 5, 4, 4), wave(2, 3, 4, 3, 4)


def with_weight(layer, x):
    """The output of a layer whose weight is a wave, and that weight."""
    layer(tz.asarray(x))
    layer.weight.raw = wave(*layer.weight.shape)
    return layer(tz.asarray(x)).detach().numpy(), layer.weight.raw


CONVOLUTIONS = {  # a layer, its input, and the options of the plain loop
    "sequences": (nn.Conv1D(6, 3, 2, groups=2, dilation=2), SEQUENCES, {"stride": (2,), "dilation": (2,), "groups": 2}),
    "causal": (nn.Conv1D(3, 3, padding="causal", dilation=2), SEQUENCES,
               {"stride": (1,), "dilation": (2,), "padding": [(4, 0)]}),
    "volumes": (nn.Conv3D(6, 2, padding=1, groups=2), VOLUMES,
                {"stride": (1,) * 3, "padding": [(1, 1)] * 3, "groups": 2}),
    "depthwise": (nn.DepthwiseConv2D((3, 2), depth_multiplier=2), IMAGES, {"stride": (1, 1), "groups": 4}),
    "depthwise causal": (nn.DepthwiseConv1D(3, padding="causal"), SEQUENCES,
                         {"stride": (1,), "padding": [(2, 0)], "groups": 4}),
}


@pytest.mark.parametrize(("layer", "x", "options"), CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_convolutions_are_the_loops(layer, x, options):
    y, weight = with_weight(layer, x)
    np.testing.assert_allclose(y, naive.convolution(x, weight, **options), rtol=1e-12, atol=1e-12)


TRANSPOSED = {
    "sequences": (nn.Conv1DTranspose(6, 3, 2, groups=2), SEQUENCES, {"stride": (2,), "groups": 2}),
    "images": (nn.Conv2DTranspose(3, (3, 2), 2, 1, output_padding=1, dilation=(1, 2)), IMAGES,
               {"stride": (2, 2), "cut": [(1, 1)] * 2, "extra": (1, 1), "dilation": (1, 2)}),
    "volumes": (nn.Conv3DTranspose(2, 2, (1, 2, 1)), VOLUMES, {"stride": (1, 2, 1)}),
}


@pytest.mark.parametrize(("layer", "x", "options"), TRANSPOSED.values(), ids=TRANSPOSED)
def test_transposed_convolutions_are_the_loops(layer, x, options):
    y, weight = with_weight(layer, x)
    np.testing.assert_allclose(y, naive.transposed_convolution(x, weight, **options), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_transposed_sizes_are_those_that_the_convolution_takes_back(padding):
    for window, stride in [(3, 2), (2, 2), (5, 3), (4, 1)]:
        x = tz.ones(1, 5, 4, 2)
        large = nn.Conv2DTranspose(3, window, stride, padding)(x)
        assert nn.Conv2D(2, window, stride, padding)(large).shape == x.shape


def test_the_weight_of_a_transposed_convolution_starts_by_its_inputs():
    layer = nn.Conv2DTranspose(6, 3, in_channels=100, kernel_initializer="he_normal", groups=2)
    assert layer.weight.shape == (3, 3, 3, 100)
    assert layer.weight.std().item() == pytest.approx((2 / 450) ** 0.5, rel=0.1)  # 50 channels see each output


def test_a_causal_convolution_sees_nothing_later():
    layer, x = nn.Conv1D(3, 4, padding="causal"), tz.asarray(wave(1, 9, 2))
    y, later = layer(x), tz.asarray(wave(1, 9, 2))
    later[:, 5:] = 7.0
    assert bool((layer(later)[:, :5] == y[:, :5]).all()) and not bool((layer(later)[:, 5:] == y[:, 5:]).any())


def test_a_separable_convolution_is_its_two_parts():
    layer = nn.SeparableConv2D(3, 3, padding="same", activation="relu", in_channels=4)
    x = tz.asarray(IMAGES)
    np.testing.assert_array_equal(layer(x).detach(), layer.pointwise(layer.depthwise(x)).detach())
    assert layer.depthwise.weight.shape == (3, 3, 1, 4) and layer.pointwise.weight.shape == (1, 1, 4, 3)
    assert bool((layer(x) >= 0).all()) and bool((layer.depthwise(x) < 0).any())


POOLS = {
    "max 1": (nn.MaxPool1D, SEQUENCES, (3,), (2,), np.max), "average 1": (nn.AvgPool1D, SEQUENCES, (2,), (3,), np.mean),
    "max 3": (nn.MaxPool3D, VOLUMES, (2, 3, 1), (1, 1, 2), np.max),
    "average 3": (nn.AvgPool3D, VOLUMES, (2, 2, 2), (1, 2, 1), np.mean),
}


@pytest.mark.parametrize(("kind", "x", "window", "stride", "reduce"), POOLS.values(), ids=POOLS)
def test_pooling_is_the_loop(kind, x, window, stride, reduce):
    np.testing.assert_allclose(kind(window, stride)(tz.asarray(x)), naive.pooled(x, window, stride, reduce), rtol=1e-12)


ADAPTIVE = {
    "max 1": (nn.AdaptiveMaxPool1D, SEQUENCES, (3,), np.max), "max 2": (nn.AdaptiveMaxPool2D, IMAGES, (2, 3), np.max),
    "max 3": (nn.AdaptiveMaxPool3D, VOLUMES, (2, 3, 1), np.max),
    "average 1": (nn.AdaptiveAvgPool1D, SEQUENCES, (3,), np.mean),
    "average 2": (nn.AdaptiveAvgPool2D, IMAGES, (2, 3), np.mean),
    "average 3": (nn.AdaptiveAvgPool3D, VOLUMES, (2, 3, 1), np.mean),
}


@pytest.mark.parametrize(("kind", "x", "sizes", "reduce"), ADAPTIVE.values(), ids=ADAPTIVE)
def test_adaptive_pooling_is_the_loop(kind, x, sizes, reduce):
    np.testing.assert_allclose(kind(sizes)(tz.asarray(x)), naive.adaptively_pooled(x, sizes, reduce), rtol=1e-12)


def test_global_pooling():
    for x, largest, average in ((SEQUENCES, nn.GlobalMaxPool1D, nn.GlobalAvgPool1D),
                                (IMAGES, nn.GlobalMaxPool2D, nn.GlobalAvgPool2D),
                                (VOLUMES, nn.GlobalMaxPool3D, nn.GlobalAvgPool3D)):
        axes = tuple(range(1, x.ndim - 1))
        np.testing.assert_array_equal(largest()(tz.asarray(x)), x.max(axes))
        np.testing.assert_allclose(average()(tz.asarray(x)), x.mean(axes), rtol=1e-14, atol=1e-15)


def test_upsampling():
    y = nn.UpSampling3D((1, 2, 3))(tz.asarray(VOLUMES))
    np.testing.assert_array_equal(y, VOLUMES.repeat(2, 2).repeat(3, 3))
    x = tz.tensor([1.0, 2.0, 4.0, 8.0], dtype="float64").reshape(1, 2, 2, 1)
    wanted = [[1, 1.25, 1.75, 2], [1.75, 2.1875, 3.0625, 3.5], [3.25, 4.0625, 5.6875, 6.5], [4, 5, 7, 8]]
    np.testing.assert_allclose(nn.UpSampling2D(2, "bilinear")(x)[0, :, :, 0], wanted, rtol=1e-14)  # torch's


def test_resizing():
    x = tz.asarray(IMAGES)
    np.testing.assert_array_equal(nn.Resizing(3, 7)(x), tz.interpolate(x, (3, 7)))
    np.testing.assert_array_equal(nn.Resizing(3, 7, "nearest")(x), tz.interpolate(x, (3, 7), mode="nearest"))
    np.testing.assert_array_equal(nn.Resizing(2, 2, "bicubic", antialias=True)(x),
                                  tz.interpolate(x, (2, 2), mode="cubic", antialias=True))
    np.testing.assert_allclose(nn.Resizing(1, 2, "area")(x), tz.adaptive_average_pool(x, (1, 2)))
    wide = tz.asarray(wave(1, 4, 9, 1))
    cropped = nn.Resizing(2, 2, crop_to_aspect_ratio=True)(wide)
    np.testing.assert_array_equal(cropped, tz.interpolate(wide[:, :, 2:6], (2, 2)))
    assert nn.Resizing(1, 100, crop_to_aspect_ratio=True)(wide).shape == (1, 1, 100, 1)


def test_padding_and_cropping():
    for mode in ("constant", "reflect", "edge", "wrap"):
        padded = nn.ZeroPadding2D(((1, 2), (0, 3)), mode=mode)(tz.asarray(IMAGES))
        np.testing.assert_array_equal(padded, np.pad(IMAGES, [(0, 0), (1, 2), (0, 3), (0, 0)], mode=mode))
        np.testing.assert_array_equal(nn.Cropping2D(((1, 2), (0, 3)))(padded), IMAGES)
    assert nn.ZeroPadding1D([(0, 1)], value=5.0)(tz.ones(1, 1, 1)).flatten().tolist() == [1, 5]
    np.testing.assert_array_equal(nn.Cropping3D((0, 1, (1, 0)))(tz.asarray(VOLUMES)), VOLUMES[:, :, 1:-1, 1:])
    np.testing.assert_array_equal(nn.CenterCrop(3, 1)(tz.asarray(IMAGES)), IMAGES[:, 1:4, 1:2])


def test_pixel_shuffle_is_torchs():
    x = tz.arange(16).reshape(1, 1, 2, 8)
    y = nn.PixelShuffle(2)(x)
    assert y[0, :, :, 0].tolist() == [[0, 1, 8, 9], [2, 3, 10, 11]]
    assert y[0, :, :, 1].tolist() == [[4, 5, 12, 13], [6, 7, 14, 15]]
    assert bool((nn.PixelUnshuffle(2)(y) == x).all())


def test_reshaping_of_a_batch_without_rows():
    assert nn.Reshape((3, -1))(tz.ones(0, 6)).shape == (0, 3, 2)
    assert nn.Reshape(6)(tz.ones(2, 3, 2)).shape == (2, 6)


def test_rescaling_of_bytes():
    y = nn.Rescaling(1 / 255)(tz.tensor([[0, 51, 255]], dtype="uint8"))
    assert y.dtype is tz.float32
    np.testing.assert_allclose(y, [[0, 0.2, 1]], rtol=1e-6)


def image(*shape):
    return tz.ones(2, *shape)


MISUSES = {
    "sequences": (lambda: nn.Conv1D(2, 3)(image(5)), ShapeError,
                  r"in Conv1D\(2, 3\), .*\n.*\n.*\(batch, time, features\)"),
    "volumes": (lambda: nn.Conv3D(2, 3)(image(5, 5, 1)), ShapeError,
                r"volumes: \(batch, depth, height, width, channels\)"),
    "window": (lambda: nn.Conv1D(2, (3, 3)), ArgumentError, r"Conv1D: kernel_size=\(3, 3\)"),
    "long window": (lambda: nn.Conv1D(2, 9)(image(5, 1)), ShapeError, r"windows that span \(9,\)"),
    "causal images": (lambda: nn.Conv2D(2, 3, padding="causal"), ArgumentError, "padding='causal'"),
    "misspelled": (lambda: nn.Conv1D(2, 3, padding="casual"), ArgumentError,
                   'padding=\'casual\'\n.*"causal", or numbers'),
    "causal transposed": (lambda: nn.Conv1DTranspose(2, 3, padding="causal"), ArgumentError, "padding='causal'"),
    "output padding": (lambda: nn.Conv2DTranspose(2, 3, 2, output_padding=2)(image(3, 3, 1)), ArgumentError,
                       r"output_padding=\(2, 2\) with stride=\(2, 2\)"),
    "negative": (lambda: nn.Conv2DTranspose(2, 3, output_padding=-1), ArgumentError, "output_padding=-1"),
    "groups": (lambda: nn.Conv2DTranspose(3, 3, groups=2), ArgumentError, "filters=3 in groups=2"),
    "channels": (lambda: nn.Conv2DTranspose(4, 3, groups=2)(image(3, 3, 3)), ShapeError, "3 channels in groups=2"),
    "multiplier": (lambda: nn.DepthwiseConv2D(3, depth_multiplier=0), ArgumentError, "depth_multiplier=0"),
    "depthwise channels": (lambda: nn.DepthwiseConv2D(2, in_channels=2)(image(3, 3, 3)), ShapeError,
                           r"shape \(..., 2\)"),
    "separable": (lambda: nn.SeparableConv2D(4, 9)(image(3, 3, 3)), ShapeError, "in layer depthwise, DepthwiseConv2D"),
    "bias": (lambda: nn.Conv1D(4, 3, bias_initializer="null"), ArgumentError, "initializer 'null'"),
    "pool": (lambda: nn.MaxPool3D(2)(image(3, 3, 3)), ShapeError, r"in MaxPool3D\(2\).*\n.*\n.*volumes"),
    "adaptive": (lambda: nn.AdaptiveAvgPool2D((2, 0)), ArgumentError, r"AdaptiveAvgPool2D: output_size=\(2, 0\)"),
    "global": (lambda: nn.GlobalMaxPool1D()(image(3, 3, 3)), ShapeError, "sequences"),
    "interpolation": (lambda: nn.UpSampling1D(2, "bilinear"), ArgumentError,
                      "interpolation 'bilinear'\n  expected: one of nearest, linear, cubic, or"),
    "antialias": (lambda: nn.Resizing(2, 2, "area", antialias=True), ArgumentError, "antialias=True with .*'area'"),
    "size": (lambda: nn.UpSampling2D(0.5), ArgumentError, "UpSampling2D: size=0.5"),
    "resizing": (lambda: nn.Resizing(3, 0), ArgumentError, "width=0"),
    "mode": (lambda: nn.ZeroPadding2D(1, mode="replicate"), ArgumentError,
             "mode='replicate'\n.*constant, reflect, edge"),
    "padding by name": (lambda: nn.ZeroPadding2D("same"), ArgumentError, "ZeroPadding2D: padding='same'"),
    "negative padding": (lambda: nn.ZeroPadding2D(-1), ArgumentError, "ZeroPadding2D: padding=-1"),
    "cropping": (lambda: nn.Cropping2D(2)(image(4, 9, 1)), ShapeError,
                 r"\(\(2, 2\), \(2, 2\)\) cut off from .*\n.*larger"),
    "center": (lambda: nn.CenterCrop(5, 2)(image(4, 9, 1)), ShapeError, r"at least 5 rows and 2 columns\n.*Resizing"),
    "shuffle": (lambda: nn.PixelShuffle(2)(image(4, 4, 6)), ShapeError, r"a multiple of 2\*\*2 channels"),
    "unshuffle": (lambda: nn.PixelUnshuffle(2)(image(4, 5, 6)), ShapeError, "sizes that are multiples of 2"),
    "reshape": (lambda: nn.Reshape((4, -1))(image(6)), ShapeError, r"in Reshape\(\(4, -1\)\)"),
    "shape": (lambda: nn.Reshape("6"), ArgumentError, "Reshape: shape '6'"),
    "permute": (lambda: nn.Permute((0, 1)), ArgumentError, r"axes=\(0, 1\)\n.*from 1.*\n.*the batch, stays first"),
    "permuted": (lambda: nn.Permute((2, 1))(image(2, 3, 4)), ShapeError, "2 axes after the batch"),
    "repeat": (lambda: nn.RepeatVector(2)(image(2, 3)), ShapeError, r"vectors: \(batch, features\)"),
}


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES.values(), ids=MISUSES)
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
