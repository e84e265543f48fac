"""ATen's pooling, of images that come channels last (layout.py)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tarazu.interop.imported import Operation
from tarazu.ops.networks import pooling as ops
from tarazu.ops.networks.unpooling import max_pool_with_indices
from tarazu.ops.typing import Tensor

Sizes = Sequence[int]


def _numbers(numbers: Sizes | int, axes: int) -> tuple[int, ...]:
    given = (numbers,) if isinstance(numbers, int) else tuple(numbers)
    return given * axes if len(given) == 1 else given


def _options(axes: int, stride: Sizes, padding: Sizes | int) -> dict[str, Any]:
    pairs = [(n, n) for n in _numbers(padding, axes)]
    return {"stride": _numbers(stride, axes) if stride else None, "padding": pairs}


def _max_pool(axes: int, pool: Callable[..., Any]) -> Operation:
    def pooled(x: Tensor, window: Sizes, stride: Sizes = (), padding: Sizes | int = 0, dilation: Sizes | int = 1,
               ceil_mode: bool = False) -> Any:
        return pool(x, _numbers(window, axes), dilation=_numbers(dilation, axes), ceil_mode=ceil_mode,
                    **_options(axes, stride, padding))

    return pooled


def _average_pool(axes: int) -> Operation:
    def pooled(x: Tensor, window: Sizes, stride: Sizes = (), padding: Sizes | int = 0, ceil_mode: bool = False,
               count_padding: bool = True, divisor: int | None = None) -> Tensor:
        sizes = _numbers(window, axes)
        found = ops.average_pool(x, sizes, count_padding=count_padding or divisor is not None, ceil_mode=ceil_mode,
                                 **_options(axes, stride, padding))
        return found if divisor is None else found * (math.prod(sizes) / divisor)

    return pooled


def _adaptive(axes: int, pool: Callable[..., Tensor]) -> Operation:
    def pooled(x: Tensor, sizes: Sizes | int) -> Tensor:
        wanted = _numbers(sizes, axes)
        return pool(x, tuple(old if new is None else new for new, old in zip(wanted, x.shape[1:-1], strict=True)))

    return pooled


def _adaptive_max(axes: int) -> Operation:
    """The pooled tensor; where the largest elements were is not told."""
    pool = _adaptive(axes, ops.adaptive_max_pool)
    return lambda x, sizes: (pool(x, sizes),)


TABLE: dict[str, Operation] = {}
for _axes in (1, 2, 3):
    TABLE |= {f"max_pool{_axes}d": _max_pool(_axes, ops.max_pool), f"avg_pool{_axes}d": _average_pool(_axes),
              f"max_pool{_axes}d_with_indices": _max_pool(_axes, max_pool_with_indices),
              f"adaptive_avg_pool{_axes}d": _adaptive(_axes, ops.adaptive_average_pool),
              f"_adaptive_avg_pool{_axes}d": _adaptive(_axes, ops.adaptive_average_pool),
              f"adaptive_max_pool{_axes}d": _adaptive_max(_axes)}
