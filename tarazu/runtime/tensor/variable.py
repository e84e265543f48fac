"""Variables, as users of TensorFlow know them: tensors with a name that are meant to change."""

from __future__ import annotations

import copy
import itertools
from typing import Self

import numpy as np

from tarazu.ir.node import Node
from tarazu.ops.typing import ArrayLike, DTypeLike
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.transform.gradient.tape import EVERYTHING, ignoring

_numbers = itertools.count()


class Variable(Tensor):
    """A tensor that is meant to change: `assign`, `assign_add` and `assign_sub` need no `no_grad` around them.

    `trainable` variables of float dtype require grad. Without a name it is called "Variable", with a number. Errors are
    those of `tz.tensor`; the methods raise ShapeError for a value that does not broadcast to the variable's shape.

    >>> import tarazu as tz
    >>> w = tz.Variable([1.0, 2.0], name="w")
    >>> w.assign_sub([0.5, 0.5])
    <tarazu.Variable 'w' shape=(2,) dtype=float32, value=[0.5, 1.5]>
    """

    __slots__ = ("name",)

    def __init__(self, value: ArrayLike, trainable: bool = True, name: str | None = None,
                 dtype: DTypeLike | None = None) -> None:
        start = asarray(value, dtype).detach()
        super().__init__(np.array(start.raw) if isinstance(start.raw, np.ndarray) else start.raw)
        self.name = f"Variable:{next(_numbers)}" if name is None else name
        if trainable and self.dtype.is_float:
            self.requires_grad_()

    @property
    def trainable(self) -> bool:
        """Whether gradient tapes watch the variable by themselves.

        >>> import tarazu as tz
        >>> tz.Variable([1.0]).trainable, tz.Variable([1]).trainable
        (True, False)
        """
        return self.requires_grad

    def __reduce__(self) -> tuple:
        return Variable, (self.numpy().copy(), self.trainable, self.name)

    def __deepcopy__(self, memo: dict) -> Variable:
        twin = memo[id(self)] = Variable(self.detach(), self.trainable, self.name)
        twin._grad = copy.deepcopy(self._grad, memo)
        return twin

    def assign(self, value: ArrayLike) -> Self:
        """Take over `value`, which broadcasts to the variable's shape, cast to its dtype; ShapeError where it does not.

        >>> import tarazu as tz
        >>> tz.Variable([1.0, 2.0], name="w").assign(5.0)
        <tarazu.Variable 'w' shape=(2,) dtype=float32, value=[5., 5.]>
        """
        with ignoring(EVERYTHING):
            self.copy_(value)
        return self

    def assign_add(self, value: ArrayLike) -> Self:
        """Add `value`, which broadcasts to the variable's shape, in place.

        >>> import tarazu as tz
        >>> tz.Variable([1.0, 2.0], name="w").assign_add(0.5)
        <tarazu.Variable 'w' shape=(2,) dtype=float32, value=[1.5, 2.5]>
        """
        with ignoring(EVERYTHING):
            self.add_(value)
        return self

    def assign_sub(self, value: ArrayLike) -> Self:
        """Subtract `value`, which broadcasts to the variable's shape, in place.

        >>> import tarazu as tz
        >>> tz.Variable([1.0, 2.0], name="w").assign_sub([0.5, 0.0])
        <tarazu.Variable 'w' shape=(2,) dtype=float32, value=[0.5, 2. ]>
        """
        with ignoring(EVERYTHING):
            self.sub_(value)
        return self

    def __repr__(self) -> str:
        head = f"<tarazu.Variable {self.name!r} shape={tuple(self.shape)} dtype={self.dtype}"
        if isinstance(self.raw, Node):
            return f"{head}, traced>"
        text = np.array2string(self.numpy(), separator=", ", prefix=f"{head}, value=", threshold=1000)
        return f"{head}, value={text}>"
