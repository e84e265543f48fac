"""What users of other frameworks reach for on a tensor: short conversions, changes in place, hooks, `.data`."""

from __future__ import annotations

import builtins
import functools
import math
import weakref
from typing import Self

from tarazu.base.hints.missing import Absent
from tarazu.ops import elementwise
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike, DTypeLike, Tensor
from tarazu.runtime.tensor.operators import Operators
from tarazu.transform.gradient.notes import Hook, HookFunction
from tarazu.transform.gradient.tape import ResultEntry, TapeNode


class Compat(Operators):
    """What a tensor inherits beside its operators."""

    __slots__ = ()

    cuda = Absent('call x.to("gpu"); tz.devices() says which devices there are')
    contiguous = Absent("tensors have no strides that a program could see: leave it out")

    def numel(self) -> builtins.int:
        """The number of elements, as `size`.

        >>> import tarazu as tz
        >>> tz.zeros(2, 3).numel()
        6
        """
        return math.prod(self.shape)

    def dim(self) -> builtins.int:
        """The number of axes, as `ndim`.

        >>> import tarazu as tz
        >>> tz.zeros(2, 3).dim()
        2
        """
        return len(self.shape)

    # In place --------------------------------------------------------------------------------------------------

    def zero_(self) -> Self:
        """Set every element to 0; GradientError for a leaf that requires grad, outside `no_grad`.

        >>> import tarazu as tz
        >>> tz.ones(2).zero_()
        Tensor([0., 0.], dtype=float32)
        """
        return self.fill_(0)

    def fill_(self, value: ArrayLike) -> Self:
        """Set every element to `value`, which broadcasts to the shape.

        ShapeError where it does not, DTypeError for a tensor of a higher kind (floats in place of integers),
        GradientError for a leaf that requires grad, outside `no_grad`.

        >>> import tarazu as tz
        >>> tz.ones(2).fill_(7)
        Tensor([7., 7.], dtype=float32)
        """
        return self._replace(value)

    def copy_(self, other: ArrayLike) -> Self:
        """Take over the values of `other`, which broadcast to the shape, cast to this dtype.

        ShapeError where they do not, GradientError for a leaf that requires grad, outside `no_grad`.

        >>> import tarazu as tz
        >>> tz.zeros(2, dtype="int64").copy_([1.7, 2.0])
        Tensor([1, 2], dtype=int64)
        """
        other = as_value(other, self.dtype)
        return self._replace(elementwise.astype(other, self.dtype, copy=False))

    assign = copy_

    # Beside the gradient tape ----------------------------------------------------------------------------------

    @property
    def data(self) -> Tensor:
        """The same elements without gradients: changes in place of it change this tensor, unseen by its gradients.

        >>> import tarazu as tz
        >>> w = tz.ones(2, requires_grad=True)
        >>> w.data.sub_(0.25)
        Tensor([0.75, 0.75], dtype=float32)
        >>> w
        Tensor([0.75, 0.75], dtype=float32, requires_grad=True)
        """
        from tarazu.runtime.tensor.detached import Detached

        return Detached(self)  # type: ignore[arg-type]  # every Compat is a Tensor

    @data.setter
    def data(self, value: ArrayLike) -> None:
        self.data.copy_(value)

    def register_hook(self, hook: HookFunction) -> Hook:
        """Call `hook(gradient)` whenever a gradient reaches this tensor; what it returns, if not None, takes its place.

        Gives a handle with `remove()`. GradientError when nothing is recorded for the tensor, and, in the backward
        pass, ShapeError for a hook that gives another shape.

        >>> import tarazu as tz
        >>> w = tz.ones(2, requires_grad=True)
        >>> handle = w.register_hook(lambda gradient: gradient * 10)
        >>> w.sum().backward()
        >>> w.grad
        Tensor([10., 10.], dtype=float32)
        """
        return Hook(self.tape_entry, hook)

    def retain_grad(self) -> None:
        """Let `backward` fill `.grad` of this tensor too, though it is the result of an operation.

        >>> import tarazu as tz
        >>> y = tz.ones(2, requires_grad=True) * 2
        >>> y.retain_grad()
        >>> (y * y).sum().backward()
        >>> y.grad
        Tensor([4., 4.], dtype=float32)
        """
        if isinstance(self.tape_entry, TapeNode | ResultEntry):
            reference: weakref.ref[Tensor] = weakref.ref(self)  # type: ignore[arg-type]  # every Compat is a Tensor
            Hook(self.tape_entry, functools.partial(_retain, reference))

    # Conversions -----------------------------------------------------------------------------------------------

    def type(self, dtype: DTypeLike) -> Tensor:
        """The tensor as `dtype`; another name of `astype`. DTypeError for what is no dtype.

        >>> import tarazu as tz
        >>> tz.ones(2).type(tz.int8)
        Tensor([1, 1], dtype=int8)
        """
        return self.astype(dtype)

    def double(self) -> Tensor:
        """The tensor as float64.

        >>> import tarazu as tz
        >>> tz.ones(2).double()
        Tensor([1., 1.], dtype=float64)
        """
        return self.astype("float64")

    def long(self) -> Tensor:
        """The tensor as int64.

        >>> import tarazu as tz
        >>> tz.tensor([1.7, -1.7]).long()
        Tensor([ 1, -1], dtype=int64)
        """
        return self.astype("int64")

    def float(self) -> Tensor:
        """The tensor as float32.

        >>> import tarazu as tz
        >>> tz.tensor([1, 2]).float()
        Tensor([1., 2.], dtype=float32)
        """
        return self.astype("float32")

    def int(self) -> Tensor:
        """The tensor as int32.

        >>> import tarazu as tz
        >>> tz.tensor([1.7, -1.7]).int()
        Tensor([ 1, -1], dtype=int32)
        """
        return self.astype("int32")

    def bool(self) -> Tensor:
        """The tensor as bool: what is not 0 is true.

        >>> import tarazu as tz
        >>> tz.tensor([0, 2]).bool()
        Tensor([False,  True], dtype=bool)
        """
        return self.astype("bool")


def _retain(reference: weakref.ref[Tensor], gradient: Tensor) -> None:
    handle = reference()
    if handle is not None:
        handle.grad = gradient if handle.grad is None else handle.grad + gradient
