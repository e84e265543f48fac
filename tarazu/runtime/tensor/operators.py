"""The operators and methods of a tensor that are functions of `ops`, by their names as attributes of a class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tarazu.base.errors import ShapeError
from tarazu.ir.interpreter import Value
from tarazu.ops import contract, elementwise, reduce, shape
from tarazu.ops.indexing import index, sorting


def sizes_of(sizes: tuple) -> Any:
    """The shape in arguments that are numbers, or one tuple of them."""
    return sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes


def _swapped(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: function(other, self)


def _in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    def change(self: Any, *args: Any, **options: Any) -> Any:
        return self._replace(function(self, *args, **options))
    change.__doc__ = f"`{function.__name__}`, in place."
    return change


def _operator(function: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """The methods for x + y, for y + x where only x is a tensor, and for x += y."""
    return function, _swapped(function), _in_place(function)


class Operators(Value):
    """What a tensor inherits; `_replace` is the tensor's own."""

    __slots__ = ()
    __array_ufunc__ = None  # NumPy leaves `array + tensor` to `__radd__`
    __hash__ = object.__hash__

    def _replace(self, new: Any) -> Any:
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
    __eq__, __ne__ = elementwise.equal, elementwise.not_equal  # type: ignore[assignment]  # by element, no bool
    __lt__, __le__ = elementwise.less, elementwise.less_equal
    __gt__, __ge__ = elementwise.greater, elementwise.greater_equal
    __getitem__ = index.getitem

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
    add, sub, mul, div = elementwise.add, elementwise.subtract, elementwise.multiply, elementwise.divide
    clamp = elementwise.clip
    add_, sub_, mul_ = _in_place(elementwise.add), _in_place(elementwise.subtract), _in_place(elementwise.multiply)
    div_, pow_, clamp_ = _in_place(elementwise.divide), _in_place(elementwise.pow), _in_place(elementwise.clip)
    assign_add, assign_sub = add_, sub_

    # Over axes

    all = reduce.all
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

    # Shape

    flatten, squeeze, unsqueeze, transpose = shape.flatten, shape.squeeze, shape.expand_dims, shape.swapaxes

    @property
    def T(self) -> Any:  # noqa: N802
        """The tensor with the order of its axes turned round."""
        return shape.permute_dims(self, range(len(self.shape))[::-1])

    @property
    def mT(self) -> Any:  # noqa: N802
        """The tensor with its last two axes exchanged."""
        return shape.matrix_transpose(self)

    def reshape(self, *sizes: Any) -> Any:
        """The elements in another shape, given as numbers or as one tuple."""
        return shape.reshape(self, sizes_of(sizes))

    view = reshape

    def expand(self, *sizes: Any) -> Any:
        """The elements repeated along axes of size 1, to a shape given as numbers or as one tuple; -1 keeps a size."""
        wanted = sizes_of(sizes)
        wanted = (wanted,) if isinstance(wanted, int) else tuple(wanted)
        new = len(wanted) - len(self.shape)
        if any(n == -1 and i < new for i, n in enumerate(wanted)):
            raise ShapeError(f"expand to {wanted} of a tensor of shape {tuple(self.shape)}",
                             expected="-1 only for axes that are there, which stand at the right",
                             fix="write the sizes of new axes")
        return shape.broadcast_to(self, tuple(self.shape[i - new] if n == -1 else n for i, n in enumerate(wanted)))

    def permute(self, *axes: Any) -> Any:
        """The axes in another order."""
        return shape.permute_dims(self, sizes_of(axes))
