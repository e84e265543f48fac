"""One trace at a time: while a thread traces, the handles that it changes hold nodes, which no other thread can use."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from tarazu.ir.node import Node
from tarazu.transform.gradient.tape import Leaf

tracing = threading.RLock()  # held by the thread that traces


def wait_for_trace(handle: Any) -> Any:
    """The data of `handle`, once no other thread traces."""
    raw = handle.raw
    if raw.__class__ is Node:
        with tracing:
            return handle.raw
    return raw


def rebind_all(handles: Iterable[Any], sources: Iterable[int], raws: Sequence[Any], entries: Sequence[Any]) -> None:
    """Let each handle stand for `raws[source]` once no other thread traces, at that place on the tape if not a leaf."""
    for handle, i in zip(handles, sources, strict=True):
        if handle.raw.__class__ is Node:
            wait_for_trace(handle)
        handle.raw, entry = raws[i], entries[i]
        if handle.tape_entry is not entry and not isinstance(handle.tape_entry, Leaf):
            handle.tape_entry = entry
