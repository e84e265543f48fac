"""What ops say when they are misused, and the corners that the op table has no line for."""

import math

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError, TarazuError
from tarazu.ops.contract import dot_general
from tarazu.ops.elementwise import bitcast

ONES, INTS, BOOLS, COMPLEX = tz.ones(2, 3), tz.arange(3), tz.tensor([True, False]), tz.tensor([1j])

MISUSES = [
    (lambda x: x + tz.ones(2), ShapeError, r"add: shapes \(2, 3\) and \(2,\) do not broadcast together\n.*equal or 1"),
    (lambda x: tz.where(x, 1, 2), DTypeError, r"where: a condition of float32(.|\n)*tz.where\(x > 0, x, y\)"),
    (lambda x: x & 1, DTypeError, "and does not take float32\n.*bool or int or uint"),
    (lambda x: BOOLS << BOOLS, DTypeError, "shift_left does not take bool"),
    (lambda x: tz.maximum(COMPLEX, COMPLEX), DTypeError, "maximum does not take complex64"),
    (lambda x: COMPLEX < COMPLEX, DTypeError, "less does not take complex64"),
    (lambda x: tz.sigmoid(COMPLEX), DTypeError, "sigmoid does not take complex64"),
    (lambda x: tz.sort(COMPLEX), DTypeError, "sort does not take complex64"),
    (lambda x: tz.floor(COMPLEX), DTypeError, "floor does not take complex64"),
    (lambda x: -tz.ones(2, dtype="bool") ** -1, ArgumentError, "pow: an integer to a negative power\n.*\n.*float32"),
    (lambda x: tz.round(x, 1.5), ArgumentError, "round: decimals=1.5\n.*a whole number"),
    (lambda x: tz.polygamma(-1, x), ArgumentError, "polygamma: order -1\n.*at least 0"),
    (lambda x: x.sum(axis=2), ShapeError, r"sum: axis 2 of a tensor with 2 axes\n.*-2 to 1\n.*x.shape"),
    (lambda x: tz.tensor(1).sum(axis=1), ShapeError, "axis 1 of a tensor with 0 axes\n.*no axis: it is a scalar"),
    (lambda x: tz.take(tz.tensor(1), 0), ShapeError, "axis 0 of a tensor with 0 axes\n.*no axis: it is a scalar"),
    (lambda x: x.sum(axis=(0, 0)), ShapeError, "name one axis twice"),
    (lambda x: x.sum(axis="a"), ArgumentError, "sum: axis='a'\n.*an integer"),
    (lambda x: tz.max(x[:0]), ShapeError, r"max over axes \(0, 1\) of shape \(0, 3\), which hold no element"),
    (lambda x: tz.argmax(x[:0], axis=0), ShapeError, "argmax over axes"),
    (lambda x: tz.cumulative_sum(x), ArgumentError, "cumulative_sum: axis=None"),
    (lambda x: x.reshape(4, -1), ShapeError, r"reshape: \(2, 3\) with 6 elements does not fit into \(4, -1\)"),
    (lambda x: x.reshape(7), ShapeError, r"does not fit into \(7,\) with 7\n.*\n.*one size may be -1"),
    (lambda x: x.reshape(-1, -1), ShapeError, r"reshape: shape \(-1, -1\)\n.*at most one -1"),
    (lambda x: x.reshape("a"), ArgumentError, "reshape: shape 'a'"),
    (lambda x: tz.permute_dims(x, (0, 0)), ShapeError, r"permutation \(0, 0\) of a tensor of shape \(2, 3\)"),
    (lambda x: tz.matrix_transpose(INTS), ShapeError, "at least two axes"),
    (lambda x: tz.squeeze(x, 0), ShapeError, r"squeeze: axis 0 of shape \(2, 3\)\n.*size 1"),
    (lambda x: tz.broadcast_to(x, (3, 3)), ShapeError, r"broadcast: shapes \(2, 3\) and \(3, 3\) do not broadcast"),
    (lambda x: tz.broadcast_to(x, (3,)), ShapeError, r"broadcast: \(2, 3\) does not broadcast to \(3,\)"),
    (lambda x: tz.concat([x, x.T]), ShapeError, r"concat: shapes \(2, 3\) and \(3, 2\) along axis 0"),
    (lambda x: tz.concat([]), ArgumentError, "concat of no tensors"),
    (lambda x: tz.stack([]), ArgumentError, "stack of no tensors"),
    (lambda x: tz.stack([x, INTS]), ShapeError, r"stack: shapes \(2, 3\) and \(3,\)(.|\n)*tz.concat"),
    (lambda x: tz.pad(x, [(1, 1)]), ShapeError, r"pad: widths \(1,\), \(1,\) and \(0,\) for shape \(2, 3\)"),
    (lambda x: tz.pad(x, [(-1, -2), (0, 0)]), ShapeError, r"pad: widths \(-1, -2\) for an axis of size 2\n.*there are"),
    (lambda x: tz.pad(x, 1.5), ArgumentError, r"pad: widths 1.5\n.*a pair \(before, after\)"),
    (lambda x: tz.pad(x, [(1,), (1,)]), ArgumentError, r"pad: widths \[\(1,\), \(1,\)\]"),
    (lambda x: tz.moveaxis(x, (0, 0), (0, 1)), ShapeError, r"moveaxis: axes \(0, 0\) to positions \(0, 1\)\n.*once"),
    (lambda x: tz.moveaxis(x, (0, 1), (1, 1)), ShapeError, r"moveaxis: axes \(0, 1\) to positions \(1, 1\)\n.*once"),
    (lambda x: tz.moveaxis(x, (0, 1), 0), ArgumentError, r"moveaxis: axes \(0, 1\) to positions 0\n.*for each axis"),
    (lambda x: tz.flatten(x, 5), ShapeError, "flatten: axis 5 of a tensor with 2 axes"),
    (lambda x: tz.tile(x, "a"), ArgumentError, "tile: shape 'a'"),
    (lambda x: tz.tile(x, (2, -1)), ShapeError, r"tile: repetitions \(2, -1\)\n.*at least 0"),
    (lambda x: tz.repeat(x, -1), ArgumentError, "repeat: repeats=-1\n.*whole number of at least 0"),
    (lambda x: tz.repeat(INTS, [1, -1, 1]), ArgumentError, r"repeat: repeats \[1, -1, 1\]\n.*at least 0"),
    (lambda x: tz.roll(x, 1.5), ArgumentError, "roll: shift=1.5\n.*a whole number"),
    (lambda x: tz.permute_dims(x, 0), ShapeError, r"permutation \(0,\) of a tensor of shape \(2, 3\)"),
    (lambda x: tz.topk(x, 1.5), ArgumentError, "topk: k=1.5\n.*a whole number"),
    (lambda x: tz.polygamma(1.5, x), ArgumentError, "polygamma: order 1.5\n.*a whole number"),
    (lambda x: tz.diff(x, n=1.5), ArgumentError, "diff: n=1.5\n.*a whole number of at least 0"),
    (lambda x: tz.arange(0, math.inf), ArgumentError, r"arange\(0, inf, 1\)\n.*finite real numbers"),
    (lambda x: tz.arange(math.nan), ArgumentError, r"arange\(0, nan, 1\)\n.*finite real numbers"),
    (lambda x: tz.arange("a"), ArgumentError, r"arange\(0, 'a', 1\)\n.*finite real numbers"),
    (lambda x: tz.arange(0, 1e30), ArgumentError, r"arange of 1e\+30 numbers\n.*memory"),
    (lambda x: tz.eye(-3), ArgumentError, "eye: rows=-3\n.*whole number of at least 0"),
    (lambda x: tz.eye(3, 2.5), ArgumentError, "eye: columns=2.5\n.*whole number of at least 0"),
    (lambda x: tz.linspace(1, 2, -1), ArgumentError, "linspace: num=-1\n.*whole number of at least 0"),
    (lambda x: tz.hard_tanh(x, 1.0, -1.0), ArgumentError, "hard_tanh: low=1.0, high=-1.0\n.*not above high"),
    (lambda x: tz.one_hot(x, 3), DTypeError, "one_hot of float32\n.*class numbers"),
    (lambda x: tz.one_hot(INTS, -1), ArgumentError, "one_hot: num_classes=-1"),
    (lambda x: tz.fft.fft(x, n=-1), ArgumentError, "fft: a size of -1\n.*at least 0"),
    (lambda x: tz.fft.fftn(x, axes=(0, -2)), ShapeError, r"fft: axes \(0, -2\) name one axis twice"),
    (lambda x: tz.fft.irfftn(x, axes=(1, 1)), ShapeError, r"fft: axes \(1, 1\) name one axis twice"),
    (lambda x: tz.fft.rfftn(x, axes=()), ArgumentError, "rfft over no axes\n.*at least one"),
    (lambda x: tz.fft.irfftn(x, axes=()), ArgumentError, "irfft over no axes\n.*at least one"),
    (lambda x: tz.fft.fftshift(x, axes=3), ShapeError, "fftshift: axis 3 of a tensor with 2 axes"),
    (lambda x: tz.fft.fftfreq(-1), ArgumentError, "fftfreq: n=-1\n.*at least 0"),
    (lambda x: tz.meshgrid(x, INTS), ShapeError, r"meshgrid of shapes \(2, 3\), \(3,\)\n.*vectors"),
    (lambda x: x @ x, ShapeError, r"matmul: shapes \(2, 3\) and \(2, 3\) do not fit together\n.*3 rows(.|\n)*x.mT"),
    (lambda x: x @ tz.tensor(1.0), ShapeError, r"matmul: shapes \(2, 3\) and \(\)\n.*one axis(.|\n)*use \*"),
    (lambda x: tz.tensordot(x, x.T), ShapeError, "dot: shapes"),
    (lambda x: dot_general(x, x, ((0,), (1,))), ShapeError, r"dot: shapes .* meet with sizes \(2,\) and \(3,\)"),
    (lambda x: tz.take(x, tz.ones(2)), DTypeError, "indices of float32\n.*integers"),
    (lambda x: tz.take(x, tz.tensor([2])), OutOfRangeError, "gather: index 2 is out of bounds for axis 0(.|\n)*labels"),
    (lambda x: tz.take_along_axis(x, [0], 1), ShapeError, r"indices of shape \(1,\) along axis 1 of shape \(2, 3\)\n"),
    (lambda x: tz.take_along_axis(x.T, [[0], [1]], 1), ShapeError, r"shape \(2, 1\) (.|\n)*equal or 1\n.*tz.take "),
    (lambda x: tz.scatter_add(x, tz.ones(3), (INTS[:2],), (0,)), ShapeError, r"updates of shape \(3,\) for places"),
    (lambda x: tz.scatter_set(x, INTS, (0,), (0,)), TarazuError, "got float32 and int64"),
    (lambda x: tz.pad(x, [(1, 1), (0, 0)], INTS), ShapeError, r"pad: a value of shape \(3,\)"),
    (lambda x: tz.topk(x, 4), ArgumentError, "topk: k=4 of an axis of size 3"),
    (lambda x: bitcast(tz.ones(2, 4), "int64"), DTypeError, "bitcast from float32 to int64\n.*same width"),
    (lambda x: tz.arange(0, 3, 0), ArgumentError, "step=0(.|\n)*linspace"),
    (lambda x: tz.asarray(3, "uint64") + tz.asarray(3, "int8"), DTypeError, "int8 and uint64 have no common"),
    (lambda x: x + "a", DTypeError, "'a' where a tensor is wanted"),
    (lambda x: tz.add(x, [1, [2]]), ArgumentError, "list does not make a tensor"),
]


