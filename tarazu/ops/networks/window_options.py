"""What convolution and pooling share: options as one number per axis, and how far they pad."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.ir.type_rules.convolution import Widths


def numbers(name: str, option: str, value: Any, axes: int, *, least: int = 1) -> tuple[int, ...]:
    """`value`, one whole number or one per axis, as a tuple of one per axis."""
    try:
        found = tuple(map(operator.index, value)) if isinstance(value, Sequence) else (operator.index(value),) * axes
    except TypeError:
        found = ()
    if len(found) != axes or min(found) < least:
        many = f", or {axes} of them" if axes > 1 else ""
        raise ArgumentError(f"{name}: {option}={value!r}", expected=f"a whole number of at least {least}{many}",
                            fix=f"pass for example {option}={max(least, 1)}")
    return found


def widths(name: str, padding: Any, sizes: Sequence[int], spans: Sequence[int], strides: Sequence[int]) -> Widths:
    """`padding` ("valid", "same", numbers or pairs) as (before, after) per axis, for windows that span `spans`."""
    if padding == "valid":
        return ((0, 0),) * len(sizes)
    if padding == "same":
        return tuple(map(_same, sizes, spans, strides))
    pairs = list(padding) if isinstance(padding, list | tuple) else [padding] * len(sizes)
    found = [tuple(pair) if isinstance(pair, list | tuple) else (pair, pair) for pair in pairs]
    if len(found) != len(sizes) or not all(
            len(pair) == 2 and all(isinstance(n, int | np.integer) and n >= 0 for n in pair) for pair in found):
        raise ArgumentError(f"{name}: padding={padding!r}",
                            expected='"valid", "same", or whole numbers of at least 0: one, one per axis, or a pair '
                                     "(before, after) per axis",
                            fix='"same" keeps the sizes when the stride is 1')
    return tuple((int(before), int(after)) for before, after in found)


def _same(size: int, span: int, stride: int) -> tuple[int, int]:
    """Zeros before and after so that ceil(size / stride) windows fit; the odd one goes behind."""
    places = -(-size // stride)
    total = max((places - 1) * stride + span - size, 0)
    return total // 2, total - total // 2
