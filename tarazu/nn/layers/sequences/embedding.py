"""Layers that look learned vectors up by integers, and that score each of these vectors."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.base.checks import positive_int, whole_number
from tarazu.base.errors import ArgumentError, DTypeError, OutOfRangeError
from tarazu.nn.init import Initializer, find_initializer, standard_normal, zeros
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.contract import matmul
from tarazu.ops.elementwise import astype, not_equal, stop_gradient, where
from tarazu.ops.indexing.index import take
from tarazu.ops.promote import as_value
from tarazu.ops.shape import concat, expand_dims, matrix_transpose
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.tensor import Tensor


class Embedding(Module):
    """A learned vector for each of `num_embeddings` integers: integers of any shape to (..., dim).

    `weight` (num_embeddings, dim) starts normal with variance 1, as in torch. Negative integers count from the end.
    The vector of `padding_idx` starts at 0 and gets no gradient; `mask` says which steps are others. `attend` scores
    the vectors, and `as_output` is a layer that does so, with the same weights.

    ArgumentError for sizes below 1, OutOfRangeError for a `padding_idx` that has no vector, DTypeError for an input of
    floats, OutOfRangeError for an integer that has no vector (a traced function takes the nearest one that has).

    >>> import tarazu as tz
    >>> tz.nn.Embedding(10, 4)(tz.tensor([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    def __init__(self, num_embeddings: int, dim: int, *, padding_idx: int | None = None,
                 initializer: str | Initializer = standard_normal) -> None:
        shape = positive_int("num_embeddings", num_embeddings), positive_int("dim", dim)
        self.weight = Parameter(find_initializer(initializer)(shape, None))
        self._padding_idx = None if padding_idx is None else _checked_index(padding_idx, num_embeddings)
        if self._padding_idx is not None:
            with no_grad():
                self.weight[self._padding_idx] = 0

    def forward(self, indices: ArrayLike) -> Tensor:
        indices = _integers(indices)
        y = take(self.weight, indices)
        if self._padding_idx is None:
            return y
        return where(expand_dims(self._is_no_padding(indices), -1), y, stop_gradient(y))

    def mask(self, indices: ArrayLike) -> Tensor:
        """Where the integers are others than `padding_idx`: booleans, the `mask=` of layers over sequences.

        ArgumentError for a layer without `padding_idx`, DTypeError for an input of floats.

        >>> import tarazu as tz
        >>> tz.nn.Embedding(10, 4, padding_idx=0).mask([[5, 3, 0, 0]])
        Tensor([[ True,  True, False, False]], dtype=bool)
        """
        if self._padding_idx is None:
            raise ArgumentError("the mask of an Embedding without padding_idx", expected="an integer that is padding",
                                fix="make it with one: tz.nn.Embedding(..., padding_idx=0)")
        return self._is_no_padding(_integers(indices))

    def _is_no_padding(self, indices: Tensor) -> Tensor:
        assert self._padding_idx is not None
        from_the_end = self._padding_idx - self.weight.shape[0]
        is_signed = indices.dtype.kind == "int"
        other = not_equal(indices, self._padding_idx)
        return other & not_equal(indices, from_the_end) if is_signed else other

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


def _integers(indices: ArrayLike) -> Tensor:
    indices = as_value(indices)
    if not indices.dtype.is_integer:
        raise DTypeError(f"an input of {indices.dtype}", expected="integers, each the number of a vector",
                         fix="cast it: x.astype(tz.int64)")
    return indices


def _checked_index(padding_idx: int, size: int) -> int:
    """The number of the vector, from the front."""
    number = whole_number(f"padding_idx={padding_idx!r}", padding_idx, fix="pass for example padding_idx=0")
    if not -size <= number < size:
        raise OutOfRangeError(f"padding_idx={number} for {size} vectors", expected=f"from {-size} to {size - 1}",
                              fix="count it among num_embeddings")
    return number % size


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
