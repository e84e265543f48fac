"""The contract of layers: what each must do, tested on one row per layer."""

import copy
import pickle
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers import compilations, same_bits
from layer_programs import assert_compiled_as_eager
from own_layers import Branches, CrossAttention, Multilayer, OwnMemory, Residual, Scale, Twice, doubled

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.nn import (
    GRU,
    LSTM,
    RNN,
    Activation,
    AdaptiveAvgPool1D,
    AdaptiveAvgPool2D,
    AdaptiveAvgPool3D,
    AdaptiveMaxPool1D,
    AdaptiveMaxPool2D,
    AdaptiveMaxPool3D,
    AdditiveAttention,
    AlphaDropout,
    Attention,
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    BatchNorm,
    Bidirectional,
    Bilinear,
    CategoryEncoding,
    CenterCrop,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    Cropping1D,
    Cropping2D,
    Cropping3D,
    Dense,
    DepthwiseConv1D,
    DepthwiseConv2D,
    Discretization,
    Dropout,
    EinsumDense,
    Embedding,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
    GroupNorm,
    GRUCell,
    Hashing,
    Identity,
    Input,
    InstanceNorm,
    IntegerLookup,
    LayerNorm,
    LSTMCell,
    Masking,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    Model,
    MultiHeadAttention,
    Normalization,
    Permute,
    PixelShuffle,
    PixelUnshuffle,
    PositionalEmbedding,
    PReLU,
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
    RepeatVector,
    Rescaling,
    Reshape,
    Resizing,
    RMSNorm,
    RotaryEmbedding,
    SeparableConv1D,
    SeparableConv2D,
    Sequential,
    SimpleRNN,
    SimpleRNNCell,
    SinusoidalEmbedding,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    SpectralNorm,
    StackedRNNCells,
    StochasticDepth,
    StringLookup,
    TableFeatures,
    TextVectorization,
    TiedOutput,
    TransformerEncoderLayer,
    UnitNorm,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    WeightNorm,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from tarazu.nn.module.arguments import short_text


class Row(NamedTuple):
    """A layer, the shape of its input (`high` for integers below it), its output's shape, its number of parameters."""

    make: Any
    shape: tuple
    output: tuple
    parameters: int
    high: int | None = None
    differs_in_training: bool = False


ROWS = {
    "dense": Row(lambda: Dense(3), (5, 4), (5, 3), 15),
    "dense, given size": Row(lambda: Dense(3, "relu", in_features=4), (5, 4), (5, 3), 15),
    "dense without bias": Row(lambda: Dense(3, "tanh", bias=False), (5, 4), (5, 3), 12),
    "dense, initializers with numbers": Row(lambda: Dense(3, kernel_initializer=tz.nn.init.random_uniform(-1, 1),
                                                          bias_initializer=tz.nn.init.constant(0.5)), (5, 4), (5, 3),
                                            15),
    "dense on sequences": Row(lambda: Dense(3, tz.sigmoid, kernel_initializer="he_normal"), (5, 2, 4), (5, 2, 3), 15),
    "activation": Row(lambda: Activation("gelu"), (5, 4), (5, 4), 0),
    "activation by function": Row(lambda: Activation(doubled), (5, 4), (5, 4), 0),
    "activation that halves": Row(lambda: Activation("glu"), (5, 4), (5, 2), 0),
    "learned slopes": Row(PReLU, (5, 3, 4), (5, 3, 4), 4),
    "one learned slope": Row(lambda: PReLU(4, shared=True, initial=0.1), (5, 4), (5, 4), 1),
    "bilinear": Row(lambda: Twice(Bilinear(3, "tanh")), (5, 4), (5, 3), 51),
    "bilinear, given sizes": Row(lambda: Twice(Bilinear(3, in_features=(4, 4), bias=False)), (5, 2, 4), (5, 2, 3), 48),
    "einsum dense": Row(lambda: EinsumDense("btf,fhd->bthd", (None, 2, 3), "tanh", "hd"), (5, 3, 4), (5, 3, 2, 3), 30),
    "einsum dense, ellipsis": Row(lambda: EinsumDense("...f,hf->...h", 3), (5, 2, 4), (5, 2, 3), 12),
    "flatten": Row(Flatten, (5, 2, 3), (5, 6), 0),
    "dropout": Row(lambda: Dropout(0.5), (5, 40), (5, 40), 0, differs_in_training=True),
    "normalization": Row(lambda: Normalization().adapt(np.arange(12.0).reshape(3, 4)), (5, 4), (5, 4), 0),
    "inverse normalization": Row(lambda: Normalization((1, -1), mean=tz.ones((4, 1, 2)), variance=np.ones((4, 1, 2)),
                                                       invert=True), (5, 4, 3, 2), (5, 4, 3, 2), 0),
    "dropout of channels of sequences": Row(lambda: SpatialDropout1D(0.5), (5, 4, 8), (5, 4, 8), 0,
                                            differs_in_training=True),
    "dropout of channels": Row(lambda: SpatialDropout2D(0.5), (5, 3, 2, 8), (5, 3, 2, 8), 0, differs_in_training=True),
    "dropout of channels of volumes": Row(lambda: SpatialDropout3D(0.5), (5, 1, 3, 2, 8), (5, 1, 3, 2, 8), 0,
                                          differs_in_training=True),
    "alpha dropout": Row(lambda: AlphaDropout(0.5), (5, 40), (5, 40), 0, differs_in_training=True),
    "stochastic depth": Row(lambda: StochasticDepth(0.5), (20, 3), (20, 3), 0, differs_in_training=True),
    "noise": Row(lambda: GaussianNoise(0.1), (5, 4), (5, 4), 0, differs_in_training=True),
    "noise as factor": Row(lambda: GaussianDropout(0.1), (5, 4), (5, 4), 0, differs_in_training=True),
    "random flip": Row(RandomFlip, (5, 4, 3, 2), (5, 4, 3, 2), 0, differs_in_training=True),
    "random crop": Row(lambda: RandomCrop(3, 2, padding=2), (5, 4, 3, 2), (5, 3, 2, 2), 0, differs_in_training=True),
    "random rotation": Row(lambda: RandomRotation(0.2), (5, 4, 3, 2), (5, 4, 3, 2), 0, differs_in_training=True),
    "random zoom": Row(lambda: RandomZoom((-0.4, -0.2), 0.1, "border"), (5, 4, 3, 2), (5, 4, 3, 2), 0,
                       differs_in_training=True),
    "random translation": Row(lambda: RandomTranslation(0.2, (0.1, 0.3), "zeros"), (5, 4, 3, 2), (5, 4, 3, 2), 0,
                              differs_in_training=True),
    "random brightness": Row(lambda: RandomBrightness(0.2), (5, 4, 3, 2), (5, 4, 3, 2), 0, differs_in_training=True),
    "random contrast": Row(lambda: RandomContrast(0.2, (-3, 3)), (5, 4, 3, 2), (5, 4, 3, 2), 0,
                           differs_in_training=True),
    "random erasing": Row(lambda: RandomErasing(1.0, (0.2, 0.4), value=9.0), (5, 4, 3, 2), (5, 4, 3, 2), 0,
                          differs_in_training=True),
    "batch norm": Row(BatchNorm, (5, 4), (5, 4), 8, differs_in_training=True),
    "batch norm on images": Row(lambda: BatchNorm(3), (5, 2, 2, 3), (5, 2, 2, 3), 6, differs_in_training=True),
    "batch norm alone": Row(lambda: BatchNorm(affine=False), (5, 4), (5, 4), 0, differs_in_training=True),
    "layer norm": Row(LayerNorm, (5, 4), (5, 4), 8),
    "layer norm, given size": Row(lambda: LayerNorm(4, epsilon=1e-3), (5, 4), (5, 4), 8),
    "layer norm over axes": Row(lambda: LayerNorm(axis=(1, 3)), (5, 4, 2, 3), (5, 4, 2, 3), 24),
    "layer norm over the last axes": Row(lambda: LayerNorm((2, 3)), (5, 4, 2, 3), (5, 4, 2, 3), 12),
    "layer norm alone": Row(lambda: LayerNorm(axis=1, affine=False), (5, 4, 2), (5, 4, 2), 0),
    "rms norm": Row(RMSNorm, (5, 4), (5, 4), 4),
    "group norm": Row(lambda: GroupNorm(2), (5, 3, 2, 4), (5, 3, 2, 4), 8),
    "instance norm": Row(lambda: InstanceNorm(4, affine=False), (5, 3, 4), (5, 3, 4), 0),
    "unit norm": Row(UnitNorm, (5, 4), (5, 4), 0),
    "weight norm": Row(lambda: WeightNorm(Dense(3, "tanh")), (5, 4), (5, 3), 18),
    "weight norm of a convolution": Row(lambda: WeightNorm(Conv2D(3, 2, in_channels=2), axis=2), (5, 3, 2, 2),
                                        (5, 2, 1, 3), 29),
    "spectral norm": Row(lambda: SpectralNorm(Dense(3), iterations=30), (5, 4), (5, 3), 15),
    "embedding": Row(lambda: Embedding(7, 3), (5, 2), (5, 2, 3), 21, high=7),
    "embedding with padding": Row(lambda: Sequential([Embedding(7, 3, padding_idx=0, mask=True), GlobalAvgPool1D()]),
                                  (5, 2), (5, 3), 21, high=7),
    "vectorized texts": Row(lambda: Sequential([TextVectorization(vocabulary=list("abcde")), Embedding(7, 3)]),
                            (5, 2), (5, 2, 3), 21, high=7),
    "looked up texts": Row(lambda: Sequential([StringLookup(vocabulary=["a", "b"]), Embedding(7, 3)]), (5, 2),
                           (5, 2, 3), 21, high=7),
    "looked up integers": Row(lambda: IntegerLookup(vocabulary=[5, 3], output_mode="count"), (5, 2), (5, 3), 0, high=7),
    "categories": Row(lambda: CategoryEncoding(7), (5, 2), (5, 7), 0, high=7),
    "bins": Row(lambda: Discretization([-0.5, 0.5], output_mode="one_hot"), (5, 2), (5, 2, 3), 0),
    "hashes": Row(lambda: Hashing(4, output_mode="multi_hot"), (5, 2), (5, 4), 0, high=7),
    "table features": Row(lambda: TableFeatures(2, [(4, 3), (4, 2)]), (5, 4), (5, 7), 20, high=4),
    "conv": Row(lambda: Conv2D(3, 2, activation="tanh"), (5, 4, 3, 2), (5, 3, 2, 3), 27),
    "conv, all options": Row(lambda: Conv2D(4, (3, 2), (2, 1), "same", 2, "silu", dilation=(1, 2), in_channels=2,
                                            kernel_initializer="he_normal"), (5, 4, 3, 2), (5, 2, 3, 4), 28),
    "conv without bias": Row(lambda: Conv2D(2, 3, padding=1, bias=False), (5, 2, 2, 1), (5, 2, 2, 2), 18),
    "conv on sequences": Row(lambda: Conv1D(3, 2, padding="causal", bias_initializer="ones"), (5, 4, 2), (5, 4, 3), 15),
    "conv on volumes": Row(lambda: Conv3D(2, 2, (1, 2, 1), "same", 2, bias=False), (5, 2, 3, 2, 2), (5, 2, 2, 2, 2),
                           16),
    "transposed conv on sequences": Row(lambda: Conv1DTranspose(3, 2, 2, activation="tanh"), (5, 3, 2), (5, 6, 3), 15),
    "transposed conv": Row(lambda: Conv2DTranspose(4, (3, 2), 2, "same", 2, output_padding=(1, 0), dilation=(1, 2)),
                           (5, 2, 3, 2), (5, 5, 6, 4), 28),
    "transposed conv on volumes": Row(lambda: Conv3DTranspose(2, 2, in_channels=1, bias=False), (5, 2, 1, 2, 1),
                                      (5, 3, 2, 3, 2), 16),
    "depthwise conv on sequences": Row(lambda: DepthwiseConv1D(2, padding="same"), (5, 4, 3), (5, 4, 3), 9),
    "depthwise conv": Row(lambda: DepthwiseConv2D(2, depth_multiplier=2, activation="tanh"), (5, 3, 4, 2), (5, 2, 3, 4),
                          20),
    "separable conv on sequences": Row(lambda: SeparableConv1D(3, 2, padding="causal"), (5, 4, 2), (5, 4, 3), 4 + 9),
    "separable conv": Row(lambda: SeparableConv2D(3, 2, 2, depth_multiplier=2, in_channels=2, bias=False), (5, 4, 5, 2),
                          (5, 2, 2, 3), 16 + 12),
    "max pool": Row(lambda: MaxPool2D(2), (5, 4, 5, 2), (5, 2, 2, 2), 0),
    "max pool of sequences": Row(lambda: MaxPool1D(3, 2, "same"), (5, 4, 2), (5, 2, 2), 0),
    "max pool of volumes": Row(lambda: MaxPool3D((1, 2, 2)), (5, 2, 4, 2, 2), (5, 2, 2, 1, 2), 0),
    "average pool": Row(lambda: AvgPool2D(3, 1, "same"), (5, 4, 5, 2), (5, 4, 5, 2), 0),
    "average pool of sequences": Row(lambda: AvgPool1D(2), (5, 5, 2), (5, 2, 2), 0),
    "average pool of volumes": Row(lambda: AvgPool3D(2, 1), (5, 2, 3, 2, 2), (5, 1, 2, 1, 2), 0),
    "adaptive max pool of sequences": Row(lambda: AdaptiveMaxPool1D(2), (5, 5, 2), (5, 2, 2), 0),
    "adaptive max pool": Row(lambda: AdaptiveMaxPool2D((2, 3)), (5, 5, 3, 2), (5, 2, 3, 2), 0),
    "adaptive max pool of volumes": Row(lambda: AdaptiveMaxPool3D(2), (5, 3, 2, 4, 1), (5, 2, 2, 2, 1), 0),
    "adaptive average pool of sequences": Row(lambda: AdaptiveAvgPool1D(2), (5, 5, 2), (5, 2, 2), 0),
    "adaptive average pool": Row(lambda: AdaptiveAvgPool2D((2, 3)), (5, 5, 3, 2), (5, 2, 3, 2), 0),
    "adaptive average pool of volumes": Row(lambda: AdaptiveAvgPool3D(2), (5, 3, 2, 4, 1), (5, 2, 2, 2, 1), 0),
    "global average pool": Row(GlobalAvgPool2D, (5, 4, 3, 2), (5, 2), 0),
    "global average pool of volumes": Row(GlobalAvgPool3D, (5, 2, 4, 3, 2), (5, 2), 0),
    "global max pool": Row(GlobalMaxPool2D, (5, 4, 3, 2), (5, 2), 0),
    "global max pool of volumes": Row(GlobalMaxPool3D, (5, 2, 4, 3, 2), (5, 2), 0),
    "maximum over time": Row(GlobalMaxPool1D, (5, 4, 3), (5, 3), 0),
    "upsampling of sequences": Row(lambda: UpSampling1D(3, "linear"), (5, 4, 2), (5, 12, 2), 0),
    "upsampling": Row(UpSampling2D, (5, 2, 3, 2), (5, 4, 6, 2), 0),
    "upsampling, bilinear": Row(lambda: UpSampling2D((1, 2), "bilinear"), (5, 2, 3, 2), (5, 2, 6, 2), 0),
    "upsampling of volumes": Row(lambda: UpSampling3D((1, 2, 3), "trilinear"), (5, 2, 2, 2, 1), (5, 2, 4, 6, 1), 0),
    "resizing": Row(lambda: Resizing(3, 2), (5, 4, 5, 2), (5, 3, 2, 2), 0),
    "resizing, cropped": Row(lambda: Resizing(2, 2, "nearest", crop_to_aspect_ratio=True), (5, 3, 6, 2), (5, 2, 2, 2),
                             0),
    "rescaling": Row(lambda: Rescaling(2.0, offset=-1), (5, 4), (5, 4), 0),
    "padding of sequences": Row(lambda: ZeroPadding1D([(2, 1)], value=1.0), (5, 3, 2), (5, 6, 2), 0),
    "padding": Row(lambda: ZeroPadding2D((1, (0, 2)), mode="reflect"), (5, 3, 4, 2), (5, 5, 6, 2), 0),
    "padding of volumes": Row(lambda: ZeroPadding3D(1, mode="wrap"), (5, 2, 3, 2, 1), (5, 4, 5, 4, 1), 0),
    "cropping of sequences": Row(lambda: Cropping1D([(2, 1)]), (5, 6, 2), (5, 3, 2), 0),
    "cropping": Row(lambda: Cropping2D((1, (0, 2))), (5, 5, 6, 2), (5, 3, 4, 2), 0),
    "cropping of volumes": Row(Cropping3D, (5, 4, 5, 4, 1), (5, 2, 3, 2, 1), 0),
    "center crop": Row(lambda: CenterCrop(2, 3), (5, 5, 4, 2), (5, 2, 3, 2), 0),
    "pixel shuffle": Row(lambda: PixelShuffle(2), (5, 2, 3, 8), (5, 4, 6, 2), 0),
    "pixel unshuffle": Row(lambda: PixelUnshuffle(2), (5, 4, 6, 2), (5, 2, 3, 8), 0),
    "identity": Row(Identity, (5, 4), (5, 4), 0),
    "reshape": Row(lambda: Reshape((3, -1)), (5, 2, 6), (5, 3, 4), 0),
    "permute": Row(lambda: Permute((2, 3, 1)), (5, 2, 3, 4), (5, 3, 4, 2), 0),
    "repeat vector": Row(lambda: RepeatVector(3), (5, 4), (5, 3, 4), 0),
    "mean over time": Row(GlobalAvgPool1D, (5, 4, 3), (5, 3), 0),
    "lstm": Row(lambda: LSTM(3), (5, 4, 2), (5, 3), 24 + 36 + 12),
    "lstm sequences": Row(lambda: LSTM(3, return_sequences=True, reverse=True, in_features=2), (5, 4, 2), (5, 4, 3),
                          24 + 36 + 12),
    "gru": Row(lambda: GRU(3, recurrent_initializer="glorot_normal"), (5, 4, 2), (5, 3), 18 + 27 + 18),
    "gru sequences": Row(lambda: GRU(3, True, reverse=True), (5, 4, 2), (5, 4, 3), 18 + 27 + 18),
    "lstm, all options": Row(lambda: LSTM(3, dropout=0.2, recurrent_dropout=0.2), (5, 4, 2), (5, 3), 24 + 36 + 12,
                             differs_in_training=True),
    "simple recurrent": Row(lambda: SimpleRNN(3, True, activation="relu"), (5, 4, 2), (5, 4, 3), 6 + 9 + 3),
    "cells over time": Row(lambda: RNN(StackedRNNCells([LSTMCell(3), GRUCell(2), SimpleRNNCell(4)])), (5, 4, 2), (5, 4),
                           72 + 42 + 28),
    "list of cells": Row(lambda: RNN([GRUCell(2), GRUCell(2)], True, reverse=True), (5, 4, 2), (5, 4, 2), 2 * 36),
    "both directions": Row(lambda: Bidirectional(GRU(3)), (5, 4, 2), (5, 6), 2 * (18 + 27 + 18)),
    "both directions, of cells": Row(lambda: Bidirectional(RNN(LSTMCell(3), True), "mean"), (5, 4, 2), (5, 4, 3),
                                     2 * 72),
    "masking": Row(Masking, (5, 4, 2), (5, 4, 2), 0),
    "attention": Row(lambda: MultiHeadAttention(2, 4, bias=False), (5, 3, 4), (5, 3, 4), 64),
    "causal attention": Row(lambda: MultiHeadAttention(2, 4, causal=True, dropout=0.5), (5, 3, 4), (5, 3, 4), 64 + 16,
                            differs_in_training=True),
    "attention without parameters": Row(lambda: Attention(causal=True, dropout=0.5), (5, 3, 4), (5, 3, 4), 0,
                                        differs_in_training=True),
    "additive attention": Row(AdditiveAttention, (5, 3, 4), (5, 3, 4), 4),
    "grouped attention": Row(lambda: MultiHeadAttention(4, 4, num_kv_heads=2, key_dim=2, value_dim=3, rotary=True),
                             (5, 3, 4), (5, 3, 4), 4 * (8 + 4 + 6) + 18 + 12 * 4 + 4),
    "cross attention": Row(lambda: CrossAttention(2, 4, memory_dim=2), (5, 3, 4), (5, 3, 4), 16 + 2 * 8 + 12 + 20),
    "positional embedding": Row(lambda: PositionalEmbedding(3), (5, 3, 4), (5, 3, 4), 12),
    "sinusoidal embedding": Row(SinusoidalEmbedding, (5, 3, 4), (5, 3, 4), 0),
    "rotary embedding": Row(lambda: RotaryEmbedding(interleaved=True), (5, 3, 4), (5, 3, 4), 0),
    "tied output": Row(lambda: TiedOutput(Embedding(7, 4), bias=True), (5, 3, 4), (5, 3, 7), 28 + 7),
    "decoder": Row(lambda: OwnMemory(2, 4, feedforward=6, norm_first=True, num_kv_heads=1, rotary=True), (5, 3, 4),
                   (5, 3, 4), 2 * (4 * 8 + 8 + 20) + 30 + 28 + 24, differs_in_training=True),
    "encoder": Row(lambda: TransformerEncoderLayer(2, 4, feedforward=6, dropout=0, activation="gelu"), (5, 3, 4),
                   (5, 3, 4), 80 + 30 + 28 + 16),
    "encoder, norm first": Row(lambda: TransformerEncoderLayer(2, 4, feedforward=6, norm_first=True), (5, 3, 4),
                               (5, 3, 4), 80 + 30 + 28 + 16, differs_in_training=True),
    "sequential": Row(lambda: Sequential([Dense(3, "elu"), doubled, Dense(2)]), (5, 4), (5, 2), 23),
    "functional model": Row(lambda: functional(3), (5, 4), (5, 3), 15 + 8 + 4, differs_in_training=True),
    "sequential of arguments": Row(lambda: Sequential(Dense(3, "elu"), Sequential(doubled), Dense(2)), (5, 4), (5, 2),
                                   23),
    "own layer": Row(Scale, (5, 4), (5, 4), 1),
    "own layer around a layer": Row(lambda: Residual(Dense(4)), (5, 4), (5, 4), 20),
    "own layer of many": Row(lambda: Branches(3), (5, 4), (5, 3), 4 + 15 + 12 + 12 + 1 + 15),
    "own sequential": Row(lambda: Multilayer(6, 3), (5, 4), (5, 3), 30 + 21),
    "nested": Row(lambda: Sequential([Sequential([Dense(3), BatchNorm()]), Residual(Sequential([Dense(3)]))]), (5, 4),
                  (5, 3), 15 + 6 + 12, differs_in_training=True),
}


def functional(units: int) -> Model:
    """A functional model with a layer that is called twice, operations on samples, and a parameter of its own."""
    x = Input(4)
    scaled, norm, dense = x * tz.nn.Parameter(tz.full((4,), 2.0)), BatchNorm(), Dense(units)
    shares = tz.softmax(dense(norm(scaled)) + dense(x))
    return Model(x, tz.reshape(shares @ tz.ones((3, 4)), (1, -1)) @ tz.ones((4, 3)) * shares)


each_layer = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
with_parameters = pytest.mark.parametrize("row", [r for r in ROWS.values() if r.parameters],
                                          ids=[name for name, r in ROWS.items() if r.parameters])


def inputs(row: Row) -> tz.Tensor:
    draw = np.random.default_rng(1)
    if row.high is None:
        return tz.asarray(draw.normal(size=row.shape).astype(np.float32))
    codes = draw.integers(0, row.high, row.shape)
    return tz.asarray(codes.astype(np.float32) if row.make().__class__ is TableFeatures else codes)


def test_layers_of_users_may_set_what_they_like():
    class Own(BatchNorm):
        pass
    layer = Own(3)
    layer.momentum, layer.remark = 0.5, "mine"
    BatchNorm(3).remark = "mine"


@pytest.mark.parametrize("make", [Dropout, tz.nn.AlphaDropout, tz.nn.GaussianDropout, tz.nn.SpatialDropout1D])
def test_rates_that_drop_may_be_set(make):
    layer, x = make(0.5), tz.ones(2, 50, 4)
    run = tz.jit(lambda x: layer(x))
    assert (run(x) != x).any()
    layer.rate = 0
    assert (run(x) == x).all() and layer.rate == 0


@with_parameters
def test_a_layer_is_built_while_it_is_traced(row):
    def output(wrap):
        tz.random.seed(3)
        layer = row.make().eval()
        return wrap(layer)(inputs(row)), layer.state_dict()
    (found, state), (wanted, plain) = output(tz.checkpoint), output(lambda f: f)
    for own, other in zip([found, *state.values()], [wanted, *plain.values()], strict=True):
        np.testing.assert_allclose(own.numpy(), other.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("wrap", [
    lambda m: tz.jit(lambda x: m(x)), tz.vmap, lambda m: lambda x: tz.map(m, x),
    lambda m: lambda x: tz.cond(x[0, 0] > 0, m, lambda x: 2 * m(x), x), lambda m: tz.jit(tz.checkpoint(m)),
], ids=["jit", "vmap", "map", "cond", "jitted checkpoint"])
def test_layers_behind_ones_that_draw_are_built_while_they_are_traced(wrap):
    tz.random.seed(0)
    model = tz.nn.Sequential(Dense(8), Dropout(0.5), Dense(4), Dropout(0.5), Dense(1))
    function, x = wrap(model), tz.ones(3, 2)
    first, second = function(x).numpy(), function(x).numpy()
    assert (first != second).any()  # the generator goes on
    model.eval()
    np.testing.assert_allclose(function(x).numpy(), model(x).numpy(), rtol=1e-5)


def test_a_model_with_a_checkpoint_of_layers_without_sizes_is_fitted():
    class Blocks(tz.nn.Module):
        def __init__(self):
            self.block = tz.nn.Sequential(Dense(8, "relu"), BatchNorm())
            self.head = Dense(1)

        def forward(self, x):
            return self.head(tz.checkpoint(self.block)(x))

    def losses(model):
        tz.random.seed(0)
        x = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
        return model.compile("sgd", loss="mse").fit(x, x[:, :1], epochs=2, verbose=0).history["loss"]
    plain = tz.nn.Sequential(Dense(8, "relu"), BatchNorm(), Dense(1))
    np.testing.assert_allclose(losses(Blocks()), losses(plain), rtol=1e-5)


def built(row: Row) -> tz.nn.Module:
    """The layer after one step of training, so that nothing is at its start value."""
    tz.random.seed(3)
    layer = row.make()
    layer(inputs(row))
    with tz.no_grad():
        for x in layer.parameters():
            x.add_(tz.random.normal(x.shape, std=0.1))
    return layer


def test_every_layer_has_a_row():
    public = [getattr(tz.nn, name) for name in tz.nn.__all__]
    layers = {x for x in public if isinstance(x, type) and issubclass(x, tz.nn.Module)} - {tz.nn.Module}
    made = [module for row in ROWS.values() for _, module in row.make().named_modules()]
    missing = layers - {kind for module in made for kind in type(module).__mro__[:2]}
    assert not missing, f"tests/nn/test_layers.py, in ROWS, lacks: {', '.join(layer.__name__ for layer in missing)}"


@each_layer
def test_output_and_parameters(row):
    layer = row.make()
    y = layer(inputs(row))
    assert (y.shape, y.dtype, layer.count_parameters()) == (row.output, tz.float32, row.parameters)
    assert len({path for path, _ in layer.named_tensors()}) == len(layer.state_dict())


@each_layer
def test_a_batch_is_its_samples_one_by_one_in_evaluation(row):
    layer, x = built(row).eval(), inputs(row)
    singles = [layer(x[i:i + 1]).detach().numpy() for i in range(len(x))]
    np.testing.assert_allclose(layer(x).detach().numpy(), np.concatenate(singles), rtol=1e-5, atol=1e-6)


@each_layer
def test_training_mode_matters_only_where_it_should(row):
    layer, x = built(row), inputs(row)
    assert layer.training
    trained, evaluated = layer(x), layer.eval()(x)
    assert not layer.training
    assert same_bits(trained.detach(), evaluated.detach()) is not row.differs_in_training


@each_layer
def test_saved_and_loaded_to_the_same_bits(row, tmp_path):
    layer, x = built(row), inputs(row)
    layer.save(tmp_path / "model")
    again = tz.load(tmp_path / "model")
    assert same_bits(again(x).detach(), layer.eval()(x).detach())
    before, after = layer.state_dict(), again.state_dict()
    assert before.keys() == after.keys() and all(same_bits(before[path], after[path]) for path in before)
    assert repr(again) == repr(layer)


@each_layer
def test_state_goes_into_another_layer(row):
    layer, x = built(row), inputs(row)
    tz.random.seed(77)
    other = row.make()
    other(x)
    other.load_state_dict(layer.state_dict())
    assert same_bits(other.eval()(x).detach(), layer.eval()(x).detach())


@each_layer
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))],
                         ids=["deepcopy", "pickle"])
