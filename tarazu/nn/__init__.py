"""Layers and models, initializers, activations and losses.

layers/ has the layers by family, functional/ models made of symbolic tensors, module/ the base classes, init.py the
initializers, losses/ the losses.
"""

import typing

from tarazu.nn import init
from tarazu.nn.functional.inputs import Input
from tarazu.nn.functional.model import Model
from tarazu.nn.layers.activation import ACTIVATIONS, Activation, PReLU
from tarazu.nn.layers.augmentation import (
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)
from tarazu.nn.layers.dense import Bilinear, Dense
from tarazu.nn.layers.einsum_dense import EinsumDense
from tarazu.nn.layers.group_norm import GroupNorm, InstanceNorm, UnitNorm
from tarazu.nn.layers.noise import GaussianDropout, GaussianNoise
from tarazu.nn.layers.normalization import BatchNorm, LayerNorm, RMSNorm
from tarazu.nn.layers.preprocessing.categories import CategoryEncoding, Discretization, Hashing
from tarazu.nn.layers.preprocessing.lookup import IntegerLookup, StringLookup
from tarazu.nn.layers.preprocessing.normalization import Normalization
from tarazu.nn.layers.preprocessing.text_vectorization import TextVectorization
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
from tarazu.nn.layers.sequences.attention import MultiHeadAttention
from tarazu.nn.layers.sequences.bidirectional import Bidirectional
from tarazu.nn.layers.sequences.cells import GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells
from tarazu.nn.layers.sequences.embedding import Embedding, TableFeatures, TiedOutput
from tarazu.nn.layers.sequences.key_value_cache import KeyValueCache
from tarazu.nn.layers.sequences.masks import Masking
from tarazu.nn.layers.sequences.positions import PositionalEmbedding, RotaryEmbedding, SinusoidalEmbedding
from tarazu.nn.layers.sequences.recurrent import GRU, LSTM, RNN, SimpleRNN
from tarazu.nn.layers.sequences.simple_attention import AdditiveAttention, Attention
from tarazu.nn.layers.sequences.transformer import TransformerDecoderLayer, TransformerEncoderLayer
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
from tarazu.nn.losses import LOSSES
from tarazu.nn.losses.classes import cross_entropy, focal_loss, kl_divergence, nll
from tarazu.nn.losses.ctc import ctc_loss
from tarazu.nn.losses.embeddings import (
    contrastive_loss,
    cosine_embedding,
    hinge_embedding,
    margin_ranking,
    triplet_loss,
)
from tarazu.nn.losses.labels import binary_cross_entropy, binary_focal_loss
from tarazu.nn.losses.margins import categorical_hinge, hinge, multi_margin, soft_margin, squared_hinge
from tarazu.nn.losses.numbers import (
    cosine_distance,
    gaussian_nll,
    huber,
    log_cosh,
    mae,
    mape,
    mse,
    msle,
    poisson_nll,
    quantile_loss,
    smooth_l1,
)
from tarazu.nn.losses.overlap import dice_loss, tversky_loss
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter

__all__ = [
    "ACTIVATIONS",
    "GRU",
    "LOSSES",
    "LSTM",
    "RNN",
    "Activation",
    "AdaptiveAvgPool1D",
    "AdaptiveAvgPool2D",
    "AdaptiveAvgPool3D",
    "AdaptiveMaxPool1D",
    "AdaptiveMaxPool2D",
    "AdaptiveMaxPool3D",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNorm",
    "Bidirectional",
    "Bilinear",
    "CategoryEncoding",
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
    "Discretization",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GroupNorm",
    "Hashing",
    "Identity",
    "Input",
    "InstanceNorm",
    "IntegerLookup",
    "KeyValueCache",
    "LSTMCell",
    "LayerNorm",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "Model",
    "Module",
    "MultiHeadAttention",
    "Normalization",
    "PReLU",
    "Parameter",
    "Permute",
    "PixelShuffle",
    "PixelUnshuffle",
    "PositionalEmbedding",
    "RMSNorm",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "RotaryEmbedding",
    "SeparableConv1D",
    "SeparableConv2D",
    "Sequential",
    "SimpleRNN",
    "SimpleRNNCell",
    "SinusoidalEmbedding",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNorm",
    "StackedRNNCells",
    "StochasticDepth",
    "StringLookup",
    "TableFeatures",
    "TextVectorization",
    "TiedOutput",
    "TransformerDecoderLayer",
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
    "binary_focal_loss",
    "categorical_hinge",
    "contrastive_loss",
    "cosine_distance",
    "cosine_embedding",
    "cross_entropy",
    "ctc_loss",
    "dice_loss",
    "focal_loss",
    "gaussian_nll",
    "hinge",
    "hinge_embedding",
    "huber",
    "init",
    "kl_divergence",
    "log_cosh",
    "mae",
    "mape",
    "margin_ranking",
    "mse",
    "msle",
    "multi_margin",
    "nll",
    "poisson_nll",
    "quantile_loss",
    "smooth_l1",
    "soft_margin",
    "squared_hinge",
    "triplet_loss",
    "tversky_loss",
]


def __dir__() -> list[str]:
    return __all__


if not typing.TYPE_CHECKING:  # to which any name would be right
    from tarazu.base.hints.missing import no_attributes_beside

    __getattr__ = no_attributes_beside(__name__)
