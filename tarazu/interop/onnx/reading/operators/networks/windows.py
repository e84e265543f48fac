"""The options of windows, for convolutions and pools."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.interop.onnx.reading.values import per_axis

Pairs = tuple[tuple[int, int], ...]


def spans_of(window: Sequence[int], dilations: Sequence[int]) -> list[int]:
    """From the first to the last element of a window, along each axis."""
    return [(size - 1) * gap + 1 for size, gap in zip(window, dilations, strict=True)]


def padding_pairs(sizes: Sequence[int], spans: Sequence[int], strides: Sequence[int], auto_pad: str,
                  pads: Sequence[int] | None) -> Pairs:
    """The widths (before, after) along each axis, for windows that span `spans`."""
    axes = len(sizes)
    if auto_pad in ("NOTSET", ""):
        widths = per_axis(pads, 2 * axes, 0)
        return tuple(zip(widths[:axes], widths[axes:], strict=True))
    if auto_pad == "VALID":
        return ((0, 0),) * axes
    totals = [max((-(-n // step) - 1) * step + span - n, 0)
              for n, span, step in zip(sizes, spans, strides, strict=True)]
    return split_totals(totals, auto_pad)


def split_totals(totals: Sequence[int], auto_pad: str) -> Pairs:
    """Widths in two halves; the larger one behind for SAME_UPPER, else before."""
    smaller = [(total // 2, total - total // 2) for total in totals]
    return tuple(smaller if auto_pad != "SAME_LOWER" else [(high, low) for low, high in smaller])
