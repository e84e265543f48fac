"""Layers behind a `Flatten` of images: torch flattens (channels, places), Tarazu (places, channels)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tarazu.nn.layers.dense import Dense
from tarazu.nn.layers.normalization import NormalizationLayer
from tarazu.nn.layers.reshaping import Flatten
from tarazu.nn.layers.sequences.embedding import Embedding
from tarazu.nn.layers.sequences.recurrent_weights import RecurrentWeights
from tarazu.nn.layers.spatial.convolution import ConvolutionLayer
from tarazu.nn.module.by_path import nothing_at
from tarazu.nn.module.module import Module


def flattened_channels(modules: Iterable[tuple[str, Module]]) -> dict[str, int]:
    """The paths of layers whose inputs were flattened places of channels, with the number of these.

    Told by the order of the modules: a convolution, a `Flatten` after it, and what follows up to the first `Dense`.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential(tz.nn.Conv2D(8, 3), tz.nn.MaxPool2D(2), tz.nn.Flatten(), tz.nn.Dense(5))
    >>> _ = model(tz.ones((1, 8, 8, 1)))
    >>> flattened_channels(model.named_modules())
    {'3': 8}
    """
    channels, is_flat, found = 0, False, {}
    for path, module in modules:
        if isinstance(module, Flatten):
            is_flat = True
        elif isinstance(module, ConvolutionLayer):
            channels, is_flat = _filters(module), False
        elif isinstance(module, Embedding | RecurrentWeights):
            channels, is_flat = 0, False
        elif isinstance(module, Dense | NormalizationLayer) and is_flat:
            if channels and module._size not in (None, channels) and not module._size % channels:
                found[path] = channels
            is_flat = is_flat and not isinstance(module, Dense)
        channels = 0 if isinstance(module, Dense) else channels
    return found


def with_users_word(found: Mapping[str, int], flattened: Mapping[str, int | None],
                    layers: Mapping[str, Any]) -> dict[str, int]:
    """`found`, but where the user says otherwise: a number of channels, or None for a layer that has torch's order.

    ArgumentError for a path that has no layer.
    """
    for path in flattened:
        if path not in layers:
            raise nothing_at("layer", path, layers)
    return {path: channels for path, channels in {**found, **flattened}.items() if channels}


def _filters(layer: ConvolutionLayer) -> int:
    """How many channels a convolution gives."""
    return layer._weight_sizes(layer._size)[1] if layer._size else 0
