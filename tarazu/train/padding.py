"""Short batches of predictions, padded to one of a few sizes, so that few programs serve for any number of rows.

That is done where it changes no bit: in native code, each row's sums are in the same order whatever the number of rows,
and in models of Tarazu's own layers alone, which in evaluation mode look at each row by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tarazu import nn
from tarazu.nn.module.module import Module
from tarazu.runtime.compile import runs_native
from tarazu.train.placement import Placement

# Our own layers: their output for a row, in evaluation mode, depends on that row alone, as tests/nn/test_layers.py says
# of each; subclasses may do as they like
_ROW_BY_ROW = frozenset(
    kind for kind in map(vars(nn).get, nn.__all__) if isinstance(kind, type) and issubclass(kind, Module)) - {Module}


def can_pad(modules: Iterable[Module], inputs: Sequence[np.ndarray], placement: Placement) -> bool:
    """Whether batches of these inputs, for a model of these modules, may have further rows, which change no other."""
    has_features = all(leaf.ndim > 1 for leaf in inputs)  # else layers take the rows for features
    return (has_features and placement.is_plain and runs_native()
            and all(map(_is_row_by_row, modules)))


def _is_row_by_row(module: Module) -> bool:
    activation = getattr(module, "_activation", None)
    is_known = activation is None or any(activation is one for one in nn.ACTIVATIONS.values())
    return type(module) in _ROW_BY_ROW and is_known and "forward" not in vars(module)


def padded_size(rows: int, most: int) -> int:
    """The size for a batch of so many rows: one of four between a power of two and the next, and no more than `most`.

    >>> [padded_size(rows, 1024) for rows in (1, 7, 9, 600, 601, 1000)]
    [1, 7, 10, 640, 640, 1024]
    """
    return min(rounded_up(rows, 4), most)


def rounded_up(count: int, sizes: int) -> int:
    """`count`, or the next number, of the `sizes` (a power of two) numbers from each power of two to the next.

    >>> [rounded_up(count, 8) for count in (15, 16, 17, 31, 33)]
    [15, 16, 18, 32, 36]
    """
    unit = 2 ** max(0, count.bit_length() - sizes.bit_length())
    return -(-count // unit) * unit


def padded(rows: np.ndarray, size: int) -> np.ndarray:
    """The rows, and the last of them again and again up to so many."""
    return rows if len(rows) == size else np.concatenate([rows, np.repeat(rows[-1:], size - len(rows), 0)])
