"""Inputs of functional models."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.base.checks import positive_int
from tarazu.base.dtypes import as_dtype
from tarazu.ir.types import TensorType
from tarazu.nn.functional.symbols import InputStep
from tarazu.nn.functional.unknown_size import UnknownSize
from tarazu.ops.typing import DTypeLike
from tarazu.runtime.tensor.tensor import Tensor


def Input(shape: int | Sequence[int | None], dtype: DTypeLike = "float32", *, name: str | None = None) -> Tensor:  # noqa: N802
    """A symbolic tensor that stands for an input of a `tz.nn.Model`: (batch, *shape).

    `shape` is that of one sample, without the batch axis. Layers and operations that are called on it record
    themselves; errors of shape are raised at once, at the line of the call. Axes count as in a batch: axis 0 is that of
    the samples, and operations treat each sample for itself. A size of None is open, as that of time: layers take any,
    and so do operations that do not need it; TraceError at others. `name` stands in summaries and errors.
    ArgumentError for sizes below 1.

    >>> import tarazu as tz
    >>> x = tz.nn.Input((28, 28, 1))
    >>> tz.nn.Dense(10)(tz.reshape(x, (1, -1)))
    Tensor(symbolic, shape=(batch, 10), dtype=float32)
    """
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    shape = tuple(UnknownSize() if n is None else positive_int("a size of Input", n) for n in sizes)
    type_ = TensorType((1, *shape), as_dtype(dtype))
    return InputStep(name).add_output(type_)
