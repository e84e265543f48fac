"""The convolution: Conv, ConvTranspose where the input is spread, and products over the window for other dtypes.

Tarazu has channels last, ONNX has them behind the batch: results are read in Tarazu's order, and nothing is moved where
the next operation is a convolution, elementwise, a normalization or pooling.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from tarazu.interop.onnx.export.emitter import Emitter
from tarazu.interop.onnx.export.kernels import computed_in
from tarazu.interop.onnx.export.merged import Typed
from tarazu.interop.onnx.export.rules.shape import flip, pad, padded, sliced
from tarazu.interop.onnx.export.sizes import static
from tarazu.interop.onnx.export.values import Order, Value, reordered
from tarazu.ir import op as ops
from tarazu.ir.op import Op
from tarazu.ir.type_rules.convolution import span

Widths = tuple[tuple[int, int], ...]
Sizes = tuple[int, ...]
MOST_AXES = 3  # that onnxruntime's convolutions have


def channels_first(rank: int) -> Order:
    """The order of axes in which ONNX has batches of images and the like."""
    return (0, rank - 1, *range(1, rank - 1))


def convolution(emit: Emitter, out: Typed, x: Value, kernel: Value, *, stride: Sizes, padding: Widths, dilation: Sizes,
                dilation_input: Sizes, groups: int) -> Value:
    axes = len(stride)
    is_unusual = computed_in("Conv", x.dtype) is None or axes > MOST_AXES
    if not is_unusual and any(gap > 1 for gap in dilation_input) and set(stride) == {1}:
        shares = _transposed_padding(kernel, padding, dilation, dilation_input)
        if shares is not None:
            return _transposed(emit, out, x, kernel, shares, dilation, dilation_input, groups)
    if is_unusual or any(gap > 1 for gap in dilation_input) or min(map(min, padding)) < 0:
        x, padding = _spread(emit, x, padding, dilation_input), ((0, 0),) * axes
    if is_unusual:
        return _over_window(emit, out, x, kernel, stride, dilation, groups)
    order = channels_first(x.rank)
    weights = emit.physical(kernel, (axes + 1, axes, *range(axes)))
    raw = emit.op("Conv", emit.physical(x, order), weights, shape=tuple(out.shape[i] for i in order),
                  strides=list(stride), pads=_pads(padding), dilations=list(dilation), group=groups,
                  kernel_shape=list(kernel.shape[:-2]))
    return reordered(raw, order)


def _pads(padding: Widths) -> list[int]:
    return [low for low, _ in padding] + [high for _, high in padding]


def _spread(emit: Emitter, x: Value, padding: Widths, dilation_input: Sizes) -> Value:
    """`x` with its padding, and zeros between its elements."""
    interior = (0, *(gap - 1 for gap in dilation_input), 0)
    low, high = ((0, *(widths[side] for widths in padding), 0) for side in (0, 1))
    sizes = [span(n, gap) + sum(widths)
             for n, gap, widths in zip(static(x.shape[1:-1]), dilation_input, padding, strict=True)]
    zero = emit.scalar(0, x)
    out = Typed((x.shape[0], *sizes, x.shape[-1]), x.dtype)
    if any(interior):
        return pad(emit, out, x, zero, low=low, high=high, interior=interior)
    return padded(emit, x, zero, low, high, out.shape)


def _transposed_padding(kernel: Value, padding: Widths, dilation: Sizes,
                        dilation_input: Sizes) -> list[tuple[int, int, int]] | None:
    """What ConvTranspose cuts before and after, and adds behind, for each axis; None where it could not."""
    shares = []
    for size, (low, high), gap, step in zip(static(kernel.shape[:-2]), padding, dilation, dilation_input, strict=True):
        before, after = (size - 1) * gap - low, (size - 1) * gap - high
        added = max(-after, 0)
        if before < 0 or added >= step:
            return None
        shares.append((before, max(after, 0), added))
    return shares


def _transposed(emit: Emitter, out: Typed, x: Value, kernel: Value, shares: list[tuple[int, int, int]],
                dilation: Sizes, dilation_input: Sizes, groups: int) -> Value:
    """A convolution of an input with zeros between its elements is a transposed one with the kernel turned round."""
    axes, order = len(dilation), channels_first(x.rank)
    window = tuple(range(axes))
    turned = flip(emit, Typed(kernel.shape, kernel.dtype), kernel, axes=window)
    *_, inner, outer = static(kernel.shape)
    if groups == 1:
        weights = emit.physical(turned, (axes, axes + 1, *window))
    else:
        apart = emit.reshape(turned, (*kernel.shape[:-2], inner, groups, outer // groups))
        ordered = emit.physical(apart, (axes + 1, axes, axes + 2, *window))
        weights = emit.reshape(ordered, (groups * inner, outer // groups, *kernel.shape[:-2]))
    raw = emit.op("ConvTranspose", emit.physical(x, order), weights, shape=tuple(out.shape[i] for i in order),
                  strides=list(dilation_input), dilations=list(dilation), group=groups,
                  pads=[share[0] for share in shares] + [share[1] for share in shares],
                  output_padding=[share[2] for share in shares], kernel_shape=list(kernel.shape[:-2]))
    return reordered(raw, order)


def _over_window(emit: Emitter, out: Typed, x: Value, kernel: Value, stride: Sizes, dilation: Sizes,
                 groups: int) -> Value:
    """The sum of a product per element of the window, of a padded input."""
    total: Value | None = None
    *window, inner, together = static(kernel.shape)
    outer, places = together // groups, static(out.shape[1:-1])
    letters = "abcdefghijklm"[:len(places) + 1]
    for offset in itertools.product(*map(range, window)):
        part = _strided(emit, x, [a * d for a, d in zip(offset, dilation, strict=True)], stride, places)
        one = sliced(emit, kernel, range(len(window)), offset, [a + 1 for a in offset], [1] * len(window),
                     (*(1 for _ in window), inner, together))
        weights = emit.reshape(one, (inner, groups, outer))
        rows = emit.reshape(part, (*out.shape[:-1], groups, inner))
        product = emit.op("Einsum", rows, weights, shape=(*out.shape[:-1], groups, outer),
                          equation=f"{letters}yx,xyz->{letters}yz")
        total = product if total is None else emit.map("Add", total, product)
    assert total is not None  # windows have at least one element
    return emit.reshape(total, out.shape)


def _strided(emit: Emitter, x: Value, first: list[int], stride: Sizes, places: Sizes) -> Value:
    ends = [a + (n - 1) * step + 1 for a, n, step in zip(first, places, stride, strict=True)]
    return sliced(emit, x, range(1, x.rank - 1), first, ends, stride, (x.shape[0], *places, x.shape[-1]))


ROWS: dict[Op, Callable[..., Any]] = {ops.CONV: convolution}
