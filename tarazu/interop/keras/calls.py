"""Calls of layers: what Keras passes to them, as our layers take it."""

from __future__ import annotations

from typing import Any

from tarazu.interop.keras.options import Place
from tarazu.nn.functional.model import Model
from tarazu.nn.module.module import Module
from tarazu.runtime.tensor.tensor import Tensor

ATTENTION = "MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention"
IMAGES = "Resizing", "CenterCrop", "Random"  # how layers begin whose calls Keras notes as training=True by default


def called(call: Any, kind: str, args: Any, options: dict[str, Any], place: Place) -> Any:
    """What a layer of Keras's class `kind`, a model or a function of tensors gives for Keras's arguments."""
    if options.pop("training", None) is True and not kind.startswith(IMAGES):
        raise place.refused("a call with training=True", "calls that leave the mode to training and evaluation")
    options = {key: value for key, value in options.items() if value is not None}
    if isinstance(call, Model):
        return _call_model(call, args, options, place)
    if kind in ATTENTION and isinstance(call, Module):
        return _call_attention(call, args, options, place)
    return _call_layer(call, args, options, place)


def _call_model(model: Model, args: Any, options: dict[str, Any], place: Place) -> Any:
    if options or len(args) != 1:
        raise place.refused(f"a model called with {', '.join(options) or 'several arguments'}", "its inputs alone")
    return model(**args[0]) if isinstance(args[0], dict) else model(*flat(args[0]))


def _call_attention(layer: Module, args: Any, options: dict[str, Any], place: Place) -> Any:
    """Keras passes query, value, key, one by one or as a list; we take query, key, value."""
    given = list(args[0]) if isinstance(args[0], list) else list(args)
    given += [options.pop(name) for name in ("value", "key") if name in options]
    options.pop("use_causal_mask", None)  # the layer is made so
    own = {"return_weights": True} if options.pop("return_attention_scores", False) else {}
    mask = options.pop("attention_mask", None)
    if options or len(given) not in (2, 3):
        raise place.refused(f"a call with {', '.join(options) or f'{len(given)} tensors'}", "query, value, key")
    query, value, *key = given
    return layer(query, *key or [value], value, **own, **({} if mask is None else {"attention_mask": mask}))


def _call_layer(call: Any, args: Any, options: dict[str, Any], place: Place) -> Any:
    own = {}
    if (state := options.pop("initial_state", None)) is not None:
        own["initial_state"] = _state(state)
    if "mask" in options and isinstance(options["mask"], Tensor):
        own["mask"] = options.pop("mask")
    if options:
        raise place.refused(f"a call with {', '.join(options)}", "calls with tensors alone")
    return call(*args, **own)


def _state(state: Any) -> Any:
    """A state as our recurrent layers take it: one tensor, a pair (h, c), or a pair of pairs for both directions."""
    parts = state if isinstance(state, list) else [state]
    if len(parts) == 4:
        return (parts[0], parts[1]), (parts[2], parts[3])
    return parts[0] if len(parts) == 1 else tuple(parts)


def flat(result: Any) -> list[Tensor]:
    """The tensors of a result in Keras's order, which sorts dicts by their keys."""
    if isinstance(result, dict):
        result = [result[key] for key in sorted(result)]
    return [x for part in result for x in flat(part)] if isinstance(result, list | tuple) else [result]
