"""Layers that Keras has and `tz.nn` has not, for models that are read from its files."""

from __future__ import annotations

from typing import Any

from tarazu.nn.layers.normalization import BatchNorm
from tarazu.nn.layers.sequences.embedding import Embedding
from tarazu.nn.module.module import Module
from tarazu.ops.elementwise import astype, not_equal
from tarazu.ops.promote import as_value
from tarazu.ops.shape import reshape
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor


class BiasedBatchNorm(BatchNorm):
    """A `BatchNorm` whose running variance is of the batches themselves, not the unbiased one.

    >>> import tarazu as tz
    >>> norm = BiasedBatchNorm(1, momentum=0.0)
    >>> norm(tz.tensor([[1.0], [3.0]])).shape, norm.running_variance
    ((2, 1), Tensor([1.], dtype=float32))
    """

    def _kept(self, variance: Tensor, correction: Tensor | float) -> Tensor:
        return variance


class RoundingEmbedding(Embedding):
    """An `Embedding` that takes floats too, as an `Input` of Keras has if nothing is said, and cuts them to integers.

    ArgumentError and OutOfRangeError as `tz.nn.Embedding`.

    >>> import tarazu as tz
    >>> RoundingEmbedding(10, 4)(tz.tensor([[1.0, 2.0, 0.0]])).shape
    (1, 3, 4)
    """

    def forward(self, indices: ArrayLike) -> Tensor:
        indices = as_value(indices)
        return super().forward(astype(indices, "int64") if indices.dtype.is_float else indices)


class MaskingEmbedding(RoundingEmbedding):
    """An `Embedding` that makes a mask of the integer 0 and has a learned vector for it like for all others.

    ArgumentError, DTypeError and OutOfRangeError as `tz.nn.Embedding`.

    >>> import tarazu as tz
    >>> MaskingEmbedding(10, 4).compute_mask(tz.tensor([[1, 2, 0]]))
    Tensor([[ True,  True, False]], dtype=bool)
    """

    def __init__(self, num_embeddings: int, dim: int) -> None:
        super().__init__(num_embeddings, dim)

    def compute_mask(self, indices: ArrayLike) -> Tensor:
        """Where `indices` are not 0."""
        return not_equal(indices, 0)


class TimeDistributed(Module):
    """Calls a layer on every step of sequences: (batch, time, ...) to (batch, time, ...).

    >>> import tarazu as tz
    >>> TimeDistributed(tz.nn.Conv2D(4, 3))(tz.ones((2, 5, 8, 8, 1))).shape
    (2, 5, 6, 6, 4)
    """

    def __init__(self, layer: Module) -> None:
        self.layer = layer

    def forward(self, x: Tensor) -> Any:
        batch, time = x.shape[:2]
        y = self.layer(reshape(x, (batch * time, *x.shape[2:])))
        return reshape(y, (batch, time, *y.shape[1:]))
