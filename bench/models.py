"""The small models of the benchmark, as users of Tarazu write them."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.nn import (
    LSTM,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    GlobalAvgPool1D,
    MaxPool2D,
    PositionalEmbedding,
    Sequential,
    TransformerEncoderLayer,
)


def mlp(widths: Sequence[int]) -> Sequential:
    """Dense layers with relu between them: `mlp([784, 128, 128, 10])` takes rows of 784 and gives 10 logits."""
    features, *hidden, classes = widths
    layers = [Dense(units, "relu", in_features=before)
              for before, units in zip([features, *hidden], hidden, strict=False)]
    return Sequential([*layers, Dense(classes, in_features=hidden[-1] if hidden else features)])


def cnn(padding: str = "valid") -> Sequential:
    """conv32 - pool - conv64 - pool - dense128 - 10, windows of 3 x 3, for pictures (batch, 28, 28, 1)."""
    return Sequential([Conv2D(32, 3, padding=padding, activation="relu"), MaxPool2D(2),
                       Conv2D(64, 3, padding=padding, activation="relu"), MaxPool2D(2),
                       Flatten(), Dense(128, "relu"), Dense(10)])


def lstm_classifier(units: int = 128) -> Sequential:
    """The last output of an LSTM, then 10 logits, for sequences (batch, 64, 32)."""
    return Sequential([LSTM(units), Dense(10)])


def transformer_classifier(vocabulary: int | None = None, *, dropout: float = 0.0) -> Sequential:
    """Two encoder layers of 128 features, 4 heads and 512 hidden units; the mean over 64 tokens, then 10 logits.

    Takes vectors (batch, 64, 128), or with a `vocabulary` the numbers of tokens (batch, 64).
    """
    tokens = [] if vocabulary is None else [Embedding(vocabulary, 128)]
    encoders = [TransformerEncoderLayer(4, 128, feedforward=512, dropout=dropout) for _ in range(2)]
    return Sequential([*tokens, PositionalEmbedding(64), *encoders, GlobalAvgPool1D(), Dense(10)])


def layer_classifier(heads: int, width: int, feedforward: int) -> Sequential:
    """One encoder layer, the mean over tokens, then 10 logits, for vectors (batch, tokens, width)."""
    return Sequential([TransformerEncoderLayer(heads, width, feedforward=feedforward, dropout=0.0), GlobalAvgPool1D(),
                       Dense(10)])
