"""First weights of the networks in JAX, and a dense layer."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np

Parameters = dict[str, Any]
RNG = np.random.default_rng(1)


def glorot(*shape: int) -> np.ndarray:
    """A weight with inputs and outputs as its last axes (Glorot and Bengio, 2010)."""
    limit = math.sqrt(6 / (math.prod(shape[:-2]) * sum(shape[-2:])))
    return RNG.uniform(-limit, limit, shape).astype(np.float32)


def linear(*shape: int) -> Parameters:
    return {"weight": glorot(*shape), "bias": np.zeros(shape[-1], np.float32)}


def apply(p: Parameters, x: jax.Array) -> jax.Array:
    return x @ p["weight"] + p["bias"]
