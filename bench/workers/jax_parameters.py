"""First weights of the networks in JAX, a dense layer and a layer norm."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from first_weights import given, in_order

Parameters = dict[str, Any]
RNG = np.random.default_rng(1)


def glorot(*shape: int) -> np.ndarray:
    """A weight with inputs and outputs as its last axes (Glorot and Bengio, 2010)."""
    limit = math.sqrt(6 / (math.prod(shape[:-2]) * sum(shape[-2:])))
    return RNG.uniform(-limit, limit, shape).astype(np.float32)


def linear(*shape: int) -> Parameters:
    return {"weight": glorot(*shape), "bias": np.zeros(shape[-1], np.float32)}


def normal(std: float, *shape: int) -> np.ndarray:
    return RNG.normal(0, std, shape).astype(np.float32)


def scale(width: int) -> Parameters:
    """Of a layer norm."""
    return {"weight": np.ones(width, np.float32), "bias": np.zeros(width, np.float32)}


def apply(p: Parameters, x: jax.Array) -> jax.Array:
    return x @ p["weight"] + p["bias"]


def layer_norm(p: Parameters, x: jax.Array) -> jax.Array:
    return jax.nn.standardize(x.astype(jnp.float32), axis=-1, epsilon=1e-5).astype(x.dtype) * p["weight"] + p["bias"]


def shared(tree: Any) -> Any:
    """The same with the weights that all frameworks share, where there are such."""
    return _filled(tree, in_order(leaf.size for leaf in _leaves(tree))) if given() else tree


def _leaves(tree: Any) -> Iterator[np.ndarray]:
    """In the order in which they were made; that of `jax.tree` goes by name."""
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    if parts is None:
        yield tree
    for part in parts or ():
        yield from _leaves(part)


def _filled(tree: Any, arrays: Iterator[np.ndarray]) -> Any:
    if isinstance(tree, dict):
        return {name: _filled(part, arrays) for name, part in tree.items()}
    if isinstance(tree, list):
        return [_filled(part, arrays) for part in tree]
    return next(arrays).reshape(tree.shape)
