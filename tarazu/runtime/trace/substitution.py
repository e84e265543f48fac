"""Tensors that stand in for others while a block runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace_lock import overwrite
from tarazu.transform.gradient.tape import EVERYTHING, ignoring


@contextlib.contextmanager
def substitute(handles: Sequence[Tensor], values: Sequence[Tensor]) -> Iterator[None]:
    """A block in which each handle has the data, dtype and tape entry of the value in its place.

    Afterwards it is what it was before; changes in place that the block makes of it are lost.
    """
    before = [(handle, handle.raw, handle.tape_entry) for handle in handles]
    for handle, value in zip(handles, values, strict=True):
        overwrite(handle, value.raw, value.tape_entry)
    try:
        yield
    finally:
        for handle, raw, entry in before:
            overwrite(handle, raw, entry)


@contextlib.contextmanager
def substitute_keeping_changes(handles: Sequence[Tensor], values: Sequence[Tensor]) -> Iterator[None]:
    """As `substitute`, but what the block makes of a handle in place is its value afterwards, in its own dtype."""
    with substitute(handles, values):
        yield
        changed = [(handle, handle.detach()) for handle, value in zip(handles, values, strict=True)
                   if handle.raw is not value.raw]
    with ignoring(EVERYTHING):
        for handle, new in changed:
            handle.copy_(new)
