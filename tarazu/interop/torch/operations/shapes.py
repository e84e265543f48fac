"""ATen's operations on shapes: views (which Tarazu has as values), joining, cutting, padding, turning."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.base.dtypes import DType
from tarazu.interop.imported import Operation
from tarazu.ops import shape
from tarazu.ops.create import arange, tril, triu
from tarazu.ops.elementwise import astype
from tarazu.ops.indexing.diagonals import diagonal
from tarazu.ops.indexing.index import getitem, setitem
from tarazu.ops.indexing.windows import pad, repeat, unfold
from tarazu.ops.splitting import split
from tarazu.ops.typing import ArrayLike, Tensor


def _transpose(x: Tensor, first: int, second: int) -> Tensor:
    return shape.swapaxes(x, first, second) if len(x.shape) else x


def _squeeze(x: Tensor, dims: int | Sequence[int] | None = None) -> Tensor:
    """Without those of the axes that have the size 1; torch leaves the others."""
    rank = len(x.shape)
    chosen = range(rank) if dims is None else [dims] if isinstance(dims, int) else dims
    gone = {dim % rank for dim in chosen if x.shape[dim] == 1} if rank else set()
    return shape.reshape(x, tuple(size for axis, size in enumerate(x.shape) if axis not in gone))


def _unsqueeze(x: Tensor, dim: int) -> Tensor:
    return shape.expand_dims(x, dim)


def _expand(x: Tensor, sizes: Sequence[int], implicit: bool = False) -> Tensor:
    own = (1,) * (len(sizes) - len(x.shape)) + tuple(x.shape)
    return shape.broadcast_to(x, tuple(mine if size == -1 else size for size, mine in zip(sizes, own, strict=True)))


def _repeat(x: Tensor, repeats: Sequence[int]) -> Tensor:
    return shape.tile(shape.reshape(x, (1,) * (len(repeats) - len(x.shape)) + tuple(x.shape)), tuple(repeats))


def _concat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    most = max(len(x.shape) for x in tensors)
    kept = [x for x in tensors if len(x.shape) == most or x.size]  # torch passes over empty vectors
    return shape.concat(kept, dim)


def _slice(x: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    return getitem(x, _key(x, dim, slice(start, end, step)))


def _select(x: Tensor, dim: int, index: int) -> Tensor:
    return getitem(x, _key(x, dim, index))


def _slice_scatter(x: Tensor, source: Tensor, dim: int = 0, start: int | None = None, end: int | None = None,
                   step: int = 1) -> Tensor:
    return setitem(x, _key(x, dim, slice(start, end, step)), source)


def _select_scatter(x: Tensor, source: Tensor, dim: int, index: int) -> Tensor:
    return setitem(x, _key(x, dim, index), source)


def _key(x: Tensor, dim: int, part: int | slice) -> tuple[int | slice, ...]:
    axis = dim % len(x.shape)
    return (slice(None),) * axis + (part,)


def _split_sizes(x: Tensor, sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    return tuple(split(x, axis=dim, sizes=list(sizes)))


def _split(x: Tensor, size: int, dim: int = 0) -> tuple[Tensor, ...]:
    whole = x.shape[dim]
    return _split_sizes(x, [min(size, whole - start) for start in range(0, whole, size)], dim)


def _unbind(x: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    return tuple(shape.unstack(x, dim))


def _pad(mode: str) -> Operation:
    """Padding of the last axes, the pairs from the last axis on."""
    def padded(x: Tensor, widths: Sequence[int], value: float = 0) -> Tensor:
        pairs = [(widths[i], widths[i + 1]) for i in range(0, len(widths), 2)][::-1]
        return pad(x, [(0, 0)] * (len(x.shape) - len(pairs)) + pairs, value, mode=mode)

    return padded


def pad_last(x: Tensor, widths: Sequence[int], value: float = 0, mode: str = "constant") -> Tensor:
    """Padding of axes between batch and channels, for an image that is channels last."""
    pairs = [(widths[i], widths[i + 1]) for i in range(0, len(widths), 2)][::-1]
    return pad(x, [(0, 0)] * (len(x.shape) - 1 - len(pairs)) + pairs + [(0, 0)], value, mode=mode)


def _diagonal(x: Tensor, offset: int = 0, first: int = 0, second: int = 1) -> Tensor:
    return diagonal(x, offset, first, second)


def _diagonal_scatter(x: Tensor, source: Tensor, offset: int = 0, first: int = 0, second: int = 1) -> Tensor:
    numbers = shape.reshape(arange(x.size), x.shape)
    flat = setitem(shape.reshape(x, (-1,)), shape.flatten(diagonal(numbers, offset, first, second)),
                   shape.flatten(source))
    return shape.reshape(flat, x.shape)


def _strided(x: Tensor, sizes: Sequence[int], strides: Sequence[int], offset: int | None = None) -> Tensor:
    """Elements of the flattened tensor, `strides` apart; torch reads them from memory, which is in that order."""
    places: ArrayLike = offset or 0
    for axis, (size, stride) in enumerate(zip(sizes, strides, strict=True)):
        steps = shape.reshape(arange(size), (size,) + (1,) * (len(sizes) - axis - 1))
        places = steps * stride + places
    return getitem(shape.reshape(x, (-1,)), places)


def _roll(x: Tensor, shifts: Sequence[int], dims: Sequence[int] = ()) -> Tensor:
    return shape.roll(x, tuple(shifts), tuple(dims)) if dims else shape.roll(x, shifts[0])


def _repeat_interleave(x: Tensor, repeats: int, dim: int | None = None, output_size: int | None = None) -> Tensor:
    return repeat(x, repeats, axis=dim)


def _unfold(x: Tensor, dim: int, size: int, step: int) -> Tensor:
    return unfold(x, size, step=step, axis=dim)


def _stride(x: Tensor, dim: int) -> int:
    return math.prod(x.shape[dim % len(x.shape) + 1:])


def _view_dtype(x: Tensor, dtype: DType) -> Tensor:
    return astype(x, dtype)


def as_last(x: Tensor, rank: int) -> Tensor:
    """torch's axes (batch, channels, *sizes) turned to (batch, *sizes, channels), for `rank` of them: those that a
    tensor lacks in front have the size 1."""
    x = shape.reshape(x, (1,) * (rank - len(x.shape)) + tuple(x.shape)) if len(x.shape) < rank else x
    return _turned(x, (0, *range(2, rank), 1))


def as_first(x: Tensor) -> Tensor:
    """(batch, *sizes, channels) turned to torch's (batch, channels, *sizes)."""
    rank = len(x.shape)
    return _turned(x, (0, rank - 1, *range(1, rank - 1)))


