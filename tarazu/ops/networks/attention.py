"""Scaled dot-product attention, its weights, and splitting and merging of heads."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence

from tarazu.base import dtypes
from tarazu.base.checks import flag
from tarazu.base.errors import DTypeError, ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ir.type_rules.checks import broadcast_shapes
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
from tarazu.ops.promote import HALF, as_float, as_value, promote_all, rounded_like, single
from tarazu.ops.reduce import max, sum, sum_to
from tarazu.ops.shape import broadcast_to, concat, expand_dims, permute_dims, reshape, swapaxes, unstack
from tarazu.ops.typing import ArrayLike, Tensor

FEW_WEIGHTS = 4  # times as many as numbers of the queries: it takes longer to compute these again than to keep them


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
    given = [] if mask is None else [checked_mask(mask)]
    queries, keys, values = _with_common_lead([queries, keys, values], given)
    attention = _masked_attention if given else _attention
    return attention(queries, keys, values, *given, causal=causal, scale=factor)[0]


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


def _with_common_lead(tensors: Sequence[Tensor], others: Sequence[Tensor] = ()) -> list[Tensor]:
    """The tensors, broadcast so that their leading axes and those of others are the same."""
    lead = broadcast_shapes("scaled_dot_product_attention", *[x.shape[:-2] for x in (*tensors, *others)])
    return [x if x.shape[:-2] == lead else broadcast_to(x, lead + x.shape[-2:]) for x in tensors]


def _attention_rule(cotangents: Sequence[Tensor | None], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                    needed: Sequence[bool], *, causal: bool, scale: float) -> list[Tensor | None]:
    """The weights follow from the scores and what was kept of each row. Where they are many they are computed again,
    behind a barrier, so that none wait for the backward pass."""
    to_y, _, to_share = cotangents
    to_y = zeros_like(outputs[0]) if to_y is None else to_y
    to_row = sum(multiply(single(to_y), single(outputs[0])), -1, keepdims=True)
    to_row = to_row if to_share is None else add(to_row, multiply(to_share, outputs[2]))
    values = [*outputs[1:], to_y, to_row, *inputs]
    size, keys = inputs[0].shape[-1], inputs[1].shape[-2]
    kept = bind(ops.BARRIER, *values) if keys > FEW_WEIGHTS * size else values
    gradient = _attention_vjp(*kept, causal=causal, scale=scale)
    return [g if need else None for g, need in zip(gradient, needed, strict=True)]


@composite("scaled_dot_product_attention_vjp")
def _attention_vjp(top: Tensor, share: Tensor, to_y: Tensor, to_row: Tensor, q: Tensor, k: Tensor, v: Tensor,
                   *mask: Tensor, causal: bool, scale: float) -> tuple[Tensor, ...]:
    """The cotangents of q, k, v and the mask, given those of the results and `to_row`, of a factor of all weights of a
    row."""
    scores = single(_scores(q, k, *mask, causal=causal, scale=scale))
    weights = multiply(exp(subtract(scores, stop_gradient(top))), share)
    to_scores = rounded_like(multiply(weights, subtract(single(_products(to_y, v)), to_row)), q)
    weights = rounded_like(weights, q)
    to_mask = [sum_to(to_scores, x.shape) if x.dtype.is_inexact else zeros_like(x) for x in mask]
    return (multiply(matmul(to_scores, k), scale), multiply(_products_of_columns(to_scores, q), scale),
            _products_of_columns(weights, to_y), *to_mask)


@composite("scaled_dot_product_attention", gradient=_attention_rule)
def _attention(q: Tensor, k: Tensor, v: Tensor, *, causal: bool, scale: float) -> tuple[Tensor, ...]:
    return _attended(_scores(q, k, causal=causal, scale=scale), v)


@composite("scaled_dot_product_attention_masked", gradient=_attention_rule)
def _masked_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, *, causal: bool,
                      scale: float) -> tuple[Tensor, ...]:
    return _attended(_scores(q, k, mask, causal=causal, scale=scale), v)


def _attended(scores: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The values by the softmax of the scores, zeros for a row of -inf; and of each row what the weights follow from:
    the largest score, which counts as a constant, and 1 over the sum of what is raised."""
    raised, top, share = _raised(single(scores))
    if v.dtype in HALF:  # products are rounded: the weights first, so that it happens once
        return matmul(rounded_like(multiply(raised, share), v), v), top, share
    return multiply(share, matmul(raised, v)), top, share


def _raised(scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """exp(scores - top), top and 1 / sum of each row; of a row of -inf 0, 0 and 1."""
    top = stop_gradient(max(scores, -1, keepdims=True))
    top = where(isfinite(top), top, 0)
    raised = exp(subtract(scores, top))
    total = sum(raised, -1, keepdims=True)
    return raised, top, divide(1, where(equal(total, 0), 1, total))


def _scores(q: Tensor, k: Tensor, mask: Tensor | None = None, *, causal: bool, scale: float) -> Tensor:
    """The products of queries and keys times `scale`, -inf where a query does not look."""
    if q.dtype is dtypes.float16:  # whose largest number is small
        return _seen(_products(multiply(q, scale), k), mask, causal=causal)
    return _seen(multiply(_products(q, k), scale), mask, causal=causal)


def _seen(scores: Tensor, mask: Tensor | None, *, causal: bool) -> Tensor:
    """The scores with -inf in place of those that a mask and `causal` hide."""
    if causal:
        queries, keys = scores.shape[-2:]
        scores = where(less_equal(arange(keys), expand_dims(arange(queries), 1)), scores, -math.inf)
    if mask is None:
        return scores
    if mask.dtype is dtypes.bool_:
        return where(mask, scores, -math.inf)
    return add(scores, astype(mask, scores.dtype, copy=False))


def attention_weights(q: Tensor, k: Tensor, mask: Tensor | None, *, causal: bool, scale: float) -> Tensor:
    """The weight of each key for each query, (..., queries, keys); `mask` as for the attention."""
    q, k = _with_common_lead([q, k])
    return weights_of_scores(_products(multiply(q, scale), k), mask, causal=causal)


def weights_of_scores(scores: Tensor, mask: Tensor | None, *, causal: bool) -> Tensor:
    """The softmax of scores (..., queries, keys), of those that a mask and `causal` leave."""
    seen = _seen(scores, mask, causal=causal)
    return softmax(seen) if mask is None else _softmax_or_zeros(seen)  # without one each query attends to some key


def _products(x: Tensor, y: Tensor) -> Tensor:
    """x y' in one product over the last axes, without a transposed y."""
    return _batched_product(x, y, -1)


def _products_of_columns(x: Tensor, y: Tensor) -> Tensor:
    """x' y in one product over the axes before the last, without a transposed x."""
    return _batched_product(x, y, -2)


def _batched_product(x: Tensor, y: Tensor, axis: int) -> Tensor:
    """The products of matrices, summed over the same axis of both."""
    lead = tuple(range(len(x.shape) - 2))
    return dot_general(x, y, ((len(x.shape) + axis,), (len(y.shape) + axis,)), (lead, lead))


def _softmax_or_zeros_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                           needed: Sequence[bool]) -> list[Tensor | None]:
    return [softmax_cotangent(cotangents[0], outputs[0], axis=-1)]


@composite("softmax_or_zeros", gradient=_softmax_or_zeros_rule)
def _softmax_or_zeros(scores: Tensor) -> Tensor:
    """The softmax over the last axis, with zeros for a row of -inf."""
    raised, _, share = _raised(single(scores))
    return rounded_like(multiply(raised, share), scores)


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
