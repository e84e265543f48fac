"""What users of other frameworks reach for on a tensor: short conversions, changes in place, hooks, `.data`."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from tarazu.ops import elementwise
from tarazu.ops.promote import as_value
from tarazu.runtime.tensor.operators import Operators
from tarazu.transform.gradient.notes import Hook


class Compat(Operators):
    """What a tensor inherits beside its operators."""

    __slots__ = ()
    grad: Any
    is_leaf: Any

    def numel(self) -> Any:
        """The number of elements, as `size`."""
        return self.size  # type: ignore[attr-defined]

    def dim(self) -> Any:
        """The number of axes, as `ndim`."""
        return len(self.raw.shape)

    # In place

    def zero_(self) -> Any:
        """Set every element to 0."""
        return self.fill_(0)

    def fill_(self, value: Any) -> Any:
        """Set every element to `value`."""
        return self._replace(value)

    def copy_(self, other: Any) -> Any:
        """Take over the values of `other`, cast to this dtype."""
        other = as_value(other, self.dtype)
        return self._replace(elementwise.astype(other, self.dtype, copy=False))

    assign = copy_

    # Behind the gradients' back, and in their way

    @property
    def data(self) -> Any:
        """The same elements without gradients: changes in place of it change this tensor, unseen by its gradients.

        >>> import tarazu as tz
        >>> w = tz.ones(2, requires_grad=True)
        >>> w.data.sub_(0.25)
        Tensor([0.75, 0.75], dtype=float32)
        >>> w
        Tensor([0.75, 0.75], dtype=float32, requires_grad=True)
        """
        from tarazu.runtime.tensor.detached import Detached

        return Detached(self)  # type: ignore[arg-type]

    @data.setter
    def data(self, value: Any) -> None:
        self.data.copy_(value)

    def register_hook(self, hook: Callable[[Any], Any]) -> Hook:
        """Call `hook(gradient)` whenever a gradient reaches this tensor; what it returns, if not None, takes its place.

        Gives a handle with `remove()`. GradientError when nothing is recorded for the tensor.

        >>> import tarazu as tz
        >>> w = tz.ones(2, requires_grad=True)
        >>> handle = w.register_hook(lambda gradient: gradient * 10)
        >>> w.sum().backward()
        >>> w.grad
        Tensor([10., 10.], dtype=float32)
        """
        return Hook(self.tape_entry, hook)

    def retain_grad(self) -> None:
        """Let `backward` fill `.grad` of this tensor too, though it is the result of an operation."""
        if not self.is_leaf:
            Hook(self.tape_entry, functools.partial(_retain, weakref.ref(self)))

    # Conversions

    def type(self, dtype: Any) -> Any:
        """The tensor as `dtype`; another name of `astype`."""
        return self.astype(dtype)

    def double(self) -> Any:
        """The tensor as float64."""
        return self.astype("float64")

    def long(self) -> Any:
        """The tensor as int64."""
        return self.astype("int64")

    def float(self) -> Any:
        """The tensor as float32."""
        return self.astype("float32")

    def int(self) -> Any:
        """The tensor as int32."""
        return self.astype("int32")

    def bool(self) -> Any:
        """The tensor as bool: what is not 0 is true."""
        return self.astype("bool")


def _retain(reference: weakref.ref[Any], gradient: Any) -> None:
    handle = reference()
    if handle is not None:
        handle.grad = gradient if handle.grad is None else handle.grad + gradient
