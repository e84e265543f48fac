"""Dense layers, embeddings, activations, and layers that change shapes or drop parts of the signal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.interop.keras import activations
from tarazu.interop.keras.options import Options
from tarazu.interop.keras.own_layers import MaskingEmbedding, RoundingEmbedding, TimeDistributed
from tarazu.nn.layers.activation import Activation, PReLU
from tarazu.nn.layers.dense import Dense
from tarazu.nn.layers.einsum_dense import EinsumDense
from tarazu.nn.layers.noise import GaussianDropout, GaussianNoise
from tarazu.nn.layers.regularization import (
    AlphaDropout,
    Dropout,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    StochasticDepth,
)
from tarazu.nn.layers.reshaping import Flatten, Identity, Permute, RepeatVector, Reshape
from tarazu.nn.layers.sequences.masks import Masking
from tarazu.nn.module.module import Module

Maker = Callable[[Options], Module]


def _dense(options: Options) -> Module:
    has_bias = options.take("use_bias")
    kernel = options.weights("weight", *["bias"] * has_bias)[0]
    return Dense(options.size("units", kernel, 1), options.activation(), in_features=kernel.shape[0], bias=has_bias)


def _einsum_dense(options: Options) -> Module:
    bias_axes = options.take("bias_axes")
    options.weights("weight", *["bias"] * bool(bias_axes))
    return EinsumDense(options.take("equation"), options.take("output_shape"), options.activation(), bias_axes)


def _embedding(options: Options) -> Module:
    [table] = options.weights("weight")
    sizes = options.size("input_dim", table, 0), options.size("output_dim", table, 1)
    options.require("input_length", None, *[n for n in [options.config.get("input_length")] if isinstance(n, int)])
    return MaskingEmbedding(*sizes) if options.take("mask_zero") else RoundingEmbedding(*sizes)


def _activation(function: Callable[[Options], Any]) -> Maker:
    return lambda options: Activation(function(options))


def _prelu(options: Options) -> Module:
    """The slopes of Keras have the shape of a sample; ours one for each channel, or one for all."""
    [slopes] = options.weights("weight")
    options.take("shared_axes")
    if slopes.size == 1 and isinstance(options.input_shape, list | tuple):
        options.tensors["weight"] = slopes.reshape(1)
        return PReLU(options.input_shape[-1], shared=True)
    if slopes.size != slopes.shape[-1]:
        raise options.place.refused(f"slopes of shape {slopes.shape}", "one for each channel: shared_axes of all axes "
                                    "but the last")
    options.tensors["weight"] = slopes.reshape(-1)
    return PReLU(slopes.size)


def _rate(kind: Callable[[float], Module]) -> Maker:
    def make(options: Options) -> Module:
        options.require("noise_shape", None)
        options.require("data_format", "channels_last")
        return kind(options.take("rate"))
    return make


def _dropout(options: Options) -> Module:
    """Dropout; where `noise_shape` is 1 on all axes but the first, as in EfficientNet, whole samples are dropped."""
    shape = options.take("noise_shape", None)
    if shape and shape[0] is None and set(shape[1:]) == {1}:
        return StochasticDepth(options.take("rate"))
    return _rate(Dropout)(options)


def _flatten(options: Options) -> Module:
    options.require("data_format", "channels_last")
    return Flatten()


def _reshape(options: Options) -> Module:
    return Reshape(tuple(-1 if n is None else n for n in options.take("target_shape")))


def _no_penalty(options: Options) -> Module:
    options.require("l1", 0.0)
    options.require("l2", 0.0)
    return Identity()


def _time_distributed(options: Options) -> Module:
    return TimeDistributed(options.child(options.take("layer"), "layer"))


def zeros(*shape: int) -> np.ndarray:
    """Zeros of float32, for a bias that a layer of Keras lacks."""
    return np.zeros(shape, np.float32)


CORE: dict[str, Maker] = {
    "Dense": _dense, "EinsumDense": _einsum_dense, "Embedding": _embedding, "PReLU": _prelu,
    **{name: _activation(function) for name, function in activations.LAYERS.items()},
    "Dropout": _dropout, "SpatialDropout1D": _rate(SpatialDropout1D),
    "SpatialDropout2D": _rate(SpatialDropout2D), "SpatialDropout3D": _rate(SpatialDropout3D),
    "GaussianDropout": _rate(GaussianDropout), "AlphaDropout": _rate(AlphaDropout),
    "GaussianNoise": lambda options: GaussianNoise(options.take("stddev")),
    "Flatten": _flatten, "Reshape": _reshape, "Identity": lambda options: Identity(),
    "Permute": lambda options: Permute(options.take("dims")),
    "RepeatVector": lambda options: RepeatVector(options.take("n")),
    "Masking": lambda options: Masking(options.take("mask_value")),
    "ActivityRegularization": _no_penalty, "TimeDistributed": _time_distributed}
