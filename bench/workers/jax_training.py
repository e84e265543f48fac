"""What training needs beyond JAX: the loss of class numbers, Adam (Kingma and Ba, 2015) and AdamW, half precision."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

FIRST, SECOND, EPSILON = 0.9, 0.999, 1e-8


def cross_entropies(logits: jax.Array, target: jax.Array) -> jax.Array:
    """Of each row, in float32."""
    logits = logits.astype(jnp.float32)
    return jax.nn.logsumexp(logits, 1) - jnp.take_along_axis(logits, target[:, None], 1)[:, 0]


def adam_state(p: Any) -> Any:
    """Two moments of each parameter, and the number of steps."""
    return jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p), jnp.zeros((), jnp.int32)


def adam(p: Any, gradients: Any, state: Any, rate: float, decay: float = 0.0) -> tuple[Any, Any]:
    """The parameters and the state after a step; with a `decay` of weights that of AdamW."""
    first, second, steps = state
    steps += 1
    first = jax.tree.map(lambda m, g: FIRST * m + (1 - FIRST) * g, first, gradients)
    second = jax.tree.map(lambda v, g: SECOND * v + (1 - SECOND) * g * g, second, gradients)
    kept, rate, spread = 1 - rate * decay, rate / (1 - FIRST ** steps), 1 / (1 - SECOND ** steps)
    p = jax.tree.map(lambda w, m, v: kept * w - rate * m / (jnp.sqrt(v * spread) + EPSILON), p, first, second)
    return p, (first, second, steps)


def halved(tree: Any) -> Any:
    """The same in bfloat16, as mixed precision multiplies it; tokens stay."""
    return jax.tree.map(lambda x: x.astype(jnp.bfloat16) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree)