@pytest.mark.parametrize(("misuse", "error", "match"), MISUSES)
@pytest.mark.parametrize("is_jitted", [False, True])
def test_errors_say_what_is_wrong(misuse, error, match, is_jitted):
    with pytest.raises(error, match=match):
        (tz.jit(misuse) if is_jitted else misuse)(ONES)


def test_half_precision_is_multiplied_in_single_and_integers_exactly():
    large = tz.tensor([20000, 20000], "int16")
    assert (large @ tz.tensor([1, -1], "int16")).item() == 0
    assert (tz.tensor([300, 2], "int16") @ tz.tensor([300, 2], "int16")).item() == 90004 - 2**16
    half = tz.full(4096, 1.0, dtype="float16")
    assert (half @ half).item() == 4096


def test_integers_become_single_precision():
    assert (INTS / 2).dtype is tz.sin(INTS).dtype is tz.mean(INTS).dtype is tz.float32
    assert tz.sum(tz.ones(2, dtype="uint8")).dtype is tz.uint64
    assert tz.sum(tz.ones(2, dtype="bool")).item() == 2


def test_clip_meets_its_bounds_as_maximum_does():
    assert tz.clip(INTS, 0.5, 1.5).tolist() == [0.5, 1, 1.5]
    assert tz.clip(INTS, 1).dtype is tz.int64
    assert tz.clip(ONES, tz.full(3, 2.0)).tolist() == [[2, 2, 2]] * 2


