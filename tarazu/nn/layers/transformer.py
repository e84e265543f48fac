"""The layer that encoders of transformers are stacks of."""

from __future__ import annotations

from typing import Any

from tarazu.nn.layers.attention import MultiHeadAttention
from tarazu.nn.layers.dense import Dense
from tarazu.nn.layers.normalization import LayerNorm
from tarazu.nn.layers.regularization import Dropout
from tarazu.nn.module.module import Module


class TransformerEncoderLayer(Module):
    """Self-attention, then two dense layers at each step, each added to what it got: (batch, time, dim) to the same.

    Vaswani et al., 2017. The dense layers have `feedforward` and `dim` units, `activation` between them. Each sum is
    normalized; with `norm_first` instead what goes into attention and dense layers (Xiong et al., 2020), which trains
    without a warm-up. In training `dropout` drops a share of the attention weights, of the hidden units and of both
    results. `causal` and the option `mask` of the call are those of `MultiHeadAttention`. The defaults are torch's.

    >>> import tarazu as tz
    >>> tz.nn.TransformerEncoderLayer(4, 32, feedforward=64)(tz.ones((2, 10, 32))).shape
    (2, 10, 32)
    """

    def __init__(self, heads: int, dim: int, *, feedforward: int = 2048, dropout: float = 0.1,
                 activation: Any = "relu", norm_first: bool = False, causal: bool = False) -> None:
        self.attention = MultiHeadAttention(heads, dim, causal=causal, dropout=dropout)
        self.hidden = Dense(feedforward, activation, in_features=dim)
        self.output = Dense(dim, in_features=feedforward)
        self.attention_norm, self.output_norm = LayerNorm(dim), LayerNorm(dim)
        self.dropout = Dropout(dropout)
        self._norm_first = norm_first

    def forward(self, x: Any, *, mask: Any = None) -> Any:
        if self._norm_first:
            x = x + self._attended(self.attention_norm(x), mask)
            return x + self._fed_forward(self.output_norm(x))
        x = self.attention_norm(x + self._attended(x, mask))
        return self.output_norm(x + self._fed_forward(x))

    def _attended(self, x: Any, mask: Any) -> Any:
        return self.dropout(self.attention(x, mask=mask))

    def _fed_forward(self, x: Any) -> Any:
        return self.dropout(self.output(self.dropout(self.hidden(x))))
