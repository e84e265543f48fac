"""Pooling and interpolation: the values of torch, ties, padding, integers, and what misuse says."""

import numpy as np
import pytest
from helpers import leaf
from naive import assert_golden, wave

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError

IMAGE, SEQUENCE = tz.asarray(wave(1, 5, 4, 4)), tz.asarray(wave(2, 5, 2))


def test_pooling_agrees_with_torch():
    assert_golden(tz.max_pool(IMAGE, 3, stride=2, padding=1), "max_pool")
    assert_golden(tz.average_pool(IMAGE, 3, stride=2, padding=1), "average_pool")
    assert_golden(tz.average_pool(IMAGE, 3, stride=2, padding=1, count_padding=True), "average_pool_counted")
    assert_golden(tz.adaptive_max_pool(IMAGE, (2, 3)), "adaptive_max_pool")
    assert_golden(tz.adaptive_average_pool(IMAGE, (2, 3)), "adaptive_average_pool")


def test_interpolation_agrees_with_torch():
    assert_golden(tz.interpolate(IMAGE, (7, 3), mode="nearest"), "interpolate_nearest")
    assert_golden(tz.interpolate(SEQUENCE, 8), "interpolate_linear")
    assert_golden(tz.interpolate(IMAGE, (3, 6)), "interpolate_bilinear")
    assert_golden(tz.interpolate(IMAGE, (3, 6), align_corners=True), "interpolate_corners")


def test_interpolation_to_the_same_size_and_to_one_place():
    np.testing.assert_array_equal(tz.interpolate(IMAGE, (5, 4)), IMAGE)
    np.testing.assert_array_equal(tz.interpolate(SEQUENCE, 1, align_corners=True), SEQUENCE.numpy()[:, :1])
    np.testing.assert_array_equal(tz.interpolate(SEQUENCE, 1), SEQUENCE.numpy()[:, 2:3])


@pytest.mark.parametrize("options", [{}, {"stride": 1}, {"padding": 1, "stride": 3}])
def test_equal_largest_elements_share_the_gradient(options):
    x = leaf([[[2.0], [2.0], [2.0]]]).reshape(1, 3, 1).detach().requires_grad_()
    y = tz.max_pool(x, 3, **options)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy().sum(), y.size)
    if not options.get("padding"):
        np.testing.assert_allclose(x.grad.numpy().reshape(-1), [1 / 3] * 3)


def test_windows_beyond_the_end_agree_with_torch():
    x = (tz.arange(10, dtype="float64") * 7 % 11).reshape(1, 2, 5, 1)
    options = {"padding": (1, 0), "ceil_mode": True}
    values, indices = tz.max_pool_with_indices(x, 2, **options)
    assert values.flatten().tolist() == [7, 10, 6, 9, 5, 8] and indices.flatten().tolist() == [1, 3, 4, 6, 7, 9]
    np.testing.assert_array_equal(tz.max_pool(x, 2, **options), values)
    back = tz.max_unpool(values, indices, 2, padding=(1, 0), sizes=(2, 5))
    assert back.flatten().tolist() == [0, 7, 0, 10, 6, 0, 9, 5, 0, 8]
    counted = tz.average_pool(x, 2, count_padding=True, **options)
    assert counted.flatten().tolist() == [1.75, 3.25, 3, 2.75, 1.5, 4]
    assert tz.average_pool(x, 2, **options).flatten().tolist() == [3.5, 6.5, 6, 5.5, 3, 8]


@pytest.mark.parametrize("window", [2, 3])
@pytest.mark.parametrize("options", [{}, {"stride": 3}, {"stride": 1, "padding": 1}, {"dilation": 2, "stride": 2}])
def test_indices_say_where_the_largest_are(window, options):
    x = tz.asarray(np.random.default_rng(0).normal(size=(2, 8, 7, 3)))
    values, indices = tz.max_pool_with_indices(x, window, ceil_mode=True, **options)
    np.testing.assert_array_equal(np.take_along_axis(
        x.numpy().reshape(2, 56, 3), indices.numpy().reshape(2, -1, 3), 1).reshape(values.shape), values)
    np.testing.assert_array_equal(tz.max_pool(x, window, ceil_mode=True, **options), values)


def test_indices_are_never_those_of_padding():
    for x in (tz.full((1, 3, 1), -np.inf), tz.full((1, 3, 1), -128, dtype="int8")):
        assert tz.max_pool_with_indices(x, 2, stride=1, padding=1).indices.flatten().tolist() == [0, 0, 1, 2]


