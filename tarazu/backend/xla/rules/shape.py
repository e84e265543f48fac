"""Primitives that rearrange or create elements and do not compute with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from tarazu.backend.xla.devices import sharding
from tarazu.backend.xla.rules.elementwise import broadcast_to, cast
from tarazu.base.device import Device, Layout
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops
from tarazu.ir.op import Op

Sizes = tuple[int, ...]


def counting(size: int) -> Array:
    """0, 1, 2, ... in 32 bits where they suffice: accelerators are slow with 64."""
    return lax.iota(jnp.int32 if size < 2**31 else jnp.int64, size)


def iota(size: int, dtype: DType) -> Array:
    return cast(counting(size), dtype)


def pad(x: Array, value: Array, low: Sizes, high: Sizes, interior: Sizes) -> Array:
    return lax.pad(x, value, tuple(zip(low, high, interior, strict=True)))


def place(x: Array, where: Device | Layout) -> Array:
    """The layout as a constraint; a program runs on one device or mesh, so a device has no effect in it."""
    return lax.with_sharding_constraint(x, sharding(where)) if isinstance(where, Layout) else x


ROWS: dict[Op, Callable[..., Any]] = {
    ops.RESHAPE: lambda x, shape: lax.reshape(x, shape),
    ops.TRANSPOSE: lambda x, permutation: lax.transpose(x, permutation),
    ops.BROADCAST: lambda x, shape: broadcast_to(x, tuple(shape)),
    ops.SLICE: lambda x, start, stop, step: lax.slice(x, start, stop, step),
    ops.PAD: pad,
    ops.CONCAT: lambda *parts, axis: lax.concatenate(parts, axis),
    ops.FLIP: lambda x, axes: lax.rev(x, axes),
    ops.IOTA: iota,
    ops.PLACE: place,
}
