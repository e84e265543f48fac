"""Layers and models, initialisers, activations and losses."""

from tarazu.nn import init
from tarazu.nn.activation import ACTIVATIONS, Activation
from tarazu.nn.attention import MultiHeadAttention, PositionalEmbedding
from tarazu.nn.dense import Dense, Embedding
from tarazu.nn.image import AvgPool2D, Conv2D, GlobalAvgPool1D, GlobalAvgPool2D, MaxPool2D
from tarazu.nn.losses import LOSSES, binary_cross_entropy, cross_entropy, huber, mae, mse
from tarazu.nn.module import Module
from tarazu.nn.normalise import BatchNorm, LayerNorm
from tarazu.nn.parameter import Parameter
from tarazu.nn.recurrent import GRU, LSTM
from tarazu.nn.regularise import Dropout, Flatten
from tarazu.nn.sequential import Sequential
from tarazu.nn.table_features import TableFeatures
from tarazu.nn.transformer import TransformerEncoderLayer

__all__ = ["ACTIVATIONS", "GRU", "LOSSES", "LSTM", "Activation", "AvgPool2D", "BatchNorm", "Conv2D", "Dense", "Dropout",
           "Embedding", "Flatten", "GlobalAvgPool1D", "GlobalAvgPool2D", "LayerNorm", "MaxPool2D", "Module",
           "MultiHeadAttention", "Parameter", "PositionalEmbedding", "Sequential", "TableFeatures",
           "TransformerEncoderLayer", "binary_cross_entropy", "cross_entropy", "huber", "init", "mae", "mse"]
