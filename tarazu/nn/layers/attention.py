"""Attention with several heads, over sequences: (batch, time, dim)."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.init import glorot_uniform, zeros
from tarazu.nn.layers.checks import require_sequences
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.contract import matmul
from tarazu.ops.networks.attention import (
    attention_weights,
    checked_mask,
    merge_heads,
    scaled_dot_product_attention,
    split_heads,
    usual_scale,
)
from tarazu.ops.shape import concat, expand_dims, slice_axis
from tarazu.ops.typing import ArrayLike
from tarazu.runtime import random
from tarazu.runtime.random.distributions import require_rate
from tarazu.runtime.tensor.tensor import Tensor


class MultiHeadAttention(Module):
    """Attention of `heads` heads that share `dim` features out among them (Vaswani and others, 2017).

    Called with one tensor (batch, time, dim) each step attends to all steps; called with `query, key` or `query, key,
    value` the steps of the query attend to those of the key, and the result is (batch, query time, dim). `mask`, an
    option of the call, is True where a query attends to a key, or numbers that are added to the scores: (query time,
    key time), (batch, query time, key time), or with an axis for the heads after the batch. With `causal` step i
    attends to steps 0 to i only. In training `dropout` drops a share of the attention weights.

    `weight` (dim, 3 dim) and `bias` (3 dim,) project to queries, keys and values side by side, `output_weight` (dim,
    dim) and `output_bias` (dim,) project the outputs of the heads. Weights start as "glorot_uniform", biases at 0.

    ArgumentError for a `dim` that is no multiple of `heads` or a rate that is not from 0 up to 1; ShapeError for inputs
    that are not (batch, time, dim) or a mask that does not fit them, DTypeError for a mask of integers.

    >>> import tarazu as tz
    >>> tz.nn.MultiHeadAttention(4, 32, causal=True)(tz.ones((2, 10, 32))).shape
    (2, 10, 32)
    """

    takes_attention_mask = True  # `mask` is one of pairs, (query time, key time), not of steps, (batch, time)

    def __init__(self, heads: int, dim: int, *, causal: bool = False, dropout: float = 0.0, bias: bool = True) -> None:
        self._heads, self._dim = positive_int("heads", heads), positive_int("dim", dim)
        if dim % heads:
            raise ArgumentError(f"dim={dim} for heads={heads}", expected="as many features for each head",
                                fix="make dim a multiple of heads")
        require_rate(dropout)
        self._causal, self._dropout, self._has_bias = causal, dropout, bias
        parts = [glorot_uniform((dim, dim)) for _ in range(3)]
        self.weight, self.output_weight = Parameter(concat(parts, 1)), Parameter(glorot_uniform((dim, dim)))
        if bias:
            self.bias, self.output_bias = Parameter(zeros((3 * dim,))), Parameter(zeros((dim,)))

    def forward(self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None, *,
                mask: ArrayLike | None = None) -> Tensor:
        q, k, v = self._projections(query, key, value)
        y = matmul(merge_heads(self._attend(q, k, v, _mask_over_heads(mask))), self.output_weight)
        return y + self.output_bias if self._has_bias else y

    def _projections(self, query: Tensor, key: Tensor | None, value: Tensor | None) -> tuple[Tensor, ...]:
        """Queries, keys and values of each head; one product where they come from one tensor."""
        if key is None:
            return split_heads(self._project(query, 0, 3), 3, self._heads)
        inputs = query, key, key if value is None else value
        return tuple(split_heads(self._project(x, i, i + 1), 1, self._heads)[0] for i, x in enumerate(inputs))

    def _project(self, x: Tensor, first: int, last: int) -> Tensor:
        """`x` projected by parts `first` up to but not with `last` of the weight: queries 0, keys 1, values 2."""
        require_sequences(x)
        if x.shape[-1] != self._dim:
            raise ShapeError(f"an input of shape {tuple(x.shape)}", expected=f"shape (batch, time, {self._dim})",
                             fix=f"project it first: tz.nn.Dense({self._dim})")
        start, stop = first * self._dim, last * self._dim
        y = matmul(x, slice_axis(self.weight, 1, start, stop))
        return y + slice_axis(self.bias, 0, start, stop) if self._has_bias else y

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        if not (self._dropout and self.training):
            return scaled_dot_product_attention(q, k, v, mask=mask, causal=self._causal)
        weights = attention_weights(q, k, mask, causal=self._causal, scale=usual_scale(q.shape[-1]))
        return matmul(random.dropout(weights, self._dropout), v)


def _mask_over_heads(mask: ArrayLike | None) -> Tensor | None:
    """The mask with an axis for the heads, if it has one for the batch."""
    if mask is None:
        return None
    mask = checked_mask(mask)
    return expand_dims(mask, 1) if len(mask.shape) == 3 else mask
