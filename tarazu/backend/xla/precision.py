"""Half precision in rows of the tables: computed in single precision and rounded once, as NumPy does."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

HALF = (jnp.float16, jnp.bfloat16)


def is_half(x: Array) -> bool:
    return x.dtype in HALF


def in_single(row: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator: `row` computes half precision in single precision, and its results are cast back."""
    @functools.wraps(row)
    def run(*arrays: Array, **attributes: object) -> Any:
        half = next((x.dtype for x in arrays if is_half(x)), None)
        if half is None:
            return row(*arrays, **attributes)
        out = row(*[x.astype(jnp.float32) if is_half(x) else x for x in arrays], **attributes)
        return jax.tree.map(lambda x: x.astype(half) if x.dtype == jnp.float32 else x, out)
    return run
