"""Calls of the C library's mathematics, in double precision, one element after the other."""

from __future__ import annotations

from collections.abc import Callable

from tarazu.backend.native.math.functions import lane_by_lane
from tarazu.backend.native.math.number import Number


def by_c_library(name: str) -> Callable[..., Number]:
    """The function `name` of C's double arguments, over all lanes."""
    def one(*inputs: Number) -> Number:
        x = inputs[0]
        return x.like(x.function.call("double", name, *(y.value for y in inputs)))

    def apply(*inputs: Number) -> Number:
        return lane_by_lane(one, *inputs)
    return apply


def lgamma(x: Number) -> Number:
    """log |gamma(x)|; where C's function has a global variable for the sign, by the one that has none."""
    if x.target is None or "windows" in x.target.triple:
        return by_c_library("lgamma")(x)
    sign = x.function.emit("ptr", "alloca i32")

    def one(y: Number) -> Number:
        return y.like(y.function.call("double", "lgamma_r", y.value, sign))
    return lane_by_lane(one, x)
