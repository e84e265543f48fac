"""Layers and models, initializers, activations and losses.

layers/ has the layers by family, functional/ models made of symbolic tensors, module/ the base classes, init.py the
initializers, losses.py the losses.
"""

from tarazu.nn import init
from tarazu.nn.functional.inputs import Input
from tarazu.nn.functional.model import Model
from tarazu.nn.layers.activation import ACTIVATIONS, Activation
from tarazu.nn.layers.convolution import Conv2D
from tarazu.nn.layers.dense import Dense
from tarazu.nn.layers.normalization import BatchNorm, LayerNorm
from tarazu.nn.layers.pooling import AvgPool2D, GlobalAvgPool1D, GlobalAvgPool2D, MaxPool2D
from tarazu.nn.layers.preprocessing.categories import CategoryEncoding, Discretization, Hashing
from tarazu.nn.layers.preprocessing.lookup import IntegerLookup, StringLookup
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
from tarazu.nn.losses import LOSSES, binary_cross_entropy, cross_entropy, huber, mae, mse
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
    "CategoryEncoding",
    "Conv2D",
    "Dense",
    "Discretization",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "Hashing",
    "Input",
    "IntegerLookup",
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
    "StringLookup",
    "TableFeatures",
    "TextVectorization",
    "TiedOutput",
    "TransformerDecoderLayer",
    "TransformerEncoderLayer",
    "binary_cross_entropy",
    "cross_entropy",
    "huber",
    "init",
    "mae",
    "mse",
]


def __dir__() -> list[str]:
    return __all__
