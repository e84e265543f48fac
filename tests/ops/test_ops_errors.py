"""What ops say when they are misused, and the corners that the op table has no line for."""

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
    (lambda x: tz.polygamma(-1, x), ArgumentError, "polygamma: order -1\n.*at least 0"),
    (lambda x: x.sum(axis=2), ShapeError, r"sum: axis 2 of a tensor with 2 axes\n.*-2 to 1\n.*x.shape"),
    (lambda x: tz.tensor(1).sum(axis=0), ShapeError, "axis 0 of a tensor with 0 axes\n.*no axis: it is a scalar"),
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
    (lambda x: tz.stack([]), ArgumentError, "concat of no tensors"),
    (lambda x: tz.stack([x, INTS]), ShapeError, r"stack: shapes \(2, 3\) and \(3,\)(.|\n)*tz.concat"),
    (lambda x: tz.pad(x, [(1, 1)]), ShapeError, r"pad: widths \(1,\), \(1,\) and \(0,\) for shape \(2, 3\)"),
    (lambda x: tz.pad(x, [(-1, 1), (0, 0)]), ShapeError, "widths of at least 0"),
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
