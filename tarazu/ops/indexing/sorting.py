"""Order: sort, argsort, the largest few, and who is among them."""

from __future__ import annotations

from tarazu.base.checks import flag, whole_number
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.elementwise import equal, greater, less, logical_and, subtract
from tarazu.ops.indexing.index import take_along_axis
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import sum
from tarazu.ops.shape import expand_dims, flip, is_axis_of_scalar, normalize_axis, reshape, slice_axis, squeeze
from tarazu.ops.typing import ArrayLike, Tensor


def _sorted(x: ArrayLike, axis: int, descending: bool) -> tuple[Tensor, Tensor]:
    x = as_value(x)
    if is_axis_of_scalar(axis, len(x.shape)):
        values, indices = _sorted(reshape(x, (1,)), 0, descending)
        return reshape(values, ()), reshape(indices, ())
    axis = normalize_axis(axis, len(x.shape), "sort")
    if not flag("descending", descending):
        return bind(ops.SORT, x, axis=axis)
    # equal elements keep their order: flipped, sorted, and flipped again
    values, indices = bind(ops.SORT, flip(x, axis), axis=axis)
    return flip(values, axis), subtract(x.shape[axis] - 1, flip(indices, axis))


def sort(x: ArrayLike, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """`x` in ascending order along an axis, or in descending order; nan counts as larger than every number.

    `stable` is there for the array API standard: the order of equal elements is kept in any case. AxisError for an axis
    that `x` lacks, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.sort(tz.tensor([[3, 1, 2], [4, 6, 5]]), axis=1, descending=True)
    Tensor([[3, 2, 1],
            [6, 5, 4]], dtype=int64)
    """
    return _sorted(x, axis, descending)[0]


def argsort(x: ArrayLike, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The indices that sort `x` along an axis, in the shape of `x`; equal elements keep their order.

    They do so whatever `stable` says, which is there for the array API standard. AxisError for an axis that `x` lacks,
    DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.argsort(tz.tensor([30, 10, 20]))
    Tensor([1, 2, 0], dtype=int64)
    """
    return _sorted(x, axis, descending)[1]


def topk(x: ArrayLike, k: int, *, axis: int = -1) -> tuple[Tensor, Tensor]:
    """The `k` largest elements along an axis, largest first, and their indices; both of size `k` along the axis.

    ArgumentError for a `k` below 0 or above the size of the axis, AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.topk(tz.tensor([1, 5, 3]), 2)
    (Tensor([5, 3], dtype=int64), Tensor([1, 2], dtype=int64))
    """
    values, indices = _sorted(x, axis, descending=True)
    k = whole_number(f"topk: k={k!r}", k)
    if k == 1 and is_axis_of_scalar(axis, len(values.shape)):
        return values, indices
    axis = normalize_axis(axis, len(values.shape), "topk")
    if not 0 <= k <= values.shape[axis]:
        raise ArgumentError(f"topk: k={k} of an axis of size {values.shape[axis]}",
                            expected=f"k from 0 to {values.shape[axis]}", fix="check k against x.shape")
    return slice_axis(values, axis, 0, k), slice_axis(indices, axis, 0, k)


def argpartition(x: ArrayLike, kth: int, *, axis: int = -1) -> Tensor:
    """Indices that put the elements smaller than the one of rank `kth`, from 0, before it and the larger ones behind.

    They are those of `argsort`, which are in order on both sides too. ArgumentError for a rank that the axis lacks,
    AxisError for an axis that `x` lacks, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.argpartition(tz.tensor([30, 10, 20]), 1)[:2]
    Tensor([1, 2], dtype=int64)
    """
    x = as_value(x)
    size = x.shape[normalize_axis(axis, len(x.shape), "argpartition")]
    if not -size <= whole_number(f"argpartition: kth={kth!r}", kth) < size:
        raise ArgumentError(f"argpartition: kth={kth} of an axis of size {size}", expected=f"a rank below {size}",
                            fix="check kth against x.shape")
    return argsort(x, axis=axis)


def in_top_k(targets: ArrayLike, predictions: ArrayLike, k: int) -> Tensor:
    """Whether each of the targets (...) is among the classes of the `k` largest predictions (..., classes).

    Classes as large as the last one of them count too; a nan is never among them. ShapeError for shapes that do not
    fit, OutOfRangeError for a target without a class, ArgumentError for a `k` below 0.

    >>> import tarazu as tz
    >>> tz.in_top_k(tz.tensor([1, 2]), tz.tensor([[0.1, 0.6, 0.3], [0.5, 0.4, 0.1]]), 1)
    Tensor([ True, False], dtype=bool)
    """
    targets, predictions = as_value(targets), as_value(predictions)
    if predictions.shape[:-1] != targets.shape or not predictions.shape:
        raise ShapeError(f"in_top_k: targets of shape {targets.shape} for predictions of shape {predictions.shape}",
                         expected="a target for each row of predictions", fix="check the shapes")
    own = take_along_axis(predictions, expand_dims(targets, -1), -1)
    rank = sum(greater(predictions, own), -1)
    number = whole_number(f"in_top_k: k={k!r}", k, least=0)
    return logical_and(less(rank, number), squeeze(equal(own, own), -1))
