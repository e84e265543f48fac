"""Layers that look learned vectors up by integers, and that score each of these vectors."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, DTypeError
from tarazu.nn.init import Initializer, find_initializer, standard_normal, zeros
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.contract import matmul
from tarazu.ops.elementwise import astype, not_equal, where
from tarazu.ops.indexing.index import take
from tarazu.ops.promote import as_value
from tarazu.ops.shape import concat, expand_dims, matrix_transpose
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor


class Embedding(Module):
    """A learned vector for each of `num_embeddings` integers: integers of any shape to (..., dim).

    `weight` (num_embeddings, dim) starts normal with variance 1, as in torch. Negative integers count from the end.
    `padding_idx` is an integer that stands for no value: it gives zeros, and its vector does not learn. With `mask` the
    layers behind it that take a mask get one, which is False there (`compute_mask`). `attend` scores all vectors,
    and `as_output` is a layer that does so, with the same weights.

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

    def attend(self, x: ArrayLike) -> Tensor:
        """The product of `x` (..., dim) with each vector: (..., num_embeddings), as the scores of classes.

        ShapeError for another number of features. Output layers that share the weights of the input so were proposed
        by Press and Wolf, 2017.

        >>> import tarazu as tz
        >>> tz.nn.Embedding(10, 4).attend(tz.ones((1, 3, 4))).shape
        (1, 3, 10)
        """
        return matmul(x, matrix_transpose(self.weight))

    def as_output(self, *, bias: bool = False) -> TiedOutput:
        """A layer that scores the vectors, with the same weights: a saved model holds them once.

        >>> import tarazu as tz
        >>> words = tz.nn.Embedding(10, 4)
        >>> model = tz.nn.Sequential([words, tz.nn.LSTM(4, return_sequences=True, in_features=4), words.as_output()])
        >>> model(tz.tensor([[1, 2, 3]])).shape
        (1, 3, 10)
        """
        return TiedOutput(self, bias=bias)


class TiedOutput(Module):
    """Scores each vector of an embedding, (..., dim) to (..., num_embeddings): `x @ embedding.weight.T`, plus `bias`.

    The weights are those of `embedding`; the bias, where there is one, starts at 0. ArgumentError for what is no
    `Embedding`, ShapeError for another number of features.

    >>> import tarazu as tz
    >>> tz.nn.TiedOutput(tz.nn.Embedding(10, 4))(tz.ones((2, 4))).shape
    (2, 10)
    """

    def __init__(self, embedding: Embedding, *, bias: bool = False) -> None:
        if not isinstance(embedding, Embedding):
            raise ArgumentError(f"TiedOutput of a {type(embedding).__name__}", expected="an Embedding",
                                fix="pass the layer whose weights are shared")
        self.embedding = embedding
        if bias:
            self.bias = Parameter(zeros((embedding.weight.shape[0],)))
        self._has_bias = bias

    def forward(self, x: ArrayLike) -> Tensor:
        y = self.embedding.attend(x)
        return y + self.bias if self._has_bias else y


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
