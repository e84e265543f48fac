"""Attention: each query takes a mean of the values, weighted by how well their keys fit it."""

from __future__ import annotations

import builtins
import math
from typing import Any

from tarazu.base import dtypes
from tarazu.base.errors import DTypeError, ShapeError
from tarazu.ops.contract import matmul
from tarazu.ops.control import composite
from tarazu.ops.create import arange
from tarazu.ops.elementwise import (
    add,
    astype,
    divide,
    equal,
    exp,
    isfinite,
    less_equal,
    multiply,
    stop_gradient,
    subtract,
    where,
)
from tarazu.ops.promote import as_float, as_value
from tarazu.ops.reduce import max, sum
from tarazu.ops.shape import expand_dims, meet, swapaxes


def scaled_dot_product_attention(q: Any, k: Any, v: Any, *, mask: Any = None, causal: bool = False,
                                 scale: float | None = None) -> Any:
    """softmax(q k' scale) v over the keys (Vaswani et al., 2017); `scale` is 1 / sqrt(size) unless given.

    q (..., queries, size), k (..., keys, size), v (..., keys, values); the leading axes broadcast, and the result is
    (..., queries, values). `mask` broadcasts to (..., queries, keys): booleans, True where a query may look, or numbers
    that are added to the scores. `causal` lets query i look at keys 0 to i only, beside the mask. A query that may look
    nowhere gives zeros. ShapeError when sizes do not fit, DTypeError for a mask of integers.

    >>> import tarazu as tz
    >>> x = tz.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> tz.scaled_dot_product_attention(x, x, x, causal=True)[0]
    Tensor([1., 0.], dtype=float32)
    """
    q, k, v = meet([as_float(x) for x in (q, k, v)], "scaled_dot_product_attention")
    _require_shapes(q, k, v)
    factor = 1 / math.sqrt(builtins.max(q.shape[-1], 1)) if scale is None else float(scale)
    if mask is None:
        return _attention(q, k, v, causal=causal, scale=factor)
    mask = as_value(mask)
    if mask.dtype.is_integer:
        raise DTypeError(f"scaled_dot_product_attention: a mask of {mask.dtype}",
                         expected="booleans, True where a query may look, or floats that are added to the scores",
                         fix="cast it: mask.astype(tz.bool)")
    return _masked_attention(q, k, v, mask, causal=causal, scale=factor)


def _require_shapes(q: Any, k: Any, v: Any) -> None:
    fit = (min(len(x.shape) for x in (q, k, v)) >= 2 and q.shape[-1] == k.shape[-1] and k.shape[-2] == v.shape[-2]
           and k.shape[-2] > 0)
    if not fit:
        raise ShapeError(f"scaled_dot_product_attention: q of shape {q.shape}, k of shape {k.shape}, v of shape "
                         f"{v.shape}",
                         expected="q (..., queries, size), k (..., keys, size), v (..., keys, values) with at least "
                                  "one key",
                         fix="with several heads their axis comes before: (batch, heads, queries, size)")


@composite("scaled_dot_product_attention")
def _attention(q: Any, k: Any, v: Any, *, causal: bool, scale: float) -> Any:
    return _weigh(_scores(q, k, scale), v, causal)


@composite("scaled_dot_product_attention_masked")
def _masked_attention(q: Any, k: Any, v: Any, mask: Any, *, causal: bool, scale: float) -> Any:
    scores = _scores(q, k, scale)
    if mask.dtype is dtypes.bool_:
        scores = where(mask, scores, -math.inf)
    else:
        scores = add(scores, astype(mask, scores.dtype, copy=False))
    return _weigh(scores, v, causal)


def _scores(q: Any, k: Any, scale: float) -> Any:
    return matmul(multiply(q, scale), swapaxes(k, -1, -2))


def _weigh(scores: Any, v: Any, causal: bool) -> Any:
    """The softmax, but that a row of -inf gives zeros; times the values."""
    if causal:
        queries, keys = scores.shape[-2:]
        scores = where(less_equal(arange(keys), expand_dims(arange(queries), 1)), scores, -math.inf)
    top = stop_gradient(max(scores, -1, keepdims=True))
    raised = exp(subtract(scores, where(isfinite(top), top, 0)))
    total = sum(raised, -1, keepdims=True)
    return matmul(divide(raised, where(equal(total, 0), 1, total)), v)
