"""One trace at a time: while a thread traces, the handles that it changes hold nodes, which no other thread can use."""

from __future__ import annotations

import threading
from typing import Any

from tarazu.ir.graph import Node
from tarazu.transform.tape import Leaf

tracing = threading.RLock()  # held by the thread that traces


def settled(handle: Any) -> Any:
    """The data of `handle`, once no other thread traces."""
    raw = handle.raw
    if raw.__class__ is Node:
        with tracing:
            return handle.raw
    return raw


def renew(handle: Any, raw: Any, link: Any) -> None:
    """Let `handle` stand for other data once no other thread traces, from that place on the tape if it is no leaf."""
    if handle.raw.__class__ is Node:
        settled(handle)
    handle.raw = raw
    if not isinstance(handle.link, Leaf):
        handle.link = link
