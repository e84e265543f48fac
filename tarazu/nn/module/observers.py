"""Observers of module calls: by them summaries see the outputs of layers, and training where a prediction came from.

A wrapper stands around the outermost calls of modules: by it mixed precision casts in steps that users write.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TypeAlias

from tarazu.runtime.jit.likeness import follow

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


Wrapper: TypeAlias = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]  # of a module and what it is called with
call_wrapper: ContextVar[Wrapper | None] = ContextVar("call_wrapper", default=None)
follow(call_observers.get)
follow(call_wrapper.get)


@contextlib.contextmanager
def wrap_calls(wrapper: Wrapper | None) -> Iterator[None]:
    """A block in which `wrapper(module, inputs, options)` gives what a call of a module gives; None ends that."""
    token = call_wrapper.set(wrapper)
    try:
        yield
    finally:
        call_wrapper.reset(token)
