"""Layers and models, initializers, activations and losses.

layers/ has the layers by family, module/ their base classes, init.py the initializers, losses.py the losses.
"""

from tarazu.nn import init
from tarazu.nn.layers.activation import ACTIVATIONS, Activation, PReLU
from tarazu.nn.layers.attention import MultiHeadAttention
from tarazu.nn.layers.dense import Bilinear, Dense
from tarazu.nn.layers.einsum_dense import EinsumDense
from tarazu.nn.layers.embedding import Embedding, PositionalEmbedding, TableFeatures
from tarazu.nn.layers.group_norm import GroupNorm, InstanceNorm, UnitNorm
from tarazu.nn.layers.noise import GaussianDropout, GaussianNoise
from tarazu.nn.layers.normalization import BatchNorm, LayerNorm, RMSNorm
from tarazu.nn.layers.recurrent import GRU, LSTM
from tarazu.nn.layers.regularization import (
    AlphaDropout,
    Dropout,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    StochasticDepth,
)
from tarazu.nn.layers.reparametrized.spectral_norm import SpectralNorm
from tarazu.nn.layers.reparametrized.weight_norm import WeightNorm
from tarazu.nn.layers.reshaping import Flatten, Identity, Permute, RepeatVector, Reshape
from tarazu.nn.layers.sequential import Sequential
from tarazu.nn.layers.spatial.convolution import Conv1D, Conv2D, Conv3D
from tarazu.nn.layers.spatial.global_pooling import (
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
)
from tarazu.nn.layers.spatial.padding import (
    CenterCrop,
    Cropping1D,
    Cropping2D,
    Cropping3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from tarazu.nn.layers.spatial.pixel_shuffle import PixelShuffle, PixelUnshuffle
from tarazu.nn.layers.spatial.pooling import (
    AdaptiveAvgPool1D,
    AdaptiveAvgPool2D,
    AdaptiveAvgPool3D,
    AdaptiveMaxPool1D,
    AdaptiveMaxPool2D,
    AdaptiveMaxPool3D,
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
)
from tarazu.nn.layers.spatial.resizing import Rescaling, Resizing, UpSampling1D, UpSampling2D, UpSampling3D
from tarazu.nn.layers.spatial.separable import DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from tarazu.nn.layers.spatial.transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from tarazu.nn.layers.transformer import TransformerEncoderLayer
from tarazu.nn.losses import LOSSES, binary_cross_entropy, cross_entropy, huber, mae, mse
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter

__all__ = [
    "ACTIVATIONS",
    "GRU",
    "LOSSES",
    "LSTM",
    "Activation",
    "AdaptiveAvgPool1D",
    "AdaptiveAvgPool2D",
    "AdaptiveAvgPool3D",
    "AdaptiveMaxPool1D",
    "AdaptiveMaxPool2D",
    "AdaptiveMaxPool3D",
    "AlphaDropout",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNorm",
    "Bilinear",
    "CenterCrop",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GroupNorm",
    "Identity",
    "InstanceNorm",
    "LayerNorm",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "Module",
    "MultiHeadAttention",
    "PReLU",
    "Parameter",
    "Permute",
    "PixelShuffle",
    "PixelUnshuffle",
    "PositionalEmbedding",
    "RMSNorm",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SeparableConv1D",
    "SeparableConv2D",
    "Sequential",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNorm",
    "StochasticDepth",
    "TableFeatures",
    "TransformerEncoderLayer",
    "UnitNorm",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "WeightNorm",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "binary_cross_entropy",
    "cross_entropy",
    "huber",
    "init",
    "mae",
    "mse",
]


def __dir__() -> list[str]:
    return __all__
