"""Layers and models, initialisers, activations and losses."""

from tarazu.nn import init
from tarazu.nn.activation import ACTIVATIONS, Activation
from tarazu.nn.dense import Dense, Embedding
from tarazu.nn.losses import LOSSES, binary_cross_entropy, cross_entropy, huber, mae, mse
from tarazu.nn.module import Module
from tarazu.nn.normalise import BatchNorm, LayerNorm
from tarazu.nn.parameter import Parameter
from tarazu.nn.regularise import Dropout, Flatten
from tarazu.nn.sequential import Sequential
from tarazu.nn.table_features import TableFeatures

__all__ = ["ACTIVATIONS", "LOSSES", "Activation", "BatchNorm", "Dense", "Dropout", "Embedding", "Flatten", "LayerNorm",
           "Module", "Parameter", "Sequential", "TableFeatures", "binary_cross_entropy",
           "cross_entropy", "huber", "init", "mae", "mse"]
