"""Attention, and what stands in its place in long sequences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tarazu.base import dtypes
from tarazu.interop.onnx.reading.operators.networks.convolution import turned
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, dtype_of
from tarazu.ops import elementwise as ops
from tarazu.ops import shape as shapes
from tarazu.ops.contract import matmul
from tarazu.ops.control_flow.loops import scan
from tarazu.ops.create import arange
from tarazu.ops.indexing.windows import repeat
from tarazu.ops.networks.activations import silu
from tarazu.ops.networks.attention import scaled_dot_product_attention
from tarazu.ops.networks.convolution import conv1d
from tarazu.ops.networks.softmax import softmax
from tarazu.ops.promote import as_value, cast, single
from tarazu.ops.reduce import all as all_of
from tarazu.ops.reduce import sum
from tarazu.runtime.tensor.tensor import Tensor


@operator("Attention", since=23)
def attention(q: Array, k: Array, v: Array, mask: Array | None = None, past_key: Array | None = None,
              past_value: Array | None = None, lengths: Array | None = None, is_causal: int = 0,
              kv_num_heads: int = 0, q_num_heads: int = 0, left_window_size: int = -1, right_window_size: int = -1,
              qk_matmul_output_mode: int = 0, scale: float | None = None, softcap: float = 0.0,
              softmax_precision: int | None = None, outputs: int = 1) -> tuple[Tensor, ...]:
    """softmax(q k' scale + mask) v, with the keys and values of steps before; gives those of all steps too."""
    q, k, v = as_value(q), as_value(k), as_value(v)
    is_flat = len(q.shape) == 3
    if is_flat:
        q, k, v = split_heads(q, q_num_heads), split_heads(k, kv_num_heads), split_heads(v, kv_num_heads)
    keys = k if past_key is None else shapes.concat([past_key, k], 2)
    values = v if past_value is None else shapes.concat([past_value, v], 2)
    offset: Any = 0 if past_key is None else past_key.shape[2]
    if lengths is not None:
        offset = shapes.reshape(lengths, (-1, 1, 1, 1)) - q.shape[2]
    allowed, added = _masks(q, keys, mask, offset, bool(is_causal), (left_window_size, right_window_size))
    if lengths is not None:
        is_there = ops.less(arange(keys.shape[2]), shapes.reshape(lengths, (-1, 1, 1, 1)))
        allowed = is_there if allowed is None else ops.logical_and(allowed, is_there)
    group = q.shape[1] // keys.shape[1]
    each_k, each_v = (x if group == 1 else repeat(x, group, axis=1) for x in (keys, values))
    factor = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    is_single = q.dtype in (dtypes.float32, dtypes.float64)  # ONNX rounds each step of smaller ones
    if outputs < 4 and not softcap and softmax_precision is None and is_single:
        y = scaled_dot_product_attention(q, each_k, each_v, mask=_joined(allowed, added, q), scale=factor)
        return (_flat(y) if is_flat else y, keys, values)
    y, scores = _in_steps(q, each_k, each_v, _joined(allowed, added, q), factor, softcap, qk_matmul_output_mode,
                          softmax_precision)
    return (_flat(y) if is_flat else y, keys, values, scores)[:max(outputs, 3)]


def split_heads(x: Array, heads: int) -> Tensor:
    """(batch, time, heads * size) as (batch, heads, time, size)."""
    x = as_value(x)
    return shapes.swapaxes(shapes.reshape(x, (*x.shape[:2], heads, x.shape[2] // heads)), 1, 2)


def _flat(x: Tensor) -> Tensor:
    turned_back = shapes.swapaxes(x, 1, 2)
    return shapes.reshape(turned_back, (*turned_back.shape[:2], turned_back.shape[2] * turned_back.shape[3]))


def _masks(q: Tensor, keys: Tensor, mask: Array | None, offset: Any, is_causal: bool,
           window: tuple[int, int]) -> tuple[Tensor | None, Tensor | None]:
    """Which keys a query sees, and what is added to its scores; None for all, and for nothing."""
    allowed = added = None
    if mask is not None:
        mask = as_value(mask)
        is_boolean = mask.dtype is dtypes.bool_
        more = keys.shape[2] - mask.shape[-1]
        if more > 0:
            mask = shapes.pad(mask, [(0, 0)] * (len(mask.shape) - 1) + [(0, more)],
                              as_value(False if is_boolean else -math.inf, mask.dtype))
        allowed, added = (mask, None) if is_boolean else (None, mask)
    left, right = window
    right = min(right, 0) if is_causal and right >= 0 else 0 if is_causal else right
    if left >= 0 or right >= 0:
        behind = ops.subtract(ops.add(shapes.expand_dims(arange(q.shape[2]), 1), offset), arange(keys.shape[2]))
        for is_bounded, is_near in ((left >= 0, ops.less_equal(behind, left)),
                                    (right >= 0, ops.greater_equal(behind, -right))):
            if is_bounded:
                allowed = is_near if allowed is None else ops.logical_and(allowed, is_near)
    return allowed, added


def _joined(allowed: Tensor | None, added: Tensor | None, q: Tensor) -> Tensor | None:
    if added is None or allowed is None:
        return allowed if added is None else added
    return ops.where(allowed, added, as_value(-math.inf, added.dtype))


def _in_steps(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float, softcap: float, mode: int,
              precision: int | None) -> tuple[Tensor, Tensor]:
    """The output, and the scores at the point that `mode` says: raw, capped, with the mask, or as shares."""
    root = math.sqrt(scale)
    raw = matmul(ops.multiply(q, root), shapes.matrix_transpose(ops.multiply(k, root)))
    capped = ops.multiply(ops.tanh(ops.divide(raw, softcap)), softcap) if softcap else raw
    masked = capped
    hides_all: Any = False
    if mask is not None:
        bias = ops.where(mask, 0.0, -math.inf) if mask.dtype is dtypes.bool_ else mask
        bias = cast(bias, q.dtype)
        masked = ops.add(capped, bias)
        hides_all = all_of(ops.equal(bias, -math.inf), -1, keepdims=True)
    wide = masked if precision is None else cast(masked, dtype_of(precision))
    shares = cast(ops.where(hides_all, 0.0, softmax(wide, -1)), q.dtype)
    return matmul(shares, v), (raw, capped, masked, shares)[mode]


@operator("LinearAttention")
def linear_attention(q: Array, k: Array, v: Array, past: Array | None = None, decay: Array | None = None,
                     beta: Array | None = None, kv_num_heads: int = 1, q_num_heads: int = 1, scale: float = 0.0,
                     update_rule: str = "gated_delta", chunk_size: int = 0) -> tuple[Tensor, Tensor]:
    """A matrix of keys times values that each step decays, corrects and adds to, and that the query reads."""
    q, k, v = as_value(q), as_value(k), as_value(v)
    rows = {"q": split_heads(q, q_num_heads), "k": split_heads(k, kv_num_heads), "v": split_heads(v, kv_num_heads)}
    if decay is not None:
        rows["decay"] = split_heads(decay, kv_num_heads)
    if beta is not None:
        rows["beta"] = split_heads(beta, beta.shape[-1])
    rows = {key: single(shapes.moveaxis(row, 2, 0)) for key, row in rows.items()}
    sizes = (q.shape[0], kv_num_heads, rows["k"].shape[-1], rows["v"].shape[-1])
    state = as_value(np.zeros(sizes, np.float32)) if past is None else single(as_value(past))
    factor = scale or 1 / math.sqrt(rows["q"].shape[-1])

    def step(state: Tensor, row: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        if decay is not None:
            state = ops.multiply(state, ops.exp(row["decay"])[..., None])
        value = row["v"]
        if beta is not None:
            value = ops.multiply(row["beta"], value - sum(ops.multiply(state, row["k"][..., None]), -2))
        state = ops.add(state, ops.multiply(row["k"][..., None], value[..., None, :]))
        seen = state if q_num_heads == kv_num_heads else repeat(state, q_num_heads // kv_num_heads, axis=1)
        return state, sum(ops.multiply(seen, row["q"][..., None]), -2)

    state, outputs = scan(step, state, rows)
    y = _flat(ops.multiply(shapes.moveaxis(outputs, 0, 2), factor))
    return cast(y, q.dtype), cast(state, q.dtype if past is None else as_value(past).dtype)


@operator("CausalConvWithState")
def causal_convolution(x: Array, weight: Array, bias: Array | None = None, past: Array | None = None,
                       activation: str = "none") -> tuple[Tensor, Tensor]:
    """A depthwise convolution (batch, channels, time) that sees what was before only; gives the last steps too."""
    x, weight = as_value(x), as_value(weight)
    reach = weight.shape[2] - 1
    before = as_value(np.zeros((*x.shape[:2], reach), x.dtype.numpy)) if past is None else past
    padded = shapes.concat([before, x], 2)
    y = conv1d(shapes.swapaxes(padded, 1, 2), turned(weight, False), bias, groups=x.shape[1])
    y = shapes.swapaxes(y, 1, 2)
    last = shapes.slice_axis(padded, 2, padded.shape[2] - reach, padded.shape[2])
    return (silu(y) if activation in ("silu", "swish") else y), last
