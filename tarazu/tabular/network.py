"""The network that is trained on tables."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from tarazu.data import TableEncoder
from tarazu.data.tables.target import CLASSIFICATION
from tarazu.nn import Dense, Dropout, Module, Sequential, TableFeatures
from tarazu.optim.named import optimizer_class
from tarazu.tabular.options import TableOptions
from tarazu.train.metrics import RowFunction, mae_in_units
from tarazu.train.trainer.compile import compile


def compiled_model(encoder: TableEncoder, options: TableOptions) -> Sequential:
    """`table_model` with its optimizer, its loss and its metric."""
    model = table_model(encoder, options)
    optimizer = optimizer_class(options.optimizer)(lr=options.learning_rate)
    if encoder.task == CLASSIFICATION:
        compile(model, optimizer, "cross_entropy", ["accuracy"])
    else:
        compile(model, optimizer, "mse", [_in_units(encoder)])
    return model


def table_model(encoder: TableEncoder, options: TableOptions) -> Sequential:
    """The network: embeddings for categories of many levels, hidden layers with relu, one output layer."""
    return Sequential([*embedding_layers(encoder.num_dense, encoder.embeddings),
                       *dense_layers(options.hidden, options.dropout, len(encoder.classes) or 1)])


def embedding_layers(num_dense: int, embeddings: Sequence[tuple[int, int]]) -> list[Module]:
    """The layer that embeds categories of many levels, where there are any."""
    return [TableFeatures(num_dense, embeddings)] if embeddings else []


def dense_layers(hidden: Sequence[int], dropout: float, outputs: int, activation: str = "relu") -> list[Module]:
    """Hidden layers of these sizes, and one of the outputs."""
    layers: list[Module] = []
    for units in hidden:
        layers.append(Dense(units, activation=activation, kernel_initializer="he_normal"))
        if dropout:
            layers.append(Dropout(dropout))
    return [*layers, Dense(outputs)]


def describe_network(encoder: TableEncoder, options: TableOptions) -> str:
    """The layers in one line, such as "6 features, 64, 64 (relu), 3 outputs"."""
    layers = [f"{len(encoder.feature_names)} features"]
    if encoder.embeddings:
        layers[0] += f" ({len(encoder.embeddings)} embedded)"
    if options.hidden:
        dropout = f", dropout {options.dropout:g}" if options.dropout else ""
        layers.append(f"hidden layers of {', '.join(map(str, options.hidden))} (relu{dropout})")
    outputs = len(encoder.classes) or 1
    return " → ".join([*layers, f"{outputs} output{'s' if outputs > 1 else ''}"])


def _in_units(encoder: TableEncoder) -> RowFunction:
    """The absolute error in the target's units; the model itself predicts the standardized target."""
    metric = functools.partial(mae_in_units, float(encoder.target_scale))
    vars(metric)["__name__"] = "mae"
    return metric
