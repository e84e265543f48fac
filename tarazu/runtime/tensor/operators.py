"""The operators and methods of a tensor that are functions of `ops`, by their names as attributes of a class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Self, TypeAlias, TypeVar

from tarazu.base.errors import ShapeError
from tarazu.ir.interpreter import Value
from tarazu.ops import contract, elementwise, reduce, shape, splitting
from tarazu.ops.indexing import index, sorting
from tarazu.ops.typing import ArrayLike, ShapeLike, Tensor
from tarazu.runtime.tensor.deferred import Deferred

Options = ParamSpec("Options")
Target = TypeVar("Target", bound="Operators")
Binary: TypeAlias = Callable[[ArrayLike, ArrayLike], Tensor]


def sizes_of(sizes: tuple[ShapeLike, ...]) -> ShapeLike:
    """The shape in arguments that are numbers, or one tuple of them."""
    if len(sizes) == 1 and not isinstance(sizes[0], int):
        return sizes[0]
    return sizes  # type: ignore[return-value]  # numbers, which whoever takes a shape makes sure of


def _in_place(function: Callable[Concatenate[ArrayLike, Options], Tensor],
              ) -> Callable[Concatenate[Target, Options], Target]:
    """The method that lets a tensor stand for the result of `function`."""
    def change(self: Target, *args: Options.args, **options: Options.kwargs) -> Target:
        return self._replace(function(self, *args, **options))
    change.__doc__ = f"`{function.__name__}`, in place."
    return change


def _operator(function: Binary) -> tuple[Binary, Binary, Callable[[Target, ArrayLike], Target]]:
    """The methods for x + y, for y + x where only x is a tensor, and for x += y."""
    def swapped(self: ArrayLike, other: ArrayLike) -> Tensor:
        return function(other, self)

    def in_place(self: Target, other: ArrayLike) -> Target:
        return self._replace(function(self, other))
    return function, swapped, in_place


class Operators(Value):
    """What a tensor inherits; `_replace` is the tensor's own."""

    __slots__ = ()
    __array_ufunc__ = None  # NumPy leaves `array + tensor` to `__radd__`
    __hash__ = object.__hash__

    def _replace(self, new: ArrayLike) -> Self:
        raise NotImplementedError

    # Operators

    __add__, __radd__, __iadd__ = _operator(elementwise.add)
    __sub__, __rsub__, __isub__ = _operator(elementwise.subtract)
    __mul__, __rmul__, __imul__ = _operator(elementwise.multiply)
    __truediv__, __rtruediv__, __itruediv__ = _operator(elementwise.divide)
    __floordiv__, __rfloordiv__, __ifloordiv__ = _operator(elementwise.floor_divide)
    __mod__, __rmod__, __imod__ = _operator(elementwise.remainder)
    __pow__, __rpow__, __ipow__ = _operator(elementwise.pow)
    __matmul__, __rmatmul__, __imatmul__ = _operator(contract.matmul)
    __and__, __rand__, __iand__ = _operator(elementwise.bitwise_and)
    __or__, __ror__, __ior__ = _operator(elementwise.bitwise_or)
    __xor__, __rxor__, __ixor__ = _operator(elementwise.bitwise_xor)
    __lshift__, __rlshift__, __ilshift__ = _operator(elementwise.bitwise_left_shift)
    __rshift__, __rrshift__, __irshift__ = _operator(elementwise.bitwise_right_shift)
    __neg__, __pos__, __abs__ = elementwise.negative, elementwise.positive, elementwise.abs
    __invert__ = elementwise.bitwise_invert

    def __round__(self, ndigits: int | None = None) -> Tensor:
        """`round(x, ndigits)` keeps the dtype; without `ndigits` whole numbers of int64, as Python gives an int."""
        if ndigits is not None:
            return elementwise.round(self, ndigits)
        return elementwise.astype(elementwise.round(self), "int64")

    __eq__, __ne__ = elementwise.equal, elementwise.not_equal  # type: ignore[assignment]  # by element, no bool
    __lt__, __le__ = elementwise.less, elementwise.less_equal
    __gt__, __ge__ = elementwise.greater, elementwise.greater_equal

    # Element by element

    abs = elementwise.abs
    acos = elementwise.acos
    asin = elementwise.asin
    astype = elementwise.astype
    atan = elementwise.atan
    ceil = elementwise.ceil
    clip = elementwise.clip
    cos = elementwise.cos
    cosh = elementwise.cosh
    erf = elementwise.erf
    exp = elementwise.exp
    floor = elementwise.floor
    log = elementwise.log
    log1p = elementwise.log1p
    pow = elementwise.pow
    round = elementwise.round
    sigmoid = elementwise.sigmoid
    sign = elementwise.sign
    sin = elementwise.sin
    sinh = elementwise.sinh
    sqrt = elementwise.sqrt
    square = elementwise.square
    tan = elementwise.tan
    tanh = elementwise.tanh
    angle = elementwise.angle
    deg2rad, rad2deg = elementwise.deg2rad, elementwise.rad2deg
    erfc, erfinv = elementwise.erfc, elementwise.erfinv
    exp2 = elementwise.exp2
    fmod = elementwise.fmod
    heaviside = elementwise.heaviside
    isclose = elementwise.isclose
    lerp = elementwise.lerp
    logit = elementwise.logit
    masked_fill = elementwise.masked_fill
    nan_to_num = elementwise.nan_to_num
    rsqrt = elementwise.rsqrt
    sinc = elementwise.sinc
    add, sub, mul, div = elementwise.add, elementwise.subtract, elementwise.multiply, elementwise.divide
    clamp = elementwise.clip
    add_, sub_, mul_ = _in_place(elementwise.add), _in_place(elementwise.subtract), _in_place(elementwise.multiply)
    div_, pow_, clamp_ = _in_place(elementwise.divide), _in_place(elementwise.pow), _in_place(elementwise.clip)
    assign_add, assign_sub = add_, sub_
    lerp_, masked_fill_ = _in_place(elementwise.lerp), _in_place(elementwise.masked_fill)

    # Over axes

    all = reduce.all
    allclose = reduce.allclose
    any = reduce.any
    argmax = reduce.argmax
    argmin = reduce.argmin
    max = reduce.max
    mean = reduce.mean
    min = reduce.min
    prod = reduce.prod
    std = reduce.std
    sum = reduce.sum
    var = reduce.var
    cumulative_sum = reduce.cumulative_sum
    logsumexp = reduce.logsumexp
    matmul = contract.matmul
    argsort, sort, topk = sorting.argsort, sorting.sort, sorting.topk
    take = index.take
    cummax, cummin, logcumsumexp = (Deferred("statistics.running") for _ in range(3))
    kthvalue, median, nanmedian, nanquantile, quantile = (Deferred("statistics.quantiles") for _ in range(5))
    nanmean, nansum = Deferred("statistics.missing"), Deferred("statistics.missing")
    cov, corrcoef = Deferred("statistics.dependence"), Deferred("statistics.dependence")
    bincount = Deferred("statistics.counts")

    # At indices

    index_add, index_copy, index_fill = (Deferred("indexing.scatter") for _ in range(3))
    scatter, scatter_reduce = Deferred("indexing.scatter"), Deferred("indexing.scatter")
    index_add_, index_copy_, index_fill_ = (Deferred("indexing.scatter", _in_place) for _ in range(3))
    scatter_, scatter_reduce_ = Deferred("indexing.scatter", _in_place), Deferred("indexing.scatter", _in_place)
    argwhere, unique = Deferred("indexing.searching"), Deferred("indexing.sets")
    diag, diagflat, diagonal = (Deferred("indexing.diagonals") for _ in range(3))

    # Shape

    flatten, squeeze, unsqueeze, transpose = shape.flatten, shape.squeeze, shape.expand_dims, shape.swapaxes
    chunk, rot90, unflatten = splitting.chunk, shape.rot90, shape.unflatten

    @property
    def T(self) -> Tensor:  # noqa: N802
        """The tensor with its axes in reverse order.

        >>> import tarazu as tz
        >>> tz.zeros(2, 3).T.shape
        (3, 2)
        """
        return shape.permute_dims(self, tuple(range(len(self.shape) - 1, -1, -1)))

    @property
    def mT(self) -> Tensor:  # noqa: N802
        """The tensor with its last two axes swapped: (..., m, n) becomes (..., n, m). ShapeError for fewer axes.

        >>> import tarazu as tz
        >>> tz.zeros(5, 2, 3).mT.shape
        (5, 3, 2)
        """
        return shape.matrix_transpose(self)

    def reshape(self, *sizes: ShapeLike) -> Tensor:
        """The elements in another shape, given as numbers or as one tuple; one size may be -1, which is worked out.

        ShapeError where the number of elements does not fit.

        >>> import tarazu as tz
        >>> tz.tensor([1, 2, 3, 4]).reshape(2, -1)
        Tensor([[1, 2],
                [3, 4]], dtype=int64)
        """
        return shape.reshape(self, sizes_of(sizes))

    view = reshape

    def expand(self, *sizes: ShapeLike) -> Tensor:
        """The elements repeated along axes of size 1, to a shape given as numbers or as one tuple; -1 keeps a size.

        ShapeError for a shape that the tensor does not broadcast to, and for -1 as the size of a new axis.

        >>> import tarazu as tz
        >>> tz.tensor([[1], [2]]).expand(-1, 3)
        Tensor([[1, 1, 1],
                [2, 2, 2]], dtype=int64)
        """
        wanted = _as_tuple(sizes_of(sizes))
        new = len(wanted) - len(self.shape)
        if any(n == -1 and i < new for i, n in enumerate(wanted)):
            raise ShapeError(f"expand to {wanted} of a tensor of shape {tuple(self.shape)}",
                             expected="-1 only for axes that are there, which stand at the right",
                             fix="write the sizes of new axes")
        return shape.broadcast_to(self, tuple(self.shape[i - new] if n == -1 else n for i, n in enumerate(wanted)))

    def permute(self, *axes: ShapeLike) -> Tensor:
        """The axes in another order, given as numbers or as one tuple; ShapeError unless each axis is named once.

        >>> import tarazu as tz
        >>> tz.zeros(2, 3, 4).permute(2, 0, 1).shape
        (4, 2, 3)
        """
        return shape.permute_dims(self, _as_tuple(sizes_of(axes)))


def _as_tuple(sizes: ShapeLike) -> tuple[int, ...]:
    return (sizes,) if isinstance(sizes, int) else tuple(sizes)
