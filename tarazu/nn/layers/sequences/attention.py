"""Attention with several heads, over sequences: (batch, time, dim)."""

from __future__ import annotations

from typing import Any

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.init import glorot_uniform, zeros
from tarazu.nn.layers.checks import require_sequences
from tarazu.nn.layers.sequences.attention_masks import attention_mask as over_heads
from tarazu.nn.layers.sequences.attention_masks import cache_mask, joined, padding_mask
from tarazu.nn.layers.sequences.key_value_cache import KeyValueCache
from tarazu.nn.layers.sequences.positions import RotaryEmbedding
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.contract import matmul
from tarazu.ops.create import full
from tarazu.ops.networks.attention import (
    attention_weights,
    merge_heads,
    scaled_dot_product_attention,
    split_heads,
    usual_scale,
)
from tarazu.ops.shape import broadcast_to, concat, expand_dims, reshape, slice_axis
from tarazu.ops.typing import ArrayLike
from tarazu.runtime import random
from tarazu.runtime.random.distributions import require_rate
from tarazu.runtime.tensor.tensor import Tensor


class MultiHeadAttention(Module):
    """Attention of `heads` heads over `dim` features (Vaswani and others, 2017).

    Called with one tensor (batch, time, dim) each step attends to all steps; called with `query, key` or `query, key,
    value` the steps of the query attend to those of the key, and the result is (batch, query time, dim). Options of the
    call: `mask` (batch, key time) is False for steps of the key that are padding. `attention_mask` is True where a
    query attends to a key, or numbers that are added to the scores: (query time, key time), (batch, query time, key
    time), or with an axis for the heads after the batch. With `return_weights` the result is a pair, of the output and
    the weights (batch, heads, query time, key time). With `cache`, made by `make_cache`, the steps of the input follow
    those in the cache, and the result is a pair of the output and the next cache.

    With `causal` step i attends to steps 0 to i only. `num_kv_heads` heads of keys and values serve several heads of
    queries each (grouped queries, Ainslie and others, 2023). Each head has `key_dim` features of queries and keys and
    `value_dim` of values, by default `dim / heads` and `key_dim`. `memory_dim` is the number of features of key and
    value where it is not `dim`. `rotary`, True or a `RotaryEmbedding`, turns queries and keys by their positions. In
    training `dropout` drops a share of the attention weights.

    `weight` (dim, 3 dim) and `bias` (3 dim,) project to queries, keys and values side by side, `output_weight` (dim,
    dim) and `output_bias` (dim,) project the outputs of the heads; widths are others where options say so, and with
    `memory_dim` keys and values have a `memory_weight`. Weights start as "glorot_uniform", biases at 0.

    ArgumentError for a `dim` that is no multiple of `heads`, `heads` that are no multiple of `num_kv_heads`, or a rate
    that is not from 0 up to 1; ShapeError for inputs that are not (batch, time, dim) or a mask that does not fit them,
    DTypeError for a mask of integers.

    >>> import tarazu as tz
    >>> tz.nn.MultiHeadAttention(4, 32, causal=True)(tz.ones((2, 10, 32))).shape
    (2, 10, 32)
    """

    mask_is_of = "key"

    def __init__(self, heads: int, dim: int, *, num_kv_heads: int | None = None, key_dim: int | None = None,
                 value_dim: int | None = None, memory_dim: int | None = None, causal: bool = False,
                 rotary: bool | RotaryEmbedding = False, dropout: float = 0.0, bias: bool = True) -> None:
        self._heads, self._dim = positive_int("heads", heads), positive_int("dim", dim)
        self._kv_heads = heads if num_kv_heads is None else positive_int("num_kv_heads", num_kv_heads)
        if dim % heads and key_dim is None:
            raise ArgumentError(f"dim={dim} for heads={heads}", expected="as many features for each head",
                                fix="make dim a multiple of heads, or give key_dim")
        if heads % self._kv_heads:
            raise ArgumentError(f"num_kv_heads={num_kv_heads} for heads={heads}",
                                expected="each of them for as many heads", fix="make heads a multiple of it")
        self._key_dim = dim // heads if key_dim is None else positive_int("key_dim", key_dim)
        self._value_dim = self._key_dim if value_dim is None else positive_int("value_dim", value_dim)
        self._memory_dim = dim if memory_dim is None else positive_int("memory_dim", memory_dim)
        require_rate(dropout)
        self._causal, self._dropout, self._has_bias = causal, dropout, bias
        self.rotary = RotaryEmbedding() if rotary is True else rotary or None
        self._widths = heads * self._key_dim, self._kv_heads * self._key_dim, self._kv_heads * self._value_dim
        self._make_parameters(memory_dim is not None)

    def _make_parameters(self, has_memory_weight: bool) -> None:
        width, memory = self._heads * self._value_dim, self._memory_dim
        parts = [glorot_uniform((size, n)) for size, n in zip((self._dim, memory, memory), self._widths, strict=True)]
        if has_memory_weight:
            self.weight, self.memory_weight = Parameter(parts[0]), Parameter(concat(parts[1:], 1))
        else:
            self.weight = Parameter(concat(parts, 1))
        self.output_weight = Parameter(glorot_uniform((width, self._dim)))
        if self._has_bias:
            self.bias, self.output_bias = Parameter(zeros((sum(self._widths),))), Parameter(zeros((self._dim,)))

    def make_cache(self, batch: int, length: int) -> KeyValueCache:
        """A cache without steps, with room for `length`, for inputs of `batch` sequences; of the dtype of the weights.

        ArgumentError for numbers below 1.

        >>> import tarazu as tz
        >>> tz.nn.MultiHeadAttention(4, 32, num_kv_heads=2).make_cache(1, 100).keys.shape
        (1, 2, 100, 8)
        """
        shape = positive_int("batch", batch), self._kv_heads, positive_int("length", length)
        keys, values = (full((*shape, size), 0.0, dtype=self.weight.dtype) for size in (self._key_dim, self._value_dim))
        return KeyValueCache(keys, values, full((), 0, dtype="int64"))

    def forward(self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None, *,
                mask: ArrayLike | None = None, attention_mask: ArrayLike | None = None,
                cache: KeyValueCache | None = None, return_weights: bool = False) -> Any:
        q, k, v = self._projections(query, key, value)
        before = None if cache is None else cache.steps
        if self.rotary is not None:
            start = 0 if before is None else before
            q, k = self.rotary(q, start=start), self.rotary(k, start=start)
        allowed = None if attention_mask is None else over_heads(attention_mask)
        if cache is not None and before is not None:
            cache = cache.extended(k, v)
            k, v = cache.keys, cache.values
            allowed = joined(cache_mask(before, q.shape[2], cache.length, causal=self._causal), allowed)
        if mask is not None:
            allowed = joined(padding_mask(mask, k.shape[0], k.shape[2]), allowed)
        y, weights = self._attend(q, self._for_all_heads(k), self._for_all_heads(v), allowed,
                                  causal=self._causal and cache is None, wants_weights=return_weights)
        y = matmul(merge_heads(y), self.output_weight)
        y = y + self.output_bias if self._has_bias else y
        results = (y, *([weights] if return_weights else []), *([] if cache is None else [cache]))
        return results if len(results) > 1 else y

    def _projections(self, query: Tensor, key: Tensor | None, value: Tensor | None) -> tuple[Tensor, ...]:
        """Queries, keys and values of each head; one product where they come from one tensor."""
        if key is None and self._memory_dim == self._dim and "memory_weight" not in vars(self):
            return self._split(self._project(query, 0, 3), 0, 3)
        if key is None:
            raise ArgumentError("a call without key", expected=f"a query and a key of {self._memory_dim} features, as "
                                                               "memory_dim says", fix="call layer(query, key)")
        inputs = query, key, key if value is None else value
        return tuple(self._split(self._project(x, i, i + 1), i, i + 1)[0] for i, x in enumerate(inputs))

    def _project(self, x: Tensor, first: int, last: int) -> Tensor:
        """`x` projected by parts `first` up to but not with `last` of the weight: queries 0, keys 1, values 2."""
        require_sequences(x)
        size = self._dim if first == 0 else self._memory_dim
        if x.shape[-1] != size:
            raise ShapeError(f"an input of shape {tuple(x.shape)}", expected=f"shape (batch, time, {size})",
                             fix=f"project it first: tz.nn.Dense({size})"
                                 + ("; or say how wide keys are: memory_dim=" if first else ""))
        start, stop = sum(self._widths[:first]), sum(self._widths[:last])
        if first and "memory_weight" in vars(self):
            weight = slice_axis(self.memory_weight, 1, start - self._widths[0], stop - self._widths[0])
        else:
            weight = slice_axis(self.weight, 1, start, stop)
        y = matmul(x, weight)
        return y + slice_axis(self.bias, 0, start, stop) if self._has_bias else y

    def _split(self, y: Tensor, first: int, last: int) -> tuple[Tensor, ...]:
        """Projections side by side as (batch, heads, time, size) each."""
        heads = self._heads, self._kv_heads, self._kv_heads
        if len({(w, h) for w, h in zip(self._widths[first:last], heads[first:last], strict=True)}) == 1:
            return split_heads(y, last - first, heads[first])
        ends = [sum(self._widths[:i]) for i in range(4)]
        return tuple(split_heads(slice_axis(y, 2, ends[i], ends[i + 1]), 1, heads[i])[0] for i in range(first, last))

    def _for_all_heads(self, x: Tensor) -> Tensor:
        """Keys or values, each head as often as heads of queries share it."""
        if self._kv_heads == self._heads:
            return x
        batch, heads, time, size = x.shape
        shared = broadcast_to(expand_dims(x, 2), (batch, heads, self._heads // heads, time, size))
        return reshape(shared, (batch, self._heads, time, size))

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, *, causal: bool,
                wants_weights: bool) -> tuple[Tensor, Tensor | None]:
        """The outputs of the heads, and the weights where they are asked for, before some are dropped."""
        drops = bool(self._dropout) and self.training
        if not (drops or wants_weights):
            return scaled_dot_product_attention(q, k, v, mask=mask, causal=causal), None
        weights = attention_weights(q, k, mask, causal=causal, scale=usual_scale(q.shape[-1]))
        return matmul(random.dropout(weights, self._dropout) if drops else weights, v), weights
