"""The lock by which one thread traces at a time, and the functions that write the data of a handle.

While a thread traces, the handles that it changes hold nodes of its graph, which no other thread can use. Other threads
wait, before they read or change such a handle, until the trace is over and the handle holds an array again.

After a handle is made, its data are written here only:

- `rebind_all`: new values, as operations compute them; a handle that is a leaf of the gradient tape stays one.
- `replace_data`: other data and nothing else: the same values on another device, or values that were saved.
- `overwrite`: data and tape entry, whatever they were: what was there before a block is put back by it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from tarazu.ir.interpreter import Value
from tarazu.ir.node import Node
from tarazu.ir.types import Data
from tarazu.transform.gradient.tape import Leaf, TapeEntry

tracing = threading.RLock()  # held by the thread that traces


def wait_for_trace(handle: Value) -> Data:
    """The data of `handle`, once no other thread traces."""
    raw = handle.raw
    if raw.__class__ is Node:
        with tracing:
            return handle.raw
    return raw


def rebind_all(handles: Iterable[Value], raws: Iterable[Data], entries: Iterable[TapeEntry | None]) -> None:
    """Give each handle its data and tape entry, once no other thread traces; a leaf stays a leaf."""
    for handle, raw, entry in zip(handles, raws, entries, strict=True):
        if handle.raw.__class__ is Node:
            wait_for_trace(handle)
        handle.raw, before = raw, handle.tape_entry
        if before is not entry and before.__class__ is not Leaf:
            handle.tape_entry = entry


def replace_data(handle: Value, raw: Data) -> None:
    """Give the handle other data once no other thread traces; its tape entry and gradient stay."""
    wait_for_trace(handle)
    handle.raw = raw


def overwrite(handle: Value, raw: Data, entry: TapeEntry | None) -> None:
    """Give the handle just this data and tape entry; its gradient stays."""
    handle.raw, handle.tape_entry = raw, entry
