"""The first layer of a model for tables with categories of many levels."""

from __future__ import annotations

from typing import Any

from tarazu.nn.layers.dense import Embedding
from tarazu.nn.module.module import Module
from tarazu.ops.elementwise import astype
from tarazu.ops.shape import concat


class TableFeatures(Module):
    """Passes the first `num_dense` columns on and replaces each column of codes after them by a learned vector.

    `embeddings` holds (levels, dimension) for each column of codes, as `tz.data.TableEncoder.embeddings` gives them:
    (batch, num_dense + len(embeddings)) to (batch, num_dense + sum of dimensions) (Guo and Berkhahn, "Entity Embeddings
    of Categorical Variables", 2016).

    >>> import tarazu as tz
    >>> tz.nn.TableFeatures(2, [(5, 3)])(tz.tensor([[0.1, 0.2, 4.0]])).shape
    (1, 5)
    """

    def __init__(self, num_dense: int, embeddings: Any) -> None:
        self._num_dense, self.reads_codes = num_dense, bool(embeddings)
        self.embeddings = [Embedding(levels, dim) for levels, dim in embeddings]

    def forward(self, x: Any) -> Any:
        codes = [astype(x[:, self._num_dense + i], "int64") for i in range(len(self.embeddings))]
        vectors = [embedding(code) for embedding, code in zip(self.embeddings, codes, strict=True)]
        numbers = x[:, :self._num_dense]
        return concat([astype(numbers, vectors[0].dtype, copy=False) if vectors else numbers, *vectors], 1)
