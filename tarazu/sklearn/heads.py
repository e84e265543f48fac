"""The last layer of a network for several targets that have classes."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.nn.module.module import Module
from tarazu.runtime.tensor.tensor import Tensor


class Heads(Module):
    """The columns of its input, (batch, sum of sizes), as a tuple of outputs of these sizes, (batch, size) each."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = [*sizes]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        ends = [sum(self.sizes[:i + 1]) for i in range(len(self.sizes))]
        return tuple(x[:, end - size:end] for end, size in zip(ends, self.sizes, strict=True))
