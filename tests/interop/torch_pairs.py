"""The kinds of layers that torch has too: each here, and what makes the same of `torch.nn`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tarazu as tz


class Pair(NamedTuple):
    """A layer, the same of `torch.nn`, and the shapes of the inputs here; with `channels` axis 1 is the last here."""

    here: Callable[[], tz.nn.Module]
    there: Callable[[Any], Any]
    shapes: tuple[tuple[int, ...], ...]
    channels: bool = False
    codes: int = 0  # inputs are whole numbers below this
    biases: str = "the same"  # or "none", or "summed": two in torch that are one here, each of which takes the step


def sequence(kind: Any, **options: Any) -> Callable[[], tz.nn.Module]:
    return lambda: kind(5, return_sequences=True, **options)


nn = tz.nn
PICTURES, STEPS = ((2, 6, 7, 4),), ((2, 6, 4),)
PAIRS = {
    "dense": Pair(lambda: nn.Dense(3), lambda t: t.Linear(4, 3), STEPS),
    "square dense": Pair(lambda: nn.Dense(4), lambda t: t.Linear(4, 4), STEPS),
    "dense without bias": Pair(lambda: nn.Dense(3, bias=False), lambda t: t.Linear(4, 3, bias=False), STEPS),
    "convolution of sequences": Pair(lambda: nn.Conv1D(3, 2), lambda t: t.Conv1d(4, 3, 2), STEPS, True),
    "convolution": Pair(lambda: nn.Conv2D(3, (3, 2), padding=1, strides=2),
                        lambda t: t.Conv2d(4, 3, (3, 2), padding=1, stride=2), PICTURES, True),
    "convolution in groups": Pair(lambda: nn.Conv2D(6, 3, groups=2), lambda t: t.Conv2d(4, 6, 3, groups=2), PICTURES,
                                  True),
    "convolution of volumes": Pair(lambda: nn.Conv3D(3, 2), lambda t: t.Conv3d(4, 3, 2), ((2, 3, 4, 5, 4),), True),
    "depthwise of sequences": Pair(lambda: nn.DepthwiseConv1D(3), lambda t: t.Conv1d(4, 4, 3, groups=4), STEPS, True),
    "depthwise": Pair(lambda: nn.DepthwiseConv2D(3, depth_multiplier=2), lambda t: t.Conv2d(4, 8, 3, groups=4),
                      PICTURES, True),
    "separable of sequences": Pair(lambda: nn.SeparableConv1D(5, 3), lambda t: t.Sequential(
        t.Conv1d(4, 4, 3, groups=4, bias=False), t.Conv1d(4, 5, 1)), STEPS, True),
    "separable": Pair(lambda: nn.SeparableConv2D(5, 3), lambda t: t.Sequential(
        t.Conv2d(4, 4, 3, groups=4, bias=False), t.Conv2d(4, 5, 1)), PICTURES, True),
    "transposed of sequences": Pair(lambda: nn.Conv1DTranspose(3, 3, 2), lambda t: t.ConvTranspose1d(4, 3, 3, 2), STEPS,
                                    True),
    "transposed": Pair(lambda: nn.Conv2DTranspose(3, (3, 2), 2), lambda t: t.ConvTranspose2d(4, 3, (3, 2), 2), PICTURES,
                       True),
    "transposed in groups": Pair(lambda: nn.Conv2DTranspose(6, 3, groups=2),
                                 lambda t: t.ConvTranspose2d(4, 6, 3, groups=2), PICTURES, True),
    "transposed of volumes": Pair(lambda: nn.Conv3DTranspose(3, 2), lambda t: t.ConvTranspose3d(4, 3, 2),
                                  ((2, 3, 4, 5, 4),), True),
    "batch norm": Pair(lambda: nn.BatchNorm(), lambda t: t.BatchNorm1d(4), ((9, 4),)),
    "batch norm of images": Pair(lambda: nn.BatchNorm(), lambda t: t.BatchNorm2d(4), PICTURES, True),
    "batch norm without weights": Pair(lambda: nn.BatchNorm(affine=False), lambda t: t.BatchNorm1d(4, affine=False),
                                       ((9, 4),)),
    "layer norm": Pair(lambda: nn.LayerNorm(), lambda t: t.LayerNorm(4), STEPS),
    "layer norm of two axes": Pair(lambda: nn.LayerNorm((6, 4)), lambda t: t.LayerNorm((6, 4)), STEPS),
    "group norm": Pair(lambda: nn.GroupNorm(2), lambda t: t.GroupNorm(2, 4), PICTURES, True),
    "instance norm": Pair(lambda: nn.InstanceNorm(), lambda t: t.InstanceNorm2d(4, affine=True), PICTURES, True),
    "rms norm": Pair(lambda: nn.RMSNorm(), lambda t: t.RMSNorm(4, eps=1e-5), STEPS),
    "embedding": Pair(lambda: nn.Embedding(9, 4), lambda t: t.Embedding(9, 4), ((2, 6),), codes=9),
    "bilinear": Pair(lambda: nn.Bilinear(3), lambda t: t.Bilinear(4, 5, 3), ((2, 4), (2, 5))),
    "prelu": Pair(lambda: nn.PReLU(), lambda t: t.PReLU(4), ((2, 4),)),
    "prelu with one slope": Pair(lambda: nn.PReLU(shared=True), lambda t: t.PReLU(), STEPS),
    "weight norm": Pair(lambda: nn.WeightNorm(nn.Dense(3)),
                        lambda t: t.utils.parametrizations.weight_norm(t.Linear(4, 3)), STEPS),
    "weight norm by hooks": Pair(lambda: nn.WeightNorm(nn.Dense(3)), lambda t: t.utils.weight_norm(t.Linear(4, 3)),
                                 STEPS),
    "weight norm of a convolution": Pair(lambda: nn.WeightNorm(nn.Conv2D(3, 2)),
                                         lambda t: t.utils.parametrizations.weight_norm(t.Conv2d(4, 3, 2)), PICTURES,
                                         True),
    "weight norm of a transposed one": Pair(
        lambda: nn.WeightNorm(nn.Conv2DTranspose(3, 2)),
        lambda t: t.utils.parametrizations.weight_norm(t.ConvTranspose2d(4, 3, 2)), PICTURES, True),
    "spectral norm": Pair(lambda: nn.SpectralNorm(nn.Dense(3)),
                          lambda t: t.utils.parametrizations.spectral_norm(t.Linear(4, 3)), STEPS),
    "spectral norm by hooks": Pair(lambda: nn.SpectralNorm(nn.Dense(3)),
                                   lambda t: t.utils.spectral_norm(t.Linear(4, 3)), STEPS),
    "spectral norm of a convolution": Pair(lambda: nn.SpectralNorm(nn.Conv2D(3, 2)),
                                           lambda t: t.utils.parametrizations.spectral_norm(t.Conv2d(4, 3, 2)),
                                           PICTURES, True),
    "lstm": Pair(sequence(nn.LSTM), lambda t: t.LSTM(4, 5, batch_first=True), STEPS, biases="summed"),
    "lstm without biases": Pair(sequence(nn.LSTM), lambda t: t.LSTM(4, 5, batch_first=True, bias=False), STEPS,
                                biases="none"),
    "gru": Pair(sequence(nn.GRU), lambda t: t.GRU(4, 5, batch_first=True), STEPS),
    "simple rnn": Pair(sequence(nn.SimpleRNN), lambda t: t.RNN(4, 5, batch_first=True), STEPS, biases="summed"),
    "both directions": Pair(lambda: nn.Bidirectional(nn.LSTM(5, True)),
                            lambda t: t.LSTM(4, 5, batch_first=True, bidirectional=True), STEPS, biases="summed"),
    "gru in both directions": Pair(lambda: nn.Bidirectional(nn.GRU(5, True)),
                                   lambda t: t.GRU(4, 5, batch_first=True, bidirectional=True), STEPS),
    "two layers": Pair(lambda: nn.Sequential(nn.LSTM(5, True), nn.LSTM(5, True)),
                       lambda t: t.LSTM(4, 5, num_layers=2, batch_first=True), STEPS, biases="summed"),
    "two layers in both directions": Pair(
        lambda: nn.Sequential(*(nn.Bidirectional(nn.GRU(5, True)) for _ in range(2))),
        lambda t: t.GRU(4, 5, num_layers=2, batch_first=True, bidirectional=True), STEPS),
    "lstm cell over time": Pair(lambda: nn.RNN(nn.LSTMCell(5), True), lambda t: t.LSTM(4, 5, batch_first=True), STEPS,
                                biases="summed"),
    "lstm cell": Pair(lambda: nn.LSTMCell(5), lambda t: t.LSTMCell(4, 5), ((2, 4),), biases="summed"),
    "gru cell": Pair(lambda: nn.GRUCell(5), lambda t: t.GRUCell(4, 5), ((2, 4),)),
    "rnn cell": Pair(lambda: nn.SimpleRNNCell(5), lambda t: t.RNNCell(4, 5), ((2, 4),), biases="summed"),
    "attention": Pair(lambda: nn.MultiHeadAttention(2, 4), lambda t: t.MultiheadAttention(4, 2, batch_first=True),
                      STEPS),
    "attention without biases": Pair(lambda: nn.MultiHeadAttention(2, 4, bias=False),
                                     lambda t: t.MultiheadAttention(4, 2, batch_first=True, bias=False), STEPS),
    "attention to others": Pair(lambda: nn.MultiHeadAttention(2, 4, memory_dim=3),
                                lambda t: t.MultiheadAttention(4, 2, kdim=3, vdim=3, batch_first=True),
                                ((2, 6, 4), (2, 5, 3), (2, 5, 3))),
    "encoder layer": Pair(lambda: nn.TransformerEncoderLayer(2, 4, feedforward=8, dropout=0.0),
                          lambda t: t.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True), STEPS),
    "encoder layer with norms first": Pair(
        lambda: nn.TransformerEncoderLayer(2, 4, feedforward=8, dropout=0.0, norm_first=True, activation="gelu"),
        lambda t: t.TransformerEncoderLayer(4, 2, 8, 0.0, "gelu", batch_first=True, norm_first=True), STEPS),
    "encoder": Pair(
        lambda: nn.Sequential(*(nn.TransformerEncoderLayer(2, 4, feedforward=8, dropout=0.0) for _ in range(2))),
        lambda t: t.TransformerEncoder(t.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True), 2), STEPS),
    "decoder layer": Pair(lambda: nn.TransformerDecoderLayer(2, 4, feedforward=8, dropout=0.0, causal=False),
                          lambda t: t.TransformerDecoderLayer(4, 2, 8, dropout=0.0, batch_first=True),
                          ((2, 6, 4), (2, 5, 4))),
    "flattened images": Pair(
        lambda: nn.Sequential(nn.Conv2D(3, 2), nn.BatchNorm(), nn.MaxPool2D(2), nn.Flatten(), nn.BatchNorm(),
                              nn.Dense(5), nn.BatchNorm(), nn.Dense(6)),
        lambda t: t.Sequential(t.Conv2d(4, 3, 2), t.BatchNorm2d(3), t.MaxPool2d(2), t.Flatten(), t.BatchNorm1d(18),
                               t.Linear(18, 5), t.BatchNorm1d(5), t.Linear(5, 6)), PICTURES, True),
}
