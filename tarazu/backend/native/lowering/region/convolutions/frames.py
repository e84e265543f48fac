"""Which tensors are stored in the middle of zeros, because the convolutions that read them need these.

A tensor that is a factor of no other product is computed into the middle, once for all of them; any other is copied
there (zeros.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from tarazu.backend.native.lowering.buffers import View
from tarazu.backend.native.lowering.index_map import VIEWS, view_through
from tarazu.backend.native.lowering.materialize import Demand, Need
from tarazu.backend.native.lowering.nodes import is_barrier_result
from tarazu.backend.native.lowering.primitives import is_compiled, is_elementwise
from tarazu.backend.native.lowering.region.convolutions import winograd
from tarazu.backend.native.lowering.region.convolutions.surroundings import Frame, axis_of, has_phases, zeros_around
from tarazu.ir import op as ops
from tarazu.ir.node import Node


def frames(demand: Demand, tile: int) -> dict[Node, Frame]:
    """The nodes that are stored with zeros around them, where convolutions may have tiles of up to `tile` elements.

    These are computed element by element, and all products that read them need such zeros or go over them.
    """
    found: dict[Node, Frame] = {}
    for node in demand.stored:
        if is_compiled(node) and is_elementwise(node) and Need.STRIDED in demand.needs[node] \
                and Need.CONTIGUOUS not in demand.needs[node]:
            frame = _frame(demand, node, tile)
            if frame is not None and any(map(any, frame)):
                found[node] = frame
    return found


def _frame(demand: Demand, node: Node, tile: int) -> Frame | None:
    """The zeros that all users of a node need around it; None where a user is better off without."""
    frame = Frame((0,) * len(node.shape), (0,) * len(node.shape))
    whole = View.new(node.dtype, node.shape)
    for user, read, view in _users(demand, node, whole):
        if is_barrier_result(user) or user.op in (ops.BARRIER, ops.DOT):
            return None
        if user.op is not ops.CONV:
            continue
        if view is None or winograd.tiles(user, tile) is not None:
            return None
        needed = _needed(user, read, view, whole)
        if needed is None:
            return None
        frame = frame.joined(needed)
    return frame


def _users(demand: Demand, node: Node, whole: View) -> Iterator[tuple[Node, Node, View | None]]:
    """What reads a node, itself or through views that have no memory; what is read, and where its elements lie."""
    shown: list[tuple[Node, View | None]] = [(node, whole)]
    for read, view in shown:
        for user in demand.users[read]:
            if user.op in VIEWS and user not in demand.stored:
                shown.append((user, view_through(view, user) if view is not None else None))
            else:
                yield user, read, view


def _needed(user: Node, read: Node, view: View, whole: View) -> Frame | None:
    """The zeros that a convolution needs around a tensor, which it reads as `view`.

    None where it needs no zeros, or reads the tensor in another order, which a copy is better for.
    """
    low, high = zeros_around(user)
    if not (any(low) or any(high)) or (max(user.attributes["dilation_input"]) > 1 and not has_phases(user)):
        return None
    widths = ([0] * len(whole.shape), [0] * len(whole.shape))
    if read is not user.inputs[0]:
        return Frame(*map(tuple, widths))  # it goes over the tensor with the zeros
    if view.offset or not _channels_are_innermost(view) or read is user.inputs[1]:
        return None
    for axis, (before, after) in enumerate(zip(low, high, strict=True), 1):
        if before or after:
            own = axis_of(whole, view.shape[axis], view.strides[axis])
            if own is None:
                return None
            widths[0][own], widths[1][own] = before, after
    return Frame(*map(tuple, widths))


def _channels_are_innermost(view: View) -> bool:
    """Whether the last axis of a view lies side by side in memory, or in steps over the first, as groups of channels
    do for the gradient of their kernels."""
    return view.strides[-1] == (1 if view.strides[0] != 1 else view.shape[0])
