"""The cache of keys and values by which attention takes in a sequence bit by bit."""

from __future__ import annotations

from dataclasses import dataclass

from tarazu.base.errors import ShapeError
from tarazu.ir.node import Node
from tarazu.ops.create import arange
from tarazu.ops.elementwise import astype
from tarazu.ops.indexing.index import scatter_set
from tarazu.ops.shape import permute_dims
from tarazu.runtime.tensor.tensor import Tensor


@dataclass(frozen=True)
class KeyValueCache:
    """Keys and values of the steps that an attention layer has seen, of a fixed length, so that one program serves.

    `keys` (batch, heads, length, size) and `values` (the same, with the size of values) hold `steps` steps, a scalar
    integer; the rest is free. Layers make one by `layer.make_cache(batch, length)`, and give another one with each call
    `y, cache = layer(x, cache=cache)`. It is a container of tensors: `tz.jit`, `tz.while_loop` and `tz.scan` take it
    as an argument, a carry and a result.

    >>> import tarazu as tz
    >>> layer = tz.nn.MultiHeadAttention(2, 8, causal=True)
    >>> cache = layer.make_cache(1, 100)
    >>> for step in range(3):
    ...     y, cache = layer(tz.ones((1, 1, 8)), cache=cache)
    >>> cache.steps, cache.keys.shape
    (Tensor(3, dtype=int64), (1, 2, 100, 4))
    """

    keys: Tensor
    values: Tensor
    steps: Tensor

    @property
    def length(self) -> int:
        """How many steps it has room for.

        >>> import tarazu as tz
        >>> tz.nn.MultiHeadAttention(2, 8).make_cache(1, 100).length
        100
        """
        return self.keys.shape[2]

    def extended(self, keys: Tensor, values: Tensor) -> KeyValueCache:
        """With the keys and values (batch, heads, new steps, size) after those that are there.

        ShapeError for another batch and for more steps than there is room for; in a traced function, whose number of
        steps is not known, the last step is overwritten instead.

        >>> import tarazu as tz
        >>> cache = tz.nn.MultiHeadAttention(2, 8).make_cache(1, 100)
        >>> cache.extended(tz.ones((1, 2, 5, 4)), tz.ones((1, 2, 5, 4))).steps
        Tensor(5, dtype=int64)
        """
        new = keys.shape[2]
        if keys.shape[:2] != self.keys.shape[:2]:
            raise ShapeError(f"a cache for keys of shape {tuple(self.keys.shape)} with new ones of {tuple(keys.shape)}",
                             expected="the same batch and heads", fix="make the cache for this batch: "
                                                                      "layer.make_cache(batch, length)")
        seen = 0 if isinstance(self.steps.raw, Node) else int(self.steps)
        if new + seen > self.length:
            raise ShapeError(f"{new} new steps after {seen} in a cache of length {self.length}",
                             expected="room for all steps", fix="make it longer: layer.make_cache(batch, length)")
        positions = self.steps + arange(new)
        return KeyValueCache(_written(self.keys, keys, positions), _written(self.values, values, positions),
                             self.steps + new)


def _written(old: Tensor, new: Tensor, positions: Tensor) -> Tensor:
    new = astype(permute_dims(new, (2, 0, 1, 3)), old.dtype, copy=False)
    return scatter_set(old, new, (positions,), (2,))
