"""Layers and models, initializers, activations and losses.

layers/ has the layers by family, functional/ models made of symbolic tensors, module/ the base classes, init.py the
initializers, losses/ the losses.
"""

from tarazu.nn import init
from tarazu.nn.functional.inputs import Input
from tarazu.nn.functional.model import Model
from tarazu.nn.layers.activation import ACTIVATIONS, Activation
from tarazu.nn.layers.convolution import Conv2D
from tarazu.nn.layers.dense import Dense
from tarazu.nn.layers.normalization import BatchNorm, LayerNorm
from tarazu.nn.layers.pooling import AvgPool2D, GlobalAvgPool1D, GlobalAvgPool2D, MaxPool2D
from tarazu.nn.layers.preprocessing.normalization import Normalization
from tarazu.nn.layers.preprocessing.text_vectorization import TextVectorization
from tarazu.nn.layers.regularization import Dropout
from tarazu.nn.layers.reshaping import Flatten
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
    "AdditiveAttention",
    "Attention",
    "AvgPool2D",
    "BatchNorm",
    "Bidirectional",
    "Conv2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "Input",
    "KeyValueCache",
    "LSTMCell",
    "LayerNorm",
    "Masking",
    "MaxPool2D",
    "Model",
    "Module",
    "MultiHeadAttention",
    "Normalization",
    "Parameter",
    "PositionalEmbedding",
    "RotaryEmbedding",
    "Sequential",
    "SimpleRNN",
    "SimpleRNNCell",
    "SinusoidalEmbedding",
    "StackedRNNCells",
    "TableFeatures",
    "TextVectorization",
    "TiedOutput",
    "TransformerDecoderLayer",
    "TransformerEncoderLayer",
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
