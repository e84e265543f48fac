"""The zeros that convolutions need around their inputs, and tensors that lie in the middle of zeros."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tarazu.backend.native.lowering.buffers import View
from tarazu.ir.node import Node
from tarazu.ir.types import Shape

Widths = tuple[int, ...]


class Phase(NamedTuple):
    """Every so many-th output along one axis of an input with gaps: the taps that meet elements, not zeros."""

    first: int  # output
    outputs: int
    tap: int  # the first
    taps: int
    start: int  # the element that the first tap of the first output meets; negative in front of the input

    def end(self, step: int) -> int:
        """Behind the last element that is met, where taps are `step` elements apart."""
        return self.start + self.outputs + (self.taps - 1) * step if self.taps else 0


class Phases(NamedTuple):
    """The phases of the gradient of a strided convolution: along each axis those of its outputs that meet one set of
    taps."""

    along: tuple[list[Phase], ...]
    apart: Widths  # taps of a phase
    steps: Widths  # elements between those taps
    low: Widths  # zeros in front of the input
    high: Widths

    @classmethod
    def of(cls, node: Node) -> Phases:
        """Those of a convolution with gaps in its input, and stride 1."""
        attributes, window = node.attributes, node.inputs[1].shape[:-2]
        gaps, dilations = attributes["dilation_input"], attributes["dilation"]
        common = [math.gcd(gap, n) for gap, n in zip(gaps, dilations, strict=True)]
        apart = tuple([gap // n for gap, n in zip(gaps, common, strict=True)])
        steps = tuple([dilation // n for dilation, n in zip(dilations, common, strict=True)])
        along = tuple([_phases_along(*one) for one in zip(node.shape[1:-1], window, dilations, gaps,
                                                          attributes["padding"], apart, strict=True)])
        low = [max([0, *[-phase.start for phase in phases if phase.taps]]) for phases in along]
        high = [max(0, *[phase.end(step) - n for phase in phases])
                for phases, step, n in zip(along, steps, node.inputs[0].shape[1:-1], strict=True)]
        return cls(along, apart, steps, tuple(low), tuple(high))


def _phases_along(outputs: int, window: int, dilation: int, gap: int, widths: tuple[int, int],
                  apart: int) -> list[Phase]:
    """The phases along one axis."""
    found = []
    for first in range(min(gap, outputs)):
        meets = [tap for tap in range(window) if (first + tap * dilation - widths[0]) % gap == 0]
        start = (first + meets[0] * dilation - widths[0]) // gap if meets else 0
        assert all(tap == meets[0] + i * apart for i, tap in enumerate(meets))
        found.append(Phase(first, -(-(outputs - first) // gap), meets[0] if meets else 0, len(meets), start))
    return found


def has_phases(node: Node) -> bool:
    """Whether a convolution is computed phase by phase."""
    return max(node.attributes["dilation_input"]) > 1 and max(node.attributes["stride"]) == 1


def zeros_around(node: Node) -> tuple[Widths, Widths]:
    """How many zeros a convolution that is no sum of tiles needs in front of and behind the axes of its window."""
    if has_phases(node):
        phases = Phases.of(node)
        return phases.low, phases.high
    low, high = (tuple([max(widths[side], 0) for widths in node.attributes["padding"]]) for side in (0, 1))
    return low, high


# Tensors with zeros around them -------------------------------------------------------------------------------------

class Frame(NamedTuple):
    """The zeros around a tensor: so many in front of and behind each axis."""

    low: Widths
    high: Widths

    def around(self, shape: Shape) -> Shape:
        """The shape of a tensor with its zeros."""
        return tuple([low + n + high for low, n, high in zip(self.low, shape, self.high, strict=True)])

    def joined(self, other: Frame) -> Frame:
        """The zeros of both."""
        return Frame(*[tuple(map(max, one, two)) for one, two in zip(self, other, strict=True)])


class Framed(NamedTuple):
    """A tensor in the middle of its zeros."""

    inner: View
    frame: Frame

    def with_zeros(self, view: View, axes: Sequence[int], low: Sequence[int], high: Sequence[int]) -> View | None:
        """A view of the tensor with so many zeros in front of and behind some axes; None where they are not there."""
        if view.offset != self.inner.offset:
            return None
        shape, offset = list(view.shape), view.offset
        for axis, before, after in zip(axes, low, high, strict=True):
            own = axis_of(self.inner, view.shape[axis], view.strides[axis])
            if before or after:
                if own is None or self.frame.low[own] < before or self.frame.high[own] < after:
                    return None
                shape[axis] += before + after
                offset -= before * view.strides[axis]
        return View(view.buffer, tuple(shape), offset, view.strides)


def axis_of(view: View, size: int, stride: int) -> int | None:
    """The axis of a view that has this size and this stride; None where there is none."""
    found = [axis for axis, one in enumerate(zip(view.shape, view.strides, strict=True)) if one == (size, stride)]
    return found[0] if found and size > 1 else None
