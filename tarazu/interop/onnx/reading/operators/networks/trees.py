"""What comes before and beside networks: trees, n-grams, thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array
from tarazu.ops import elementwise as ops
from tarazu.ops import shape as shapes
from tarazu.ops.elementwise import greater
from tarazu.ops.indexing.index import take, take_along_axis
from tarazu.ops.networks.softmax import softmax
from tarazu.ops.promote import as_value, cast
from tarazu.ops.reduce import all as all_of
from tarazu.ops.reduce import any as any_of
from tarazu.ops.reduce import max, min, sum
from tarazu.runtime.tensor.tensor import Tensor

COMPARED: list[Callable[[Any, Any], Tensor]] = [ops.less_equal, ops.less, ops.greater_equal, ops.greater, ops.equal,
                                                ops.not_equal]
MEMBER = 6


@operator("ai.onnx.ml:Binarizer")
def binarizer(x: Array, threshold: float = 0.0) -> Tensor:
    """1 above a threshold, else 0."""
    x = as_value(x)
    return cast(greater(x, threshold), x.dtype)


@operator("ai.onnx.ml:TreeEnsemble")
def trees(x: Array, tree_roots: Sequence[int], n_targets: int, leaf_targetids: Sequence[int], leaf_weights: np.ndarray,
          aggregate_function: int = 1, post_transform: int = 0, **nodes: Any) -> Tensor:
    """The leaves that each row of `x` comes to, joined for each target."""
    x, roots = as_value(x), np.array(tree_roots)
    leaves = _leaves(x, roots, nodes)
    weights, targets = leaf_weights.astype(x.dtype.numpy), np.array(leaf_targetids)
    columns = []
    for target in range(n_targets):
        is_mine = take(targets == target, leaves)
        values = take(weights, leaves)
        neutral = {2: np.inf, 3: -np.inf}.get(aggregate_function, 0.0)
        join = {2: min, 3: max}.get(aggregate_function, sum)
        columns.append(join(ops.where(is_mine, values, neutral), 1))
    y = shapes.stack(columns, 1)
    y = ops.divide(y, len(roots)) if aggregate_function == 0 else y
    if post_transform not in (0, 1, 2):
        raise ArgumentError(f"trees with post_transform={post_transform}", expected="0, 1 (softmax) or 2 (sigmoid)",
                            fix="export the model without it")
    return [y, softmax(y), ops.sigmoid(y)][post_transform]


def _leaves(x: Tensor, roots: np.ndarray, nodes: dict[str, Any]) -> Tensor:
    """The leaf of each row in each tree; a row goes down all trees at once."""
    count = len(nodes["nodes_featureids"])
    follows = {side: np.where(nodes[f"nodes_{side}leafs"], count + np.array(nodes[f"nodes_{side}nodeids"]),
                              nodes[f"nodes_{side}nodeids"]) for side in ("true", "false")}
    leaves = np.concatenate([np.zeros(count, np.int64), np.arange(np.max([*follows.values()]) + 1 - count)])
    steps = {side: np.concatenate([follow, count + np.arange(len(leaves) - count)])
             for side, follow in follows.items()}  # a leaf leads to itself
    features = np.concatenate([nodes["nodes_featureids"], np.zeros(len(leaves) - count, np.int64)])
    at = as_value(np.broadcast_to(roots, (x.shape[0], len(roots))))
    for _ in range(_depth(follows, roots, count)):
        seen = take_along_axis(x, take(features, at), 1)
        is_true = _goes_to_true(seen, at, nodes, len(leaves) - count)
        at = ops.where(is_true, take(steps["true"], at), take(steps["false"], at))
    return take(leaves, at)


def _goes_to_true(seen: Tensor, at: Tensor, nodes: dict[str, Any], leaves: int) -> Tensor:
    modes = np.concatenate([nodes["nodes_modes"], np.zeros(leaves, np.uint8)])
    splits = np.concatenate([nodes["nodes_splits"], np.zeros(leaves, nodes["nodes_splits"].dtype)])
    missing = np.concatenate([nodes.get("nodes_missing_value_tracks_true") or np.zeros(len(modes) - leaves), np.zeros(
        leaves)]).astype(bool)
    result, mode = as_value(False), take(modes.astype(np.int64), at)
    for number in np.unique(modes):
        if number != MEMBER:
            result = ops.where(ops.equal(mode, int(number)), COMPARED[number](seen, take(splits, at)), result)
    for node, members in zip(np.flatnonzero(modes == MEMBER), _members(nodes), strict=True):
        is_member = any_of(ops.equal(shapes.expand_dims(seen, 2), members), 2)
        result = ops.where(ops.equal(at, int(node)), is_member, result)
    return ops.where(ops.isnan(seen), take(missing, at), result)


def _members(nodes: dict[str, Any]) -> list[np.ndarray]:
    """The sets of values, which NaN ends."""
    values = nodes.get("membership_values", np.zeros(0))
    parts = np.split(values, np.flatnonzero(np.isnan(values)) + 1)
    return [part[~np.isnan(part)] for part in parts if part.size]


def _depth(follows: dict[str, np.ndarray], roots: np.ndarray, count: int) -> int:
    """How many nodes there are from a root to a leaf, at most."""
    level, depth = set(roots.tolist()), 0
    while level := {int(follow[node]) for node in level if node < count for follow in follows.values()}:
        depth += 1
        if depth > count:
            raise ArgumentError("trees whose nodes go in a circle", expected="nodes that lead to leaves",
                                fix="export the model again")
    return depth


@operator("TfIdfVectorizer")
def count_n_grams(x: Array, max_gram_length: int, max_skip_count: int, min_gram_length: int, mode: str,
                  ngram_counts: Sequence[int], ngram_indexes: Sequence[int], pool_int64s: Sequence[int],
                  weights: Sequence[float] | None = None) -> Tensor:
    """How often each of the n-grams in a pool comes in each row, or whether it does; also weighed."""
    x = as_value(x)
    rows = x if len(x.shape) == 2 else shapes.expand_dims(x, 0)
    order = np.argsort(ngram_indexes, kind="stable")
    counts = []
    ends = [*ngram_counts[1:], len(pool_int64s)]
    for size, (start, end) in enumerate(zip(ngram_counts, ends, strict=True), 1):
        grams = np.array(pool_int64s[start:end], np.int64).reshape(-1, size)
        is_counted = min_gram_length <= size <= max_gram_length
        counts.append(_found(rows, grams, max_skip_count if size > 1 else 0) if is_counted
                      else as_value(np.zeros((rows.shape[0], len(grams)), np.int64)))
    total = cast(shapes.concat(counts, 1), as_value(0.0).dtype)
    total = ops.minimum(total, 1.0) if mode == "IDF" else total
    total = total if mode == "TF" or weights is None else ops.multiply(total, np.array(weights, np.float32))
    placed = np.zeros((len(ngram_indexes), int(np.max(ngram_indexes)) + 1), np.float32)
    placed[order, np.array(ngram_indexes)[order]] = 1
    y = total @ as_value(placed)
    return y if len(x.shape) == 2 else y[0]


def _found(rows: Tensor, grams: np.ndarray, skips: int) -> Tensor:
    """How often each n-gram comes in each row, with up to as many elements left out between its parts."""
    total = as_value(np.zeros((rows.shape[0], len(grams)), np.int64))
    for step in range(1, skips + 2):
        starts = np.arange(rows.shape[1] - (grams.shape[1] - 1) * step)
        if len(starts) and len(grams):
            windows = take(rows, starts[:, None] + np.arange(grams.shape[1]) * step, 1)
            is_same = all_of(ops.equal(shapes.expand_dims(windows, 2), grams), 3)
            total = ops.add(total, sum(is_same, 1))
    return total
