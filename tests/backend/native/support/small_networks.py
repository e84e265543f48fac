"""Small networks of each kind, and the step that trains one."""

from __future__ import annotations

from collections.abc import Callable

import tarazu as tz
from tarazu import nn

CLASSES = 4


def mlp():
    return nn.Sequential([nn.Dense(33, activation="relu"), nn.LayerNorm(), nn.Dense(17, activation="gelu"),
                          nn.Dropout(0.2), nn.Dense(CLASSES)]), (19,)


def cnn():
    return nn.Sequential([nn.Conv2D(5, 3, padding="same", activation="relu"), nn.MaxPool2D(2), nn.BatchNorm(),
                          nn.Conv2D(6, 3, activation="relu"), nn.Flatten(), nn.Dense(CLASSES)]), (8, 8, 3)


def lstm():
    return nn.Sequential([nn.LSTM(9), nn.Dense(CLASSES)]), (7, 5)


def transformer():
    return nn.Sequential([nn.TransformerEncoderLayer(2, 8, feedforward=16, dropout=0.0), nn.GlobalAvgPool1D(),
                          nn.Dense(CLASSES)]), (6, 8)


NETWORKS = (mlp, cnn, lstm, transformer)  # each gives a model and the shape of a sample
OPTIMIZERS = {"sgd": lambda parameters: tz.optim.SGD(parameters, lr=0.01, momentum=0.9),
              "adam": lambda parameters: tz.optim.Adam(parameters, lr=2e-3)}


def training_step(model: nn.Module, optimizer: tz.optim.Optimizer, loss_of: Callable = nn.cross_entropy) -> Callable:
    """A function of a batch: forward, backward, update; gives the loss."""
    def step(x, y):
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss
    return step
