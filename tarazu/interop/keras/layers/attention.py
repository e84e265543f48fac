"""Attention layers. Keras calls them with query, value, key; model.py puts these into our order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.interop.keras.options import Options
from tarazu.nn.layers.sequences.attention import MultiHeadAttention
from tarazu.nn.layers.sequences.simple_attention import AdditiveAttention, Attention
from tarazu.nn.module.module import Module

PARTS = "query", "key", "value", "output"


def _kernels(options: Options) -> dict[str, list[np.ndarray]]:
    """Kernel and bias of the four projections: (features, heads, size) and (heads, size), of the output (heads, size,
    features) and (features,)."""
    count = 1 + options.take("use_bias")
    found = {part: options.saved(f"{part}_dense") or options.saved(f"_{part}_dense") for part in PARTS}
    if any(len(arrays) != count for arrays in found.values()):
        raise options.place.refused("the file lacks arrays of it", f"{count} for each of {', '.join(PARTS)}",
                                    "build the model in Keras before it is saved: call it on some data")
    return found


def _projections(options: Options, kv_heads: int | None) -> Module:
    """A layer from the arrays of the four projections, which lie side by side in ours."""
    for name, neutral in (("use_gate", False), ("sliding_window", None), ("kernel_regularizer", None),
                          ("bias_regularizer", None)):
        options.require(name, neutral)
    found = _kernels(options)
    query, key, value, output = (found[part][0] for part in PARTS)
    dim, heads, size = query.shape
    if output.shape[-1] != dim or value.shape[0] != key.shape[0]:
        raise options.place.refused(f"outputs of {output.shape[-1]} features, keys of {key.shape[0]} and values of "
                                    f"{value.shape[0]} for queries of {dim}",
                                    "as many in outputs as in queries, in keys as in values")
    flat = [x.reshape(x.shape[0], -1) for x in (query, key, value)]
    memory = key.shape[0]
    if memory == dim:
        options.tensors["weight"] = np.concatenate(flat, 1)
    else:
        options.tensors.update(weight=flat[0], memory_weight=np.concatenate(flat[1:], 1))
    options.tensors["output_weight"] = output.reshape(-1, dim)
    if options.take("use_bias"):
        options.tensors["bias"] = np.concatenate([found[part][1].reshape(-1) for part in PARTS[:3]])
        options.tensors["output_bias"] = found["output"][1]
    return MultiHeadAttention(heads, dim, num_kv_heads=kv_heads, key_dim=size, value_dim=value.shape[-1],
                              memory_dim=None if memory == dim else memory, bias=options.take("use_bias"),
                              dropout=options.take("dropout"), causal=options.option_of_calls("use_causal_mask", False))


def _multi_head(options: Options) -> Module:
    options.require("attention_axes", None, (1,))
    for name in ("num_heads", "key_dim", "value_dim", "output_shape"):
        options.take(name, None)  # the arrays have these sizes
    return _projections(options, None)


def _grouped(options: Options) -> Module:
    for name in ("head_dim", "num_query_heads"):
        options.take(name)
    return _projections(options, options.take("num_key_value_heads"))


def _simple(options: Options) -> Module:
    options.require("use_scale", False)
    options.require("score_mode", "dot")
    return Attention(scale=1.0, **_common(options))


def _additive(options: Options) -> Module:
    if options.take("use_scale"):
        [scale] = options.weights("weight")
        return AdditiveAttention(scale.shape[0], **_common(options))
    shape = options.input_shape
    size = shape[0][-1]
    options.fix("weight", np.ones(size, np.float32))
    return AdditiveAttention(size, **_common(options))


def _common(options: Options) -> dict[str, Any]:
    return {"dropout": options.take("dropout"), "causal": options.option_of_calls("use_causal_mask", False)}


ATTENTION: dict[str, Callable[[Options], Module]] = {
    "MultiHeadAttention": _multi_head, "GroupQueryAttention": _grouped, "Attention": _simple,
    "AdditiveAttention": _additive}
