"""Regularizers of Keras, which there belong to layers: here they are told to `compile`, by the paths of parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tarazu.interop.keras.options import Options, Place
from tarazu.nn.module.module import Module
from tarazu.optim.regularizers import L1, L1L2, L2, Regularizer

TENSORS = {"kernel": ("weight",), "bias": ("bias", "pointwise.bias"), "recurrent": ("recurrent_weight",),
           "embeddings": ("weight",), "gamma": ("weight",), "beta": ("bias",), "depthwise": ("weight",
           "depthwise.weight"), "pointwise": ("pointwise.weight",), "alpha": ("weight",)}
KINDS: dict[str, Callable[..., Regularizer]] = {"L1": L1, "L2": L2, "L1L2": L1L2}


def penalties_of(options: Options, layer: Module) -> dict[str, Regularizer]:
    """The regularizers of a layer by the names of its tensors; FileFormatError for those that Tarazu has not."""
    found: dict[str, Regularizer] = {}
    for name, value in options.config.items():
        if not name.endswith("_regularizer") or value is None or name in options.used:
            continue
        names = [tensor for tensor in TENSORS.get(name.removesuffix("_regularizer"), ()) if tensor in options.tensors]
        if len(names) != 1:
            raise options.place.refused(f"a {name}", "none, or one of a weight that the layer has by itself")
        found[names[0]] = _regularizer(value, options.place)
    return found


def _regularizer(content: Any, place: Place) -> Regularizer:
    kind = content.get("class_name") if isinstance(content, Mapping) else content
    if kind not in KINDS:
        raise place.refused(f"the regularizer {kind!r}", f"one of {', '.join(KINDS)}",
                            "leave it out in Keras, and pass regularizer= to compile")
    config: Any = content["config"]
    if kind == "L1L2":
        return L1L2(config["l1"], config["l2"])
    return KINDS[kind](config[kind.lower()])
