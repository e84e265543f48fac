"""Scaled dot-product attention, its weights, and splitting and merging of heads."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence

from tarazu.base import dtypes
from tarazu.base.checks import flag
from tarazu.base.errors import DTypeError, ShapeError
from tarazu.ops.contract import dot_general, matmul
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.create import arange, zeros_like
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
from tarazu.ops.networks.softmax import softmax, softmax_cotangent
from tarazu.ops.promote import as_float, as_value, promote_all, rounded_like, single
from tarazu.ops.reduce import max, sum
from tarazu.ops.shape import concat, expand_dims, permute_dims, reshape, swapaxes, unstack
from tarazu.ops.typing import ArrayLike, Tensor


def scaled_dot_product_attention(q: ArrayLike, k: ArrayLike, v: ArrayLike, *, mask: ArrayLike | None = None,
                                 causal: bool = False, scale: float | None = None) -> Tensor:
    """softmax(q k' scale) v over the keys (Vaswani et al., 2017); `scale` is 1 / sqrt(size) unless given.

    q (..., queries, size), k (..., keys, size), v (..., keys, values); the leading axes broadcast, and the result is
    (..., queries, values). `mask` broadcasts to (..., queries, keys): booleans, True where a query attends to a key, or
    numbers that are added to the scores. `causal` lets query i attend to keys 0 to i only, beside the mask. A query
    that attends to no key gives zeros. ShapeError when sizes do not fit, DTypeError for a mask of integers.

    >>> import tarazu as tz
    >>> x = tz.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> tz.scaled_dot_product_attention(x, x, x, causal=True)[0]
    Tensor([1., 0.], dtype=float32)
    """
    causal = flag("causal", causal)
    queries, keys, values = promote_all([as_float(x) for x in (q, k, v)], "scaled_dot_product_attention")
    _require_shapes(queries, keys, values)
    factor = usual_scale(queries.shape[-1]) if scale is None else float(scale)
    if mask is None:
        return _attention(queries, keys, values, causal=causal, scale=factor)
    return _masked_attention(queries, keys, values, checked_mask(mask), causal=causal, scale=factor)


def usual_scale(size: int) -> float:
    """1 / sqrt(size), which keeps the scores of vectors of `size` elements of variance 1 at variance 1."""
    return 1 / math.sqrt(builtins.max(size, 1))


def checked_mask(mask: ArrayLike) -> Tensor:
    """The mask as a tensor. Raises DTypeError for integers."""
    mask = as_value(mask)
    if mask.dtype.is_integer:
        raise DTypeError(f"scaled_dot_product_attention: a mask of {mask.dtype}",
                         expected="booleans, True where a query may look, or floats that are added to the scores",
                         fix="cast it: mask.astype(tz.bool)")
    return mask


def _require_shapes(q: Tensor, k: Tensor, v: Tensor) -> None:
    fit = (min(len(x.shape) for x in (q, k, v)) >= 2 and q.shape[-1] == k.shape[-1] and k.shape[-2] == v.shape[-2]
           and k.shape[-2] > 0)
    if not fit:
        raise ShapeError(f"scaled_dot_product_attention: q of shape {q.shape}, k of shape {k.shape}, v of shape "
                         f"{v.shape}",
                         expected="q (..., queries, size), k (..., keys, size), v (..., keys, values) with at least "
                                  "one key",
                         fix="with several heads their axis comes before: (batch, heads, queries, size)")


@composite("scaled_dot_product_attention")
def _attention(q: Tensor, k: Tensor, v: Tensor, *, causal: bool, scale: float) -> Tensor:
    return matmul(attention_weights(q, k, None, causal=causal, scale=scale), v)


@composite("scaled_dot_product_attention_masked")
def _masked_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, *, causal: bool, scale: float) -> Tensor:
    return matmul(attention_weights(q, k, mask, causal=causal, scale=scale), v)


def attention_weights(q: Tensor, k: Tensor, mask: Tensor | None, *, causal: bool, scale: float) -> Tensor:
    """The weight of each key for each query, (..., queries, keys); `mask` as for the attention."""
    return weights_of_scores(_products(multiply(q, scale), k), mask, causal=causal)


def weights_of_scores(scores: Tensor, mask: Tensor | None, *, causal: bool) -> Tensor:
    """The softmax of scores (..., queries, keys), of those that a mask and `causal` leave."""
    if causal:
        queries, keys = scores.shape[-2:]
        scores = where(less_equal(arange(keys), expand_dims(arange(queries), 1)), scores, -math.inf)
    if mask is None:
        return softmax(scores)  # each query attends to some key
    if mask.dtype is dtypes.bool_:
        return _softmax_or_zeros(where(mask, scores, -math.inf))
    return _softmax_or_zeros(add(scores, astype(mask, scores.dtype, copy=False)))


def _products(q: Tensor, k: Tensor) -> Tensor:
    """q k' in one product over the last axes, without a transposed k."""
    lead = len(q.shape) - 2
    if q.shape[:-2] != k.shape[:-2]:
        return matmul(q, swapaxes(k, -1, -2))
    same = tuple(range(lead))
    return dot_general(q, k, ((lead + 1,), (lead + 1,)), (same, same))


def _softmax_or_zeros_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                           needed: Sequence[bool]) -> list[Tensor | None]:
    return [softmax_cotangent(cotangents[0], outputs[0], axis=-1)]


@composite("softmax_or_zeros", gradient=_softmax_or_zeros_rule)
def _softmax_or_zeros(scores: Tensor) -> Tensor:
    """The softmax over the last axis, with zeros for a row of -inf."""
    wide = single(scores)
    top = stop_gradient(max(wide, -1, keepdims=True))
    raised = exp(subtract(wide, where(isfinite(top), top, 0)))
    total = sum(raised, -1, keepdims=True)
    return rounded_like(divide(raised, where(equal(total, 0), 1, total)), scores)


# Heads ----------------------------------------------------------------------------------------------------------

def split_heads(x: Tensor, parts: int, heads: int) -> tuple[Tensor, ...]:
    """(batch, time, parts * dim) to `parts` tensors (batch, heads, time, dim / heads)."""
    split = _split_heads(x, parts=parts, heads=heads)
    return split if isinstance(split, tuple) else (split,)  # a composite gives a single result by itself


def merge_heads(x: Tensor) -> Tensor:
    """(batch, heads, time, size) to (batch, time, heads * size)."""
    batch, heads, time, size = x.shape
    return reshape(swapaxes(x, 1, 2), (batch, time, heads * size))


def _split_heads_rule(cotangents: Sequence[Tensor | None], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                      needed: Sequence[bool], *, parts: int, heads: int) -> list[Tensor | None]:
    """One concatenation, where the gradients of slices would be sums of padded tensors."""
    of_parts = [zeros_like(y) if g is None else g for g, y in zip(cotangents, outputs, strict=True)]
    return [concat([merge_heads(g) for g in of_parts], 2)]


@composite("split_heads", gradient=_split_heads_rule)
def _split_heads(x: Tensor, *, parts: int, heads: int) -> tuple[Tensor, ...]:
    batch, time, width = x.shape
    split = permute_dims(reshape(x, (batch, time, parts, heads, width // (parts * heads))), (2, 0, 3, 1, 4))
    return unstack(split)