def test_copies_are_equal_and_independent(row, duplicate):
    layer, x = built(row).eval(), inputs(row)
    twin = duplicate(layer)
    assert same_bits(twin(x).detach(), layer(x).detach()) and not twin.training
    with tz.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    assert all(bool((p == 0).all()) is False for p in layer.parameters())


@with_parameters
def test_a_traced_step_changes_every_parameter_with_one_trace(row):
    layer, x = built(row), inputs(row)
    optimizer = tz.optim.SGD(layer.parameters(), lr=0.1)
    target = tz.asarray(np.random.default_rng(2).normal(size=row.output).astype(np.float32))

    @tz.jit
    def step():
        optimizer.zero_grad()
        loss = tz.nn.mse(layer(x), target)
        loss.backward()
        optimizer.step()
        return loss

    before = {path: p.tolist() for path, p in layer.named_parameters()}
    with compilations(exactly=1):
        losses = [float(step()) for _ in range(6)]
    assert all(before[path] != p.tolist() for path, p in layer.named_parameters())
    assert losses[-1] < losses[0]


@with_parameters
def test_gradients_are_the_difference_quotients(row):
    layer, x = built(row), inputs(row)
    for _, t in layer.named_tensors():
        t.raw = t.raw.astype(np.float64)
    x = x if x.dtype.is_integer else x.astype("float64")
    weights = tz.asarray(np.random.default_rng(2).normal(size=row.output))

    def loss():
        tz.random.seed(6)  # so that dropout drops the same each time
        return (layer(x) * weights).sum()

    loss().backward()
    for parameter in layer.parameters():
        direction = np.random.default_rng(4).normal(size=parameter.shape)
        value, slope, sides = parameter.raw, float((parameter.grad * tz.asarray(direction)).sum()), []
        for side in (1e-6, -1e-6):
            parameter.raw = np.asarray(value + side * direction)
            sides.append(float(loss()))
        parameter.raw = value
        assert slope == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-5, abs=1e-6)


