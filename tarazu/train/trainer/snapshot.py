"""The values of tensors at one moment. Arrays never change, so nothing is copied."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from tarazu.runtime import random
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace_lock import replace_data

Snapshot = list[tuple[Tensor, Any]]


def snapshot(tensors: Iterable[Tensor]) -> Snapshot:
    """The values of `tensors` as they are now."""
    return [(x, x.raw) for x in tensors]


def restore(values: Snapshot) -> None:
    """Put the values of a snapshot back."""
    for x, raw in values:
        replace_data(x, raw)


@contextlib.contextmanager
def keeping_random_state() -> Iterator[None]:
    """A block after which the global generator is where it was, so that what it draws changes no later draw."""
    before = snapshot([random.default.state])
    try:
        yield
    finally:
        restore(before)
