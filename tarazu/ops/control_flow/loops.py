"""Loops in the words of others: counted ones, and a function mapped over rows."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.ops.control_flow.control import scan, type_of, while_loop
from tarazu.ops.create import arange
from tarazu.ops.elementwise import add, less
from tarazu.ops.promote import as_value, same_dtype


def fori_loop(start: Any, stop: Any, body: Callable[[Any, Any], Any], init: Any, *, bound: int | None = None) -> Any:
    """The carry after `carry = body(i, carry)` for i from `start` up to but not with `stop`.

    With Python numbers it is a `scan`, which has gradients; with integer tensors a `while_loop`, which has them when
    `bound` says how many steps there are at most.

    >>> import tarazu as tz
    >>> tz.fori_loop(0, tz.tensor(5), lambda i, total: total + i, tz.tensor(0))
    Tensor(10, dtype=int64)
    """
    if isinstance(start, Integral) and isinstance(stop, Integral):
        return scan(lambda carry, i: (body(i, carry), None), init, arange(int(start), max(int(start), int(stop))))[0]
    first, end = same_dtype(as_value(start), as_value(stop))
    for x in (first, end):
        if x.shape or x.dtype.kind not in ("int", "uint"):
            raise ArgumentError(f"fori_loop: a bound of type {type_of(x)}", expected="integer scalars",
                                fix="cast it: n.astype(tz.int64)")
    return while_loop(lambda carry: less(carry[0], end), lambda carry: (add(carry[0], 1), body(*carry)), (first, init),
                      bound=bound)[1]


def map(function: Callable[[Any], Any], xs: Any) -> Any:
    """`function` of each row (along the first axis) of the tensors in `xs`, one after the other; results stacked.

    It needs the memory of one row at a time; `tz.vmap` does all rows at once.

    >>> import tarazu as tz
    >>> tz.map(lambda row: row.sum(), tz.tensor([[1, 2], [3, 4]]))
    Tensor([3, 7], dtype=int64)
    """
    return scan(lambda carry, x: (carry, function(x)), (), xs)[1]
