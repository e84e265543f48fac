"""Operators that arrange the same elements in another shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tarazu.base.errors import AxisError
from tarazu.interop.onnx.reading.bounds import require_fair
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import (
    Array,
    ChannelsLast,
    channels_last,
    in_usual_layout,
    integers,
)
from tarazu.ops import shape as ops
from tarazu.ops.promote import as_value
from tarazu.runtime.tensor.tensor import Tensor


@operator("Reshape")
def reshape(data: Array, shape: Any, allowzero: int = 0) -> Tensor:
    """The elements in another shape: -1 is what is left, 0 the old size."""
    sizes = integers(shape)
    if not allowzero:
        sizes = [data.shape[axis] if size == 0 else size for axis, size in enumerate(sizes)]
    if -1 in sizes:
        others = -math.prod(sizes)
        sizes[sizes.index(-1)] = math.prod(data.shape) // others if others else 0
    return ops.reshape(data, sizes)


@operator("Flatten")
def flatten(x: Array, axis: int = 1) -> Tensor:
    """A matrix: the axes before `axis`, and the others."""
    axis = axis + len(x.shape) if axis < 0 else axis
    return ops.reshape(x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))


@operator("Squeeze")
def squeeze(x: Array, axes: Any = None) -> Tensor:
    """`x` without axes of size 1."""
    wanted = [axis for axis, size in enumerate(x.shape) if size == 1] if axes is None else integers(axes)
    return ops.squeeze(x, tuple(wanted))


@operator("Unsqueeze")
def unsqueeze(x: Array, axes: Any) -> Tensor:
    """`x` with more axes of size 1, at these places of the result."""
    wanted = integers(axes)
    rank = len(x.shape) + len(wanted)
    if beyond := [axis for axis in wanted if not -rank <= axis < rank]:
        raise AxisError(f"axis {beyond[0]} of a result with {rank} axes",
                        expected=f"an axis from {-rank} to {rank - 1}", fix="export the model again")
    new = {axis % rank for axis in wanted}
    sizes = iter(x.shape)
    return ops.reshape(x, tuple(1 if axis in new else next(sizes) for axis in range(rank)))


@operator("Transpose")
def transpose(x: Array, perm: Sequence[int] | None = None) -> Tensor:
    """The axes in another order, without one in the opposite order."""
    return ops.permute_dims(x, tuple(perm) if perm is not None else tuple(reversed(range(len(x.shape)))))


@operator("Expand")
def expand(x: Array, shape: Any) -> Tensor:
    """`x` broadcast with a shape."""
    shape = np.broadcast_shapes(tuple(x.shape), tuple(integers(shape)))
    require_fair(*shape)
    return ops.broadcast_to(x, shape)


@operator("Concat", images=True)
def concat(*inputs: Any, axis: int) -> Any:
    """Tensors side by side."""
    require_fair(sum(math.prod(x.shape) for x in inputs))
    if any(isinstance(x, ChannelsLast) for x in inputs) and len(inputs[0].shape) >= 3:
        rank = len(inputs[0].shape)
        last = {0: 0, 1: rank - 1}.get(axis % rank, axis % rank - 1)
        return ChannelsLast(ops.concat([channels_last(x) for x in inputs], last))
    return ops.concat([as_value(in_usual_layout(x)) for x in inputs], axis)


@operator("Tile")
def tile(x: Array, repeats: Any) -> Tensor:
    """`x` as often along each axis."""
    times = integers(repeats)
    require_fair(*x.shape, *times)
    return ops.tile(x, times)


@operator("DepthToSpace")
def depth_to_space(x: Array, blocksize: int, mode: str = "DCR") -> Tensor:
    """Channels moved into blocks of pixels."""
    batch, channels, height, width = x.shape
    block = blocksize
    order = (0, 3, 4, 1, 5, 2) if mode == "DCR" else (0, 1, 4, 2, 5, 3)
    split = (batch, block, block, channels // block**2, height, width) if mode == "DCR" else (
        batch, channels // block**2, block, block, height, width)
    return ops.reshape(ops.permute_dims(ops.reshape(x, split), order),
                       (batch, channels // block**2, height * block, width * block))


@operator("SpaceToDepth")
def space_to_depth(x: Array, blocksize: int, mode: str = "DCR") -> Tensor:
    """Blocks of pixels moved into channels."""
    batch, channels, height, width = x.shape
    block = blocksize
    split = ops.reshape(x, (batch, channels, height // block, block, width // block, block))
    order = (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4)
    return ops.reshape(ops.permute_dims(split, order), (batch, channels * block**2, height // block, width // block))