def test_mean_of_nothing_is_nan():
    assert np.isnan(tz.mean(tz.zeros(0)).item())
    assert np.isnan(tz.var(tz.ones(1), correction=1).item())


def test_logsumexp_of_infinities():
    assert tz.logsumexp(tz.tensor([-np.inf, -np.inf])).item() == -np.inf
    assert tz.logsumexp(tz.tensor([np.inf, 0.0])).item() == np.inf
    assert tz.softmax(tz.tensor([-np.inf, 0.0])).tolist() == [0, 1]


def test_sorting_keeps_equal_elements_in_order_and_nan_last():
    x = tz.tensor([2.0, np.nan, 1.0, 2.0, 1.0])
    assert tz.argsort(x).tolist() == [2, 4, 0, 3, 1]
    assert tz.argsort(tz.tensor([2, 1, 2, 1]), descending=True).tolist() == [0, 2, 1, 3]


def test_arange_of_numpy_integers():
    assert tz.arange(np.int64(3)).dtype is tz.int64
    assert tz.arange(3, dtype="uint8").tolist() == [0, 1, 2]
    assert tz.arange(0, 1, 0.1).shape == (10,)
    assert tz.linspace(0, 1, 3)[-1].item() == 1
    assert tz.linspace(0, 1, 1).tolist() == [0]
    assert tz.linspace(0, 1, 4, endpoint=False).tolist() == [0, 0.25, 0.5, 0.75]


