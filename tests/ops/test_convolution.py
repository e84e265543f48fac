"""Convolutions: the values of torch, the corners of padding and size, memory in parts, and what misuse says."""

import naive
import numpy as np
import pytest
from helpers import leaf
from naive import assert_golden, wave

import tarazu as tz
from tarazu.backend.numpy import convolution as kernels
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.ir import op as ops
from tarazu.ops.networks.convolution import convolution

IMAGE, SEQUENCE = tz.asarray(wave(1, 5, 4, 4)), tz.asarray(wave(2, 5, 2))


def test_convolutions_agree_with_torch():
    assert_golden(tz.conv1d(SEQUENCE, wave(3, 2, 3), wave(3), stride=2, padding=2, dilation=2), "conv1d")
    assert_golden(tz.conv2d(IMAGE, wave(3, 2, 2, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2),
                  "conv2d")
    assert_golden(tz.conv2d(IMAGE, wave(2, 3, 4, 1), padding="same"), "conv2d_same")
    assert_golden(tz.conv3d(wave(1, 3, 2, 3, 1), wave(2, 2, 2, 1, 2)), "conv3d")


def test_transposed_convolutions_agree_with_torch():
    assert_golden(tz.conv_transpose1d(SEQUENCE, wave(3, 3, 2), stride=3, padding=1, output_padding=2),
                  "conv_transpose1d")
    assert_golden(tz.conv_transpose2d(IMAGE, wave(2, 3, 1, 4), stride=(1, 2), padding=(0, 1), dilation=(2, 1),
                                      groups=2), "conv_transpose2d")
    assert_golden(tz.conv_transpose3d(wave(1, 2, 1, 2, 2), wave(2, 1, 2, 1, 2), stride=2), "conv_transpose3d")


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 4, 7])
@pytest.mark.parametrize("window", [1, 2, 5])
def test_same_gives_the_size_over_the_stride_and_back(size, window, stride):
    x, w = tz.ones((1, size, 2)), tz.ones((window, 2, 3))
    y = tz.conv1d(x, w, stride=stride, padding="same")
    assert y.shape == (1, -(-size // stride), 3)
    assert tz.conv_transpose1d(y, w, stride=stride, padding="same").shape == (1, y.shape[1] * stride, 2)


@pytest.mark.parametrize("options", [{"padding": 4}, {"padding": [(3, 0)], "stride": 2}, {"stride": 4, "dilation": 2},
                                     {"padding": 3, "stride": 3, "groups": 2}])
def test_the_transpose_is_the_gradient_of_the_input(options):
    x, w = leaf(wave(2, 7, 4)), tz.asarray(wave(2, 4 // options.get("groups", 1), 6))
    y = tz.conv1d(x, w, **options)
    g = tz.asarray(wave(*y.shape, phase=1))
    (y * g).sum().backward()
    least = tz.conv_transpose1d(g, w, **options).shape[1]
    back = tz.conv_transpose1d(g, w, **options, output_padding=7 - least)
    np.testing.assert_allclose(x.grad, back, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"padding": "same"}, {"stride": 2, "padding": [(2, 0), (1, 1)]},
                                     {"dilation": (2, 1), "stride": (1, 3)}])
def test_the_gradient_of_a_depthwise_kernel_is_that_of_a_full_one_without_mixing(options):
    x, g_of = wave(2, 7, 6, 3), []
    depthwise, full = leaf(wave(3, 2, 1, 3)), leaf(wave(3, 2, 1, 3) * np.eye(3))
    for kernel, groups in ((depthwise, 3), (full, 1)):
        y = tz.conv2d(x, kernel, groups=groups, **options)
        (y * y).sum().backward()
        g_of.append(kernel.grad.numpy())
    np.testing.assert_allclose(g_of[0][:, :, 0], np.diagonal(g_of[1], axis1=2, axis2=3), rtol=1e-12, atol=1e-12)


def test_the_gradient_of_a_depthwise_kernel_has_gradients_and_half_precision():
    x = tz.asarray(wave(2, 5, 3))

    def steepness(kernel):
        return tz.grad(lambda k: (tz.conv1d(x, k, groups=3, padding="same") ** 3).sum())(kernel).square().sum()

    tz.grad_check(steepness, tz.asarray(wave(2, 1, 3)))
    kernel = leaf(np.ones((1, 1, 1), np.float16))
    tz.conv1d(np.full((1, 3000, 1), 0.3, np.float16), kernel).sum().backward()
    assert kernel.grad.item() == np.float16(np.float32(np.float16(0.3)) * 3000)


def test_the_gradient_of_a_depthwise_kernel_moves_no_data():
    layer = tz.nn.DepthwiseConv2D(3, padding="same", in_channels=8)
    graph = tz.trace(lambda x: layer(x), backward=True)(tz.ones(2, 9, 9, 8))
    assert all(node.type.size < 100 for node in graph.nodes if node.op is ops.TRANSPOSE)


@pytest.mark.parametrize(("size", "window"), [((9, 7), (3, 2)), ((4, 3), (4, 2)), ((5, 5), (5, 5))])
def test_channels_by_themselves_are_as_in_a_full_kernel(size, window):
    x, kernel = wave(2, *size, 3), wave(*window, 1, 3)
    for options in ({}, {"padding": ((1, 2), (0, 1)), "stride": (2, 1)}):
        full = tz.conv2d(x, kernel * np.eye(3), **options)
        np.testing.assert_allclose(tz.conv2d(x, kernel, groups=3, **options), full, rtol=1e-12, atol=1e-12)


def test_a_large_batch_is_done_in_parts(monkeypatch):
    x, w = wave(5, 6, 6, 2), wave(3, 3, 1, 4)
    whole = tz.conv2d(x, w, groups=2).numpy()
    monkeypatch.setattr(kernels, "LARGEST_MATRIX", 600)
    np.testing.assert_allclose(tz.conv2d(x, w, groups=2), whole, rtol=1e-14)


def test_half_precision_is_summed_in_single_precision():
    x = tz.ones((1, 4096, 1), dtype="float16")
    assert tz.conv1d(x, tz.ones((4096, 1, 1), dtype="float16")).item() == 4096


def test_dtypes_meet():
    assert tz.conv1d(tz.ones((1, 3, 1)), tz.ones((2, 1, 1), dtype="float64")).dtype is tz.float64
    assert tz.conv1d(tz.ones((1, 3, 1), dtype="bool"), tz.ones((2, 1, 1), dtype="bool")).tolist() == [[[2], [2]]]


@pytest.mark.parametrize("wrap", [lambda f: f, tz.jit], ids=["eager", "jit"])
@pytest.mark.parametrize("shape", [(0, 4, 4, 2), (2, 0, 0, 2)])
def test_gradients_of_transposed_convolutions_of_nothing_are_zero(shape, wrap):
    x, kernel = leaf(np.ones(shape)), leaf(np.ones((3, 3, 3, 2)))
    wrap(lambda: tz.conv_transpose2d(x, kernel).sum())().backward()
    np.testing.assert_equal(kernel.grad.numpy(), np.zeros((3, 3, 3, 2)))
    assert x.grad.shape == shape


def test_an_empty_batch_gives_an_empty_result():
    x, w = leaf(wave(0, 5, 1)), leaf(wave(3, 1, 4))
    y = tz.conv1d(x, w)
    assert y.shape == (0, 3, 4)
    y.sum().backward()
    assert not x.grad.numpy().any() and not w.grad.numpy().any()


def test_output_padding_may_be_less_than_the_dilation():
    x, w = tz.asarray(wave(1, 3, 1)), tz.asarray(wave(3, 1, 1))
    plain = tz.conv_transpose1d(x, w, dilation=3, padding=1)
    padded = tz.conv_transpose1d(x, w, dilation=3, padding=1, output_padding=2)
    whole = tz.conv_transpose1d(x, w, dilation=3)
    np.testing.assert_array_equal(padded[:, :plain.shape[1]], plain)
    np.testing.assert_array_equal(padded, tz.pad(whole, [(0, 0), (-1, 1), (0, 0)]))


def test_a_step_of_training_is_the_same_under_jit():
    def gradients(x, w):
        return tz.grad(lambda w: tz.square(tz.conv2d(x, w, stride=2, padding="same")).sum())(w)
    x, w = tz.asarray(wave(3, 5, 6, 2)), tz.asarray(wave(3, 3, 2, 2))
    np.testing.assert_array_equal(tz.jit(gradients)(x, w), gradients(x, w))
    step = 1e-6 * wave(3, 3, 2, 2, phase=1)
    change = [(naive.convolution(x.numpy(), w.numpy() + s * step, stride=(2, 2), padding=[(1, 1), (0, 1)])**2).sum()
              for s in (1, -1)]
    assert (gradients(x, w).numpy() * step).sum() == pytest.approx((change[0] - change[1]) / 2, rel=1e-6)


X, W = tz.ones((2, 5, 4)), tz.ones((3, 4, 6))
MISUSES = [
    (lambda: tz.conv1d(X[0], W), ShapeError, r"conv1d: an input of shape \(5, 4\)\n.*\(batch, \*sizes, channels\) with "
                                             r"3 axes\n.*x\[None\]"),
    (lambda: tz.conv2d(X[None], W), ShapeError, r"conv2d: a kernel of shape \(3, 4, 6\)"),
    (lambda: tz.conv1d(X, W[:, :2]), ShapeError, r"conv: an input of 4 channels for a kernel of shape \(3, 2, 6\) and "
                                                 r"groups=1\n.*2 channels on the last axis\n?.*\n.*channels come last"),
    (lambda: tz.conv1d(X, W, groups=3), ShapeError, "conv: 4 channels to 6 channels in 3 groups\n.*divides both"),
    (lambda: tz.conv1d(X, W, groups=0), ShapeError, "in 0 groups"),
    (lambda: tz.conv1d(X, W[:0]), ShapeError, r"conv: a kernel of shape \(0, 4, 6\)\n.*at least 1"),
    (lambda: tz.conv1d(X, W, stride=0), ArgumentError, "conv1d: stride=0\n.*whole number of at least 1\n.*stride=1"),
    (lambda: tz.conv2d(X[None], W[None], stride=(1, 2, 3)), ArgumentError, r"stride=\(1, 2, 3\)\n.*or 2 of them"),
    (lambda: tz.conv1d(X, W, dilation=1.5), ArgumentError, "conv1d: dilation=1.5"),
    (lambda: tz.conv1d(X, W, padding="full"), ArgumentError, 'conv1d: padding=\'full\'\n.*"valid", "same"'),
    (lambda: tz.conv1d(X, W, padding=-1), ArgumentError, "padding=-1"),
    (lambda: tz.conv1d(X, W, padding=[(1, 2, 3)]), ArgumentError, r"padding=\[\(1, 2, 3\)\]"),
    (lambda: tz.conv1d(X, tz.ones((3, 4, 6), dtype="complex64"), tz.ones(5)), ShapeError, "add: shapes"),
    (lambda: tz.conv_transpose1d(X, tz.ones((3, 6, 4)), stride=2, output_padding=2), ArgumentError,
     "conv_transpose1d: output_padding=2 with stride=2, dilation=1\n.*less than the stride or less than the dilation"),
    (lambda: tz.conv1d(X[:, :2], W), ShapeError, r"conv1d: windows that span \(3,\) in an input .*\n.*fit into"),
    (lambda: tz.conv1d(X[:, :4], W, padding=1, dilation=3), ShapeError, r"conv1d: windows that span \(7,\)"),
    (lambda: tz.conv_transpose1d(X, tz.ones((3, 6, 4)), groups=0), ShapeError, "4 channels in 0 groups\n.*divides"),
    (lambda: tz.conv_transpose1d(X, tz.ones((3, 6, 4)), groups=3), ShapeError, "4 channels in 3 groups\n.*divides"),
    (lambda: tz.conv_transpose1d(X, W), ShapeError, r"conv: an input of 4 channels for a kernel"),
]


@pytest.mark.parametrize(("call", "error", "text"), MISUSES, ids=range(len(MISUSES)))
def test_what_misuse_says(call, error, text):
    with pytest.raises(error, match=text):
        call()
    with pytest.raises(error, match=text):
        tz.jit(call)()


def test_the_primitive_takes_numbers_only():
    with pytest.raises(DTypeError, match="conv does not take bool"):
        convolution(tz.ones((1, 2, 1), dtype="bool"), tz.ones((1, 1, 1), dtype="bool"), (1,), ((0, 0),), (1,), (1,), 1)
