"""Layers that look learned vectors up: by integers, by positions in a sequence, by the codes of table columns."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.nn.init import Initializer, find_initializer, standard_normal
from tarazu.nn.layers.checks import require_sequences
from tarazu.nn.module.last_axis import LastAxisLayer
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.elementwise import astype, not_equal, where
from tarazu.ops.indexing.index import take
from tarazu.ops.promote import as_value
from tarazu.ops.shape import concat, expand_dims, slice_axis
from tarazu.ops.typing import ArrayLike
from tarazu.runtime import random
from tarazu.runtime.tensor.tensor import Tensor


class Embedding(Module):
    """A learned vector for each of `num_embeddings` integers: integers of any shape to (..., dim).

    `weight` (num_embeddings, dim) starts normal with variance 1, as in torch. Negative integers count from the end.
    `padding_idx` is an integer that stands for no value: it gives zeros, and its vector does not learn. With `mask` the
    layers behind it in a `Sequential` get a mask, which is False there (`compute_mask`).

    ArgumentError for sizes below 1, a `padding_idx` that has no vector, and a mask without one; DTypeError for an input
    of floats, OutOfRangeError for an integer that has no vector (a traced function takes the nearest one that has).

    >>> import tarazu as tz
    >>> tz.nn.Embedding(10, 4)(tz.tensor([[1, 2, 3]])).shape
    (1, 3, 4)
    >>> tz.nn.Embedding(10, 4, padding_idx=0, mask=True).compute_mask(tz.tensor([[1, 2, 0]]))
    Tensor([[ True,  True, False]], dtype=bool)
    """

    def __init__(self, num_embeddings: int, dim: int, *, initializer: str | Initializer = standard_normal,
                 padding_idx: int | None = None, mask: bool = False) -> None:
        shape = positive_int("num_embeddings", num_embeddings), positive_int("dim", dim)
        if padding_idx is not None and padding_idx not in range(num_embeddings):
            raise ArgumentError(f"padding_idx={padding_idx!r} for {num_embeddings} vectors",
                                expected=f"a whole number from 0 to {num_embeddings - 1}", fix="0 is the usual one")
        if mask and padding_idx is None:
            raise ArgumentError("mask=True without padding_idx", expected="the integer that stands for no value",
                                fix="pass padding_idx=0")
        self._padding_idx, self._makes_mask = padding_idx, mask
        self.weight = Parameter(find_initializer(initializer)(shape, None))

    def compute_mask(self, indices: ArrayLike) -> Tensor | None:
        """Where `indices` are not `padding_idx`; None unless the layer was made with `mask=True`."""
        if self._padding_idx is None or not self._makes_mask:
            return None
        return not_equal(indices, self._padding_idx)

    def forward(self, indices: ArrayLike) -> Tensor:
        indices = as_value(indices)
        if not indices.dtype.is_integer:
            raise DTypeError(f"an input of {indices.dtype}", expected="integers, each the number of a vector",
                             fix="cast it: x.astype(tz.int64)")
        vectors = take(self.weight, indices)
        if self._padding_idx is None:
            return vectors
        return where(expand_dims(not_equal(indices, self._padding_idx), -1), vectors, 0)


class PositionalEmbedding(LastAxisLayer):
    """Adds a learned vector to each step, so that attention can tell steps apart: (batch, time, dim) to the same.

    `weight` (length, dim) has a vector for each of at most `length` steps; they start normal with standard deviation
    0.02 (Devlin and others, "BERT", 2018). `dim` may be left out and is then taken from the first input. ArgumentError
    for sizes below 1, ShapeError for an input of more steps, other features or another number of axes.

    >>> import tarazu as tz
    >>> tz.nn.PositionalEmbedding(64)(tz.ones((2, 10, 32))).shape
    (2, 10, 32)
    """

    def __init__(self, length: int, dim: int | None = None) -> None:
        self._length = positive_int("length", length)
        super().__init__("dim", dim)

    def _make_parameters(self, size: int) -> None:
        self.weight = Parameter(random.normal((self._length, size), std=0.02))

    def _require_axes(self, x: Tensor) -> None:
        require_sequences(x)

    def forward(self, x: Tensor) -> Tensor:
        self._require_input(x)
        if x.shape[1] > self._length:
            raise ShapeError(f"an input of shape {tuple(x.shape)}", expected=f"at most {self._length} steps",
                             fix=f"make the layer longer: tz.nn.PositionalEmbedding({x.shape[1]})")
        return x + slice_axis(self.weight, 0, 0, x.shape[1])


class TableFeatures(Module):
    """Passes the first `num_dense` columns on and replaces each column of codes after them by a learned vector.

    The first layer of a model for tables. `embeddings` holds (levels, dimension) for each column of codes, as
    `tz.data.TableEncoder.embeddings` gives them: (batch, num_dense + len(embeddings)) to (batch, num_dense + sum of
    dimensions) (Guo and Berkhahn, "Entity Embeddings of Categorical Variables", 2016). OutOfRangeError for a code
    of `levels` or more (a traced function takes the last one).

    >>> import tarazu as tz
    >>> tz.nn.TableFeatures(2, [(5, 3)])(tz.tensor([[0.1, 0.2, 4.0]])).shape
    (1, 5)
    """

    def __init__(self, num_dense: int, embeddings: Sequence[tuple[int, int]]) -> None:
        self.num_dense, self.reads_codes = num_dense, bool(embeddings)
        self.embeddings = [Embedding(levels, dim) for levels, dim in embeddings]

    def forward(self, x: Tensor) -> Tensor:
        codes = [astype(x[:, self.num_dense + i], "int64") for i in range(len(self.embeddings))]
        vectors = [embedding(code) for embedding, code in zip(self.embeddings, codes, strict=True)]
        numbers = x[:, :self.num_dense]
        return concat([astype(numbers, vectors[0].dtype, copy=False) if vectors else numbers, *vectors], 1)
