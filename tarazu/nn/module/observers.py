"""Observers of module calls: by them summaries see the outputs of layers, and training where a prediction came from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TypeAlias

Observer: TypeAlias = Callable[[Any, object], None]  # of a module and its output
call_observers: ContextVar[tuple[Observer, ...]] = ContextVar("call_observers", default=())


@contextlib.contextmanager
def observe_calls(observer: Observer) -> Iterator[None]:
    """A block in which `observer(module, output)` is called after each call of any module, by the running code only."""
    token = call_observers.set((*call_observers.get(), observer))
    try:
        yield
    finally:
        call_observers.reset(token)
