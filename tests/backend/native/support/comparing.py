"""Whether a backend's results are those of NumPy, as far as rounding lets one tell."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import perturbed

from tarazu.ir.graph import Graph

Array = np.ndarray
RANDOM_RUNS = 5
SLACK = 12.0  # times what the noise moved an element at most
UNSTABLE = 0.05  # the share of elements that may jump before an output is not compared at all


class Expected(NamedTuple):
    """What one output should be: its values, how far each may be off, and which are compared."""

    values: Array
    tolerance: Array
    compared: Array


def expected(graph: Graph, inputs: list[Array]) -> list[Expected]:
    """What the outputs should be, by NumPy with and without noise."""
    rng = np.random.default_rng(0)
    directions = [lambda shape: 1.0, lambda shape: -1.0]
    directions += [lambda shape: rng.uniform(0.5, 1, shape) * rng.choice((-1, 1), shape)] * RANDOM_RUNS
    values = perturbed.run(graph, inputs)
    noisy = [perturbed.run(graph, inputs, direction) for direction in directions]
    return [_expected(base, list(others)) for base, others in zip(values, zip(*noisy, strict=True), strict=True)]


def _expected(base: Array, others: list[Array]) -> Expected:
    if base.dtype.kind in "biu":
        compared = np.logical_and.reduce([other == base for other in others])
        return Expected(base, np.zeros(base.shape), _all_or_none(compared))
    wide, moved = _wide(base), [_wide(other) for other in others]
    finite = np.isfinite(wide)
    compared = np.logical_and.reduce([np.isfinite(other) == finite for other in moved])
    with np.errstate(all="ignore"):
        spread = np.max([np.where(finite & np.isfinite(other), np.abs(other - wide), 0) for other in moved], axis=0)
        size = np.where(finite, np.abs(wide), 0)
    usual = float(np.median(spread)) if spread.size else 0.0
    import ml_dtypes

    limits = ml_dtypes.finfo(base.dtype)
    tolerance = SLACK * (spread + usual) + 4 * float(limits.eps) * size + 8 * float(limits.tiny)
    jumps = tolerance > 0.2 * (size + 1e-3)
    return Expected(base, tolerance, _all_or_none(compared & (~jumps | (_digits(base) < 12))))


def _digits(x: Array) -> int:
    return {2: 8}.get(x.dtype.itemsize, 24)


def _all_or_none(compared: Array) -> Array:
    return compared if compared.sum() >= (1 - UNSTABLE) * compared.size else np.zeros_like(compared)


def _wide(x: Array) -> Array:
    return x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)


def difference(found: Any, wanted: Expected) -> str:
    """What is wrong with an output, in words; nothing when it is right."""
    values = wanted.values
    if not isinstance(found, np.ndarray) or (found.shape, found.dtype) != (values.shape, values.dtype):
        return f"{getattr(found, 'dtype', type(found))}{getattr(found, 'shape', '')} instead of " \
               f"{values.dtype}{values.shape}"
    with np.errstate(all="ignore"):
        if values.dtype.kind in "biu":
            wrong = found != values
        else:
            first, second = _wide(found), _wide(values)
            near = np.abs(first - second) <= wanted.tolerance
            wrong = ~(near | (first == second) | (np.isnan(first) & np.isnan(second)))
    wrong &= wanted.compared
    if not wrong.any():
        return ""
    place = tuple(map(int, np.argwhere(wrong)[0]))
    return (f"{wrong.sum()} of {wrong.size} elements differ, the first at {place}: {found[place]!r} instead of "
            f"{values[place]!r}, allowed is a difference of {wanted.tolerance[place]:.3g}")
