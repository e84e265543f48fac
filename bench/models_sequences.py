"""Transformers, a WaveNet and bags of words, as users of Tarazu write them."""

from __future__ import annotations

import functools

from workloads import CLASSES, DILATIONS, Workload

from tarazu import Tensor, gelu, relu, sigmoid, tanh
from tarazu.nn import (
    Conv1D,
    Conv2D,
    Dense,
    Embedding,
    GlobalAvgPool1D,
    LayerNorm,
    Module,
    PositionalEmbedding,
    Reshape,
    Sequential,
    TransformerEncoderLayer,
)
from tarazu.nn.init import random_normal


def blocks(workload: Workload, *, causal: bool) -> list[Module]:
    """Layers that normalize their inputs, and a norm of the last result; GELU as in GPT-2 where they are causal."""
    layers, width, heads = workload.widths
    activation = functools.partial(gelu, approximate=causal)
    return [*[TransformerEncoderLayer(heads, width, feedforward=4 * width, dropout=0.0, activation=activation,
                                      norm_first=True, causal=causal) for _ in range(layers)], LayerNorm(width)]


def gpt(workload: Workload, *, tied: bool = False) -> Sequential:
    """Tokens (batch, time) to logits of the tokens at each step; `tied` to the first weights as in GPT-2."""
    _, width, _ = workload.widths
    tokens = Embedding(workload.vocabulary, width, initializer=random_normal(std=0.02))
    head = tokens.as_output() if tied else Dense(workload.vocabulary, in_features=width)
    return Sequential([tokens, PositionalEmbedding(*workload.shape, width), *blocks(workload, causal=True), head])


def vit(workload: Workload) -> Sequential:
    """Pictures (batch, 32, 32, 3) in patches of 4 x 4 to 10 logits, from the mean over patches."""
    _, width, _ = workload.widths
    patches = [Conv2D(width, 4, 4), Reshape((64, width)), PositionalEmbedding(64, width)]
    return Sequential([*patches, *blocks(workload, causal=False), GlobalAvgPool1D(), Dense(CLASSES)])


class Gated(Module):
    """A causal convolution through a gate; gives what is added to the input, and what goes to the output."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.value, self.gate = (Conv1D(width, 2, padding="causal", dilation=dilation) for _ in range(2))
        self.residual, self.skip = Dense(width), Dense(width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = tanh(self.value(x)) * sigmoid(self.gate(x))
        return x + self.residual(y), self.skip(y)


class WaveNet(Module):
    """Signals (batch, time, 1) to logits (batch, time, 10) of each step (van den Oord and others, 2016)."""

    def __init__(self, workload: Workload) -> None:
        super().__init__()
        (width,) = workload.widths
        self.first, self.layers = Dense(width), [Gated(width, dilation) for dilation in DILATIONS]
        self.hidden, self.head = Dense(width, "relu"), Dense(CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x, skips = self.first(x), []
        for layer in self.layers:
            x, skip = layer(x)
            skips.append(skip)
        return self.head(self.hidden(relu(sum(skips[1:], skips[0]))))


def bags(workload: Workload) -> Sequential:
    """The mean of the vectors of tokens (batch, 32), then 10 logits."""
    return Sequential([Embedding(workload.vocabulary, *workload.widths), GlobalAvgPool1D(), Dense(CLASSES)])
