"""Type rules of gather and scatter."""

from __future__ import annotations

from tarazu.base.errors import ShapeError
from tarazu.ir.type_rules.checks import broadcast_shapes, require_axes, require_kind, require_same_dtype
from tarazu.ir.types import TensorType


def gather(name: str, x: TensorType, *indices: TensorType, axes: tuple[int, ...]) -> TensorType:
    require_kind(name, ("int", "uint"), *indices)
    require_axes(name, axes, len(x.shape))
    if len(indices) != len(axes):
        raise ShapeError(f"{name}: {len(indices)} index tensors for axes {axes}", expected="one per axis",
                         fix="use x[...]")
    rest = tuple(size for axis, size in enumerate(x.shape) if axis not in axes)
    return TensorType(broadcast_shapes(name, *(index.shape for index in indices)) + rest, x.dtype)


def scatter(name: str, x: TensorType, updates: TensorType, *indices: TensorType, axes: tuple[int, ...]) -> TensorType:
    require_same_dtype(name, x, updates)
    picked = gather(name, x, *indices, axes=axes)
    if picked.shape != updates.shape:
        raise ShapeError(f"{name}: updates of shape {updates.shape} for places of shape {picked.shape}",
                         expected=f"updates of shape {picked.shape}", fix="broadcast the updates first")
    return x
