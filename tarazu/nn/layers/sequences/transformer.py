"""Layers of transformers: attention and dense layers with residual connections and normalization."""

from __future__ import annotations

from typing import Any

from tarazu.nn.layers.activation import ActivationFunction
from tarazu.nn.layers.dense import Dense
from tarazu.nn.layers.normalization import LayerNorm
from tarazu.nn.layers.regularization import Dropout
from tarazu.nn.layers.sequences.attention import MultiHeadAttention
from tarazu.nn.layers.sequences.key_value_cache import KeyValueCache
from tarazu.nn.layers.sequences.positions import RotaryEmbedding
from tarazu.nn.module.module import Module
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor


class _TransformerLayer(Module):
    """What encoder and decoder layers share: self-attention, the dense layers, and the calls of both."""

    def _make(self, heads: int, dim: int, *, feedforward: int, dropout: float,
              activation: str | ActivationFunction | None, norm_first: bool, causal: bool, num_kv_heads: int | None,
              rotary: bool | RotaryEmbedding, epsilon: float) -> None:
        self.attention = MultiHeadAttention(heads, dim, causal=causal, dropout=dropout, num_kv_heads=num_kv_heads,
                                            rotary=rotary)
        self.hidden = Dense(feedforward, activation, in_features=dim)
        self.output = Dense(dim, in_features=feedforward)
        self.attention_norm, self.output_norm = (LayerNorm(dim, epsilon=epsilon) for _ in range(2))
        self.dropout = Dropout(dropout)
        self._norm_first = norm_first

    def make_cache(self, batch: int, length: int) -> KeyValueCache:
        """A cache of the self-attention, without steps, as `MultiHeadAttention.make_cache` makes it.

        >>> import tarazu as tz
        >>> tz.nn.TransformerEncoderLayer(4, 32, causal=True).make_cache(1, 100).length
        100
        """
        return self.attention.make_cache(batch, length)

    def _self_attention(self, x: Tensor, mask: ArrayLike | None, attention_mask: ArrayLike | None,
                        cache: KeyValueCache | None) -> tuple[Tensor, KeyValueCache | None]:
        """`x` with what its steps get from each other, and the next cache."""
        y = self.attention_norm(x) if self._norm_first else x
        y = self.attention(y, mask=mask, attention_mask=attention_mask, cache=cache)
        if cache is not None:
            y, cache = y
        x = x + self.dropout(y)
        return x if self._norm_first else self.attention_norm(x), cache

    def _feed_forward(self, x: Tensor) -> Tensor:
        y = self.hidden(self.output_norm(x) if self._norm_first else x)
        x = x + self.dropout(self.output(self.dropout(y)))
        return x if self._norm_first else self.output_norm(x)


class TransformerEncoderLayer(_TransformerLayer):
    """Self-attention, then two dense layers at each step, each added to its input: (batch, time, dim) to the same.

    Vaswani and others, 2017. The dense layers have `feedforward` and `dim` units, with `activation` between them. Each
    sum goes through a layer norm; with `norm_first` the inputs of attention and dense layers do instead (Xiong and
    others, 2020), which trains without a warm-up; `epsilon` is that of the norms. In training `dropout` drops a share
    of the attention weights, of the hidden units and of both results. `causal`, `num_kv_heads`, `rotary`, the options
    `mask` (of padded steps), `attention_mask` and `cache` of the call and the errors are those of `MultiHeadAttention`:
    causal layers make a model of text that goes on with itself, and with a cache it sees each step once. The defaults
    are torch's.

    >>> import tarazu as tz
    >>> tz.nn.TransformerEncoderLayer(4, 32, feedforward=64)(tz.ones((2, 10, 32))).shape
    (2, 10, 32)
    """

    def __init__(self, heads: int, dim: int, *, feedforward: int = 2048, dropout: float = 0.1,
                 activation: str | ActivationFunction | None = "relu", norm_first: bool = False, causal: bool = False,
                 num_kv_heads: int | None = None, rotary: bool | RotaryEmbedding = False,
                 epsilon: float = 1e-5) -> None:
        self._make(heads, dim, feedforward=feedforward, dropout=dropout, activation=activation, norm_first=norm_first,
                   causal=causal, num_kv_heads=num_kv_heads, rotary=rotary, epsilon=epsilon)

    def forward(self, x: Tensor, *, mask: ArrayLike | None = None, attention_mask: ArrayLike | None = None,
                cache: KeyValueCache | None = None) -> Any:
        x, next_cache = self._self_attention(x, mask, attention_mask, cache)
        y = self._feed_forward(x)
        return y if cache is None else (y, next_cache)


class TransformerDecoderLayer(_TransformerLayer):
    """Causal self-attention, attention to a memory, then two dense layers, each added to its input.

    Called with `x` (batch, time, dim) and `memory` (batch, memory time, memory_dim), such as the output of encoder
    layers; the result has the shape of `x` (Vaswani and others, 2017). `memory_dim` is `dim` unless given. Options of
    the call: `mask` and `attention_mask` for `x`, `memory_mask` (batch, memory time) for padded steps of the memory,
    and `cache`, as for `MultiHeadAttention`. With `causal=False` steps attend to later ones too. All else is as in
    `TransformerEncoderLayer`.

    >>> import tarazu as tz
    >>> layer = tz.nn.TransformerDecoderLayer(4, 32, feedforward=64)
    >>> layer(tz.ones((2, 10, 32)), tz.ones((2, 7, 32))).shape
    (2, 10, 32)
    """

    def __init__(self, heads: int, dim: int, *, feedforward: int = 2048, dropout: float = 0.1,
                 activation: str | ActivationFunction | None = "relu", norm_first: bool = False, causal: bool = True,
                 num_kv_heads: int | None = None, rotary: bool | RotaryEmbedding = False,
                 memory_dim: int | None = None, epsilon: float = 1e-5) -> None:
        self._make(heads, dim, feedforward=feedforward, dropout=dropout, activation=activation, norm_first=norm_first,
                   causal=causal, num_kv_heads=num_kv_heads, rotary=rotary, epsilon=epsilon)
        self.memory_attention = MultiHeadAttention(heads, dim, dropout=dropout, num_kv_heads=num_kv_heads,
                                                   memory_dim=memory_dim)
        self.memory_norm = LayerNorm(dim, epsilon=epsilon)

    def forward(self, x: Tensor, memory: Tensor, *, mask: ArrayLike | None = None,
                attention_mask: ArrayLike | None = None, memory_mask: ArrayLike | None = None,
                cache: KeyValueCache | None = None) -> Any:
        x, next_cache = self._self_attention(x, mask, attention_mask, cache)
        y = self._feed_forward(self._attend_to_memory(x, memory, memory_mask))
        return y if cache is None else (y, next_cache)

    def _attend_to_memory(self, x: Tensor, memory: Tensor, mask: ArrayLike | None) -> Tensor:
        y = self.memory_attention(self.memory_norm(x) if self._norm_first else x, memory, mask=mask)
        x = x + self.dropout(y)
        return x if self._norm_first else self.memory_norm(x)