def test_norms_of_zeros_have_gradient_0():
    x = tz.zeros(1, 4, 1, requires_grad=True)
    tz.lp_pool(x, 2, 3).sum().backward()
    assert x.grad.flatten().tolist() == [0, 0, 0, 0]
    assert tz.lp_pool(tz.ones((1, 4, 1), dtype="float16") * 300, 2).dtype is tz.float16


def test_what_is_padded_is_never_the_largest():
    assert tz.max_pool(tz.full((1, 3, 1), -5.0), 3, stride=1, padding="same").tolist() == [[[-5.0]] * 3]
    small = tz.max_pool(tz.full((1, 3, 1), -5, dtype="int8"), 2, stride=2, padding="same")
    assert small.dtype is tz.int8 and small.tolist() == [[[-5], [-5]]]
    assert tz.max_pool(tz.full((1, 3, 1), True), 2, stride=2, padding="same").tolist() == [[[True], [True]]]


def test_nan_goes_through():
    x = tz.tensor([[[1.0], [np.nan], [3.0], [4.0]]])
    assert np.isnan(tz.max_pool(x, 2).numpy().reshape(-1)).tolist() == [True, False]


def test_dtypes_stay():
    for dtype in ("float16", "float64"):
        x = IMAGE.astype(dtype)
        for y in (tz.average_pool(x, 3, stride=1, padding="same"), tz.max_pool(x, 2), tz.adaptive_average_pool(x, 3),
                  tz.interpolate(x, 3)):
            assert str(y.dtype) == dtype
    assert tz.average_pool(tz.ones((1, 4, 1), dtype="int32"), 2).dtype is tz.float32


def test_compiled_is_eager():
    def both(x):
        return tz.grad(lambda x: (tz.max_pool(x, 3, stride=2, padding="same")
                                  * tz.average_pool(x, 2, padding="same")).sum())(x)
    np.testing.assert_array_equal(tz.jit(both)(IMAGE), both(IMAGE))


MISUSES = [
    (lambda: tz.max_pool(tz.ones(3, 3), 2), ShapeError, r"max_pool: an input of shape \(3, 3\)\n"
                                                        r".*channels\)\n.*x\[None"),
    (lambda: tz.max_pool(IMAGE, 6), ShapeError, r"max_pool: windows that span \(6, 6\) in an input of shape .*\n.*fit"),
    (lambda: tz.max_pool(IMAGE, 2, padding=2), ShapeError, r"max_pool: padding \(\(2, 2\), \(2, 2\)\) for windows that "
                                                           r"span \(2, 2\)\n.*none is empty"),
    (lambda: tz.max_pool(IMAGE, 0), ArgumentError, "max_pool: window=0"),
    (lambda: tz.average_pool(IMAGE, (2, 2, 2)), ArgumentError, r"average_pool: window=\(2, 2, 2\)"),
    (lambda: tz.average_pool(IMAGE, 2, stride="a"), ArgumentError, "average_pool: stride='a'"),
    (lambda: tz.max_pool(IMAGE, 2, ceil_mode="yes"), ArgumentError, "max_pool: ceil_mode='yes'"),
    (lambda: tz.lp_pool(IMAGE, 2, 0), ArgumentError, "lp_pool: p=0"),
    (lambda: tz.max_pool_with_indices(IMAGE[0, 0], 2), ShapeError, "max_pool_with_indices: an input of shape"),
    (lambda: tz.max_unpool(IMAGE, IMAGE[:, :2], 2), ShapeError, "max_unpool: .* and indices of shape"),
    (lambda: tz.max_unpool(IMAGE, IMAGE, 2), DTypeError, "indices of float"),
    (lambda: tz.max_unpool(IMAGE, tz.astype(IMAGE, "int64"), 2, padding="same"), ArgumentError, "without sizes"),
    (lambda: tz.adaptive_max_pool(IMAGE, (0, 1)), ArgumentError, r"adaptive_max_pool: sizes=\(0, 1\)"),
    (lambda: tz.adaptive_max_pool(IMAGE[:, :0], 2), ShapeError, r"adaptive_max_pool: an input of shape \(1, 0, 4, 4\)"),
]


@pytest.mark.parametrize(("call", "error", "text"), MISUSES, ids=range(len(MISUSES)))
def test_what_misuse_says(call, error, text):
    with pytest.raises(error, match=text):
        call()
