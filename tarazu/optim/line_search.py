"""A search along a line for a point that is lower by enough and flatter by enough: the strong Wolfe conditions.

Nocedal and Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6, with torch's safeguards, so that the points
are the same as in torch's L-BFGS.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

DECREASE = 1e-4  # of the decrease that the slope at the start promises, the loss has to fall by this share
CURVATURE = 0.9  # the slope has to be at most this share of that at the start


class Point(NamedTuple):
    """A point of the line: how far along it, the loss, the gradient of all parameters, and the slope along the line."""

    t: float
    loss: float
    gradient: np.ndarray
    slope: float


def strong_wolfe(evaluate: Callable[[float], Point], start: Point, t: float, smallest: float,
                 most: int) -> tuple[Point, int]:
    """A point that meets the conditions, or the lowest after `most` evaluations, and how many there were.

    `t` is the first to try; no two points are tried that are closer than `smallest`.
    """
    previous, new, count = start, evaluate(t), 0
    while count < most:
        if _is_high(new, start) or (count > 1 and new.loss >= previous.loss):
            break
        if _is_flat(new, start):
            return new, count + 1
        if new.slope >= 0:
            break
        t = cubic_minimum(previous, new, (new.t + 0.01 * (new.t - previous.t), new.t * 10))
        previous, new, count = new, evaluate(t), count + 1
    else:
        previous = start
    low, high = (previous, new) if previous.loss <= new.loss else (new, previous)
    return _zoom(evaluate, start, low, high, smallest, most, count)


def _zoom(evaluate: Callable[[float], Point], start: Point, low: Point, high: Point, smallest: float, most: int,
          count: int) -> tuple[Point, int]:
    """Make the interval between `low`, the lowest point so far, and `high` smaller until it has a point that is right.
    """
    is_slow = False  # whether the last point was near an end of the interval
    while count < most and abs(high.t - low.t) >= smallest:
        left, right = sorted((low.t, high.t))
        t, margin = cubic_minimum(low, high, (left, right)), 0.1 * (right - left)
        is_near = min(right - t, t - left) < margin
        if is_near and (is_slow or not left < t < right):
            t, is_near = right - margin if right - t < t - left else left + margin, False
        is_slow = is_near
        new, count = evaluate(t), count + 1
        if _is_high(new, start) or new.loss >= low.loss:
            low, high = (new, low) if new.loss < low.loss else (low, new)
            continue
        if _is_flat(new, start):
            return new, count + 1
        low, high = new, low if new.slope * (high.t - low.t) >= 0 else high
    return low, count + 1


def _is_high(point: Point, start: Point) -> bool:
    return point.loss > start.loss + DECREASE * point.t * start.slope


def _is_flat(point: Point, start: Point) -> bool:
    return abs(point.slope) <= -CURVATURE * start.slope


def cubic_minimum(first: Point, second: Point, bounds: tuple[float, float]) -> float:
    """Where the cubic through two points with their slopes is lowest, within the bounds; else the middle of these."""
    a, b = (first, second) if first.t <= second.t else (second, first)
    middle = (bounds[0] + bounds[1]) / 2
    if not (math.isfinite(a.loss) and math.isfinite(b.loss)) or a.t == b.t:
        return middle
    mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = mean**2 - a.slope * b.slope
    if not square >= 0:
        return middle
    root = math.sqrt(square)
    below = b.slope - a.slope + 2 * root
    lowest = b.t - (b.t - a.t) * ((b.slope + root - mean) / below) if below else middle
    return min(max(lowest, bounds[0]), bounds[1])
