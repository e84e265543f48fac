"""Attention of one head without projections: by products of vectors, and by a small network."""

from __future__ import annotations

from typing import Any

from tarazu.nn.init import glorot_uniform
from tarazu.nn.layers.checks import require_sequences
from tarazu.nn.layers.sequences.attention_masks import joined, padding_mask
from tarazu.nn.module.last_axis import LastAxisLayer
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.contract import matmul
from tarazu.ops.elementwise import tanh
from tarazu.ops.networks.attention import attention_weights, checked_mask, usual_scale, weights_of_scores
from tarazu.ops.shape import expand_dims, reshape
from tarazu.ops.typing import ArrayLike
from tarazu.runtime import random
from tarazu.runtime.random.distributions import require_rate
from tarazu.runtime.tensor.tensor import Tensor


class Attention(Module):
    """Attention by the products of queries and keys, without parameters (Luong, Pham and Manning, 2015).

    Called with `query` (batch, query time, dim), `key` (batch, key time, dim) and `value` (batch, key time, size), it
    gives (batch, query time, size); `value` is `key` unless given, and `key` is `query`. Products are times `scale`, by
    default 1 / sqrt(dim). `causal`, `dropout` and the options `mask`, `attention_mask` and `return_weights` of the call
    are those of `MultiHeadAttention`, without heads: weights are (batch, query time, key time).

    ArgumentError for a rate that is not from 0 up to 1, ShapeError for inputs and masks that do not fit together.

    >>> import tarazu as tz
    >>> tz.nn.Attention()(tz.ones((2, 3, 8)), tz.ones((2, 5, 8))).shape
    (2, 3, 8)
    """

    mask_is_of = "key"

    def __init__(self, *, scale: float | None = None, causal: bool = False, dropout: float = 0.0) -> None:
        require_rate(dropout)
        self._scale, self._causal, self._dropout = scale, causal, dropout

    def forward(self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None, *,
                mask: ArrayLike | None = None, attention_mask: ArrayLike | None = None,
                return_weights: bool = False) -> Any:
        key = query if key is None else key
        require_sequences(query)
        require_sequences(key)
        scale = usual_scale(query.shape[-1]) if self._scale is None else self._scale
        weights = attention_weights(query, key, _mask(mask, attention_mask, key), causal=self._causal, scale=scale)
        return _weighted(weights, key if value is None else value, self._dropout if self.training else 0.0,
                         return_weights=return_weights)


class AdditiveAttention(LastAxisLayer):
    """Attention by weight . tanh(query + key) (Bahdanau, Cho and Bengio, 2015), as one layer.

    Inputs, output, `causal`, `dropout` and the options of the call are those of `Attention`; put a `Dense` before
    queries and keys for the projections of the paper. `weight` (dim,) starts as "glorot_uniform"; `dim` may be left out
    and is then taken from the first input. ArgumentError for a rate that is not from 0 up to 1, ShapeError for inputs
    with other features and for masks that do not fit.

    >>> import tarazu as tz
    >>> tz.nn.AdditiveAttention()(tz.ones((2, 3, 8)), tz.ones((2, 5, 8))).shape
    (2, 3, 8)
    """

    mask_is_of = "key"

    def __init__(self, dim: int | None = None, *, causal: bool = False, dropout: float = 0.0) -> None:
        require_rate(dropout)
        self._causal, self._dropout = causal, dropout
        super().__init__("dim", dim)

    def build(self, query: Tensor, *others: Tensor) -> None:
        """Make the weight for queries of shape (batch, time, dim)."""
        super().build(query)

    def _make_parameters(self, size: int) -> None:
        self.weight = Parameter(reshape(glorot_uniform((size, 1)), (size,)))

    def _require_axes(self, x: Tensor) -> None:
        require_sequences(x)

    def forward(self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None, *,
                mask: ArrayLike | None = None, attention_mask: ArrayLike | None = None,
                return_weights: bool = False) -> Any:
        key = query if key is None else key
        self._require_input(query)
        self._require_input(key)
        scores = matmul(tanh(expand_dims(query, 2) + expand_dims(key, 1)), self.weight)
        weights = weights_of_scores(scores, _mask(mask, attention_mask, key), causal=self._causal)
        return _weighted(weights, key if value is None else value, self._dropout if self.training else 0.0,
                         return_weights=return_weights)


def _mask(mask: ArrayLike | None, attention_mask: ArrayLike | None, key: Tensor) -> Tensor | None:
    """Both masks as one over scores (batch, query time, key time)."""
    pairs = None if attention_mask is None else checked_mask(attention_mask)
    if mask is None:
        return pairs
    batch, time = key.shape[:2]
    padding = padding_mask(mask, batch, time)
    return joined(reshape(padding, (padding.shape[0], 1, time)), pairs)


def _weighted(weights: Tensor, value: Tensor, rate: float, *, return_weights: bool) -> Any:
    require_sequences(value)
    y = matmul(random.dropout(weights, rate) if rate else weights, value)
    return (y, weights) if return_weights else y