def _turned(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Permuted; without moving elements where all axes that are longer than 1 stay in order."""
    sizes = tuple(x.shape[axis] for axis in axes)
    long = [axis for axis in axes if x.shape[axis] != 1]
    return shape.reshape(x, sizes) if long == sorted(long) else shape.permute_dims(x, axes)


def kernel(weight: Tensor) -> Tensor:
    """torch's kernel (out, in, *window) turned to (*window, in, out)."""
    rank = len(weight.shape)
    return shape.permute_dims(weight, (*range(2, rank), 1, 0))


TABLE: dict[str, Operation] = {
    "view": shape.reshape, "reshape": shape.reshape, "_unsafe_view": shape.reshape, "permute": shape.permute_dims,
    "_reshape_copy": shape.reshape, "view_copy": shape.reshape,
    "transpose": _transpose, "t": lambda x: _transpose(x, 0, 1) if len(x.shape) == 2 else x,
    "squeeze": _squeeze, "unsqueeze": _unsqueeze, "expand": _expand, "repeat": _repeat, "cat": _concat,
    "stack": shape.stack, "slice": _slice, "select": _select, "slice_scatter": _slice_scatter,
    "select_scatter": _select_scatter, "split_with_sizes": _split_sizes, "split.Tensor": _split, "unbind": _unbind,
    "flip": shape.flip, "roll": _roll, "constant_pad_nd": _pad("constant"),
    "reflection_pad1d": _pad("reflect"), "reflection_pad2d": _pad("reflect"), "reflection_pad3d": _pad("reflect"),
    "replication_pad1d": _pad("edge"), "replication_pad2d": _pad("edge"), "replication_pad3d": _pad("edge"),
    "diagonal": _diagonal, "diagonal_scatter": _diagonal_scatter, "as_strided": _strided, "unfold": _unfold,
    "tril": lambda x, diagonal=0: tril(x, k=diagonal), "triu": lambda x, diagonal=0: triu(x, k=diagonal),
    "repeat_interleave.self_int": _repeat_interleave, "view.dtype": _view_dtype,
    "sym_size": lambda x, dim: x.shape[dim], "sym_numel": lambda x: x.size, "sym_stride": _stride,
    "sym_storage_offset": lambda x: 0, "sym_is_contiguous": lambda x, memory_format=None: True,
    "as_last": as_last, "as_first": as_first, "kernel": kernel, "pad_last": pad_last,
}
