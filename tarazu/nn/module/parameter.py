"""Parameters: the tensors of a module that training changes."""

from __future__ import annotations

import numpy as np

from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.tensor.variable import Variable


class Parameter(Tensor):
    """A tensor that, as an attribute of a module, is one of its parameters; `requires_grad_(False)` freezes it.

    It has the shape and the elements of `data`. GradientError for elements that are no floats, unless `trainable` is
    False; DTypeError for what is no tensor.

    >>> import tarazu as tz
    >>> tz.nn.Parameter(tz.zeros(2))
    Tensor([0., 0.], dtype=float32, requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: ArrayLike, *, trainable: bool = True) -> None:
        super().__init__(asarray(data).raw)
        if trainable:
            self.requires_grad_()

    def __reduce__(self) -> tuple:
        return _unpickle, (self.numpy().copy(), self.requires_grad)

    def __deepcopy__(self, memo: dict) -> Parameter:
        twin = memo[id(self)] = _unpickle(self.numpy(), self.requires_grad)
        return twin


def is_parameter(x: Tensor) -> bool:
    """Whether a tensor, as an attribute of a module, is for training to change: a Parameter or a float Variable."""
    return isinstance(x, Parameter) or (isinstance(x, Variable) and x.dtype.is_float)


def _unpickle(array: np.ndarray, trainable: bool) -> Parameter:
    return Parameter(array, trainable=trainable)