def test_bool_arithmetic_counts():
    assert (BOOLS + BOOLS).tolist() == [2, 0]
    assert (-BOOLS).tolist() == [-1, 0]
    assert (~BOOLS).tolist() == [False, True]


def test_class_numbers_keep_their_range():
    assert tz.one_hot(tz.tensor([44, 255], "uint8"), 301).numpy().nonzero()[1].tolist() == [44, 255]
    assert tz.one_hot(tz.tensor([1, -1], "int8"), 300).numpy().sum(1).tolist() == [1, 0]
    assert tz.one_hot(tz.tensor([2], "uint64"), 3).tolist() == [[0, 0, 1]]
    assert tz.one_hot(BOOLS, 3).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_no_differences_leave_everything():
    assert tz.diff(INTS, n=0, prepend=INTS, append=INTS).tolist() == [0, 1, 2]
    np.testing.assert_array_equal(tz.diff(ONES, prepend=0, append=3), np.diff(np.ones((2, 3)), prepend=0, append=3))


def test_one_number_of_repetitions_and_numpy_integers():
    np.testing.assert_array_equal(tz.tile(ONES, 2), np.tile(ONES.numpy(), 2))
    assert tz.moveaxis(ONES, np.int64(0), 1).shape == (3, 2)
    assert tz.roll(INTS, np.int64(1)).tolist() == [2, 0, 1]
    assert tz.flatten(tz.tensor(5)).shape == (1,) and tz.flatten(ONES, 2).shape == (2, 3, 1)


SCALAR = tz.tensor(-2.5, "float64")


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize(("function", "expected"), [
    (tz.sum, -2.5), (tz.prod, -2.5), (tz.mean, -2.5), (tz.max, -2.5), (tz.min, -2.5), (tz.var, 0), (tz.std, 0),
    (tz.any, True), (tz.all, True), (tz.argmax, 0), (tz.argmin, 0), (tz.logsumexp, -2.5), (tz.count_nonzero, 1),
    (tz.cumulative_sum, -2.5), (tz.cumulative_prod, -2.5), (tz.softmax, 1), (tz.softmin, 1), (tz.log_softmax, 0),
    (tz.flip, -2.5), (tz.squeeze, -2.5), (tz.sort, -2.5), (tz.argsort, 0), (tz.linalg.vector_norm, 2.5)])
