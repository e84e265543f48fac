"""Layers of transformers: attention and dense layers with residual connections and normalization."""

from __future__ import annotations

from tarazu.nn.layers.activation import ActivationFunction
from tarazu.nn.layers.attention import MultiHeadAttention
from tarazu.nn.layers.dense import Dense
from tarazu.nn.layers.normalization import LayerNorm
from tarazu.nn.layers.regularization import Dropout
from tarazu.nn.module.module import Module
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor


class TransformerEncoderLayer(Module):
    """Self-attention, then two dense layers at each step, each added to its input: (batch, time, dim) to the same.

    Vaswani and others, 2017. The dense layers have `feedforward` and `dim` units, with `activation` between them. Each
    sum goes through a layer norm; with `norm_first` the inputs of attention and dense layers do instead (Xiong and
    others, 2020), which trains without a warm-up. In training `dropout` drops a share of the attention weights, of the
    hidden units and of both results. `causal`, the option `mask` of the call and the errors are those of
    `MultiHeadAttention`. The defaults are torch's.

    >>> import tarazu as tz
    >>> tz.nn.TransformerEncoderLayer(4, 32, feedforward=64)(tz.ones((2, 10, 32))).shape
    (2, 10, 32)
    """

    takes_attention_mask = True

    def __init__(self, heads: int, dim: int, *, feedforward: int = 2048, dropout: float = 0.1,
                 activation: str | ActivationFunction | None = "relu", norm_first: bool = False,
                 causal: bool = False) -> None:
        self.attention = MultiHeadAttention(heads, dim, causal=causal, dropout=dropout)
        self.hidden = Dense(feedforward, activation, in_features=dim)
        self.output = Dense(dim, in_features=feedforward)
        self.attention_norm, self.output_norm = LayerNorm(dim), LayerNorm(dim)
        self.dropout = Dropout(dropout)
        self._norm_first = norm_first

    def forward(self, x: Tensor, *, mask: ArrayLike | None = None) -> Tensor:
        if self._norm_first:
            x = x + self._attend(self.attention_norm(x), mask)
            return x + self._feed_forward(self.output_norm(x))
        x = self.attention_norm(x + self._attend(x, mask))
        return self.output_norm(x + self._feed_forward(x))

    def _attend(self, x: Tensor, mask: ArrayLike | None) -> Tensor:
        return self.dropout(self.attention(x, mask=mask))

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.output(self.dropout(self.hidden(x))))
