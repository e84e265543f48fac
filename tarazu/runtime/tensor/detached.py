"""`x.data`: a second handle for the elements of a tensor, which gradients do not see."""

from __future__ import annotations

from typing import Any

from tarazu.ir.interpreter import state
from tarazu.ops.elementwise import stop_gradient
from tarazu.runtime.tensor.tensor import Tensor


class Detached(Tensor):
    """Reads the elements of `owner`, and hands changes in place on to it."""

    __slots__ = ("owner",)

    def __init__(self, owner: Tensor) -> None:
        self.owner, self.tape_entry, self._grad = owner, None, None

    @property
    def raw(self) -> Any:  # what `Value.raw` is, which this stands for
        return self.owner.raw

    def _rebind(self, new: Tensor) -> None:
        entry = self.owner.tape_entry
        state.interpreter.rebind(self.owner, stop_gradient(new))
        self.owner.tape_entry = entry
