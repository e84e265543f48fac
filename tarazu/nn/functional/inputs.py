"""Inputs of functional models."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.base.dtypes import as_dtype
from tarazu.base.errors import ArgumentError
from tarazu.ir.types import TensorType
from tarazu.nn.functional.symbols import InputStep
from tarazu.ops.typing import DTypeLike, ShapeLike
from tarazu.runtime.tensor.tensor import Tensor


def Input(shape: ShapeLike, dtype: DTypeLike = "float32", *, name: str | None = None) -> Tensor:  # noqa: N802
    """A symbolic tensor that stands for an input of a `tz.nn.Model`: (batch, *shape).

    `shape` is that of one sample, without the batch axis. Layers and operations that are called on it record
    themselves; errors of shape are raised at once, at the line of the call. Axes count as in a batch: axis 0 is that of
    the samples, and operations treat each sample for itself. `name` stands in summaries and errors. ArgumentError for
    sizes that are not known or below 1.

    >>> import tarazu as tz
    >>> x = tz.nn.Input((28, 28, 1))
    >>> tz.nn.Dense(10)(tz.reshape(x, (1, -1)))
    Tensor(symbolic, shape=(batch, 10), dtype=float32)
    """
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if None in sizes:
        raise ArgumentError(f"Input(shape={sizes})", expected="the sizes of one sample, all of them numbers",
                            fix="pad the samples to one size; a module that you write takes any")
    type_ = TensorType((1, *(positive_int("a size of Input", n) for n in sizes)), as_dtype(dtype))
    return InputStep(name).add_output(type_)
