"""Layers for images: torch's values, sizes and padding, graphs that stay small, and what misuse says."""

import numpy as np
import pytest
from naive import assert_golden, wave

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn import AvgPool2D, Conv2D, Dense, Flatten, GlobalAvgPool1D, GlobalAvgPool2D, MaxPool2D, Sequential

IMAGE = tz.asarray(wave(1, 5, 4, 4))


def with_weight(layer, *shape):
    layer.weight.raw = wave(*shape)
    return layer


def test_conv_agrees_with_torch():
    assert_golden(with_weight(Conv2D(1, (2, 3), padding="same", in_channels=4), 2, 3, 4, 1)(IMAGE).detach(),
                  "conv2d_same")
    layer = Conv2D(2, (3, 2), (2, 1), (1, 0), 2, dilation=(1, 2), in_channels=4)
    assert_golden(with_weight(layer, 3, 2, 2, 2)(IMAGE).detach(), "conv2d")


def test_pooling_agrees_with_torch():
    assert_golden(MaxPool2D(3, 2, 1)(IMAGE), "max_pool")
    assert_golden(AvgPool2D(3, strides=2, padding=1)(IMAGE), "average_pool")


def test_means():
    np.testing.assert_allclose(GlobalAvgPool2D()(IMAGE), IMAGE.numpy().mean((1, 2)), rtol=1e-14)
    np.testing.assert_allclose(GlobalAvgPool1D()(IMAGE[0]), IMAGE.numpy()[0].mean(1), rtol=1e-14)


def test_bias_and_activation_come_after_the_sum():
    layer = Conv2D(2, 1, activation="relu", in_channels=1, kernel_initializer="ones")
    with tz.no_grad():
        layer.bias.copy_([0.5, -2.0])
    assert layer(tz.ones(1, 1, 1, 1)).flatten().tolist() == [1.5, 0]


def test_a_small_network_learns_bars():
    draw = np.random.default_rng(0)
    x, y = 0.1 * draw.normal(size=(80, 6, 6, 1)).astype(np.float32), np.arange(80) % 2
    for i, is_column in enumerate(y):
        line = (slice(None), draw.integers(6)) if is_column else (draw.integers(6), slice(None))
        x[i, *line, 0] += 1
    model = Sequential([Conv2D(4, 3, activation="relu"), MaxPool2D(2), Flatten(), Dense(2)])
    tz.random.seed(0)
    model.compile(tz.optim.Adam(lr=0.02), "cross_entropy", ["accuracy"]).fit(x, y, epochs=30, verbose=0, seed=1)
    assert model.evaluate(x, y)["accuracy"] > 0.95


@pytest.mark.parametrize("pool", [tz.max_pool, tz.average_pool])
@pytest.mark.parametrize("size", [4, 5])
def test_windows_side_by_side_take_few_nodes_forward_and_back(pool, size):
    graph = tz.trace(lambda x: pool(x, 2), backward=True)(tz.ones(2, size, size, 3))
    nodes = graph.counts().nodes
    assert "concat" not in nodes and nodes.get("slice", 0) + nodes.get("pad", 0) <= 2 * (size % 2)
    assert sum(nodes.values()) <= 14


MISUSES = [
    (lambda: Conv2D(4, 3)(tz.ones(2, 5, 5)), ShapeError, r"in Conv2D\(4, 3\), called with shape \(2, 5, 5\):\n.*\n"
                                                         r".*\(batch, height, width, channels\)\n.*x\[..., None\]"),
    (lambda: Conv2D(4, 3, in_channels=2)(tz.ones(1, 5, 5, 3)), ShapeError, r"expected: shape \(..., 2\)"),
    (lambda: Conv2D(4, 6)(tz.ones(1, 5, 5, 3)), ShapeError, r"windows that span \(6, 6\) in an .*\n.*\n.*\"same\""),
    (lambda: Conv2D(0, 3), ArgumentError, "filters=0"),
    (lambda: Conv2D(4, (3, 3, 3)), ArgumentError, r"Conv2D: kernel_size=\(3, 3, 3\)"),
    (lambda: Conv2D(4, 3, 0), ArgumentError, "Conv2D: strides=0"),
    (lambda: Conv2D(4, 3, padding="full"), ArgumentError, "padding='full'"),
    (lambda: Conv2D(3, 3, groups=2), ArgumentError, "filters=3 in groups=2"),
    (lambda: Conv2D(4, 3, groups=2)(tz.ones(1, 5, 5, 3)), ShapeError, "3 channels in groups=2"),
    (lambda: MaxPool2D("2"), ArgumentError, "MaxPool2D: pool_size='2'"),
    (lambda: MaxPool2D(2)(tz.ones(4, 4)), ShapeError, r"in MaxPool2D\(2\).*\n.*\n.*images"),
    (lambda: AvgPool2D(2, padding="smae"), ArgumentError, "padding='smae'"),
    (lambda: GlobalAvgPool2D()(tz.ones(4, 4)), ShapeError, r"in GlobalAvgPool2D\(\)"),
    (lambda: GlobalAvgPool1D()(tz.ones(4, 4)), ShapeError, r"in GlobalAvgPool1D\(\).*\n.*\n.*sequences"),
]


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES, ids=range(len(MISUSES)))
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()


def test_a_wrong_first_input_leaves_the_layer_unbuilt():
    layer = Conv2D(4, 3)
    with pytest.raises(ShapeError):
        layer(tz.ones(2, 5, 5))
    assert layer(tz.ones(2, 5, 5, 1)).shape == (2, 3, 3, 4)