@each_layer
def test_traced_evaluation_is_the_eager_one(row):
    layer, x = built(row).eval(), inputs(row)
    forward = tz.jit(layer.__call__)
    with compilations(exactly=1):
        traced = [forward(x), forward(x + 0)]
    np.testing.assert_allclose(traced[1].detach().numpy(), layer(x).detach().numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.native
@pytest.mark.parametrize("part", range(4))
def test_native_programs_compute_outputs_and_gradients(part):
    rows = list(ROWS.items())[part::4]
    names, layers = [name for name, _ in rows], [built(row) for _, row in rows]
    assert_compiled_as_eager(names, layers, [inputs(row) for _, row in rows])


@each_layer
def test_repr_and_summary(row):
    layer = built(row)
    assert repr(layer).startswith(type(layer).__name__ + "(") and "0x" not in repr(layer)
    table = layer.summary(row.shape[1:])
    assert f"\n{row.parameters:,} parameters, {row.parameters:,} of them trainable" in table
    assert str(row.output[1:]) in table or list(layer.named_children())


def test_freezing_and_modes_reach_every_layer():
    model = Sequential([Branches(3), Dropout(0.5)])
    model(tz.ones(2, 4))
    model.freeze().eval()
    assert not any(p.requires_grad for p in model.parameters())
    assert not any(module.training for _, module in model.named_modules())
    assert all(p.requires_grad for p in model.freeze(False).parameters())
    assert model.train() is model and model.layers[0]._gate.training


def test_a_layer_that_stands_twice_counts_once():
    shared = Dense(4, in_features=4)
    assert Sequential([shared, doubled, shared]).count_parameters() == 20


def test_layers_added_later_and_access():
    model = Sequential([Dense(3, in_features=2)])
    assert model.add(Activation("relu")).add(Dense(1, in_features=3)) is model
    assert len(model) == 3 and model[2].weight.shape == (3, 1) and list(model)[1] is model[1]
    assert [path for path, _ in model.named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_layers_given_as_arguments_or_in_a_list():
    layers = Dense(3, in_features=2), Sequential(Dense(2, in_features=3))
    for model in (Sequential(*layers), Sequential(layers), Sequential(list(layers)), Sequential(iter(layers))):
        assert model.layers == list(layers)
    assert Sequential(layers[1]).layers == [layers[1]] and len(Sequential()) == len(Sequential([])) == 0
    assert Sequential(*layers)._arguments == (([*layers],), {})


def test_a_slice_is_a_model_of_these_layers():
    model = Sequential(Dense(3, in_features=2), Dropout(0.5), Dense(1, in_features=3)).eval()
    part = model[1:]
    assert type(part) is Sequential and part.layers == model.layers[1:] and not part.training
    x = tz.ones(2, 3)
    assert bool((part(x) == model[2](x)).all()) and type(type(model)(*model[:1])) is Sequential
    with tz.no_grad():
        part[1].weight.zero_()
    assert bool((model[2].weight == 0).all())
    part.train()
    assert model[1].training and not model.training
    assert [type(layer) for layer in model[::-2]] == [Dense, Dense]


def test_layers_are_inserted_replaced_and_taken_out(tmp_path):
    model = Sequential(Dense(3, in_features=2), Dense(1, in_features=3))
    assert model.insert(1, tz.tanh) is model and repr(model[1]) == "Activation(tanh)"
    model[-1] = Dense(4, in_features=3)
    model[:1] = [Dense(5, in_features=2), Dense(3, in_features=5)]
    assert [path for path, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias", "3.weight",
                                                              "3.bias"]
    assert model(tz.ones(2, 2)).shape == (2, 4)
    model.save(tmp_path / "model")
    assert repr(tz.load(tmp_path / "model")) == repr(model)
    assert model.pop() not in model.layers and len(model) == 3
    del model[1:]
    assert model(tz.ones(2, 2)).shape == (2, 5)
    with pytest.raises(tz.TarazuError, match="3 as layer 0"):
        model[0] = 3
    with pytest.raises(tz.TarazuError, match="3 as layer 1"):
        model.insert(1, 3)
    with pytest.raises(IndexError):
        model.pop(5)


def test_replaced_layers_are_seen_by_a_trace():
    model = Sequential(Dense(1, in_features=1, kernel_initializer="ones"), doubled)
    forward = tz.jit(model.__call__)
    assert forward(tz.ones(1, 1)).item() == 2
    model.pop()
    assert forward(tz.ones(1, 1)).item() == 1
    model[0] = doubled
    model.insert(0, doubled)
    assert forward(tz.ones(1, 1)).item() == 4


def test_a_sequential_with_a_layer_beside_its_list_knows_both():
    class Headed(Sequential):
        def __init__(self):
            super().__init__([Dense(3, in_features=2)])
            self.head = Dense(1, in_features=3)

    assert [path for path, _ in Headed().named_parameters()] == ["0.weight", "0.bias", "head.weight", "head.bias"]


def test_options_of_forward_pass_through():
    layer = Residual(Scale(3.0))
    assert layer(tz.ones(1), strength=2.0).item() == 7


def test_printed_tree():
    model = Sequential([Dense(5, activation="sigmoid", in_features=2), Residual(Dense(5)), doubled])
    assert repr(model) == """Sequential(
  (0): Dense(5, activation='sigmoid', in_features=2)
  (1): Residual(
    (inner): Dense(5)
  )
  (2): Activation(doubled)
)"""


def test_summary_of_a_model():
    model = Sequential([Dense(128, "relu"), Dropout(0.2), Dense(10)])
    assert model.summary((784,)) == """\
layer  kind     output shape  parameters
----------------------------------------
0      Dense    (128,)           100,480
1      Dropout  (128,)                 0
2      Dense    (10,)              1,290
----------------------------------------
101,770 parameters, 101,770 of them trainable; 407 kB"""
    assert model.training and "-" in model.summary()
    model[0].freeze()
    assert "101,770 parameters, 1,290 of them trainable" in model.summary()


def test_summary_without_a_shape_needs_a_built_model():
    with pytest.raises(tz.base.errors.ArgumentError, match=r"'0' has no parameters yet[\s\S]*input_shape=\(4,\)"):
        Sequential([Dense(3)]).summary()


def test_integer_inputs_of_every_width_work():
    layer = Dense(3)
    for dtype in (np.uint8, np.int64, np.bool_, np.float16):
        assert layer(tz.asarray(np.ones((2, 4), dtype))).dtype is tz.float32


SET_IN_VAIN = {  # layers that hold an argument in another form, or in layers below, and a new value of it
    "lstm": (lambda: tz.nn.LSTM(2, dropout=0.5), "dropout", 0),
    "cell": (lambda: tz.nn.GRUCell(2), "dropout", 0.5),
    "attention": (lambda: tz.nn.MultiHeadAttention(2, 4, dropout=0.5), "dropout", 0.0),
    "reshape": (lambda: tz.nn.Reshape((3, 2)), "shape", (2, 3)),
    "up": (lambda: tz.nn.UpSampling2D(2), "size", 3),
    "texts": (lambda: tz.nn.TextVectorization(), "standardize", None),
}


@pytest.mark.parametrize("make, name, value", SET_IN_VAIN.values(), ids=SET_IN_VAIN)
def test_what_a_layer_would_not_read_cannot_be_set(make, name, value):
    layer = make()
    with pytest.raises(ArgumentError, match=f"{type(layer).__name__}: {name} set to .*, which the layer would not "):
        setattr(layer, name, value)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_printed_tree_shows_the_arguments(row):
    for _, module in row.make().named_modules():
        if type(module).describe is tz.nn.Module.describe:
            args, kwargs = module._arguments
            shown = [short_text(x) for x in args if not isinstance(x, tz.nn.Module | list)]
            assert module.describe() == ", ".join([*shown, *(f"{k}={short_text(x)}" for k, x in kwargs.items())])


def test_the_printed_tree_shows_what_was_changed():
    dropout, given = tz.nn.Dropout(0.5), tz.nn.Dropout(rate=0.5)
    dropout.rate, given.rate = 0.25, 0
    assert [repr(dropout), repr(given)] == ["Dropout(0.25)", "Dropout(rate=0)"]
    assert repr(copy.deepcopy(dropout)) == "Dropout(0.25)"


def test_a_rate_that_is_set_counts_in_compiled_calls():
    layer, x = tz.nn.Dropout(0.5), tz.ones(1000)
    call = tz.jit(lambda x: layer(x))
    assert 0 in call(x).tolist()
    layer.rate = 0
    assert set(call(x).tolist()) == {1.0}


ERRORS = {
    "units": (lambda: Dense(0), r"units=0\n  expected: a whole number of at least 1"),
    "fractional units": (lambda: Dense(2.5), r"units=2.5"),
    "rate": (lambda: Dropout(1.0), r"rate=1.0\n  expected: a share from 0 up to but not with 1"),
    "rate, later": (lambda: setattr(Dropout(0.5), "rate", 1), r"rate=1\n  expected: a share"),
    "an argument, later": (lambda: setattr(BatchNorm(3), "momentum", 0.5),
                           r"BatchNorm: momentum set to 0.5, which the layer would not read(.|\n)*model\[i\] ="),
    "rate as text": (lambda: Dropout("half"), "rate='half'"),
    "momentum": (lambda: BatchNorm(momentum=1.5), "momentum=1.5"),
    "activation": (lambda: Dense(2, "rely"), r"activation 'rely'\n  expected: one of linear, relu"),
    "initializer": (lambda: Dense(2, kernel_initializer="xavier"), r"initializer 'xavier'\n  expected: one of zeros"),
    "class as layer": (lambda: Sequential([Dense]), r"as layer 0\n.*\n  to mend it: make an object: Dense\(\.\.\.\)"),
    "number as layer": (lambda: Sequential([Dense(2), 3]), r"3 as layer 1\n  expected: a layer, or a function"),
    "scalar": (lambda: Dense(2)(tz.tensor(1.0)), r"in Dense\(2\), called with shape \(\):\na scalar as input"),
    "features": (lambda: Dense(2, in_features=3)(tz.ones(5, 4)),
                 r"in Dense\(2, in_features=3\), called with shape \(5, 4\):\nan input of shape \(5, 4\)\n"
                 r"  expected: shape \(\.\.\., 3\): 3 features on the last axis"),
    "features of batch norm": (lambda: BatchNorm(1)(tz.ones(5, 4)), r"expected: shape \(\.\.\., 1\)"),
    "features of layer norm": (lambda: LayerNorm(3)(tz.ones(5, 4)), r"expected: shape \(\.\.\., 3\)"),
    "floats to embed": (lambda: Embedding(3, 2)(tz.ones(2)), r"an input of float32\n  expected: integers"),
    "beyond the embedding": (lambda: Embedding(3, 2)(tz.tensor([3])), r"in Embedding\(3, 2\)[\s\S]*index 3"),
    "path": (lambda: Sequential([Dense(3), Sequential([Dense(2), Residual(Dense(5))])])(tz.ones(1, 4)),
             r"in layer 1\.1, Residual\(\), called with shape \(1, 2\):\nadd: shapes \(1, 2\) and \(1, 5\)"),
    "path in a list": (lambda: wrong(Branches(3), lambda m: m.steps[1]), r"in layer steps\.1, Dense\(3\)"),
    "path in a dict": (lambda: wrong(Branches(3), lambda m: m.heads["left"]), r"in layer heads\.left, Dense\(3\)"),
    "private path": (lambda: wrong(Sequential([Branches(3)]), lambda m: m[0]._gate), r"in layer 0\._gate, Dense\(3,"),
    "not built": (lambda: Sequential([Dense(3, in_features=2), Dense(1)]).parameters(),
                  r"layer '1' has no parameters yet: it has not seen an input[\s\S]*call the model once"),
    "built by values in a trace": (lambda: tz.checkpoint(Centered())(tz.ones(1, 2)),
                                   r"has not seen an input yet, and cannot make(.|\n)*call the layer itself"),
    "state": (lambda: Dense(3, in_features=2).load_state_dict({"weight": tz.ones(2, 3), "bais": tz.ones(3)}),
              "missing bias; not known bais"),
    "state's shape": (lambda: Dense(3, in_features=2).load_state_dict({"weight": tz.ones(3, 2), "bias": tz.ones(3)}),
                      r"weight in the state has shape \(3, 2\)\n  expected: shape \(2, 3\)"),
}


class Centered(tz.nn.Module):
    """A layer that takes values, and not the shape alone, from its first input."""

    def build(self, x):
        self.center = x.mean(0)

    def forward(self, x):
        return x - self.center


def wrong(model, find):
    """Calls a model of which one layer got a weight of the wrong size."""
    model(tz.ones(1, 4))
    find(model)._size = 99
    return model(tz.ones(1, 4))


@pytest.mark.parametrize(("act", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(act, text):
    with pytest.raises(tz.TarazuError, match=text):
        act()


def test_a_state_that_does_not_fit_changes_nothing():
    layer = Dense(3, in_features=2)
    before = layer.weight.tolist()
    with pytest.raises(tz.TarazuError):
        layer.load_state_dict({"weight": tz.ones(2, 3), "bias": tz.ones(4)})
    assert layer.weight.tolist() == before


def test_a_model_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"Empty has no forward method; write one"):
        type("Empty", (tz.nn.Module,), {})()(tz.ones(1))
