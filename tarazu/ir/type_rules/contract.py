"""The type rule of `dot`, the product of tensors over any axes."""

from __future__ import annotations

from tarazu.base.errors import ShapeError
from tarazu.ir.type_rules.checks import NUMBER, require_axes, require_kind, require_same_dtype
from tarazu.ir.types import TensorType


def dot(name: str, x: TensorType, y: TensorType, *, contract: tuple[tuple[int, ...], tuple[int, ...]],
        batch: tuple[tuple[int, ...], tuple[int, ...]]) -> TensorType:
    require_kind(name, NUMBER, x, y)
    dtype = require_same_dtype(name, x, y)
    sides = [(type_, contract[side], batch[side]) for side, type_ in enumerate((x, y))]
    for type_, contracted, batched in sides:
        require_axes(name, contracted + batched, len(type_.shape))
    for pairs in (contract, batch):
        sizes = [tuple(type_.shape[axis] for axis in axes) for type_, axes in zip((x, y), pairs, strict=True)]
        if sizes[0] != sizes[1]:
            raise ShapeError(f"{name}: shapes {x.shape} and {y.shape} meet with sizes {sizes[0]} and {sizes[1]}",
                             expected="equal sizes where they meet: in a @ b the last axis of a, the last but one of b",
                             fix="transpose or reshape one of them (x.mT swaps the last two axes)")
    free = [tuple(n for axis, n in enumerate(t.shape) if axis not in c + b) for t, c, b in sides]
    return TensorType(tuple(x.shape[axis] for axis in batch[0]) + free[0] + free[1], dtype)
