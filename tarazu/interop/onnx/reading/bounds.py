"""What a model may take of memory and time: in proportion to its inputs and weights, beyond what any model may."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.runtime.tensor.tensor import Tensor

FREE = 2**24  # elements of one value that any model may make
EACH_GIVEN, EACH_WEIGHT = 2**12, 2**6  # more of them for each element of an input, and of the weights

# Work in loops is counted in units of some 20 microseconds, or of 128 bytes that are kept until the call ends.
FREE_WORK = 2**19
WORK_GIVEN, WORK_WEIGHT = 2**8, 1
AT_ONCE = 2**12  # elements that a step computes in one unit
RECORDED, KEPT = 8, 128  # units for what a recorded step keeps beside its elements; bytes of these in a unit


class _Bounds:
    """How many elements a value of this call may have, and the work in loops that is left."""

    def __init__(self, given: int, weights: int) -> None:
        self.elements = FREE + EACH_GIVEN * given + EACH_WEIGHT * weights
        self.work = FREE_WORK + WORK_GIVEN * given + WORK_WEIGHT * weights
        self.at_once = AT_ONCE + given + weights
        self.times = 0  # how often a step that runs now counts; 0 outside of loops


_bounds: ContextVar[_Bounds | None] = ContextVar("bounds", default=None)


@contextlib.contextmanager
def bounded(given: int, weights: int) -> Iterator[None]:
    """A block of one call of a model, whose inputs and weights have so many elements."""
    token = _bounds.set(_Bounds(given, weights))
    try:
        yield
    finally:
        _bounds.reset(token)


def require_fair(*sizes: Any) -> None:
    """ShapeError, before memory is taken, for a value of these sizes that has far more elements than the model."""
    count, bounds = math.prod(max(int(size), 0) for size in sizes), _bounds.get()
    if bounds is not None and count > bounds.elements:
        raise ShapeError(f"a value of {count:,} elements",
                         expected=f"at most {bounds.elements:,} for inputs and weights of such sizes",
                         fix="take models only from those whom you trust, or pass larger inputs")


@contextlib.contextmanager
def in_loop(rounds: int = 1) -> Iterator[None]:
    """A block whose steps count as work; they count for so many rounds where they are traced once for all."""
    if (bounds := _bounds.get()) is None:
        yield
        return
    outside, bounds.times = bounds.times, max(bounds.times, 1) * rounds
    try:
        yield
    finally:
        bounds.times = outside


def count_step(result: Any) -> None:
    """Count a step that gave `result`, if it is one of a loop; ArgumentError where the work is far beyond the model."""
    bounds = _bounds.get()
    if bounds is None or not bounds.times:
        return
    units = 0
    for x in result if isinstance(result, tuple) else (result,):
        if isinstance(x, Tensor) and x.requires_grad:
            units += RECORDED + bytes_of(x) // KEPT
        else:
            units += 1 + math.prod(getattr(x, "shape", ())) // bounds.at_once
    count_work(units * bounds.times)


def count_kept(x: Any) -> None:
    """Count a value that is kept until the loop ends."""
    count_work(1 + bytes_of(x) // KEPT)


def count_work(units: int) -> None:
    """Count work; ArgumentError where there is far more of it than is fair for the model."""
    bounds = _bounds.get()
    if bounds is None:
        return
    bounds.work -= units
    if bounds.work < 0:
        raise ArgumentError("loops that run for far longer, or keep far more, than the inputs and weights are large",
                            expected=f"loops that end after about {FREE_WORK:,} steps, or more for larger inputs",
                            fix="take models only from those whom you trust; under tz.no_grad() steps count less, "
                            "as nothing is kept")


def bytes_of(x: Any) -> int:
    """The bytes of the elements of a tensor or an array; 0 for anything else."""
    return math.prod(x.shape) * int(x.dtype.itemsize) if hasattr(x, "dtype") else 0
