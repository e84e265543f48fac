"""The first weights that all frameworks share, where BENCH_WEIGHTS names a file of them (see bench/same_start.py)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import numpy as np


def given() -> list[np.ndarray]:
    """Tarazu's, in the order of its parameters; none where each framework draws its own."""
    file = os.environ.get("BENCH_WEIGHTS")
    if not file:
        return []
    with np.load(file) as arrays:
        return [arrays[name] for name in arrays.files]


def in_order(sizes: Iterable[int]) -> Iterator[np.ndarray]:
    """For each size the first array of it that none has taken: layers are made in one order everywhere."""
    left = given()
    for size in sizes:
        yield left.pop(next(i for i, array in enumerate(left) if array.size == size))
    if left:
        raise ValueError(f"{len(left)} weights are left over: {[array.shape for array in left]}")
