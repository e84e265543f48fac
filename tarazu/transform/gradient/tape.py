"""The gradient tape: for each tracked result its primitive, the inputs of that, and where these came from.

The `tape_entry` of a tensor is where it is on the tape: a `Leaf`, the `TapeNode` whose first result it is, or a
`ResultEntry` for a further result. A mask says who tracks it: bit 0 users, who set `requires_grad`, and a further bit
each `grad` that is running. One look at the mask decides whether to record an operation and, in the backward pass,
whether an entry leads to where a gradient is wanted.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Sequence
from typing import Any, TypeAlias

from tarazu.base.errors import GradientError
from tarazu.ir.op import Op
from tarazu.ir.types import Data
from tarazu.transform.gradient.notes import Notes, notes_of
from tarazu.transform.typing import Tensor

USER = 1  # the mask of tensors with requires_grad
EVERYTHING = -1
_order = itertools.count(1)


class _TapeState(threading.local):
    ignored = 0  # the mask bits for which nothing is recorded now: EVERYTHING inside no_grad
    depth = 0  # how many `grad` are running
    is_forward = False  # whether the backward pass only serves to be differentiated itself, as in `jvp`


tape_state = _TapeState()


class Leaf:
    """Where the tape begins: a tensor that is not the result of anything tracked."""

    __slots__ = ("_handle", "mask", "notes")
    index = 0
    order = 0

    def __init__(self, mask: int, handle: Tensor | None = None) -> None:
        self.mask = mask
        self.notes: Notes | None = None
        self._handle = weakref.ref(handle) if handle is not None else None

    @property
    def handle(self) -> Tensor | None:
        """The tensor whose `.grad` the gradient is added to, if it still exists."""
        return self._handle() if self._handle is not None else None

    @property
    def node(self) -> Leaf:
        return self

    @property
    def is_alive(self) -> bool:
        return True


class TapeNode:
    """One recorded primitive; it is also the tape entry of its first result."""

    __slots__ = ("attributes", "inputs", "mask", "notes", "op", "order", "outputs", "tape_entries")
    index = 0

    def __init__(self, op: Op, attributes: dict[str, Any], inputs: Sequence[Data],
                 entries: Sequence[TapeEntry | None], outputs: Sequence[Data], mask: int) -> None:
        self.op, self.attributes = op, attributes
        self.inputs, self.tape_entries, self.outputs = inputs, entries, outputs
        self.mask, self.order, self.notes = mask, next(_order), None

    @property
    def node(self) -> TapeNode:
        return self

    @property
    def is_alive(self) -> bool:
        return bool(self.outputs)

    @property
    def name(self) -> str:
        """The name in a tensor's repr: MeanBackward, SoftmaxBackward, ..."""
        called = self.notes.label if self.notes is not None else None
        label = called or self.attributes.get("label", self.op.name)
        return "".join(part.capitalize() for part in label.split("_")) + "Backward"

    @name.setter
    def name(self, label: str) -> None:
        notes_of(self).label = label

    def tape_entry_of(self, index: int) -> TapeNode | ResultEntry:
        return ResultEntry(self, index) if index else self

    def free(self) -> None:
        """Drop the saved values, after which no further backward pass can go through this node."""
        self.inputs = self.tape_entries = self.outputs = ()

    def require_alive(self) -> None:
        """Raise GradientError where the saved values were freed."""
        if not self.is_alive:
            raise GradientError(f"backward came a second time through {self.name}, whose saved values were freed",
                                expected="one backward per computation",
                                fix="call backward(retain_graph=True) the first time, or compute the result again")


class ResultEntry:
    """The tape entry of a further result of a primitive with several."""

    __slots__ = ("index", "node")

    def __init__(self, node: TapeNode, index: int) -> None:
        self.node, self.index = node, index

    @property
    def mask(self) -> int:
        return self.node.mask

    @property
    def is_alive(self) -> bool:
        return self.node.is_alive

    @property
    def name(self) -> str:
        return self.node.name


TapeEntry: TypeAlias = Leaf | TapeNode | ResultEntry


class ignoring:  # noqa: N801 - used like a function, as `with ignoring(mask):`
    """A block in which nothing is recorded for the given mask bits."""

    __slots__ = ("_before", "_mask")

    def __init__(self, mask: int) -> None:
        self._mask = mask

    def __enter__(self) -> None:
        self._before = tape_state.ignored
        tape_state.ignored |= self._mask

    def __exit__(self, *_: object) -> None:
        tape_state.ignored = self._before


class level:  # noqa: N801
    """The block in which one `grad` (or `vjp`, `jvp`, ...) records; it gives a mask bit that stands for this one alone.

    What is computed from arguments that `vjp.track` marked with the bit is recorded, until the backward pass, which
    ignores the bit (`vjp.pull_back`). Results that leave the function lose it (`released` in autograd/tracked.py). A
    `no_grad` around the block has no effect on the bit; a `no_grad` within it has.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> int:
        tape_state.depth += 1
        bit = 1 << tape_state.depth
        self._before = tape_state.ignored
        tape_state.ignored &= ~bit
        return bit

    def __exit__(self, *_: object) -> None:
        tape_state.ignored = self._before
        tape_state.depth -= 1


class walking:  # noqa: N801
    """A block whose backward passes only serve to be differentiated, as in `jvp` (`forward`), or give gradients."""

    __slots__ = ("_before", "_forward")

    def __init__(self, *, forward: bool) -> None:
        self._forward = forward

    def __enter__(self) -> None:
        self._before, tape_state.is_forward = tape_state.is_forward, self._forward

    def __exit__(self, *_: object) -> None:
        tape_state.is_forward = self._before