def test_a_scalar_is_a_vector_of_one_along_its_axis(function, expected, axis):
    result = function(SCALAR, axis=axis)
    assert result.shape == () and result.item() == expected
    if function not in (tz.cumulative_sum, tz.cumulative_prod, tz.sort, tz.argsort, tz.flip, tz.squeeze, tz.softmax,
                        tz.softmin, tz.log_softmax):
        assert function(SCALAR, axis=axis, keepdims=True).shape == ()
    if result.dtype is tz.float64 and function not in (tz.any, tz.all):
        gradient = tz.grad(lambda x: function(tz.reshape(x, (1,)), axis=axis).sum())(SCALAR)
        assert tz.grad(lambda x: function(x, axis=axis))(SCALAR).item() == gradient.item()


def test_the_largest_one_of_a_scalar():
    values, indices = tz.topk(SCALAR, 1)
    assert (values.item(), indices.item(), values.shape) == (-2.5, 0, ())
    assert tz.cumulative_sum(SCALAR, 0, include_initial=True).tolist() == [0, -2.5]
    for norm in (lambda: tz.layer_norm(SCALAR, 1.0, 0.0), lambda: tz.rms_norm(SCALAR, 1.0)):
        with pytest.raises(ShapeError, match="_norm: axis -1 of a tensor with 0 axes"):
            norm()


def test_widths_below_zero_cut_off():
    x = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(tz.pad(tz.tensor(x), [(-1, 1), (2, -3)], 7),
                                  np.pad(x[1:, :1], [(0, 1), (2, 0)], constant_values=7))
    np.testing.assert_array_equal(tz.pad(tz.tensor(x), [(0, 0), (-2, 1)], mode="reflect"),
                                  np.pad(x[:, 2:], [(0, 0), (0, 1)], mode="reflect"))
    gradient = tz.grad(lambda x: tz.sum(tz.pad(x, -1)))(tz.tensor(x))
    np.testing.assert_array_equal(gradient, np.pad(np.ones((1, 2)), 1))


def test_grids_of_numbers():
    for grid, expected in zip(tz.meshgrid(tz.tensor(2), INTS), np.meshgrid(2, np.arange(3)), strict=True):
        np.testing.assert_array_equal(grid, expected)


FLAGS = {
    "sum": lambda x: tz.sum(x, keepdims="no"),
    "argmax": lambda x: tz.argmax(x, keepdims="no"),
    "sort": lambda x: tz.sort(x, descending="no"),
    "cumulative_sum": lambda x: tz.cumulative_sum(x, 0, include_initial="no"),
    "isin": lambda x: tz.isin(x, x, invert="no"),
    "svd": lambda x: tz.linalg.svd(x, full_matrices="no"),
    "cholesky": lambda x: tz.linalg.cholesky(x, upper="no"),
    "average_pool": lambda x: tz.average_pool(x[None], 1, count_padding="no"),
    "attention": lambda x: tz.scaled_dot_product_attention(x, x, x, causal="no"),
    "interpolate": lambda x: tz.interpolate(x[None], 4, align_corners="no"),
    "scan": lambda x: tz.scan(lambda c, r: (c, r), 0.0, x, reverse="no"),
    "linspace": lambda x: tz.linspace(0, 1, 3, endpoint="no"),
}


@pytest.mark.parametrize("name", FLAGS)
def test_a_text_is_no_flag(name):
    with pytest.raises(ArgumentError, match=r"='no'\n  expected: True or False"):
        FLAGS[name](tz.eye(2))
    assert tz.sum(tz.eye(2), 0, keepdims=np.True_).shape == (1, 2)


def test_negative_sizes_are_not_to_be_rounded():
    with pytest.raises(ArgumentError, match=r"eye: rows=-3\n(.|\n)*of at least 0\n.*an int such as 3"):
        tz.eye(-3)


@pytest.mark.parametrize("number", [1 + 2j, np.complex64(1j)])
def test_a_complex_number_is_not_made_real(number):
    with pytest.raises(DTypeError, match="would drop the imaginary part"):
        tz.full((2,), number, dtype="float32")
