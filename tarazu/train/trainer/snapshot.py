"""The values of tensors at one moment. Arrays never change, so nothing is copied."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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
